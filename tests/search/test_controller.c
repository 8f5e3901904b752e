/* What every controller promises. */
#include "search/controller.h"
#include "search/predictor.h"
#include "support/toy.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const eex_controller_options usual = {.seed = 1,
                                             .population = 10,
                                             .sample = 3,
                                             .largest = 1 << 20,
                                             .initial = 20,
                                             .batch = 4,
                                             .surrogates = 1 << EEX_SURROGATE_RIDGE}; /* quick */

/* Each genome of a space of 81, or each representative, is asked for exactly once. */
static void expect_each_once(eex_algorithm algorithm, const eex_space *space,
                             size_t representatives)
{
    int asked[81] = {0}, genome[4];
    eex_controller *c = toy_controller(algorithm, space, &usual);
    for (size_t i = 0; i < representatives; i++) {
        cr_assert_not(eex_controller_done(c), "after %zu", i);
        cr_assert_eq(eex_controller_ask(c, genome), EEX_OK);
        cr_assert_eq(asked[eex_space_index(space, genome)]++, 0, "asked twice");
        const eex_score score = toy_score(space, genome, 5);
        cr_assert_eq(eex_controller_tell(c, genome, &score), EEX_OK);
    }
    cr_assert(eex_controller_done(c));
    cr_assert_eq(eex_controller_ask(c, genome), EEX_ENOTFOUND);
    cr_assert_eq(eex_controller_trials(c), representatives);
    eex_controller_free(c);
}

Test(controller, asks_for_everything_exactly_once)
{
    const eex_space space = toy_space(4, 3);
    for (int m = 0; m < EEX_ALGORITHMS; m++)
        expect_each_once(m, &space, 81);
}

/* Genes 1 and 3 mean nothing where the gene in front of them is 0. */
static void switched_off(int *genome, const void *calls)
{
    for (int i = 0; i < 4; i += 2)
        if (genome[i] == 0)
            genome[i + 1] = 0;
    ++**(int *const *)calls;
}

Test(controller, duplicates_are_recognised_by_their_canonical_form)
{
    int calls = 0;
    int *const context = &calls;
    eex_space space = toy_space(4, 3);
    space.canonical = switched_off;
    space.context = &context;
    for (int m = 0; m < EEX_ALGORITHMS; m++)
        expect_each_once(m, &space, 49); /* (1 + 2 * 3) squared */
    cr_assert_gt(calls, 0);
}

static void all_alike(int *genome, const void *genes)
{
    memset(genome, 0, (size_t) * (const int *)genes * sizeof *genome);
}

Test(controller, a_vast_space_of_one_candidate_ends)
{
    const int genes = 24;
    eex_space space = toy_space(genes, 2);
    int genome[24];
    space.canonical = all_alike;
    space.context = &genes;
    eex_controller *c = toy_controller(EEX_RANDOM, &space, &usual);
    cr_assert_eq(eex_controller_ask(c, genome), EEX_OK);
    cr_assert(eex_controller_done(c));
    eex_controller_free(c);
}

Test(controller, several_may_be_asked_before_one_is_told)
{
    const eex_space space = toy_space(4, 3);
    for (int m = 0; m < EEX_ALGORITHMS; m++) {
        int genomes[81][4];
        eex_controller *c = toy_controller(m, &space, &usual);
        for (int i = 0; i < 81; i++) {
            cr_assert_eq(eex_controller_ask(c, genomes[i]), EEX_OK);
            for (int k = 0; k < i; k++)
                cr_assert_not(eex_space_equal(&space, genomes[k], genomes[i]));
        }
        cr_assert_eq(eex_controller_pending(c), 81);
        cr_assert(eex_controller_done(c));
        for (int i = 80; i >= 0; i--) {
            const eex_score score = toy_score(&space, genomes[i], 0);
            cr_assert_eq(eex_controller_tell(c, genomes[i], &score), EEX_OK);
        }
        cr_assert_eq(eex_controller_pending(c), 0);
        eex_controller_free(c);
    }
}

Test(controller, trials_are_limited)
{
    const eex_space space = toy_space(8, 4);
    eex_controller_options options = usual;
    options.trials = 25;
    for (int m = 0; m < EEX_ALGORITHMS; m++) {
        eex_controller *c = toy_controller(m, &space, &options);
        toy_run(c, &space, 1000, 0);
        cr_assert_eq(eex_controller_trials(c), 25);
        eex_controller_free(c);
    }
}

Test(controller, the_seed_decides_and_nothing_else)
{
    const eex_space space = toy_space(8, 4);
    for (int m = 0; m < EEX_ALGORITHMS; m++) {
        eex_controller_options other = usual;
        other.seed = 2;
        eex_controller *a = toy_controller(m, &space, &usual);
        eex_controller *b = toy_controller(m, &space, &usual);
        eex_controller *c = toy_controller(m, &space, &other);
        toy_run(a, &space, 100, 7);
        toy_run(b, &space, 100, 7);
        toy_run(c, &space, 100, 7);
        toy_expect_same(a, b, &space);
        const bool alike =
            eex_space_equal(&space, eex_controller_genome(a, 5), eex_controller_genome(c, 5));
        cr_assert_eq(alike, m == EEX_EXHAUSTIVE);
        eex_controller_free(a);
        eex_controller_free(b);
        eex_controller_free(c);
    }
}

