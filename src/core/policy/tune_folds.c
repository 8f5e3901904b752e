/* Cross-fitting: what a way to choose thresholds is worth is told by samples that they were not
 * chosen on. */
#include "core/policy/tune_impl.h"

enum { DEALS = 4 }; /* of the folds */

/* What each way is worth to held-out samples: those of each fold with thresholds chosen on all
 * other folds, added up. Folds are dealt a few times and the mean counts: whoever looks for the
 * cheapest of many figures finds a lucky one where they waver. */
static void hold_out(eex_tuner *t, const int *columns)
{
    eex__chain *c = &t->chain;
    eex__thresholds *sum = t->way[1], *others = t->way[2];
    const int64_t n = t->levels->samples, parts = (int64_t)t->folds * DEALS;
    for (int i = 0; i < EEX__WAYS; i++)
        sum[i] = (eex__thresholds){.right = 0, .cost = 0};
    for (int64_t p = 0; p < parts; p++) {
        const int from = (int)(n * p / parts), to = (int)(n * (p + DEALS) / parts);
        eex__tuner_window(t, columns, (int)(to % n), (int)n - (to - from));
        eex__solve_ways(c, others);
        eex__tuner_window(t, columns, from, to - from);
        for (int i = 0; i < EEX__WAYS; i++) {
            eex__chain_measure(c, &others[i]);
            sum[i].right += others[i].right;
            sum[i].cost += others[i].cost / DEALS;
        }
    }
    for (int i = 0; i < EEX__WAYS; i++)
        sum[i].right /= DEALS;
    eex__tuner_window(t, columns, 0, (int)n);
}

/* One level for all exits is a single number, which is hardly chosen too well on all samples: what
 * it is worth there stands for what it is worth elsewhere. Where nothing else holds on other
 * samples, to the sample, this still lets the surest ones leave. Nothing is ever worth more
 * elsewhere than on the samples that it was chosen on. */
static void settle(eex_tuner *t)
{
    const eex__thresholds *all = t->way[0];
    eex__thresholds *held = t->way[1];
    for (int i = 0; i < eex__ways(&t->chain); i++)
        if (i >= EEX__WAYS)
            held[i] = all[i];
        else if (held[i].right > all[i].right)
            held[i].right = all[i].right;
}

/* Both kinds of target choose among the same ways by the same two figures, right answers of samples
 * held out and cost of all samples. So they agree: what a budget gives, its accuracy costs at most.
 */
void eex__tuner_cross_fit(eex_tuner *t, const int *columns, const eex__aim *aim,
                          eex__thresholds *best, eex__thresholds *held)
{
    eex__thresholds chosen = {.right = 0, .cost = 0};
    int which = -1;
    hold_out(t, columns);
    eex__solve_ways(&t->chain, t->way[0]);
    settle(t);
    for (int i = 0; i < eex__ways(&t->chain); i++) {
        const eex__thresholds at = {.right = t->way[1][i].right, .cost = t->way[0][i].cost};
        if (which >= 0 && !eex__aim_better(aim, &at, &chosen))
            continue;
        chosen = at;
        which = i;
    }
    *best = t->way[0][which];
    *held = t->way[1][which];
}
