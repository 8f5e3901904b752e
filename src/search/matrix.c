#include "search/matrix.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* Compiled for three instruction sets, of which the program takes the best when it starts;
 * sanitizers do not like what chooses. By what a processor can do: names of architectures would
 * leave out those of other makers. Nor under clang, whose versions name the clones in ways of their
 * own that other files do not find. */
#if defined(__x86_64__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define FAST __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FAST
#endif

/* Rows of a tile, which is as wide as a register; it stays in registers while k runs, and has
 * enough sums under way for processors that begin two of them a cycle and need four for each. */
enum { ROWS = 8 };

/* Types and attributes cannot stand in parentheses. NOLINTBEGIN(bugprone-macro-parentheses)
 *
 * The last tile of a row or column of them overlaps the one before where they do not come out even:
 * what is calculated twice is the same. A matrix smaller than a tile is done a row at a time. */
#define MULTIPLY(name, type, width, set)                                                        \
    set static void name##_tile(type *restrict out, const type *restrict a,                     \
                                const type *restrict b, size_t k, size_t n)                     \
    {                                                                                           \
        typedef type vector __attribute__((vector_size(width)));                                \
        vector sum[ROWS] = {{0}}, row;                                                          \
        for (size_t at = 0; at < k; at++) {                                                     \
            memcpy(&row, b + at * n, sizeof row);                                               \
            for (size_t r = 0; r < ROWS; r++)                                                   \
                sum[r] += a[r * k + at] * row;                                                  \
        }                                                                                       \
        for (size_t r = 0; r < ROWS; r++)                                                       \
            memcpy(out + r * n, &sum[r], sizeof row);                                           \
    }                                                                                           \
    set static void name##_small(type *restrict out, const type *restrict a,                    \
                                 const type *restrict b, size_t m, size_t k, size_t n)          \
    {                                                                                           \
        for (size_t r = 0; r < m; r++) {                                                        \
            for (size_t j = 0; j < n; j++)                                                      \
                out[r * n + j] = 0;                                                             \
            for (size_t at = 0; at < k; at++)                                                   \
                for (size_t j = 0; j < n; j++)                                                  \
                    out[r * n + j] += a[r * k + at] * b[at * n + j];                            \
        }                                                                                       \
    }                                                                                           \
    set static void name(type *out, const type *a, const type *b, size_t m, size_t k, size_t n) \
    {                                                                                           \
        const size_t columns = (width) / sizeof *out;                                           \
        if (m < ROWS || n < columns) {                                                          \
            name##_small(out, a, b, m, k, n);                                                   \
            return;                                                                             \
        }                                                                                       \
        for (size_t j = 0; j < n; j += columns) {                                               \
            const size_t column = j + columns <= n ? j : n - columns;                           \
            for (size_t i = 0; i < m; i += ROWS) {                                              \
                const size_t row = i + ROWS <= m ? i : m - ROWS;                                \
                name##_tile(out + row * n + column, a + row * k, b + column, k, n);             \
            }                                                                                   \
        }                                                                                       \
    }

#if defined(__x86_64__)
#define MULTIPLY_ALL(name, type)                                                     \
    MULTIPLY(name##_512, type, 64, __attribute__((target("avx512f"))))               \
    MULTIPLY(name##_256, type, 32, __attribute__((target("avx2,fma"))))              \
    MULTIPLY(name##_128, type, 16, )                                                 \
    void name(type *out, const type *a, const type *b, size_t m, size_t k, size_t n) \
    {                                                                                \
        if (__builtin_cpu_supports("avx512f"))                                       \
            name##_512(out, a, b, m, k, n);                                          \
        else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))    \
            name##_256(out, a, b, m, k, n);                                          \
        else                                                                         \
            name##_128(out, a, b, m, k, n);                                          \
    }
#else
#define MULTIPLY_ALL(name, type)                                                     \
    MULTIPLY(name##_128, type, 16, )                                                 \
    void name(type *out, const type *a, const type *b, size_t m, size_t k, size_t n) \
    {                                                                                \
        name##_128(out, a, b, m, k, n);                                              \
    }
#endif

MULTIPLY_ALL(eex_multiply, double)
MULTIPLY_ALL(eex_multiply_float, float)
/* NOLINTEND(bugprone-macro-parentheses) */

void eex_transpose(double *out, const double *a, size_t m, size_t n)
{
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++)
            out[j * m + i] = a[i * n + j];
}

void eex_transpose_float(float *out, const float *a, size_t m, size_t n)
{
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++)
            out[j * m + i] = a[i * n + j];
}

