#include "support/store_digest.h"

#include "core/store/store_reader.h"

#include "base/buffer.h"
#include "base/status.h"
#include "base/xxh64.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* No command reads all that is in a file. One of 64 KiB can hold hundreds of arrays of 64 MiB, each
 * packed a thousandfold: so much of them is read unless the whole is asked for, and each object
 * once. */
enum { MAX_BYTES = 64 << 20, MAX_ALL = 160 << 20, MAX_DEPTH = 8, MAX_OBJECTS = 20000 };

typedef struct digest {
    eex_store_file *file;
    eex__reader *reader; /* of the same file, for what the store does not list */
    eex_xxh64 sum;
    uint64_t seen[MAX_OBJECTS]; /* addresses: an object may have several names */
    int objects;
    uint64_t bytes; /* of arrays */
    bool whole;     /* what is not supported is an error, too */
} digest;

static void add(digest *d, const void *data, size_t size)
{
    eex_xxh64_update(&d->sum, &size, sizeof size);
    if (size > 0)
        eex_xxh64_update(&d->sum, data, size);
}

static int add_attributes(digest *d, const char *name)
{
    const eex__h5_attributes *a;
    EEX_TRY(eex__reader_attributes(&a, d->reader, name));
    for (size_t i = 0; i < a->count; i++) {
        add(d, a->attribute[i].name, strlen(a->attribute[i].name));
        add(d, &a->attribute[i].count, sizeof a->attribute[i].count);
        add(d, a->attribute[i].data, a->attribute[i].count * a->attribute[i].type.size);
    }
    return EEX_OK;
}

static int add_strings(digest *d, const char *name)
{
    eex_store_list list;
    EEX_TRY(eex_store_read_strings(&list, d->file, name, MAX_BYTES));
    for (size_t i = 0; i < list.count; i++)
        add(d, list.item[i], strlen(list.item[i]));
    eex_store_list_free(&list);
    return EEX_OK;
}

/* A part of the rows, which is found in another way than the whole. */
static int add_rows(digest *d, const char *name, eex_store_type type, const eex_store_shape *shape)
{
    uint64_t bytes = eex_store_type_size(type), first = shape->extent[0] / 3;
    for (int i = 1; i < shape->rank; i++)
        bytes *= shape->extent[i];
    uint64_t rows = shape->extent[0] / 2;
    char *data = malloc(rows * bytes + 1);
    if (!data)
        return eex_fail(EEX_ENOMEM, "out of memory");
    int code = eex_store_read_rows(data, d->file, name, type, shape, first, rows);
    if (code == EEX_OK)
        add(d, data, rows * bytes);
    free(data);
    return code;
}

static int add_numbers(digest *d, const char *name)
{
    eex_store_type type;
    eex_store_shape shape;
    void *data;
    EEX_TRY(eex_store_describe(&type, &shape, d->file, name));
    EEX_TRY(eex_store_read_new(&data, d->file, name, type, &shape, MAX_BYTES));
    uint64_t bytes = eex_store_type_size(type);
    for (int i = 0; i < shape.rank; i++)
        bytes *= shape.extent[i];
    d->bytes += bytes;
    add(d, &shape, sizeof shape);
    add(d, data, bytes);
    free(data);
    return shape.rank > 0 ? add_rows(d, name, type, &shape) : EEX_OK;
}

static int add_array(digest *d, const char *name)
{
    eex__h5_array *array;
    EEX_TRY(eex__reader_array(&array, d->reader, name));
    return array->type.class == EEX__H5_STRING ? add_strings(d, name) : add_numbers(d, name);
}

static int add_object(digest *d, const char *name, int depth);

static int add_members(digest *d, const char *group, int depth)
{
    eex_store_list names;
    EEX_TRY(eex_store_names(&names, d->file, group));
    int code = EEX_OK;
    for (size_t i = 0; code == EEX_OK && i < names.count; i++) {
        eex_buffer path = EEX_BUFFER_INIT;
        eex_buffer_printf(&path, "%s%s%s", group, *group ? "/" : "", names.item[i]);
        add(d, eex_buffer_text(&path), path.size);
        code = eex_buffer_status(&path);
        if (code == EEX_OK)
            code = add_object(d, eex_buffer_text(&path), depth + 1);
        if (!d->whole &&
            (code == EEX_EINVAL || (code == EEX_EFORMAT && !strstr(eex_error(), "damaged"))))
            code = EEX_OK; /* refused by name: a name too long, a type that is not ours */
        eex_buffer_free(&path);
    }
    eex_store_list_free(&names);
    return code;
}

