/* Reading: what is in a file, and its arrays. */
#include "core/store/store_hdf5.h"

#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int eex__store_begin_reading(const eex_store_file *file)
{
    if (!file)
        return eex_fail(EEX_EINVAL, "store: no file (NULL)");
    if (!file->reader)
        return eex_fail(EEX_EINVAL, "%s: the file is being written: nothing can be read from it",
                        file->path);
    pthread_mutex_lock(&file->reader->lock);
    file->reader->file.name = NULL;
    return EEX_OK;
}

int eex__store_end_reading(const eex_store_file *file, int code)
{
    pthread_mutex_unlock(&file->reader->lock);
    return code;
}

/* ---- what is in a file ---- */

int eex_store_has(eex_store_file *file, const char *name)
{
    eex__reader_object *object;
    EEX_TRY(eex__store_check_name(file, name));
    EEX_TRY(eex__store_begin_reading(file));
    int code = eex__store_end_reading(file, eex__reader_find(&object, file->reader, name));
    return code == EEX_OK ? 1 : code == EEX_ENOTFOUND ? 0 : code;
}

static int copy_names(eex_store_list *out, const eex__reader *reader, const eex__h5_links *links,
                      bool is_root)
{
    if (links->count > EEX__STORE_MAX_NAMES)
        return eex__h5_refused(&reader->file, "%zu members, at most %d are listed", links->count,
                               EEX__STORE_MAX_NAMES);
    out->item = calloc(links->count + 1, sizeof *out->item);
    if (!out->item)
        return eex__h5_no_memory(&reader->file);
    for (size_t i = 0; i < links->count; i++) {
        if (is_root && strcmp(links->link[i].name, EEX__SEAL_NAME) == 0)
            continue;
        char *name = strdup(links->link[i].name);
        if (!name)
            return eex__h5_no_memory(&reader->file);
        out->item[out->count++] = name;
    }
    return EEX_OK;
}

static int list_names(eex_store_list *out, eex__reader *reader, const char *group)
{
    const eex__h5_links *links;
    EEX_TRY(eex__reader_links(&links, reader, group));
    return copy_names(out, reader, links, strcmp(group, "/") == 0);
}

int eex_store_names(eex_store_list *out, eex_store_file *file, const char *group)
{
    EEX_NEED(out, "place for names");
    const char *path = eex__store_object(group);
    *out = (eex_store_list){0, NULL};
    if (strcmp(path, "/") != 0)
        EEX_TRY(eex__store_check_name(file, path));
    EEX_TRY(eex__store_begin_reading(file));
    int code = eex__store_end_reading(file, list_names(out, file->reader, path));
    if (code < 0)
        eex_store_list_free(out);
    return code;
}

static int describe(eex__h5_array **array, eex_store_type *type, eex_store_shape *shape,
                    eex__reader *reader, const char *name)
{
    EEX_TRY(eex__reader_array(array, reader, name));
    EEX_TRY(eex__reader_type(type, reader, &(*array)->type));
    return eex__reader_shape(shape, reader, &(*array)->space);
}

int eex_store_describe(eex_store_type *type, eex_store_shape *shape, eex_store_file *file,
                       const char *name)
{
    EEX_NEED(type, "place for the type");
    EEX_NEED(shape, "place for the shape");
    eex__h5_array *array;
    EEX_TRY(eex__store_check_name(file, name));
    EEX_TRY(eex__store_begin_reading(file));
    return eex__store_end_reading(file, describe(&array, type, shape, file->reader, name));
}

/* ---- arrays ---- */

static void shape_text(char *out, size_t size, const eex_store_shape *shape)
{
    size_t used = (size_t)snprintf(out, size, "(");
    for (int i = 0; i < shape->rank && used < size; i++) {
        const char *comma = i ? ", " : "";
        if (shape->extent[i] == EEX_STORE_ANY)
            used += (size_t)snprintf(out + used, size - used, "%sany", comma);
        else
            used += (size_t)snprintf(out + used, size - used, "%s%llu", comma,
                                     (unsigned long long)shape->extent[i]);
    }
    if (used < size)
        snprintf(out + used, size - used, ")");
}

