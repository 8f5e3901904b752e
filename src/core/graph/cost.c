#include "core/graph/cost.h"

#include "core/graph/graph_impl.h"

#include "base/status.h"

#include <string.h>

EEX_NAMES(eex_convention, eex_convention, EEX_CONVENTIONS, [EEX_MACS] = "macs",
          [EEX_PTFLOPS] = "ptflops", [EEX_THOP] = "thop", [EEX_TORCHPROFILE] = "torchprofile");

int eex_convention_parse(eex_convention *out, const char *name)
{
    EEX_NEED(out, "place for the convention");
    EEX_NEED(name, "name");
    const int found = eex_name_find(eex_convention_names(), name);
    char hint[EEX_NAMES_SIZE];
    if (found < 0)
        return eex_fail(EEX_EINVAL, "unknown cost convention \"%s\": %s", name,
                        eex_names_hint(hint, eex_convention_names(), name));
    *out = (eex_convention)found;
    return EEX_OK;
}

int64_t eex_cost_node(const eex_graph *g, int node, eex_convention c)
{
    const eex_node *n = (unsigned)c < EEX_CONVENTIONS ? eex_graph_node(g, node) : NULL;
    const eex__kind *kind = n ? eex__kind_of(n->kind) : NULL;
    return kind && kind->cost ? kind->cost(g, n, c) : 0;
}

/* Sums over the nodes of a set: those of the trunk, those of gates, or both. */
static int64_t sum(const eex_graph *g, const eex_node_set *set, bool trunk, bool gates,
                   eex_convention c)
{
    int64_t total = 0;
    for (int i = 0; i < g->node_count; i++)
        if (eex_node_set_has(set, i) && (g->nodes[i].exit == EEX_TRUNK ? trunk : gates))
            total += eex_cost_node(g, i, c);
    return total;
}

int64_t eex_cost_trunk(const eex_graph *g, int point, eex_convention c)
{
    eex_node_set above = {0};
    if (!eex_graph_node(g, point))
        return 0;
    eex_graph_ancestors(&above, g, point);
    return sum(g, &above, true, false, c);
}

int64_t eex_cost_gate(const eex_graph *g, int exit, eex_convention c)
{
    eex_node_set above = {0};
    if (!eex_graph_exit(g, exit))
        return 0;
    eex_graph_ancestors(&above, g, g->exits[exit].logits);
    return sum(g, &above, false, true, c);
}

int64_t eex_cost_alone(const eex_graph *g, int exit, eex_convention c)
{
    const eex_exit *e = eex_graph_exit(g, exit);
    return e ? eex_cost_trunk(g, e->point, c) + eex_cost_gate(g, exit, c) : 0;
}

int64_t eex_cost_cumulative(const eex_graph *g, int exit, eex_convention c)
{
    eex_node_set above = {0};
    if (!eex_graph_exit(g, exit))
        return 0;
    for (int k = 0; k <= exit; k++)
        eex_graph_ancestors(&above, g, g->exits[k].logits);
    return sum(g, &above, true, true, c);
}

int64_t eex_cost_total(const eex_graph *g, eex_convention c)
{
    int64_t total = 0;
    for (int i = 0; g && i < g->node_count; i++)
        total += eex_cost_node(g, i, c);
    return total;
}

double eex_cost_ada_cumulative(const eex_graph *g, const double *share, eex_convention c)
{
    double cost = 0;
    for (int k = 0; g && share && k < g->exit_count; k++)
        cost += share[k] * (double)eex_cost_cumulative(g, k, c);
    return cost;
}

double eex_cost_ada(const eex_graph *g, const double *share, eex_convention c)
{
    double cost = 0;
    for (int k = 0; g && share && k < g->exit_count; k++)
        cost +=
            share[k] * (double)(eex_cost_trunk(g, g->exits[k].point, c) + eex_cost_gate(g, k, c));
    return cost;
}
