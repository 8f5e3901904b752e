/* What a kind of surrogate is made of; for surrogate.c and surrogate_*.c. */
#ifndef EEX_SEARCH_SURROGATE_IMPL_H
#define EEX_SEARCH_SURROGATE_IMPL_H

#include "search/surrogate.h"

/* Most rows that a model predicts at once. */
enum { EEX__BLOCK = 128 };

typedef struct eex__fit {
    const double *x; /* (n, columns), coded */
    const double *y; /* (n), mean 0 and deviation 1 */
    size_t n, columns;
    uint64_t seed;
    const void *like; /* another model, whose hyperparameters are right; or NULL */
} eex__fit;

typedef struct eex__surrogate_row {
    const char *name;
    int (*fit)(void **model, const eex__fit *fit);
    /* Predicts (rows) from x (rows, columns), at most EEX__BLOCK rows. */
    int (*predict)(double *y, const void *model, const double *x, size_t rows);
    void (*free)(void *model); /* accepts NULL */
} eex__surrogate_row;

extern const eex__surrogate_row eex__rbf, eex__gp, eex__cart, eex__mlp, eex__ridge;

#endif
