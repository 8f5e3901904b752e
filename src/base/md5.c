#include "base/md5.h"

#include "base/signals.h"
#include "base/status.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 64, READ_SIZE = 1 << 16 };

typedef struct md5 {
    uint32_t state[4];
    uint32_t constants[64];
} md5;

static void begin(md5 *m)
{
    static const uint32_t initial[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
    memcpy(m->state, initial, sizeof initial);
    for (int i = 0; i < 64; i++) /* as the standard defines them */
        m->constants[i] = (uint32_t)(fabs(sin(i + 1)) * 4294967296.0);
}

static uint32_t rotate_left(uint32_t x, int n)
{
    return x << n | x >> (32 - n);
}

/* The mixing function and the word of the block that step i uses. */
static uint32_t step_input(int i, const uint32_t w[16], uint32_t b, uint32_t c, uint32_t d)
{
    switch (i / 16) {
    case 0:
        return ((b & c) | (~b & d)) + w[i];
    case 1:
        return ((d & b) | (~d & c)) + w[(5 * i + 1) % 16];
    case 2:
        return (b ^ c ^ d) + w[(3 * i + 5) % 16];
    default:
        return (c ^ (b | ~d)) + w[7 * i % 16];
    }
}

static void compress(md5 *m, const uint8_t *block)
{
    static const int turns[4][4] = {
        {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
    uint32_t w[16], a = m->state[0], b = m->state[1], c = m->state[2], d = m->state[3];
    for (int i = 0; i < 16; i++, block += 4)
        w[i] = block[0] | (uint32_t)block[1] << 8 | (uint32_t)block[2] << 16 |
               (uint32_t)block[3] << 24;
    for (int i = 0; i < 64; i++) {
        uint32_t sum = a + step_input(i, w, b, c, d) + m->constants[i];
        a = d;
        d = c;
        c = b;
        b += rotate_left(sum, turns[i / 16][i % 4]);
    }
    m->state[0] += a;
    m->state[1] += b;
    m->state[2] += c;
    m->state[3] += d;
}

/* The last, incomplete block with its padding and the length in bits. */
static void finish(md5 *m, const uint8_t *rest, size_t left, uint64_t size)
{
    uint8_t last[2 * BLOCK] = {0};
    size_t blocks = left < BLOCK - 8 ? 1 : 2;
    memcpy(last, rest, left);
    last[left] = 0x80;
    for (int i = 0; i < 8; i++)
        last[blocks * BLOCK - 8 + (size_t)i] = (uint8_t)(size * 8 >> (8 * i));
    for (size_t i = 0; i < blocks; i++)
        compress(m, last + i * BLOCK);
}

/* Reads until a multiple of the block is left over. READ_SIZE is one, so that only the end is not.
 */
static int digest(md5 *m, FILE *file, const char *path, uint8_t *buffer)
{
    uint64_t size = 0;
    for (;;) {
        size_t got = fread(buffer, 1, READ_SIZE, file), whole = got / BLOCK * BLOCK;
        if (eex_interrupted())
            return eex_fail(EEX_EINTERRUPTED, "interrupted while checking %s", path);
        for (size_t i = 0; i < whole; i += BLOCK)
            compress(m, buffer + i);
        size += got;
        if (got == READ_SIZE)
            continue;
        if (ferror(file))
            return eex_fail(EEX_EIO, "cannot read %s: %s", path, strerror(errno));
        finish(m, buffer + whole, got - whole, size);
        return EEX_OK;
    }
}

int eex_md5_file(char out[EEX_MD5_HEX], const char *path)
{
    md5 m;
    uint8_t *buffer = malloc(READ_SIZE);
    if (!buffer)
        return eex_fail(EEX_ENOMEM, "out of memory, cannot check %s", path);
    FILE *file = fopen(path, "rbe");
    if (!file) {
        free(buffer);
        return eex_fail(errno == ENOENT ? EEX_ENOTFOUND : EEX_EIO, "cannot open %s: %s", path,
                        strerror(errno));
    }
    begin(&m);
    int code = digest(&m, file, path, buffer);
    for (int i = 0; i < 16; i++)
        snprintf(out + 2 * i, 3, "%02x", m.state[i / 4] >> (8 * (i % 4)) & 255);
    fclose(file);
    free(buffer);
    return code;
}
