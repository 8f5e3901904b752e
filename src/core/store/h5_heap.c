#include "core/store/h5_heap.h"

#include "core/store/h5_btree.h"
#include "core/store/h5_bytes.h"
#include "core/store/h5_checksum.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER_BYTES = 146, MAX_ID_BYTES = 16, MAX_WIDTH = 1 << 12, SUMMED = 0x02 };

static const char what[] = "a heap";

/* Blocks double: in rows of `width`, the first two of `start` bytes, each of the others twice as
 * large as those of the row before. Beyond `most` bytes they are not data, but tables of smaller
 * ones. */
typedef struct shape {
    const eex__h5_file *file;
    uint64_t address, width, start, most;
    unsigned bits; /* the whole space is 2^bits bytes */
} shape;

static uint64_t row_bytes(const shape *s, unsigned row)
{
    return row ? s->start << (row - 1) : s->start;
}

/* Signature, version, whose block it is, and where in the heap's space it lies. */
static bool head_fits(const eex__h5_heap *heap, const shape *s, const uint8_t *block,
                      uint64_t offset)
{
    eex__h5_bytes bytes = eex__h5_bytes_of(block + 4, 9 + heap->offset_bytes);
    return eex__h5_byte(&bytes) == 0 && eex__h5_number(&bytes, 8) == s->address &&
           eex__h5_number(&bytes, heap->offset_bytes) == offset;
}

/* The checksum lies in front of the data and counts as zero. */
static bool data_is_right(const eex__h5_heap *heap, uint8_t *block, uint64_t size)
{
    uint8_t *place = block + 13 + heap->offset_bytes;
    eex__h5_bytes stored = eex__h5_bytes_of(place, 4);
    uint32_t sum = (uint32_t)eex__h5_number(&stored, 4);
    memset(place, 0, 4);
    return eex__h5_lookup3_fits(block, size, sum);
}

static int read_data(eex__h5_heap *heap, const shape *s, uint64_t address, uint64_t offset,
                     uint64_t size)
{
    const eex__h5_file *file = s->file;
    heap->block_bytes += size;
    if (size > file->size || heap->block_bytes > file->size || size < 17 + heap->offset_bytes)
        return eex__h5_damaged(file, "%s is larger than the file", what);
    eex__h5_heap_block *block = eex__h5_grown(heap->block, heap->blocks, sizeof *block);
    if (!block)
        return eex__h5_no_memory(file);
    heap->block = block;
    uint8_t *data = malloc(size);
    if (!data)
        return eex__h5_no_memory(file);
    int code = eex__h5_read_structure(data, file, address, size, what);
    if (code == EEX_OK && (memcmp(data, "FHDB", 4) != 0 || !head_fits(heap, s, data, offset)))
        code = eex__h5_damaged(file, "a block of %s is not where it should be", what);
    else if (code == EEX_OK && !data_is_right(heap, data, size))
        code = eex__h5_damaged(file, "wrong checksum of %s, at byte %llu", what,
                               (unsigned long long)address);
    if (code < 0)
        free(data);
    else
        heap->block[heap->blocks++] = (eex__h5_heap_block){offset, size, data};
    return code;
}

static int read_table(eex__h5_heap *heap, const shape *s, uint64_t address, uint64_t offset,
                      unsigned rows);

static int read_child(eex__h5_heap *heap, const shape *s, uint64_t address, uint64_t offset,
                      unsigned row)
{
    uint64_t size = row_bytes(s, row);
    if (address == EEX__H5_NOWHERE)
        return EEX_OK;
    if (size <= s->most)
        return read_data(heap, s, address, offset, size);
    unsigned first = eex__h5_log2(s->start * s->width), all = eex__h5_log2(size);
    if (all < first)
        return eex__h5_damaged(s->file, "%s has tables that are too small", what);
    return read_table(heap, s, address, offset, all - first + 1);
}

static int read_children(eex__h5_heap *heap, const shape *s, eex__h5_bytes bytes, uint64_t offset,
                         unsigned rows)
{
    for (unsigned row = 0; row < rows; row++)
        for (uint64_t i = 0; i < s->width; i++) {
            EEX_TRY(read_child(heap, s, eex__h5_number(&bytes, 8), offset, row));
            offset += row_bytes(s, row);
        }
    return EEX_OK;
}

