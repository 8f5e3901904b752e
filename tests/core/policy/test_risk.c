/* Risk control: what is refused, and what a policy is made of. */
#include "core/policy/halves.h"
#include "core/policy/reject.h"
#include "core/policy/replay.h"
#include "support/risks.h"
#include "support/traces.h"

#include "base/rng.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { EXITS = TEST_POPULATION_EXITS, CLASSES = TEST_POPULATION_CLASSES };

static int fit(eex_policy **out, eex_risk *facts, eex_trace *t, eex_policy_kind kind,
               const eex_risk_options *o)
{
    const eex_calibration how = test_at_temperature_two(kind);
    return eex_risk_fit(out, facts, t, test_head_device(), &how, &test_population_costs, o);
}

/* Refused with a number of images that would do; with so many it is not refused, with one less it
 * is. */
Test(risk, too_few_samples_are_refused_with_the_number)
{
    eex_trace *all = test_population();
    for (int i = 0; i < TEST_PROMISES; i++) {
        eex_risk_options o = test_promise_options(&test_promises[i]);
        eex_policy *p;
        eex_risk facts;
        char most[64], all_of_them[64];
        o.epsilon = 0.01;
        const int needed = (int)eex_risk_samples(&o), enough = 2 * needed - 1;
        eex_trace *few = test_population_draw(all, enough - 1, 1),
                  *exact = test_population_draw(all, enough, 1);
        cr_assert_eq(fit(&p, &facts, few, EEX_POLICY_PER_CLASS, &o), EEX_EINVAL);
        cr_assert_null(p);
        snprintf(most, sizeof most, "at least %d others", needed);
        snprintf(all_of_them, sizeof all_of_them, " %d calibration images would do", enough);
        cr_assert(strstr(eex_error(), most) && strstr(eex_error(), all_of_them), "%s", eex_error());
        const char *least = strstr(eex_error(), "or an epsilon of ");
        cr_assert_not_null(least);
        o.epsilon = strtod(least + strlen("or an epsilon of "), NULL);
        cr_assert_eq(fit(&p, &facts, few, EEX_POLICY_PER_CLASS, &o), EEX_OK, "%s", eex_error());
        eex_policy_free(p);
        o.epsilon = 0.01;
        cr_assert_eq(fit(&p, &facts, exact, EEX_POLICY_PER_CLASS, &o), EEX_OK, "%s", eex_error());
        cr_assert_eq(facts.tested, needed);
        eex_policy_free(p);
        eex_trace_free(few);
        eex_trace_free(exact);
    }
    eex_trace_free(all);
}

Test(risk, nonsense_is_refused)
{
    static const eex_risk_options wrong[] = {
        {.epsilon = 0, .delta = 0.1},
        {.epsilon = 1, .delta = 0.1},
        {.epsilon = NAN, .delta = 0.1},
        {.epsilon = 0.1, .delta = 0},
        {.epsilon = 0.1, .delta = 1},
        {.epsilon = 2, .delta = 0.1, .loss = EEX_LOSS_BRIER},
        {.epsilon = 0.1, .delta = 0.1, .loss = EEX_LOSSES},
        {.epsilon = 0.1, .delta = 0.1, .method = EEX_RISK_METHODS},
        {.epsilon = 0.1, .delta = 0.1, .method = EEX_RISK_CRC, .each_exit = true},
        {.epsilon = 0.1, .delta = 0.1, .reject = 0.1, .each_exit = true},
    };
    eex_trace *all = test_population(), *t = test_population_draw(all, 400, 1);
    eex_policy *p;
    eex_risk facts;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cr_assert_eq(fit(&p, &facts, t, EEX_POLICY_MARGIN, &wrong[i]), EEX_EINVAL, "case %zu", i);
        cr_assert_null(p);
    }
    eex_trace_free(t);
    eex_trace_free(all);
}

/* ---- what a policy is made of ---- */

/* No exit is worth anything: that all run to the end is an answer, and loses nothing. */
Test(risk, nothing_but_the_end_is_an_answer)
{
    eex_trace *t;
    eex_rng rng;
    eex_rng_seed(&rng, 4, 0);
    cr_assert_eq(eex_trace_new(&t, 2000, EXITS, CLASSES), EEX_OK);
    for (int i = 0; i < 2000; i++)
        for (int k = 0; k < EXITS; k++) {
            float *z = t->logits + (k * 2000 + i) * CLASSES;
            t->labels[i] = i % CLASSES;
            for (int c = 0; c < CLASSES; c++)
                z[c] = (float)eex_rng_normal(&rng);
            if (k == EXITS - 1)
                z[i % CLASSES] += 20;
        }
    for (int i = 0; i < TEST_PROMISES; i++) {
        eex_risk_options o = test_promise_options(&test_promises[i]);
        eex_policy *p;
        eex_risk facts;
        o.epsilon = 0.004;
        for (int kind = 0; kind < EEX_POLICY_KINDS; kind++) {
            cr_assert_eq(fit(&p, &facts, t, (eex_policy_kind)kind, &o), EEX_OK, "%s", eex_error());
            cr_assert(!facts.open && facts.passed >= 1 && isnan(facts.lambda));
            cr_assert(facts.all.mean == 0 && facts.at[EXITS - 1].samples == 1000);
            for (int k = 0; k + 1 < EXITS; k++)
                cr_assert_eq(p->a[k], INFINITY);
            eex_policy_free(p);
        }
    }
    eex_trace_free(t);
}

