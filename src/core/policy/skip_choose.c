/* Thresholds of predictors and of the exits that they imitate, on grids. */
#include "core/policy/grid.h"
#include "core/policy/skip.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GAMMAS = 34, LAMBDAS = 10 };

static const double most_steps = 4e8; /* of a grid that is searched whole: samples times gates */

/* What both searches replay: who would leave at which exit, whatever is in front of it. */
typedef struct bench {
    int samples, gates;
    const eex_trace *trace;
    const eex_charges *charges;
    const eex_skips *skips;
    uint8_t *leaves; /* (gates, samples) */
    float *gamma;    /* (gates, GAMMAS) ascending */
    int options[EEX_MAX_EXITS];
    int most_last; /* samples that may reach the end */
} bench;

static size_t at_of(const bench *b, int k, int i)
{
    return (size_t)k * (size_t)b->samples + (size_t)i;
}

/* ---- prediction thresholds ---- */

static eex_grid_value judge_gamma(const void *context, const int *at)
{
    const bench *b = context;
    const eex_charges *c = b->charges;
    double device = b->samples * c->predictor;
    int last = 0;
    for (int i = 0; i < b->samples; i++) {
        int k = 0;
        for (bool gone = false; k < b->gates && !gone; k++) {
            const float gamma = b->gamma[k * GAMMAS + at[k]];
            const bool asked = eex_skip_asks(b->skips->score[at_of(b, k, i)], gamma);
            device += c->trunk[k] + (asked ? c->gate[k] : 0);
            gone = asked && b->leaves[at_of(b, k, i)];
            last += k == b->gates - 1 && !gone;
        }
    }
    const eex_grid_value never = {{INFINITY, INFINITY}};
    return last > b->most_last ? never : (eex_grid_value){{device, last}};
}

