/* Runs beside each other: what eex show prints of several. */
#ifndef EEX_CLI_PRINT_COMPARE_H
#define EEX_CLI_PRINT_COMPARE_H

#include <stdbool.h>
#include <stddef.h>

typedef enum eex_compare_form {
    EEX_COMPARE_TABLE,
    EEX_COMPARE_CSV,
    EEX_COMPARE_JSON
} eex_compare_form;

int eex_print_compare(const char *const *folders, size_t count, eex_compare_form form);

#endif
