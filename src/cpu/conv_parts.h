/* How threads divide a gradient for weights, and the partial sums that this leaves.
 *
 * Threads share out pixels, tiles of dw, or both. Where they share out pixels, each share has a
 * partial sum of its own, as large as dw, and these are added in the order of the shares. */
#ifndef EEX_CPU_CONV_PARTS_H
#define EEX_CPU_CONV_PARTS_H

#include "cpu/cpu.h"

#include <stdbool.h>
#include <stddef.h>

/* How many ways the pixels and the tiles of dw are divided. */
typedef struct eex_parts_split {
    int pixels, tiles;
} eex_parts_split;

/* Cycles of the busiest thread, for `pixels` pixels of the batch. */
typedef double eex_parts_cost(const void *ctx, double pixels, eex_parts_split split);

/* The most partial sums of `size` floats that are worth their memory; under 2: none are. */
int eex__parts_most(int size, int threads);

/* Floats of that many partial sums. */
size_t eex__parts_floats(int size, int most);

/* Cycles of adding up the partial sums of a split: a part of each eex_parts_cost. */
double eex__parts_add_cost(int size, eex_parts_split split);

/* The division with the least cost that needs at most `most` partial sums and divides the pixels
 * `ways` ways at most. */
eex_parts_split eex__parts_split(eex_parts_cost *cost, const void *ctx, double pixels, int ways,
                                 int most, int threads);

/* dw (+)= the sum of `count` partial sums of `size` floats, in their order, spread over threads. */
void eex__parts_add(eex_cpu *cpu, float *dw, const float *parts, int size, int count,
                    bool accumulate);

#endif
