/* NSGA-II (Deb, Pratap, Agarwal and Meyarivan 2002) over genomes, scored by a function: the search
 * on something cheap, such as surrogates. As a search algorithm that is asked and told it is
 * EEX_NSGA2 (controller.h), of the same parts: variation.h and population.h. */
#ifndef EEX_SEARCH_NSGA2_H
#define EEX_SEARCH_NSGA2_H

#include "search/genomes.h"
#include "search/population.h"

/* Fills in the objectives, (n, objective_count), of n genomes, (n, genes), and by how much each
 * violates constraints (n), which are 0 before. An error ends the search with it. */
typedef int (*eex_genomes_score)(double *objectives, double *violations, const int *genomes,
                                 size_t n, void *context);

typedef enum eex_crossover {
    EEX_CROSS_TWO_POINTS, /* choices: genes stay what a parent has */
    EEX_CROSS_BINARY,     /* genes that stand for real numbers: between and around the parents' */
} eex_crossover;

typedef struct eex_variation {
    eex_crossover crossover;
    double crossover_rate; /* of pairs that are crossed; the others are copied */
    double crossover_eta;  /* EEX_CROSS_BINARY */
    double mutation_rate;  /* a gene; 0: eex_mutation_rate */
    double mutation_eta;
} eex_variation;

/* As EDANAS: two points at 0.9, mutation with eta 1. */
eex_variation eex_variation_of_choices(void);
/* As is usual for real numbers: binary at 0.9 with eta 15, mutation with eta 20. */
eex_variation eex_variation_of_numbers(void);

/* Two children of two members chosen by tournament, in canonical form. */
void eex_nsga2_children(int *first, int *second, const eex_population *parents,
                        const eex_space *space, const eex_variation *variation, eex_rng *rng);

typedef struct eex_nsga2_options {
    uint64_t seed;
    size_t population;  /* at least 2; the children of a generation are as many */
    size_t generations; /* the first, of `seeds` and random genomes, included */
    int objective_count;
    eex_variation variation;
    const int *seeds; /* (seed_count, genes) genomes to begin with; random ones fill up to the
                       * population */
    size_t seed_count;
} eex_nsga2_options;

/* Runs it; *out gets the last population, best first (of rank 0, `standings`, is the front), and is
 * for eex_population_free. No genome is scored twice; a space that has no more ends the search. The
 * same seed gives the same result. EEX_EINVAL, EEX_ENOMEM, an error of `score`. */
int eex_nsga2_run(eex_population *out, const eex_space *space, const eex_nsga2_options *options,
                  eex_genomes_score score, void *context);

/* How many of a population that has survived are of rank 0. */
size_t eex_population_front(const eex_population *p);

#endif
