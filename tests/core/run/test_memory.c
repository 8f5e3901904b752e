/* Every allocation of graphs, structures, calibration, tuning and replay fails once. */
#include "core/plan/params.h"
#include "core/policy/appraise.h"
#include "core/policy/conformal.h"
#include "core/policy/risk.h"
#include "core/run/evaluate.h"
#include "core/run/front_pick.h"
#include "core/run/models.h"
#include "core/run/structure.h"
#include "support/backbones.h"
#include "support/devices.h"
#include "support/elastic.h"
#include "support/folder.h"
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

static int evaluate(eex_tune tune, int levels)
{
    const double level[] = {0.2, 0.4};
    const eex_structure_costs costs = {EXITS, {1.1, 2.3, 3.3}, {1.1, 2.3, 3.3}, 10};
    eex_evaluator_options options = {.policy = eex_calibration_default(),
                                     .scoring = {.base_macs = 3, .base_ms = 3}};
    const int columns[] = {0, 1, 2};
    eex_trace *calibration = NULL, *validation = NULL;
    eex_evaluator *e = NULL;
    eex_policy *policy = NULL;
    eex_candidate candidate;
    options.policy.tune = tune;
    options.levels = levels;
    options.level = level;
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
    return evaluate(EEX_TUNE_NONE, 0);
}

static int evaluate_levels(void)
{
    return evaluate(EEX_TUNE_NONE, 2);
}

static int evaluate_tuned(void)
{
    return evaluate(EEX_TUNE_WEIGHTED, 0);
}

static eex_experiment *gated;

static int structures(void)
{
    const int genome[] = {1, 0, 2};
    eex_structures *s = NULL;
    eex_graph *graph = NULL;
    eex_structure_costs costs;
    EEX_TRY(eex_structures_new(&s, gated, &gated->points));
    int code = eex_structures_costs(&costs, s, genome);
    if (code == EEX_OK)
        code = eex_structures_graph(&graph, s, genome);
    eex_graph_free(graph);
    eex_structures_free(s);
    return code;
}

static int elastic_structures(void)
{
    const int genome[ELASTIC_GENES + 1] = {[ELASTIC_GENES] = 1};
    eex_structures *s = NULL;
    eex_graph *graph = NULL, *all = NULL;
    eex_structure_costs costs;
    EEX_TRY(eex_structures_new(&s, gated, &gated->points));
    int code = eex_structures_costs(&costs, s, genome);
    if (code == EEX_OK)
        code = eex_structures_graph(&graph, s, genome);
    if (code == EEX_OK)
        code = eex_structures_all(&all, s, genome);
    eex_graph_free(graph);
    eex_graph_free(all);
    eex_structures_free(s);
    return code;
}

static int add_some(eex_trials *trials)
{
    static const int genome[][3] = {{1, 0, 0}, {0, 2, 1}, {2, 2, 2}};
    eex_trials_init(trials, 3);
    for (int i = 0; i < 3; i++) {
        const eex_trial trial = {.accuracy = 0.2 * i, .macs = 1 + i, .score = i};
        EEX_TRY(eex_trials_add(trials, genome[i], &trial));
    }
    return EEX_OK;
}

static int pick_front(void)
{
    eex_run run = {.e = gated};
    eex_trials trials;
    eex_front front = {0};
    EEX_TRY(eex_structures_new(&run.structures, gated, &gated->points));
    int code = add_some(&trials);
    if (code == EEX_OK)
        code = eex__front_pick(&front, &run, &trials);
    eex_front_free(&front);
    eex_trials_free(&trials);
    eex_structures_free(run.structures);
    return code;
}

static char folder[TEST_PATH_SIZE];

static int save_front(eex_store_file *file, const void *context)
{
    eex_front_exit exits[] = {{.node = "a", .alone_macs = 1}, {.node = "b", .blocks = -1}};
    eex_front_member members[] = {{.exits = 2, .gates = 1}, {.status = EEX_ENOMEM}};
    const eex_front front = {2, members, 2, exits};
    return eex_front_save(&front, file);
}

static int use_front(eex_store_file *file, void *context)
{
    return eex_front_load(context, file);
}

static int store_front(void)
{
    const char *path = test_path(folder, "front.h5");
    eex_front front = {0};
    int code = eex_store_write_file(path, "front", 1, save_front, NULL);
    if (code == EEX_OK)
        code = eex_store_read_file(path, "front", 1, use_front, &front);
    eex_front_free(&front);
    return code;
}

static int save_models(eex_store_file *file, const void *context)
{
    return eex_models_save(context, 0, file, "models");
}

static int use_models(eex_store_file *file, void *context)
{
    return eex_models_load(context, file, "models");
}

static int models(void)
{
    const char *path = test_path(folder, "models.h5");
    const eex_search_report report = {
        .trials = 2, .surrogate = {"rbf", "gp"}, .reference = {1, 4}, .hypervolume = 1};
    eex_models told = {0}, read = {0};
    eex_trials trials;
    double hypervolume;
    int code = add_some(&trials);
    if (code == EEX_OK)
        code = eex_models_add(&told, &report);
    if (code == EEX_OK)
        code = eex_models_hypervolume(&hypervolume, &told, &trials, false);
    if (code == EEX_OK)
        code = eex_store_write_file(path, "search", 1, save_models, &told);
    if (code == EEX_OK)
        code = eex_store_read_file(path, "search", 1, use_models, &read);
    eex_models_free(&read);
    eex_models_free(&told);
    eex_trials_free(&trials);
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
    gated->search.front = 2;
    test_folder_make(folder);
    cr_assert_gt(test_fail_each_allocation(pick_front), 8);
    cr_assert_gt(test_fail_each_allocation(store_front), 20);
    cr_assert_gt(test_fail_each_allocation(models), 20);
    test_folder_remove(folder);
    eex_graph_free(gated->backbone);
    cr_assert_eq(eex_test_elastic(&gated->backbone, 4), EEX_OK);
    gated->points = (eex_points){1, {eex_graph_find(gated->backbone, "layer3.add")}};
    cr_assert_gt(test_fail_each_allocation(elastic_structures), 20);
    eex_experiment_free(gated);
    cr_assert_gt(test_fail_each_allocation(calibrate_and_sweep), 30);
    cr_assert_gt(test_fail_each_allocation(bound_and_appraise), 40);
    cr_assert_gt(test_fail_each_allocation(promise_over_all), 40);
    cr_assert_gt(test_fail_each_allocation(promise_at_each_exit), 40);
    cr_assert_gt(test_fail_each_allocation(select_and_replay), 25);
    cr_assert_gt(test_fail_each_allocation(evaluate_fixed), 30);
    cr_assert_gt(test_fail_each_allocation(evaluate_levels), 32);
    cr_assert_gt(test_fail_each_allocation(evaluate_tuned), 40);
}
