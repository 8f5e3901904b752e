#include "search/algorithm.h"
#include "search/pareto.h"
#include "search/predictor.h"
#include "support/toy.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { GENES = 10, OPTIONS = 4, MOST = 400 };

static const eex_sense minimised[EEX_MAX_OBJECTIVES];

/* Error against cost: options cost their number, and earn by gene. */
static eex_score score_of(const int *genome)
{
    eex_score score = {.objective_count = 2};
    double worth = 0.0;
    for (int g = 0; g < GENES; g++) {
        score.objectives[1] += (1.0 + g % 4) * genome[g];
        worth += (1.0 + g * 3 % 5) * sqrt(genome[g]);
    }
    score.objectives[0] = exp(-0.1 * worth);
    score.fitness = -score.objectives[0];
    return score;
}

/* Keeps every report. */
typedef struct log {
    eex_search_report at[64];
    int count;
} report_log;

static void note(const eex_search_report *report, void *context)
{
    report_log *log = context;
    cr_assert_lt(log->count, 64);
    log->at[log->count++] = *report;
}

static eex_controller *open_search(const eex_space *space, uint64_t seed, report_log *log)
{
    const eex_controller_options options = {.seed = seed,
                                            .trials = MOST,
                                            .initial = 40,
                                            .batch = 8,
                                            .surrogates =
                                                1U << EEX_SURROGATE_RIDGE | 1U << EEX_SURROGATE_RBF,
                                            .report = log ? note : NULL,
                                            .report_context = log};
    return toy_controller(EEX_SURROGATE, space, &options);
}

static void run(eex_controller *c, size_t trials, unsigned failing)
{
    int genome[GENES];
    while (eex_controller_trials(c) < trials) {
        cr_assert_eq(eex_controller_ask(c, genome), EEX_OK, "%s", eex_error());
        eex_score score = score_of(genome);
        score.failed =
            failing > 0 && eex_space_hash(eex__controller_space(c), genome) % failing == 0;
        cr_assert_eq(eex_controller_tell(c, genome, &score), EEX_OK, "%s", eex_error());
    }
}

static double volume_of(const eex_controller *c)
{
    const double reference[] = {1.1, 90.0};
    double points[MOST * 2], volume = 0.0;
    size_t n = 0;
    for (size_t i = 0; i < eex_controller_trials(c); i++)
        if (!eex_controller_score(c, i)->failed)
            memcpy(points + 2 * n++, eex_controller_score(c, i)->objectives, 2 * sizeof *points);
    cr_assert_eq(eex_pareto_hypervolume(&volume, points, n, minimised, 2, reference), EEX_OK);
    return volume;
}

Test(surrogate_search, begins_with_the_smallest_the_largest_and_random_ones)
{
    const eex_space space = toy_space(GENES, OPTIONS);
    eex_controller *c = open_search(&space, 1, NULL);
    run(c, 3, 0);
    for (int g = 0; g < GENES; g++) {
        cr_assert_eq(eex_controller_genome(c, 0)[g], 0);
        cr_assert_eq(eex_controller_genome(c, 1)[g], OPTIONS - 1);
    }
    eex_controller_free(c);
}

Test(surrogate_search, finds_better_fronts_than_evolution_and_chance)
{
    const eex_space space = toy_space(GENES, OPTIONS);
    const eex_controller_options usual = {.trials = 160, .population = 40, .seed = 1};
    eex_controller *c = open_search(&space, 1, NULL);
    eex_controller *evolved = toy_controller(EEX_NSGA2, &space, &usual);
    eex_controller *drawn = toy_controller(EEX_RANDOM, &space, &usual);
    run(c, 160, 0);
    run(evolved, 160, 0);
    run(drawn, 160, 0);
    cr_assert_gt(volume_of(c), 1.02 * volume_of(evolved));
    cr_assert_gt(volume_of(evolved), volume_of(drawn));
    eex_controller_free(c);
    eex_controller_free(evolved);
    eex_controller_free(drawn);
}

