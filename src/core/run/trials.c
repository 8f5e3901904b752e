#include "core/run/trials.h"

#include "search/pareto.h"

#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SIZE = 128, COLUMNS = 10 };
#define MAX_TRIAL_BYTES ((size_t)1 << 30)

bool eex_trial_eligible(const eex_trial *t)
{
    return t->status == EEX_OK && !isnan(t->score) && t->violation <= 0;
}

void eex_trials_init(eex_trials *trials, int genes)
{
    *trials = (eex_trials){.genes = genes};
}

void eex_trials_free(eex_trials *trials)
{
    if (!trials)
        return;
    free(trials->genomes);
    free(trials->at);
    *trials = (eex_trials){.genes = trials->genes};
}

static int grow(eex_trials *trials)
{
    size_t capacity = trials->capacity ? 2 * trials->capacity : 256;
    int *genomes = realloc(trials->genomes, capacity * (size_t)trials->genes * sizeof *genomes);
    if (genomes)
        trials->genomes = genomes;
    eex_trial *at = realloc(trials->at, capacity * sizeof *at);
    if (at)
        trials->at = at;
    if (!genomes || !at)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu trials", capacity);
    trials->capacity = capacity;
    return EEX_OK;
}

int eex_trials_add(eex_trials *trials, const int *genome, const eex_trial *trial)
{
    if (trials->count == trials->capacity)
        EEX_TRY(grow(trials));
    memcpy(trials->genomes + trials->count * (size_t)trials->genes, genome,
           (size_t)trials->genes * sizeof *genome);
    trials->at[trials->count++] = *trial;
    return EEX_OK;
}

const int *eex_trials_genome(const eex_trials *trials, size_t i)
{
    return trials->genomes + i * (size_t)trials->genes;
}

/* ---- in files ---- */

typedef struct column {
    const char *name, *unit;
    size_t offset;
    bool younger;  /* files from before there was such a column have none: */
    double before; /* what is read of them */
} column;

#define COLUMN(title, measure, member, ...)                                                    \
    {                                                                                          \
        .name = (title), .unit = (measure), .offset = offsetof(eex_trial, member), __VA_ARGS__ \
    }

static const column columns[COLUMNS] = {
    COLUMN("accuracy", "fraction of the validation split", accuracy),
    COLUMN("macs", "multiply-accumulates of one input, expected", macs),
    COLUMN("latency_ms", "milliseconds of one input, expected", latency),
    COLUMN("agreement", "fraction of the validation split", agreement),
    COLUMN("rejected", "fraction of the validation split", rejected),
    COLUMN("least_share", "fraction of the validation split", least_share, .younger = true,
           .before = NAN),
    COLUMN("violation", "fraction of the limit by which it is overstepped; 0 or less: kept",
           violation, .younger = true),
    COLUMN("cut_saved", "fraction of the MACs of the cuts of the same accuracy", cut_saved,
           .younger = true, .before = NAN),
    COLUMN("score", "maximised", score),
    COLUMN("seconds", "seconds of evaluation", seconds),
};

static double *field(eex_trial *trial, const column *c)
{
    return (double *)(void *)((char *)trial + c->offset);
}

static const char *member(char name[NAME_SIZE], const char *group, const char *what)
{
    snprintf(name, NAME_SIZE, "%s/%s", group, what);
    return name;
}

static int save_columns(const eex_trials *trials, size_t first, size_t count, eex_store_file *file,
                        const char *group, double *values)
{
    char name[NAME_SIZE];
    const eex_store_shape shape = {1, {count}};
    for (int c = 0; c < COLUMNS; c++) {
        for (size_t i = 0; i < count; i++)
            values[i] = *field(&trials->at[first + i], &columns[c]);
        member(name, group, columns[c].name);
        EEX_TRY(eex_store_write_packed(file, name, EEX_STORE_F64, &shape, values));
        EEX_TRY(eex_store_set_string(file, name, "unit", columns[c].unit));
    }
    return EEX_OK;
}

static int save_failures(const eex_trials *trials, size_t first, size_t count, eex_store_file *file,
                         const char *group, const char **reasons, int32_t *status)
{
    char name[NAME_SIZE];
    const eex_store_shape shape = {1, {count}};
    for (size_t i = 0; i < count; i++) {
        status[i] = trials->at[first + i].status;
        reasons[i] = trials->at[first + i].reason;
    }
    member(name, group, "status");
    EEX_TRY(eex_store_write_packed(file, name, EEX_STORE_I32, &shape, status));
    EEX_TRY(eex_store_set_string(file, name, "meaning", "0: done, negative: failed"));
    return eex_store_write_strings(file, member(name, group, "reason"), reasons, count);
}

int eex_trials_save(const eex_trials *trials, size_t first, size_t count, eex_store_file *file,
                    const char *group)
{
    char name[NAME_SIZE];
    double *values = malloc((count + 1) * sizeof *values);
    const char **reasons = malloc((count + 1) * sizeof *reasons);
    int32_t *status = malloc((count + 1) * sizeof *status);
    int code = values && reasons && status
                   ? EEX_OK
                   : eex_fail(EEX_ENOMEM, "out of memory for %zu trials", count);
    const eex_store_shape genomes = {2, {count, (uint64_t)trials->genes}};
    if (code == EEX_OK)
        code =
            eex_store_write_packed(file, member(name, group, "genome"), EEX_STORE_I32, &genomes,
                                   count ? trials->genomes + first * (size_t)trials->genes : NULL);
    if (code == EEX_OK)
        code = save_columns(trials, first, count, file, group, values);
    if (code == EEX_OK)
        code = save_failures(trials, first, count, file, group, reasons, status);
    free(values);
    free(reasons);
    free(status);
    return code;
}

