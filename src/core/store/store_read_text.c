/* Reading strings, and the attributes of objects. */
#include "core/store/h5_bytes.h"
#include "core/store/store_hdf5.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

/* ---- string arrays ---- */

/* One cell: up to the first NUL, or without the spaces that it is padded with. */
static char *copy_cell(const char *cell, const eex__h5_type *type)
{
    size_t size = type->size;
    while (type->pads_with_spaces && size > 0 && cell[size - 1] == ' ')
        size--;
    return strndup(cell, size);
}

static int split_cells(eex_store_list *out, const eex__reader *reader, const char *cells,
                       uint64_t count, const eex__h5_type *type)
{
    out->item = calloc(count + 1, sizeof *out->item);
    if (!out->item)
        return eex__h5_no_memory(&reader->file);
    for (; out->count < count; out->count++) {
        out->item[out->count] = copy_cell(cells + out->count * type->size, type);
        if (!out->item[out->count])
            return eex__h5_no_memory(&reader->file);
    }
    return EEX_OK;
}

static int read_cells(eex_store_list *out, eex__reader *reader, eex__h5_array *array,
                      const char *name, size_t max_bytes)
{
    size_t size = array->type.size;
    if (array->type.class != EEX__H5_STRING)
        return eex__h5_refused(&reader->file,
                               "expected strings of fixed length (numpy.bytes_), found %s",
                               array->type.other);
    /* The list's own pointers count too: strings may be empty. */
    if (array->count > max_bytes / size || array->count > EEX__STORE_MAX_NAMES)
        return eex__h5_refused(&reader->file,
                               "%llu strings of %zu bytes, at most %zu bytes are expected",
                               (unsigned long long)array->count, size, max_bytes);
    EEX_TRY(eex__h5_array_locate(array, &reader->file));
    char *cells = malloc(array->count * size + 1);
    if (!cells)
        return eex__h5_no_memory(&reader->file);
    int code = eex__reader_read(cells, reader, array, name);
    if (code == EEX_OK)
        code = split_cells(out, reader, cells, array->count, &array->type);
    free(cells);
    return code;
}

int eex__reader_strings(eex_store_list *out, eex__reader *reader, const char *name,
                        size_t max_bytes)
{
    eex__h5_array *array;
    *out = (eex_store_list){0, NULL};
    EEX_TRY(eex__reader_array(&array, reader, name));
    if (array->space.rank > 1)
        return eex__h5_refused(&reader->file, "rank %d, expected a list of strings",
                               array->space.rank);
    int code = read_cells(out, reader, array, name, max_bytes);
    if (code < 0)
        eex_store_list_free(out);
    return code;
}

int eex_store_read_strings(eex_store_list *out, eex_store_file *file, const char *name,
                           size_t max_bytes)
{
    EEX_NEED(out, "place for strings");
    *out = (eex_store_list){0, NULL};
    EEX_TRY(eex__store_check_name(file, name));
    EEX_TRY(eex__store_begin_reading(file));
    return eex__store_end_reading(file, eex__reader_strings(out, file->reader, name, max_bytes));
}

int eex_store_read_string(char **out, eex_store_file *file, const char *name, size_t max_bytes)
{
    EEX_NEED(out, "place for the string");
    eex_store_list list;
    *out = NULL;
    EEX_TRY(eex_store_read_strings(&list, file, name, max_bytes));
    if (list.count != 1) {
        size_t count = list.count;
        eex_store_list_free(&list);
        return eex_store_refuse(file, "/%s: %zu strings, expected one", name, count);
    }
    *out = list.item[0];
    list.item[0] = NULL;
    eex_store_list_free(&list);
    return EEX_OK;
}

/* ---- attributes ---- */

static int find_attribute(const eex__h5_attribute **out, eex_store_file *file, const char *object,
                          const char *name)
{
    const eex__h5_attributes *attributes;
    const char *path = eex__store_object(object);
    EEX_TRY(eex__reader_attributes(&attributes, file->reader, path));
    *out = eex__h5_attributes_find(attributes, name);
    if (*out)
        return EEX_OK;
    eex_fail(EEX_ENOTFOUND, "%s: %s%s: has no attribute %s", file->path, *path == '/' ? "" : "/",
             path, name);
    return eex__h5_advise(&file->reader->file, EEX_ENOTFOUND);
}

