/* Inside risk control: settings on a path, what they lose, and when that is little enough. */
#ifndef EEX_CORE_POLICY_RISK_IMPL_H
#define EEX_CORE_POLICY_RISK_IMPL_H

#include "core/policy/risk.h"

/* ---- when a sum of losses is little enough ---- */

/* The p-value of "the mean loss is above epsilon", by the sum over n samples. */
double eex__risk_p(const eex_risk_options *o, double sum, int n);

/* What bounds the mean: at 1 - delta, or what conformal risk control holds against epsilon. */
double eex__risk_bound(const eex_risk_options *o, double sum, int n);

/* Whether a setting holds by its sum; of conformal risk control that of the worst so far. */
bool eex__risk_holds(const eex_risk_options *o, double sum, int n);

/* ---- settings on a trace ---- */

typedef struct eex__risk_run {
    const eex_trace *trace;
    const eex_exit_costs *costs;
    eex__losses losses;
    int32_t *exit;     /* (samples) where they leave */
    eex_decision *how; /* (samples) */
    double *loss;      /* (samples) */
    double cost, sum;  /* expected cost; sum of losses */
    int left[EEX_MAX_EXITS];
    double lost[EEX_MAX_EXITS]; /* by those who leave at each exit */
} eex__risk_run;

/* The trace (borrowed, as costs are) must be scored at the temperatures of what is run on it. */
int eex__risk_run_new(eex__risk_run *out, const eex_trace *trace, const eex_exit_costs *costs,
                      eex_loss loss);
void eex__risk_run_free(eex__risk_run *run); /* accepts {0} */

/* Runs the policy with these upper thresholds, (exits), which it keeps; fills all from `exit` on.
 */
int eex__risk_run_at(eex__risk_run *run, eex_policy *policy, const double *a);

/* ---- paths ---- */

/* Settings from the most careful, where all are closed, to the fastest. */
typedef struct eex__risk_path {
    int exits, count;
    double *a;      /* (count, exits) */
    double *lambda; /* (count) or NULL; -INFINITY: closed */
} eex__risk_path;

void eex__risk_path_free(eex__risk_path *path); /* accepts {0} */

/* One direction, followed by lambda. Both are made on what the run has, the first half, as if it
 * had `tested` samples. */
int eex__risk_path_along(eex__risk_path *out, eex__risk_run *run, eex_policy *policy, int tested,
                         const eex_risk_options *o);

/* Exit by exit, on those who survive. */
int eex__risk_path_by_exit(eex__risk_path *out, eex__risk_run *run, const eex_policy *policy,
                           const eex_risk_options *o);

/* ---- the certificate ---- */

/* Takes the cheapest setting that the run, the second half, certifies: the policy has it, and facts
 * what there is to say. facts->passed 0: none. */
int eex__risk_certify(eex_risk *facts, eex__risk_run *run, eex_policy *policy,
                      const eex__risk_path *path, const eex_risk_options *o);

#endif
