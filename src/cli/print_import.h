/* What `eex import` says. */
#ifndef EEX_CLI_PRINT_IMPORT_H
#define EEX_CLI_PRINT_IMPORT_H

#include "core/exchange/weights.h"

typedef struct eex_import_report {
    const eex_safetensors *file;
    const eex_graph *graph;
    const eex_weights *weights;
    const char *experiment, *out; /* the script, and what was written; NULL: nothing was */
} eex_import_report;

int eex_print_import(const eex_import_report *report, bool json);

#endif
