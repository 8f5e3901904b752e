/* Calibration: a trace of the calibration split becomes a policy. */
#ifndef EEX_CORE_POLICY_CALIBRATE_H
#define EEX_CORE_POLICY_CALIBRATE_H

#include "core/policy/policy.h"

/* What a threshold tuner aims at. */
typedef enum eex_tune {
    EEX_TUNE_NONE,     /* thresholds as given by a and b */
    EEX_TUNE_ACCURACY, /* cheapest with at least `target` of calibration accuracy; a target <= 0 is
                        * added to the accuracy of the backbone alone */
    EEX_TUNE_MACS,     /* most accurate with at most `target` expected cost */
    EEX_TUNE_WEIGHTED, /* largest accuracy - target * cost / cost of the whole backbone */
    EEX_TUNES
} eex_tune;

/* "none", "accuracy", "macs", "weighted". */
const eex_names *eex_tune_names(void);
const char *eex_tune_name(eex_tune tune);

typedef struct eex_calibration {
    eex_policy_kind kind;
    double temperature; /* > 0: fixed for all exits (5 as published); 0: fitted by NLL, an exit */
    double a;           /* per-class: T_high = mu + a sigma (0.5 as published); others: threshold on
                         * the score, which for entropy is minus the entropy */
    double b;           /* per-class: T_low = mu - b sigma; others: threshold; INFINITY: off */
    bool by_label;      /* mu, sigma of the top-1 probability over samples of class c (true) or
                         * predicted as c (false) */
    eex_tune tune;      /* per-exit a chosen on the calibration trace */
    double target;
    double reject; /* > 0: b so that at most this fraction of the calibration samples is rejected
                    * (reject.h), after tuning: a target of accuracy is that before rejection */
} eex_calibration;

eex_calibration eex_calibration_default(void); /* per-class, T = 5, a = 0.5, b off, no tuning */

/* Another kind, with that kind's usual temperature and thresholds; the same kind: nothing changes.
 */
void eex_calibration_use_kind(eex_calibration *how, eex_policy_kind kind);

/* What policies of a kind compare with a threshold has a range, and one beyond it would let nobody
 * leave, or everybody. `threshold` is as users say it: of entropies, nats. EEX_EINVAL. */
int eex_calibration_check_threshold(eex_policy_kind kind, double threshold);

/* The same of a and of b, where that is on: EEX_EINVAL names `where`.a or `where`.b. */
int eex_calibration_check_thresholds(const eex_calibration *how, const char *where);

/* What a target of this way of tuning would have to be ("a positive number"), or NULL: it is that.
 * A target without tuning is none. */
const char *eex_calibration_target_expected(const eex_calibration *how);

/* Costs of leaving at each exit: the unit is the caller's (MACs, milliseconds). */
typedef struct eex_exit_costs {
    int exits;
    const double *cost; /* (exits) everything executed for a sample that leaves there */
    double base;        /* the backbone alone */
} eex_exit_costs;

/* Temperature that minimises the negative log likelihood of exit k's logits (golden section on
 * log T, 0.05 .. 20). */
double eex_calibrate_temperature(const eex_trace *trace, int exit);

/* Expected calibration error of exit k: `bins` equal-width bins of the top-1 probability at
 * temperature t, each open below and closed above (Guo et al. 2017). 1 to 1000 bins. */
double eex_calibrate_ece(const eex_trace *trace, int exit, double t, int bins);

/* Fits a policy for all exits of the trace; scores the trace at the policy's temperatures on the
 * way. Mean and deviation are streaming (Welford); a class with fewer than 2 samples uses the
 * pooled ones of its exit; a class without spread has both thresholds at its mean. costs may be
 * NULL without tuning and rejection. EEX_EDIVERGED when logits are NaN or infinite. */
int eex_calibrate(eex_policy **out, eex_trace *trace, eex_device *device,
                  const eex_calibration *how, const eex_exit_costs *costs);

/* Thresholds that were tuned and miss the target all the same, on the trace that they were tuned
 * on, because none reach it: a sentence that says so of `what`, whose costs are in `unit`; "": they
 * keep it. Nothing that is tuned is left without a word about that. */
enum { EEX_CALIBRATION_MISSED = 320 };
int eex_calibration_missed(char out[EEX_CALIBRATION_MISSED], const eex_policy *policy,
                           const eex_trace *trace, const eex_calibration *how,
                           const eex_exit_costs *costs, const char *what, const char *unit);

#endif
