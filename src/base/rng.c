#include "base/rng.h"

#include <math.h>

static inline uint64_t rotate_left(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

void eex_rng_seed(eex_rng *rng, uint64_t seed, uint64_t stream)
{
    uint64_t any = 0;
    for (uint64_t i = 0; i < 4; i++)
        any |= rng->s[i] = eex_rng_hash(seed, stream, i);
    if (any == 0) /* the one state that xoshiro never leaves */
        rng->s[0] = 1;
}

uint64_t eex_rng_next(eex_rng *rng)
{
    uint64_t *s = rng->s;
    const uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    const uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t eex_rng_below(eex_rng *rng, uint64_t n)
{
    if (n == 0)
        return 0;
    /* The high word of next * n is uniform once the low words that occur once too often, the first
     * 2^64 mod n of them, are thrown away (Lemire 2019). */
    const uint64_t surplus = -n % n;
    for (;;) {
        unsigned __int128 product = (unsigned __int128)eex_rng_next(rng) * n;
        if ((uint64_t)product >= surplus)
            return (uint64_t)(product >> 64);
    }
}

double eex_rng_uniform(eex_rng *rng)
{
    return (double)(eex_rng_next(rng) >> 11) * 0x1p-53;
}

double eex_rng_normal(eex_rng *rng)
{
    /* Box-Muller. Its second value is not kept: the state would no longer be four words. */
    const double two_pi = 6.283185307179586476925;
    double radius = sqrt(-2.0 * log(1.0 - eex_rng_uniform(rng))); /* 1 - u is never 0 */
    return radius * cos(two_pi * eex_rng_uniform(rng));
}

void eex_rng_shuffle(eex_rng *rng, uint32_t *values, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t)eex_rng_below(rng, i);
        uint32_t kept = values[i - 1];
        values[i - 1] = values[j];
        values[j] = kept;
    }
}
