/* Hypervolumes, by slicing (Zitzler 1999, Knowles 2002): along the last objective the volume is a
 * stack of slices, each as thick as the distance between two neighbours and as large as what the
 * points above it dominate in the other objectives. Two objectives are a staircase. */
#include "search/pareto.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How much better than the reference point a point is in each objective; all positive. */
typedef struct gains {
    double at[EEX_MAX_OBJECTIVES];
} gains;

static int compare_first(const void *left, const void *right)
{
    const gains *a = left, *b = right;
    return (a->at[0] < b->at[0]) - (a->at[0] > b->at[0]);
}

static int compare_third(const void *left, const void *right)
{
    const gains *a = left, *b = right;
    return (a->at[2] < b->at[2]) - (a->at[2] > b->at[2]);
}

static int compare_fourth(const void *left, const void *right)
{
    const gains *a = left, *b = right;
    return (a->at[3] < b->at[3]) - (a->at[3] > b->at[3]);
}

/* Points sorted by their first objective, best first. */
static double staircase(const gains *points, size_t n)
{
    double area = 0.0, height = 0.0;
    for (size_t i = 0; i < n; i++) {
        if (points[i].at[1] <= height)
            continue;
        area += points[i].at[0] * (points[i].at[1] - height);
        height = points[i].at[1];
    }
    return area;
}

/* Puts a point where it belongs among `n` that are sorted by their first objective and do not
 * dominate one another in two; returns how many there are then. */
static size_t climb(gains *steps, size_t n, const gains *point)
{
    size_t at = 0, after;
    while (at < n && steps[at].at[0] >= point->at[0])
        at++;
    if (at > 0 && steps[at - 1].at[1] >= point->at[1])
        return n;
    for (after = at; after < n && steps[after].at[1] <= point->at[1];)
        after++;
    while (at > 0 && steps[at - 1].at[0] == point->at[0])
        at--; /* lower at the same place */
    memmove(steps + at + 1, steps + after, (n - after) * sizeof *steps);
    steps[at] = *point;
    return n - after + at + 1;
}

/* Three objectives: slices between points sorted by the third, of staircases that grow. */
static double stack_of_areas(gains *points, size_t n, gains *spare)
{
    double volume = 0.0;
    size_t steps = 0;
    qsort(points, n, sizeof *points, compare_third);
    for (size_t i = 0; i < n; i++) {
        const double below = i + 1 < n ? points[i + 1].at[2] : 0.0;
        steps = climb(spare, steps, &points[i]);
        if (points[i].at[2] > below)
            volume += (points[i].at[2] - below) * staircase(spare, steps);
    }
    return volume;
}

/* Four: slices of volumes. The points above a slice are sorted anew, so they are copied. */
static double stack_of_volumes(gains *points, size_t n, gains *spare)
{
    double volume = 0.0;
    qsort(points, n, sizeof *points, compare_fourth);
    for (size_t i = 0; i < n; i++) {
        const double below = i + 1 < n ? points[i + 1].at[3] : 0.0;
        if (points[i].at[3] <= below)
            continue;
        memcpy(spare, points, (i + 1) * sizeof *points);
        volume += (points[i].at[3] - below) * stack_of_areas(spare, i + 1, spare + n);
    }
    return volume;
}

static double volume_of(gains *points, size_t n, int objectives, gains *spare)
{
    if (n == 0)
        return 0.0;
    if (objectives > 3)
        return stack_of_volumes(points, n, spare);
    if (objectives == 3)
        return stack_of_areas(points, n, spare);
    qsort(points, n, sizeof *points, compare_first);
    return objectives == 2 ? staircase(points, n) : points[0].at[0];
}

/* False when the point is not better than the reference everywhere. */
static bool gain(gains *out, const double *point, const eex_sense *sense, int objectives,
                 const double *reference)
{
    for (int k = 0; k < objectives; k++) {
        const double more = point[k] - reference[k];
        out->at[k] = sense[k] == EEX_MAXIMISE ? more : -more;
        if (!(out->at[k] > 0.0)) /* NaN neither */
            return false;
    }
    return true;
}

int eex_pareto_hypervolume(double *out, const double *points, size_t n, const eex_sense *sense,
                           int objectives, const double *reference)
{
    if (objectives < 1 || objectives > EEX_MAX_OBJECTIVES)
        return eex_fail(EEX_EINVAL, "hypervolume: from 1 to %d objectives, got %d",
                        EEX_MAX_OBJECTIVES, objectives);
    gains *better = calloc(3 * n + 1, sizeof *better);
    if (!better)
        return eex_fail(EEX_ENOMEM, "out of memory: cannot measure a front of %zu points", n);
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count +=
            gain(&better[count], points + i * (size_t)objectives, sense, objectives, reference);
    *out = volume_of(better, count, objectives, better + n);
    free(better);
    return EEX_OK;
}
