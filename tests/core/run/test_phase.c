/* The table of phases: every file that a run leaves is of exactly one of them. */
#include "core/run/run.h"
#include "core/store/kinds.h"
#include "cpu/cpu_register.h"
#include "support/corners.h"
#include "support/folder.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

TestSuite(phase, .timeout = 120);

/* "trials-*.h5" as a name: "trials-0000012.h5". */
static void name_of(char out[64], const char *pattern)
{
    const char *star = strchr(pattern, '*');
    if (star)
        snprintf(out, 64, "%.*s0000012%s", (int)(star - pattern), pattern, star + 1);
    else
        snprintf(out, 64, "%s", pattern);
}

static void check_files(eex_phase owner, const eex_phase_file *files)
{
    for (int i = 0; i < EEX_PHASE_FILES && files[i].name; i++) {
        char name[64];
        eex_phase phase = EEX_PHASES;
        name_of(name, files[i].name);
        cr_assert_not_null(files[i].kind, "%s", name);
        cr_expect_not_null(eex__store_remedy(files[i].kind), "%s: nothing is said of a bad one",
                           name);
        cr_assert_eq(eex_phase_file_of(&phase, name), &files[i], "%s", name);
        cr_assert_eq(phase, owner, "%s", name);
    }
}

Test(phase, every_name_is_of_one_phase)
{
    for (int p = 0; p < EEX_PHASES; p++) {
        const eex_phase_row *row = eex_phase_at((eex_phase)p);
        cr_assert(row->name && (row->work || row->wanted) && row->files[0].name, "phase %d", p);
        check_files((eex_phase)p, row->files);
        check_files((eex_phase)p, row->temporary);
    }
}

Test(phase, other_names_are_of_none)
{
    static const char *const names[] = {
        "run.h5",       "mine.h5",  "base",     "base.h5.part",         "bases.h5",    "",
        "trials-12.h6", "trials-*", "tau-.h5x", "trials-0000012.h5.h5", "trials-1a.h5"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        eex_phase phase = EEX_PHASES;
        cr_assert_null(eex_phase_file_of(&phase, names[i]), "%s", names[i]);
        cr_assert_eq(phase, EEX_PHASES);
    }
}

/* ---- what runs leave ---- */

static unsigned saved; /* phases of which a file was saved, as bits */

static void note(const char *path)
{
    const char *name = eex_path_base(path);
    eex_phase phase;
    if (strcmp(name, "run.h5") == 0)
        return;
    cr_assert_not_null(eex_phase_file_of(&phase, name), "%s", name);
    saved |= 1u << phase;
}

static bool stays(const char *name)
{
    eex_phase phase;
    if (strcmp(name, "run.h5") == 0)
        return true;
    const eex_phase_file *file = eex_phase_file_of(&phase, name);
    const eex_phase_file *files = file ? eex_phase_at(phase)->files : NULL;
    return file && file >= files && file < files + EEX_PHASE_FILES;
}

static void check_run(const char *root, const eex_experiment *e, unsigned phases)
{
    char folder[TEST_PATH_SIZE];
    snprintf(folder, sizeof folder, "%s", test_path(root, "run"));
    const eex_run_options options = {
        .folder = folder, .data_dir = root, .device = "cpu", .threads = 1, .fresh = true};
    eex_fs_names names = {0};
    saved = 0;
    eex__run_saved = note;
    int code = eex_experiment_run(e, &options);
    eex__run_saved = NULL;
    cr_assert_eq(code, EEX_OK, "%s", eex_error());
    cr_assert_eq(saved, phases, "%x instead of %x", saved, phases);
    cr_assert_eq(eex_fs_list(&names, folder), EEX_OK);
    for (size_t i = 0; i < names.count; i++) {
        const char *name = names.names[i];
        cr_assert(!strstr(name, ".h5") || stays(name), "%s is left", name);
        cr_assert_eq(eex_run_owns(test_path(folder, name)), strstr(name, ".h5") != NULL, "%s",
                     name);
    }
    eex_fs_names_free(&names);
}

Test(phase, a_run_leaves_files_of_the_table_alone)
{
    const unsigned all = ((1u << EEX_PHASES) - 1) & ~(1u << EEX_PHASE_RANKING); /* asked for */
    char root[TEST_PATH_SIZE];
    test_folder_make(root);
    cr_assert_eq(eex_cpu_register(), EEX_OK);
    eex_log_set_level(EEX_LOG_ERROR);
    test_corners_make(root);
    eex_experiment *e = test_corners_experiment(EEX_EVALUATE_SHARED);
    e->final.epochs = 1;
    e->search.tau = 2;
    e->search.front = 2;
    e->rivals.base = true;
    e->rivals.epochs = 1;
    e->predictor.epochs = 1;
    e->partition.latency = 1e6;
    e->partition.epochs = e->partition.more = 1;
    e->partition.batch = 16;
    e->probe = true;
    e->probe_count = 2;
    check_run(root, e, all);
    eex_experiment_free(e);
    e = test_corners_experiment(EEX_EVALUATE_TRAIN);
    check_run(root, e,
              all & ~(1u << EEX_PHASE_PROBE | 1u << EEX_PHASE_SHARED | 1u << EEX_PHASE_LATENCY |
                      1u << EEX_PHASE_TAU | 1u << EEX_PHASE_FRONT | 1u << EEX_PHASE_PREDICTOR |
                      1u << EEX_PHASE_PARTITION | 1u << EEX_PHASE_RIVALS));
    eex_experiment_free(e);
    test_folder_remove(root);
}

