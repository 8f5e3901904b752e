#include "core/store/store_hdf5.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

/* A fixed-length, NUL-padded UTF-8 string type. Variable-length strings would live in HDF5's global
 * heap, which has no checksum. */
static hid_t text_type(size_t size)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type >= 0 &&
        (H5Tset_size(type, size ? size : 1) < 0 || H5Tset_strpad(type, H5T_STR_NULLPAD) < 0 ||
         H5Tset_cset(type, H5T_CSET_UTF8) < 0)) {
        H5Tclose(type);
        return H5I_INVALID_HID;
    }
    return type;
}

/* The type to read strings of a stored type with: HDF5 converts padding, but no character set. */
static hid_t text_type_for(hid_t stored)
{
    hid_t type = text_type(H5Tget_size(stored));
    if (type >= 0 && H5Tset_cset(type, H5Tget_cset(stored)) < 0) {
        H5Tclose(type);
        return H5I_INVALID_HID;
    }
    return type;
}

/* ---- string arrays ---- */

static size_t longest(const char *const *items, size_t count)
{
    size_t most = 1;
    for (size_t i = 0; i < count; i++)
        if (strlen(items[i]) > most)
            most = strlen(items[i]);
    return most;
}

static int write_strings(eex_store_file *file, const char *name, const char *const *items,
                         size_t count)
{
    hid_t array;
    EEX_TRY(eex__store_check_writing(file, name));
    EEX_TRY(eex__store_check_name(file, name));
    size_t size = longest(items, count);
    if (count > SIZE_MAX / size)
        return eex_fail(EEX_EINVAL, "%s: /%s: too many strings", file->path, name);
    char *cells = calloc(count ? count : 1, size);
    if (!cells)
        return eex_fail(EEX_ENOMEM, "%s: /%s: out of memory", file->path, name);
    for (size_t i = 0; i < count; i++)
        memcpy(cells + i * size, items[i], strlen(items[i]));
    hid_t type = text_type(size);
    eex_store_shape shape = {1, {count}};
    int code = eex__store_make_array(&array, file, name, type, &shape, false, true);
    if (code == EEX_OK && count > 0 &&
        H5Dwrite(array, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, cells) < 0)
        code = eex__store_fail(EEX_EIO, file, name, "cannot write it");
    if (type >= 0)
        H5Tclose(type);
    free(cells);
    return code;
}

int eex_store_write_strings(eex_store_file *file, const char *name, const char *const *items,
                            size_t count)
{
    eex__store_enter();
    return eex__store_leave(write_strings(file, name, items, count));
}

int eex_store_write_string(eex_store_file *file, const char *name, const char *text)
{
    return eex_store_write_strings(file, name, &text, 1);
}

/* Bytes of one string; 0 when the type is not a fixed-length string. */
static size_t text_size(hid_t type)
{
    if (type < 0 || H5Tget_class(type) != H5T_STRING || H5Tis_variable_str(type) != 0)
        return 0;
    return H5Tget_size(type);
}

static int split_cells(eex_store_list *out, const char *cells, size_t count, size_t size)
{
    out->item = calloc(count ? count : 1, sizeof *out->item);
    if (!out->item)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu strings", count);
    for (; out->count < count; out->count++) {
        out->item[out->count] = strndup(cells + out->count * size, size);
        if (!out->item[out->count])
            return eex_fail(EEX_ENOMEM, "out of memory for %zu strings", count);
    }
    return EEX_OK;
}

static int read_cells(eex_store_list *out, const eex_store_file *file, const char *name,
                      hid_t array, hid_t type, size_t count, size_t max_bytes)
{
    size_t size = text_size(type);
    if (size == 0)
        return eex__store_fail(EEX_EFORMAT, file, name, "expected strings of fixed length");
    /* The list's own pointers count too: strings may be empty. */
    if (count > max_bytes / size || count > EEX__STORE_MAX_NAMES)
        return eex_fail(EEX_EFORMAT,
                        "%s: /%s: %zu strings of %zu bytes, at most %zu bytes are expected",
                        file->path, name, count, size, max_bytes);
    char *cells = malloc(count * size + 1);
    hid_t memory = text_type_for(type);
    int code = EEX_OK;
    if (!cells || memory < 0)
        code = eex_fail(EEX_ENOMEM, "%s: /%s: out of memory", file->path, name);
    else if (count > 0 && H5Dread(array, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, cells) < 0)
        code = eex__store_fail(EEX_EFORMAT, file, name, "truncated or damaged");
    if (code == EEX_OK)
        code = split_cells(out, cells, count, size);
    if (memory >= 0)
        H5Tclose(memory);
    free(cells);
    return code;
}

