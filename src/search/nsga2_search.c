/* NSGA-II, asked and told. Trials form generations of `population` in the order of telling: the
 * parents of the next are the survivors of those before and the newest. A generation that is not
 * complete changes nothing, so several may be asked for before one is told. */
#include "search/algorithm.h"
#include "search/nsga2.h"

#include "base/status.h"

#include <string.h>

typedef struct nsga2 {
    eex_population parents, spare; /* without memory until the first generation is complete */
} nsga2;

static int check(const eex_space *space, const eex_controller_options *options)
{
    if (options->population < 2)
        return eex_fail(EEX_EINVAL, "search.population: at least 2 for nsga2, got %d",
                        options->population);
    return EEX_OK;
}

static size_t generation_size(const eex_controller *c)
{
    return (size_t)eex__controller_options(c)->population;
}

static int propose(const eex_controller *c, void *memory, int *genome, eex_rng *rng)
{
    const nsga2 *self = memory;
    const eex_space *space = eex__controller_space(c);
    int other[EEX_MAX_GENES];
    if (eex__controller_asked(c) < generation_size(c) || self->parents.count == 0) {
        eex_space_random(genome, space, rng);
        return EEX_OK;
    }
    const eex_variation variation = eex_variation_of_choices();
    eex_nsga2_children(genome, other, &self->parents, space, &variation, rng);
    return EEX_OK;
}

/* The newest generation beside the parents, in `spare`, which has room for both. */
static void gather(nsga2 *self, const eex_controller *c, size_t first, size_t end)
{
    const int genes = eex__controller_space(c)->genes;
    eex_population *all = &self->spare;
    all->count = 0;
    for (size_t i = 0; i < self->parents.count; i++)
        eex_population_append(all, &self->parents, i);
    for (size_t trial = first; trial < end; trial++) {
        const eex_score *score = eex_controller_score(c, trial);
        if (!eex__score_valid(score))
            continue;
        memcpy(eex_population_genome(all, all->count), eex_controller_genome(c, trial),
               (size_t)genes * sizeof(int));
        eex__score_objectives(eex_population_objectives(all, all->count), score);
        all->violations[all->count++] = score->violation;
    }
}

static int make_room(nsga2 *self, const eex_controller *c, size_t trial)
{
    const int genes = eex__controller_space(c)->genes;
    const int objectives = eex__controller_objectives(c);
    const size_t room = 2 * generation_size(c);
    if (self->parents.capacity > 0 || objectives == 0)
        return EEX_OK;
    EEX_TRY(eex_population_init(&self->parents, genes, objectives, room));
    const int code = eex_population_init(&self->spare, genes, objectives, room);
    if (code != EEX_OK)
        eex_population_free(&self->parents);
    return code;
}

static int tell(const eex_controller *c, void *memory, size_t trial)
{
    nsga2 *self = memory;
    const size_t size = generation_size(c);
    EEX_TRY(make_room(self, c, trial));
    if ((trial + 1) % size != 0 || self->parents.capacity == 0)
        return EEX_OK;
    gather(self, c, trial + 1 - size, trial + 1);
    const eex_population all = self->spare;
    self->spare = self->parents;
    self->parents = all;
    const int code = eex_population_survive(&self->parents, &self->spare, size);
    if (code == EEX_OK)
        return EEX_OK;
    self->parents = self->spare; /* as before: survive has not touched it */
    self->spare = all;
    return code;
}

static void close_memory(void *memory)
{
    nsga2 *self = memory;
    eex_population_free(&self->parents);
    eex_population_free(&self->spare);
}

const eex__algorithm eex__nsga2 = {.name = "nsga2",
                                   .size = sizeof(nsga2),
                                   .check = check,
                                   .propose = propose,
                                   .tell = tell,
                                   .close = close_memory};
