/* The search on surrogates, asked and told. What is planned follows from the trials at the end of
 * the last complete batch, so that is the same whether they were told one by one or again. */
#include "search/algorithm.h"
#include "search/nsga2.h"
#include "search/pareto.h"
#include "search/predictor.h"
#include "search/rank.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of NSGA-II on the surrogates. */
enum { POPULATION = 40, GENERATIONS = 20 };

/* Trials that models are fitted to at most: the work grows with their cube. */
enum { MOST = 512 };

static const eex_sense minimised[EEX_MAX_OBJECTIVES];

typedef struct surrogate {
    size_t planned; /* how many trials the plan is made from; 0: there is none */
    int *plan;      /* (count, genes) */
    size_t count;
} surrogate;

/* The usable ones of the first trials, and what is made of them. */
typedef struct archive {
    const eex_controller *c;
    const eex_space *space;
    size_t trials;          /* failed ones included */
    eex_population known;   /* usable */
    eex_population lessons; /* of these, what models are fitted to */
    eex_genomes seen;       /* all */
    size_t models; /* predictors: of the objectives, and of the violation where there is one */
    eex_predictor *predictors[EEX_MAX_OBJECTIVES + 1];
    double *column; /* room for a value of each */
} archive;

static size_t initial_of(const eex_controller *c)
{
    const size_t initial = eex__controller_options(c)->initial;
    return initial > 0 ? initial : 100;
}

static size_t batch_of(const eex_controller *c)
{
    const size_t batch = eex__controller_options(c)->batch;
    return batch > 0 ? batch : 8;
}

/* What has a score that a model can be fitted to. */
static bool usable(const eex_score *score)
{
    double row[EEX_MAX_OBJECTIVES];
    if (!eex__score_valid(score) || !isfinite(score->violation))
        return false;
    eex__score_objectives(row, score);
    for (int k = 0; k < (score->objective_count > 0 ? score->objective_count : 1); k++)
        if (!isfinite(row[k]))
            return false;
    return true;
}

static int gather(archive *a)
{
    const size_t bytes = (size_t)a->space->genes * sizeof(int);
    eex_population *known = &a->known;
    for (size_t trial = 0; trial < a->trials; trial++) {
        const int *genome = eex_controller_genome(a->c, trial);
        const eex_score *score = eex_controller_score(a->c, trial);
        EEX_TRY(eex_genomes_add(&a->seen, genome));
        if (!usable(score))
            continue;
        memcpy(eex_population_genome(known, known->count), genome, bytes);
        eex__score_objectives(eex_population_objectives(known, known->count), score);
        known->violations[known->count++] = score->violation;
    }
    return EEX_OK;
}

/* All as long as they are few; else the better half, and of the others some of every rank. */
static int choose_lessons(archive *a)
{
    const eex_population *known = &a->known;
    const size_t n = known->count, best = n <= MOST ? n : MOST / 2;
    size_t *order = calloc(n + 1, sizeof *order);
    int code = order ? eex_population_init(&a->lessons, known->genes, known->objective_count,
                                           n < MOST ? n : MOST)
                     : eex_fail(EEX_ENOMEM, "out of memory: cannot order %zu trials", n);
    if (code == EEX_OK && n > MOST)
        code = eex_survival_order(order, known->standings, n);
    for (size_t i = 0; i < n && n <= MOST && code == EEX_OK; i++)
        order[i] = i;
    for (size_t i = 0; i < best && code == EEX_OK; i++)
        eex_population_append(&a->lessons, known, order[i]);
    for (size_t i = best; i < MOST && best < n && code == EEX_OK; i++)
        eex_population_append(&a->lessons, known,
                              order[best + (i - best) * (n - best) / (MOST - best)]);
    free(order);
    return code;
}

/* Values of objective k, or violations behind the last. */
static void take_column(double *column, const eex_population *p, size_t k)
{
    const size_t width = (size_t)p->objective_count;
    for (size_t i = 0; i < p->count; i++)
        column[i] = k < width ? p->objectives[i * width + k] : p->violations[i];
}

static int fit_predictors(archive *a)
{
    const eex_controller_options *options = eex__controller_options(a->c);
    EEX_TRY(choose_lessons(a));
    const eex_samples samples = {a->lessons.genomes, a->column, a->lessons.count};
    a->models = (size_t)a->known.objective_count;
    for (size_t i = 0; i < a->lessons.count; i++)
        if (a->lessons.violations[i] > 0.0)
            a->models = (size_t)a->known.objective_count + 1;
    for (size_t k = 0; k < a->models; k++) {
        take_column(a->column, &a->lessons, k);
        EEX_TRY(eex_predictor_fit(&a->predictors[k], a->space, &samples, options->surrogates,
                                  eex_rng_hash(options->seed, a->trials, k)));
    }
    return EEX_OK;
}