static int read_strings(eex_store_list *out, eex_store_file *file, const char *name,
                        size_t max_bytes)
{
    hid_t array;
    eex_store_shape shape;
    EEX_TRY(eex__store_open_array(&array, file, name));
    EEX_TRY(eex__store_shape(&shape, file, name, array));
    if (shape.rank > 1)
        return eex__store_fail(EEX_EFORMAT, file, name, "rank %d, expected a list of strings",
                               shape.rank);
    hid_t type = H5Dget_type(array);
    int code =
        read_cells(out, file, name, array, type, shape.rank ? shape.extent[0] : 1, max_bytes);
    if (type >= 0)
        H5Tclose(type);
    return code;
}

int eex_store_read_strings(eex_store_list *out, eex_store_file *file, const char *name,
                           size_t max_bytes)
{
    *out = (eex_store_list){0, NULL};
    eex__store_enter();
    int code = eex__store_leave(read_strings(out, file, name, max_bytes));
    if (code < 0)
        eex_store_list_free(out);
    return code;
}

int eex_store_read_string(char **out, eex_store_file *file, const char *name, size_t max_bytes)
{
    eex_store_list list;
    *out = NULL;
    EEX_TRY(eex_store_read_strings(&list, file, name, max_bytes));
    if (list.count != 1) {
        size_t count = list.count;
        eex_store_list_free(&list);
        return eex_fail(EEX_EFORMAT, "%s: /%s: %zu strings, expected one", file->path, name, count);
    }
    *out = list.item[0];
    list.item[0] = NULL;
    eex_store_list_free(&list);
    return EEX_OK;
}

/* ---- attributes ---- */

/* Writes an attribute of `count` elements (0: one scalar), replacing one of that name. */
static int write_attribute(eex_store_file *file, const char *object, const char *name, hid_t stored,
                           hid_t memory, size_t count, const void *data)
{
    hsize_t extent = count;
    EEX_TRY(eex__store_check_writing(file, object));
    hid_t at = H5Oopen(file->id, eex__store_object(object), H5P_DEFAULT);
    if (at < 0)
        return eex__store_fail(EEX_ENOTFOUND, file, object, "there is no such object to describe");
    hid_t space = count ? H5Screate_simple(1, &extent, NULL) : H5Screate(H5S_SCALAR);
    hid_t attribute = H5I_INVALID_HID;
    if (H5Aexists(at, name) > 0)
        H5Adelete(at, name);
    if (space >= 0)
        attribute = H5Acreate2(at, name, stored, space, H5P_DEFAULT, H5P_DEFAULT);
    int code = EEX_OK;
    if (attribute < 0 || H5Awrite(attribute, memory, data) < 0)
        code = eex__store_fail(EEX_EIO, file, object, "cannot write attribute %s", name);
    if (attribute >= 0)
        H5Aclose(attribute);
    if (space >= 0)
        H5Sclose(space);
    H5Oclose(at);
    return code;
}

int eex_store_set_int(eex_store_file *file, const char *object, const char *name, int64_t value)
{
    eex__store_enter();
    return eex__store_leave(
        write_attribute(file, object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, 0, &value));
}

int eex_store_set_double(eex_store_file *file, const char *object, const char *name, double value)
{
    eex__store_enter();
    return eex__store_leave(
        write_attribute(file, object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 0, &value));
}

int eex_store_set_doubles(eex_store_file *file, const char *object, const char *name,
                          const double *values, size_t count)
{
    if (count == 0 || count > EEX_STORE_MAX_ATTRIBUTE / sizeof *values)
        return eex_fail(EEX_EINVAL, "%s: attribute %s of %zu values: 1 to %zu fit", file->path,
                        name, count, EEX_STORE_MAX_ATTRIBUTE / sizeof *values);
    eex__store_enter();
    return eex__store_leave(
        write_attribute(file, object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, count, values));
}

int eex_store_set_string(eex_store_file *file, const char *object, const char *name,
                         const char *text)
{
    size_t size = strlen(text);
    if (size > EEX_STORE_MAX_ATTRIBUTE)
        return eex_fail(EEX_EINVAL, "%s: attribute %s of %zu bytes: at most %d fit", file->path,
                        name, size, EEX_STORE_MAX_ATTRIBUTE);
    eex__store_enter();
    hid_t type = text_type(size);
    int code = type < 0
                   ? eex__store_fail(EEX_ENOMEM, file, object, "no type for attribute %s", name)
                   : write_attribute(file, object, name, type, type, 0, text);
    if (type >= 0)
        H5Tclose(type);
    return eex__store_leave(code);
}

/* Opens an attribute and its type and counts its elements (a scalar is one). Closes what it opened
 * when it fails. */
typedef struct attribute {
    hid_t id, type;
    size_t count;
} attribute;

