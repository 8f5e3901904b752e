/* Every allocation of plans, optimisers and engines fails once. */
#include "core/engine/engine.h"
#include "core/model/predictor.h"
#include "core/train/familiar.h"
#include "support/backbones.h"
#include "support/devices.h"
#include "support/memory.h"

#include "base/status.h"

#include <criterion/criterion.h>

enum { BATCH = 2, CLASSES = 4 };

static eex_device *device;
static eex_graph *graph;
static eex_params *params;
static const uint8_t images[BATCH * 8 * 8 * 3];
static const int32_t labels[BATCH];
static const uint32_t samples[BATCH];

static const eex_augment normalise = {.std = {1, 1, 1}};

static int training(const eex_optimizer *optimizer)
{
    eex_plan_options options = {.mode = EEX_PLAN_TRAIN, .batch = BATCH, .augment = normalise};
    eex_step step = {.batch = BATCH, .step = 1};
    eex_plan *plan = NULL;
    options.optimizer = *optimizer;
    for (int k = 0; k < eex_graph_exits(graph); k++)
        options.weight[k] = 1;
    int code = eex_optimizer_state_new(&options.state, params, optimizer);
    if (code == EEX_OK)
        code = eex_plan_new(&plan, &options, graph, params);
    if (code == EEX_OK)
        code = eex_plan_upload(plan, images, labels, samples, BATCH);
    if (code == EEX_OK)
        code = eex_plan_step(plan, &step);
    eex_plan_free(plan);
    eex_optimizer_state_free(options.state);
    return code;
}

static int train_with_sgd(void)
{
    return training(&(eex_optimizer){.kind = EEX_SGD, .momentum = 0.9f, .clip = 1});
}

static int train_with_adamw(void)
{
    return training(&(eex_optimizer){.kind = EEX_ADAMW, .eps = 1e-8f, .ema = 0.9f});
}

/* The passes of a step, in one arena. */
static int train_in_turn(void)
{
    enum { PASSES = 2 };
    const eex_optimizer optimizer = {.kind = EEX_SGD};
    eex_plan_options options[PASSES];
    eex_plan *plans[PASSES] = {NULL};
    eex_optimizer_state *state = NULL;
    int code = eex_optimizer_state_new(&state, params, &optimizer);
    for (int i = 0; i < PASSES; i++) {
        options[i] = (eex_plan_options){
            .mode = EEX_PLAN_TRAIN, .batch = BATCH, .augment = normalise, .state = state};
        options[i].weight[i] = 1;
    }
    if (code == EEX_OK)
        code = eex_plans_new(plans, options, PASSES, graph, params);
    for (int i = 0; i < PASSES; i++)
        eex_plan_free(plans[i]);
    eex_optimizer_state_free(state);
    return code;
}

static int infer(void)
{
    eex_plan_options options = {.batch = BATCH, .augment = normalise};
    eex_plan *plan = NULL;
    int code = eex_plan_new(&plan, &options, graph, params);
    if (code == EEX_OK)
        code = eex_plan_refresh(plan);
    eex_plan_free(plan);
    return code;
}

/* For images of 12x12. */
static int infer_resized(void)
{
    eex_plan_options options = {.batch = BATCH, .augment = normalise};
    eex_plan *plan = NULL;
    options.augment.height = options.augment.width = 12;
    int code = eex_plan_new(&plan, &options, graph, params);
    eex_plan_free(plan);
    return code;
}

static int engine(void)
{
    const eex_familiar familiar = {.exits = eex_graph_exits(graph)};
    const eex_inference how = {.batch = BATCH, .normalise = normalise, .familiar = &familiar};
    eex_policy *policy = NULL;
    eex_engine *e = NULL;
    eex_result results[BATCH];
    eex_latency latency;
    int code = eex_policy_new(&policy, EEX_POLICY_MARGIN, eex_graph_exits(graph), CLASSES);
    if (code == EEX_OK) {
        policy->far[0] = 1;
        code = eex_engine_new(&e, graph, params, policy, &how);
    }
    if (code == EEX_OK)
        code = eex_engine_run(e, results, images, BATCH);
    if (code == EEX_OK)
        code = eex_engine_measure(e, &latency, images, BATCH);
    eex_engine_close(e);
    eex_policy_free(policy);
    return code;
}

/* With a predictor, whose network is made here, too. */
static int predicting(void)
{
    const eex_inference how = {.batch = BATCH, .normalise = normalise};
    eex_exit_predictor predictor = {.gates = eex_graph_exits(graph) - 1};
    eex_policy *policy = NULL;
    eex_engine *e = NULL;
    eex_result results[BATCH];
    int code = eex_policy_new(&policy, EEX_POLICY_MARGIN, eex_graph_exits(graph), CLASSES);
    if (code == EEX_OK)
        code = eex_exit_predictor_graph(&predictor.graph, EEX_PREDICTOR_SEPARABLE, 8, 8, 3,
                                        predictor.gates);
    if (code == EEX_OK)
        code = eex_params_new(&predictor.params, device, predictor.graph, 1);
    if (code == EEX_OK)
        code = eex_engine_new_predicting(&e, graph, params, policy, &how, &predictor);
    if (code == EEX_OK)
        code = eex_engine_run(e, results, images, BATCH);
    eex_engine_close(e);
    eex_params_free(predictor.params);
    eex_graph_free(predictor.graph);
    eex_policy_free(policy);
    return code;
}

/* Thresholds of a predictor, and of the exits that it imitates. */
static int choose(void)
{
    enum { SAMPLES = 8, EXITS = 3 };
    const float score[(EXITS - 1) * SAMPLES] = {0.5F};
    const eex_charges charges = {.exits = EXITS};
    const eex_skips skips = {EXITS - 1, score, NULL};
    float gamma[EXITS];
    eex_trace *trace = NULL;
    eex_policy *policy = NULL;
    int code = eex_trace_new(&trace, SAMPLES, EXITS, CLASSES);
    if (code == EEX_OK)
        code = eex_skip_lambda(&policy, trace, &charges);
    if (code == EEX_OK)
        code = eex_skip_choose(gamma, trace, policy, &charges, &skips, 0.02);
    eex_policy_free(policy);
    eex_trace_free(trace);
    return code;
}

Test(memory_plan, every_failure_is_reported)
{
    device = open_device(1);
    cr_assert_eq(eex_test_tiny_gated(&graph, CLASSES), EEX_OK);
    cr_assert_eq(eex_params_new(&params, device, graph, 1), EEX_OK);
    cr_assert_gt(test_fail_each_allocation(train_with_sgd), 40);
    cr_assert_gt(test_fail_each_allocation(train_with_adamw), 40);
    cr_assert_gt(test_fail_each_allocation(train_in_turn), 60);
    cr_assert_gt(test_fail_each_allocation(infer), 60);
    cr_assert_gt(test_fail_each_allocation(infer_resized), 60);
    cr_assert_gt(test_fail_each_allocation(engine), 60);
    cr_assert_gt(test_fail_each_allocation(predicting), 60);
    cr_assert_gt(test_fail_each_allocation(choose), 1);
    eex_params_free(params);
    eex_graph_free(graph);
    eex_device_close(device);
}
