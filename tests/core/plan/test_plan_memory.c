/* The arena of a plan: buffers that are needed at the same time never share memory. */
#include "core/plan/builder_impl.h"
#include "support/net.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { COUNT = 4 };

/* First and last op that uses a buffer, from the pointers of the ops alone. */
typedef struct life {
    int first, last;
} life;

static life *lives_of(const eex_builder *b)
{
    const eex_plan *p = b->plan;
    life *lives = calloc((size_t)p->buffer_count, sizeof *lives);
    cr_assert_not_null(lives);
    for (int i = 0; i < p->buffer_count; i++)
        lives[i] = p->buffers[i].pinned ? (life){0, p->op_count} : (life){p->op_count, -1};
    for (int i = 0; i < b->relocation_count; i++) {
        const eex_relocation *r = &b->relocations[i];
        life *l = &lives[r->buffer];
        l->first = r->op < l->first ? r->op : l->first;
        l->last = r->op > l->last ? r->op : l->last;
    }
    return lives;
}

static void check_pair(const eex_plan *p, const life *lives, int i, int j)
{
    const eex_slot *a = &p->buffers[i], *b = &p->buffers[j];
    bool together = a->pinned == b->pinned && lives[i].first <= lives[j].last &&
                    lives[j].first <= lives[i].last;
    bool overlap = a->offset < b->offset + b->bytes && b->offset < a->offset + a->bytes;
    cr_expect(!together || !overlap, "buffers %d and %d, of ops %d to %d and %d to %d, overlap", i,
              j, lives[i].first, lives[i].last, lives[j].first, lives[j].last);
}

static void check_layout(const eex_builder *builder)
{
    const eex_plan *p = builder->plan;
    life *lives = lives_of(builder);
    size_t sum = 0;
    for (int i = 0; i < p->buffer_count; i++) {
        const eex_slot *b = &p->buffers[i];
        if (lives[i].last < 0)
            continue;
        sum += b->pinned ? 0 : b->bytes;
        cr_expect_eq(b->offset % 64, 0);
        cr_expect_geq(b->bytes, b->row_bytes * (size_t)p->options.batch);
        cr_expect_leq(b->offset + b->bytes, b->pinned ? p->kept_bytes : p->arena_bytes);
        for (int j = 0; j < i; j++)
            if (lives[j].last >= 0)
                check_pair(p, lives, i, j);
    }
    cr_expect_lt(p->arena_bytes, sum, "nothing is shared");
    free(lives);
}

typedef void with_options(const net *n, const eex_plan_options *options);

static void layout(const net *n, const eex_plan_options *options)
{
    eex_builder *builder;
    OK(eex__builder_new(&builder, options, n->graph, n->params, eex__binding_for(options)));
    OK(eex__builder_lower(builder));
    check_layout(builder);
    eex__builder_free(builder);
}

static void check_inference(net_builder build)
{
    net n = net_open(build, 1, 1);
    eex_plan_options options = net_inference(COUNT);
    layout(&n, &options);
    net_close(&n);
}

static void with_training(net_builder build, const float *weight,
                          void (*adjust)(eex_plan_options *), with_options *check)
{
    net n = net_open(build, COUNT, 1);
    eex_plan_options options = net_training(COUNT, weight, eex_graph_exits(n.graph));
    if (adjust)
        adjust(&options);
    OK(eex_optimizer_state_new(&options.state, n.params, &options.optimizer));
    check(&n, &options);
    eex_optimizer_state_free(options.state);
    net_close(&n);
}

static const float all[] = {1, 1, 1}, first[] = {1, 0, 0}, gates[] = {1, 1, 0};

static void freeze(eex_plan_options *o)
{
    o->mode = EEX_PLAN_TRAIN_GATES;
}

static void teach(eex_plan_options *o)
{
    o->distill = 1;
    o->distill_t = 4;
}

static void cache(eex_plan_options *o)
{
    o->mode = EEX_PLAN_TRAIN_GATES_ON_FEATURES;
}

Test(plan_memory, buffers_that_live_together_lie_apart)
{
    check_inference(net_tiny);
    check_inference(net_squeezed);
    check_inference(net_mobilenetv2);
    check_inference(net_resnet50);
    with_training(net_tiny, all, NULL, layout);
    with_training(net_squeezed, all, NULL, layout);
    with_training(net_tiny, first, NULL, layout);
    with_training(net_tiny, gates, freeze, layout);
    with_training(net_tiny, gates, cache, layout);
    with_training(net_tiny, all, teach, layout);
    with_training(net_mobilenetv2, all, NULL, layout);
    with_training(net_resnet50, all, NULL, layout);
}

/* A step must not read what an op before it in the same step has not written: with NaN wherever
 * nothing is promised to stay, it comes out the same. */
static void poison(eex_plan *p)
{
    memset(p->arena, 0xff, p->arena_bytes);
}

static void one_step(const net *n, eex_plan *plan)
{
    eex_step step = {.batch = COUNT, .seed = 9, .step = 1}; /* rate 0: weights stay */
    OK(eex_plan_totals_reset(plan));
    net_feed(n, plan, 0, COUNT);
    OK(eex_plan_step(plan, &step));
}

static void steps_start_afresh(const net *n, const eex_plan_options *options)
{
    size_t bytes = n->params->count * sizeof(float);
    float *g = options->state->g, *before = malloc(bytes);
    eex_totals totals[2];
    eex_plan *plan;
    cr_assert_not_null(before);
    OK(eex_plan_new(&plan, options, n->graph, n->params));
    one_step(n, plan);
    memcpy(before, g, bytes);
    OK(eex_plan_totals(plan, 0, &totals[0]));
    poison(plan);
    one_step(n, plan);
    OK(eex_plan_totals(plan, 0, &totals[1]));
    cr_expect_arr_eq(g, before, bytes);
    cr_expect_arr_eq(&totals[0], &totals[1], sizeof totals[0]);
    cr_expect(isfinite(totals[0].loss));
    eex_plan_free(plan);
    free(before);
}

Test(plan_memory, a_step_reads_nothing_that_an_earlier_one_left)
{
    with_training(net_tiny, all, NULL, steps_start_afresh);
    with_training(net_squeezed, all, NULL, steps_start_afresh);
    with_training(net_tiny, first, NULL, steps_start_afresh);
    with_training(net_tiny, gates, freeze, steps_start_afresh);
    with_training(net_tiny, all, teach, steps_start_afresh);
    with_training(net_mobilenetv2, all, NULL, steps_start_afresh);
}

Test(plan_memory, inference_reads_nothing_that_an_earlier_batch_left)
{
    net n = net_open(net_mobilenetv2, COUNT, 1);
    eex_plan_options options = net_inference(COUNT);
    eex_plan *plan;
    float *logits[2];
    OK(eex_plan_new(&plan, &options, n.graph, n.params));
    for (int i = 0; i < 2; i++) {
        poison(plan);
        net_feed(&n, plan, 0, COUNT);
        OK(eex_plan_segments(plan, 0, eex_graph_exits(n.graph) - 1, COUNT));
        logits[i] = net_logits(plan, eex_graph_exits(n.graph) - 1, COUNT);
        cr_expect(isfinite(logits[i][0]));
    }
    cr_expect_arr_eq(logits[0], logits[1], COUNT * NET_CLASSES * sizeof(float));
    free(logits[0]);
    free(logits[1]);
    eex_plan_free(plan);
    net_close(&n);
}
