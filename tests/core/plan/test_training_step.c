/* Whole training steps against PyTorch: tests/fixtures/make_training_step.py has the same network
 * and the same regimes, and wrote the numbers. */
#include "core/plan/plan.h"
#include "support/devices.h"
#include "support/fixture.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { BATCH = 8, SIZE = 12, CLASSES = 5, STEPS = 3, EXITS = 3, MAX_PASSES = 3 };

/* ---- the network ---- */

static int conv_bn(eex_graph *g, int x, const char *conv, const char *bn, int out, int kernel,
                   int stride, int groups)
{
    eex_conv_options o = {
        .out = out, .kernel = kernel, .stride = stride, .pad = kernel / 2, .groups = groups};
    OK(eex_graph_add_conv(g, &x, x, conv, &o));
    OK(eex_graph_add_batch_norm(g, &x, x, bn));
    return x;
}

static int act(eex_graph *g, int x, const char *name, eex_act kind)
{
    OK(eex_graph_add_act(g, &x, x, name, kind));
    return x;
}

static int inverted_residual(eex_graph *g, int x)
{
    int y = conv_bn(g, x, "mb.expand", "mb.expand_bn", 16, 1, 1, 1);
    y = act(g, y, "mb.relu1", EEX_ACT_RELU6);
    y = conv_bn(g, y, "mb.depthwise", "mb.depthwise_bn", 16, 3, 1, 16);
    y = act(g, y, "mb.relu2", EEX_ACT_RELU6);
    y = conv_bn(g, y, "mb.project", "mb.project_bn", 8, 1, 1, 1);
    OK(eex_graph_add_add(g, &x, x, y, "mb.add"));
    return x;
}

static int bottleneck(eex_graph *g, int x)
{
    int y = conv_bn(g, x, "res.conv1", "res.bn1", 4, 1, 1, 1);
    y = act(g, y, "res.relu1", EEX_ACT_RELU);
    y = conv_bn(g, y, "res.conv2", "res.bn2", 4, 3, 2, 1);
    y = act(g, y, "res.relu2", EEX_ACT_RELU);
    y = conv_bn(g, y, "res.conv3", "res.bn3", 12, 1, 1, 1);
    x = conv_bn(g, x, "res.downsample", "res.downsample_bn", 12, 1, 2, 1);
    OK(eex_graph_add_add(g, &x, y, x, "res.add"));
    return act(g, x, "res.relu3", EEX_ACT_RELU);
}

static eex_graph *build(void)
{
    eex_graph *trunk, *gated;
    int x = 0;
    OK(eex_graph_new(&trunk, "steps", SIZE, SIZE, 3));
    x = conv_bn(trunk, x, "stem.conv", "stem.bn", 8, 3, 1, 1);
    x = act(trunk, x, "stem.relu", EEX_ACT_RELU6);
    OK(eex_graph_add_max_pool(trunk, &x, x, "pool", 3, 2, 1));
    int first = x = inverted_residual(trunk, x);
    int second = x = bottleneck(trunk, x);
    x = conv_bn(trunk, x, "head.conv", "head.bn", 16, 1, 1, 1);
    x = act(trunk, x, "head.relu", EEX_ACT_RELU6);
    OK(eex_graph_add_global_pool(trunk, &x, x, "avgpool", false));
    OK(eex_graph_add_flatten(trunk, &x, x, "flatten", true));
    OK(eex_graph_add_linear(trunk, &x, x, "fc", CLASSES, true));
    OK(eex_graph_finish(trunk, x));
    eex_gate gates[] = {{.point = first, .blocks = 1}, {.point = second, .blocks = 2}};
    OK(eex_graph_with_gates(&gated, trunk, gates, 2, EEX_ACT_RELU6));
    eex_graph_free(trunk);
    return gated;
}

/* ---- a scenario ---- */

typedef struct scenario {
    const char *name;
    int passes;
    float weight[MAX_PASSES][EXITS];
    eex_plan_options options;
    float lr;
} scenario;

typedef struct bed {
    const scenario *how;
    fixture *numbers;
    eex_graph *graph;
    eex_device *dev;
    eex_params *params;
    eex_optimizer_state *state;
    eex_plan *plans[MAX_PASSES];
} bed;

