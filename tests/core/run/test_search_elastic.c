/* A search of an elastic space on surrogates, from end to end: whenever it is killed it goes on to
 * the same trials, models and reference point; no network is judged twice; and a limit of latency
 * that nothing keeps is said before training, with what would do. */
#include "core/graph/elastic.h"
#include "core/run/limits.h"
#include "core/run/run.h"
#include "core/run/run_files.h"
#include "support/capture.h"
#include "support/corners.h"
#include "support/elastic.h"
#include "support/runs.h"

#include "base/log.h"
#include "base/rng.h"
#include "base/signals.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { TRIALS = 10, FILES = 2, DRAWS = 100, CLASSES = 3 };

static char root[TEST_PATH_SIZE];
static eex_experiment *e;

static void setup(void)
{
    test_runs_begin(root);
    e = test_corners_elastic(EEX_EVALUATE_SHARED);
    e->search.algorithm = EEX_SURROGATE;
    e->search.trials = TRIALS;
    e->search.initial = 4;
    e->search.batch = 2;
}

static void teardown(void)
{
    eex_experiment_free(e);
    eex_signals_clear();
    test_folder_remove(root);
}

TestSuite(search_elastic, .init = setup, .fini = teardown, .timeout = 120);

/* ---- killed ---- */

static int files_left;

static void interrupt_when_due(const char *path)
{
    if (strstr(path, "trials-") && --files_left == 0)
        raise(SIGINT);
}

static void same_models(const eex_models *a, const eex_models *b)
{
    cr_assert(a->count > 2 && a->count == b->count);
    cr_assert_arr_eq(a->reference, b->reference, sizeof a->reference);
    for (size_t i = 0; i < a->count; i++) {
        const eex_models_batch *x = &a->at[i], *y = &b->at[i];
        cr_assert(x->trials == y->trials && x->hypervolume == y->hypervolume);
        cr_assert_str_eq(x->surrogate[0], y->surrogate[0]);
        cr_assert_str_eq(x->surrogate[1], y->surrogate[1]);
    }
}

/* Latencies are of one table, which was taken over. */
static void same_search(const eex_report *a, const eex_report *b)
{
    cr_assert(a->chosen == b->chosen && a->trials.count == TRIALS && b->trials.count == TRIALS);
    for (size_t i = 0; i < TRIALS; i++) {
        const eex_trial *x = &a->trials.at[i], *y = &b->trials.at[i];
        cr_assert_arr_eq(eex_trials_genome(&a->trials, i), eex_trials_genome(&b->trials, i),
                         (size_t)a->trials.genes * sizeof(int), "trial %zu", i);
        cr_assert(x->accuracy == y->accuracy && x->macs == y->macs && x->latency == y->latency);
        cr_assert(x->latency > 0);
    }
    cr_assert_eq(a->hypervolume, b->hypervolume);
    same_models(&a->models, &b->models);
}

static void distinct(const eex_report *r)
{
    const size_t bytes = (size_t)r->trials.genes * sizeof(int);
    for (size_t i = 0; i < r->trials.count; i++)
        for (size_t j = 0; j < i; j++)
            cr_assert_neq(
                memcmp(eex_trials_genome(&r->trials, i), eex_trials_genome(&r->trials, j), bytes),
                0);
}

/* With a limit between what trials without one have. */
static void check_limited(const char *from, const eex_report *free_of_it)
{
    double least = INFINITY, most = 0;
    for (size_t i = 0; i < TRIALS; i++) {
        least = fmin(least, free_of_it->trials.at[i].latency);
        most = fmax(most, free_of_it->trials.at[i].latency);
    }
    const double limit = e->search.limits.latency = (least + most) / 2;
    OK(test_runs_run(e, root, "limited", from));
    eex_report *r = test_runs_report(root, "limited");
    cr_assert_leq(r->trials.at[r->chosen].latency, limit);
    for (size_t i = 0; i < r->front_count; i++)
        cr_assert_leq(r->trials.at[r->front[i]].latency, limit);
    for (size_t i = 0; i < TRIALS; i++)
        cr_assert_float_eq(r->trials.at[i].violation, r->trials.at[i].latency / limit - 1, 1e-9);
    eex_report_free(r);
}

