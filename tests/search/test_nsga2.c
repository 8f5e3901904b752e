#include "nsga2_pymoo.h"
#include "search/algorithm.h"
#include "search/nsga2.h"
#include "search/pareto.h"
#include "support/toy.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const eex_sense minimised[EEX_MAX_OBJECTIVES];

/* ---- real numbers, as pymoo ---- */

enum { STEPS = EEX_MAX_OPTIONS };

typedef struct problem {
    const char *name;
    int genes, objectives;
} problem;

static double number(int gene)
{
    return gene / (double)(STEPS - 1);
}

static void zdt(double *f, const int *genome, const problem *p)
{
    double sum = 0.0;
    for (int i = 1; i < p->genes; i++)
        sum += number(genome[i]);
    const double g = 1.0 + 9.0 * sum / (p->genes - 1), x = number(genome[0]);
    f[0] = x;
    if (strcmp(p->name, "zdt1") == 0)
        f[1] = g * (1.0 - sqrt(x / g));
    else if (strcmp(p->name, "zdt2") == 0)
        f[1] = g * (1.0 - x / g * (x / g));
    else
        f[1] = g * (1.0 - sqrt(x / g) - x / g * sin(10.0 * M_PI * x));
}

static void dtlz2(double *f, const int *genome, const problem *p)
{
    double g = 0.0;
    for (int i = p->objectives - 1; i < p->genes; i++)
        g += pow(number(genome[i]) - 0.5, 2);
    for (int k = 0; k < p->objectives; k++) {
        f[k] = 1.0 + g;
        for (int i = 0; i < p->objectives - 1 - k; i++)
            f[k] *= cos(0.5 * M_PI * number(genome[i]));
        if (k > 0)
            f[k] *= sin(0.5 * M_PI * number(genome[p->objectives - 1 - k]));
    }
}

static int score_problem(double *objectives, double *violations, const int *genomes, size_t n,
                         void *context)
{
    const problem *p = context;
    for (size_t i = 0; i < n; i++) {
        double *f = objectives + i * (size_t)p->objectives;
        const int *genome = genomes + i * (size_t)p->genes;
        if (p->name[0] == 'z')
            zdt(f, genome, p);
        else
            dtlz2(f, genome, p);
    }
    return EEX_OK;
}

static double reached(problem *p, uint64_t seed)
{
    const double reference[] = {1.1, 1.1, 1.1};
    const eex_space space = toy_space(p->genes, STEPS);
    const eex_nsga2_options options = {.seed = seed,
                                       .population = PYMOO_POPULATION,
                                       .generations = PYMOO_GENERATIONS,
                                       .objective_count = p->objectives,
                                       .variation = eex_variation_of_numbers()};
    eex_population last;
    double volume = 0.0;
    cr_assert_eq(eex_nsga2_run(&last, &space, &options, score_problem, p), EEX_OK, "%s",
                 eex_error());
    cr_assert_eq(eex_pareto_hypervolume(&volume, last.objectives, last.count, minimised,
                                        p->objectives, reference),
                 EEX_OK);
    eex_population_free(&last);
    return volume;
}

Test(nsga2, reaches_what_pymoo_reaches)
{
    for (size_t i = 0; i < sizeof nsga2_pymoo / sizeof *nsga2_pymoo; i++) {
        problem p = {nsga2_pymoo[i].problem, nsga2_pymoo[i].genes, nsga2_pymoo[i].objectives};
        double ours = 0.0, theirs = 0.0;
        for (int seed = 0; seed < PYMOO_SEEDS; seed++) {
            ours += reached(&p, (uint64_t)seed) / PYMOO_SEEDS;
            theirs += nsga2_pymoo[i].volumes[seed] / PYMOO_SEEDS;
        }
        cr_log_info("%s, %d objectives: %.5f, pymoo %.5f, the front %.5f", p.name, p.objectives,
                    ours, theirs, nsga2_pymoo[i].front);
        cr_assert_float_eq(ours, theirs, 0.01 * theirs, "%s: %g, pymoo %g", p.name, ours, theirs);
        cr_assert_leq(ours, 1.0001 * nsga2_pymoo[i].front, "%s: beyond the front", p.name);
    }
}

