#include "core/store/h5_link.h"

#include "core/store/h5_btree.h"
#include "core/store/h5_bytes.h"
#include "core/store/h5_heap.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

/* Of a link's flags. */
enum { LENGTH_BITS = 0x03, HAS_ORDER = 0x04, HAS_TYPE = 0x08, HAS_CODING = 0x10 };

static int add_link(eex__h5_links *links, const eex__h5_file *file, const uint8_t *name,
                    uint64_t length, int type, uint64_t address)
{
    if (length == 0 || memchr(name, '\0', length) || memchr(name, '/', length))
        return eex__h5_damaged(file, "a member has no proper name");
    eex__h5_link *more = eex__h5_grown(links->link, links->count, sizeof *more);
    if (!more)
        return eex__h5_no_memory(file);
    links->link = more;
    char *copy = strndup((const char *)name, length);
    if (!copy)
        return eex__h5_no_memory(file);
    links->link[links->count++] = (eex__h5_link){copy, address, type};
    return EEX_OK;
}

static int parse_link(eex__h5_links *links, const eex__h5_file *file, const uint8_t *data,
                      uint64_t size)
{
    eex__h5_bytes bytes = eex__h5_bytes_of(data, size);
    uint8_t version = eex__h5_byte(&bytes), flags = eex__h5_byte(&bytes);
    int type = flags & HAS_TYPE ? eex__h5_byte(&bytes) : EEX__H5_HARD_LINK;
    eex__h5_take(&bytes, (flags & HAS_ORDER ? 8 : 0) + (flags & HAS_CODING ? 1 : 0));
    uint64_t length = eex__h5_number(&bytes, (size_t)1 << (flags & LENGTH_BITS));
    const uint8_t *name = eex__h5_take(&bytes, length);
    uint64_t address = type == EEX__H5_HARD_LINK ? eex__h5_number(&bytes, 8) : EEX__H5_NOWHERE;
    if (bytes.over || version != 1)
        return eex__h5_damaged(file, "a link is cut off, or of an unknown version");
    return add_link(links, file, name, length, type, address);
}

/* ---- many links ---- */

typedef struct dense {
    eex__h5_links *links;
    const eex__h5_file *file;
    const eex__h5_heap *heap;
    uint64_t bytes; /* of all links so far */
} dense;

static int visit_link(void *data, const uint8_t *record, size_t size)
{
    dense *d = data;
    const uint8_t *link;
    uint64_t bytes;
    if (size != 4 + d->heap->id_bytes)
        return eex__h5_damaged(d->file, "its index does not fit its heap");
    EEX_TRY(eex__h5_heap_find(&link, &bytes, d->heap, d->file, record + 4));
    d->bytes += bytes;
    if (d->bytes > d->file->size)
        return eex__h5_damaged(d->file, "its links are larger than the file");
    return parse_link(d->links, d->file, link, bytes);
}

static int read_dense(eex__h5_links *links, const eex__h5_file *file, const eex__h5_message *info)
{
    eex__h5_heap heap;
    eex__h5_bytes bytes = eex__h5_bytes_of(info->data, info->size);
    uint8_t version = eex__h5_byte(&bytes), flags = eex__h5_byte(&bytes);
    eex__h5_take(&bytes, flags & 1 ? 8 : 0);
    uint64_t place = eex__h5_number(&bytes, 8), index = eex__h5_number(&bytes, 8);
    if (bytes.over || version != 0)
        return eex__h5_damaged(file, "what it says of its links is cut off");
    if (place == EEX__H5_NOWHERE)
        return EEX_OK;
    EEX_TRY(eex__h5_heap_read(&heap, file, place));
    dense d = {links, file, &heap, 0};
    int code = eex__h5_btree_visit(file, index, EEX__H5_BTREE_LINKS, visit_link, &d);
    eex__h5_heap_free(&heap);
    return code;
}

/* ---- all of them ---- */

static int compare(const void *a, const void *b)
{
    return strcmp(((const eex__h5_link *)a)->name, ((const eex__h5_link *)b)->name);
}

static int read_links(eex__h5_links *links, const eex__h5_file *file, const eex__h5_object *group)
{
    const eex__h5_message *info;
    EEX_TRY(eex__h5_object_find(&info, file, group, EEX__H5_SYMBOL_TABLE));
    if (info)
        return eex__h5_refused(file, "a group of the format before HDF5 1.8, which has no "
                                     "checksums: h5repack --low=2 makes a new one");
    EEX_TRY(eex__h5_object_find(&info, file, group, EEX__H5_LINK_INFO));
    if (!info)
        return eex__h5_refused(file, "expected a group");
    for (size_t i = 0; i < group->messages; i++)
        if (group->message[i].type == EEX__H5_LINK)
            EEX_TRY(parse_link(links, file, group->message[i].data, group->message[i].size));
    EEX_TRY(read_dense(links, file, info));
    if (links->count > 1)
        qsort(links->link, links->count, sizeof *links->link, compare);
    for (size_t i = 1; i < links->count; i++)
        if (compare(&links->link[i - 1], &links->link[i]) == 0)
            return eex__h5_damaged(file, "two members have the name %.100s", links->link[i].name);
    return EEX_OK;
}

int eex__h5_links_read(eex__h5_links *out, const eex__h5_file *file, const eex__h5_object *group)
{
    *out = (eex__h5_links){0};
    int code = read_links(out, file, group);
    if (code < 0)
        eex__h5_links_free(out);
    return code;
}

void eex__h5_links_free(eex__h5_links *links)
{
    for (size_t i = 0; i < links->count; i++)
        free(links->link[i].name);
    free(links->link);
    *links = (eex__h5_links){0};
}

static int compare_name(const void *name, const void *link)
{
    return strcmp(name, ((const eex__h5_link *)link)->name);
}

const eex__h5_link *eex__h5_links_find(const eex__h5_links *links, const char *name)
{
    if (links->count == 0)
        return NULL;
    return bsearch(name, links->link, links->count, sizeof *links->link, compare_name);
}
