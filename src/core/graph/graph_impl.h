/* What the graph's files share and nobody else sees. */
#ifndef EEX_CORE_GRAPH_GRAPH_IMPL_H
#define EEX_CORE_GRAPH_GRAPH_IMPL_H

#include "core/graph/cost.h"
#include "core/graph/elastic.h"
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
    int gene, from;           /* likewise */
    eex_node *nodes;
    int node_count, node_capacity;
    eex_param *params;
    int param_count, param_capacity;
    eex_gene *genes;
    int gene_count, gene_capacity;
    eex_choice *choices;
    int choice_count, choice_capacity;
    int size_gene; /* -1 */
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

/* What names of nodes and genes are made of: they become paths in the store and keys in reports. */
#define EEX__NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

/* Room for one more item; NULL with the message set when there is none, the old array unchanged. */
void *eex__graph_grown(void *items, int *capacity, int count, size_t size);

/* Copies a name of at most EEX_NAME_MAX - 1 bytes; `what` is for the message. */
int eex__graph_name_copy(char out[EEX_NAME_MAX], const char *name, const char *what);

/* Appends a node with its parameters; kind, inputs, shape and options are set and right, name and
 * ids are checked here. Block and exit are the node's own. The graph is unchanged on failure. */
int eex__graph_append(eex_graph *g, int *out, const eex_node *node);

/* Adds a node through the builder functions: of `like` its kind, name, block, exit, inputs, options
 * and what starts are, but no shape, no parameters and nothing that depends on genes. */
int eex__graph_add_like(eex_graph *g, int *out, const eex_node *like);

/* Appends a parameter of the node that is being added. */
int eex__graph_add_param(eex_graph *g, const eex_node *node, const char *suffix, int rank,
                         const int shape[4], bool trainable, bool decay);

/* Appends the parameters that only an elastic graph has: transforms of the node's kernel. */
int eex__graph_add_transforms(eex_graph *g, const eex_node *node);

/* The number of a choice like this one, which is added when there is none. */
int eex__graph_add_choice(eex_graph *g, int *out, const eex_choice *choice);

/* Genes and choices of a graph, for a copy of it that has none yet. */
int eex__graph_copy_genes(eex_graph *to, const eex_graph *from);

/* The choice that a value's channels follow, -1: they are always as many. */
int eex__graph_channels(const eex_graph *g, int node);

/* A node of a gate has `times` / `parts` of the channels of the gate's point, rounded up, whatever
 * they depend on. */
int eex__gate_choose(eex_graph *g, int node, int point, int times, int parts);

/* Whether a classifier follows the first j blocks. */
bool eex__gate_has_head(const eex_gate *gate, int j);

/* Appends a gate of numbered blocks on a node, whose name is the prefix, and its exits. */
int eex__gate_blocks(eex_graph *g, int point, const char *prefix, const eex_gate *gate,
                     eex_act act);

/* Appends an early exit classifier on a node, whose name is the prefix, and its exit. */
int eex__gate_eec(eex_graph *g, int point, const char *prefix);

static inline bool eex__node_depthwise(const eex_node *node)
{
    return node->kind == EEX_NODE_CONV && eex_window_depthwise(&node->window);
}

bool eex__node_present(const eex_node *node, const int *genome);

/* EEX_EINVAL where a genome's shapes would not fit. */
int eex__genomes_check(const eex_graph *g);

/* Checks that every node reaches an exit and freezes the graph. */
int eex__graph_freeze(eex_graph *g);

/* EEX_EFORMAT unless exits and gates are where eex_graph_with_gates, cut or select would have them.
 */
int eex__graph_check(const eex_graph *g);

#endif
