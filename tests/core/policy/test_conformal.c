#include "core/policy/binomial.h"
#include "core/policy/conformal.h"
#include "core/policy/reject.h"
#include "core/policy/replay.h"
#include "support/population.h"
#include "support/traces.h"

#include "base/rng.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- the test alone, where risks are known ---- */

enum { SETTINGS = 12 };

/* One draw of calibration samples: setting j is bad for those below its risk, as nested policies
 * are. Says the risk of the setting that is taken; 0 when none passes. */
static double taken_risk(eex_rng *rng, const double *risk, int n, double epsilon, double delta)
{
    int bad[SETTINGS] = {0};
    for (int i = 0; i < n; i++) {
        double u = eex_rng_uniform(rng);
        for (int j = 0; j < SETTINGS; j++)
            bad[j] += u < risk[j];
    }
    int passed = eex_conformal_test(bad, SETTINGS, n, epsilon, delta);
    return passed > 0 ? risk[passed - 1] : 0;
}

/* In 10,000 draws the promise may be broken delta of the time; the worst case has a setting just
 * above epsilon behind safe ones. */
Test(conformal, breaks_its_promise_no_more_often_than_delta)
{
    enum { DRAWS = 10000, SAMPLES = 400 };
    const double epsilon = 0.05, deltas[] = {0.2, 0.05};
    double risk[SETTINGS];
    for (int j = 0; j < SETTINGS; j++)
        risk[j] = j < 4 ? 0.005 * j : epsilon + 1e-9 + 0.004 * (j - 4);
    for (int d = 0; d < 2; d++) {
        int broken = 0;
        eex_rng rng;
        eex_rng_seed(&rng, 1, (uint64_t)d);
        for (int i = 0; i < DRAWS; i++)
            broken += taken_risk(&rng, risk, SAMPLES, epsilon, deltas[d]) > epsilon;
        /* The exact test is at most delta; more than 4 deviations above is a mistake. */
        double most = DRAWS * deltas[d] + 4 * sqrt(DRAWS * deltas[d] * (1 - deltas[d]));
        cr_assert_leq(broken, most, "%d of %d broken, delta %g", broken, DRAWS, deltas[d]);
        cr_assert_geq(broken, DRAWS * deltas[d] / 3, "only %d broken: the bound is vacuous",
                      broken);
    }
}

/* Settings well within epsilon are not held back. */
Test(conformal, is_not_vacuous)
{
    enum { DRAWS = 2000, SAMPLES = 1000 };
    double risk[SETTINGS], sum = 0;
    eex_rng rng;
    for (int j = 0; j < SETTINGS; j++)
        risk[j] = 0.005 * j;
    eex_rng_seed(&rng, 2, 0);
    for (int i = 0; i < DRAWS; i++)
        sum += taken_risk(&rng, risk, SAMPLES, 0.05, 0.05);
    cr_assert_geq(sum / DRAWS, 0.03, "%g of 0.05 is used", sum / DRAWS);
}

Test(conformal, test_stops_at_the_first_failure)
{
    const int bad[] = {0, 1, 90, 2, 2};
    cr_assert_eq(eex_conformal_test(bad, 5, 100, 0.2, 0.05), 2);
    cr_assert_eq(eex_conformal_test(bad, 5, 100, 1e-6, 0.05), 0);
}

/* ---- the whole procedure on traces from a population ---- */

enum {
    EXITS = TEST_POPULATION_EXITS,
    CLASSES = TEST_POPULATION_CLASSES,
    POPULATION = TEST_POPULATION
};

/* The fraction of the trace that is right at the end and wrong or rejected under the policy. */
static double risk_of(eex_trace *t, const eex_policy *p)
{
    int32_t exit_of[POPULATION];
    eex_decision how[POPULATION];
    eex_outcome o;
    int bad = 0, n = t->samples;
    cr_assert_eq(eex_trace_score(t, test_head_device(), p->temperature), EEX_OK);
    cr_assert_eq(eex_replay(&o, t, p, NULL, exit_of, how), EEX_OK);
    for (int i = 0; i < n; i++) {
        bool right = how[i] == EEX_ACCEPT && t->top[exit_of[i] * n + i] == t->labels[i];
        bad += t->top[(EXITS - 1) * n + i] == t->labels[i] && !right;
    }
    return (double)bad / n;
}

