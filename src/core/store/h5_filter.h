/* Undoing what a chunk went through: shuffle, deflate, Fletcher-32. */
#ifndef EEX_CORE_STORE_H5_FILTER_H
#define EEX_CORE_STORE_H5_FILTER_H

#include "core/store/h5_layout.h"

/* Two pieces of memory that filters work from and to; they grow and stay. */
typedef struct eex__h5_scratch {
    uint8_t *data, *other;
    uint64_t size; /* bytes in use of data */
    uint64_t capacity, other_capacity;
} eex__h5_scratch;

void eex__h5_scratch_free(eex__h5_scratch *scratch); /* accepts {0} */

/* Makes room for that many bytes of data. */
int eex__h5_scratch_reserve(eex__h5_scratch *scratch, const eex__h5_file *file, uint64_t size);

/* Turns the stored chunk in scratch->data into the layout's chunk_bytes. `left_out` has a bit for
 * each filter that it did not go through. */
int eex__h5_filters_undo(eex__h5_scratch *scratch, const eex__h5_file *file,
                         const eex__h5_layout *layout, uint32_t left_out);

#endif
