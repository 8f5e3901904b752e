#include "search/algorithm.h"

#include "base/status.h"

static int check(const eex_space *space, const eex_controller_options *options)
{
    if (options->population < 1)
        return eex_fail(EEX_EINVAL, "search.population: a positive integer, got %d",
                        options->population);
    if (options->sample < 1 || options->sample > options->population)
        return eex_fail(EEX_EINVAL, "search.sample: from 1 to the population of %d, got %d",
                        options->population, options->sample);
    return EEX_OK;
}

/* Told trials are in order of birth, so the population is simply the last of them: telling one more
 * adds the youngest and lets the oldest die. */
void eex_aging_population(size_t *first, size_t *count, const eex_controller *c)
{
    const size_t size = (size_t)eex__controller_options(c)->population;
    const size_t told = eex_controller_trials(c);
    *count = told < size ? told : size;
    *first = told - *count;
}

static bool any_valid(const eex_controller *c, size_t first, size_t count)
{
    for (size_t t = first; t < first + count; t++)
        if (eex__score_valid(eex_controller_score(c, t)))
            return true;
    return false;
}

/* The fittest of `sample` members drawn with replacement. Failed members lose against any other, so
 * the drawing goes on while it has brought nothing else. */
static size_t tournament(const eex_controller *c, size_t first, size_t count, eex_rng *rng)
{
    const int sample = eex__controller_options(c)->sample;
    const eex_score *best = NULL;
    size_t winner = first;
    for (int drawn = 0; drawn < sample || !best; drawn++) {
        const size_t trial = first + eex_rng_below(rng, count);
        const eex_score *member = eex_controller_score(c, trial);
        if (!eex__score_valid(member) || (best && !eex__score_better(member, best)))
            continue;
        best = member;
        winner = trial;
    }
    return winner;
}

static int propose(const eex_controller *c, void *memory, int *genome, eex_rng *rng)
{
    const eex_space *space = eex__controller_space(c);
    size_t first, count;
    eex_aging_population(&first, &count, c);
    const size_t founders = (size_t)eex__controller_options(c)->population;
    if (eex__controller_asked(c) < founders || !any_valid(c, first, count)) {
        eex_space_random(genome, space, rng);
        return EEX_OK;
    }
    const int *parent = eex_controller_genome(c, tournament(c, first, count, rng));
    for (int i = 0; i < space->genes; i++)
        genome[i] = parent[i];
    eex_space_mutate(genome, space, rng);
    return EEX_OK;
}

const eex__algorithm eex__aging = {.name = "aging", .check = check, .propose = propose};
