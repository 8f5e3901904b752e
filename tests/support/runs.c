#include "support/runs.h"

#include "cpu/cpu_register.h"
#include "support/corners.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <stdio.h>

void test_runs_begin(char root[TEST_PATH_SIZE])
{
    test_folder_make(root);
    cr_assert_eq(eex_cpu_register(), EEX_OK);
    eex_log_set_level(EEX_LOG_ERROR);
    test_corners_make(root);
}

eex_run_options test_runs_options(char folder[TEST_PATH_SIZE], const char *root, const char *name)
{
    snprintf(folder, TEST_PATH_SIZE, "%s", test_path(root, name));
    return (eex_run_options){.folder = folder, .data_dir = root, .device = "cpu", .threads = 1};
}

int test_runs_run(const eex_experiment *e, const char *root, const char *name, const char *from)
{
    char folder[TEST_PATH_SIZE], other[TEST_PATH_SIZE];
    eex_run_options options = test_runs_options(folder, root, name);
    snprintf(other, sizeof other, "%s", test_path(root, from ? from : ""));
    options.from = from ? other : NULL;
    return eex_experiment_run(e, &options);
}

bool test_runs_has(const char *root, const char *name, const char *file)
{
    char folder[TEST_PATH_SIZE];
    snprintf(folder, sizeof folder, "%s", test_path(root, name));
    return eex_fs_exists(test_path(folder, file));
}
