/* Fractal heaps: where groups with many members keep their links and objects with many attributes
 * these. A heap is read as a whole: it is about as large as what is looked for. */
#ifndef EEX_CORE_STORE_H5_HEAP_H
#define EEX_CORE_STORE_H5_HEAP_H

#include "core/store/h5_file.h"

typedef struct eex__h5_heap_block {
    uint64_t offset, size; /* of the heap's own space */
    uint8_t *data;
} eex__h5_heap_block;

typedef struct eex__h5_huge {
    uint64_t number, size;
    uint8_t *data;
} eex__h5_huge;

typedef struct eex__h5_heap {
    size_t id_bytes, offset_bytes, length_bytes;
    uint64_t block_bytes; /* of all blocks */
    eex__h5_heap_block *block;
    size_t blocks;
    eex__h5_huge *huge; /* objects that are too large for a block, by number */
    size_t huges;
} eex__h5_heap;

/* On failure *out is {0}. */
int eex__h5_heap_read(eex__h5_heap *out, const eex__h5_file *file, uint64_t address);
void eex__h5_heap_free(eex__h5_heap *heap); /* accepts {0} */

/* The object of an identifier of heap->id_bytes bytes; it lives as long as the heap. */
int eex__h5_heap_find(const uint8_t **data, uint64_t *size, const eex__h5_heap *heap,
                      const eex__h5_file *file, const uint8_t *id);

#endif
