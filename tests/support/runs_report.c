#include "support/runs.h"

#include "base/status.h"

#include <criterion/criterion.h>

eex_report *test_runs_report(const char *root, const char *name)
{
    eex_report *report = NULL;
    cr_assert_eq(eex_report_load(&report, test_path(root, name)), EEX_OK, "%s", eex_error());
    return report;
}
