/* Runs from end to end on a network and a data set of a few kilobytes: what they leave, that they
 * go on after an interruption anywhere with the same result bit by bit, and what they refuse. */
#include "core/report/report.h"
#include "core/run/experiment.h"
#include "core/run/run.h"
#include "cpu/cpu_register.h"
#include "support/backbones.h"
#include "support/corners.h"

#include "base/fs.h"
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
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CLASSES = 3, PATH = 256 };

static char root[PATH];

static void setup(void)
{
    snprintf(root, sizeof root, "/tmp/eex-experiment-XXXXXX");
    cr_assert_not_null(mkdtemp(root));
    cr_assert_eq(eex_cpu_register(), EEX_OK);
    eex_log_set_level(EEX_LOG_ERROR);
    test_corners_make(root);
}

static void teardown(void)
{
    eex__run_saved = NULL;
    eex_signals_clear();
    cr_assert_eq(eex_fs_remove_tree(root), EEX_OK);
}

/* ---- experiments ---- */

static int run_in(const eex_experiment *e, const char *name, bool fresh)
{
    char folder[PATH + 32];
    snprintf(folder, sizeof folder, "%s/%s", root, name);
    const eex_run_options options = {
        .folder = folder, .data_dir = root, .device = "cpu", .threads = 1, .fresh = fresh};
    return eex_experiment_run(e, &options);
}

static void assert_run(const eex_experiment *e, const char *name)
{
    cr_assert_eq(run_in(e, name, false), EEX_OK, "%s", eex_error());
}

/* ---- comparing folders: everything but times ---- */

static bool is_time(const char *name)
{
    return strstr(name, "latency") || strstr(name, "seconds") || strstr(name, "_ms");
}

static void same_array(eex_store_file *a, eex_store_file *b, const char *name, eex_store_type type,
                       const eex_store_shape *shape)
{
    size_t size = eex_store_type_size(type);
    for (int d = 0; d < shape->rank; d++)
        size *= (size_t)shape->extent[d];
    char *x = malloc(size + 1), *y = malloc(size + 1);
    cr_assert(x && y);
    cr_assert_eq(eex_store_read(x, a, name, type, shape), EEX_OK, "%s", eex_error());
    cr_assert_eq(eex_store_read(y, b, name, type, shape), EEX_OK, "%s", eex_error());
    cr_assert_eq(memcmp(x, y, size), 0, "%s differs in %s", name, eex_store_path(a));
    free(x);
    free(y);
}

static void same_text(eex_store_file *a, eex_store_file *b, const char *name)
{
    eex_store_list x = {0}, y = {0};
    cr_assert_eq(eex_store_read_strings(&x, a, name, 1 << 20), EEX_OK, "%s", eex_error());
    cr_assert_eq(eex_store_read_strings(&y, b, name, 1 << 20), EEX_OK, "%s", eex_error());
    cr_assert_eq(x.count, y.count);
    for (size_t i = 0; i < x.count; i++)
        cr_assert_str_eq(x.item[i], y.item[i]);
    eex_store_list_free(&x);
    eex_store_list_free(&y);
}

static int same_group(eex_store_file *a, eex_store_file *b, const char *group)
{
    eex_store_list names = {0};
    int compared = 0;
    cr_assert_eq(eex_store_names(&names, a, group), EEX_OK, "%s", eex_error());
    for (size_t i = 0; i < names.count; i++) {
        char name[512];
        eex_store_type type;
        eex_store_shape shape;
        eex_store_list members = {0};
        snprintf(name, sizeof name, "%s%s%s", group, *group ? "/" : "", names.item[i]);
        if (is_time(name))
            continue;
        compared++;
        if (eex_store_describe(&type, &shape, a, name) == EEX_OK)
            same_array(a, b, name, type, &shape);
        else if (eex_store_names(&members, a, name) == EEX_OK)
            compared += same_group(a, b, name);
        else
            same_text(a, b, name);
        eex_store_list_free(&members);
    }
    eex_store_list_free(&names);
    return compared;
}

static void same_file(const char *run, const char *other, const char *name)
{
    char path[2][PATH + 128];
    eex_store_file *a = NULL, *b = NULL;
    snprintf(path[0], sizeof path[0], "%s/%s/%s", root, run, name);
    snprintf(path[1], sizeof path[1], "%s/%s/%s", root, other, name);
    cr_assert_eq(eex_store_open(&a, path[0], NULL, 1), EEX_OK, "%s", eex_error());
    cr_assert_eq(eex_store_open(&b, path[1], NULL, 1), EEX_OK, "%s", eex_error());
    cr_assert_gt(same_group(a, b, ""), 0);
    eex_store_close(a);
    eex_store_close(b);
}

