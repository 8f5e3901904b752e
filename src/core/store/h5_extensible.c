/* Extensible arrays: tables of chunks for one axis that grows. The first entries are in the index
 * block, more in data blocks that it lists, still more in those that super blocks list; blocks come
 * in classes, each second of which has blocks of twice the size, each other twice as many. */
#include "core/store/h5_index.h"

#include "base/status.h"

#include <stdlib.h>

enum { HEADER_BYTES = 72, BLOCK_HEAD = 14 };

typedef struct extensible {
    uint64_t direct;   /* entries in the index block */
    uint64_t smallest; /* entries in the smallest data block */
    uint64_t pointers; /* in the smallest super block; the index block lists 2 (pointers - 1) */
    uint64_t page;     /* larger blocks are in pages of so many entries */
    unsigned classes;
    size_t offset_bytes;
} extensible;

static uint64_t class_blocks(unsigned class)
{
    return 1ULL << class / 2;
}

static uint64_t class_entries(const extensible *e, unsigned class)
{
    return e->smallest << (class + 1) / 2;
}

/* A data block; the bits that say which of its pages were written stand where it is listed. */
static int read_data(eex__h5_walk *w, const extensible *e, uint64_t address, uint64_t first,
                     uint64_t count, const uint8_t *written, uint64_t bit)
{
    uint8_t *block;
    size_t head = BLOCK_HEAD + e->offset_bytes;
    if (address == EEX__H5_NOWHERE)
        return EEX_OK;
    if (count <= e->page) {
        uint64_t size = head + count * w->entry_bytes + 4;
        EEX_TRY(eex__h5_walk_block(&block, w, address, size, "EADB"));
        int code =
            eex__h5_walk_add(w, eex__h5_bytes_of(block + head, size - head - 4), first, count);
        free(block);
        return code;
    }
    if (!written)
        return eex__h5_damaged(w->file, "the index of its chunks has pages where none can be");
    EEX_TRY(eex__h5_walk_block(&block, w, address, head + 4, "EADB"));
    free(block);
    address += head + 4;
    for (uint64_t i = 0; i < count / e->page; i++, address += e->page * w->entry_bytes + 4)
        if (written[(bit + i) / 8] & 0x80 >> (bit + i) % 8)
            EEX_TRY(eex__h5_walk_page(w, address, first + i * e->page, e->page));
    return EEX_OK;
}

/* Data blocks of a class. Their page bits lie side by side, although there is room for whole bytes.
 */
static int read_class(eex__h5_walk *w, const extensible *e, eex__h5_bytes *addresses,
                      unsigned class, uint64_t first, const uint8_t *written)
{
    uint64_t count = class_entries(e, class), pages = count / e->page;
    for (uint64_t i = 0; i < class_blocks(class); i++)
        EEX_TRY(read_data(w, e, eex__h5_number(addresses, 8), first + i * count, count, written,
                          i * pages));
    return EEX_OK;
}

static int read_super(eex__h5_walk *w, const extensible *e, uint64_t address, unsigned class,
                      uint64_t first)
{
    uint8_t *block;
    uint64_t blocks = class_blocks(class), count = class_entries(e, class);
    size_t head = BLOCK_HEAD + e->offset_bytes;
    if (address == EEX__H5_NOWHERE)
        return EEX_OK;
    uint64_t bits = count > e->page ? blocks * ((count / e->page + 7) / 8) : 0;
    uint64_t size = head + bits + 8 * blocks + 4;
    EEX_TRY(eex__h5_walk_block(&block, w, address, size, "EASB"));
    eex__h5_bytes addresses = eex__h5_bytes_of(block + head + bits, 8 * blocks);
    int code = read_class(w, e, &addresses, class, first, bits ? block + head : NULL);
    free(block);
    return code;
}

static int read_blocks(eex__h5_walk *w, const extensible *e, eex__h5_bytes *bytes)
{
    unsigned listed = 2 * eex__h5_log2(e->pointers);
    uint64_t first = e->direct;
    EEX_TRY(eex__h5_walk_add(w, *bytes, 0, e->direct));
    eex__h5_take(bytes, e->direct * w->entry_bytes);
    for (unsigned class = 0; class < e->classes; class ++) {
        if (class < listed)
            EEX_TRY(read_class(w, e, bytes, class, first, NULL));
        else
            EEX_TRY(read_super(w, e, eex__h5_number(bytes, 8), class, first));
        first += class_blocks(class) * class_entries(e, class);
    }
    return bytes->over ? eex__h5_damaged(w->file, "the index of its chunks is cut off") : EEX_OK;
}

static int read_index(eex__h5_walk *w, const extensible *e, uint64_t address)
{
    uint8_t *block;
    uint64_t listed = 2 * (e->pointers - 1), supers = e->classes - 2 * eex__h5_log2(e->pointers);
    uint64_t size = BLOCK_HEAD + e->direct * w->entry_bytes + 8 * (listed + supers) + 4;
    if (address == EEX__H5_NOWHERE)
        return EEX_OK;
    EEX_TRY(eex__h5_walk_block(&block, w, address, size, "EAIB"));
    eex__h5_bytes bytes = eex__h5_bytes_of(block + BLOCK_HEAD, size - BLOCK_HEAD - 4);
    int code = read_blocks(w, e, &bytes);
    free(block);
    return code;
}

static bool is_power(uint64_t number)
{
    return number && (number & (number - 1)) == 0;
}

static int parse_header(eex__h5_walk *w, extensible *e, uint64_t *index, const uint8_t *header)
{
    eex__h5_bytes bytes = eex__h5_bytes_of(header + 5, HEADER_BYTES - 9);
    uint8_t client = eex__h5_byte(&bytes), entry = eex__h5_byte(&bytes);
    unsigned bits = eex__h5_byte(&bytes);
    e->direct = eex__h5_byte(&bytes);
    e->smallest = eex__h5_byte(&bytes);
    e->pointers = eex__h5_byte(&bytes);
    unsigned page_bits = eex__h5_byte(&bytes);
    eex__h5_take(&bytes, 48); /* statistics */
    *index = eex__h5_number(&bytes, 8);
    EEX_TRY(eex__h5_walk_entries(w, client, entry));
    if (header[4] != 0 || bits > 48 || page_bits > 32 || !is_power(e->smallest) ||
        !is_power(e->pointers) || bits < eex__h5_log2(e->smallest))
        return eex__h5_damaged(w->file, "the index of its chunks has an impossible shape");
    e->page = 1ULL << page_bits;
    e->classes = 1 + bits - eex__h5_log2(e->smallest);
    e->offset_bytes = (bits + 7) / 8;
    if (e->classes < 2 * eex__h5_log2(e->pointers))
        return eex__h5_damaged(w->file, "the index of its chunks has an impossible shape");
    return EEX_OK;
}

int eex__h5_walk_extensible(eex__h5_walk *walk)
{
    extensible e = {0};
    uint8_t *header;
    uint64_t index = EEX__H5_NOWHERE;
    EEX_TRY(eex__h5_walk_block(&header, walk, walk->layout->address, HEADER_BYTES, "EAHD"));
    int code = parse_header(walk, &e, &index, header);
    free(header);
    return code < 0 ? code : read_index(walk, &e, index);
}
