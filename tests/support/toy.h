/* Toy searches for the tests of search controllers. */
#ifndef EEX_TESTS_TOY_H
#define EEX_TESTS_TOY_H

#include "search/controller.h"

typedef int (*toy_maker)(eex_controller **, const eex_space *, const eex_controller_options *);

/* `genes` genes of `options` options each. */
eex_space toy_space(int genes, int options);

/* Separable, 0 at its optimum and negative elsewhere. */
double toy_fitness(const eex_space *space, const int *genome);

/* The score of a genome; fails for about one in `failing`, chosen by its hash (0: never). */
eex_score toy_score(const eex_space *space, const int *genome, unsigned failing);

eex_controller *toy_controller(toy_maker make, const eex_space *space,
                               const eex_controller_options *options);

/* Asks, scores and tells up to `trials` times, or until done. */
void toy_run(eex_controller *c, const eex_space *space, size_t trials, unsigned failing);

/* Fails the test unless both were told the same, in the same order. */
void toy_expect_same(const eex_controller *a, const eex_controller *b, const eex_space *space);

#endif
