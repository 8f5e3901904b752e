/* The gradient of every parameter, as a whole plan computes it, against central differences of the
 * loss of the same network in double. */
#include "core/plan/plan.h"
#include "support/devices.h"
#include "support/naive.h"
#include "support/net.h"
#include "support/reference_ops.h"

#include "base/rng.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { COUNT = 6, EXITS = 3 };

typedef struct bed {
    net net;
    naive *reference;
    eex_plan_options options;
    eex_plan *plan;
    double *teacher; /* logits of the last exit, held still; NULL without distillation */
} bed;

static bed open_bed(net_builder build, const float *weight, void (*adjust)(eex_plan_options *))
{
    bed b = {.net = net_open(build, COUNT, 1), .options = net_training(COUNT, weight, EXITS)};
    eex_step step = {.batch = COUNT, .seed = 9, .step = 1};
    if (adjust)
        adjust(&b.options);
    OK(eex_optimizer_state_new(&b.options.state, b.net.params, &b.options.optimizer));
    OK(eex_plan_new(&b.plan, &b.options, b.net.graph, b.net.params));
    b.reference = naive_open(b.net.params, COUNT);
    b.reference->training = true;
    b.reference->frozen_trunk = b.options.mode == EEX_PLAN_TRAIN_GATES;
    naive_images(b.reference, b.net.images, &b.options.augment);
    naive_dropout(b.reference, b.net.dev, &step);
    naive_forward(b.reference, 0);
    net_feed(&b.net, b.plan, 0, COUNT);
    OK(eex_plan_step(b.plan, &step));
    return b;
}

static void close_bed(bed *b)
{
    free(b->teacher);
    naive_close(b->reference);
    eex_plan_free(b->plan);
    eex_optimizer_state_free(b->options.state);
    net_close(&b->net);
}

static const double *logits_of(const bed *b, int exit)
{
    return b->reference->value[eex_graph_exit(b->net.graph, exit)->logits];
}

static void hold_teacher(bed *b)
{
    size_t bytes = COUNT * NET_CLASSES * sizeof *b->teacher;
    if (b->options.distill <= 0)
        return;
    b->teacher = malloc(bytes);
    cr_assert_not_null(b->teacher);
    memcpy(b->teacher, logits_of(b, EXITS - 1), bytes);
}

/* What the plan minimises: the weighted sum of the exits' losses. */
static double loss_of(const bed *b)
{
    const eex_plan_options *o = &b->options;
    double sum = 0;
    for (int k = 0; k < EXITS; k++) {
        eex_op_loss op = {.classes = NET_CLASSES,
                          .weight = o->weight[k],
                          .smoothing = o->smoothing,
                          .l1 = o->l1,
                          .distill = o->distill,
                          .distill_t = o->distill > 0 ? o->distill_t : 1};
        const double *teacher = k < EXITS - 1 ? b->teacher : NULL;
        if (o->weight[k] > 0)
            sum += ref_loss(NULL, logits_of(b, k), teacher, b->net.labels, COUNT, &op);
    }
    return sum;
}

/* The loss after a step of `by` along the direction. */
static double moved(bed *b, int param, int node, const double *direction, double by)
{
    size_t count = eex_param_count(eex_graph_param(b->net.graph, param));
    double *values = b->reference->param[param];
    for (size_t i = 0; i < count; i++)
        values[i] += by * direction[i];
    naive_forward(b->reference, node);
    double loss = loss_of(b);
    for (size_t i = 0; i < count; i++)
        values[i] -= by * direction[i];
    return loss;
}

/* Slope along a random direction of length 1. */
static void check_param(bed *b, int param, int node, eex_rng *rng)
{
    const eex_param *p = eex_graph_param(b->net.graph, param);
    size_t count = eex_param_count(p);
    float *g = fetch_floats(b->net.dev, b->options.state->g + b->net.params->offset[param], count);
    double *direction = malloc(count * sizeof *direction);
    double length = 0, got = 0, size = 0, h = 1e-6;
    cr_assert_not_null(direction);
    for (size_t i = 0; i < count; i++) {
        direction[i] = eex_rng_normal(rng);
        length += direction[i] * direction[i];
    }
    for (size_t i = 0; i < count; i++) {
        direction[i] /= sqrt(length);
        got += (double)g[i] * direction[i];
        size += (double)g[i] * (double)g[i];
    }
    double want =
        (moved(b, param, node, direction, h) - moved(b, param, node, direction, -h)) / (2 * h);
    cr_expect(fabs(got - want) < 1e-6 + 1e-4 * sqrt(size), "%s: %.8g, but the loss has %.8g",
              p->name, got, want);
    naive_forward(b->reference, node);
    free(direction);
    free(g);
}

/* Which nodes an exit with a loss depends on; the caller frees. */
static bool *needed_nodes(const bed *b)
{
    bool *needed = calloc((size_t)eex_graph_nodes(b->net.graph), sizeof *needed);
    cr_assert_not_null(needed);
    for (int k = 0; k < EXITS; k++)
        needed[eex_graph_exit(b->net.graph, k)->logits] = b->options.weight[k] > 0;
    for (int i = eex_graph_nodes(b->net.graph) - 1; i > 0; i--)
        for (int j = 0; j < 2; j++) {
            int input = eex_graph_node(b->net.graph, i)->inputs[j];
            if (needed[i] && input >= 0)
                needed[input] = true;
        }
    return needed;
}

