/* What a network costs, in each paper's way of counting (conventions by name). */
#ifndef EEX_CORE_GRAPH_COST_H
#define EEX_CORE_GRAPH_COST_H

#include "core/graph/graph.h"

typedef enum eex_convention {
    EEX_MACS,    /* plain multiply-accumulates of convolutions and linear layers: the default */
    EEX_PTFLOPS, /* Dong et al. */
    EEX_THOP,    /* NASEREX */
    EEX_TORCHPROFILE, /* EDANAS */
    EEX_CONVENTIONS
} eex_convention;

const eex_names *eex_convention_names(void);
const char *eex_convention_name(eex_convention c);
int eex_convention_parse(eex_convention *out, const char *name); /* EEX_EINVAL names the four */

/* Cost of one node for one input. */
int64_t eex_cost_node(const eex_graph *g, int node, eex_convention c);

/* Cost of the trunk from the input up to and including node `point` (ancestors only, no gates). */
int64_t eex_cost_trunk(const eex_graph *g, int point, eex_convention c);

/* Cost of gate k alone; 0 for the end of the backbone. */
int64_t eex_cost_gate(const eex_graph *g, int exit, eex_convention c);

/* Exit k as a network of its own: the trunk up to its point and its gate, no other. */
int64_t eex_cost_alone(const eex_graph *g, int exit, eex_convention c);

/* What really executes for a sample that leaves at exit k: trunk up to there and every gate on the
 * way. Gates that share nested blocks are charged once. */
int64_t eex_cost_cumulative(const eex_graph *g, int exit, eex_convention c);

/* The whole network with every gate. */
int64_t eex_cost_total(const eex_graph *g, eex_convention c);

/* Expected costs of one input when a fraction share[k] leaves at exit k (sums to 1):
 * eex_cost_ada_cumulative charges every executed gate (the default everywhere);
 * eex_cost_ada charges only the gate taken, none at the end (EDANAS's ADA_MACS). */
double eex_cost_ada_cumulative(const eex_graph *g, const double *share, eex_convention c);
double eex_cost_ada(const eex_graph *g, const double *share, eex_convention c);

#endif
