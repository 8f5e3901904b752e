#include "core/graph/saliency.h"

#include "core/graph/cost.h"
#include "core/graph/elastic.h"
#include "core/graph/graph_impl.h"

#include "base/status.h"

#include <math.h>
#include <string.h>

enum { MAX_POINTS = sizeof((eex_points *)NULL)->nodes / sizeof(int) };

static int add_point(eex_points *p, const eex_graph *g, int node)
{
    if (p->count == MAX_POINTS)
        return eex_fail(EEX_EINVAL,
                        "graph \"%s\" has more than %d candidate points: use a narrower "
                        "saliency rule",
                        eex_graph_name(g), MAX_POINTS);
    p->nodes[p->count++] = node;
    return EEX_OK;
}

/* ---- places of an elastic graph ---- */

static bool same_shape(const eex_graph *g, int a, int b)
{
    const eex_node *x = eex_graph_node(g, a), *y = eex_graph_node(g, b);
    return x->h == y->h && x->w == y->w && x->c == y->c;
}

bool eex_saliency_alike(const eex_graph *g, int a, int b)
{
    return eex_graph_gateable(g, b) && same_shape(g, a, b);
}

static void keep_last_of_each(eex_points *points, const eex_graph *g, const eex_graph *smallest,
                              const int *value)
{
    bool taken[EEX_MAX_NODES] = {false};
    int first = points->count;
    for (int p = points->count - 1; p >= 0; p--) {
        const int node = points->nodes[p], at = value[node];
        const int place = eex_graph_find(g, eex_graph_node(smallest, at)->name);
        if (taken[at] || !eex_saliency_alike(g, node, place))
            continue;
        taken[at] = true;
        points->nodes[--first] = node;
    }
    points->count -= first;
    memmove(points->nodes, points->nodes + first, (size_t)points->count * sizeof *points->nodes);
}

static int keep_places(eex_points *points, const eex_graph *g)
{
    int genome[EEX_GENES], value[EEX_MAX_NODES];
    eex_graph *smallest = NULL;
    if (eex_graph_genes(g) == 0)
        return EEX_OK;
    eex_genome_smallest(g, genome);
    EEX_TRY(eex_graph_derive(&smallest, value, g, genome));
    keep_last_of_each(points, g, smallest, value);
    eex_graph_free(smallest);
    return EEX_OK;
}

/* ---- rules ---- */

/* The act that is the only reader of `id`, or `id` itself. */
static int after_act(const eex_graph *g, int id)
{
    int readers = 0, act = id;
    for (int i = id + 1; i < eex_graph_nodes(g); i++) {
        const eex_node *n = eex_graph_node(g, i);
        if (n->exit != EEX_TRUNK || (n->inputs[0] != id && n->inputs[1] != id))
            continue;
        readers++;
        if (n->kind == EEX_NODE_ACT)
            act = i;
    }
    return readers == 1 ? act : id;
}

int eex_saliency_residual_merges(eex_points *out, const eex_graph *g)
{
    out->count = 0;
    for (int i = 0; i < eex_graph_nodes(g); i++)
        if (eex_graph_node(g, i)->kind == EEX_NODE_ADD && eex_graph_gateable(g, i))
            EEX_TRY(add_point(out, g, after_act(g, i)));
    return keep_places(out, g);
}

/* The last gateable node of the block that begins at `id`; *next: where the following one begins.
 */
static int block_end(int *next, const eex_graph *g, int id)
{
    const char *block = eex_graph_node(g, id)->block;
    int end = -1;
    for (; id < eex_graph_nodes(g) && strcmp(eex_graph_node(g, id)->block, block) == 0; id++)
        if (eex_graph_gateable(g, id))
            end = id;
    *next = id;
    return end;
}

int eex_saliency_stage_ends(eex_points *out, const eex_graph *g)
{
    int previous = -1;
    out->count = 0;
    for (int i = 1; i < eex_graph_nodes(g);) {
        int end = block_end(&i, g, i);
        if (end < 0)
            continue;
        if (previous >= 0 && !same_shape(g, previous, end))
            EEX_TRY(add_point(out, g, previous));
        previous = end;
    }
    return keep_places(out, g);
}

int eex_saliency_all(eex_points *out, const eex_graph *g)
{
    out->count = 0;
    for (int i = 0; i < eex_graph_nodes(g); i++)
        if (eex_graph_gateable(g, i))
            EEX_TRY(add_point(out, g, i));
    return keep_places(out, g);
}

/* ---- ranking ---- */

static int default_count(const eex_graph *g)
{
    int count = 0;
    for (int layers = eex_graph_layers(g); layers > 1; layers /= 2)
        count++;
    return count;
}

/* The best that is not taken; ties go to the earlier one. */
static int best(const double *score, const bool *taken, int count)
{
    int found = -1;
    for (int i = 0; i < count; i++)
        if (!taken[i] && (found < 0 || score[i] > score[found]))
            found = i;
    return found;
}

int eex_saliency_top(eex_points *out, const eex_graph *g, const eex_points *from,
                     const double *score, int count)
{
    bool taken[MAX_POINTS] = {false};
    if (count < 0)
        return eex_fail(EEX_EINVAL, "saliency: count must not be negative (%d)", count);
    for (int i = 0; i < from->count; i++)
        if (isnan(score[i]))
            return eex_fail(EEX_EINVAL, "saliency: the score of \"%s\" is not a number",
                            eex_graph_node(g, from->nodes[i])->name);
    if (count == 0)
        count = default_count(g);
    for (int k = 0; k < count && k < from->count; k++)
        taken[best(score, taken, from->count)] = true;
    eex_points picked = {0};
    for (int i = 0; i < from->count; i++)
        if (taken[i])
            EEX_TRY(add_point(&picked, g, from->nodes[i]));
    *out = picked; /* may be `from` itself */
    return EEX_OK;
}

int eex_saliency_spacing(double *score, const eex_graph *g, const eex_points *from, int count)
{
    bool chosen[MAX_POINTS] = {false};
    double share[MAX_POINTS];
    const eex_exit *end = eex_graph_exit(g, eex_graph_exits(g) - 1);
    if (!end)
        return eex_fail(EEX_EINVAL, "saliency: graph \"%s\" is not finished", eex_graph_name(g));
    double whole = (double)eex_cost_trunk(g, end->logits, EEX_MACS);
    if (count <= 0)
        count = default_count(g);
    for (int i = 0; i < from->count; i++) {
        share[i] = (double)eex_cost_trunk(g, from->nodes[i], EEX_MACS) / (whole > 0 ? whole : 1);
        score[i] = 0;
    }
    for (int step = 1; step <= count && step <= from->count; step++) {
        double wanted = (double)step / (count + 1), near[MAX_POINTS];
        for (int i = 0; i < from->count; i++) {
            near[i] = 1 - fabs(share[i] - wanted);
            if (!chosen[i])
                score[i] = fmax(score[i], near[i]);
        }
        int i = best(near, chosen, from->count);
        chosen[i] = true;
        score[i] = 1 + near[i]; /* above whatever was not chosen */
    }
    return EEX_OK;
}

double eex_space_log2(int points, int choices)
{
    return points * log2(choices + 1.0);
}
