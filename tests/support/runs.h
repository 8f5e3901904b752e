/* Runs on the data of corners.h, each in the folder NAME of `root`, by one thread of the CPU. */
#ifndef EEX_TESTS_SUPPORT_RUNS_H
#define EEX_TESTS_SUPPORT_RUNS_H

#include "core/report/report.h"
#include "core/run/experiment.h"
#include "support/folder.h"

#include <stdbool.h>

/* Makes the folder, and the data in it; from then on errors alone are said. */
void test_runs_begin(char root[TEST_PATH_SIZE]);

/* How it is run. Its path goes into `folder`, which the options name. */
eex_run_options test_runs_options(char folder[TEST_PATH_SIZE], const char *root, const char *name);

/* Runs it; `from` is another one that it may take files over from, or NULL. */
int test_runs_run(const eex_experiment *e, const char *root, const char *name, const char *from);

bool test_runs_has(const char *root, const char *name, const char *file);

/* For eex_report_free. In a file of its own: not every test links with reports. */
eex_report *test_runs_report(const char *root, const char *name);

#endif
