#include "core/policy/replay.h"

#include "core/policy/replay_impl.h"
#include "core/policy/tally.h"

#include "base/status.h"

#include <math.h>

int eex__replay_check_temperatures(const eex_trace *trace, const eex_policy *policy)
{
    for (int k = 0; k < trace->exits; k++)
        if (trace->temperature[k] != policy->temperature[k])
            return eex_fail(EEX_EINVAL,
                            "replay: exit %d was scored at temperature %g, the policy wants %g: "
                            "score the trace again",
                            k, (double)trace->temperature[k], (double)policy->temperature[k]);
    return EEX_OK;
}

static int replay_check(const eex_trace *trace, const eex_policy *policy,
                        const eex_exit_costs *costs)
{
    if (trace->exits != policy->exits || trace->classes != policy->classes ||
        (costs && costs->exits != trace->exits))
        return eex_fail(EEX_EINVAL,
                        "replay: a trace of %d exits x %d classes, a policy of %d x %d, costs of "
                        "%d exits: all the same expected",
                        trace->exits, trace->classes, policy->exits, policy->classes,
                        costs ? costs->exits : trace->exits);
    return eex__replay_check_temperatures(trace, policy);
}

/* Where sample i leaves, and how. */
static int replay_sample(eex_decision *how, const eex_trace *trace, const eex_policy *policy, int i)
{
    for (int k = 0;; k++) {
        *how = eex_policy_judge(policy, trace, k, i);
        if (*how != EEX_GO_ON || k == trace->exits - 1)
            return k;
    }
}

void eex__outcome_finish(eex_outcome *out, const eex__tally *t, int samples, int exits,
                         const double *cost)
{
    int right = 0, rejected = 0, agreed = 0;
    double sum = 0;
    for (int k = 0; k < exits; k++) {
        right += t->right[k];
        rejected += t->rejected[k];
        agreed += t->agreed[k];
        sum += t->left[k] * (cost ? cost[k] : NAN);
        out->share[k] = (double)t->left[k] / samples;
        out->exit_accuracy[k] = t->left[k] ? (double)t->right[k] / t->left[k] : NAN;
    }
    for (int k = exits; k < EEX_MAX_EXITS; k++) {
        out->share[k] = 0;
        out->exit_accuracy[k] = NAN;
    }
    out->accuracy = (double)right / samples;
    out->rejected = (double)rejected / samples;
    out->agreement = (double)agreed / samples;
    out->cost = sum / samples;
}

int eex_replay(eex_outcome *out, const eex_trace *trace, const eex_policy *policy,
               const eex_exit_costs *costs, int32_t *exit_of, eex_decision *decision_of)
{
    EEX_TRY(replay_check(trace, policy, costs));
    EEX_TRY(eex_policy_check_trace(policy, trace));
    eex__tally tally = {{0}, {0}, {0}, {0}};
    size_t n = (size_t)trace->samples;
    const int32_t *end = trace->top + (size_t)(trace->exits - 1) * n;
    for (int i = 0; i < trace->samples; i++) {
        eex_decision how;
        int k = replay_sample(&how, trace, policy, i);
        int32_t top = trace->top[(size_t)k * n + (size_t)i];
        tally.left[k]++;
        tally.right[k] += how == EEX_ACCEPT && top == trace->labels[i];
        tally.rejected[k] += how == EEX_REJECT;
        tally.agreed[k] += how == EEX_ACCEPT && top == end[i];
        if (exit_of)
            exit_of[i] = k;
        if (decision_of)
            decision_of[i] = how;
    }
    eex__outcome_finish(out, &tally, trace->samples, trace->exits, costs ? costs->cost : NULL);
    return EEX_OK;
}
