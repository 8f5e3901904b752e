#include "search/controller.h"
#include "support/toy.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const eex_controller_options usual = {.seed = 1, .population = 12, .sample = 4};

static int genes_changed(const eex_space *space, const int *a, const int *b)
{
    int changed = 0;
    for (int i = 0; i < space->genes; i++)
        changed += a[i] != b[i];
    return changed;
}

/* Whether some valid member of the population is one mutation away from the genome. */
static bool has_parent(const eex_controller *c, const eex_space *space, const int *genome)
{
    size_t first, count;
    eex_aging_population(&first, &count, c);
    for (size_t t = first; t < first + count; t++)
        if (!eex_controller_score(c, t)->failed &&
            genes_changed(space, eex_controller_genome(c, t), genome) == 1)
            return true;
    return false;
}

Test(aging, options_are_checked)
{
    const eex_space space = toy_space(4, 4);
    eex_controller *c = NULL;
    eex_controller_options options = {.population = 0, .sample = 1};
    cr_assert_eq(eex_controller_new(&c, EEX_AGING, &space, &options), EEX_EINVAL);
    options = (eex_controller_options){.population = 4, .sample = 0};
    cr_assert_eq(eex_controller_new(&c, EEX_AGING, &space, &options), EEX_EINVAL);
    options.sample = 5;
    cr_assert_eq(eex_controller_new(&c, EEX_AGING, &space, &options), EEX_EINVAL);
    cr_assert_str_eq(eex_error(), "search.sample: from 1 to the population of 4, got 5");
    options.sample = 4;
    cr_assert_eq(eex_controller_new(&c, EEX_AGING, &space, &options), EEX_OK);
    eex_controller_free(c);
}

Test(aging, the_population_keeps_its_size_and_the_oldest_dies)
{
    const eex_space space = toy_space(8, 4);
    size_t first, count;
    eex_controller *c = toy_controller(EEX_AGING, &space, &usual);
    for (size_t told = 0; told <= 60; told++) {
        eex_aging_population(&first, &count, c);
        cr_assert_eq(count, told < 12 ? told : 12);
        cr_assert_eq(first, told < 12 ? 0 : told - 12);
        toy_run(c, &space, 1, 0);
    }
    eex_controller_free(c);
}

Test(aging, founders_are_random_and_children_have_one_mutation)
{
    /* The space is so large that two random genomes are never one mutation apart. */
    const eex_space space = toy_space(40, 6);
    int genome[40];
    eex_controller *c = toy_controller(EEX_AGING, &space, &usual);
    for (int i = 0; i < 200; i++) {
        cr_assert_eq(eex_controller_ask(c, genome), EEX_OK);
        cr_assert_eq(has_parent(c, &space, genome), i >= 12, "trial %d", i);
        const eex_score score = toy_score(&space, genome, 5);
        cr_assert_eq(eex_controller_tell(c, genome, &score), EEX_OK);
    }
    eex_controller_free(c);
}

/* One member is fitter than the rest: it should be the parent with the probability that at least
 * one of `sample` draws with replacement finds it. */
Test(aging, the_parent_is_the_fittest_of_a_sample_with_replacement)
{
    enum { SEEDS = 3000 };
    const eex_space space = toy_space(40, 6);
    int chosen = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        eex_controller_options options = usual;
        options.seed = seed;
        int genome[40];
        eex_controller *c = toy_controller(EEX_AGING, &space, &options);
        for (int i = 0; i < 12; i++) {
            const eex_score score = {.fitness = i == 5 ? 2.0 : 1.0};
            cr_assert_eq(eex_controller_ask(c, genome), EEX_OK);
            cr_assert_eq(eex_controller_tell(c, genome, &score), EEX_OK);
        }
        cr_assert_eq(eex_controller_ask(c, genome), EEX_OK);
        chosen += genes_changed(&space, eex_controller_genome(c, 5), genome) == 1;
        eex_controller_free(c);
    }
    const double expected = 1.0 - 11.0 * 11.0 * 11.0 * 11.0 / (12.0 * 12.0 * 12.0 * 12.0);
    cr_assert_float_eq(chosen / (double)SEEDS, expected, 0.04);
}

