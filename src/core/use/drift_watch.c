/* What a model's calibration samples do under its policy. */
#include "core/policy/replay.h"
#include "core/use/drift.h"

#include "base/status.h"

#include <stdlib.h>

/* The trace was scored at the temperatures of the policy that the model came with. */
static int score(eex_trace *trace, const eex_model *model)
{
    const eex_policy *p = model->policy;
    bool same = true;
    for (int k = 0; k < trace->exits; k++)
        same = same && trace->temperature[k] == p->temperature[k];
    if (same)
        return EEX_OK;
    if (!model->params)
        return eex_fail(EEX_EINVAL, "drift: %s was opened without a device", model->path);
    return eex_trace_score(trace, model->params->device, p->temperature);
}

static int count_ways(uint64_t *counts, const eex_trace *trace, const eex_policy *policy)
{
    eex_outcome outcome;
    const size_t n = (size_t)trace->samples;
    int32_t *exits = malloc(n * sizeof *exits);
    eex_decision *decisions = malloc(n * sizeof *decisions);
    int code = exits && decisions ? eex_replay(&outcome, trace, policy, NULL, exits, decisions)
                                  : eex_fail(EEX_ENOMEM, "out of memory for %zu samples", n);
    for (size_t i = 0; i < n && code == EEX_OK; i++)
        counts[decisions[i] == EEX_REJECT ? trace->exits : exits[i]]++;
    free(exits);
    free(decisions);
    return code;
}

int eex_drift_watch(eex_drift *out, const eex_model *model, int window, double alpha)
{
    eex_trace *trace = NULL;
    uint64_t counts[EEX_DRIFT_WAYS] = {0};
    *out = (eex_drift){.ways = 0};
    if (!model->policy)
        return eex_fail(EEX_EINVAL, "drift: without a policy every frame leaves at the end");
    EEX_TRY(eex_model_trace(&trace, model, "calibration"));
    int code = score(trace, model);
    if (code == EEX_OK)
        code = count_ways(counts, trace, model->policy);
    const int ways = trace->exits + 1;
    eex_trace_free(trace);
    return code < 0 ? code : eex_drift_begin(out, counts, ways, window, alpha);
}
