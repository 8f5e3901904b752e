/* A plan that is being built: shared by the lowering passes and the memory layout, gone when the
 * plan stands. Ops, buffers and folds go straight into the plan. */
#ifndef EEX_CORE_PLAN_BUILDER_IMPL_H
#define EEX_CORE_PLAN_BUILDER_IMPL_H

#include "core/plan/plan_impl.h"

/* Where a buffer lies is known only after lowering, so ops hold relocations until then. */
typedef struct eex_relocation {
    int op;
    size_t field; /* offset of the pointer in eex_op */
    int buffer;
    size_t addend; /* bytes into the buffer */
} eex_relocation;

/* A chain that starts at a batch norm: an add it feeds alone, an act after that. */
typedef struct eex_chain {
    int end;      /* node whose value the chain computes */
    int residual; /* node added, -1: none */
    eex_act act;
} eex_chain;

struct eex_builder {
    eex_plan *plan;
    const eex_plan_options *options; /* the plan's, like the next three */
    const eex_graph *graph;
    eex_params *params;
    eex_device *device;
    const eex_binding *binding;

    int op_capacity, buffer_capacity, fold_capacity;
    int segment; /* of the ops that are appended from now on; never falls */
    eex_relocation *relocations;
    int relocation_count, relocation_capacity;

    /* Per node of the graph. */
    bool *needed;
    int *grad;      /* buffer of its gradient, -1: none (yet) */
    int *consumers; /* needed nodes that read it */
    int *fused; /* node at which the op that computes this node is emitted (itself: not fused) */
    int *start; /* of a node that ends a chain: the node the chain starts at; else itself */
    eex_chain *chain; /* of a node that starts one */
    int *stats;       /* of a batch norm: buffer of the sums the convolution in front leaves, -1 */
    int *saved;       /* of a batch norm: buffer of its batch mean and 1/deviation, -1: none */
    bool *learns;     /* a gradient must reach the node's value */

    int apart_point, apart; /* while a gate is lowered apart: the node that it reads, and the buffer
                             * where it finds its rows of it; else -1 */
    int head_input[EEX_MAX_EXITS]; /* node that the head pools and classifies, -1: only scores */
    int shadow;                    /* buffer: bfloat16 weights, -1 */
    int clip;                      /* buffer: the factor of clipping, -1 */
};

/* ---- builder.c ---- */

/* Begins a plan; checks nothing. */
int eex__builder_new(eex_builder **out, const eex_plan_options *options, const eex_graph *graph,
                     eex_params *params, const eex_binding *binding);

/* With the plan, if that does not stand; accepts NULL. */
void eex__builder_free(eex_builder *builder);

/* Appends all ops and lays out the buffers: what the plan needs of an arena (arena_bytes) is known
 * then, but no address. */
int eex__builder_lower(eex_builder *b);

/* Gives the plan its memory, addresses and the device's states; *out stands. */
int eex__builder_finish(eex_plan **out, eex_builder *b, eex_arena *arena);

/* ---- what the mode says ---- */

static inline bool eex__plan_trains(const eex_builder *b)
{
    return b->options->mode != EEX_PLAN_INFER;
}

/* Whether the parameters of a node are trained, and its batch statistics used. */
static inline bool eex__plan_trains_node(const eex_builder *b, const eex_node *node)
{
    const eex_plan_mode mode = b->options->mode;
    return mode == EEX_PLAN_TRAIN || mode == EEX_PLAN_STATISTICS ||
           (eex__plan_trains(b) && node->exit != EEX_TRUNK);
}

/* Whether the node's value comes from outside. */
static inline bool eex__plan_takes(const eex_builder *b, const eex_node *node)
{
    return b->options->mode == EEX_PLAN_TRAIN_GATES_ON_FEATURES && node->exit == EEX_TRUNK;
}

/* Whether a dropout takes anything away. */
static inline bool eex__plan_drops(const eex_builder *b, const eex_node *node)
{
    return node->dropout > 0 && !b->options->no_dropout;
}

/* ---- plan_build.c: ops, buffers, relocations ---- */

/* Makes room for one more of *items, of `size` bytes each. */
int eex__plan_grow(void **items, int count, int *capacity, size_t size);

