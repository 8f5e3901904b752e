#include "search/rank.h"

#include "base/status.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct pair {
    double x, y;
} pair;

static int compare_doubles(double a, double b)
{
    return (a > b) - (a < b);
}

static int compare_pairs(const void *left, const void *right)
{
    const pair *a = left, *b = right;
    const int by_x = compare_doubles(a->x, b->x);
    return by_x != 0 ? by_x : compare_doubles(a->y, b->y);
}

static int make_pairs(pair **out, const double *x, const double *y, size_t n, size_t room)
{
    for (size_t i = 0; i < n; i++)
        if (isnan(x[i]) || isnan(y[i]))
            return eex_fail(EEX_EINVAL, "rank correlation: item %zu is not a number", i);
    pair *pairs = calloc(room > 0 ? room : 1, sizeof *pairs);
    if (!pairs)
        return eex_fail(EEX_ENOMEM, "out of memory: cannot rank %zu items", n);
    for (size_t i = 0; i < n; i++)
        pairs[i] = (pair){x[i], y[i]};
    *out = pairs;
    return EEX_OK;
}

static uint64_t pairs_of(uint64_t n)
{
    return n < 2 ? 0 : n * (n - 1) / 2;
}

/* Merges two runs sorted by y; returns how many pairs stood in the wrong order. */
static uint64_t merge(pair *to, const pair *from, size_t left, size_t middle, size_t right)
{
    uint64_t swaps = 0;
    size_t a = left, b = middle;
    for (size_t i = left; i < right; i++) {
        if (b == right || (a < middle && from[a].y <= from[b].y)) {
            to[i] = from[a++];
        } else {
            swaps += middle - a;
            to[i] = from[b++];
        }
    }
    return swaps;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Sorts by y, bottom-up, and returns the number of exchanges of neighbours that it took: items
 * sorted by x and then y need one for each discordant pair. `spare` has room for n. */
static uint64_t sort_by_y(pair *pairs, pair *spare, size_t n)
{
    uint64_t swaps = 0;
    pair *from = pairs, *to = spare;
    for (size_t run = 1; run < n; run *= 2) {
        for (size_t left = 0; left < n; left += 2 * run)
            swaps += merge(to, from, left, smaller(left + run, n), smaller(left + 2 * run, n));
        pair *merged = to;
        to = from;
        from = merged;
    }
    if (from != pairs)
        memcpy(pairs, from, n * sizeof *pairs);
    return swaps;
}

typedef bool (*same)(const pair *a, const pair *b);

static bool same_x(const pair *a, const pair *b)
{
    return a->x == b->x;
}

static bool same_y(const pair *a, const pair *b)
{
    return a->y == b->y;
}

static bool same_both(const pair *a, const pair *b)
{
    return a->x == b->x && a->y == b->y;
}

/* Pairs among the members of each run of equal neighbours. */
static uint64_t tied_pairs(const pair *pairs, size_t n, same equal)
{
    uint64_t tied = 0;
    size_t run = 0;
    for (size_t i = 0; i < n; i++) {
        run++;
        if (i + 1 == n || !equal(&pairs[i], &pairs[i + 1])) {
            tied += pairs_of(run);
            run = 0;
        }
    }
    return tied;
}

int eex_rank_kendall(double *tau, const double *x, const double *y, size_t n)
{
    pair *pairs;
    EEX_TRY(make_pairs(&pairs, x, y, n, 2 * n));
    qsort(pairs, n, sizeof *pairs, compare_pairs);
    const uint64_t all = pairs_of(n);
    const uint64_t tied_x = tied_pairs(pairs, n, same_x);
    const uint64_t tied_both = tied_pairs(pairs, n, same_both);
    const uint64_t discordant = sort_by_y(pairs, pairs + n, n);
    const uint64_t tied_y = tied_pairs(pairs, n, same_y);
    free(pairs);
    /* Untied pairs are concordant or discordant; those tied in both rows were subtracted twice. */
    const double difference = (double)all - (double)tied_x - (double)tied_y + (double)tied_both -
                              2.0 * (double)discordant;
    const double scale = sqrt((double)(all - tied_x) * (double)(all - tied_y));
    *tau = scale > 0.0 ? fmax(-1.0, fmin(1.0, difference / scale)) : NAN;
    return EEX_OK;
}

/* Replaces the x of pairs sorted by it by ranks from 1, equal ones sharing their mean. */
static void rank_x(pair *pairs, size_t n)
{
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && pairs[end].x == pairs[i].x;)
            end++;
        for (size_t k = i; k < end; k++)
            pairs[k].x = 0.5 * (double)(i + 1 + end);
    }
}

static void exchange_rows(pair *pairs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        pairs[i] = (pair){pairs[i].y, pairs[i].x};
}

/* Pearson's correlation of ranks, whose mean is known. */
static double correlate(const pair *pairs, size_t n)
{
    const double mean = 0.5 * (double)(n + 1);
    double xy = 0.0, xx = 0.0, yy = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double dx = pairs[i].x - mean, dy = pairs[i].y - mean;
        xy += dx * dy;
        xx += dx * dx;
        yy += dy * dy;
    }
    return xx > 0.0 && yy > 0.0 ? fmax(-1.0, fmin(1.0, xy / sqrt(xx * yy))) : NAN;
}

int eex_rank_spearman(double *rho, const double *x, const double *y, size_t n)
{
    pair *pairs;
    EEX_TRY(make_pairs(&pairs, x, y, n, n));
    for (int row = 0; row < 2; row++) {
        qsort(pairs, n, sizeof *pairs, compare_pairs);
        rank_x(pairs, n);
        exchange_rows(pairs, n);
    }
    *rho = correlate(pairs, n);
    free(pairs);
    return EEX_OK;
}
