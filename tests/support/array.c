#include "support/array.h"

#include "base/rng.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { GUARD = 16 };
static const double guard_value = 12288; /* bfloat16 holds it */

const array_layout array_layouts[] = {{EEX_F32, 0}, {EEX_F32, 1}, {EEX_BF16, 0}, {EEX_BF16, 1}};

double array_tolerance(array_layout layout)
{
    return layout.precision == EEX_BF16 ? 1e-2 : 1e-5;
}

/* To nearest, ties to even. */
static uint16_t bits_of(double value)
{
    float single = (float)value;
    uint32_t bits;
    memcpy(&bits, &single, sizeof bits);
    if (isnan(single))
        return 0x7fc0;
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static double value_of(uint16_t half)
{
    uint32_t bits = (uint32_t)half << 16;
    float single;
    memcpy(&single, &bits, sizeof single);
    return single;
}

static size_t elements(array a)
{
    return GUARD + (size_t)a.layout.offset + a.n + GUARD;
}

static size_t first_of(array a)
{
    return GUARD + (size_t)a.layout.offset;
}

/* Elements `from` (all, guards included) to and from bytes in the array's precision. */
static void *pack(bench *b, array a, const double *from)
{
    size_t n = elements(a);
    void *bytes = bench_doubles(b, n);
    for (size_t i = 0; i < n; i++) {
        if (a.layout.precision == EEX_BF16)
            ((uint16_t *)bytes)[i] = bits_of(from[i]);
        else
            ((float *)bytes)[i] = (float)from[i];
    }
    return bytes;
}

static double unpack(array a, const void *bytes, size_t i)
{
    if (a.layout.precision == EEX_BF16)
        return value_of(((const uint16_t *)bytes)[i]);
    return ((const float *)bytes)[i];
}

void array_upload(bench *b, array a)
{
    double *all = bench_doubles(b, elements(a));
    for (size_t i = 0; i < elements(a); i++)
        all[i] = guard_value;
    for (size_t i = 0; i < a.n; i++)
        all[first_of(a) + i] = a.host[i] = value_of(bits_of(a.host[i]));
    size_t bytes = elements(a) * eex_precision_bytes(a.layout.precision);
    cr_assert_eq(b->dev->vtable->upload(b->dev, a.memory, pack(b, a, all), bytes), 0);
}

double *array_download(bench *b, array a)
{
    size_t bytes = elements(a) * eex_precision_bytes(a.layout.precision);
    void *raw = bench_doubles(b, elements(a));
    double *out = bench_doubles(b, a.n);
    cr_assert_eq(b->dev->vtable->download(b->dev, raw, a.memory, bytes), 0);
    for (size_t i = 0; i < elements(a); i++)
        if (i < first_of(a) || i >= first_of(a) + a.n)
            cr_assert_eq(unpack(a, raw, i), guard_value, "written outside, at %td of %zu",
                         (ptrdiff_t)i - (ptrdiff_t)first_of(a), a.n);
        else
            out[i - first_of(a)] = unpack(a, raw, i);
    return out;
}

static array array_new(bench *b, array_layout layout, size_t n)
{
    array a = {.n = n, .layout = layout};
    size_t size = eex_precision_bytes(layout.precision);
    void *bytes = bench_doubles(b, elements(a));
    a.host = bench_doubles(b, n);
    a.memory = bench_bytes(b, bytes, elements(a) * size);
    a.dev = (float *)(void *)((unsigned char *)a.memory + first_of(a) * size);
    return a;
}

array array_random(bench *b, array_layout layout, size_t n, uint64_t seed, double low, double high)
{
    eex_rng rng;
    eex_rng_seed(&rng, seed, 0);
    array a = array_new(b, layout, n);
    for (size_t i = 0; i < n; i++)
        a.host[i] = low + (high - low) * eex_rng_uniform(&rng);
    array_upload(b, a);
    return a;
}

array array_filled(bench *b, array_layout layout, size_t n, double value)
{
    array a = array_new(b, layout, n);
    for (size_t i = 0; i < n; i++)
        a.host[i] = value;
    array_upload(b, a);
    return a;
}

array array_poison(bench *b, array_layout layout, size_t n)
{
    return array_filled(b, layout, n, NAN);
}

void expect_near(const char *what, const double *got, const double *want, size_t n,
                 double tolerance)
{
    double difference = 0, norm = 0;
    for (size_t i = 0; i < n; i++) {
        difference += (got[i] - want[i]) * (got[i] - want[i]);
        norm += want[i] * want[i];
    }
    cr_assert(sqrt(difference) <= tolerance * sqrt(norm) + 1e-30, "%s: off by %g of its norm, %g",
              what, sqrt(difference / norm), sqrt(norm));
}
