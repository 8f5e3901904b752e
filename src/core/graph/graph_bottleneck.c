#include "core/graph/bottleneck.h"
#include "core/graph/graph_impl.h"

#include "base/status.h"

#include <string.h>

/* Nothing that comes behind a node of the trunk but reads what is in front of it. */
static int check_narrow(const eex_graph *g, int node)
{
    for (int i = node + 1; i < g->node_count; i++)
        for (int j = 0; j < 2 && g->nodes[i].exit == EEX_TRUNK; j++)
            if (g->nodes[i].inputs[j] >= 0 && g->nodes[i].inputs[j] < node)
                return eex_fail(EEX_EINVAL,
                                "graph \"%s\": \"%s\" reads \"%s\" beside \"%s\": it can be parted "
                                "only where a single value passes",
                                g->name, g->nodes[i].name, g->nodes[g->nodes[i].inputs[j]].name,
                                g->nodes[node].name);
    return EEX_OK;
}

static int check_graph(const eex_graph *g)
{
    if (!g->finished || g->gene_count)
        return eex_fail(EEX_EINVAL, "graph \"%s\" is %s: a network of one shape is expected",
                        g->name, g->finished ? "elastic" : "not finished");
    return EEX_OK;
}

/* ---- the autoencoder ---- */

static int add_norm(eex_graph *g, int *id, const char *norm, const char *name, eex_act act)
{
    EEX_TRY(eex_graph_add_batch_norm(g, id, *id, norm));
    return act == EEX_ACT_NONE ? EEX_OK : eex_graph_add_act(g, id, *id, name, act);
}

static int add_encoder(eex_graph *g, int *id, int bits)
{
    const eex_conv_options conv = {.out = g->nodes[*id].c / 4, .kernel = 3, .stride = 2, .pad = 1};
    EEX_TRY(eex_graph_block(g, "bottleneck"));
    EEX_TRY(eex_graph_add_conv(g, id, *id, "bottleneck.encoder.conv", &conv));
    EEX_TRY(add_norm(g, id, "bottleneck.encoder.bn", "bottleneck.encoder.act", EEX_ACT_RELU));
    return bits ? eex_graph_add_quantise(g, id, *id, "bottleneck.quantise", bits) : EEX_OK;
}

static int add_decoder(eex_graph *g, int *id, eex_act act)
{
    const eex_conv_options conv = {.out = 16 * g->nodes[*id].c, .kernel = 1};
    EEX_TRY(eex_graph_block(g, "bottleneck"));
    EEX_TRY(eex_graph_add_conv(g, id, *id, "bottleneck.decoder.conv", &conv));
    EEX_TRY(add_norm(g, id, "bottleneck.decoder.bn", "bottleneck.decoder.act", act));
    return eex_graph_add_depth_to_space(g, id, *id, "bottleneck.decoder.pixels");
}

static int check_point(const eex_graph *g, int bits)
{
    EEX_TRY(check_graph(g));
    if (g->exit_count < 2)
        return eex_fail(EEX_EINVAL, "graph \"%s\" has no early exit to be cut behind", g->name);
    if (eex_graph_find(g, "bottleneck.encoder.conv") >= 0)
        return eex_fail(EEX_EINVAL, "graph \"%s\" has a bottleneck already", g->name);
    if (bits < 0 || bits > 8)
        return eex_fail(EEX_EINVAL, "a bottleneck of %d bits: expected 1 to 8, 0: none", bits);
    const int point = g->exits[g->exit_count - 2].point;
    const eex_node *n = &g->nodes[point];
    if (n->h % 2 || n->w % 2 || n->c % 4)
        return eex_fail(EEX_EINVAL,
                        "a bottleneck behind \"%s\" of %d x %d x %d: half its height and width and "
                        "a quarter of its channels must be whole numbers; an earlier last exit "
                        "(`eex prune` keeps those in front) has a larger image",
                        n->name, n->h, n->w, n->c);
    return check_narrow(g, point);
}

