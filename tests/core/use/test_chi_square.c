/* The tail of chi-square against SciPy, and the G-test against SciPy and by simulation. */
#include "core/use/chi_square.h"
#include "core/use/chi_square_scipy.h"

#include "base/rng.h"

#include <criterion/criterion.h>
#include <math.h>

enum { GAMMA = sizeof gamma_scipy / sizeof *gamma_scipy, G = sizeof g_scipy / sizeof *g_scipy };

Test(chi_square, gamma_is_scipys)
{
    for (int i = 0; i < GAMMA; i++) {
        const double q = eex_gamma_upper(gamma_scipy[i].a, gamma_scipy[i].x);
        cr_expect(fabs(q - gamma_scipy[i].q) <= 2e-12 * gamma_scipy[i].q, "Q(%g, %g): %g, not %g",
                  gamma_scipy[i].a, gamma_scipy[i].x, q, gamma_scipy[i].q);
    }
}

Test(chi_square, gamma_at_its_ends)
{
    cr_expect_eq(eex_gamma_upper(2, 0), 1);
    cr_expect_eq(eex_gamma_upper(2, INFINITY), 0);
    cr_expect(isnan(eex_gamma_upper(0, 1)) && isnan(eex_gamma_upper(-1, 1)) &&
              isnan(eex_gamma_upper(1, -1)) && isnan(eex_gamma_upper(NAN, 1)) &&
              isnan(eex_gamma_upper(1, NAN)));
    cr_expect_float_eq(eex_chi_square_tail(3.841458820694124, 1), 0.05, 1e-12);
}

/* Williams' correction as the 2 x 2 table has it in the books: (n/r1 + n/r2 - 1)(n/c1 + n/c2 - 1).
 */
static double williams(const double *a, const double *b, int n)
{
    double ra = 0, rb = 0, inverse = 0;
    for (int i = 0; i < n; i++) {
        ra += a[i];
        rb += b[i];
    }
    for (int i = 0; i < n; i++)
        inverse += 1 / (a[i] + b[i]);
    const double all = ra + rb;
    return 1 + (all / ra + all / rb - 1) * (all * inverse - 1) / (6 * all * (n - 1));
}

Test(chi_square, g_is_scipys)
{
    for (int i = 0; i < G; i++) {
        const eex_g_test t = eex_g_test_rows(g_scipy[i].a, g_scipy[i].b, g_scipy[i].n);
        const double q = williams(g_scipy[i].a, g_scipy[i].b, g_scipy[i].n);
        cr_expect_eq(t.df, g_scipy[i].df);
        cr_expect_float_eq(t.g * q, g_scipy[i].g, 1e-9 * (1 + g_scipy[i].g));
        cr_expect_float_eq(t.p, eex_chi_square_tail(g_scipy[i].g / q, t.df), 1e-12);
        cr_expect_float_eq(eex_chi_square_tail(g_scipy[i].g, t.df), g_scipy[i].p,
                           1e-9 * g_scipy[i].p);
    }
}

Test(chi_square, nothing_to_compare)
{
    const double a[] = {5, 0, 0}, b[] = {9, 0, 0}, none[] = {0, 0, 0};
    const eex_g_test one = eex_g_test_rows(a, b, 3), empty = eex_g_test_rows(none, b, 3);
    cr_expect(one.p == 1 && one.df == 0 && one.g == 0);
    cr_expect(empty.p == 1 && empty.df == 0);
}

static void draw(double *counts, const double *cumulative, int n, int samples, eex_rng *rng)
{
    for (int i = 0; i < n; i++)
        counts[i] = 0;
    for (int s = 0; s < samples; s++) {
        const double u = eex_rng_uniform(rng);
        int i = 0;
        while (i < n - 1 && u >= cumulative[i])
            i++;
        counts[i]++;
    }
}

/* Of rows from the same distribution, about a share p has a p-value below p. */
Test(chi_square, p_values_are_honest)
{
    static const double cumulative[] = {0.8, 0.92, 0.97, 1};
    enum { ROUNDS = 20000 };
    double a[4], b[4];
    int below[3] = {0, 0, 0};
    eex_rng rng;
    eex_rng_seed(&rng, 3, 1);
    for (int i = 0; i < ROUNDS; i++) {
        draw(a, cumulative, 4, 500, &rng);
        draw(b, cumulative, 4, 2500, &rng);
        const double p = eex_g_test_rows(a, b, 4).p;
        below[0] += p < 0.1;
        below[1] += p < 0.01;
        below[2] += p < 0.001;
    }
    cr_expect(fabs(below[0] - 2000.0) < 5 * sqrt(1800), "%d of 20000 below 0.1", below[0]);
    cr_expect(fabs(below[1] - 200.0) < 5 * sqrt(198), "%d of 20000 below 0.01", below[1]);
    cr_expect_lt(below[2], 20 + 5 * sqrt(20), "%d of 20000 below 0.001", below[2]);
}
