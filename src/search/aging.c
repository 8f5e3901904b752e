#include "search/controller_impl.h"

#include "base/status.h"

/* Told trials are in order of birth, so the population is simply the last of them: telling one more
 * adds the youngest and lets the oldest die. */
void eex_aging_population(size_t *first, size_t *count, const eex_controller *c)
{
    const size_t size = (size_t)c->options.population;
    *count = c->told.count < size ? c->told.count : size;
    *first = c->told.count - *count;
}

static bool any_valid(const eex_controller *c, size_t first, size_t count)
{
    for (size_t t = first; t < first + count; t++)
        if (eex__score_valid(&c->scores[t]))
            return true;
    return false;
}

/* The fittest of `sample` members drawn with replacement. Failed members lose against any other, so
 * the drawing goes on while it has brought nothing else. */
static size_t tournament(const eex_controller *c, size_t first, size_t count, eex_rng *rng)
{
    const eex_score *best = NULL;
    for (int drawn = 0; drawn < c->options.sample || !best; drawn++) {
        const eex_score *member = &c->scores[first + eex_rng_below(rng, count)];
        if (eex__score_valid(member) && (!best || member->fitness > best->fitness))
            best = member;
    }
    return (size_t)(best - c->scores);
}

static void propose(eex_controller *c, int *genome, eex_rng *rng)
{
    size_t first, count;
    eex_aging_population(&first, &count, c);
    const bool founding = eex__controller_asked(c) < (size_t)c->options.population;
    if (founding || !any_valid(c, first, count)) {
        eex_space_random(genome, &c->space, rng);
        return;
    }
    const int *parent = eex_controller_genome(c, tournament(c, first, count, rng));
    for (int i = 0; i < c->space.genes; i++)
        genome[i] = parent[i];
    eex_space_mutate(genome, &c->space, rng);
}

static const eex__algorithm algorithm = {"aging", sizeof(eex_controller), propose};

int eex_aging_new(eex_controller **out, const eex_space *space,
                  const eex_controller_options *options)
{
    if (options->population < 1)
        return eex_fail(EEX_EINVAL, "search.population: a positive integer, got %d",
                        options->population);
    if (options->sample < 1 || options->sample > options->population)
        return eex_fail(EEX_EINVAL, "search.sample: from 1 to the population of %d, got %d",
                        options->population, options->sample);
    return eex__controller_new(out, &algorithm, space, options);
}
