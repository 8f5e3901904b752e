#include "core/data/split.h"

#include "base/rng.h"
#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SPLIT_STREAM = 0x5911 };

/* The training images of a data set, shuffled class by class: class c has at[start[c]] up to
 * at[start[c + 1]], of which the first taken[c] belong to a part already. */
typedef struct pool {
    uint32_t *at;
    size_t *start;
    size_t *taken;
    size_t classes;
} pool;

static void pool_free(pool *p)
{
    free(p->at);
    free(p->start);
    free(p->taken);
}

/* Samples first .. first + count - 1, sorted by class, each class in the seed's order. */
static int pool_make(pool *p, const eex_dataset *data, uint32_t first, uint32_t count,
                     uint64_t seed)
{
    const int32_t *labels = eex_dataset_labels(data);
    size_t classes = (size_t)eex_dataset_facts(data)->classes;
    *p = (pool){malloc((count ? count : 1) * sizeof *p->at), calloc(classes + 1, sizeof *p->start),
                calloc(classes, sizeof *p->taken), classes};
    if (!p->at || !p->start || !p->taken) {
        pool_free(p);
        return eex_fail(EEX_ENOMEM, "out of memory, cannot split %u samples", count);
    }
    for (uint32_t i = 0; i < count; i++)
        p->start[labels[first + i] + 1]++;
    for (size_t c = 0; c < classes; c++)
        p->start[c + 1] += p->start[c];
    for (uint32_t i = 0; i < count; i++) { /* taken is the write position for the moment */
        size_t c = (size_t)labels[first + i];
        p->at[p->start[c] + p->taken[c]++] = first + i;
    }
    for (size_t c = 0; c < classes; c++) {
        eex_rng rng;
        eex_rng_seed(&rng, eex_rng_hash(seed, SPLIT_STREAM, c), first);
        eex_rng_shuffle(&rng, p->at + p->start[c], p->start[c + 1] - p->start[c]);
        p->taken[c] = 0;
    }
    return EEX_OK;
}

static int ascending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* How many of each class: the share rounded down, and what rounding left over to the classes with
 * the largest remainders, the first of equals. */
static void share_out(size_t *share, const pool *p, size_t wanted, size_t available)
{
    size_t given = 0;
    for (size_t c = 0; c < p->classes; c++) {
        size_t left = p->start[c + 1] - p->start[c] - p->taken[c];
        share[c] = available ? (size_t)((unsigned __int128)left * wanted / available) : 0;
        given += share[c];
    }
    for (; given < wanted; given++) {
        size_t best = 0;
        double most = -HUGE_VAL;
        for (size_t c = 0; c < p->classes; c++) {
            size_t left = p->start[c + 1] - p->start[c] - p->taken[c];
            double owed = (double)left * (double)wanted / (double)available - (double)share[c];
            if (share[c] < left && owed > most) {
                best = c;
                most = owed;
            }
        }
        share[best]++;
    }
}

static size_t pool_left(const pool *p)
{
    size_t left = 0;
    for (size_t c = 0; c < p->classes; c++)
        left += p->start[c + 1] - p->start[c] - p->taken[c];
    return left;
}

/* Takes `wanted` samples, stratified, into a sorted list. */
static int pool_take(eex_index *out, pool *p, size_t wanted, const char *what)
{
    size_t available = pool_left(p);
    if (wanted > available)
        return eex_fail(EEX_EINVAL, "split: %zu samples for %s, but only %zu are left", wanted,
                        what, available);
    size_t *share = calloc(p->classes, sizeof *share);
    out->at = malloc((wanted ? wanted : 1) * sizeof *out->at);
    if (!share || !out->at) {
        free(share);
        return eex_fail(EEX_ENOMEM, "out of memory, cannot split %zu samples", wanted);
    }
    share_out(share, p, wanted, available);
    for (size_t c = 0; c < p->classes; c++) {
        memcpy(out->at + out->count, p->at + p->start[c] + p->taken[c], share[c] * sizeof *out->at);
        out->count += share[c];
        p->taken[c] += share[c];
    }
    qsort(out->at, out->count, sizeof *out->at, ascending);
    free(share);
    return EEX_OK;
}

/* An amount of `whole`: a fraction below 1, else a count. What was asked for must not vanish. */
static int amount(size_t *out, double value, uint32_t whole, const char *what)
{
    if (!isfinite(value) || value < 0 || value > UINT32_MAX)
        return eex_fail(EEX_EINVAL, "split: %s = %g, expected a fraction below 1 or a count", what,
                        value);
    if (value >= 1 && value != floor(value))
        return eex_fail(EEX_EINVAL, "split: %s = %g, a count must be a whole number", what, value);
    *out = (size_t)(value < 1 ? floor(value * whole + 0.5) : value);
    if (value > 0 && *out == 0)
        return eex_fail(EEX_EINVAL, "split: %s = %g of %u samples is none at all", what, value,
                        whole);
    return EEX_OK;
}

/* From a part of the data set's own. */
static int take_own(eex_index *out, const eex_dataset *data, eex_part part, double value,
                    uint64_t seed)
{
    pool own;
    size_t wanted;
    uint32_t first, count;
    eex_dataset_part(&first, &count, data, part);
    EEX_TRY(amount(&wanted, value, count, eex_part_name(part)));
    if (wanted > count)
        return eex_fail(
            EEX_EINVAL,
            "split: %zu samples for %s, but data set \"%s\" has a %s part of its own, of "
            "%u: ask for at most so many",
            wanted, eex_part_name(part), eex_dataset_facts(data)->name, eex_part_name(part),
            (unsigned)count);
    EEX_TRY(pool_make(&own, data, first, count, seed));
    const int code = pool_take(out, &own, wanted, eex_part_name(part));
    pool_free(&own);
    return code;
}

