/* The front of a run: which networks make it, that their figures are those of their files, and what
 * becomes of members that fail. */
#include "core/engine/engine.h"
#include "core/graph/cost.h"
#include "core/run/front_pick.h"
#include "core/run/judge.h"
#include "core/run/structure_gates.h"
#include "support/corners.h"
#include "support/runs.h"

#include "base/fs.h"
#include "base/rng.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { POINTS = 3 };

/* ---- evenly in the logarithm of the cost ---- */

static void expect_spread(const double *cost, size_t count, size_t wanted, const size_t *expected)
{
    size_t chosen[16];
    eex__front_spread(chosen, cost, count, wanted);
    for (size_t k = 0; k < wanted; k++)
        cr_expect_eq(chosen[k], expected[k], "%zu of %zu: %zu instead of %zu", k, wanted, chosen[k],
                     expected[k]);
}

Test(front, members_lie_evenly_in_the_logarithm_of_their_cost)
{
    const double even[] = {1, 2, 4, 8, 16}, clustered[] = {1, 1.01, 1.02, 1.03, 100};
    expect_spread(even, 5, 5, (const size_t[]){0, 1, 2, 3, 4});
    expect_spread(even, 5, 3, (const size_t[]){0, 2, 4});
    expect_spread(even, 5, 2, (const size_t[]){0, 4});
    expect_spread(even, 5, 1, (const size_t[]){2});
    expect_spread(even, 1, 1, (const size_t[]){0});
    expect_spread(clustered, 5, 3, (const size_t[]){0, 3, 4});
    expect_spread(clustered, 5, 4, (const size_t[]){0, 2, 3, 4});
}

Test(front, members_are_different_and_the_ends_among_them)
{
    eex_rng rng;
    eex_rng_seed(&rng, 11, 0);
    for (int i = 0; i < 500; i++) {
        double cost[16];
        size_t chosen[16];
        const size_t count = 1 + (size_t)eex_rng_below(&rng, 16);
        const size_t wanted = 1 + (size_t)eex_rng_below(&rng, count);
        cost[0] = 1 + (double)eex_rng_below(&rng, 1000);
        for (size_t k = 1; k < count; k++)
            cost[k] = cost[k - 1] + 1 + (double)(eex_rng_below(&rng, 3) * eex_rng_below(&rng, 500));
        eex__front_spread(chosen, cost, count, wanted);
        for (size_t k = 0; k < wanted; k++)
            cr_assert(chosen[k] < count && (k == 0 || chosen[k] > chosen[k - 1]));
        if (wanted > 1)
            cr_assert(chosen[0] == 0 && chosen[wanted - 1] == count - 1);
    }
}

/* ---- which trials ---- */

static char root[TEST_PATH_SIZE], folder[TEST_PATH_SIZE];
static eex_run_options options;
static eex_experiment *e;
static eex_run made_up; /* has structures, and nothing that was trained */
static eex_trials trials;

static void setup(void)
{
    test_runs_begin(root);
    options = test_runs_options(folder, root, "run");
    e = test_corners_experiment(EEX_EVALUATE_SHARED);
    e->search.front = 3;
    made_up = (eex_run){.e = e, .options = &options};
    OK(eex_structures_gates(&made_up.structures, e, &e->points));
    eex_trials_init(&trials, POINTS);
}

static void teardown(void)
{
    eex_trials_free(&trials);
    eex_structures_free(made_up.structures);
    eex_experiment_free(e);
    test_folder_remove(root);
}

TestSuite(fronts, .init = setup, .fini = teardown, .timeout = 240);

static void add(int a, int b, int c, double accuracy, double macs)
{
    const int genome[POINTS] = {a, b, c};
    const eex_trial trial = {.accuracy = accuracy, .macs = macs, .score = accuracy, .latency = NAN};
    OK(eex_trials_add(&trials, genome, &trial));
}

static void add_failed(int a, int b, int c)
{
    const int genome[POINTS] = {a, b, c};
    const eex_trial trial = {.status = EEX_EDIVERGED,
                             .accuracy = NAN,
                             .macs = NAN,
                             .score = NAN,
                             .latency = NAN,
                             .reason = "diverged"};
    OK(eex_trials_add(&trials, genome, &trial));
}