/* Tables in tables have fewer rows each time, which bounds the depth. */
static int read_table(eex__h5_heap *heap, const shape *s, uint64_t address, uint64_t offset,
                      unsigned rows)
{
    uint8_t *block;
    if (rows == 0 || rows + eex__h5_log2(s->start) > s->bits + 1)
        return eex__h5_damaged(s->file, "%s has impossible tables", what);
    uint64_t size = 13 + heap->offset_bytes + 8 * rows * s->width + 4;
    heap->block_bytes += size;
    if (heap->block_bytes > s->file->size)
        return eex__h5_damaged(s->file, "%s is larger than the file", what);
    EEX_TRY(eex__h5_read_block(&block, s->file, address, size, "FHIB", what));
    size_t head = 13 + heap->offset_bytes;
    int code = EEX_OK;
    if (!head_fits(heap, s, block, offset))
        code = eex__h5_damaged(s->file, "a table of %s is not where it should be", what);
    else
        code =
            read_children(heap, s, eex__h5_bytes_of(block + head, size - head - 4), offset, rows);
    free(block);
    return code;
}

/* ---- objects that are too large for blocks ---- */

typedef struct huge_visit {
    eex__h5_heap *heap;
    const eex__h5_file *file;
} huge_visit;

static int add_huge(void *data, const uint8_t *record, size_t size)
{
    huge_visit *v = data;
    eex__h5_heap *heap = v->heap;
    eex__h5_bytes bytes = eex__h5_bytes_of(record, size);
    uint64_t address = eex__h5_number(&bytes, 8), length = eex__h5_number(&bytes, 8);
    uint64_t number = eex__h5_number(&bytes, 8);
    if (bytes.over || length > v->file->size)
        return eex__h5_damaged(v->file, "%s keeps something outside of the file", what);
    if (heap->huges > 0 && heap->huge[heap->huges - 1].number >= number)
        return eex__h5_damaged(v->file, "%s keeps something out of order", what);
    heap->block_bytes += length;
    if (heap->block_bytes > v->file->size)
        return eex__h5_damaged(v->file, "%s is larger than the file", what);
    eex__h5_huge *huge = eex__h5_grown(heap->huge, heap->huges, sizeof *huge);
    if (!huge)
        return eex__h5_no_memory(v->file);
    heap->huge = huge;
    huge += heap->huges;
    *huge = (eex__h5_huge){number, length, malloc(length ? length : 1)};
    if (!huge->data)
        return eex__h5_no_memory(v->file);
    heap->huges++;
    return eex__h5_read_structure(huge->data, v->file, address, length, what);
}

/* ---- the header ---- */

static bool is_power(uint64_t number)
{
    return number && (number & (number - 1)) == 0;
}

static int read_shape(eex__h5_heap *heap, shape *s, eex__h5_bytes *bytes, uint64_t most_object)
{
    s->width = eex__h5_number(bytes, 2);
    s->start = eex__h5_number(bytes, 8);
    s->most = eex__h5_number(bytes, 8);
    s->bits = (unsigned)eex__h5_number(bytes, 2);
    if (!is_power(s->width) || s->width > MAX_WIDTH || !is_power(s->start) || !is_power(s->most) ||
        s->start > s->most || s->bits > 48 || eex__h5_log2(s->most) > s->bits)
        return eex__h5_damaged(s->file, "%s has an impossible shape", what);
    heap->offset_bytes = (s->bits + 7) / 8;
    heap->length_bytes = (eex__h5_log2(s->most) + 7) / 8;
    size_t enough = eex__h5_bytes_for(most_object);
    if (enough < heap->length_bytes)
        heap->length_bytes = enough;
    return EEX_OK;
}

