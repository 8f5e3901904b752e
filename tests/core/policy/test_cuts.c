/* What a network saves against its cuts: by hand, and never more than the trace itself says. */
#include "core/policy/cuts.h"
#include "core/policy/replay.h"
#include "support/traces.h"

#include "base/rng.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>

enum { EXITS = 6, SAMPLES = 400, CASES = 300 };

static double drawn(uint64_t number)
{
    return eex_rng_hash_uniform(17, 0, number);
}

Test(cuts, by_hand)
{
    const double accuracy[] = {0.9, 0.6, 0.8, 0.65, 0.8}, cost[] = {8, 2, 4, 3.5, 5};
    eex_cuts c;
    eex_cuts_of(&c, accuracy, cost, 5);
    cr_assert_eq(c.count, 3); /* 0.65 lies below the line from 0.6 to 0.8, 0.8 at 5 is dearer */
    cr_expect(c.cost[0] == 2 && c.cost[1] == 4 && c.cost[2] == 8);
    cr_expect_float_eq(eex_cuts_saved(&c, 0.8, 3), 0.25, 1e-12);
    cr_expect_float_eq(eex_cuts_saved(&c, 0.7, 3), 0, 1e-12); /* half to 0.6, half to 0.8 */
    cr_expect_float_eq(eex_cuts_saved(&c, 0.85, 7.5), -0.25, 1e-12);
    cr_expect_float_eq(eex_cuts_saved(&c, 0.95, 6), 0.25, 1e-12); /* the most accurate one */
    cr_expect_float_eq(eex_cuts_saved(&c, 0.1, 3), -0.5, 1e-12);  /* the cheapest */
    cr_expect_float_eq(eex_cuts_gained(&c, 0.75, 3), 0.05, 1e-12);
    cr_expect_float_eq(eex_cuts_gained(&c, 0.91, 20), 0.01, 1e-12);
    cr_expect_float_eq(eex_cuts_gained(&c, 0.5, 1), -0.1, 1e-12);
}

Test(cuts, without_cuts_nothing_is_said)
{
    const double accuracy[] = {NAN, 0.5}, cost[] = {1, NAN};
    eex_cuts c;
    eex_cuts_of(&c, accuracy, cost, 2);
    cr_assert_eq(c.count, 0);
    cr_expect(isnan(eex_cuts_saved(&c, 0.5, 1)) && isnan(eex_cuts_gained(&c, 0.5, 1)));
    eex_cuts_of(&c, (const double[]){0.5}, (const double[]){2}, 1);
    cr_expect(isnan(eex_cuts_saved(&c, NAN, 1)) && isnan(eex_cuts_saved(&c, 0.5, NAN)));
    cr_expect_eq(eex_cuts_saved(&c, 0.5, 2), 0);
}

/* The least that a coin between any two cuts costs at an accuracy, the plain way. */
static double coin(const double *accuracy, const double *cost, int count, double wanted)
{
    double least = INFINITY;
    for (int i = 0; i < count; i++)
        for (int k = 0; k < count; k++) {
            if (accuracy[i] >= wanted)
                least = fmin(least, cost[i]);
            if (accuracy[i] < wanted && accuracy[k] > wanted) {
                const double share = (wanted - accuracy[i]) / (accuracy[k] - accuracy[i]);
                least = fmin(least, cost[i] + share * (cost[k] - cost[i]));
            }
        }
    return least;
}

/* The cheapest single cut with at least the accuracy; where none has it, with the most. */
static double single(const double *accuracy, const double *cost, int count, double wanted)
{
    double least = INFINITY, most = 0;
    for (int k = 0; k < count; k++)
        most = fmax(most, accuracy[k]);
    for (int k = 0; k < count; k++)
        if (accuracy[k] >= fmin(wanted, most))
            least = fmin(least, cost[k]);
    return least;
}

