#include "core/tune.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "core/levels.h"
#include "core/tune_chain.h"

/* How long each effort searches. */
typedef struct effort_limits {
    int bisections, sweeps, polish, reach;
} effort_limits;

static const effort_limits limits[] = {
    [EEX_EFFORT_QUICK] = {8, 2, 2, 0},
    [EEX_EFFORT_THOROUGH] = {24, 8, 8, 3},
};

/* Prices worth trying: what all of accuracy may give for all of the cost. */
static const double lowest_price = 1e-4, highest_price = 30;

struct eex_tuner {
    eex__levels *levels;
    eex__chain chain;
    uint8_t start[EEX_MAX_EXITS]; /* the policy's own a, as levels */
};

void eex_tuner_free(eex_tuner *tuner)
{
    if (!tuner)
        return;
    eex__levels_free(tuner->levels);
    free(tuner->chain.now);
    free(tuner->chain.next);
    free(tuner->chain.counts);
    free(tuner);
}

static int tuner_chain(eex_tuner *t, int min_accepted)
{
    const eex__levels *l = t->levels;
    eex__chain *c = &t->chain;
    int usual = l->samples / 500 > 5 ? l->samples / 500 : 5;
    c->samples = l->samples;
    c->stride = l->stride;
    c->levels = l->count;
    c->rejects = l->rejects;
    c->least = min_accepted > 0 ? min_accepted : usual;
    c->now = calloc((size_t)l->stride, 1);
    c->next = calloc((size_t)l->stride, 1);
    c->counts = calloc((2 * (size_t)l->count + 3) * 2 * EEX_MAX_EXITS, sizeof *c->counts);
    if (!c->now || !c->next || !c->counts)
        return eex_fail(EEX_ENOMEM, "tuner: out of memory for %d samples", l->samples);
    return EEX_OK;
}

int eex_tuner_new(eex_tuner **out, const eex_trace *trace, const eex_policy *policy,
                  const eex_tuner_options *options)
{
    *out = NULL;
    int levels = options && options->levels ? options->levels : EEX__LEVELS_DEFAULT;
    eex_tuner *t = calloc(1, sizeof *t);
    if (!t)
        return eex_fail(EEX_ENOMEM, "tuner: out of memory");
    int status = eex__levels_new(&t->levels, trace, policy, levels, NULL);
    if (status != EEX_OK) {
        eex_tuner_free(t);
        return status;
    }
    status = tuner_chain(t, options ? options->min_accepted : 0);
    if (status != EEX_OK) {
        eex_tuner_free(t);
        return status;
    }
    for (int k = 0; k < policy->exits; k++)
        t->start[k] = (uint8_t)eex__levels_find(t->levels, k, policy->a[k]);
    *out = t;
    return EEX_OK;
}

const eex__levels *eex__tuner_levels(const eex_tuner *tuner)
{
    return tuner->levels;
}

static void start_closed(eex__chain *c, eex__thresholds *at)
{
    memset(at->t, c->levels - 1, sizeof at->t);
}

/* Improves `at` for `aim` until nothing changes, `sweeps` times at most, and keeps in `best` the
 * best point on the way as `judge` sees it. */
static void climb(eex__chain *c, eex__thresholds *at, const eex__aim *aim, int sweeps,
                  eex__thresholds *best, const eex__aim *judge)
{
    eex__chain_judge(c, at);
    for (int s = 0; s < sweeps; s++) {
        bool moved = eex__chain_sweep(c, at, aim);
        if (eex__aim_better(judge, at, best))
            *best = *at;
        if (!moved)
            return;
    }
}

/* Bisects the price of cost towards the target: too inaccurate means that cost is priced too high.
 */
