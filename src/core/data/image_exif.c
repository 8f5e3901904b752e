/* One number of EXIF data, which are a TIFF file without pixels: TIFF 6.0, section 2;
 * Exif 2.3, 4.6.4. */
#include "core/data/image_ifd.h"
#include "core/data/image_impl.h"

#include <string.h>

enum { ORIENTATION = 0x112, ENTRY = 12 };

int eex__exif_orientation(const uint8_t *data, size_t size)
{
    const eex__ifd_reader r = {data, size, size >= 2 && data[0] == 'M'};
    if (size < 8 || (memcmp(data, "II*\0", 4) != 0 && memcmp(data, "MM\0*", 4) != 0))
        return 1;
    const size_t folder = eex__ifd_number(&r, 4, 4);
    if (folder > size - 2)
        return 1;
    const size_t entries = eex__ifd_number(&r, folder, 2), first = folder + 2;
    for (size_t i = 0; i < entries && (i + 1) * ENTRY <= size - first; i++) {
        const size_t at = first + i * ENTRY;
        if (eex__ifd_number(&r, at, 2) != ORIENTATION)
            continue;
        const uint64_t value = eex__ifd_number(&r, at + 8, 2);
        const bool right =
            eex__ifd_number(&r, at + 2, 2) == EEX__IFD_SHORT && value >= 1 && value <= 8;
        return right ? (int)value : 1;
    }
    return 1;
}
