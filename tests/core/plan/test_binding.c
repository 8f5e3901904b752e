/* A binding that keeps parameters elsewhere: every value is copied into a buffer in front of the op
 * that reads it, every gradient and statistic back behind the op that wrote it. Nothing that is
 * trained may change by that. */
#include "core/plan/builder_impl.h"
#include "support/devices.h"
#include "support/net.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { COUNT = 6, STEPS = 3, MOST_PARAMS = 256 };

/* ---- the binding ---- */

typedef struct record {
    int buffer[MOST_PARAMS]; /* of the gradient, or of the statistic, that is written next */
    int gathered, scattered;
} record;

typedef struct staged {
    eex_binding base;
    record *record;
} staged;

static record *record_of(const eex_binding *self)
{
    return ((const staged *)self)->record;
}

static size_t padded(const eex_builder *b, int i)
{
    return (eex_param_count(eex_graph_param(b->graph, i)) + 15) / 16 * 16;
}

static int zero(eex_builder *b, const eex_place *at, size_t count)
{
    eex_op *op;
    EEX_TRY(eex__plan_op(b, &op, EEX_OP_ZERO, "stage"));
    op->u.fill.count = count;
    return eex__bind_point(b, &op->u.fill.to, at);
}

/* An average that keeps nothing of what was there is a copy; zero first, for that may be NaN. */
static int copy(eex_builder *b, const eex_place *to, const eex_place *from, size_t count)
{
    eex_op *op;
    EEX_TRY(zero(b, to, count));
    EEX_TRY(eex__plan_op(b, &op, EEX_OP_EMA, "stage"));
    op->u.optim.count = count;
    EEX_TRY(eex__bind_point(b, &op->u.optim.w, from));
    return eex__bind_point(b, &op->u.optim.ema, to);
}

static int begin(const eex_binding *self, eex_builder *b)
{
    return EEX_OK;
}

static int buffer_for(const eex_binding *self, eex_builder *b, eex_place *out, int i)
{
    *out = (eex_place){.buffer = -1};
    EEX_TRY(eex__plan_buffer(b, &out->buffer, 0, padded(b, i) * sizeof(float), false));
    record_of(self)->buffer[i] = out->buffer;
    return EEX_OK;
}

static int gather(const eex_binding *self, eex_builder *b, eex_place *out, int i)
{
    const eex_place home = {.buffer = -1, .at = eex_params_at(b->params, i)};
    EEX_TRY(buffer_for(self, b, out, i));
    record_of(self)->gathered++;
    return copy(b, out, &home, padded(b, i));
}

/* The padding behind a gradient is part of the norm: zero. */
static int make_grad(const eex_binding *self, eex_builder *b, eex_place *out, int i)
{
    EEX_TRY(buffer_for(self, b, out, i));
    return zero(b, out, padded(b, i));
}

static int scatter(const eex_binding *self, eex_builder *b, int i)
{
    const eex_place from = {.buffer = record_of(self)->buffer[i]};
    eex_place home = {.buffer = -1, .at = eex_params_at(b->params, i)};
    if (eex_graph_param(b->graph, i)->trainable)
        EEX_TRY(eex__binding_flat.grad(&eex__binding_flat, b, &home, i));
    record_of(self)->scattered++;
    return copy(b, &home, &from, padded(b, i));
}

static staged make_staged(record *of)
{
    return (staged){.base = {.begin = begin,
                             .value = gather,
                             .grad = make_grad,
                             .wrote = scatter,
                             .stretch = eex__binding_flat.stretch,
                             .fetch = eex__binding_flat.fetch},
                    .record = of};
}

/* ---- plans ---- */

static eex_plan *open_plan(const net *n, const eex_plan_options *options,
                           const eex_binding *binding)
{
    eex_builder *builder;
    eex_arena *arena;
    eex_plan *plan;
    OK(eex__builder_new(&builder, options, n->graph, n->params, binding));
    OK(eex__builder_lower(builder));
    OK(eex_arena_new(&arena, n->dev, builder->plan->arena_bytes));
    OK(eex__builder_finish(&plan, builder, arena));
    eex_arena_release(arena);
    eex__builder_free(builder);
    return plan;
}

/* All parameters after some steps, weights and then statistics; the caller frees. */
static float *trained(size_t *count, const eex_binding *binding, eex_plan_mode mode, float clip)
{
    static const float weight[] = {0.3f, 0.7f, 1};
    net n = net_open(net_tiny, COUNT, 2);
    eex_plan_options options = net_training(COUNT, weight, 3);
    options.mode = mode;
    options.optimizer.momentum = 0.9f;
    options.optimizer.clip = clip;
    if (mode == EEX_PLAN_TRAIN_GATES)
        options.weight[2] = 0;
    OK(eex_optimizer_state_new(&options.state, n.params, &options.optimizer));
    eex_plan *plan = open_plan(&n, &options, binding);
    for (uint64_t i = 1; i <= STEPS; i++) {
        eex_step step = {.batch = COUNT, .lr = 0.05f, .seed = 9, .step = i};
        net_feed(&n, plan, 0, COUNT);
        OK(eex_plan_step(plan, &step));
    }
    *count = n.params->count + n.params->state_count;
    float *all = malloc(*count * sizeof *all);
    cr_assert_not_null(all);
    OK(n.dev->vtable->download(n.dev, all, n.params->w, n.params->count * sizeof *all));
    OK(n.dev->vtable->download(n.dev, all + n.params->count, n.params->state,
                               n.params->state_count * sizeof *all));
    eex_plan_free(plan);
    eex_optimizer_state_free(options.state);
    net_close(&n);
    return all;
}

static void check_training(eex_plan_mode mode, float clip)
{
    record made = {0};
    staged binding = make_staged(&made);
    size_t count;
    float *want = trained(&count, &eex__binding_flat, mode, clip);
    float *got = trained(&count, &binding.base, mode, clip);
    cr_expect_gt(made.gathered, 40);
    cr_expect_gt(made.scattered, 10);
    expect_repeated("parameters", got, want, count);
    free(want);
    free(got);
}

Test(binding, training_through_copies_is_the_same)
{
    check_training(EEX_PLAN_TRAIN, 0);
    check_training(EEX_PLAN_TRAIN, 0.5f);
    check_training(EEX_PLAN_TRAIN_GATES, 0);
}

Test(binding, inference_through_copies_is_the_same)
{
    record made = {0};
    staged binding = make_staged(&made);
    net n = net_open(net_tiny, COUNT, 2);
    const eex_plan_options options = net_inference(COUNT);
    eex_plan *plans[] = {open_plan(&n, &options, &eex__binding_flat),
                         open_plan(&n, &options, &binding.base)};
    float *logits[2];
    for (int i = 0; i < 2; i++) {
        net_feed(&n, plans[i], 0, COUNT);
        OK(eex_plan_segments(plans[i], 0, 2, COUNT));
        logits[i] = net_logits(plans[i], 2, COUNT);
        eex_plan_free(plans[i]);
    }
    expect_repeated("logits", logits[1], logits[0], COUNT * NET_CLASSES);
    free(logits[0]);
    free(logits[1]);
    net_close(&n);
}
