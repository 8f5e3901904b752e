/* Extremely randomised trees: a split of a column is drawn between its least and its largest value.
 */
#include "search/surrogate_impl.h"

#include "base/rng.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TREES = 200 };

/* Children lie side by side; a leaf is its own child, so that every row of a block takes as many
 * steps as the tree is deep. */
typedef struct node {
    double threshold; /* goes to child + 1 when the column is more; infinite in a leaf */
    uint32_t column, child;
} node;

typedef struct tree {
    uint32_t first, nodes, depth;
} tree;

typedef struct forest {
    size_t columns, count, capacity; /* nodes */
    node *nodes;
    double *values; /* of nodes, means of their samples */
    tree trees[TREES];
} forest;

typedef struct grower {
    const eex__fit *fit;
    forest *out;
    uint32_t *samples; /* (n): those of a node lie together */
    uint32_t *columns; /* (columns): in the order of trying */
    eex_rng rng;
} grower;

typedef struct split {
    uint32_t column;
    double gain, threshold; /* what is more goes right */
} split;

static double value_of(const grower *g, size_t sample, uint32_t column)
{
    return g->fit->x[g->samples[sample] * g->fit->columns + column];
}

/* Improves `best` by a split of a column: most reduction of squares, that is most of sum^2 / count
 * in both parts. False when all its values are alike. */
static bool try_column(split *best, grower *g, uint32_t column, size_t first, size_t end)
{
    double least = INFINITY, most = -INFINITY, n[2] = {0.0}, sum[2] = {0.0};
    for (size_t i = first; i < end; i++) {
        const double value = value_of(g, i, column);
        least = value < least ? value : least;
        most = value > most ? value : most;
    }
    if (least == most)
        return false;
    const double threshold = least + eex_rng_uniform(&g->rng) * (most - least);
    for (size_t i = first; i < end; i++) {
        const bool right = value_of(g, i, column) > threshold;
        n[right] += 1.0;
        sum[right] += g->fit->y[g->samples[i]];
    }
    const double gain = n[1] > 0.0 ? sum[0] * sum[0] / n[0] + sum[1] * sum[1] / n[1] : -1.0;
    if (gain > best->gain)
        *best = (split){column, gain, threshold};
    return true;
}

/* A third of the columns, drawn anew; more as long as none has different values. */
static bool find_split(split *best, grower *g, size_t first, size_t end)
{
    const size_t columns = g->fit->columns, wanted = columns < 3 ? 1 : columns / 3;
    size_t tried = 0;
    best->gain = -1.0;
    best->column = UINT32_MAX;
    for (size_t i = 0; i < columns && tried < wanted; i++) {
        const size_t at = i + eex_rng_below(&g->rng, columns - i);
        const uint32_t column = g->columns[at];
        g->columns[at] = g->columns[i];
        g->columns[i] = column;
        tried += try_column(best, g, column, first, end);
    }
    return best->column != UINT32_MAX;
}

/* Samples that go left come first; returns where the others begin. */
static size_t part(grower *g, const split *s, size_t first, size_t end)
{
    size_t middle = first;
    for (size_t i = first; i < end; i++) {
        const uint32_t sample = g->samples[i];
        if (value_of(g, i, s->column) > s->threshold)
            continue;
        g->samples[i] = g->samples[middle];
        g->samples[middle++] = sample;
    }
    return middle;
}

static void make_leaf(grower *g, tree *t, uint32_t at, size_t first, size_t end, uint32_t depth)
{
    double sum = 0.0;
    for (size_t i = first; i < end; i++)
        sum += g->fit->y[g->samples[i]];
    g->out->nodes[t->first + at] = (node){INFINITY, 0, at};
    g->out->values[t->first + at] = sum / (double)(end - first);
    t->depth = depth > t->depth ? depth : t->depth;
}

/* What is still to be split: a list, for a tree may be as deep as it has samples. */
typedef struct task {
    size_t first, end;
    uint32_t at, depth;
} task;

