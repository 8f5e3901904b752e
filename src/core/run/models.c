#include "core/run/models.h"

#include "search/pareto.h"

#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SIZE = 64, MOST = 1 << 24, FIGURES = 4 };

static const char *const figures[FIGURES] = {"accuracy_tau", "cost_tau", "null_tau", "hypervolume"};
static const char *const surrogates[EEX_MODELS_OBJECTIVES] = {"accuracy_surrogate",
                                                              "cost_surrogate"};

void eex_models_free(eex_models *models)
{
    free(models->at);
    *models = (eex_models){0};
}

static int append(eex_models *models, const eex_models_batch *batch)
{
    if (models->count == models->capacity) {
        const size_t capacity = 2 * models->capacity + 32;
        eex_models_batch *at = realloc(models->at, capacity * sizeof *at);
        if (!at)
            return eex_fail(EEX_ENOMEM, "out of memory for the models of %zu batches", capacity);
        models->at = at;
        models->capacity = capacity;
    }
    models->at[models->count++] = *batch;
    return EEX_OK;
}

int eex_models_add(eex_models *models, const eex_search_report *report)
{
    eex_models_batch batch = {
        .trials = report->trials, .null_tau = report->null_tau, .hypervolume = report->hypervolume};
    if (models->count > 0 && models->at[models->count - 1].trials >= batch.trials)
        return EEX_OK;
    for (int k = 0; k < EEX_MODELS_OBJECTIVES; k++) {
        snprintf(batch.surrogate[k], sizeof batch.surrogate[k], "%s", report->surrogate[k]);
        batch.tau[k] = report->tau[k];
        models->reference[k] = report->reference[k];
    }
    return append(models, &batch);
}

int eex_models_hypervolume(double *out, const eex_models *models, const eex_trials *trials,
                           bool by_latency)
{
    static const eex_sense minimised[EEX_MODELS_OBJECTIVES];
    size_t *front = NULL, count = 0;
    *out = NAN;
    if (models->count == 0)
        return EEX_OK;
    EEX_TRY(eex_trials_front(&front, &count, trials, by_latency));
    double(*points)[EEX_MODELS_OBJECTIVES] = malloc((count + 1) * sizeof *points);
    for (size_t i = 0; points && i < count; i++) {
        const eex_trial *t = &trials->at[front[i]];
        points[i][0] = 1 - t->accuracy;
        points[i][1] = by_latency ? t->latency : t->macs;
    }
    int code = points
                   ? eex_pareto_hypervolume(out, *points, count, minimised, EEX_MODELS_OBJECTIVES,
                                            models->reference)
                   : eex_fail(EEX_ENOMEM, "out of memory for the hypervolume of %zu points", count);
    free(points);
    free(front);
    return code;
}

/* ---- in files ---- */

static const char *member(char name[NAME_SIZE], const char *group, const char *what)
{
    snprintf(name, NAME_SIZE, "%s/%s", group, what);
    return name;
}

static double *figure(eex_models_batch *batch, int f)
{
    double *const of[FIGURES] = {&batch->tau[0], &batch->tau[1], &batch->null_tau,
                                 &batch->hypervolume};
    return of[f];
}

/* Values, trials and names of the batches from `at` on. */
typedef struct arrays {
    double *values;
    uint64_t *trials;
    const char **names;
} arrays;

static int save_arrays(const arrays *a, eex_models_batch *at, size_t count, eex_store_file *file,
                       const char *group)
{
    char name[NAME_SIZE];
    const eex_store_shape shape = {1, {count}};
    for (size_t i = 0; i < count; i++)
        a->trials[i] = at[i].trials;
    EEX_TRY(eex_store_write(file, member(name, group, "trials"), EEX_STORE_U64, &shape, a->trials));
    for (int f = 0; f < FIGURES; f++) {
        for (size_t i = 0; i < count; i++)
            a->values[i] = *figure(&at[i], f);
        EEX_TRY(eex_store_write(file, member(name, group, figures[f]), EEX_STORE_F64, &shape,
                                a->values));
    }
    for (int k = 0; k < EEX_MODELS_OBJECTIVES; k++) {
        for (size_t i = 0; i < count; i++)
            a->names[i] = at[i].surrogate[k];
        EEX_TRY(eex_store_write_strings(file, member(name, group, surrogates[k]), a->names, count));
    }
    return EEX_OK;
}