static int predict(double *objectives, double *violations, const int *genomes, size_t n,
                   void *context)
{
    archive *a = context;
    const size_t width = (size_t)a->known.objective_count;
    double *column = malloc(n * sizeof *column);
    int code = column ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory: cannot predict %zu", n);
    for (size_t k = 0; k < a->models && code == EEX_OK; k++) {
        code = eex_predictor_predict(column, a->predictors[k], genomes, n);
        for (size_t i = 0; i < n && k < width; i++)
            objectives[i * width + k] = column[i];
        for (size_t i = 0; i < n && k == width; i++)
            violations[i] = column[i];
    }
    free(column);
    return code;
}

/* ---- the choice ---- */

/* How far the second objective of a candidate is from the nearest of those known and chosen. */
static double gap(const eex_population *found, size_t i, const eex_population *taken, size_t n)
{
    double least = INFINITY;
    for (size_t k = 0; k < n; k++) {
        const double away =
            fabs(eex_population_objectives(found, i)[1] - eex_population_objectives(taken, k)[1]);
        least = away < least ? away : least;
    }
    return least;
}

/* The candidate that is to be taken next: of the front that of the widest gap, then in order;
 * found->count when there is none. `open` says which are still there. */
static size_t choose(const eex_population *found, const bool *open, const eex_population *taken)
{
    const size_t front = eex_population_front(found);
    size_t best = found->count;
    double widest = -1.0;
    for (size_t i = 0; i < front && found->objective_count > 1; i++) {
        const double width = open[i] ? gap(found, i, taken, taken->count) : -1.0;
        if (width > widest) {
            widest = width;
            best = i;
        }
    }
    for (size_t i = 0; i < found->count && best == found->count; i++)
        if (open[i])
            best = i;
    return best;
}

/* Puts up to `batch` of what was found into the plan. `taken` begins as the front that is known and
 * has room for them. */
static void choose_batch(surrogate *self, const archive *a, const eex_population *found, bool *open,
                         eex_population *taken)
{
    const size_t genes = (size_t)a->space->genes;
    self->count = 0;
    for (size_t i = 0; i < found->count; i++)
        open[i] = !eex_genomes_find(NULL, &a->seen, eex_population_genome(found, i));
    while (self->count < batch_of(a->c)) {
        const size_t best = choose(found, open, taken);
        if (best == found->count)
            return;
        open[best] = false;
        eex_population_append(taken, found, best);
        memcpy(self->plan + self->count++ * genes, eex_population_genome(found, best),
               genes * sizeof *self->plan);
    }
}

static int search(surrogate *self, archive *a, eex_population *front)
{
    const eex_nsga2_options options = {.seed = eex_rng_hash(eex__controller_options(a->c)->seed,
                                                            a->trials, EEX_MAX_OBJECTIVES + 1),
                                       .population = POPULATION,
                                       .generations = GENERATIONS,
                                       .objective_count = a->known.objective_count,
                                       .variation = eex_variation_of_choices(),
                                       .seeds = front->genomes,
                                       .seed_count = front->count};
    eex_population found;
    EEX_TRY(eex_nsga2_run(&found, a->space, &options, predict, a));
    bool *open = calloc(found.count + 1, sizeof *open);
    int code = open ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory: cannot choose candidates");
    if (code == EEX_OK)
        choose_batch(self, a, &found, open, front);
    free(open);
    eex_population_free(&found);
    return code;
}

/* ---- the report ---- */

/* Tenth of the range behind the worst of the first `initial` trials. */
static void find_reference(double *reference, const archive *a)
{
    for (int k = 0; k < a->known.objective_count; k++) {
        double row[EEX_MAX_OBJECTIVES], least = INFINITY, most = -INFINITY;
        for (size_t trial = 0; trial < initial_of(a->c) && trial < a->trials; trial++) {
            const eex_score *score = eex_controller_score(a->c, trial);
            if (!usable(score))
                continue;
            eex__score_objectives(row, score);
            least = row[k] < least ? row[k] : least;
            most = row[k] > most ? row[k] : most;
        }
        reference[k] = most + 0.1 * (most - least);
    }
}

static int null_tau(double *tau, archive *a)
{
    const size_t n = a->known.count, width = (size_t)a->known.objective_count;
    *tau = NAN;
    if (width < 2)
        return EEX_OK;
    double *second = malloc(n * sizeof *second);
    if (!second)
        return eex_fail(EEX_ENOMEM, "out of memory: cannot correlate %zu trials", n);
    take_column(a->column, &a->known, 0);
    for (size_t i = 0; i < n; i++)
        second[i] = -a->known.objectives[i * width + 1];
    const int code = eex_rank_kendall(tau, a->column, second, n);
    free(second);
    return code;
}

