#include "core/store/h5_filter.h"

#include "core/store/h5_bytes.h"
#include "core/store/h5_checksum.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { SUM_BYTES = 4 };

void eex__h5_scratch_free(eex__h5_scratch *scratch)
{
    free(scratch->data);
    free(scratch->other);
    *scratch = (eex__h5_scratch){0};
}

int eex__h5_scratch_reserve(eex__h5_scratch *scratch, const eex__h5_file *file, uint64_t size)
{
    if (size <= scratch->capacity)
        return EEX_OK;
    free(scratch->data); /* what was there is not needed */
    scratch->data = malloc(size);
    scratch->capacity = scratch->data ? size : 0;
    scratch->size = 0;
    return scratch->data ? EEX_OK : eex__h5_no_memory(file);
}

/* The other piece, of at least that many bytes, becomes data; what was data becomes the other. */
static int turn(eex__h5_scratch *s, const eex__h5_file *file, uint64_t size)
{
    uint8_t *data = s->other;
    uint64_t capacity = s->other_capacity;
    s->other = s->data;
    s->other_capacity = s->capacity;
    s->data = data;
    s->capacity = capacity;
    EEX_TRY(eex__h5_scratch_reserve(s, file, size));
    s->size = size;
    return EEX_OK;
}

static int check_sum(eex__h5_scratch *s, const eex__h5_file *file)
{
    if (s->size < SUM_BYTES)
        return eex__h5_damaged(file, "a chunk without its checksum");
    s->size -= SUM_BYTES;
    eex__h5_bytes stored = eex__h5_bytes_of(s->data + s->size, SUM_BYTES);
    if (!eex__h5_fletcher32_fits(s->data, s->size, (uint32_t)eex__h5_number(&stored, SUM_BYTES)))
        return eex__h5_damaged(file, "wrong checksum of a chunk");
    return EEX_OK;
}

static int inflate_to(eex__h5_scratch *s, const eex__h5_file *file, uint64_t size)
{
    uint64_t packed = s->size;
    EEX_TRY(turn(s, file, size));
    uLongf got = size;
    int result = uncompress(s->data, &got, s->other, packed);
    if (result == Z_MEM_ERROR)
        return eex__h5_no_memory(file);
    if (result != Z_OK || got != size)
        return eex__h5_damaged(file, "a chunk does not unpack to what it should be");
    return EEX_OK;
}

/* All first bytes of the elements, then all second ones, and so on; a rest that is no element
 * stays. */
static int unshuffle(eex__h5_scratch *s, const eex__h5_file *file, uint32_t unit)
{
    uint64_t count = s->size / unit;
    if (unit == 1 || count < 2)
        return EEX_OK;
    EEX_TRY(turn(s, file, s->size));
    const uint8_t *from = s->other;
    for (uint32_t b = 0; b < unit; b++)
        for (uint64_t i = 0; i < count; i++)
            s->data[i * unit + b] = *from++;
    memcpy(s->data + count * unit, from, s->size - count * unit);
    return EEX_OK;
}

/* Bytes before filter number `until` was applied. */
static uint64_t size_before(const eex__h5_layout *layout, uint32_t left_out, int until)
{
    uint64_t size = layout->chunk_bytes;
    for (int i = 0; i < until; i++)
        if (layout->filters.id[i] == EEX__H5_FLETCHER32 && !(left_out >> i & 1))
            size += SUM_BYTES;
    return size;
}

int eex__h5_filters_undo(eex__h5_scratch *scratch, const eex__h5_file *file,
                         const eex__h5_layout *layout, uint32_t left_out)
{
    for (int i = layout->filters.count - 1; i >= 0; i--) {
        if (left_out >> i & 1)
            continue;
        switch (layout->filters.id[i]) {
        case EEX__H5_FLETCHER32:
            EEX_TRY(check_sum(scratch, file));
            break;
        case EEX__H5_DEFLATE:
            EEX_TRY(inflate_to(scratch, file, size_before(layout, left_out, i)));
            break;
        case EEX__H5_SHUFFLE:
            EEX_TRY(unshuffle(scratch, file, layout->filters.unit[i]));
            break;
        }
    }
    if (scratch->size != layout->chunk_bytes)
        return eex__h5_damaged(file, "a chunk of %llu bytes, expected %llu",
                               (unsigned long long)scratch->size,
                               (unsigned long long)layout->chunk_bytes);
    return EEX_OK;
}
