/* Plans that share an arena train as plans with memory of their own do. */
#include "core/plan/plan_impl.h"
#include "support/devices.h"
#include "support/net.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { COUNT = 4, PASSES = 3, STEPS = 3 };

/* Algorithm 1: the backbone, then each sub-model. */
typedef struct passes {
    net net;
    eex_plan_options options[PASSES];
    eex_plan *plans[PASSES];
} passes;

static passes make_passes(bool shared)
{
    static const float weight[PASSES][3] = {{0, 0, 1}, {0.5f, 0, 0}, {0, 0.5f, 0}};
    passes p = {.net = net_open(net_tiny, COUNT, 2)};
    eex_optimizer_state *state = NULL;
    for (int i = 0; i < PASSES; i++) {
        p.options[i] = net_training(COUNT, weight[i], 3);
        if (!state)
            OK(eex_optimizer_state_new(&state, p.net.params, &p.options[i].optimizer));
        p.options[i].state = state;
    }
    if (shared)
        OK(eex_plans_new(p.plans, p.options, PASSES, p.net.graph, p.net.params));
    for (int i = 0; i < PASSES && !shared; i++)
        OK(eex_plan_new(&p.plans[i], &p.options[i], p.net.graph, p.net.params));
    return p;
}

static void free_passes(passes *p)
{
    for (int i = 0; i < PASSES; i++)
        eex_plan_free(p->plans[i]);
    eex_optimizer_state_free(p->options[0].state);
    net_close(&p->net);
}

static void train(passes *p, uint64_t step)
{
    for (int i = 0; i < PASSES; i++) {
        eex_step at = {.batch = COUNT, .lr = 0.05f, .seed = 9, .step = step};
        net_feed(&p->net, p->plans[i], 0, COUNT);
        OK(eex_plan_step(p->plans[i], &at));
    }
}

static void compare(const passes *got, const passes *want)
{
    static const int exit_of[PASSES] = {2, 0, 1};
    const eex_params *a = got->net.params, *b = want->net.params;
    float *x = fetch_floats(a->device, a->w, a->count),
          *y = fetch_floats(b->device, b->w, b->count);
    expect_repeated("weights", x, y, a->count);
    free(x);
    free(y);
    for (int i = 0; i < PASSES; i++) { /* of all steps: they stay when other plans run */
        eex_totals t[2];
        OK(eex_plan_totals(got->plans[i], exit_of[i], &t[0]));
        OK(eex_plan_totals(want->plans[i], exit_of[i], &t[1]));
        cr_expect_eq(t[0].correct, t[1].correct);
        cr_expect_float_eq(t[0].loss, t[1].loss, 1e-4 * t[1].loss);
    }
}

Test(arena, passes_that_share_it_train_the_same)
{
    passes shared = make_passes(true), apart = make_passes(false);
    for (uint64_t step = 1; step <= STEPS; step++) {
        train(&shared, step);
        train(&apart, step);
    }
    compare(&shared, &apart);
    free_passes(&shared);
    free_passes(&apart);
}

Test(arena, is_as_large_as_the_largest_plan_and_lives_with_the_last)
{
    passes p = make_passes(true);
    size_t largest = 0;
    for (int i = 0; i < PASSES; i++) {
        largest = p.plans[i]->arena_bytes > largest ? p.plans[i]->arena_bytes : largest;
        cr_expect_eq(p.plans[i]->arena, p.plans[0]->arena);
        cr_expect_leq(p.plans[i]->arena_bytes, eex_plan_bytes(p.plans[i]));
    }
    cr_expect_eq(p.plans[0]->shared->bytes, largest);
    cr_expect_eq(p.plans[0]->shared->holders, PASSES);
    for (int i = 0; i < PASSES - 1; i++) {
        eex_plan_free(p.plans[i]);
        p.plans[i] = NULL;
    }
    eex_step step = {.batch = COUNT, .lr = 0.05f, .seed = 9, .step = 1};
    net_feed(&p.net, p.plans[PASSES - 1], 0, COUNT);
    OK(eex_plan_step(p.plans[PASSES - 1], &step));
    free_passes(&p);
}

Test(arena, plans_stand_all_or_none)
{
    passes p = make_passes(true);
    eex_plan *plans[PASSES];
    p.options[PASSES - 1].batch = 0;
    cr_expect_eq(eex_plans_new(plans, p.options, PASSES, p.net.graph, p.net.params), EEX_EINVAL);
    for (int i = 0; i < PASSES; i++)
        cr_expect_null(plans[i]);
    free_passes(&p);
}
