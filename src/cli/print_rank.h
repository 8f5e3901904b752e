/* Prints what a ranking has found, on stdout. */
#ifndef EEX_CLI_PRINT_RANK_H
#define EEX_CLI_PRINT_RANK_H

#include "core/run/ranking.h"

int eex_print_rank(const eex_rank_report *report, bool json);

#endif
