#include "core/policy/binomial.h"
#include "core/policy/bounded.h"
#include "core/policy/halves.h"
#include "core/policy/reject.h"
#include "core/policy/replay.h"
#include "core/policy/risk_impl.h"
#include "support/traces.h"

#include "base/rng.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXITS = 3, CLASSES = 4, POPULATION = 6000 };
static const double cost[EXITS] = {30, 60, 110};
static const eex_exit_costs costs = {EXITS, cost, 100};

static eex_trace *population(void)
{
    eex_trace *t;
    cr_assert_eq(eex_trace_new(&t, POPULATION, EXITS, CLASSES), EEX_OK);
    test_trace_fill(t, 21);
    return t;
}

static eex_trace *draw(const eex_trace *from, int samples, uint64_t seed)
{
    uint32_t rows[POPULATION];
    eex_trace *t;
    eex_rng rng;
    eex_rng_seed(&rng, seed, 3);
    for (int i = 0; i < samples; i++)
        rows[i] = (uint32_t)eex_rng_below(&rng, (uint64_t)from->samples);
    cr_assert_eq(eex_trace_take(&t, from, rows, samples), EEX_OK);
    return t;
}

static eex_calibration at_temperature_two(eex_policy_kind kind)
{
    eex_calibration how = eex_calibration_default();
    how.kind = kind;
    how.temperature = 2;
    return how;
}

/* ---- the losses, by their definitions ---- */

static double naive_brier(const eex_trace *t, int k, int i)
{
    const float *z = t->logits + ((size_t)k * (size_t)t->samples + (size_t)i) * CLASSES;
    double sum = 0, score = 0;
    for (int c = 0; c < CLASSES; c++)
        sum += exp((double)z[c] / (double)t->temperature[k]);
    for (int c = 0; c < CLASSES; c++)
        score += pow(exp((double)z[c] / (double)t->temperature[k]) / sum - (t->labels[i] == c), 2);
    return score;
}

static double naive_loss(const eex_trace *t, eex_loss loss, int i, int k, eex_decision how)
{
    const int n = t->samples, top = t->top[k * n + i], end = t->top[(EXITS - 1) * n + i];
    const bool gone = how == EEX_REJECT;
    if (loss == EEX_LOSS_ACCURACY)
        return end == t->labels[i] && (gone || top != t->labels[i]);
    if (loss == EEX_LOSS_DISAGREEMENT)
        return gone || top != end;
    const double here = gone ? 2 : naive_brier(t, k, i);
    return fmax(here - naive_brier(t, EXITS - 1, i), 0);
}

/* What a policy loses on the trace: over all, and by those who leave at each exit. */
typedef struct truth {
    double mean, exit[EXITS];
    int left[EXITS];
} truth;

static truth truth_of(eex_trace *t, const eex_policy *p, eex_loss loss)
{
    static int32_t exit_of[POPULATION];
    static eex_decision how[POPULATION];
    eex_outcome o;
    truth out = {0};
    if (t->temperature[0] != p->temperature[0])
        cr_assert_eq(eex_trace_score(t, test_head_device(), p->temperature), EEX_OK);
    cr_assert_eq(eex_replay(&o, t, p, NULL, exit_of, how), EEX_OK);
    for (int i = 0; i < t->samples; i++) {
        double lost = naive_loss(t, loss, i, exit_of[i], how[i]);
        out.mean += lost / t->samples;
        out.exit[exit_of[i]] += lost;
        out.left[exit_of[i]]++;
    }
    for (int k = 0; k < EXITS; k++)
        out.exit[k] = out.left[k] ? out.exit[k] / out.left[k] : 0;
    return out;
}

