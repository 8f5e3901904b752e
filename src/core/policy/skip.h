/* Exits that are skipped (Dong et al. III-A): for each sample a score says of each gate
 * whether it is worth computing. Replay decides as the engine does, and counts what is computed by
 * eq. 4; thresholds of the scores are found by replay. */
#ifndef EEX_CORE_POLICY_SKIP_H
#define EEX_CORE_POLICY_SKIP_H

#include "core/policy/policy.h"

#include <math.h>

/* The score of a gate from the logit of a predictor (eq. 7): on the host, for whoever asks. */
static inline float eex_skip_score(float logit)
{
    return 1 / (1 + expf(-logit));
}

/* Whether the gate is computed (Algorithm 1, line 4). A score that is NaN never asks. */
static inline bool eex_skip_asks(float score, float gamma)
{
    return score >= gamma;
}

/* Costs of one input, part by part. */
typedef struct eex_charges {
    int exits;
    double predictor;                                 /* charged always, where there is one */
    double trunk[EEX_MAX_EXITS], gate[EEX_MAX_EXITS]; /* to each exit from the one before; the end
                                                       * has no gate */
} eex_charges;

/* What a predictor says. */
typedef struct eex_skips {
    int gates;          /* one less than the trace's exits */
    const float *score; /* (gates, samples of the trace) */
    const float *gamma; /* (gates) */
} eex_skips;

typedef struct eex_skip_outcome {
    double accuracy;                /* right and not rejected */
    double device;                  /* on the device: all but the trunk behind the last gate */
    double total;                   /* everything */
    double share[EEX_MAX_EXITS];    /* fraction that leaves at each exit */
    double computed[EEX_MAX_EXITS]; /* fraction for which the exit is computed */
} eex_skip_outcome;

/* Replays a policy; skips: NULL, and nothing is skipped nor is a predictor charged. The trace is
 * scored at the policy's temperatures. exit_of and decision_of (samples each) may be NULL. */
int eex_replay_skips(eex_skip_outcome *out, const eex_trace *trace, const eex_policy *policy,
                     const eex_charges *charges, const eex_skips *skips, int32_t *exit_of,
                     eex_decision *decision_of);

/* Thresholds with the lowest cost on the device, by replay, while less than `more` of the samples
 * reach the last exit besides those that do without a predictor (Dong et al., Fig. 7:
 * 0.02). They are scores of the trace, or INFINITY: the gate is never computed. skips->gamma is not
 * read. Where nothing is saved each gate is computed for everybody. */
int eex_skip_choose(float *gamma, const eex_trace *trace, const eex_policy *policy,
                    const eex_charges *charges, const eex_skips *skips, double more);

/* One threshold on the top-1 probability for each gate, for the highest accuracy without a
 * predictor (Dong et al., footnote 2): a grid of 0.2 to 0.9, 0.95 and 0.99. Among equals
 * the cheapest on the device. The trace is scored at temperature 1. *out is a policy that never
 * rejects. */
int eex_skip_lambda(eex_policy **out, const eex_trace *trace, const eex_charges *charges);

#endif
