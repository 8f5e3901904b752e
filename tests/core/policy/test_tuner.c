#include "core/policy/levels.h"
#include "core/policy/replay.h"
#include "core/policy/tune.h"
#include "device/decide.h"
#include "support/traces.h"

#include "base/rng.h"
#include "base/signals.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

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

static const goal_case goals[] = {{EEX_TUNE_WEIGHTED, 0.05}, {EEX_TUNE_WEIGHTED, 0.3},
                                  {EEX_TUNE_WEIGHTED, 1},    {EEX_TUNE_ACCURACY, 0.6},
                                  {EEX_TUNE_ACCURACY, 0.7},  {EEX_TUNE_ACCURACY, 0.99},
                                  {EEX_TUNE_MACS, 0.4},      {EEX_TUNE_MACS, 0.6},
                                  {EEX_TUNE_MACS, 0.9},      {EEX_TUNE_MACS, 0.01}};

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
        fixture f = setup(80, 4, kind_of(kind, b), (eex_tuner_options){8, 1, 1}, (uint64_t)round);
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

/* ---- what it promises ---- */

Test(tuner, keeps_to_its_target_on_the_calibration_trace)
{
    fixture f = setup(900, 6, kind_of(EEX_POLICY_CONFIDENCE, INFINITY), (eex_tuner_options){0}, 3);
    double end = eex_trace_accuracy(f.trace, 5), cost = INFINITY, base = f.cost[5];
    for (int effort = 0; effort < 2; effort++)
        for (double target = end - 0.15; target <= end; target += 0.03) {
            eex_operating_point p = tuned(&f, EEX_TUNE_ACCURACY, target, (eex_effort)effort);
            eex_outcome o = replayed(&f, p.a);
            cr_assert(p.feasible);
            cr_assert_geq(o.accuracy, target - 1e-12);
            cr_assert_lt(o.cost, 0.95 * base);
        }
    for (double share = 0.9; share > 0.2; share -= 0.1) {
        eex_operating_point p = tuned(&f, EEX_TUNE_MACS, share * base, EEX_EFFORT_THOROUGH);
        eex_outcome o = replayed(&f, p.a);
        cr_assert_eq(p.feasible, share * base >= f.cost[0]);
        if (p.feasible)
            cr_assert_leq(o.cost, share * base * (1 + 1e-12));
        cr_assert_leq(o.cost, cost * (1 + 1e-12));
        cost = o.cost;
    }
    teardown(&f);
}

Test(tuner, a_tighter_target_costs_more_or_is_less_accurate)
{
    fixture f =
        setup(1500, 7, kind_of(EEX_POLICY_PER_CLASS, INFINITY), (eex_tuner_options){.folds = 1}, 8);
    double cost = 0, accuracy = 0, base = f.cost[6];
    for (double target = 0.4; target < 0.8; target += 0.02) {
        eex_operating_point p = tuned(&f, EEX_TUNE_ACCURACY, target, EEX_EFFORT_THOROUGH);
        cr_assert_geq(p.cost, cost - 0.002 * base, "target %g", target);
        cost = p.cost;
    }
    for (double share = 0.3; share < 1; share += 0.05) {
        eex_operating_point p = tuned(&f, EEX_TUNE_MACS, share * base, EEX_EFFORT_THOROUGH);
        cr_assert_geq(p.accuracy, accuracy - 0.001, "share %g", share);
        accuracy = p.accuracy;
    }
    teardown(&f);
}

Test(tuner, a_target_of_zero_is_the_backbones_accuracy)
{
    fixture f = setup(1000, 5, kind_of(EEX_POLICY_MARGIN, INFINITY), (eex_tuner_options){0}, 4);
    double end = eex_trace_accuracy(f.trace, 4);
    eex_operating_point a = tuned(&f, EEX_TUNE_ACCURACY, 0, EEX_EFFORT_THOROUGH),
                        b = tuned(&f, EEX_TUNE_ACCURACY, end, EEX_EFFORT_THOROUGH),
                        less = tuned(&f, EEX_TUNE_ACCURACY, -0.05, EEX_EFFORT_THOROUGH);
    cr_assert_arr_eq(a.a, b.a, 5 * sizeof *a.a);
    cr_assert(a.feasible && less.feasible);
    cr_assert_lt(less.cost, a.cost);
    cr_assert_geq(less.held_accuracy, end - 0.05 - 1e-12);
    teardown(&f);
}

/* Early answers that are as good as the last one, but for a sample here and there: a target of zero
 * must not close every exit. */
