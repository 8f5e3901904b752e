/* Quantisation: the code of a value and the level of a code, the arithmetic that all devices and
 * plan/quantise.h share. Levels lie at even distances from low to high, both among them.
 *
 * A device whose compiler needs functions marked defines EEX_INLINE before it includes this. */
#ifndef EEX_DEVICE_QUANTISE_H
#define EEX_DEVICE_QUANTISE_H

#include "device/op.h"

#include <float.h>

enum { EEX_QUANTISE_MIN_BITS = 1, EEX_QUANTISE_MAX_BITS = 8 };

/* Whether there is anything between them: not where one is no finite number. */
EEX_INLINE bool eex_quantise_ranges(float low, float high)
{
    return low >= -FLT_MAX && high <= FLT_MAX && high > low;
}

/* The nearest level's, that of low for NaN. In double precision the range of any two floats is
 * finite. */
EEX_INLINE unsigned eex_quantise_code(float x, int bits, float low, float high)
{
    const double last = (1u << bits) - 1;
    double at = 0;
    if (eex_quantise_ranges(low, high))
        at = ((double)x - (double)low) / ((double)high - (double)low) * last;
    if (!(at > 0)) /* NaN too */
        return 0;
    return at < last ? (unsigned)(at + 0.5) : (unsigned)last;
}

EEX_INLINE float eex_quantise_level(unsigned code, int bits, float low, float high)
{
    const double last = (1u << bits) - 1;
    const double range = eex_quantise_ranges(low, high) ? (double)high - (double)low : 0;
    return (float)((double)low + range * (double)code / last);
}

#endif
