#include "core/store/h5_array.h"

#include "core/store/h5_bytes.h"

#include "base/signals.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

enum {
    /* What was never written reads as the fill value: so much of it, and no more. */
    MAX_UNWRITTEN = 8 << 20,
    /* Chunks may reach over the edge: on every axis at most twice, of which this is plenty. */
    MAX_OVERHANG = 16,
    POLL_BYTES = 16 << 20
};

void eex__h5_reader_free(eex__h5_reader *reader)
{
    eex__h5_scratch_free(&reader->scratch);
    reader->holds = false;
}

/* ---- what an array is ---- */

static int read_fill(eex__h5_array *a, const eex__h5_file *file, const eex__h5_object *object)
{
    enum { HAS_VALUE = 0x20 };
    const eex__h5_message *message;
    EEX_TRY(eex__h5_object_find(&message, file, object, EEX__H5_FILL_VALUE));
    if (!message)
        return EEX_OK;
    eex__h5_bytes bytes = eex__h5_bytes_of(message->data, message->size);
    uint8_t version = eex__h5_byte(&bytes);
    bool defined = version == 3 && eex__h5_byte(&bytes) & HAS_VALUE;
    if (version < 3) {
        eex__h5_take(&bytes, 2);
        defined = eex__h5_byte(&bytes) && version == 2;
    }
    if (!defined || bytes.over)
        return EEX_OK;
    uint64_t size = eex__h5_number(&bytes, 4);
    const uint8_t *value = eex__h5_take(&bytes, size);
    if (size == a->type.size && value)
        a->fill = value;
    return EEX_OK;
}

static int open_array(eex__h5_array *a, const eex__h5_file *file, const eex__h5_object *object)
{
    const eex__h5_message *type, *space;
    EEX_TRY(eex__h5_object_find(&type, file, object, EEX__H5_DATATYPE));
    EEX_TRY(eex__h5_object_find(&space, file, object, EEX__H5_DATASPACE));
    if (!type || !space)
        return eex__h5_refused(file, "expected an array");
    EEX_TRY(eex__h5_type_parse(&a->type, file, type->data, type->size));
    EEX_TRY(eex__h5_space_parse(&a->space, file, space->data, space->size));
    EEX_TRY(eex__h5_space_count(&a->count, file, &a->space));
    EEX_TRY(eex__h5_layout_read(&a->layout, file, object, &a->type, &a->space));
    return read_fill(a, file, object);
}

int eex__h5_array_open(eex__h5_array *out, const eex__h5_file *file, const eex__h5_object *object)
{
    *out = (eex__h5_array){.address = object->address};
    int code = open_array(out, file, object);
    if (code < 0)
        *out = (eex__h5_array){0};
    return code;
}

void eex__h5_array_close(eex__h5_array *array)
{
    eex__h5_chunks_free(&array->chunks);
    *array = (eex__h5_array){0};
}

/* ---- whether its data is there ---- */

static int too_little(const eex__h5_file *file, uint64_t bytes)
{
    return eex__h5_damaged(file, "its %llu bytes are not in the file", (unsigned long long)bytes);
}

static int locate_chunks(eex__h5_array *a, const eex__h5_file *file, uint64_t bytes)
{
    EEX_TRY(eex__h5_chunks_read(&a->chunks, file, &a->layout, &a->space));
    uint64_t missing = a->chunks.all - a->chunks.count, work;
    if (missing > MAX_UNWRITTEN / a->layout.chunk_bytes)
        return too_little(file, bytes);
    if (__builtin_mul_overflow(a->chunks.all, a->layout.chunk_bytes, &work) ||
        work / MAX_OVERHANG > bytes + MAX_UNWRITTEN / MAX_OVERHANG)
        return eex__h5_refused(file, "its chunks are many times larger than what is in them");
    return EEX_OK;
}

int eex__h5_array_locate(eex__h5_array *array, const eex__h5_file *file)
{
    const eex__h5_layout *l = &array->layout;
    uint64_t bytes;
    if (array->located)
        return EEX_OK;
    if (__builtin_mul_overflow(array->count, array->type.size, &bytes))
        return eex__h5_refused(file, "its extents are out of range");
    if (l->storage == EEX__H5_COMPACT && bytes > 0 && l->size != bytes)
        return too_little(file, bytes);
    if (l->storage == EEX__H5_CONTIGUOUS) {
        bool written = l->address != EEX__H5_NOWHERE;
        if (written ? bytes > l->size : bytes > MAX_UNWRITTEN)
            return too_little(file, bytes);
        if (written && (l->address > file->size || bytes > file->size - l->address))
            return too_little(file, bytes);
    }
    if (l->storage == EEX__H5_CHUNKED && bytes > 0)
        EEX_TRY(locate_chunks(array, file, bytes));
    array->located = true;
    return EEX_OK;
}

/* ---- reading ---- */

static void put_fill(uint8_t *to, const eex__h5_array *a, uint64_t bytes)
{
    if (!a->fill) {
        memset(to, 0, bytes);
        return;
    }
    for (uint64_t at = 0; at < bytes; at += a->type.size)
        memcpy(to + at, a->fill, a->type.size);
}

static int read_piece(uint8_t *out, const eex__h5_file *file, const eex__h5_array *a,
                      uint64_t offset, uint64_t bytes)
{
    const eex__h5_layout *l = &a->layout;
    if (l->storage == EEX__H5_COMPACT)
        memcpy(out, l->data + offset, bytes);
    else if (l->address == EEX__H5_NOWHERE)
        put_fill(out, a, bytes);
    else
        return eex__h5_read(out, file, l->address + offset, bytes, "its data");
    return EEX_OK;
}