/* Both folders have the same files with the same content; returns how many. */
static size_t same_run(const char *run, const char *other)
{
    char folder[2][PATH + 64];
    eex_fs_names a = {0}, b = {0};
    snprintf(folder[0], sizeof folder[0], "%s/%s", root, run);
    snprintf(folder[1], sizeof folder[1], "%s/%s", root, other);
    cr_assert_eq(eex_fs_list(&a, folder[0]), EEX_OK);
    cr_assert_eq(eex_fs_list(&b, folder[1]), EEX_OK);
    cr_assert_eq(a.count, b.count, "%zu files in %s, %zu in %s", a.count, run, b.count, other);
    for (size_t i = 0; i < a.count; i++) {
        cr_assert_str_eq(a.names[i], b.names[i]);
        if (strstr(a.names[i], ".h5") && !is_time(a.names[i]))
            same_file(run, other, a.names[i]);
    }
    size_t count = a.count;
    eex_fs_names_free(&a);
    eex_fs_names_free(&b);
    return count;
}

static eex_report *report_of(const char *name)
{
    char folder[PATH + 32];
    eex_report *report = NULL;
    snprintf(folder, sizeof folder, "%s/%s", root, name);
    cr_assert_eq(eex_report_load(&report, folder), EEX_OK, "%s", eex_error());
    return report;
}

static bool has_file(const char *run, const char *name)
{
    char path[PATH + 64];
    snprintf(path, sizeof path, "%s/%s/%s", root, run, name);
    return eex_fs_exists(path);
}

/* ---- interruption: a signal right after a file was saved ---- */

static int saves;

/* Once: what is saved on the way out may come late on a crowded machine, and a second signal ends
 * the process. */
static void interrupt_at_once(const char *path)
{
    saves++;
    if (!eex_interrupted())
        raise(SIGINT);
}

/* Runs until the next file is saved; true when that was the end. */
static bool step_run(const eex_experiment *e, const char *name)
{
    eex__run_saved = interrupt_at_once;
    int code = run_in(e, name, false);
    eex__run_saved = NULL;
    eex_signals_clear();
    /* After the last file there is nothing left to interrupt. */
    cr_assert(code == EEX_EINTERRUPTED || code == EEX_OK, "save %d: %s", saves, eex_error());
    return code == EEX_OK;
}

static void copy_run(const char *from, const char *to)
{
    char command[4 * PATH];
    snprintf(command, sizeof command, "cd %s && rm -rf %s && cp -r %s %s", root, to, from, to);
    cr_assert_eq(system(command), 0, "%s", command);
}

/* One run goes from save to save; what each of them leaves goes on to the end in a copy. Returns
 * the number of saves. */
static int interrupt_everywhere(const eex_experiment *e)
{
    bool done;
    saves = 0;
    cr_assert_eq(eex_signals_install(), EEX_OK);
    assert_run(e, "whole");
    do {
        cr_assert_lt(saves, 100, "a run that is interrupted again and again gets no further");
        done = step_run(e, "steps");
        copy_run("steps", "pieces");
        assert_run(e, "pieces");
        same_run("whole", "pieces");
    } while (!done);
    return saves;
}

TestSuite(experiment, .init = setup, .fini = teardown, .timeout = 300);

Test(experiment, a_shared_search_ends_with_a_result)
{
    eex_experiment *e = test_corners_experiment(EEX_EVALUATE_SHARED);
    assert_run(e, "run");
    eex_report *r = report_of("run");
    cr_assert(r->finished);
    cr_assert_eq(r->trials.count, 20);
    cr_assert(r->base.accuracy >= 0 && r->base.accuracy <= 1);
    cr_assert(r->best.accuracy >= 0 && r->best.accuracy <= 1);
    cr_assert_gt(r->base.latency.mean, 0);
    cr_assert_gt(r->best.latency.mean, 0);
    cr_assert_gt(r->front_count, 0);
    double share = 0;
    for (int k = 0; k < r->best.exits; k++)
        share += r->best.exit[k].utilisation;
    cr_assert_float_eq(share, 1, 1e-9);
    cr_assert_eq(r->best.exit[r->best.exits - 1].blocks, -1);
    eex_report_free(r);
    eex_experiment_free(e);
}

/* ---- results of before there were rounds ---- */

static int put_old(eex_store_file *file, const char *group)
{
    static const char *const names[] = {"accuracy",       "rejected",        "macs",
                                        "macs_taken",     "latency_mean_ms", "latency_p50_ms",
                                        "latency_p95_ms", "latency_p99_ms"};
    EEX_TRY(eex_store_make_group(file, group));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        EEX_TRY(eex_store_set_double(file, group, names[i], (double)i + 1));
    return EEX_OK;
}

