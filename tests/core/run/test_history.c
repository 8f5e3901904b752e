/* What epochs tell: that validation is looked at as it should, kept, and gone on with; and what the
 * chosen network does when nobody leaves it early. */
#include "core/policy/trace.h"
#include "core/run/experiment.h"
#include "core/run/run.h"
#include "cpu/cpu_register.h"
#include "support/corners.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { PATH = 256, EXITS = 2, EPOCHS = 3 };

static char root[PATH];

static void setup(void)
{
    snprintf(root, sizeof root, "/tmp/eex-history-XXXXXX");
    cr_assert_not_null(mkdtemp(root));
    cr_assert_eq(eex_cpu_register(), EEX_OK);
    eex_log_set_level(EEX_LOG_ERROR);
}

static void teardown(void)
{
    cr_assert_eq(eex_fs_remove_tree(root), EEX_OK);
}

TestSuite(history, .init = setup, .fini = teardown, .timeout = 300);

/* ---- how much is looked at ---- */

typedef struct bed {
    eex_recipe recipe;
    eex_index validation;
    eex__training training;
} bed;

static void bed_init(bed *b, size_t count, size_t validation)
{
    *b = (bed){.recipe = eex_recipe_default(), .validation = {.count = validation}};
    b->recipe.epochs = EPOCHS;
    b->training = (eex__training){
        .recipe = &b->recipe, .count = count, .validation = validation ? &b->validation : NULL};
}

Test(history, looks_at_a_small_part_of_what_an_epoch_trains)
{
    static const struct {
        size_t train, validation, images;
    } cases[] = {
        {40000, 5000, 1000}, {5000, 5000, 500}, {100, 5000, 50}, {40000, 20, 20}, {40000, 0, 0}};
    bed b;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bed_init(&b, cases[i].train, cases[i].validation);
        cr_expect_eq(eex__run_validation_images(&b.training), cases[i].images, "case %zu", i);
        cr_expect_eq(eex__run_validates(&b.training, 1), cases[i].images > 0);
    }
    bed_init(&b, 5000, 5000);
    b.recipe.regime = EEX_REGIME_FROZEN;
    cr_expect_eq(eex__run_validation_images(&b.training), 250);
    cr_expect(eex__run_validates(&b.training, 1));
    b.recipe.cache_features = true;
    cr_expect_not(eex__run_validates(&b.training, 1));
    cr_expect(eex__run_validates(&b.training, EPOCHS));
}

/* ---- in files ---- */

static eex_store_file *store(const char *name, bool make)
{
    char path[PATH + 32];
    eex_store_file *file = NULL;
    snprintf(path, sizeof path, "%s/%s", root, name);
    int code = make ? eex_store_create(&file, path, "checkpoint", 1)
                    : eex_store_open(&file, path, NULL, 1);
    cr_assert_eq(code, EEX_OK, "%s", eex_error());
    return file;
}

static void add_epochs(eex__history *h, int epochs, bool pending)
{
    const eex_epoch_report told = {.exits = EXITS, .loss = {1, 2}, .accuracy = {0.5, 0.25}};
    for (int i = 0; i < epochs; i++) {
        eex__history_add(h, &told, true);
        h->pending = pending && i == epochs - 1;
        for (int k = 0; k < EXITS && !h->pending; k++)
            eex__history_row(h, h->validation, i)[k] = 0.1 * i + 0.01 * k;
    }
}

static void save_and_load(eex__history *out, eex__history *h, const bed *b)
{
    eex_store_file *file = store("h.h5", true);
    cr_assert_eq(eex__history_save(h, file), EEX_OK, "%s", eex_error());
    cr_assert_eq(eex_store_commit(&file), EEX_OK, "%s", eex_error());
    file = store("h.h5", false);
    cr_assert_eq(eex__history_new(out, &b->training, EXITS), EEX_OK);
    cr_assert_eq(eex__history_load(out, file, h->epochs), EEX_OK, "%s", eex_error());
    eex_store_close(file);
}

Test(history, an_epoch_that_is_still_to_be_validated_stays_so)
{
    for (int pending = 0; pending <= 1; pending++) {
        eex__history h, again;
        bed b;
        bed_init(&b, 5000, 5000);
        cr_assert_eq(eex__history_new(&h, &b.training, EXITS), EEX_OK);
        add_epochs(&h, 2, pending);
        save_and_load(&again, &h, &b);
        cr_expect_eq(again.epochs, 2);
        cr_expect_eq(again.pending, pending);
        cr_expect_float_eq(eex__history_row(&again, again.validation, 0)[1], 0.01, 0);
        const double last = eex__history_row(&again, again.validation, 1)[1];
        cr_expect(pending ? isnan(last) : last > 0.1, "%g", last);
        cr_expect(isnan(eex__history_row(&again, again.validation, 2)[0]), "not trained yet");
        eex__history_free(&h);
        eex__history_free(&again);
    }
}

