/* The tuner applied to whole policies: one operating point, or the whole front. */
#include "core/tune.h"

#include <math.h>
#include <stdlib.h>

#include "base/status.h"

static int tune_check(const eex_trace *trace, const eex_policy *policy, const eex_exit_costs *costs)
{
    if (!costs || costs->exits != trace->exits || policy->exits != trace->exits)
        return eex_fail(EEX_EINVAL,
                        "tuner: a trace of %d exits, a policy of %d, costs of %d: all the same "
                        "expected",
                        trace->exits, policy->exits, costs ? costs->exits : 0);
    for (int k = 0; k < costs->exits; k++)
        if (!(costs->cost[k] > 0) || isinf(costs->cost[k]))
            return eex_fail(EEX_EINVAL, "tuner: exit %d costs %g: a positive number expected", k,
                            costs->cost[k]);
    if (!(costs->base > 0) || isinf(costs->base))
        return eex_fail(EEX_EINVAL, "tuner: the backbone costs %g: a positive number expected",
                        costs->base);
    return EEX_OK;
}

static void columns_all(int columns[EEX_MAX_EXITS], int count)
{
    for (int k = 0; k < count; k++)
        columns[k] = k;
}

int eex_policy_tune(eex_policy *policy, eex_operating_point *out, const eex_trace *trace,
                    const eex_exit_costs *costs, eex_tune tune, double target)
{
    int columns[EEX_MAX_EXITS];
    eex_operating_point point;
    eex_tuner *tuner = NULL;
    EEX_TRY(tune_check(trace, policy, costs));
    EEX_TRY(eex_tuner_new(&tuner, trace, policy, NULL));
    columns_all(columns, trace->exits);
    const eex_goal goal = {tune, target, costs->base};
    eex_tuner_run(&point, tuner, columns, trace->exits, costs->cost, &goal, EEX_EFFORT_THOROUGH);
    eex_tuner_free(tuner);
    if (tune != EEX_TUNE_NONE)
        for (int k = 0; k < policy->exits - 1; k++)
            policy->a[k] = point.a[k];
    eex_policy_apply(policy);
    if (out)
        *out = point;
    return EEX_OK;
}

static int compare_points(const void *a, const void *b)
{
    const eex_operating_point *x = a, *y = b;
    if (x->cost != y->cost)
        return x->cost < y->cost ? -1 : 1;
    return (x->accuracy < y->accuracy) - (x->accuracy > y->accuracy);
}

/* Keeps what is more accurate than everything cheaper. */
static int keep_front(eex_operating_point *points, int count)
{
    int kept = 0;
    qsort(points, (size_t)count, sizeof *points, compare_points);
    for (int i = 0; i < count; i++)
        if (kept == 0 || points[i].accuracy > points[kept - 1].accuracy)
            points[kept++] = points[i];
    return kept;
}

static void sweep_prices(eex_operating_point *points, eex_tuner *tuner, const eex_exit_costs *costs,
                         int prices)
{
    const double lowest = 1e-3, highest = 10; /* all of accuracy against all of the cost */
    int columns[EEX_MAX_EXITS];
    columns_all(columns, costs->exits);
    for (int i = 0; i < prices; i++) {
        double at = prices > 1 ? (double)i / (prices - 1) : 0.5;
        const eex_goal goal = {EEX_TUNE_WEIGHTED, lowest * pow(highest / lowest, at), costs->base};
        eex_tuner_run(&points[i], tuner, columns, costs->exits, costs->cost, &goal,
                      EEX_EFFORT_THOROUGH);
    }
    const eex_goal best = {EEX_TUNE_ACCURACY, 1.0, costs->base};
    const eex_goal cheapest = {EEX_TUNE_MACS, 0.0, costs->base};
    eex_tuner_run(&points[prices], tuner, columns, costs->exits, costs->cost, &best,
                  EEX_EFFORT_THOROUGH);
    eex_tuner_run(&points[prices + 1], tuner, columns, costs->exits, costs->cost, &cheapest,
                  EEX_EFFORT_THOROUGH);
}

int eex_policy_sweep(eex_operating_point **out, int *count, const eex_trace *trace,
                     const eex_policy *policy, const eex_exit_costs *costs, int prices)
{
    *out = NULL;
    *count = 0;
    eex_tuner *tuner = NULL;
    EEX_TRY(tune_check(trace, policy, costs));
    if (prices < 1 || prices > 10000)
        return eex_fail(EEX_EINVAL, "sweep: %d prices: 1 to 10000", prices);
    eex_operating_point *points = calloc((size_t)prices + 2, sizeof *points);
    if (!points)
        return eex_fail(EEX_ENOMEM, "sweep: out of memory for %d points", prices);
    int status = eex_tuner_new(&tuner, trace, policy, NULL);
    if (status != EEX_OK) {
        free(points);
        return status;
    }
    sweep_prices(points, tuner, costs, prices);
    eex_tuner_free(tuner);
    for (int i = 0; i < prices; i++)
        points[i].feasible = true;
    *count = keep_front(points, prices + 2);
    *out = points;
    return EEX_OK;
}
