#include "support/toy.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <stdlib.h>
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

eex_controller *toy_controller(eex_algorithm algorithm, const eex_space *space,
                               const eex_controller_options *options)
{
    eex_controller *c = NULL;
    cr_assert_eq(eex_controller_new(&c, algorithm, space, options), EEX_OK, "%s", eex_error());
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

typedef struct climber {
    size_t count;
    double *heard; /* (count) first objectives, in the order of telling */
} climber;

toy_failing toy_climber_fails = {.tell = SIZE_MAX};
int toy_climbers;

static int climber_propose(const eex_controller *c, void *memory, int *genome, eex_rng *rng)
{
    const climber *self = memory;
    const eex_space *space = eex__controller_space(c);
    size_t best = 0;
    if (toy_climber_fails.propose)
        return eex_fail(EEX_EDIVERGED, "the climber has lost its way");
    if (self->count == 0) {
        eex_space_random(genome, space, rng);
        return EEX_OK;
    }
    for (size_t i = 1; i < self->count; i++)
        if (self->heard[i] < self->heard[best])
            best = i;
    memcpy(genome, eex_controller_genome(c, best), (size_t)space->genes * sizeof *genome);
    eex_space_mutate(genome, space, rng);
    return EEX_OK;
}

static int climber_tell(const eex_controller *c, void *memory, size_t trial)
{
    climber *self = memory;
    if (trial == toy_climber_fails.tell)
        return eex_fail(EEX_EDIVERGED, "the climber does not listen");
    cr_assert_eq(self->count, trial, "every trial is heard once, in its order");
    double *heard = realloc(self->heard, (trial + 1) * sizeof *heard);
    if (!heard)
        return eex_fail(EEX_ENOMEM, "out of memory for what was heard");
    toy_climbers += !self->heard;
    self->heard = heard;
    self->heard[self->count++] = eex_controller_score(c, trial)->objectives[0];
    return EEX_OK;
}

static void climber_close(void *memory)
{
    climber *self = memory;
    toy_climbers -= self->heard != NULL;
    free(self->heard);
}

static int climber_check(const eex_space *space, const eex_controller_options *options)
{
    return space->genes > 1 ? EEX_OK : eex_fail(EEX_EINVAL, "a line is no mountain");
}

const eex__algorithm toy_climber = {
    .name = "climber",
    .size = sizeof(climber),
    .check = climber_check,
    .propose = climber_propose,
    .tell = climber_tell,
    .close = climber_close,
};
