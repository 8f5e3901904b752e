/* The trainer on a data set that a tiny network learns in a second. */
#include "core/train/statistics.h"
#include "core/train/train.h"
#include "support/backbones.h"
#include "support/devices.h"
#include "support/folder.h"
#include "support/learner.h"
#include "support/patches.h"

#include "base/signals.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { TRAIN = 264, EPOCHS = 4, LONG = 16, EXITS = 3 };

static char folder[TEST_PATH_SIZE];
static eex_dataset *data;
static eex_device *dev;
static eex_graph *graph;
static uint32_t samples[TRAIN];

static void setup(void)
{
    test_folder_make(folder);
    data = patches_open(folder, TRAIN, 8, 12);
    dev = open_device(2);
    OK(eex_test_tiny_gated(&graph, PATCH_CLASSES));
    for (uint32_t i = 0; i < TRAIN; i++)
        samples[i] = i;
}

static void teardown(void)
{
    eex_graph_free(graph);
    eex_device_close(dev);
    eex_dataset_close(data);
    test_folder_remove(folder);
}

TestSuite(train, .init = setup, .fini = teardown, .timeout = 120);

static eex_recipe recipe_of(eex_regime regime)
{
    eex_recipe r = learner_recipe(data, regime, EPOCHS);
    r.alone = 2;
    return r;
}

/* For tests that take minutes on an emulated device. */
static void skip_if_quick(int level)
{
    if (tests_are_quick() >= level)
        cr_skip_test("too slow on an emulated device");
}

static learner open_learner(const eex_recipe *recipe, uint64_t weights_seed)
{
    return learner_open(graph, dev, weights_seed, recipe, data, samples, TRAIN);
}

static void expect_same_params(const eex_params *a, const eex_params *b)
{
    cr_expect(same_floats(dev, a->w, b->w, a->count));
    cr_expect(same_floats(dev, a->state, b->state, a->state_count));
}

/* ---- learning ---- */

static void expect_learned(const learner *b, int first, int last)
{
    cr_expect_eq(b->report.exits, EXITS);
    for (int k = 0; k < EXITS; k++) {
        if (k < first || k > last) {
            cr_expect(isnan(b->report.accuracy[k]) && isnan(b->report.loss[k]), "exit %d", k);
            continue;
        }
        cr_expect_gt(b->report.accuracy[k], 0.95, "exit %d: %g", k, b->report.accuracy[k]);
    }
}

static void check_regime(const eex_recipe *recipe)
{
    eex_recipe longer = *recipe;
    longer.epochs = LONG;
    learner b = open_learner(&longer, 1);
    cr_expect_eq(eex_trainer_epochs(b.trainer), 0);
    learner_train(&b, LONG);
    cr_expect(eex_trainer_done(b.trainer));
    cr_expect_eq(b.report.epoch, LONG);
    cr_expect_gt(b.report.images_per_second, 0);
    expect_learned(&b, 0, 2);
    OK(eex_trainer_finish(b.trainer));
    learner_close(&b);
}

Test(train, joint)
{
    eex_recipe r = recipe_of(EEX_REGIME_JOINT);
    check_regime(&r);
}

Test(train, interleaved)
{
    skip_if_quick(1);
    eex_recipe r = recipe_of(EEX_REGIME_INTERLEAVED);
    check_regime(&r);
}

Test(train, distill)
{
    skip_if_quick(1);
    eex_recipe r = recipe_of(EEX_REGIME_DISTILL);
    check_regime(&r);
}

Test(train, mixed)
{
    skip_if_quick(1);
    eex_recipe r = recipe_of(EEX_REGIME_MIXED);
    r.epochs = LONG;
    r.alone = LONG / 2;
    learner b = open_learner(&r, 1);
    learner_train(&b, LONG / 2);
    expect_learned(&b, 2, 2);
    learner_train(&b, LONG / 2);
    expect_learned(&b, 0, 2);
    learner_close(&b);
}

Test(train, adamw)
{
    skip_if_quick(1);
    eex_recipe r = recipe_of(EEX_REGIME_JOINT);
    r.optimizer.kind = EEX_ADAMW;
    r.optimizer.weight_decay = 0.01f;
    r.lr = 0.01;
    check_regime(&r);
}

/* ---- the frozen trunk ---- */

static void expect_trunk_untouched(const eex_params *a, const eex_params *b)
{
    int changed = 0;
    for (int i = 0; i < eex_graph_nodes(graph); i++) {
        const eex_node *node = eex_graph_node(graph, i);
        for (int j = node->first_param; j < node->first_param + node->params; j++) {
            size_t count = eex_param_count(eex_graph_param(graph, j));
            bool same = same_floats(dev, eex_params_at(a, j), eex_params_at(b, j), count);
            if (node->exit == EEX_TRUNK)
                cr_expect(same, "%s moved", eex_graph_param(graph, j)->name);
            changed += !same;
        }
    }
    cr_expect_gt(changed, 0);
}

