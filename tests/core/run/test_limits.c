/* Limits of a search: how far a candidate oversteps them, what nothing can keep, and that a run
 * chooses only what keeps them. */
#include "core/run/limits.h"
#include "core/run/run.h"
#include "core/run/structure_gates.h"
#include "support/corners.h"
#include "support/runs.h"

#include "base/fs.h"
#include "base/signals.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { GENOMES = 27, VERSION = 1 };

static char root[TEST_PATH_SIZE];
static eex_experiment *e;

static void setup(void)
{
    test_runs_begin(root);
    e = test_corners_experiment(EEX_EVALUATE_SHARED);
    e->search.algorithm = EEX_EXHAUSTIVE;
    e->search.trials = GENOMES;
}

static void teardown(void)
{
    eex_experiment_free(e);
    test_folder_remove(root);
}

TestSuite(limits, .init = setup, .fini = teardown, .timeout = 240);

/* ---- of a candidate ---- */

Test(limits, the_one_that_is_overstepped_most_counts)
{
    const eex_trial t = {.macs = 300, .latency = 2, .least_share = 0.1};
    const struct {
        eex_limits limits;
        double params, violation;
    } cases[] = {
        {{0, 0, 0, 0}, 50, 0},         {{400, 0, 0, 0}, 50, -0.25}, {{200, 0, 0, 0}, 50, 0.5},
        {{300, 0, 0, 0}, 50, 0},       {{200, 0, 0.5, 0}, 50, 3},   {{400, 40, 0, 0}, 50, 0.25},
        {{0, 0, 0, 0.1}, 50, 0},       {{0, 0, 0, 0.4}, 50, 0.75},  {{0, 0, 0, 0.01}, 50, -1},
        {{1e9, 1e9, 8, 0}, 50, -0.75}, {{0, 40, 0, 0}, NAN, NAN},   {{100, 40, 0, 0}, NAN, NAN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const double found = eex_limits_violation(&cases[i].limits, &t, cases[i].params);
        if (isnan(cases[i].violation))
            cr_expect(isnan(found), "%zu: %g", i, found);
        else
            cr_expect_float_eq(found, cases[i].violation, 1e-12, "%zu: %g", i, found);
    }
    cr_expect_not(eex_limits_any(&cases[0].limits));
    for (size_t i = 1; i < sizeof cases / sizeof *cases; i++)
        cr_expect(eex_limits_any(&cases[i].limits));
}

/* ---- of a space ---- */

static int write_times(eex_store_file *file, const void *context)
{
    const double trunk[] = {2, 5, 7}, gate[] = {4, 3.5, 0.25, 0.5, 1, 1};
    const eex_store_shape points = {1, {3}}, gates = {2, {3, 2}};
    EEX_TRY(eex_store_write(file, "trunk_ms", EEX_STORE_F64, &points, trunk));
    EEX_TRY(eex_store_write(file, "gate_ms", EEX_STORE_F64, &gates, gate));
    return eex_store_set_double(file, "", "base_ms", 8);
}

static int read_times(eex_store_file *file, void *context)
{
    return eex_structures_read_times(context, file);
}

static eex_limits least_of_all(const eex_structures *s)
{
    eex_limits least = {NAN, NAN, NAN, 0};
    for (uint64_t i = 0; i < GENOMES; i++) {
        int genome[EEX_MAX_GENES];
        eex_structure_costs costs;
        eex_space_genome(genome, &s->space, i);
        eex_space_canonicalise(genome, &s->space);
        OK(eex_structures_costs(&costs, s, genome));
        least.params = fmin(least.params, costs.params);
        for (int k = 0; k < costs.exits; k++) {
            least.macs = fmin(least.macs, costs.macs[k]);
            least.latency = fmin(least.latency, costs.ms[k]);
        }
    }
    return least;
}

/* The quickest way out is at the second point here, whose gates are the quickest. */
Test(limits, the_least_of_a_space_is_that_of_its_least_structure)
{
    const char *path = test_path(root, "times.h5");
    OK(eex_store_write_file(path, "latency", VERSION, write_times, NULL));
    for (e->gates.max_exits = 0; e->gates.max_exits <= 2; e->gates.max_exits++) {
        eex_structures *s;
        eex_limits least = {NAN, NAN, NAN, 0};
        OK(eex_structures_gates(&s, e, &e->points));
        OK(eex_limits_least(&least, s));
        cr_assert(isnan(least.latency));
        OK(eex_store_read_file(path, "latency", VERSION, read_times, s));
        OK(eex_limits_least(&least, s));
        const eex_limits all = least_of_all(s);
        cr_assert_eq(least.macs, all.macs);
        cr_assert_eq(least.params, all.params);
        cr_assert_eq(least.params, (double)eex_graph_param_total(e->backbone));
        cr_assert_eq(least.latency, all.latency);
        cr_assert_eq(least.latency, 5.25);
        eex_structures_free(s);
    }
}

static void refused(const eex_limits *limits, const eex_limits *least, int code, const char *why)
{
    cr_expect_eq(eex_limits_check(limits, least), code);
    cr_expect(strstr(eex_error(), why), "no \"%s\" in \"%s\"", why, eex_error());
}

Test(limits, what_nothing_can_keep_is_named_with_what_would_do)
{
    const eex_limits least = {1234567, 8901, 0.1234567, 0}, unknown = {10, NAN, NAN, 0};
    refused(&(eex_limits){.macs = 1234566}, &least, EEX_EINVAL, "search.limits.macs");
    refused(&(eex_limits){.macs = 1234566}, &least, EEX_EINVAL, "1234567 MACs");
    refused(&(eex_limits){.params = 8900}, &least, EEX_EINVAL, "8901 parameters");
    refused(&(eex_limits){.latency = 0.1}, &least, EEX_EINVAL, "0.123457 ms");
    refused(&(eex_limits){.params = 10}, &unknown, EEX_EUNSUPPORTED, "search.limits.params");
    OK(eex_limits_check(&(eex_limits){1234567, 8901, 0.123457, 1}, &least));
    OK(eex_limits_check(&(eex_limits){.macs = 10, .latency = 0.1, .share = 0.5}, &unknown));
}

/* ---- of a run ---- */

/* What of an unlimited run keeps the limits, or of another with the same trials. */
static bool keeps(const eex_trial *t, double params, const eex_limits *l)
{
    return t->status == EEX_OK && (l->macs == 0 || t->macs <= l->macs) &&
           (l->params == 0 || params <= l->params) && (l->share == 0 || t->least_share >= l->share);
}

static double params_of(const int *genome)
{
    eex_structures *s;
    eex_structure_costs costs;
    OK(eex_structures_gates(&s, e, &e->points));
    OK(eex_structures_costs(&costs, s, genome));
    eex_structures_free(s);
    return costs.params;
}

/* The trials are those of the run without limits; what is chosen and on the front keeps them, and
 * nothing that keeps them is better. */
static void check_run(const char *name)
{
    const eex_limits *limits = &e->search.limits;
    eex_report *r = test_runs_report(root, name), *all = test_runs_report(root, "unlimited");
    cr_assert_eq(r->trials.count, all->trials.count);
    const eex_trial *chosen = &r->trials.at[r->chosen];
    size_t kept = 0;
    for (size_t i = 0; i < r->trials.count; i++) {
        const eex_trial *t = &r->trials.at[i], *before = &all->trials.at[i];
        const bool good = keeps(t, params_of(eex_trials_genome(&r->trials, i)), limits);
        cr_assert_eq(t->score, before->score);
        cr_assert_eq(before->violation, 0);
        cr_assert_eq(t->violation <= 0, good, "trial %zu: %g", i, t->violation);
        cr_assert(!good || t->score <= chosen->score);
        kept += good;
    }
    cr_assert(chosen->violation <= 0);
    cr_assert(kept > 0 && kept < r->trials.count, "%zu", kept);
    cr_assert_gt(r->front_count, 0);
    for (size_t i = 0; i < r->front_count; i++)
        cr_assert(r->trials.at[r->front[i]].violation <= 0);
    eex_report_free(r);
    eex_report_free(all);
}

/* The middle one of a figure that differs, so that some keep it and some do not. */
static double middle(const eex_report *r, size_t offset)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < r->trials.count; i++) {
        const double value =
            *(const double *)(const void *)((const char *)&r->trials.at[i] + offset);
        low = fmin(low, value);
        high = fmax(high, value);
    }
    cr_assert_lt(low, high);
    return 0.5 * (low + high);
}

