#include "core/policy/cuts.h"

#include <math.h>
#include <stdbool.h>

/* Whether b lies above the line from a to c: only then it is a corner of the hull. */
static bool corner(const eex_cuts *h, int a, double accuracy, double cost)
{
    const int b = a + 1;
    return (h->accuracy[b] - h->accuracy[a]) * (cost - h->cost[a]) >
           (accuracy - h->accuracy[a]) * (h->cost[b] - h->cost[a]);
}

/* A cut that costs at least what all before it do. */
static void append(eex_cuts *h, double accuracy, double cost)
{
    if (h->count && accuracy <= h->accuracy[h->count - 1])
        return;
    if (h->count && cost == h->cost[h->count - 1])
        h->count--;
    while (h->count > 1 && !corner(h, h->count - 2, accuracy, cost))
        h->count--;
    h->accuracy[h->count] = accuracy;
    h->cost[h->count++] = cost;
}

/* The cheapest of those not taken yet; -1: there is none. */
static int cheapest(const bool *taken, const double *cost, int count)
{
    int least = -1;
    for (int i = 0; i < count; i++)
        if (!taken[i] && (least < 0 || cost[i] < cost[least]))
            least = i;
    return least;
}

void eex_cuts_of(eex_cuts *out, const double *accuracy, const double *cost, int count)
{
    bool taken[EEX_MAX_EXITS];
    out->count = 0;
    for (int i = 0; i < count; i++)
        taken[i] = isnan(accuracy[i]) || isnan(cost[i]);
    for (int i = cheapest(taken, cost, count); i >= 0; i = cheapest(taken, cost, count)) {
        taken[i] = true;
        append(out, accuracy[i], cost[i]);
    }
}

void eex_cuts_of_trace(eex_cuts *out, const eex_trace *trace, const double *cost)
{
    double accuracy[EEX_MAX_EXITS];
    for (int k = 0; k < trace->exits; k++)
        accuracy[k] = eex_trace_accuracy(trace, k);
    eex_cuts_of(out, accuracy, cost, trace->exits);
}

/* y where x is, along corners whose x ascends; those at the ends reach on. */
static double between(const double *x, const double *y, int count, double at)
{
    int i = 0;
    while (i < count && x[i] < at)
        i++;
    if (i == count)
        return y[count - 1];
    if (i == 0 || x[i] == at) /* a corner is what it is, to the last bit */
        return y[i];
    return y[i - 1] + (y[i] - y[i - 1]) * (at - x[i - 1]) / (x[i] - x[i - 1]);
}

double eex_cuts_saved(const eex_cuts *c, double accuracy, double cost)
{
    return c->count == 0 || isnan(accuracy)
               ? NAN
               : 1 - cost / between(c->accuracy, c->cost, c->count, accuracy);
}

double eex_cuts_gained(const eex_cuts *c, double accuracy, double cost)
{
    return c->count == 0 || isnan(cost) ? NAN
                                        : accuracy - between(c->cost, c->accuracy, c->count, cost);
}
