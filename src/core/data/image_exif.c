/* One number of EXIF data, which are a TIFF file without pixels: TIFF 6.0, section 2;
 * Exif 2.3, 4.6.4. */
#include "core/data/image_impl.h"

#include <string.h>

enum { ORIENTATION = 0x112, SHORT = 3, ENTRY = 12 };

typedef struct reader {
    const uint8_t *data;
    size_t size;
    bool big; /* the most significant byte comes first */
} reader;

static uint32_t number(const reader *r, size_t at, int bytes)
{
    uint32_t value = 0;
    for (int i = 0; i < bytes; i++)
        value |= (uint32_t)r->data[at + (size_t)i] << 8 * (r->big ? bytes - 1 - i : i);
    return value;
}

int eex__exif_orientation(const uint8_t *data, size_t size)
{
    reader r = {data, size, size >= 2 && data[0] == 'M'};
    if (size < 8 || (memcmp(data, "II*\0", 4) != 0 && memcmp(data, "MM\0*", 4) != 0))
        return 1;
    const size_t folder = number(&r, 4, 4);
    if (folder > size - 2)
        return 1;
    const size_t entries = number(&r, folder, 2), first = folder + 2;
    for (size_t i = 0; i < entries && (i + 1) * ENTRY <= size - first; i++) {
        const size_t at = first + i * ENTRY;
        if (number(&r, at, 2) != ORIENTATION)
            continue;
        const uint32_t value = number(&r, at + 8, 2);
        const bool right = number(&r, at + 2, 2) == SHORT && value >= 1 && value <= 8;
        return right ? (int)value : 1;
    }
    return 1;
}