Test(limits, a_run_chooses_only_what_keeps_them)
{
    OK(test_runs_run(e, root, "unlimited", NULL));
    eex_report *r = test_runs_report(root, "unlimited");
    const eex_limits cases[] = {
        {.macs = middle(r, offsetof(eex_trial, macs))},
        {.share = middle(r, offsetof(eex_trial, least_share))},
        {.params = params_of((const int[]){0, 2, 1})},
        {.macs = middle(r, offsetof(eex_trial, macs)), .params = params_of((const int[]){2, 0, 1})},
    };
    eex_report_free(r);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[32];
        snprintf(name, sizeof name, "limited-%zu", i);
        e->search.limits = cases[i];
        OK(test_runs_run(e, root, name, NULL));
        check_run(name);
    }
}

Test(limits, every_algorithm_chooses_only_what_keeps_them)
{
    static const eex_algorithm algorithms[] = {EEX_AGING, EEX_RANDOM, EEX_NSGA2, EEX_SURROGATE};
    e->search.limits.params = params_of((const int[]){0, 1, 0});
    e->search.trials = 18;
    e->search.initial = 6;
    e->search.batch = 4;
    for (int a = 0; a < 4; a++) {
        e->search.algorithm = algorithms[a];
        OK(test_runs_run(e, root, eex_algorithm_name(algorithms[a]), NULL));
        eex_report *r = test_runs_report(root, eex_algorithm_name(algorithms[a]));
        cr_assert(r->trials.at[r->chosen].violation <= 0);
        for (size_t i = 0; i < r->front_count; i++)
            cr_assert(r->trials.at[r->front[i]].violation <= 0);
        eex_report_free(r);
    }
}

