#include "core/engine/part_impl.h"

#include <float.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "payloads are little-endian, as memory is");

/* The least and the largest of its elements, in front of its codes. */
typedef struct range {
    float low, high;
} range;

static size_t elements(const eex_passing *value)
{
    return value->row_bytes / sizeof(float);
}

size_t eex__packed_bytes(const eex_passing *value, int bits)
{
    return bits == 0 ? value->row_bytes
                     : sizeof(range) + eex_quantised_bytes(elements(value), bits);
}

/* What is not finite is left out: its code is that of an end. */
static range find_range(const float *x, size_t n)
{
    range r = {FLT_MAX, -FLT_MAX};
    for (size_t i = 0; i < n; i++) {
        r.low = x[i] < r.low && x[i] >= -FLT_MAX ? x[i] : r.low;
        r.high = x[i] > r.high && x[i] <= FLT_MAX ? x[i] : r.high;
    }
    return r.low <= r.high ? r : (range){0, 0};
}

void eex__pack(unsigned char *out, const eex_passing *value, const unsigned char *row, int bits)
{
    if (bits == 0) {
        memcpy(out, row, value->row_bytes);
        return;
    }
    const float *x = (const float *)(const void *)row;
    const range r = find_range(x, elements(value));
    memcpy(out, &r, sizeof r);
    eex_quantise(out + sizeof r, x, elements(value), bits, r.low, r.high);
}

void eex__unpack(unsigned char *row, const eex_passing *value, const unsigned char *in, int bits)
{
    range r;
    if (bits == 0) {
        memcpy(row, in, value->row_bytes);
        return;
    }
    memcpy(&r, in, sizeof r);
    eex_dequantise((float *)(void *)row, in + sizeof r, elements(value), bits, r.low, r.high);
}
