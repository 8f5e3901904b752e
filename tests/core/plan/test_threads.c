/* Training steps give the same parameters, bit for bit, however many threads a device has. */
#include "core/plan/plan.h"
#include "support/devices.h"
#include "support/net.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { COUNT = 24, STEPS = 2 };

static const float ones[] = {1, 1, 1};

static void train(net *n)
{
    eex_plan_options options = net_training(COUNT, ones, eex_graph_exits(n->graph));
    options.optimizer.momentum = 0.9f;
    options.optimizer.clip = 1;
    options.augment.enabled = options.augment.flip = true;
    options.augment.crop_pad = 4;
    eex_plan *plan;
    OK(eex_optimizer_state_new(&options.state, n->params, &options.optimizer));
    OK(eex_plan_new(&plan, &options, n->graph, n->params));
    for (uint64_t i = 1; i <= STEPS; i++) {
        net_feed(n, plan, 0, COUNT);
        OK(eex_plan_step(plan, &(eex_step){.batch = COUNT, .seed = 9, .step = i, .lr = 0.1f}));
    }
    eex_plan_free(plan);
    eex_optimizer_state_free(options.state);
}

static void expect_same(const net *one, const net *n, int threads)
{
    for (int i = 0; i < eex_graph_params(one->graph); i++) {
        const eex_param *param = eex_graph_param(one->graph, i);
        const size_t bytes = eex_param_count(param) * sizeof(float);
        float *a = malloc(bytes), *b = malloc(bytes);
        cr_assert(a && b);
        OK(eex_params_get(one->params, i, a));
        OK(eex_params_get(n->params, i, b));
        cr_expect(memcmp(a, b, bytes) == 0, "\"%s\" differs on %d threads", param->name, threads);
        free(a);
        free(b);
    }
}

static void check(net_builder build)
{
    static const int counts[] = {2, 3, 5};
    net one = net_open(build, COUNT, 1);
    train(&one);
    for (int i = 0; i < 3; i++) {
        net n = net_open(build, COUNT, counts[i]);
        train(&n);
        expect_same(&one, &n, counts[i]);
        net_close(&n);
    }
    net_close(&one);
}

Test(threads, a_step_of_mobilenetv2_does_not_depend_on_their_number)
{
    check(net_mobilenetv2);
}

Test(threads, a_step_of_resnet50_does_not_depend_on_their_number)
{
    check(net_resnet50);
}
