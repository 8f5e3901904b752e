/* Candidates that were asked for ahead: who takes them, what a death leaves, and that a search
 * which judges them itself asks for the same after each interruption. */
#include "core/run/candidates.h"
#include "core/run/run.h"
#include "support/corners.h"
#include "support/runs.h"

#include "base/fs.h"
#include "base/signals.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

static char root[TEST_PATH_SIZE], folder[TEST_PATH_SIZE];
static eex_run_options options;

static void setup(void)
{
    test_runs_begin(root);
    options = test_runs_options(folder, root, "run");
    cr_assert_eq(eex_signals_install(), EEX_OK);
}

static void teardown(void)
{
    eex_signals_clear();
    test_folder_remove(root);
}

TestSuite(candidates, .init = setup, .fini = teardown, .timeout = 120);

static eex_experiment *experiment(int workers)
{
    eex_experiment *e = test_corners_experiment(EEX_EVALUATE_TRAIN);
    e->search.algorithm = EEX_AGING;
    e->search.trials = 5;
    e->search.population = 2;
    e->search.sample = 1;
    e->search.workers = workers;
    e->candidate.epochs = 1;
    return e;
}

static int use_trials(eex_store_file *file, void *context)
{
    return eex_trials_load(context, file, "trials");
}

static eex_trials trials_of(const char *name)
{
    char path[2 * TEST_PATH_SIZE];
    eex_trials trials;
    eex_trials_init(&trials, 3);
    snprintf(path, sizeof path, "%s/search.h5", test_path(root, name));
    OK(eex_store_read_file(path, "search", 1, use_trials, &trials));
    return trials;
}

static bool same(const eex_trials *a, const eex_trials *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (memcmp(eex_trials_genome(a, i), eex_trials_genome(b, i), 3 * sizeof(int)) != 0 ||
            a->at[i].accuracy != b->at[i].accuracy || a->at[i].macs != b->at[i].macs)
            return false;
    return true;
}

/* ---- a search that asks ahead ---- */

static void interrupt_at_trials(const char *path)
{
    if (strstr(path, "/trials-"))
        raise(SIGTERM);
}

Test(candidates, an_interrupted_search_asks_for_the_same)
{
    eex_experiment *e = experiment(3);
    int code, times = 0;
    OK(eex_experiment_run(e, &options));
    eex_trials whole = trials_of("run");
    strcpy(folder, test_path(root, "again"));
    eex__run_saved = interrupt_at_trials;
    while ((code = eex_experiment_run(e, &options)) == EEX_EINTERRUPTED) {
        eex_signals_clear();
        cr_assert_lt(++times, 20);
    }
    eex__run_saved = NULL;
    OK(code);
    cr_assert_geq(times, 4);
    eex_trials parts = trials_of("again");
    cr_assert(same(&whole, &parts), "another search after interruptions");
    cr_assert_not(eex_fs_exists(test_path(root, "again/candidates")));
    eex_trials_free(&whole);
    eex_trials_free(&parts);
    eex_experiment_free(e);
}

/* What is asked ahead is asked without knowing what comes of those in front: another search. */
Test(candidates, how_many_are_open_is_part_of_the_search)
{
    eex_experiment *e = experiment(1), *other = experiment(3);
    OK(eex_experiment_run(e, &options));
    eex_trials one = trials_of("run");
    cr_assert_eq(eex_experiment_run(other, &options), EEX_EINVAL);
    cr_assert(strstr(eex_error(), "search.workers"), "%s", eex_error());
    strcpy(folder, test_path(root, "three"));
    OK(eex_experiment_run(other, &options));
    eex_trials three = trials_of("three");
    cr_assert_not(same(&one, &three));
    e->search.workers = 0;
    strcpy(folder, test_path(root, "none"));
    OK(eex_experiment_run(e, &options));
    eex_trials none = trials_of("none");
    cr_assert(same(&one, &none), "one at a time is one after the other");
    eex_trials_free(&one);
    eex_trials_free(&three);
    eex_trials_free(&none);
    eex_experiment_free(e);
    eex_experiment_free(other);
}

