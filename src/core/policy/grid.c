#include "core/policy/grid.h"

#include "base/signals.h"
#include "base/status.h"

#include <math.h>
#include <string.h>

enum { SWEEPS = 20 };

/* A search: the best point so far. */
typedef struct search {
    const eex_grid *grid;
    int *best;
    eex_grid_value value;
} search;

static bool is_better(const eex_grid_value *a, const eex_grid_value *b)
{
    return a->first[0] < b->first[0] || (a->first[0] == b->first[0] && a->first[1] < b->first[1]);
}

static bool consider(search *s, const int *at)
{
    const eex_grid_value value = s->grid->judge(s->grid->context, at);
    const bool better = is_better(&value, &s->value);
    if (better) {
        s->value = value;
        memcpy(s->best, at, (size_t)s->grid->dimensions * sizeof *at);
    }
    return better;
}

/* The next point, the last dimension the fastest; false: there is none. */
static bool advance(const eex_grid *grid, int *at)
{
    for (int d = grid->dimensions - 1; d >= 0; d--) {
        if (++at[d] < grid->options[d])
            return true;
        at[d] = 0;
    }
    return false;
}

static int poll(void)
{
    return eex_interrupted() ? eex_fail(EEX_EINTERRUPTED, "interrupted while choosing thresholds")
                             : EEX_OK;
}

static int search_all(search *s)
{
    int at[EEX_MAX_EXITS] = {0};
    do {
        consider(s, at);
        if (at[s->grid->dimensions - 1] == 0)
            EEX_TRY(poll());
    } while (advance(s->grid, at));
    return EEX_OK;
}

/* From `at`, one dimension at a time; what is found counts where it is better than all before. */
static int descend(search *s, int *at)
{
    int own[EEX_MAX_EXITS];
    search here = {s->grid, own, s->grid->judge(s->grid->context, at)};
    memcpy(own, at, sizeof own);
    consider(s, at);
    for (int sweep = 0, better = true; sweep < SWEEPS && better; sweep++) {
        better = false;
        for (int d = 0; d < s->grid->dimensions; d++) {
            memcpy(at, own, sizeof own);
            for (at[d] = 0; at[d] < s->grid->options[d]; at[d]++)
                better = consider(&here, at) || better;
            EEX_TRY(poll());
        }
    }
    consider(s, own);
    return EEX_OK;
}

int eex_grid_search(int *best, eex_grid_value *value, const eex_grid *grid)
{
    double points = 1;
    int longest = 1, code = EEX_OK;
    for (int d = 0; d < grid->dimensions; d++) {
        points *= grid->options[d];
        longest = grid->options[d] > longest ? grid->options[d] : longest;
    }
    search s = {grid, best, {{INFINITY, INFINITY}}};
    memset(best, 0, (size_t)grid->dimensions * sizeof *best);
    if (points <= grid->most)
        code = search_all(&s);
    for (int i = 0; i < longest && points > grid->most && code == EEX_OK; i++) {
        int at[EEX_MAX_EXITS] = {0};
        for (int d = 0; d < grid->dimensions; d++)
            at[d] = i < grid->options[d] ? i : grid->options[d] - 1;
        code = descend(&s, at);
    }
    *value = s.value;
    return code;
}
