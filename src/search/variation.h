/* How evolution varies genomes whose genes are ordered numbers: crossover of two, mutation of one.
 *
 * Both treat option v of n as the number (v + 0.5) / n of the interval 0..1 and come back by the
 * n equal parts of it, so every option can come out, the first and the last like the others. */
#ifndef EEX_SEARCH_VARIATION_H
#define EEX_SEARCH_VARIATION_H

#include "search/space.h"

/* Exchanges what lies between two points, drawn among the gaps of the genes as a ring, or all else:
 * each child has genes of both parents, each in its place. A single gene is not exchanged. */
void eex_cross_two_points(int *a, int *b, const eex_space *space, eex_rng *rng);

/* Simulated binary crossover (Deb and Agrawal 1995), bounded: each gene with probability 0.5, drawn
 * around the parents' the closer the larger `eta`. For genes that stand for real numbers. */
void eex_cross_binary(int *a, int *b, const eex_space *space, double eta, eex_rng *rng);

/* Polynomial mutation (Deb and Agrawal 1999), bounded: each gene that has a choice with probability
 * `rate`, to an option the nearer the larger `eta`; 1 reaches everything often. A gene may come out
 * as it was. */
void eex_mutate_polynomial(int *genome, const eex_space *space, double rate, double eta,
                           eex_rng *rng);

/* One over the number of genes with a choice; 0 where none has. */
double eex_mutation_rate(const eex_space *space);

#endif
