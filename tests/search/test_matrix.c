#include "search/matrix.h"

#include "base/rng.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

enum { LARGEST = 70 };

static void draw(double *values, size_t n, eex_rng *rng)
{
    for (size_t i = 0; i < n; i++)
        values[i] = eex_rng_normal(rng);
}

static void check_product(size_t m, size_t k, size_t n, eex_rng *rng)
{
    static double a[LARGEST * LARGEST], b[LARGEST * LARGEST], out[LARGEST * LARGEST];
    static float fa[LARGEST * LARGEST], fb[LARGEST * LARGEST], fout[LARGEST * LARGEST];
    draw(a, m * k, rng);
    draw(b, k * n, rng);
    for (size_t i = 0; i < m * k; i++)
        fa[i] = (float)a[i];
    for (size_t i = 0; i < k * n; i++)
        fb[i] = (float)b[i];
    eex_multiply(out, a, b, m, k, n);
    eex_multiply_float(fout, fa, fb, m, k, n);
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++) {
            double sum = 0.0;
            for (size_t at = 0; at < k; at++)
                sum += a[i * k + at] * b[at * n + j];
            cr_assert_float_eq(out[i * n + j], sum, 1e-12, "%zu x %zu x %zu", m, k, n);
            cr_assert_float_eq(fout[i * n + j], sum, 1e-4, "%zu x %zu x %zu", m, k, n);
        }
}

/* Whole tiles, none, and what is left over beside and below them. */
Test(matrix, products_of_every_shape)
{
    static const size_t sizes[] = {1, 3, 7, 8, 9, 15, 16, 17, 31, 64, 70};
    eex_rng rng;
    eex_rng_seed(&rng, 1, 0);
    for (int i = 0; i < 11 * 11 * 11; i++)
        check_product(sizes[i % 11], sizes[i / 11 % 11], sizes[i / 121], &rng);
    double nothing[6];
    eex_multiply(nothing, NULL, NULL, 2, 0, 3);
    for (int i = 0; i < 6; i++)
        cr_assert_eq(nothing[i], 0.0, "a product without inner columns is zero");
}

Test(matrix, distances_and_dots)
{
    static double a[20 * 30], b[20 * 30], turned[30 * 20], lengths[20], out[20 * 20];
    eex_rng rng;
    eex_rng_seed(&rng, 2, 0);
    draw(a, 20 * 30, &rng);
    draw(b, 20 * 30, &rng);
    eex_transpose(turned, b, 20, 30);
    eex_lengths(lengths, b, 20, 30);
    eex_distances(out, a, turned, lengths, 20, 30, 20);
    for (size_t i = 0; i < 20; i++)
        for (size_t j = 0; j < 20; j++) {
            double square = 0.0, sum = 0.0;
            for (size_t k = 0; k < 30; k++) {
                square += pow(a[i * 30 + k] - b[j * 30 + k], 2);
                sum += a[i * 30 + k] * b[j * 30 + k];
            }
            cr_assert_float_eq(out[i * 20 + j], square, 1e-10);
            cr_assert_float_eq(eex_dot(a + i * 30, b + j * 30, 30), sum, 1e-12);
        }
}

Test(matrix, powers_and_exponentials)
{
    double values[1001], cubes[1001];
    for (int i = 0; i <= 1000; i++)
        cubes[i] = values[i] = 0.8 * i;
    eex_cubes_of_roots(cubes, 1001);
    eex_exponentials(values, -0.9, 1001);
    for (int i = 0; i <= 1000; i++) {
        const double wanted = exp(-0.9 * (0.8 * i));
        cr_assert_float_eq(cubes[i], pow(0.8 * i, 1.5), 1e-12 * (1.0 + cubes[i]));
        cr_assert(i * 0.72 > 700.0 ? values[i] < 1e-300
                                   : fabs(values[i] - wanted) <= 1e-14 * wanted + 1e-307,
                  "exp(%g): %g, not %g", -0.72 * i, values[i], wanted);
    }
    cr_assert_eq(values[0], 1.0);
}

Test(matrix, cholesky_solves)
{
    static double a[40 * 40], rows[40 * 40], u[40 * 40], x[40], b[40];
    eex_rng rng;
    eex_rng_seed(&rng, 3, 0);
    draw(rows, 40 * 40, &rng);
    draw(b, 40, &rng);
    for (size_t i = 0; i < 40; i++)
        for (size_t j = 0; j < 40; j++)
            u[i * 40 + j] = a[i * 40 + j] =
                eex_dot(rows + i * 40, rows + j * 40, 40) + (i == j ? 0.1 : 0.0);
    cr_assert(eex_cholesky(u, 40));
    for (size_t i = 0; i < 40; i++)
        x[i] = b[i];
    eex_cholesky_forward(u, x, 40);
    eex_cholesky_backward(u, x, 40);
    for (size_t i = 0; i < 40; i++)
        cr_assert_float_eq(eex_dot(a + i * 40, x, 40), b[i], 1e-9);
    double indefinite[] = {1, 2, 2, 1}, infinite[] = {INFINITY, 0, 0, 1};
    cr_assert_not(eex_cholesky(indefinite, 2));
    cr_assert_not(eex_cholesky(infinite, 2));
}
