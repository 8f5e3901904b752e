/* Models that weigh what the samples are to a genome, by how far it is from each: what a Gaussian
 * process and radial basis functions have in common. */
#ifndef EEX_SEARCH_SURROGATE_CENTRES_H
#define EEX_SEARCH_SURROGATE_CENTRES_H

#include "search/surrogate_impl.h"

#include <stdbool.h>

typedef struct eex__centres {
    size_t n, columns;
    double *turned;  /* (columns, n): the samples */
    double *lengths; /* (n), squared */
    double *weights; /* (n), for the model to fill */
} eex__centres;

/* The samples of a fit; false: out of memory, and nothing is held. */
bool eex__centres_init(eex__centres *out, const eex__fit *fit);
void eex__centres_free(eex__centres *c); /* accepts one that is zero */

/* Squared distances (rows, n) of x (rows, columns). */
void eex__centres_distances(double *out, const eex__centres *c, const double *x, size_t rows);

#endif
