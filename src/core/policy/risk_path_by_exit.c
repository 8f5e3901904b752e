#include "core/policy/levels.h"
#include "core/policy/risk_impl.h"

#include "base/signals.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Settings between the p-values that the first half shows for each exit: from a millionth of delta,
 * which others like it will hardly miss, to nearly none at all. */
enum { STAGES = 24, DECADES = 6 };
static const double loosest = 0.9;

/* The samples of the first half on their way through the exits of one setting. */
typedef struct way {
    const eex__levels *levels;
    const eex__losses *losses;
    bool *gone; /* (samples) */
} way;

/* What would be lost by those who leave at exit k under each of its thresholds. */
typedef struct exit_sums {
    int left[EEX__LEVELS_MAX + 1]; /* (count + 1) */
    double lost[EEX__LEVELS_MAX + 1];
} exit_sums;

static int level_of(const way *w, int k, int i)
{
    return w->levels->cell[(size_t)k * (size_t)w->levels->stride + (size_t)i] / 2;
}

/* Threshold t lets those leave whose level is above it. */
static void sum_levels(exit_sums *s, const way *w, int k)
{
    const int n = w->losses->samples;
    memset(s, 0, sizeof *s);
    for (int i = 0; i < n; i++) {
        if (w->gone[i])
            continue;
        s->left[level_of(w, k, i)]++;
        s->lost[level_of(w, k, i)] += eex__loss_of(w->losses, i, k, EEX_ACCEPT);
    }
    for (int t = w->levels->count; t-- > 0;) {
        s->left[t] += s->left[t + 1];
        s->lost[t] += s->lost[t + 1];
    }
}

/* The lowest threshold of exit k at which those who survive so far leave with a p-value of at most
 * p; the last one, which lets nobody leave, where there is none. */
static int lowest(const way *w, int k, double p, const eex_risk_options *o)
{
    exit_sums s;
    const int closed = w->levels->count - 1;
    sum_levels(&s, w, k);
    for (int t = 0; t < closed; t++) /* s.left[t + 1] is what has a level above t */
        if (s.left[t + 1] > 0 && eex__risk_p(o, s.lost[t + 1], s.left[t + 1]) <= p)
            return t;
    return closed;
}

static void set_stage(double *a, const way *w, double p, const eex_risk_options *o)
{
    const eex__levels *l = w->levels;
    memset(w->gone, 0, (size_t)l->samples * sizeof *w->gone);
    for (int k = 0; k + 1 < l->exits; k++) {
        const int t = lowest(w, k, p, o);
        a[k] = l->a[(size_t)k * (size_t)l->count + (size_t)t];
        for (int i = 0; i < l->samples; i++)
            w->gone[i] |= level_of(w, k, i) > t;
    }
    a[l->exits - 1] = -INFINITY;
}

static int lay_stages(eex__risk_path *out, const way *w, const eex_risk_options *o)
{
    const double least = log(o->delta) - DECADES * log(10), most = log(loosest);
    const size_t exits = (size_t)out->exits;
    for (size_t k = 0; k < exits; k++)
        out->a[k] = INFINITY;
    out->count = 1;
    for (int j = 0; j < STAGES; j++) {
        double *a = out->a + (size_t)out->count * exits;
        if (eex_interrupted())
            return eex_fail(EEX_EINTERRUPTED, "interrupted while thresholds were sought");
        set_stage(a, w, exp(least + j * (most - least) / (STAGES - 1)), o);
        if (memcmp(a, a - exits, (exits - 1) * sizeof *a) != 0)
            out->count++;
    }
    return EEX_OK;
}

int eex__risk_path_by_exit(eex__risk_path *out, eex__risk_run *run, const eex_policy *policy,
                           const eex_risk_options *o)
{
    eex__levels *levels = NULL;
    *out = (eex__risk_path){.exits = policy->exits};
    EEX_TRY(eex__levels_new(&levels, run->trace, policy, EEX__LEVELS_DEFAULT, NULL));
    const way w = {levels, &run->losses, calloc((size_t)levels->samples, sizeof *w.gone)};
    out->a = calloc((size_t)(STAGES + 1) * (size_t)policy->exits, sizeof *out->a);
    int code = w.gone && out->a
                   ? lay_stages(out, &w, o)
                   : eex_fail(EEX_ENOMEM, "risk: out of memory for %d samples", levels->samples);
    free(w.gone);
    eex__levels_free(levels);
    return code;
}
