/* Searches and surrogates.
 *
 *     bench_search                                 how long surrogates and a search on them take
 *     bench_search TABLE [SEEDS [TRIALS INITIAL [ERROR MACS]]]
 *                                                  how good they are on networks that are known
 *
 * The times are of one core, at the size of EDANAS's search: 340 scored genomes of 50 genes.
 *
 * TABLE is NAS-Bench-Macro's file or search.h5 of a run that has judged its whole space
 * (search_table.h). A front is made of what was seen, its hypervolume of what is true, over that of
 * the true front; up to ERROR percent and MACS, or the worst of each in the table.
 * benchmarks/peer_search.py says the same of pymoo. */
#include "search/controller.h"
#include "search/nsga2.h"
#include "search/predictor.h"
#include "search/rank.h"
#include "search_table.h"
#include "timing.h"

#include "base/rng.h"
#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { INITIAL = 100, BATCH = 8, TRIALS = INITIAL + 30 * BATCH };
enum { MOST_SEEDS = 1000, MOST_TRIALS = 10000, MOST_KNOWN = 200, UNSEEN = 500 };

static int fail(const char *what)
{
    fprintf(stderr, "bench_search: %s: %s\n", what, eex_error());
    return 1;
}

typedef struct quality {
    search_table table;
    double best; /* the hypervolume of the true front */
    int seeds, trials, initial;
} quality;

