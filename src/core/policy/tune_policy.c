/* The tuner applied to whole policies: one operating point, or the whole front. */
#include "core/policy/tune_impl.h"

#include "base/signals.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>

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
    tuner->chain.stops = true;
    eex_tuner_run(&point, tuner, columns, trace->exits, costs->cost, &goal, EEX_EFFORT_THOROUGH);
    eex_tuner_free(tuner);
    if (eex_interrupted())
        return eex_fail(EEX_EINTERRUPTED, "interrupted while tuning");
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

/* Prices find the corners of the front; budgets spread evenly from the cheapest to the most
 * accurate fill what lies between corners. Returns how many points there are: 2 * steps + 2. */
static int sweep_points(eex_operating_point *points, eex_tuner *tuner, const eex_exit_costs *costs,
                        int steps)
{
    const double lowest = 1e-3, highest = 10; /* all of accuracy against all of the cost */
    int columns[EEX_MAX_EXITS], used = 0, n = costs->exits;
    columns_all(columns, n);
    eex_goal goal = {EEX_TUNE_MACS, 0, costs->base};
    eex_operating_point *cheapest = &points[used++], *best = &points[used++];
    eex_tuner_run(cheapest, tuner, columns, n, costs->cost, &goal, EEX_EFFORT_THOROUGH);
    goal.target = INFINITY;
    eex_tuner_run(best, tuner, columns, n, costs->cost, &goal, EEX_EFFORT_THOROUGH);
    for (int i = 0; i < steps; i++) {
        double at = (i + 1.0) / (steps + 1);
        goal = (eex_goal){EEX_TUNE_WEIGHTED, lowest * pow(highest / lowest, at), costs->base};
        eex_tuner_run(&points[used++], tuner, columns, n, costs->cost, &goal, EEX_EFFORT_THOROUGH);
        goal = (eex_goal){EEX_TUNE_MACS, cheapest->cost + at * (best->cost - cheapest->cost),
                          costs->base};
        eex_tuner_run(&points[used++], tuner, columns, n, costs->cost, &goal, EEX_EFFORT_THOROUGH);
    }
    cheapest->feasible = true; /* a budget of nothing is a way to ask, not a target */
    return used;
}

int eex_policy_sweep(eex_operating_point **out, int *count, const eex_trace *trace,
                     const eex_policy *policy, const eex_exit_costs *costs, int steps)
{
    *out = NULL;
    *count = 0;
    eex_tuner *tuner = NULL;
    EEX_TRY(tune_check(trace, policy, costs));
    if (steps < 1 || steps > 10000)
        return eex_fail(EEX_EINVAL, "sweep: %d steps: 1 to 10000", steps);
    eex_operating_point *points = calloc(2 * (size_t)steps + 2, sizeof *points);
    if (!points)
        return eex_fail(EEX_ENOMEM, "sweep: out of memory for %d steps", steps);
    const eex_tuner_options options = {.folds = 1};
    int status = eex_tuner_new(&tuner, trace, policy, &options);
    if (status != EEX_OK) {
        free(points);
        return status;
    }
    tuner->chain.stops = true;
    *count = keep_front(points, sweep_points(points, tuner, costs, steps));
    eex_tuner_free(tuner);
    if (eex_interrupted()) {
        *count = 0;
        free(points);
        return eex_fail(EEX_EINTERRUPTED, "interrupted while tuning");
    }
    *out = points;
    return EEX_OK;
}
