/* Bootstrap intervals of means: how much would a figure differ on other samples of the same kind?
 *
 * Samples are drawn with replacement, whole rows at a time, so that figures of one row (two
 * policies on the same image) stay paired and their difference is judged as a difference. The
 * intervals are Efron's BCa ones: percentiles, corrected for bias and for skewness, which matters
 * for shares near 0 or 1. The same seed gives the same intervals. */
#ifndef EEX_CORE_POLICY_BOOTSTRAP_H
#define EEX_CORE_POLICY_BOOTSTRAP_H

#include <stdint.h>

typedef struct eex_interval {
    double value, low, high; /* of all samples, and where the mean lies with the confidence asked */
} eex_interval;

typedef struct eex_bootstrap_options {
    int resamples;     /* 10 to 1000000; 0: 2000 */
    double confidence; /* within (0, 1); 0: 0.95 */
    uint64_t seed;
} eex_bootstrap_options;

/* Intervals of the mean of each column of `rows` (samples, columns), all finite. out has room for
 * (columns). options may be NULL. A column whose values are all the same gets that value three
 * times. EEX_EINVAL, EEX_ENOMEM, EEX_EINTERRUPTED. */
int eex_bootstrap(eex_interval *out, const double *rows, int samples, int columns,
                  const eex_bootstrap_options *options);

#endif