static int compare_doubles(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static void print_quartiles(const char *what, double *values, int n)
{
    double mean = 0.0;
    for (int i = 0; i < n; i++)
        mean += values[i] / n;
    qsort(values, (size_t)n, sizeof *values, compare_doubles);
    printf("%-28s mean %.4f, quartiles %.4f %.4f %.4f, least %.4f\n", what, mean, values[n / 4],
           values[n / 2], values[3 * n / 4], values[0]);
    fflush(stdout);
}

/* ---- ranking ---- */

/* Networks drawn by the seed, in whose order the first `known` are what a predictor sees. */
static int draw(int *genomes, double *values, const search_table *t, size_t known, eex_rng *rng)
{
    uint32_t *order = malloc(t->count * sizeof *order);
    if (!order)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu networks", t->count);
    for (size_t i = 0; i < t->count; i++)
        order[i] = (uint32_t)i;
    eex_rng_shuffle(rng, order, t->count);
    for (size_t i = 0; i < known + UNSEEN; i++) {
        eex_space_genome(genomes + i * (size_t)t->space.genes, &t->space, order[i]);
        values[i] = i < known ? t->seen[order[i]] : t->truth[order[i]];
    }
    free(order);
    return EEX_OK;
}

/* Kendall's tau on networks that a predictor has not seen, having seen `known`. */
static int rank_unseen(double *tau, const search_table *t, size_t known, uint64_t seed,
                       eex_surrogate_set kinds, int *chosen)
{
    static int genomes[(MOST_KNOWN + UNSEEN) * EEX_MAX_GENES];
    static double values[MOST_KNOWN + UNSEEN], predicted[UNSEEN];
    eex_predictor *p = NULL;
    eex_rng rng;
    eex_rng_seed(&rng, seed, known);
    EEX_TRY(draw(genomes, values, t, known, &rng));
    const eex_samples samples = {genomes, values, known};
    EEX_TRY(eex_predictor_fit(&p, &t->space, &samples, kinds, seed));
    int code =
        eex_predictor_predict(predicted, p, genomes + known * (size_t)t->space.genes, UNSEEN);
    chosen[eex_predictor_chosen(p)->kind]++;
    eex_predictor_free(p);
    return code == EEX_OK ? eex_rank_kendall(tau, predicted, values + known, UNSEEN) : code;
}

static int measure_kind(const quality *q, int kind, size_t known)
{
    double taus[MOST_SEEDS];
    int chosen[EEX_SURROGATES] = {0};
    char name[64];
    for (int seed = 0; seed < q->seeds; seed++)
        EEX_TRY(rank_unseen(&taus[seed], &q->table, known, (uint64_t)seed,
                            kind < 0 ? 0 : 1U << kind, chosen));
    snprintf(name, sizeof name, "tau, %s of %zu",
             kind < 0 ? "the chosen" : eex_surrogate_kind_name((eex_surrogate_kind)kind), known);
    print_quartiles(name, taus, q->seeds);
    for (int k = 0; kind < 0 && k < EEX_SURROGATES; k++)
        if (chosen[k] > 0)
            printf("    %s %d times\n", eex_surrogate_kind_name((eex_surrogate_kind)k), chosen[k]);
    return EEX_OK;
}

static int measure_ranking(const quality *q)
{
    static const size_t sizes[] = {50, 100, MOST_KNOWN};
    if (q->table.count < MOST_KNOWN + UNSEEN)
        return EEX_OK;
    for (int kind = -1; kind < EEX_SURROGATES; kind++)
        for (int i = 0; i < 3 && kind != EEX_SURROGATE_MLP; i++)
            EEX_TRY(measure_kind(q, kind, sizes[i]));
    return EEX_OK;
}

/* ---- searching ---- */

static int search(double *volume, const quality *q, eex_algorithm algorithm, uint64_t seed)
{
    const search_table *t = &q->table;
    const eex_controller_options options = {.seed = seed,
                                            .trials = (size_t)q->trials,
                                            .population = 40,
                                            .sample = 10,
                                            .initial = q->initial,
                                            .batch = BATCH};
    static size_t members[MOST_TRIALS];
    int genome[EEX_MAX_GENES];
    eex_controller *c = NULL;
    EEX_TRY(eex_controller_new(&c, algorithm, &t->space, &options));
    int code = EEX_OK;
    size_t done = 0;
    for (; done < (size_t)q->trials && !eex_controller_done(c) && code == EEX_OK; done++) {
        code = eex_controller_ask(c, genome);
        members[done] = code == EEX_OK ? eex_space_index(&t->space, genome) : 0;
        const double error = t->seen[members[done]];
        const eex_score score = {
            .fitness = -error, .objectives = {error, t->macs[members[done]]}, .objective_count = 2};
        if (code == EEX_OK)
            code = eex_controller_tell(c, genome, &score);
    }
    eex_controller_free(c);
    if (code == EEX_OK)
        *volume = search_table_volume(t, members, done, t->seen) / q->best;
    return code;
}

static int measure_searches(const quality *q)
{
    static const eex_algorithm algorithms[] = {EEX_RANDOM, EEX_AGING, EEX_NSGA2, EEX_SURROGATE};
    double volumes[MOST_SEEDS];
    char name[64];
    for (int a = 0; a < 4; a++) {
        for (int seed = 0; seed < q->seeds; seed++)
            EEX_TRY(search(&volumes[seed], q, algorithms[a], (uint64_t)seed));
        snprintf(name, sizeof name, "front, %s", eex_algorithm_name(algorithms[a]));
        print_quartiles(name, volumes, q->seeds);
    }
    return EEX_OK;
}

static int measure_quality(quality *q)
{
    const search_table *t = &q->table;
    q->best = search_table_best(t, t->truth);
    printf("%zu networks; reference point: error %.2f %%, %.0f MACs; the front as it is seen has "
           "%.4f of the true one's hypervolume; %d trials, %d of them first\n",
           t->count, t->reference[0], t->reference[1], search_table_best(t, t->seen) / q->best,
           q->trials, q->initial);
    EEX_TRY(measure_searches(q));
    return measure_ranking(q);
}

/* ---- times ---- */

enum { GENES = 50, KNOWN = TRIALS, MANY = 1000000, CHUNK = 10000 };

typedef struct bench {
    eex_space space;
    int genomes[KNOWN * GENES];
    double values[2][KNOWN];
    eex_surrogate *surrogates[2];
} bench;

/* As EDANAS's: layers of three kernels and three expansions, thresholds, a resolution. */
static int fill(bench *b)
{
    int options[GENES];
    eex_rng rng;
    for (int g = 0; g < GENES; g++)
        options[g] = g + 1 < GENES ? 3 : 17;
    EEX_TRY(eex_space_init(&b->space, options, GENES));
    eex_rng_seed(&rng, 1, 0);
    for (int i = 0; i < KNOWN; i++) {
        int *genome = b->genomes + i * GENES;
        eex_space_random(genome, &b->space, &rng);
        for (int g = 0; g < GENES; g++) {
            b->values[0][i] += -(1.0 + g % 5) * sqrt(genome[g]);
            b->values[1][i] += (1.0 + g % 7) * genome[g];
        }
        b->values[0][i] += eex_rng_normal(&rng);
    }
    return EEX_OK;
}

static int predict_many(const bench *b, const eex_surrogate *s)
{
    static int genomes[CHUNK * GENES];
    static double values[CHUNK];
    eex_rng rng;
    eex_rng_seed(&rng, 2, 0);
    for (int i = 0; i < CHUNK; i++)
        eex_space_random(genomes + i * GENES, &b->space, &rng);
    for (int i = 0; i < MANY / CHUNK; i++)
        EEX_TRY(eex_surrogate_predict(values, s, genomes, CHUNK));
    return EEX_OK;
}

static int time_kind(bench *b, eex_surrogate_kind kind, eex_coding_kind how)
{
    eex_coding coding;
    eex_coding_init(&coding, &b->space, how);
    const double begin = seconds_now(true);
    for (int k = 0; k < 2; k++) {
        const eex_samples samples = {b->genomes, b->values[k], KNOWN};
        eex_surrogate_free(b->surrogates[k]);
        EEX_TRY(eex_surrogate_fit(&b->surrogates[k], kind, &coding, &samples, 1, NULL));
    }
    const double fitted = seconds_now(true);
    EEX_TRY(predict_many(b, b->surrogates[0]));
    const double done = seconds_now(true);
    printf("%-6s %-8s fit %.3f s, a million predictions %.2f s\n", eex_surrogate_kind_name(kind),
           how == EEX_CODE_ORDERED ? "ordered" : "simplex", 0.5 * (fitted - begin), done - fitted);
    fflush(stdout);
    return EEX_OK;
}

static int score(double *objectives, double *violations, const int *genomes, size_t n,
                 void *context)
{
    static double column[4096];
    const bench *b = context;
    for (int k = 0; k < 2; k++) {
        EEX_TRY(eex_surrogate_predict(column, b->surrogates[k], genomes, n));
        for (size_t i = 0; i < n; i++)
            objectives[2 * i + (size_t)k] = column[i];
    }
    return EEX_OK;
}

static int time_search(bench *b)
{
    const eex_nsga2_options options = {.seed = 1,
                                       .population = 40,
                                       .generations = 20,
                                       .objective_count = 2,
                                       .variation = eex_variation_of_choices()};
    eex_population last;
    const double begin = seconds_now(true);
    EEX_TRY(eex_nsga2_run(&last, &b->space, &options, score, b));
    printf("       NSGA-II on two of them, 40 x 20: %.3f s\n", seconds_now(true) - begin);
    eex_population_free(&last);
    return EEX_OK;
}

static int time_choice(const bench *b)
{
    const eex_samples samples = {b->genomes, b->values[0], KNOWN};
    eex_predictor *p = NULL;
    const double begin = seconds_now(true);
    EEX_TRY(eex_predictor_fit(&p, &b->space, &samples, 0, 1));
    printf("the choice among them: %.2f s\n", seconds_now(true) - begin);
    eex_predictor_free(p);
    return EEX_OK;
}

static int time_all(bench *b)
{
    EEX_TRY(fill(b));
    for (int kind = 0; kind < EEX_SURROGATES; kind++) {
        EEX_TRY(time_kind(b, (eex_surrogate_kind)kind, EEX_CODE_ORDERED));
        EEX_TRY(time_kind(b, (eex_surrogate_kind)kind, EEX_CODE_SIMPLEX));
        EEX_TRY(time_search(b));
    }
    return time_choice(b);
}

static int measure_times(void)
{
    static bench b;
    const int code = time_all(&b);
    eex_surrogate_free(b.surrogates[0]);
    eex_surrogate_free(b.surrogates[1]);
    return code == EEX_OK ? 0 : fail("measuring");
}

/* Whether the words are what the first lines of this file say; the table is not read yet. */
static bool understood(quality *q, int argc, char **argv)
{
    q->seeds = argc > 2 ? atoi(argv[2]) : 20;
    q->trials = argc > 4 ? atoi(argv[3]) : TRIALS;
    q->initial = argc > 4 ? atoi(argv[4]) : INITIAL;
    return argc != 4 && argc != 6 && argc < 8 && q->seeds >= 1 && q->seeds <= MOST_SEEDS &&
           q->initial >= 2 && q->trials >= q->initial && q->trials <= MOST_TRIALS;
}

int main(int argc, char **argv)
{
    static quality q;
    if (!understood(&q, argc, argv)) {
        fprintf(stderr,
                "usage: bench_search [TABLE [SEEDS [TRIALS INITIAL [ERROR MACS]]]], 1 to %d "
                "seeds, 2 to %d trials\n",
                MOST_SEEDS, MOST_TRIALS);
        return 2;
    }
    if (argc == 1)
        return measure_times();
    if (search_table_read(&q.table, argv[1]) != EEX_OK)
        return fail(argv[1]);
    for (int i = 0; i < 2 && argc > 6; i++)
        q.table.reference[i] = atof(argv[5 + i]);
    const int code = measure_quality(&q);
    search_table_free(&q.table);
    return code == EEX_OK ? 0 : fail("measuring");
}
