/* A walk over bytes of a file that never leaves them. What would, gives 0 and is remembered.
 * Numbers are little-endian, as everywhere in HDF5's structures. */
#ifndef EEX_CORE_STORE_H5_BYTES_H
#define EEX_CORE_STORE_H5_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct eex__h5_bytes {
    const uint8_t *at;
    size_t left;
    bool over; /* more was asked for than there is */
} eex__h5_bytes;

static inline eex__h5_bytes eex__h5_bytes_of(const void *data, size_t size)
{
    return (eex__h5_bytes){data, size, false};
}

/* The next `size` bytes; NULL when there are fewer. */
static inline const uint8_t *eex__h5_take(eex__h5_bytes *bytes, size_t size)
{
    const uint8_t *at = bytes->at;
    if (bytes->over || size > bytes->left) {
        bytes->over = true;
        return NULL;
    }
    bytes->at += size;
    bytes->left -= size;
    return at;
}

/* A number of `size` bytes, at most 8. */
static inline uint64_t eex__h5_number(eex__h5_bytes *bytes, size_t size)
{
    const uint8_t *at = eex__h5_take(bytes, size);
    uint64_t number = 0;
    for (size_t i = at ? size : 0; i > 0; i--)
        number = number << 8 | at[i - 1];
    return number;
}

static inline uint8_t eex__h5_byte(eex__h5_bytes *bytes)
{
    return (uint8_t)eex__h5_number(bytes, 1);
}

/* Bytes that a number takes which is at most `limit`, as HDF5 counts them. */
static inline size_t eex__h5_bytes_for(uint64_t limit)
{
    size_t size = 1;
    while (limit >>= 8)
        size++;
    return size;
}

/* Position of the highest bit; 0 for 0. */
static inline unsigned eex__h5_log2(uint64_t number)
{
    return number ? 63U - (unsigned)__builtin_clzll(number) : 0;
}

#endif