static eex_plan_options sgd(void)
{
    return (eex_plan_options){
        .mode = EEX_PLAN_TRAIN,
        .batch = BATCH,
        .augment = {.mean = {0.5f, 0.45f, 0.4f}, .std = {0.25f, 0.2f, 0.3f}},
        .optimizer = {.kind = EEX_SGD, .momentum = 0.9f, .weight_decay = 5e-4f, .nesterov = true}};
}

static void set_initial(bed *b)
{
    for (int i = 0; i < eex_graph_params(b->graph); i++) {
        const eex_param *param = eex_graph_param(b->graph, i);
        size_t count;
        const float *values = fixture_find(b->numbers, &count, "f32", "initial/%s", param->name);
        cr_assert(values && count == eex_param_count(param), "%s", param->name);
        OK(eex_params_set(b->params, i, values));
    }
}

static bed make_bed(const scenario *how)
{
    bed b = {.how = how, .numbers = fixture_open(EEX_FIXTURES "/training_step.bin")};
    b.graph = build();
    cr_assert_eq(eex_graph_exits(b.graph), EXITS);
    b.dev = open_device(2);
    OK(eex_params_new(&b.params, b.dev, b.graph, 1));
    set_initial(&b);
    OK(eex_optimizer_state_new(&b.state, b.params, &how->options.optimizer));
    for (int i = 0; i < how->passes; i++) {
        eex_plan_options options = how->options;
        memcpy(options.weight, how->weight[i], sizeof how->weight[i]);
        options.state = b.state;
        OK(eex_plan_new(&b.plans[i], &options, b.graph, b.params));
    }
    return b;
}

static void free_bed(bed *b)
{
    for (int i = 0; i < b->how->passes; i++)
        eex_plan_free(b->plans[i]);
    eex_optimizer_state_free(b->state);
    eex_params_free(b->params);
    eex_device_close(b->dev);
    eex_graph_free(b->graph);
    fixture_close(b->numbers);
}

/* ---- comparing ---- */

static double norm(const float *values, const float *less, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        double d = (double)values[i] - (less ? (double)less[i] : 0);
        sum += d * d;
    }
    return sqrt(sum);
}

/* The norm of all that PyTorch has under what. */
static double whole_norm(const bed *b, const char *what)
{
    double sum = 0;
    for (int i = 0; i < eex_graph_params(b->graph); i++) {
        size_t count;
        const char *name = eex_graph_param(b->graph, i)->name;
        const float *want =
            fixture_find(b->numbers, &count, "f32", "%s/%s/%s", b->how->name, what, name);
        if (want)
            sum += pow(norm(want, NULL, count), 2);
    }
    return sqrt(sum);
}

/* Compares parameter by parameter what `at` holds in the places of the parameters. A batch norm
 * takes away what a shift in front of it did, so some gradients are zero but for rounding: those
 * are held against the norm of all. */
static int compare(const bed *b, const eex_params *at, const char *what)
{
    double whole = whole_norm(b, what);
    int compared = 0;
    for (int i = 0; i < eex_graph_params(b->graph); i++) {
        const eex_param *param = eex_graph_param(b->graph, i);
        const float *want =
            fixture_find(b->numbers, NULL, "f32", "%s/%s/%s", b->how->name, what, param->name);
        if (!want)
            continue;
        size_t count = eex_param_count(param);
        float *got = malloc(count * sizeof *got);
        cr_assert_not_null(got);
        OK(eex_params_get(at, i, got));
        double off = norm(got, want, count) / fmax(norm(want, NULL, count), 1e-2 * whole);
        cr_expect(off < 1e-4, "%s, %s of %s: off by %.2e in norm", b->how->name, what, param->name,
                  off);
        free(got);
        compared++;
    }
    return compared;
}

static int compare_gradients(const bed *b)
{
    eex_params at = *b->params;
    at.w = b->state->g;
    return compare(b, &at, "gradient");
}

static void compare_average(const bed *b)
{
    eex_params at = *b->params;
    at.w = b->state->ema;
    at.state = b->state->ema_state;
    cr_expect_eq(compare(b, &at, "ema"), eex_graph_params(b->graph));
}

static void compare_losses(const bed *b, const eex_plan *plan, int pass, int step)
{
    for (int k = 0; k < EXITS; k++) {
        if (b->how->weight[pass][k] == 0)
            continue;
        const double *loss = fixture_find(b->numbers, NULL, "f64", "%s/loss%d", b->how->name, k);
        const double *correct =
            fixture_find(b->numbers, NULL, "f64", "%s/correct%d", b->how->name, k);
        cr_assert(loss && correct);
        eex_totals got;
        OK(eex_plan_totals(b->plans[pass], k, &got));
        double off = fabs(got.loss / BATCH - loss[step]) / loss[step];
        cr_expect(off < 1e-5, "%s, step %d: loss of exit %d is off by %.2e", b->how->name, step, k,
                  off);
        cr_expect_eq(got.correct, correct[step]);
    }
}