/* Nodes in reverse, so that what lies in front of a node is always up to date. */
static int check_all(bed *b)
{
    eex_rng rng;
    int checked = 0;
    bool *needed = needed_nodes(b);
    eex_rng_seed(&rng, 1, 2);
    for (int i = eex_graph_nodes(b->net.graph) - 1; i >= 0; i--) {
        const eex_node *node = eex_graph_node(b->net.graph, i);
        bool fixed = b->options.mode == EEX_PLAN_TRAIN_GATES && node->exit == EEX_TRUNK;
        for (int j = 0; j < node->params && !fixed && needed[i]; j++) {
            if (!eex_graph_param(b->net.graph, node->first_param + j)->trainable)
                continue;
            check_param(b, node->first_param + j, i, &rng);
            checked++;
        }
    }
    free(needed);
    return checked;
}

static int check_net(net_builder build, const float *weight, void (*adjust)(eex_plan_options *))
{
    bed b = open_bed(build, weight, adjust);
    hold_teacher(&b);
    int checked = check_all(&b);
    close_bed(&b);
    return checked;
}

static int check(const float *weight, void (*adjust)(eex_plan_options *))
{
    return check_net(net_tiny, weight, adjust);
}

static int trainable_of(net_builder build, bool (*counts)(const eex_node *))
{
    net n = net_open(build, 1, 1);
    int sum = 0;
    for (int i = 0; i < eex_graph_nodes(n.graph); i++) {
        const eex_node *node = eex_graph_node(n.graph, i);
        for (int j = 0; j < node->params && counts(node); j++)
            sum += eex_graph_param(n.graph, node->first_param + j)->trainable;
    }
    net_close(&n);
    return sum;
}

static int trainable(bool (*counts)(const eex_node *))
{
    return trainable_of(net_tiny, counts);
}

static bool any(const eex_node *node)
{
    return true;
}

static bool of_trunk(const eex_node *node)
{
    return node->exit == EEX_TRUNK;
}

static bool of_gate(const eex_node *node)
{
    return node->exit != EEX_TRUNK;
}

static void freeze(eex_plan_options *o)
{
    o->mode = EEX_PLAN_TRAIN_GATES;
}

static void teach(eex_plan_options *o)
{
    o->distill = 0.7f;
    o->distill_t = 3;
}

static void smooth(eex_plan_options *o)
{
    o->smoothing = 0.1f;
    o->l1 = 0.05f;
}

Test(plan_gradient, joint)
{
    cr_expect_eq(check((float[]){0.3f, 0.7f, 1}, NULL), trainable(any));
}

Test(plan_gradient, smoothed)
{
    cr_expect_eq(check((float[]){0.3f, 0.7f, 1}, smooth), trainable(any));
}

Test(plan_gradient, main_pass_of_interleaved)
{
    cr_expect_eq(check((float[]){0, 0, 1}, NULL), trainable(of_trunk));
}

Test(plan_gradient, sub_model_of_interleaved)
{
    /* The trunk up to the second block and its gate, but not the gate behind the first. */
    int checked = check((float[]){0, 1, 0}, NULL);
    cr_expect(checked > trainable(of_gate) / 2 && checked < trainable(any));
}

Test(plan_gradient, frozen)
{
    cr_expect_eq(check((float[]){1, 0.5f, 0}, freeze), trainable(of_gate));
}

Test(plan_gradient, distilled)
{
    cr_expect_eq(check((float[]){1, 0.5f, 1}, teach), trainable(any));
}

static void freeze_and_teach(eex_plan_options *o)
{
    freeze(o);
    teach(o);
}

Test(plan_gradient, frozen_trunk_teaches)
{
    cr_expect_eq(check((float[]){1, 0.5f, 0}, freeze_and_teach), trainable(of_gate));
}

/* Acts that do not fuse, squeeze and excitation, concatenation, a value scaled by itself. */
Test(plan_gradient, squeezed)
{
    cr_expect_eq(check_net(net_squeezed, (float[]){0.3f, 0.7f, 1}, NULL),
                 trainable_of(net_squeezed, any));
}

Test(plan_gradient, squeezed_and_frozen)
{
    cr_expect_eq(check_net(net_squeezed, (float[]){1, 0.5f, 0}, freeze),
                 trainable_of(net_squeezed, of_gate));
}

/* A bottleneck at the last early exit. */
Test(plan_gradient, bottled)
{
    cr_expect_eq(check_net(net_bottled, (float[]){0.3f, 0.7f, 1}, NULL),
                 trainable_of(net_bottled, any));
}

/* Gates with residual blocks, biases, strides, max pools and linear layers on all pixels. */
Test(plan_gradient, gates_of_all_pixels)
{
    const net_builder builders[] = {net_pooled, net_strided};
    for (int i = 0; i < 2; i++) {
        cr_expect_eq(check_net(builders[i], (float[]){0.3f, 0.7f, 1}, NULL),
                     trainable_of(builders[i], any));
        cr_expect_eq(check_net(builders[i], (float[]){1, 0.5f, 0}, freeze),
                     trainable_of(builders[i], of_gate));
    }
}
