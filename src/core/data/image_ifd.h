/* Numbers of TIFF data, of either byte order. */
#ifndef EEX_CORE_DATA_IMAGE_IFD_H
#define EEX_CORE_DATA_IMAGE_IFD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct eex__ifd_reader {
    const uint8_t *data;
    size_t size;
    bool big; /* the most significant byte comes first */
} eex__ifd_reader;

enum { EEX__IFD_SHORT = 3, EEX__IFD_LONG = 4 }; /* types of numbers: two bytes and four */

/* Of up to 8 bytes, which are there. */
static inline uint64_t eex__ifd_number(const eex__ifd_reader *r, size_t at, int bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++)
        value |= (uint64_t)r->data[at + (size_t)i] << 8 * (r->big ? bytes - 1 - i : i);
    return value;
}

#endif
