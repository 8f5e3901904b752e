#include "core/policy/replay.h"
#include "device/decide.h"
#include "support/traces.h"

#include "base/rng.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static eex_trace *scored(int samples, int exits, int classes, uint64_t seed)
{
    eex_trace *t = NULL;
    float temperature[EEX_MAX_EXITS];
    cr_assert_eq(eex_trace_new(&t, samples, exits, classes), EEX_OK);
    test_trace_fill(t, seed);
    for (int k = 0; k < exits; k++)
        temperature[k] = 2;
    cr_assert_eq(eex_trace_score(t, test_head_device(), temperature), EEX_OK);
    return t;
}

/* Thresholds that accept about a third and reject a few, different for each exit and class. */
static eex_policy *random_policy(const eex_trace *t, eex_rng *rng)
{
    eex_policy *p = NULL;
    eex_policy_kind kind = (eex_policy_kind)eex_rng_below(rng, EEX_POLICY_KINDS);
    cr_assert_eq(eex_policy_new(&p, kind, t->exits, t->classes), EEX_OK);
    for (int i = 0; i < t->exits * t->classes; i++) {
        double high = 0.3 + 0.6 * eex_rng_uniform(rng), low = 0.3 * eex_rng_uniform(rng);
        if (kind == EEX_POLICY_ENTROPY)
            high = -0.2 - eex_rng_uniform(rng), low = -1.3;
        p->high[i] = (float)high;
        p->low[i] = eex_rng_below(rng, 3) ? -INFINITY : (float)low;
    }
    for (int k = 0; k < t->exits; k++)
        p->temperature[k] = t->temperature[k];
    return p;
}

/* ---- by hand ---- */

/* Three exits, four samples: 0 leaves at once, 1 in the middle and wrong, 2 is rejected in the
 * middle, 3 goes to the end. */
static eex_trace *by_hand(eex_policy **policy)
{
    eex_trace *t = NULL;
    cr_assert_eq(eex_trace_new(&t, 4, 3, 2), EEX_OK);
    const int32_t top[] = {1, 0, 0, 0, 1, 0, 1, 1, 1, 1, 1, 0};
    const float confidence[] = {0.9f, 0.6f, 0.5f, 0.7f, 0.9f, 0.8f,
                                0.1f, 0.7f, 0.9f, 0.9f, 0.9f, 0.3f};
    const int32_t labels[] = {1, 1, 1, 0};
    memcpy(t->top, top, sizeof top);
    memcpy(t->confidence, confidence, sizeof confidence);
    memcpy(t->labels, labels, sizeof labels);
    cr_assert_eq(eex_policy_new(policy, EEX_POLICY_CONFIDENCE, 3, 2), EEX_OK);
    for (int k = 0; k < 3; k++) {
        (*policy)->a[k] = 0.8;
        (*policy)->b[k] = 0.2;
    }
    eex_policy_apply(*policy);
    return t;
}

Test(replay, by_hand)
{
    eex_policy *p = NULL;
    eex_trace *t = by_hand(&p);
    const double cost[] = {10, 20, 50};
    const eex_exit_costs costs = {3, cost, 45};
    eex_outcome o;
    int32_t exit_of[4];
    eex_decision how[4];
    cr_assert_eq(eex_replay(&o, t, p, &costs, exit_of, how), EEX_OK, "%s", eex_error());
    const int32_t expected[] = {0, 1, 1, 2};
    cr_assert_arr_eq(exit_of, expected, sizeof expected);
    cr_assert_eq(how[0], EEX_ACCEPT);
    cr_assert_eq(how[1], EEX_ACCEPT);
    cr_assert_eq(how[2], EEX_REJECT);
    cr_assert_eq(how[3], EEX_ACCEPT, "the end accepts below its threshold");
    cr_assert_eq(o.accuracy, 0.5);
    cr_assert_eq(o.cost, 25);
    cr_assert_eq(o.rejected, 0.25);
    cr_assert_eq(o.agreement, 0.5);
    cr_assert_eq(o.share[1], 0.5);
    cr_assert_eq(o.exit_accuracy[0], 1);
    cr_assert_eq(o.exit_accuracy[1], 0);
    cr_assert_eq(o.exit_accuracy[2], 1);
    cr_assert(isnan(o.exit_accuracy[3]) && o.share[3] == 0);
    eex_policy_free(p);
    eex_trace_free(t);
}