/* Locks the file and finds the attribute; unlocks it again where that fails. */
static int begin_attribute(const eex__h5_attribute **out, eex_store_file *file, const char *object,
                           const char *name)
{
    const char *path = eex__store_object(object);
    EEX_NEED(name, "attribute's name");
    if (strcmp(path, "/") != 0)
        EEX_TRY(eex__store_check_name(file, path));
    EEX_TRY(eex__store_begin_reading(file));
    int code = find_attribute(out, file, object, name);
    return code < 0 ? eex__store_end_reading(file, code) : EEX_OK;
}

int eex_store_has_attribute(eex_store_file *file, const char *object, const char *name)
{
    const eex__h5_attribute *a;
    int code = begin_attribute(&a, file, object, name);
    if (code == EEX_ENOTFOUND)
        return 0;
    EEX_TRY(code);
    return eex__store_end_reading(file, 1);
}

static int expected(const eex__reader *reader, const char *name, size_t count, const char *what)
{
    return eex__h5_refused(&reader->file, "attribute %s: expected %zu %s", name, count, what);
}

static int take_int(int64_t *out, const eex__reader *reader, const char *name,
                    const eex__h5_attribute *a)
{
    uint8_t bytes[8];
    if (a->type.class != EEX__H5_INTEGER || a->count != 1)
        return expected(reader, name, 1, "integer(s)");
    size_t size = a->type.size;
    memcpy(bytes, a->data, size);
    eex__h5_to_little_endian(bytes, 1, &a->type);
    eex__h5_bytes walk = eex__h5_bytes_of(bytes, size);
    uint64_t number = eex__h5_number(&walk, size);
    if (!a->type.has_sign && number > INT64_MAX)
        return eex__h5_refused(&reader->file, "attribute %s is above 2^63", name);
    if (a->type.has_sign && size < 8 && number >> (8 * size - 1))
        number |= UINT64_MAX << 8 * size;
    *out = (int64_t)number;
    return EEX_OK;
}

int eex_store_get_int(int64_t *out, eex_store_file *file, const char *object, const char *name)
{
    EEX_NEED(out, "place for the value");
    const eex__h5_attribute *a;
    EEX_TRY(begin_attribute(&a, file, object, name));
    return eex__store_end_reading(file, take_int(out, file->reader, name, a));
}

int eex_store_get_double(double *out, eex_store_file *file, const char *object, const char *name)
{
    EEX_NEED(out, "place for the value");
    return eex_store_get_doubles(out, file, object, name, 1);
}

/* float32 is widened; half floats are not read. */
static int take_doubles(double *out, const eex__reader *reader, const char *name,
                        const eex__h5_attribute *a, size_t count)
{
    size_t size = a->type.size;
    if (a->type.class != EEX__H5_FLOAT || (size != 4 && size != 8) || a->count != count)
        return expected(reader, name, count, "float(s)");
    for (size_t i = 0; i < count; i++) {
        uint8_t bytes[8];
        float narrow;
        memcpy(bytes, a->data + i * size, size);
        eex__h5_to_little_endian(bytes, 1, &a->type);
        memcpy(&narrow, bytes, sizeof narrow);
        if (size == 8)
            memcpy(&out[i], bytes, sizeof out[i]);
        else
            out[i] = narrow;
    }
    return EEX_OK;
}

int eex_store_get_doubles(double *out, eex_store_file *file, const char *object, const char *name,
                          size_t count)
{
    EEX_NEED(out, "place for the value");
    const eex__h5_attribute *a;
    EEX_TRY(begin_attribute(&a, file, object, name));
    return eex__store_end_reading(file, take_doubles(out, file->reader, name, a, count));
}

static int take_text(char **out, const eex__reader *reader, const char *name,
                     const eex__h5_attribute *a)
{
    if (a->type.class != EEX__H5_STRING || a->type.size > EEX_STORE_MAX_ATTRIBUTE || a->count != 1)
        return eex__h5_refused(&reader->file,
                               "attribute %s: expected one string of fixed length, at most %d "
                               "bytes",
                               name, EEX_STORE_MAX_ATTRIBUTE);
    *out = copy_cell((const char *)a->data, &a->type);
    return *out ? EEX_OK : eex__h5_no_memory(&reader->file);
}

int eex_store_get_string(char **out, eex_store_file *file, const char *object, const char *name)
{
    EEX_NEED(out, "place for the value");
    const eex__h5_attribute *a;
    *out = NULL;
    EEX_TRY(begin_attribute(&a, file, object, name));
    return eex__store_end_reading(file, take_text(out, file->reader, name, a));
}