static int write_old(const eex_report *r)
{
    const double zero[EEX_MAX_EXITS] = {0};
    const eex_store_shape shape = {1, {(uint64_t)r->best.exits}};
    char path[PATH + 64];
    eex_store_file *file = NULL;
    snprintf(path, sizeof path, "%s/result.h5", r->folder);
    EEX_TRY(eex_store_create(&file, path, "result", 1));
    int code = put_old(file, "base");
    if (code == EEX_OK)
        code = put_old(file, "best");
    if (code == EEX_OK)
        code = eex_store_write(file, "best/utilisation", EEX_STORE_F64, &shape, zero);
    if (code == EEX_OK)
        code = eex_store_write(file, "best/exit_accuracy", EEX_STORE_F64, &shape, zero);
    if (code == EEX_OK)
        code = eex_store_commit(&file);
    eex_store_close(file);
    return code;
}

static void expect_table(const eex_report *r, const char *has, const char *lacks)
{
    eex_buffer text = EEX_BUFFER_INIT;
    cr_assert_eq(eex_report_table(&text, r, 0), EEX_OK, "%s", eex_error());
    cr_expect(strstr(eex_buffer_text(&text), has), "no \"%s\"", has);
    cr_expect_null(strstr(eex_buffer_text(&text), lacks), "\"%s\"", lacks);
    eex_buffer_free(&text);
}

Test(experiment, times_have_rounds_and_those_of_before_are_told_apart)
{
    eex_experiment *e = test_corners_experiment(EEX_EVALUATE_SHARED);
    assert_run(e, "run");
    eex_report *r = report_of("run");
    const eex_speedup *s = &r->best.speedup;
    cr_expect(r->latency_rounds >= EEX_LAPS_ROUNDS_MIN && r->full.latency.mean > 0);
    cr_expect(r->full.speedup.low <= r->full.speedup.ratio && r->full.speedup.low > 0);
    cr_expect(0 < s->low && s->low <= s->ratio && s->ratio <= s->high);
    cr_expect_float_eq(s->ratio, r->base.latency.mean / r->best.latency.mean, 1e-12);
    cr_expect_leq(r->base.latency.mean, r->base.latency.max);
    expect_table(r, "x (", "the old way");
    cr_assert_eq(write_old(r), EEX_OK, "%s", eex_error());
    eex_report_free(r);
    r = report_of("run");
    cr_expect(r->finished && r->latency_rounds == 0 && !r->best.speedup.disturbed);
    cr_expect(r->best.speedup.ratio == 1 && isnan(r->best.speedup.low));
    cr_expect(isnan(r->full.speedup.ratio) && isnan(r->full.latency.mean) &&
              isnan(r->base.latency.max));
    expect_table(r, "the old way", "x (");
    eex_report_free(r);
    eex_experiment_free(e);
}

/* The shared weights are taken as they are, so the final network must score what the search said of
 * it, whether or not its thresholds are tuned. */
Test(experiment, the_final_network_is_the_one_that_was_judged)
{
    const eex_tune tunes[] = {EEX_TUNE_NONE, EEX_TUNE_ACCURACY, EEX_TUNE_WEIGHTED};
    for (size_t i = 0; i < sizeof tunes / sizeof tunes[0]; i++) {
        eex_experiment *e = test_corners_experiment(EEX_EVALUATE_SHARED);
        e->policy.tune = tunes[i];
        e->policy.target = tunes[i] == EEX_TUNE_WEIGHTED ? 0.1 : 0;
        cr_assert_eq(run_in(e, "run", true), EEX_OK, "%s", eex_error());
        eex_report *r = report_of("run");
        cr_assert_float_eq(r->best.validation_accuracy, r->trials.at[r->chosen].accuracy, 1e-12);
        eex_report_free(r);
        eex_experiment_free(e);
    }
}

