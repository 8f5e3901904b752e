/* A population: rows of genomes with what is known of each. */
#ifndef EEX_SEARCH_POPULATION_H
#define EEX_SEARCH_POPULATION_H

#include "search/survival.h"

typedef struct eex_population {
    int genes, objective_count;
    size_t count, capacity;
    int *genomes;       /* (count, genes) */
    double *objectives; /* (count, objective_count), minimised */
    double *violations; /* (count), 0 or less: none */
    eex_standing *standings;
} eex_population;

/* An empty one with room for `capacity`. EEX_ENOMEM. */
int eex_population_init(eex_population *out, int genes, int objective_count, size_t capacity);
void eex_population_free(eex_population *p); /* accepts what was never initialised but is zero */

int *eex_population_genome(const eex_population *p, size_t i);
double *eex_population_objectives(const eex_population *p, size_t i);

/* Copies candidate i of another behind the last; there has to be room. */
void eex_population_append(eex_population *p, const eex_population *from, size_t i);

/* Ranks all and keeps the best `most` in `p`, best first; `spare` is of the same kind and capacity
 * and is overwritten. */
int eex_population_survive(eex_population *p, eex_population *spare, size_t most);

/* The better of two members drawn at random: by rank, then crowding, then by lot. */
size_t eex_population_tournament(const eex_population *p, eex_rng *rng);

#endif
