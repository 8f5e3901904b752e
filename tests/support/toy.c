#include "support/toy.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <string.h>

eex_space toy_space(int genes, int options)
{
    eex_space space;
    int each[EEX_MAX_GENES];
    for (int i = 0; i < genes; i++)
        each[i] = options;
    cr_assert_eq(eex_space_init(&space, each, genes), EEX_OK);
    return space;
}

double toy_fitness(const eex_space *space, const int *genome)
{
    double loss = 0.0;
    for (int i = 0; i < space->genes; i++) {
        const int best = (3 * i + 1) % space->options[i];
        const int away = genome[i] - best;
        loss += (1.0 + 0.1 * i) * away * away;
    }
    return -loss;
}

eex_score toy_score(const eex_space *space, const int *genome, unsigned failing)
{
    eex_score score = {0};
    score.failed = failing > 0 && eex_space_hash(space, genome) % failing == 0;
    score.fitness = score.failed ? 1e9 : toy_fitness(space, genome); /* must not be looked at */
    score.objectives[0] = score.fitness;
    score.objectives[1] = genome[0];
    score.objective_count = 2;
    return score;
}

eex_controller *toy_controller(toy_maker make, const eex_space *space,
                               const eex_controller_options *options)
{
    eex_controller *c = NULL;
    cr_assert_eq(make(&c, space, options), EEX_OK, "%s", eex_error());
    return c;
}

void toy_run(eex_controller *c, const eex_space *space, size_t trials, unsigned failing)
{
    int genome[EEX_MAX_GENES];
    for (size_t i = 0; i < trials && !eex_controller_done(c); i++) {
        cr_assert_eq(eex_controller_ask(c, genome), EEX_OK, "%s", eex_error());
        const eex_score score = toy_score(space, genome, failing);
        cr_assert_eq(eex_controller_tell(c, genome, &score), EEX_OK, "%s", eex_error());
    }
}

void toy_expect_same(const eex_controller *a, const eex_controller *b, const eex_space *space)
{
    const size_t trials = eex_controller_trials(a);
    cr_assert_eq(eex_controller_trials(b), trials);
    for (size_t i = 0; i < trials; i++) {
        const eex_score *x = eex_controller_score(a, i), *y = eex_controller_score(b, i);
        cr_assert(eex_space_equal(space, eex_controller_genome(a, i), eex_controller_genome(b, i)),
                  "trial %zu", i);
        cr_assert(x->failed == y->failed && x->fitness == y->fitness &&
                      x->objective_count == y->objective_count &&
                      memcmp(x->objectives, y->objectives, sizeof x->objectives) == 0,
                  "trial %zu", i);
    }
}