/* Samples drawn from a population whose risk can be counted: the share of broken promises. */
Test(conformal, holds_for_whole_policies)
{
    enum { DRAWS = 300, SAMPLES = 300 };
    const eex_conformal_options o = {.epsilon = 0.06, .delta = 0.2, .steps = 4};
    eex_trace *all = test_population();
    int broken = 0;
    double used = 0;
    for (int d = 0; d < DRAWS; d++) {
        const eex_calibration how =
            test_at_temperature_two((eex_policy_kind)(d % EEX_POLICY_KINDS));
        eex_trace *t = test_population_draw(all, SAMPLES, (uint64_t)d);
        eex_policy *p = NULL;
        eex_conformal facts;
        cr_assert_eq(
            eex_conformal_fit(&p, &facts, t, test_head_device(), &how, &test_population_costs, &o),
            EEX_OK, "%s", eex_error());
        cr_assert(facts.fitted == 150 && facts.tested == 150 && facts.passed >= 1);
        cr_assert_leq(facts.bound, o.epsilon + 1e-12);
        double risk = risk_of(all, p);
        broken += risk > o.epsilon;
        used += risk;
        eex_policy_free(p);
        eex_trace_free(t);
    }
    double most = DRAWS * o.delta + 4 * sqrt(DRAWS * o.delta * (1 - o.delta));
    cr_assert_leq(broken, most, "%d of %d broken", broken, DRAWS);
    cr_assert_geq(used / DRAWS, 0.01, "%g of %g is used", used / DRAWS, o.epsilon);
    eex_trace_free(all);
}

/* What is promised must not depend on the half that tests it: other test samples, same settings. */
Test(conformal, same_seed_same_policy_and_the_trace_stays)
{
    const eex_conformal_options o = {.epsilon = 0.1, .delta = 0.1, .seed = 4, .reject = 0.05};
    const eex_calibration how = test_at_temperature_two(EEX_POLICY_ENTROPY);
    eex_trace *all = test_population(), *t = test_population_draw(all, 400, 1);
    eex_policy *a, *b;
    eex_conformal x, y;
    float before = t->confidence[7];
    cr_assert_eq(eex_conformal_fit(&a, &x, t, test_head_device(), &how, &test_population_costs, &o),
                 EEX_OK);
    cr_assert_eq(eex_conformal_fit(&b, &y, t, test_head_device(), &how, &test_population_costs, &o),
                 EEX_OK);
    cr_assert_eq(memcmp(&x, &y, sizeof x), 0);
    cr_assert_eq(memcmp(a->high, b->high, EXITS * CLASSES * sizeof *a->high), 0);
    cr_assert_eq(t->confidence[7], before);
    cr_assert(eex_policy_rejects(a));
    eex_policy_free(a);
    eex_policy_free(b);
    eex_trace_free(t);
    eex_trace_free(all);
}

Test(conformal, refuses_what_nobody_can_promise)
{
    const eex_calibration how = test_at_temperature_two(EEX_POLICY_MARGIN);
    eex_conformal_options o = {.epsilon = 0.001, .delta = 0.05};
    eex_trace *all = test_population(), *t = test_population_draw(all, 200, 1);
    eex_policy *p;
    eex_conformal facts;
    char bound[32];
    int code =
        eex_conformal_fit(&p, &facts, t, test_head_device(), &how, &test_population_costs, &o);
    cr_assert_eq(code, EEX_ENOTFOUND);
    cr_assert_null(p);
    snprintf(bound, sizeof bound, "%.4f", eex_binomial_upper(0, 100, 0.05));
    cr_assert(strstr(eex_error(), bound), "%s", eex_error());
    o.epsilon = eex_binomial_upper(0, 100, 0.05) + 1e-9; /* and that does */
    cr_assert_eq(
        eex_conformal_fit(&p, &facts, t, test_head_device(), &how, &test_population_costs, &o),
        EEX_OK);
    eex_policy_free(p);
    o.epsilon = 1;
    cr_assert_eq(
        eex_conformal_fit(&p, &facts, t, test_head_device(), &how, &test_population_costs, &o),
        EEX_EINVAL);
    eex_trace_free(t);
    eex_trace_free(all);
}
