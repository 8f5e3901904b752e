/* What is timed has happened: the emulated device does its work when somebody waits for it. */
#include "core/engine/engine.h"
#include "core/engine/walk.h"
#include "core/plan/plan.h"
#include "cuda/fake_cuda.h"
#include "support/devices.h"
#include "support/net.h"

#include <stdlib.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { LEGS = 16 };

static eex_inference inference(void)
{
    eex_inference how = {.batch = 4};
    for (int c = 0; c < 3; c++)
        how.normalise.std[c] = 1;
    return how;
}

/* ---- legs ---- */

typedef struct watcher {
    eex_guest guest;
    int legs;
    size_t pending[LEGS];
} watcher;

static void look(eex_guest *guest, const eex_leg *leg)
{
    watcher *w = (watcher *)guest;
    cr_assert_lt(w->legs, LEGS);
    (void)leg;
    w->pending[w->legs++] = eex_fake_cuda_pending();
}

/* A leg that only tells the device what to do would charge its time to the next one. */
Test(timing, a_leg_ends_when_the_device_has_done_it)
{
    net n = net_open(net_tiny, 4, 1);
    const eex_inference how = inference();
    eex_engine *engine;
    eex_result results[4];
    OK(eex_engine_new(&engine, n.graph, n.params, NULL, &how));
    for (int round = 0; round < 3; round++) { /* plain, recorded, replayed */
        watcher w = {.guest.leg = look};
        eex_walk walk = eex_engine_walk(engine);
        OK(eex_walk_invite(&walk, &w.guest));
        OK(eex_walk_run(&walk, results, n.images, 4));
        cr_assert_gt(w.legs, 4);
        for (int i = 0; i < w.legs; i++)
            cr_expect_eq(w.pending[i], 0, "round %d, leg %d: %zu are still to come", round, i,
                         w.pending[i]);
    }
    eex_engine_close(engine);
    net_close(&n);
}

/* ---- ops ---- */

/* Every op is timed in one recording of them all, by the device's clock. */
Test(timing, ops_are_timed_in_a_recording)
{
    enum { ROUNDS = 5, WARM_UP = 3 };
    net n = net_open(net_tiny, 4, 1);
    eex_plan_options options = net_inference(4);
    eex_plan *plan;
    OK(eex_plan_new(&plan, &options, n.graph, n.params));
    net_feed(&n, plan, 0, 4);
    double *ms = calloc((size_t)eex_plan_ops(plan), sizeof *ms);
    const long before = eex_fake_cuda_count().graphs;
    OK(eex_plan_time(plan, ms, ROUNDS, 4));
    cr_expect_eq(eex_fake_cuda_count().graphs - before, ROUNDS + WARM_UP);
    for (int i = 0; i < eex_plan_ops(plan); i++)
        cr_expect(ms[i] > 0 && ms[i] < 1e4, "op %d: %g ms", i, ms[i]);
    free(ms);
    eex_plan_free(plan);
    net_close(&n);
}

/* Where nothing can be recorded they are timed between launches. */
Test(timing, ops_are_timed_without_a_graph_too)
{
    net n = net_open(net_tiny, 4, 1);
    eex_plan_options options = net_inference(4);
    eex_plan *plan;
    OK(eex_plan_new(&plan, &options, n.graph, n.params));
    net_feed(&n, plan, 0, 4);
    double *ms = calloc((size_t)eex_plan_ops(plan), sizeof *ms);
    eex_fake_cuda_fail("cudaGraphInstantiateWithFlags", 1, cudaErrorMemoryAllocation);
    OK(eex_plan_time(plan, ms, 2, 4));
    for (int i = 0; i < eex_plan_ops(plan); i++)
        cr_expect(ms[i] > 0 && ms[i] < 1e4, "op %d: %g ms", i, ms[i]);
    free(ms);
    eex_plan_free(plan);
    net_close(&n);
}

/* ---- single images ---- */

static long waits(eex_engine *engine, const uint8_t *image)
{
    eex_result result;
    const long before = eex_fake_cuda_count().waits;
    OK(eex_engine_run(engine, &result, image, 1));
    return eex_fake_cuda_count().waits - before;
}

/* A network without exits waits as often for an image as one with them: once, for its result. */
Test(timing, one_image_waits_once_with_exits_and_without)
{
    net n = net_open(net_tiny, 4, 1);
    const int exits = eex_graph_exits(n.graph);
    const eex_inference how = inference();
    eex_policy *policy;
    eex_engine *engine;
    OK(eex_policy_new(&policy, EEX_POLICY_CONFIDENCE, exits, NET_CLASSES));
    for (int k = 0; k + 1 < exits; k++)
        policy->a[k] = 2; /* nobody is that sure: the image goes to the end */
    eex_policy_apply(policy);
    for (int with = 0; with < 2; with++) {
        OK(eex_engine_new(&engine, n.graph, n.params, with ? policy : NULL, &how));
        waits(engine, n.images);    /* what opening has left to do */
        for (int i = 0; i < 4; i++) /* recorded, replayed */
            cr_expect_eq(waits(engine, n.images), 1, "%s exits, image %d",
                         with ? "with" : "without", i);
        eex_engine_close(engine);
    }
    eex_policy_free(policy);
    net_close(&n);
}

/* A batch that goes to the end is counted at the exits in front of it alone. */
Test(timing, nobody_is_counted_at_the_end)
{
    net n = net_open(net_tiny, 4, 1);
    const eex_inference how = inference();
    eex_engine *engine;
    eex_result results[4];
    OK(eex_engine_new(&engine, n.graph, n.params, NULL, &how));
    OK(eex_engine_run(engine, results, n.images, 4));
    const long before = eex_fake_cuda_count().waits;
    OK(eex_engine_run(engine, results, n.images, 4));
    cr_expect_eq(eex_fake_cuda_count().waits - before, 1);
    eex_engine_close(engine);
    net_close(&n);
}

/* ---- a chain that cannot be recorded ---- */

static bool same(const eex_result *a, const eex_result *b)
{
    return a->top == b->top && a->exit == b->exit && a->confidence == b->confidence;
}

/* Then the image goes exit by exit, and no segment runs behind the one that lets it leave. */
Test(timing, without_a_chain_it_is_exit_by_exit)
{
    net n = net_open(net_tiny, 4, 1);
    const int exits = eex_graph_exits(n.graph);
    const eex_inference how = inference();
    eex_policy *policy;
    eex_engine *engine;
    eex_result first, later;
    OK(eex_policy_new(&policy, EEX_POLICY_CONFIDENCE, exits, NET_CLASSES));
    for (int k = 0; k + 1 < exits; k++)
        policy->a[k] = -1; /* everybody leaves at the first */
    eex_policy_apply(policy);
    OK(eex_engine_new(&engine, n.graph, n.params, policy, &how));
    long before = eex_fake_cuda_count().kernels;
    OK(eex_engine_run(engine, &first, n.images, 1)); /* the first time all segments run */
    const long all = eex_fake_cuda_count().kernels - before;
    cr_expect_eq(first.exit, 0);
    eex_fake_cuda_fail("cudaGraphConditionalHandleCreate", 1, cudaErrorMemoryAllocation);
    for (int i = 0; i < 4; i++) {
        before = eex_fake_cuda_count().kernels;
        OK(eex_engine_run(engine, &later, n.images, 1));
        cr_expect(same(&later, &first), "image %d", i);
        cr_expect_lt(eex_fake_cuda_count().kernels - before, all, "image %d runs them all", i);
    }
    eex_engine_close(engine);
    eex_policy_free(policy);
    net_close(&n);
}
