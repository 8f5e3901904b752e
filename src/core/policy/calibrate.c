#include "core/policy/calibrate.h"

#include "core/policy/class_stats.h"
#include "core/policy/reject.h"
#include "core/policy/replay.h"
#include "core/policy/tune.h"
#include "device/decide.h"

#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

EEX_NAMES(eex_tune, eex_tune, EEX_TUNES, [EEX_TUNE_NONE] = "none", [EEX_TUNE_ACCURACY] = "accuracy",
          [EEX_TUNE_MACS] = "macs", [EEX_TUNE_WEIGHTED] = "weighted");

eex_calibration eex_calibration_default(void)
{
    return (eex_calibration){
        .kind = EEX_POLICY_PER_CLASS, .temperature = 5, .a = 0.5, .b = INFINITY, .by_label = true};
}

void eex_calibration_use_kind(eex_calibration *how, eex_policy_kind kind)
{
    static const double usual[] = {
        [EEX_POLICY_PER_CLASS] = 0.5,
        [EEX_POLICY_MARGIN] = 0.5,
        [EEX_POLICY_CONFIDENCE] = 0.9,
        [EEX_POLICY_ENTROPY] = -0.3,
    };
    _Static_assert(sizeof usual / sizeof *usual == EEX_POLICY_KINDS, "a usual threshold a kind");
    if (kind == how->kind)
        return;
    how->kind = kind;
    how->temperature = kind == EEX_POLICY_PER_CLASS ? 5 : 1;
    how->a = usual[kind];
    how->b = INFINITY;
}

int eex_calibration_check_threshold(eex_policy_kind kind, double t)
{
    const bool probability = kind == EEX_POLICY_CONFIDENCE || kind == EEX_POLICY_MARGIN;
    if (isnan(t) || (probability && (t < 0 || t > 1)) || (kind == EEX_POLICY_ENTROPY && t < 0))
        return eex_fail(EEX_EINVAL, "a threshold of %g for the %s: expected %s", t,
                        eex_policy_kind_name(kind),
                        probability ? "0 to 1" : "at least 0 nats, or deviations");
    return EEX_OK;
}

/* Entropies are compared with their sign turned; that of a zero does not matter. */
static double said(eex_policy_kind kind, double threshold)
{
    return kind == EEX_POLICY_ENTROPY ? 0 - threshold : threshold;
}

int eex_calibration_check_thresholds(const eex_calibration *how, const char *where)
{
    int code = eex_calibration_check_threshold(how->kind, said(how->kind, how->a));
    if (code < 0)
        return eex_fail_in(code, "%s.a", where);
    if (how->b < INFINITY)
        code = eex_calibration_check_threshold(how->kind, said(how->kind, how->b));
    return code < 0 ? eex_fail_in(code, "%s.b", where) : EEX_OK;
}

const char *eex_calibration_target_expected(const eex_calibration *how)
{
    switch (how->tune) {
    case EEX_TUNE_ACCURACY:
        return how->target > -1 && how->target <= 1
                   ? NULL
                   : "an accuracy, at most 1; 0 or less: so far below the backbone's own";
    case EEX_TUNE_NONE:
        return how->target == 0 ? NULL : "0, or policy.tune, which says what it is a target of";
    default:
        return how->target > 0 && isfinite(how->target) ? NULL : "a positive number";
    }
}

static int calibration_check(const eex_calibration *how, const eex_exit_costs *costs, int exits)
{
    if (!(how->temperature >= 0) || isinf(how->temperature))
        return eex_fail(EEX_EINVAL, "policy.temperature: a positive number, or 0 to fit it, got %g",
                        how->temperature);
    if (isnan(how->a) || isnan(how->b) || isnan(how->target))
        return eex_fail(EEX_EINVAL, "policy: a, b and target must be numbers, got %g, %g, %g",
                        how->a, how->b, how->target);
    if ((unsigned)how->tune >= EEX_TUNES)
        return eex_fail(EEX_EINVAL, "policy.tune: no way of tuning has number %d", (int)how->tune);
    if (!(how->reject >= 0) || how->reject >= 1)
        return eex_fail(EEX_EINVAL, "policy.reject: a fraction from 0 to below 1, got %g",
                        how->reject);
    const char *expected = how->tune == EEX_TUNE_NONE ? NULL : eex_calibration_target_expected(how);
    if (expected)
        return eex_fail(EEX_EINVAL, "policy.target: %s, got %.10g", expected, how->target);
    if (how->tune == EEX_TUNE_NONE && how->reject <= 0)
        return EEX_OK;
    if (!costs || costs->exits != exits)
        return eex_fail(EEX_EINVAL, "policy: thresholds are tuned for %d exits, costs of %d given",
                        exits, costs ? costs->exits : 0);
    return EEX_OK;
}