Test(phase, a_fresh_start_that_cannot_begin_removes_nothing)
{
    char root[TEST_PATH_SIZE], folder[TEST_PATH_SIZE];
    test_folder_make(root);
    snprintf(folder, sizeof folder, "%s", test_path(root, "run"));
    cr_assert_eq(eex_cpu_register(), EEX_OK);
    eex_log_set_level(EEX_LOG_ERROR);
    test_corners_make(root);
    eex_experiment *e = test_corners_experiment(EEX_EVALUATE_SHARED);
    eex_run_options options = {.folder = folder, .data_dir = root, .device = "cpu", .threads = 1};
    cr_assert_eq(eex_experiment_run(e, &options), EEX_OK, "%s", eex_error());
    options.fresh = true;
    options.data_dir = folder; /* where there is no such data set */
    cr_expect_eq(eex_experiment_run(e, &options), EEX_ENOTFOUND, "%s", eex_error());
    cr_expect(eex_fs_exists(test_path(folder, "result.h5")));
    cr_expect(eex_fs_exists(test_path(folder, "run.h5")));
    eex_experiment_free(e);
    test_folder_remove(root);
}

/* ---- killed while it is cleared ---- */

enum { MOST_FILES = 32 };

/* The names of a folder's HDF5 files in the order in which a fresh start removes them. */
static int order_of_clearing(char names[MOST_FILES][64], const eex_experiment *e,
                             const eex_run_options *options)
{
    _Alignas(struct inotify_event) char events[1 << 16];
    int count = 0;
    const int watch = inotify_init1(IN_NONBLOCK);
    cr_assert(watch >= 0 && inotify_add_watch(watch, options->folder, IN_DELETE) >= 0);
    cr_assert_eq(eex_signals_install(), EEX_OK);
    raise(SIGINT); /* so that nothing comes after it */
    cr_assert_eq(eex_experiment_run(e, options), EEX_EINTERRUPTED);
    eex_signals_clear();
    const ssize_t bytes = read(watch, events, sizeof events);
    for (ssize_t at = 0; at < bytes;) {
        const struct inotify_event *event = (const struct inotify_event *)(events + at);
        if (strstr(event->name, ".h5") && !strstr(event->name, ".part") && count < MOST_FILES)
            snprintf(names[count++], 64, "%s", event->name);
        at += (ssize_t)(sizeof *event + event->len);
    }
    close(watch);
    return count;
}

static void copy_run(const char *from, const char *to, char names[MOST_FILES][64], int first,
                     int count)
{
    char source[TEST_PATH_SIZE];
    cr_assert_eq(eex_fs_remove_tree(to), EEX_OK);
    cr_assert_eq(eex_fs_make_folder(to), EEX_OK);
    for (int i = first; i < count; i++) {
        char *data = NULL;
        size_t size = 0;
        snprintf(source, sizeof source, "%s", test_path(from, names[i]));
        cr_assert_eq(eex_fs_read(&data, &size, source, 1 << 28), EEX_OK, "%s", eex_error());
        cr_assert_eq(eex_fs_write(test_path(to, names[i]), data, size), EEX_OK);
        free(data);
    }
}

Test(phase, a_kill_while_a_run_is_cleared_leaves_one_that_goes_on)
{
    char root[TEST_PATH_SIZE], whole[TEST_PATH_SIZE], part[TEST_PATH_SIZE];
    char names[MOST_FILES][64];
    test_folder_make(root);
    snprintf(whole, sizeof whole, "%s", test_path(root, "whole"));
    snprintf(part, sizeof part, "%s", test_path(root, "part"));
    cr_assert_eq(eex_cpu_register(), EEX_OK);
    eex_log_set_level(EEX_LOG_ERROR);
    test_corners_make(root);
    eex_experiment *e = test_corners_experiment(EEX_EVALUATE_SHARED);
    e->search.front = 2;
    eex_run_options options = {.folder = part, .data_dir = root, .device = "cpu", .threads = 1};
    cr_assert_eq(eex_experiment_run(e, &options), EEX_OK, "%s", eex_error());
    options.folder = whole;
    cr_assert_eq(eex_experiment_run(e, &options), EEX_OK, "%s", eex_error());
    options.folder = part;
    options.fresh = true;
    const int count = order_of_clearing(names, e, &options);
    cr_assert(count > 8, "%d files", count);
    cr_expect_str_eq(names[0], "result.h5");
    cr_expect_str_eq(names[count - 1], "run.h5");
    options.fresh = false;
    for (int gone = 1; gone < count; gone++) {
        copy_run(whole, part, names, gone, count);
        cr_expect_eq(eex_experiment_run(e, &options), EEX_OK, "without %s: %s", names[gone - 1],
                     eex_error());
        cr_expect(eex_fs_exists(test_path(part, names[gone - 1])), "%s", names[gone - 1]);
    }
    eex_experiment_free(e);
    test_folder_remove(root);
}

Test(phase, a_name_of_no_phase_is_not_written)
{
    const eex_run_options options = {.folder = "/nowhere"};
    const eex_run run = {.options = &options};
    cr_assert_eq(eex__run_write(&run, "mine.h5", NULL, NULL), EEX_EINVAL);
    cr_assert(strstr(eex_error(), "mine.h5"), "%s", eex_error());
    cr_assert_eq(eex__run_read(&run, "mine.h5", NULL, NULL), EEX_EINVAL);
}