Test(surrogate_search, reports_each_batch_against_one_reference_point)
{
    const eex_space space = toy_space(GENES, OPTIONS);
    report_log log = {0};
    eex_controller *c = open_search(&space, 2, &log);
    run(c, 40 + 6 * 8, 0);
    cr_assert_eq(log.count, 6);
    for (int i = 0; i < 6; i++) {
        const eex_search_report *r = &log.at[i];
        cr_assert_eq(r->trials, 40 + 8 * i);
        cr_assert_eq(r->objective_count, 2);
        cr_assert_gt(r->tau[0], 0.7);
        cr_assert_gt(r->tau[1], 0.7);
        cr_assert(strcmp(r->surrogate[1], "ridge") == 0 || strcmp(r->surrogate[1], "rbf") == 0);
        cr_assert(r->null_tau > 0.2 && r->null_tau < 1.0);
        cr_assert(i == 0 || r->hypervolume >= log.at[i - 1].hypervolume);
    }
    cr_assert_gt(log.at[5].hypervolume, log.at[0].hypervolume);
    eex_controller_free(c);
}

static eex_controller *retold(const eex_space *space, const eex_controller *from, size_t trials,
                              report_log *log)
{
    eex_controller *c = open_search(space, 3, log);
    for (size_t i = 0; i < trials; i++)
        cr_assert_eq(
            eex_controller_tell(c, eex_controller_genome(from, i), eex_controller_score(from, i)),
            EEX_OK);
    return c;
}

/* In the middle of a batch and between two, with failures: the same trials and the same figures. */
Test(surrogate_search, goes_on_as_if_never_interrupted)
{
    const eex_space space = toy_space(GENES, OPTIONS);
    report_log whole_log = {0};
    eex_controller *whole = open_search(&space, 3, &whole_log);
    run(whole, 80, 5);
    for (size_t stop = 38; stop < 80; stop += 7) {
        report_log log = {0};
        eex_controller *c = retold(&space, whole, stop, &log);
        run(c, 80, 5);
        toy_expect_same(whole, c, &space);
        const eex_search_report *a = &log.at[log.count - 1];
        const eex_search_report *b = &whole_log.at[whole_log.count - 1];
        cr_assert(a->hypervolume == b->hypervolume && a->tau[0] == b->tau[0] &&
                  a->trials == b->trials);
        eex_controller_free(c);
    }
    eex_controller_free(whole);
}

/* Failed candidates have scores that would mislead every model that looked at them, also by
 * standing beside the wrong genome. */
Test(surrogate_search, failed_trials_shift_nothing)
{
    const eex_space space = toy_space(GENES, OPTIONS);
    report_log log = {0};
    int genome[GENES];
    eex_controller *c = open_search(&space, 4, &log);
    while (eex_controller_trials(c) < 120) {
        cr_assert_eq(eex_controller_ask(c, genome), EEX_OK, "%s", eex_error());
        eex_score score = score_of(genome);
        if (eex_space_hash(&space, genome) % 3 == 0)
            score = (eex_score){
                .failed = true, .objective_count = 2, .objectives = {-1e6 * genome[0], -1e6}};
        cr_assert_eq(eex_controller_tell(c, genome, &score), EEX_OK);
    }
    cr_assert_eq(log.count, 10);
    for (int i = 0; i < log.count; i++) {
        cr_assert_gt(log.at[i].tau[0], i < 3 ? 0.4 : 0.6, "report %d: %g", i, log.at[i].tau[0]);
        cr_assert_gt(log.at[i].tau[1], 0.9, "report %d: %g", i, log.at[i].tau[1]);
        cr_assert_lt(log.at[i].hypervolume, 1e3);
    }
    eex_controller_free(c);
}

Test(surrogate_search, objectives_that_are_no_numbers_do_not_stop_it)
{
    const eex_space space = toy_space(GENES, OPTIONS);
    int genome[GENES];
    eex_controller *c = open_search(&space, 5, NULL);
    while (eex_controller_trials(c) < 64) {
        cr_assert_eq(eex_controller_ask(c, genome), EEX_OK, "%s", eex_error());
        eex_score score = score_of(genome);
        if (genome[0] == 1)
            score.objectives[1] = genome[1] == 1 ? NAN : INFINITY;
        cr_assert_eq(eex_controller_tell(c, genome, &score), EEX_OK);
    }
    eex_controller_free(c);
}

Test(surrogate_search, all_failed_means_random_ones)
{
    const eex_space space = toy_space(GENES, OPTIONS);
    eex_controller *c = open_search(&space, 6, NULL);
    run(c, 60, 1);
    cr_assert_eq(eex_controller_trials(c), 60);
    eex_controller_free(c);
}

/* Entries behind a unit's depth say nothing: what is asked has zeros there. */
static void beyond_depth(int *genome, const void *context)
{
    for (int g = 1 + genome[0]; g <= OPTIONS; g++)
        genome[g] = 0;
}

