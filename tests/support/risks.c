#include "support/risks.h"

#include "core/policy/replay.h"
#include "support/traces.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>

enum { EXITS = TEST_POPULATION_EXITS, CLASSES = TEST_POPULATION_CLASSES };

static double naive_brier(const eex_trace *t, int k, int i)
{
    const float *z = t->logits + ((size_t)k * (size_t)t->samples + (size_t)i) * CLASSES;
    double sum = 0, score = 0;
    for (int c = 0; c < CLASSES; c++)
        sum += exp((double)z[c] / (double)t->temperature[k]);
    for (int c = 0; c < CLASSES; c++)
        score += pow(exp((double)z[c] / (double)t->temperature[k]) / sum - (t->labels[i] == c), 2);
    return score;
}

static double naive_loss(const eex_trace *t, eex_loss loss, int i, int k, eex_decision how)
{
    const int n = t->samples, top = t->top[k * n + i], end = t->top[(EXITS - 1) * n + i];
    const bool gone = how == EEX_REJECT;
    if (loss == EEX_LOSS_ACCURACY)
        return end == t->labels[i] && (gone || top != t->labels[i]);
    if (loss == EEX_LOSS_DISAGREEMENT)
        return gone || top != end;
    const double here = gone ? 2 : naive_brier(t, k, i);
    return fmax(here - naive_brier(t, EXITS - 1, i), 0);
}

test_truth test_truth_of(eex_trace *t, const eex_policy *p, eex_loss loss)
{
    static int32_t exit_of[TEST_POPULATION];
    static eex_decision how[TEST_POPULATION];
    eex_outcome o;
    test_truth out = {0};
    if (t->temperature[0] != p->temperature[0])
        cr_assert_eq(eex_trace_score(t, test_head_device(), p->temperature), EEX_OK);
    cr_assert_eq(eex_replay(&o, t, p, NULL, exit_of, how), EEX_OK);
    for (int i = 0; i < t->samples; i++) {
        double lost = naive_loss(t, loss, i, exit_of[i], how[i]);
        out.mean += lost / t->samples;
        out.exit[exit_of[i]] += lost;
        out.left[exit_of[i]]++;
    }
    for (int k = 0; k < EXITS; k++)
        out.exit[k] = out.left[k] ? out.exit[k] / out.left[k] : 0;
    return out;
}

const test_promise test_promises[TEST_PROMISES] = {
    {EEX_LOSS_ACCURACY, EEX_RISK_LTT, false, 0.06},
    {EEX_LOSS_DISAGREEMENT, EEX_RISK_LTT, false, 0.1},
    {EEX_LOSS_BRIER, EEX_RISK_LTT, false, 0.15},
    {EEX_LOSS_ACCURACY, EEX_RISK_CRC, false, 0.04},
    {EEX_LOSS_DISAGREEMENT, EEX_RISK_CRC, false, 0.08},
    {EEX_LOSS_BRIER, EEX_RISK_CRC, false, 0.08},
    {EEX_LOSS_ACCURACY, EEX_RISK_LTT, true, 0.12},
    {EEX_LOSS_DISAGREEMENT, EEX_RISK_LTT, true, 0.2},
    {EEX_LOSS_BRIER, EEX_RISK_LTT, true, 0.3},
};

eex_risk_options test_promise_options(const test_promise *p)
{
    return (eex_risk_options){.loss = p->loss,
                              .method = p->method,
                              .epsilon = p->epsilon,
                              .delta = 0.2,
                              .each_exit = p->each_exit,
                              .steps = 2};
}
