#include "core/plan/quantise.h"

#include <math.h>
#include <stdbool.h>

size_t eex_quantised_bytes(size_t n, int bits)
{
    return n / 8 * (size_t)bits + (n % 8 * (size_t)bits + 7) / 8;
}

static bool is_range(float low, float high)
{
    return isfinite(low) && isfinite(high) && high > low;
}

/* In double precision the range of any two floats is finite. */
static unsigned code_of(float x, int bits, float low, float high)
{
    const double last = (1u << bits) - 1;
    const double at = ((double)x - low) / ((double)high - low) * last;
    if (!(at > 0)) /* NaN too */
        return 0;
    return at < last ? (unsigned)(at + 0.5) : (unsigned)last;
}

void eex_quantise(unsigned char *out, const float *x, size_t n, int bits, float low, float high)
{
    const bool range = is_range(low, high);
    unsigned waiting = 0;
    int count = 0;
    for (size_t i = 0; i < n; i++) {
        waiting |= (range ? code_of(x[i], bits, low, high) : 0) << count;
        count += bits;
        for (; count >= 8; count -= 8, waiting >>= 8)
            *out++ = (unsigned char)waiting;
    }
    if (count)
        *out = (unsigned char)waiting;
}

static void write_levels(float *level, int bits, float low, float high)
{
    const int last = (1 << bits) - 1;
    const double range = is_range(low, high) ? (double)high - low : 0;
    for (int q = 0; q <= last; q++)
        level[q] = (float)(low + range * q / last);
}

void eex_dequantise(float *x, const unsigned char *in, size_t n, int bits, float low, float high)
{
    float level[1 << EEX_QUANTISE_MAX_BITS];
    write_levels(level, bits, low, high);
    unsigned waiting = 0;
    int count = 0;
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