Test(experiment, a_finished_run_is_not_redone)
{
    eex_experiment *e = test_corners_experiment(EEX_EVALUATE_SHARED);
    char path[PATH + 32];
    struct stat before, after;
    assert_run(e, "run");
    snprintf(path, sizeof path, "%s/run/result.h5", root);
    cr_assert_eq(stat(path, &before), 0);
    assert_run(e, "run");
    cr_assert_eq(stat(path, &after), 0);
    cr_assert_eq(before.st_ino, after.st_ino);
    cr_assert_eq(run_in(e, "run", true), EEX_OK, "%s", eex_error());
    cr_assert_eq(stat(path, &after), 0);
    cr_assert_neq(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
    eex_experiment_free(e);
}

Test(experiment, starting_again_removes_nothing_of_others)
{
    eex_experiment *e = test_corners_experiment(EEX_EVALUATE_SHARED);
    char mine[PATH + 32];
    assert_run(e, "run");
    snprintf(mine, sizeof mine, "%s/run/mine.h5", root);
    cr_assert_eq(eex_fs_write(mine, "x", 1), EEX_OK);
    snprintf(mine, sizeof mine, "%s/run/trials-mine.h5", root);
    cr_assert_eq(eex_fs_write(mine, "x", 1), EEX_OK);
    e->seed = 2;
    cr_assert_eq(run_in(e, "run", true), EEX_OK, "%s", eex_error());
    cr_assert(eex_fs_exists(mine));
    cr_assert_eq(unlink(mine), 0);
    snprintf(mine, sizeof mine, "%s/run/mine.h5", root);
    cr_assert_eq(unlink(mine), 0);
    assert_run(e, "other");
    same_run("run", "other");
    eex_experiment_free(e);
}

Test(experiment, two_runs_are_the_same_bit_by_bit)
{
    eex_experiment *e = test_corners_experiment(EEX_EVALUATE_SHARED);
    assert_run(e, "run");
    assert_run(e, "again");
    cr_assert_gt(same_run("run", "again"), 8);
    eex_experiment_free(e);
}

Test(experiment, interrupted_anywhere_a_shared_search_ends_the_same)
{
    eex_experiment *e = test_corners_experiment(EEX_EVALUATE_SHARED);
    e->final.epochs = 1;
    e->search.front = 2;
    e->policy.tune = EEX_TUNE_WEIGHTED;
    e->policy.target = 0.2;
    cr_assert_geq(interrupt_everywhere(e), 18);
    eex_experiment_free(e);
}

Test(experiment, interrupted_anywhere_a_search_by_training_ends_the_same)
{
    eex_experiment *e = test_corners_experiment(EEX_EVALUATE_TRAIN);
    e->search.min_accuracy = 0.2;
    e->search.front = 2;
    cr_assert_geq(interrupt_everywhere(e), 13);
    eex_experiment_free(e);
}

/* What its models were worth is kept with the trials, each batch once, and the reference point is
 * that of the first trials. */
Test(experiment, interrupted_anywhere_a_search_on_surrogates_ends_the_same)
{
    eex_experiment *e = test_corners_experiment(EEX_EVALUATE_TRAIN);
    e->search.algorithm = EEX_SURROGATE;
    e->search.initial = 3;
    e->search.batch = 2;
    e->search.trials = 8;
    cr_assert_geq(interrupt_everywhere(e), 15);
    eex_report *r = report_of("whole");
    cr_assert_eq(r->models.count, 3);
    for (size_t i = 0; i < r->models.count; i++) {
        cr_expect_eq(r->models.at[i].trials, 3 + 2 * i);
        cr_expect(i == 0 || r->models.at[i].hypervolume >= r->models.at[i - 1].hypervolume);
    }
    cr_expect_geq(r->hypervolume, r->models.at[2].hypervolume);
    for (size_t i = 0; i < 3; i++) {
        cr_expect_geq(r->models.reference[0], 1 - r->trials.at[i].accuracy);
        cr_expect_geq(r->models.reference[1], r->trials.at[i].macs);
    }
    eex_report *pieces = report_of("pieces");
    cr_expect_arr_eq(pieces->models.reference, r->models.reference, sizeof r->models.reference);
    cr_expect_eq(pieces->hypervolume, r->hypervolume);
    eex_report_free(pieces);
    eex_report_free(r);
    eex_experiment_free(e);
}

Test(experiment, interrupted_anywhere_probe_and_comparison_end_the_same)
{
    eex_experiment *e = test_corners_experiment(EEX_EVALUATE_SHARED);
    e->probe = true;
    e->probe_count = 2;
    e->search.tau = 3;
    e->search.algorithm = EEX_EXHAUSTIVE;
    cr_assert_geq(interrupt_everywhere(e), 14);
    eex_report *r = report_of("whole");
    cr_assert_eq(r->trials.count, 9); /* two points, none or one of two gates */
    cr_assert_eq(r->tau_count, 3);
    eex_report_free(r);
    eex_experiment_free(e);
}

Test(experiment, interrupted_anywhere_a_search_of_networks_ends_the_same)
{
    eex_experiment *e = test_corners_elastic(EEX_EVALUATE_SHARED);
    e->training_from_base = true;
    e->base_epochs = 2;
    cr_assert_geq(interrupt_everywhere(e), 10);
    eex_report *r = report_of("whole");
    cr_assert_eq(r->trials.count, 6);
    eex_report_free(r);
    eex_experiment_free(e);
}

Test(experiment, interrupted_anywhere_networks_trained_from_the_shared_one_end_the_same)
{
    eex_experiment *e = test_corners_elastic(EEX_EVALUATE_TRAIN);
    e->candidate_from = EEX_START_SHARED;
    e->search.min_accuracy = 0.2;
    cr_assert_geq(interrupt_everywhere(e), 10);
    cr_assert(has_file("whole", "shared.h5"));
    eex_experiment_free(e);
}

Test(experiment, a_search_of_networks_does_not_depend_on_threads)
{
    char folder[PATH + 32];
    snprintf(folder, sizeof folder, "%s/two", root);
    const eex_run_options two = {.folder = folder, .data_dir = root, .device = "cpu", .threads = 2};
    eex_experiment *e = test_corners_elastic(EEX_EVALUATE_SHARED);
    assert_run(e, "one");
    cr_assert_eq(eex_experiment_run(e, &two), EEX_OK, "%s", eex_error());
    same_file("one", "two", "search.h5");
    same_file("one", "two", "final.h5");
    same_file("one", "two", "policies.h5");
    cr_assert(has_file("one", "shared.h5") && !has_file("one", "trace-validation.h5"));
    eex_experiment_free(e);
}

/* Runs in a process of its own and kills it after a while; true when it was done before that. */
static bool run_killed(const eex_experiment *e, const char *name, unsigned microseconds)
{
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0)
        _exit(run_in(e, name, false) == EEX_OK ? 0 : 1);
    usleep(microseconds);
    kill(child, SIGKILL);
    int status = 0;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFSIGNALED(status) || WEXITSTATUS(status) == 0, "%s failed", name);
    return WIFEXITED(status);
}

