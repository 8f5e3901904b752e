/* Every allocation of an engine with a queue fails once; a queue that works allocates nothing. */
#include "core/engine/engine.h"
#include "core/train/familiar.h"
#include "support/backbones.h"
#include "support/devices.h"
#include "support/memory.h"

#include "base/status.h"

#include <criterion/criterion.h>

enum { BATCH = 3, CLASSES = 4, QUEUE = 8, IMAGE = 8 * 8 * 3 };

static eex_device *device;
static eex_graph *graph;
static eex_params *params;
static uint8_t images[QUEUE][IMAGE];

static const eex_inference how = {.batch = BATCH, .normalise = {.std = {1, 1, 1}}};

static void setup(void)
{
    device = open_device(1);
    cr_assert_eq(eex_test_tiny_gated(&graph, CLASSES), EEX_OK);
    cr_assert_eq(eex_params_new(&params, device, graph, 1), EEX_OK);
    for (size_t i = 0; i < sizeof images; i++)
        images[i / IMAGE][i % IMAGE] = (uint8_t)(i * 37);
}

static void teardown(void)
{
    eex_params_free(params);
    eex_graph_free(graph);
    eex_device_close(device);
}

TestSuite(memory_queue, .init = setup, .fini = teardown);

static int pass(eex_engine *engine, int images_each)
{
    eex_engine_result results[QUEUE];
    int count;
    for (int i = 0; i < images_each; i++)
        EEX_TRY(eex_engine_submit(engine, (uint64_t)i, images[i]));
    EEX_TRY(eex_engine_wait(engine, -1));
    EEX_TRY(eex_engine_poll(engine, results, QUEUE, 0, &count));
    return count == images_each ? EEX_OK : eex_fail(EEX_EIO, "%d results", count);
}

static int use(void)
{
    eex_engine *engine = NULL;
    int code = eex_engine_new(&engine, graph, params, NULL, &how);
    if (code == EEX_OK)
        code = eex_engine_queue(engine, &(eex_engine_options){.queue = QUEUE});
    if (code == EEX_OK)
        code = pass(engine, QUEUE);
    eex_engine_close(engine);
    return code;
}

Test(memory_queue, every_failure_is_reported)
{
    cr_assert_gt(test_fail_each_allocation(use), 60);
}

Test(memory_queue, nothing_is_allocated_while_it_works)
{
    const eex_familiar familiar = {.exits = eex_graph_exits(graph)};
    eex_inference measured = how;
    eex_engine *engine;
    eex_policy *policy;
    measured.familiar = &familiar;
    cr_assert_eq(eex_policy_new(&policy, EEX_POLICY_CONFIDENCE, eex_graph_exits(graph), CLASSES),
                 EEX_OK);
    policy->a[0] = 0.3;
    policy->far[0] = 1;
    eex_policy_apply(policy);
    cr_assert_eq(eex_engine_new(&engine, graph, params, policy, &measured), EEX_OK);
    cr_assert_eq(eex_engine_queue(engine, &(eex_engine_options){.queue = QUEUE}), EEX_OK);
    cr_assert_eq(pass(engine, 1), EEX_OK);
    const long before = test_allocations();
    cr_assert_gt(before, 0);
    for (int round = 0; round < 500; round++)
        cr_assert_eq(pass(engine, 1 + round % QUEUE), EEX_OK, "%s", eex_error());
    for (int refused = 0; refused < 100; refused++)
        eex_engine_submit(engine, 0, images[0]); /* also when it is full */
    cr_expect_eq(test_allocations(), before);
    eex_engine_close(engine);
    eex_policy_free(policy);
}
