#include "core/store/h5_checksum.h"

#include "base/rng.h"

#include <criterion/criterion.h>
#include <string.h>

/* The examples in Bob Jenkins' lookup3.c. */
Test(checksum, lookup3)
{
    const char text[] = "Four score and seven years ago";
    cr_assert_eq(eex__h5_lookup3("", 0), 0xdeadbeef);
    cr_assert_eq(eex__h5_lookup3(text, strlen(text)), 0x17770551);
}

/* As its inventor describes it: two sums with end-around carries. */
static uint32_t plain_fletcher32(const uint8_t *data, size_t size)
{
    uint32_t a = 0, b = 0;
    for (size_t i = 0; i < size; i += 2) {
        a += (uint32_t)data[i] << 8 | (i + 1 < size ? data[i + 1] : 0);
        a = (a & 0xffff) + (a >> 16);
        b += a;
        b = (b & 0xffff) + (b >> 16);
    }
    return b << 16 | a;
}

Test(checksum, fletcher32)
{
    static uint8_t data[5000];
    eex_rng rng;
    eex_rng_seed(&rng, 1, 0);
    for (int kind = 0; kind < 3; kind++) {
        for (size_t i = 0; i < sizeof data; i++)
            data[i] = kind == 0 ? 0 : kind == 1 ? 0xff : (uint8_t)eex_rng_below(&rng, 256);
        for (size_t size = 0; size < sizeof data; size += size < 1100 ? 1 : 331)
            cr_assert_eq(eex__h5_fletcher32(data, size), plain_fletcher32(data, size),
                         "%zu bytes of kind %d", size, kind);
    }
}

Test(checksum, one_changed_byte_is_always_seen)
{
    static uint8_t data[3000];
    uint32_t sum = eex__h5_fletcher32(data, sizeof data);
    for (size_t i = 0; i < sizeof data; i++)
        for (int changed = 1; changed < 256; changed += 127) {
            data[i] = (uint8_t)changed;
            cr_assert_not(eex__h5_fletcher32_fits(data, sizeof data, sum));
            cr_assert_neq(eex__h5_lookup3(data, i + 1), eex__h5_lookup3(data, i));
            data[i] = 0;
        }
}