/* ---- copies ---- */

/* The graph in the making; `map` gives each node of `from` its id there. */
typedef struct copy {
    const eex_graph *from;
    eex_graph *to;
    int map[EEX_MAX_NODES];
} copy;

/* `beside`: what nodes of the trunk read instead of `point`, which others go on reading. */
static int copy_node(copy *c, int id, int exit, int point, int beside)
{
    eex_node n = c->from->nodes[id];
    for (int j = 0; j < 2; j++)
        if (n.inputs[j] >= 0)
            n.inputs[j] =
                n.inputs[j] == point && n.exit == EEX_TRUNK ? beside : c->map[n.inputs[j]];
    n.exit = exit;
    return eex__graph_append(c->to, &c->map[id], &n);
}

static int copy_with_bottleneck(copy *c, int bits)
{
    const eex_graph *from = c->from;
    const int point = from->exits[from->exit_count - 2].point;
    const eex_node *value = &from->nodes[point];
    const eex_act act =
        value->kind == EEX_NODE_ACT && eex_act_fuses(value->act) ? value->act : EEX_ACT_NONE;
    int code = -1, decoded = -1;
    for (int i = 1; i < from->node_count; i++) {
        const bool behind = i > point && from->nodes[i].exit == EEX_TRUNK;
        if (behind && decoded < 0) {
            decoded = code;
            EEX_TRY(add_decoder(c->to, &decoded, act));
        }
        EEX_TRY(copy_node(c, i, from->nodes[i].exit, behind ? point : -1, decoded));
        if (i == point) {
            code = c->map[i];
            EEX_TRY(add_encoder(c->to, &code, bits));
        }
    }
    for (int k = 0; k < from->exit_count; k++)
        c->to->exits[k] = (eex_exit){.point = c->map[from->exits[k].point],
                                     .blocks = from->exits[k].blocks,
                                     .logits = c->map[from->exits[k].logits]};
    c->to->exit_count = from->exit_count;
    return EEX_OK;
}

static int copy_behind(copy *c, int node)
{
    const eex_graph *from = c->from;
    const int end = from->exits[from->exit_count - 1].logits;
    for (int i = 1; i <= end; i++)
        if (from->nodes[i].exit == EEX_TRUNK)
            EEX_TRY(copy_node(c, i, i <= node ? EEX_TRUNK : 0, -1, -1));
    c->to->exits[0] = (eex_exit){.point = c->map[node], .blocks = 1, .logits = c->map[end]};
    c->to->exit_count = 1;
    return EEX_OK;
}

static int begin(copy *c, const eex_graph *from)
{
    const eex_node *input = &from->nodes[0];
    memset(c->map, 0, sizeof c->map);
    c->from = from;
    EEX_TRY(eex_graph_new(&c->to, from->name, input->h, input->w, input->c));
    c->to->classes = from->classes;
    return EEX_OK;
}

static int end(eex_graph **out, copy *c, int code)
{
    if (code == EEX_OK)
        code = eex__graph_freeze(c->to);
    if (code == EEX_OK)
        code = eex__graph_check(c->to);
    if (code == EEX_OK)
        *out = c->to;
    else
        eex_graph_free(c->to);
    return code;
}

int eex_graph_with_bottleneck(eex_graph **out, const eex_graph *graph, int bits)
{
    copy c;
    EEX_TRY(check_point(graph, bits));
    EEX_TRY(begin(&c, graph));
    return end(out, &c, copy_with_bottleneck(&c, bits));
}

int eex_graph_behind(eex_graph **out, const eex_graph *graph, int node)
{
    copy c;
    EEX_TRY(check_graph(graph));
    if (!eex_graph_gateable(graph, node))
        return eex_fail(EEX_EINVAL, "graph \"%s\": node %d is no feature map of the trunk",
                        graph->name, node);
    EEX_TRY(check_narrow(graph, node));
    EEX_TRY(begin(&c, graph));
    return end(out, &c, copy_behind(&c, node));
}
