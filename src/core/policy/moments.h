/* Bandwidths: those that regressors are fitted to, and those that ways are compared
 * under. */
#ifndef EEX_CORE_POLICY_MOMENTS_H
#define EEX_CORE_POLICY_MOMENTS_H

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

/* From one to the other, Mbit/s; both 0: as published. An interval is a power of ten at most while
 * there are enough of them, with five bandwidths at even distances of their logarithm. EEX_EINVAL
 * unless `to` is above `from` by a hundredth of it, both within EEX_LEAST_MBIT and EEX_MOST_MBIT.
 */
#define EEX_LEAST_MBIT 1e-6
#define EEX_MOST_MBIT 1e6
int eex_moments_range(eex_moments *out, double from, double to);

/* From a file of lines "seconds,Mbit/s" (eex_bandwidths_parse): as many moments as there is room
 * for, at even times from its first line to its last. */
int eex_moments_trace(eex_moments *out, const char *path);

#endif
