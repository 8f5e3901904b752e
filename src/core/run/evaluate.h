/* The shared evaluator: candidates of a search judged by replaying one trace.
 *
 * The shared network is trained once; a trace of the calibration split and one of the validation
 * split hold every exit that a candidate may have. A candidate is a choice of their columns, with
 * what leaving at each of them costs (structure.h has both for a genome). Thresholds come from the
 * calibration trace alone, scores from the validation trace alone. */
#ifndef EEX_CORE_RUN_EVALUATE_H
#define EEX_CORE_RUN_EVALUATE_H

#include "core/policy/replay.h"
#include "core/run/scoring.h"

typedef struct eex_evaluator_options {
    eex_calibration policy; /* how thresholds are set; tuned for each candidate on its own when
                             * policy.tune says so */
    eex_scoring scoring;
    eex_tuner_options tuner; /* {0}: the defaults */
    int levels;              /* thresholds that candidates may ask for; 0: those of the policy */
    const double *level;     /* (levels, at most EEX_MAX_LEVELS) for eex_policy.a */
} eex_evaluator_options;

typedef struct eex_candidate {
    int column[EEX_MAX_EXITS]; /* (costs.exits) in the traces */
    eex_structure_costs costs;
    eex_operating_point tuned; /* its thresholds; accuracy and cost on the calibration split */
    eex_outcome outcome;       /* on the validation split; cost in MACs */
    eex_trial trial;           /* the same and its score, as a search stores it */
} eex_candidate;

typedef struct eex_evaluator eex_evaluator;

/* Both traces have the exits of the shared network, the end of it last. Fits the policy of all
 * columns on `calibration` and scores both traces at its temperatures; both stay the caller's and
 * must outlive the evaluator. EEX_EINVAL for traces that do not fit each other and what
 * eex_scoring_check refuses. */
int eex_evaluator_new(eex_evaluator **out, eex_trace *calibration, eex_trace *validation,
                      eex_device *device, const eex_evaluator_options *options);
void eex_evaluator_free(eex_evaluator *e);

/* Scores one candidate: (costs->exits) columns of the traces, ascending, the end last. EEX_EINVAL
 * when they are not. No allocation; one thread at a time. */
int eex_evaluator_score(eex_evaluator *e, eex_candidate *out, const int *column,
                        const eex_structure_costs *costs);

/* The same with each exit's a among options.level; NaN: as the policy has it, which the end's
 * always is. EEX_EINVAL for others. Where thresholds are tuned, they are. */
int eex_evaluator_score_at(eex_evaluator *e, eex_candidate *out, const int *column,
                           const eex_structure_costs *costs, const double *a);

/* The same with thresholds tuned thoroughly: for the candidate that is kept. */
int eex_evaluator_refine(eex_evaluator *e, eex_candidate *out, const int *column,
                         const eex_structure_costs *costs);

/* The policy of a scored candidate, ready for an engine with just its exits. */
int eex_evaluator_policy(eex_policy **out, const eex_evaluator *e, const eex_candidate *candidate);

/* The policy of all columns, before any tuning. Borrowed. */
const eex_policy *eex_evaluator_base_policy(const eex_evaluator *e);

#endif
