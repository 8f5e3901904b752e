/* Losses by their definitions, and promises of risk on samples from a population that is known. */
#include "core/policy/reject.h"
#include "core/policy/replay.h"
#include "support/risks.h"
#include "support/traces.h"

#include "base/rng.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>

enum {
    EXITS = TEST_POPULATION_EXITS,
    CLASSES = TEST_POPULATION_CLASSES,
    POPULATION = TEST_POPULATION
};

Test(losses, are_as_defined)
{
    eex_trace *all = test_population(), *t = test_population_draw(all, 500, 1);
    const eex_calibration how = test_at_temperature_two(EEX_POLICY_MARGIN);
    eex_policy *p = NULL;
    eex_departures left;
    cr_assert_eq(eex_calibrate(&p, t, test_head_device(), &how, NULL), EEX_OK);
    cr_assert_eq(eex_policy_reject(p, t, &test_population_costs, 0.1, EEX_REJECT_BY_SCORE), EEX_OK);
    cr_assert_eq(eex_departures_new(&left, t, p), EEX_OK);
    for (int loss = 0; loss < EEX_LOSSES; loss++) {
        const test_truth expected = test_truth_of(t, p, (eex_loss)loss);
        eex_loss_report r;
        cr_assert_eq(eex_loss_measure(&r, t, &left, (eex_loss)loss, NULL), EEX_OK);
        cr_assert_float_eq(r.mean.value, expected.mean, 1e-9);
        cr_assert(r.mean.low < expected.mean && expected.mean < r.mean.high);
        for (int k = 0; k < EXITS; k++) {
            cr_assert_eq(r.left[k], expected.left[k]);
            if (r.left[k])
                cr_assert_float_eq(r.exit_mean[k], expected.exit[k], 1e-9);
        }
        cr_assert_leq(r.mean.high, eex_loss_most((eex_loss)loss));
    }
    eex_departures_free(&left);
    eex_policy_free(p);
    eex_trace_free(t);
    eex_trace_free(all);
}

/* ---- promises ---- */

/* The worst of what was promised, in truth. */
static double worst_of(const test_truth *t, bool each_exit)
{
    double worst = each_exit ? 0 : t->mean;
    for (int k = 0; k < EXITS && each_exit; k++)
        worst = fmax(worst, t->exit[k]);
    return worst;
}

typedef struct drawn {
    int broken, open;
    double sum, squares; /* of what the policies lose in test_truth */
} drawn;

static void fit_one(drawn *out, eex_trace *all, const test_promise *p, int samples, int d)
{
    const eex_risk_options o = test_promise_options(p);
    const eex_calibration how = test_at_temperature_two((eex_policy_kind)(d % EEX_POLICY_KINDS));
    eex_trace *t = test_population_draw(all, samples, (uint64_t)d);
    eex_policy *policy = NULL;
    eex_risk facts;
    cr_assert_eq(
        eex_risk_fit(&policy, &facts, t, test_head_device(), &how, &test_population_costs, &o),
        EEX_OK, "%s", eex_error());
    cr_assert(facts.fitted == samples / 2 && facts.tested == samples / 2 && facts.passed >= 1);
    if (!p->each_exit)
        cr_assert_leq(facts.all.bound, o.epsilon * (1 + 1e-6));
    for (int k = 0; k < EXITS && p->each_exit; k++)
        cr_assert(facts.at[k].samples == 0 || facts.at[k].bound <= o.epsilon * (1 + 1e-6));
    const test_truth truly = test_truth_of(all, policy, p->loss);
    const double worst = worst_of(&truly, p->each_exit);
    out->broken += worst > o.epsilon;
    out->open += facts.open;
    out->sum += truly.mean;
    out->squares += truly.mean * truly.mean;
    eex_policy_free(policy);
    eex_trace_free(t);
}

/* What learn then test says is wrong no more often than delta; what conformal risk control says is
 * right on average. Neither is so by never promising anything. */
