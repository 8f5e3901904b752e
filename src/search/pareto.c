#include "search/pareto.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Objectives turned so that more is better, NaN last. */
static double gain(double value, eex_sense sense)
{
    if (isnan(value))
        return -INFINITY;
    return sense == EEX_MAXIMISE ? value : -value;
}

typedef struct entry {
    size_t id;
    int objectives;
    double gains[EEX_MAX_OBJECTIVES];
} entry;

/* Best first objective first, then best second, ...: no entry is dominated by a later one. */
static int compare_entries(const void *left, const void *right)
{
    const entry *a = left, *b = right;
    for (int i = 0; i < a->objectives; i++)
        if (a->gains[i] != b->gains[i])
            return a->gains[i] > b->gains[i] ? -1 : 1;
    return (a->id > b->id) - (a->id < b->id);
}

static bool dominates(const entry *a, const entry *b)
{
    bool better = false;
    for (int i = 0; i < a->objectives; i++) {
        if (a->gains[i] < b->gains[i])
            return false;
        better = better || a->gains[i] > b->gains[i];
    }
    return better;
}

static int check_objectives(int objectives)
{
    if (objectives < 1 || objectives > EEX_MAX_OBJECTIVES)
        return eex_fail(EEX_EINVAL, "Pareto front: from 1 to %d objectives, got %d",
                        EEX_MAX_OBJECTIVES, objectives);
    return EEX_OK;
}

static int sorted_entries(entry **out, const double *points, size_t n, const eex_sense *sense,
                          int objectives)
{
    EEX_TRY(check_objectives(objectives));
    entry *entries = calloc(n > 0 ? n : 1, sizeof *entries);
    if (!entries)
        return eex_fail(EEX_ENOMEM, "out of memory: cannot sort %zu points", n);
    for (size_t i = 0; i < n; i++) {
        entries[i].id = i;
        entries[i].objectives = objectives;
        for (int k = 0; k < objectives; k++)
            entries[i].gains[k] = gain(points[i * (size_t)objectives + (size_t)k], sense[k]);
    }
    qsort(entries, n, sizeof *entries, compare_entries);
    *out = entries;
    return EEX_OK;
}

/* Sorted entries of up to two objectives: the first with the best second objective so far dominates
 * whatever is worse in it, and of equals those that are worse in the first. */
static size_t sweep(entry *entries, size_t n)
{
    size_t kept = 0, best = 0; /* the front moves to the beginning of `entries` */
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && dominates(&entries[best], &entries[i]))
            continue;
        entries[kept] = entries[i];
        if (kept == 0 || entries[kept].gains[1] > entries[best].gains[1])
            best = kept;
        kept++;
    }
    return kept;
}

static size_t compare_with_all(entry *entries, size_t n)
{
    size_t kept = 0; /* as above */
    for (size_t i = 0; i < n; i++) {
        bool dominated = false;
        for (size_t k = kept; k-- > 0 && !dominated;)
            dominated = dominates(&entries[k], &entries[i]);
        if (!dominated)
            entries[kept++] = entries[i];
    }
    return kept;
}

int eex_pareto_front(size_t *front, size_t *count, const double *points, size_t n,
                     const eex_sense *sense, int objectives)
{
    entry *entries;
    EEX_TRY(sorted_entries(&entries, points, n, sense, objectives));
    const size_t kept = objectives <= 2 ? sweep(entries, n) : compare_with_all(entries, n);
    for (size_t k = 0; k < kept; k++)
        front[k] = entries[k].id;
    *count = kept;
    free(entries);
    return EEX_OK;
}

/* Fronts as lists, newest member first: head[f] and older[i] are numbers of entries. */
typedef struct fronts {
    size_t *head, *older;
    size_t count;
} fronts;

static const size_t nobody = SIZE_MAX;

static bool front_dominates(const fronts *f, size_t front, const entry *entries, size_t i)
{
    size_t member = f->head[front];
    if (entries[i].objectives <= 2) /* the newest has the best second objective of its front */
        return member != nobody && dominates(&entries[member], &entries[i]);
    for (; member != nobody; member = f->older[member])
        if (dominates(&entries[member], &entries[i]))
            return true;
    return false;
}

/* The first front that does not dominate the entry. A dominated entry is dominated by some member
 * of every better front too, so fronts can be bisected (Zhang et al. 2015, ENS-BS). */
static size_t find_front(const fronts *f, const entry *entries, size_t i)
{
    size_t low = 0, high = f->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (front_dominates(f, middle, entries, i))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int eex_pareto_sort(size_t *rank, const double *points, size_t n, const eex_sense *sense,
                    int objectives)
{
    entry *entries;
    EEX_TRY(sorted_entries(&entries, points, n, sense, objectives));
    fronts f = {calloc(n + 1, sizeof *f.head), calloc(n + 1, sizeof *f.older), 0};
    const bool ready = f.head && f.older;
    for (size_t i = 0; ready && i < n; i++) {
        const size_t front = find_front(&f, entries, i);
        if (front == f.count)
            f.head[f.count++] = nobody;
        f.older[i] = f.head[front];
        f.head[front] = i;
        rank[entries[i].id] = front;
    }
    free(f.head);
    free(f.older);
    free(entries);
    return ready ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory: cannot sort %zu points", n);
}
