/* The shared evaluator: candidates of a search judged by replaying one trace.
 *
 * Trunk and all gates are trained once; a trace of the calibration split and one of the validation
 * split hold every gate that a candidate may have. A candidate is a genome, one gene a point: 0 for
 * no gate, i for a gate with the i-th choice of block counts. Thresholds come from the calibration
 * trace alone, scores from the validation trace alone. */
#ifndef EEX_CORE_RUN_EVALUATE_H
#define EEX_CORE_RUN_EVALUATE_H

#include "core/policy/replay.h"
#include "core/run/experiment.h"

/* What things cost, in MACs and in milliseconds of one input. A sample that leaves at a gate has
 * run the trunk up to there, that gate and every gate of the candidate before it. */
typedef struct eex_cost_tables {
    int points, choices;
    const double *trunk_macs; /* (points) trunk from the input up to and including the point */
    const double *gate_macs;  /* (points, choices) all blocks and the classifier of a gate alone */
    double base_macs;         /* the whole backbone */
    const double *trunk_ms;   /* (points) or NULL: latency is not known (NaN) */
    const double *gate_ms;    /* (points, choices) or NULL likewise */
    double base_ms;
} eex_cost_tables;

typedef struct eex_evaluator_options {
    eex_calibration policy; /* how thresholds are set; tuned for each candidate on its own when
                             * policy.tune says so */
    eex_score_kind score;
    double weight;           /* of EEX_SCORE_WEIGHTED */
    bool by_latency;         /* the cost that is tuned and weighted is milliseconds, not MACs */
    eex_tuner_options tuner; /* {0}: the defaults */
} eex_evaluator_options;

typedef struct eex_candidate {
    int exits;                     /* gates and the end of the backbone */
    int column[EEX_MAX_EXITS];     /* (exits) in the traces */
    double macs_at[EEX_MAX_EXITS]; /* (exits) of a sample that leaves there */
    double ms_at[EEX_MAX_EXITS];
    eex_operating_point tuned; /* its thresholds; accuracy and cost on the calibration split */
    eex_outcome outcome;       /* on the validation split; cost in MACs */
    double score;              /* larger is better */
    double accuracy;           /* objectives, on the validation split: right and not rejected */
    double macs;               /* expected, everything executed */
    double latency;            /* expected, ms; NaN without tables */
} eex_candidate;

/* Scores:
 *   EEX_SCORE_ACCURACY   accuracy of the decisions (nasexer.txt, Algorithm 1)
 *   EEX_SCORE_EQUATION1  -(latency / base latency + fraction that decides unlike the base) (eq. 1)
 *   EEX_SCORE_WEIGHTED   accuracy - weight * cost / cost of the base */

typedef struct eex_evaluator eex_evaluator;

/* Both traces have points * choices + 1 exits: column p * choices + i is point p with choice i, the
 * last one the end of the backbone. Fits the policy of all columns on `calibration` and scores both
 * traces at its temperatures; both stay the caller's and must outlive the evaluator. The tables are
 * copied. EEX_EINVAL for tables that do not fit, or EEX_SCORE_EQUATION1 without latencies. */
int eex_evaluator_new(eex_evaluator **out, eex_trace *calibration, eex_trace *validation,
                      eex_device *device, const eex_cost_tables *tables,
                      const eex_evaluator_options *options);
void eex_evaluator_free(eex_evaluator *e);

/* Scores one genome (points genes). EEX_EINVAL when a gene is outside 0..choices. No allocation;
 * one thread at a time. */
int eex_evaluator_score(eex_evaluator *e, eex_candidate *out, const int *genome);

/* The same with thresholds tuned thoroughly: for the candidate that is kept. */
int eex_evaluator_refine(eex_evaluator *e, eex_candidate *out, const int *genome);

/* The policy of a scored candidate, ready for an engine with just its exits. */
int eex_evaluator_policy(eex_policy **out, const eex_evaluator *e, const eex_candidate *candidate);

/* The policy of all columns, before any tuning. Borrowed. */
const eex_policy *eex_evaluator_base_policy(const eex_evaluator *e);

#endif