Test(experiment, killed_at_random_moments_a_run_ends_the_same)
{
    enum { RUNS = 6 };
    eex_rng rng;
    int kills = 0;
    eex_experiment *e = test_corners_experiment(EEX_EVALUATE_TRAIN);
    e->final.epochs = 1;
    e->search.front = 2;
    eex_rng_seed(&rng, (uint64_t)getpid(), 0);
    assert_run(e, "whole");
    for (int i = 0; i < RUNS; i++) {
        char name[32];
        unsigned wait = 1000;
        snprintf(name, sizeof name, "killed-%d", i);
        while (!run_killed(e, name, (unsigned)eex_rng_below(&rng, wait))) {
            kills++;
            wait += 5000 + wait / 4; /* so that there is progress on a slow machine */
        }
        same_run("whole", name);
    }
    cr_assert_geq(kills, RUNS);
    eex_experiment_free(e);
}

Test(experiment, another_experiment_in_the_same_folder_is_refused)
{
    eex_experiment *e = test_corners_experiment(EEX_EVALUATE_SHARED);
    assert_run(e, "run");
    e->seed = 2;
    cr_assert_eq(run_in(e, "run", false), EEX_EINVAL);
    cr_assert(strstr(eex_error(), "seed = 1") && strstr(eex_error(), "seed = 2"), "%s",
              eex_error());
    cr_assert(strstr(eex_error(), "--fresh"), "%s", eex_error());
    e->seed = 1;
    e->search.trials = 21;
    cr_assert_eq(run_in(e, "run", false), EEX_EINVAL);
    cr_assert(strstr(eex_error(), "search.trials = 20"), "%s", eex_error());
    eex_experiment_free(e);
}

/* Called and described alike, and yet another data set. */
Test(experiment, other_data_under_the_same_name_are_refused)
{
    eex_experiment *e = test_corners_experiment(EEX_EVALUATE_SHARED);
    char from[PATH + 32], folder[PATH + 32], shared[PATH + 64];
    assert_run(e, "run");
    test_corners_exchange(root);
    cr_expect_eq(run_in(e, "run", false), EEX_EINVAL);
    cr_expect(strstr(eex_error(), "run on other data") && strstr(eex_error(), "corners.h5") &&
                  strstr(eex_error(), "--fresh"),
              "%s", eex_error());
    /* Nothing of it is taken over by a new run: what is trained then is trained on these data. */
    snprintf(from, sizeof from, "%s/run", root);
    snprintf(folder, sizeof folder, "%s/new", root);
    snprintf(shared, sizeof shared, "%s/new/shared.h5", root);
    const eex_run_options options = {
        .folder = folder, .data_dir = root, .device = "cpu", .threads = 1, .from = from};
    cr_assert_eq(eex_experiment_run(e, &options), EEX_OK, "%s", eex_error());
    cr_expect(eex_fs_exists(shared));
    test_corners_make(root);
    assert_run(e, "run");
    cr_expect_eq(run_in(e, "new", false), EEX_EINVAL);
    eex_experiment_free(e);
}

