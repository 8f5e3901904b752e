/* Toy searches for the tests of search controllers. */
#ifndef EEX_TESTS_TOY_H
#define EEX_TESTS_TOY_H

#include "search/algorithm.h"

/* `genes` genes of `options` options each. */
eex_space toy_space(int genes, int options);

/* Separable, 0 at its optimum and negative elsewhere. */
double toy_fitness(const eex_space *space, const int *genome);

/* The score of a genome; fails for about one in `failing`, chosen by its hash (0: never). */
eex_score toy_score(const eex_space *space, const int *genome, unsigned failing);

eex_controller *toy_controller(eex_algorithm algorithm, const eex_space *space,
                               const eex_controller_options *options);

/* Asks, scores and tells up to `trials` times, or until done. */
void toy_run(eex_controller *c, const eex_space *space, size_t trials, unsigned failing);

/* Fails the test unless both were told the same, in the same order. */
void toy_expect_same(const eex_controller *a, const eex_controller *b, const eex_space *space);

/* A climber: mutates the genome with the least first objective that it has heard of. All that it
 * has heard is in a memory of its own. */
extern const eex__algorithm toy_climber;

/* Makes climbers fail with EEX_EDIVERGED: in each proposal, or in the telling of trial `tell`. */
typedef struct toy_failing {
    bool propose;
    size_t tell; /* SIZE_MAX: in none */
} toy_failing;
extern toy_failing toy_climber_fails;

/* Climbers' memories that are not freed yet. */
extern int toy_climbers;

#endif
