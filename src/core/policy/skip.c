#include "core/policy/skip.h"

#include "core/policy/replay_impl.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>

static int check(const eex_trace *trace, const eex_policy *policy, const eex_charges *charges,
                 const eex_skips *skips)
{
    EEX_NEED(trace, "trace");
    EEX_NEED(policy, "policy");
    EEX_NEED(charges, "costs");
    if (trace->exits != policy->exits || trace->classes != policy->classes ||
        charges->exits != trace->exits || (skips && skips->gates != trace->exits - 1))
        return eex_fail(EEX_EINVAL,
                        "replay: a trace of %d exits x %d classes, a policy of %d x %d, costs of "
                        "%d exits, scores of %d gates: all the same expected, and a gate less",
                        trace->exits, trace->classes, policy->exits, policy->classes,
                        charges->exits, skips ? skips->gates : trace->exits - 1);
    EEX_TRY(eex__replay_check_temperatures(trace, policy));
    return eex_policy_check_trace(policy, trace);
}

/* Samples by where they leave, and by what was computed for them. */
typedef struct tally {
    int right, left[EEX_MAX_EXITS], computed[EEX_MAX_EXITS], reached[EEX_MAX_EXITS];
} tally;

static bool asks(const eex_skips *skips, const eex_trace *t, int k, int i)
{
    const size_t at = (size_t)k * (size_t)t->samples + (size_t)i;
    return !skips || k == skips->gates || eex_skip_asks(skips->score[at], skips->gamma[k]);
}

/* Where sample i leaves, and how. */
static int replay_sample(eex_decision *how, tally *sum, const eex_trace *t, const eex_policy *p,
                         const eex_skips *skips, int i)
{
    for (int k = 0;; k++) {
        const bool computed = asks(skips, t, k, i);
        sum->reached[k]++;
        sum->computed[k] += computed;
        *how = computed ? eex_policy_judge(p, t, k, i) : EEX_GO_ON;
        if (*how != EEX_GO_ON || k == t->exits - 1)
            return k;
    }
}

static void finish(eex_skip_outcome *out, const tally *sum, const eex_charges *c, int samples,
                   bool predicted)
{
    const double n = samples;
    *out = (eex_skip_outcome){.accuracy = sum->right / n, .device = predicted ? c->predictor : 0};
    for (int k = 0; k < c->exits; k++) {
        const bool last = k == c->exits - 1;
        out->share[k] = sum->left[k] / n;
        out->computed[k] = sum->computed[k] / n;
        out->device += last ? 0 : sum->reached[k] / n * c->trunk[k];
        out->device += last ? 0 : out->computed[k] * c->gate[k];
    }
    out->total = out->device + sum->reached[c->exits - 1] / n * c->trunk[c->exits - 1];
}

int eex_replay_skips(eex_skip_outcome *out, const eex_trace *trace, const eex_policy *policy,
                     const eex_charges *charges, const eex_skips *skips, int32_t *exit_of,
                     eex_decision *decision_of)
{
    EEX_NEED(out, "place for the outcome");
    EEX_TRY(check(trace, policy, charges, skips));
    tally sum = {0};
    for (int i = 0; i < trace->samples; i++) {
        eex_decision how;
        const int k = replay_sample(&how, &sum, trace, policy, skips, i);
        const size_t at = (size_t)k * (size_t)trace->samples + (size_t)i;
        sum.left[k]++;
        sum.right += how == EEX_ACCEPT && trace->top[at] == trace->labels[i];
        if (exit_of)
            exit_of[i] = k;
        if (decision_of)
            decision_of[i] = how;
    }
    finish(out, &sum, charges, trace->samples, skips != NULL);
    return EEX_OK;
}
