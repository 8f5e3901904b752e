#include "cli/print_report.h"

#include "base/status.h"
#include "base/terminal.h"
#include "core/report.h"

#include <stdio.h>
#include <unistd.h>

int eex_print_report(const char *folder, bool json)
{
    eex_report *report = NULL;
    eex_buffer text = EEX_BUFFER_INIT;
    int code = eex_report_load(&report, folder);
    if (code == EEX_OK)
        code = json ? eex_report_json(&text, report)
                    : eex_report_table(&text, report, eex__terminal_width(STDOUT_FILENO));
    if (code == EEX_OK && fputs(eex_buffer_text(&text), stdout) == EOF)
        code = eex_fail(EEX_EIO, "cannot print the report of %s", folder);
    eex_buffer_free(&text);
    eex_report_free(report);
    return code;
}
