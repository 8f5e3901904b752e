#include "core/policy/risk.h"

#include "core/policy/halves.h"
#include "core/policy/risk_impl.h"

#include "base/status.h"

#include <math.h>

enum { STREAM = 0x7269736b };

EEX_NAMES(eex_risk_method, eex_risk_method,
          EEX_RISK_METHODS, [EEX_RISK_LTT] = "ltt", [EEX_RISK_CRC] = "crc");

/* ---- what may be asked ---- */

static int check_options(const eex_risk_options *o)
{
    const double most = (unsigned)o->loss < EEX_LOSSES ? eex_loss_most(o->loss) : NAN;
    if (isnan(most) || (unsigned)o->method >= EEX_RISK_METHODS)
        return eex_fail(EEX_EINVAL, "risk: there is no loss %d or no method %d", (int)o->loss,
                        (int)o->method);
    if (!(o->epsilon > 0) || !(o->epsilon < most) || !(o->delta > 0) || !(o->delta < 1))
        return eex_fail(EEX_EINVAL,
                        "risk: epsilon %g, delta %g: an epsilon between 0 and %g (the most that "
                        "loss \"%s\" can be) and a delta between 0 and 1 expected",
                        o->epsilon, o->delta, most, eex_loss_name(o->loss));
    if (o->each_exit && o->method == EEX_RISK_CRC)
        return eex_fail(EEX_EINVAL,
                        "risk: conformal risk control promises a mean over all, whose losses grow "
                        "along a path; those of the ones who leave at one exit do not: at each "
                        "exit take learn then test (ltt)");
    if (o->each_exit && o->reject > 0)
        return eex_fail(EEX_EINVAL,
                        "risk: whoever is rejected leaves at that exit without an answer, so at "
                        "each exit nothing can be promised of a policy that rejects: "
                        "reject nobody (0)");
    return EEX_OK;
}

/* The smallest epsilon that n samples can certify, to be told: rounded up. */
static double least_epsilon(const eex_risk_options *o, int n)
{
    const double most = eex_loss_most(o->loss);
    const double least =
        o->method == EEX_RISK_CRC ? most / (n + 1.0) : most * -expm1(log(o->delta) / n);
    const double unit = pow(10, floor(log10(least)) - 2);
    return ceil(least / unit) * unit;
}

static int check_samples(const eex_risk_options *o, int samples)
{
    const int tested = samples - samples / 2;
    const double needed = eex_risk_samples(o);
    if (tested >= needed)
        return EEX_OK;
    return eex_fail(EEX_EINVAL,
                    "risk: an epsilon of %g is too small for %d calibration images: half of them "
                    "fit the thresholds, and to certify it takes at least %.0f others, even if "
                    "none of them loses anything. %.0f calibration images would do, or an epsilon "
                    "of %.3g",
                    o->epsilon, samples, needed, 2 * needed - 1, least_epsilon(o, tested));
}

static int check(const eex_trace *trace, const eex_exit_costs *costs, const eex_risk_options *o)
{
    EEX_TRY(check_options(o));
    if (trace->samples < 2 || !costs || costs->exits != trace->exits)
        return eex_fail(EEX_EINVAL, "risk: %d samples and costs of %d exits for %d", trace->samples,
                        costs ? costs->exits : 0, trace->exits);
    return check_samples(o, trace->samples);
}

/* ---- the work ---- */

static int lay_path(eex__risk_path *out, eex_policy *policy, const eex__halves *h,
                    const eex_exit_costs *costs, const eex_risk_options *o)
{
    eex__risk_run run;
    EEX_TRY(eex__risk_run_new(&run, h->fit, costs, o->loss));
    int code = o->each_exit ? eex__risk_path_by_exit(out, &run, policy, o)
                            : eex__risk_path_along(out, &run, policy, h->test->samples, o);
    eex__risk_run_free(&run);
    return code;
}

static int certify(eex_risk *facts, eex_policy *policy, const eex__risk_path *path,
                   const eex_trace *test, const eex_exit_costs *costs, const eex_risk_options *o)
{
    eex__risk_run run;
    EEX_TRY(eex__risk_run_new(&run, test, costs, o->loss));
    int code = eex__risk_certify(facts, &run, policy, path, o);
    eex__risk_run_free(&run);
    EEX_TRY(code);
    if (facts->passed > 0)
        return EEX_OK;
    return eex_fail(EEX_ENOTFOUND,
                    "risk: nothing can be promised within %g: even with nobody accepted early, "
                    "those who are rejected lose %.4f on %d images, which bounds the risk by "
                    "%.4f. Reject fewer, or take a larger epsilon",
                    o->epsilon, facts->all.mean, test->samples, facts->all.bound);
}

static int fit_and_certify(eex_policy **out, eex_risk *facts, const eex__halves *h,
                           eex_device *device, const eex_calibration *how,
                           const eex_exit_costs *costs, const eex_risk_options *o)
{
    eex__risk_path path = {0};
    EEX_TRY(eex__halves_fit(out, h, device, how, costs, o->reject, o->by));
    int code = lay_path(&path, *out, h, costs, o);
    if (code == EEX_OK)
        code = certify(facts, *out, &path, h->test, costs, o);
    eex__risk_path_free(&path);
    return code;
}

int eex_risk_fit(eex_policy **out, eex_risk *facts, const eex_trace *trace, eex_device *device,
                 const eex_calibration *how, const eex_exit_costs *costs,
                 const eex_risk_options *options)
{
    eex__halves h = {0};
    *out = NULL;
    EEX_TRY(check(trace, costs, options));
    EEX_TRY(eex__halves_new(&h, trace, options->seed, STREAM));
    *facts = (eex_risk){.fitted = h.fit->samples, .tested = h.test->samples};
    int code = fit_and_certify(out, facts, &h, device, how, costs, options);
    eex__halves_free(&h);
    if (code < 0) {
        eex_policy_free(*out);
        *out = NULL;
    }
    return code;
}
