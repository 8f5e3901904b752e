/* What a run is, and what it takes over: descriptions by their paths, threads, data, and files that
 * go together. */
#include "core/policy/trace.h"
#include "core/run/experiment.h"
#include "core/run/run.h"
#include "core/run/run_description.h"
#include "support/corners.h"
#include "support/runs.h"

#include "base/buffer.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char root[TEST_PATH_SIZE];
static eex_experiment *e;

static void setup(void)
{
    test_runs_begin(root);
    e = test_corners_experiment(EEX_EVALUATE_SHARED);
}

static void teardown(void)
{
    eex_experiment_free(e);
    test_folder_remove(root);
}

TestSuite(identity, .init = setup, .fini = teardown, .timeout = 300);

static int run_on(const char *name, int threads, const char *from, bool move)
{
    char folder[TEST_PATH_SIZE + 32], other[TEST_PATH_SIZE + 32];
    snprintf(folder, sizeof folder, "%s/%s", root, name);
    snprintf(other, sizeof other, "%s/%s", root, from ? from : "");
    const eex_run_options options = {.folder = folder,
                                     .data_dir = root,
                                     .device = "cpu",
                                     .threads = threads,
                                     .move = move,
                                     .from = from ? other : NULL};
    return eex_experiment_run(e, &options);
}

static void runs(const char *name, int threads, const char *from)
{
    cr_assert_eq(run_on(name, threads, from, false), EEX_OK, "%s", eex_error());
}

static const char *file_of(const char *name, const char *file)
{
    char both[TEST_PATH_SIZE];
    snprintf(both, sizeof both, "%s/%s", name, file);
    return test_path(root, both);
}

static void lose(const char *name, const char *const *files)
{
    for (; *files; files++)
        cr_assert_eq(unlink(file_of(name, *files)), 0, "%s/%s", name, *files);
}

static const char *const end_of_run[] = {
    "result.h5",           "policies.h5", "final.h5", "final-calibration.h5",
    "final-validation.h5", "search.h5",   NULL};

static bool same_bytes(const char *a, const char *b, const char *file)
{
    char path[TEST_PATH_SIZE];
    bool same = false;
    snprintf(path, sizeof path, "%s", file_of(a, file));
    cr_assert_eq(eex_fs_same(&same, path, file_of(b, file)), EEX_OK, "%s", eex_error());
    return same;
}

static void copy(const char *to, const char *from, const char *file)
{
    char path[TEST_PATH_SIZE];
    snprintf(path, sizeof path, "%s", file_of(to, file));
    cr_assert_eq(eex_fs_copy(path, file_of(from, file)), EEX_OK, "%s", eex_error());
}

/* ---- descriptions ---- */

static bool all(const char *entry, const void *context)
{
    return true;
}

static bool not_named(const char *entry, const void *path)
{
    return !eex__entry_is(entry, path);
}

/* The same by their paths. */
static bool entries_differ(const char *here, const char *there, eex__entry_counts *counts,
                           const void *context)
{
    eex__entries a, b;
    cr_assert_eq(eex__entries_of(&a, here), EEX_OK);
    cr_assert_eq(eex__entries_of(&b, there), EEX_OK);
    const bool differ = eex__entries_differ(&a, &b, counts, context);
    eex__entries_free(&a);
    eex__entries_free(&b);
    return differ;
}

static void differ(const char *here, const char *there, const char *text_here,
                   const char *text_there)
{
    char a[EEX__ENTRY_TEXT], b[EEX__ENTRY_TEXT];
    eex__difference d;
    cr_assert(eex__descriptions_differ(&d, here, there, all, NULL));
    eex__entry_text(a, &d.here, &d.there);
    eex__entry_text(b, &d.there, &d.here);
    cr_expect_str_eq(a, text_here);
    cr_expect_str_eq(b, text_there);
    cr_expect(entries_differ(here, there, all, NULL));
}

static void alike(const char *here, const char *there, eex__entry_counts *counts,
                  const void *context)
{
    eex__difference d;
    cr_expect(!eex__descriptions_differ(&d, here, there, counts, context));
    cr_expect(!entries_differ(here, there, counts, context));
}

