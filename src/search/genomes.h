/* An ordered list of different genomes that finds each of them in constant time. */
#ifndef EEX_SEARCH_GENOMES_H
#define EEX_SEARCH_GENOMES_H

#include "search/space.h"

typedef struct eex_genomes {
    const eex_space *space; /* borrowed */
    int *values;            /* (count, genes) */
    size_t count, capacity;
    uint32_t *slots;   /* open addressing: 1 + position in the list, 0 where empty */
    size_t slot_count; /* a power of two, at least twice `capacity` */
    uint64_t seed;     /* of the slots alone: files of trials could be made to fill neighbours */
} eex_genomes;

void eex_genomes_init(eex_genomes *list, const eex_space *space);
void eex_genomes_free(eex_genomes *list); /* leaves an empty list; accepts NULL */

const int *eex_genomes_at(const eex_genomes *list, size_t i); /* borrowed until the next change */

/* False when the genome is not in the list; *position may be NULL. */
bool eex_genomes_find(size_t *position, const eex_genomes *list, const int *genome);

/* Appends a genome that is not in the list. */
int eex_genomes_add(eex_genomes *list, const int *genome);

/* Removes one and closes the gap; takes time in proportion to the length. */
void eex_genomes_remove(eex_genomes *list, size_t position);

#endif
