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

bool eex_pareto_dominates(const double *a, const double *b, const eex_sense *sense, int objectives)
{
    bool better = false;
    for (int i = 0; i < objectives; i++) {
        const double x = gain(a[i], sense[i]), y = gain(b[i], sense[i]);
        if (x < y)
            return false;
        better = better || x > y;
    }
    return better;
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

int eex_pareto_front(size_t *front, size_t *count, const double *points, size_t n,
                     const eex_sense *sense, int objectives)
{
    entry *entries;
    EEX_TRY(sorted_entries(&entries, points, n, sense, objectives));
    size_t kept = 0; /* the front moves to the beginning of `entries` */
    for (size_t i = 0; i < n; i++) {
        bool dominated = false;
        for (size_t k = kept; k-- > 0 && !dominated;)
            dominated = dominates(&entries[k], &entries[i]);
        if (!dominated)
            entries[kept++] = entries[i];
    }
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
    for (size_t member = f->head[front]; member != nobody; member = f->older[member])
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

int eex_archive_init(eex_archive *out, const eex_sense *sense, int objectives)
{
    EEX_TRY(check_objectives(objectives));
    memset(out, 0, sizeof *out);
    out->objectives = objectives;
    memcpy(out->sense, sense, (size_t)objectives * sizeof *sense);
    return EEX_OK;
}

void eex_archive_free(eex_archive *archive)
{
    if (!archive)
        return;
    free(archive->points);
    free(archive->ids);
    memset(archive, 0, sizeof *archive);
}

static int reserve(eex_archive *archive)
{
    if (archive->count < archive->capacity)
        return EEX_OK;
    const size_t capacity = 2 * archive->capacity + 16;
    double(*points)[EEX_MAX_OBJECTIVES] = realloc(archive->points, capacity * sizeof *points);
    if (points)
        archive->points = points;
    size_t *ids = realloc(archive->ids, capacity * sizeof *ids);
    if (ids)
        archive->ids = ids;
    if (!points || !ids)
        return eex_fail(EEX_ENOMEM, "out of memory: cannot keep a front of %zu points",
                        archive->count);
    archive->capacity = capacity;
    return EEX_OK;
}

static bool dominated_by_member(const eex_archive *archive, const double *point)
{
    for (size_t i = 0; i < archive->count; i++)
        if (eex_pareto_dominates(archive->points[i], point, archive->sense, archive->objectives))
            return true;
    return false;
}

static void drop_dominated(eex_archive *archive, const double *point)
{
    size_t kept = 0;
    for (size_t i = 0; i < archive->count; i++) {
        if (eex_pareto_dominates(point, archive->points[i], archive->sense, archive->objectives))
            continue;
        memmove(archive->points[kept], archive->points[i], sizeof archive->points[i]);
        archive->ids[kept++] = archive->ids[i];
    }
    archive->count = kept;
}

int eex_archive_add(eex_archive *archive, bool *entered, const double *point, size_t id)
{
    const bool enters = !dominated_by_member(archive, point);
    if (enters) {
        EEX_TRY(reserve(archive));
        drop_dominated(archive, point);
        memcpy(archive->points[archive->count], point, (size_t)archive->objectives * sizeof *point);
        archive->ids[archive->count++] = id;
    }
    if (entered)
        *entered = enters;
    return EEX_OK;
}