/* Tells a new controller the first trials of another, as a continued run does. */
static eex_controller *retold(eex_algorithm algorithm, const eex_space *space,
                              const eex_controller *from, size_t trials)
{
    eex_controller *c = toy_controller(algorithm, space, &usual);
    for (size_t i = 0; i < trials; i++)
        cr_assert_eq(
            eex_controller_tell(c, eex_controller_genome(from, i), eex_controller_score(from, i)),
            EEX_OK);
    return c;
}

Test(controller, retelling_the_trials_continues_identically)
{
    const eex_space space = toy_space(8, 4);
    const size_t stops[] = {0, 1, 9, 10, 11, 57, 99};
    for (int m = 0; m < EEX_ALGORITHMS; m++) {
        eex_controller *whole = toy_controller(m, &space, &usual);
        toy_run(whole, &space, 120, 7);
        for (size_t s = 0; s < sizeof stops / sizeof *stops; s++) {
            eex_controller *c = retold(m, &space, whole, stops[s]);
            toy_run(c, &space, 120 - stops[s], 7);
            toy_expect_same(whole, c, &space);
            eex_controller_free(c);
        }
        eex_controller_free(whole);
    }
}

/* Keeps `width` candidates in flight and tells them in an order of its own. */
static void run_parallel(eex_controller *c, const eex_space *space, size_t trials, size_t width)
{
    int genome[EEX_MAX_GENES];
    while (eex_controller_trials(c) < trials) {
        while (eex_controller_pending(c) < width && !eex_controller_done(c))
            cr_assert_eq(eex_controller_ask(c, genome), EEX_OK);
        const size_t pick = eex_controller_trials(c) * 7 % eex_controller_pending(c);
        memcpy(genome, eex_controller_pending_genome(c, pick),
               (size_t)space->genes * sizeof *genome);
        const eex_score score = toy_score(space, genome, 7);
        cr_assert_eq(eex_controller_tell(c, genome, &score), EEX_OK);
    }
}

static eex_controller *reloaded(eex_algorithm algorithm, const eex_space *space,
                                const eex_controller *from)
{
    eex_buffer state = EEX_BUFFER_INIT;
    eex_controller *c = toy_controller(algorithm, space, &usual);
    cr_assert_eq(eex_controller_save(&state, from), EEX_OK);
    cr_assert_eq(eex_controller_load(c, state.data, state.size), EEX_OK, "%s", eex_error());
    eex_buffer_free(&state);
    return c;
}

Test(controller, a_saved_state_continues_identically_with_candidates_in_flight)
{
    const eex_space space = toy_space(8, 4);
    for (int m = 0; m < EEX_ALGORITHMS; m++) {
        for (size_t stop = 1; stop < 60; stop += 13) {
            eex_controller *whole = toy_controller(m, &space, &usual);
            run_parallel(whole, &space, stop, 4);
            eex_controller *loaded = reloaded(m, &space, whole);
            cr_assert_eq(eex_controller_pending(loaded), eex_controller_pending(whole));
            run_parallel(whole, &space, 100, 4);
            run_parallel(loaded, &space, 100, 4);
            toy_expect_same(whole, loaded, &space);
            eex_controller_free(whole);
            eex_controller_free(loaded);
        }
    }
}

Test(controller, a_state_of_another_search_is_refused)
{
    const eex_space space = toy_space(8, 4), other_space = toy_space(8, 5);
    eex_controller_options other = usual;
    eex_buffer state = EEX_BUFFER_INIT;
    eex_controller *c = toy_controller(EEX_AGING, &space, &usual);
    toy_run(c, &space, 20, 0);
    cr_assert_eq(eex_controller_save(&state, c), EEX_OK);
    other.seed++;
    eex_controller *others[] = {toy_controller(EEX_AGING, &space, &other),
                                toy_controller(EEX_RANDOM, &space, &usual),
                                toy_controller(EEX_AGING, &other_space, &usual), c};
    for (int i = 0; i < 4; i++) {
        cr_assert_eq(eex_controller_load(others[i], state.data, state.size), EEX_EINVAL);
        eex_controller_free(others[i]);
    }
    eex_buffer_free(&state);
}

static int load_into_new(const eex_space *space, const void *data, size_t size)
{
    eex_controller *c = toy_controller(EEX_AGING, space, &usual);
    void *exact = malloc(size > 0 ? size : 1); /* so that a sanitizer sees one byte too far */
    memcpy(exact, data, size);
    const int code = eex_controller_load(c, exact, size);
    free(exact);
    eex_controller_free(c);
    return code;
}

