#include "core/sweep/axes.h"

enum { BITS = 32, DEGREE = 5 };

/* Primitive polynomials and first direction numbers from Joe and Kuo's list new-joe-kuo-6.21201;
 * the first axis is van der Corput's sequence. */
static const struct {
    int degree;
    unsigned coefficients;
    uint32_t m[DEGREE];
} table[EEX_SWEEP_AXES] = {
    {0, 0, {0}},
    {1, 0, {1}},
    {2, 1, {1, 3}},
    {3, 1, {1, 3, 1}},
    {3, 2, {1, 1, 1}},
    {4, 1, {1, 1, 3, 3}},
    {4, 4, {1, 3, 5, 13}},
    {5, 2, {1, 1, 5, 5, 17}},
    {5, 4, {1, 1, 5, 5, 5}},
    {5, 7, {1, 1, 7, 11, 19}},
};

/* Direction numbers as fractions of 2^32. */
static void directions(uint32_t v[BITS], int axis)
{
    const int s = table[axis].degree;
    for (int i = 0; i < BITS; i++) {
        if (s == 0 || i < s) {
            v[i] = (s == 0 ? 1U : table[axis].m[i]) << (BITS - 1 - i);
            continue;
        }
        v[i] = v[i - s] ^ (v[i - s] >> s);
        for (int k = 1; k < s; k++)
            if (table[axis].coefficients >> (s - 1 - k) & 1)
                v[i] ^= v[i - k];
    }
}

/* In the order of Gray code: point i differs from the one before in one direction. */
double eex_sobol(uint32_t i, int axis)
{
    uint32_t v[BITS], x = 0;
    const uint32_t gray = i ^ (i >> 1);
    directions(v, axis);
    for (int b = 0; b < BITS; b++)
        if (gray >> b & 1)
            x ^= v[b];
    return (double)x * 0x1p-32;
}
