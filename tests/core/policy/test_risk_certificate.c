/* Which settings a certificate lets pass, on paths laid by hand, and how many samples it takes. */
#include "core/policy/binomial.h"
#include "core/policy/bounded.h"
#include "core/policy/risk_impl.h"
#include "support/risks.h"
#include "support/traces.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>

enum { EXITS = TEST_POPULATION_EXITS };

/* ---- the certificate, on paths laid by hand ---- */

typedef struct bench {
    eex_trace *all, *t;
    eex_policy *p;
    eex__risk_run run;
} bench;

static bench bench_new(void)
{
    const eex_calibration how = test_at_temperature_two(EEX_POLICY_MARGIN);
    bench b = {.all = test_population()};
    b.t = test_population_draw(b.all, 300, 1);
    cr_assert_eq(eex_calibrate(&b.p, b.t, test_head_device(), &how, NULL), EEX_OK);
    cr_assert_eq(eex__risk_run_new(&b.run, b.t, &test_population_costs, EEX_LOSS_ACCURACY), EEX_OK);
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
