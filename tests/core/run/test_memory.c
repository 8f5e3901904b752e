/* Every allocation of graphs, structures, calibration, tuning and replay fails once. */
#include "core/plan/params.h"
#include "core/policy/appraise.h"
#include "core/policy/conformal.h"
#include "core/policy/risk.h"
#include "core/run/evaluate.h"
#include "core/run/structure_gates.h"
#include "support/backbones.h"
#include "support/devices.h"
#include "support/memory.h"
#include "support/traces.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { EXITS = 3, SAMPLES = 50 };

static int filled(eex_trace **out, uint64_t seed)
{
    int code = eex_trace_new(out, SAMPLES, EXITS, 4);
    if (code == EEX_OK)
        test_trace_fill(*out, seed);
    return code;
}

static int calibrate_and_sweep(void)
{
    const double cost[EXITS] = {1, 2, 3};
    const eex_exit_costs costs = {EXITS, cost, 3};
    eex_calibration how = eex_calibration_default();
    eex_trace *trace = NULL;
    eex_policy *policy = NULL;
    eex_operating_point *front = NULL;
    int count = 0;
    how.tune = EEX_TUNE_ACCURACY;
    int code = filled(&trace, 1);
    if (code == EEX_OK)
        code = eex_calibrate(&policy, trace, test_head_device(), &how, &costs);
    if (code == EEX_OK)
        code = eex_policy_sweep(&front, &count, trace, policy, &costs, 3);
    free(front);
    eex_policy_free(policy);
    eex_trace_free(trace);
    return code;
}

static int bound_and_appraise(void)
{
    const double cost[EXITS] = {1, 2, 3};
    const eex_exit_costs costs = {EXITS, cost, 3};
    const eex_calibration how = eex_calibration_default();
    const eex_conformal_options o = {.epsilon = 0.5, .delta = 0.5, .reject = 0.1, .steps = 2};
    const eex_bootstrap_options few = {.resamples = 20};
    eex_trace *trace = NULL;
    eex_policy *policy = NULL;
    eex_conformal facts;
    eex_departures now = {0};
    eex_appraisal appraisal;
    int code = filled(&trace, 6);
    if (code == EEX_OK)
        code = eex_conformal_fit(&policy, &facts, trace, test_head_device(), &how, &costs, &o);
    if (code == EEX_OK)
        code = eex_trace_score(trace, test_head_device(), policy->temperature);
    if (code == EEX_OK)
        code = eex_departures_new(&now, trace, policy);
    if (code == EEX_OK)
        code = eex_appraise(&appraisal, trace, &now, NULL, cost, NULL, &few);
    eex_departures_free(&now);
    eex_policy_free(policy);
    eex_trace_free(trace);
    return code;
}

static int promise(bool each_exit)
{
    const double cost[EXITS] = {1, 2, 3};
    const eex_exit_costs costs = {EXITS, cost, 3};
    const eex_calibration how = eex_calibration_default();
    const eex_risk_options o = {
        .loss = EEX_LOSS_BRIER, .epsilon = 1.2, .delta = 0.5, .each_exit = each_exit, .steps = 2};
    const eex_bootstrap_options few = {.resamples = 20};
    eex_trace *trace = NULL;
    eex_policy *policy = NULL;
    eex_risk facts;
    eex_departures now = {0};
    eex_loss_report report;
    int code = filled(&trace, 6);
    if (code == EEX_OK)
        code = eex_risk_fit(&policy, &facts, trace, test_head_device(), &how, &costs, &o);
    if (code == EEX_OK)
        code = eex_trace_score(trace, test_head_device(), policy->temperature);
    if (code == EEX_OK)
        code = eex_departures_new(&now, trace, policy);
    if (code == EEX_OK)
        code = eex_loss_measure(&report, trace, &now, EEX_LOSS_BRIER, &few);
    eex_departures_free(&now);
    eex_policy_free(policy);
    eex_trace_free(trace);
    return code;
}

static int promise_over_all(void)
{
    return promise(false);
}

static int promise_at_each_exit(void)
{
    return promise(true);
}