Test(experiment, a_folder_in_use_is_refused)
{
    eex_experiment *e = test_corners_experiment(EEX_EVALUATE_SHARED);
    char folder[PATH + 32];
    eex_lock *lock = NULL;
    snprintf(folder, sizeof folder, "%s/run", root);
    cr_assert_eq(eex_fs_make_folder(folder), EEX_OK);
    cr_assert_eq(eex_lock_acquire(&lock, folder), EEX_OK);
    cr_assert_eq(run_in(e, "run", false), EEX_EBUSY);
    eex_lock_release(lock);
    assert_run(e, "run");
    eex_experiment_free(e);
}

Test(experiment, candidates_that_diverge_are_stored_as_failed)
{
    eex_experiment *e = test_corners_experiment(EEX_EVALUATE_TRAIN);
    e->candidate.lr = 1e30;
    e->candidate.schedule.kind = EEX_SCHEDULE_CONSTANT;
    e->candidate.schedule.warmup = 0;
    cr_assert_eq(run_in(e, "run", false), EEX_EDIVERGED);
    eex_report *r = report_of("run");
    cr_assert_not(r->finished);
    cr_assert_eq(r->trials.count, 3);
    for (size_t i = 0; i < r->trials.count; i++) {
        cr_assert_eq(r->trials.at[i].status, EEX_EDIVERGED);
        cr_assert(*r->trials.at[i].reason);
    }
    eex_report_free(r);
    eex_experiment_free(e);
}

Test(experiment, a_damaged_file_is_named)
{
    eex_experiment *e = test_corners_experiment(EEX_EVALUATE_SHARED);
    char path[PATH + 32];
    assert_run(e, "run");
    snprintf(path, sizeof path, "%s/run/base.h5", root);
    cr_assert_eq(truncate(path, 100), 0);
    snprintf(path, sizeof path, "%s/run/result.h5", root);
    cr_assert_eq(unlink(path), 0);
    cr_assert_lt(run_in(e, "run", false), 0);
    cr_assert(strstr(eex_error(), "base.h5"), "%s", eex_error());
    eex_experiment_free(e);
}

Test(experiment, gates_are_limited)
{
    eex_experiment *e = test_corners_experiment(EEX_EVALUATE_SHARED);
    e->gates.max_exits = 1;
    e->search.algorithm = EEX_EXHAUSTIVE;
    e->search.trials = 100;
    assert_run(e, "run");
    eex_report *r = report_of("run");
    cr_assert_eq(r->trials.count, 7); /* none, or one of two gates at one of three points */
    for (size_t i = 0; i < r->trials.count; i++) {
        int gates = 0;
        for (int p = 0; p < r->trials.genes; p++)
            gates += eex_trials_genome(&r->trials, i)[p] > 0;
        cr_assert_leq(gates, 1);
    }
    eex_report_free(r);
    eex_experiment_free(e);
}

/* A network whose exits are all given: one structure, whatever proposes it and however many trials
 * there may be. */
Test(experiment, one_structure_is_found_by_every_algorithm)
{
    const eex_evaluator_kind evaluators[] = {EEX_EVALUATE_SHARED, EEX_EVALUATE_TRAIN};
    for (int a = 0; a < EEX_ALGORITHMS; a++) {
        const char *name = eex_algorithm_name((eex_algorithm)a);
        eex_experiment *e = test_corners_experiment(evaluators[a % 2]);
        e->gates.required = true;
        e->gates.choices = 1;
        e->search.algorithm = (eex_algorithm)a;
        e->search.trials = 50;
        assert_run(e, name);
        eex_report *r = report_of(name);
        cr_assert_eq(r->trials.count, 1, "%s: %zu trials", name, r->trials.count);
        cr_assert_eq(r->structures, 1);
        cr_assert_eq(r->best.exits, e->points.count + 1);
        for (int k = 0; k < e->points.count; k++)
            cr_assert_eq(r->best.exit[k].blocks, 0);
        eex_report_free(r);
        eex_experiment_free(e);
    }
}

Test(experiment, required_gates_differ_in_their_blocks)
{
    eex_experiment *e = test_corners_experiment(EEX_EVALUATE_SHARED);
    e->gates.required = true;
    e->search.trials = 50;
    e->search.tau = 2;
    assert_run(e, "run");
    eex_report *r = report_of("run");
    cr_assert_eq(r->trials.count, 8); /* 2^3 */
    cr_assert_eq(r->structures, 8);
    cr_assert_eq(r->best.exits, e->points.count + 1);
    eex_report_free(r);
    eex_experiment_free(e);
}

