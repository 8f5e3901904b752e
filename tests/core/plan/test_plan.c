/* Plans against networks evaluated node by node, and against themselves: batches and compaction. */
#include "core/plan/plan_impl.h"
#include "support/devices.h"
#include "support/naive.h"
#include "support/net.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

/* Largest difference, as a part of the largest value. */
static double difference(const float *got, const double *want, size_t count)
{
    double largest = 0, off = 0;
    for (size_t i = 0; i < count; i++) {
        largest = fmax(largest, fabs(want[i]));
        off = fmax(off, fabs((double)got[i] - want[i]));
        if (isnan(got[i]))
            return INFINITY;
    }
    return off / largest;
}

static const double *naive_logits(const naive *n, int exit)
{
    return n->value[eex_graph_exit(n->graph, exit)->logits];
}

/* ---- training ---- */

static const float ones[EEX_MAX_EXITS] = {1, 1, 1};

/* Only so far do the logits of all exits stand side by side. */
static void run_until_losses(eex_plan *plan, const eex_step *step)
{
    for (int i = 0; i < plan->loss_op[0]; i++)
        OK(plan->device->vtable->run(plan->device, &plan->ops[i], plan->states[i], step));
}

static void expect_running_statistics(const net *n, const naive *reference, int count,
                                      double tolerance)
{
    for (int i = 0; i < eex_graph_nodes(n->graph); i++) {
        const eex_node *node = eex_graph_node(n->graph, i);
        if (node->kind != EEX_NODE_BATCH_NORM)
            continue;
        size_t c = (size_t)node->c, pixels = (size_t)(count * node->h * node->w);
        float *mean =
            fetch_floats(n->params->device, eex_params_at(n->params, node->first_param + 2), c);
        const double *x = reference->value[node->inputs[0]];
        double *want = calloc(c, sizeof *want);
        for (size_t j = 0; j < pixels * c; j++)
            want[j % c] += 0.1 * x[j] / (double)pixels;
        for (size_t j = 0; j < c; j++)
            want[j] += 0.9 * reference->param[node->first_param + 2][j];
        cr_expect_lt(difference(mean, want, c), tolerance, "%s", node->name);
        free(mean);
        free(want);
    }
}

static void check_training_forward(net_builder build, int count, double tolerance)
{
    net n = net_open(build, count, 2);
    naive *reference = naive_open(n.params, count);
    eex_plan_options options = net_training(count, ones, eex_graph_exits(n.graph));
    eex_step step = {.batch = count, .seed = 9, .step = 1};
    eex_plan *plan;
    OK(eex_optimizer_state_new(&options.state, n.params, &options.optimizer));
    OK(eex_plan_new(&plan, &options, n.graph, n.params));
    net_feed(&n, plan, 0, count);
    run_until_losses(plan, &step);
    reference->training = true;
    naive_images(reference, n.images, &options.augment);
    naive_dropout(reference, n.dev, &step);
    naive_forward(reference, 0);
    for (int k = 0; k < eex_graph_exits(n.graph); k++) {
        float *logits = net_logits(plan, k, count);
        double off = difference(logits, naive_logits(reference, k), (size_t)count * NET_CLASSES);
        cr_expect_lt(off, tolerance, "exit %d is off by %g", k, off);
        free(logits);
    }
    expect_running_statistics(&n, reference, count, tolerance);
    eex_plan_free(plan);
    eex_optimizer_state_free(options.state);
    naive_close(reference);
    net_close(&n);
}

Test(plan, training_forward_is_the_network)
{
    check_training_forward(net_tiny, 6, 1e-5);
    check_training_forward(net_squeezed, 6, 1e-5);
    check_training_forward(net_pooled, 6, 1e-5);
    check_training_forward(net_strided, 6, 1e-5);
    check_training_forward(net_bottled, 6, 1e-5);
    /* 52 batch norms over few pixels pass on what rounding did to the ones in front. */
    check_training_forward(net_mobilenetv2, 16, 1e-4);
}

