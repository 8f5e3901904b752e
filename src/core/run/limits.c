#include "core/run/limits.h"

#include "base/buffer.h"
#include "base/status.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* ---- of a candidate ---- */

/* NaN wins: what is not known is not kept. */
static double worse(double a, double b)
{
    return isnan(a) || b <= a ? a : b;
}

static double overstep(double worst, double value, double limit)
{
    return limit > 0 ? worse(worst, value / limit - 1) : worst;
}

bool eex_limits_any(const eex_limits *limits)
{
    return limits->macs > 0 || limits->params > 0 || limits->latency > 0 || limits->share > 0;
}

double eex_limits_violation(const eex_limits *limits, const eex_trial *trial, double params)
{
    double worst = -1;
    if (!eex_limits_any(limits))
        return 0;
    worst = overstep(worst, trial->macs, limits->macs);
    worst = overstep(worst, params, limits->params);
    worst = overstep(worst, trial->latency, limits->latency);
    return limits->share > 0 ? worse(worst, 1 - trial->least_share / limits->share) : worst;
}

/* ---- of a space ---- */

typedef enum figure { MACS, PARAMS, LATENCY } figure;

/* The least that the structure's figure can be, whatever leaves where. */
static int figure_of(double *out, const eex_structures *s, const int *genome, figure which)
{
    eex_structure_costs costs;
    EEX_TRY(eex_structures_costs(&costs, s, genome));
    const double *cost = which == MACS ? costs.macs : costs.ms;
    *out = which == PARAMS ? costs.params : cost[0];
    for (int k = 1; k < costs.exits && which != PARAMS; k++)
        *out = fmin(*out, cost[k]);
    return EEX_OK;
}

/* The change of one gene that lowers the figure most; *least stays where none does. */
static int descend(double *least, int *genome, const eex_structures *s, figure which)
{
    const eex_space *space = &s->space;
    int best[EEX_MAX_GENES], changed[EEX_MAX_GENES];
    const size_t bytes = (size_t)space->genes * sizeof *genome;
    memcpy(best, genome, bytes);
    for (int g = 0; g < space->genes; g++)
        for (int option = 0; option < space->options[g]; option++) {
            double value;
            memcpy(changed, genome, bytes);
            changed[g] = option;
            eex_space_canonicalise(changed, space);
            EEX_TRY(figure_of(&value, s, changed, which));
            if (!(value < *least))
                continue;
            *least = value;
            memcpy(best, changed, bytes);
        }
    memcpy(genome, best, bytes);
    return EEX_OK;
}

static int find_least(double *least, const eex_structures *s, figure which)
{
    int genome[EEX_MAX_GENES] = {0};
    double found;
    eex_space_canonicalise(genome, &s->space);
    EEX_TRY(figure_of(&found, s, genome, which));
    for (double before = INFINITY; found < before;) {
        before = found;
        EEX_TRY(descend(&found, genome, s, which));
    }
    *least = fmin(*least, found);
    return EEX_OK;
}

int eex_limits_least(eex_limits *least, const eex_structures *s)
{
    EEX_TRY(find_least(&least->macs, s, MACS));
    EEX_TRY(find_least(&least->params, s, PARAMS));
    return find_least(&least->latency, s, LATENCY);
}

int eex_limits_check(const eex_limits *limits, const eex_limits *least)
{
    if (limits->macs > 0 && limits->macs < least->macs)
        return eex_fail(EEX_EINVAL,
                        "search.limits.macs: %.15g, but the first way out of the smallest network "
                        "of the space takes %.15g MACs: give that or more",
                        limits->macs, least->macs);
    if (limits->params > 0 && isnan(least->params))
        return eex_fail(EEX_EUNSUPPORTED,
                        "search.limits.params: nobody counts the parameters of such networks: "
                        "limit macs or latency");
    if (limits->params > 0 && limits->params < least->params)
        return eex_fail(EEX_EINVAL,
                        "search.limits.params: %.15g, but the smallest network of the space has "
                        "%.15g parameters: give that or more",
                        limits->params, least->params);
    if (limits->latency > 0 && limits->latency < least->latency) /* rounded up, it would do */
        return eex_fail(EEX_EINVAL,
                        "search.limits.latency: %g ms, but the quickest way out of the space takes "
                        "%.6f ms by the latency table: give that or more",
                        limits->latency, ceil(least->latency * 1e6) / 1e6);
    return EEX_OK;
}