Test(aging, failures_age_and_are_no_parents_while_a_valid_member_lives)
{
    const eex_space space = toy_space(40, 6);
    const eex_score good = {.fitness = -1e300}, bad = {.fitness = 1.0, .failed = true};
    int genome[40];
    eex_controller *c = toy_controller(EEX_AGING, &space, &usual);
    for (int i = 0; i < 40; i++) {
        /* Trial 3 is the only valid one; it dies when trial 15 is told. */
        cr_assert_eq(eex_controller_ask(c, genome), EEX_OK);
        cr_assert_eq(has_parent(c, &space, genome), i >= 12 && i <= 15, "trial %d", i);
        cr_assert_eq(eex_controller_tell(c, genome, i == 3 ? &good : &bad), EEX_OK);
        if (i >= 15) { /* only failures live: chance decides, not a mutation of a failure */
            cr_assert_eq(eex_controller_ask(c, genome), EEX_OK);
            for (size_t t = 0; t < eex_controller_trials(c); t++)
                cr_assert_gt(genes_changed(&space, eex_controller_genome(c, t), genome), 1);
            cr_assert_eq(eex_controller_tell(c, genome, &bad), EEX_OK);
        }
    }
    eex_controller_free(c);
}

/* The youngest are the fittest and violate the most: of twelve that are drawn hardly ever all are
 * of the worse half. Of those that violate nothing the fittest is the parent. */
Test(aging, the_least_violation_comes_before_fitness)
{
    const eex_space space = toy_space(40, 6);
    int genome[40], parents[12] = {0};
    for (uint64_t seed = 0; seed < 100; seed++) {
        const eex_controller_options options = {.seed = seed, .population = 12, .sample = 12};
        eex_controller *c = toy_controller(EEX_AGING, &space, &options);
        for (int i = 0; i < 12; i++) {
            const eex_score score = {.fitness = i, .violation = i - 3};
            cr_assert_eq(eex_controller_ask(c, genome), EEX_OK);
            cr_assert_eq(eex_controller_tell(c, genome, &score), EEX_OK);
        }
        cr_assert_eq(eex_controller_ask(c, genome), EEX_OK);
        for (size_t t = 0; t < 12; t++)
            parents[t] += genes_changed(&space, eex_controller_genome(c, t), genome) == 1;
        eex_controller_free(c);
    }
    for (int t = 6; t < 12; t++)
        cr_assert_leq(parents[t], 1, "trial %d", t);
    cr_assert_gt(parents[3], 50, "%d", parents[3]);
    cr_assert_gt(parents[3], parents[2]);
    cr_assert_gt(parents[2], parents[1]);
}

static double best_fitness(eex_algorithm algorithm, const eex_space *space, uint64_t seed)
{
    const eex_controller_options options = {
        .seed = seed, .trials = 400, .population = 32, .sample = 8};
    size_t best = 0;
    eex_controller *c = toy_controller(algorithm, space, &options);
    toy_run(c, space, 400, 0);
    cr_assert(eex_controller_best(&best, c));
    const double fitness = eex_controller_score(c, best)->fitness;
    eex_controller_free(c);
    return fitness;
}

Test(aging, finds_what_random_search_does_not)
{
    enum { SEEDS = 20 };
    const eex_space space = toy_space(12, 4); /* 16.8 million candidates, 400 trials */
    double aging = 0.0, random_search = 0.0;
    int optimal = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        const double found = best_fitness(EEX_AGING, &space, seed);
        aging += found / SEEDS;
        optimal += found == 0.0;
        random_search += best_fitness(EEX_RANDOM, &space, seed) / SEEDS;
    }
    cr_assert_gt(aging, 0.25 * random_search, "aging %g, random %g", aging, random_search);
    cr_assert_geq(optimal, SEEDS / 2, "%d of %d reached the optimum, on average %g", optimal,
                  (int)SEEDS, aging);
}
