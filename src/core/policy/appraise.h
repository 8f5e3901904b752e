/* What a policy is worth on a trace, with intervals: how much would the figures differ on other
 * samples of the same kind? */
#ifndef EEX_CORE_POLICY_APPRAISE_H
#define EEX_CORE_POLICY_APPRAISE_H

#include "core/policy/bootstrap.h"
#include "core/policy/calibrate.h"
#include "core/policy/score_quality.h"
#include "device/decide.h"

/* Where and how the samples of a trace leave. */
typedef struct eex_departures {
    int samples;
    int32_t *exit;                          /* (samples) */
    eex_decision *how;                      /* (samples) */
    eex_score_quality score[EEX_MAX_EXITS]; /* of each exit, as if all samples came to it, by what
                                             * the policy compares; confidence without one */
} eex_departures;

/* The trace must be scored at the policy's temperatures. policy NULL: all run to the end. */
int eex_departures_new(eex_departures *out, const eex_trace *trace, const eex_policy *policy);
void eex_departures_free(eex_departures *d); /* accepts {0}; leaves {0} */

/* Means over the samples; "the end" is the network run to its end. What is not known is NaN. */
typedef struct eex_appraisal {
    int samples, exits;
    eex_interval accuracy;                  /* right and not rejected */
    eex_interval gain;                      /* accuracy minus that of the end, sample by sample */
    eex_interval agreement;                 /* the class of the end, not rejected */
    eex_interval bad;                       /* right at the end, wrong or rejected here */
    eex_interval rejected;                  /* fraction */
    eex_interval macs, ms;                  /* of one input */
    eex_interval accuracy_change;           /* against the departures before, sample by sample */
    eex_interval macs_change;               /* likewise */
    eex_interval share[EEX_MAX_EXITS];      /* that leave at each exit */
    double exit_accuracy[EEX_MAX_EXITS];    /* of those that leave there; NaN when none does */
    eex_score_quality score[EEX_MAX_EXITS]; /* that of `after` */
} eex_appraisal;

/* macs and ms: what leaving at each exit costs, (exits); ms may be NULL. before: of the same
 * samples, may be NULL. */
int eex_appraise(eex_appraisal *out, const eex_trace *trace, const eex_departures *after,
                 const eex_departures *before, const double *macs, const double *ms,
                 const eex_bootstrap_options *options);

#endif
