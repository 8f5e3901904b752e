#include "core/store/h5_chunks.h"

#include "core/store/h5_btree.h"
#include "core/store/h5_index.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

static const char what[] = "the index of its chunks";

/* ---- the list ---- */

static int add_chunk(eex__h5_walk *w, const uint64_t *place, eex__h5_chunk chunk)
{
    eex__h5_chunks *c = w->chunks;
    chunk.place = 0;
    if (chunk.address == EEX__H5_NOWHERE)
        return EEX_OK;
    for (int i = 0; i < w->space->rank; i++) {
        if (place[i] >= c->grid[i])
            return EEX_OK; /* of before it shrank */
        chunk.place = chunk.place * c->grid[i] + place[i];
    }
    if (chunk.address > w->file->size || chunk.size > w->file->size - chunk.address)
        return eex__h5_damaged(w->file, "a chunk lies outside of the file");
    w->stored += chunk.size;
    if (chunk.size == 0 || w->stored > w->file->size)
        return eex__h5_damaged(w->file, "its chunks are larger than the file, or empty");
    eex__h5_chunk *list = eex__h5_grown(c->chunk, c->count, sizeof *list);
    if (!list)
        return eex__h5_no_memory(w->file);
    c->chunk = list;
    list[c->count++] = chunk;
    return EEX_OK;
}

/* Adds the chunk with this number. Numbers count as if the array had grown as far as it may, the
 * axis that grows without end first. */
static int add_numbered(eex__h5_walk *w, uint64_t number, eex__h5_chunk chunk)
{
    uint64_t place[EEX__H5_MAX_RANK] = {0};
    for (int i = w->space->rank - 1; i >= 0; i--) {
        if (i == w->first_axis)
            continue;
        place[i] = number % w->most[i];
        number /= w->most[i];
    }
    place[w->first_axis] = number;
    return add_chunk(w, place, chunk);
}

static int compare(const void *a, const void *b)
{
    uint64_t x = ((const eex__h5_chunk *)a)->place, y = ((const eex__h5_chunk *)b)->place;
    return x < y ? -1 : x > y;
}

static int sort(eex__h5_walk *w)
{
    eex__h5_chunks *c = w->chunks;
    if (c->count > 1)
        qsort(c->chunk, c->count, sizeof *c->chunk, compare);
    for (size_t i = 1; i < c->count; i++)
        if (c->chunk[i - 1].place == c->chunk[i].place)
            return eex__h5_damaged(w->file, "%s has one twice", what);
    return EEX_OK;
}

const eex__h5_chunk *eex__h5_chunks_find(const eex__h5_chunks *chunks, uint64_t place)
{
    const eex__h5_chunk key = {.place = place};
    if (chunks->count == 0)
        return NULL;
    if (chunks->count == chunks->all)
        return &chunks->chunk[place];
    return bsearch(&key, chunks->chunk, chunks->count, sizeof key, compare);
}

/* ---- tables ---- */

int eex__h5_walk_entries(eex__h5_walk *walk, uint8_t client, uint8_t entry_bytes)
{
    walk->filtered = client == 1;
    walk->entry_bytes = entry_bytes;
    bool fits = walk->filtered ? entry_bytes > 12 && entry_bytes <= 20 : entry_bytes == 8;
    if (client > 1 || !fits || walk->filtered != (walk->layout->filters.count > 0))
        return eex__h5_damaged(walk->file, "%s does not fit its filters", what);
    return EEX_OK;
}

int eex__h5_walk_add(eex__h5_walk *walk, eex__h5_bytes entries, uint64_t first, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        eex__h5_chunk chunk = {.address = eex__h5_number(&entries, 8),
                               .size = walk->layout->chunk_bytes};
        if (walk->filtered) {
            chunk.size = eex__h5_number(&entries, walk->entry_bytes - 12);
            chunk.left_out = (uint32_t)eex__h5_number(&entries, 4);
        }
        if (entries.over)
            return eex__h5_damaged(walk->file, "%s is cut off", what);
        EEX_TRY(add_numbered(walk, first + i, chunk));
    }
    return EEX_OK;
}

int eex__h5_walk_block(uint8_t **out, eex__h5_walk *walk, uint64_t address, uint64_t size,
                       const char *signature)
{
    *out = NULL;
    if (size > walk->budget)
        return eex__h5_damaged(walk->file, "%s is larger than the file", what);
    walk->budget -= size;
    return eex__h5_read_block(out, walk->file, address, size, signature, what);
}

int eex__h5_walk_page(eex__h5_walk *walk, uint64_t address, uint64_t first, uint64_t count)
{
    uint64_t size = count * walk->entry_bytes + 4;
    if (size > walk->budget)
        return eex__h5_damaged(walk->file, "%s is larger than the file", what);
    walk->budget -= size;
    uint8_t *page = malloc(size);
    if (!page)
        return eex__h5_no_memory(walk->file);
    int code = eex__h5_read_structure(page, walk->file, address, size, what);
    if (code == EEX_OK && !eex__h5_checksum_is_right(page, size))
        code = eex__h5_damaged(walk->file, "wrong checksum of %s, at byte %llu", what,
                               (unsigned long long)address);
    if (code == EEX_OK)
        code = eex__h5_walk_add(walk, eex__h5_bytes_of(page, size - 4), first, count);
    free(page);
    return code;
}

