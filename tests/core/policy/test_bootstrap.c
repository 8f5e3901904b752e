#include "core/policy/binomial.h"
#include "core/policy/bootstrap.h"
#include "core/policy/statistics_scipy.h"

#include "base/rng.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

/* ---- binomial and normal ---- */

Test(binomial, cdf_is_scipys)
{
    for (size_t i = 0; i < sizeof binomial_scipy / sizeof *binomial_scipy; i++) {
        double cdf =
            eex_binomial_cdf(binomial_scipy[i].k, binomial_scipy[i].n, binomial_scipy[i].p);
        cr_assert_float_eq(cdf, binomial_scipy[i].cdf, 1e-9, "%d of %d: %.17g, %.17g",
                           binomial_scipy[i].k, binomial_scipy[i].n, cdf, binomial_scipy[i].cdf);
    }
    cr_assert_eq(eex_binomial_cdf(-1, 5, 0.5), 0);
    cr_assert_eq(eex_binomial_cdf(5, 5, 0.5), 1);
    cr_assert_eq(eex_binomial_cdf(2, 5, 0), 1);
    cr_assert_eq(eex_binomial_cdf(2, 5, 1), 0);
}

Test(binomial, upper_bound_is_scipys_and_inverts_the_cdf)
{
    for (size_t i = 0; i < sizeof clopper_scipy / sizeof *clopper_scipy; i++) {
        int k = clopper_scipy[i].k, n = clopper_scipy[i].n;
        double upper = eex_binomial_upper(k, n, clopper_scipy[i].delta);
        cr_assert_float_eq(upper, clopper_scipy[i].upper, 1e-9);
        cr_assert_float_eq(eex_binomial_cdf(k, n, upper), clopper_scipy[i].delta, 1e-6);
    }
    cr_assert_eq(eex_binomial_upper(7, 7, 0.05), 1);
}

Test(normal, quantile_is_scipys)
{
    for (size_t i = 0; i < sizeof normal_scipy / sizeof *normal_scipy; i++)
        cr_assert_float_eq(eex_normal_quantile(normal_scipy[i].p), normal_scipy[i].z, 1e-6);
    cr_assert_eq(eex_normal_quantile(0), -INFINITY);
    cr_assert_eq(eex_normal_quantile(1), INFINITY);
}

/* ---- intervals ---- */

Test(bootstrap, intervals_are_scipys)
{
    const eex_bootstrap_options options = {.resamples = 40000, .seed = 5};
    eex_interval found[SCIPY_COLUMNS];
    cr_assert_eq(eex_bootstrap(found, &bootstrap_rows[0][0], SCIPY_ROWS, SCIPY_COLUMNS, &options),
                 EEX_OK);
    for (int c = 0; c < SCIPY_COLUMNS; c++) {
        /* Means of 0 and 1 move in steps of 1/60: one step is as near as two samplers agree. */
        double near = c < 2 ? 1.01 / SCIPY_ROWS : 0.03;
        cr_assert_float_eq(found[c].low, bootstrap_scipy[c].low, near, "column %d: %g", c,
                           found[c].low);
        cr_assert_float_eq(found[c].high, bootstrap_scipy[c].high, near, "column %d: %g", c,
                           found[c].high);
    }
}

Test(bootstrap, same_seed_same_intervals)
{
    eex_interval a[SCIPY_COLUMNS], b[SCIPY_COLUMNS];
    const eex_bootstrap_options seven = {.seed = 7}, eight = {.seed = 8};
    const double *rows = &bootstrap_rows[0][0];
    cr_assert_eq(eex_bootstrap(a, rows, SCIPY_ROWS, SCIPY_COLUMNS, &seven), EEX_OK);
    cr_assert_eq(eex_bootstrap(b, rows, SCIPY_ROWS, SCIPY_COLUMNS, &seven), EEX_OK);
    cr_assert_eq(memcmp(a, b, sizeof a), 0);
    cr_assert_eq(eex_bootstrap(b, rows, SCIPY_ROWS, SCIPY_COLUMNS, &eight), EEX_OK);
    cr_assert_neq(memcmp(a, b, sizeof a), 0);
}

/* How many of `rounds` intervals of a share `p` of `n` samples hold it. */
static int covering(double p, int n, int rounds)
{
    enum { MOST = 400 };
    double rows[MOST];
    eex_rng rng;
    int held = 0;
    eex_rng_seed(&rng, 99, (uint64_t)n);
    for (int r = 0; r < rounds; r++) {
        const eex_bootstrap_options options = {.resamples = 500, .seed = (uint64_t)r};
        eex_interval found;
        for (int i = 0; i < n; i++)
            rows[i] = eex_rng_uniform(&rng) < p;
        cr_assert_eq(eex_bootstrap(&found, rows, n, 1, &options), EEX_OK);
        held += found.low <= p && p <= found.high;
    }
    return held;
}

/* Of 1,000 intervals of 95 % about 950 hold the truth: 7 deviations are 48, and a bootstrap of
 * shares is known to hold a little less. */
Test(bootstrap, intervals_cover)
{
    int middle = covering(0.4, 300, 1000), rare = covering(0.05, 400, 1000);
    cr_assert(middle >= 925 && middle <= 975, "%d of 1000", middle);
    cr_assert(rare >= 915 && rare <= 980, "%d of 1000", rare);
}

/* The difference of two that are nearly always right together is known better than either. */
Test(bootstrap, rows_stay_together)
{
    enum { ROWS = 400 };
    double rows[ROWS][3];
    eex_interval found[3];
    for (int i = 0; i < ROWS; i++) {
        rows[i][0] = i % 5 != 0;
        rows[i][1] = i % 5 != 0 || i % 50 == 0;
        rows[i][2] = rows[i][1] - rows[i][0];
    }
    cr_assert_eq(eex_bootstrap(found, &rows[0][0], ROWS, 3, NULL), EEX_OK);
    cr_assert_float_eq(found[2].value, found[1].value - found[0].value, 1e-12);
    cr_assert_gt(found[2].low, 0, "ten gained and none lost is no accident");
    cr_assert_lt(found[2].high - found[2].low, (found[0].high - found[0].low) / 2);
}

Test(bootstrap, what_never_varies_has_no_width)
{
    const double rows[] = {0.25, 0.25, 0.25};
    eex_interval found;
    cr_assert_eq(eex_bootstrap(&found, rows, 3, 1, NULL), EEX_OK);
    cr_assert(found.value == 0.25 && found.low == 0.25 && found.high == 0.25);
    cr_assert_eq(eex_bootstrap(&found, rows, 1, 1, NULL), EEX_OK);
}

Test(bootstrap, refusals)
{
    const double good[] = {1, 2}, bad[] = {1, NAN};
    const eex_bootstrap_options few = {.resamples = 3}, sure = {.confidence = 1};
    eex_interval found[2];
    cr_assert_eq(eex_bootstrap(found, good, 0, 1, NULL), EEX_EINVAL);
    cr_assert_eq(eex_bootstrap(found, good, 2, 0, NULL), EEX_EINVAL);
    cr_assert_eq(eex_bootstrap(found, good, 2, 1, &few), EEX_EINVAL);
    cr_assert_eq(eex_bootstrap(found, good, 2, 1, &sure), EEX_EINVAL);
    cr_assert_eq(eex_bootstrap(found, bad, 2, 1, NULL), EEX_EINVAL);
    cr_assert(strstr(eex_error(), "sample 1"), "%s", eex_error());
}
