#include "core/policy/levels.h"
#include "core/policy/risk_impl.h"

#include "base/signals.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* P-values that the first half shows: others like it hardly miss what a millionth of delta says of
 * it, and mostly keep to a tenth. One exit after the other is opened from the one to the other, so
 * that an exit of which nothing can be promised takes nothing from those before it; then all go on
 * together to nearly no evidence at all. */
enum { STAGES = 12 };
static const double strongest = 1e-6, firm = 0.1; /* in deltas */
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

/* Exits before `next` are opened up to a p-value of `p`, that one up to `p_next`, and the others
 * stay closed. */
static void set_stage(double *a, const way *w, int next, double p, double p_next,
                      const eex_risk_options *o)
{
    const eex__levels *l = w->levels;
    memset(w->gone, 0, (size_t)l->samples * sizeof *w->gone);
    for (int k = 0; k + 1 < l->exits; k++) {
        const int t = k > next ? l->count - 1 : lowest(w, k, k < next ? p : p_next, o);
        a[k] = l->a[(size_t)k * (size_t)l->count + (size_t)t];
        for (int i = 0; i < l->samples; i++)
            w->gone[i] |= level_of(w, k, i) > t;
    }
    a[l->exits - 1] = -INFINITY;
}

/* The j-th of STAGES p-values from one to another, evenly spaced by ratio. */
static double stage(double from, double to, int j)
{
    return from * pow(to / from, (double)j / (STAGES - 1));
}

/* Settings that are no news are left out. */
static int add_stage(eex__risk_path *out, const way *w, int next, double p, double p_next,
                     const eex_risk_options *o)
{
    const size_t exits = (size_t)out->exits;
    double *a = out->a + (size_t)out->count * exits;
    if (eex_interrupted())
        return eex_fail(EEX_EINTERRUPTED, "interrupted while thresholds were sought");
    set_stage(a, w, next, p, p_next, o);
    if (memcmp(a, a - exits, (exits - 1) * sizeof *a) != 0)
        out->count++;
    return EEX_OK;
}

static int lay_stages(eex__risk_path *out, const way *w, const eex_risk_options *o)
{
    const double kept = firm * o->delta, first = strongest * o->delta;
    for (int k = 0; k < out->exits; k++)
        out->a[k] = INFINITY;
    out->count = 1;
    for (int k = 0; k + 1 < out->exits; k++)
        for (int j = 0; j < STAGES; j++)
            EEX_TRY(add_stage(out, w, k, kept, stage(first, kept, j), o));
    for (int j = 1; j < STAGES; j++)
        EEX_TRY(add_stage(out, w, out->exits - 1, stage(kept, loosest, j), 0, o));
    return EEX_OK;
}

int eex__risk_path_by_exit(eex__risk_path *out, eex__risk_run *run, const eex_policy *policy,
                           const eex_risk_options *o)
{
    const size_t exits = (size_t)policy->exits;
    eex__levels *levels = NULL;
    *out = (eex__risk_path){.exits = policy->exits};
    EEX_TRY(eex__levels_new(&levels, run->trace, policy, EEX__LEVELS_DEFAULT, NULL));
    const way w = {levels, &run->losses, calloc((size_t)levels->samples, sizeof *w.gone)};
    out->a = calloc((exits * STAGES + 1) * exits, sizeof *out->a);
    int code = w.gone && out->a
                   ? lay_stages(out, &w, o)
                   : eex_fail(EEX_ENOMEM, "risk: out of memory for %d samples", levels->samples);
    free(w.gone);
    eex__levels_free(levels);
    return code;
}
