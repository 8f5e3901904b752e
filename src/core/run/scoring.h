/* The score of a candidate: one number for what it decides right and what that costs. */
#ifndef EEX_CORE_RUN_SCORING_H
#define EEX_CORE_RUN_SCORING_H

#include "core/policy/cuts.h"
#include "core/policy/replay.h"
#include "core/run/limits.h"
#include "core/run/structure.h"

/* Scores:
 *   EEX_SCORE_ACCURACY   accuracy of the decisions (NASEREX, Algorithm 1)
 *   EEX_SCORE_EQUATION1  -(latency / base latency + fraction that decides unlike the base) (eq. 1)
 *   EEX_SCORE_WEIGHTED   accuracy - weight * cost / cost of the base
 *   EEX_SCORE_CUT_MACS      fraction of the MACs saved against the cuts at its accuracy
 *   EEX_SCORE_CUT_ACCURACY  accuracy gained against the cuts at its MACs */
typedef struct eex_scoring {
    eex_score_kind score;
    double weight;    /* of EEX_SCORE_WEIGHTED */
    bool by_latency;  /* the cost that is tuned and weighted is milliseconds, not MACs */
    double base_macs; /* of the base, positive */
    double base_ms;   /* NaN: no times are known */
    eex_limits limits;
    const eex_cuts *cuts; /* of the trace that a candidate is judged on; borrowed. NULL: none are
                           * known, and no trial says what it saves against them */
} eex_scoring;

/* As the experiment wants it, for structures whose times are known if it needs them; without cuts.
 */
eex_scoring eex_scoring_of(const eex_experiment *e, const eex_structures *s);

/* The cuts of a network whose exits all have a column of the trace: trunk and gate of each, MACs.
 */
void eex_scoring_cuts(eex_cuts *out, const eex_trace *validation, const eex_graph *graph);

/* EEX_EINVAL: a base that costs nothing, latencies that are needed and not known, a weight that is
 * no number, a score against cuts without any. */
int eex_scoring_check(const eex_scoring *how);

/* Costs of leaving in the unit that is tuned: borrowed from both. */
eex_exit_costs eex_scoring_costs(const eex_scoring *how, const eex_structure_costs *costs);

/* Fills in the figures of a candidate that is done, from its outcome on the validation split with
 * costs in MACs. */
void eex_scoring_judge(eex_trial *out, const eex_scoring *how, const eex_outcome *outcome,
                       const eex_structure_costs *costs);

#endif