Test(tuner, a_target_of_zero_lets_the_surest_leave)
{
    enum { N = 2500 };
    const double cost[] = {1, 3};
    const eex_exit_costs costs = {2, cost, 3};
    eex_trace *t = NULL;
    eex_policy *p = NULL;
    eex_operating_point o;
    cr_assert_eq(eex_trace_new(&t, N, 2, 2), EEX_OK);
    for (int i = 0; i < N; i++) { /* the surer half is right at both; of the others 1 in 5 is not */
        float margin = (float)(i % 100) / 10;
        bool first = margin > 5 || i % 5, last = margin > 5 || i % 9;
        t->labels[i] = 0;
        t->sample[i] = (uint32_t)i;
        t->logits[2 * i + !first] = margin;
        t->logits[2 * (N + i) + !last] = margin;
    }
    cr_assert_eq(eex_trace_score(t, test_head_device(), (float[]){1, 1}), EEX_OK);
    cr_assert_eq(eex_policy_new(&p, EEX_POLICY_CONFIDENCE, 2, 2), EEX_OK);
    cr_assert_eq(eex_policy_tune(p, &o, t, &costs, EEX_TUNE_ACCURACY, 0), EEX_OK);
    cr_assert_geq(o.accuracy, eex_trace_accuracy(t, 1));
    cr_assert_lt(o.cost, 2.5, "%g: nearly half of them leave at 1", o.cost);
    eex_policy_free(p);
    eex_trace_free(t);
}

Test(tuner, what_cannot_be_met_gives_the_nearest)
{
    fixture f = setup(500, 4, kind_of(EEX_POLICY_CONFIDENCE, INFINITY), (eex_tuner_options){0}, 5);
    eex_operating_point p = tuned(&f, EEX_TUNE_ACCURACY, 1.5, EEX_EFFORT_QUICK);
    cr_assert(!p.feasible);
    cr_assert_geq(p.accuracy, eex_trace_accuracy(f.trace, 3));
    p = tuned(&f, EEX_TUNE_ACCURACY, 1.5, EEX_EFFORT_THOROUGH);
    cr_assert(!p.feasible);
    p = tuned(&f, EEX_TUNE_MACS, f.cost[0] / 2, EEX_EFFORT_QUICK);
    cr_assert(!p.feasible);
    cr_assert_float_eq(p.cost, f.cost[0], 1e-9, "everything leaves at once");
    teardown(&f);
}

Test(tuner, an_exit_accepts_enough_or_is_closed)
{
    for (int least = 1; least <= 200; least += 66) {
        eex_tuner_options options = {.min_accepted = least};
        fixture f = setup(600, 6, kind_of(EEX_POLICY_PER_CLASS, 1.5), options, 6);
        for (int g = 0; g < GOALS; g++) {
            double unit = goals[g].tune == EEX_TUNE_MACS ? f.cost[5] : 1;
            eex_operating_point p =
                tuned(&f, goals[g].tune, goals[g].target * unit, EEX_EFFORT_THOROUGH);
            replayed(&f, p.a);
            int32_t exit_of[600];
            eex_decision how[600];
            int accepted[6] = {0};
            eex_outcome o;
            cr_assert_eq(eex_replay(&o, f.trace, f.policy, NULL, exit_of, how), EEX_OK);
            for (int i = 0; i < 600; i++)
                accepted[exit_of[i]] += how[i] == EEX_ACCEPT;
            for (int k = 0; k < 5; k++)
                cr_assert(p.a[k] == INFINITY ? accepted[k] == 0 : accepted[k] >= least);
        }
        teardown(&f);
    }
}

Test(tuner, the_same_twice)
{
    fixture f = setup(700, 6, kind_of(EEX_POLICY_ENTROPY, -1.2), (eex_tuner_options){0}, 7),
            g = setup(700, 6, kind_of(EEX_POLICY_ENTROPY, -1.2), (eex_tuner_options){0}, 7);
    for (int i = 0; i < GOALS; i++) {
        double unit = goals[i].tune == EEX_TUNE_MACS ? f.cost[5] : 1,
               target = goals[i].target * unit;
        for (int effort = 0; effort < 2; effort++) {
            eex_operating_point a = tuned(&f, goals[i].tune, target, (eex_effort)effort);
            eex_operating_point b = tuned(&g, goals[i].tune, target, (eex_effort)effort);
            cr_assert_arr_eq(a.a, b.a, 6 * sizeof *a.a);
            cr_assert_eq(a.cost, b.cost);
        }
    }
    teardown(&f);
    teardown(&g);
}

/* On samples of the same kind that the tuner never saw, the cross-fitted target holds on average;
 * the one met in-sample falls short. */
