/* A signal in the middle of a training: what was trained is in the checkpoint to the batch, the
 * message says so, and nothing is trained twice. Linked so that each step of a training comes
 * through here, which is where signals are raised. */
#include "core/plan/plan.h"
#include "core/run/experiment.h"
#include "core/store/store.h"
#include "core/train/supernet.h"
#include "cpu/cpu_register.h"
#include "support/capture.h"
#include "support/corners.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the 240 images 90 are set aside: nine batches of 16 an epoch. */
enum { PATH = 256, BATCHES = 9 };

static char root[PATH];

static void setup(void)
{
    snprintf(root, sizeof root, "/tmp/eex-kept-XXXXXX");
    cr_assert_not_null(mkdtemp(root));
    cr_assert_eq(eex_cpu_register(), EEX_OK);
    cr_assert_eq(eex_signals_install(), EEX_OK);
    test_corners_make(root);
}

static void teardown(void)
{
    eex_signals_clear();
    cr_assert_eq(eex_fs_remove_tree(root), EEX_OK);
}

/* ---- steps ---- */

static long steps;    /* of all trainings */
static long due;      /* a signal comes in this one; 0: never */
static long number;   /* of the last one in its own training, from 1 */
static bool training; /* in an epoch: other passes over images have steps, too */
static bool inside;   /* a supernet's step, which is one of many networks */

static void count(const eex_step *step)
{
    number = (long)step->step;
    if (++steps == due)
        raise(due % 2 ? SIGINT : SIGTERM);
}

int __real_eex_plan_step(eex_plan *plan, const eex_step *step);
int __wrap_eex_plan_step(eex_plan *plan, const eex_step *step);
int __wrap_eex_plan_step(eex_plan *plan, const eex_step *step)
{
    if (training && !inside)
        count(step);
    return __real_eex_plan_step(plan, step);
}

int __real_eex_trainer_epoch(eex_trainer *trainer, eex_epoch_report *report);
int __wrap_eex_trainer_epoch(eex_trainer *trainer, eex_epoch_report *report);
int __wrap_eex_trainer_epoch(eex_trainer *trainer, eex_epoch_report *report)
{
    training = true;
    int code = __real_eex_trainer_epoch(trainer, report);
    training = false;
    return code;
}

int __real_eex_supernet_step(eex_supernet *net, const eex_batch *batch, const eex_step *step);
int __wrap_eex_supernet_step(eex_supernet *net, const eex_batch *batch, const eex_step *step);
int __wrap_eex_supernet_step(eex_supernet *net, const eex_batch *batch, const eex_step *step)
{
    count(step);
    inside = true;
    int code = __real_eex_supernet_step(net, batch, step);
    inside = false;
    return code;
}

/* ---- runs ---- */

static int run(const eex_experiment *e, bool fresh, long signal_at)
{
    char folder[PATH + 8];
    snprintf(folder, sizeof folder, "%s/run", root);
    const eex_run_options options = {
        .folder = folder, .data_dir = root, .device = "cpu", .threads = 1, .fresh = fresh};
    steps = 0;
    due = signal_at;
    int code = eex_experiment_run(e, &options);
    eex_signals_clear();
    return code;
}

/* What is kept: whole epochs, batches of the next one, and steps in all. */
typedef struct progress {
    int64_t epochs, batches, steps;
} progress;

static const char *const checkpoints[] = {"base-checkpoint.h5", "shared-checkpoint.h5",
                                          "final-checkpoint.h5", "candidate-checkpoint.h5"};

/* False: there is no checkpoint. */
static bool kept_in_store(progress *out)
{
    int found = 0;
    for (size_t i = 0; i < sizeof checkpoints / sizeof *checkpoints; i++) {
        char path[PATH + 64];
        eex_store_file *file = NULL;
        snprintf(path, sizeof path, "%s/run/%s", root, checkpoints[i]);
        if (!eex_fs_exists(path))
            continue;
        found++;
        *out = (progress){0};
        cr_assert_eq(eex_store_open(&file, path, "checkpoint", 1), EEX_OK, "%s", eex_error());
        cr_assert_eq(eex_store_get_int(&out->epochs, file, "trainer", "epoch"), EEX_OK);
        cr_assert_eq(eex_store_get_int(&out->steps, file, "trainer", "step"), EEX_OK);
        if (eex_store_has_attribute(file, "trainer", "batches") == 1)
            cr_assert_eq(eex_store_get_int(&out->batches, file, "trainer", "batches"), EEX_OK);
        eex_store_close(file);
    }
    cr_assert_leq(found, 1, "%d checkpoints after step %ld", found, due);
    return found == 1;
}

