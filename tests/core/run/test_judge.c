/* Judges by themselves: what they say of a genome is what a whole run has stored of it. */
#include "core/run/judge.h"
#include "core/run/run.h"
#include "support/corners.h"
#include "support/runs.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

static char root[TEST_PATH_SIZE], folder[TEST_PATH_SIZE];
static eex_run_options options;

static void setup(void)
{
    test_runs_begin(root);
    options = test_runs_options(folder, root, "run");
}

static void teardown(void)
{
    test_folder_remove(root);
}

TestSuite(judge, .init = setup, .fini = teardown, .timeout = 120);

/* A finished run, opened as far as a judge needs. */
static eex_run open_finished(const eex_experiment *e)
{
    eex_run run = {.e = e, .options = &options};
    OK(eex_experiment_run(e, &options));
    OK(eex__run_begin(&run));
    OK(eex__run_split(&run));
    OK(eex__run_structures(&run, &e->points));
    if (eex__run_timed(&run))
        OK(eex__run_latency(&run));
    return run;
}

static int use_trials(eex_store_file *file, void *context)
{
    return eex_trials_load(context, file, "trials");
}

static void same(const eex_trial *a, const eex_trial *b)
{
    const double x[] = {a->accuracy, a->macs, a->agreement, a->rejected, a->score, a->latency};
    const double y[] = {b->accuracy, b->macs, b->agreement, b->rejected, b->score, b->latency};
    cr_assert_eq(a->status, b->status);
    for (size_t i = 0; i < sizeof x / sizeof *x; i++)
        cr_assert(x[i] == y[i] || (isnan(x[i]) && isnan(y[i])), "%zu: %g, %g", i, x[i], y[i]);
}

/* Judges the stored trials once more. */
static void judge_again(eex_run *run, eex_judge *judge)
{
    eex_trials stored;
    eex_trials_init(&stored, run->structures->space.genes);
    OK(eex__run_read(run, "search.h5", use_trials, &stored));
    for (size_t i = 0; i < stored.count; i++) {
        eex_trial trial;
        OK(eex__judge_score(&trial, judge, eex_trials_genome(&stored, i), i));
        same(&trial, &stored.at[i]);
    }
    cr_assert_geq(stored.count, 3);
    eex_trials_free(&stored);
}

static void check_weights(eex_run *run, const eex_judge_kind *kind)
{
    const eex_structures *s = run->structures;
    int genome[EEX_MAX_GENES];
    uint64_t trial;
    eex_graph *graph;
    eex_params *params;
    OK(eex__run_chosen(genome, run, &trial));
    OK(eex_structures_graph(&graph, s, genome));
    OK(eex_params_new(&params, run->device, graph, 5));
    OK(kind->weights(params, run, genome, trial));
    eex_params_free(params);
    eex_graph_free(graph);
}

Test(judge, replay_says_what_the_search_stored)
{
    eex_experiment *e = test_corners_experiment(EEX_EVALUATE_SHARED);
    e->search.score = EEX_SCORE_WEIGHTED;
    eex_run run = open_finished(e);
    const eex_judge_kind *kind = eex__judge_of(&run);
    const int genome[] = {1, 0, 2};
    eex_judge *judge;
    eex_policy *policy;
    cr_assert_eq(kind, &eex__judge_replay);
    OK(eex__judge_open(&judge, &run, kind));
    judge_again(&run, judge);
    OK(kind->policy(&policy, judge, genome));
    cr_assert_eq(policy->exits, 3);
    cr_assert(!kind->keep && !kind->forget);
    check_weights(&run, kind);
    eex_policy_free(policy);
    eex__judge_close(judge);
    eex__judge_close(NULL);
    eex__run_end(&run);
    eex_experiment_free(e);
}

Test(judge, training_says_what_the_search_stored_and_keeps_weights)
{
    eex_experiment *e = test_corners_experiment(EEX_EVALUATE_TRAIN);
    eex_run run = open_finished(e);
    const eex_judge_kind *kind = eex__judge_of(&run);
    int genome[EEX_MAX_GENES];
    uint64_t number;
    char name[EEX__CANDIDATE_NAME];
    eex_trial trial;
    eex_judge *judge;
    cr_assert_eq(kind, &eex__judge_train);
    OK(eex__judge_open(&judge, &run, kind));
    judge_again(&run, judge);
    OK(eex__run_chosen(genome, &run, &number));
    OK(eex__judge_score(&trial, judge, genome, number));
    OK(kind->keep(judge, number));
    eex__judge_close(judge);
    cr_assert(eex__run_has(&run, eex__run_candidate_name(name, number)));
    check_weights(&run, kind);
    OK(kind->forget(&run, number));
    cr_assert(!eex__run_has(&run, name));
    eex__run_end(&run);
    eex_experiment_free(e);
}

Test(judge, a_candidate_that_fails_is_a_failed_trial)
{
    eex_experiment *e = test_corners_experiment(EEX_EVALUATE_TRAIN);
    const int genome[] = {1, 0, 2};
    eex_run run = {.e = e, .options = &options};
    eex_trial trial;
    eex_judge *judge;
    e->candidate.lr = 1e30;
    e->candidate.schedule.kind = EEX_SCHEDULE_CONSTANT;
    e->candidate.schedule.warmup = 0;
    OK(eex__run_begin(&run));
    OK(eex__run_split(&run));
    OK(eex__run_structures(&run, &e->points));
    OK(eex__judge_open(&judge, &run, eex__judge_of(&run)));
    OK(eex__judge_score(&trial, judge, genome, 0));
    cr_assert_eq(trial.status, EEX_EDIVERGED);
    cr_assert(*trial.reason && isnan(trial.score) && isnan(trial.accuracy) && trial.seconds > 0);
    eex__judge_close(judge);
    eex__run_end(&run);
    eex_experiment_free(e);
}
