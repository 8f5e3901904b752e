/* Values in few bits: levels, packing, and what is not a number. */
#include "core/plan/quantise.h"

#include "base/rng.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

enum { COUNT = 203 };

Test(quantise, bytes_are_what_the_bits_need)
{
    cr_assert_eq(eex_quantised_bytes(0, 8), 0);
    cr_assert_eq(eex_quantised_bytes(1, 1), 1);
    cr_assert_eq(eex_quantised_bytes(9, 1), 2);
    cr_assert_eq(eex_quantised_bytes(3, 3), 2);
    cr_assert_eq(eex_quantised_bytes(8, 3), 3);
    cr_assert_eq(eex_quantised_bytes(2048, 8), 2048);
    cr_assert_eq(eex_quantised_bytes(SIZE_MAX / 8, 8), SIZE_MAX / 8); /* does not wrap */
    for (int bits = 1; bits <= 8; bits++)
        for (size_t n = 0; n < 100; n++)
            cr_assert_eq(eex_quantised_bytes(n, bits), (n * (size_t)bits + 7) / 8);
}

static void random_values(float *x, uint64_t seed, float low, float high)
{
    eex_rng rng;
    eex_rng_seed(&rng, seed, 0);
    for (int i = 0; i < COUNT; i++)
        x[i] = (float)(low + ((double)high - low) * eex_rng_uniform(&rng));
}

/* Nothing is further away than half a step, and nobody writes past the end. */
Test(quantise, the_nearest_level)
{
    float x[COUNT], y[COUNT];
    unsigned char packed[COUNT + 1];
    random_values(x, 7, -3, 5);
    for (int bits = 1; bits <= 8; bits++) {
        const size_t bytes = eex_quantised_bytes(COUNT, bits);
        memset(packed, 0xA5, sizeof packed);
        eex_quantise(packed, x, COUNT, bits, -3, 5);
        cr_assert_eq(packed[bytes], 0xA5);
        eex_dequantise(y, packed, COUNT, bits, -3, 5);
        const float half = 4.0f / (float)((1 << bits) - 1);
        for (int i = 0; i < COUNT; i++)
            cr_assert_leq(fabsf(x[i] - y[i]), half * 1.00001f, "%d bits, %d", bits, i);
    }
}

/* What was sent is sent again without change: what is a level already may be quantised again. */
Test(quantise, levels_keep_their_codes)
{
    static const float range[][2] = {{0, 6}, {-1, 1}, {1e-30f, 3e-30f}, {-FLT_MAX, FLT_MAX}};
    float x[COUNT], y[COUNT], again[COUNT];
    unsigned char first[COUNT], second[COUNT];
    for (int r = 0; r < 4; r++)
        for (int bits = 1; bits <= 8; bits++) {
            const float low = range[r][0], high = range[r][1];
            random_values(x, (uint64_t)(r + 1), low, high);
            eex_quantise(first, x, COUNT, bits, low, high);
            eex_dequantise(y, first, COUNT, bits, low, high);
            eex_quantise(second, y, COUNT, bits, low, high);
            eex_dequantise(again, second, COUNT, bits, low, high);
            cr_assert_arr_eq(first, second, eex_quantised_bytes(COUNT, bits));
            cr_assert_arr_eq(y, again, sizeof y);
        }
}

Test(quantise, the_lowest_bit_first)
{
    static const float x[] = {0, 1, 2, 3, 4, 5, 6, 7, 5};
    static const unsigned char want[] = {0x88, 0xC6, 0xFA, 0x05};
    unsigned char got[4];
    eex_quantise(got, x, 9, 3, 0, 7);
    cr_assert_arr_eq(got, want, 4);
    float y[9];
    eex_dequantise(y, got, 9, 3, 0, 7);
    cr_assert_arr_eq(x, y, sizeof x);
}

Test(quantise, ends_are_exact_and_beyond_them_clamped)
{
    const float x[] = {0.1f, 0.7f, -5, 5, -INFINITY, INFINITY, NAN, 0.0999f};
    const float want[] = {0.1f, 0.7f, 0.1f, 0.7f, 0.1f, 0.7f, 0.1f, 0.1f};
    for (int bits = 1; bits <= 8; bits++) {
        unsigned char packed[8];
        float y[8];
        eex_quantise(packed, x, 8, bits, 0.1f, 0.7f);
        eex_dequantise(y, packed, 8, bits, 0.1f, 0.7f);
        cr_assert_arr_eq(y, want, sizeof y, "%d bits", bits);
    }
}

Test(quantise, a_range_of_nothing_is_low)
{
    static const float range[][2] = {{2, 2}, {3, 1}, {0, INFINITY}, {0, NAN}};
    const float x[] = {1, 2, NAN};
    for (int r = 0; r < 4; r++) {
        unsigned char packed[3] = {9, 9, 9};
        float y[3];
        eex_quantise(packed, x, 3, 8, range[r][0], range[r][1]);
        eex_dequantise(y, packed, 3, 8, range[r][0], range[r][1]);
        for (int i = 0; i < 3; i++) {
            cr_assert_eq(packed[i], 0);
            cr_assert_eq(y[i], range[r][0]);
        }
    }
}

/* Bytes come from strangers: any of them are codes. */
Test(quantise, any_bytes_are_levels)
{
    unsigned char bytes[COUNT];
    float y[COUNT];
    for (int i = 0; i < COUNT; i++)
        bytes[i] = (unsigned char)(i * 37);
    for (int bits = 1; bits <= 8; bits++) {
        eex_dequantise(y, bytes, COUNT, bits, -1, 2);
        for (int i = 0; i < COUNT; i++)
            cr_assert(y[i] >= -1 && y[i] <= 2);
    }
}
