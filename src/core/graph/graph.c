#include "core/graph/graph.h"

#include "core/graph/graph_impl.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

/* ---- growing ---- */

void *eex__graph_grown(void *items, int *capacity, int count, size_t size)
{
    if (count < *capacity)
        return items;
    int wider = *capacity ? 2 * *capacity : 64;
    void *moved = realloc(items, (size_t)wider * size);
    if (moved)
        *capacity = wider;
    else
        eex_fail(EEX_ENOMEM, "graph: out of memory for %d entries", wider);
    return moved;
}

int eex__graph_name_copy(char out[EEX_NAME_MAX], const char *name, const char *what)
{
    size_t length = strlen(name);
    if (length >= EEX_NAME_MAX)
        return eex_fail(EEX_EINVAL, "%s \"%.40s...\": names have at most %d bytes, this one %zu",
                        what, name, EEX_NAME_MAX - 1, length);
    memcpy(out, name, length + 1);
    return EEX_OK;
}

int eex__graph_add_param(eex_graph *g, const eex_node *node, const char *suffix, int rank,
                         const int shape[4], bool trainable, bool decay)
{
    eex_param *params =
        eex__graph_grown(g->params, &g->param_capacity, g->param_count, sizeof *params);
    if (!params)
        return EEX_ENOMEM;
    g->params = params;
    eex_param *p = &params[g->param_count++];
    *p = (eex_param){.rank = rank, .trainable = trainable, .decay = decay};
    size_t length = strlen(node->name), tail = strlen(suffix);
    memcpy(p->name, node->name, length);
    p->name[length] = '.';
    memcpy(p->name + length + 1, suffix, tail + 1);
    memcpy(p->shape, shape, sizeof p->shape);
    return EEX_OK;
}

static int check_node(const eex_graph *g, const eex_node *node)
{
    if (g->finished)
        return eex_fail(EEX_EINVAL, "graph \"%s\" is finished: \"%s\" cannot be added", g->name,
                        node->name);
    if (!*node->name)
        return eex_fail(EEX_EINVAL, "graph \"%s\": a %s node has an empty name", g->name,
                        eex_node_kind_name(node->kind));
    if (node->name[strspn(node->name, EEX__NAME_CHARACTERS)])
        return eex_fail(EEX_EINVAL,
                        "graph \"%s\": the name \"%s\" has more than letters, digits, '.', '_' and "
                        "'-'",
                        g->name, node->name);
    if (eex_graph_find(g, node->name) >= 0)
        return eex_fail(EEX_EINVAL, "graph \"%s\" has a node \"%s\" already: names must be unique",
                        g->name, node->name);
    if (g->node_count == EEX_MAX_NODES)
        return eex_fail(EEX_EINVAL, "graph \"%s\" has more than %d nodes", g->name, EEX_MAX_NODES);
    if ((int64_t)node->h * node->w * node->c > EEX__MAX_ELEMENTS)
        return eex_fail(EEX_EINVAL, "\"%s\": an output of %d x %d x %d exceeds %d elements",
                        node->name, node->h, node->w, node->c, EEX__MAX_ELEMENTS);
    return EEX_OK;
}

int eex__graph_append(eex_graph *g, int *out, const eex_node *node)
{
    if (!out)
        return eex_fail(EEX_EINVAL, "\"%s\": no place for its value's number (NULL)", node->name);
    EEX_TRY(check_node(g, node));
    eex_node *nodes = eex__graph_grown(g->nodes, &g->node_capacity, g->node_count, sizeof *nodes);
    if (!nodes)
        return EEX_ENOMEM;
    g->nodes = nodes;
    const eex__kind *kind = eex__kind_of(node->kind);
    int first = g->param_count;
    int code = kind->params ? kind->params(g, node) : EEX_OK;
    if (code < 0) {
        g->param_count = first;
        return code;
    }
    eex_node *added = &nodes[g->node_count];
    *added = *node;
    added->first_param = first;
    added->params = g->param_count - first - node->transforms;
    *out = g->node_count++;
    return EEX_OK;
}

/* ---- building ---- */

