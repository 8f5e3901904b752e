#include "core/policy/halves.h"

#include "core/policy/tune.h"

#include "base/rng.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>

void eex__halves_free(eex__halves *h)
{
    eex_trace_free(h->fit);
    eex_trace_free(h->test);
    *h = (eex__halves){0};
}

int eex__halves_new(eex__halves *out, const eex_trace *trace, uint64_t seed, uint64_t stream)
{
    const int n = trace->samples, fit = n / 2;
    eex_rng rng;
    *out = (eex__halves){0};
    uint32_t *rows = calloc((size_t)n, sizeof *rows);
    if (!rows)
        return eex_fail(EEX_ENOMEM, "halves: out of memory for %d samples", n);
    for (int i = 0; i < n; i++)
        rows[i] = (uint32_t)i;
    eex_rng_seed(&rng, seed, stream);
    eex_rng_shuffle(&rng, rows, (size_t)n);
    int code = eex_trace_take(&out->fit, trace, rows, fit);
    if (code == EEX_OK)
        code = eex_trace_take(&out->test, trace, rows + fit, n - fit);
    free(rows);
    if (code < 0)
        eex__halves_free(out);
    return code;
}

/* Lower thresholds need upper ones, which say what rejecting saves: those that are as good as the
 * end on the first half. */
static int reject_some(eex_policy *policy, const eex_trace *fit, const eex_exit_costs *costs,
                       double rate, eex_reject_by by)
{
    if (rate <= 0)
        return EEX_OK;
    EEX_TRY(eex_policy_tune(policy, NULL, fit, costs, EEX_TUNE_ACCURACY, 0));
    return eex_policy_reject(policy, fit, costs, rate, by);
}

int eex__halves_fit(eex_policy **out, const eex__halves *h, eex_device *device,
                    const eex_calibration *how, const eex_exit_costs *costs, double reject,
                    eex_reject_by by)
{
    eex_calibration plain = *how;
    plain.tune = EEX_TUNE_NONE;
    plain.b = INFINITY;
    plain.reject = 0;
    EEX_TRY(eex_calibrate(out, h->fit, device, &plain, NULL));
    EEX_TRY(eex_trace_score(h->test, device, (*out)->temperature));
    return reject_some(*out, h->fit, costs, reject, by);
}
