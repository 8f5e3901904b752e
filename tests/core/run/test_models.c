/* What a search keeps of its models: each batch once, whatever is said again, in files and back. */
#include "core/run/models.h"
#include "support/folder.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

static char folder[TEST_PATH_SIZE];
static eex_models models, read_back;

static void setup(void)
{
    test_folder_make(folder);
}

static void teardown(void)
{
    eex_models_free(&models);
    eex_models_free(&read_back);
    test_folder_remove(folder);
}

TestSuite(models, .init = setup, .fini = teardown);

static void tell(size_t trials, double hypervolume)
{
    const eex_search_report r = {.trials = trials,
                                 .objective_count = 2,
                                 .surrogate = {"rbf", "ridge"},
                                 .tau = {0.5, NAN},
                                 .null_tau = -0.25,
                                 .hypervolume = hypervolume,
                                 .reference = {0.9, 12}};
    OK(eex_models_add(&models, &r));
}

static size_t first;

static int save(eex_store_file *file, const void *context)
{
    return eex_models_save(&models, first, file, "models");
}

static int load(eex_store_file *file, void *context)
{
    return eex_models_load(&read_back, file, "models");
}

static void keep(const char *name, size_t from)
{
    first = from;
    OK(eex_store_write_file(test_path(folder, name), "search", 1, save, NULL));
    OK(eex_store_read_file(test_path(folder, name), "search", 1, load, NULL));
}

Test(models, what_is_said_again_counts_once)
{
    tell(8, 1);
    tell(8, 1);
    tell(12, 2);
    tell(8, 1); /* of a search that goes on in an earlier batch */
    tell(12, 2);
    cr_assert_eq(models.count, 2);
    cr_expect(models.at[0].trials == 8 && models.at[1].trials == 12);
}

Test(models, parts_in_files_are_put_together)
{
    tell(8, 1);
    keep("a.h5", 0);
    keep("b.h5", 1); /* nothing new */
    tell(12, 2);
    tell(16, 3);
    keep("c.h5", 1);
    cr_assert_eq(read_back.count, 3);
    for (size_t i = 0; i < 3; i++) {
        const eex_models_batch *b = &read_back.at[i];
        cr_expect(b->trials == 8 + 4 * i && b->hypervolume == 1 + (double)i);
        cr_expect(b->tau[0] == 0.5 && isnan(b->tau[1]) && b->null_tau == -0.25);
        cr_expect_str_eq(b->surrogate[0], "rbf");
        cr_expect_str_eq(b->surrogate[1], "ridge");
    }
    cr_expect(read_back.reference[0] == 0.9 && read_back.reference[1] == 12);
}

Test(models, the_hypervolume_is_that_of_the_front_and_its_reference)
{
    const int genome[] = {0};
    const eex_trial done[] = {{.accuracy = 0.5, .macs = 6},
                              {.accuracy = 0.8, .macs = 10},
                              {.accuracy = 0.4, .macs = 7},
                              {.status = EEX_EDIVERGED, .accuracy = NAN, .macs = NAN}};
    eex_trials trials;
    double found;
    eex_trials_init(&trials, 1);
    for (size_t i = 0; i < sizeof done / sizeof *done; i++)
        OK(eex_trials_add(&trials, genome, &done[i]));
    OK(eex_models_hypervolume(&found, &models, &trials, false));
    cr_expect(isnan(found)); /* nobody has said where the reference is */
    tell(3, 1);
    OK(eex_models_hypervolume(&found, &models, &trials, false));
    cr_expect_float_eq(found, 0.4 * 6 + 0.3 * 2, 1e-12);
    eex_trials_free(&trials);
}
