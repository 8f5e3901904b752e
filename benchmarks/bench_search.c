/* Searches and surrogates.
 *
 *     bench_search                       how long surrogates and a search on them take
 *     bench_search MACRO.json [SEEDS]    how good they are on NAS-Bench-Macro
 *
 * The times are of one core, at the size of EDANAS's search: 340 scored genomes of 50 genes.
 *
 * NAS-Bench-Macro (Su et al. 2021) has 6,561 networks of 8 layers with 3 choices each, trained
 * three times each: nas-bench-macro_cifar10.json, unpacked. What a search sees is the first
 * training; what is true is the mean of the other two. A front is made of what was seen, its
 * hypervolume of what is true, over that of the true front. benchmarks/peer_search.py says the same
 * of pymoo. */
#include "search/controller.h"
#include "search/nsga2.h"
#include "search/pareto.h"
#include "search/predictor.h"
#include "search/rank.h"
#include "timing.h"

#include "base/fs.h"
#include "base/rng.h"
#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LAYERS = 8, NETWORKS = 6561, INITIAL = 100, BATCH = 8, TRIALS = INITIAL + 30 * BATCH };
enum { MOST_SEEDS = 1000, UNSEEN = 500 };

static const eex_sense minimised[EEX_MAX_OBJECTIVES];

static int fail(const char *what)
{
    fprintf(stderr, "bench_search: %s: %s\n", what, eex_error());
    return 1;
}

/* ---- the networks ---- */

typedef struct macro {
    eex_space space;
    bool there[NETWORKS];
    double seen[NETWORKS], truth[NETWORKS]; /* errors, in percent */
    double macs[NETWORKS];
    double reference[2]; /* the worst of each */
    double best;         /* the hypervolume of the true front */
} macro;

/* One network: "02012100": {"test_acc": [a, b, c], ..., "flops": n}. */
static bool read_network(macro *m, const char *at)
{
    double a, b, c;
    int genome[LAYERS];
    const char *flops = strstr(at, "\"flops\":");
    if (!flops || sscanf(at + LAYERS + 2, ": {\"test_acc\": [%lf, %lf, %lf]", &a, &b, &c) != 3)
        return false;
    for (int g = 0; g < LAYERS; g++) {
        genome[g] = at[1 + g] - '0';
        if (genome[g] < 0 || genome[g] > 2)
            return false;
    }
    const uint64_t i = eex_space_index(&m->space, genome);
    m->there[i] = true;
    m->seen[i] = 100.0 - a;
    m->truth[i] = 100.0 - 0.5 * (b + c);
    m->macs[i] = strtod(flops + 8, NULL);
    return true;
}

/* The hypervolume of true values of what is a front by `by`; members[i] of n networks. */
static double front_volume(const macro *m, const size_t *members, size_t n, const double *by)
{
    static double rows[2 * NETWORKS];
    static size_t front[NETWORKS];
    size_t count = 0;
    double volume = NAN;
    for (size_t i = 0; i < n; i++) {
        rows[2 * i] = by[members[i]];
        rows[2 * i + 1] = m->macs[members[i]];
    }
    if (eex_pareto_front(front, &count, rows, n, minimised, 2) != EEX_OK)
        return NAN;
    for (size_t i = 0; i < count; i++) {
        rows[2 * i] = m->truth[members[front[i]]];
        rows[2 * i + 1] = m->macs[members[front[i]]];
    }
    if (eex_pareto_hypervolume(&volume, rows, count, minimised, 2, m->reference) != EEX_OK)
        return NAN;
    return volume;
}

static int read_macro(macro *m, const char *path)
{
    static const int options[LAYERS] = {3, 3, 3, 3, 3, 3, 3, 3};
    static size_t all[NETWORKS];
    char *text = NULL;
    size_t size = 0;
    EEX_TRY(eex_space_init(&m->space, options, LAYERS));
    EEX_TRY(eex_fs_read(&text, &size, path, (size_t)1 << 24));
    for (const char *at = text; (at = strchr(at, '"')); at++)
        if (at[1] >= '0' && at[1] <= '2' && strlen(at) > LAYERS && at[LAYERS + 1] == '"')
            read_network(m, at);
    free(text);
    for (size_t i = 0; i < NETWORKS; i++) {
        if (!m->there[i])
            return eex_fail(EEX_EFORMAT, "%s: not all of the %d networks of NAS-Bench-Macro", path,
                            NETWORKS);
        all[i] = i;
        m->reference[0] = fmax(m->reference[0], m->truth[i]);
        m->reference[1] = fmax(m->reference[1], m->macs[i]);
    }
    m->best = front_volume(m, all, NETWORKS, m->truth);
    printf("%d networks; reference point: error %.2f %%, %.0f MACs; the front as the first "
           "training has it has %.4f of the true one's hypervolume\n",
           NETWORKS, m->reference[0], m->reference[1],
           front_volume(m, all, NETWORKS, m->seen) / m->best);
    return EEX_OK;
}

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