static int take_test(eex_split *out, const eex_dataset *data, const eex_split_spec *spec,
                     pool *train)
{
    const eex_dataset_info *info = eex_dataset_facts(data);
    size_t count;
    if (info->test)
        return take_own(&out->test, data, EEX_PART_TEST, spec->test > 0 ? spec->test : info->test,
                        spec->seed);
    EEX_TRY(amount(&count, spec->test > 0 ? spec->test : 0.2, info->train, "test"));
    return pool_take(&out->test, train, count, "test");
}

static int take_validation(eex_split *out, const eex_dataset *data, const eex_split_spec *spec,
                           pool *train)
{
    const eex_dataset_info *info = eex_dataset_facts(data);
    size_t count;
    if (info->validation)
        return take_own(&out->validation, data, EEX_PART_VALIDATION, spec->validation, spec->seed);
    EEX_TRY(amount(&count, spec->validation, info->train, "validation"));
    return pool_take(&out->validation, train, count, "validation");
}

static int take_all(eex_split *out, const eex_dataset *data, const eex_split_spec *spec,
                    pool *train)
{
    uint32_t whole = eex_dataset_facts(data)->train;
    size_t calibration, rest;
    EEX_TRY(amount(&calibration, spec->calibration, whole, "calibration"));
    EEX_TRY(amount(&rest, spec->train, whole, "train"));
    EEX_TRY(take_test(out, data, spec, train));
    EEX_TRY(pool_take(&out->calibration, train, calibration, "calibration"));
    EEX_TRY(take_validation(out, data, spec, train));
    EEX_TRY(pool_take(&out->train, train, rest ? rest : pool_left(train), "train"));
    if (out->train.count == 0)
        return eex_fail(EEX_EINVAL, "split: no sample is left to train with");
    return EEX_OK;
}

int eex_split_make(eex_split *out, const eex_dataset *data, const eex_split_spec *spec)
{
    EEX_NEED(out, "place for the split");
    EEX_NEED(data, "data set");
    EEX_NEED(spec, "amounts");
    pool train;
    *out = (eex_split){{NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}};
    EEX_TRY(pool_make(&train, data, 0, eex_dataset_facts(data)->train, spec->seed));
    int code = take_all(out, data, spec, &train);
    pool_free(&train);
    if (code < 0)
        eex_split_free(out);
    return code;
}

void eex_split_free(eex_split *split)
{
    if (!split)
        return;
    free(split->train.at);
    free(split->calibration.at);
    free(split->validation.at);
    free(split->test.at);
    *split = (eex_split){{NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}};
}

/* ---- stored ---- */

static const char *const part_names[] = {"train", "calibration", "validation", "test"};

static void parts_of(eex_index *parts[4], eex_split *split)
{
    parts[0] = &split->train;
    parts[1] = &split->calibration;
    parts[2] = &split->validation;
    parts[3] = &split->test;
}

int eex_split_write(const eex_split *split, eex_store_file *file, const char *group)
{
    EEX_NEED(split, "split");
    EEX_NEED(file, "file");
    EEX_NEED(group, "group");
    eex_split copy = *split;
    eex_index *parts[4];
    char name[256];
    parts_of(parts, &copy);
    for (int i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "%s/%s", group, part_names[i]);
        EEX_TRY(eex_store_write_packed(file, name, EEX_STORE_U32,
                                       &(eex_store_shape){1, {parts[i]->count}}, parts[i]->at));
    }
    return eex_store_set_string(
        file, group, "convention",
        "sample numbers of the data set: training images first, then validation, then test");
}

/* Marks a part's samples; a sample that is marked already, or out of order, is an error. */
static int mark(uint8_t *seen, const eex_index *part, uint32_t samples, const eex_store_file *file,
                const char *name)
{
    for (size_t i = 0; i < part->count; i++) {
        uint32_t n = part->at[i];
        if (n >= samples || (i && n <= part->at[i - 1]) || seen[n])
            return eex_store_refuse(
                file, "/%s: sample %u at %zu is out of range, out of order or in two parts", name,
                n, i);
        seen[n] = 1;
    }
    return EEX_OK;
}

static int read_parts(eex_split *out, uint8_t *seen, eex_store_file *file, const char *group,
                      uint32_t samples)
{
    eex_index *parts[4];
    char name[256];
    parts_of(parts, out);
    for (int i = 0; i < 4; i++) {
        eex_store_shape shape = {1, {EEX_STORE_ANY}};
        void *at;
        snprintf(name, sizeof name, "%s/%s", group, part_names[i]);
        EEX_TRY(eex_store_read_new(&at, file, name, EEX_STORE_U32, &shape, (size_t)samples * 4));
        *parts[i] = (eex_index){at, (size_t)shape.extent[0]};
        EEX_TRY(mark(seen, parts[i], samples, file, name));
    }
    return EEX_OK;
}

int eex_split_read(eex_split *out, eex_store_file *file, const char *group, uint32_t samples)
{
    EEX_NEED(out, "place for the split");
    EEX_NEED(file, "file");
    EEX_NEED(group, "group");
    *out = (eex_split){{NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}};
    uint8_t *seen = calloc(samples ? samples : 1, 1);
    if (!seen)
        return eex_fail(EEX_ENOMEM, "out of memory, cannot check the split of %u samples", samples);
    int code = read_parts(out, seen, file, group, samples);
    free(seen);
    if (code < 0)
        eex_split_free(out);
    return code;
}