static void check_promise(const test_promise *p, int draws)
{
    enum { SAMPLES = 300 };
    eex_trace *all = test_population();
    drawn seen = {0};
    for (int d = 0; d < draws; d++)
        fit_one(&seen, all, p, SAMPLES, d);
    const double delta = test_promise_options(p).delta, mean = seen.sum / draws;
    const double noise = sqrt((seen.squares / draws - mean * mean) / draws);
    const char *what = eex_loss_name(p->loss);
    if (p->method == EEX_RISK_LTT)
        cr_assert_leq(seen.broken, draws * delta + 4 * sqrt(draws * delta * (1 - delta)),
                      "%s: %d of %d broken", what, seen.broken, draws);
    else
        cr_assert_leq(mean, p->epsilon + 4 * noise, "%s: %g of %g on average", what, mean,
                      p->epsilon);
    cr_assert_geq(seen.open, draws / 2, "%s: only %d of %d let anybody leave", what, seen.open,
                  draws);
    cr_assert_geq(mean, p->epsilon / 4, "%s: %g of %g is used", what, mean, p->epsilon);
    eex_trace_free(all);
}

Test(risk, is_broken_no_more_often_than_delta)
{
    for (int i = 0; i < 3; i++)
        check_promise(&test_promises[i], 1000);
}

Test(risk, is_kept_on_average)
{
    for (int i = 3; i < 6; i++)
        check_promise(&test_promises[i], 1000);
}

Test(risk, is_kept_at_each_exit)
{
    for (int i = 6; i < TEST_PROMISES; i++)
        check_promise(&test_promises[i], 1000);
}

/* A first exit that is sure of few and wrong about many of them, a second that is hardly ever
 * wrong. */
static eex_trace *misleading(void)
{
    eex_trace *t;
    eex_rng rng;
    eex_rng_seed(&rng, 9, 0);
    cr_assert_eq(eex_trace_new(&t, POPULATION, EXITS, CLASSES), EEX_OK);
    for (int i = 0; i < POPULATION; i++) {
        t->labels[i] = (int32_t)eex_rng_below(&rng, CLASSES);
        const bool sure = eex_rng_uniform(&rng) < 0.06;
        const bool wrong = eex_rng_uniform(&rng) < (sure ? 0.35 : 0.6);
        for (int k = 0; k < EXITS; k++) {
            const int says = (t->labels[i] + (k == 0 && wrong)) % CLASSES;
            float *z = t->logits + (k * POPULATION + i) * CLASSES;
            z[says] = (float)((k == 0 ? (sure ? 9 : 1) : 6) + eex_rng_uniform(&rng));
        }
    }
    return t;
}

/* What is kept on average is poor for those who leave first, unless it is asked for at each exit.
 */
Test(risk, on_average_is_not_at_each_exit)
{
    enum { DRAWS = 60, SAMPLES = 1200 };
    eex_trace *all = misleading();
    test_promise p = {EEX_LOSS_ACCURACY, EEX_RISK_LTT, false, 0.05};
    int poor[2] = {0};
    for (int each = 0; each < 2; each++)
        for (int d = 0; d < DRAWS; d++) {
            p.each_exit = each;
            eex_risk_options o = test_promise_options(&p);
            const eex_calibration how =
                test_at_temperature_two((eex_policy_kind)(d % EEX_POLICY_KINDS));
            eex_trace *t = test_population_draw(all, SAMPLES, (uint64_t)d);
            eex_policy *policy = NULL;
            eex_risk facts;
            o.steps = 0;
            cr_assert_eq(eex_risk_fit(&policy, &facts, t, test_head_device(), &how,
                                      &test_population_costs, &o),
                         EEX_OK);
            cr_assert(facts.open, "the second exit can be had");
            const test_truth truly = test_truth_of(all, policy, p.loss);
            poor[each] += worst_of(&truly, true) > p.epsilon;
            eex_policy_free(policy);
            eex_trace_free(t);
        }
    cr_assert_geq(poor[0], DRAWS / 2, "on average: %d", poor[0]);
    cr_assert_leq(poor[1], DRAWS / 4, "at each exit: %d", poor[1]);
    eex_trace_free(all);
}
