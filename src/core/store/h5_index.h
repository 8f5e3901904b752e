/* What the kinds of index of chunks share: h5_fixed.c, h5_extensible.c and h5_chunks.c. */
#ifndef EEX_CORE_STORE_H5_INDEX_H
#define EEX_CORE_STORE_H5_INDEX_H

#include "core/store/h5_bytes.h"
#include "core/store/h5_chunks.h"

typedef struct eex__h5_walk {
    const eex__h5_file *file;
    const eex__h5_layout *layout;
    const eex__h5_space *space;
    eex__h5_chunks *chunks;
    uint64_t most[EEX__H5_MAX_RANK]; /* chunks along each axis when it has grown as far as it may */
    int first_axis;     /* the one that counts most in the numbers of chunks: which grows, or 0 */
    uint64_t budget;    /* bytes of the index that may still be read: no more than the file has */
    uint64_t stored;    /* bytes of all chunks so far */
    size_t entry_bytes; /* of an entry of a table */
    bool filtered;      /* entries with sizes and filters */
} eex__h5_walk;

/* Takes the kind of the entries from a table's header: its second field and its third. */
int eex__h5_walk_entries(eex__h5_walk *walk, uint8_t client, uint8_t entry_bytes);

/* Adds the chunks of a list of entries; the first has that number. */
int eex__h5_walk_add(eex__h5_walk *walk, eex__h5_bytes entries, uint64_t first, uint64_t count);

/* Reads a block of the index, which counts against the budget. */
int eex__h5_walk_block(uint8_t **out, eex__h5_walk *walk, uint64_t address, uint64_t size,
                       const char *signature);

/* Reads a page: entries and their checksum. */
int eex__h5_walk_page(eex__h5_walk *walk, uint64_t address, uint64_t first, uint64_t count);

int eex__h5_walk_fixed(eex__h5_walk *walk);
int eex__h5_walk_extensible(eex__h5_walk *walk);

#endif