Test(experiment, gates_of_every_family_are_trained_and_judged)
{
    for (int family = 0; family < EEX_GATE_FAMILIES; family++) {
        const char *name = eex_gate_family_name((eex_gate_family)family);
        eex_experiment *e = test_corners_experiment(EEX_EVALUATE_SHARED);
        e->gates.family = (eex_gate_family)family;
        if (family == EEX_GATE_POOLED || family == EEX_GATE_LINEAR)
            e->gates.channels = 6;
        if (family == EEX_GATE_EEC) {
            e->gates.choices = 1;
            e->gates.blocks[0] = 1;
        }
        e->search.trials = 5;
        assert_run(e, name);
        eex_experiment_free(e);
    }
}

Test(experiment, scores_by_latency_use_the_stored_table)
{
    const eex_evaluator_kind evaluators[] = {EEX_EVALUATE_SHARED, EEX_EVALUATE_TRAIN};
    for (int i = 0; i < 2; i++) {
        const char *name = i ? "trained" : "replayed";
        eex_experiment *e = test_corners_experiment(evaluators[i]);
        e->search.score = EEX_SCORE_EQUATION1;
        e->search.cost = EEX_COST_LATENCY;
        e->policy.tune = EEX_TUNE_WEIGHTED;
        e->policy.target = 0.1;
        assert_run(e, name);
        eex_report *r = report_of(name);
        for (size_t t = 0; t < r->trials.count; t++)
            cr_assert_gt(r->trials.at[t].latency, 0);
        eex_report_free(r);
        eex_experiment_free(e);
    }
}

Test(experiment, wrong_fields_are_named)
{
    const struct {
        const char *path;
        size_t offset;
        int value;
    } wrong[] = {
        {"search.population", offsetof(eex_experiment, search.population), 0},
        {"search.sample", offsetof(eex_experiment, search.sample), 7},
        {"search.trials", offsetof(eex_experiment, search.trials), -1},
        {"search.tau", offsetof(eex_experiment, search.tau), 1},
        {"training.epochs", offsetof(eex_experiment, training.epochs), 0},
        {"candidate.batch", offsetof(eex_experiment, candidate.batch), -3},
        {"dataset.validation", offsetof(eex_experiment, data.validation), 0},
        {"gates.blocks", offsetof(eex_experiment, gates.choices), 9},
        {"gates.max_exits", offsetof(eex_experiment, gates.max_exits), -1},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        eex_experiment *e = test_corners_experiment(EEX_EVALUATE_SHARED);
        memcpy((char *)e + wrong[i].offset, &wrong[i].value, sizeof wrong[i].value);
        cr_assert_eq(run_in(e, "run", false), EEX_EINVAL);
        cr_assert_eq(strncmp(eex_error(), wrong[i].path, strlen(wrong[i].path)), 0, "%s: %s",
                     wrong[i].path, eex_error());
        eex_experiment_free(e);
    }
}

static void wrong_gates(const eex_experiment *e, const char *message)
{
    cr_expect_eq(eex_experiment_check(e), EEX_EINVAL);
    cr_expect_str_eq(eex_error(), message);
}

/* Said before anything is trained. */
Test(experiment, required_gates_have_room)
{
    eex_experiment *e = test_corners_experiment(EEX_EVALUATE_SHARED);
    e->gates.required = true;
    e->gates.max_exits = e->points.count;
    cr_assert_eq(eex_experiment_check(e), EEX_OK, "%s", eex_error());
    e->gates.max_exits = 2;
    wrong_gates(e, "gates.max_exits: 0, or as many as there are points, each of which has a gate "
                   "(gates.required), got 2");
    e->gates.max_exits = 10;
    e->points.count = EEX_MAX_GATES + 1;
    for (int p = 0; p < e->points.count; p++)
        e->points.nodes[p] = e->points.nodes[0];
    wrong_gates(e,
                "gates.required: at most 63 points (saliency), each of which has a gate, got 64");
    eex_experiment_free(e);
}

Test(experiment, gates_fit_their_points)
{
    const eex_gate_family families[] = {EEX_GATE_POOLED, EEX_GATE_RESIDUAL};
    int x = 0;
    eex_experiment *e = test_corners_experiment(EEX_EVALUATE_SHARED);
    eex_graph_free(e->backbone);
    cr_assert_eq(eex_graph_new(&e->backbone, "narrow", 3, 3, 3), EEX_OK);
    cr_assert_eq(eex_graph_add_act(e->backbone, &x, x, "first", EEX_ACT_RELU), EEX_OK);
    cr_assert_eq(eex_graph_add_max_pool(e->backbone, &x, x, "last", 3, 3, 0), EEX_OK);
    e->points = (eex_points){.count = 2, .nodes = {1, 2}};
    cr_assert_eq(eex_graph_add_linear(e->backbone, &x, x, "fc", 3, true), EEX_OK);
    cr_assert_eq(eex_graph_finish(e->backbone, x), EEX_OK);
    cr_assert_eq(eex_experiment_check(e), EEX_OK, "%s", eex_error());
    for (int i = 0; i < 2; i++) {
        e->gates.family = families[i];
        wrong_gates(
            e, "gates: 0 blocks behind \"last\" (saliency may leave it out, or gates.family be "
               "another): max_pool \"exits.last.pool0\": a window of 2 with pad 0 does not "
               "fit an image of 1 x 1");
    }
    eex_experiment_free(e);
}

