/* How a gradient for weights is cut into parts, and the partial sums that this leaves.
 *
 * Parts divide the pixels, the tiles of dw, or both. Where they divide the pixels, each cut has a
 * partial sum of its own, as large as dw, and these are added in their order. So the cuts of the
 * pixels are a matter of the shape alone, and the sums' bits with them; the tiles are cut for the
 * threads that are there. */
#ifndef EEX_CPU_CONV_PARTS_H
#define EEX_CPU_CONV_PARTS_H

#include "cpu/cpu.h"

#include <stdbool.h>
#include <stddef.h>

/* How many ways the pixels and the tiles of dw are divided: pixels * tiles parts. */
typedef struct eex_parts_split {
    int pixels, tiles;
} eex_parts_split;

/* Cycles of one part, for `pixels` pixels of the batch. */
typedef double eex_parts_cost(const void *ctx, double pixels, eex_parts_split split);

/* The most partial sums of `size` floats that are worth adding up; 1: the pixels are not cut. */
int eex__parts_most(int size);

/* Floats of that many partial sums. */
size_t eex__parts_floats(int size, int most);

/* Cycles of adding up the partial sums of a split: a part of each eex_parts_cost. */
double eex__parts_add_cost(int size, eex_parts_split split);

/* The division of `pixels` pixels, which can be cut `ways` ways, with at most `most` partial sums;
 * the `tiles` tiles are cut as `threads` threads get through them soonest. */
eex_parts_split eex__parts_split(eex_parts_cost *cost, const void *ctx, double pixels, int ways,
                                 int most, int tiles, int threads);

/* dw (+)= the sum of `count` partial sums of `size` floats, in their order, spread over threads. */
void eex__parts_add(eex_cpu *cpu, float *dw, const float *parts, int size, int count,
                    bool accumulate);

#endif
