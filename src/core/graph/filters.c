#include "core/graph/filters.h"

#include "core/graph/graph_impl.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>

/* ---- groups ---- */

/* Values that have the same channels are a tree by their parents. */
typedef struct finding {
    const eex_graph *g;
    int end;      /* the last node whose filters may go */
    int *parent;  /* (nodes) */
    bool *fixed;  /* (nodes) of a root: its channels are all kept */
    bool *filter; /* (nodes) of a root: a convolution makes them */
} finding;

static int root_of(const finding *f, int node)
{
    while (f->parent[node] != node)
        node = f->parent[node];
    return node;
}

static void join(finding *f, int a, int b)
{
    const int x = root_of(f, a), y = root_of(f, b);
    if (x == y)
        return;
    f->parent[y] = x;
    f->fixed[x] = f->fixed[x] || f->fixed[y];
    f->filter[x] = f->filter[x] || f->filter[y];
}

static void fix(finding *f, int node)
{
    f->fixed[root_of(f, node)] = true;
}

static void look_at_conv(finding *f, int id)
{
    const eex_node *n = eex_graph_node(f->g, id);
    if (eex__node_depthwise(n)) {
        join(f, n->inputs[0], id);
    } else if (n->window.groups > 1) {
        fix(f, id);
        fix(f, n->inputs[0]);
    }
    f->filter[root_of(f, id)] = true;
    if (id > f->end)
        fix(f, id);
}

static void look_at(finding *f, int id)
{
    const eex_node *n = eex_graph_node(f->g, id);
    switch (n->kind) {
    case EEX_NODE_CONV:
        look_at_conv(f, id);
        return;
    case EEX_NODE_INPUT:
    case EEX_NODE_LINEAR:
        fix(f, id);
        return;
    case EEX_NODE_CONCAT:
    case EEX_NODE_DEPTH_TO_SPACE:
    case EEX_NODE_QUANTISE:
        fix(f, id);
        for (int j = 0; j < 2; j++)
            if (n->inputs[j] >= 0)
                fix(f, n->inputs[j]);
        return;
    default:
        for (int j = 0; j < 2; j++)
            if (n->inputs[j] >= 0)
                join(f, n->inputs[j], id);
    }
}

static void look_at_all(finding *f)
{
    const int nodes = eex_graph_nodes(f->g);
    for (int i = 0; i < nodes; i++)
        f->parent[i] = i;
    for (int i = 0; i < nodes; i++)
        look_at(f, i);
    for (int k = 0; k < eex_graph_exits(f->g); k++)
        fix(f, eex_graph_exit(f->g, k)->logits);
}

/* A root's own channels are those of its group: what flattens them comes later, and joins. */
static int add_group(eex_filters *out, const finding *f, int root)
{
    const int channels = eex_graph_node(f->g, root)->c;
    eex_filter_group *g = &out->of[out->count];
    *g = (eex_filter_group){.channels = channels, .count = channels};
    g->kept = malloc((size_t)channels * sizeof *g->kept);
    if (!g->kept)
        return eex_fail(EEX_ENOMEM, "out of memory for %d filters", channels);
    for (int c = 0; c < channels; c++)
        g->kept[c] = c;
    out->group[root] = out->count++;
    return EEX_OK;
}

static int number_groups(eex_filters *out, const finding *f)
{
    const int nodes = eex_graph_nodes(f->g);
    for (int i = 0; i < nodes; i++) {
        out->group[i] = -1;
        if (root_of(f, i) == i && !f->fixed[i] && f->filter[i])
            EEX_TRY(add_group(out, f, i));
    }
    for (int i = 0; i < nodes; i++)
        out->group[i] = out->group[root_of(f, i)];
    return EEX_OK;
}

static int find(eex_filters *out, const eex_graph *graph, int exit)
{
    const size_t nodes = (size_t)eex_graph_nodes(graph);
    finding f = {.g = graph, .end = eex_graph_exit(graph, exit)->logits};
    out->group = calloc(nodes, sizeof *out->group);
    out->of = calloc(nodes, sizeof *out->of);
    f.parent = calloc(nodes, sizeof *f.parent);
    f.fixed = calloc(nodes, sizeof *f.fixed);
    f.filter = calloc(nodes, sizeof *f.filter);
    int code = EEX_OK;
    if (!out->group || !out->of || !f.parent || !f.fixed || !f.filter)
        code = eex_fail(EEX_ENOMEM, "out of memory for filters of %zu nodes", nodes);
    if (code == EEX_OK) {
        look_at_all(&f);
        code = number_groups(out, &f);
    }
    free(f.parent);
    free(f.fixed);
    free(f.filter);
    return code;
}

