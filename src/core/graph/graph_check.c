/* Whether a graph that was put together node by node, as from a file, is one that gates on a
 * backbone, or cutting that, could have made. */
#include "core/graph/graph_impl.h"

#include "base/status.h"

/* The trunk knows nothing of its gates. */
static int check_trunk(const eex_graph *g)
{
    for (int i = 0; i < g->node_count; i++)
        for (int j = 0; j < 2 && g->nodes[i].exit == EEX_TRUNK; j++) {
            int in = g->nodes[i].inputs[j];
            if (in >= 0 && g->nodes[in].exit != EEX_TRUNK)
                return eex_fail(EEX_EFORMAT, "\"%s\" is of the trunk and reads \"%s\" of a gate",
                                g->nodes[i].name, g->nodes[in].name);
        }
    return EEX_OK;
}

/* A gate reads nothing but its point, and its nodes belong to the first exit that needs them. */
static int check_gate_node(const eex_graph *g, int k, int i, const eex_node_set *seen)
{
    const eex_node *n = &g->nodes[i];
    if (!eex_node_set_has(seen, i) && n->exit != k)
        return eex_fail(EEX_EFORMAT, "\"%s\" is needed by exit %d first and belongs to exit %d",
                        n->name, k, n->exit);
    for (int j = 0; j < 2; j++)
        if (n->inputs[j] >= 0 && g->nodes[n->inputs[j]].exit == EEX_TRUNK &&
            n->inputs[j] != g->exits[k].point)
            return eex_fail(EEX_EFORMAT, "\"%s\" of exit %d reads \"%s\" beside the exit's point",
                            n->name, k, g->nodes[n->inputs[j]].name);
    return EEX_OK;
}

/* The end of the backbone comes last, and no gate is on the way to it. */
static int check_end(const eex_graph *g, int k, int gate_nodes)
{
    const eex_exit *e = &g->exits[k];
    if (e->blocks >= 0)
        return gate_nodes && eex_graph_gateable(g, e->point)
                   ? EEX_OK
                   : eex_fail(EEX_EFORMAT, "exit %d is no gate on \"%s\"", k,
                              g->nodes[e->point].name);
    if (gate_nodes || k != g->exit_count - 1 || e->point != e->logits)
        return eex_fail(EEX_EFORMAT, "exit %d of %d, \"%s\", is not the end of the backbone", k,
                        g->exit_count, g->nodes[e->logits].name);
    return EEX_OK;
}

static int check_exit(const eex_graph *g, int k, eex_node_set *seen)
{
    eex_node_set above = {0};
    int gate_nodes = 0;
    eex_graph_ancestors(&above, g, g->exits[k].logits);
    for (int i = 0; i < g->node_count; i++) {
        if (!eex_node_set_has(&above, i) || g->nodes[i].exit == EEX_TRUNK)
            continue;
        EEX_TRY(check_gate_node(g, k, i, seen));
        eex_node_set_add(seen, i);
        gate_nodes++;
    }
    return check_end(g, k, gate_nodes);
}

int eex__graph_check(const eex_graph *g)
{
    eex_node_set seen = {0};
    EEX_TRY(check_trunk(g));
    for (int k = 0; k < g->exit_count; k++)
        EEX_TRY(check_exit(g, k, &seen));
    return EEX_OK;
}