/* Trials, gates and "sb" for spread and best, in their order. */
static void expect_members(const char *wanted)
{
    eex_front f;
    char got[256] = "";
    OK(eex__front_pick(&f, &made_up, &trials));
    for (size_t i = 0; i < f.count; i++) {
        const eex_front_member *m = &f.members[i];
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s%llu:%d%s%s", i ? " " : "",
                 (unsigned long long)m->trial, m->gates, m->spread ? "s" : "", m->best ? "b" : "");
    }
    cr_expect_str_eq(got, wanted);
    eex_front_free(&f);
}

Test(fronts, failed_trials_in_between_shift_nothing)
{
    add_failed(1, 1, 1);
    add(0, 0, 0, 0.90, 16); /* 1: the end of the front */
    add_failed(2, 2, 2);
    add(1, 0, 0, 0.50, 1); /* 3: its beginning */
    add(1, 2, 0, 0.80, 4); /* 4 */
    add_failed(0, 0, 1);
    add(0, 2, 0, 0.60, 2);  /* 6: the best with one gate */
    add(0, 1, 0, 0.55, 8);  /* 7: on nothing */
    add(2, 1, 1, 0.30, 20); /* 8: the only one with three */
    expect_members("3:1s 6:1b 4:2sb 1:0s 8:3b");
    e->search.front = 1;
    expect_members("6:1b 4:2sb 8:3b");
    e->search.front = 2;
    expect_members("3:1s 6:1b 4:2b 1:0s 8:3b");
    e->search.front = 100;
    expect_members("3:1s 6:1sb 4:2sb 1:0s 8:3b");
}

Test(fronts, a_number_of_gates_without_a_candidate_has_no_row)
{
    add(0, 0, 0, 0.9, 8);
    add_failed(1, 0, 0);
    expect_members("0:0s");
    add(1, 1, 1, 0.1, 9);
    expect_members("0:0s 2:3b");
}

/* As the run itself chooses: here the cheapest that is accurate enough. */
Test(fronts, the_best_is_the_one_that_the_run_would_choose)
{
    e->search.front = 1;
    e->search.min_accuracy = 0.5;
    add(1, 0, 0, 0.9, 8);
    add(0, 1, 0, 0.6, 4);
    add(0, 0, 1, 0.4, 2);
    expect_members("1:1sb");
    add(0, 0, 2, 0.4, 2);
    add(0, 1, 2, 0.2, 1);
    add(1, 1, 0, 0.3, 6);
    expect_members("2:1s 1:1b 5:2b");
}

/* What a search throws away on its way is never wanted again, whatever comes. */
Test(fronts, what_is_not_marked_never_is_again)
{
    enum { TRIALS = 60 };
    eex_rng rng;
    eex_rng_seed(&rng, 5, 0);
    bool before[TRIALS + 1] = {false}, gone[TRIALS + 1] = {false};
    eex__front_bests bests;
    eex_front f;
    eex__front_bests_init(&bests);
    for (size_t i = 0; i < TRIALS; i++) {
        const int g[POINTS] = {(int)eex_rng_below(&rng, 3), (int)eex_rng_below(&rng, 3),
                               (int)eex_rng_below(&rng, 3)};
        bool wanted[TRIALS + 1] = {false};
        if (eex_rng_below(&rng, 5) == 0)
            add_failed(g[0], g[1], g[2]);
        else
            add(g[0], g[1], g[2], (double)eex_rng_below(&rng, 20) / 20,
                1 + (double)eex_rng_below(&rng, 20));
        OK(eex__front_consider(&bests, &made_up, &trials, i));
        OK(eex__front_mark(wanted, &made_up, &trials, &bests));
        for (size_t k = 0; k <= i; k++) {
            cr_assert(!(gone[k] && wanted[k]), "trial %zu after %zu", k, i);
            gone[k] |= !wanted[k];
        }
        memcpy(before, wanted, sizeof wanted);
    }
    OK(eex__front_pick(&f, &made_up, &trials));
    cr_assert(f.count > 3);
    for (size_t i = 0; i < f.count; i++)
        cr_assert(before[f.members[i].trial]);
    eex_front_free(&f);
}

/* ---- of a whole run ---- */