/* What one group holds, before it is appended. */
typedef struct loaded {
    size_t count;
    int32_t *genomes, *status;
    double *values[COLUMNS];
    eex_store_list reasons;
} loaded;

static void loaded_free(loaded *l)
{
    free(l->genomes);
    free(l->status);
    for (int c = 0; c < COLUMNS; c++)
        free(l->values[c]);
    eex_store_list_free(&l->reasons);
}

/* Leaves *values NULL where the file is from before there was such a column. */
static int load_column(double **values, const column *c, size_t count, eex_store_file *file,
                       const char *group)
{
    char name[NAME_SIZE];
    eex_store_shape shape = {1, {count}};
    member(name, group, c->name);
    const int there = c->younger ? eex_store_has(file, name) : 1;
    return there == 1 ? eex_store_read_new((void **)values, file, name, EEX_STORE_F64, &shape,
                                           MAX_TRIAL_BYTES)
                      : there;
}

static int load_arrays(loaded *l, int genes, eex_store_file *file, const char *group)
{
    char name[NAME_SIZE];
    eex_store_shape genomes = {2, {EEX_STORE_ANY, (uint64_t)genes}};
    EEX_TRY(eex_store_read_new((void **)&l->genomes, file, member(name, group, "genome"),
                               EEX_STORE_I32, &genomes, MAX_TRIAL_BYTES));
    l->count = (size_t)genomes.extent[0];
    eex_store_shape shape = {1, {l->count}};
    for (int c = 0; c < COLUMNS; c++)
        EEX_TRY(load_column(&l->values[c], &columns[c], l->count, file, group));
    EEX_TRY(eex_store_read_new((void **)&l->status, file, member(name, group, "status"),
                               EEX_STORE_I32, &shape, MAX_TRIAL_BYTES));
    EEX_TRY(
        eex_store_read_strings(&l->reasons, file, member(name, group, "reason"), MAX_TRIAL_BYTES));
    if (l->reasons.count != l->count)
        return eex_store_refuse(file, "%s has %zu reasons for %zu trials", group, l->reasons.count,
                                l->count);
    return EEX_OK;
}

static int append(eex_trials *trials, const loaded *l)
{
    for (size_t i = 0; i < l->count; i++) {
        eex_trial trial = {.status = l->status[i]};
        for (int c = 0; c < COLUMNS; c++)
            *field(&trial, &columns[c]) = l->values[c] ? l->values[c][i] : columns[c].before;
        snprintf(trial.reason, sizeof trial.reason, "%s", l->reasons.item[i]);
        EEX_TRY(eex_trials_add(trials, l->genomes + i * (size_t)trials->genes, &trial));
    }
    return EEX_OK;
}

int eex_trials_load(eex_trials *trials, eex_store_file *file, const char *group)
{
    loaded l = {0};
    int code = load_arrays(&l, trials->genes, file, group);
    if (code == EEX_OK)
        code = append(trials, &l);
    loaded_free(&l);
    return code;
}

/* ---- the front ---- */

static size_t front_points(double *points, size_t *of, const eex_trials *trials, bool by_latency)
{
    size_t n = 0;
    for (size_t i = 0; i < trials->count; i++) {
        const eex_trial *t = &trials->at[i];
        double cost = by_latency ? t->latency : t->macs;
        if (t->status != EEX_OK || isnan(cost) || !(t->violation <= 0))
            continue;
        points[2 * n] = cost;
        points[2 * n + 1] = t->accuracy;
        of[n++] = i;
    }
    return n;
}

static bool same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

/* Equal points stay on the front together: keep the first of each. */
static size_t front_distinct(size_t *front, size_t count, const double *points, const size_t *of)
{
    size_t kept = 0;
    const double *last = NULL;
    for (size_t i = 0; i < count; i++) {
        const double *point = points + 2 * front[i];
        if (last && same(last[0], point[0]) && same(last[1], point[1]))
            continue;
        last = point;
        front[kept++] = of[front[i]];
    }
    return kept;
}

int eex_trials_front(size_t **front, size_t *count, const eex_trials *trials, bool by_latency)
{
    static const eex_sense sense[2] = {EEX_MINIMISE, EEX_MAXIMISE};
    double *points = malloc((2 * trials->count + 1) * sizeof *points);
    size_t *of = malloc((trials->count + 1) * sizeof *of);
    size_t *found = malloc((trials->count + 1) * sizeof *found);
    *front = NULL;
    *count = 0;
    int code = points && of && found
                   ? EEX_OK
                   : eex_fail(EEX_ENOMEM, "out of memory for %zu trials", trials->count);
    if (code == EEX_OK) {
        size_t n = front_points(points, of, trials, by_latency);
        code = eex_pareto_front(found, count, points, n, sense, 2);
    }
    if (code == EEX_OK) {
        *count = front_distinct(found, *count, points, of);
        *front = found;
        found = NULL;
    }
    free(points);
    free(of);
    free(found);
    return code;
}
