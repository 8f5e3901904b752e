/* The threshold tuner: thresholds of a whole chain of exits chosen together.
 *
 * For a price lambda of cost, exits are settled from the last to the first: a sample is let go at
 * exit k when that gains more than what the later exits would make of it. Repeating this with the
 * earlier exits as they now stand is coordinate ascent on accuracy - lambda * cost. A target on
 * accuracy or cost is met by bisection over lambda, and the gap that prices leave is closed by
 * coordinate moves that keep to the target. Deterministic: no random numbers, one thread.
 *
 * Against overfitting, thresholds are few (`levels` an exit, at evenly spaced ranks of the
 * samples), and an exit that would accept fewer than `min_accepted` of the samples that reach it is
 * closed (a = INFINITY) instead of being fitted to a handful. Even so, the most favourable
 * thresholds look better on the samples that they were chosen on than on others: on 2,500 samples
 * by about 1 % of accuracy. A thorough run therefore goes by cross-fitting. There are some hundred
 * ways to choose thresholds: a price of cost, a budget, or the same level for all exits. What a way
 * is worth is its accuracy on each fold with thresholds chosen on all others. A target of accuracy
 * takes the cheapest way that is worth so much, a budget the best among those that cost no more:
 * asked for the accuracy that a budget has given, the tuner finds nothing dearer. */
#ifndef EEX_CORE_POLICY_TUNE_H
#define EEX_CORE_POLICY_TUNE_H

#include "core/policy/calibrate.h"
#include "device/decide.h"

typedef struct eex_tuner_options {
    int levels;       /* thresholds tried an exit, 3 to 126; 0: 64 */
    int min_accepted; /* calibration samples; 0: 0.2 % of them, at least 5; 1: no lower limit */
    int folds; /* of cross-fitting, up to 20; 0: 10; 1: targets are met on the samples that the
                * thresholds are chosen on */
} eex_tuner_options;

/* Where a chain of exits can be operated. */
typedef struct eex_operating_point {
    int exits;
    bool feasible;                   /* the target is met, on held-out samples if there were any */
    double accuracy, cost;           /* on the calibration trace */
    double held_accuracy, held_cost; /* of cross-fitting, on samples held out; else NaN. Accuracy:
                                      * never above that on all samples */
    double a[EEX_MAX_EXITS];      /* (exits) for eex_policy.a; that of the last exit is -INFINITY */
    uint8_t level[EEX_MAX_EXITS]; /* (exits) the same as a number among the tuner's thresholds */
} eex_operating_point;

typedef enum eex_effort {
    EEX_EFFORT_QUICK,   /* for every candidate of a search: a millisecond; no cross-fitting */
    EEX_EFFORT_THOROUGH /* for the one that is kept */
} eex_effort;

/* What is wanted of one structure: see eex_tune. */
typedef struct eex_goal {
    eex_tune tune;
    double target;
    double base; /* cost of the whole backbone: the unit of EEX_TUNE_WEIGHTED */
} eex_goal;

typedef struct eex_tuner eex_tuner;

/* From a trace that was scored at the policy's temperatures. Mean, deviation and b are the
 * policy's; its a is only another point to start from. options may be NULL. */
int eex_tuner_new(eex_tuner **out, const eex_trace *trace, const eex_policy *policy,
                  const eex_tuner_options *options);
void eex_tuner_free(eex_tuner *tuner);

/* Best thresholds for a structure: columns of the trace, ascending, with what leaving at each
 * costs. With EEX_TUNE_NONE the policy's a, as near as the tuner's thresholds come. A target that
 * cannot be met gives the most accurate (or the cheapest) point and feasible = false. No
 * allocation; one thread at a time. */
void eex_tuner_run(eex_operating_point *out, eex_tuner *tuner, const int *columns, int count,
                   const double *cost, const eex_goal *goal, eex_effort effort);

/* Tunes a of all exits of a policy on the trace. *out (may be NULL) tells where that leads. Both
 * below end with EEX_EINTERRUPTED once a signal came. */
int eex_policy_tune(eex_policy *policy, eex_operating_point *out, const eex_trace *trace,
                    const eex_exit_costs *costs, eex_tune tune, double target);

/* The front of accuracy and cost of one structure on the calibration trace: thresholds for `steps`
 * prices of cost, spaced evenly by ratio, and for as many budgets between the cheapest point and
 * the most accurate. Sorted by cost, nothing dominated. *out is the caller's (free). */
int eex_policy_sweep(eex_operating_point **out, int *count, const eex_trace *trace,
                     const eex_policy *policy, const eex_exit_costs *costs, int steps);

#endif