static int add_object(digest *d, const char *name, int depth)
{
    eex__reader_object *object;
    if (depth > MAX_DEPTH || d->objects == MAX_OBJECTS || (d->bytes > MAX_ALL && !d->whole))
        return EEX_OK;
    EEX_TRY(eex__reader_find(&object, d->reader, name));
    for (int i = 0; i < d->objects; i++)
        if (d->seen[i] == object->header.address)
            return EEX_OK;
    d->seen[d->objects++] = object->header.address;
    bool is_group = object->header.kind == EEX__H5_GROUP;
    EEX_TRY(add_attributes(d, name));
    return is_group ? add_members(d, name, depth) : add_array(d, name);
}

static int digest_of(uint64_t *out, const char *path, bool whole)
{
    digest *d = calloc(1, sizeof *d);
    if (!d)
        return eex_fail(EEX_ENOMEM, "out of memory");
    d->whole = whole;
    eex_xxh64_begin(&d->sum);
    int code = eex_store_open(&d->file, path, NULL, 1);
    if (code == EEX_OK)
        code = eex__reader_open(&d->reader, path, NULL);
    if (code == EEX_OK)
        code = add_object(d, "", 0);
    *out = eex_xxh64_end(&d->sum);
    eex__reader_close(d->reader);
    eex_store_close(d->file);
    free(d);
    return code;
}

int test_store_digest(uint64_t *out, const char *path)
{
    return digest_of(out, path, false);
}

int test_store_digest_whole(uint64_t *out, const char *path)
{
    return digest_of(out, path, true);
}

/* ---- a sample ---- */

static int write_arrays(eex_store_file *file)
{
    static float table[3000];
    const eex_store_shape three = {1, {3}}, big = {2, {300, 10}}, rows = {2, {0, 50}},
                          one = {0, {0}};
    for (int i = 0; i < 3000; i++)
        table[i] = (float)(i * i % 1000);
    EEX_TRY(eex_store_write(file, "small", EEX_STORE_I32, &three, table));
    EEX_TRY(eex_store_write(file, "one", EEX_STORE_F64, &one, table));
    EEX_TRY(eex_store_write(file, "deep/er/table", EEX_STORE_F32, &big, table));
    EEX_TRY(eex_store_write_packed(file, "deep/packed", EEX_STORE_F32, &big, table));
    EEX_TRY(eex_store_make_rows(file, "rows", EEX_STORE_U8, &rows));
    for (int i = 0; i < 8; i++)
        EEX_TRY(eex_store_append(file, "rows", EEX_STORE_U8, 20, table + i));
    return EEX_OK;
}

static int write_texts(eex_store_file *file)
{
    const char *const names[] = {"cat", "", "d\xc3\xb6g"};
    const double reals[] = {0.25, -1e300};
    char name[20];
    EEX_TRY(eex_store_write_strings(file, "names", names, 3));
    EEX_TRY(eex_store_write_string(file, "text", "return {}\n"));
    EEX_TRY(eex_store_set_int(file, "small", "number", INT64_MIN));
    EEX_TRY(eex_store_set_doubles(file, "deep/er/table", "reals", reals, 2));
    EEX_TRY(eex_store_set_string(file, "deep", "note", ""));
    for (int i = 0; i < 12; i++) { /* too many for one header */
        snprintf(name, sizeof name, "note%d", i % 11);
        EEX_TRY(eex_store_set_double(file, "names", name, i));
        snprintf(name, sizeof name, "many/%d", i);
        EEX_TRY(eex_store_make_group(file, name));
    }
    return EEX_OK;
}

int test_store_write_sample(const char *path)
{
    eex_store_file *file;
    EEX_TRY(eex_store_create(&file, path, "trace", 1));
    int code = write_arrays(file);
    if (code == EEX_OK)
        code = write_texts(file);
    if (code == EEX_OK)
        return eex_store_commit(&file);
    eex_store_close(file);
    return code;
}