/* A new buffer of row_bytes a sample plus `fixed` bytes; its number in *out. */
int eex__plan_buffer(eex_builder *b, int *out, size_t row_bytes, size_t fixed, bool pinned);

/* Appends an op named after a node (or "name"); *out is valid until the next call. */
int eex__plan_op(eex_builder *b, eex_op **out, eex_op_kind kind, const char *name);

/* Makes *field, a pointer inside the op appended last, point into a buffer once the plan has its
 * memory, and counts that op as a user of it. field is the address of the pointer. */
int eex__plan_point(eex_builder *b, const void *field, int buffer);
int eex__plan_point_at(eex_builder *b, const void *field, int buffer, size_t addend);

/* Marks which nodes the wanted outputs need and counts consumers among them. */
int eex__plan_mark(eex_builder *b, const bool *wanted_exit);

/* If exactly one needed node reads `node` and it is of the given kind, that node, else -1. */
int eex__plan_sole_consumer(const eex_builder *b, int node, eex_node_kind kind);

/* Bytes of one sample of a node's value, or of its gradient. */
size_t eex__plan_row(const eex_builder *b, int node);

/* The buffer of a node's value, made on first use. */
int eex__plan_value(eex_builder *b, int *buffer, int node);

/* The longest chain behind `node` that one op can compute; end == node when there is none. Never
 * passes a node that is `stop`ped (already part of another chain). */
eex_chain eex__plan_chain(const eex_builder *b, int node);

/* Marks the chain's inner nodes and its start as computed at chain->end. */
void eex__plan_fuse(eex_builder *b, int start, const eex_chain *chain);

/* Whether the node's value is computed by an op emitted at another node. */
static inline bool eex__plan_absorbed(const eex_builder *b, int node)
{
    return b->fused[node] != node;
}

/* ---- plan_apart.c: gates that are run on rows of their own ---- */

/* EEX_EUNSUPPORTED where a point has several gates; EEX_EINVAL for plans that do not infer. */
int eex__plan_check_apart(const eex_plan_options *options, const eex_graph *graph);

/* Before node `id` is lowered, with the scores of exit k still to come: where it is the first of
 * that exit's gate, the gate gathers its rows of what it reads, and reads those. */
int eex__plan_begin_gate(eex_builder *b, int k, int id);
void eex__plan_end_gate(eex_builder *b);

/* ---- plan_part.c: plans of a part of the network ---- */

int eex__plan_check_part(const eex_plan_options *options, const eex_graph *graph);

/* Once all is lowered and what passes each exit is known: ops, buffers and weights of the other
 * part are left out. EEX_EINVAL: parameters that this part reads are not there. */
int eex__plan_keep_part(eex_builder *b);

/* Whether what exit k's segment does is in the part. */
static inline bool eex__plan_in_part(eex_plan_part part, int k)
{
    return part.side == EEX_PLAN_WHOLE || (k <= part.cut) == (part.side == EEX_PLAN_FRONT);
}

/* plan_infer.c: which parameters the ops of a part read, of a builder that has lowered nothing yet.
 */
int eex__plan_part_mark(eex_builder *b);
void eex__plan_part_find(const eex_builder *b, eex_plan_part part, bool *reads);

/* ---- passes ---- */
int eex__plan_lower_train(eex_builder *b); /* plan_train.c: forward and losses */
int eex__plan_lower_statistics(eex_builder *b);
int eex__plan_lower_backward(eex_builder *b);  /* plan_backward.c */
int eex__plan_lower_optimizer(eex_builder *b); /* plan_optimizer.c */
int eex__plan_lower_infer(eex_builder *b);     /* plan_infer.c */
int eex__plan_layout(eex_builder *b);          /* plan_memory.c: every buffer's offset */
int eex__plan_relocate(eex_builder *b);        /* plan_memory.c: memory, and the ops' pointers */

/* Nodes that plans of every mode lower alike: act, add, scale, concat, pools. */
int eex__plan_lower_simple(eex_builder *b, const eex_node *node, int id);

/* The normalisation and augmentation in front of everything. */
int eex__plan_lower_input(eex_builder *b);

/* Batch norm `id` with its chain, by running statistics. */
int eex__plan_lower_bn(eex_builder *b, int id);

#endif