int eex_filters_new(eex_filters **out, const eex_graph *graph, int exit)
{
    EEX_NEED(out, "place for filters");
    *out = NULL;
    EEX_NEED(graph, "graph");
    if (!eex_graph_exit(graph, exit))
        return eex_fail(EEX_EINVAL, "graph \"%s\" has no exit %d: there are 0 to %d",
                        eex_graph_name(graph), exit, eex_graph_exits(graph) - 1);
    if (eex_graph_genes(graph))
        return eex_fail(EEX_EINVAL, "graph \"%s\" is elastic: filters go of one of its networks",
                        eex_graph_name(graph));
    eex_filters *f = calloc(1, sizeof *f);
    if (!f)
        return eex_fail(EEX_ENOMEM, "out of memory for filters");
    const int code = find(f, graph, exit);
    if (code < 0) {
        eex_filters_free(f);
        return code;
    }
    *out = f;
    return EEX_OK;
}

void eex_filters_free(eex_filters *f)
{
    if (!f)
        return;
    for (int i = 0; i < f->count; i++)
        free(f->of[i].kept);
    free(f->of);
    free(f->group);
    free(f);
}

/* ---- pruning ---- */

static int smallest(const eex_filter_group *g, const double *norm)
{
    int at = 0;
    for (int i = 1; i < g->count; i++)
        if (norm[g->kept[i]] < norm[g->kept[at]])
            at = i;
    return at;
}

int eex_filters_prune(eex_filters *f, int group, const double *norm, double share)
{
    EEX_NEED(f, "filters");
    EEX_NEED(norm, "norms");
    if (group < 0 || group >= f->count || !(share >= 0 && share <= 1))
        return eex_fail(EEX_EINVAL,
                        "a share of %g of the filters of group %d: 0 to 1, of %d groups", share,
                        group, f->count);
    eex_filter_group *g = &f->of[group];
    const int least = g->channels - (int)floor(share * g->channels + 1e-9);
    while (g->count > (least < 1 ? 1 : least)) {
        for (int i = smallest(g, norm); i < g->count - 1; i++)
            g->kept[i] = g->kept[i + 1];
        g->count--;
    }
    return EEX_OK;
}

void eex_filters_total(const eex_filters *f, int *all, int *gone)
{
    *all = *gone = 0;
    for (int i = 0; i < f->count; i++) {
        *all += f->of[i].channels;
        *gone += f->of[i].channels - f->of[i].count;
    }
}

/* ---- the network without them ---- */

/* Node by node, so numbers stay. */
static int add_node(eex_graph *to, const eex_graph *from, const eex_filters *f, int id)
{
    eex_node like = from->nodes[id];
    int at;
    if (like.kind == EEX_NODE_CONV && f->group[id] >= 0)
        like.window.cout = f->of[f->group[id]].count;
    if (eex__node_depthwise(&from->nodes[id]))
        like.window.cout = like.window.groups = to->nodes[like.inputs[0]].c;
    return eex__graph_add_like(to, &at, &like);
}

static int add_all(eex_graph *to, const eex_graph *from, const eex_filters *f)
{
    for (int i = 1; i < from->node_count; i++)
        EEX_TRY(add_node(to, from, f, i));
    for (int k = 0; k < from->exit_count; k++)
        to->exits[to->exit_count++] = from->exits[k];
    to->classes = from->classes;
    return eex__graph_freeze(to);
}

int eex_graph_narrow(eex_graph **out, const eex_graph *graph, const eex_filters *filters)
{
    EEX_NEED(out, "place for the graph");
    *out = NULL;
    EEX_NEED(graph, "graph");
    EEX_NEED(filters, "filters");
    const eex_node *input = &graph->nodes[0];
    EEX_TRY(eex_graph_new(out, graph->name, input->h, input->w, input->c));
    const int code = add_all(*out, graph, filters);
    if (code < 0) {
        eex_graph_free(*out);
        *out = NULL;
    }
    return code;
}
