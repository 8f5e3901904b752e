/* Inside of a plan: shared by the lowering passes, the memory layout and the runner. */
#ifndef EEX_CORE_PLAN_PLAN_INTERNAL_H
#define EEX_CORE_PLAN_PLAN_INTERNAL_H

#include "core/plan/plan.h"

/* A stretch of device memory that ops read and write. Its place in the arena is known only after
 * lowering, so ops hold relocations until then. */
typedef struct eex_slot {
    size_t bytes;     /* whole, rounded up to 64 */
    size_t row_bytes; /* of one sample; 0: not per sample (never compacted) */
    int first, last;  /* ops between which the content matters */
    bool pinned;      /* lives for the whole plan */
    size_t offset;
} eex_slot;

typedef struct eex_relocation {
    int op;
    size_t field; /* offset of the pointer in eex_op */
    int buffer;
    size_t addend; /* bytes into the buffer */
} eex_relocation;

/* A convolution whose batch norm is folded into it: what refresh has to compute again. */
typedef struct eex_fold {
    int op;
    int conv, bn; /* node ids; bn -1: only copied */
    int w, bias;  /* buffers */
} eex_fold;

/* A stretch of trainable elements that the plan trains. */
typedef struct eex_stretch {
    size_t first, count;
} eex_stretch;

/* A chain that starts at a batch norm: an add it feeds alone, an act after that. */
typedef struct eex_chain {
    int end;      /* node whose value the chain computes */
    int residual; /* node added, -1: none */
    eex_act act;
} eex_chain;

/* What happens at an exit: LEAVE, and the compaction of every value that is read later. */
typedef struct eex_leaving {
    eex_op *ops;
    void **states;
    int count;
    void *recording;
} eex_leaving;

struct eex_plan {
    eex_plan_options options;
    const eex_graph *graph;
    eex_params *params;
    eex_device *device;

    eex_op *ops;
    void **states; /* the device's, one an op */
    int *segment;  /* of each op (inference); never falls from one op to the next */
    void *recording[EEX_MAX_EXITS]; /* the device's, of the ops of each segment */
    int op_count, op_capacity;

    eex_slot *buffers;
    int buffer_count, buffer_capacity;
    eex_relocation *relocations;
    int relocation_count, relocation_capacity;
    eex_fold *folds;
    int fold_count, fold_capacity;

    unsigned char *arena; /* device memory */
    size_t arena_bytes;

    /* Per node of the graph. */
    bool *needed;
    int *value;     /* buffer of the node's value, -1: not materialised */
    int *grad;      /* buffer of its gradient, -1: none (yet) */
    int *consumers; /* needed nodes that read it */
    int *fused; /* node at which the op that computes this node is emitted (itself: not fused) */
    int *start; /* of a node that ends a chain: the node the chain starts at; else itself */
    eex_chain *chain; /* of a node that starts one */
    int *stats;       /* of a batch norm: buffer of the sums the convolution in front leaves, -1 */
    int *saved;       /* of a batch norm: buffer of its batch mean and 1/deviation, -1: none */
    bool *learns;     /* a gradient must reach the node's value */

    int images, labels, sample, totals, clip, norm; /* buffers */
    int shadow;                                     /* buffer: bfloat16 weights, -1 */
    int index;                        /* buffer: number of survivors, then which they are */
    int rows;                         /* buffer: rows that are there, then which input each is */
    int32_t *everybody;               /* host: a count, then 0, 1, 2... (batch) */
    int decision, results, threshold; /* buffers; threshold: (exits, 2, classes), high and low */
    eex_leaving leaving[EEX_MAX_EXITS];
    void *single;                  /* the device's recording of all segments for one sample */
    int loss_op[EEX_MAX_EXITS];    /* -1: exit without a loss */
    int head_op[EEX_MAX_EXITS];    /* -1: exit not lowered */
    int head_input[EEX_MAX_EXITS]; /* node that the head pools and classifies, -1: only scores */
    int head_top[EEX_MAX_EXITS], head_score[EEX_MAX_EXITS]; /* buffers */

    eex_stretch *runs, *gaps; /* trained ranges, and what lies between them */
    int run_count, gap_count;
};

/* ---- what the mode says ---- */

