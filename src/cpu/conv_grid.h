/* A grid of pixels seen in two tensors at once: up to three nested counts, each with its stride in
 * floats in tensor a and in tensor b; the last one is innermost. */
#ifndef EEX_CPU_CONV_GRID_H
#define EEX_CPU_CONV_GRID_H

#include <stddef.h>

typedef struct eex_grid {
    int count[3];
    ptrdiff_t a[3], b[3];
} eex_grid;

/* Joins dimensions that follow each other evenly in both tensors, and puts the longest one
 * innermost when the innermost is shorter than `enough`. The set of pixels stays the same. */
void eex__grid_simplify(eex_grid *grid, int enough);

#endif
