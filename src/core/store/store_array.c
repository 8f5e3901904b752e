#include "core/store/store_hdf5.h"

#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    size_t size;
} types[] = {
    {"uint8", 1},  {"int32", 4},   {"uint32", 4},  {"int64", 8},
    {"uint64", 8}, {"float32", 4}, {"float64", 8},
};
_Static_assert(sizeof types / sizeof *types == EEX_STORE_TYPES, "a row a type");

size_t eex_store_type_size(eex_store_type type)
{
    return types[type].size;
}

const char *eex_store_type_name(eex_store_type type)
{
    return types[type].name;
}

static hid_t stored_type(eex_store_type type)
{
    const hid_t stored[EEX_STORE_TYPES] = {
        H5T_STD_U8LE,  H5T_STD_I32LE,  H5T_STD_U32LE,  H5T_STD_I64LE,
        H5T_STD_U64LE, H5T_IEEE_F32LE, H5T_IEEE_F64LE,
    };
    return stored[type];
}

static hid_t memory_type(eex_store_type type)
{
    const hid_t native[EEX_STORE_TYPES] = {
        H5T_NATIVE_UINT8,  H5T_NATIVE_INT32, H5T_NATIVE_UINT32, H5T_NATIVE_INT64,
        H5T_NATIVE_UINT64, H5T_NATIVE_FLOAT, H5T_NATIVE_DOUBLE,
    };
    return native[type];
}

/* Elements from axis `first` on; UINT64_MAX when they do not fit 2^63 bytes of any type. */
static uint64_t shape_count(const eex_store_shape *shape, int first)
{
    uint64_t count = 1;
    for (int i = first; i < shape->rank; i++) {
        if (shape->extent[i] == 0)
            return 0;
        if (count > (UINT64_MAX >> 4) / shape->extent[i])
            return UINT64_MAX;
        count *= shape->extent[i];
    }
    return count;
}

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

static int check_shape(const eex_store_file *file, const char *name, const eex_store_shape *shape)
{
    if (shape->rank < 0 || shape->rank > EEX_STORE_MAX_RANK || shape_count(shape, 0) == UINT64_MAX)
        return eex_fail(EEX_EINVAL, "%s: /%s: rank %d or extents out of range", file->path, name,
                        shape->rank);
    return EEX_OK;
}

/* ---- making ---- */

/* Shrinks the chunk along the first axes that can give, until it has at most `target` bytes. */
static void chunk_shape(hsize_t *chunk, const eex_store_shape *shape, size_t element, bool grows)
{
    size_t target = grows ? EEX__STORE_ROW_CHUNK_BYTES : EEX__STORE_CHUNK_BYTES;
    uint64_t bytes = element; /* of everything behind the axis of the moment */
    for (int i = shape->rank - 1; i >= 0; i--) {
        uint64_t fits = bytes < target ? target / bytes : 1;
        uint64_t extent = i == 0 && grows ? fits : shape->extent[i];
        chunk[i] = extent < fits ? extent : fits;
        if (chunk[i] == 0)
            chunk[i] = 1;
        bytes *= chunk[i];
    }
}

static int creation_list(hid_t *out, const eex_store_file *file, const char *name, hid_t type,
                         const eex_store_shape *shape, bool grows, bool pack)
{
    size_t element = H5Tget_size(type);
    uint64_t count = shape_count(shape, 0);
    hid_t list = *out = H5Pcreate(H5P_DATASET_CREATE);
    bool fine = list >= 0 && H5Pset_obj_track_times(list, false) >= 0;
    if (!grows && (shape->rank == 0 || count <= EEX__STORE_COMPACT_BYTES / element)) {
        fine = fine && H5Pset_layout(list, H5D_COMPACT) >= 0;
    } else {
        hsize_t chunk[EEX_STORE_MAX_RANK];
        chunk_shape(chunk, shape, element, grows);
        fine = fine && H5Pset_chunk(list, shape->rank, chunk) >= 0;
        if (pack)
            fine = fine && H5Pset_shuffle(list) >= 0 && H5Pset_deflate(list, 4) >= 0;
        fine = fine && H5Pset_fletcher32(list) >= 0;
    }
    return fine ? EEX_OK : eex__store_fail(EEX_EINVAL, file, name, "cannot lay it out");
}