void eex_lengths(double *out, const double *rows, size_t n, size_t k)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = 0.0;
        for (size_t j = 0; j < k; j++)
            out[i] += rows[i * k + j] * rows[i * k + j];
    }
}

/* In as many parts as fill a vector, which are added in their order. */
FAST double eex_dot(const double *a, const double *b, size_t n)
{
    enum { PARTS = 16 };
    double sums[PARTS] = {0.0}, sum = 0.0;
    size_t i = 0;
    for (; i + PARTS <= n; i += PARTS)
        for (size_t j = 0; j < PARTS; j++)
            sums[j] += a[i + j] * b[i + j];
    for (size_t j = 0; i < n; i++, j++)
        sums[j] += a[i] * b[i];
    for (size_t j = 0; j < PARTS; j++)
        sum += sums[j];
    return sum;
}

FAST void eex_cubes_of_roots(double *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        values[i] *= sqrt(values[i]);
}

/* exp(x) = 2^k exp(r), |r| <= log(2) / 2, by the series of exp; k lands in the lowest bits of x /
 * log 2 + 1.5 * 2^52. The C library's takes one number at a time. */
FAST void eex_exponentials(double *values, double scale, size_t n)
{
    const double magic = 0x1.8p52;
    for (size_t i = 0; i < n; i++) {
        const double x = fmax(scale * values[i], -700.0);
        const double shifted = x * 1.44269504088896340736 + magic, k = shifted - magic;
        const double r = (x - k * 0x1.62e42fefa38p-1) - k * 0x1.ef35793c7673p-45;
        double sum = 1.0 / 479001600.0;
        static const double inverse[] = {1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320,
                                         1.0 / 5040,     1.0 / 720,     1.0 / 120,    1.0 / 24,
                                         1.0 / 6,        0.5,           1.0,          1.0};
        for (int term = 0; term < 12; term++)
            sum = sum * r + inverse[term];
        uint64_t bits;
        double power;
        memcpy(&bits, &shifted, sizeof bits);
        bits = (bits + 1023) << 52;
        memcpy(&power, &bits, sizeof power);
        values[i] = sum * power;
    }
}

FAST static void subtract_products(double *restrict products, const double *restrict lengths,
                                   double length, size_t n)
{
    for (size_t j = 0; j < n; j++) {
        const double distance = length + lengths[j] - 2.0 * products[j];
        products[j] = distance > 0.0 ? distance : 0.0;
    }
}

void eex_distances(double *out, const double *a, const double *b, const double *lengths, size_t m,
                   size_t k, size_t n)
{
    eex_multiply(out, a, b, m, k, n);
    for (size_t i = 0; i < m; i++) {
        double length;
        eex_lengths(&length, a + i * k, 1, k);
        subtract_products(out + i * n, lengths, length, n);
    }
}

FAST static void subtract_row(double *restrict to, const double *restrict row, double factor,
                              size_t n)
{
    for (size_t j = 0; j < n; j++)
        to[j] -= factor * row[j];
}

bool eex_cholesky(double *a, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        double *row = a + k * n;
        if (!(row[k] > 0.0) || !isfinite(row[k]))
            return false;
        const double scale = 1.0 / sqrt(row[k]);
        for (size_t j = k; j < n; j++)
            row[j] *= scale;
        for (size_t i = k + 1; i < n; i++)
            subtract_row(a + i * n + i, row + i, row[i], n - i);
    }
    return true;
}

void eex_cholesky_forward(const double *u, double *x, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        x[k] /= u[k * n + k];
        subtract_row(x + k + 1, u + k * n + k + 1, x[k], n - k - 1);
    }
}

void eex_cholesky_backward(const double *u, double *x, size_t n)
{
    for (size_t k = n; k-- > 0;) {
        for (size_t j = k + 1; j < n; j++)
            x[k] -= u[k * n + j] * x[j];
        x[k] /= u[k * n + k];
    }
}
