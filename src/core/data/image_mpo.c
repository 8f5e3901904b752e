/* JPEG files of several images, one behind the other, with a list of them in the header of the
 * first: CIPA DC-007, Multi-Picture Format. Cameras put panoramas and both eyes' views into such
 * files, and telephones a preview or a map of brightness, which is no image of its own. */
#include "core/data/image_ifd.h"
#include "core/data/image_impl.h"

#include <string.h>

enum {
    IMAGES = 0xb002, /* tag of the list */
    ENTRY = 12,      /* of a directory */
    LISTED = 16,   /* bytes of an image in the list: what it is, size, offset, two it depends on */
    MOST = 4096,   /* of the list are looked at */
    SEGMENTS = 64, /* of a header, likewise */
    KIND = 0xffffff, /* bits of what it is: */
    PREVIEWS = 0x01, /* their upper byte */
    HEAD = 4         /* bytes of "MPF" */
};

typedef struct list {
    eex__ifd_reader r; /* offsets count from its beginning */
    size_t base;       /* where that is in the file */
    size_t at, count;  /* of the images */
} list;

/* Where the data of a segment begin, from *at on, which moves behind it; 0: no more in front of the
 * pixels. */
static size_t next_segment(size_t *at, size_t *length, uint8_t *marker, const uint8_t *data,
                           size_t size)
{
    const size_t from = *at;
    if (from > size || size - from < 4 || data[from] != 0xff || data[from + 1] == 0xda)
        return 0;
    *marker = data[from + 1];
    *length = (size_t)data[from + 2] << 8 | data[from + 3];
    if (*length < 2 || *length > size - from - 2)
        return 0;
    *length -= 2;
    *at = from + 4 + *length;
    return from + 4;
}

static bool find_directory(list *l, const uint8_t *data, size_t size)
{
    size_t at = 2, length, from;
    uint8_t marker;
    for (int i = 0; i < SEGMENTS; i++) {
        from = next_segment(&at, &length, &marker, data, size);
        if (from == 0)
            return false;
        if (marker != 0xe2 || length < HEAD + 8 || memcmp(data + from, "MPF", HEAD) != 0)
            continue;
        l->base = from + HEAD;
        l->r = (eex__ifd_reader){data + l->base, length - HEAD, data[l->base] == 'M'};
        return true;
    }
    return false;
}

static bool find_list(list *l, const uint8_t *data, size_t size)
{
    if (!find_directory(l, data, size))
        return false;
    const size_t directory = (size_t)eex__ifd_number(&l->r, 4, 4);
    if (directory > l->r.size - 2)
        return false;
    const size_t entries = (size_t)eex__ifd_number(&l->r, directory, 2), first = directory + 2;
    for (size_t i = 0; i < entries && (i + 1) * ENTRY <= l->r.size - first; i++) {
        const size_t at = first + i * ENTRY;
        if (eex__ifd_number(&l->r, at, 2) != IMAGES)
            continue;
        l->count = (size_t)eex__ifd_number(&l->r, at + 4, 4) / LISTED;
        l->at = (size_t)eex__ifd_number(&l->r, at + 8, 4);
        l->count = l->count < MOST ? l->count : MOST;
        return l->at < l->r.size && l->count <= (l->r.size - l->at) / LISTED;
    }
    return false;
}

/* Where image i begins in the file; 0: it is the first, or there is none. */
static size_t begin_of(const list *l, size_t i, size_t size)
{
    const size_t offset = (size_t)eex__ifd_number(&l->r, l->at + i * LISTED + 8, 4);
    return offset && offset < size - l->base ? l->base + offset : 0;
}

/* Height, width and number of colours, as bytes of a frame's header; NULL: there is none. */
static const uint8_t *size_of(const uint8_t *data, size_t size)
{
    size_t at = 2, length, from;
    uint8_t marker = 0;
    for (int i = 0; i < SEGMENTS; i++) {
        from = next_segment(&at, &length, &marker, data, size);
        if (from == 0)
            return NULL;
        if (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc)
            return length >= 6 ? data + from + 1 : NULL;
    }
    return NULL;
}

/* What the list does not call a preview, and where it does not say what it is, whatever has the
 * first one's size and colours. */
static bool is_image(const list *l, size_t i, const uint8_t *data, size_t size)
{
    const uint64_t kind = eex__ifd_number(&l->r, l->at + i * LISTED, 4) & KIND;
    const size_t begin = begin_of(l, i, size);
    if (begin == 0 || kind >> 16 == PREVIEWS)
        return false;
    const uint8_t *own = size_of(data + begin, size - begin), *first = size_of(data, size);
    return own && first && (kind || memcmp(own, first, 5) == 0);
}

int eex__jpeg_count(const uint8_t *data, size_t size)
{
    list l = {.count = 0};
    int count = 1;
    if (!find_list(&l, data, size))
        return 1;
    for (size_t i = 0; i < l.count && count < EEX_IMAGE_MAX_COUNTED; i++)
        count += is_image(&l, i, data, size);
    return count;
}

size_t eex__mpo_last(const uint8_t *data, size_t size)
{
    list l = {.count = 0};
    size_t last = 0;
    if (!find_list(&l, data, size))
        return 0;
    for (size_t i = 0; i < l.count; i++) {
        const size_t begin = begin_of(&l, i, size);
        last = begin > last ? begin : last;
    }
    return last;
}
