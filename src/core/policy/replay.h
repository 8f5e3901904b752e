/* Replay: policies and structures judged on a trace, without the network. */
#ifndef EEX_CORE_POLICY_REPLAY_H
#define EEX_CORE_POLICY_REPLAY_H

#include "core/policy/calibrate.h"
#include "core/policy/tune.h"
#include "device/decide.h"

typedef struct eex_outcome {
    double accuracy;  /* right and not rejected */
    double cost;      /* expected cost of one input; NaN without costs */
    double rejected;  /* fraction */
    double agreement; /* fraction that decides as the last exit of the trace alone would: the
                       * same class, not rejected */
    double share[EEX_MAX_EXITS];         /* fraction that leaves at each exit (utilisation) */
    double exit_accuracy[EEX_MAX_EXITS]; /* of those that leave there; NaN when none does */
} eex_outcome;

/* Runs the policy on a trace of the same exits, scored at the policy's temperatures (EEX_EINVAL
 * when it was not). costs may be NULL. exit_of and decision_of (samples each, may be NULL) receive
 * where and how each sample leaves. */
int eex_replay(eex_outcome *out, const eex_trace *trace, const eex_policy *policy,
               const eex_exit_costs *costs, int32_t *exit_of, eex_decision *decision_of);

/* A replayer answers for structures: subsets of the columns of one trace under one policy. Columns
 * are bit sets (accepts, rejects, right), so a candidate costs microseconds. */
typedef struct eex_replayer eex_replayer;

int eex_replayer_new(eex_replayer **out, const eex_trace *trace, const eex_policy *policy);

/* The same for thresholds of a tuner's choice: one bit set for each of its levels. The tuner's own
 * trace may be another one (calibration) than that which is replayed (validation). */
int eex_replayer_new_tuned(eex_replayer **out, const eex_trace *trace, const eex_policy *policy,
                           const eex_tuner *tuner);

/* The same for a few thresholds, the same for every exit: a (levels) for eex_policy.a, in any
 * order; NaN stands for what the policy has. eex_replayer_run_point takes level[k] of a point as
 * numbers among them. */
int eex_replayer_new_levels(eex_replayer **out, const eex_trace *trace, const eex_policy *policy,
                            const double *a, int levels);
void eex_replayer_free(eex_replayer *r);

/* columns: the candidate's exits as columns of the trace, ascending; the end of the backbone (the
 * trace's last column) is always last. cost: what leaving at each of them costs. The policy's
 * thresholds of those columns apply. No allocation. */
void eex_replayer_run(eex_outcome *out, const eex_replayer *r, const int *columns, int count,
                      const double *cost);

/* Replays a point of these columns: one that the replayer's tuner found, or one that has exits and
 * level alone, numbers among the replayer's own. */
void eex_replayer_run_point(eex_outcome *out, const eex_replayer *r, const int *columns,
                            const eex_operating_point *point, const double *cost);

#endif