/* ---- choices ---- */

enum { GENES = 8, OPTIONS = 4, FORBIDDEN = 3 };

typedef struct counter {
    const eex_space *space;
    eex_genomes scored;
    size_t first; /* how many the first call had */
    bool constrained;
    int code;
} counter;

/* The distances to two genomes; each genome only once, in canonical form. */
static int score_counted(double *objectives, double *violations, const int *genomes, size_t n,
                         void *context)
{
    counter *c = context;
    if (c->scored.count == 0)
        c->first = n;
    for (size_t i = 0; i < n; i++) {
        const int *genome = genomes + i * GENES;
        int canonical[GENES];
        memcpy(canonical, genome, sizeof canonical);
        eex_space_canonicalise(canonical, c->space);
        cr_assert(eex_space_equal(c->space, canonical, genome));
        cr_assert_not(eex_genomes_find(NULL, &c->scored, genome), "scored twice");
        cr_assert_eq(eex_genomes_add(&c->scored, genome), EEX_OK);
        cr_assert_eq(violations[i], 0.0);
        objectives[2 * i] = objectives[2 * i + 1] = 0.0;
        for (int g = 0; g < GENES; g++) {
            objectives[2 * i] += genome[g];
            objectives[2 * i + 1] += OPTIONS - 1 - genome[g] + 0.01 * g * genome[g];
            violations[i] += c->constrained && genome[g] == FORBIDDEN;
        }
    }
    return c->code;
}

static eex_population run_counted(counter *c, const eex_space *space, eex_nsga2_options options)
{
    eex_population last;
    c->space = space;
    eex_genomes_init(&c->scored, space);
    options.objective_count = 2;
    options.variation = eex_variation_of_choices();
    const int code = eex_nsga2_run(&last, space, &options, score_counted, c);
    cr_assert_eq(code, c->code, "%s", eex_error());
    return last;
}

static void close_counted(counter *c, eex_population *last)
{
    eex_genomes_free(&c->scored);
    eex_population_free(last);
}

/* Entries behind a unit's depth say nothing. */
static void beyond_depth(int *genome, const void *context)
{
    for (int g = 1 + genome[0]; g < GENES / 2; g++)
        genome[g] = 0;
}

Test(nsga2, scores_no_genome_twice_and_canonical_ones_alone)
{
    eex_space space = toy_space(GENES, OPTIONS);
    space.canonical = beyond_depth;
    counter c = {0};
    eex_population last = run_counted(
        &c, &space, (eex_nsga2_options){.seed = 1, .population = 20, .generations = 30});
    cr_assert_eq(c.scored.count, 600);
    cr_assert_eq(last.count, 20);
    cr_assert_eq(eex_population_front(&last), 20);
    close_counted(&c, &last);
}

Test(nsga2, a_small_space_is_scored_as_a_whole)
{
    int options[GENES] = {3, 3, 1, 1, 1, 1, 1, 1};
    eex_space space;
    cr_assert_eq(eex_space_init(&space, options, GENES), EEX_OK);
    counter c = {0};
    eex_population last =
        run_counted(&c, &space, (eex_nsga2_options){.seed = 1, .population = 4, .generations = 30});
    cr_assert_eq(c.scored.count, 9);
    close_counted(&c, &last);
}

