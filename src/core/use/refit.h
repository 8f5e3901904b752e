/* Refitting a model's policy for a budget, on its stored calibration trace: the network is not run.
 */
#ifndef EEX_CORE_USE_REFIT_H
#define EEX_CORE_USE_REFIT_H

#include "core/policy/conformal.h"
#include "core/policy/reject.h"
#include "core/policy/risk.h"
#include "core/policy/tune.h"
#include "core/use/model_costs.h"

typedef struct eex_wish {
    bool refit;          /* another kind or temperature: `how` says which; else the model's own */
    eex_calibration how; /* kind, temperature, by_label */
    eex_tune tune;       /* EEX_TUNE_NONE, EEX_TUNE_ACCURACY or EEX_TUNE_MACS */
    double target;       /* accuracy (<= 0: added to that of the end), MACs or milliseconds */
    bool by_latency;     /* EEX_TUNE_MACS is about milliseconds */
    double reject;       /* rate of eex_policy_reject; NAN: as the model's policy has it */
    eex_reject_by by;    /* what `reject` compares */
    double epsilon;      /* > 0: a conformal bound, and no other target */
    double delta;
    eex_risk_options risk; /* epsilon > 0: thresholds with this guarantee, and no other target; its
                            * reject, by and seed are those here */
    uint64_t seed;         /* of what is drawn */
} eex_wish;

typedef struct eex_refit {
    eex_operating_point point; /* what the thresholds were chosen by; held_accuracy is NAN where
                                * none was: a guarantee, or rejection alone */
    eex_conformal conformal;   /* with epsilon > 0 */
    eex_risk risk;             /* with risk.epsilon > 0 */
} eex_refit;

/* Whether a guarantee is asked for: everything is then fitted anew, on one half of the samples. */
bool eex_wish_guarantees(const eex_wish *wish);

/* Whether there is anything to tune: exits, and a policy to begin with. */
int eex_refit_check(const eex_model *model);

/* *out: a policy for the model. The trace is the model's calibration trace, scored at its policy's
 * temperatures; with wish.refit it is scored anew. device: for scoring; may be NULL where neither
 * wish.refit nor a guarantee is asked for.
 *
 * EEX_ENOTFOUND for a target that cannot be met: the message names the nearest that can. EEX_EINVAL
 * for a latency without measurements, and for a risk that the samples are too few for. */
int eex_model_refit(eex_policy **out, eex_refit *facts, const eex_model *model,
                    eex_trace *calibration, eex_device *device, const eex_model_costs *costs,
                    const eex_wish *wish);

#endif