Test(limits, latency_that_a_search_by_training_keeps_is_measured)
{
    eex_experiment_free(e);
    e = test_corners_experiment(EEX_EVALUATE_TRAIN);
    e->search.limits.latency = 1e6;
    OK(test_runs_run(e, root, "run", NULL));
    eex_report *r = test_runs_report(root, "run");
    for (size_t i = 0; i < r->trials.count; i++)
        cr_assert(r->trials.at[i].latency > 0 && r->trials.at[i].violation <= 0);
    eex_report_free(r);
    cr_assert(test_runs_has(root, "run", "latency.h5"));
    e->search.limits.latency = 1e-9;
    cr_assert_eq(test_runs_run(e, root, "none", NULL), EEX_EINVAL);
    cr_assert(strstr(eex_error(), "search.limits.latency"), "%s", eex_error());
    cr_assert_not(test_runs_has(root, "none", "trials-0000000.h5"));
}

static int saves_left;

static void interrupt_when_due(const char *path)
{
    if (--saves_left == 0)
        raise(SIGINT);
}

static void same_search(const char *a, const char *b)
{
    eex_report *x = test_runs_report(root, a), *y = test_runs_report(root, b);
    cr_assert_eq(x->chosen, y->chosen);
    cr_assert_eq(x->front_count, y->front_count);
    cr_assert_eq(x->trials.count, y->trials.count);
    for (size_t i = 0; i < x->trials.count; i++) {
        cr_assert_eq(x->trials.at[i].violation, y->trials.at[i].violation);
        cr_assert_eq(x->trials.at[i].least_share, y->trials.at[i].least_share);
    }
    eex_report_free(x);
    eex_report_free(y);
}

Test(limits, interrupted_after_every_trial_a_search_chooses_the_same)
{
    enum { TRIALS = 4, SAVES = 4 }; /* run.h5, split.h5 and base.h5, then a file a trial */
    eex_experiment_free(e);
    e = test_corners_experiment(EEX_EVALUATE_TRAIN);
    e->search.trials = TRIALS;
    e->search.limits.params = params_of((const int[]){0, 1, 0});
    OK(test_runs_run(e, root, "whole", NULL));
    cr_assert_eq(eex_signals_install(), EEX_OK);
    for (int n = SAVES; n < SAVES + TRIALS; n++) {
        char name[32];
        snprintf(name, sizeof name, "pieces-%d", n);
        saves_left = n;
        eex__run_saved = interrupt_when_due;
        cr_assert_eq(test_runs_run(e, root, name, NULL), EEX_EINTERRUPTED, "%d: %s", n,
                     eex_error());
        eex__run_saved = NULL;
        eex_signals_clear();
        OK(test_runs_run(e, root, name, NULL));
        same_search("whole", name);
    }
}