static int by_value(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Everybody, then at even distances of the sorted scores, then nobody. Of NaNs none is a threshold.
 */
static int find_options(bench *b, int k, float *sorted)
{
    float *gamma = b->gamma + (size_t)k * GAMMAS;
    int known = 0, n = 0;
    for (int i = 0; i < b->samples; i++)
        if (!isnan(b->skips->score[at_of(b, k, i)]))
            sorted[known++] = b->skips->score[at_of(b, k, i)];
    qsort(sorted, (size_t)known, sizeof *sorted, by_value);
    gamma[n++] = 0;
    for (int j = 1; j < GAMMAS - 1 && known > 0; j++) {
        const float next = sorted[(size_t)j * (size_t)known / (GAMMAS - 1)];
        if (next > gamma[n - 1])
            gamma[n++] = next;
    }
    gamma[n++] = INFINITY;
    return n;
}

static int find_leavers(bench *b, const eex_policy *policy)
{
    int last = 0;
    for (int i = 0; i < b->samples; i++) {
        bool gone = false;
        for (int k = 0; k < b->gates; k++) {
            b->leaves[at_of(b, k, i)] = eex_policy_judge(policy, b->trace, k, i) != EEX_GO_ON;
            gone = gone || b->leaves[at_of(b, k, i)];
        }
        last += !gone;
    }
    return last;
}

static int search_gamma(float *gamma, const bench *b)
{
    int best[EEX_MAX_EXITS];
    eex_grid_value value;
    eex_grid grid = {.dimensions = b->gates,
                     .most = most_steps / ((double)b->samples * b->gates),
                     .judge = judge_gamma,
                     .context = b};
    memcpy(grid.options, b->options, sizeof grid.options);
    EEX_TRY(eex_grid_search(best, &value, &grid));
    for (int k = 0; k < b->gates; k++)
        gamma[k] = b->gamma[k * GAMMAS + best[k]];
    return EEX_OK;
}

/* "Less than `more`": the largest count that is. */
static int most_besides(int last, int samples, double more)
{
    const int besides = (int)ceil(more * samples) - 1;
    return last + (besides > 0 ? besides : 0);
}

int eex_skip_choose(float *gamma, const eex_trace *trace, const eex_policy *policy,
                    const eex_charges *charges, const eex_skips *skips, double more)
{
    EEX_NEED(gamma, "place for thresholds");
    EEX_NEED(skips, "scores");
    eex_skip_outcome without;
    EEX_TRY(eex_replay_skips(&without, trace, policy, charges, NULL, NULL, NULL));
    if (skips->gates != trace->exits - 1 || skips->gates < 1)
        return eex_fail(EEX_EINVAL, "scores of %d gates for a network of %d exits", skips->gates,
                        trace->exits);
    const size_t n = (size_t)trace->samples, gates = (size_t)skips->gates;
    bench b = {.samples = trace->samples,
               .gates = skips->gates,
               .trace = trace,
               .charges = charges,
               .skips = skips};
    float *sorted = malloc(n * sizeof *sorted);
    b.leaves = malloc(gates * n);
    b.gamma = malloc(gates * GAMMAS * sizeof *b.gamma);
    int code = sorted && b.leaves && b.gamma
                   ? EEX_OK
                   : eex_fail(EEX_ENOMEM, "out of memory for the scores of %zu samples", n);
    for (int k = 0; k < b.gates && code == EEX_OK; k++)
        b.options[k] = find_options(&b, k, sorted);
    if (code == EEX_OK) {
        b.most_last = most_besides(find_leavers(&b, policy), b.samples, more);
        code = search_gamma(gamma, &b);
    }
    free(b.gamma);
    free(b.leaves);
    free(sorted);
    return code;
}

/* ---- confidence thresholds ---- */

static const float lambdas[LAMBDAS] = {0.2F, 0.3F, 0.4F, 0.5F,  0.6F,
                                       0.7F, 0.8F, 0.9F, 0.95F, 0.99F};

static eex_grid_value judge_lambda(const void *context, const int *at)
{
    const bench *b = context;
    const eex_trace *t = b->trace;
    double device = 0;
    int right = 0;
    for (int i = 0; i < b->samples; i++) {
        int k = 0;
        for (; k < b->gates; k++) {
            device += b->charges->trunk[k] + b->charges->gate[k];
            if (t->confidence[at_of(b, k, i)] >= lambdas[at[k]])
                break;
        }
        right += t->top[at_of(b, k, i)] == t->labels[i];
    }
    return (eex_grid_value){{-right, device}};
}

int eex_skip_lambda(eex_policy **out, const eex_trace *trace, const eex_charges *charges)
{
    EEX_NEED(out, "place for the policy");
    *out = NULL;
    EEX_NEED(trace, "trace");
    EEX_NEED(charges, "costs");
    if (trace->exits < 2 || charges->exits != trace->exits || trace->temperature[0] != 1)
        return eex_fail(EEX_EINVAL,
                        "thresholds for a trace of %d exits, scored at temperature %g, with costs "
                        "of %d: at least 2 of each, scored at 1, expected",
                        trace->exits, (double)trace->temperature[0], charges->exits);
    const bench b = {
        .samples = trace->samples, .gates = trace->exits - 1, .trace = trace, .charges = charges};
    eex_grid grid = {.dimensions = b.gates,
                     .most = most_steps / ((double)b.samples * b.gates),
                     .judge = judge_lambda,
                     .context = &b};
    int best[EEX_MAX_EXITS];
    eex_grid_value value;
    for (int k = 0; k < b.gates; k++)
        grid.options[k] = LAMBDAS;
    EEX_TRY(eex_grid_search(best, &value, &grid));
    EEX_TRY(eex_policy_new(out, EEX_POLICY_CONFIDENCE, trace->exits, trace->classes));
    for (int k = 0; k < b.gates; k++)
        (*out)->a[k] = (double)lambdas[best[k]];
    (*out)->a[b.gates] = -INFINITY;
    eex_policy_apply(*out);
    return EEX_OK;
}
