#include "core/policy/reject.h"

#include "core/policy/replay.h"
#include "device/decide.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BISECTIONS = 40 };

typedef struct rejector {
    eex_policy *policy;
    const eex_trace *trace;
    bool by_distance;
    double weight[EEX_MAX_EXITS]; /* of exit k's share, the largest 1 */
    double *sorted;               /* (exits, samples) the values of -b (b for scores) that reject
                                   * one sample more, ascending */
    int known[EEX_MAX_EXITS];     /* how many of them there are */
} rejector;

bool eex_policy_rejects(const eex_policy *p)
{
    for (int i = 0; i < p->exits * p->classes; i++)
        if (p->low[i] > -INFINITY)
            return true;
    return eex_policy_rejects_by_distance(p);
}

void eex_policy_reject_nobody(eex_policy *p)
{
    for (int k = 0; k < p->exits; k++)
        p->b[k] = p->far[k] = INFINITY;
    eex_policy_apply(p);
}

static float score_at(const rejector *r, size_t at)
{
    const eex_trace *t = r->trace;
    if (r->by_distance)
        return -t->distance[at];
    return eex_policy_score(r->policy->kind, t->confidence[at], t->margin[at], t->entropy[at]);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Classes without spread have one threshold whatever b is: they have no say. */
static void sort_scores(rejector *r, int k)
{
    const eex_policy *p = r->policy;
    const size_t n = (size_t)r->trace->samples, from = (size_t)k * n;
    double *out = r->sorted + from;
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        double score = score_at(r, from + i);
        size_t c = (size_t)k * (size_t)p->classes + (size_t)r->trace->top[from + i];
        if (p->kind == EEX_POLICY_PER_CLASS && !r->by_distance) {
            if (p->dev[c] <= 0)
                continue;
            score = (score - p->mean[c]) / p->dev[c];
        }
        out[used++] = score;
    }
    qsort(out, used, sizeof *out, compare_doubles);
    if (r->by_distance && out[0] >= 0) /* an exit that tells no distances: all are 0 */
        used = 0;
    r->known[k] = (int)used;
}

/* Half-way between two samples, so that about `count` of exit k are below. */
static double threshold(const rejector *r, int k, int count)
{
    const double *sorted = r->sorted + (size_t)k * (size_t)r->trace->samples;
    if (count < 1 || r->known[k] < 2)
        return INFINITY;
    if (count >= r->known[k])
        count = r->known[k] - 1;
    double at = sorted[count - 1] / 2 + sorted[count] / 2;
    if (r->by_distance)
        return -at;
    return r->policy->kind == EEX_POLICY_PER_CLASS ? -at : at;
}

/* What samples that go on at each exit cost more, on average, than if they left there. */
static int weigh(rejector *r, const eex_exit_costs *costs)
{
    const int n = r->trace->samples, exits = r->policy->exits;
    double more[EEX_MAX_EXITS] = {0}, largest = 0;
    int reached[EEX_MAX_EXITS] = {0};
    eex_outcome outcome;
    int32_t *exit_of = calloc((size_t)n, sizeof *exit_of);
    if (!exit_of)
        return eex_fail(EEX_ENOMEM, "rejection: out of memory for %d samples", n);
    int code = eex_replay(&outcome, r->trace, r->policy, costs, exit_of, NULL);
    for (int i = 0; i < n && code == EEX_OK; i++)
        for (int k = 0; k < exit_of[i]; k++) {
            reached[k]++;
            more[k] += costs->cost[exit_of[i]] - costs->cost[k];
        }
    free(exit_of);
    for (int k = 0; k + 1 < exits; k++) {
        r->weight[k] = reached[k] ? more[k] / reached[k] : 0;
        largest = fmax(largest, r->weight[k]);
    }
    for (int k = 0; k < exits; k++)
        r->weight[k] = largest > 0 ? fmax(r->weight[k] / largest, 0) : k == 0;
    return code;
}

/* Samples that are below a lower threshold anywhere, with shares in units of `scale`. */
static int rejected_at(rejector *r, double scale)
{
    eex_policy *p = r->policy;
    const size_t n = (size_t)r->trace->samples;
    int rejected = 0;
    double *limit = r->by_distance ? p->far : p->b;
    for (int k = 0; k < p->exits; k++)
        limit[k] = threshold(r, k, (int)floor(scale * r->weight[k] * (double)n + 1e-9));
    eex_policy_apply(p);
    for (int i = 0; i < r->trace->samples; i++)
        for (int k = 0; k < p->exits; k++)
            if (eex_policy_judge(p, r->trace, k, i) == EEX_REJECT) {
                rejected++;
                break;
            }
    return rejected;
}

/* The largest shares that keep to the rate. */
static void choose(rejector *r, double rate)
{
    const int most = (int)floor(rate * r->trace->samples + 1e-9);
    double lo = 0, hi = 1;
    for (int i = 0; i < BISECTIONS; i++) {
        double middle = (lo + hi) / 2;
        if (rejected_at(r, middle) <= most)
            lo = middle;
        else
            hi = middle;
    }
    rejected_at(r, lo);
}

static int check(const eex_policy *policy, const eex_trace *trace, const eex_exit_costs *costs,
                 double rate)
{
    if (!(rate >= 0) || rate >= 1)
        return eex_fail(EEX_EINVAL, "rejection: a rate of %g: a fraction from 0 to below 1", rate);
    if (costs->exits != trace->exits || policy->exits != trace->exits)
        return eex_fail(EEX_EINVAL,
                        "rejection: a trace of %d exits, a policy of %d, costs of %d: all the same "
                        "expected",
                        trace->exits, policy->exits, costs->exits);
    return EEX_OK;
}

int eex_policy_reject(eex_policy *policy, const eex_trace *trace, const eex_exit_costs *costs,
                      double rate, eex_reject_by by)
{
    rejector r = {.policy = policy, .trace = trace};
    EEX_TRY(check(policy, trace, costs, rate));
    if (by == EEX_REJECT_BY_DISTANCE && !trace->distance)
        return eex_fail(EEX_EINVAL,
                        "rejection by distance: the trace has none, for the network does "
                        "not know what is familiar (a run of an earlier eex); reject by "
                        "score");
    r.by_distance = by != EEX_REJECT_BY_SCORE && trace->distance;
    eex_policy_reject_nobody(policy);
    EEX_TRY(weigh(&r, costs));
    r.sorted = calloc((size_t)policy->exits * (size_t)trace->samples, sizeof *r.sorted);
    if (!r.sorted)
        return eex_fail(EEX_ENOMEM, "rejection: out of memory for %d samples", trace->samples);
    for (int k = 0; k < policy->exits; k++)
        sort_scores(&r, k);
    choose(&r, rate);
    free(r.sorted);
    return EEX_OK;
}