Test(losses, are_as_defined)
{
    eex_trace *all = population(), *t = draw(all, 500, 1);
    const eex_calibration how = at_temperature_two(EEX_POLICY_MARGIN);
    eex_policy *p = NULL;
    eex_departures left;
    cr_assert_eq(eex_calibrate(&p, t, test_head_device(), &how, NULL), EEX_OK);
    cr_assert_eq(eex_policy_reject(p, t, &costs, 0.1, EEX_REJECT_BY_SCORE), EEX_OK);
    cr_assert_eq(eex_departures_new(&left, t, p), EEX_OK);
    for (int loss = 0; loss < EEX_LOSSES; loss++) {
        const truth expected = truth_of(t, p, (eex_loss)loss);
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

/* ---- promises, on samples drawn from a population where risks can be counted ---- */

typedef struct promise {
    eex_loss loss;
    eex_risk_method method;
    bool each_exit;
    double epsilon;
} promise;

static const promise promises[] = {
    {EEX_LOSS_ACCURACY, EEX_RISK_LTT, false, 0.06},
    {EEX_LOSS_DISAGREEMENT, EEX_RISK_LTT, false, 0.1},
    {EEX_LOSS_BRIER, EEX_RISK_LTT, false, 0.15},
    {EEX_LOSS_ACCURACY, EEX_RISK_CRC, false, 0.04},
    {EEX_LOSS_DISAGREEMENT, EEX_RISK_CRC, false, 0.08},
    {EEX_LOSS_BRIER, EEX_RISK_CRC, false, 0.08},
    {EEX_LOSS_ACCURACY, EEX_RISK_LTT, true, 0.12},
    {EEX_LOSS_DISAGREEMENT, EEX_RISK_LTT, true, 0.2},
    {EEX_LOSS_BRIER, EEX_RISK_LTT, true, 0.3},
};
enum { PROMISES = sizeof promises / sizeof *promises };

static eex_risk_options options_of(const promise *p)
{
    return (eex_risk_options){.loss = p->loss,
                              .method = p->method,
                              .epsilon = p->epsilon,
                              .delta = 0.2,
                              .each_exit = p->each_exit,
                              .steps = 2};
}

/* The worst of what was promised, in truth. */
static double worst_of(const truth *t, bool each_exit)
{
    double worst = each_exit ? 0 : t->mean;
    for (int k = 0; k < EXITS && each_exit; k++)
        worst = fmax(worst, t->exit[k]);
    return worst;
}

typedef struct drawn {
    int broken, open;
    double sum, squares; /* of what the policies lose in truth */
} drawn;

static void fit_one(drawn *out, eex_trace *all, const promise *p, int samples, int d)
{
    const eex_risk_options o = options_of(p);
    const eex_calibration how = at_temperature_two((eex_policy_kind)(d % EEX_POLICY_KINDS));
    eex_trace *t = draw(all, samples, (uint64_t)d);
    eex_policy *policy = NULL;
    eex_risk facts;
    cr_assert_eq(eex_risk_fit(&policy, &facts, t, test_head_device(), &how, &costs, &o), EEX_OK,
                 "%s", eex_error());
    cr_assert(facts.fitted == samples / 2 && facts.tested == samples / 2 && facts.passed >= 1);
    if (!p->each_exit)
        cr_assert_leq(facts.all.bound, o.epsilon * (1 + 1e-6));
    for (int k = 0; k < EXITS && p->each_exit; k++)
        cr_assert(facts.at[k].samples == 0 || facts.at[k].bound <= o.epsilon * (1 + 1e-6));
    const truth truly = truth_of(all, policy, p->loss);
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
static void check_promise(const promise *p, int draws)
{
    enum { SAMPLES = 300 };
    eex_trace *all = population();
    drawn seen = {0};
    for (int d = 0; d < draws; d++)
        fit_one(&seen, all, p, SAMPLES, d);
    const double delta = options_of(p).delta, mean = seen.sum / draws;
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
        check_promise(&promises[i], 1000);
}

Test(risk, is_kept_on_average)
{
    for (int i = 3; i < 6; i++)
        check_promise(&promises[i], 1000);
}

Test(risk, is_kept_at_each_exit)
{
    for (int i = 6; i < PROMISES; i++)
        check_promise(&promises[i], 1000);
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
    promise p = {EEX_LOSS_ACCURACY, EEX_RISK_LTT, false, 0.05};
    int poor[2] = {0};
    for (int each = 0; each < 2; each++)
        for (int d = 0; d < DRAWS; d++) {
            p.each_exit = each;
            eex_risk_options o = options_of(&p);
            const eex_calibration how = at_temperature_two((eex_policy_kind)(d % EEX_POLICY_KINDS));
            eex_trace *t = draw(all, SAMPLES, (uint64_t)d);
            eex_policy *policy = NULL;
            eex_risk facts;
            o.steps = 0;
            cr_assert_eq(eex_risk_fit(&policy, &facts, t, test_head_device(), &how, &costs, &o),
                         EEX_OK);
            cr_assert(facts.open, "the second exit can be had");
            const truth truly = truth_of(all, policy, p.loss);
            poor[each] += worst_of(&truly, true) > p.epsilon;
            eex_policy_free(policy);
            eex_trace_free(t);
        }
    cr_assert_geq(poor[0], DRAWS / 2, "on average: %d", poor[0]);
    cr_assert_leq(poor[1], DRAWS / 4, "at each exit: %d", poor[1]);
    eex_trace_free(all);
}

/* ---- the certificate, on paths laid by hand ---- */

typedef struct bench {
    eex_trace *all, *t;
    eex_policy *p;
    eex__risk_run run;
} bench;

static bench bench_new(void)
{
    const eex_calibration how = at_temperature_two(EEX_POLICY_MARGIN);
    bench b = {.all = population()};
    b.t = draw(b.all, 300, 1);
    cr_assert_eq(eex_calibrate(&b.p, b.t, test_head_device(), &how, NULL), EEX_OK);
    cr_assert_eq(eex__risk_run_new(&b.run, b.t, &costs, EEX_LOSS_ACCURACY), EEX_OK);
    return b;
}

static void bench_free(bench *b)
{
    eex__risk_run_free(&b->run);
    eex_policy_free(b->p);
    eex_trace_free(b->t);
    eex_trace_free(b->all);
}

/* How many of the settings pass. */
static eex_risk certified(bench *b, double (*a)[EXITS], int settings, const eex_risk_options *o)
{
    const eex__risk_path path = {.exits = EXITS, .count = settings, .a = a[0]};
    eex_risk facts = {0};
    cr_assert_eq(eex__risk_certify(&facts, &b->run, b->p, &path, o), EEX_OK);
    return facts;
}

/* An exit that is open, and that none of the images at hand takes, is no exit that nobody takes. */
Test(certificate, nothing_is_known_of_an_exit_that_nobody_took)
{
    double a[][EXITS] = {
        {INFINITY, INFINITY, INFINITY}, {0.3, INFINITY, INFINITY}, {0.3, 0.9999999, INFINITY}};
    const eex_risk_options o = {.epsilon = 0.5, .delta = 0.1, .each_exit = true};
    bench b = bench_new();
    const eex_risk facts = certified(&b, a, 3, &o);
    cr_assert_eq(facts.passed, 2);
    cr_assert(facts.at[0].samples > 0 && facts.at[1].samples == 0 && b.p->a[1] == INFINITY);
    bench_free(&b);
}

/* What comes behind a failure was never tested, however careful it is. */
Test(certificate, ends_at_the_first_failure)
{
    double a[][EXITS] = {{INFINITY, INFINITY, INFINITY},
                         {0.6, INFINITY, INFINITY},
                         {-INFINITY, INFINITY, INFINITY},
                         {0.59, INFINITY, INFINITY}};
    bench b = bench_new();
    for (int method = 0; method < EEX_RISK_METHODS; method++)
        for (int each = 0; each < 2 - method; each++) {
            const eex_risk_options o = {.method = (eex_risk_method)method,
                                        .epsilon = 0.05,
                                        .delta = 0.1,
                                        .each_exit = each};
            cr_assert_eq(certified(&b, a, 4, &o).passed, 2);
            cr_assert_eq(b.p->a[0], 0.6);
        }
    bench_free(&b);
}

/* Two settings that lose different images: conformal risk control counts both behind the second. */
Test(certificate, conformal_losses_never_fall)
{
    enum { SAMPLES = 300 };
    double a[][EXITS] = {{INFINITY, INFINITY, INFINITY},
                         {-INFINITY, INFINITY, INFINITY},
                         {INFINITY, -INFINITY, INFINITY}};
    bench b = bench_new();
    double worst[SAMPLES] = {0}, largest = 0, both = 0;
    for (int j = 0; j < 3; j++) {
        cr_assert_eq(eex__risk_run_at(&b.run, b.p, a[j]), EEX_OK);
        largest = fmax(largest, b.run.sum);
        for (int i = 0; i < SAMPLES; i++)
            worst[i] = fmax(worst[i], b.run.loss[i]);
    }
    for (int i = 0; i < SAMPLES; i++)
        both += worst[i];
    cr_assert(both > largest + 1 && largest > 0, "%g, %g", both, largest);
    const eex_risk_options enough = {
        .method = EEX_RISK_CRC, .epsilon = (both + 1) / (SAMPLES + 1), .delta = 0.1};
    eex_risk_options less = enough;
    less.epsilon = (largest + 1) / (SAMPLES + 1);
    cr_assert_eq(certified(&b, a, 3, &enough).passed, 3);
    cr_assert_eq(certified(&b, a, 3, &less).passed, 2);
    bench_free(&b);
}

/* ---- how many samples it takes ---- */

Test(risk, samples_needed_are_exact)
{
    static const struct {
        eex_loss loss;
        eex_risk_method method;
        double epsilon, delta, samples;
    } cases[] = {
        {EEX_LOSS_ACCURACY, EEX_RISK_LTT, 0.01, 0.1, 230},
        {EEX_LOSS_ACCURACY, EEX_RISK_LTT, 0.01, 0.05, 299},
        {EEX_LOSS_DISAGREEMENT, EEX_RISK_LTT, 0.5, 0.25, 2}, /* 0.5^2 = 0.25 */
        {EEX_LOSS_BRIER, EEX_RISK_LTT, 0.02, 0.05, 299},
        {EEX_LOSS_BRIER, EEX_RISK_LTT, 1, 0.25, 2},
        {EEX_LOSS_ACCURACY, EEX_RISK_CRC, 0.01, 0.1, 99},
        {EEX_LOSS_DISAGREEMENT, EEX_RISK_CRC, 0.05, 0.1, 19},
        {EEX_LOSS_ACCURACY, EEX_RISK_CRC, 0.001, 0.1, 999},
        {EEX_LOSS_ACCURACY, EEX_RISK_CRC, 0.003, 0.1, 333}, /* 332.3 */
        {EEX_LOSS_BRIER, EEX_RISK_CRC, 0.01, 0.1, 199},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const eex_risk_options o = {.loss = cases[i].loss,
                                    .method = cases[i].method,
                                    .epsilon = cases[i].epsilon,
                                    .delta = cases[i].delta};
        cr_assert_eq(eex_risk_samples(&o), cases[i].samples, "case %zu: %g", i,
                     eex_risk_samples(&o));
    }
}

/* For any epsilon and delta it is the least by which the test passes without a loss. */
Test(risk, one_sample_less_certifies_nothing)
{
    for (double epsilon = 0.003; epsilon < 0.9; epsilon *= 1.37)
        for (double delta = 1e-6; delta < 0.9; delta *= 2.9) {
            const eex_risk_options o = {.epsilon = epsilon, .delta = delta};
            const int n = (int)eex_risk_samples(&o);
            cr_assert_leq(eex_binomial_cdf(0, n, epsilon), delta);
            cr_assert_leq(eex_bounded_p(0, n, epsilon), delta);
            if (n > 1)
                cr_assert_gt(eex_binomial_cdf(0, n - 1, epsilon), delta, "%g %g: %d", epsilon,
                             delta, n);
        }
}

static int fit(eex_policy **out, eex_risk *facts, eex_trace *t, eex_policy_kind kind,
               const eex_risk_options *o)
{
    const eex_calibration how = at_temperature_two(kind);
    return eex_risk_fit(out, facts, t, test_head_device(), &how, &costs, o);
}

/* Refused with a number of images that would do; with so many it is not refused, with one less it
 * is. */
Test(risk, too_few_samples_are_refused_with_the_number)
{
    eex_trace *all = population();
    for (int i = 0; i < PROMISES; i++) {
        eex_risk_options o = options_of(&promises[i]);
        eex_policy *p;
        eex_risk facts;
        char most[64], all_of_them[64];
        o.epsilon = 0.01;
        const int needed = (int)eex_risk_samples(&o), enough = 2 * needed - 1;
        eex_trace *few = draw(all, enough - 1, 1), *exact = draw(all, enough, 1);
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
    eex_trace *all = population(), *t = draw(all, 400, 1);
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
    for (int i = 0; i < PROMISES; i++) {
        eex_risk_options o = options_of(&promises[i]);
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
    eex_trace *all = population(), *t = draw(all, 500, 2);
    for (int i = 0; i < PROMISES; i++) {
        const eex_risk_options o = options_of(&promises[i]);
        const eex_calibration how = {.kind = EEX_POLICY_PER_CLASS, .b = INFINITY, .by_label = true};
        eex_policy *p, *fitted;
        eex_risk facts;
        eex__halves h;
        cr_assert_eq(eex_risk_fit(&p, &facts, t, test_head_device(), &how, &costs, &o), EEX_OK);
        cr_assert_eq(eex__halves_new(&h, t, o.seed, 0x7269736b), EEX_OK);
        cr_assert_eq(eex_calibrate(&fitted, h.fit, test_head_device(), &how, NULL), EEX_OK);
        for (int c = 0; c < EXITS * CLASSES; c++)
            cr_assert(p->mean[c] == fitted->mean[c] && p->dev[c] == fitted->dev[c]);
        for (int k = 0; k < EXITS; k++)
            cr_assert_eq(p->temperature[k], fitted->temperature[k]);
        cr_assert_eq(eex_trace_score(h.test, test_head_device(), p->temperature), EEX_OK);
        const truth certified = truth_of(h.test, p, o.loss);
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

/* A larger epsilon never costs more over all samples: one path, walked farther. */
Test(risk, more_may_be_lost_and_less_is_paid)
{
    eex_trace *all = population(), *t = draw(all, 2000, 5);
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
                cr_assert_eq(eex_replay(&outcome, t, p, &costs, NULL, NULL), EEX_OK);
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
    eex_trace *all = population(), *t = draw(all, 400, 1);
    const float before = t->confidence[7];
    for (int i = 0; i < PROMISES; i++) {
        const eex_risk_options o = options_of(&promises[i]);
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
    eex_trace *all = population(), *t = draw(all, 2000, 1);
    eex_risk_options o = {.epsilon = 0.2, .delta = 0.1, .reject = 0.1};
    eex_policy *p;
    eex_risk facts;
    cr_assert_eq(fit(&p, &facts, t, EEX_POLICY_CONFIDENCE, &o), EEX_OK, "%s", eex_error());
    cr_assert(eex_policy_rejects(p) && facts.open);
    const truth truly = truth_of(all, p, o.loss);
    cr_assert(truly.mean > 0.02 && truly.mean <= 0.2, "%g", truly.mean);
    eex_policy_free(p);
    o.epsilon = 0.01;
    cr_assert_eq(fit(&p, &facts, t, EEX_POLICY_CONFIDENCE, &o), EEX_ENOTFOUND);
    cr_assert(strstr(eex_error(), "Reject fewer"), "%s", eex_error());
    cr_assert_null(p);
    eex_trace_free(t);
    eex_trace_free(all);
}
