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
void eex_replayer_free(eex_replayer *r);

/* columns: the candidate's exits as columns of the trace, ascending; the end of the backbone (the
 * trace's last column) is always last. cost: what leaving at each of them costs. The policy's
 * thresholds of those columns apply. No allocation. */
void eex_replayer_run(eex_outcome *out, const eex_replayer *r, const int *columns, int count,
                      const double *cost);

/* Replays a point that the tuner found for these columns. Only for a replayer of that tuner. */
void eex_replayer_run_point(eex_outcome *out, const eex_replayer *r, const int *columns,
                            const eex_operating_point *point, const double *cost);

#endif
