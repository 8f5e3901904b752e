/* Reading arrays. */
#ifndef EEX_CORE_STORE_H5_ARRAY_H
#define EEX_CORE_STORE_H5_ARRAY_H

#include "core/store/h5_chunks.h"
#include "core/store/h5_filter.h"

typedef struct eex__h5_array {
    uint64_t address; /* of its header */
    eex__h5_type type;
    eex__h5_space space;
    uint64_t count; /* elements */
    eex__h5_layout layout;
    const uint8_t *fill; /* one element for what was never written; NULL: zeros */
    bool located;        /* chunks were looked for */
    eex__h5_chunks chunks;
    bool counted; /* by the reader, against what the file may unpack to */
} eex__h5_array;

/* Where chunks are unpacked, and which one is there. */
typedef struct eex__h5_reader {
    eex__h5_scratch scratch;
    bool holds;
    uint64_t array, place; /* address of its header, and the chunk's place in it */
} eex__h5_reader;

void eex__h5_reader_free(eex__h5_reader *reader); /* accepts {0} */

/* Says what an array is; it lives as long as the object. On failure *out is {0}. */
int eex__h5_array_open(eex__h5_array *out, const eex__h5_file *file, const eex__h5_object *object);
void eex__h5_array_close(eex__h5_array *array); /* accepts {0} */

/* Finds its data, and whether the file holds as much as the extents promise. */
int eex__h5_array_locate(eex__h5_array *array, const eex__h5_file *file);

/* Reads rows [first, first + rows) of the first axis, little-endian; an array of rank 0 is one row.
 * It must have been located, and the rows must be there. */
int eex__h5_array_read(void *out, const eex__h5_file *file, const eex__h5_array *array,
                       eex__h5_reader *reader, uint64_t first, uint64_t rows);

#endif
