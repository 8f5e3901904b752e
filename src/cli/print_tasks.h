/* Prints where a sweep stands, and what its runs have found. */
#ifndef EEX_CLI_PRINT_TASKS_H
#define EEX_CLI_PRINT_TASKS_H

#include "core/sweep/sweep.h"

#include <stdbool.h>

int eex_print_tasks(const eex_sweep *s, const char *folder, bool json);

/* The same files as the table: FOLDER/results.csv and FOLDER/results.h5. */
int eex_print_collection(const eex_sweep *s, const char *folder, bool force, bool json);

#endif