static void grow_tree(grower *g, tree *t, task *tasks)
{
    size_t open = 0;
    t->nodes = 1;
    tasks[open++] = (task){0, g->fit->n, 0, 0};
    while (open > 0) {
        const task now = tasks[--open];
        split s;
        make_leaf(g, t, now.at, now.first, now.end, now.depth);
        if (now.end - now.first < 2 || !find_split(&s, g, now.first, now.end))
            continue;
        const size_t middle = part(g, &s, now.first, now.end);
        g->out->nodes[t->first + now.at] = (node){s.threshold, s.column, t->nodes};
        tasks[open++] = (task){now.first, middle, t->nodes, now.depth + 1};
        tasks[open++] = (task){middle, now.end, t->nodes + 1, now.depth + 1};
        t->nodes += 2;
    }
}

/* Room for a tree of n samples. */
static int reserve(forest *f, size_t n)
{
    const size_t wanted = f->count + 2 * n;
    if (wanted <= f->capacity)
        return EEX_OK;
    const size_t capacity = 2 * wanted;
    node *nodes = realloc(f->nodes, capacity * sizeof *nodes);
    if (nodes)
        f->nodes = nodes;
    double *values = realloc(f->values, capacity * sizeof *values);
    if (values)
        f->values = values;
    if (!nodes || !values)
        return eex_fail(EEX_ENOMEM, "out of memory: no forest of %zu values", n);
    f->capacity = capacity;
    return EEX_OK;
}

static int grow(grower *g, task *tasks)
{
    const size_t n = g->fit->n;
    for (size_t c = 0; c < g->fit->columns; c++)
        g->columns[c] = (uint32_t)c;
    for (size_t t = 0; t < TREES; t++) {
        EEX_TRY(reserve(g->out, n));
        eex_rng_seed(&g->rng, g->fit->seed, t);
        for (size_t i = 0; i < n; i++)
            g->samples[i] = (uint32_t)i;
        g->out->trees[t].first = (uint32_t)g->out->count;
        grow_tree(g, &g->out->trees[t], tasks);
        g->out->count += g->out->trees[t].nodes;
    }
    return EEX_OK;
}

static void free_model(void *memory)
{
    forest *f = memory;
    if (!f)
        return;
    free(f->nodes);
    free(f->values);
    free(f);
}

static int fit_model(void **out, const eex__fit *fit)
{
    const size_t n = fit->n;
    grower g = {.fit = fit, .out = calloc(1, sizeof *g.out)};
    task *tasks = malloc((n + 1) * sizeof *tasks);
    g.samples = malloc(n * sizeof *g.samples);
    g.columns = malloc((fit->columns + 1) * sizeof *g.columns);
    int code = g.out && tasks && g.samples && g.columns
                   ? EEX_OK
                   : eex_fail(EEX_ENOMEM, "out of memory: no forest of %zu values", n);
    if (code == EEX_OK) {
        g.out->columns = fit->columns;
        code = grow(&g, tasks);
    }
    free(tasks);
    free(g.samples);
    free(g.columns);
    if (code == EEX_OK)
        *out = g.out;
    else
        free_model(g.out);
    return code;
}

static int predict(double *y, const void *memory, const double *x, size_t rows)
{
    const forest *f = memory;
    memset(y, 0, rows * sizeof *y);
    for (size_t t = 0; t < TREES; t++) {
        const node *nodes = f->nodes + f->trees[t].first;
        const double *values = f->values + f->trees[t].first;
        uint32_t at[EEX__BLOCK] = {0};
        for (uint32_t step = 0; step < f->trees[t].depth; step++)
            for (size_t i = 0; i < rows; i++) {
                const node *here = &nodes[at[i]];
                at[i] = here->child + (x[i * f->columns + here->column] > here->threshold);
            }
        for (size_t i = 0; i < rows; i++)
            y[i] += values[at[i]] / TREES;
    }
    return EEX_OK;
}

const eex__surrogate_row eex__cart = {"cart", fit_model, predict, free_model};
