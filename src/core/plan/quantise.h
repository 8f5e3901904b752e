/* Quantisation: values in few bits, as they are sent between a device and a server (Section IV of
 * the paper on early exit prediction truncates 32 bits to 8).
 *
 * A code of b bits stands for one of 2^b levels at even distances, the first of them low and the
 * last high. A value gets the code of the level that is nearest, ties to the one above; what lies
 * outside, infinities included, gets that of the nearest end, and NaN that of low. Where high is
 * not above low, or one of them is not finite, every code is 0 and every value low. A level's own
 * code is that level's again as long as float32 can tell its neighbours apart, so quantising twice
 * changes nothing.
 *
 * Codes lie one behind the other from the lowest bit of the first byte on; bits that are left over
 * in the last byte are 0. The bytes are the same on every machine. */
#ifndef EEX_CORE_PLAN_QUANTISE_H
#define EEX_CORE_PLAN_QUANTISE_H

#include "device/quantise.h"

#include <stddef.h>

/* `bits` is within EEX_QUANTISE_MIN_BITS .. EEX_QUANTISE_MAX_BITS everywhere. */

/* Of n codes. */
size_t eex_quantised_bytes(size_t n, int bits);

/* out: as many bytes. */
void eex_quantise(unsigned char *out, const float *x, size_t n, int bits, float low, float high);
/* The levels of n codes: within low and high, whatever the bytes are. */
void eex_dequantise(float *x, const unsigned char *in, size_t n, int bits, float low, float high);

#endif
