/* SHA-256 (FIPS 180-4): checksums of data sets. */
#ifndef EEX_BASE_SHA256_H
#define EEX_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

typedef struct eex_sha256 {
    uint32_t state[8];
    uint64_t size;     /* bytes so far */
    uint8_t block[64]; /* the last size % 64 of them */
} eex_sha256;

enum { EEX_SHA256_BYTES = 32, EEX_SHA256_HEX = 65 };

void eex_sha256_begin(eex_sha256 *sha);
void eex_sha256_update(eex_sha256 *sha, const void *data, size_t size);
void eex_sha256_end(eex_sha256 *sha, uint8_t out[EEX_SHA256_BYTES]);

/* As 64 lower-case hexadecimal digits and a NUL. */
void eex_sha256_end_hex(eex_sha256 *sha, char out[EEX_SHA256_HEX]);
void eex_sha256_hex(char out[EEX_SHA256_HEX], const void *data, size_t size);

/* Of a whole file. EEX_ENOTFOUND, EEX_EIO, EEX_EINTERRUPTED on Ctrl-C. */
int eex_sha256_file(char out[EEX_SHA256_HEX], const char *path);

#endif
