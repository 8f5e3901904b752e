/* What is timed has happened: the emulated device does its work when somebody waits for it. */
#include "core/engine/engine.h"
#include "core/engine/walk.h"
#include "core/plan/plan.h"
#include "cuda/fake_cuda.h"
#include "cuda/ones.h"
#include "cuda/timing.h"
#include "support/capture.h"
#include "support/devices.h"
#include "support/net.h"

#include <stdlib.h>

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

/* An op that is run alone is waited for, and what came before it, such as the images, is not its.
 */
Test(timing, an_op_alone_ends_when_the_device_has_done_it)
{
    net n = net_open(net_tiny, 4, 1);
    eex_plan_options options = net_inference(4);
    eex_plan *plan;
    OK(eex_plan_new(&plan, &options, n.graph, n.params));
    eex_span *spans = calloc((size_t)eex_plan_ops(plan), sizeof *spans);
    OK(n.dev->vtable->sync(n.dev));
    net_feed(&n, plan, 0, 4);
    cr_assert_gt(eex_fake_cuda_pending(), 0);
    const long before = eex_fake_cuda_count().waits;
    OK(eex_plan_spans(plan, spans, 0, 4));
    int ops = 0;
    while (ops < eex_plan_ops(plan) && spans[ops].end > 0)
        ops++;
    cr_expect_gt(ops, 1);
    cr_expect_eq(eex_fake_cuda_count().waits - before, 1 + ops);
    cr_expect_eq(eex_fake_cuda_pending(), 0);
    free(spans);
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

/* ---- one piece of work ---- */

static int nothing(eex_cuda *cuda, void *context)
{
    (void)cuda;
    ++*(int *)context;
    return EEX_OK;
}

/* Ten times in a recording, the least of three replays behind one that is not counted. */
Test(timing, work_takes_a_tenth_of_the_least_replay)
{
    static const float ms[] = {1, 9, 5, 7};
    float microseconds = 0;
    bool recorded;
    int times = 0;
    eex_device *dev = open_device(1);
    eex_fake_cuda_elapsed(ms, 4);
    OK(eex__cuda_time_work((eex_cuda *)dev, nothing, &times, &microseconds, &recorded));
    cr_expect(recorded);
    cr_expect_eq(times, 1 + 10);
    cr_expect_float_eq(microseconds, 500, 1e-3F);
    eex_device_close(dev);
}

/* ---- single images ---- */

static long waits(eex_engine *engine, const uint8_t *image)
{
    eex_result result;
    const long before = eex_fake_cuda_count().waits;
    OK(eex_engine_run(engine, &result, image, 1));
    return eex_fake_cuda_count().waits - before;
}

/* A network without exits waits as often for an image as one with them: once, for its result; and
 * is launched as often, as one graph. */
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
        const long before = eex_fake_cuda_count().graphs;
        waits(engine, n.images);
        cr_expect_eq(eex_fake_cuda_count().graphs - before, 1, "%s exits",
                     with ? "with" : "without");
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

/* The kernels of an image when it has been recorded whatever can be. */
static long kernels(eex_engine *engine, eex_result *result, const uint8_t *image)
{
    for (int i = 0; i < 3; i++)
        OK(eex_engine_run(engine, result, image, 1));
    const long before = eex_fake_cuda_count().kernels;
    OK(eex_engine_run(engine, result, image, 1));
    return eex_fake_cuda_count().kernels - before;
}

static eex_policy *everybody_leaves_at_the_first(int exits)
{
    eex_policy *policy;
    OK(eex_policy_new(&policy, EEX_POLICY_CONFIDENCE, exits, NET_CLASSES));
    for (int k = 0; k + 1 < exits; k++)
        policy->a[k] = -1;
    eex_policy_apply(policy);
    return policy;
}

/* Then every image goes exit by exit, as on a device without chains, and no segment runs behind the
 * one that lets it leave; that is said once. */
Test(timing, without_a_chain_it_is_exit_by_exit)
{
    static const char create[] = "cudaGraphConditionalHandleCreate";
    net n = net_open(net_tiny, 4, 1);
    const eex_inference how = inference();
    eex_policy *policy = everybody_leaves_at_the_first(eex_graph_exits(n.graph));
    eex_engine *engine;
    eex_result wanted, first, later;
    test_capture capture;
    n.dev->chains = false;
    OK(eex_engine_new(&engine, n.graph, n.params, policy, &how));
    const long by_exits = kernels(engine, &wanted, n.images);
    eex_engine_close(engine);
    cr_expect_eq(wanted.exit, 0);
    n.dev->chains = true;
    test_capture_file(&capture);
    OK(eex_engine_new(&engine, n.graph, n.params, policy, &how));
    OK(eex_engine_run(engine, &first, n.images, 1)); /* all segments, for the driver to load them */
    cr_expect(same(&first, &wanted));
    for (int i = 0; i < 4; i++) {
        eex_fake_cuda_fail(create, 1, cudaErrorMemoryAllocation);
        const long before = eex_fake_cuda_count().kernels;
        OK(eex_engine_run(engine, &later, n.images, 1));
        cr_expect(same(&later, &wanted), "image %d", i);
        cr_expect_eq(eex_fake_cuda_count().kernels - before, by_exits, "image %d", i);
        cr_expect_eq(eex_fake_cuda_failed(create), i == 0, "image %d: it is tried again", i);
    }
    char *said = test_capture_end(&capture);
    cr_expect_eq(ones_said(said, "going on without this graph"), 1, "%s", said);
    free(said);
    eex_engine_close(engine);
    eex_policy_free(policy);
    net_close(&n);
}
