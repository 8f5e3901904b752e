/* Cross-fitting: a target of accuracy is met on samples that the thresholds were not chosen on. */
#include "core/policy/tune_impl.h"

#include <math.h>
#include <string.h>

/* Prices tried over the whole range, and again around the best of them. */
enum { STEPS = 24 };

/* What thresholds at this price are worth to held-out samples: those of each fold with thresholds
 * chosen on all other folds, added up. */
static eex__thresholds held_out(eex_tuner *t, const int *columns, double price)
{
    eex__chain *c = &t->chain;
    int64_t n = t->levels->samples;
    eex__thresholds sum = {.right = 0, .cost = 0}, at;
    for (int f = 0; f < t->folds; f++) {
        int from = (int)(n * f / t->folds), to = (int)(n * (f + 1) / t->folds);
        eex__tuner_window(t, columns, to, (int)n - (to - from));
        eex__solve_price(c, &at, price, EEX_EFFORT_QUICK);
        eex__tuner_window(t, columns, from, to - from);
        eex__chain_measure(c, &at);
        sum.right += at.right;
        sum.cost += at.cost;
    }
    eex__tuner_window(t, columns, 0, (int)n);
    return sum;
}

/* Looks for the best price between two (their logarithms); a grid, because held-out accuracy wavers
 * and bisection would believe one value. Returns the best price so far. */
static double search_prices(eex_tuner *t, const int *columns, const eex__aim *aim, double from,
                            double to, double chosen, eex__thresholds *held)
{
    for (int i = 0; i < STEPS; i++) {
        double price = exp(from + (to - from) * i / (STEPS - 1));
        eex__thresholds now = held_out(t, columns, price);
        if (eex__aim_better(aim, &now, held)) {
            *held = now;
            chosen = price;
        }
    }
    return chosen;
}

/* One level for all exits: a single number chosen on all samples is hardly chosen too well, so what
 * it is worth here stands for what it is worth elsewhere. Where prices find nothing that holds on
 * other samples, to the sample, this still lets the surest ones leave. Returns whether it is better
 * than `held`, and is then both. */
static bool common_level(eex__chain *c, const eex__aim *aim, eex__thresholds *best,
                         eex__thresholds *held)
{
    bool found = false;
    for (int level = 0; level < c->levels; level++) {
        eex__thresholds at;
        memset(at.t, level, sizeof at.t);
        eex__chain_judge(c, &at);
        if (eex__aim_better(aim, &at, held)) {
            *held = *best = at;
            found = true;
        }
    }
    return found;
}

void eex__tuner_cross_fit(eex_tuner *t, const int *columns, const eex__aim *aim,
                          eex__thresholds *best, eex__thresholds *held)
{
    eex__chain *c = &t->chain;
    const eex__prices range = eex__prices_of(c);
    double lo = log(range.lowest), hi = log(range.highest), step = (hi - lo) / (STEPS - 1);
    eex__solve_closed(c, best);
    *held = *best; /* nothing was chosen: what it is here it is elsewhere */
    double price = search_prices(t, columns, aim, lo, hi, 0, held);
    if (price > 0)
        price = search_prices(t, columns, aim, log(price) - step, log(price) + step, price, held);
    if (common_level(c, aim, best, held))
        return;
    if (price > 0)
        eex__solve_price(c, best, price, EEX_EFFORT_THOROUGH);
    /* Between two corners of the front a little more data can tip a price over. */
    while (price > range.lowest && eex__aim_met(aim, held) && !eex__aim_met(aim, best)) {
        price *= 0.9;
        eex__solve_price(c, best, price, EEX_EFFORT_THOROUGH);
    }
}