Test(tuner, cross_fitting_keeps_the_target_on_other_samples)
{
    double honest = 0, hopeful = 0;
    enum { ROUNDS = 6, SEEN = 1200, UNSEEN = 6000 };
    for (int round = 0; round < ROUNDS; round++) {
        fixture f = setup(SEEN, 7, kind_of(EEX_POLICY_CONFIDENCE, INFINITY), (eex_tuner_options){0},
                          (uint64_t)(7 * round + 70));
        eex_trace *other = NULL;
        cr_assert_eq(eex_trace_new(&other, UNSEEN, 7, 4), EEX_OK);
        test_trace_fill(other, (uint64_t)round + 500);
        cr_assert_eq(eex_trace_score(other, test_head_device(), f.policy->temperature), EEX_OK);
        double change = eex_trace_accuracy(other, 6) - eex_trace_accuracy(f.trace, 6);
        for (int effort = 0; effort < 2; effort++) {
            eex_operating_point p = tuned(&f, EEX_TUNE_ACCURACY, 0, (eex_effort)effort);
            eex_outcome o;
            memcpy(f.policy->a, p.a, 7 * sizeof *p.a);
            eex_policy_apply(f.policy);
            cr_assert_eq(eex_replay(&o, other, f.policy, NULL, NULL, NULL), EEX_OK);
            double kept = o.accuracy - eex_trace_accuracy(f.trace, 6) - change;
            *(effort == EEX_EFFORT_THOROUGH ? &honest : &hopeful) += kept / ROUNDS;
        }
        eex_trace_free(other);
        teardown(&f);
    }
    cr_assert_gt(honest, -0.004, "accuracy kept: %g", honest);
    cr_assert_gt(honest, hopeful + 0.003, "%g against %g", honest, hopeful);
}

/* Budgets and accuracies are two ways to ask for the same: what one gives, the other finds. */
Test(tuner, a_budget_and_the_accuracy_that_it_gives_agree)
{
    enum { ROUNDS = 8, BUDGETS = 7 };
    for (int round = 0; round < ROUNDS; round++) {
        eex_policy_kind kind = (eex_policy_kind)(round % EEX_POLICY_KINDS);
        double b = round % 3 ? INFINITY : kind == EEX_POLICY_ENTROPY ? -1.25 : 0.2;
        fixture f = setup(round % 2 ? 120 : 350, 2 + round % 5, kind_of(kind, b),
                          (eex_tuner_options){0}, (uint64_t)round + 900);
        double base = f.cost[f.exits - 1], end = eex_trace_accuracy(f.trace, f.exits - 1);
        for (int i = 1; i <= BUDGETS; i++) {
            eex_operating_point p =
                tuned(&f, EEX_TUNE_MACS, base * i / BUDGETS, EEX_EFFORT_THOROUGH);
            cr_assert_leq(p.held_accuracy, p.accuracy);
            if (!p.feasible)
                continue;
            cr_assert_leq(p.cost, base * i / BUDGETS * (1 + 1e-12));
            double wish = i % 2 && p.held_accuracy <= end ? p.held_accuracy - end : 0;
            wish = wish < 0 ? wish : p.held_accuracy;
            eex_operating_point q = tuned(&f, EEX_TUNE_ACCURACY, wish, EEX_EFFORT_THOROUGH);
            cr_assert(q.feasible, "round %d budget %d: %g", round, i, wish);
            cr_assert_geq(q.held_accuracy, p.held_accuracy - 1e-12);
            cr_assert_leq(q.cost, p.cost, "round %d budget %d: %g costs %g, not %g", round, i, wish,
                          q.cost, p.cost);
            p = tuned(&f, EEX_TUNE_MACS, q.cost, EEX_EFFORT_THOROUGH);
            cr_assert_geq(p.held_accuracy, q.held_accuracy - 1e-12);
        }
        teardown(&f);
    }
}

Test(tuner, a_laxer_accuracy_never_costs_more)
{
    fixture f =
        setup(1500, 3, kind_of(EEX_POLICY_CONFIDENCE, INFINITY), (eex_tuner_options){0}, 31);
    double end = eex_trace_accuracy(f.trace, 2), last = INFINITY;
    int steps = 0;
    for (double less = 0; less < 0.06; less += 0.001) {
        eex_operating_point p =
            tuned(&f, EEX_TUNE_ACCURACY, less > 0 ? -less : 0, EEX_EFFORT_THOROUGH);
        cr_assert_geq(p.held_accuracy, end - less - 1e-12);
        cr_assert_leq(p.cost, last);
        steps += p.cost < last;
        last = p.cost;
    }
    cr_assert_geq(steps, 12, "%d steps only", steps);
    teardown(&f);
}