static int report(archive *a, const eex_population *front)
{
    const eex_controller_options *options = eex__controller_options(a->c);
    eex_search_report r = {.trials = a->trials, .objective_count = a->known.objective_count};
    if (!options->report)
        return EEX_OK;
    for (int k = 0; k < r.objective_count; k++) {
        const eex_predictor_choice *choice = eex_predictor_chosen(a->predictors[k]);
        r.surrogate[k] = eex_surrogate_kind_name(choice->kind);
        r.tau[k] = choice->tau;
    }
    find_reference(r.reference, a);
    EEX_TRY(null_tau(&r.null_tau, a));
    if (front->count > 0 && !(front->violations[0] > 0.0))
        EEX_TRY(eex_pareto_hypervolume(&r.hypervolume, front->objectives, front->count, minimised,
                                       r.objective_count, r.reference));
    options->report(&r, options->report_context);
    return EEX_OK;
}

/* ---- the plan ---- */

/* The best of what is known: what violates the least, and of that the front. */
static int find_front(eex_population *front, archive *a)
{
    const eex_population *known = &a->known;
    EEX_TRY(eex_population_init(front, known->genes, known->objective_count,
                                known->count + batch_of(a->c)));
    EEX_TRY(eex_survival_rank(known->standings, known->objectives, known->violations, known->count,
                              known->objective_count));
    for (size_t i = 0; i < known->count; i++)
        if (known->standings[i].rank == 0)
            eex_population_append(front, known, i);
    return EEX_OK;
}

static int plan_from(surrogate *self, archive *a)
{
    eex_population front = {0};
    a->column = malloc((a->trials + 1) * sizeof *a->column);
    if (!a->column)
        return eex_fail(EEX_ENOMEM, "out of memory: cannot plan after %zu trials", a->trials);
    EEX_TRY(gather(a));
    self->count = 0;
    if (a->known.count == 0)
        return EEX_OK;
    int code = find_front(&front, a);
    if (code == EEX_OK)
        code = fit_predictors(a);
    if (code == EEX_OK)
        code = report(a, &front);
    if (code == EEX_OK)
        code = search(self, a, &front);
    eex_population_free(&front);
    return code;
}

static int make_plan(surrogate *self, const eex_controller *c, size_t trials)
{
    archive a = {.c = c, .space = eex__controller_space(c), .trials = trials};
    const int genes = a.space->genes, objectives = eex__controller_objectives(c);
    if (!self->plan)
        self->plan = malloc(batch_of(c) * (size_t)genes * sizeof *self->plan);
    if (!self->plan)
        return eex_fail(EEX_ENOMEM, "out of memory: cannot plan %zu candidates", batch_of(c));
    self->planned = 0;
    eex_genomes_init(&a.seen, a.space);
    int code = eex_population_init(&a.known, genes, objectives, trials);
    if (code == EEX_OK)
        code = plan_from(self, &a);
    if (code == EEX_OK)
        self->planned = trials;
    for (size_t k = 0; k <= EEX_MAX_OBJECTIVES; k++)
        eex_predictor_free(a.predictors[k]);
    free(a.column);
    eex_genomes_free(&a.seen);
    eex_population_free(&a.known);
    eex_population_free(&a.lessons);
    return code;
}

/* ---- asked ---- */

/* The genomes of first and of last options, then any. */
static void propose_initial(int *genome, const eex_space *space, size_t asked, eex_rng *rng)
{
    if (asked > 1)
        eex_space_random(genome, space, rng);
    for (int i = 0; i < space->genes && asked < 2; i++)
        genome[i] = asked == 0 ? 0 : space->options[i] - 1;
}

/* The first of the plan that nobody has; behind its end one of them with a gene changed. */
static void follow(int *genome, const surrogate *self, const eex_controller *c, eex_rng *rng)
{
    const eex_space *space = eex__controller_space(c);
    const size_t genes = (size_t)space->genes;
    if (self->count == 0) {
        eex_space_random(genome, space, rng);
        return;
    }
    for (size_t i = 0; i < self->count; i++) {
        memcpy(genome, self->plan + i * genes, genes * sizeof *genome);
        if (!eex__controller_seen(c, genome))
            return;
    }
    memcpy(genome, self->plan + eex_rng_below(rng, self->count) * genes, genes * sizeof *genome);
    eex_space_mutate(genome, space, rng);
}

static int propose(const eex_controller *c, void *memory, int *genome, eex_rng *rng)
{
    surrogate *self = memory;
    const size_t initial = initial_of(c), told = eex_controller_trials(c);
    if (eex__controller_asked(c) < initial || told < initial ||
        eex__controller_objectives(c) == 0) {
        propose_initial(genome, eex__controller_space(c), eex__controller_asked(c), rng);
        return EEX_OK;
    }
    const size_t trials = told - (told - initial) % batch_of(c);
    if (self->planned != trials)
        EEX_TRY(make_plan(self, c, trials));
    follow(genome, self, c, rng);
    return EEX_OK;
}

static void close_memory(void *memory)
{
    free(((surrogate *)memory)->plan);
}

const eex__algorithm eex__surrogate = {
    .name = "surrogate", .size = sizeof(surrogate), .propose = propose, .close = close_memory};
