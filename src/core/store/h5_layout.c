#include "core/store/h5_layout.h"

#include "core/store/h5_bytes.h"

#include "base/status.h"

#include <string.h>

enum { MAX_CHUNK_BYTES = 64 << 20 };

static int cut_off(const eex__h5_file *file)
{
    return eex__h5_damaged(file, "what it says of its storage is cut off");
}

/* ---- filters ---- */

static int parse_filter(eex__h5_filters *f, const eex__h5_file *file, eex__h5_bytes *bytes,
                        uint8_t version)
{
    uint64_t id = eex__h5_number(bytes, 2);
    uint64_t name = version == 1 || id >= 256 ? eex__h5_number(bytes, 2) : 0;
    eex__h5_take(bytes, 2); /* whether a writer may leave it out */
    uint64_t values = eex__h5_number(bytes, 2);
    eex__h5_take(bytes, version == 1 ? (name + 7) & ~7ULL : name);
    eex__h5_bytes value = *bytes;
    eex__h5_take(bytes, 4 * (values + (version == 1 ? values % 2 : 0)));
    if (bytes->over)
        return cut_off(file);
    if (id != EEX__H5_DEFLATE && id != EEX__H5_SHUFFLE && id != EEX__H5_FLETCHER32)
        return eex__h5_refused(file,
                               "a filter other than deflate, shuffle and fletcher32 is refused "
                               "(number %llu%s)",
                               (unsigned long long)id, id == 32000 ? ", lzf" : "");
    f->id[f->count] = (eex__h5_filter_id)id;
    f->unit[f->count] = values ? (uint32_t)eex__h5_number(&value, 4) : 0;
    if (id == EEX__H5_SHUFFLE && f->unit[f->count] == 0)
        return eex__h5_damaged(file, "it is shuffled in units of nothing");
    f->count++;
    return EEX_OK;
}

static int read_filters(eex__h5_filters *out, const eex__h5_file *file, const eex__h5_object *array)
{
    const eex__h5_message *message;
    EEX_TRY(eex__h5_object_find(&message, file, array, EEX__H5_FILTERS));
    *out = (eex__h5_filters){0};
    if (!message)
        return EEX_OK;
    eex__h5_bytes bytes = eex__h5_bytes_of(message->data, message->size);
    uint8_t version = eex__h5_byte(&bytes), count = eex__h5_byte(&bytes);
    if (version < 1 || version > 2 || count > EEX__H5_MAX_FILTERS)
        return eex__h5_refused(file, "filters of an unknown kind, or too many");
    eex__h5_take(&bytes, version == 1 ? 6 : 0);
    for (int i = 0; i < count; i++)
        EEX_TRY(parse_filter(out, file, &bytes, version));
    return bytes.over ? cut_off(file) : EEX_OK;
}

/* ---- chunks ---- */

/* Of a chunked layout's flags. */
enum { EDGES_UNFILTERED = 1, SINGLE_FILTERED = 2 };

static int parse_chunk_shape(eex__h5_layout *out, const eex__h5_file *file, eex__h5_bytes *bytes,
                             const eex__h5_type *type, const eex__h5_space *space)
{
    int rank = eex__h5_byte(bytes) - 1; /* the last extent is the bytes of an element */
    size_t width = eex__h5_byte(bytes);
    if (rank != space->rank || rank < 1 || width < 1 || width > 8)
        return eex__h5_damaged(file, "the rank of its chunks is not its own");
    out->chunk_bytes = type->size;
    for (int i = 0; i < rank; i++) {
        out->chunk[i] = eex__h5_number(bytes, width);
        if (out->chunk[i] == 0 && !bytes->over)
            return eex__h5_damaged(file, "chunks without elements");
        if (__builtin_mul_overflow(out->chunk_bytes, out->chunk[i], &out->chunk_bytes))
            out->chunk_bytes = UINT64_MAX;
    }
    if (eex__h5_number(bytes, width) != type->size && !bytes->over)
        return eex__h5_damaged(file, "the elements of its chunks are not its own");
    if (!bytes->over && out->chunk_bytes > MAX_CHUNK_BYTES)
        return eex__h5_refused(file, "chunks above 64 MiB are refused");
    return EEX_OK;
}

