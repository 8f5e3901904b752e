/* What replays count, sample by sample or in bit sets, and what they make of it. */
#ifndef EEX_CORE_POLICY_TALLY_H
#define EEX_CORE_POLICY_TALLY_H

#include "core/policy/replay.h"

typedef struct eex__tally {
    int left[EEX_MAX_EXITS], right[EEX_MAX_EXITS], rejected[EEX_MAX_EXITS],
        agreed[EEX_MAX_EXITS]; /* samples that leave at each exit */
} eex__tally;

/* cost may be NULL: the outcome's is NaN. */
void eex__outcome_finish(eex_outcome *out, const eex__tally *tally, int samples, int exits,
                         const double *cost);

#endif
