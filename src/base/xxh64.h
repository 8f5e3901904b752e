/* XXH64 (Yann Collet's xxHash, seed 0): finds damage as fast as memory is read. No protection from
 * those who want a collision. */
#ifndef EEX_BASE_XXH64_H
#define EEX_BASE_XXH64_H

#include <stddef.h>
#include <stdint.h>

typedef struct eex_xxh64 {
    uint64_t lane[4];
    uint64_t size;     /* bytes so far */
    uint8_t block[32]; /* the last size % 32 of them */
} eex_xxh64;

void eex_xxh64_begin(eex_xxh64 *hash);
void eex_xxh64_update(eex_xxh64 *hash, const void *data, size_t size);
uint64_t eex_xxh64_end(const eex_xxh64 *hash); /* more may still be added */

uint64_t eex_xxh64_of(const void *data, size_t size);

#endif
