/* Rankings of a run's candidates: what is picked, what is kept, and that the run stays as it is. */
#include "core/run/ranking.h"
#include "core/run/run.h"
#include "core/run/run_ranking.h"
#include "support/corners.h"
#include "support/runs.h"

#include "base/fs.h"
#include "base/signals.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

static char root[TEST_PATH_SIZE], folder[TEST_PATH_SIZE];
static eex_run_options how;
static eex_experiment *e;

static void setup(void)
{
    test_runs_begin(root);
    how = test_runs_options(folder, root, "run");
    e = test_corners_experiment(EEX_EVALUATE_SHARED);
}

static void teardown(void)
{
    eex_experiment_free(e);
    test_folder_remove(root);
}

TestSuite(ranking, .init = setup, .fini = teardown, .timeout = 240);

static const eex_rank_options wanted = {
    .candidates = 4, .repeated = 2, .trainings = 2, .epochs = 1};

static bool there(const char *name)
{
    return eex_fs_exists(test_path(folder, name));
}

static unsigned saved;

static void count_saved(const char *path)
{
    saved++;
}

Test(ranking, keeps_what_it_found_and_touches_nothing_else)
{
    eex_rank_report first, again;
    char *before = NULL, *after = NULL;
    size_t size, size_after;
    OK(eex_experiment_run(e, &how));
    OK(eex_fs_read(&before, &size, test_path(folder, "result.h5"), 1 << 26));
    OK(eex_experiment_rank(&first, e, &how, &wanted));
    cr_expect_eq(first.trained, 6);
    cr_expect_eq(first.failed, 0);
    cr_expect_eq(first.accuracy.count, 4);
    cr_expect_eq(first.accuracy.repeated, 2);
    cr_expect(there("rank.h5") && !there("rank-00000.h5") && !there("candidate-checkpoint.h5"));
    OK(eex_fs_read(&after, &size_after, test_path(folder, "result.h5"), 1 << 26));
    cr_expect(size == size_after && memcmp(before, after, size) == 0, "the result changed");
    free(before);
    free(after);

    saved = 0;
    eex__run_saved = count_saved;
    OK(eex_experiment_rank(&again, e, &how, &wanted));
    eex__run_saved = NULL;
    cr_expect_eq(saved, 0);
    cr_expect_eq(memcmp(&first, &again, sizeof first), 0, "what was read is not what was found");
}

/* Picked evenly by cost, each once, the chosen one first. */
Test(ranking, candidates_differ)
{
    int chosen[EEX_MAX_GENES];
    uint64_t trial;
    eex_run run = {.e = e, .options = &how};
    OK(eex_experiment_run(e, &how));
    OK(eex__run_begin(&run));
    OK(eex__run_phases(&run, EEX_PHASE_TAU));
    eex__ranking r = {.run = &run, .options = {.candidates = 6, .repeated = 3, .trainings = 2}};
    const eex_space *space = &run.structures->space;
    eex_trials_init(&r.picked, space->genes);
    OK(eex__ranking_pick(&r));
    OK(eex__run_chosen(chosen, &run, &trial));
    cr_assert_eq(r.picked.count, 6);
    cr_expect(eex_space_equal(space, chosen, eex_trials_genome(&r.picked, 0)));
    int trainings = 0;
    for (size_t i = 0; i < 6; i++) {
        trainings += eex__ranking_trainings(&r, i);
        for (size_t j = 0; j < i; j++)
            cr_expect(!eex_space_equal(space, eex_trials_genome(&r.picked, i),
                                       eex_trials_genome(&r.picked, j)));
        if (i > 1)
            cr_expect_geq(r.picked.at[i].macs, r.picked.at[i - 1].macs);
    }
    cr_expect_eq(trainings, 9);
    eex_trials_free(&r.picked);
    eex__run_end(&run);
}

static int stop_after;
static const char *stop_at = "rank-";

static void stop(const char *path)
{
    if (strstr(path, stop_at) && --stop_after == 0)
        raise(SIGINT);
}