/* A checkpoint of a training that nobody validated, as older ones are: it goes on, and what was not
 * seen is not known. */
Test(history, what_nobody_looked_at_is_not_stored)
{
    eex__history h, again;
    bed none, some;
    bed_init(&none, 5000, 0);
    bed_init(&some, 5000, 5000);
    cr_assert_eq(eex__history_new(&h, &none.training, EXITS), EEX_OK);
    const eex_epoch_report told = {.exits = EXITS};
    eex__history_add(&h, &told, false);
    save_and_load(&again, &h, &some);
    eex_store_file *file = store("h.h5", false);
    cr_expect_not(eex_store_has(file, "history/validation_accuracy"));
    eex_store_close(file);
    cr_expect_not(again.pending);
    cr_expect(isnan(eex__history_row(&again, again.validation, 0)[0]));
    eex__history_free(&h);
    eex__history_free(&again);
}

/* ---- a run ---- */

static void run_in(const char *name)
{
    char folder[PATH + 32];
    eex_experiment *e = test_corners_experiment(EEX_EVALUATE_SHARED);
    snprintf(folder, sizeof folder, "%s/%s", root, name);
    const eex_run_options options = {
        .folder = folder, .data_dir = root, .device = "cpu", .threads = 1};
    test_corners_make(root);
    cr_assert_eq(eex_experiment_run(e, &options), EEX_OK, "%s", eex_error());
    eex_experiment_free(e);
}

/* All of the few validation images are looked at: after the last epoch as the trace says. */
Test(history, the_last_epoch_is_what_the_trace_says)
{
    run_in("run");
    eex_store_file *file = store("run/trace-validation.h5", false);
    eex_trace *trace = NULL;
    cr_assert_eq(eex_trace_load(&trace, file, "trace"), EEX_OK, "%s", eex_error());
    eex_store_close(file);
    file = store("run/shared.h5", false);
    const int exits = trace->exits;
    int64_t images = 0;
    double *seen = NULL;
    eex_store_shape shape = {2, {EEX_STORE_ANY, (uint64_t)exits}};
    cr_assert_eq(eex_store_read_new((void **)&seen, file, "history/validation_accuracy",
                                    EEX_STORE_F64, &shape, 1 << 16),
                 EEX_OK, "%s", eex_error());
    cr_assert_eq(eex_store_get_int(&images, file, "history/validation_accuracy", "images"), EEX_OK);
    eex_store_close(file);
    cr_expect_eq(images, trace->samples);
    cr_expect_eq(shape.extent[0], 2, "an epoch a row");
    for (int k = 0; k < exits; k++)
        cr_expect_float_eq(seen[exits + k], eex_trace_accuracy(trace, k), 1e-12, "exit %d", k);
    free(seen);
    eex_trace_free(trace);
}

/* On the test split, at its end: what it said is what was counted, and nobody left before. */
Test(history, a_result_keeps_the_network_to_its_end)
{
    double accuracy = 0, macs = 0, taken = 0, right = 0;
    int32_t *top = NULL, *exit = NULL;
    eex_store_shape shape = {1, {EEX_STORE_ANY}};
    run_in("run");
    eex_store_file *file = store("run/result.h5", false);
    cr_assert_eq(eex_store_get_double(&accuracy, file, "full", "accuracy"), EEX_OK);
    cr_assert_eq(eex_store_get_double(&macs, file, "full", "macs"), EEX_OK);
    cr_assert_eq(eex_store_get_double(&taken, file, "full", "macs_taken"), EEX_OK);
    cr_assert_eq(
        eex_store_read_new((void **)&top, file, "full/top", EEX_STORE_I32, &shape, 1 << 16),
        EEX_OK);
    cr_assert_eq(
        eex_store_read_new((void **)&exit, file, "full/exit", EEX_STORE_I32, &shape, 1 << 16),
        EEX_OK);
    eex_store_close(file);
    char path[PATH + 32];
    eex_dataset *data = NULL;
    snprintf(path, sizeof path, "%s/corners.h5", root);
    cr_assert_eq(eex_dataset_open(&data, path), EEX_OK, "%s", eex_error());
    const size_t count = (size_t)shape.extent[0];
    cr_assert_eq(count, eex_dataset_facts(data)->test);
    const int32_t *labels = eex_dataset_labels(data) + eex_dataset_facts(data)->train;
    for (size_t i = 0; i < count; i++) {
        right += top[i] == labels[i];
        cr_expect_eq(exit[i], exit[0]);
    }
    cr_expect_float_eq(accuracy, right / (double)count, 1e-12);
    cr_expect_geq(macs, taken);
    eex_dataset_close(data);
    free(top);
    free(exit);
}
