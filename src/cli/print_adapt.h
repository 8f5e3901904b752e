/* What `eex adapt` has found. */
#ifndef EEX_CLI_PRINT_ADAPT_H
#define EEX_CLI_PRINT_ADAPT_H

#include "core/policy/moments.h"
#include "core/graph/cost.h"
#include "core/model/model.h"
#include "core/policy/adapt_ways.h"

typedef struct eex_adapt_report {
    const eex_model *model;
    const eex_ways *ways;
    const eex_moments *moments;
    const eex_line *line;
    const eex_settled *rows;  /* (moments->count, EEX_WAYS) */
    const eex_way_mean *mean; /* (EEX_WAYS) */
    const char *split;        /* whose images ways are compared on */
    int images;
    eex_convention convention;
    int bits;
    double slowest; /* at the least bandwidth the fastest settings take so long, ms; NAN: they keep
                     * the requirement */
    const char *file; /* NULL: none was written */
} eex_adapt_report;

int eex_print_adapt(const eex_adapt_report *report, bool json);

#endif
