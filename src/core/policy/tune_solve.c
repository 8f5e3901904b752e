/* Thresholds that are best on the samples that the chain sees. */
#include "core/policy/tune_impl.h"

#include <math.h>
#include <string.h>

/* How long each effort searches. */
typedef struct effort_limits {
    int bisections, sweeps, polish, reach;
} effort_limits;

static const effort_limits limits[] = {
    [EEX_EFFORT_QUICK] = {8, 2, 2, 0},
    [EEX_EFFORT_THOROUGH] = {24, 8, 8, 3},
};

/* All of accuracy against all of the cost, from hardly minding cost to minding nothing else. */
eex__prices eex__prices_of(const eex__chain *chain)
{
    double unit = chain->cost[chain->count - 1];
    return (eex__prices){1e-4 / unit, 30 / unit};
}

static void close_all(const eex__chain *c, eex__thresholds *at)
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

/* Bisects the price of cost towards the target: too few right means that cost is priced too high.
 */
static void bisect(eex__chain *c, const eex__aim *judge, const effort_limits *l,
                   eex__thresholds *best)
{
    const eex__prices range = eex__prices_of(c);
    double lo = log(range.lowest), hi = log(range.highest);
    for (int i = 0; i < l->bisections; i++) {
        double middle = (lo + hi) / 2;
        const eex__aim price = {.kind = EEX__AIM_PRICE, .price = exp(middle)};
        eex__thresholds at;
        close_all(c, &at);
        climb(c, &at, &price, l->sweeps, best, judge);
        bool accurate =
            judge->kind == EEX__AIM_RIGHT ? at.right >= judge->right : at.cost > judge->cost;
        if (accurate)
            lo = middle;
        else
            hi = middle;
    }
}

/* Moves one threshold by a few levels, lets the others answer, and keeps what helps. */
static void perturb(eex__chain *c, const eex__aim *aim, const effort_limits *l,
                    eex__thresholds *best)
{
    for (int k = 0; k < c->count - 1; k++)
        for (int by = -l->reach; by <= l->reach; by++) {
            eex__thresholds at = *best;
            int to = at.t[k] + by;
            if (by == 0 || to < 0 || to >= c->levels)
                continue;
            at.t[k] = (uint8_t)to;
            climb(c, &at, aim, 2, best, aim);
        }
}

void eex__solve_closed(eex__chain *chain, eex__thresholds *out)
{
    close_all(chain, out);
    eex__chain_judge(chain, out);
}

void eex__solve_price(eex__chain *chain, eex__thresholds *out, double price, eex_effort effort)
{
    const eex__aim aim = {.kind = EEX__AIM_PRICE, .price = price};
    eex__thresholds at;
    eex__solve_closed(chain, out);
    at = *out;
    climb(chain, &at, &aim, limits[effort].sweeps, out, &aim);
    perturb(chain, &aim, &limits[effort], out);
}

void eex__solve(eex__chain *chain, eex__thresholds *out, const eex__thresholds *start,
                const eex__aim *aim, eex_effort effort)
{
    const effort_limits *l = &limits[effort];
    eex__thresholds at = *start;
    eex__solve_closed(chain, out);
    eex__chain_judge(chain, &at);
    if (eex__aim_better(aim, &at, out))
        *out = at;
    if (aim->kind == EEX__AIM_PRICE) {
        eex__thresholds closed;
        close_all(chain, &closed);
        climb(chain, &closed, aim, l->sweeps, out, aim);
        if (effort == EEX_EFFORT_THOROUGH)
            climb(chain, &at, aim, l->sweeps, out, aim);
    } else {
        bisect(chain, aim, l, out);
        at = *out;
        climb(chain, &at, aim, l->polish, out, aim);
    }
    perturb(chain, aim, l, out);
}

/* ---- all ways ---- */

int eex__ways(const eex__chain *chain)
{
    return EEX__WAYS + chain->levels;
}

static void solve_prices(eex__chain *c, eex__thresholds *out)
{
    const eex__prices range = eex__prices_of(c);
    const double step = log(range.highest / range.lowest) / (EEX__PRICES - 1);
    for (int i = 0; i < EEX__PRICES; i++)
        eex__solve_price(c, &out[i], range.lowest * exp(step * i), EEX_EFFORT_QUICK);
}

static void solve_levels(eex__chain *c, eex__thresholds *out)
{
    for (int level = 0; level < c->levels; level++) {
        memset(out[level].t, level, sizeof out[level].t);
        eex__chain_judge(c, &out[level]);
    }
}

/* Budget number i for all samples together; the last one is enough for everybody. */
static eex__aim budget(const eex__chain *c, int i)
{
    double least = c->cost[0], most = c->cost[0];
    for (int k = 1; k < c->count; k++) {
        least = fmin(least, c->cost[k]);
        most = fmax(most, c->cost[k]);
    }
    const double each = least + (most - least) * (i + 1) / EEX__BUDGETS;
    return (eex__aim){.kind = EEX__AIM_COST, .cost = each * c->samples};
}

/* From the largest budget down, each begins at the best that was found for anything before. */
static void solve_budgets(eex__chain *c, eex__thresholds *ways)
{
    const int all = eex__ways(c);
    for (int i = EEX__BUDGETS - 1; i >= 0; i--) {
        const eex__aim aim = budget(c, i);
        eex__thresholds *best = &ways[EEX__PRICES + i], at;
        *best = ways[0];
        for (int j = 1; j < all; j++)
            if ((j < EEX__PRICES || j > EEX__PRICES + i) && eex__aim_better(&aim, &ways[j], best))
                *best = ways[j];
        at = *best;
        climb(c, &at, &aim, limits[EEX_EFFORT_QUICK].polish, best, &aim);
    }
}

void eex__solve_ways(eex__chain *chain, eex__thresholds *out)
{
    solve_prices(chain, out);
    solve_levels(chain, out + EEX__WAYS);
    solve_budgets(chain, out);
}

void eex__tuner_window(eex_tuner *t, const int *columns, int from, int samples)
{
    eex__chain *c = &t->chain;
    c->samples = samples;
    c->stride = (samples + EEX__LEVELS_BLOCK - 1) / EEX__LEVELS_BLOCK * EEX__LEVELS_BLOCK;
    for (int k = 0; k < c->count; k++)
        c->cell[k] = t->cell + (size_t)columns[k] * (size_t)t->row + from;
}
