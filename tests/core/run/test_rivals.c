/* Static rivals: how long they are trained, which of them wins, and their file. */
#include "core/run/rivals.h"
#include "support/folder.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static eex_experiment *experiment(void)
{
    eex_experiment *e = eex_experiment_new();
    cr_assert_not_null(e);
    e->training.epochs = 20;
    e->final.epochs = 3;
    e->candidate.epochs = 5;
    return e;
}

Test(rivals, are_trained_as_long_as_the_chosen_network)
{
    eex_experiment *e = experiment();
    e->search.evaluator = EEX_EVALUATE_SHARED;
    e->training_from_base = false;
    cr_expect_eq(eex_experiment_epochs(e), 23);
    e->training_from_base = true;
    cr_expect_eq(eex_experiment_epochs(e), 43);
    e->base_epochs = 7;
    cr_expect_eq(eex_experiment_epochs(e), 30);
    e->training_from_base = false;
    e->training.regime = EEX_REGIME_FROZEN; /* always from the base */
    cr_expect_eq(eex_experiment_epochs(e), 30);
    e->search.evaluator = EEX_EVALUATE_TRAIN;
    e->candidate_from = EEX_START_SCRATCH;
    cr_expect_eq(eex_experiment_epochs(e), 8);
    e->candidate.regime = EEX_REGIME_FROZEN; /* stands on the base, whatever it says */
    cr_expect_eq(eex_experiment_epochs(e), 15);
    e->candidate.regime = EEX_REGIME_JOINT;
    e->candidate_from = EEX_START_BASE;
    cr_expect_eq(eex_experiment_epochs(e), 15);
    e->candidate_from = EEX_START_SHARED;
    cr_expect_eq(eex_experiment_epochs(e), 35);
    eex_experiment_free(e);
}

static eex_rival three[] = {
    /* and one that failed */
    {.name = "base", .epochs = 40, .accuracy = 0.867, .validation_accuracy = 0.86, .macs = 9e6},
    {.name = "cut after exit 1", .accuracy = 0.853, .macs = 2.2e6},
    {.name = "narrower", .accuracy = 0.82, .macs = 2e6, .seconds = 12},
    {.name = "wild", .accuracy = NAN, .macs = 1e6, .failure = "training of wild diverged"},
};

Test(rivals, one_wins_that_is_no_dearer_and_at_least_as_accurate)
{
    const eex_rivals r = {3, three};
    cr_expect_null(eex_rivals_better(&r, 0.854, 2.35e6));
    cr_expect_eq(eex_rivals_better(&r, 0.853, 2.2e6), &three[1]);
    cr_expect_eq(eex_rivals_better(&r, 0.8, 2.35e6), &three[1], "the most accurate of those");
    cr_expect_eq(eex_rivals_better(&r, 0.8, 2.1e6), &three[2]);
    cr_expect_null(eex_rivals_better(&(eex_rivals){0}, 0, 1e9));
}

Test(rivals, one_that_failed_beats_nothing)
{
    eex_rival failed[] = {three[0], three[1]};
    const eex_rivals r = {2, failed};
    cr_expect_eq(eex_rivals_best(&r), &failed[0]);
    strcpy(failed[0].failure, "diverged"); /* whatever its figures would be */
    cr_expect_eq(eex_rivals_best(&r), &failed[1]);
    cr_expect_eq(eex_rivals_better(&r, 0.8, 1e9), &failed[1]);
    strcpy(failed[1].failure, "diverged");
    cr_expect_null(eex_rivals_better(&r, 0.8, 1e9));
    cr_expect_null(eex_rivals_best(&r));
}

static int fill(eex_store_file *file, const void *context)
{
    return eex_rivals_save(context, file);
}

static int use(eex_store_file *file, void *context)
{
    return eex_rivals_load(context, file);
}

Test(rivals, come_back_as_they_were_written)
{
    char folder[TEST_PATH_SIZE];
    test_folder_make(folder);
    const char *path = test_path(folder, "rivals.h5");
    const eex_rivals r = {4, three};
    eex_rivals back = {0};
    cr_assert_eq(eex_store_write_file(path, "rivals", 1, fill, &r), EEX_OK, "%s", eex_error());
    cr_assert_eq(eex_store_read_file(path, "rivals", 1, use, &back), EEX_OK, "%s", eex_error());
    cr_assert_eq(back.count, 4);
    for (int i = 0; i < 4; i++) {
        cr_expect_str_eq(back.at[i].failure, three[i].failure);
        cr_expect_str_eq(back.at[i].name, three[i].name);
        cr_expect_eq(back.at[i].epochs, three[i].epochs);
        cr_expect(back.at[i].accuracy == three[i].accuracy ||
                  (isnan(back.at[i].accuracy) && i == 3));
        cr_expect_eq(back.at[i].validation_accuracy, three[i].validation_accuracy);
        cr_expect_eq(back.at[i].macs, three[i].macs);
        cr_expect_eq(back.at[i].seconds, three[i].seconds);
    }
    eex_rivals_free(&back);
    test_folder_remove(folder);
}

/* As they were written when one that diverged ended the run; with a context, and damaged. */
static int fill_older(eex_store_file *file, const void *context)
{
    static const char *const columns[] = {"epochs", "validation_accuracy", "accuracy", "macs",
                                          "seconds"};
    static const char *name[] = {"base"}, *two[] = {"", "why"};
    const double value = 0.5;
    EEX_TRY(eex_store_write_strings(file, "name", name, 1));
    for (size_t c = 0; c < sizeof columns / sizeof *columns; c++)
        EEX_TRY(
            eex_store_write(file, columns[c], EEX_STORE_F64, &(eex_store_shape){1, {1}}, &value));
    return context ? eex_store_write_strings(file, "failure", two, 2) : EEX_OK;
}

Test(rivals, are_read_from_older_files_and_not_from_damaged_ones)
{
    char folder[TEST_PATH_SIZE];
    test_folder_make(folder);
    const char *path = test_path(folder, "rivals.h5");
    eex_rivals back = {0};
    cr_assert_eq(eex_store_write_file(path, "rivals", 1, fill_older, NULL), EEX_OK);
    cr_assert_eq(eex_store_read_file(path, "rivals", 1, use, &back), EEX_OK, "%s", eex_error());
    cr_assert_eq(back.count, 1);
    cr_expect_str_eq(back.at[0].failure, "");
    cr_expect_eq(back.at[0].accuracy, 0.5);
    eex_rivals_free(&back);
    cr_assert_eq(eex_store_write_file(path, "rivals", 1, fill_older, &back), EEX_OK);
    cr_expect_eq(eex_store_read_file(path, "rivals", 1, use, &back), EEX_EFORMAT);
    cr_expect(strstr(eex_error(), "failure"), "%s", eex_error());
    cr_expect_null(back.at);
    test_folder_remove(folder);
}
