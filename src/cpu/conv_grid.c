#include "cpu/conv_grid.h"

static void grid_set(eex_grid *g, int to, int from)
{
    g->count[to] = g->count[from];
    g->a[to] = g->a[from];
    g->b[to] = g->b[from];
}

static void grid_swap(eex_grid *g, int i, int j)
{
    eex_grid old = *g;
    g->count[i] = old.count[j];
    g->a[i] = old.a[j];
    g->b[i] = old.b[j];
    g->count[j] = old.count[i];
    g->a[j] = old.a[i];
    g->b[j] = old.b[i];
}

/* Dimension i walks on where dimension i + 1 ends, or one of them is a single step. */
static int grid_joins(const eex_grid *g, int i)
{
    int inner = i + 1;
    return g->count[i] == 1 || g->count[inner] == 1 ||
           (g->a[i] == g->a[inner] * g->count[inner] && g->b[i] == g->b[inner] * g->count[inner]);
}

static void grid_join(eex_grid *g, int i)
{
    if (g->count[i + 1] == 1)
        grid_set(g, i + 1, i);
    else
        g->count[i + 1] *= g->count[i];
    if (i == 1) {
        grid_set(g, 1, 0);
        i = 0;
    }
    g->count[i] = 1;
    g->a[i] = g->b[i] = 0;
}

void eex__grid_simplify(eex_grid *g, int enough)
{
    if (grid_joins(g, 1))
        grid_join(g, 1);
    if (grid_joins(g, 1))
        grid_join(g, 1);
    if (grid_joins(g, 0))
        grid_join(g, 0);
    if (g->count[2] >= enough)
        return;
    int longest = g->count[0] > g->count[1] ? 0 : 1;
    if (g->count[longest] > g->count[2])
        grid_swap(g, longest, 2);
}