static void check_frozen(bool cached)
{
    eex_recipe r = recipe_of(EEX_REGIME_JOINT);
    r.epochs = LONG;
    learner b = open_learner(&r, 1);
    eex_params *before;
    learner_train(&b, LONG / 2);
    OK(eex_params_new(&before, dev, graph, 3));
    OK(eex_params_copy(before, b.params, &(int){0}));
    r = recipe_of(EEX_REGIME_FROZEN);
    r.epochs = LONG;
    r.cache_features = cached;
    eex_trainer_free(b.trainer);
    OK(eex_trainer_new(&b.trainer, b.params, &r, data, samples, TRAIN, 6));
    learner_train(&b, LONG);
    expect_learned(&b, 0, 1);
    expect_trunk_untouched(before, b.params);
    eex_params_free(before);
    learner_close(&b);
}

Test(train, frozen)
{
    skip_if_quick(1);
    check_frozen(false);
}

Test(train, frozen_with_cached_features)
{
    skip_if_quick(1);
    check_frozen(true);
}

Test(train, frozen_needs_gates)
{
    eex_recipe r = recipe_of(EEX_REGIME_FROZEN);
    eex_graph *plain;
    eex_params *params;
    eex_trainer *trainer = NULL;
    OK(eex_test_tiny(&plain, PATCH_CLASSES));
    OK(eex_params_new(&params, dev, plain, 1));
    cr_expect_eq(eex_trainer_new(&trainer, params, &r, data, samples, TRAIN, 1), EEX_EINVAL);
    cr_expect_null(trainer);
    cr_expect(strstr(eex_error(), "frozen"), "%s", eex_error());
    eex_params_free(params);
    eex_graph_free(plain);
}

/* ---- the same again ---- */

static void save(const learner *b, const char *path)
{
    eex_store_file *file;
    OK(eex_store_create(&file, path, "checkpoint", 1));
    OK(eex_trainer_save(b->trainer, file, "training"));
    OK(eex_store_commit(&file));
}

static void load(learner *b, const char *path)
{
    eex_store_file *file;
    OK(eex_store_open(&file, path, "checkpoint", 1));
    OK(eex_trainer_load(b->trainer, file, "training"));
    eex_store_close(file);
}

/* What all EPOCHS at once have come to, and what finishing makes of it. */
typedef struct trained {
    eex_params *before;
    learner finished;
} trained;

static trained train_whole(const eex_recipe *recipe)
{
    trained t = {.finished = open_learner(recipe, 1)};
    int copied;
    learner_train(&t.finished, EPOCHS);
    OK(eex_params_new(&t.before, dev, graph, 77));
    OK(eex_params_copy(t.before, t.finished.params, &copied));
    OK(eex_trainer_finish(t.finished.trainer));
    return t;
}

/* Trains `epochs` of EPOCHS, saves, and goes on with a trainer and weights that know nothing. */
static void check_continuing_at(int epochs, const eex_recipe *recipe, const trained *whole)
{
    learner first = open_learner(recipe, 1), second = open_learner(recipe, 77);
    learner_train(&first, epochs);
    save(&first, test_path(folder, "checkpoint.h5"));
    learner_close(&first);
    load(&second, test_path(folder, "checkpoint.h5"));
    cr_expect_eq(eex_trainer_epochs(second.trainer), epochs);
    learner_train(&second, EPOCHS - epochs);
    for (int k = 0; k < EXITS; k++)
        cr_expect(memcmp(&whole->finished.report.loss[k], &second.report.loss[k], sizeof(double)) ==
                  0);
    expect_same_params(whole->before, second.params);
    OK(eex_trainer_finish(second.trainer));
    expect_same_params(whole->finished.params, second.params);
    learner_close(&second);
}

/* After each of so many epochs; 0 ends them. */
static void check_continuing(const eex_recipe *recipe, const int *epochs)
{
    trained whole = train_whole(recipe);
    for (; *epochs; epochs++)
        check_continuing_at(*epochs, recipe, &whole);
    eex_params_free(whole.before);
    learner_close(&whole.finished);
}

Test(train, continues_bit_for_bit)
{
    skip_if_quick(2);
    eex_recipe r = recipe_of(EEX_REGIME_JOINT);
    r.optimizer.ema = 0.95f;
    r.augment.flip = true;
    check_continuing(&r, (int[]){1, 3, 0});
}

Test(train, adamw_continues_bit_for_bit)
{
    skip_if_quick(2);
    eex_recipe r = recipe_of(EEX_REGIME_INTERLEAVED);
    r.optimizer.kind = EEX_ADAMW;
    r.lr = 0.01;
    check_continuing(&r, (int[]){2, 0});
}

