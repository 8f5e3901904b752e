/* One number of EXIF data, which are a TIFF file without pixels: TIFF 6.0, section 2;
 * Exif 2.3, 4.6.4. */
#include "core/data/image_ifd.h"
#include "core/data/image_impl.h"

#include <string.h>

enum { ORIENTATION = 0x112, ENTRY = 12 };

/* The number of an entry for one; whoever writes them, takes a type of two bytes or of four. */
static int orientation_at(const eex__ifd_reader *r, size_t at)
{
    const uint64_t type = eex__ifd_number(r, at + 2, 2);
    const uint64_t value = eex__ifd_number(r, at + 8, type == EEX__IFD_LONG ? 4 : 2);
    const bool known = type == EEX__IFD_SHORT || type == EEX__IFD_LONG;
    return known && value >= 1 && value <= 8 ? (int)value : 1;
}

int eex__exif_orientation(const uint8_t *data, size_t size)
{
    if (size >= 6 && memcmp(data, "Exif\0\0", 6) == 0) { /* as it stands in a JPEG */
        data += 6;
        size -= 6;
    }
    const eex__ifd_reader r = {data, size, size >= 2 && data[0] == 'M'};
    if (size < 8 || (memcmp(data, "II*\0", 4) != 0 && memcmp(data, "MM\0*", 4) != 0))
        return 1;
    const size_t folder = eex__ifd_number(&r, 4, 4);
    if (folder > size - 2)
        return 1;
    const size_t entries = eex__ifd_number(&r, folder, 2), first = folder + 2;
    for (size_t i = 0; i < entries && (i + 1) * ENTRY <= size - first; i++)
        if (eex__ifd_number(&r, first + i * ENTRY, 2) == ORIENTATION)
            return orientation_at(&r, first + i * ENTRY);
    return 1;
}