Test(controller, a_damaged_state_is_refused)
{
    const eex_space space = toy_space(8, 4);
    eex_buffer state = EEX_BUFFER_INIT;
    eex_controller *c = toy_controller(EEX_AGING, &space, &usual);
    run_parallel(c, &space, 12, 3);
    cr_assert_eq(eex_controller_save(&state, c), EEX_OK);
    cr_assert_eq(load_into_new(&space, state.data, state.size), EEX_OK);
    for (size_t size = 0; size < state.size; size += size < 80 ? 1 : 13)
        cr_assert_eq(load_into_new(&space, state.data, size), EEX_EFORMAT, "%zu bytes", size);
    for (size_t i = 0; i < state.size; i += 3) {
        state.data[i] ^= 0x10;
        cr_assert_eq(load_into_new(&space, state.data, state.size), EEX_EFORMAT, "byte %zu", i);
        state.data[i] ^= 0x10;
    }
    eex_buffer_free(&state);
    eex_controller_free(c);
}

Test(controller, wrong_tells_are_refused)
{
    const eex_space space = toy_space(3, 4);
    const int right[] = {0, 1, 2}, wrong[] = {0, 4, 2};
    eex_score score = {.fitness = 1.0};
    eex_controller *c = toy_controller(EEX_RANDOM, &space, &usual);
    cr_assert_eq(eex_controller_tell(c, wrong, &score), EEX_EINVAL);
    cr_assert_eq(eex_controller_tell(c, right, &score), EEX_OK, "not asked is fine");
    cr_assert_eq(eex_controller_tell(c, right, &score), EEX_EINVAL);
    cr_assert_str_eq(eex_error(), "random search: the candidate was told before, as trial 0");
    score.objective_count = EEX_MAX_OBJECTIVES + 1;
    cr_assert_eq(eex_controller_tell(c, (const int[]){3, 3, 3}, &score), EEX_EINVAL);
    cr_assert_eq(eex_controller_trials(c), 1);
    eex_controller_free(c);
    eex_controller_free(NULL);
}

Test(controller, the_best_is_valid_and_first_of_equals)
{
    const eex_space space = toy_space(1, 8);
    const eex_score scores[] = {{.fitness = 9.0, .failed = true},
                                {.fitness = NAN},
                                {.fitness = 1.0},
                                {.fitness = 3.0},
                                {.fitness = 3.0},
                                {.fitness = -INFINITY}};
    size_t best = 77;
    eex_controller *c = toy_controller(EEX_RANDOM, &space, &usual);
    for (int i = 0; i < 6; i++) {
        cr_assert_eq(eex_controller_best(&best, c), i > 2);
        cr_assert_eq(eex_controller_tell(c, &i, &scores[i]), EEX_OK);
    }
    cr_assert(eex_controller_best(&best, c));
    cr_assert_eq(best, 3);
    eex_controller_free(c);
}

Test(controller, the_best_violates_the_least)
{
    const eex_space space = toy_space(1, 8);
    const eex_score scores[] = {{.fitness = 9.0, .violation = NAN},
                                {.fitness = 8.0, .violation = 2.0},
                                {.fitness = 5.0, .violation = 1.0},
                                {.fitness = 1.0, .violation = -3.0},
                                {.fitness = 2.0},
                                {.fitness = 9.0, .violation = 0.5}};
    const size_t expected[] = {0, 1, 2, 3, 4, 4};
    eex_controller *c = toy_controller(EEX_RANDOM, &space, &usual);
    for (int i = 0; i < 6; i++) {
        size_t best = 77;
        cr_assert_eq(eex_controller_tell(c, &i, &scores[i]), EEX_OK);
        cr_assert(eex_controller_best(&best, c));
        cr_assert_eq(best, expected[i], "%d: %zu", i, best);
    }
    eex_controller_free(c);
}

Test(controller, exhaustive_refuses_large_spaces)
{
    eex_controller *c = NULL;
    eex_controller_options options = {.largest = 0};
    const eex_space large = toy_space(10, 4), vast = toy_space(100, 4), small = toy_space(2, 4);
    cr_assert_eq(eex_controller_new(&c, EEX_EXHAUSTIVE, &large, &options), EEX_EINVAL);
    cr_assert_str_eq(eex_error(),
                     "exhaustive search: the space has 2^20.0 candidates, more than the "
                     "1000000 that are allowed; use aging or random search");
    cr_assert_eq(eex_controller_new(&c, EEX_EXHAUSTIVE, &vast, &options), EEX_EINVAL);
    options.largest = 15;
    cr_assert_eq(eex_controller_new(&c, EEX_EXHAUSTIVE, &small, &options), EEX_EINVAL);
    options.largest = 16;
    cr_assert_eq(eex_controller_new(&c, EEX_EXHAUSTIVE, &small, &options), EEX_OK);
    eex_controller_free(c);
}

Test(controller, exhaustive_changes_the_last_gene_fastest)
{
    const eex_space space = toy_space(3, 4);
    int genome[3];
    eex_controller *c = toy_controller(EEX_EXHAUSTIVE, &space, &usual);
    for (int i = 0; i < 64; i++) {
        const eex_score score = {.fitness = i};
        cr_assert_eq(eex_controller_ask(c, genome), EEX_OK);
        cr_assert_eq(16 * genome[0] + 4 * genome[1] + genome[2], i);
        cr_assert_eq(eex_controller_tell(c, genome, &score), EEX_OK);
    }
    eex_controller_free(c);
}
