/* Memory for packed weights: many blocks of all sizes that are read from end to end, again and
 * again. They lie close together in huge pages, because the processor does not read ahead across
 * the end of a page and has to translate the address of each. */
#ifndef EEX_CPU_SLAB_H
#define EEX_CPU_SLAB_H

#include <stddef.h>

typedef struct eex_slab eex_slab;

/* A block of `bytes`, 64-byte aligned, contents undefined; *current is where the next one goes,
 * NULL at first. */
int eex__slab_take(eex_slab **current, void **out, size_t bytes);

/* Gives a block back; accepts NULL. A slab goes with its last block, unless it is the current one.
 */
void eex__slab_give(void *block);

/* Ends the use of *current as the current one. */
void eex__slab_close(eex_slab **current);

#endif
