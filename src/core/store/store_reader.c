#include "core/store/store_reader.h"

#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- opening ---- */

/* deflate packs up to 1,032 bytes into one, so that a small file could fill any memory. What eex
 * packs seldom shrinks more than tenfold, but for lists of always the same, which are short. */
static void allow_unpacking(eex__reader *reader)
{
    const uint64_t more = UINT64_C(256) << 20, times = 16;
    if (__builtin_mul_overflow(reader->file.size, times, &reader->unpacked_left) ||
        __builtin_add_overflow(reader->unpacked_left, more, &reader->unpacked_left))
        reader->unpacked_left = UINT64_MAX;
}

/* How many bytes of structures may be read: an open file takes each one or two times, and later
 * again those that had to make room. */
static void allow_structures(eex__reader *reader, uint64_t times, uint64_t more)
{
    if (__builtin_mul_overflow(reader->file.size, times, &reader->structures_left) ||
        __builtin_add_overflow(reader->structures_left, more, &reader->structures_left))
        reader->structures_left = UINT64_MAX;
    reader->file.structures_left = &reader->structures_left;
}

static int open_reader(eex__reader *reader, const char *path, const char *kind)
{
    EEX_TRY(eex__h5_open(&reader->file, path, kind));
    allow_unpacking(reader);
    allow_structures(reader, 8, 1 << 20);
    EEX_TRY(eex__reader_check_seal(reader));
    allow_structures(reader, 1000, 1 << 28);
    return EEX_OK;
}

int eex__reader_open(eex__reader **out, const char *path, const char *kind)
{
    eex__reader *reader = calloc(1, sizeof *reader);
    *out = NULL;
    if (!reader)
        return eex_fail(EEX_ENOMEM, "%s: out of memory", path);
    pthread_mutex_init(&reader->lock, NULL);
    int code = open_reader(reader, path, kind);
    if (code < 0)
        eex__reader_close(reader);
    else
        *out = reader;
    return code;
}

static void object_free(eex__reader_object *object)
{
    eex__h5_array_close(&object->array);
    eex__h5_attributes_free(&object->attributes);
    eex__h5_object_free(&object->header);
    object->has_attributes = object->is_array = false;
}

void eex__reader_close(eex__reader *reader)
{
    if (!reader)
        return;
    for (int i = 0; i < EEX__READER_GROUPS; i++)
        eex__h5_links_free(&reader->group[i].links);
    for (int i = 0; i < EEX__READER_OBJECTS; i++)
        object_free(&reader->object[i]);
    eex__h5_reader_free(&reader->chunk);
    eex__seal_free(&reader->seal);
    eex__h5_close(&reader->file);
    pthread_mutex_destroy(&reader->lock);
    free(reader);
}

/* ---- objects by address ---- */

/* The object at that address; the one that was not needed for longest makes room. Headers lie
 * behind the superblock, so that 0, of places that are free, is the address of none. */
static int object_at(eex__reader_object **out, eex__reader *reader, uint64_t address)
{
    eex__h5_object header;
    eex__reader_object *oldest = &reader->object[0];
    for (int i = 0; i < EEX__READER_OBJECTS; i++) {
        eex__reader_object *object = &reader->object[i];
        if (object->header.address == address && address) {
            object->used = ++reader->clock;
            *out = object;
            return EEX_OK;
        }
        if (object->used < oldest->used)
            oldest = object;
    }
    EEX_TRY(eex__h5_object_read(&header, &reader->file, address));
    object_free(oldest);
    oldest->header = header;
    oldest->used = ++reader->clock;
    *out = oldest;
    return EEX_OK;
}

static int read_links(eex__h5_links *out, eex__reader *reader, uint64_t address)
{
    eex__reader_object *object;
    EEX_TRY(object_at(&object, reader, address));
    if (object->header.kind != EEX__H5_GROUP)
        return eex__h5_refused(&reader->file, "expected a group");
    return eex__h5_links_read(out, &reader->file, &object->header);
}

static int links_at(const eex__h5_links **out, eex__reader *reader, uint64_t address)
{
    eex__h5_links links;
    eex__reader_group *oldest = &reader->group[0];
    for (int i = 0; i < EEX__READER_GROUPS; i++) {
        eex__reader_group *group = &reader->group[i];
        if (group->address == address && address) {
            group->used = ++reader->clock;
            *out = &group->links;
            return EEX_OK;
        }
        if (group->used < oldest->used)
            oldest = group;
    }
    EEX_TRY(read_links(&links, reader, address));
    eex__h5_links_free(&oldest->links);
    *oldest = (eex__reader_group){address, ++reader->clock, links};
    *out = &oldest->links;
    return EEX_OK;
}

/* ---- and by name ---- */

static int follow(uint64_t *address, eex__reader *reader, const char *component)
{
    const eex__h5_links *links;
    const char *name = reader->file.name, *slash = strrchr(name, '/');
    char group[EEX__STORE_MAX_NAME + 1];
    snprintf(group, sizeof group, "%.*s", slash ? (int)(slash - name) : 0, name);
    reader->file.name = group;
    int code = links_at(&links, reader, *address);
    reader->file.name = name;
    if (code < 0)
        return code;
    const eex__h5_link *link = eex__h5_links_find(links, component);
    if (!link) {
        eex_fail(EEX_ENOTFOUND, "%s: /%s: there is no such object in the file", reader->file.path,
                 name);
        return eex__h5_advise(&reader->file, EEX_ENOTFOUND);
    }
    if (link->type != EEX__H5_HARD_LINK)
        return eex__h5_refused(&reader->file, "a soft or external link, which is refused");
    *address = link->address;
    return EEX_OK;
}