/* "kept in epoch 3, after 7 of its 9 batches", or "kept after epoch 3". False: nothing is said. */
static bool kept_by_message(progress *out, const char *text)
{
    const char *said = strstr(text, ": kept ");
    long long epoch = 0, batches = 0, all = BATCHES;
    if (!said)
        return false;
    if (sscanf(said, ": kept in epoch %lld, after %lld of its %lld", &epoch, &batches, &all) == 3)
        epoch--;
    else
        cr_assert_eq(sscanf(said, ": kept after epoch %lld", &epoch), 1, "%s", said);
    cr_expect_eq(all, BATCHES, "%s", said);
    *out = (progress){epoch, batches, epoch * BATCHES + batches};
    return true;
}

/* A signal in step n of the run's trainings; says whether it fell into a training. In the last step
 * of one it may be heard when its result is kept already, and then there is nothing to say. */
static bool interrupt_in(const eex_experiment *e, long n, long whole)
{
    test_capture capture;
    progress stored, told;
    test_capture_file(&capture);
    const int code = run(e, true, n);
    char *text = test_capture_end(&capture);
    cr_assert_eq(code, EEX_EINTERRUPTED, "step %ld: %s", n, eex_error());
    cr_expect_eq(steps, n, "the signal came in step %ld, the last one was %ld", n, steps);
    const bool said = kept_by_message(&told, text);
    cr_assert(said || number % BATCHES == 0,
              "nothing is kept after step %ld of the run, %ld of "
              "its training: %s",
              n, number, text);
    if (said) {
        cr_assert(kept_in_store(&stored), "step %ld: %s", n, text);
        cr_expect_eq(stored.steps, number, "step %ld: %lld of %ld steps are kept", n,
                     (long long)stored.steps, number);
        cr_expect_eq(stored.epochs, told.epochs, "step %ld: %s", n, text);
        cr_expect_eq(stored.batches, told.batches, "step %ld: %s", n, text);
        cr_expect_eq(told.steps, number, "step %ld: %s", n, text);
    }
    free(text);
    cr_assert_eq(run(e, false, 0), EEX_OK, "step %ld: %s", n, eex_error());
    cr_expect_eq(steps, whole - n, "after step %ld, %ld of the %ld left were trained", n, steps,
                 whole - n);
    return said;
}

/* In every stride-th step, from the first one. */
static void interrupt(eex_experiment *e, int stride)
{
    int said = 0;
    eex_log_set_level(EEX_LOG_WARN);
    cr_assert_eq(run(e, true, 0), EEX_OK, "%s", eex_error());
    const long whole = steps;
    eex_log_set_level(EEX_LOG_INFO);
    for (long n = 1; n <= whole; n += stride)
        said += interrupt_in(e, n, whole);
    cr_expect_geq(said, 5);
    eex_experiment_free(e);
}

TestSuite(kept, .init = setup, .fini = teardown, .timeout = 300);

Test(kept, in_the_base_the_shared_network_and_the_final_one)
{
    eex_experiment *e = test_corners_experiment(EEX_EVALUATE_SHARED);
    e->final.epochs = 2;
    interrupt(e, 5);
}

Test(kept, where_features_are_cached)
{
    eex_experiment *e = test_corners_experiment(EEX_EVALUATE_SHARED);
    e->training.regime = EEX_REGIME_FROZEN;
    e->training.cache_features = true;
    interrupt(e, 8);
}

Test(kept, in_candidates)
{
    interrupt(test_corners_experiment(EEX_EVALUATE_TRAIN), 7);
}

Test(kept, in_a_supernet)
{
    eex_experiment *e = test_corners_elastic(EEX_EVALUATE_SHARED);
    e->training.regime = EEX_REGIME_SANDWICH;
    e->training.random = 1;
    interrupt(e, 3);
}