/* ---- inference ---- */

static void check_inference(net_builder build, int count)
{
    net n = net_open(build, count, 2);
    naive *reference = naive_open(n.params, count);
    eex_plan_options options = net_inference(count);
    eex_plan *plan;
    OK(eex_plan_new(&plan, &options, n.graph, n.params));
    net_feed(&n, plan, 0, count);
    naive_images(reference, n.images, &options.augment);
    naive_forward(reference, 0);
    for (int k = 0; k < eex_graph_exits(n.graph); k++) {
        OK(eex_plan_segments(plan, k, k, count));
        float *logits = net_logits(plan, k, count);
        double off = difference(logits, naive_logits(reference, k), (size_t)count * NET_CLASSES);
        cr_expect_lt(off, 1e-5, "exit %d is off by %g", k, off);
        free(logits);
    }
    eex_plan_free(plan);
    naive_close(reference);
    net_close(&n);
}

Test(plan, inference_is_the_network)
{
    check_inference(net_tiny, 5);
    check_inference(net_squeezed, 5);
    check_inference(net_pooled, 5);
    check_inference(net_strided, 5);
    check_inference(net_bottled, 5);
    check_inference(net_mobilenetv2, 3);
    check_inference(net_resnet50, 1);
}

/* Batch norms behind all but the first convolutions go away, and so do acts and adds. */
Test(plan, inference_is_fused)
{
    net n = net_open(net_mobilenetv2, 1, 1);
    eex_plan_options options = net_inference(1);
    eex_plan *plan;
    int count[EEX_OP_KINDS] = {0};
    OK(eex_plan_new(&plan, &options, n.graph, n.params));
    for (int i = 0; i < eex_plan_ops(plan); i++)
        count[eex_plan_op(plan, i)->kind]++;
    int heads = n.dev->fused_head ? 3 : 0; /* that take in their pool and classifier */
    cr_expect_eq(count[EEX_OP_CONV], 52 + 1 + 2 * 2 - heads);
    cr_expect_eq(count[EEX_OP_GLOBAL_POOL], 3 - heads);
    cr_expect_eq(count[EEX_OP_HEAD], 3);
    cr_expect_eq(eex_plan_ops(plan), count[EEX_OP_CONV] + count[EEX_OP_GLOBAL_POOL] + 3 + 1);
    eex_plan_free(plan);
    net_close(&n);
}

/* Runs images first.. in batches and writes the logits of all exits: (exits, count, classes). */
static void infer(const net *n, float *logits, int count, int batch)
{
    eex_plan_options options = net_inference(batch);
    eex_plan *plan;
    OK(eex_plan_new(&plan, &options, n->graph, n->params));
    for (int at = 0; at < count; at += batch) {
        int rows = count - at < batch ? count - at : batch;
        net_feed(n, plan, at, rows);
        for (int k = 0; k < eex_graph_exits(n->graph); k++) {
            OK(eex_plan_segments(plan, k, k, rows));
            OK(eex_plan_logits(plan, k, logits + (size_t)(k * count + at) * NET_CLASSES, rows));
        }
    }
    eex_plan_free(plan);
}

static void check_batches(net_builder build, int count)
{
    static const int batches[] = {1, 3, 7};
    net n = net_open(build, count, 2);
    size_t size = (size_t)(eex_graph_exits(n.graph) * count * NET_CLASSES);
    float *whole = calloc(size, sizeof *whole), *parts = calloc(size, sizeof *parts);
    infer(&n, whole, count, count);
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
        infer(&n, parts, count, batches[i]);
        expect_repeated("logits in another batch", parts, whole, size);
    }
    free(whole);
    free(parts);
    net_close(&n);
}

Test(plan, a_sample_gets_the_same_bits_in_every_batch)
{
    const int count = tests_are_quick() ? 22 : 64; /* no batch ends with the last one */
    check_batches(net_tiny, count);
    check_batches(net_squeezed, count);
    check_batches(net_quantised, count);
    check_batches(net_pooled, count);
    check_batches(net_strided, count);
    check_batches(net_mobilenetv2, count);
    check_batches(net_resnet50, 10);
}

