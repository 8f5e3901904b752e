/* Bandwidths of `eex adapt`: those that regressors are fitted to, and those that ways are compared
 * under. */
#ifndef EEX_CLI_ADAPT_MOMENTS_H
#define EEX_CLI_ADAPT_MOMENTS_H

#include "core/policy/adapt.h"

#include <stdbool.h>

enum { EEX_MOMENTS = 256 };

typedef struct eex_moments {
    bool played; /* from a trace: they come one behind the other */
    int count;
    double bits[EEX_MOMENTS]; /* (count) a second */
    double least, most;       /* of these */
    int intervals;
    eex_interval interval[EEX_ADAPT_INTERVALS];
} eex_moments;

/* From "FROM:TO", Mbit/s; NULL: as published. An interval is a power of ten at most while there are
 * enough of them, with five bandwidths at even distances of their logarithm. */
int eex_moments_range(eex_moments *out, const char *text);

/* From a file of lines "seconds,Mbit/s" (eex_bandwidths_parse): as many moments as there is room
 * for, at even times from its first line to its last. */
int eex_moments_trace(eex_moments *out, const char *path);

#endif
