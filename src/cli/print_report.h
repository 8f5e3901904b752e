/* Prints the report of a run's folder, or of a model file, on stdout. */
#ifndef EEX_CLI_PRINT_REPORT_H
#define EEX_CLI_PRINT_REPORT_H

#include <stdbool.h>

int eex_print_report(const char *path, bool json);

#endif
