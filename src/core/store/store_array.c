#include "core/store/store_hdf5.h"

#include "base/signals.h"
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
    return (unsigned)type < EEX_STORE_TYPES ? types[type].size : 0;
}

const char *eex_store_type_name(eex_store_type type)
{
    return (unsigned)type < EEX_STORE_TYPES ? types[type].name : "?";
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
uint64_t eex__store_count(const eex_store_shape *shape, int first)
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

static int check_shape(const eex_store_file *file, const char *name, eex_store_type type,
                       const eex_store_shape *shape)
{
    EEX_TRY(eex__store_check_type(file, name, type, shape));
    if (shape->rank < 0 || shape->rank > EEX_STORE_MAX_RANK ||
        eex__store_count(shape, 0) == UINT64_MAX)
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
    uint64_t count = eex__store_count(shape, 0);
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
                          const char *type_name, const eex_store_shape *shape, bool grows,
                          bool pack)
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
    code = eex__sealing_add(&file->sealing, name, type_name, shape);
    if (code == EEX_OK && grows)
        eex__sealing_find(&file->sealing, name)->shape.extent[0] = 0;
done:
    if (list >= 0)
        H5Pclose(list);
    if (space >= 0)
        H5Sclose(space);
    return code;
}

/* ---- writing ---- */

/* Packing takes long. What is smaller is written whole, so that state can be saved after a signal.
 */
enum { POLL_BYTES = 16 << 20 };

static int poll_packed(eex_store_file *file, uint64_t bytes)
{
    file->packed += bytes;
    if (file->packed > POLL_BYTES && eex_interrupted())
        return eex_fail(EEX_EINTERRUPTED, "interrupted while writing %s", file->path);
    return EEX_OK;
}

/* To the next chunk, the last axis first; false behind the last one. */
static bool next_chunk(hsize_t *start, const hsize_t *chunk, const eex_store_shape *shape)
{
    for (int i = shape->rank - 1; i >= 0; i--) {
        start[i] += chunk[i];
        if (start[i] < shape->extent[i])
            return true;
        start[i] = 0;
    }
    return false;
}

/* Chunk by chunk, in the order in which the library would take them. */
static int write_chunks(eex_store_file *file, const char *name, hid_t array, eex_store_type type,
                        const eex_store_shape *shape, const void *data)
{
    hsize_t chunk[EEX_STORE_MAX_RANK], start[EEX_STORE_MAX_RANK] = {0}, count[EEX_STORE_MAX_RANK];
    const hid_t space = H5Dget_space(array);
    int code = EEX_OK;
    chunk_shape(chunk, shape, types[type].size, false);
    do {
        uint64_t bytes = types[type].size;
        for (int i = 0; i < shape->rank; i++) {
            const hsize_t left = shape->extent[i] - start[i];
            count[i] = chunk[i] < left ? chunk[i] : left;
            bytes *= count[i];
        }
        if (space < 0 || H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) < 0 ||
            H5Dwrite(array, memory_type(type), space, space, H5P_DEFAULT, data) < 0)
            code = eex__store_fail(EEX_EIO, file, name, "cannot write it");
        else
            code = poll_packed(file, bytes);
    } while (code == EEX_OK && next_chunk(start, chunk, shape));
    if (space >= 0)
        H5Sclose(space);
    return code;
}