static int least_of(eex_limits *least, const eex_experiment *e, const eex_points *points)
{
    eex_structures *s = NULL;
    EEX_TRY(eex_structures_new(&s, e, points));
    const int code = eex_limits_least(least, s);
    eex_structures_free(s);
    return code;
}

/* Which points a run has is not known before a probe, but each by itself has the least that all
 * have. Points with a block count each are not chosen by any. */
static int least_of_points(eex_limits *least, const eex_experiment *e)
{
    if (e->gates.points)
        return least_of(least, e, &e->points);
    for (int p = 0; p < e->points.count; p++) {
        const eex_points one = {.count = 1, .nodes = {e->points.nodes[p]}};
        EEX_TRY(least_of(least, e, &one));
    }
    return EEX_OK;
}

int eex_limits_check_early(const eex_experiment *e)
{
    eex_limits least = {NAN, NAN, NAN, 0};
    if (!eex_limits_any(&e->search.limits))
        return EEX_OK;
    EEX_TRY(least_of_points(&least, e));
    return eex_limits_check(&e->search.limits, &least);
}

/* ---- of a search ---- */

/* SIZE_MAX: all failed. */
static size_t find_nearest(const eex_trials *trials)
{
    size_t nearest = SIZE_MAX;
    for (size_t i = 0; i < trials->count; i++)
        if (trials->at[i].status == EEX_OK &&
            (nearest == SIZE_MAX || trials->at[i].violation < trials->at[nearest].violation))
            nearest = i;
    return nearest;
}

/* What would do as a limit: rounded up to so many parts of one. */
static void tell_most(eex_buffer *out, const char *name, double value, double limit, double parts)
{
    if (limit > 0 && !(value <= limit))
        eex_buffer_printf(out, "%s%s %.15g (at most %.15g)", out->size ? ", " : "", name,
                          ceil(value * parts) / parts, limit);
}

/* Rounded down. */
static void tell_least(eex_buffer *out, const char *name, double value, double limit, double parts)
{
    if (limit > 0 && !(value >= limit))
        eex_buffer_printf(out, "%s%s %.15g (at least %.15g)", out->size ? ", " : "", name,
                          floor(value * parts) / parts, limit);
}

bool eex_limits_tell_nearest(int *code, const eex_limits *limits, const eex_trials *trials,
                             const eex_structures *s)
{
    const size_t nearest = find_nearest(trials);
    eex_structure_costs costs;
    eex_buffer text = EEX_BUFFER_INIT;
    if (nearest == SIZE_MAX)
        return false;
    const eex_trial *t = &trials->at[nearest];
    *code = eex_structures_costs(&costs, s, eex_trials_genome(trials, nearest));
    if (*code < 0)
        return true;
    tell_most(&text, "macs", t->macs, limits->macs, 1);
    tell_most(&text, "params", costs.params, limits->params, 1);
    tell_most(&text, "latency", t->latency, limits->latency, 1e6);
    tell_least(&text, "share", t->least_share, limits->share, 1e6);
    *code = eex_fail(EEX_ENOTFOUND,
                     "search: none of %zu candidates keeps search.limits; the nearest, trial %zu, "
                     "has %s: give limits that it keeps, or more search.trials (a new run with "
                     "--from this one takes over what is trained)",
                     trials->count, nearest, eex_buffer_text(&text));
    eex_buffer_free(&text);
    return true;
}
