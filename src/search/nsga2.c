#include "search/nsga2.h"

#include "search/variation.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

/* How often a genome that was there before is drawn again: of parents, then with a gene changed. */
enum { TRIES = 64 };

eex_variation eex_variation_of_choices(void)
{
    return (eex_variation){
        .crossover = EEX_CROSS_TWO_POINTS, .crossover_rate = 0.9, .mutation_eta = 1.0};
}

eex_variation eex_variation_of_numbers(void)
{
    return (eex_variation){.crossover = EEX_CROSS_BINARY,
                           .crossover_rate = 0.9,
                           .crossover_eta = 15.0,
                           .mutation_eta = 20.0};
}

static void mutate(int *genome, const eex_space *space, const eex_variation *v, eex_rng *rng)
{
    const double rate = v->mutation_rate > 0.0 ? v->mutation_rate : eex_mutation_rate(space);
    eex_mutate_polynomial(genome, space, rate, v->mutation_eta, rng);
    eex_space_canonicalise(genome, space);
}

void eex_nsga2_children(int *first, int *second, const eex_population *parents,
                        const eex_space *space, const eex_variation *v, eex_rng *rng)
{
    const size_t bytes = (size_t)space->genes * sizeof *first;
    const size_t father = eex_population_tournament(parents, rng);
    size_t mother = father;
    for (int tries = 0; tries < 8 && mother == father; tries++)
        mother = eex_population_tournament(parents, rng);
    memcpy(first, eex_population_genome(parents, father), bytes);
    memcpy(second, eex_population_genome(parents, mother), bytes);
    if (eex_rng_uniform(rng) < v->crossover_rate) {
        if (v->crossover == EEX_CROSS_BINARY)
            eex_cross_binary(first, second, space, v->crossover_eta, rng);
        else
            eex_cross_two_points(first, second, space, rng);
    }
    mutate(first, space, v, rng);
    mutate(second, space, v, rng);
}

size_t eex_population_front(const eex_population *p)
{
    size_t front = 0;
    while (front < p->count && p->standings[front].rank == 0)
        front++;
    return front;
}

typedef struct search {
    const eex_space *space;
    const eex_nsga2_options *options;
    eex_genomes_score score;
    void *context;
    eex_genomes seen;         /* everything that was scored */
    eex_population all, kept; /* members and their children; room to choose in */
    size_t members;           /* of `all`: the others are children */
    eex_rng rng;
} search;

/* Takes a genome in, unless it was there before. */
static int enter(search *s, bool *entered, const int *genome)
{
    *entered = !eex_genomes_find(NULL, &s->seen, genome);
    if (!*entered)
        return EEX_OK;
    EEX_TRY(eex_genomes_add(&s->seen, genome));
    memcpy(eex_population_genome(&s->all, s->all.count++), genome,
           (size_t)s->space->genes * sizeof *genome);
    return EEX_OK;
}

static int score_children(search *s)
{
    const size_t n = s->all.count - s->members;
    double *violations = s->all.violations + s->members;
    memset(violations, 0, n * sizeof *violations);
    if (n > 0)
        EEX_TRY(s->score(eex_population_objectives(&s->all, s->members), violations,
                         eex_population_genome(&s->all, s->members), n, s->context));
    EEX_TRY(eex_population_survive(&s->all, &s->kept, s->options->population));
    s->members = s->all.count;
    return EEX_OK;
}

static int found(search *s)
{
    int genome[EEX_MAX_GENES];
    bool entered;
    for (size_t i = 0; i < s->options->seed_count; i++) {
        EEX_TRY(eex_space_check(s->space, s->options->seeds + i * (size_t)s->space->genes));
        memcpy(genome, s->options->seeds + i * (size_t)s->space->genes,
               (size_t)s->space->genes * sizeof *genome);
        eex_space_canonicalise(genome, s->space);
        EEX_TRY(enter(s, &entered, genome));
    }
    for (int tries = 0; s->all.count < s->options->population && tries < TRIES; tries++) {
        eex_space_random(genome, s->space, &s->rng);
        eex_space_canonicalise(genome, s->space);
        EEX_TRY(enter(s, &entered, genome));
        tries = entered ? -1 : tries;
    }
    return score_children(s);
}

/* Adds up to `room` children of two parents. */
static int breed(search *s, size_t room, bool change)
{
    int children[2][EEX_MAX_GENES];
    bool entered;
    const eex_population parents = {.genes = s->all.genes,
                                    .count = s->members,
                                    .genomes = s->all.genomes,
                                    .standings = s->all.standings};
    eex_nsga2_children(children[0], children[1], &parents, s->space, &s->options->variation,
                       &s->rng);
    for (size_t i = 0; i < 2 && i < room; i++) {
        if (change) {
            eex_space_mutate(children[i], s->space, &s->rng);
            eex_space_canonicalise(children[i], s->space);
        }
        EEX_TRY(enter(s, &entered, children[i]));
    }
    return EEX_OK;
}

static int generation(search *s)
{
    const size_t end = s->members + s->options->population;
    for (int tries = 0; s->all.count < end && tries < 2 * TRIES; tries++) {
        const size_t before = s->all.count;
        EEX_TRY(breed(s, end - before, tries >= TRIES));
        tries = s->all.count > before ? -1 : tries;
    }
    return score_children(s);
}

static int open_search(search *s)
{
    const eex_nsga2_options *o = s->options;
    const size_t founders = o->seed_count > o->population ? o->seed_count : o->population;
    if (o->population < 2 || o->generations < 1)
        return eex_fail(EEX_EINVAL,
                        "NSGA-II: a population of at least 2 and a generation or more, got %zu and "
                        "%zu",
                        o->population, o->generations);
    eex_genomes_init(&s->seen, s->space);
    eex_rng_seed(&s->rng, o->seed, 0);
    EEX_TRY(eex_population_init(&s->all, s->space->genes, o->objective_count,
                                founders + o->population));
    return eex_population_init(&s->kept, s->space->genes, o->objective_count,
                               founders + o->population);
}

int eex_nsga2_run(eex_population *out, const eex_space *space, const eex_nsga2_options *options,
                  eex_genomes_score score, void *context)
{
    search s = {.space = space, .options = options, .score = score, .context = context};
    int code = open_search(&s);
    if (code == EEX_OK)
        code = found(&s);
    for (size_t g = 1; g < options->generations && code == EEX_OK; g++)
        code = generation(&s);
    eex_genomes_free(&s.seen);
    eex_population_free(&s.kept);
    *out = s.all;
    if (code != EEX_OK)
        eex_population_free(out);
    return code;
}