/* A group that is below itself would give everything in it names without end. */
static int check_above(const eex__reader *reader, const uint64_t *above, int depth)
{
    for (int i = 0; i < depth; i++)
        if (above[i] == above[depth])
            return eex__h5_refused(&reader->file, "a group that holds itself, which is refused");
    return EEX_OK;
}

int eex__reader_address(uint64_t *out, eex__reader *reader, const char *name)
{
    uint64_t above[EEX__READER_DEPTH + 1] = {reader->file.root};
    char *path = reader->name;
    if (strcmp(name, "/") == 0)
        name = "";
    reader->file.name = NULL;
    if (snprintf(path, sizeof reader->name, "%s", name) > EEX__STORE_MAX_NAME)
        return eex__h5_refused(&reader->file, "a name of more than %d bytes", EEX__STORE_MAX_NAME);
    reader->file.name = path;
    int depth = 0;
    for (char *at = path, *end; *at; at = *end ? end + 1 : end) {
        if (++depth > EEX__READER_DEPTH)
            return eex__h5_refused(&reader->file, "it is in more than %d groups",
                                   EEX__READER_DEPTH);
        end = strchrnul(at, '/');
        bool more = *end;
        *end = '\0'; /* messages name what was reached */
        above[depth] = above[depth - 1];
        EEX_TRY(follow(&above[depth], reader, at));
        EEX_TRY(check_above(reader, above, depth));
        *end = more ? '/' : '\0';
    }
    *out = above[depth];
    return EEX_OK;
}

int eex__reader_find(eex__reader_object **out, eex__reader *reader, const char *name)
{
    uint64_t address;
    EEX_TRY(eex__reader_address(&address, reader, name));
    return object_at(out, reader, address);
}

int eex__reader_links(const eex__h5_links **out, eex__reader *reader, const char *group)
{
    eex__reader_object *object;
    EEX_TRY(eex__reader_find(&object, reader, group));
    return links_at(out, reader, object->header.address);
}

int eex__reader_array(eex__h5_array **out, eex__reader *reader, const char *name)
{
    eex__reader_object *object;
    EEX_TRY(eex__reader_find(&object, reader, name));
    if (object->header.kind != EEX__H5_ARRAY)
        return eex__h5_refused(&reader->file, "expected an array");
    if (!object->is_array)
        EEX_TRY(eex__h5_array_open(&object->array, &reader->file, &object->header));
    object->is_array = true;
    *out = &object->array;
    return EEX_OK;
}

int eex__reader_attributes(const eex__h5_attributes **out, eex__reader *reader, const char *name)
{
    eex__reader_object *object;
    EEX_TRY(eex__reader_find(&object, reader, name));
    if (!object->has_attributes)
        EEX_TRY(eex__h5_attributes_read(&object->attributes, &reader->file, &object->header));
    object->has_attributes = true;
    *out = &object->attributes;
    return EEX_OK;
}

/* ---- in the store's terms ---- */

int eex__reader_type(eex_store_type *out, const eex__reader *reader, const eex__h5_type *type)
{
    static const struct {
        eex__h5_class class;
        uint32_t size;
        bool has_sign;
    } types[EEX_STORE_TYPES] = {
        [EEX_STORE_U8] = {EEX__H5_INTEGER, 1, false},  [EEX_STORE_I32] = {EEX__H5_INTEGER, 4, true},
        [EEX_STORE_U32] = {EEX__H5_INTEGER, 4, false}, [EEX_STORE_I64] = {EEX__H5_INTEGER, 8, true},
        [EEX_STORE_U64] = {EEX__H5_INTEGER, 8, false}, [EEX_STORE_F32] = {EEX__H5_FLOAT, 4, false},
        [EEX_STORE_F64] = {EEX__H5_FLOAT, 8, false},
    };
    for (int i = 0; i < EEX_STORE_TYPES; i++)
        if (types[i].class == type->class && types[i].size == type->size &&
            types[i].has_sign == type->has_sign) {
            *out = (eex_store_type)i;
            return EEX_OK;
        }
    return eex__h5_refused(&reader->file,
                           "its elements are not of a type that eex stores (%s, %u bytes)",
                           type->other, type->size);
}

int eex__reader_shape(eex_store_shape *out, const eex__reader *reader, const eex__h5_space *space)
{
    *out = (eex_store_shape){0, {0}};
    if (space->rank < 0)
        return eex__h5_refused(&reader->file, "no extents");
    if (space->rank > EEX_STORE_MAX_RANK)
        return eex__h5_refused(&reader->file, "rank %d, at most %d is read", space->rank,
                               EEX_STORE_MAX_RANK);
    out->rank = space->rank;
    for (int i = 0; i < space->rank; i++)
        out->extent[i] = space->extent[i];
    return EEX_OK;
}