/* The images that certify are not those that anything was fitted on. */
Test(risk, policies_are_fitted_on_the_other_half)
{
    eex_trace *all = test_population(), *t = test_population_draw(all, 500, 2);
    for (int i = 0; i < TEST_PROMISES; i++) {
        const eex_risk_options o = test_promise_options(&test_promises[i]);
        const eex_calibration how = {.kind = EEX_POLICY_PER_CLASS, .b = INFINITY, .by_label = true};
        eex_policy *p, *fitted;
        eex_risk facts;
        eex__halves h;
        cr_assert_eq(
            eex_risk_fit(&p, &facts, t, test_head_device(), &how, &test_population_costs, &o),
            EEX_OK);
        cr_assert_eq(eex__halves_new(&h, t, o.seed, 0x7269736b), EEX_OK);
        cr_assert_eq(eex_calibrate(&fitted, h.fit, test_head_device(), &how, NULL), EEX_OK);
        for (int c = 0; c < EXITS * CLASSES; c++)
            cr_assert(p->mean[c] == fitted->mean[c] && p->dev[c] == fitted->dev[c]);
        for (int k = 0; k < EXITS; k++)
            cr_assert_eq(p->temperature[k], fitted->temperature[k]);
        cr_assert_eq(eex_trace_score(h.test, test_head_device(), p->temperature), EEX_OK);
        const test_truth certified = test_truth_of(h.test, p, o.loss);
        cr_assert_float_eq(facts.all.mean, certified.mean, 1e-9);
        for (int k = 0; k < EXITS; k++)
            cr_assert_eq(facts.at[k].samples, certified.left[k]);
        eex_policy_free(p);
        eex_policy_free(fitted);
        eex__halves_free(&h);
    }
    eex_trace_free(t);
    eex_trace_free(all);
}

/* A larger epsilon never test_population_costs more over all samples: one path, walked farther. */
Test(risk, more_may_be_lost_and_less_is_paid)
{
    eex_trace *all = test_population(), *t = test_population_draw(all, 2000, 5);
    for (int kind = 0; kind < EEX_POLICY_KINDS; kind++)
        for (int method = 0; method < EEX_RISK_METHODS; method++) {
            double last = INFINITY;
            for (double epsilon = 0.004; epsilon < 0.2; epsilon *= 2.5) {
                const eex_risk_options o = {
                    .method = (eex_risk_method)method, .epsilon = epsilon, .delta = 0.1};
                eex_policy *p;
                eex_risk facts;
                eex_outcome outcome;
                cr_assert_eq(fit(&p, &facts, t, (eex_policy_kind)kind, &o), EEX_OK);
                cr_assert_eq(eex_trace_score(t, test_head_device(), p->temperature), EEX_OK);
                cr_assert_eq(eex_replay(&outcome, t, p, &test_population_costs, NULL, NULL),
                             EEX_OK);
                cr_assert_leq(outcome.cost, last * 1.02, "%d %d %g: %g after %g", kind, method,
                              epsilon, outcome.cost, last);
                last = outcome.cost;
                eex_policy_free(p);
            }
            cr_assert_lt(last, 60, "most leave early");
        }
    eex_trace_free(t);
    eex_trace_free(all);
}

Test(risk, same_seed_same_policy_and_the_trace_stays)
{
    eex_trace *all = test_population(), *t = test_population_draw(all, 400, 1);
    const float before = t->confidence[7];
    for (int i = 0; i < TEST_PROMISES; i++) {
        const eex_risk_options o = test_promise_options(&test_promises[i]);
        eex_policy *a, *b;
        eex_risk x, y;
        cr_assert_eq(fit(&a, &x, t, EEX_POLICY_PER_CLASS, &o), EEX_OK);
        cr_assert_eq(fit(&b, &y, t, EEX_POLICY_PER_CLASS, &o), EEX_OK);
        cr_assert(x.passed == y.passed && x.all.mean == y.all.mean);
        for (int c = 0; c < EXITS * CLASSES; c++)
            cr_assert_eq(a->high[c], b->high[c]);
        eex_policy_free(a);
        eex_policy_free(b);
    }
    cr_assert_eq(t->confidence[7], before);
    eex_trace_free(t);
    eex_trace_free(all);
}

/* Whoever is rejected has lost: that counts, and may be too much by itself. */
Test(risk, rejection_counts)
{
    eex_trace *all = test_population(), *t = test_population_draw(all, 2000, 1);
    eex_risk_options o = {.epsilon = 0.2, .delta = 0.1, .reject = 0.1};
    eex_policy *p;
    eex_risk facts;
    cr_assert_eq(fit(&p, &facts, t, EEX_POLICY_CONFIDENCE, &o), EEX_OK, "%s", eex_error());
    cr_assert(eex_policy_rejects(p) && facts.open);
    const test_truth truly = test_truth_of(all, p, o.loss);
    cr_assert(truly.mean > 0.02 && truly.mean <= 0.2, "%g", truly.mean);
    eex_policy_free(p);
    o.epsilon = 0.01;
    cr_assert_eq(fit(&p, &facts, t, EEX_POLICY_CONFIDENCE, &o), EEX_ENOTFOUND);
    cr_assert(strstr(eex_error(), "Reject fewer"), "%s", eex_error());
    cr_assert_null(p);
    eex_trace_free(t);
    eex_trace_free(all);
}
