#include "core/policy/binomial.h"
#include "core/policy/bounded.h"
#include "core/policy/bounded_scipy.h"

#include "base/rng.h"

#include <criterion/criterion.h>
#include <math.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

Test(bounded, p_values_are_scipys)
{
    for (size_t i = 0; i < COUNT(bounded_scipy); i++) {
        double p = eex_bounded_p(bounded_scipy[i].sum, bounded_scipy[i].n, bounded_scipy[i].mean);
        cr_assert_float_eq(p, bounded_scipy[i].p, 1e-9 * bounded_scipy[i].p, "case %zu: %.17g", i,
                           p);
    }
}

Test(bounded, uppers_are_scipys_and_undo_p_values)
{
    for (size_t i = 0; i < COUNT(bounded_upper_scipy); i++) {
        const double sum = bounded_upper_scipy[i].sum, delta = bounded_upper_scipy[i].delta;
        const int n = bounded_upper_scipy[i].n;
        double upper = eex_bounded_upper(sum, n, delta);
        cr_assert_float_eq(upper, bounded_upper_scipy[i].upper, 1e-9, "case %zu: %.17g", i, upper);
        cr_assert_leq(eex_bounded_p(sum, n, upper + 1e-9), delta);
        cr_assert_gt(eex_bounded_p(sum, n, upper - 1e-9), delta);
    }
}

/* Where nothing is lost both know the same, and no count is judged more harshly by the exact test.
 */
Test(bounded, is_never_sharper_than_exact_counts)
{
    for (int k = 0; k <= 40; k++) {
        double exact = eex_binomial_cdf(k, 40, 0.3), p = eex_bounded_p(k, 40, 0.3);
        cr_assert_geq(p, exact - 1e-12, "%d of 40: %g, %g", k, p, exact);
    }
    cr_assert_float_eq(eex_bounded_p(0, 90, 0.04), pow(0.96, 90), 1e-12);
}

Test(bounded, ends)
{
    cr_assert_eq(eex_bounded_p(0, 0, 0.1), 1);
    cr_assert_eq(eex_bounded_p(5, 5, 0.1), 1);
    cr_assert_eq(eex_bounded_p(2, 10, 0.1), 1);
    cr_assert_eq(eex_bounded_upper(0, 0, 0.1), 1);
    cr_assert_float_eq(eex_bounded_upper(10, 10, 0.1), 1, 1e-12);
}

/* Values that are anything but coins, with a mean of 0.1 exactly: at most delta of the draws say
 * that it is below. */
static double draw(eex_rng *rng, int kind)
{
    double u = eex_rng_uniform(rng);
    if (kind == 0)
        return u < 0.1;
    if (kind == 1)
        return u / 5; /* uniform on 0 to 0.2 */
    return u < 0.2 ? 0.5 : 0;
}

Test(bounded, is_right_about_any_distribution)
{
    enum { DRAWS = 4000, SAMPLES = 120, KINDS = 3 };
    const double delta = 0.1;
    for (int kind = 0; kind < KINDS; kind++) {
        int wrong = 0, low = 0;
        eex_rng rng;
        eex_rng_seed(&rng, 5, (uint64_t)kind);
        for (int d = 0; d < DRAWS; d++) {
            double sum = 0;
            for (int i = 0; i < SAMPLES; i++)
                sum += draw(&rng, kind);
            wrong += eex_bounded_p(sum, SAMPLES, 0.1) <= delta;
            low += eex_bounded_upper(sum, SAMPLES, delta) < 0.1;
        }
        double most = DRAWS * delta + 4 * sqrt(DRAWS * delta * (1 - delta));
        cr_assert(wrong <= most && low == wrong, "kind %d: %d and %d of %d", kind, wrong, low,
                  DRAWS);
    }
}