static void run_step(bed *b, int step)
{
    const uint8_t *images = fixture_find(b->numbers, NULL, "u8", "images%d", step);
    const int32_t *labels = fixture_find(b->numbers, NULL, "i32", "labels%d", step);
    const uint32_t samples[BATCH] = {0};
    cr_assert(images && labels);
    eex_step at = {.batch = BATCH, .lr = b->how->lr, .seed = 1, .step = (uint64_t)step + 1};
    for (int i = 0; i < b->how->passes; i++) {
        OK(eex_plan_totals_reset(b->plans[i]));
        OK(eex_plan_upload(b->plans[i], images, labels, samples, BATCH));
        OK(eex_plan_step(b->plans[i], &at));
        compare_losses(b, b->plans[i], i, step);
    }
}

static void expect_norm(const bed *b, int step)
{
    const double *want = fixture_find(b->numbers, NULL, "f64", "%s/norm", b->how->name);
    double got;
    OK(eex_plan_grad_norm(b->plans[0], &got));
    if (!want) {
        cr_expect_eq(got, 0);
        return;
    }
    cr_expect(fabs(got - want[step]) < 1e-5 * want[step], "norm of the gradient: %g, not %g", got,
              want[step]);
}

/* `gradients`: parameters that get one. */
static void check(const scenario *how, int gradients)
{
    bed b = make_bed(how);
    for (int step = 0; step < STEPS; step++) {
        run_step(&b, step);
        expect_norm(&b, step);
        if (step > 0)
            continue;
        cr_expect_eq(compare_gradients(&b), gradients);
        cr_expect_eq(compare(&b, b.params, "after1"), eex_graph_params(b.graph));
    }
    cr_expect_eq(compare(&b, b.params, "after3"), eex_graph_params(b.graph));
    if (b.state->ema)
        compare_average(&b);
    free_bed(&b);
}

/* 12 convolutions, 12 batch norms of 2, 3 linear layers of 2 */
enum { ALL = 12 + 24 + 6, GATES = 3 + 6 + 4 };

Test(training_step, joint)
{
    scenario how = {.name = "joint", .passes = 1, .weight = {{0.3f, 0.7f, 1}}, .lr = 0.05f};
    how.options = sgd();
    check(&how, ALL);
}

Test(training_step, interleaved)
{
    scenario how = {.name = "interleaved",
                    .passes = 3,
                    .weight = {{0, 0, 1}, {0.5f, 0, 0}, {0, 0.5f, 0}},
                    .lr = 0.05f};
    how.options = sgd();
    check(&how, ALL);
}

Test(training_step, frozen)
{
    scenario how = {.name = "frozen", .passes = 1, .weight = {{1, 1, 0}}, .lr = 0.05f};
    how.options = sgd();
    how.options.mode = EEX_PLAN_TRAIN_GATES;
    check(&how, GATES);
}

Test(training_step, distill)
{
    scenario how = {.name = "distill", .passes = 1, .weight = {{1, 1, 1}}, .lr = 0.05f};
    how.options = sgd();
    how.options.distill = 0.8f;
    how.options.distill_t = 4;
    check(&how, ALL);
}

Test(training_step, smoothed_and_clipped)
{
    scenario how = {.name = "clipped", .passes = 1, .weight = {{0.5f, 0.5f, 1}}, .lr = 0.05f};
    how.options = sgd();
    how.options.smoothing = 0.1f;
    how.options.l1 = 0.05f;
    how.options.optimizer.clip = 0.75f;
    check(&how, ALL);
}

Test(training_step, adamw_with_average)
{
    scenario how = {.name = "adamw", .passes = 1, .weight = {{0.5f, 0.5f, 1}}, .lr = 0.01f};
    how.options = sgd();
    how.options.optimizer = (eex_optimizer){.kind = EEX_ADAMW,
                                            .beta1 = 0.9f,
                                            .beta2 = 0.999f,
                                            .eps = 1e-8f,
                                            .weight_decay = 0.05f,
                                            .ema = 0.9f};
    check(&how, ALL);
}