int eex_models_save(const eex_models *models, size_t first, eex_store_file *file, const char *group)
{
    const size_t count = models->count - first;
    if (count == 0)
        return EEX_OK;
    const arrays a = {malloc(count * sizeof *a.values), malloc(count * sizeof *a.trials),
                      malloc(count * sizeof *a.names)};
    int code = a.values && a.trials && a.names
                   ? save_arrays(&a, models->at + first, count, file, group)
                   : eex_fail(EEX_ENOMEM, "out of memory for the models of %zu batches", count);
    free(a.values);
    free(a.trials);
    free(a.names);
    EEX_TRY(code);
    EEX_TRY(
        eex_store_set_doubles(file, group, "reference", models->reference, EEX_MODELS_OBJECTIVES));
    return eex_store_set_string(file, group, "meaning",
                                "before each batch, after so many trials; hypervolume of 1 - "
                                "accuracy and cost, against the reference point");
}

static int load_figures(eex_models_batch *at, size_t count, eex_store_file *file, const char *group)
{
    char name[NAME_SIZE];
    const eex_store_shape shape = {1, {count}};
    double *values = malloc((count + 1) * sizeof *values);
    int code = values ? EEX_OK
                      : eex_fail(EEX_ENOMEM, "out of memory for the models of %zu batches", count);
    for (int f = 0; f < FIGURES && code == EEX_OK; f++) {
        code = eex_store_read(values, file, member(name, group, figures[f]), EEX_STORE_F64, &shape);
        for (size_t i = 0; i < count && code == EEX_OK; i++)
            *figure(&at[i], f) = values[i];
    }
    free(values);
    return code;
}

static int load_names(eex_models_batch *at, size_t count, eex_store_file *file, const char *group)
{
    char name[NAME_SIZE];
    for (int k = 0; k < EEX_MODELS_OBJECTIVES; k++) {
        eex_store_list names = {0};
        EEX_TRY(eex_store_read_strings(&names, file, member(name, group, surrogates[k]), MOST));
        const size_t found = names.count;
        for (size_t i = 0; i < count && found == count; i++)
            snprintf(at[i].surrogate[k], sizeof at[i].surrogate[k], "%s", names.item[i]);
        eex_store_list_free(&names);
        if (found != count)
            return eex_store_refuse(file, "%s has %zu names for %zu batches", name, found, count);
    }
    return EEX_OK;
}

static int load_batches(eex_models *models, const uint64_t *trials, size_t count,
                        eex_store_file *file, const char *group)
{
    eex_models_batch *at = calloc(count + 1, sizeof *at);
    int code = at ? load_figures(at, count, file, group)
                  : eex_fail(EEX_ENOMEM, "out of memory for the models of %zu batches", count);
    if (code == EEX_OK)
        code = load_names(at, count, file, group);
    for (size_t i = 0; i < count && code == EEX_OK; i++) {
        at[i].trials = trials[i];
        code = append(models, &at[i]);
    }
    free(at);
    return code;
}

int eex_models_load(eex_models *models, eex_store_file *file, const char *group)
{
    char name[NAME_SIZE];
    eex_store_shape shape = {1, {EEX_STORE_ANY}};
    uint64_t *trials = NULL;
    if (!eex_store_has(file, group))
        return EEX_OK;
    EEX_TRY(eex_store_read_new((void **)&trials, file, member(name, group, "trials"), EEX_STORE_U64,
                               &shape, MOST));
    int code = load_batches(models, trials, (size_t)shape.extent[0], file, group);
    free(trials);
    EEX_TRY(code);
    return eex_store_get_doubles(models->reference, file, group, "reference",
                                 EEX_MODELS_OBJECTIVES);
}