/* Kendall's tau on networks that a predictor has not seen, having seen `known`. */
static int rank_unseen(double *tau, const macro *m, size_t known, uint64_t seed,
                       eex_surrogate_set kinds, int *chosen)
{
    static uint32_t order[NETWORKS];
    static int genomes[NETWORKS * LAYERS];
    static double values[NETWORKS], predicted[UNSEEN];
    eex_predictor *p = NULL;
    eex_rng rng;
    eex_rng_seed(&rng, seed, known);
    for (uint32_t i = 0; i < NETWORKS; i++)
        order[i] = i;
    eex_rng_shuffle(&rng, order, NETWORKS);
    for (size_t i = 0; i < known + UNSEEN; i++) {
        eex_space_genome(genomes + i * LAYERS, &m->space, order[i]);
        values[i] = i < known ? m->seen[order[i]] : m->truth[order[i]];
    }
    const eex_samples samples = {genomes, values, known};
    EEX_TRY(eex_predictor_fit(&p, &m->space, &samples, kinds, seed));
    int code = eex_predictor_predict(predicted, p, genomes + known * LAYERS, UNSEEN);
    chosen[eex_predictor_chosen(p)->kind]++;
    eex_predictor_free(p);
    return code == EEX_OK ? eex_rank_kendall(tau, predicted, values + known, UNSEEN) : code;
}

static int measure_ranking(const macro *m, int seeds)
{
    static const size_t sizes[] = {50, 100, 200};
    double taus[MOST_SEEDS];
    char name[64];
    for (int kind = -1; kind < EEX_SURROGATES; kind++) {
        if (kind == EEX_SURROGATE_MLP)
            continue;
        for (int i = 0; i < 3; i++) {
            int chosen[EEX_SURROGATES] = {0};
            for (int seed = 0; seed < seeds; seed++)
                EEX_TRY(rank_unseen(&taus[seed], m, sizes[i], (uint64_t)seed,
                                    kind < 0 ? 0 : 1U << kind, chosen));
            snprintf(name, sizeof name, "tau, %s of %zu",
                     kind < 0 ? "the chosen" : eex_surrogate_kind_name((eex_surrogate_kind)kind),
                     sizes[i]);
            print_quartiles(name, taus, seeds);
            for (int k = 0; kind < 0 && k < EEX_SURROGATES; k++)
                if (chosen[k] > 0)
                    printf("    %s %d times\n", eex_surrogate_kind_name((eex_surrogate_kind)k),
                           chosen[k]);
        }
    }
    return EEX_OK;
}

/* ---- searching ---- */

static int search(double *volume, const macro *m, eex_algorithm algorithm, uint64_t seed)
{
    const eex_controller_options options = {.seed = seed,
                                            .trials = TRIALS,
                                            .population = 40,
                                            .sample = 10,
                                            .initial = INITIAL,
                                            .batch = BATCH};
    size_t members[TRIALS];
    int genome[LAYERS];
    eex_controller *c = NULL;
    EEX_TRY(eex_controller_new(&c, algorithm, &m->space, &options));
    int code = EEX_OK;
    for (size_t t = 0; t < TRIALS && code == EEX_OK; t++) {
        code = eex_controller_ask(c, genome);
        members[t] = code == EEX_OK ? eex_space_index(&m->space, genome) : 0;
        const eex_score score = {.fitness = -m->seen[members[t]],
                                 .objectives = {m->seen[members[t]], m->macs[members[t]]},
                                 .objective_count = 2};
        if (code == EEX_OK)
            code = eex_controller_tell(c, genome, &score);
    }
    eex_controller_free(c);
    if (code == EEX_OK)
        *volume = front_volume(m, members, TRIALS, m->seen) / m->best;
    return code;
}

static int measure_searches(const macro *m, int seeds)
{
    static const eex_algorithm algorithms[] = {EEX_RANDOM, EEX_AGING, EEX_NSGA2, EEX_SURROGATE};
    double volumes[MOST_SEEDS];
    char name[64];
    for (int a = 0; a < 4; a++) {
        for (int seed = 0; seed < seeds; seed++)
            EEX_TRY(search(&volumes[seed], m, algorithms[a], (uint64_t)seed));
        snprintf(name, sizeof name, "front, %s", eex_algorithm_name(algorithms[a]));
        print_quartiles(name, volumes, seeds);
    }
    return EEX_OK;
}

static int measure_quality(const char *path, int seeds)
{
    static macro m;
    if (read_macro(&m, path) != EEX_OK)
        return fail(path);
    return measure_ranking(&m, seeds) == EEX_OK && measure_searches(&m, seeds) == EEX_OK
               ? 0
               : fail("measuring");
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

int main(int argc, char **argv)
{
    const int seeds = argc > 2 ? atoi(argv[2]) : 20;
    if (argc > 3 || seeds < 1 || seeds > MOST_SEEDS) {
        fprintf(stderr, "usage: bench_search [MACRO.json [SEEDS]], 1 to %d seeds\n", MOST_SEEDS);
        return 2;
    }
    return argc > 1 ? measure_quality(argv[1], seeds) : measure_times();
}