/* Brings a chunk into the reader's memory; NULL: it was never written. */
static int load_chunk(const uint8_t **data, const eex__h5_file *file, const eex__h5_array *a,
                      eex__h5_reader *reader, uint64_t place)
{
    eex__h5_scratch *s = &reader->scratch;
    *data = NULL;
    if (reader->holds && reader->array == a->address && reader->place == place) {
        *data = s->data;
        return EEX_OK;
    }
    const eex__h5_chunk *chunk = eex__h5_chunks_find(&a->chunks, place);
    if (!chunk)
        return EEX_OK;
    reader->holds = false;
    if (chunk->size / 2 > a->layout.chunk_bytes + 1024)
        return eex__h5_damaged(file, "a chunk is larger than its content");
    EEX_TRY(eex__h5_scratch_reserve(s, file, chunk->size));
    EEX_TRY(eex__h5_read(s->data, file, chunk->address, chunk->size, "a chunk"));
    s->size = chunk->size;
    EEX_TRY(eex__h5_filters_undo(s, file, &a->layout, chunk->left_out));
    reader->holds = true;
    reader->array = a->address;
    reader->place = place;
    *data = s->data;
    return EEX_OK;
}

/* What of one chunk is copied where. Axes behind `run` are whole in the chunk and in the array, so
 * that their elements lie side by side in both. */
typedef struct box {
    int run;
    uint64_t from[EEX__H5_MAX_RANK];  /* in the array, inclusive */
    uint64_t until[EEX__H5_MAX_RANK]; /* exclusive */
    uint64_t begin[EEX__H5_MAX_RANK]; /* where the chunk begins */
} box;

static void set_box(box *b, const eex__h5_array *a, const uint64_t *grid, uint64_t first,
                    uint64_t rows)
{
    int rank = a->space.rank;
    b->run = rank - 1;
    while (b->run > 0 && a->layout.chunk[b->run] == a->space.extent[b->run])
        b->run--;
    for (int i = 0; i < rank; i++) {
        uint64_t low = i == 0 ? first : 0, high = i == 0 ? first + rows : a->space.extent[i];
        uint64_t end;
        b->begin[i] = grid[i] * a->layout.chunk[i];
        if (__builtin_add_overflow(b->begin[i], a->layout.chunk[i], &end) || end > high)
            end = high;
        b->from[i] = b->begin[i] > low ? b->begin[i] : low;
        b->until[i] = end;
    }
}

/* `first` is the array's row that out begins with. */
static void copy_box(uint8_t *out, const uint8_t *chunk, const eex__h5_array *a, const box *b,
                     uint64_t first)
{
    uint64_t at[EEX__H5_MAX_RANK], bytes = a->type.size;
    memcpy(at, b->from, sizeof at);
    for (int i = b->run; i < a->space.rank; i++)
        bytes *= b->until[i] - b->from[i];
    for (;;) {
        uint64_t to = 0, from = 0;
        for (int i = 0; i < a->space.rank; i++) {
            to = to * a->space.extent[i] + at[i] - (i == 0 ? first : 0);
            from = from * a->layout.chunk[i] + at[i] - b->begin[i];
        }
        if (chunk)
            memcpy(out + to * a->type.size, chunk + from * a->type.size, bytes);
        else
            put_fill(out + to * a->type.size, a, bytes);
        int axis = b->run - 1;
        while (axis >= 0 && ++at[axis] == b->until[axis]) {
            at[axis] = b->from[axis];
            axis--;
        }
        if (axis < 0)
            return;
    }
}

static int read_chunks(uint8_t *out, const eex__h5_file *file, const eex__h5_array *a,
                       eex__h5_reader *reader, uint64_t first, uint64_t rows)
{
    uint64_t grid[EEX__H5_MAX_RANK] = {first / a->layout.chunk[0]};
    uint64_t last = (first + rows - 1) / a->layout.chunk[0], done = 0;
    int rank = a->space.rank;
    for (;;) {
        uint64_t place = 0;
        const uint8_t *chunk;
        box b;
        for (int i = 0; i < rank; i++)
            place = place * a->chunks.grid[i] + grid[i];
        EEX_TRY(load_chunk(&chunk, file, a, reader, place));
        set_box(&b, a, grid, first, rows);
        copy_box(out, chunk, a, &b, first);
        done += a->layout.chunk_bytes;
        if (done > POLL_BYTES && eex_interrupted())
            return eex_fail(EEX_EINTERRUPTED, "interrupted while reading %s", file->path);
        int axis = rank - 1;
        while (axis > 0 && ++grid[axis] == a->chunks.grid[axis])
            grid[axis--] = 0;
        if (axis == 0 && ++grid[0] > last)
            return EEX_OK;
    }
}

int eex__h5_array_read(void *out, const eex__h5_file *file, const eex__h5_array *array,
                       eex__h5_reader *reader, uint64_t first, uint64_t rows)
{
    uint64_t row = array->type.size;
    for (int i = 1; i < array->space.rank; i++)
        row *= array->space.extent[i];
    if (array->count == 0 || rows == 0)
        return EEX_OK;
    if (array->layout.storage == EEX__H5_CHUNKED)
        EEX_TRY(read_chunks(out, file, array, reader, first, rows));
    else
        EEX_TRY(read_piece(out, file, array, first * row, rows * row));
    eex__h5_to_little_endian(out, rows * row / array->type.size, &array->type);
    return EEX_OK;
}