/* ---- the other kinds ---- */

static int walk_single(eex__h5_walk *w)
{
    const uint64_t place[EEX__H5_MAX_RANK] = {0};
    if (w->chunks->all > 1)
        return eex__h5_damaged(w->file, "it has one chunk, which is too small");
    return add_chunk(w, place,
                     (eex__h5_chunk){.address = w->layout->address,
                                     .size = w->layout->size,
                                     .left_out = w->layout->left_out});
}

static int walk_implicit(eex__h5_walk *w)
{
    uint64_t bytes = w->layout->chunk_bytes, all = 1;
    if (w->layout->filters.count)
        return eex__h5_damaged(w->file, "its chunks cannot have been filtered");
    for (int i = 0; i < w->space->rank; i++)
        if (__builtin_mul_overflow(all, w->most[i], &all))
            all = UINT64_MAX;
    if (all > w->file->size / bytes)
        return eex__h5_damaged(w->file, "its chunks are larger than the file");
    for (uint64_t i = 0; i < all; i++)
        EEX_TRY(add_numbered(
            w, i, (eex__h5_chunk){.address = w->layout->address + i * bytes, .size = bytes}));
    return EEX_OK;
}

static int visit_chunk(void *data, const uint8_t *record, size_t size)
{
    eex__h5_walk *w = data;
    uint64_t place[EEX__H5_MAX_RANK];
    bool filtered = w->layout->filters.count > 0;
    size_t rest = 8 + 8 * (size_t)w->space->rank + (filtered ? 4 : 0);
    if (filtered ? size <= rest || size > rest + 8 : size != rest)
        return eex__h5_damaged(w->file, "%s is not of its rank", what);
    eex__h5_bytes bytes = eex__h5_bytes_of(record, size);
    eex__h5_chunk chunk = {.address = eex__h5_number(&bytes, 8), .size = w->layout->chunk_bytes};
    if (filtered) {
        chunk.size = eex__h5_number(&bytes, size - rest);
        chunk.left_out = (uint32_t)eex__h5_number(&bytes, 4);
    }
    for (int i = 0; i < w->space->rank; i++)
        place[i] = eex__h5_number(&bytes, 8);
    return add_chunk(w, place, chunk);
}

static int walk(eex__h5_walk *w)
{
    if (w->layout->address == EEX__H5_NOWHERE)
        return EEX_OK;
    switch (w->layout->index) {
    case EEX__H5_SINGLE:
        return walk_single(w);
    case EEX__H5_IMPLICIT:
        return walk_implicit(w);
    case EEX__H5_FIXED:
        return eex__h5_walk_fixed(w);
    case EEX__H5_EXTENSIBLE:
        return eex__h5_walk_extensible(w);
    case EEX__H5_BTREE:
        break;
    }
    return eex__h5_btree_visit(
        w->file, w->layout->address,
        w->layout->filters.count ? EEX__H5_BTREE_FILTERED : EEX__H5_BTREE_CHUNKS, visit_chunk, w);
}

/* ---- all of it ---- */

static uint64_t pieces(uint64_t extent, uint64_t chunk)
{
    return extent / chunk + (extent % chunk != 0);
}

static int read_chunks(eex__h5_walk *w)
{
    eex__h5_chunks *c = w->chunks;
    c->all = 1;
    for (int i = 0; i < w->space->rank; i++) {
        c->grid[i] = pieces(w->space->extent[i], w->layout->chunk[i]);
        w->most[i] = pieces(w->space->most[i], w->layout->chunk[i]);
        if (w->space->most[i] == UINT64_MAX)
            w->first_axis = i;
        if (w->most[i] == 0)
            w->most[i] = 1;
        if (__builtin_mul_overflow(c->all, c->grid[i], &c->all))
            return eex__h5_refused(w->file, "its extents are out of range");
    }
    if (c->all == 0)
        return EEX_OK;
    EEX_TRY(walk(w));
    c->stored = w->stored;
    return sort(w);
}

int eex__h5_chunks_read(eex__h5_chunks *out, const eex__h5_file *file, const eex__h5_layout *layout,
                        const eex__h5_space *space)
{
    eex__h5_walk w = {
        .file = file, .layout = layout, .space = space, .chunks = out, .budget = file->size};
    *out = (eex__h5_chunks){.count = 0};
    int code = read_chunks(&w);
    if (code < 0)
        eex__h5_chunks_free(out);
    return code;
}

void eex__h5_chunks_free(eex__h5_chunks *chunks)
{
    free(chunks->chunk);
    *chunks = (eex__h5_chunks){.count = 0};
}