static int select_and_replay(void)
{
    const int columns[] = {0, 2};
    eex_trace *trace = NULL, *part = NULL;
    eex_policy *policy = NULL, *some = NULL;
    eex_replayer *replayer = NULL;
    int code = filled(&trace, 2);
    if (code == EEX_OK)
        code = eex_policy_new(&policy, EEX_POLICY_MARGIN, EXITS, 4);
    if (code == EEX_OK)
        code = eex_trace_select(&part, trace, columns, 2);
    if (code == EEX_OK)
        code = eex_policy_select(&some, policy, columns, 2);
    if (code == EEX_OK)
        code = eex_replayer_new(&replayer, trace, policy);
    eex_replayer_free(replayer);
    eex_policy_free(policy);
    eex_policy_free(some);
    eex_trace_free(trace);
    eex_trace_free(part);
    return code;
}

static int evaluate(eex_tune tune)
{
    const eex_structure_costs costs = {EXITS, {1.1, 2.3, 3.3}, {1.1, 2.3, 3.3}};
    eex_evaluator_options options = {.policy = eex_calibration_default(),
                                     .scoring = {.base_macs = 3, .base_ms = 3}};
    const int columns[] = {0, 1, 2};
    eex_trace *calibration = NULL, *validation = NULL;
    eex_evaluator *e = NULL;
    eex_policy *policy = NULL;
    eex_candidate candidate;
    options.policy.tune = tune;
    int code = filled(&calibration, 3);
    if (code == EEX_OK)
        code = filled(&validation, 4);
    if (code == EEX_OK)
        code = eex_evaluator_new(&e, calibration, validation, test_head_device(), &options);
    if (code == EEX_OK)
        code = eex_evaluator_score(e, &candidate, columns, &costs);
    if (code == EEX_OK)
        code = eex_evaluator_policy(&policy, e, &candidate);
    eex_policy_free(policy);
    eex_evaluator_free(e);
    eex_trace_free(calibration);
    eex_trace_free(validation);
    return code;
}

static int evaluate_fixed(void)
{
    return evaluate(EEX_TUNE_NONE);
}

static int evaluate_tuned(void)
{
    return evaluate(EEX_TUNE_WEIGHTED);
}

static eex_experiment *gated;

static int structures(void)
{
    const int genome[] = {1, 0, 2};
    eex_structures *s = NULL;
    eex_graph *graph = NULL;
    eex_structure_costs costs;
    EEX_TRY(eex_structures_gates(&s, gated, &gated->points));
    int code = eex_structures_costs(&costs, s, genome);
    if (code == EEX_OK)
        code = eex_structures_graph(&graph, s, genome);
    eex_graph_free(graph);
    eex_structures_free(s);
    return code;
}

static eex_device *device;

static int graph_and_params(void)
{
    eex_graph *g = NULL, *cut = NULL;
    eex_params *a = NULL, *b = NULL;
    int code = eex_test_tiny_gated(&g, 10);
    if (code == EEX_OK)
        code = eex_graph_cut(&cut, g, 1);
    if (code == EEX_OK)
        code = eex_params_new(&a, device, g, 1);
    if (code == EEX_OK)
        code = eex_params_new(&b, device, cut, 2);
    if (code == EEX_OK)
        code = eex_params_copy(b, a, NULL);
    eex_params_free(a);
    eex_params_free(b);
    eex_graph_free(cut);
    eex_graph_free(g);
    return code;
}

Test(memory, every_failure_is_reported)
{
    device = open_device(1);
    cr_assert_gt(test_fail_each_allocation(graph_and_params), 20);
    eex_device_close(device);
    gated = eex_experiment_new();
    cr_assert_not_null(gated);
    cr_assert_eq(eex_test_tiny(&gated->backbone, 10), EEX_OK);
    cr_assert_eq(eex_saliency_residual_merges(&gated->points, gated->backbone), EEX_OK);
    cr_assert_gt(test_fail_each_allocation(structures), 10);
    eex_experiment_free(gated);
    cr_assert_gt(test_fail_each_allocation(calibrate_and_sweep), 30);
    cr_assert_gt(test_fail_each_allocation(bound_and_appraise), 40);
    cr_assert_gt(test_fail_each_allocation(promise_over_all), 40);
    cr_assert_gt(test_fail_each_allocation(promise_at_each_exit), 40);
    cr_assert_gt(test_fail_each_allocation(select_and_replay), 25);
    cr_assert_gt(test_fail_each_allocation(evaluate_fixed), 30);
    cr_assert_gt(test_fail_each_allocation(evaluate_tuned), 40);
}
