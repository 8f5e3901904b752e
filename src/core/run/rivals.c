#include "core/run/rivals.h"

#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST = 1 << 16, COLUMNS = 5 };

static const struct {
    const char *name, *unit;
    size_t offset;
} columns[COLUMNS] = {
    {"epochs", "how often each image was seen", offsetof(eex_rival, epochs)},
    {"validation_accuracy", "fraction of the validation split",
     offsetof(eex_rival, validation_accuracy)},
    {"accuracy", "fraction of the test split", offsetof(eex_rival, accuracy)},
    {"macs", "MACs of one input", offsetof(eex_rival, macs)},
    {"seconds", "seconds of training", offsetof(eex_rival, seconds)},
};

const char *eex_rival_file(char name[EEX_RIVAL_FILE], size_t i)
{
    snprintf(name, EEX_RIVAL_FILE, "rival-%04zu.h5", i + 1);
    return name;
}

static int base_epochs(const eex_experiment *e)
{
    return e->base_epochs ? e->base_epochs : e->training.epochs;
}

static int shared_epochs(const eex_experiment *e)
{
    const bool from_base = e->training_from_base || e->training.regime == EEX_REGIME_FROZEN;
    return e->training.epochs + (from_base ? base_epochs(e) : 0);
}

int eex_experiment_epochs(const eex_experiment *e)
{
    if (e->search.evaluator == EEX_EVALUATE_SHARED)
        return shared_epochs(e) + e->final.epochs;
    /* Frozen ones stand on the trained base (judge_train.c). */
    const bool frozen = e->candidate.regime == EEX_REGIME_FROZEN;
    const int before[EEX_STARTS] = {[EEX_START_SCRATCH] = frozen ? base_epochs(e) : 0,
                                    [EEX_START_BASE] = base_epochs(e),
                                    [EEX_START_SHARED] = shared_epochs(e)};
    return before[e->candidate_from] + e->candidate.epochs + e->final.epochs;
}

const eex_rival *eex_rivals_better(const eex_rivals *rivals, double accuracy, double macs)
{
    const eex_rival *best = NULL;
    for (size_t i = 0; i < rivals->count; i++) {
        const eex_rival *r = &rivals->at[i];
        if (!*r->failure && r->accuracy >= accuracy && r->macs <= macs &&
            (!best || r->accuracy > best->accuracy))
            best = r;
    }
    return best;
}

const eex_rival *eex_rivals_best(const eex_rivals *rivals)
{
    return eex_rivals_better(rivals, 0, INFINITY);
}

/* ---- in a file ---- */

static double *cell(const eex_rivals *r, size_t row, int column)
{
    return (double *)(void *)((char *)&r->at[row] + columns[column].offset);
}

static int save_columns(const eex_rivals *r, eex_store_file *file, double *values)
{
    const eex_store_shape shape = {1, {r->count}};
    for (int c = 0; c < COLUMNS; c++) {
        for (size_t i = 0; i < r->count; i++)
            values[i] = *cell(r, i, c);
        EEX_TRY(eex_store_write(file, columns[c].name, EEX_STORE_F64, &shape, values));
        EEX_TRY(eex_store_set_string(file, columns[c].name, "unit", columns[c].unit));
    }
    return EEX_OK;
}

/* A text of each: its member at `offset`. */
static int save_texts(const eex_rivals *r, eex_store_file *file, const char *name, size_t offset)
{
    const char **text = calloc(r->count + 1, sizeof *text);
    int code = text ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for rivals");
    for (size_t i = 0; code == EEX_OK && i < r->count; i++)
        text[i] = (const char *)&r->at[i] + offset;
    if (code == EEX_OK)
        code = eex_store_write_strings(file, name, text, r->count);
    free(text);
    return code;
}

int eex_rivals_save(const eex_rivals *r, eex_store_file *file)
{
    EEX_TRY(save_texts(r, file, "name", offsetof(eex_rival, name)));
    EEX_TRY(save_texts(r, file, "failure", offsetof(eex_rival, failure)));
    double *values = calloc(r->count + 1, sizeof *values);
    const int code =
        values ? save_columns(r, file, values) : eex_fail(EEX_ENOMEM, "out of memory for rivals");
    free(values);
    return code;
}

static int load_columns(eex_rivals *out, eex_store_file *file)
{
    double *values = calloc(out->count + 1, sizeof *values);
    const eex_store_shape shape = {1, {out->count}};
    int code = values ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for rivals");
    for (int c = 0; code == EEX_OK && c < COLUMNS; c++) {
        code = eex_store_read(values, file, columns[c].name, EEX_STORE_F64, &shape);
        for (size_t i = 0; code == EEX_OK && i < out->count; i++)
            *cell(out, i, c) = values[i];
    }
    free(values);
    return code;
}

static int load_names(eex_rivals *out, eex_store_file *file)
{
    eex_store_list name = {0};
    EEX_TRY(eex_store_read_strings(&name, file, "name", MOST));
    out->count = name.count;
    out->at = calloc(name.count + 1, sizeof *out->at);
    int code = out->at ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for %zu rivals", name.count);
    for (size_t i = 0; code == EEX_OK && i < name.count; i++)
        snprintf(out->at[i].name, sizeof out->at[i].name, "%s", name.item[i]);
    eex_store_list_free(&name);
    return code;
}

/* A file without them is of a time when one that diverged ended the run. */
static int load_failures(eex_rivals *out, eex_store_file *file)
{
    eex_store_list failure = {0};
    const int has = eex_store_has(file, "failure");
    if (has <= 0)
        return has;
    EEX_TRY(eex_store_read_strings(&failure, file, "failure", MOST));
    int code = failure.count == out->count
                   ? EEX_OK
                   : eex_store_refuse(file, "%zu entries of \"failure\" for %zu rivals",
                                      failure.count, out->count);
    for (size_t i = 0; code == EEX_OK && i < out->count; i++)
        snprintf(out->at[i].failure, sizeof out->at[i].failure, "%s", failure.item[i]);
    eex_store_list_free(&failure);
    return code;
}

int eex_rivals_load(eex_rivals *out, eex_store_file *file)
{
    *out = (eex_rivals){0};
    int code = load_names(out, file);
    if (code == EEX_OK)
        code = load_failures(out, file);
    if (code == EEX_OK)
        code = load_columns(out, file);
    if (code < 0)
        eex_rivals_free(out);
    return code;
}

void eex_rivals_free(eex_rivals *rivals)
{
    free(rivals->at);
    *rivals = (eex_rivals){0};
}
