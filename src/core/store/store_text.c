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

/* ---- string arrays ---- */

static size_t longest(const char *const *items, size_t count)
{
    size_t most = 1;
    for (size_t i = 0; i < count; i++)
        if (strlen(items[i]) > most)
            most = strlen(items[i]);
    return most;
}

static int check_items(const eex_store_file *file, const char *name, const char *const *items,
                       size_t count)
{
    bool missing = count > 0 && !items;
    for (size_t i = 0; i < count && !missing; i++)
        missing = !items[i];
    return missing ? eex_fail(EEX_EINVAL, "%s: /%s: no text (NULL)", file->path, name) : EEX_OK;
}

static int write_strings(eex_store_file *file, const char *name, const char *const *items,
                         size_t count)
{
    hid_t array;
    EEX_TRY(eex__store_check_writing(file, name));
    EEX_TRY(eex__store_check_name(file, name));
    EEX_TRY(check_items(file, name, items, count));
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
    char type_name[EEX__SEAL_TYPE];
    eex__seal_string_type(type_name, size);
    int code = eex__store_make_array(&array, file, name, type, type_name, &shape, false, true);
    if (code == EEX_OK && count > 0 &&
        H5Dwrite(array, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, cells) < 0)
        code = eex__store_fail(EEX_EIO, file, name, "cannot write it");
    if (code == EEX_OK)
        eex_xxh64_update(&eex__sealing_find(&file->sealing, name)->content, cells, count * size);
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

/* ---- attributes ---- */

/* What an attribute is to be: `count` elements (0: one scalar) of a type that the seal calls so. */
typedef struct attribute {
    const char *name, *type_name;
    hid_t stored, memory;
    size_t count, bytes;
    const void *data;
} attribute;

static int put_attribute(eex_store_file *file, const char *object, const attribute *a, hid_t at)
{
    hsize_t extent = a->count;
    hid_t space = a->count ? H5Screate_simple(1, &extent, NULL) : H5Screate(H5S_SCALAR);
    hid_t made = H5I_INVALID_HID;
    if (H5Aexists(at, a->name) > 0)
        H5Adelete(at, a->name);
    if (space >= 0)
        made = H5Acreate2(at, a->name, a->stored, space, H5P_DEFAULT, H5P_DEFAULT);
    int code = EEX_OK;
    if (made < 0 || H5Awrite(made, a->memory, a->data) < 0)
        code = eex__store_fail(EEX_EIO, file, object, "cannot write attribute %s", a->name);
    if (made >= 0)
        H5Aclose(made);
    if (space >= 0)
        H5Sclose(space);
    return code;
}

/* Writes an attribute, replacing one of that name. */
static int write_attribute(eex_store_file *file, const char *object, const attribute *a)
{
    EEX_TRY(eex__store_check_writing(file, object));
    if (!a->name || !*a->name || !a->data)
        return eex_fail(EEX_EINVAL, "%s: an attribute without a %s (NULL)", file->path,
                        a->data ? "name" : "value");
    const char *path = eex__store_object(object);
    eex__sealed_object *sealed =
        eex__sealing_find(&file->sealing, strcmp(path, "/") == 0 ? "" : path);
    if (!sealed)
        return eex__store_fail(EEX_ENOTFOUND, file, object, "there is no such object to describe");
    const eex_store_shape shape = {a->count ? 1 : 0, {a->count}};
    eex__seal_lines_remove(&sealed->lines, a->name);
    if (strcmp(a->name, EEX__SEAL_NAME) != 0) /* which seals itself */
        EEX_TRY(
            eex__seal_lines_add(&sealed->lines, a->name, a->type_name, &shape, a->data, a->bytes));
    hid_t at = H5Oopen(file->id, path, H5P_DEFAULT);
    if (at < 0)
        return eex__store_fail(EEX_EIO, file, object, "cannot open the object");
    int code = put_attribute(file, object, a, at);
    H5Oclose(at);
    return code;
}

int eex_store_set_int(eex_store_file *file, const char *object, const char *name, int64_t value)
{
    const attribute a = {name, "int64", H5T_STD_I64LE, H5T_NATIVE_INT64, 0, sizeof value, &value};
    eex__store_enter();
    return eex__store_leave(write_attribute(file, object, &a));
}

static int set_doubles(eex_store_file *file, const char *object, const char *name,
                       const double *values, size_t count)
{
    const attribute a = {name,           "float64",
                         H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE,
                         count,          (count ? count : 1) * sizeof *values,
                         values};
    eex__store_enter();
    return eex__store_leave(write_attribute(file, object, &a));
}

int eex_store_set_double(eex_store_file *file, const char *object, const char *name, double value)
{
    return set_doubles(file, object, name, &value, 0);
}

int eex_store_set_doubles(eex_store_file *file, const char *object, const char *name,
                          const double *values, size_t count)
{
    EEX_NEED(file, "file");
    EEX_NEED(values, "values");
    if (count == 0 || count > EEX_STORE_MAX_ATTRIBUTE / sizeof *values)
        return eex_fail(EEX_EINVAL, "%s: attribute %s of %zu values: 1 to %zu fit", file->path,
                        name, count, EEX_STORE_MAX_ATTRIBUTE / sizeof *values);
    return set_doubles(file, object, name, values, count);
}

int eex_store_set_string(eex_store_file *file, const char *object, const char *name,
                         const char *text)
{
    EEX_NEED(file, "file");
    EEX_NEED(name, "name");
    EEX_NEED(text, "text");
    size_t size = strlen(text);
    char type_name[EEX__SEAL_TYPE];
    if (size > EEX_STORE_MAX_ATTRIBUTE)
        return eex_fail(EEX_EINVAL, "%s: attribute %s of %zu bytes: at most %d fit", file->path,
                        name, size, EEX_STORE_MAX_ATTRIBUTE);
    size = size ? size : 1; /* the empty text is a NUL */
    eex__seal_string_type(type_name, size);
    eex__store_enter();
    hid_t type = text_type(size);
    const attribute a = {name, type_name, type, type, 0, size, text};
    int code = type < 0
                   ? eex__store_fail(EEX_ENOMEM, file, object, "no type for attribute %s", name)
                   : write_attribute(file, object, &a);
    if (type >= 0)
        H5Tclose(type);
    return eex__store_leave(code);
}