static int calibrate_score(eex_policy *p, eex_trace *trace, eex_device *device, double temperature)
{
    EEX_TRY(eex_trace_check(trace));
    for (int k = 0; k < p->exits; k++)
        p->temperature[k] =
            (float)(temperature > 0 ? temperature : eex_calibrate_temperature(trace, k));
    return eex_trace_score(trace, device, p->temperature);
}

/* Mean and deviation of exit k's confidence in each class; a class with fewer than two samples gets
 * those of all together. */
static int calibrate_exit(eex_policy *p, const eex_trace *trace, eex_device *device, int k,
                          bool by_label, eex_regressor *of_class)
{
    size_t from = (size_t)k * (size_t)trace->samples, to = (size_t)k * (size_t)p->classes;
    const float *score = trace->confidence + from;
    eex_regressor pooled;
    EEX_TRY(eex__class_stats(of_class, device, score, by_label ? trace->labels : trace->top + from,
                             trace->samples, p->classes));
    EEX_TRY(eex__class_stats(&pooled, device, score, NULL, trace->samples, 1));
    for (int c = 0; c < p->classes; c++) {
        const eex_regressor *r = of_class[c].count < 2 ? &pooled : &of_class[c];
        p->mean[to + (size_t)c] = r->mean;
        p->dev[to + (size_t)c] = eex_regressor_dev(r);
        p->count[to + (size_t)c] = of_class[c].count;
    }
    return EEX_OK;
}

static int calibrate_regressors(eex_policy *p, const eex_trace *trace, eex_device *device,
                                bool by_label)
{
    if (p->kind != EEX_POLICY_PER_CLASS)
        return EEX_OK;
    eex_regressor *of_class = calloc((size_t)p->classes, sizeof *of_class);
    if (!of_class)
        return eex_fail(EEX_ENOMEM, "calibration: out of memory for %d classes", p->classes);
    int code = EEX_OK;
    for (int k = 0; k < p->exits && code == EEX_OK; k++)
        code = calibrate_exit(p, trace, device, k, by_label, of_class);
    free(of_class);
    return code;
}

static int calibrate_fit(eex_policy *p, eex_trace *trace, eex_device *device,
                         const eex_calibration *how, const eex_exit_costs *costs)
{
    EEX_TRY(calibrate_score(p, trace, device, how->temperature));
    EEX_TRY(calibrate_regressors(p, trace, device, how->by_label));
    for (int k = 0; k < p->exits; k++) {
        p->a[k] = how->a;
        p->b[k] = how->b;
    }
    eex_policy_apply(p);
    if (how->tune != EEX_TUNE_NONE)
        EEX_TRY(eex_policy_tune(p, NULL, trace, costs, how->tune, how->target));
    return how->reject > 0 ? eex_policy_reject(p, trace, costs, how->reject, EEX_REJECT_BY_ANY)
                           : EEX_OK;
}

int eex_calibrate(eex_policy **out, eex_trace *trace, eex_device *device,
                  const eex_calibration *how, const eex_exit_costs *costs)
{
    *out = NULL;
    EEX_TRY(calibration_check(how, costs, trace->exits));
    eex_policy *p = NULL;
    EEX_TRY(eex_policy_new(&p, how->kind, trace->exits, trace->classes));
    p->by_label = how->by_label;
    eex_device_range(device, "calibrate");
    int status = calibrate_fit(p, trace, device, how, costs);
    eex_device_range_end(device);
    if (status != EEX_OK) {
        eex_policy_free(p);
        return status;
    }
    *out = p;
    return EEX_OK;
}

/* Half a percent is left to cross-fitting, which answers for unseen samples. */
int eex_calibration_missed(char out[EEX_CALIBRATION_MISSED], const eex_policy *policy,
                           const eex_trace *trace, const eex_calibration *how,
                           const eex_exit_costs *costs, const char *what, const char *unit)
{
    const double end = eex_trace_accuracy(trace, trace->exits - 1);
    const double least = how->target > 0 ? how->target : end + how->target;
    eex_outcome got;
    out[0] = '\0';
    EEX_TRY(eex_replay(&got, trace, policy, costs, NULL, NULL));
    if (how->tune == EEX_TUNE_ACCURACY && got.accuracy + how->reject < least - 0.005)
        snprintf(out, EEX_CALIBRATION_MISSED,
                 "policy.target: no thresholds of %s reach an accuracy of %.4f on the calibration "
                 "split; these have %.4f, and its end %.4f",
                 what, least, got.accuracy, end);
    if (how->tune == EEX_TUNE_MACS && got.cost > 1.001 * how->target)
        snprintf(out, EEX_CALIBRATION_MISSED,
                 "policy.target: no thresholds of %s keep one input within %.6g %s; these leave as "
                 "early as they can: %.6g, with an accuracy of %.4f on the calibration split",
                 what, how->target, unit, got.cost, got.accuracy);
    return EEX_OK;
}
