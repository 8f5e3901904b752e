/* A trace dealt into two halves: one to fit on, the other to test what was fitted. */
#ifndef EEX_CORE_POLICY_HALVES_H
#define EEX_CORE_POLICY_HALVES_H

#include "core/policy/reject.h"

typedef struct eex__halves {
    eex_trace *fit, *test; /* of an odd number of samples the test gets one more */
} eex__halves;

/* Deals the samples (at least 2), seeded; `stream` is the purpose's own. */
int eex__halves_new(eex__halves *out, const eex_trace *trace, uint64_t seed, uint64_t stream);

/* Everything but upper thresholds, fitted on the first half, for which the other is scored too:
 * `how` says the kind, the temperature and by_label; with reject > 0 a rate of eex_policy_reject.
 */
int eex__halves_fit(eex_policy **out, const eex__halves *halves, eex_device *device,
                    const eex_calibration *how, const eex_exit_costs *costs, double reject,
                    eex_reject_by by);
void eex__halves_free(eex__halves *halves); /* accepts {0}; leaves {0} */

#endif
