#include "base/sha256.h"

#include "base/signals.h"
#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static inline uint32_t rotate_right(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

/* The 16 words of a block and the 48 that are made of them. */
static void schedule(uint32_t w[64], const uint8_t *block)
{
    for (int i = 0; i < 16; i++, block += 4)
        w[i] = (uint32_t)block[0] << 24 | (uint32_t)block[1] << 16 | (uint32_t)block[2] << 8 |
               block[3];
    for (int i = 16; i < 64; i++) {
        const uint32_t a = w[i - 15], b = w[i - 2];
        w[i] = w[i - 16] + (rotate_right(a, 7) ^ rotate_right(a, 18) ^ a >> 3) + w[i - 7] +
               (rotate_right(b, 17) ^ rotate_right(b, 19) ^ b >> 10);
    }
}

static void compress(uint32_t state[8], const uint8_t *block)
{
    uint32_t w[64], v[8];
    schedule(w, block);
    memcpy(v, state, sizeof v);
    for (int i = 0; i < 64; i++) {
        const uint32_t a = v[0], e = v[4];
        const uint32_t choice = (e & v[5]) ^ (~e & v[6]);
        const uint32_t majority = (a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]);
        const uint32_t t1 = v[7] +
                            (rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25)) +
                            choice + constants[i] + w[i];
        const uint32_t t2 =
            (rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22)) + majority;
        memmove(v + 1, v, 7 * sizeof *v);
        v[4] += t1;
        v[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++)
        state[i] += v[i];
}

void eex_sha256_begin(eex_sha256 *sha)
{
    static const uint32_t initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    memset(sha, 0, sizeof *sha);
    memcpy(sha->state, initial, sizeof initial);
}

void eex_sha256_update(eex_sha256 *sha, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    while (size > 0) {
        const size_t filled = sha->size % 64;
        const size_t part = size < 64 - filled ? size : 64 - filled;
        memcpy(sha->block + filled, bytes, part);
        if (filled + part == 64)
            compress(sha->state, sha->block);
        sha->size += part;
        bytes += part;
        size -= part;
    }
}

void eex_sha256_end(eex_sha256 *sha, uint8_t out[EEX_SHA256_BYTES])
{
    static const uint8_t padding[64] = {0x80};
    const uint64_t bits = sha->size * 8;
    const size_t filled = sha->size % 64;
    eex_sha256_update(sha, padding, filled < 56 ? 56 - filled : 120 - filled);
    uint8_t length[8];
    for (int i = 0; i < 8; i++)
        length[i] = (uint8_t)(bits >> (56 - 8 * i));
    eex_sha256_update(sha, length, sizeof length);
    for (int i = 0; i < EEX_SHA256_BYTES; i++)
        out[i] = (uint8_t)(sha->state[i / 4] >> (24 - 8 * (i % 4)));
}

void eex_sha256_end_hex(eex_sha256 *sha, char out[EEX_SHA256_HEX])
{
    uint8_t bytes[EEX_SHA256_BYTES];
    eex_sha256_end(sha, bytes);
    for (int i = 0; i < EEX_SHA256_BYTES; i++) {
        out[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    out[EEX_SHA256_HEX - 1] = '\0';
}

void eex_sha256_hex(char out[EEX_SHA256_HEX], const void *data, size_t size)
{
    eex_sha256 sha;
    eex_sha256_begin(&sha);
    eex_sha256_update(&sha, data, size);
    eex_sha256_end_hex(&sha, out);
}

static int update_from(eex_sha256 *sha, int file, const char *path)
{
    uint8_t chunk[32 * 1024];
    for (;;) {
        const ssize_t got = read(file, chunk, sizeof chunk);
        if (got == 0)
            return EEX_OK;
        if (eex_interrupted())
            return eex_fail(EEX_EINTERRUPTED, "interrupted while reading %s", path);
        if (got > 0)
            eex_sha256_update(sha, chunk, (size_t)got);
        else if (errno != EINTR)
            return eex_fail(EEX_EIO, "cannot read %s: %s", path, strerror(errno));
    }
}

int eex_sha256_file(char out[EEX_SHA256_HEX], const char *path)
{
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return eex_fail(errno == ENOENT ? EEX_ENOTFOUND : EEX_EIO, "cannot open %s: %s", path,
                        strerror(errno));
    eex_sha256 sha;
    eex_sha256_begin(&sha);
    const int code = update_from(&sha, file, path);
    close(file);
    if (code == EEX_OK)
        eex_sha256_end_hex(&sha, out);
    return code;
}
