#include "base/xxh64.h"

#include <endian.h>
#include <string.h>

static const uint64_t prime1 = 0x9e3779b185ebca87, prime2 = 0xc2b2ae3d27d4eb4f,
                      prime3 = 0x165667b19e3779f9, prime4 = 0x85ebca77c2b2ae63,
                      prime5 = 0x27d4eb2f165667c5;

static uint64_t rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static uint64_t load64(const uint8_t *at)
{
    uint64_t number;
    memcpy(&number, at, sizeof number);
    return le64toh(number);
}

static uint32_t load32(const uint8_t *at)
{
    uint32_t number;
    memcpy(&number, at, sizeof number);
    return le32toh(number);
}

static uint64_t turn(uint64_t lane, uint64_t input)
{
    return rotate(lane + input * prime2, 31) * prime1;
}

static void add_blocks(uint64_t lane[4], const uint8_t *at, size_t blocks)
{
    uint64_t a = lane[0], b = lane[1], c = lane[2], d = lane[3];
    for (; blocks > 0; blocks--, at += 32) {
        a = turn(a, load64(at));
        b = turn(b, load64(at + 8));
        c = turn(c, load64(at + 16));
        d = turn(d, load64(at + 24));
    }
    lane[0] = a;
    lane[1] = b;
    lane[2] = c;
    lane[3] = d;
}

void eex_xxh64_begin(eex_xxh64 *hash)
{
    *hash = (eex_xxh64){{prime1 + prime2, prime2, 0, 0 - prime1}, 0, {0}};
}

void eex_xxh64_update(eex_xxh64 *hash, const void *data, size_t size)
{
    const uint8_t *at = data;
    size_t held = hash->size % 32;
    hash->size += size;
    if (held + size < 32) {
        if (size > 0)
            memcpy(hash->block + held, at, size);
        return;
    }
    if (held > 0) {
        memcpy(hash->block + held, at, 32 - held);
        add_blocks(hash->lane, hash->block, 1);
        at += 32 - held;
        size -= 32 - held;
    }
    add_blocks(hash->lane, at, size / 32);
    memcpy(hash->block, at + size / 32 * 32, size % 32);
}

static uint64_t join_lanes(const uint64_t lane[4])
{
    uint64_t h =
        rotate(lane[0], 1) + rotate(lane[1], 7) + rotate(lane[2], 12) + rotate(lane[3], 18);
    for (int i = 0; i < 4; i++)
        h = (h ^ turn(0, lane[i])) * prime1 + prime4;
    return h;
}

uint64_t eex_xxh64_end(const eex_xxh64 *hash)
{
    const uint8_t *at = hash->block;
    size_t left = hash->size % 32;
    uint64_t h = hash->size >= 32 ? join_lanes(hash->lane) : prime5;
    h += hash->size;
    for (; left >= 8; left -= 8, at += 8)
        h = rotate(h ^ turn(0, load64(at)), 27) * prime1 + prime4;
    for (; left >= 4; left -= 4, at += 4)
        h = rotate(h ^ load32(at) * prime1, 23) * prime2 + prime3;
    for (; left > 0; left--, at++)
        h = rotate(h ^ *at * prime5, 11) * prime1;
    h = (h ^ h >> 33) * prime2;
    h = (h ^ h >> 29) * prime3;
    return h ^ h >> 32;
}

uint64_t eex_xxh64_of(const void *data, size_t size)
{
    eex_xxh64 hash;
    eex_xxh64_begin(&hash);
    eex_xxh64_update(&hash, data, size);
    return eex_xxh64_end(&hash);
}