static eex_report *run_all(void)
{
    eex_report *r = NULL;
    OK(eex_experiment_run(e, &options));
    OK(eex_report_load(&r, folder));
    cr_assert(r->finished && r->tested.count > 0);
    return r;
}

/* Accuracy on the test split of a network with its policy, by an engine of its own. */
static double run_engine(const eex_graph *graph, eex_params *params, const eex_model *m,
                         const eex_policy *policy)
{
    eex_dataset *data = NULL;
    eex_engine *engine = NULL;
    eex_inference how = eex_model_inference(m, 1);
    how.familiar = policy ? m->familiar : NULL;
    OK(eex_dataset_open(&data, test_path(root, "corners.h5")));
    OK(eex_engine_new(&engine, graph, params, policy, &how));
    const eex_dataset_info *d = eex_dataset_facts(data);
    uint8_t image[8 * 8 * 3];
    double right = 0;
    for (uint32_t i = d->samples - d->test; i < d->samples; i++) {
        eex_result one;
        OK(eex_dataset_gather(image, data, &i, 1));
        OK(eex_engine_run(engine, &one, image, 1));
        right += one.decision != EEX_REJECT && one.top == eex_dataset_labels(data)[i];
    }
    right /= (double)d->test;
    eex_engine_close(engine);
    eex_dataset_close(data);
    return right;
}

/* An exit of the member as a network of its own. */
static void check_alone(const eex_model *m, const eex_front_exit *x, int k)
{
    eex_graph *graph = NULL;
    eex_params *params = NULL;
    OK(eex_graph_select(&graph, m->graph, &k, 1));
    OK(eex_params_new(&params, m->params->device, graph, 0));
    OK(eex_params_copy(params, m->params, NULL));
    cr_expect_eq(x->alone_macs, (double)eex_cost_total(graph, EEX_MACS));
    cr_expect_float_eq(x->alone_accuracy, run_engine(graph, params, m, NULL), 1e-12);
    eex_params_free(params);
    eex_graph_free(graph);
}

static void check_costs(const eex_model *m, const eex_front *f, const eex_front_member *member)
{
    double share[EEX_MAX_EXITS], sum = 0;
    for (int k = 0; k < member->exits; k++)
        sum += share[k] = f->exits[member->first + (size_t)k].utilisation;
    cr_expect_float_eq(sum, 1, 1e-9);
    cr_expect_float_eq(member->macs, eex_cost_ada_cumulative(m->graph, share, EEX_MACS), 1e-6);
    cr_expect_float_eq(member->macs_taken, eex_cost_ada(m->graph, share, EEX_MACS), 1e-6);
}

static void check_member(const eex_report *r, size_t i)
{
    const eex_front_member *member = &r->tested.members[i];
    char name[EEX_FRONT_NAME];
    eex_device *device = NULL;
    eex_model *m = NULL;
    eex_trace *trace = NULL;
    OK(eex_device_open(&device, "cpu", NULL));
    OK(eex_model_open(&m, test_path(folder, eex_front_file(name, i)), EEX_MODEL_BEST, device));
    cr_assert_eq(eex_graph_exits(m->graph), member->exits);
    cr_expect_eq(member->gates, member->exits - 1);
    cr_expect_float_eq(member->accuracy, run_engine(m->graph, m->params, m, m->policy), 1e-12);
    for (int k = 0; k < member->exits; k++)
        check_alone(m, &r->tested.exits[member->first + (size_t)k], k);
    check_costs(m, &r->tested, member);
    OK(eex_model_trace(&trace, m, "validation"));
    cr_expect_eq(r->tested.exits[member->first].alone_validation, eex_trace_accuracy(trace, 0));
    eex_trace_free(trace);
    OK(eex_model_trace(&trace, m, "calibration"));
    eex_trace_free(trace);
    eex_model_close(m);
    eex_device_close(device);
}

