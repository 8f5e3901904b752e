/* Trainings that a file keeps: interrupted as often as it takes, they end with the same bits. */
#include "core/train/kept.h"
#include "support/backbones.h"
#include "support/devices.h"
#include "support/folder.h"
#include "support/patches.h"

#include "base/fs.h"
#include "base/signals.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { TRAIN = 264, EPOCHS = 3, SEED = 5 };

static char folder[TEST_PATH_SIZE], path[TEST_PATH_SIZE];
static eex_dataset *data;
static eex_device *dev;
static eex_graph *graph;
static uint32_t samples[TRAIN];
static eex_recipe recipe;

static void setup(void)
{
    test_folder_make(folder);
    snprintf(path, sizeof path, "%s", test_path(folder, "net-checkpoint.h5"));
    data = patches_open(folder, TRAIN, 8, 12);
    dev = open_device(1);
    OK(eex_test_tiny_gated(&graph, PATCH_CLASSES));
    for (uint32_t i = 0; i < TRAIN; i++)
        samples[i] = i;
    const eex_dataset_info *facts = eex_dataset_facts(data);
    recipe = eex_recipe_default();
    recipe.epochs = EPOCHS;
    recipe.batch = 32;
    recipe.lr = 0.05;
    memcpy(recipe.augment.mean, facts->mean, sizeof recipe.augment.mean);
    memcpy(recipe.augment.std, facts->std, sizeof recipe.augment.std);
}

static void teardown(void)
{
    eex_graph_free(graph);
    eex_device_close(dev);
    eex_dataset_close(data);
    test_folder_remove(folder);
}

TestSuite(kept, .init = setup, .fini = teardown, .timeout = 120);

/* Weights drawn by another seed where the file is expected to have better ones. */
static int train(eex_params **params, uint64_t weights, const char *subject, const char *where,
                 int *epoch)
{
    const eex_kept kept = {.title = "training", .path = where, .subject = subject};
    eex_trainer *trainer = NULL;
    eex_epoch_report last;
    OK(eex_params_new(params, dev, graph, weights));
    OK(eex_trainer_new(&trainer, *params, &recipe, data, samples, TRAIN, SEED));
    const int code = eex_kept_train(&last, trainer, &recipe, TRAIN, &kept);
    *epoch = last.epoch;
    eex_trainer_free(trainer);
    return code;
}

static void *signal_soon(void *milliseconds)
{
    nanosleep(&(struct timespec){0, *(const long *)milliseconds * 1000000}, NULL);
    if (!eex_interrupted()) /* a second signal, late on a crowded machine, would end the process */
        raise(SIGINT);
    return NULL;
}

Test(kept, interruptions_change_nothing)
{
    eex_params *whole = NULL, *params = NULL;
    int code = EEX_EINTERRUPTED, epoch, interrupted = 0;
    OK(train(&whole, 1, "a", NULL, &epoch));
    cr_expect_eq(epoch, EPOCHS);
    OK(eex_signals_install());
    raise(SIGINT); /* the first time before anything is done */
    for (long ms = 1; code == EEX_EINTERRUPTED; ms += 2, interrupted++) {
        pthread_t thread;
        cr_assert_eq(pthread_create(&thread, NULL, signal_soon, &ms), 0);
        eex_params_free(params);
        code = train(&params, interrupted ? 77 : 1, "a", path, &epoch);
        pthread_join(thread, NULL);
        eex_signals_clear();
    }
    OK(code);
    cr_expect_gt(interrupted, 1);
    cr_expect(same_floats(dev, whole->w, params->w, whole->count));
    cr_expect(same_floats(dev, whole->state, params->state, whole->state_count));
    eex_params_free(whole);
    eex_params_free(params);
}

Test(kept, what_is_done_is_not_trained_again_and_another_subject_is)
{
    eex_params *first = NULL, *again = NULL, *other = NULL;
    int epoch;
    OK(train(&first, 1, "a", path, &epoch));
    OK(train(&again, 77, "a", path, &epoch));
    cr_expect_eq(epoch, 0);
    cr_expect(same_floats(dev, first->w, again->w, first->count));
    OK(train(&other, 77, "b", path, &epoch));
    cr_expect_eq(epoch, EPOCHS);
    cr_expect(!same_floats(dev, first->w, other->w, first->count));
    eex_params_free(first);
    eex_params_free(again);
    eex_params_free(other);
}

static int never(eex_store_file *file, void *context)
{
    *(bool *)context = true;
    return EEX_OK;
}

Test(kept, files_that_are_none_are_refused_and_others_left_out)
{
    eex_params *params = NULL;
    bool found = true, called = false;
    int epoch;
    OK(eex_kept_read(&found, path, "a", never, &called));
    cr_expect(!found && !called);
    OK(train(&params, 1, "a", path, &epoch));
    eex_params_free(params);
    OK(eex_kept_read(&found, path, "b", never, &called));
    cr_expect(!found && !called);
    OK(eex_kept_read(&found, path, "a", never, &called));
    cr_expect(found && called);
    OK(eex_fs_write(path, "nothing", 7));
    cr_expect_eq(train(&params, 1, "a", path, &epoch), EEX_EFORMAT);
    eex_params_free(params);
}

Test(kept, subjects_differ_by_what_shapes_a_training)
{
    char a[EEX_SHA256_HEX], b[EEX_SHA256_HEX], *name = NULL;
    eex_params *params = NULL;
    OK(eex_params_new(&params, dev, graph, 1));
    OK(eex_kept_subject(a, "x", params, &recipe, samples, TRAIN, 1));
    OK(eex_kept_subject(b, "x", params, &recipe, samples, TRAIN, 1));
    cr_expect_str_eq(a, b);
    OK(eex_kept_subject(b, "y", params, &recipe, samples, TRAIN, 1));
    cr_expect_str_neq(a, b);
    OK(eex_kept_subject(b, "x", params, &recipe, samples, TRAIN - 1, 1));
    cr_expect_str_neq(a, b);
    OK(eex_kept_subject(b, "x", params, &recipe, samples, TRAIN, 2));
    cr_expect_str_neq(a, b);
    recipe.epochs++;
    OK(eex_kept_subject(b, "x", params, &recipe, samples, TRAIN, 1));
    cr_expect_str_neq(a, b);
    eex_params_free(params);
    OK(eex_kept_path(&name, "some/net.h5"));
    cr_expect_str_eq(name, "some/net-checkpoint.h5");
    free(name);
}
