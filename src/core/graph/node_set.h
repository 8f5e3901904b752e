/* Sets of a graph's nodes that fit on the stack, so that questions about costs cannot fail. */
#ifndef EEX_CORE_GRAPH_NODE_SET_H
#define EEX_CORE_GRAPH_NODE_SET_H

#include "core/graph/graph.h"

enum { EEX_MAX_NODES = 4096 };

typedef struct eex_node_set {
    uint64_t bits[EEX_MAX_NODES / 64];
} eex_node_set;

static inline bool eex_node_set_has(const eex_node_set *set, int id)
{
    return set->bits[id / 64] >> (id % 64) & 1;
}

static inline void eex_node_set_add(eex_node_set *set, int id)
{
    set->bits[id / 64] |= UINT64_C(1) << (id % 64);
}

/* Adds `id` and everything it is computed from. */
void eex_graph_ancestors(eex_node_set *set, const eex_graph *g, int id);

#endif