Test(tuner, bad_arguments_are_refused)
{
    fixture f = setup(100, 3, kind_of(EEX_POLICY_CONFIDENCE, INFINITY), (eex_tuner_options){0}, 1);
    eex_tuner *t = NULL;
    const eex_tuner_options bad[] = {{2, 0, 0}, {127, 0, 0}, {0, -1, 0}, {0, 0, 21}, {0, 0, -1}};
    for (int i = 0; i < 5; i++)
        cr_assert_eq(eex_tuner_new(&t, f.trace, f.policy, &bad[i]), EEX_EINVAL, "%d", i);
    cr_assert_null(t);
    const double wrong[] = {1, 0, 3};
    const eex_exit_costs negative = {3, wrong, 3}, two = {2, f.cost, 3}, free_base = {3, f.cost, 0};
    const eex_exit_costs *costs[] = {&negative, &two, &free_base, NULL};
    for (int i = 0; i < 4; i++) {
        eex_operating_point *front = NULL;
        int count;
        cr_assert_eq(eex_policy_tune(f.policy, NULL, f.trace, costs[i], EEX_TUNE_WEIGHTED, 1),
                     EEX_EINVAL);
        cr_assert_eq(eex_policy_sweep(&front, &count, f.trace, f.policy, costs[i], 4), EEX_EINVAL);
        cr_assert_null(front);
    }
    teardown(&f);
    eex_tuner_free(NULL);
}

/* ---- policies ---- */

Test(tuner, calibration_tunes_the_policy_it_returns)
{
    fixture f = setup(800, 5, kind_of(EEX_POLICY_PER_CLASS, INFINITY), (eex_tuner_options){0}, 9);
    const eex_exit_costs costs = {5, f.cost, f.cost[4]};
    eex_calibration how = kind_of(EEX_POLICY_PER_CLASS, INFINITY);
    eex_policy *p = NULL;
    eex_outcome published, o;
    how.temperature = 2;
    replayed(&f, f.policy->a);
    cr_assert_eq(eex_replay(&published, f.trace, f.policy, &costs, NULL, NULL), EEX_OK);
    how.tune = EEX_TUNE_MACS;
    how.target = published.cost;
    cr_assert_eq(eex_calibrate(&p, f.trace, test_head_device(), &how, &costs), EEX_OK, "%s",
                 eex_error());
    cr_assert_eq(eex_replay(&o, f.trace, p, &costs, NULL, NULL), EEX_OK);
    cr_assert_leq(o.cost, published.cost * (1 + 1e-12));
    cr_assert_gt(o.accuracy, published.accuracy, "tuned thresholds beat a = 0.5 at its own cost");
    for (int k = 0; k < 4; k++)
        for (int c = 0; c < 4; c++)
            cr_assert_eq(p->high[k * 4 + c], eex_policy_high(p, k, c, p->a[k]));
    eex_policy_free(p);
    teardown(&f);
}

/* Traces may be large: whoever waits for thresholds can stop it. */
Test(tuner, an_interrupt_ends_it)
{
    fixture f = setup(800, 6, kind_of(EEX_POLICY_MARGIN, INFINITY), (eex_tuner_options){0}, 10);
    const eex_exit_costs costs = {6, f.cost, f.cost[5]};
    eex_operating_point *front = NULL, point;
    int count = 0;
    cr_assert_eq(eex_signals_install(), EEX_OK);
    raise(SIGINT);
    cr_expect_eq(eex_policy_tune(f.policy, &point, f.trace, &costs, EEX_TUNE_ACCURACY, 0.5),
                 EEX_EINTERRUPTED);
    cr_expect_eq(eex_policy_sweep(&front, &count, f.trace, f.policy, &costs, 40), EEX_EINTERRUPTED);
    cr_expect(!front && count == 0);
    eex_signals_clear();
    cr_assert_eq(eex_policy_sweep(&front, &count, f.trace, f.policy, &costs, 40), EEX_OK);
    free(front);
    teardown(&f);
}

Test(tuner, a_sweep_is_a_front)
{
    fixture f = setup(800, 6, kind_of(EEX_POLICY_MARGIN, INFINITY), (eex_tuner_options){0}, 10);
    const eex_exit_costs costs = {6, f.cost, f.cost[5]};
    eex_operating_point *front = NULL;
    int count = 0;
    cr_assert_eq(eex_policy_sweep(&front, &count, f.trace, f.policy, &costs, 40), EEX_OK);
    cr_assert_gt(count, 30, "%d", count);
    for (int i = 0; i < count; i++) {
        eex_outcome o = replayed(&f, front[i].a);
        cr_assert_eq(o.accuracy, front[i].accuracy);
        cr_assert_float_eq(o.cost, front[i].cost, 1e-9);
        if (i > 0)
            cr_assert(front[i].cost > front[i - 1].cost &&
                      front[i].accuracy > front[i - 1].accuracy);
    }
    cr_assert_float_eq(front[0].cost, f.cost[0], 1e-9, "from the first exit alone");
    cr_assert_geq(front[count - 1].accuracy, eex_trace_accuracy(f.trace, 5));
    free(front);
    teardown(&f);
}