Test(ranking, goes_on_after_an_interruption_to_the_same_figures)
{
    eex_rank_report whole, parts;
    OK(eex_experiment_run(e, &how));
    OK(eex_experiment_rank(&whole, e, &how, &wanted));
    OK(eex_fs_remove_tree(test_path(folder, "rank.h5")));
    OK(eex_signals_install());
    stop_after = 2;
    eex__run_saved = stop;
    cr_assert_eq(eex_experiment_rank(&parts, e, &how, &wanted), EEX_EINTERRUPTED);
    eex__run_saved = NULL;
    eex_signals_clear();
    cr_assert(there("rank-00001.h5") || there("rank-00100.h5"), "nothing was kept");
    OK(eex_experiment_rank(&parts, e, &how, &wanted));
    whole.seconds = parts.seconds = 0;
    cr_expect_eq(memcmp(&whole, &parts, sizeof whole), 0);
}

/* What was trained for two epochs, a whole candidate or half of one, is not taken for one epoch. */
Test(ranking, trainings_of_other_epochs_are_none)
{
    static const char *const kept[] = {"rank-00000.h5", "candidate-checkpoint.h5"};
    eex_rank_report whole, parts;
    eex_rank_options longer = wanted;
    longer.epochs = 2;
    OK(eex_experiment_run(e, &how));
    OK(eex_experiment_rank(&whole, e, &how, &wanted));
    OK(eex_signals_install());
    for (int i = 0; i < 2; i++) {
        stop_at = kept[i];
        OK(eex_fs_remove_tree(test_path(folder, "rank.h5")));
        stop_after = 1;
        eex__run_saved = stop;
        cr_assert_eq(eex_experiment_rank(&parts, e, &how, &longer), EEX_EINTERRUPTED);
        eex__run_saved = NULL;
        eex_signals_clear();
        cr_assert(there(kept[i]));
        OK(eex_experiment_rank(&parts, e, &how, &wanted));
        whole.seconds = parts.seconds = 0;
        cr_expect_eq(memcmp(&whole, &parts, sizeof whole), 0, "%s", kept[i]);
    }
}

Test(ranking, refuses_what_it_cannot_do)
{
    eex_rank_report report;
    eex_rank_options other = wanted;
    cr_expect_eq(eex_experiment_rank(&report, e, &how, &wanted), EEX_EINVAL);
    cr_expect(strstr(eex_error(), "not finished"), "%s", eex_error());
    OK(eex_experiment_run(e, &how));
    OK(eex_experiment_rank(&report, e, &how, &wanted));
    other.candidates = 3;
    cr_expect_eq(eex_experiment_rank(&report, e, &how, &other), EEX_EINVAL);
    cr_expect(strstr(eex_error(), "--force"), "%s", eex_error());
    other.force = true;
    OK(eex_experiment_rank(&report, e, &how, &other));
    cr_expect_eq(report.accuracy.count, 3);
    other.candidates = 1;
    cr_expect_eq(eex_experiment_rank(&report, e, &how, &other), EEX_EINVAL);
    other.candidates = 2;
    other.repeated = 3;
    cr_expect_eq(eex_experiment_rank(&report, e, &how, &other), EEX_EINVAL);
    cr_expect(strstr(eex_error(), "repeated: 0 to the number of candidates, 2, got 3"), "%s",
              eex_error());
    eex_experiment *training = test_corners_experiment(EEX_EVALUATE_TRAIN);
    eex_run_options elsewhere = how;
    char own[TEST_PATH_SIZE];
    strcpy(own, test_path(root, "train"));
    elsewhere.folder = own;
    OK(eex_experiment_run(training, &elsewhere));
    cr_expect_eq(eex_experiment_rank(&report, training, &elsewhere, &wanted), EEX_EINVAL);
    cr_expect(strstr(eex_error(), "evaluator"), "%s", eex_error());
    eex_experiment_free(training);
}