/* The chosen network is a member too, with the figures that the run has of it. */
static void check_chosen(const eex_report *r)
{
    bool found = false;
    for (size_t i = 0; i < r->tested.count; i++) {
        const eex_front_member *m = &r->tested.members[i];
        if (m->trial != (uint64_t)r->chosen)
            continue;
        found = true;
        cr_expect_eq(m->accuracy, r->best.accuracy);
        cr_expect_eq(m->macs, r->best.ada_macs_cumulative);
        cr_expect_eq(m->macs_taken, r->best.ada_macs);
        cr_expect_eq(m->validation_accuracy, r->best.validation_accuracy);
        cr_expect_eq(eex_front_end(&r->tested, m)->alone_accuracy, r->full.accuracy);
        cr_expect_eq(eex_front_end(&r->tested, m)->alone_macs, r->full.macs);
        for (int k = 0; k < m->exits; k++)
            cr_expect_eq(r->tested.exits[m->first + (size_t)k].utilisation,
                         r->best.exit[k].utilisation);
    }
    cr_expect(found);
}

static void check_run(void)
{
    eex_report *r = run_all();
    for (size_t i = 0; i < r->tested.count; i++) {
        const eex_front_member *m = &r->tested.members[i];
        cr_assert_eq(m->status, EEX_OK, "%s", m->reason);
        cr_expect(m->spread || m->best);
        if (e->final.epochs == 0) /* weights as they were judged, and their thresholds */
            cr_expect_float_eq(m->validation_accuracy, r->trials.at[m->trial].accuracy, 1e-12);
        check_member(r, i);
    }
    check_chosen(r);
    eex_report_free(r);
}

Test(fronts, the_figures_of_replayed_candidates_are_those_of_their_networks)
{
    check_run();
}

Test(fronts, networks_are_trained_on_as_the_chosen_one_is)
{
    e->final.epochs = 1;
    e->policy.reject = 0.05;
    check_run();
}

Test(fronts, candidates_that_were_trained_keep_their_weights_as_long_as_they_are_wanted)
{
    eex_fs_names names = {0};
    e->search.evaluator = EEX_EVALUATE_TRAIN;
    e->search.trials = 6;
    check_run();
    OK(eex_fs_list(&names, folder));
    for (size_t i = 0; i < names.count; i++)
        cr_expect_null(strstr(names.names[i], "candidate"), "%s is left", names.names[i]);
    eex_fs_names_free(&names);
}

Test(fronts, a_front_of_one)
{
    e->search.front = 1;
    e->search.trials = 1;
    eex_report *r = run_all();
    cr_expect_eq(r->tested.count, 1);
    check_chosen(r);
    eex_report_free(r);
}

Test(fronts, nobody_asked)
{
    e->search.front = 0;
    OK(eex_experiment_run(e, &options));
    cr_expect_not(eex_fs_exists(test_path(folder, "front.h5")));
    cr_expect_not(eex_fs_exists(test_path(folder, "front-0001.h5")));
}

/* ---- what fails ---- */

/* The run up to its front, and then a final training that diverges. */
Test(fronts, a_member_that_diverges_is_a_row_with_a_reason)
{
    eex_experiment diverging;
    eex_report *r = NULL;
    eex_run run = {.e = e, .options = &options};
    e->final.epochs = 1;
    OK(eex__run_begin(&run));
    OK(eex__run_phases(&run, EEX_PHASE_FRONT));
    diverging = *e;
    diverging.final.lr = 1e30;
    diverging.final.schedule.kind = EEX_SCHEDULE_CONSTANT;
    diverging.final.schedule.warmup = 0;
    run.e = &diverging;
    OK(eex__run_front(&run));
    eex__run_end(&run);
    OK(eex_report_load(&r, folder));
    size_t failed = 0;
    for (size_t i = 0; i < r->tested.count; i++) {
        const eex_front_member *m = &r->tested.members[i];
        char name[EEX_FRONT_NAME];
        const bool chosen = m->trial == (uint64_t)r->chosen; /* which final.h5 has */
        cr_expect_eq(m->status, chosen ? EEX_OK : EEX_EDIVERGED);
        cr_expect_eq(m->exits > 0, chosen);
        cr_expect_eq(eex_fs_exists(test_path(folder, eex_front_file(name, i))), chosen);
        cr_expect(chosen || (*m->reason && isnan(m->accuracy)));
        failed += !chosen;
    }
    cr_expect(failed > 0 && failed == r->tested.count - 1);
    eex_report_free(r);
}