/* Also where a probe has still to say which points there are. */
Test(limits, what_nothing_can_keep_is_said_before_training)
{
    for (int probe = 0; probe < 2; probe++) {
        e->probe = probe == 1;
        e->probe_count = 2;
        e->search.limits = (eex_limits){.macs = 1};
        cr_assert_eq(test_runs_run(e, root, "macs", NULL), EEX_EINVAL);
        cr_assert(strstr(eex_error(), "search.limits.macs"), "%s", eex_error());
        cr_assert_not(eex_fs_exists(test_path(root, "macs")));
        e->search.limits = (eex_limits){.params = 1};
        cr_assert_eq(test_runs_run(e, root, "params", NULL), EEX_EINVAL);
        cr_assert(strstr(eex_error(), "search.limits.params"), "%s", eex_error());
        cr_assert_not(eex_fs_exists(test_path(root, "params")));
    }
}

/* The first exit takes some MACs that no candidate has on average, and nobody gives every gate all
 * images. What the message says would do does. */
Test(limits, what_no_candidate_keeps_is_told_with_the_nearest)
{
    eex_structures *s;
    eex_limits least = {NAN, NAN, NAN, 0};
    OK(eex_structures_gates(&s, e, &e->points));
    OK(eex_limits_least(&least, s));
    eex_structures_free(s);
    e->policy.a = 900; /* nobody leaves early */
    e->search.limits = (eex_limits){.macs = least.macs, .share = 1};
    cr_assert_eq(test_runs_run(e, root, "none", NULL), EEX_ENOTFOUND);
    const char *most = strstr(eex_error(), "has macs ");
    cr_assert(most, "%s", eex_error());
    cr_assert_not(test_runs_has(root, "none", "search.h5"));
    cr_assert_eq(sscanf(most, "has macs %lf", &e->search.limits.macs), 1);
    e->search.limits.share = 0;
    OK(test_runs_run(e, root, "some", NULL));
}

/* ---- files of before there were limits ---- */

static int write_old(eex_store_file *file, const void *context)
{
    static const char *const names[] = {"accuracy", "macs",  "latency_ms", "agreement",
                                        "rejected", "score", "seconds"};
    const int32_t genome[] = {0, 1, 2, 1}, status[] = {0, 0};
    const double values[] = {0.5, 0.75};
    const char *const reasons[] = {"", ""};
    const eex_store_shape rows = {1, {2}}, genomes = {2, {2, 2}};
    EEX_TRY(eex_store_write(file, "trials/genome", EEX_STORE_I32, &genomes, genome));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char name[64];
        snprintf(name, sizeof name, "trials/%s", names[i]);
        EEX_TRY(eex_store_write(file, name, EEX_STORE_F64, &rows, values));
    }
    EEX_TRY(eex_store_write(file, "trials/status", EEX_STORE_I32, &rows, status));
    return eex_store_write_strings(file, "trials/reason", reasons, 2);
}

static int use_trials(eex_store_file *file, void *context)
{
    return eex_trials_load(context, file, "trials");
}

Test(limits, trials_of_before_violate_nothing)
{
    const char *path = test_path(root, "old.h5");
    eex_trials trials;
    eex_trials_init(&trials, 2);
    OK(eex_store_write_file(path, "trial", VERSION, write_old, NULL));
    OK(eex_store_read_file(path, "trial", VERSION, use_trials, &trials));
    cr_assert_eq(trials.count, 2);
    for (size_t i = 0; i < trials.count; i++) {
        cr_assert_eq(trials.at[i].violation, 0);
        cr_assert(isnan(trials.at[i].least_share));
    }
    cr_assert_eq(trials.at[1].score, 0.75);
    eex_trials_free(&trials);
}