Test(identity, entries_are_paired_by_their_paths)
{
    differ("a = 1\nb = 2\nc = 3\n", "a = 1\nb = 5\nc = 3\n", "\"b = 2\"", "\"b = 5\"");
    /* A field that one of them alone has moves all that come behind it by a line. */
    differ("a = 1\nnew = 4\nb = 2\n", "a = 1\nb = 2\n", "\"new = 4\"",
           "new as it is when nobody sets it");
    differ("a = 1\nb = 2\n", "a = 1\nold = 4\nb = 2\n", "old as it is when nobody sets it",
           "\"old = 4\"");
    /* Two of them differ: the first is named, not what stands in its line on the other side. */
    differ("a = 1\nnew = 4\nb = 2\nc = 9\n", "a = 1\nb = 2\nc = 3\n", "\"c = 9\"", "\"c = 3\"");
    differ("ab = 1\n", "a = 1\nab = 1\n", "a as it is when nobody sets it", "\"a = 1\"");
    /* Their order is nobody's business; lines without a path belong to the entry above. */
    alike("a = 1\nb = 2\n", "b = 2\na = 1\n", all, NULL);
    differ("data = x\nmore of it\na = 1\n", "data = x\nless of it\na = 1\n", "\"data = x\"",
           "\"data = x\"");
    alike("data = x\nmore\na = 1\n", "data = y\n\na = 1\n", not_named, "data");
    alike("", "", all, NULL);
}

/* Descriptions of files that somebody has made long, in orders that have nothing in common. */
Test(identity, entries_of_long_descriptions, .timeout = 20)
{
    enum { ENTRIES = 500000 };
    eex_buffer here = EEX_BUFFER_INIT, there = EEX_BUFFER_INIT;
    for (int i = 0; i < ENTRIES; i++) {
        eex_buffer_printf(&here, "f%d = 1\n", i);
        eex_buffer_printf(&there, "f%d = 1\n", ENTRIES - 1 - i);
    }
    cr_expect(!entries_differ(eex_buffer_text(&here), eex_buffer_text(&there), all, NULL));
    eex_buffer_puts(&there, "f = 1\n");
    cr_expect(entries_differ(eex_buffer_text(&here), eex_buffer_text(&there), all, NULL));
    eex_buffer_free(&here);
    eex_buffer_free(&there);
}

/* `quiet` fields are in a description where they are set alone. */
Test(identity, one_changed_field_is_named_as_that_field)
{
    runs("run", 1, NULL);
    e->precision = EEX_BF16_PRODUCTS;
    const int code = run_on("run", 1, NULL, false);
    if (code == EEX_EUNSUPPORTED)
        cr_skip_test("this processor has no other precision");
    cr_expect_eq(code, EEX_EINVAL);
    cr_expect(strstr(eex_error(), "precision = bfloat16-products") &&
                  strstr(eex_error(), "precision as it is when nobody sets it"),
              "%s", eex_error());
}

/* ---- threads ---- */

Test(identity, another_number_of_threads_goes_on)
{
    eex_log_set_level(EEX_LOG_INFO);
    runs("whole", 1, NULL);
    runs("run", 1, NULL);
    lose("run", end_of_run);
    runs("run", 3, NULL);
    cr_expect(eex_fs_exists(file_of("run", "result.h5")));
    eex_store_file *file;
    int64_t threads = 0;
    cr_assert_eq(eex_store_open(&file, file_of("run", "run.h5"), "run", 1), EEX_OK);
    cr_assert_eq(eex_store_get_int(&threads, file, "", "threads"), EEX_OK);
    eex_store_close(file);
    cr_expect_eq(threads, 3);
    runs("run", 2, NULL); /* which is finished, and stays as it was */
    cr_expect_eq(run_on("run", 1, NULL, false), EEX_OK);
    runs("new", 2, "whole"); /* nor do they keep one from taking over */
    cr_expect(same_bytes("whole", "new", "shared.h5"));
}

