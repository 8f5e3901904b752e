#include "core/data/image_end.h"

#include "core/data/image_impl.h"

#include <stdbool.h>
#include <string.h>

static size_t end_of_webp(const uint8_t *data, size_t size)
{
    const size_t length =
        (size_t)data[4] | (size_t)data[5] << 8 | (size_t)data[6] << 16 | (size_t)data[7] << 24;
    return 8 + length + length % 2;
}

static size_t end_of_png(const uint8_t *data, size_t size)
{
    for (size_t at = 8; at + 12 <= size;) { /* chunks */
        const size_t length = (size_t)data[at] << 24 | (size_t)data[at + 1] << 16 |
                              (size_t)data[at + 2] << 8 | (size_t)data[at + 3];
        const bool last = memcmp(data + at + 4, "IEND", 4) == 0;
        at += 12 + length;
        if (last)
            return at;
    }
    return 0;
}

/* 0xff 0xd9 is nowhere but at the end: before it 0xff is followed by 0 or by the number of a
 * marker. A picture of the same within the header is not behind its end. */
static size_t end_of_jpeg(const uint8_t *data, size_t size)
{
    const size_t last = eex__mpo_last(data, size); /* where the last of several begins */
    size_t at = last + 2;
    while (at + 4 <= size && data[at] == 0xff && data[at + 1] != 0xda)
        at += 2 + ((size_t)data[at + 2] << 8 | data[at + 3]);
    for (; at + 2 <= size; at++)
        if (data[at] == 0xff && data[at + 1] == 0xd9)
            return at + 2;
    return 0;
}

/* Some fill up a TIFF's last page as if another followed. */
static size_t end_of_tiff(const uint8_t *data, size_t size)
{
    size_t at = eex__tiff_end(data, size);
    while (at && at < size && data[at] == 0)
        at++;
    return at;
}

size_t eex_image_end(const uint8_t *data, size_t size)
{
    if (size < 12)
        return 0;
    const size_t end = data[0] == 0xff   ? end_of_jpeg(data, size)
                       : data[0] == 0x89 ? end_of_png(data, size)
                       : data[0] == 'R'  ? end_of_webp(data, size)
                                         : end_of_tiff(data, size);
    return end < size ? end : 0;
}