int eex_graph_new(eex_graph **out, const char *name, int height, int width, int channels)
{
    EEX_NEED(out, "place for the graph");
    EEX_NEED(name, "name");
    if (height < 1 || width < 1 || height > EEX__MAX_SIDE || width > EEX__MAX_SIDE)
        return eex_fail(EEX_EINVAL, "graph \"%s\": images have 1..%d pixels a side, not %d x %d",
                        name, EEX__MAX_SIDE, height, width);
    if (channels < 1 || channels > EEX__MAX_CHANNELS)
        return eex_fail(EEX_EINVAL, "graph \"%s\": images have 1..%d channels, not %d", name,
                        EEX__MAX_CHANNELS, channels);
    eex_graph *g = calloc(1, sizeof *g);
    if (!g)
        return eex_fail(EEX_ENOMEM, "graph \"%s\": out of memory", name);
    eex_node input = {.kind = EEX_NODE_INPUT,
                      .name = "input",
                      .inputs = {-1, -1},
                      .h = height,
                      .w = width,
                      .c = channels,
                      .exit = EEX_TRUNK,
                      .out_choice = -1,
                      .kernel_choice = -1,
                      .gene = -1};
    int id, code = eex__graph_name_copy(g->name, name, "graph");
    g->exit = EEX_TRUNK;
    g->gene = g->size_gene = -1;
    if (code == EEX_OK)
        code = eex__graph_append(g, &id, &input);
    if (code < 0) {
        eex_graph_free(g);
        return code;
    }
    *out = g;
    return EEX_OK;
}

size_t eex_graph_bytes(const eex_graph *g)
{
    return g ? sizeof *g + (size_t)g->node_capacity * sizeof *g->nodes +
                   (size_t)g->param_capacity * sizeof *g->params +
                   (size_t)g->gene_capacity * sizeof *g->genes +
                   (size_t)g->choice_capacity * sizeof *g->choices
             : 0;
}

void eex_graph_free(eex_graph *g)
{
    if (!g)
        return;
    free(g->nodes);
    free(g->params);
    free(g->genes);
    free(g->choices);
    free(g);
}

int eex_graph_block(eex_graph *g, const char *block)
{
    EEX_NEED(g, "graph");
    EEX_NEED(block, "name");
    if (g->finished)
        return eex_fail(EEX_EINVAL, "graph \"%s\" is finished: no block can begin", g->name);
    return eex__graph_name_copy(g->block, block, "block");
}

int eex_graph_zero_start(eex_graph *g, int node)
{
    EEX_NEED(g, "graph");
    if (g->finished)
        return eex_fail(EEX_EINVAL, "graph \"%s\" is finished", g->name);
    if (node < 0 || node >= g->node_count || g->nodes[node].kind != EEX_NODE_BATCH_NORM)
        return eex_fail(EEX_EINVAL, "graph \"%s\": value %d is not a batch norm's", g->name, node);
    g->nodes[node].zero_start = true;
    return EEX_OK;
}

int eex_graph_functional(eex_graph *g, int node)
{
    EEX_NEED(g, "graph");
    if (g->finished)
        return eex_fail(EEX_EINVAL, "graph \"%s\" is finished", g->name);
    if (node < 0 || node >= g->node_count)
        return eex_fail(EEX_EINVAL, "graph \"%s\" has no value %d", g->name, node);
    g->nodes[node].functional = true;
    return EEX_OK;
}

int eex_graph_init_std(eex_graph *g, int node, float std)
{
    EEX_NEED(g, "graph");
    if (g->finished)
        return eex_fail(EEX_EINVAL, "graph \"%s\" is finished", g->name);
    if (node < 0 || node >= g->node_count || g->nodes[node].kind != EEX_NODE_LINEAR)
        return eex_fail(EEX_EINVAL, "graph \"%s\": value %d is not a linear node's", g->name, node);
    if (!(std >= 0 && std <= 100))
        return eex_fail(EEX_EINVAL, "\"%s\": init_std must be within 0..100, not %g",
                        g->nodes[node].name, (double)std);
    g->nodes[node].init_std = std;
    return EEX_OK;
}

void eex_graph_ancestors(eex_node_set *set, const eex_graph *g, int id)
{
    eex_node_set_add(set, id);
    for (int i = id; i >= 0; i--) { /* inputs come before the nodes that read them */
        if (!eex_node_set_has(set, i))
            continue;
        for (int j = 0; j < 2; j++)
            if (g->nodes[i].inputs[j] >= 0)
                eex_node_set_add(set, g->nodes[i].inputs[j]);
    }
}

