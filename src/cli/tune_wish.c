#include "cli/tune_wish.h"

#include "cli/amount.h"
#include "cli/options.h"

#include "base/status.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* How often a guarantee may fail where nobody says it. */
static double delta_of(const eex_tune_arguments *a)
{
    return isnan(a->delta) ? 0.05 : a->delta;
}

/* "2.5M", "2500000", or "40%" of `whole`. */
static int parse_budget(double *out, const char *text, double whole, const char *what)
{
    char number[64];
    size_t length = strlen(text);
    if (length < 2 || length >= sizeof number || text[length - 1] != '%')
        return eex_parse_amount(out, text, what);
    if (isnan(whole))
        return eex_fail(EEX_EINVAL, "%s: a share of the base's, which was never measured", what);
    memcpy(number, text, length);
    number[length - 1] = '\0';
    EEX_TRY(eex_text_parse_double(out, number, 1e-6, 1e6, what));
    *out *= whole / 100;
    return EEX_OK;
}

static int parse_temperature(eex_calibration *how, const char *text)
{
    how->temperature = 0;
    if (!text || strcmp(text, "fitted") == 0)
        return EEX_OK;
    return eex_text_parse_double(&how->temperature, text, 0.01, 1000, "--temperature");
}

static int parse_target(eex_wish *w, const eex_tune_arguments *a, const eex_model_costs *costs)
{
    const int targets =
        !!a->accuracy + !!a->macs + !!a->latency + (a->conformal > 0) + (a->risk > 0);
    if (targets > 1)
        return eex_fail(
            EEX_EINVAL,
            "one target at a time: --accuracy, --macs, --latency, --conformal or --risk");
    if (a->accuracy) {
        w->tune = EEX_TUNE_ACCURACY;
        return eex_text_parse_double(&w->target, a->accuracy, -1, 1, "--accuracy");
    }
    if (!a->macs && !a->latency)
        return EEX_OK;
    w->tune = EEX_TUNE_MACS;
    w->by_latency = a->latency != NULL;
    return a->latency ? parse_budget(&w->target, a->latency, costs->base_ms, "--latency")
                      : parse_budget(&w->target, a->macs, costs->base_macs, "--macs");
}

static int parse_reject_by(eex_reject_by *by, const eex_tune_arguments *a)
{
    static const char *const names[] = {"distance", "score"};
    static const eex_reject_by ways[] = {EEX_REJECT_BY_DISTANCE, EEX_REJECT_BY_SCORE};
    int which;
    *by = EEX_REJECT_BY_ANY;
    if (!a->reject_by)
        return EEX_OK;
    if (isnan(a->reject))
        return eex_fail(EEX_EINVAL, "--reject-by goes with --reject");
    EEX_TRY(eex_options_choice(&which, "way to reject", a->reject_by, names, 2));
    *by = ways[which];
    return EEX_OK;
}

static int parse_risk(eex_risk_options *o, const eex_tune_arguments *a)
{
    const eex_names *losses = eex_loss_names(), *methods = eex_risk_method_names();
    int loss = EEX_LOSS_ACCURACY, method = EEX_RISK_LTT;
    if (a->risk <= 0 && (a->loss || a->method || a->each_exit))
        return eex_fail(EEX_EINVAL, "%s goes with --risk",
                        a->loss     ? "--loss"
                        : a->method ? "--method"
                                    : "--each-exit");
    if (a->loss)
        EEX_TRY(eex_options_choice(&loss, "loss", a->loss, losses->name, (size_t)losses->count));
    if (a->method)
        EEX_TRY(eex_options_choice(&method, "method", a->method, methods->name,
                                   (size_t)methods->count));
    *o = (eex_risk_options){.loss = (eex_loss)loss,
                            .method = (eex_risk_method)method,
                            .epsilon = a->risk,
                            .delta = delta_of(a),
                            .each_exit = a->each_exit};
    return EEX_OK;
}

int eex_tune_wish(eex_wish *w, const eex_tune_arguments *a, const eex_model *model,
                  const eex_model_costs *costs)
{
    *w = (eex_wish){.how = eex_calibration_default(),
                    .reject = a->reject,
                    .epsilon = a->conformal,
                    .delta = delta_of(a),
                    .seed = (uint64_t)a->seed};
    EEX_TRY(parse_reject_by(&w->by, a));
    if (!isnan(a->delta) && a->risk <= 0 && a->conformal <= 0)
        return eex_fail(EEX_EINVAL, "--delta goes with --risk or --conformal");
    EEX_TRY(parse_risk(&w->risk, a));
    w->refit = a->policy || a->temperature;
    w->how.kind = model->policy ? model->policy->kind : EEX_POLICY_PER_CLASS;
    w->how.by_label = !model->policy || model->policy->by_label;
    if (a->policy)
        EEX_TRY(eex_policy_kind_parse(&w->how.kind, a->policy));
    EEX_TRY(parse_temperature(&w->how, a->temperature));
    return parse_target(w, a, costs);
}

static const char *share_of(const char *amount)
{
    return strchr(amount, '%') ? " of the base's" : "";
}

void eex_tune_describe(char out[EEX_TUNE_TARGET], const eex_tune_arguments *a)
{
    int used = 0;
    *out = '\0';
    if (a->accuracy)
        used = snprintf(out, EEX_TUNE_TARGET, "accuracy %.40s", a->accuracy);
    else if (a->macs)
        used = snprintf(out, EEX_TUNE_TARGET, "at most %.40s%s MACs", a->macs, share_of(a->macs));
    else if (a->latency)
        used =
            snprintf(out, EEX_TUNE_TARGET, "at most %.40s%s ms", a->latency, share_of(a->latency));
    else if (a->conformal > 0)
        used =
            snprintf(out, EEX_TUNE_TARGET, "at most %g lost, delta %g", a->conformal, delta_of(a));
    else if (a->risk > 0)
        used = snprintf(out, EEX_TUNE_TARGET, "a risk of at most %g (%.20s)%s", a->risk,
                        a->loss ? a->loss : eex_loss_name(EEX_LOSS_ACCURACY),
                        a->each_exit ? " at each exit" : "");
    if (!isnan(a->reject))
        snprintf(out + used, EEX_TUNE_TARGET - (size_t)used, "%sat most %g rejected",
                 used ? ", " : "", a->reject);
}