static void attribute_close(attribute *a)
{
    if (a->type >= 0)
        H5Tclose(a->type);
    if (a->id >= 0)
        H5Aclose(a->id);
}

static int attribute_open(attribute *a, eex_store_file *file, const char *object, const char *name)
{
    H5O_type_t kind;
    *a = (attribute){H5I_INVALID_HID, H5I_INVALID_HID, 0};
    const char *path = eex__store_object(object);
    if (strcmp(path, "/") != 0)
        EEX_TRY(eex__store_find(&kind, file, path));
    htri_t there = H5Aexists_by_name(file->id, path, name, H5P_DEFAULT);
    if (there < 0)
        return eex__store_fail(EEX_EFORMAT, file, object, "damaged attributes");
    if (there == 0)
        return eex__store_fail(EEX_ENOTFOUND, file, object, "has no attribute %s", name);
    a->id = H5Aopen_by_name(file->id, path, name, H5P_DEFAULT, H5P_DEFAULT);
    hid_t space = a->id >= 0 ? H5Aget_space(a->id) : H5I_INVALID_HID;
    a->type = a->id >= 0 ? H5Aget_type(a->id) : H5I_INVALID_HID;
    hssize_t count = space >= 0 ? H5Sget_simple_extent_npoints(space) : -1;
    if (space >= 0)
        H5Sclose(space);
    if (count < 0 || a->type < 0) {
        int code = eex__store_fail(EEX_EFORMAT, file, object, "attribute %s is damaged", name);
        attribute_close(a);
        return code;
    }
    a->count = (size_t)count;
    return EEX_OK;
}

bool eex_store_has_attribute(eex_store_file *file, const char *object, const char *name)
{
    attribute a;
    eex__store_enter();
    int code = attribute_open(&a, file, object, name);
    if (code == EEX_OK)
        attribute_close(&a);
    return eex__store_leave(code) == EEX_OK;
}

/* Numbers are converted by HDF5 within their class: any integer to int64, any float to double. */
static int read_numbers(void *out, eex_store_file *file, const char *object, const char *name,
                        H5T_class_t class, hid_t memory, size_t count)
{
    attribute a;
    EEX_TRY(attribute_open(&a, file, object, name));
    int code = EEX_OK;
    if (H5Tget_class(a.type) != class || H5Tget_size(a.type) > 8 || a.count != count)
        code = eex__store_fail(EEX_EFORMAT, file, object, "attribute %s: expected %zu %s", name,
                               count, class == H5T_INTEGER ? "integer(s)" : "float(s)");
    else if (H5Aread(a.id, memory, out) < 0)
        code = eex__store_fail(EEX_EFORMAT, file, object, "attribute %s is damaged", name);
    attribute_close(&a);
    return code;
}

int eex_store_get_int(int64_t *out, eex_store_file *file, const char *object, const char *name)
{
    eex__store_enter();
    return eex__store_leave(
        read_numbers(out, file, object, name, H5T_INTEGER, H5T_NATIVE_INT64, 1));
}

int eex_store_get_double(double *out, eex_store_file *file, const char *object, const char *name)
{
    return eex_store_get_doubles(out, file, object, name, 1);
}

int eex_store_get_doubles(double *out, eex_store_file *file, const char *object, const char *name,
                          size_t count)
{
    eex__store_enter();
    return eex__store_leave(
        read_numbers(out, file, object, name, H5T_FLOAT, H5T_NATIVE_DOUBLE, count));
}

static int read_text(char **out, eex_store_file *file, const char *object, const char *name)
{
    attribute a;
    EEX_TRY(attribute_open(&a, file, object, name));
    size_t size = text_size(a.type);
    int code = EEX_OK;
    hid_t memory = H5I_INVALID_HID;
    if (size == 0 || size > EEX_STORE_MAX_ATTRIBUTE || a.count != 1)
        code = eex__store_fail(EEX_EFORMAT, file, object,
                               "attribute %s: expected one string of at most %d bytes", name,
                               EEX_STORE_MAX_ATTRIBUTE);
    else if (!(*out = calloc(size + 1, 1)) || (memory = text_type_for(a.type)) < 0)
        code = eex_fail(EEX_ENOMEM, "%s: out of memory", file->path);
    else if (H5Aread(a.id, memory, *out) < 0)
        code = eex__store_fail(EEX_EFORMAT, file, object, "attribute %s is damaged", name);
    if (memory >= 0)
        H5Tclose(memory);
    attribute_close(&a);
    return code;
}

int eex_store_get_string(char **out, eex_store_file *file, const char *object, const char *name)
{
    *out = NULL;
    eex__store_enter();
    int code = eex__store_leave(read_text(out, file, object, name));
    if (code < 0) {
        free(*out);
        *out = NULL;
    }
    return code;
}