/* ---- taking ---- */

static const int genome[3] = {1, 0, 2};

static eex_run open_with_candidate(const eex_experiment *e)
{
    eex_run run = {.e = e, .options = &options};
    OK(eex__run_begin(&run));
    OK(eex__run_structures(&run, &e->points));
    OK(eex__candidate_put(&run, 4, genome));
    return run;
}

/* A process that takes it and is gone. */
static void die_of_it(const eex_run *run)
{
    int status, deaths;
    const pid_t child = fork();
    if (child == 0) {
        eex_lock *lock;
        _exit(eex__candidate_take(&lock, &deaths, run, 4) == EEX_OK ? 7 : 1);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

Test(candidates, deaths_are_counted_until_the_search_begins_again)
{
    eex_experiment *e = experiment(2);
    eex_run run = open_with_candidate(e);
    eex_lock *lock, *other;
    int deaths, read[EEX_MAX_GENES];
    OK(eex__candidate_genome(read, &run, 4));
    cr_assert_eq(memcmp(read, genome, sizeof genome), 0);
    die_of_it(&run);
    die_of_it(&run);
    OK(eex__candidate_take(&lock, &deaths, &run, 4));
    cr_assert_eq(deaths, 2);
    cr_assert_eq(eex__candidate_take(&other, &deaths, &run, 4), EEX_EBUSY);
    OK(eex__candidate_renew(&run, 4)); /* somebody is at work: it stays */
    eex_lock_release(lock);
    die_of_it(&run);
    OK(eex__candidate_renew(&run, 4));
    OK(eex__candidate_take(&lock, &deaths, &run, 4));
    cr_assert_eq(deaths, 0);
    OK(eex__candidate_say(&run, 4, "stopped"));
    eex_lock_release(lock);
    OK(eex__candidate_take(&lock, &deaths, &run, 4));
    cr_assert_eq(deaths, 0, "who was told to end has not died");
    OK(eex__candidate_say(&run, 4, "failed the disk is full\nand more"));
    cr_assert_eq(eex__candidate_check(&run, 4), EEX_EIO);
    cr_assert_str_eq(eex_error(), "candidate 4: the disk is full");
    eex_lock_release(lock);
    eex__run_end(&run);
    eex_experiment_free(e);
}

Test(candidates, what_is_judged_or_gone_is_not_taken)
{
    eex_experiment *e = experiment(2);
    eex_run run = open_with_candidate(e);
    const eex_trial trial = {.accuracy = 0.5, .seconds = 2}, nothing = {0};
    const int another[3] = {0, 0, 0};
    eex_trial read = nothing;
    eex_lock *lock;
    uint64_t *number;
    size_t count;
    int deaths;
    OK(eex__candidate_finish(&run, 4, genome, &trial));
    cr_assert_eq(eex__candidate_take(&lock, &deaths, &run, 4), EEX_ENOTFOUND);
    OK(eex__candidate_trial(&read, &run, 4, genome));
    cr_assert_eq(read.accuracy, 0.5);
    cr_assert_eq(eex__candidate_trial(&read, &run, 4, another), EEX_EFORMAT);
    OK(eex__candidate_put(&run, 12, another));
    OK(eex__candidates_list(&number, &count, &run));
    cr_assert(count == 2 && number[0] == 4 && number[1] == 12);
    free(number);
    OK(eex__candidate_remove(&run, 4));
    cr_assert_eq(eex__candidate_take(&lock, &deaths, &run, 4), EEX_ENOTFOUND);
    cr_assert_eq(eex__candidate_take(&lock, &deaths, &run, 5), EEX_ENOTFOUND);
    OK(eex__candidates_clear(&run));
    OK(eex__candidates_list(&number, &count, &run));
    cr_assert_eq(count, 0);
    free(number);
    eex__run_end(&run);
    eex_experiment_free(e);
}