/* Opens an array that must have this type and shape, from axis `first_axis` on. */
static int open_expected(eex__h5_array **array, eex_store_shape *actual, eex__reader *reader,
                         const char *name, eex_store_type type, const eex_store_shape *expected,
                         int first_axis)
{
    eex_store_type found;
    EEX_TRY(describe(array, &found, actual, reader, name));
    if (found != type)
        return eex__h5_refused(&reader->file, "holds %s, expected %s", eex_store_type_name(found),
                               eex_store_type_name(type));
    bool same = actual->rank == expected->rank;
    for (int i = first_axis; same && i < actual->rank; i++)
        same = expected->extent[i] == EEX_STORE_ANY || expected->extent[i] == actual->extent[i];
    if (same)
        return EEX_OK;
    char have[200], want[200];
    shape_text(have, sizeof have, actual);
    shape_text(want, sizeof want, expected);
    return eex__h5_refused(&reader->file, "its shape is %s, expected %s", have, want);
}

static int read_array(void *out, eex__reader *reader, const char *name, eex_store_type type,
                      const eex_store_shape *shape)
{
    eex__h5_array *array;
    eex_store_shape actual;
    EEX_TRY(open_expected(&array, &actual, reader, name, type, shape, 0));
    return eex__reader_read(out, reader, array, name);
}

int eex_store_read(void *out, eex_store_file *file, const char *name, eex_store_type type,
                   const eex_store_shape *shape)
{
    EEX_NEED(out, "place for the array");
    EEX_TRY(eex__store_check_name(file, name));
    EEX_TRY(eex__store_check_type(file, name, type, shape));
    for (int i = 0; i < shape->rank; i++)
        if (shape->extent[i] == EEX_STORE_ANY)
            return eex_fail(EEX_EINVAL, "%s: /%s: reading needs exact extents", file->path, name);
    EEX_TRY(eex__store_begin_reading(file));
    return eex__store_end_reading(file, read_array(out, file->reader, name, type, shape));
}

static int read_new(void **out, eex__reader *reader, const char *name, eex_store_type type,
                    eex_store_shape *shape, size_t max_bytes)
{
    eex__h5_array *array;
    eex_store_shape actual;
    size_t element = eex_store_type_size(type);
    EEX_TRY(open_expected(&array, &actual, reader, name, type, shape, 0));
    if (array->count > max_bytes / element)
        return eex__h5_refused(&reader->file, "%llu elements of %s, at most %zu bytes are expected",
                               (unsigned long long)array->count, eex_store_type_name(type),
                               max_bytes);
    EEX_TRY(eex__h5_array_locate(array, &reader->file)); /* before there is memory for it */
    void *data = malloc(array->count ? array->count * element : 1);
    if (!data)
        return eex__h5_no_memory(&reader->file);
    int code = eex__reader_read(data, reader, array, name);
    if (code < 0) {
        free(data);
        return code;
    }
    *shape = actual;
    *out = data;
    return EEX_OK;
}

int eex_store_read_new(void **out, eex_store_file *file, const char *name, eex_store_type type,
                       eex_store_shape *shape, size_t max_bytes)
{
    EEX_NEED(out, "place for the array");
    *out = NULL;
    EEX_TRY(eex__store_check_name(file, name));
    EEX_TRY(eex__store_check_type(file, name, type, shape));
    EEX_TRY(eex__store_begin_reading(file));
    return eex__store_end_reading(file, read_new(out, file->reader, name, type, shape, max_bytes));
}

static int read_rows(void *out, eex__reader *reader, const char *name, eex_store_type type,
                     const eex_store_shape *shape, uint64_t first, uint64_t rows)
{
    eex__h5_array *array;
    eex_store_shape actual;
    EEX_TRY(open_expected(&array, &actual, reader, name, type, shape, 1));
    if (actual.rank < 1 || first > actual.extent[0] || rows > actual.extent[0] - first)
        return eex__h5_refused(&reader->file, "has %llu rows, expected %llu from %llu",
                               actual.rank ? (unsigned long long)actual.extent[0] : 0,
                               (unsigned long long)rows, (unsigned long long)first);
    if (rows == 0)
        return EEX_OK;
    if (rows == actual.extent[0])
        return eex__reader_read(out, reader, array, name);
    EEX_TRY(eex__h5_array_locate(array, &reader->file));
    return eex__h5_array_read(out, &reader->file, array, &reader->chunk, first, rows);
}

int eex_store_read_rows(void *out, eex_store_file *file, const char *name, eex_store_type type,
                        const eex_store_shape *shape, uint64_t first, uint64_t rows)
{
    if (rows > 0)
        EEX_NEED(out, "place for the rows");
    EEX_TRY(eex__store_check_name(file, name));
    EEX_TRY(eex__store_check_type(file, name, type, shape));
    EEX_TRY(eex__store_begin_reading(file));
    return eex__store_end_reading(file,
                                  read_rows(out, file->reader, name, type, shape, first, rows));
}