int eex__graph_freeze(eex_graph *g)
{
    eex_node_set used = {0};
    for (int k = 0; k < g->exit_count; k++)
        eex_graph_ancestors(&used, g, g->exits[k].logits);
    for (int i = 0; i < g->node_count; i++)
        if (!eex_node_set_has(&used, i))
            return eex_fail(EEX_EINVAL, "graph \"%s\": the output of \"%s\" is not used", g->name,
                            g->nodes[i].name);
    EEX_TRY(eex__genomes_check(g));
    g->finished = true;
    return EEX_OK;
}

int eex_graph_finish(eex_graph *g, int logits)
{
    EEX_NEED(g, "graph");
    if (g->finished)
        return eex_fail(EEX_EINVAL, "graph \"%s\" is finished already", g->name);
    if (logits < 1 || logits >= g->node_count)
        return eex_fail(EEX_EINVAL, "graph \"%s\" has no value %d to end with", g->name, logits);
    const eex_node *end = &g->nodes[logits];
    if (end->h != 1 || end->w != 1 || end->c < 2)
        return eex_fail(EEX_EINVAL,
                        "graph \"%s\" ends with \"%s\" of %d x %d x %d, not with the scores of at "
                        "least 2 classes (1 x 1 x classes)",
                        g->name, end->name, end->h, end->w, end->c);
    g->exits[0] = (eex_exit){.point = logits, .blocks = -1, .logits = logits};
    g->exit_count = 1;
    g->classes = end->c;
    int code = eex__graph_freeze(g);
    if (code < 0)
        g->exit_count = 0;
    return code;
}

/* ---- looking ---- */

bool eex_graph_gateable(const eex_graph *g, int id)
{
    if (!g || id < 1 || id >= g->node_count)
        return false;
    eex_node_set maps = {0};
    for (int i = 0; i <= id; i++) {
        const eex_node *n = &g->nodes[i];
        const int second = n->kind == EEX_NODE_SCALE ? -1 : n->inputs[1]; /* factors are no map */
        if (n->exit == EEX_TRUNK && eex__kind_of(n->kind)->map &&
            (n->inputs[0] < 0 || eex_node_set_has(&maps, n->inputs[0])) &&
            (second < 0 || eex_node_set_has(&maps, second)))
            eex_node_set_add(&maps, i);
    }
    return eex_node_set_has(&maps, id);
}

const char *eex_graph_name(const eex_graph *g)
{
    return g ? g->name : "";
}

int eex_graph_nodes(const eex_graph *g)
{
    return g ? g->node_count : 0;
}

const eex_node *eex_graph_node(const eex_graph *g, int id)
{
    return g && id >= 0 && id < g->node_count ? &g->nodes[id] : NULL;
}

int eex_graph_find(const eex_graph *g, const char *name)
{
    for (int i = 0; g && name && i < g->node_count; i++)
        if (strcmp(g->nodes[i].name, name) == 0)
            return i;
    return -1;
}

int eex_graph_classes(const eex_graph *g)
{
    return g ? g->classes : 0;
}

int eex_graph_exits(const eex_graph *g)
{
    return g ? g->exit_count : 0;
}

const eex_exit *eex_graph_exit(const eex_graph *g, int k)
{
    return g && k >= 0 && k < g->exit_count ? &g->exits[k] : NULL;
}

int eex_graph_params(const eex_graph *g)
{
    return g ? g->param_count : 0;
}

const eex_param *eex_graph_param(const eex_graph *g, int i)
{
    return g && i >= 0 && i < g->param_count ? &g->params[i] : NULL;
}

size_t eex_param_count(const eex_param *p)
{
    size_t count = p ? 1 : 0;
    for (int i = 0; p && i < p->rank; i++)
        count *= (size_t)p->shape[i];
    return count;
}

int64_t eex_graph_param_total(const eex_graph *g)
{
    int64_t total = 0;
    for (int i = 0; i < eex_graph_params(g); i++)
        if (g->params[i].trainable)
            total += (int64_t)eex_param_count(&g->params[i]);
    return total;
}

int eex_graph_layers(const eex_graph *g)
{
    return g ? g->node_count - 1 : 0; /* the output is no node of ours, the input is */
}
