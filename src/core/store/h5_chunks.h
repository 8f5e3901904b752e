/* Where an array's chunks are. The whole index is read at once: a few bytes a chunk. */
#ifndef EEX_CORE_STORE_H5_CHUNKS_H
#define EEX_CORE_STORE_H5_CHUNKS_H

#include "core/store/h5_layout.h"

typedef struct eex__h5_chunk {
    uint64_t place; /* its number in the grid of the array's chunks, row-major */
    uint64_t address, size;
    uint32_t left_out; /* filters that it did not go through, as bits */
} eex__h5_chunk;

typedef struct eex__h5_chunks {
    uint64_t grid[EEX__H5_MAX_RANK]; /* chunks along each axis */
    uint64_t all;                    /* chunks in the grid */
    eex__h5_chunk *chunk;            /* those that are stored, by place */
    size_t count;
    uint64_t stored; /* bytes that they have in the file */
} eex__h5_chunks;

/* Refuses chunks that share bytes of the file. On failure *out is {0}. */
int eex__h5_chunks_read(eex__h5_chunks *out, const eex__h5_file *file, const eex__h5_layout *layout,
                        const eex__h5_space *space);
void eex__h5_chunks_free(eex__h5_chunks *chunks); /* accepts {0} */

/* NULL when it was never written. */
const eex__h5_chunk *eex__h5_chunks_find(const eex__h5_chunks *chunks, uint64_t place);

#endif