Test(replay, the_end_rejects_too)
{
    eex_policy *p = NULL;
    eex_trace *t = by_hand(&p);
    t->confidence[2 * 4 + 3] = 0.1f;
    eex_outcome o;
    eex_decision how[4];
    cr_assert_eq(eex_replay(&o, t, p, NULL, NULL, how), EEX_OK);
    cr_assert_eq(how[3], EEX_REJECT);
    cr_assert_eq(o.rejected, 0.5);
    cr_assert_eq(o.accuracy, 0.25);
    cr_assert(isnan(o.cost));
    eex_policy_free(p);
    eex_trace_free(t);
}

Test(replay, traces_and_policies_that_do_not_fit_are_refused)
{
    eex_policy *p = NULL;
    eex_trace *t = by_hand(&p);
    const double cost[] = {1, 2};
    const eex_exit_costs costs = {2, cost, 2};
    eex_outcome o;
    cr_assert_eq(eex_replay(&o, t, p, &costs, NULL, NULL), EEX_EINVAL);
    p->temperature[1] = 5;
    cr_assert_eq(eex_replay(&o, t, p, NULL, NULL, NULL), EEX_EINVAL);
    cr_assert(strstr(eex_error(), "temperature"), "%s", eex_error());
    eex_policy_free(p);
    cr_assert_eq(eex_policy_new(&p, EEX_POLICY_CONFIDENCE, 2, 2), EEX_OK);
    cr_assert_eq(eex_replay(&o, t, p, NULL, NULL, NULL), EEX_EINVAL);
    eex_replayer *r = NULL;
    cr_assert_eq(eex_replayer_new(&r, t, p), EEX_EINVAL);
    cr_assert_null(r);
    eex_policy_free(p);
    eex_trace_free(t);
}

/* ---- the replayer against plain replay, whatever the structure ---- */

static void assert_outcomes(const eex_outcome *a, const eex_outcome *b, int exits)
{
    cr_assert_eq(a->accuracy, b->accuracy);
    cr_assert_eq(a->cost, b->cost);
    cr_assert_eq(a->rejected, b->rejected);
    cr_assert_eq(a->agreement, b->agreement);
    for (int k = 0; k < exits; k++) {
        cr_assert_eq(a->share[k], b->share[k]);
        cr_assert(a->exit_accuracy[k] == b->exit_accuracy[k] ||
                  (isnan(a->exit_accuracy[k]) && isnan(b->exit_accuracy[k])));
    }
}

static int random_columns(int *columns, int exits, eex_rng *rng)
{
    int count = 0;
    for (int k = 0; k < exits - 1; k++)
        if (eex_rng_below(rng, 2))
            columns[count++] = k;
    columns[count++] = exits - 1;
    return count;
}

/* The plain way: the sub-trace and the sub-policy of those columns. */
static void replay_subset(eex_outcome *out, const eex_trace *t, const eex_policy *p,
                          const int *columns, int count, const double *cost)
{
    eex_trace *st = NULL;
    eex_policy *sp = NULL;
    const eex_exit_costs costs = {count, cost, cost[count - 1]};
    cr_assert_eq(eex_trace_select(&st, t, columns, count), EEX_OK);
    cr_assert_eq(eex_policy_select(&sp, p, columns, count), EEX_OK);
    cr_assert_eq(eex_replay(out, st, sp, &costs, NULL, NULL), EEX_OK, "%s", eex_error());
    eex_trace_free(st);
    eex_policy_free(sp);
}

