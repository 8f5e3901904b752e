#include "core/plan/quantise.h"

size_t eex_quantised_bytes(size_t n, int bits)
{
    return n / 8 * (size_t)bits + (n % 8 * (size_t)bits + 7) / 8;
}

void eex_quantise(unsigned char *out, const float *x, size_t n, int bits, float low, float high)
{
    unsigned waiting = 0;
    int count = 0;
    for (size_t i = 0; i < n; i++) {
        waiting |= eex_quantise_code(x[i], bits, low, high) << count;
        count += bits;
        for (; count >= 8; count -= 8, waiting >>= 8)
            *out++ = (unsigned char)waiting;
    }
    if (count)
        *out = (unsigned char)waiting;
}

void eex_dequantise(float *x, const unsigned char *in, size_t n, int bits, float low, float high)
{
    float level[1 << EEX_QUANTISE_MAX_BITS];
    unsigned waiting = 0;
    int count = 0;
    for (unsigned code = 0; code < 1u << bits; code++)
        level[code] = eex_quantise_level(code, bits, low, high);
    for (size_t i = 0; i < n; i++) {
        if (count < bits) {
            waiting |= (unsigned)*in++ << count;
            count += 8;
        }
        x[i] = level[waiting & ((1u << bits) - 1)];
        waiting >>= bits;
        count -= bits;
    }
}
