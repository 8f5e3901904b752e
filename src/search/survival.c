#include "search/survival.h"

#include "search/pareto.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const eex_sense minimised[EEX_MAX_OBJECTIVES];

typedef struct item {
    double value;
    size_t rank, id;
} item;

static int compare_items(const void *left, const void *right)
{
    const item *a = left, *b = right;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    if (a->value != b->value)
        return a->value < b->value ? -1 : 1;
    return (a->id > b->id) - (a->id < b->id);
}

static double finite_or_worst(double value)
{
    return isnan(value) ? INFINITY : value;
}

/* Adds what one objective says: `items` are sorted by rank and value. */
static void add_distances(eex_standing *standings, const item *items, size_t n)
{
    for (size_t first = 0, end; first < n; first = end) {
        for (end = first + 1; end < n && items[end].rank == items[first].rank;)
            end++;
        const double range = items[end - 1].value - items[first].value;
        standings[items[first].id].crowding = INFINITY;
        standings[items[end - 1].id].crowding = INFINITY;
        for (size_t i = first + 1; i + 1 < end && range > 0.0 && isfinite(range); i++)
            standings[items[i].id].crowding += (items[i + 1].value - items[i - 1].value) / range;
    }
}

static void crowd(eex_standing *standings, item *items, const double *objectives, size_t n,
                  int count)
{
    for (int k = 0; k < count; k++) {
        for (size_t i = 0; i < n; i++)
            items[i] = (item){finite_or_worst(objectives[i * (size_t)count + (size_t)k]),
                              standings[i].rank, i};
        qsort(items, n, sizeof *items, compare_items);
        add_distances(standings, items, n);
    }
}

/* Ranks behind all others for what violates, one for each amount. */
static void rank_violations(eex_standing *standings, item *items, const double *violations,
                            size_t n, size_t first)
{
    size_t violating = 0;
    for (size_t i = 0; i < n; i++)
        if (!(violations[i] <= 0.0))
            items[violating++] = (item){finite_or_worst(violations[i]), 0, i};
    qsort(items, violating, sizeof *items, compare_items);
    for (size_t i = 0; i < violating; i++) {
        first += i > 0 && items[i].value != items[i - 1].value;
        standings[items[i].id] = (eex_standing){first, INFINITY};
    }
}

/* Ranks of those that violate nothing; *behind: the rank behind the last. `scratch` has room for n
 * ranks, then n rows. */
static int rank_feasible(eex_standing *standings, size_t *behind, size_t *ranks, double *rows,
                         const double *objectives, const double *violations, size_t n, int count)
{
    size_t feasible = 0;
    const size_t width = (size_t)count;
    for (size_t i = 0; i < n; i++)
        if (!violations || violations[i] <= 0.0)
            memcpy(rows + width * feasible++, objectives + width * i, width * sizeof *rows);
    EEX_TRY(eex_pareto_sort(ranks, rows, feasible, minimised, count));
    *behind = 0;
    feasible = 0;
    for (size_t i = 0; i < n; i++) {
        if (violations && !(violations[i] <= 0.0))
            continue;
        standings[i] = (eex_standing){ranks[feasible++], 0.0};
        if (standings[i].rank >= *behind)
            *behind = standings[i].rank + 1;
    }
    return EEX_OK;
}

int eex_survival_rank(eex_standing *standings, const double *objectives, const double *violations,
                      size_t n, int count)
{
    if (count < 1 || count > EEX_MAX_OBJECTIVES)
        return eex_fail(EEX_EINVAL, "ranking: from 1 to %d objectives, got %d", EEX_MAX_OBJECTIVES,
                        count);
    size_t behind = 0;
    size_t *ranks = calloc(n + 1, sizeof *ranks);
    item *items = calloc(n + 1, sizeof *items);
    double *rows = calloc(n * (size_t)count + 1, sizeof *rows);
    int code =
        ranks && items && rows
            ? rank_feasible(standings, &behind, ranks, rows, objectives, violations, n, count)
            : eex_fail(EEX_ENOMEM, "out of memory: cannot rank %zu candidates", n);
    if (code == EEX_OK && violations)
        rank_violations(standings, items, violations, n, behind);
    if (code == EEX_OK)
        crowd(standings, items, objectives, n, count);
    free(ranks);
    free(items);
    free(rows);
    return code;
}

int eex_standing_compare(const eex_standing *a, const eex_standing *b)
{
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    return (a->crowding < b->crowding) - (a->crowding > b->crowding);
}

typedef struct entry {
    eex_standing standing;
    size_t id;
} entry;

static int compare_entries(const void *left, const void *right)
{
    const entry *a = left, *b = right;
    const int order = eex_standing_compare(&a->standing, &b->standing);
    return order != 0 ? order : (a->id > b->id) - (a->id < b->id);
}

int eex_survival_order(size_t *order, const eex_standing *standings, size_t n)
{
    entry *entries = calloc(n + 1, sizeof *entries);
    if (!entries)
        return eex_fail(EEX_ENOMEM, "out of memory: cannot order %zu candidates", n);
    for (size_t i = 0; i < n; i++)
        entries[i] = (entry){standings[i], i};
    qsort(entries, n, sizeof *entries, compare_entries);
    for (size_t i = 0; i < n; i++)
        order[i] = entries[i].id;
    free(entries);
    return EEX_OK;
}