Test(nsga2, begins_with_the_genomes_that_are_given)
{
    const eex_space space = toy_space(GENES, OPTIONS);
    int seeds[30][GENES] = {{0}};
    for (int i = 1; i < 30; i++) /* the first two are alike */
        seeds[i][i % GENES] = i > 1 ? 1 + i / GENES % 3 : 0;
    counter few = {0}, many = {0};
    eex_nsga2_options options = {.population = 10, .generations = 1, .seeds = seeds[0]};
    options.seed_count = 3;
    eex_population last = run_counted(&few, &space, options);
    cr_assert_eq(few.first, 10);
    for (int i = 0; i < 3; i++)
        cr_assert(eex_genomes_find(NULL, &few.scored, seeds[i]));
    close_counted(&few, &last);
    options.seed_count = 30;
    last = run_counted(&many, &space, options);
    cr_assert_gt(many.first, 10, "more than the population: all are scored, the best stay");
    cr_assert_eq(last.count, 10);
    close_counted(&many, &last);
}

Test(nsga2, what_violates_constraints_dies_out)
{
    const eex_space space = toy_space(GENES, OPTIONS);
    counter c = {.constrained = true};
    eex_population last = run_counted(
        &c, &space, (eex_nsga2_options){.seed = 3, .population = 20, .generations = 20});
    for (size_t i = 0; i < last.count; i++)
        cr_assert_eq(last.violations[i], 0.0);
    close_counted(&c, &last);
}

Test(nsga2, the_seed_decides)
{
    const eex_space space = toy_space(GENES, OPTIONS);
    eex_population last[3];
    for (int i = 0; i < 3; i++) {
        counter c = {0};
        last[i] = run_counted(
            &c, &space,
            (eex_nsga2_options){.seed = i < 2 ? 5 : 6, .population = 20, .generations = 10});
        eex_genomes_free(&c.scored);
    }
    const size_t bytes = 20 * GENES * sizeof(int);
    cr_assert_eq(memcmp(last[0].genomes, last[1].genomes, bytes), 0);
    cr_assert_neq(memcmp(last[0].genomes, last[2].genomes, bytes), 0);
    for (int i = 0; i < 3; i++)
        eex_population_free(&last[i]);
}

Test(nsga2, errors_of_the_score_and_wrong_options_end_it)
{
    const eex_space space = toy_space(GENES, OPTIONS);
    counter c = {.code = EEX_EDIVERGED};
    eex_nsga2_options options = {.population = 10, .generations = 5};
    eex_population last = run_counted(&c, &space, options);
    cr_assert_null(last.genomes);
    eex_genomes_free(&c.scored);
    options.objective_count = 2;
    options.population = 1;
    cr_assert_eq(eex_nsga2_run(&last, &space, &options, score_counted, &c), EEX_EINVAL);
    options.population = 10;
    options.generations = 0;
    cr_assert_eq(eex_nsga2_run(&last, &space, &options, score_counted, &c), EEX_EINVAL);
    int wrong[GENES] = {0, 0, OPTIONS};
    options.generations = 1;
    options.seeds = wrong;
    options.seed_count = 1;
    cr_assert_eq(eex_nsga2_run(&last, &space, &options, score_counted, &c), EEX_EINVAL);
}

/* ---- asked and told ---- */

static eex_score two_distances(const int *genome, bool failed)
{
    eex_score score = {.objective_count = 2, .failed = failed};
    for (int g = 0; g < GENES; g++) {
        score.objectives[0] += abs(genome[g] - g % OPTIONS);
        score.objectives[1] += abs(genome[g] - (g + 1) % OPTIONS);
    }
    if (failed) /* nobody may look at it */
        score.objectives[0] = score.objectives[1] = -100.0;
    return score;
}

static double volume_after(eex_algorithm algorithm, uint64_t seed, unsigned failing)
{
    const eex_space space = toy_space(GENES, OPTIONS);
    const eex_controller_options options = {
        .seed = seed, .trials = 600, .population = 40, .sample = 10};
    const double reference[] = {20.0, 20.0};
    double points[600 * 2], volume = 0.0;
    int genome[GENES];
    size_t n = 0;
    eex_controller *c = toy_controller(algorithm, &space, &options);
    while (!eex_controller_done(c)) {
        cr_assert_eq(eex_controller_ask(c, genome), EEX_OK);
        const eex_score score =
            two_distances(genome, failing > 0 && eex_space_hash(&space, genome) % failing == 0);
        cr_assert_eq(eex_controller_tell(c, genome, &score), EEX_OK, "%s", eex_error());
        if (!score.failed)
            memcpy(points + 2 * n++, score.objectives, 2 * sizeof *points);
    }
    cr_assert_eq(eex_pareto_hypervolume(&volume, points, n, minimised, 2, reference), EEX_OK);
    eex_controller_free(c);
    return volume;
}

