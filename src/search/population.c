#include "search/population.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

int eex_population_init(eex_population *out, int genes, int objective_count, size_t capacity)
{
    *out =
        (eex_population){.genes = genes, .objective_count = objective_count, .capacity = capacity};
    out->genomes = calloc(capacity * (size_t)genes + 1, sizeof *out->genomes);
    out->objectives = calloc(capacity * (size_t)objective_count + 1, sizeof *out->objectives);
    out->violations = calloc(capacity + 1, sizeof *out->violations);
    out->standings = calloc(capacity + 1, sizeof *out->standings);
    if (out->genomes && out->objectives && out->violations && out->standings)
        return EEX_OK;
    eex_population_free(out);
    return eex_fail(EEX_ENOMEM, "out of memory: cannot keep a population of %zu", capacity);
}

void eex_population_free(eex_population *p)
{
    if (!p)
        return;
    free(p->genomes);
    free(p->objectives);
    free(p->violations);
    free(p->standings);
    memset(p, 0, sizeof *p);
}

int *eex_population_genome(const eex_population *p, size_t i)
{
    return p->genomes + i * (size_t)p->genes;
}

double *eex_population_objectives(const eex_population *p, size_t i)
{
    return p->objectives + i * (size_t)p->objective_count;
}

void eex_population_append(eex_population *p, const eex_population *from, size_t i)
{
    const size_t to = p->count++;
    memcpy(eex_population_genome(p, to), eex_population_genome(from, i),
           (size_t)p->genes * sizeof *p->genomes);
    memcpy(eex_population_objectives(p, to), eex_population_objectives(from, i),
           (size_t)p->objective_count * sizeof *p->objectives);
    p->violations[to] = from->violations[i];
    p->standings[to] = from->standings[i];
}

int eex_population_survive(eex_population *p, eex_population *spare, size_t most)
{
    size_t *order = calloc(p->count + 1, sizeof *order);
    int code = order ? eex_survival_rank(p->standings, p->objectives, p->violations, p->count,
                                         p->objective_count)
                     : eex_fail(EEX_ENOMEM, "out of memory: cannot choose among %zu", p->count);
    if (code == EEX_OK)
        code = eex_survival_order(order, p->standings, p->count);
    if (code == EEX_OK) {
        spare->count = 0;
        for (size_t i = 0; i < p->count && i < most; i++)
            eex_population_append(spare, p, order[i]);
        const eex_population survivors = *spare;
        *spare = *p;
        *p = survivors;
    }
    free(order);
    return code;
}

size_t eex_population_tournament(const eex_population *p, eex_rng *rng)
{
    const size_t a = eex_rng_below(rng, p->count), b = eex_rng_below(rng, p->count);
    const int order = eex_standing_compare(&p->standings[a], &p->standings[b]);
    if (order != 0)
        return order < 0 ? a : b;
    return eex_rng_below(rng, 2) == 0 ? a : b;
}
