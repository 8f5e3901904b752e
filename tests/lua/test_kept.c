/* What a run keeps of its experiment: the script, and apart from it what --set changed. */
#include "core/run/run.h"
#include "core/store/store.h"
#include "lua/lua_experiment.h"
#include "support/folder.h"

#include "base/fs.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SCRIPT                                                                               \
    "return { dataset = { name = 'tiny' }, backbone = require 'eex'.backbones.resnet_small " \
    "{ size = 32 }, training = { epochs = 2, batch = 20 } }"

static char folder[TEST_PATH_SIZE];

static void setup(void)
{
    test_folder_make(folder);
}

static void teardown(void)
{
    test_folder_remove(folder);
}

TestSuite(kept, .init = setup, .fini = teardown);

typedef struct run_file {
    const char *script, *const *set;
    int sets; /* negative: a file of before, without a word of them */
    int said; /* how many it says there are */
} run_file;

static int fill(eex_store_file *file, const void *context)
{
    const run_file *f = context;
    EEX_TRY(eex_store_write_string(file, "script", f->script));
    EEX_TRY(eex_store_set_string(file, "", "name", "kept"));
    EEX_TRY(eex_store_set_int(file, "", "seed", 7));
    if (f->sets > 0)
        EEX_TRY(eex_store_write_strings(file, "sets", f->set, (size_t)f->sets));
    return f->sets < 0 ? EEX_OK : eex_store_set_int(file, "", "set_count", f->said);
}

static int read_back(eex_experiment **out, const run_file *f, bool trust)
{
    cr_assert_eq(eex_store_write_file(test_path(folder, "run.h5"), "run", EEX_RUN_VERSION, fill, f),
                 EEX_OK, "%s", eex_error());
    return eex_lua_experiment_of_run(out, folder, trust);
}

static int epochs_of(const run_file *f)
{
    eex_experiment *e = NULL;
    cr_assert_eq(read_back(&e, f, false), EEX_OK, "%s", eex_error());
    const int epochs = e->training.epochs;
    cr_expect_eq(e->seed, 7);
    eex_experiment_free(e);
    return epochs;
}

Test(kept, a_comment_sets_nothing)
{
    static const char *const set[] = {"training.epochs=5", "training.lr=\n0.5"};
    const char *const comment = SCRIPT "\n-- --set training.epochs=9";
    cr_expect_eq(epochs_of(&(run_file){.script = comment}), 2);
    cr_expect_eq(epochs_of(&(run_file){comment, set, 2, 2}), 5);
}

Test(kept, files_of_before_have_it_behind_the_script)
{
    const char *const before = SCRIPT "\n-- --set training.epochs=5\n-- --set training.epochs=6";
    cr_expect_eq(epochs_of(&(run_file){.script = before, .sets = -1}), 6); /* the last one holds */
    cr_expect_eq(epochs_of(&(run_file){.script = SCRIPT, .sets = -1}), 2);
    cr_expect_eq(
        epochs_of(&(run_file){.script = SCRIPT "\n-- --set training.epochs=5\n", .sets = -1}),
        2); /* a comment of the script's: a line follows */
}

/* As many as a file has room for: the time is that of reading them. */
Test(kept, many_lines_are_no_burden, .timeout = 60)
{
    static const char line[] = "\n-- --set seed=1";
    const size_t lines = 200000, size = sizeof SCRIPT - 1 + lines * (sizeof line - 1);
    char *text = malloc(size + 1), *at = text + sizeof SCRIPT - 1;
    cr_assert_not_null(text);
    memcpy(text, SCRIPT, sizeof SCRIPT);
    for (size_t i = 0; i < lines; i++, at += sizeof line - 1)
        memcpy(at, line, sizeof line);
    const clock_t begin = clock();
    cr_expect_eq(epochs_of(&(run_file){.script = text, .sets = -1}), 2);
    cr_expect_lt((double)(clock() - begin) / CLOCKS_PER_SEC, 5, "of the processor's time");
    free(text);
}

Test(kept, one_that_is_missing_is_said)
{
    static const char *const set[] = {"training.epochs=5"};
    eex_experiment *e = NULL;
    cr_expect_eq(read_back(&e, &(run_file){SCRIPT, set, 1, 2}, false), EEX_EFORMAT);
    cr_expect_not_null(strstr(eex_error(), "/sets: 1 strings, expected 2"), "%s", eex_error());
    cr_expect_eq(read_back(&e, &(run_file){.script = SCRIPT, .said = 1}, false), EEX_ENOTFOUND);
    cr_expect_null(e);
}

/* A run may be somebody else's: what it says was set is no word of who reads it. */
Test(kept, what_it_sets_may_no_more_than_its_script)
{
    static const char *const set[] = {"dataset.name=/etc/passwd"};
    const run_file f = {SCRIPT, set, 1, 1};
    eex_experiment *e = NULL;
    cr_expect_neq(read_back(&e, &f, false), EEX_OK);
    cr_expect_not_null(strstr(eex_error(), "--trust"), "%s", eex_error());
    cr_expect_not_null(strstr(eex_error(), "run.h5: --set dataset.name="), "%s", eex_error());
    cr_assert_eq(read_back(&e, &f, true), EEX_OK, "%s", eex_error());
    cr_expect_str_eq(e->data.name, "/etc/passwd");
    eex_experiment_free(e);
}

/* Made by a run and read back: the script to the byte, and what was set. */
Test(kept, an_experiment_keeps_both)
{
    static const char *const set[] = {"training.epochs=5", "training.lr=0.25"};
    const eex_lua_experiment_options options = {.set = set, .sets = 2};
    eex_experiment *e = NULL;
    cr_assert_eq(eex_fs_write(test_path(folder, "a.lua"), SCRIPT, strlen(SCRIPT)), EEX_OK);
    cr_assert_eq(eex_lua_experiment(&e, test_path(folder, "a.lua"), &options), EEX_OK);
    cr_expect_str_eq(e->source, SCRIPT);
    cr_assert_eq(e->sets.count, 2);
    cr_expect_str_eq(e->sets.item[1], set[1]);
    eex_experiment_free(e);
}