int eex__store_make_array(hid_t *out, eex_store_file *file, const char *name, hid_t type,
                          const eex_store_shape *shape, bool grows, bool pack)
{
    hid_t list = H5I_INVALID_HID, space = H5I_INVALID_HID, array = H5I_INVALID_HID;
    hsize_t extent[EEX_STORE_MAX_RANK], most[EEX_STORE_MAX_RANK];
    eex__store_forget_array(file);
    EEX_TRY(eex__store_make_groups(file, name, true));
    for (int i = 0; i < shape->rank; i++) {
        extent[i] = grows && i == 0 ? 0 : shape->extent[i];
        most[i] = grows && i == 0 ? H5S_UNLIMITED : shape->extent[i];
    }
    int code = creation_list(&list, file, name, type, shape, grows, pack);
    if (code < 0)
        goto done;
    space = shape->rank ? H5Screate_simple(shape->rank, extent, most) : H5Screate(H5S_SCALAR);
    if (space >= 0)
        array = H5Dcreate2(file->id, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    if (array < 0) {
        code = eex__store_fail(EEX_EIO, file, name, "cannot make the array");
        goto done;
    }
    file->array_name = strdup(name);
    if (!file->array_name) {
        H5Dclose(array);
        code = eex_fail(EEX_ENOMEM, "%s: /%s: out of memory", file->path, name);
        goto done;
    }
    *out = file->array = array;
done:
    if (list >= 0)
        H5Pclose(list);
    if (space >= 0)
        H5Sclose(space);
    return code;
}

static int write_array(eex_store_file *file, const char *name, eex_store_type type,
                       const eex_store_shape *shape, const void *data, bool pack)
{
    hid_t array;
    EEX_TRY(eex__store_check_writing(file, name));
    EEX_TRY(eex__store_check_name(file, name));
    EEX_TRY(check_shape(file, name, shape));
    EEX_TRY(eex__store_make_array(&array, file, name, stored_type(type), shape, false, pack));
    if (shape_count(shape, 0) > 0 &&
        H5Dwrite(array, memory_type(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
        return eex__store_fail(EEX_EIO, file, name, "cannot write it");
    return EEX_OK;
}

int eex_store_write(eex_store_file *file, const char *name, eex_store_type type,
                    const eex_store_shape *shape, const void *data)
{
    eex__store_enter();
    return eex__store_leave(write_array(file, name, type, shape, data, false));
}

int eex_store_write_packed(eex_store_file *file, const char *name, eex_store_type type,
                           const eex_store_shape *shape, const void *data)
{
    eex__store_enter();
    return eex__store_leave(write_array(file, name, type, shape, data, true));
}

static int make_rows(eex_store_file *file, const char *name, eex_store_type type,
                     const eex_store_shape *shape)
{
    hid_t array;
    EEX_TRY(eex__store_check_writing(file, name));
    EEX_TRY(eex__store_check_name(file, name));
    EEX_TRY(check_shape(file, name, shape));
    if (shape->rank < 1 || shape_count(shape, 1) == 0)
        return eex_fail(EEX_EINVAL, "%s: /%s: rows without elements", file->path, name);
    return eex__store_make_array(&array, file, name, stored_type(type), shape, true, false);
}

int eex_store_make_rows(eex_store_file *file, const char *name, eex_store_type type,
                        const eex_store_shape *shape)
{
    eex__store_enter();
    return eex__store_leave(make_rows(file, name, type, shape));
}

/* Reads or writes rows [first, first + rows) of an open array of that shape. */
static int move_rows(const eex_store_file *file, const char *name, hid_t array, eex_store_type type,
                     const eex_store_shape *shape, uint64_t first, uint64_t rows, void *to,
                     const void *from)
{
    hsize_t start[EEX_STORE_MAX_RANK] = {first}, count[EEX_STORE_MAX_RANK];
    for (int i = 0; i < shape->rank; i++)
        count[i] = i == 0 ? rows : shape->extent[i];
    hid_t space = H5Dget_space(array);
    hid_t memory = H5Screate_simple(shape->rank, count, NULL);
    herr_t done = -1;
    if (space >= 0 && memory >= 0 &&
        H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0)
        done = from ? H5Dwrite(array, memory_type(type), memory, space, H5P_DEFAULT, from)
                    : H5Dread(array, memory_type(type), memory, space, H5P_DEFAULT, to);
    int code = EEX_OK;
    if (done < 0)
        code = from ? eex__store_fail(EEX_EIO, file, name, "cannot append to it")
                    : eex__store_fail(EEX_EFORMAT, file, name, "truncated or damaged");
    if (space >= 0)
        H5Sclose(space);
    if (memory >= 0)
        H5Sclose(memory);
    return code;
}

static int append_rows(eex_store_file *file, const char *name, eex_store_type type, uint64_t rows,
                       const void *data)
{
    hid_t array;
    eex_store_shape shape;
    EEX_TRY(eex__store_check_writing(file, name));
    EEX_TRY(eex__store_open_array(&array, file, name));
    EEX_TRY(eex__store_shape(&shape, file, name, array));
    if (rows == 0)
        return EEX_OK;
    hsize_t extent[EEX_STORE_MAX_RANK];
    for (int i = 0; i < shape.rank; i++)
        extent[i] = shape.extent[i];
    extent[0] += rows;
    if (H5Dset_extent(array, extent) < 0)
        return eex__store_fail(EEX_EINVAL, file, name, "it cannot grow");
    return move_rows(file, name, array, type, &shape, shape.extent[0], rows, NULL, data);
}

int eex_store_append(eex_store_file *file, const char *name, eex_store_type type, uint64_t rows,
                     const void *data)
{
    eex__store_enter();
    return eex__store_leave(append_rows(file, name, type, rows, data));
}

/* ---- opening ---- */

void eex__store_forget_array(eex_store_file *file)
{
    if (file->array >= 0)
        H5Dclose(file->array);
    file->array = H5I_INVALID_HID;
    free(file->array_name);
    file->array_name = NULL;
}

static bool filters_are_known(hid_t list)
{
    int count = H5Pget_nfilters(list);
    for (int i = 0; i < count; i++) {
        unsigned flags, config;
        size_t values = 0;
        H5Z_filter_t filter =
            H5Pget_filter2(list, (unsigned)i, &flags, &values, NULL, 0, NULL, &config);
        if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE &&
            filter != H5Z_FILTER_FLETCHER32)
            return false;
    }
    return count >= 0;
}

/* Bytes of one chunk; UINT64_MAX when they are beyond counting. */
static uint64_t chunk_bytes(hid_t list, hid_t type)
{
    hsize_t chunk[H5S_MAX_RANK];
    uint64_t bytes = H5Tget_size(type);
    int rank = H5Pget_chunk(list, H5S_MAX_RANK, chunk);
    for (int i = 0; i < rank; i++) {
        if (chunk[i] == 0 || bytes > UINT64_MAX / chunk[i])
            return UINT64_MAX;
        bytes *= chunk[i];
    }
    return rank < 0 ? UINT64_MAX : bytes;
}

static int check_storage(const eex_store_file *file, const char *name, hid_t array)
{
    const char *wrong = NULL;
    hid_t list = H5Dget_create_plist(array), type = H5Dget_type(array);
    H5D_layout_t layout = list >= 0 ? H5Pget_layout(list) : H5D_LAYOUT_ERROR;
    if (list < 0 || type < 0)
        wrong = "damaged";
    else if (layout != H5D_COMPACT && layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED)
        wrong = "virtual storage is refused";
    else if (H5Pget_external_count(list) != 0)
        wrong = "external storage is refused";
    else if (!filters_are_known(list))
        wrong = "a filter other than deflate, shuffle and fletcher32 is refused";
    else if (layout == H5D_CHUNKED && chunk_bytes(list, type) > EEX__STORE_MAX_CHUNK_BYTES)
        wrong = "chunks above 64 MiB are refused";
    int code = wrong ? eex__store_fail(EEX_EFORMAT, file, name, "%s", wrong) : EEX_OK;
    if (list >= 0)
        H5Pclose(list);
    if (type >= 0)
        H5Tclose(type);
    return code;
}

int eex__store_open_array(hid_t *out, eex_store_file *file, const char *name)
{
    H5O_type_t type;
    if (file->array_name && strcmp(file->array_name, name) == 0) {
        *out = file->array;
        return EEX_OK;
    }
    eex__store_forget_array(file);
    EEX_TRY(eex__store_find(&type, file, name));
    if (type != H5O_TYPE_DATASET)
        return eex__store_fail(EEX_EFORMAT, file, name, "expected an array");
    hid_t array = H5Dopen2(file->id, name, H5P_DEFAULT);
    if (array < 0)
        return eex__store_fail(EEX_EFORMAT, file, name, "damaged array");
    int code = check_storage(file, name, array);
    if (code == EEX_OK && !(file->array_name = strdup(name)))
        code = eex_fail(EEX_ENOMEM, "%s: /%s: out of memory", file->path, name);
    if (code < 0)
        H5Dclose(array);
    else
        *out = file->array = array;
    return code;
}

int eex__store_shape(eex_store_shape *shape, const eex_store_file *file, const char *name,
                     hid_t array)
{
    hsize_t extent[H5S_MAX_RANK];
    *shape = (eex_store_shape){0, {0}};
    hid_t space = H5Dget_space(array);
    H5S_class_t kind = space >= 0 ? H5Sget_simple_extent_type(space) : H5S_NO_CLASS;
    int rank = kind == H5S_SCALAR || kind == H5S_SIMPLE ? H5Sget_simple_extent_ndims(space) : -1;
    int code = EEX_OK;
    if (rank < 0 || (rank > 0 && H5Sget_simple_extent_dims(space, extent, NULL) < 0))
        code = eex__store_fail(EEX_EFORMAT, file, name, "no extents");
    else if (rank > EEX_STORE_MAX_RANK)
        code = eex__store_fail(EEX_EFORMAT, file, name, "rank %d, at most %d is read", rank,
                               EEX_STORE_MAX_RANK);
    else
        shape->rank = rank;
    for (int i = 0; i < shape->rank; i++)
        shape->extent[i] = extent[i];
    if (code == EEX_OK && shape_count(shape, 0) == UINT64_MAX)
        code = eex__store_fail(EEX_EFORMAT, file, name, "its extents are out of range");
    if (space >= 0)
        H5Sclose(space);
    return code;
}

static int array_type(eex_store_type *out, const eex_store_file *file, const char *name,
                      hid_t array)
{
    const hid_t big_endian[EEX_STORE_TYPES] = {
        H5T_STD_U8BE,  H5T_STD_I32BE,  H5T_STD_U32BE,  H5T_STD_I64BE,
        H5T_STD_U64BE, H5T_IEEE_F32BE, H5T_IEEE_F64BE,
    };
    hid_t type = H5Dget_type(array);
    *out = EEX_STORE_TYPES;
    for (int i = 0; type >= 0 && i < EEX_STORE_TYPES; i++)
        if (H5Tequal(type, stored_type((eex_store_type)i)) > 0 ||
            H5Tequal(type, big_endian[i]) > 0) {
            *out = (eex_store_type)i;
            break;
        }
    if (type >= 0)
        H5Tclose(type);
    if (*out == EEX_STORE_TYPES)
        return eex__store_fail(EEX_EFORMAT, file, name,
                               "its elements are not of a type that eex stores");
    return EEX_OK;
}

static int describe(eex_store_type *type, eex_store_shape *shape, eex_store_file *file,
                    const char *name)
{
    hid_t array;
    EEX_TRY(eex__store_open_array(&array, file, name));
    EEX_TRY(array_type(type, file, name, array));
    return eex__store_shape(shape, file, name, array);
}

int eex_store_describe(eex_store_type *type, eex_store_shape *shape, eex_store_file *file,
                       const char *name)
{
    eex__store_enter();
    return eex__store_leave(describe(type, shape, file, name));
}

/* ---- reading ---- */

/* Opens an array that must have this type and shape, from axis `first_axis` on. */
static int open_expected(hid_t *array, eex_store_shape *actual, eex_store_file *file,
                         const char *name, eex_store_type type, const eex_store_shape *expected,
                         int first_axis)
{
    eex_store_type found;
    EEX_TRY(eex__store_open_array(array, file, name));
    EEX_TRY(array_type(&found, file, name, *array));
    if (found != type)
        return eex_fail(EEX_EFORMAT, "%s: /%s: holds %s, expected %s", file->path, name,
                        types[found].name, types[type].name);
    EEX_TRY(eex__store_shape(actual, file, name, *array));
    bool same = actual->rank == expected->rank;
    for (int i = first_axis; same && i < actual->rank; i++)
        same = expected->extent[i] == EEX_STORE_ANY || expected->extent[i] == actual->extent[i];
    if (same)
        return EEX_OK;
    char have[200], want[200];
    shape_text(have, sizeof have, actual);
    shape_text(want, sizeof want, expected);
    return eex_fail(EEX_EFORMAT, "%s: /%s: its shape is %s, expected %s", file->path, name, have,
                    want);
}

static int read_open(void *out, const eex_store_file *file, const char *name, hid_t array,
                     eex_store_type type, const eex_store_shape *shape)
{
    if (shape_count(shape, 0) > 0 &&
        H5Dread(array, memory_type(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, out) < 0)
        return eex__store_fail(EEX_EFORMAT, file, name, "truncated or damaged");
    return EEX_OK;
}

static int read_array(void *out, eex_store_file *file, const char *name, eex_store_type type,
                      const eex_store_shape *shape)
{
    hid_t array;
    eex_store_shape actual;
    for (int i = 0; i < shape->rank; i++)
        if (shape->extent[i] == EEX_STORE_ANY)
            return eex_fail(EEX_EINVAL, "%s: /%s: reading needs exact extents", file->path, name);
    EEX_TRY(open_expected(&array, &actual, file, name, type, shape, 0));
    return read_open(out, file, name, array, type, &actual);
}

int eex_store_read(void *out, eex_store_file *file, const char *name, eex_store_type type,
                   const eex_store_shape *shape)
{
    eex__store_enter();
    return eex__store_leave(read_array(out, file, name, type, shape));
}

static int read_new(void **out, eex_store_file *file, const char *name, eex_store_type type,
                    eex_store_shape *shape, size_t max_bytes)
{
    hid_t array;
    eex_store_shape actual;
    EEX_TRY(open_expected(&array, &actual, file, name, type, shape, 0));
    uint64_t count = shape_count(&actual, 0);
    if (count > max_bytes / types[type].size)
        return eex_fail(EEX_EFORMAT, "%s: /%s: %llu elements of %s, at most %zu bytes are expected",
                        file->path, name, (unsigned long long)count, types[type].name, max_bytes);
    size_t bytes = (size_t)count * types[type].size;
    void *data = malloc(bytes ? bytes : 1);
    if (!data)
        return eex_fail(EEX_ENOMEM, "%s: /%s: out of memory for %zu bytes", file->path, name,
                        bytes);
    int code = read_open(data, file, name, array, type, &actual);
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
    *out = NULL;
    eex__store_enter();
    return eex__store_leave(read_new(out, file, name, type, shape, max_bytes));
}

static int read_rows(void *out, eex_store_file *file, const char *name, eex_store_type type,
                     const eex_store_shape *shape, uint64_t first, uint64_t rows)
{
    hid_t array;
    eex_store_shape actual;
    EEX_TRY(open_expected(&array, &actual, file, name, type, shape, 1));
    if (actual.rank < 1 || first > actual.extent[0] || rows > actual.extent[0] - first)
        return eex_fail(EEX_EFORMAT, "%s: /%s: has %llu rows, expected %llu from %llu", file->path,
                        name, actual.rank ? (unsigned long long)actual.extent[0] : 0,
                        (unsigned long long)rows, (unsigned long long)first);
    if (rows == 0)
        return EEX_OK;
    return move_rows(file, name, array, type, &actual, first, rows, out, NULL);
}

int eex_store_read_rows(void *out, eex_store_file *file, const char *name, eex_store_type type,
                        const eex_store_shape *shape, uint64_t first, uint64_t rows)
{
    eex__store_enter();
    return eex__store_leave(read_rows(out, file, name, type, shape, first, rows));
}
