#include "core/policy/levels.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void eex__levels_free(eex__levels *levels)
{
    if (!levels)
        return;
    free(levels->a);
    free(levels->cell);
    free(levels);
}

static float score_of(const eex_trace *trace, eex_policy_kind kind, size_t at)
{
    return eex_policy_score(kind, trace->confidence[at], trace->margin[at], trace->entropy[at]);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The values of a at which samples of exit k would begin to pass, in ascending order. Samples of
 * classes without spread pass or fail whatever a is and have no say. */
static size_t sorted_scores(double *out, const eex_trace *trace, const eex_policy *p, int k)
{
    size_t n = (size_t)trace->samples, from = (size_t)k * n, used = 0;
    for (size_t i = 0; i < n; i++) {
        double score = score_of(trace, p->kind, from + i);
        if (p->kind == EEX_POLICY_PER_CLASS) {
            size_t c = (size_t)k * (size_t)p->classes + (size_t)trace->top[from + i];
            if (p->dev[c] <= 0)
                continue;
            score = (score - p->mean[c]) / p->dev[c];
        }
        out[used++] = score;
    }
    qsort(out, used, sizeof *out, compare_doubles);
    return used;
}

static void levels_grid(eex__levels *l, const eex_trace *trace, const eex_policy *p, int k,
                        double *scratch)
{
    double *a = l->a + (size_t)k * (size_t)l->count;
    size_t used = sorted_scores(scratch, trace, p, k), steps = (size_t)l->count - 2;
    a[0] = -INFINITY;
    a[l->count - 1] = INFINITY;
    for (size_t g = 1; g <= steps; g++) {
        size_t rank = used * g / (steps + 1);
        a[g] = used == 0   ? INFINITY
               : rank == 0 ? scratch[0]
                           : scratch[rank - 1] / 2 + scratch[rank] / 2;
    }
}

static int level_of(const float *high, int classes, int count, int top, float score)
{
    int lo = 0, hi = count;
    while (lo < hi) { /* thresholds of one class ascend with a */
        int middle = (lo + hi) / 2;
        if (score >= high[middle * classes + top])
            lo = middle + 1;
        else
            hi = middle;
    }
    return lo;
}

/* `high` is scratch for (count, classes). */
static void levels_cells(eex__levels *l, const eex_trace *trace, const eex_policy *p, int k,
                         float *high)
{
    for (int g = 0; g < l->count; g++)
        for (int c = 0; c < p->classes; c++)
            high[g * p->classes + c] =
                eex_policy_high(p, k, c, l->a[(size_t)k * (size_t)l->count + (size_t)g]);
    size_t n = (size_t)trace->samples, from = (size_t)k * n;
    uint8_t *cell = l->cell + (size_t)k * (size_t)l->stride;
    for (size_t i = 0; i < n; i++) {
        int top = trace->top[from + i];
        float score = score_of(trace, p->kind, from + i);
        bool rejected = score < p->low[(size_t)k * (size_t)p->classes + (size_t)top] ||
                        (trace->distance && eex_policy_too_far(p, k, trace->distance[from + i]));
        bool right = !rejected && top == trace->labels[i];
        int level = rejected ? l->count : level_of(high, p->classes, l->count, top, score);
        cell[i] = (uint8_t)(2 * level + right);
        l->rejects |= rejected;
    }
}

static int levels_check(const eex_trace *trace, const eex_policy *policy, int count,
                        const eex__levels *like)
{
    if (trace->exits != policy->exits || trace->classes != policy->classes ||
        (like && (like->exits != trace->exits || like->count != count)))
        return eex_fail(EEX_EINVAL,
                        "thresholds: a trace of %d exits x %d classes, a policy of %d x %d",
                        trace->exits, trace->classes, policy->exits, policy->classes);
    if (count < EEX__LEVELS_MIN || count > EEX__LEVELS_MAX)
        return eex_fail(EEX_EINVAL, "thresholds: %d values an exit: %d to %d", count,
                        EEX__LEVELS_MIN, EEX__LEVELS_MAX);
    return eex_policy_check_trace(policy, trace);
}

int eex__levels_new(eex__levels **out, const eex_trace *trace, const eex_policy *policy, int count,
                    const eex__levels *like)
{
    *out = NULL;
    EEX_TRY(levels_check(trace, policy, count, like));
    size_t n = (size_t)trace->samples, exits = (size_t)trace->exits, each = (size_t)count;
    eex__levels *l = calloc(1, sizeof *l);
    double *scratch = calloc(n, sizeof *scratch);
    float *high = calloc(each * (size_t)policy->classes, sizeof *high);
    if (l) {
        l->samples = trace->samples;
        l->exits = trace->exits;
        l->count = count;
        l->stride =
            (trace->samples + EEX__LEVELS_BLOCK - 1) / EEX__LEVELS_BLOCK * EEX__LEVELS_BLOCK;
        l->a = calloc(exits * each, sizeof *l->a);
        l->cell = calloc(exits, (size_t)l->stride);
    }
    int status = EEX_OK;
    if (!l || !scratch || !high || !l->a || !l->cell) {
        eex__levels_free(l);
        status = eex_fail(EEX_ENOMEM, "thresholds: out of memory for %d samples x %d exits",
                          trace->samples, trace->exits);
    } else {
        for (int k = 0; k < l->exits; k++) {
            if (like)
                memcpy(l->a + (size_t)k * each, like->a + (size_t)k * each, each * sizeof *l->a);
            else
                levels_grid(l, trace, policy, k, scratch);
            levels_cells(l, trace, policy, k, high);
        }
        *out = l;
    }
    free(scratch);
    free(high);
    return status;
}

int eex__levels_find(const eex__levels *levels, int exit, double a)
{
    const double *of = levels->a + (size_t)exit * (size_t)levels->count;
    int at = 0;
    while (at + 1 < levels->count && of[at + 1] <= a)
        at++;
    return at;
}
