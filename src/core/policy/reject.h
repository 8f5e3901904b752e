/* Rejection: lower thresholds under which a sample leaves as none of the classes.
 *
 * An irrelevant frame that no exit is sure about would run to where everybody leaves; a lower
 * threshold lets it go at once. What it costs are the relevant samples that are rejected too, so
 * the user says how many of those may be. Nothing is known of irrelevant frames here.
 *
 * What is compared is the distance from what is familiar (familiar.h) where the trace has it, else,
 * or when asked for, the policy's own score (NASEREX, II-D-3). */
#ifndef EEX_CORE_POLICY_REJECT_H
#define EEX_CORE_POLICY_REJECT_H

#include "core/policy/calibrate.h"

typedef enum eex_reject_by {
    EEX_REJECT_BY_ANY,      /* by distance where the trace has it */
    EEX_REJECT_BY_DISTANCE, /* EEX_EINVAL where it does not */
    EEX_REJECT_BY_SCORE
} eex_reject_by;

/* Sets b (and low), or far, of every exit so that at most the fraction `rate` of the trace's
 * samples falls below the lower threshold of any exit: so at most `rate` are rejected, whatever the
 * upper thresholds are or become. 0 <= rate < 1; 0 rejects nobody. The trace must have been scored
 * at the policy's temperatures (EEX_EINVAL).
 *
 * The rate is split by what rejecting saves: exit k's own share of samples below its threshold is
 * in proportion to what a sample that goes on there costs more on average, under the upper
 * thresholds that the policy has now. The last exit rejects nobody: there is nothing left to save.
 * Samples that several exits would reject count once, so the shares add up to more than `rate`. */
int eex_policy_reject(eex_policy *policy, const eex_trace *trace, const eex_exit_costs *costs,
                      double rate, eex_reject_by by);

/* Takes all lower thresholds back, of scores and of distances. */
void eex_policy_reject_nobody(eex_policy *policy);

/* Whether any exit may reject. */
bool eex_policy_rejects(const eex_policy *policy);

#endif
