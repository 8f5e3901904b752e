/* What the graph's files share and nobody else sees. */
#ifndef EEX_CORE_GRAPH_GRAPH_IMPL_H
#define EEX_CORE_GRAPH_GRAPH_IMPL_H

#include "core/graph/cost.h"
#include "core/graph/graph.h"
#include "core/graph/node_set.h"

/* Bounds that keep every cost within 64 bits and every shape within an int. */
enum {
    EEX__MAX_CHANNELS = 1 << 16,
    EEX__MAX_SIDE = 1 << 14,
    EEX__MAX_WINDOW = 31,
    EEX__MAX_ELEMENTS = 1 << 25
};

struct eex_graph {
    char name[EEX_NAME_MAX];
    char block[EEX_NAME_MAX]; /* of the nodes that are added now */
    int exit;                 /* likewise */
    eex_node *nodes;
    int node_count, node_capacity;
    eex_param *params;
    int param_count, param_capacity;
    eex_exit exits[EEX_MAX_EXITS];
    int exit_count;
    int classes;
    bool finished;
};

/* One row a node kind: everything about a kind is in graph_nodes.c. */
typedef struct eex__kind {
    bool map; /* the output is a feature map if the inputs are: a gate may read it */
    int (*params)(eex_graph *g, const eex_node *n);                           /* NULL: has none */
    int64_t (*cost)(const eex_graph *g, const eex_node *n, eex_convention c); /* NULL: free */
} eex__kind;

const eex__kind *eex__kind_of(eex_node_kind kind);

/* Copies a name of at most EEX_NAME_MAX - 1 bytes; `what` is for the message. */
int eex__graph_name_copy(char out[EEX_NAME_MAX], const char *name, const char *what);

/* Appends a node with its parameters; kind, inputs, shape and options are set and right, name and
 * ids are checked here. Block and exit are the node's own. The graph is unchanged on failure. */
int eex__graph_append(eex_graph *g, int *out, const eex_node *node);

/* Appends a parameter of the node that is being added. */
int eex__graph_add_param(eex_graph *g, const eex_node *node, const char *suffix, int rank,
                         const int shape[4], bool trainable, bool decay);

/* Checks that every node reaches an exit and freezes the graph. */
int eex__graph_freeze(eex_graph *g);

/* EEX_EFORMAT unless exits and gates are where eex_graph_with_gates, cut or select would have them.
 */
int eex__graph_check(const eex_graph *g);

#endif
