#include "search_table.h"

#include "core/run/trials.h"
#include "search/pareto.h"

#include "base/fs.h"
#include "base/status.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LAYERS = 8, SEARCH_VERSION = 1 };

static const eex_sense minimised[EEX_MAX_OBJECTIVES];

void search_table_free(search_table *t)
{
    free(t->seen);
    free(t->truth);
    free(t->macs);
    *t = (search_table){.count = 0};
}

/* For all of the space; nothing is known yet. */
static int begin(search_table *t)
{
    uint64_t size;
    if (!eex_space_size(&size, &t->space) || size > 1U << 20)
        return eex_fail(EEX_EINVAL, "a space of 2^%.1f genomes is no table",
                        eex_space_size_log2(&t->space));
    t->count = (size_t)size;
    t->seen = malloc(t->count * sizeof *t->seen);
    t->truth = malloc(t->count * sizeof *t->truth);
    t->macs = malloc(t->count * sizeof *t->macs);
    if (!t->seen || !t->truth || !t->macs)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu networks", t->count);
    for (size_t i = 0; i < t->count; i++)
        t->macs[i] = NAN;
    return EEX_OK;
}

static int end(search_table *t, const char *path)
{
    for (size_t i = 0; i < t->count; i++) {
        if (isnan(t->macs[i]))
            return eex_fail(EEX_EFORMAT, "%s: not all of the %zu networks of its space", path,
                            t->count);
        t->reference[0] = fmax(t->reference[0], t->truth[i]);
        t->reference[1] = fmax(t->reference[1], t->macs[i]);
    }
    return EEX_OK;
}

/* ---- NAS-Bench-Macro ---- */

/* One network: "02012100": {"test_acc": [a, b, c], ..., "flops": n}. */
static void read_network(search_table *t, const char *at)
{
    double a, b, c;
    int genome[LAYERS];
    const char *flops = strstr(at, "\"flops\":");
    if (!flops || sscanf(at + LAYERS + 2, ": {\"test_acc\": [%lf, %lf, %lf]", &a, &b, &c) != 3)
        return;
    for (int g = 0; g < LAYERS; g++) {
        genome[g] = at[1 + g] - '0';
        if (genome[g] < 0 || genome[g] > 2)
            return;
    }
    const uint64_t i = eex_space_index(&t->space, genome);
    t->seen[i] = 100.0 - a;
    t->truth[i] = 100.0 - 0.5 * (b + c);
    t->macs[i] = strtod(flops + 8, NULL);
}

static int read_macro(search_table *t, const char *path)
{
    static const int options[LAYERS] = {3, 3, 3, 3, 3, 3, 3, 3};
    char *text = NULL;
    size_t size = 0;
    EEX_TRY(eex_space_init(&t->space, options, LAYERS));
    EEX_TRY(begin(t));
    EEX_TRY(eex_fs_read(&text, &size, path, (size_t)1 << 24));
    for (const char *at = text; (at = strchr(at, '"')); at++)
        if (at[1] >= '0' && at[1] <= '2' && strlen(at) > LAYERS && at[LAYERS + 1] == '"')
            read_network(t, at);
    free(text);
    return EEX_OK;
}

/* ---- a run ---- */

static int use_trials(eex_store_file *file, void *context)
{
    eex_store_shape shape;
    eex_store_type type;
    eex_trials *trials = context;
    EEX_TRY(eex_store_describe(&type, &shape, file, "trials/genome"));
    if (shape.rank != 2 || shape.extent[1] < 1 || shape.extent[1] > EEX_MAX_GENES)
        return eex_fail(EEX_EFORMAT, "%s: genomes of no search", eex_store_path(file));
    eex_trials_init(trials, (int)shape.extent[1]);
    return eex_trials_load(trials, file, "trials");
}

/* Each gene has as many options as were met. */
static int space_of(search_table *t, const eex_trials *trials)
{
    int options[EEX_MAX_GENES] = {0};
    for (size_t i = 0; i < trials->count; i++)
        for (int g = 0; g < trials->genes; g++) {
            const int option = eex_trials_genome(trials, i)[g];
            options[g] = option >= options[g] ? option + 1 : options[g];
        }
    return eex_space_init(&t->space, options, trials->genes);
}

static int fill(search_table *t, const eex_trials *trials)
{
    EEX_TRY(space_of(t, trials));
    EEX_TRY(begin(t));
    for (size_t i = 0; i < trials->count; i++) {
        const uint64_t at = eex_space_index(&t->space, eex_trials_genome(trials, i));
        const eex_trial *trial = &trials->at[i];
        if (trial->status != EEX_OK)
            continue;
        t->seen[at] = t->truth[at] = 100.0 * (1.0 - trial->accuracy);
        t->macs[at] = trial->macs;
    }
    return EEX_OK;
}

static int read_run(search_table *t, const char *path)
{
    eex_trials trials;
    eex_trials_init(&trials, 1);
    int code = eex_store_read_file(path, "search", SEARCH_VERSION, use_trials, &trials);
    if (code == EEX_OK)
        code = fill(t, &trials);
    eex_trials_free(&trials);
    return code;
}

int search_table_read(search_table *out, const char *path)
{
    const char *ending = strrchr(path, '.');
    *out = (search_table){.count = 0};
    int code = ending && strcmp(ending, ".h5") == 0 ? read_run(out, path) : read_macro(out, path);
    if (code == EEX_OK)
        code = end(out, path);
    if (code != EEX_OK)
        search_table_free(out);
    return code;
}

/* ---- hypervolumes ---- */

static void fill_rows(double *rows, const search_table *t, const size_t *members, size_t n,
                      const double *errors)
{
    for (size_t i = 0; i < n; i++) {
        rows[2 * i] = errors[members[i]];
        rows[2 * i + 1] = t->macs[members[i]];
    }
}

static int volume_of(double *out, const search_table *t, const size_t *members, size_t n,
                     const double *by, double *rows, size_t *front)
{
    size_t count = 0;
    fill_rows(rows, t, members, n, by);
    EEX_TRY(eex_pareto_front(front, &count, rows, n, minimised, 2));
    for (size_t i = 0; i < count; i++)
        front[i] = members[front[i]];
    fill_rows(rows, t, front, count, t->truth);
    return eex_pareto_hypervolume(out, rows, count, minimised, 2, t->reference);
}

double search_table_volume(const search_table *t, const size_t *members, size_t n, const double *by)
{
    double volume = NAN, *rows = malloc((n + 1) * 2 * sizeof *rows);
    size_t *front = malloc((n + 1) * sizeof *front);
    if (rows && front && volume_of(&volume, t, members, n, by, rows, front) != EEX_OK)
        volume = NAN;
    free(rows);
    free(front);
    return volume;
}

double search_table_best(const search_table *t, const double *by)
{
    size_t *all = malloc((t->count + 1) * sizeof *all);
    for (size_t i = 0; all && i < t->count; i++)
        all[i] = i;
    const double volume = all ? search_table_volume(t, all, t->count, by) : NAN;
    free(all);
    return volume;
}