Test(train, mixed_continues_bit_for_bit)
{
    skip_if_quick(1);
    eex_recipe r = recipe_of(EEX_REGIME_MIXED);
    check_continuing(&r, (int[]){1, 2, 0});
}

Test(train, the_seed_matters)
{
    eex_recipe r = recipe_of(EEX_REGIME_JOINT);
    learner a = open_learner(&r, 1), b = open_learner(&r, 1), c;
    OK(eex_params_new(&c.params, dev, graph, 1));
    OK(eex_trainer_new(&c.trainer, c.params, &r, data, samples, TRAIN, 6));
    learner_train(&a, 1);
    learner_train(&b, 1);
    learner_train(&c, 1);
    expect_same_params(a.params, b.params);
    cr_expect(!same_floats(dev, a.params->w, c.params->w, a.params->count));
    learner_close(&a);
    learner_close(&b);
    learner_close(&c);
}

Test(train, a_checkpoint_of_another_network_is_refused)
{
    eex_recipe r = recipe_of(EEX_REGIME_JOINT);
    learner b = open_learner(&r, 1);
    eex_graph *plain;
    eex_params *params;
    eex_trainer *trainer;
    eex_store_file *file;
    save(&b, test_path(folder, "gated.h5"));
    OK(eex_test_tiny(&plain, PATCH_CLASSES + 1));
    OK(eex_params_new(&params, dev, plain, 1));
    OK(eex_trainer_new(&trainer, params, &r, data, samples, TRAIN, 1));
    OK(eex_store_open(&file, test_path(folder, "gated.h5"), "checkpoint", 1));
    cr_expect_lt(eex_trainer_load(trainer, file, "training"), 0);
    cr_expect_lt(eex_trainer_load(trainer, file, "elsewhere"), 0);
    eex_store_close(file);
    eex_trainer_free(trainer);
    eex_params_free(params);
    eex_graph_free(plain);
    learner_close(&b);
}

/* ---- averages ---- */

/* Of the average's weights: an average of statistics is not what these do to a batch. */
Test(train, finish_takes_statistics_anew)
{
    skip_if_quick(2);
    eex_recipe r = recipe_of(EEX_REGIME_JOINT);
    r.optimizer.ema = 0.9f;
    learner kept = open_learner(&r, 1);
    r.statistics = 1 << 20; /* more than there are: all of them */
    learner renewed = open_learner(&r, 1);
    learner_train(&kept, 2);
    learner_train(&renewed, 2);
    OK(eex_trainer_finish(kept.trainer));
    OK(eex_trainer_finish(renewed.trainer));
    float *old = fetch_floats(dev, kept.params->state, kept.params->state_count);
    float *now = fetch_floats(dev, renewed.params->state, kept.params->state_count);
    cr_expect_neq(memcmp(old, now, kept.params->state_count * sizeof *old), 0);
    const eex_inference how = {
        .batch = r.batch, .normalise = r.augment, .precision = eex_recipe_precision(&r)};
    uint32_t all[TRAIN];
    eex_statistics_choose(all, TRAIN, samples, TRAIN, r.batch);
    OK(eex_statistics_estimate(kept.params, data, all, TRAIN, &how));
    expect_same_params(kept.params, renewed.params);
    free(old);
    free(now);
    learner_close(&kept);
    learner_close(&renewed);
}

Test(train, finish_puts_the_average_in_place)
{
    skip_if_quick(2);
    eex_recipe r = recipe_of(EEX_REGIME_JOINT);
    r.optimizer.ema = 0.9f;
    learner averaged = open_learner(&r, 1);
    r.optimizer.ema = 0;
    learner plain = open_learner(&r, 1);
    learner_train(&averaged, 2);
    learner_train(&plain, 2);
    expect_same_params(averaged.params, plain.params);
    OK(eex_trainer_finish(plain.trainer));
    expect_same_params(averaged.params, plain.params);
    OK(eex_trainer_finish(averaged.trainer));
    double moved = 0, size = 0;
    float *mean = fetch_floats(dev, averaged.params->w, plain.params->count);
    float *last = fetch_floats(dev, plain.params->w, plain.params->count);
    for (size_t i = 0; i < plain.params->count; i++) {
        moved += pow((double)(mean[i] - last[i]), 2);
        size += pow((double)last[i], 2);
    }
    free(mean);
    free(last);
    cr_expect(moved > 0 && moved < 0.25 * size, "%g of %g", moved, size);
    learner_close(&averaged);
    learner_close(&plain);
}

/* ---- what goes wrong ---- */

