#include "base/rng.h"

#include <criterion/criterion.h>
#include <math.h>

Test(rng, is_xoshiro256starstar)
{
    /* The first outputs of the published algorithm from the state 1, 2, 3, 4. */
    const uint64_t expected[] = {11520, 0, 1509978240, 1215971899390074240, 1216172134540287360};
    eex_rng rng = {{1, 2, 3, 4}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        cr_assert_eq(eex_rng_next(&rng), expected[i], "output %zu", i);
}

Test(rng, mix_is_the_finaliser_of_splitmix64)
{
    /* SplitMix64 from 0 answers this first. */
    cr_assert_eq(eex_rng_mix(UINT64_C(0x9e3779b97f4a7c15)), UINT64_C(0xe220a8397b1dcdaf));
}

Test(rng, seeds_and_streams_differ_and_repeat)
{
    eex_rng a, b, c, d;
    eex_rng_seed(&a, 1, 0);
    eex_rng_seed(&b, 1, 0);
    eex_rng_seed(&c, 2, 0);
    eex_rng_seed(&d, 1, 1);
    const uint64_t first = eex_rng_next(&a);
    cr_assert_eq(eex_rng_next(&b), first);
    cr_assert_neq(eex_rng_next(&c), first);
    cr_assert_neq(eex_rng_next(&d), first);
}

Test(rng, stored_state_continues)
{
    eex_rng rng;
    eex_rng_seed(&rng, 3, 0);
    eex_rng_normal(&rng);
    eex_rng copy = rng;
    for (int i = 0; i < 10; i++)
        cr_assert_eq(eex_rng_normal(&rng), eex_rng_normal(&copy));
}

/* 99.99 % quantile of chi-square with `k` degrees of freedom, by Wilson and Hilferty. */
static double chi_square_limit(int k)
{
    const double h = 2.0 / (9.0 * k);
    return k * pow(1.0 - h + 3.72 * sqrt(h), 3.0);
}

static double chi_square(const int *counts, int cells, int draws)
{
    const double expected = (double)draws / cells;
    double sum = 0.0;
    for (int i = 0; i < cells; i++)
        sum += (counts[i] - expected) * (counts[i] - expected) / expected;
    return sum;
}

Test(rng, below_is_uniform)
{
    enum { DRAWS = 100000 };
    eex_rng rng;
    eex_rng_seed(&rng, 4, 0);
    for (int n = 1; n <= 37; n += 4) {
        int counts[37] = {0};
        for (int i = 0; i < DRAWS; i++)
            counts[eex_rng_below(&rng, (uint64_t)n)]++;
        if (n > 1)
            cr_assert(chi_square(counts, n, DRAWS) < chi_square_limit(n - 1), "n = %d", n);
    }
    cr_assert_eq(eex_rng_below(&rng, 0), 0);
}

Test(rng, below_has_no_bias_for_huge_ranges)
{
    /* Of 3 * 2^62 values a plain remainder would draw the first third twice as often. */
    const uint64_t n = UINT64_C(3) << 62;
    int counts[3] = {0};
    eex_rng rng;
    eex_rng_seed(&rng, 5, 0);
    for (int i = 0; i < 30000; i++) {
        const uint64_t value = eex_rng_below(&rng, n);
        cr_assert_lt(value, n);
        counts[value >> 62]++;
    }
    cr_assert(chi_square(counts, 3, 30000) < chi_square_limit(2));
}

Test(rng, uniform_and_normal_have_their_moments)
{
    enum { DRAWS = 200000 };
    double sum = 0.0, mean = 0.0, square = 0.0, fourth = 0.0;
    eex_rng rng;
    eex_rng_seed(&rng, 6, 0);
    for (int i = 0; i < DRAWS; i++) {
        const double u = eex_rng_uniform(&rng), x = eex_rng_normal(&rng);
        cr_assert(u >= 0.0 && u < 1.0);
        sum += u;
        mean += x;
        square += x * x;
        fourth += x * x * x * x;
    }
    cr_assert_float_eq(sum / DRAWS, 0.5, 0.004);
    cr_assert_float_eq(mean / DRAWS, 0.0, 0.01);
    cr_assert_float_eq(square / DRAWS, 1.0, 0.02);
    cr_assert_float_eq(fourth / DRAWS, 3.0, 0.15);
}

Test(rng, every_permutation_is_equally_likely)
{
    enum { DRAWS = 48000 };
    int counts[256] = {0}, dense[24], cells = 0;
    eex_rng rng;
    eex_rng_seed(&rng, 7, 0);
    for (int i = 0; i < DRAWS; i++) {
        uint32_t v[4] = {0, 1, 2, 3};
        eex_rng_shuffle(&rng, v, 4);
        cr_assert_eq(1u << v[0] | 1u << v[1] | 1u << v[2] | 1u << v[3], 15u);
        counts[v[0] << 6 | v[1] << 4 | v[2] << 2 | v[3]]++;
    }
    for (int i = 0; i < 256; i++)
        if (counts[i] > 0 && cells < 24)
            dense[cells++] = counts[i];
    cr_assert_eq(cells, 24);
    cr_assert(chi_square(dense, 24, DRAWS) < chi_square_limit(23));
}

/* Flipping any one input bit must flip each output bit in about half of the cases. */
Test(rng, hash_mixes_every_argument)
{
    enum { CASES = 200 };
    for (int argument = 0; argument < 3; argument++) {
        for (int bit = 0; bit < 64; bit++) {
            int flipped = 0;
            for (uint64_t i = 0; i < CASES; i++) {
                uint64_t in[3] = {i * 3, i * i, i};
                const uint64_t before = eex_rng_hash(in[0], in[1], in[2]);
                in[argument] ^= UINT64_C(1) << bit;
                flipped += __builtin_popcountll(before ^ eex_rng_hash(in[0], in[1], in[2]));
            }
            cr_assert_float_eq(flipped / (double)CASES, 32.0, 2.0, "argument %d bit %d: %d",
                               argument, bit, flipped);
        }
    }
}

Test(rng, hash_uniform_is_uniform_over_counters)
{
    enum { DRAWS = 100000 };
    int counts[64] = {0};
    for (uint64_t i = 0; i < DRAWS; i++)
        counts[(int)(64.0 * eex_rng_hash_uniform(1, 2, i))]++;
    cr_assert(chi_square(counts, 64, DRAWS) < chi_square_limit(63));
}
