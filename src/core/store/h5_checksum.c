#include "core/store/h5_checksum.h"

#include <string.h>

static uint32_t rotate(uint32_t x, int bits)
{
    return x << bits | x >> (32 - bits);
}

static uint32_t word(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void mix(uint32_t s[3])
{
    static const int turn[6] = {4, 6, 8, 16, 19, 4};
    for (int i = 0; i < 6; i++) {
        uint32_t *a = &s[i % 3], *b = &s[(i + 1) % 3], *c = &s[(i + 2) % 3];
        *a -= *c;
        *a ^= rotate(*c, turn[i]);
        *c += *b;
    }
}

static void finish(uint32_t s[3])
{
    static const int turn[7] = {14, 11, 25, 16, 4, 14, 24};
    for (int i = 0; i < 7; i++) { /* c from b, a from c, b from a, and again */
        uint32_t *to = &s[(i + 2) % 3], from = s[(i + 1) % 3];
        *to ^= from;
        *to -= rotate(from, turn[i]);
    }
}

uint32_t eex__h5_lookup3(const void *data, size_t size)
{
    const uint8_t *at = data;
    uint32_t begin = 0xdeadbeefU + (uint32_t)size, s[3] = {begin, begin, begin};
    for (; size > 12; size -= 12, at += 12) {
        for (int i = 0; i < 3; i++)
            s[i] += word(at + (size_t)4 * i);
        mix(s);
    }
    if (size == 0)
        return s[2];
    uint8_t last[12] = {0};
    memcpy(last, at, size);
    for (int i = 0; i < 3; i++)
        s[i] += word(last + (size_t)4 * i);
    finish(s);
    return s[2];
}

/* ---- Fletcher-32 ---- */

/* With words w[0..n): the first sum is of the words, the second of the first sums so far, which is
 * that of (n - i) w[i]. So a block needs no chain of additions, and its loop becomes vectors. */
enum { BLOCK = 256 };

static void add_block(uint64_t *sum, uint64_t *sums, const uint8_t *data)
{
    uint32_t plain = 0, weighted = 0; /* at most 2^16 2^8 2^7 */
    for (uint32_t i = 0; i < BLOCK; i++) {
        uint32_t w = (uint32_t)data[2 * i] << 8 | data[2 * i + 1];
        plain += w;
        weighted += (BLOCK - i) * w;
    }
    *sums += BLOCK * *sum + weighted;
    *sum += plain;
}

/* Modulo 65535, where what is not zero never becomes zero: end-around carries do that. */
static uint64_t fold(uint64_t sum)
{
    uint64_t rest = sum % 65535;
    return rest == 0 && sum > 0 ? 65535 : rest;
}

uint32_t eex__h5_fletcher32(const void *data, size_t size)
{
    const uint8_t *at = data;
    uint64_t sum = 0, sums = 0;
    for (; size >= (size_t)2 * BLOCK; size -= (size_t)2 * BLOCK, at += (size_t)2 * BLOCK) {
        add_block(&sum, &sums, at);
        sum = fold(sum);
        sums = fold(sums);
    }
    for (; size >= 2; size -= 2, at += 2) {
        sum += (uint64_t)at[0] << 8 | at[1];
        sums += sum;
    }
    if (size > 0) {
        sum += (uint64_t)at[0] << 8;
        sums += sum;
    }
    return (uint32_t)(fold(sums) << 16 | fold(sum));
}

bool eex__h5_lookup3_fits(const void *data, size_t size, uint32_t stored)
{
    return eex__h5_lookup3(data, size) == stored;
}

bool eex__h5_fletcher32_fits(const void *data, size_t size, uint32_t stored)
{
    return eex__h5_fletcher32(data, size) == stored;
}
