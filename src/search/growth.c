#include "search/growth.h"

#include "base/status.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

enum { BITS = 64, LEVELS = 11 /* of 64 bits each: more than there are numbers */ };

static const size_t none = SIZE_MAX;

/* Numbers below n; each word of a level above says which of 64 words are not empty. */
typedef struct set {
    int levels;
    uint64_t *level[LEVELS];
} set;

typedef struct place {
    double at[EEX_GROWTH_OBJECTIVES];
    size_t id;
} place;

struct eex_growth {
    place *place; /* by the first objective, equals by the second */
    size_t *rank; /* of each point among the places */
    set front;    /* of places */
    double corner[EEX_GROWTH_OBJECTIVES], area;
    size_t count;
};

/* ---- a set of numbers in order ---- */

static int set_make(set *s, size_t n)
{
    do {
        n = n / BITS + 1;
        s->level[s->levels] = calloc(n, sizeof *s->level[0]);
        if (!s->level[s->levels++])
            return EEX_ENOMEM;
    } while (n > 1);
    return EEX_OK;
}

static void set_add(set *s, size_t i)
{
    for (int l = 0; l < s->levels; l++, i /= BITS)
        s->level[l][i / BITS] |= UINT64_C(1) << i % BITS;
}

static void set_remove(set *s, size_t i)
{
    for (int l = 0; l < s->levels; l++, i /= BITS) {
        s->level[l][i / BITS] &= ~(UINT64_C(1) << i % BITS);
        if (s->level[l][i / BITS])
            return;
    }
}

/* The next number above i; `none` behind the last one. */
static size_t set_above(const set *s, size_t i)
{
    for (int l = 0; l < s->levels; l++, i /= BITS) {
        const uint64_t word = s->level[l][i / BITS];
        const uint64_t rest = i % BITS == BITS - 1 ? 0 : word >> (i % BITS + 1);
        if (!rest)
            continue;
        i += 1 + (size_t)__builtin_ctzll(rest);
        while (l-- > 0)
            i = i * BITS + (size_t)__builtin_ctzll(s->level[l][i]);
        return i;
    }
    return none;
}

static size_t set_below(const set *s, size_t i)
{
    for (int l = 0; l < s->levels; l++, i /= BITS) {
        const uint64_t rest = s->level[l][i / BITS] & ((UINT64_C(1) << i % BITS) - 1);
        if (!rest)
            continue;
        i = i / BITS * BITS + BITS - 1 - (size_t)__builtin_clzll(rest);
        while (l-- > 0)
            i = i * BITS + BITS - 1 - (size_t)__builtin_clzll(s->level[l][i]);
        return i;
    }
    return none;
}

/* ---- the front ---- */

static int compare(const void *left, const void *right)
{
    const place *a = left, *b = right;
    for (int k = 0; k < EEX_GROWTH_OBJECTIVES; k++)
        if (a->at[k] < b->at[k] || a->at[k] > b->at[k])
            return a->at[k] < b->at[k] ? -1 : 1;
    return (a->id > b->id) - (a->id < b->id);
}

int eex_growth_new(eex_growth **out, const double (*points)[EEX_GROWTH_OBJECTIVES], size_t n,
                   const double corner[EEX_GROWTH_OBJECTIVES])
{
    eex_growth *g = *out = calloc(1, sizeof *g);
    int code = g ? set_make(&g->front, n) : EEX_ENOMEM;
    if (code == EEX_OK) {
        g->place = calloc(n + 1, sizeof *g->place);
        g->rank = calloc(n + 1, sizeof *g->rank);
        code = g->place && g->rank ? EEX_OK : EEX_ENOMEM;
    }
    if (code < 0) {
        eex_growth_free(g);
        *out = NULL;
        return eex_fail(code, "out of memory: cannot follow a front of %zu points", n);
    }
    for (size_t i = 0; i < n; i++)
        g->place[i] = (place){{points[i][0], points[i][1]}, i};
    qsort(g->place, n, sizeof *g->place, compare);
    for (size_t i = 0; i < n; i++)
        g->rank[g->place[i].id] = i;
    for (int k = 0; k < EEX_GROWTH_OBJECTIVES; k++)
        g->corner[k] = corner[k];
    return EEX_OK;
}

void eex_growth_free(eex_growth *g)
{
    if (!g)
        return;
    for (int l = 0; l < g->front.levels; l++)
        free(g->front.level[l]);
    free(g->place);
    free(g->rank);
    free(g);
}

/* An objective of a place as far as it counts; of none: the corner's. */
static double within(const eex_growth *g, size_t rank, int k)
{
    return rank == none ? g->corner[k] : fmin(g->place[rank].at[k], g->corner[k]);
}

static bool same(const eex_growth *g, size_t a, size_t b)
{
    for (int k = 0; k < EEX_GROWTH_OBJECTIVES; k++)
        if (g->place[a].at[k] < g->place[b].at[k] || g->place[a].at[k] > g->place[b].at[k])
            return false;
    return true;
}

/* The one below in the order is nowhere worse when it is not worse in the second objective; those
 * above that are not better in it are dominated. */
bool eex_growth_add(eex_growth *g, size_t i)
{
    const size_t rank = g->rank[i], below = set_below(&g->front, rank);
    size_t above = set_above(&g->front, rank);
    const double low = within(g, rank, 1);
    double from = within(g, rank, 0), high = within(g, below, 1);
    const bool again =
        (below != none && same(g, below, rank)) || (above != none && same(g, above, rank));
    if (!again && below != none && g->place[below].at[1] <= g->place[rank].at[1])
        return false;
    set_add(&g->front, rank);
    g->count++;
    if (again)
        return true;
    while (above != none && g->place[above].at[1] >= g->place[rank].at[1]) {
        g->area += (within(g, above, 0) - from) * (high - low);
        from = within(g, above, 0);
        high = within(g, above, 1);
        set_remove(&g->front, above);
        g->count--;
        above = set_above(&g->front, rank);
    }
    g->area += (within(g, above, 0) - from) * (high - low);
    return true;
}

size_t eex_growth_count(const eex_growth *g)
{
    return g->count;
}

double eex_growth_area(const eex_growth *g)
{
    return g->area;
}
