/* Regressors: what fitting, using and keeping them share. */
#ifndef EEX_CORE_POLICY_ADAPT_IMPL_H
#define EEX_CORE_POLICY_ADAPT_IMPL_H

#include "core/policy/adapt.h"

enum {
    EEX__ADAPT_OUTPUTS = 2 * EEX_MAX_EXITS,
    EEX__ADAPT_WEIGHTS = EEX_ADAPT_HIDDEN * 2 + EEX__ADAPT_OUTPUTS * (EEX_ADAPT_HIDDEN + 1)
};

/* y = low + (high - low) (V tanh(w t + b) + c), clamped to low .. high, of t: the bandwidth's
 * logarithm from the interval's first, 0, to its last, 1. */
typedef struct eex__regressor {
    double first, last;                /* bits a second */
    double weight[EEX__ADAPT_WEIGHTS]; /* w (hidden), b (hidden), then V (hidden) and c an output */
    double low[EEX__ADAPT_OUTPUTS], high[EEX__ADAPT_OUTPUTS];
} eex__regressor;

struct eex_adapt {
    int exits, count;
    double latency, counted;
    eex__regressor net[EEX_ADAPT_INTERVALS];
};

/* The first `exits - 1` outputs are a, the next gamma. */
static inline int eex__adapt_outputs(int exits)
{
    return 2 * (exits - 1);
}

/* Fits to targets (interval.count, outputs). */
void eex__regressor_fit(eex__regressor *r, const eex_interval *interval, const double *target,
                        int outputs);
void eex__regressor_run(double *y, const eex__regressor *r, double bits, int outputs);

#endif