/* ---- precision ---- */

/* Runs in float32 go on with the description that they have. */
Test(experiment, float32_goes_without_saying)
{
    const char line[] = "\nprecision = bfloat16-products";
    eex_experiment *e = test_corners_experiment(EEX_EVALUATE_SHARED);
    char *before, *after;
    cr_assert_eq(eex_experiment_text(&before, e), EEX_OK);
    cr_assert_null(strstr(before, "\nprecision"));
    e->precision = EEX_BF16_PRODUCTS;
    cr_assert_eq(eex_experiment_text(&after, e), EEX_OK);
    char *at = strstr(after, line);
    cr_assert_not_null(at, "%s", after);
    memmove(at, at + strlen(line), strlen(at + strlen(line)) + 1);
    cr_assert_str_eq(before, after);
    free(before);
    free(after);
    eex_experiment_free(e);
}

static void lacks(const eex_experiment *e, const eex_device *dev, const char *message)
{
    if (!message) {
        cr_expect_eq(eex_experiment_check_device(e, dev), EEX_OK, "%s", eex_error());
        return;
    }
    cr_expect_eq(eex_experiment_check_device(e, dev), EEX_EUNSUPPORTED);
    cr_expect(strncmp(eex_error(), message, strlen(message)) == 0, "%s", eex_error());
}

Test(experiment, precisions_that_the_device_lacks_are_named)
{
    const eex_device dev = {.name = "toy", .precisions = 1u << EEX_F32};
    eex_experiment *e = test_corners_experiment(EEX_EVALUATE_SHARED);
    lacks(e, &dev, NULL);
    e->precision = EEX_BF16_PRODUCTS;
    lacks(e, &dev, "precision: toy does not calculate in bfloat16-products");
    e->precision = EEX_F32;
    e->training.precision = EEX_TF32;
    lacks(e, &dev, "training.precision: toy does not calculate in tf32");
    e->training.precision = EEX_F32;
    e->candidate.precision = e->final.precision = EEX_BF16; /* nothing is trained by these */
    lacks(e, &dev, NULL);
    e->search.tau = 2;
    lacks(e, &dev, "candidate.precision: ");
    e->candidate.regime = EEX_REGIME_FROZEN;
    e->candidate.cache_features = true; /* which are float32 */
    lacks(e, &dev, NULL);
    e->final.epochs = 1;
    lacks(e, &dev, "final.precision: ");
    eex_experiment_free(e);
}

/* Before anything is trained, removed or written. */
Test(experiment, a_precision_that_the_device_lacks_fails_at_once)
{
    eex_device *cpu;
    char folder[PATH + 32];
    cr_assert_eq(eex_device_open(&cpu, "cpu", NULL), EEX_OK);
    const bool has = (cpu->precisions & 1u << EEX_TF32) != 0;
    eex_device_close(cpu);
    if (has)
        cr_skip_test("this CPU has tf32");
    eex_experiment *e = test_corners_experiment(EEX_EVALUATE_SHARED);
    snprintf(folder, sizeof folder, "%s/run", root);
    e->precision = EEX_TF32;
    cr_assert_eq(run_in(e, "run", true), EEX_EUNSUPPORTED);
    cr_assert(strstr(eex_error(), "precision: cpu"), "%s", eex_error());
    cr_assert(!eex_fs_exists(folder));
    e->precision = EEX_BF16;
    cr_assert_eq(run_in(e, "run", false), EEX_EINVAL);
    cr_assert(strstr(eex_error(), "precision: "), "%s", eex_error());
    eex_experiment_free(e);
}

Test(experiment, a_backbone_that_does_not_fit_the_data_is_refused)
{
    eex_experiment *e = test_corners_experiment(EEX_EVALUATE_SHARED);
    eex_graph_free(e->backbone);
    e->backbone = NULL;
    cr_assert_eq(eex_test_tiny(&e->backbone, CLASSES + 1), EEX_OK);
    cr_assert_eq(run_in(e, "run", false), EEX_EINVAL);
    cr_assert(strstr(eex_error(), "4 classes"), "%s", eex_error());
    eex_experiment_free(e);
}