/* A file of another network in a member's place is not believed. */
Test(fronts, a_file_of_another_trial_is_refused)
{
    char *data = NULL;
    size_t size = 0;
    eex_report *r = run_all();
    cr_assert_gt(r->tested.count, 1);
    eex_report_free(r);
    OK(eex_fs_read(&data, &size, test_path(folder, "front-0002.h5"), 1 << 28));
    OK(eex_fs_write(test_path(folder, "front-0001.h5"), data, size));
    free(data);
    OK(eex_fs_remove_file(test_path(folder, "front.h5")));
    OK(eex_fs_remove_file(test_path(folder, "result.h5")));
    cr_expect_eq(eex_experiment_run(e, &options), EEX_EFORMAT);
    cr_expect(strstr(eex_error(), "front-0001.h5: it is trial"), "%s", eex_error());
}

/* ---- front.h5 ---- */

/* One member of two exits, and what is wrong with the file. */
static int32_t exits_of_member;
static size_t exits_in_file;

static int save_made_up(eex_store_file *file, const void *context)
{
    eex_front_exit exits[3] = {{.node = "a", .position = 1, .threshold = 0.5},
                               {.node = "b", .position = 4, .blocks = -1, .threshold = NAN},
                               {.node = "c"}};
    eex_front_member member = {
        .trial = 7, .gates = 1, .best = true, .accuracy = 0.5, .exits = exits_of_member};
    const eex_front front = {1, &member, exits_in_file, exits};
    return eex_front_save(&front, file);
}

static int load_made_up(eex_store_file *file, void *context)
{
    return eex_front_load(context, file);
}

static int back_and_forth(eex_front *out, int exits, size_t in_file)
{
    const char *path = test_path(root, "front.h5");
    exits_of_member = exits;
    exits_in_file = in_file;
    OK(eex_store_write_file(path, "front", 1, save_made_up, NULL));
    return eex_store_read_file(path, "front", 1, load_made_up, out);
}

Test(fronts, figures_come_back_from_their_file)
{
    eex_front f;
    OK(back_and_forth(&f, 2, 2));
    cr_assert(f.count == 1 && f.exit_count == 2);
    cr_expect(f.members[0].trial == 7 && f.members[0].gates == 1 && f.members[0].exits == 2);
    cr_expect(f.members[0].best && !f.members[0].spread && f.members[0].accuracy == 0.5);
    cr_expect_str_eq(f.exits[0].node, "a");
    cr_expect(f.exits[0].threshold == 0.5 && isnan(f.exits[1].threshold));
    cr_expect(f.exits[1].position == 4 && eex_front_end(&f, f.members) == &f.exits[1]);
    eex_front_free(&f);
}

Test(fronts, parts_that_do_not_fit_are_refused)
{
    eex_front f;
    cr_expect_eq(back_and_forth(&f, 2, 3), EEX_EFORMAT);
    cr_expect_eq(back_and_forth(&f, 3, 2), EEX_EFORMAT);
    cr_expect_eq(back_and_forth(&f, -1, 0), EEX_EFORMAT);
    cr_expect_eq(back_and_forth(&f, EEX_MAX_EXITS + 1, 2), EEX_EFORMAT);
    cr_expect_null(f.members);
}

/* The rival is chosen by the validation split, and costs no more than the member did there. */
Test(fronts, the_cut_is_the_best_that_costs_no_more)
{
    eex_front_exit exits[] = {
        {.alone_macs = 1, .alone_validation = 0.5, .alone_accuracy = 0.9},
        {.alone_macs = 2, .alone_validation = 0.6, .alone_accuracy = 0.4},
        {.alone_macs = 4, .alone_validation = 0.8, .alone_accuracy = 0.8},
        {.alone_macs = 5, .alone_validation = 0.9, .alone_accuracy = 0.9, .blocks = -1}};
    eex_front_member m = {.exits = 4, .validation_macs = 3, .macs = 9};
    const eex_front f = {1, &m, 4, exits};
    cr_expect_eq(eex_front_cut(&f, &m), &exits[1]);
    m.validation_macs = 4;
    cr_expect_eq(eex_front_cut(&f, &m), &exits[2]);
    m.validation_macs = 100; /* the end is no cut */
    cr_expect_eq(eex_front_cut(&f, &m), &exits[2]);
    m.validation_macs = 0.5;
    cr_expect_null(eex_front_cut(&f, &m));
    m.exits = 0;
    cr_expect_null(eex_front_cut(&f, &m));
    cr_expect_null(eex_front_end(&f, &m));
}