static void refreshed(net_builder build)
{
    net n = net_open(build, 4, 1);
    const int last = eex_graph_exits(n.graph) - 1;
    eex_plan_options options = net_inference(4);
    eex_plan *old, *new;
    OK(eex_plan_new(&old, &options, n.graph, n.params));
    size_t count = n.params->count;
    float *larger = fetch_floats(n.dev, n.params->w, count);
    for (size_t i = 0; i < count; i++)
        larger[i] *= 1.25f;
    OK(n.dev->vtable->upload(n.dev, n.params->w, larger, count * sizeof *larger));
    free(larger);
    OK(eex_plan_new(&new, &options, n.graph, n.params));
    OK(eex_plan_refresh(old));
    eex_plan *both[] = {old, new};
    float *logits[2];
    for (int i = 0; i < 2; i++) {
        net_feed(&n, both[i], 0, 4);
        OK(eex_plan_segments(both[i], 0, last, 4));
        logits[i] = net_logits(both[i], last, 4);
        eex_plan_free(both[i]);
    }
    cr_expect_arr_eq(logits[0], logits[1], 4 * NET_CLASSES * sizeof(float));
    free(logits[0]);
    free(logits[1]);
    net_close(&n);
}

Test(plan, refreshed_plans_see_new_parameters)
{
    refreshed(net_tiny);
    refreshed(net_resnet50); /* weights of which nothing was kept but what was packed */
}

/* ---- compaction ---- */

/* Runs `count` images; behind each exit but the last only every keep-th row stays. The survivors'
 * logits must be what they are without compaction. */
static void check_compaction(net_builder build, int count, int keep)
{
    net n = net_open(build, count, 2);
    int exits = eex_graph_exits(n.graph);
    float *whole = calloc((size_t)(exits * count * NET_CLASSES), sizeof *whole);
    int32_t *row = calloc((size_t)count, sizeof *row), *index = calloc((size_t)count, sizeof *row);
    infer(&n, whole, count, count);
    eex_plan_options options = net_inference(count);
    eex_plan *plan;
    OK(eex_plan_new(&plan, &options, n.graph, n.params));
    net_feed(&n, plan, 0, count);
    for (int i = 0; i < count; i++)
        row[i] = i;
    for (int k = 0, rows = count; k < exits; k++) {
        OK(eex_plan_segments(plan, k, k, rows));
        float *logits = net_logits(plan, k, rows);
        for (int i = 0; i < rows; i++)
            expect_repeated("logits of a survivor", logits + i * NET_CLASSES,
                            whole + (size_t)(k * count + row[i]) * NET_CLASSES, NET_CLASSES);
        free(logits);
        int left = 0;
        for (int i = keep - 1; i < rows; i += keep) {
            row[left] = row[i];
            index[left++] = i;
        }
        if (k < exits - 1)
            OK(eex_plan_compact(plan, k, index, left));
        rows = left;
    }
    eex_plan_free(plan);
    free(index);
    free(row);
    free(whole);
    net_close(&n);
}

Test(plan, compaction_keeps_the_rows_of_the_survivors)
{
    check_compaction(net_tiny, 33, 2);
    check_compaction(net_squeezed, 33, 2);
    check_compaction(net_quantised, 33, 2);
    check_compaction(net_pooled, 33, 2);
    check_compaction(net_strided, 33, 2);
    check_compaction(net_mobilenetv2, 20, 3);
    check_compaction(net_resnet50, 4, 2);
}

/* ---- cached features ---- */

