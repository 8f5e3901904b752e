/* Random numbers that are the same everywhere for the same seed.
 *
 * eex_rng is a sequential generator (xoshiro256**) whose whole state is four words, so that it can
 * be stored and continued bit for bit. eex_rng_hash is the stateless kind: a number for each
 * (key0, key1, counter), for work that runs in parallel or must not depend on what came before. */
#ifndef EEX_BASE_RNG_H
#define EEX_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

/* A compiler that needs functions marked (for a device) defines this before it includes the header.
 */
#ifndef EEX_INLINE
#define EEX_INLINE static inline
#endif

typedef struct eex_rng {
    uint64_t s[4];
} eex_rng;

/* Different streams of one seed are independent: give each purpose its own. */
void eex_rng_seed(eex_rng *rng, uint64_t seed, uint64_t stream);

/* 64 uniform bits. */
uint64_t eex_rng_next(eex_rng *rng);

/* Uniform in 0..n-1 without bias; 0 when n is 0. */
uint64_t eex_rng_below(eex_rng *rng, uint64_t n);

/* Uniform in [0, 1), a multiple of 2^-53. */
double eex_rng_uniform(eex_rng *rng);

/* Standard normal (mean 0, deviation 1). */
double eex_rng_normal(eex_rng *rng);

/* Fisher-Yates; every permutation is equally likely. */
void eex_rng_shuffle(eex_rng *rng, uint32_t *values, size_t n);

/* A bijection of 64-bit words in which each input bit changes about half of the output bits (the
 * finaliser of SplitMix64). */
EEX_INLINE uint64_t eex_rng_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* 64 uniform bits that depend on nothing but the arguments. */
EEX_INLINE uint64_t eex_rng_hash(uint64_t key0, uint64_t key1, uint64_t counter)
{
    const uint64_t golden = UINT64_C(0x9e3779b97f4a7c15); /* odd, 2^64 / golden ratio */
    uint64_t h = eex_rng_mix(key0 + golden);
    h = eex_rng_mix((h ^ key1) + golden);
    return eex_rng_mix(h + golden * (counter + 1));
}

/* The same as a double in [0, 1). */
EEX_INLINE double eex_rng_hash_uniform(uint64_t key0, uint64_t key1, uint64_t counter)
{
    return (double)(eex_rng_hash(key0, key1, counter) >> 11) * 0x1p-53;
}

#endif
