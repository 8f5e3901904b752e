/* A trace dealt into two halves: one to fit on, the other to test what was fitted. */
#ifndef EEX_CORE_POLICY_HALVES_H
#define EEX_CORE_POLICY_HALVES_H

#include "core/policy/trace.h"

typedef struct eex__halves {
    eex_trace *fit, *test; /* of an odd number of samples the test gets one more */
} eex__halves;

/* Deals the samples (at least 2), seeded; `stream` is the purpose's own. */
int eex__halves_new(eex__halves *out, const eex_trace *trace, uint64_t seed, uint64_t stream);
void eex__halves_free(eex__halves *halves); /* accepts {0}; leaves {0} */

#endif