static int read_heap(eex__h5_heap *heap, shape *s, const uint8_t *header)
{
    const eex__h5_file *file = s->file;
    eex__h5_bytes bytes = eex__h5_bytes_of(header + 4, HEADER_BYTES - 8);
    uint8_t version = eex__h5_byte(&bytes);
    heap->id_bytes = eex__h5_number(&bytes, 2);
    uint64_t filters = eex__h5_number(&bytes, 2);
    uint8_t flags = eex__h5_byte(&bytes);
    uint64_t most_object = eex__h5_number(&bytes, 4);
    eex__h5_take(&bytes, 8);
    uint64_t index = eex__h5_number(&bytes, 8);
    eex__h5_take(&bytes, 80);
    if (version != 0 || heap->id_bytes < 2 || heap->id_bytes > MAX_ID_BYTES)
        return eex__h5_refused(file, "%s of an unknown kind", what);
    if (filters != 0 || !(flags & SUMMED))
        return eex__h5_refused(file, "%s that is filtered or without checksums is not read", what);
    EEX_TRY(read_shape(heap, s, &bytes, most_object));
    eex__h5_take(&bytes, 2);
    uint64_t root = eex__h5_number(&bytes, 8);
    unsigned rows = (unsigned)eex__h5_number(&bytes, 2);
    if (root != EEX__H5_NOWHERE)
        EEX_TRY(rows ? read_table(heap, s, root, 0, rows) : read_data(heap, s, root, 0, s->start));
    huge_visit visit = {heap, file};
    return index == EEX__H5_NOWHERE
               ? EEX_OK
               : eex__h5_btree_visit(file, index, EEX__H5_BTREE_HUGE, add_huge, &visit);
}

int eex__h5_heap_read(eex__h5_heap *out, const eex__h5_file *file, uint64_t address)
{
    uint8_t *header;
    shape s = {.file = file, .address = address};
    *out = (eex__h5_heap){0};
    EEX_TRY(eex__h5_read_block(&header, file, address, HEADER_BYTES, "FRHP", what));
    int code = read_heap(out, &s, header);
    free(header);
    if (code < 0)
        eex__h5_heap_free(out);
    return code;
}

void eex__h5_heap_free(eex__h5_heap *heap)
{
    for (size_t i = 0; i < heap->blocks; i++)
        free(heap->block[i].data);
    for (size_t i = 0; i < heap->huges; i++)
        free(heap->huge[i].data);
    free(heap->block);
    free(heap->huge);
    *heap = (eex__h5_heap){0};
}

/* ---- looking up ---- */

static int compare_huge(const void *number, const void *huge)
{
    uint64_t a = *(const uint64_t *)number, b = ((const eex__h5_huge *)huge)->number;
    return a < b ? -1 : a > b;
}

static int find_huge(const uint8_t **data, uint64_t *size, const eex__h5_heap *heap,
                     const eex__h5_file *file, uint64_t number)
{
    const eex__h5_huge *huge = NULL;
    if (heap->huges > 0)
        huge = bsearch(&number, heap->huge, heap->huges, sizeof *huge, compare_huge);
    if (!huge)
        return eex__h5_damaged(file, "%s lacks something that it should hold", what);
    *data = huge->data;
    *size = huge->size;
    return EEX_OK;
}

/* The last block that begins at `offset` or before, else the first; NULL where there are none. */
static const eex__h5_heap_block *block_at(const eex__h5_heap *heap, uint64_t offset)
{
    if (heap->blocks == 0)
        return NULL; /* nor is there an array whose elements could be pointed to */
    size_t from = 0, to = heap->blocks; /* blocks are in the order of their offsets */
    while (to - from > 1) {
        size_t middle = (from + to) / 2;
        if (heap->block[middle].offset <= offset)
            from = middle;
        else
            to = middle;
    }
    return &heap->block[from];
}

int eex__h5_heap_find(const uint8_t **data, uint64_t *size, const eex__h5_heap *heap,
                      const eex__h5_file *file, const uint8_t *id)
{
    eex__h5_bytes bytes = eex__h5_bytes_of(id, heap->id_bytes);
    uint8_t kind = eex__h5_byte(&bytes) >> 4;
    if (kind == 1)
        return find_huge(data, size, heap, file,
                         eex__h5_number(&bytes, heap->id_bytes < 9 ? heap->id_bytes - 1 : 8));
    uint64_t offset = eex__h5_number(&bytes, heap->offset_bytes);
    *size = eex__h5_number(&bytes, heap->length_bytes);
    const eex__h5_heap_block *b = block_at(heap, offset);
    if (kind != 0 || bytes.over || !b || offset < b->offset || offset - b->offset > b->size ||
        *size > b->size - (offset - b->offset))
        return eex__h5_damaged(file, "%s lacks something that it should hold", what);
    *data = b->data + (offset - b->offset);
    return EEX_OK;
}