Test(cuts, are_those_of_trying_every_pair)
{
    for (uint64_t i = 0; i < CASES; i++) {
        double accuracy[EXITS], cost[EXITS], most = 0;
        eex_cuts c;
        const int count = 1 + (int)(i % EXITS);
        for (int k = 0; k < count; k++) {
            accuracy[k] = round(20 * drawn(100 * i + 2 * (uint64_t)k)) / 20; /* with equal ones */
            cost[k] = 1 + round(20 * drawn(100 * i + 2 * (uint64_t)k + 1));
            most = fmax(most, accuracy[k]);
        }
        eex_cuts_of(&c, accuracy, cost, count);
        const double wanted = fmin(most, drawn(100 * i + 50)), paid = 1 + drawn(100 * i + 51);
        const double truth = 1 - paid / coin(accuracy, cost, count, wanted);
        cr_expect_float_eq(eex_cuts_saved(&c, wanted, paid), truth, 1e-9, "case %d", (int)i);
        cr_expect_leq(eex_cuts_saved(&c, wanted, paid),
                      1 - paid / single(accuracy, cost, count, wanted) + 1e-12);
    }
}

/* Networks on a trace, with any thresholds: never better than what counting in the trace says. */
static void check_replay(const eex_trace *t, eex_policy *p, const double *alone, uint64_t seed)
{
    double accuracy[EXITS] = {0}, all[EXITS];
    eex_outcome o;
    eex_cuts c;
    for (int k = 0; k < EXITS; k++) {
        all[k] = alone[k] + (double)k / 4; /* the gates on the way */
        p->a[k] = k + 1 < EXITS ? drawn(seed + (uint64_t)k) : -INFINITY;
        for (int i = 0; i < SAMPLES; i++)
            accuracy[k] += (double)(t->top[k * SAMPLES + i] == t->labels[i]) / SAMPLES;
    }
    eex_policy_apply(p);
    const eex_exit_costs costs = {EXITS, all, alone[EXITS - 1]};
    cr_assert_eq(eex_replay(&o, t, p, &costs, NULL, NULL), EEX_OK, "%s", eex_error());
    eex_cuts_of_trace(&c, t, alone);
    cr_expect_leq(eex_cuts_saved(&c, o.accuracy, o.cost),
                  1 - o.cost / single(accuracy, alone, EXITS, o.accuracy) + 1e-12);
    double below = 0; /* the best single cut that costs no more */
    for (int k = 0; k < EXITS; k++)
        if (alone[k] <= o.cost)
            below = fmax(below, accuracy[k]);
    cr_expect_leq(eex_cuts_gained(&c, o.accuracy, o.cost), o.accuracy - below + 1e-12);
}

Test(cuts, no_network_is_better_than_its_trace_says)
{
    static const double alone[EXITS] = {2, 3, 5, 8, 13, 21};
    eex_calibration how = eex_calibration_default();
    how.kind = EEX_POLICY_CONFIDENCE;
    for (uint64_t i = 0; i < 20; i++) {
        eex_trace *t = NULL;
        eex_policy *p = NULL;
        cr_assert_eq(eex_trace_new(&t, SAMPLES, EXITS, 4), EEX_OK);
        test_trace_fill(t, i);
        cr_assert_eq(eex_calibrate(&p, t, test_head_device(), &how, NULL), EEX_OK, "%s",
                     eex_error());
        cr_assert_eq(eex_trace_score(t, test_head_device(), p->temperature), EEX_OK);
        for (uint64_t k = 0; k < 10; k++)
            check_replay(t, p, alone, 1000 * (i + 1) + 10 * k);
        eex_policy_free(p);
        eex_trace_free(t);
    }
}

/* Some inputs leave at one exit, the others at another, whatever they are: nothing is gained. */
Test(cuts, leaving_by_chance_saves_nothing)
{
    for (uint64_t i = 0; i < CASES; i++) {
        double accuracy[EXITS], cost[EXITS];
        eex_cuts c;
        for (int k = 0; k < EXITS; k++) {
            accuracy[k] = drawn(40 * i + (uint64_t)k);
            cost[k] = k + 1 + drawn(40 * i + 10 + (uint64_t)k);
        }
        const int a = (int)(i % EXITS), b = (int)(i / EXITS % EXITS);
        const double share = drawn(40 * i + 20);
        eex_cuts_of(&c, accuracy, cost, EXITS);
        const double right = share * accuracy[a] + (1 - share) * accuracy[b];
        const double paid = share * cost[a] + (1 - share) * cost[b];
        cr_expect_leq(eex_cuts_saved(&c, right, paid), 1e-12);
        cr_expect_leq(eex_cuts_gained(&c, right, paid), 1e-12);
    }
}
