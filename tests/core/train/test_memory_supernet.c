/* Every allocation of a supernet's training fails once, those of networks that come and go among
 * them. */
#include "core/train/supernet.h"
#include "support/devices.h"
#include "support/memory.h"
#include "support/supernet.h"

#include "base/status.h"

#include <criterion/criterion.h>

enum { BATCH = 2, CLASSES = 4 };

static eex_device *device;
static eex_graph *graph;
static eex_params *params;
static const uint8_t images[BATCH * 8 * 8 * 3];
static const int32_t labels[BATCH];
static const uint32_t samples[BATCH];

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

/* Once there are as many networks as are kept, one comes and one goes. */
static int train(eex_supernet *supernet, int steps)
{
    size_t kept = 0;
    const eex_batch batch = {
        .count = BATCH, .images = images, .labels = labels, .samples = samples};
    int code = EEX_OK;
    for (int i = 0; i < steps && code == EEX_OK; i++) {
        const eex_step step = {.batch = BATCH, .lr = 0.01F, .seed = 1, .step = (uint64_t)i + 1};
        code = eex_supernet_step(supernet, &batch, &step);
        kept = i == 10 ? device->held : kept;
    }
    cr_expect(!kept || device->held < kept + kept / 4, "%zu, and then %zu bytes", kept,
              device->held);
    return code;
}

static int with_supernet(int random, int steps)
{
    eex_recipe recipe = eex_recipe_default();
    eex_plan_options options = {.mode = EEX_PLAN_TRAIN,
                                .batch = BATCH,
                                .augment = {.std = {1, 1, 1}},
                                .weight = {1, 1},
                                .keep_logits = true,
                                .gradient_only = true,
                                .optimizer = recipe.optimizer};
    eex_plan *plan = NULL;
    eex_supernet *supernet = NULL;
    recipe.random = random;
    int code = eex_optimizer_state_new(&options.state, params, &options.optimizer);
    if (code == EEX_OK)
        code = eex_plan_new(&plan, &options, graph, params);
    if (code == EEX_OK)
        code = eex_supernet_new(&supernet, &recipe, plan, &options);
    if (code == EEX_OK)
        code = train(supernet, steps);
    if (code == EEX_ENOMEM && supernet) /* whatever is left of it goes on */
        cr_expect_eq(train(supernet, steps), EEX_OK, "%s", eex_error());
    eex_supernet_free(supernet);
    eex_plan_free(plan);
    eex_optimizer_state_free(options.state);
    return code;
}

static void setup(void)
{
    device = open_device(1);
    OK(eex_test_supernet(&graph, CLASSES));
    OK(eex_params_new(&params, device, graph, 1));
}

static void teardown(void)
{
    eex_params_free(params);
    eex_graph_free(graph);
    eex_device_close(device);
}

TestSuite(memory_supernet, .init = setup, .fini = teardown, .timeout = 300);

static int one_step(void)
{
    return with_supernet(1, 1);
}

Test(memory_supernet, steps)
{
    cr_expect_gt(test_fail_each_allocation(one_step), 100);
}

/* However many networks have come and gone, what is held is that of the last few. */
Test(memory_supernet, networks_that_go_leave_nothing)
{
    cr_expect_eq(with_supernet(2, 60), EEX_OK); /* the device has its own by now */
    const size_t before = device->held;
    cr_expect_eq(with_supernet(2, 60), EEX_OK);
    cr_expect_eq(device->held, before);
}