/* The parameters of an index stand in the index's own header too, and are taken from there. */
static int parse_chunks(eex__h5_layout *out, const eex__h5_file *file, eex__h5_bytes *bytes,
                        const eex__h5_type *type, const eex__h5_space *space)
{
    static const uint8_t parameters[] = {
        [EEX__H5_FIXED] = 1, [EEX__H5_EXTENSIBLE] = 5, [EEX__H5_BTREE] = 6};
    uint8_t flags = eex__h5_byte(bytes);
    EEX_TRY(parse_chunk_shape(out, file, bytes, type, space));
    unsigned index = eex__h5_byte(bytes);
    if (bytes->over)
        return cut_off(file);
    if (index < EEX__H5_SINGLE || index > EEX__H5_BTREE)
        return eex__h5_refused(file, "chunks with an index of an unknown kind (%u)", index);
    if (flags & EDGES_UNFILTERED && out->filters.count)
        return eex__h5_refused(file, "chunks that are filtered but at the edges are not read");
    out->index = (eex__h5_index)index;
    out->size = out->chunk_bytes;
    if (index == EEX__H5_SINGLE && flags & SINGLE_FILTERED) {
        out->size = eex__h5_number(bytes, 8);
        out->left_out = (uint32_t)eex__h5_number(bytes, 4);
    }
    eex__h5_take(bytes, parameters[index]);
    out->address = eex__h5_number(bytes, 8);
    return EEX_OK;
}

/* ---- the layout ---- */

static int parse_layout(eex__h5_layout *out, const eex__h5_file *file, eex__h5_bytes *bytes,
                        const eex__h5_type *type, const eex__h5_space *space)
{
    uint8_t version = eex__h5_byte(bytes), storage = eex__h5_byte(bytes);
    /* Version 5 differs from 4 in how wide indices write the sizes of chunks, which they say
     * themselves. */
    if (version < 3 || version > 5)
        return eex__h5_refused(file, "storage of version %d, 3 to 5 are read: %s", version,
                               version < 3 ? "h5repack --low=2 makes a new file"
                                           : "write the file with libver=\"v110\"");
    switch (storage) {
    case EEX__H5_COMPACT:
        out->size = eex__h5_number(bytes, 2);
        out->data = eex__h5_take(bytes, out->size);
        break;
    case EEX__H5_CONTIGUOUS:
        out->address = eex__h5_number(bytes, 8);
        out->size = eex__h5_number(bytes, 8);
        break;
    case EEX__H5_CHUNKED:
        if (version == 3)
            return eex__h5_refused(file, "chunks with an index of before HDF5 1.10, which has no "
                                         "checksums: write the file with libver=\"v110\" (h5py) or "
                                         "h5repack --low=2 --high=2");
        EEX_TRY(parse_chunks(out, file, bytes, type, space));
        break;
    case 3:
        return eex__h5_refused(file, "virtual storage is refused");
    default:
        return eex__h5_damaged(file, "storage of an unknown kind");
    }
    out->storage = (eex__h5_storage)storage;
    return bytes->over ? cut_off(file) : EEX_OK;
}

int eex__h5_layout_read(eex__h5_layout *out, const eex__h5_file *file, const eex__h5_object *array,
                        const eex__h5_type *type, const eex__h5_space *space)
{
    const eex__h5_message *message;
    *out = (eex__h5_layout){.address = EEX__H5_NOWHERE};
    EEX_TRY(eex__h5_object_find(&message, file, array, EEX__H5_EXTERNAL_FILES));
    if (message)
        return eex__h5_refused(file, "external storage is refused");
    EEX_TRY(read_filters(&out->filters, file, array));
    EEX_TRY(eex__h5_object_find(&message, file, array, EEX__H5_LAYOUT));
    if (!message)
        return eex__h5_damaged(file, "it does not say how it is stored");
    eex__h5_bytes bytes = eex__h5_bytes_of(message->data, message->size);
    return parse_layout(out, file, &bytes, type, space);
}
