#include "core/use/refit.h"

#include "core/policy/reject.h"

#include "base/status.h"

#include <math.h>

/* ---- targets ---- */

bool eex_wish_guarantees(const eex_wish *wish)
{
    return wish->epsilon > 0 || wish->risk.epsilon > 0;
}

int eex_refit_check(const eex_model *model)
{
    if (eex_graph_exits(model->graph) < 2)
        return eex_fail(EEX_EINVAL, "%s: there is nothing to tune in a network without early exits",
                        model->path);
    return model->policy
               ? EEX_OK
               : eex_fail(EEX_EINVAL, "%s has exits, but no policy to begin with", model->path);
}

static int check_wish(const eex_wish *w, const eex_model *model, const eex_model_costs *costs)
{
    EEX_TRY(eex_refit_check(model));
    if (w->by_latency && !costs->timed)
        return eex_fail(EEX_EINVAL,
                        "%s: what leaving at each exit takes was never measured, so a budget in "
                        "milliseconds cannot be kept: add --measure, or say the budget in MACs",
                        model->path);
    if (eex_wish_guarantees(w) && isnan(w->reject) && eex_policy_rejects(model->policy))
        return eex_fail(EEX_EINVAL,
                        "%s: its policy rejects, by thresholds that the test of the bound may not "
                        "have seen: say --reject RATE to fit them anew, or --reject 0",
                        model->path);
    return EEX_OK;
}

/* Why the target is out of reach, and what is not. */
static int unmet(const eex_operating_point *p, const eex_wish *w, const eex_policy *policy)
{
    const char *rejecting =
        eex_policy_rejects(policy) ? " with the samples that are rejected counted as wrong" : "";
    if (w->tune == EEX_TUNE_ACCURACY)
        return eex_fail(EEX_ENOTFOUND,
                        "no thresholds of kind %s reach an accuracy of %s%g%s: on calibration "
                        "samples that they were not chosen on, %.4f is the most",
                        eex_policy_kind_name(policy->kind),
                        w->target <= 0 ? "that of the end " : "", w->target, rejecting,
                        p->held_accuracy);
    return eex_fail(EEX_ENOTFOUND,
                    w->by_latency ? "no thresholds keep one input within %.6g ms: leaving as early "
                                    "as they can, inputs take %.6g ms on average"
                                  : "no thresholds keep one input within %.0f MACs: leaving as "
                                    "early as they can, inputs take %.0f on average",
                    w->target, w->by_latency ? ceil(p->cost * 1e4) / 1e4 : ceil(p->cost));
}

static int tune_to(eex_policy *policy, eex_operating_point *point, const eex_trace *trace,
                   const eex_exit_costs *costs, const eex_wish *w)
{
    EEX_TRY(eex_policy_tune(policy, point, trace, costs, w->tune, w->target));
    return point->feasible ? EEX_OK : unmet(point, w, policy);
}

/* ---- fitting ---- */

/* The model's own policy, or one of another kind without thresholds yet. */
static int start_policy(eex_policy **out, const eex_model *model, eex_trace *calibration,
                        eex_device *device, const eex_wish *w)
{
    int all[EEX_MAX_EXITS];
    eex_calibration how = w->how;
    if (!w->refit) {
        for (int k = 0; k < model->policy->exits; k++)
            all[k] = k;
        return eex_policy_select(out, model->policy, all, model->policy->exits);
    }
    how.tune = EEX_TUNE_NONE;
    how.b = INFINITY;
    return eex_calibrate(out, calibration, device, &how, NULL);
}

/* Rejection is weighed by upper thresholds, and upper thresholds answer to rejection: so they are
 * tuned before and, where there is a target, again afterwards. */
static int fit(eex_policy *policy, eex_operating_point *point, const eex_trace *trace,
               const eex_exit_costs *costs, const eex_wish *w)
{
    const bool fresh = w->refit && w->tune == EEX_TUNE_NONE;
    const bool rejects = w->reject > 0;
    if (w->reject >= 0) /* what was fitted before makes room */
        eex_policy_reject_nobody(policy);
    if (fresh) /* no target: as good as the end, and as cheap as that can be */
        EEX_TRY(eex_policy_tune(policy, point, trace, costs, EEX_TUNE_ACCURACY, 0));
    else if (rejects)
        EEX_TRY(eex_policy_tune(policy, point, trace, costs, w->tune, w->target));
    if (rejects) {
        EEX_TRY(eex_policy_reject(policy, trace, costs, w->reject, w->by));
        point->held_accuracy = NAN; /* it was of what rejected nobody */
    }
    return w->tune == EEX_TUNE_NONE ? EEX_OK : tune_to(policy, point, trace, costs, w);
}

/* How the policy is fitted anew: what the model has may have seen the samples that test it. */
static eex_calibration anew(const eex_policy *own, const eex_wish *w)
{
    eex_calibration how = w->how;
    if (w->refit)
        return how;
    how = eex_calibration_default();
    how.kind = own->kind;
    how.by_label = own->by_label;
    how.temperature = (double)own->temperature[0];
    for (int k = 1; k < own->exits; k++) /* one for all exits was given, others were fitted */
        if (own->temperature[k] != own->temperature[0])
            how.temperature = 0;
    return how;
}

static int bound(eex_policy **out, eex_refit *facts, const eex_model *model,
                 const eex_trace *calibration, eex_device *device, const eex_exit_costs *costs,
                 const eex_wish *w)
{
    const eex_calibration how = anew(model->policy, w);
    const double reject = w->reject > 0 ? w->reject : 0;
    const eex_conformal_options options = {
        .epsilon = w->epsilon, .delta = w->delta, .reject = reject, .by = w->by, .seed = w->seed};
    eex_risk_options risk = w->risk;
    if (w->epsilon > 0)
        return eex_conformal_fit(out, &facts->conformal, calibration, device, &how, costs,
                                 &options);
    risk.reject = reject;
    risk.by = w->by;
    risk.seed = w->seed;
    return eex_risk_fit(out, &facts->risk, calibration, device, &how, costs, &risk);
}

int eex_model_refit(eex_policy **out, eex_refit *facts, const eex_model *model,
                    eex_trace *calibration, eex_device *device, const eex_model_costs *costs,
                    const eex_wish *wish)
{
    const eex_exit_costs by = {costs->exits, wish->by_latency ? costs->ms : costs->macs,
                               wish->by_latency ? costs->base_ms : costs->base_macs};
    *out = NULL;
    *facts = (eex_refit){.point = {.held_accuracy = NAN, .held_cost = NAN}};
    EEX_TRY(check_wish(wish, model, costs));
    if (eex_wish_guarantees(wish))
        return bound(out, facts, model, calibration, device, &by, wish);
    EEX_TRY(start_policy(out, model, calibration, device, wish));
    int code = fit(*out, &facts->point, calibration, &by, wish);
    if (code < 0) {
        eex_policy_free(*out);
        *out = NULL;
    }
    return code;
}