/* Going on elsewhere is not a way around the data. */
Test(identity, other_data_are_refused_again_and_again)
{
    runs("run", 1, NULL);
    lose("run", end_of_run);
    test_corners_exchange(root);
    for (int i = 0; i < 4; i++) {
        cr_expect_eq(run_on("run", 1 + i % 2, NULL, i < 2), EEX_EINVAL, "%d", i);
        cr_expect(strstr(eex_error(), "run on other data"), "%s", eex_error());
    }
    test_corners_make(root);
    runs("run", 1, NULL);
}

/* ---- taking over ---- */

/* Puts a mark on another run's trace, by which it is known again. */
static void mark(const char *name, const char *file)
{
    char path[TEST_PATH_SIZE];
    eex_store_file *from;
    eex_trace *trace;
    snprintf(path, sizeof path, "%s", file_of(name, file));
    cr_assert_eq(eex_store_open(&from, path, "trace", 1), EEX_OK);
    cr_assert_eq(eex_trace_load(&trace, from, "trace"), EEX_OK);
    eex_store_close(from);
    cr_assert_eq(eex_store_create(&from, path, "trace", 1), EEX_OK);
    cr_assert_eq(eex_trace_save(trace, from, "trace"), EEX_OK);
    cr_assert_eq(eex_store_set_int(from, "", "mark", 1), EEX_OK);
    cr_assert_eq(eex_store_commit(&from), EEX_OK);
    eex_trace_free(trace);
}

static bool marked(const char *name, const char *file)
{
    eex_store_file *from;
    cr_assert_eq(eex_store_open(&from, file_of(name, file), "trace", 1), EEX_OK);
    const bool is = eex_store_has_attribute(from, "", "mark") > 0;
    eex_store_close(from);
    return is;
}

static const char *const traces[] = {"trace-calibration.h5", "trace-validation.h5", "latency.h5",
                                     NULL};

/* "longer" has other weights; where they get into "run", its description does not show it, as with
 * trainings on GPUs and of other versions. */
static void make_runs(void)
{
    runs("from", 1, NULL);
    mark("from", "trace-calibration.h5");
    mark("from", "trace-validation.h5");
    e->training.epochs = 3;
    runs("longer", 1, NULL);
    e->training.epochs = 2;
    runs("run", 1, NULL);
    lose("run", end_of_run);
}

Test(identity, traces_of_another_shared_network_are_not_taken_over)
{
    make_runs();
    copy("run", "longer", "shared.h5");
    lose("run", traces);
    runs("run", 1, "from");
    cr_expect(!marked("run", "trace-calibration.h5") && !marked("run", "trace-validation.h5"));
    cr_expect(!same_bytes("run", "from", "shared.h5"));
}

Test(identity, nor_what_comes_before_files_of_its_own)
{
    make_runs();
    copy("run", "longer", "base.h5");
    lose("run", traces);
    lose("run", (const char *const[]){"shared.h5", NULL});
    runs("run", 1, "from");
    cr_expect(!marked("run", "trace-validation.h5"));
    /* Own traces keep a shared network out that they are not of, and are refused beside the one
     * that the run then trains. */
    make_runs();
    copy("run", "longer", "trace-calibration.h5");
    lose("run", (const char *const[]){"shared.h5", "trace-validation.h5", NULL});
    cr_expect_eq(run_on("run", 1, "from", false), EEX_EFORMAT);
    cr_expect(strstr(eex_error(), "trace-calibration.h5: it was made with another shared.h5"), "%s",
              eex_error());
    cr_expect(!marked("run", "trace-validation.h5"));
}

/* The same bits, trained by itself: only the seconds differ. */
Test(identity, what_goes_with_the_same_files_is_taken_over)
{
    make_runs();
    lose("run", traces);
    runs("run", 1, "from");
    cr_expect(marked("run", "trace-calibration.h5") && marked("run", "trace-validation.h5"));
}

Test(identity, damaged_files_are_not_taken_over)
{
    char path[TEST_PATH_SIZE];
    runs("from", 1, NULL);
    snprintf(path, sizeof path, "%s", file_of("from", "shared.h5"));
    cr_assert_eq(truncate(path, 3000), 0);
    cr_expect_lt(run_on("run", 1, "from", false), 0);
    cr_expect(strstr(eex_error(), "from/shared.h5"), "%s", eex_error());
    cr_expect(!eex_fs_exists(file_of("run", "shared.h5")));
}
