#include "search/rank.h"
#include "search/rank_scipy.h"

#include "base/rng.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

Test(rank, agrees_with_scipy)
{
    for (size_t i = 0; i < sizeof rank_scipy / sizeof *rank_scipy; i++) {
        double tau, rho;
        const size_t n = (size_t)rank_scipy[i].n;
        cr_assert_eq(eex_rank_kendall(&tau, rank_scipy[i].x, rank_scipy[i].y, n), EEX_OK);
        cr_assert_eq(eex_rank_spearman(&rho, rank_scipy[i].x, rank_scipy[i].y, n), EEX_OK);
        cr_assert_float_eq(tau, rank_scipy[i].tau, 1e-12, "case %zu: %g", i, tau);
        cr_assert_float_eq(rho, rank_scipy[i].rho, 1e-12, "case %zu: %g", i, rho);
    }
}

/* The definition over all pairs. */
static double kendall_by_pairs(const double *x, const double *y, size_t n)
{
    double difference = 0.0, untied_x = 0.0, untied_y = 0.0;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++) {
            const int dx = (x[i] > x[k]) - (x[i] < x[k]), dy = (y[i] > y[k]) - (y[i] < y[k]);
            difference += dx * dy;
            untied_x += dx != 0;
            untied_y += dy != 0;
        }
    }
    return difference / sqrt(untied_x * untied_y);
}

/* Ranks by counting, then Pearson. */
static double rank_of(const double *x, size_t n, size_t i)
{
    double rank = 0.5;
    for (size_t k = 0; k < n; k++)
        rank += x[k] < x[i] ? 1.0 : x[k] == x[i] ? 0.5 : 0.0;
    return rank;
}

static double spearman_by_counting(const double *x, const double *y, size_t n)
{
    double sx = 0, sy = 0, xx = 0, yy = 0, xy = 0;
    for (size_t i = 0; i < n; i++) {
        const double a = rank_of(x, n, i), b = rank_of(y, n, i);
        sx += a, sy += b, xx += a * a, yy += b * b, xy += a * b;
    }
    const double m = (double)n;
    return (xy - sx * sy / m) / sqrt((xx - sx * sx / m) * (yy - sy * sy / m));
}

static void expect_same(double got, double expected, size_t n)
{
    if (isnan(expected))
        cr_assert(isnan(got), "%g for n = %zu", got, n);
    else
        cr_assert_float_eq(got, expected, 1e-9, "%g, not %g for n = %zu", got, expected, n);
}

Test(rank, agrees_with_the_definitions)
{
    double x[150], y[150], tau, rho;
    eex_rng rng;
    eex_rng_seed(&rng, 1, 0);
    for (size_t n = 0; n < 150; n++) {
        const uint64_t values = 1 + eex_rng_below(&rng, 2 * n + 2);
        for (size_t i = 0; i < n; i++) {
            x[i] = (double)eex_rng_below(&rng, values) - 3.0;
            y[i] = x[i] * (double)(n % 3) + (double)eex_rng_below(&rng, values);
        }
        cr_assert_eq(eex_rank_kendall(&tau, x, y, n), EEX_OK);
        cr_assert_eq(eex_rank_spearman(&rho, x, y, n), EEX_OK);
        expect_same(tau, n < 2 ? NAN : kendall_by_pairs(x, y, n), n);
        expect_same(rho, n < 2 ? NAN : spearman_by_counting(x, y, n), n);
    }
}

Test(rank, extremes)
{
    const double up[] = {1, 2, 3, 4, INFINITY}, down[] = {9, 5, 1, 0, -INFINITY},
                 same[] = {2, 2, 2, 2, 2};
    double tau, rho;
    cr_assert_eq(eex_rank_kendall(&tau, up, up, 5), EEX_OK);
    cr_assert_eq(tau, 1.0);
    cr_assert_eq(eex_rank_kendall(&tau, up, down, 5), EEX_OK);
    cr_assert_eq(tau, -1.0);
    cr_assert_eq(eex_rank_spearman(&rho, up, down, 5), EEX_OK);
    cr_assert_eq(rho, -1.0);
    cr_assert_eq(eex_rank_kendall(&tau, up, same, 5), EEX_OK);
    cr_assert(isnan(tau));
    cr_assert_eq(eex_rank_spearman(&rho, same, up, 5), EEX_OK);
    cr_assert(isnan(rho));
}

Test(rank, refuses_what_is_not_a_number)
{
    const double x[] = {1, 2, 3}, y[] = {1, NAN, 3};
    double tau;
    cr_assert_eq(eex_rank_kendall(&tau, x, y, 3), EEX_EINVAL);
    cr_assert_str_eq(eex_error(), "rank correlation: item 1 is not a number");
    cr_assert_eq(eex_rank_spearman(&tau, y, x, 3), EEX_EINVAL);
}

Test(rank, a_million_items_take_no_time_to_speak_of)
{
    const size_t n = 1000000;
    double *x = malloc(n * sizeof *x), *y = malloc(n * sizeof *y), tau;
    cr_assert(x && y);
    eex_rng rng;
    eex_rng_seed(&rng, 2, 0);
    for (size_t i = 0; i < n; i++) {
        x[i] = eex_rng_uniform(&rng);
        y[i] = eex_rng_uniform(&rng);
    }
    cr_assert_eq(eex_rank_kendall(&tau, x, y, n), EEX_OK); /* quadratic: an hour */
    cr_assert_float_eq(tau, 0.0, 0.005);
    free(x);
    free(y);
}
