/* Prints the table of cuts of eex prune. */
#ifndef EEX_CLI_PRINT_PRUNE_H
#define EEX_CLI_PRINT_PRUNE_H

#include "core/use/prune.h"

/* What was chosen and written; exit -1: nothing was to be. */
typedef struct eex_prune_done {
    int exit;
    bool alone;
    const char *why;  /* NULL: it was named */
    const char *file; /* NULL: not written */
    uint64_t bytes;   /* of the file */
} eex_prune_done;

/* On stdout, for a terminal of any width. */
int eex_print_prune(const eex_prune_table *table, const eex_model *model,
                    const eex_prune_done *done);
int eex_print_prune_json(const eex_prune_table *table, const eex_model *model,
                         const eex_prune_done *done);
/* One line about the chosen cut, and one about the file. */
int eex_print_cut(const eex_prune_table *table, const eex_model *model, const eex_prune_done *done);

#endif
