#include "base/xxh64.h"

#include <criterion/criterion.h>
#include <string.h>

static void expect(const char *text, uint64_t sum)
{
    cr_assert_eq(eex_xxh64_of(text, strlen(text)), sum, "\"%s\"", text);
}

/* From the reference implementation's documentation and python-xxhash. */
Test(xxh64, published_examples)
{
    expect("", 0xef46db3751d8e999);
    expect("a", 0xd24ec4f1a98c6e5b);
    expect("abc", 0x44bc2cf5ad770999);
    expect("Nobody inspects the spammish repetition", 0xfbcea83c8a378bf1);
}

Test(xxh64, pieces_make_the_same_as_the_whole)
{
    static uint8_t data[1000];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * i >> 3);
    for (size_t size = 0; size < sizeof data; size += 7) {
        eex_xxh64 hash;
        eex_xxh64_begin(&hash);
        for (size_t at = 0, part = 1; at < size; at += part, part = part * 5 % 67 + 1) {
            part = part < size - at ? part : size - at;
            eex_xxh64_update(&hash, data + at, part);
        }
        cr_assert_eq(eex_xxh64_end(&hash), eex_xxh64_of(data, size), "%zu bytes", size);
    }
}