static inline bool eex__plan_trains(const eex_plan *p)
{
    return p->options.mode != EEX_PLAN_INFER;
}

/* Whether the parameters of a node are trained, and its batch statistics used. */
static inline bool eex__plan_trains_node(const eex_plan *p, const eex_node *node)
{
    return p->options.mode == EEX_PLAN_TRAIN || (eex__plan_trains(p) && node->exit != EEX_TRUNK);
}

/* Whether the node's value comes from outside. */
static inline bool eex__plan_takes(const eex_plan *p, const eex_node *node)
{
    return p->options.mode == EEX_PLAN_TRAIN_GATES_ON_FEATURES && node->exit == EEX_TRUNK;
}

/* ---- plan_build.c: ops, buffers, relocations ---- */

/* A new buffer of row_bytes a sample plus `fixed` bytes; its number in *out. */
int eex__plan_buffer(eex_plan *p, int *out, size_t row_bytes, size_t fixed, bool pinned);

/* Appends an op named after a node (or "name"); *out is valid until the next call. */
int eex__plan_op(eex_plan *p, eex_op **out, eex_op_kind kind, const char *name, int segment);

/* Makes *field, a pointer inside the op appended last, point into a buffer once the arena stands,
 * and counts that op as a user of it. field is the address of the pointer. */
int eex__plan_point(eex_plan *p, const void *field, int buffer);
int eex__plan_point_at(eex_plan *p, const void *field, int buffer, size_t addend);

/* The address of a buffer; only after layout. */
void *eex__plan_address(const eex_plan *p, int buffer);

/* Marks which nodes the wanted outputs need and counts consumers among them. */
int eex__plan_mark(eex_plan *p, const bool *wanted_exit);

/* If exactly one needed node reads `node` and it is of the given kind, that node, else -1. */
int eex__plan_sole_consumer(const eex_plan *p, int node, eex_node_kind kind);

/* Bytes of one sample of a node's value, or of its gradient. */
size_t eex__plan_row(const eex_plan *p, int node);

/* Makes *field point to the weights of a node as convolutions read them. */
int eex__plan_weights(eex_plan *p, const float **field, const eex_node *node);

/* The buffer of a node's value, made on first use. */
int eex__plan_value(eex_plan *p, int *buffer, int node);

/* ---- passes ---- */
int eex__plan_lower_train(eex_plan *p);     /* plan_train.c: forward and losses */
int eex__plan_lower_backward(eex_plan *p);  /* plan_backward.c */
int eex__plan_lower_optimizer(eex_plan *p); /* plan_optimizer.c */
int eex__plan_lower_infer(eex_plan *p);     /* plan_infer.c */
int eex__plan_layout(eex_plan *p);          /* plan_memory.c: arena and relocations */
int eex__plan_fold(eex_plan *p);            /* plan_fold.c: folded weights into the arena */
int eex__plan_lower_leaving(eex_plan *p);   /* plan_leave.c: after the layout */
void eex__plan_leaving_free(eex_plan *p);

/* The ops of segment k: from *first to before *end. */
void eex__plan_segment(const eex_plan *p, int k, int *first, int *end);

/* Before anything that a device may have recorded changes. */
void eex__plan_forget(eex_plan *p);

/* Runs ops that come again and again: recorded where the device can. */
int eex__plan_run_ops(const eex_plan *p, void **recording, const eex_op *ops, void *const *states,
                      int count, const eex_step *step);

/* Nodes that both kinds of plan lower alike: act, add, pools. */
int eex__plan_lower_simple(eex_plan *p, const eex_node *node, int id, int segment);

/* The normalisation and augmentation in front of everything. */
int eex__plan_lower_input(eex_plan *p);

/* The longest chain behind `node` that one op can compute; end == node when there is none. Never
 * passes a node that is `stop`ped (already part of another chain). */
eex_chain eex__plan_chain(const eex_plan *p, int node);

/* Marks the chain's inner nodes and its start as computed at chain->end. */
void eex__plan_fuse(eex_plan *p, int start, const eex_chain *chain);

/* Whether the node's value is computed by an op emitted at another node. */
static inline bool eex__plan_absorbed(const eex_plan *p, int node)
{
    return p->fused[node] != node;
}

#endif
