/* Gaussian regressors: mean and deviation of a stream of values (Welford 1962), the predictor
 * functions behind per-class thresholds (NASEREX, II-B-3 and II-D-3). */
#ifndef EEX_CORE_POLICY_REGRESSOR_H
#define EEX_CORE_POLICY_REGRESSOR_H

#include <stdint.h>

typedef struct eex_regressor {
    int64_t count;
    double mean, m2; /* m2: sum of squared distances from the mean */
} eex_regressor;     /* all zero: empty */

/* Stable for values that are large against their spread: nothing but differences is squared. */
void eex_regressor_add(eex_regressor *r, double value);

/* Deviation of the values seen (divides by count); 0 with fewer than 2. */
double eex_regressor_dev(const eex_regressor *r);

#endif
