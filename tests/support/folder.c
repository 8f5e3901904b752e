#include "support/folder.h"

#include "base/fs.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

void test_folder_make(char out[TEST_PATH_SIZE])
{
    const char *parent = getenv("TMPDIR");
    snprintf(out, TEST_PATH_SIZE, "%s/eex-test-XXXXXX", parent && *parent ? parent : "/tmp");
    cr_assert_not_null(mkdtemp(out), "cannot make %s", out);
}

void test_folder_remove(const char *folder)
{
    cr_assert_eq(eex_fs_remove_tree(folder), 0, "cannot remove %s", folder);
}

const char *test_path(const char *folder, const char *name)
{
    static char paths[4][TEST_PATH_SIZE + 256];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}
