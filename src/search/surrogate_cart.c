/* A random forest. Columns hold few different values (options of genes), so samples are counted by
 * the rank of their value, and a split is looked for among the ranks. */
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

typedef struct bin {
    double count, sum;
} bin;

typedef struct grower {
    const eex__fit *fit;
    forest *out;
    uint32_t *ranks;   /* (columns, n): which of the column's values a sample has */
    double *levels;    /* (columns, n): a column's values, ascending */
    uint32_t *samples; /* (n): those of a node lie together */
    uint32_t *columns; /* (columns): in the order of trying */
    bin *bins;         /* (n) */
    eex_rng rng;
} grower;

static int compare_doubles(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static uint32_t rank_of(const double *levels, size_t count, double value)
{
    size_t low = 0, high = count;
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        if (levels[middle] <= value)
            low = middle;
        else
            high = middle;
    }
    return (uint32_t)low;
}

static void rank_column(grower *g, size_t column)
{
    const eex__fit *fit = g->fit;
    double *levels = g->levels + column * fit->n;
    size_t count = 0;
    for (size_t i = 0; i < fit->n; i++)
        levels[i] = fit->x[i * fit->columns + column];
    qsort(levels, fit->n, sizeof *levels, compare_doubles);
    for (size_t i = 0; i < fit->n; i++)
        if (i == 0 || levels[i] > levels[count - 1])
            levels[count++] = levels[i];
    for (size_t i = 0; i < fit->n; i++)
        g->ranks[column * fit->n + i] = rank_of(levels, count, fit->x[i * fit->columns + column]);
}

typedef struct split {
    uint32_t column, rank; /* samples up to this rank go left */
    double gain, threshold;
} split;

/* Counts the samples of a node by rank; returns the range of ranks that are there. */
static void count(uint32_t range[2], grower *g, size_t column, size_t first, size_t end)
{
    const uint32_t *ranks = g->ranks + column * g->fit->n;
    range[0] = UINT32_MAX;
    range[1] = 0;
    for (size_t i = first; i < end; i++) {
        const uint32_t rank = ranks[g->samples[i]];
        range[0] = rank < range[0] ? rank : range[0];
        range[1] = rank > range[1] ? rank : range[1];
    }
    memset(g->bins + range[0], 0, (range[1] - range[0] + 1) * sizeof *g->bins);
    for (size_t i = first; i < end; i++) {
        bin *b = &g->bins[ranks[g->samples[i]]];
        b->count += 1.0;
        b->sum += g->fit->y[g->samples[i]];
    }
}

/* Improves `best` by a column: most reduction of squares, that is most of sum^2 / count in both
 * parts. False when all its values are alike. */
static bool try_column(split *best, grower *g, uint32_t column, size_t first, size_t end)
{
    uint32_t range[2], last;
    double left = 0.0, left_sum = 0.0, sum = 0.0;
    const double n = (double)(end - first);
    const double *levels = g->levels + column * g->fit->n;
    count(range, g, column, first, end);
    for (uint32_t r = range[0]; r <= range[1]; r++)
        sum += g->bins[r].sum;
    last = range[0];
    for (uint32_t r = range[0]; r <= range[1]; r++) {
        if (g->bins[r].count == 0.0)
            continue;
        const double rest = sum - left_sum;
        const double gain =
            left > 0.0 ? left_sum * left_sum / left + rest * rest / (n - left) - sum * sum / n
                       : -1.0;
        if (gain > best->gain)
            *best = (split){column, last, gain, 0.5 * (levels[last] + levels[r])};
        left += g->bins[r].count;
        left_sum += g->bins[r].sum;
        last = r;
    }
    return range[0] < range[1];
}

/* A third of the columns, drawn anew; more as long as none has different values. */
static bool find_split(split *best, grower *g, size_t first, size_t end)
{
    const size_t columns = g->fit->columns, wanted = columns < 3 ? 1 : columns / 3;
    size_t tried = 0;
    best->gain = 1e-12;
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
    const uint32_t *ranks = g->ranks + s->column * g->fit->n;
    size_t middle = first;
    for (size_t i = first; i < end; i++) {
        const uint32_t sample = g->samples[i];
        if (ranks[sample] > s->rank)
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
    for (size_t c = 0; c < g->fit->columns; c++) {
        rank_column(g, c);
        g->columns[c] = (uint32_t)c;
    }
    for (size_t t = 0; t < TREES; t++) {
        EEX_TRY(reserve(g->out, n));
        eex_rng_seed(&g->rng, g->fit->seed, t);
        for (size_t i = 0; i < n; i++)
            g->samples[i] = (uint32_t)eex_rng_below(&g->rng, n);
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
    const size_t n = fit->n, cells = n * fit->columns + 1;
    grower g = {.fit = fit, .out = calloc(1, sizeof *g.out)};
    task *tasks = malloc((n + 1) * sizeof *tasks);
    g.ranks = malloc(cells * sizeof *g.ranks);
    g.levels = malloc(cells * sizeof *g.levels);
    g.samples = malloc(n * sizeof *g.samples);
    g.columns = malloc((fit->columns + 1) * sizeof *g.columns);
    g.bins = malloc(n * sizeof *g.bins);
    int code = g.out && tasks && g.ranks && g.levels && g.samples && g.columns && g.bins
                   ? EEX_OK
                   : eex_fail(EEX_ENOMEM, "out of memory: no forest of %zu values", n);
    if (code == EEX_OK) {
        g.out->columns = fit->columns;
        code = grow(&g, tasks);
    }
    free(tasks);
    free(g.ranks);
    free(g.levels);
    free(g.samples);
    free(g.columns);
    free(g.bins);
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
