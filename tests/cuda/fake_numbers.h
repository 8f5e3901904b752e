/* Numbers of the libraries' types as doubles, and the one product that everything comes down to. */
#ifndef EEX_TESTS_CUDA_FAKE_NUMBERS_H
#define EEX_TESTS_CUDA_FAKE_NUMBERS_H

#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

namespace fake {

/* eex_fake_cuda_narrow_sums */
extern bool narrow_sums;

typedef std::vector<double> numbers;

/* float32, or bfloat16 when narrow. */
inline double number_at(const void *from, size_t i, bool narrow)
{
    if (!narrow)
        return static_cast<const float *>(from)[i];
    uint32_t bits = (uint32_t) static_cast<const uint16_t *>(from)[i] << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Rounded once, to nearest. (By way of float32: a second rounding that ties differently is beyond
 * what any test can see.) */
inline void number_set(void *to, size_t i, bool narrow, double value)
{
    float single = (float)value;
    if (!narrow) {
        static_cast<float *>(to)[i] = single;
        return;
    }
    uint32_t bits;
    memcpy(&bits, &single, sizeof bits);
    if (std::isnan(single))
        bits |= 0x400000u;
    else
        bits += 0x7fffu + (bits >> 16 & 1u);
    static_cast<uint16_t *>(to)[i] = (uint16_t)(bits >> 16);
}

inline numbers numbers_from(const void *from, size_t count, bool narrow)
{
    numbers out(count);
    for (size_t i = 0; i < count; i++)
        out[i] = number_at(from, i, narrow);
    return out;
}

/* to = alpha * values + beta * to; with beta 0 `to` is not read. */
inline void numbers_store(void *to, const numbers &values, bool narrow, double alpha, double beta)
{
    for (size_t i = 0; i < values.size(); i++) {
        double before = beta == 0 ? 0 : beta * number_at(to, i, narrow);
        number_set(to, i, narrow, alpha * values[i] + before);
    }
}

/* The sums of a convolution are most of a test's time; clang has no such attribute. */
#ifdef __clang__
#define UNCHECKED_AND_FAST __attribute__((no_sanitize("address", "undefined")))
#else
#define UNCHECKED_AND_FAST __attribute__((no_sanitize("address", "undefined"), optimize("O3")))
#endif

/* Row-major (m, n) = (m, k) times (k, n), added up in T. */
template <typename T>
UNCHECKED_AND_FAST inline numbers multiply_in(const numbers &a, const numbers &b, size_t m,
                                              size_t n, size_t k)
{
    std::vector<T> c(m * n);
    const double *left = a.data(), *right = b.data();
    for (size_t i = 0; i < m; i++) {
        T *row = c.data() + i * n;
        for (size_t p = 0; p < k; p++) {
            const double factor = left[i * k + p];
            const double *from = right + p * n;
            for (size_t j = 0; j < n; j++)
                row[j] = (T)((double)row[j] + factor * from[j]);
        }
    }
    return numbers(c.begin(), c.end());
}

inline numbers multiply(const numbers &a, const numbers &b, size_t m, size_t n, size_t k)
{
    return narrow_sums ? multiply_in<float>(a, b, m, n, k) : multiply_in<double>(a, b, m, n, k);
}

inline numbers transposed(const numbers &a, size_t rows, size_t columns)
{
    numbers out(a.size());
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            out[j * rows + i] = a[i * columns + j];
    return out;
}

} // namespace fake

#endif
