/* Fixed arrays: a table of chunks for extents that do not grow, in one block or in pages. */
#include "core/store/h5_index.h"

#include "base/status.h"

#include <stdlib.h>

enum { HEADER_BYTES = 28, BLOCK_HEAD = 14 };

typedef struct fixed {
    uint64_t count, page; /* entries, and in a page */
    uint64_t address;     /* of the block */
} fixed;

static int read_whole(eex__h5_walk *w, const fixed *f)
{
    uint8_t *block;
    uint64_t size = BLOCK_HEAD + f->count * w->entry_bytes + 4;
    EEX_TRY(eex__h5_walk_block(&block, w, f->address, size, "FADB"));
    int code = eex__h5_walk_add(w, eex__h5_bytes_of(block + BLOCK_HEAD, size - BLOCK_HEAD - 4), 0,
                                f->count);
    free(block);
    return code;
}

/* Bits say which pages were ever written. */
static int read_pages(eex__h5_walk *w, const fixed *f)
{
    uint8_t *block;
    uint64_t pages = f->count / f->page + (f->count % f->page != 0);
    uint64_t head = BLOCK_HEAD + (pages + 7) / 8 + 4, address = f->address + head;
    EEX_TRY(eex__h5_walk_block(&block, w, f->address, head, "FADB"));
    int code = EEX_OK;
    for (uint64_t i = 0; code == EEX_OK && i < pages; i++) {
        uint64_t first = i * f->page, left = f->count - first;
        if (block[BLOCK_HEAD + i / 8] & 0x80 >> i % 8)
            code = eex__h5_walk_page(w, address, first, left < f->page ? left : f->page);
        address += f->page * w->entry_bytes + 4;
    }
    free(block);
    return code;
}

static int parse_header(eex__h5_walk *w, fixed *f, const uint8_t *header)
{
    eex__h5_bytes bytes = eex__h5_bytes_of(header + 5, HEADER_BYTES - 9);
    uint8_t client = eex__h5_byte(&bytes), entry = eex__h5_byte(&bytes);
    unsigned page_bits = eex__h5_byte(&bytes);
    f->count = eex__h5_number(&bytes, 8);
    f->address = eex__h5_number(&bytes, 8);
    EEX_TRY(eex__h5_walk_entries(w, client, entry));
    if (header[4] != 0 || page_bits < 1 || page_bits > 32 ||
        f->count > w->file->size / w->entry_bytes)
        return eex__h5_damaged(w->file, "the index of its chunks is larger than the file");
    f->page = 1ULL << page_bits;
    return EEX_OK;
}

int eex__h5_walk_fixed(eex__h5_walk *walk)
{
    fixed f = {0};
    uint8_t *header;
    EEX_TRY(eex__h5_walk_block(&header, walk, walk->layout->address, HEADER_BYTES, "FAHD"));
    int code = parse_header(walk, &f, header);
    free(header);
    if (code < 0 || f.address == EEX__H5_NOWHERE)
        return code;
    return f.count > f.page ? read_pages(walk, &f) : read_whole(walk, &f);
}
