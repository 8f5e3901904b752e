#include "core/store/h5_attribute.h"

#include "core/store/h5_btree.h"
#include "core/store/h5_bytes.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

enum { SHARED = 0x03 }; /* of an attribute's flags: its type or extents are kept elsewhere */

/* Version 1 rounds what it stores up to whole words. */
static uint64_t stored_bytes(uint8_t version, uint64_t size)
{
    return version == 1 ? (size + 7) & ~7ULL : size;
}

static int parse_parts(eex__h5_attribute *a, const eex__h5_file *file, eex__h5_bytes *bytes,
                       uint8_t version, const uint8_t **name)
{
    uint64_t sizes[3];
    for (int i = 0; i < 3; i++)
        sizes[i] = eex__h5_number(bytes, 2);
    eex__h5_take(bytes, version == 3 ? 1 : 0);
    *name = eex__h5_take(bytes, stored_bytes(version, sizes[0]));
    const uint8_t *type = eex__h5_take(bytes, stored_bytes(version, sizes[1]));
    const uint8_t *space = eex__h5_take(bytes, stored_bytes(version, sizes[2]));
    if (bytes->over || sizes[0] < 2 || (*name)[sizes[0] - 1] != '\0')
        return eex__h5_damaged(file, "an attribute is cut off");
    EEX_TRY(eex__h5_type_parse(&a->type, file, type, sizes[1]));
    EEX_TRY(eex__h5_space_parse(&a->space, file, space, sizes[2]));
    EEX_TRY(eex__h5_space_count(&a->count, file, &a->space));
    if (a->count > bytes->left / a->type.size)
        return eex__h5_damaged(file, "attribute %.100s is cut off", (const char *)*name);
    a->data = bytes->at;
    a->size = bytes->left;
    return EEX_OK;
}

static int parse_attribute(eex__h5_attributes *list, const eex__h5_file *file, const uint8_t *data,
                           uint64_t size)
{
    eex__h5_attribute a = {0};
    const uint8_t *name;
    eex__h5_bytes bytes = eex__h5_bytes_of(data, size);
    uint8_t version = eex__h5_byte(&bytes), flags = eex__h5_byte(&bytes);
    if (version < 1 || version > 3)
        return eex__h5_refused(file, "an attribute of version %d, at most 3 is read", version);
    if (version > 1 && flags & SHARED)
        return eex__h5_refused(file, "an attribute of a committed type, which is not read");
    EEX_TRY(parse_parts(&a, file, &bytes, version, &name));
    eex__h5_attribute *more = eex__h5_grown(list->attribute, list->count, sizeof *more);
    if (!more)
        return eex__h5_no_memory(file);
    list->attribute = more;
    a.name = strdup((const char *)name);
    if (!a.name)
        return eex__h5_no_memory(file);
    list->attribute[list->count++] = a;
    return EEX_OK;
}

/* ---- many attributes ---- */

typedef struct dense {
    eex__h5_attributes *list;
    const eex__h5_file *file;
    uint64_t bytes; /* of all attributes so far */
} dense;

static int visit_attribute(void *data, const uint8_t *record, size_t size)
{
    enum { SHARED_MESSAGE = 0x02 };
    dense *d = data;
    const eex__h5_heap *heap = &d->list->heap;
    const uint8_t *attribute;
    uint64_t bytes;
    if (size != heap->id_bytes + 9)
        return eex__h5_damaged(d->file, "the index of its attributes does not fit their heap");
    if (record[heap->id_bytes] & SHARED_MESSAGE)
        return eex__h5_refused(d->file, "a shared attribute, which is not read");
    EEX_TRY(eex__h5_heap_find(&attribute, &bytes, heap, d->file, record));
    d->bytes += bytes;
    if (d->bytes > d->file->size)
        return eex__h5_damaged(d->file, "its attributes are larger than the file");
    return parse_attribute(d->list, d->file, attribute, bytes);
}

static int read_dense(eex__h5_attributes *list, const eex__h5_file *file,
                      const eex__h5_message *info)
{
    eex__h5_bytes bytes = eex__h5_bytes_of(info->data, info->size);
    uint8_t version = eex__h5_byte(&bytes), flags = eex__h5_byte(&bytes);
    eex__h5_take(&bytes, flags & 1 ? 2 : 0);
    uint64_t place = eex__h5_number(&bytes, 8), index = eex__h5_number(&bytes, 8);
    if (bytes.over || version != 0)
        return eex__h5_damaged(file, "what it says of its attributes is cut off");
    if (place == EEX__H5_NOWHERE)
        return EEX_OK;
    EEX_TRY(eex__h5_heap_read(&list->heap, file, place));
    dense d = {list, file, 0};
    return eex__h5_btree_visit(file, index, EEX__H5_BTREE_NAMES, visit_attribute, &d);
}

/* ---- all of them ---- */

static int read_attributes(eex__h5_attributes *list, const eex__h5_file *file,
                           const eex__h5_object *object)
{
    const eex__h5_message *info;
    for (size_t i = 0; i < object->messages; i++) {
        const eex__h5_message *m = &object->message[i];
        if (m->type != EEX__H5_ATTRIBUTE)
            continue;
        if (m->flags & 0x02)
            return eex__h5_refused(file, "a shared attribute, which is not read");
        EEX_TRY(parse_attribute(list, file, m->data, m->size));
    }
    EEX_TRY(eex__h5_object_find(&info, file, object, EEX__H5_ATTRIBUTE_INFO));
    return info ? read_dense(list, file, info) : EEX_OK;
}

int eex__h5_attributes_read(eex__h5_attributes *out, const eex__h5_file *file,
                            const eex__h5_object *object)
{
    *out = (eex__h5_attributes){0};
    int code = read_attributes(out, file, object);
    if (code < 0)
        eex__h5_attributes_free(out);
    return code;
}

void eex__h5_attributes_free(eex__h5_attributes *attributes)
{
    for (size_t i = 0; i < attributes->count; i++)
        free(attributes->attribute[i].name);
    free(attributes->attribute);
    eex__h5_heap_free(&attributes->heap);
    *attributes = (eex__h5_attributes){0};
}

const eex__h5_attribute *eex__h5_attributes_find(const eex__h5_attributes *attributes,
                                                 const char *name)
{
    for (size_t i = 0; i < attributes->count; i++)
        if (strcmp(attributes->attribute[i].name, name) == 0)
            return &attributes->attribute[i];
    return NULL;
}
