/* Copies are whole or not there, of whatever size, and comparing tells every byte. */
#include "support/folder.h"

#include "base/fs.h"
#include "base/signals.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 256 * 1024 };

static char folder[TEST_PATH_SIZE];

static void setup(void)
{
    test_folder_make(folder);
}

static void teardown(void)
{
    eex_signals_clear();
    test_folder_remove(folder);
}

TestSuite(fs_copy, .init = setup, .fini = teardown);

static void write_file(const char *name, size_t size, size_t changed)
{
    char *data = malloc(size + 1);
    cr_assert_not_null(data);
    for (size_t i = 0; i < size; i++)
        data[i] = (char)(i * 31 + i / 977);
    if (changed < size)
        data[changed] ^= 1;
    cr_assert_eq(eex_fs_write(test_path(folder, name), data, size), EEX_OK);
    free(data);
}

static size_t files(void)
{
    eex_fs_names names = {NULL, 0};
    cr_assert_eq(eex_fs_list(&names, folder), EEX_OK);
    const size_t count = names.count;
    eex_fs_names_free(&names);
    return count;
}

Test(fs_copy, any_size)
{
    const size_t sizes[] = {0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 17};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        bool same = false;
        write_file("a", sizes[i], SIZE_MAX);
        cr_assert_eq(eex_fs_copy(test_path(folder, "b"), test_path(folder, "a")), EEX_OK, "%s",
                     eex_error());
        cr_assert_eq(eex_fs_same(&same, test_path(folder, "a"), test_path(folder, "b")), EEX_OK);
        cr_expect(same, "%zu bytes", sizes[i]);
    }
    cr_expect_eq(files(), 2);
}

Test(fs_copy, every_byte_tells)
{
    const size_t size = 2 * BLOCK + 5, places[] = {0, BLOCK - 1, BLOCK, 2 * BLOCK, size - 1};
    bool same = true;
    write_file("a", size, SIZE_MAX);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        write_file("b", size, places[i]);
        cr_assert_eq(eex_fs_same(&same, test_path(folder, "a"), test_path(folder, "b")), EEX_OK);
        cr_expect_not(same, "byte %zu", places[i]);
    }
    write_file("b", size - 1, SIZE_MAX);
    cr_assert_eq(eex_fs_same(&same, test_path(folder, "a"), test_path(folder, "b")), EEX_OK);
    cr_expect_not(same);
    write_file("b", size - 5, SIZE_MAX); /* at the end of a block */
    cr_assert_eq(eex_fs_same(&same, test_path(folder, "b"), test_path(folder, "a")), EEX_OK);
    cr_expect_not(same);
}

Test(fs_copy, what_cannot_be_copied_leaves_nothing)
{
    bool same;
    write_file("b", 3, SIZE_MAX);
    cr_expect_eq(eex_fs_copy(test_path(folder, "b"), test_path(folder, "none")), EEX_ENOTFOUND);
    cr_expect_eq(eex_fs_copy(test_path(folder, "b"), folder), EEX_EIO);
    cr_assert_eq(mkfifo(test_path(folder, "pipe"), 0600), 0);
    cr_expect_eq(eex_fs_copy(test_path(folder, "b"), test_path(folder, "pipe")), EEX_EIO);
    cr_expect_lt(eex_fs_copy(test_path(folder, "no/b"), test_path(folder, "b")), 0);
    cr_expect_eq(eex_fs_same(&same, test_path(folder, "b"), test_path(folder, "none")),
                 EEX_ENOTFOUND);
    cr_expect_eq(files(), 2);
}

Test(fs_copy, a_signal_ends_it)
{
    cr_assert_eq(eex_signals_install(), EEX_OK);
    write_file("a", 3 * BLOCK, SIZE_MAX);
    raise(SIGINT);
    cr_expect_eq(eex_fs_copy(test_path(folder, "b"), test_path(folder, "a")), EEX_EINTERRUPTED);
    cr_expect_eq(files(), 1);
}