Test(nsga2, finds_better_fronts_than_chance_when_asked)
{
    for (unsigned failing = 0; failing <= 4; failing += 4) {
        double evolved = 0.0, drawn = 0.0;
        for (uint64_t seed = 0; seed < 10; seed++) {
            evolved += volume_after(EEX_NSGA2, seed, failing);
            drawn += volume_after(EEX_RANDOM, seed, failing);
        }
        cr_assert_gt(evolved, 1.05 * drawn, "%g, by chance %g", evolved, drawn);
    }
}

Test(nsga2, keeps_to_constraints_when_asked)
{
    const eex_space space = toy_space(GENES, OPTIONS);
    const eex_controller_options options = {.seed = 1, .trials = 400, .population = 20};
    int genome[GENES], late = 0;
    eex_controller *c = toy_controller(EEX_NSGA2, &space, &options);
    while (!eex_controller_done(c)) {
        cr_assert_eq(eex_controller_ask(c, genome), EEX_OK);
        eex_score score = two_distances(genome, false);
        for (int g = 0; g < GENES; g++)
            score.violation += genome[g] == FORBIDDEN;
        late += eex_controller_trials(c) >= 200 && score.violation == 0.0;
        cr_assert_eq(eex_controller_tell(c, genome, &score), EEX_OK);
    }
    cr_assert_gt(late, 100, "%d of 200; of random ones there were 20", late);
    eex_controller_free(c);
}

Test(nsga2, wants_two_in_a_population_and_as_many_objectives_each_time)
{
    const eex_space space = toy_space(GENES, OPTIONS);
    eex_controller_options options = {.population = 1, .sample = 1};
    eex_controller *c = NULL;
    cr_assert_eq(eex_controller_new(&c, EEX_NSGA2, &space, &options), EEX_EINVAL);
    cr_assert_str_eq(eex_error(), "search.population: at least 2 for nsga2, got 1");
    options.population = 2;
    c = toy_controller(EEX_NSGA2, &space, &options);
    const int first[GENES] = {0}, second[GENES] = {1}, third[GENES] = {2};
    eex_score score = {.objective_count = 2};
    cr_assert_eq(eex_controller_tell(c, first, &score), EEX_OK);
    score.objective_count = 1;
    cr_assert_eq(eex_controller_tell(c, second, &score), EEX_EINVAL);
    cr_assert_str_eq(eex_error(), "score: 2 objectives as the trials before, got 1");
    score.failed = true;
    cr_assert_eq(eex_controller_tell(c, third, &score), EEX_OK, "a failed one has none that count");
    eex_controller_free(c);
}

Test(nsga2, goes_by_the_fitness_where_there_are_no_objectives)
{
    const eex_space space = toy_space(GENES, OPTIONS);
    const eex_controller_options options = {.seed = 1, .trials = 400, .population = 20};
    int genome[GENES];
    size_t best = 0;
    eex_controller *c = toy_controller(EEX_NSGA2, &space, &options);
    while (!eex_controller_done(c)) {
        cr_assert_eq(eex_controller_ask(c, genome), EEX_OK);
        const eex_score score = {.fitness = toy_fitness(&space, genome)};
        cr_assert_eq(eex_controller_tell(c, genome, &score), EEX_OK);
    }
    cr_assert(eex_controller_best(&best, c));
    cr_assert_gt(eex_controller_score(c, best)->fitness, -2.0);
    eex_controller_free(c);
}
