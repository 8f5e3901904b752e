#include "core/policy/replay.h"
#include "core/policy/risk_impl.h"

#include "base/signals.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

void eex__risk_run_free(eex__risk_run *r)
{
    eex__losses_free(&r->losses);
    free(r->exit);
    free(r->how);
    free(r->loss);
}

int eex__risk_run_new(eex__risk_run *out, const eex_trace *trace, const eex_exit_costs *costs,
                      eex_loss loss)
{
    const size_t n = (size_t)trace->samples;
    *out = (eex__risk_run){.trace = trace, .costs = costs};
    EEX_TRY(eex__losses_new(&out->losses, trace, loss));
    out->exit = calloc(n, sizeof *out->exit);
    out->how = calloc(n, sizeof *out->how);
    out->loss = calloc(n, sizeof *out->loss);
    if (out->exit && out->how && out->loss)
        return EEX_OK;
    eex__risk_run_free(out);
    *out = (eex__risk_run){0};
    return eex_fail(EEX_ENOMEM, "risk: out of memory for %d samples", trace->samples);
}

int eex__risk_run_at(eex__risk_run *r, eex_policy *policy, const double *a)
{
    eex_outcome outcome;
    if (eex_interrupted())
        return eex_fail(EEX_EINTERRUPTED, "interrupted while thresholds were sought");
    for (int k = 0; k + 1 < policy->exits; k++)
        policy->a[k] = a[k];
    eex_policy_apply(policy);
    EEX_TRY(eex_replay(&outcome, r->trace, policy, r->costs, r->exit, r->how));
    r->cost = outcome.cost;
    r->sum = 0;
    memset(r->left, 0, sizeof r->left);
    memset(r->lost, 0, sizeof r->lost);
    for (int i = 0; i < r->trace->samples; i++) {
        const int k = r->exit[i];
        r->loss[i] = eex__loss_of(&r->losses, i, k, r->how[i]);
        r->sum += r->loss[i];
        r->left[k]++;
        r->lost[k] += r->loss[i];
    }
    return EEX_OK;
}