Test(search_elastic, killed_after_any_file_it_goes_on_identically)
{
    OK(test_runs_run(e, root, "whole", NULL));
    eex_report *whole = test_runs_report(root, "whole");
    distinct(whole);
    check_limited("whole", whole);
    e->search.limits.latency = 0;
    OK(eex_signals_install());
    for (int n = 1; n <= FILES; n++) {
        char name[32];
        snprintf(name, sizeof name, "pieces-%d", n);
        files_left = n;
        eex__run_saved = interrupt_when_due;
        const int code = test_runs_run(e, root, name, "whole");
        eex__run_saved = NULL;
        eex_signals_clear();
        cr_assert_eq(code, EEX_EINTERRUPTED, "%d: %s", n, eex_error());
        cr_assert(test_runs_has(root, name, "latency.h5") &&
                  !test_runs_has(root, name, "search.h5"));
        OK(test_runs_run(e, root, name, NULL));
        eex_report *pieces = test_runs_report(root, name);
        same_search(whole, pieces);
        eex_report_free(pieces);
    }
    eex_report_free(whole);
}

/* ---- limits of latency ---- */

/* What the message says would do is what the quickest way out takes, whichever network. */
Test(search_elastic, a_latency_that_nothing_keeps_is_said_before_training)
{
    eex_run run = {.e = e};
    e->search.limits.latency = 1e-9;
    cr_assert_eq(test_runs_run(e, root, "none", NULL), EEX_EINVAL);
    const char *least = strstr(eex_error(), "takes ");
    cr_assert(least && strstr(eex_error(), "search.limits.latency: 1e-09 ms"), "%s", eex_error());
    double would_do = 0;
    cr_assert_eq(sscanf(least, "takes %lf ms", &would_do), 1);
    cr_assert(test_runs_has(root, "none", "latency.h5") &&
              !test_runs_has(root, "none", "base.h5") && !test_runs_has(root, "none", "split.h5"));

    char folder[TEST_PATH_SIZE];
    snprintf(folder, sizeof folder, "%s", test_path(root, "none"));
    const eex_run_options options = {
        .folder = folder, .data_dir = root, .device = "cpu", .threads = 1};
    run.options = &options;
    OK(eex__run_begin(&run));
    OK(eex__run_structures(&run, &e->points));
    OK(eex__run_latency(&run));
    eex_rng rng;
    eex_rng_seed(&rng, 1, 1);
    for (int i = 0; i < DRAWS; i++) {
        int genome[EEX_MAX_GENES];
        eex_structure_costs costs;
        eex_space_random(genome, &run.structures->space, &rng);
        eex_space_canonicalise(genome, &run.structures->space);
        OK(eex_structures_costs(&costs, run.structures, genome));
        for (int k = 0; k < costs.exits; k++)
            cr_assert_gt(costs.ms[k], would_do - 2e-6);
    }
    eex_limits at_least = {NAN, NAN, NAN, 0};
    OK(eex_limits_least(&at_least, run.structures));
    OK(eex_limits_check(&(eex_limits){.latency = would_do}, &at_least));
    eex__run_end(&run);
}

/* ---- latencies that nobody can measure ---- */

static void search_large(void)
{
    eex_graph_free(e->backbone);
    e->backbone = NULL;
    OK(eex_test_elastic_large(&e->backbone, CLASSES));
    e->points = (eex_points){
        2, {eex_graph_find(e->backbone, "conv0"), eex_graph_find(e->backbone, "conv1")}};
    e->gates.choices = 1;
}

/* A supernet's candidates have latencies, whatever is searched by. */
Test(search_elastic, latencies_that_cannot_be_had_are_refused_before_training)
{
    search_large();
    for (int cost = 0; cost < 2; cost++) {
        e->search.cost = cost ? EEX_COST_LATENCY : EEX_COST_MACS;
        const char *name = cost ? "by-latency" : "by-macs";
        const int code = test_runs_run(e, root, name, NULL);
        cr_assert_eq(code, EEX_EUNSUPPORTED, "%d: %s", code, eex_error());
        cr_assert(strstr(eex_error(), "\"conv1\" of \"large\" takes depends on more genes"), "%s",
                  eex_error());
        cr_assert(!test_runs_has(root, name, "base.h5"));
    }
}

/* Which points are left is known by then. */
Test(search_elastic, behind_a_probe_they_are_refused_before_the_supernet_and_said_before_the_base)
{
    test_capture c;
    search_large();
    e->probe = true;
    e->probe_count = 1;
    test_capture_file(&c);
    eex_log_set_level(EEX_LOG_WARN);
    const int code = test_runs_run(e, root, "probed", NULL);
    eex_log_set_level(EEX_LOG_ERROR);
    char *said = test_capture_end(&c);
    cr_assert_eq(code, EEX_EUNSUPPORTED);
    cr_assert(strstr(said, "may be refused once the base is trained: latencies: what \"conv1\""),
              "%s", said);
    free(said);
    cr_assert(test_runs_has(root, "probed", "probe.h5") &&
              !test_runs_has(root, "probed", "shared.h5") &&
              !test_runs_has(root, "probed", "shared-checkpoint.h5"));
}