static void feed_features(const net *n, eex_plan *plan, int count)
{
    eex_plan_options options = net_inference(count);
    eex_plan *trunk;
    OK(eex_plan_new(&trunk, &options, n->graph, n->params));
    net_feed(n, trunk, 0, count);
    for (int k = 0; k < eex_graph_exits(n->graph) - 1; k++) {
        int point = eex_graph_exit(n->graph, k)->point;
        const eex_node *node = eex_graph_node(n->graph, point);
        float *rows = calloc((size_t)(count * node->h * node->w * node->c), sizeof *rows);
        OK(eex_plan_segments(trunk, k, k, count));
        OK(eex_plan_download_value(trunk, point, rows, count));
        OK(eex_plan_upload_value(plan, point, rows, count));
        free(rows);
    }
    eex_plan_free(trunk);
}

/* One step with the trunk frozen; the gradients of all parameters, for the caller to free. */
static float *frozen_gradient(bool cached)
{
    static const float gates[] = {1, 1, 0};
    enum { COUNT = 6 };
    net n = net_open(net_tiny, COUNT, 1);
    eex_plan_options options = net_training(COUNT, gates, 3);
    eex_step step = {.batch = COUNT, .seed = 9, .step = 1};
    eex_plan *plan;
    options.mode = cached ? EEX_PLAN_TRAIN_GATES_ON_FEATURES : EEX_PLAN_TRAIN_GATES;
    OK(eex_optimizer_state_new(&options.state, n.params, &options.optimizer));
    OK(eex_plan_new(&plan, &options, n.graph, n.params));
    net_feed(&n, plan, 0, COUNT);
    if (cached)
        feed_features(&n, plan, COUNT);
    OK(eex_plan_step(plan, &step));
    float *gradient = fetch_floats(n.dev, options.state->g, n.params->count);
    eex_plan_free(plan);
    eex_optimizer_state_free(options.state);
    net_close(&n);
    return gradient;
}

Test(plan, gates_learn_the_same_from_cached_features)
{
    net n = net_open(net_tiny, 1, 1);
    size_t count = n.params->count;
    float *streamed = frozen_gradient(false), *cached = frozen_gradient(true);
    double sum = 0, off = 0;
    for (size_t i = 0; i < count; i++) {
        sum += (double)streamed[i] * (double)streamed[i];
        off += pow((double)streamed[i] - (double)cached[i], 2);
    }
    cr_expect_gt(sum, 0);
    cr_expect_lt(sqrt(off / sum), 1e-4, "off by %g", sqrt(off / sum));
    free(streamed);
    free(cached);
    net_close(&n);
}

/* ---- errors ---- */

Test(plan, wrong_batches_and_exits_are_refused)
{
    net n = net_open(net_tiny, 4, 1);
    eex_plan_options options = net_inference(0);
    eex_plan *plan = NULL;
    eex_scores scores;
    cr_expect_eq(eex_plan_new(&plan, &options, n.graph, n.params), EEX_EINVAL);
    cr_expect_null(plan);
    options.batch = 2;
    options.mode = EEX_PLAN_MODES;
    cr_expect_eq(eex_plan_new(&plan, &options, n.graph, n.params), EEX_EINVAL);
    options.mode = EEX_PLAN_INFER;
    OK(eex_plan_new(&plan, &options, n.graph, n.params));
    cr_expect_eq(eex_plan_upload(plan, n.images, NULL, NULL, 3), EEX_EINVAL);
    cr_expect_eq(eex_plan_upload(plan, n.images, NULL, NULL, 0), EEX_EINVAL);
    cr_expect_eq(eex_plan_scores(plan, 3, &scores), EEX_EINVAL);
    cr_expect_eq(eex_plan_scores(plan, -1, &scores), EEX_EINVAL);
    cr_expect_eq(eex_plan_temperature(plan, 0, 0), EEX_EINVAL);
    cr_expect_eq(eex_plan_temperature(plan, 0, NAN), EEX_EINVAL);
    cr_expect_eq(eex_plan_upload_value(plan, 9999, NULL, 1), EEX_EINVAL);
    eex_plan_free(plan);
    eex_plan_free(NULL);
    net_close(&n);
}