static int write_whole(eex_store_file *file, const char *name, hid_t array, eex_store_type type,
                       const void *data)
{
    if (H5Dwrite(array, memory_type(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
        return eex__store_fail(EEX_EIO, file, name, "cannot write it");
    return EEX_OK;
}

static int write_array(eex_store_file *file, const char *name, eex_store_type type,
                       const eex_store_shape *shape, const void *data, bool pack)
{
    hid_t array;
    EEX_TRY(eex__store_check_writing(file, name));
    EEX_TRY(eex__store_check_name(file, name));
    EEX_TRY(check_shape(file, name, type, shape));
    const uint64_t count = eex__store_count(shape, 0);
    if (count > 0 && !data)
        return eex_fail(EEX_EINVAL, "%s: /%s: no data (NULL)", file->path, name);
    EEX_TRY(eex__store_make_array(&array, file, name, stored_type(type), types[type].name, shape,
                                  false, pack));
    if (pack && count > EEX__STORE_COMPACT_BYTES / types[type].size)
        EEX_TRY(write_chunks(file, name, array, type, shape, data));
    else if (count > 0)
        EEX_TRY(write_whole(file, name, array, type, data));
    eex_xxh64_update(&eex__sealing_find(&file->sealing, name)->content, data,
                     count * types[type].size);
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
    EEX_TRY(check_shape(file, name, type, shape));
    if (shape->rank < 1 || eex__store_count(shape, 1) == 0)
        return eex_fail(EEX_EINVAL, "%s: /%s: rows without elements", file->path, name);
    return eex__store_make_array(&array, file, name, stored_type(type), types[type].name, shape,
                                 true, false);
}

int eex_store_make_rows(eex_store_file *file, const char *name, eex_store_type type,
                        const eex_store_shape *shape)
{
    eex__store_enter();
    return eex__store_leave(make_rows(file, name, type, shape));
}

static int write_rows(const eex_store_file *file, const char *name, hid_t array,
                      eex_store_type type, const eex_store_shape *shape, uint64_t rows,
                      const void *data)
{
    hsize_t start[EEX_STORE_MAX_RANK] = {shape->extent[0]}, count[EEX_STORE_MAX_RANK];
    for (int i = 0; i < shape->rank; i++)
        count[i] = i == 0 ? rows : shape->extent[i];
    hid_t space = H5Dget_space(array);
    hid_t memory = H5Screate_simple(shape->rank, count, NULL);
    herr_t done = -1;
    if (space >= 0 && memory >= 0 &&
        H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0)
        done = H5Dwrite(array, memory_type(type), memory, space, H5P_DEFAULT, data);
    int code = done < 0 ? eex__store_fail(EEX_EIO, file, name, "cannot append to it") : EEX_OK;
    if (space >= 0)
        H5Sclose(space);
    if (memory >= 0)
        H5Sclose(memory);
    return code;
}

/* Rows of what was made for them, so many that the whole can be counted. */
static int check_rows(const eex_store_file *file, const char *name, eex_store_type type,
                      uint64_t rows, const void *data, const eex_store_shape *shape)
{
    eex_store_shape grown = *shape;
    EEX_TRY(eex__store_check_type(file, name, type, shape));
    if (!data)
        return eex_fail(EEX_EINVAL, "%s: /%s: no rows (NULL)", file->path, name);
    if (shape->rank < 1 || __builtin_add_overflow(shape->extent[0], rows, &grown.extent[0]))
        return eex_fail(EEX_EINVAL, "%s: /%s: %llu rows cannot be appended", file->path, name,
                        (unsigned long long)rows);
    return check_shape(file, name, type, &grown);
}

static int append_rows(eex_store_file *file, const char *name, eex_store_type type, uint64_t rows,
                       const void *data)
{
    hid_t array;
    hsize_t extent[EEX_STORE_MAX_RANK];
    EEX_TRY(eex__store_check_writing(file, name));
    EEX_TRY(eex__store_open_array(&array, file, name));
    eex__sealed_object *sealed = eex__sealing_find(&file->sealing, name);
    const eex_store_shape shape = sealed->shape;
    if (rows == 0)
        return EEX_OK;
    EEX_TRY(check_rows(file, name, type, rows, data, &shape));
    for (int i = 0; i < shape.rank; i++)
        extent[i] = shape.extent[i];
    extent[0] += rows;
    if (H5Dset_extent(array, extent) < 0)
        return eex__store_fail(EEX_EINVAL, file, name, "it cannot grow");
    EEX_TRY(write_rows(file, name, array, type, &shape, rows, data));
    sealed->shape.extent[0] += rows;
    eex_xxh64_update(&sealed->content, data, rows * eex__store_count(&shape, 1) * types[type].size);
    return EEX_OK;
}

int eex_store_append(eex_store_file *file, const char *name, eex_store_type type, uint64_t rows,
                     const void *data)
{
    eex__store_enter();
    return eex__store_leave(append_rows(file, name, type, rows, data));
}

/* ---- the array used last ---- */

void eex__store_forget_array(eex_store_file *file)
{
    if (file->array >= 0)
        H5Dclose(file->array);
    file->array = H5I_INVALID_HID;
    free(file->array_name);
    file->array_name = NULL;
}

int eex__store_open_array(hid_t *out, eex_store_file *file, const char *name)
{
    if (file->array_name && strcmp(file->array_name, name) == 0) {
        *out = file->array;
        return EEX_OK;
    }
    eex__store_forget_array(file);
    const eex__sealed_object *sealed = eex__sealing_find(&file->sealing, name);
    if (!sealed || strcmp(sealed->type, "group") == 0)
        return eex__store_fail(EEX_ENOTFOUND, file, name, "there is no such array in the file");
    hid_t array = H5Dopen2(file->id, name, H5P_DEFAULT);
    if (array < 0)
        return eex__store_fail(EEX_EIO, file, name, "cannot open the array");
    file->array_name = strdup(name);
    if (!file->array_name) {
        H5Dclose(array);
        return eex_fail(EEX_ENOMEM, "%s: /%s: out of memory", file->path, name);
    }
    *out = file->array = array;
    return EEX_OK;
}
