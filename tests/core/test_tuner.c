#include "core/tune.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "base/status.h"
#include "core/graph.h"
#include "core/levels.h"
#include "core/replay.h"
#include "support/traces.h"

typedef struct fixture {
    eex_trace *trace;
    eex_policy *policy;
    eex_tuner *tuner;
    int exits, columns[EEX_MAX_EXITS];
    double cost[EEX_MAX_EXITS];
} fixture;

static fixture setup(int samples, int exits, eex_calibration how, eex_tuner_options options,
                     uint64_t seed)
{
    fixture f = {.exits = exits};
    cr_assert_eq(eex_trace_new(&f.trace, samples, exits, 4), EEX_OK);
    test_trace_fill(f.trace, seed);
    how.temperature = 2;
    cr_assert_eq(eex_calibrate(&f.policy, f.trace, test_head_device(), &how, NULL), EEX_OK);
    cr_assert_eq(eex_tuner_new(&f.tuner, f.trace, f.policy, &options), EEX_OK, "%s", eex_error());
    for (int k = 0; k < exits; k++) {
        f.columns[k] = k;
        f.cost[k] = 100.0 * (k + 1) / exits + 4 * k + (double)(seed % 7) * k * k;
    }
    return f;
}

static void teardown(fixture *f)
{
    eex_tuner_free(f->tuner);
    eex_policy_free(f->policy);
    eex_trace_free(f->trace);
}

static eex_calibration kind_of(eex_policy_kind kind, double b)
{
    eex_calibration how = eex_calibration_default();
    how.kind = kind;
    how.b = b;
    return how;
}

static eex_operating_point tuned(fixture *f, eex_tune tune, double target, eex_effort effort)
{
    eex_operating_point point;
    const eex_goal goal = {tune, target, f->cost[f->exits - 1]};
    eex_tuner_run(&point, f->tuner, f->columns, f->exits, f->cost, &goal, effort);
    return point;
}

/* What replay says of these values of a. */
static eex_outcome replayed(fixture *f, const double *a)
{
    const eex_exit_costs costs = {f->exits, f->cost, f->cost[f->exits - 1]};
    eex_outcome outcome;
    memcpy(f->policy->a, a, (size_t)f->exits * sizeof *a);
    eex_policy_apply(f->policy);
    cr_assert_eq(eex_replay(&outcome, f->trace, f->policy, &costs, NULL, NULL), EEX_OK);
    return outcome;
}

/* ---- against trying everything ---- */

/* Larger is better; hopeless when the target is missed. */
static double value_of(double accuracy, double cost, eex_tune tune, double target, double base)
{
    if (tune == EEX_TUNE_ACCURACY)
        return accuracy >= target - 1e-12 ? -cost : -INFINITY;
    if (tune == EEX_TUNE_MACS)
        return cost <= target * (1 + 1e-12) ? accuracy : -INFINITY;
    return accuracy - target * cost / base;
}

/* Best value over every combination of the tuner's own thresholds. */
static double brute(fixture *f, eex_tune tune, double target)
{
    const eex__levels *l = eex__tuner_levels(f->tuner);
    int combinations = 1;
    double best = -INFINITY, a[EEX_MAX_EXITS] = {0};
    for (int k = 0; k < f->exits - 1; k++)
        combinations *= l->count;
    for (int i = 0; i < combinations; i++) {
        for (int k = 0, rest = i; k < f->exits - 1; k++, rest /= l->count)
            a[k] = l->a[k * l->count + rest % l->count];
        eex_outcome o = replayed(f, a);
        best = fmax(best, value_of(o.accuracy, o.cost, tune, target, f->cost[f->exits - 1]));
    }
    return best;
}

/* How far the tuner stays behind, and whether it keeps what it promises. */
static double shortfall(fixture *f, eex_tune tune, double target, eex_effort effort)
{
    eex_operating_point point = tuned(f, tune, target, effort);
    eex_outcome o = replayed(f, point.a);
    double base = f->cost[f->exits - 1], best = brute(f, tune, target);
    cr_assert_eq(point.accuracy, o.accuracy, "the tuner tells the truth");
    cr_assert_float_eq(point.cost, o.cost, 1e-9);
    cr_assert_eq(point.feasible, isfinite(best), "tune %d target %g", (int)tune, target);
    if (!isfinite(best))
        return 0;
    double value = value_of(o.accuracy, o.cost, tune, target, base);
    return tune == EEX_TUNE_ACCURACY ? (best - value) / base : best - value;
}

typedef struct goal_case {
    eex_tune tune;
    double target; /* of EEX_TUNE_MACS: of the backbone's cost */
} goal_case;

static const goal_case goals[] = {
    {EEX_TUNE_WEIGHTED, 0.05}, {EEX_TUNE_WEIGHTED, 0.3}, {EEX_TUNE_WEIGHTED, 1},
    {EEX_TUNE_ACCURACY, 0.6},  {EEX_TUNE_ACCURACY, 0.7}, {EEX_TUNE_ACCURACY, 0.99},
    {EEX_TUNE_MACS, 0.4},      {EEX_TUNE_MACS, 0.6},     {EEX_TUNE_MACS, 0.9},
    {EEX_TUNE_MACS, 0.01}};

enum { GOALS = sizeof goals / sizeof *goals };

static double mean_shortfall(eex_effort effort, double *worst)
{
    double sum = 0;
    int cases = 0;
    *worst = 0;
    for (int round = 0; round < 8; round++) {
        eex_policy_kind kind = (eex_policy_kind)(round % EEX_POLICY_KINDS);
        double b = round < 4                      ? INFINITY
                   : kind == EEX_POLICY_PER_CLASS ? 1.3
                   : kind == EEX_POLICY_ENTROPY   ? -1.25
                                                  : 0.2;
        fixture f = setup(80, 4, kind_of(kind, b), (eex_tuner_options){8, 1}, (uint64_t)round);
        for (int g = 0; g < GOALS; g++) {
            double unit = goals[g].tune == EEX_TUNE_MACS ? f.cost[3] : 1;
            double by = shortfall(&f, goals[g].tune, goals[g].target * unit, effort);
            cr_assert_geq(by, -1e-9, "nothing beats trying everything");
            sum += by;
            cases++;
            *worst = fmax(*worst, by);
        }
        teardown(&f);
    }
    return sum / cases;
}

Test(tuner, thorough_is_as_good_as_trying_everything)
{
    double worst, mean = mean_shortfall(EEX_EFFORT_THOROUGH, &worst);
    cr_assert_lt(worst, 0.005, "worst %g", worst);
    cr_assert_lt(mean, 0.0005, "mean %g", mean);
}

Test(tuner, quick_is_nearly_as_good)
{
    double worst, mean = mean_shortfall(EEX_EFFORT_QUICK, &worst);
    cr_assert_lt(worst, 0.04, "worst %g", worst);
    cr_assert_lt(mean, 0.002, "mean %g", mean);
}