Test(replay, replayer_equals_replay_of_the_subset)
{
    eex_rng rng;
    eex_rng_seed(&rng, 77, 0);
    const int samples[] = {1, 63, 64, 65, 300};
    for (int round = 0; round < 100; round++) {
        int exits = 1 + (int)eex_rng_below(&rng, 12), columns[EEX_MAX_EXITS];
        eex_trace *t = scored(samples[round % 5], exits, 4, (uint64_t)round);
        eex_policy *p = random_policy(t, &rng);
        eex_replayer *r = NULL;
        cr_assert_eq(eex_replayer_new(&r, t, p), EEX_OK, "%s", eex_error());
        for (int s = 0; s < 10; s++) {
            double cost[EEX_MAX_EXITS];
            eex_outcome fast, plain;
            int count = random_columns(columns, exits, &rng);
            for (int k = 0; k < count; k++)
                cost[k] = 10 * k + eex_rng_uniform(&rng);
            eex_replayer_run(&fast, r, columns, count, cost);
            replay_subset(&plain, t, p, columns, count, cost);
            assert_outcomes(&fast, &plain, count);
        }
        eex_replayer_free(r);
        eex_policy_free(p);
        eex_trace_free(t);
    }
}

/* Points of a tuner: thresholds as levels on another trace than the one they were chosen on. */
Test(replay, tuned_points_replay_as_the_policy_they_stand_for)
{
    eex_rng rng;
    eex_rng_seed(&rng, 78, 0);
    for (int round = 0; round < 12; round++) {
        int exits = 2 + (int)eex_rng_below(&rng, 8);
        eex_trace *cal = scored(400, exits, 4, 100), *val = scored(333, exits, 4, 200);
        eex_calibration how = {
            .kind = (eex_policy_kind)(round % EEX_POLICY_KINDS), .temperature = 2, .b = INFINITY};
        if (round % 3 == 0)
            how.b = how.kind == EEX_POLICY_PER_CLASS ? 1
                    : how.kind == EEX_POLICY_ENTROPY ? -1.2
                                                     : 0.3;
        eex_policy *p = NULL;
        eex_tuner *tuner = NULL;
        eex_replayer *r = NULL;
        cr_assert_eq(eex_calibrate(&p, cal, test_head_device(), &how, NULL), EEX_OK);
        cr_assert_eq(eex_tuner_new(&tuner, cal, p, NULL), EEX_OK);
        cr_assert_eq(eex_replayer_new_tuned(&r, val, p, tuner), EEX_OK);
        for (int s = 0; s < 10; s++) {
            int columns[EEX_MAX_EXITS], count = random_columns(columns, exits, &rng);
            double cost[EEX_MAX_EXITS];
            for (int k = 0; k < count; k++)
                cost[k] = 5 + columns[k] + 0.25 * k;
            const eex_goal goal = {EEX_TUNE_WEIGHTED, 0.1 + eex_rng_uniform(&rng), cost[count - 1]};
            eex_operating_point point;
            eex_outcome fast, plain, told;
            eex_tuner_run(&point, tuner, columns, count, cost, &goal, EEX_EFFORT_QUICK);
            eex_replayer_run_point(&fast, r, columns, &point, cost);
            for (int k = 0; k < count; k++)
                p->a[columns[k]] = point.a[k];
            eex_policy_apply(p);
            replay_subset(&plain, val, p, columns, count, cost);
            assert_outcomes(&fast, &plain, count);
            replay_subset(&told, cal, p, columns, count, cost);
            cr_assert_eq(told.accuracy, point.accuracy);
            cr_assert_float_eq(told.cost, point.cost, 1e-9);
        }
        eex_replayer_free(r);
        eex_tuner_free(tuner);
        eex_policy_free(p);
        eex_trace_free(cal);
        eex_trace_free(val);
    }
}