Test(train, divergence_is_reported_with_its_place)
{
    eex_recipe r = recipe_of(EEX_REGIME_JOINT);
    r.lr = 1e6;
    r.schedule.kind = EEX_SCHEDULE_CONSTANT;
    r.schedule.warmup = 0;
    learner b = open_learner(&r, 1);
    cr_expect_eq(eex_trainer_epoch(b.trainer, &b.report), EEX_EDIVERGED);
    cr_expect(strstr(eex_error(), "diverged") && strstr(eex_error(), "epoch 1") &&
                  strstr(eex_error(), "training.lr"),
              "%s", eex_error());
    cr_expect_eq(eex_trainer_epochs(b.trainer), 0);
    learner_close(&b);
}

Test(train, a_signal_interrupts_and_the_save_goes_on)
{
    eex_recipe r = recipe_of(EEX_REGIME_JOINT);
    learner whole = open_learner(&r, 1), b = open_learner(&r, 1);
    learner_train(&whole, 2);
    learner_train(&b, 1);
    save(&b, test_path(folder, "checkpoint.h5"));
    OK(eex_signals_install());
    raise(SIGTERM);
    cr_expect_eq(eex_trainer_epoch(b.trainer, &b.report), EEX_EINTERRUPTED);
    cr_expect_eq(eex_trainer_epochs(b.trainer), 1);
    eex_signals_clear();
    load(&b, test_path(folder, "checkpoint.h5"));
    learner_train(&b, 1);
    expect_same_params(whole.params, b.params);
    learner_close(&whole);
    learner_close(&b);
}

/* Signals after some milliseconds, as often as it takes to train everything; each time what is
 * saved goes on with a trainer and weights that know nothing. */
static void *signal_soon(void *milliseconds)
{
    const long ms = *(const long *)milliseconds;
    nanosleep(&(struct timespec){0, ms * 1000000}, NULL);
    raise(SIGINT);
    return NULL;
}

static int check_interrupted(const eex_recipe *recipe, long ms)
{
    learner whole = open_learner(recipe, 1), b = open_learner(recipe, 1);
    int inside = 0, all;
    learner_train(&whole, EPOCHS);
    for (int tries = 0; !eex_trainer_done(b.trainer); tries++) {
        pthread_t thread;
        long wait = ms + tries;
        int code = EEX_OK;
        cr_assert_eq(pthread_create(&thread, NULL, signal_soon, &wait), 0);
        while (code == EEX_OK && !eex_trainer_done(b.trainer))
            code = eex_trainer_epoch(b.trainer, &b.report);
        pthread_join(thread, NULL);
        eex_signals_clear();
        if (code == EEX_OK)
            break;
        cr_assert_eq(code, EEX_EINTERRUPTED, "%s", eex_error());
        inside += eex_trainer_batches(b.trainer, &all) > 0;
        save(&b, test_path(folder, "checkpoint.h5"));
        learner_close(&b);
        b = open_learner(recipe, 77);
        load(&b, test_path(folder, "checkpoint.h5"));
    }
    for (int k = 0; k < EXITS; k++)
        cr_expect(memcmp(&whole.report.loss[k], &b.report.loss[k], sizeof(double)) == 0,
                  "exit %d: %g, %g", k, whole.report.loss[k], b.report.loss[k]);
    expect_same_params(whole.params, b.params);
    learner_close(&whole);
    learner_close(&b);
    return inside;
}

Test(train, a_signal_inside_an_epoch_loses_nothing)
{
    skip_if_quick(1);
    const eex_regime regimes[] = {EEX_REGIME_JOINT, EEX_REGIME_INTERLEAVED, EEX_REGIME_MIXED};
    int inside = 0;
    OK(eex_signals_install());
    for (size_t i = 0; i < sizeof regimes / sizeof *regimes; i++) {
        eex_recipe r = recipe_of(regimes[i]);
        r.batch = 8;
        r.optimizer.ema = 0.95f;
        inside += check_interrupted(&r, 3);
    }
    cr_expect_gt(inside, 0, "no signal came inside an epoch: this has tested nothing");
}

/* ---- progress ---- */

typedef struct watched {
    int calls;
    uint64_t done, total;
    bool sane;
} watched;

static void watch(void *context, int epoch, uint64_t done, uint64_t total, double loss)
{
    watched *w = context;
    w->sane = w->sane && done > w->done && done <= total && epoch >= 1 && isfinite(loss);
    w->calls++;
    w->done = done;
    w->total = total;
}

Test(train, somebody_may_watch)
{
    eex_recipe r = recipe_of(EEX_REGIME_INTERLEAVED);
    r.epochs = 200;
    learner b = open_learner(&r, 1);
    watched w = {.sane = true};
    eex_trainer_watch(b.trainer, watch, &w);
    for (int i = 0; i < 200 && w.calls < 2; i++)
        learner_train(&b, 1);
    cr_expect(w.sane);
    cr_expect_geq(w.calls, 2);
    cr_expect_eq(w.total, 200 * (TRAIN / 32 * 32));
    learner_close(&b);
}