static void bisect(eex__chain *c, const eex__aim *judge, const effort_limits *l,
                   eex__thresholds *best)
{
    double unit = c->cost[c->count - 1];
    double lo = log(lowest_price / unit), hi = log(highest_price / unit);
    for (int i = 0; i < l->bisections; i++) {
        double middle = (lo + hi) / 2;
        eex__aim price = {.kind = EEX__AIM_PRICE, .price = exp(middle)};
        eex__thresholds at;
        start_closed(c, &at);
        climb(c, &at, &price, l->sweeps, best, judge);
        bool dear =
            judge->kind == EEX__AIM_RIGHT ? at.right < judge->right : at.cost <= judge->cost;
        if (dear)
            hi = middle;
        else
            lo = middle;
    }
}

/* Moves one threshold by a few levels, lets the others answer, and keeps what helps. */
static void perturb(eex__chain *c, const eex__aim *judge, const effort_limits *l,
                    eex__thresholds *best)
{
    for (int k = 0; k < c->count - 1; k++)
        for (int by = -l->reach; by <= l->reach; by++) {
            eex__thresholds at = *best;
            int to = at.t[k] + by;
            if (by == 0 || to < 0 || to >= c->levels)
                continue;
            at.t[k] = (uint8_t)to;
            climb(c, &at, judge, 2, best, judge);
        }
}

/* Samples that the end of the backbone alone gets right. */
static int right_at_end(const eex__chain *c)
{
    int right = 0;
    for (int i = 0; i < c->samples; i++)
        right += c->cell[c->count - 1][i] & 1;
    return right;
}

static eex__aim aim_of(const eex__chain *c, const eex_goal *goal)
{
    double n = c->samples, least = fmin(goal->target, 2) * n;
    switch (goal->tune) {
    case EEX_TUNE_ACCURACY:
        if (goal->target <= 0)
            least = right_at_end(c) + fmax(goal->target, -1) * n;
        return (eex__aim){.kind = EEX__AIM_RIGHT, .right = (int)ceil(least - 1e-9)};
    case EEX_TUNE_MACS:
        return (eex__aim){.kind = EEX__AIM_COST, .cost = goal->target * n};
    default:
        return (eex__aim){.kind = EEX__AIM_PRICE, .price = goal->target / goal->base};
    }
}

static void solve(eex_tuner *tuner, eex__thresholds *best, const eex__aim *aim, eex_effort effort)
{
    eex__chain *c = &tuner->chain;
    const effort_limits *l = &limits[effort];
    eex__thresholds at, own = *best;
    start_closed(c, best);
    eex__chain_judge(c, best);
    eex__chain_judge(c, &own);
    if (eex__aim_better(aim, &own, best))
        *best = own;
    if (aim->kind == EEX__AIM_PRICE) {
        start_closed(c, &at);
        climb(c, &at, aim, l->sweeps, best, aim);
        if (effort == EEX_EFFORT_THOROUGH)
            climb(c, &own, aim, l->sweeps, best, aim);
    } else {
        bisect(c, aim, l, best);
        at = *best;
        climb(c, &at, aim, l->polish, best, aim);
    }
    perturb(c, aim, l, best);
}

void eex_tuner_run(eex_operating_point *out, eex_tuner *tuner, const int *columns, int count,
                   const double *cost, const eex_goal *goal, eex_effort effort)
{
    const eex__levels *levels = tuner->levels;
    eex__chain *c = &tuner->chain;
    eex__thresholds best = {0};
    c->count = count;
    c->cost = cost;
    for (int k = 0; k < count; k++) {
        c->cell[k] = levels->cell + (size_t)columns[k] * (size_t)levels->stride;
        best.t[k] = tuner->start[columns[k]];
    }
    const eex__aim aim = aim_of(c, goal);
    if (goal->tune == EEX_TUNE_NONE)
        eex__chain_measure(c, &best);
    else
        solve(tuner, &best, &aim, effort);
    *out = (eex_operating_point){.exits = count,
                                 .feasible = eex__aim_met(&aim, &best),
                                 .accuracy = (double)best.right / levels->samples,
                                 .cost = best.cost / levels->samples};
    for (int k = 0; k < count; k++) {
        out->level[k] = k < count - 1 ? best.t[k] : 0;
        out->a[k] = levels->a[(size_t)columns[k] * (size_t)levels->count + out->level[k]];
    }
}