Test(surrogate_search, asks_for_canonical_genomes_once)
{
    eex_space space = toy_space(GENES, OPTIONS);
    space.canonical = beyond_depth;
    eex_controller *c = open_search(&space, 7, NULL);
    run(c, 100, 0);
    for (size_t i = 0; i < 100; i++) {
        const int *genome = eex_controller_genome(c, i);
        for (int g = 1 + genome[0]; g <= OPTIONS; g++)
            cr_assert_eq(genome[g], 0);
    }
    eex_controller_free(c);
}

/* A batch is spread over the costs, not crowded at an end. */
Test(surrogate_search, a_batch_covers_the_second_objective)
{
    const eex_space space = toy_space(GENES, OPTIONS);
    eex_controller *c = open_search(&space, 8, NULL);
    run(c, 48, 0);
    double least = INFINITY, most = -INFINITY;
    for (size_t i = 40; i < 48; i++) {
        const double cost = eex_controller_score(c, i)->objectives[1];
        least = fmin(least, cost);
        most = fmax(most, cost);
    }
    cr_assert_gt(most - least, 20.0, "of 72");
    eex_controller_free(c);
}

Test(surrogate_search, keeps_to_constraints)
{
    const eex_space space = toy_space(GENES, OPTIONS);
    int genome[GENES], late = 0;
    eex_controller *c = open_search(&space, 9, NULL);
    while (eex_controller_trials(c) < 104) {
        cr_assert_eq(eex_controller_ask(c, genome), EEX_OK, "%s", eex_error());
        eex_score score = score_of(genome);
        score.violation = score.objectives[1] - 30.0; /* half of all violate it */
        late += eex_controller_trials(c) >= 72 && score.violation <= 0.0;
        cr_assert_eq(eex_controller_tell(c, genome, &score), EEX_OK);
    }
    cr_assert_gt(late, 20, "%d of 32", late);
    eex_controller_free(c);
}

Test(surrogate_search, more_than_a_batch_may_be_asked_before_one_is_told)
{
    const eex_space space = toy_space(GENES, OPTIONS);
    int genomes[20][GENES];
    eex_controller *c = open_search(&space, 10, NULL);
    run(c, 40, 0);
    for (int i = 0; i < 20; i++) {
        cr_assert_eq(eex_controller_ask(c, genomes[i]), EEX_OK);
        for (int k = 0; k < i; k++)
            cr_assert_not(eex_space_equal(&space, genomes[i], genomes[k]));
    }
    eex_controller_free(c);
}

/* Models learn from so many at most, yet the front is that of all. */
Test(surrogate_search, a_thousand_trials_are_no_burden)
{
    const eex_space space = toy_space(GENES, OPTIONS);
    report_log log = {0};
    eex_rng rng;
    int genome[GENES];
    eex_rng_seed(&rng, 12, 0);
    const eex_controller_options options = {.initial = 1000,
                                            .surrogates = 1U << EEX_SURROGATE_RBF,
                                            .report = note,
                                            .report_context = &log};
    eex_controller *c = toy_controller(EEX_SURROGATE, &space, &options);
    while (eex_controller_trials(c) < 1000) {
        eex_space_random(genome, &space, &rng);
        const eex_score score = score_of(genome);
        if (!eex__controller_seen(c, genome))
            cr_assert_eq(eex_controller_tell(c, genome, &score), EEX_OK);
    }
    cr_assert_eq(eex_controller_ask(c, genome), EEX_OK, "%s", eex_error());
    cr_assert(log.at[0].trials == 1000 && log.at[0].tau[0] > 0.8, "%g", log.at[0].tau[0]);
    cr_assert(log.at[0].null_tau > 0.2 && log.at[0].null_tau < 1.0);
    eex_controller_free(c);
}

Test(surrogate_search, one_objective_is_enough)
{
    const eex_space space = toy_space(GENES, OPTIONS);
    report_log log = {0};
    eex_controller *c = open_search(&space, 11, &log);
    int genome[GENES];
    size_t best = 0;
    while (eex_controller_trials(c) < 120) {
        cr_assert_eq(eex_controller_ask(c, genome), EEX_OK, "%s", eex_error());
        const eex_score score = {.fitness = toy_fitness(&space, genome)};
        cr_assert_eq(eex_controller_tell(c, genome, &score), EEX_OK);
    }
    cr_assert(isnan(log.at[0].null_tau));
    cr_assert(eex_controller_best(&best, c));
    cr_assert_gt(eex_controller_score(c, best)->fitness, -6.0);
    eex_controller_free(c);
}
