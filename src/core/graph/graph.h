/* Graphs: a network as nodes and values, and the gates put on it.
 *
 * A builder adds nodes; eex_graph_finish checks them and makes the graph immutable. A node has one
 * output value, so a value's id is its node's id. Values are one sample's tensors: (H, W, C).
 * Parameter names are "<node name>.<parameter>" and are stable: torchvision's where the backbone is
 * torchvision's ("features.1.conv.0.0.weight").
 *
 * An early-exit network is a graph whose nodes also belong to a gate. Node order is execution
 * order: a gate's nodes follow the node that it reads, before the trunk goes on. */
#ifndef EEX_CORE_GRAPH_GRAPH_H
#define EEX_CORE_GRAPH_GRAPH_H

#include "device/decide.h"
#include "device/op.h"

typedef enum eex_node_kind {
    EEX_NODE_INPUT,
    EEX_NODE_CONV,
    EEX_NODE_BATCH_NORM,
    EEX_NODE_ACT,
    EEX_NODE_ADD,
    EEX_NODE_SCALE,          /* a feature map times one value a channel: squeeze and excitation */
    EEX_NODE_CONCAT,         /* channels of two feature maps behind each other */
    EEX_NODE_DEPTH_TO_SPACE, /* every pixel's channels to 2 x 2 pixels of a quarter of them */
    EEX_NODE_QUANTISE,       /* to the nearest of a few levels: what is sent in few bits */
    EEX_NODE_MAX_POOL,
    EEX_NODE_GLOBAL_POOL, /* adaptive average pool to 1x1, or mean over H and W */
    EEX_NODE_FLATTEN,
    EEX_NODE_DROPOUT,
    EEX_NODE_LINEAR,
    EEX_NODE_KINDS
} eex_node_kind;

enum { EEX_TRUNK = -1, EEX_NAME_MAX = 96 };

typedef struct eex_param {
    char name[EEX_NAME_MAX + 32]; /* "features.0.0.weight", "classifier.1.bias" */
    int rank;
    int shape[4];   /* as PyTorch has it: conv (O, I/g, K, K), linear (O, I), vectors (C) */
    bool trainable; /* false: running_mean, running_var */
    bool decay;     /* weight decay applies: conv and linear weights only */
} eex_param;

typedef struct eex_node {
    eex_node_kind kind;
    char name[EEX_NAME_MAX];  /* unique in the graph: "features.1.conv.0.0" */
    char block[EEX_NAME_MAX]; /* the building block it belongs to: "features.1"; may be "" */
    int inputs[2];            /* value ids, -1: none. ADD, SCALE, CONCAT have two */
    int h, w, c;              /* shape of the output value */
    eex_window window;        /* CONV, MAX_POOL; LINEAR: a 1x1 window on a 1x1 image */
    bool bias;                /* CONV, LINEAR */
    eex_act act;              /* ACT */
    float dropout;            /* DROPOUT */
    int bits;                 /* QUANTISE: of a code */
    float init_std; /* LINEAR: weights start as N(0, init_std) with zero bias; 0: uniform in
                     * +-1/sqrt(fan-in), as PyTorch has it */
    float bn_eps, bn_momentum;
    bool zero_start;         /* BATCH_NORM: scales start at 0, see eex_graph_zero_start */
    bool functional;         /* the original calls a function, not a layer (mean, flatten,
                              * F.relu): a convention of cost.h may care */
    int exit;                /* the gate it belongs to, or EEX_TRUNK */
    int first_param, params; /* range in the graph's parameter list */

    /* What depends on genes, see elastic.h; -1: nothing does. */
    int out_choice, kernel_choice; /* CONV */
    int gene, from;                /* the node is there from this option of the gene on */
    int transforms; /* CONV: so many parameters behind its range are transforms of its kernel */
} eex_node;

/* One exit, in order of position; the last one is the end of the backbone. */
typedef struct eex_exit {
    int point;  /* node whose value the gate reads; for the last exit its own logits node */
    int blocks; /* Conv-BN-Act blocks of the gate; -1 for the end of the backbone */
    int logits; /* node whose value is this exit's logits: (1, 1, classes) */
} eex_exit;

typedef struct eex_graph eex_graph;

/* ---- building ---- */

/* A graph for images of (height, width, channels) with one node, the input: value 0. *out belongs
 * to the caller. */
int eex_graph_new(eex_graph **out, const char *name, int height, int width, int channels);
void eex_graph_free(eex_graph *graph);          /* accepts NULL */
size_t eex_graph_bytes(const eex_graph *graph); /* of memory that it takes */

typedef struct eex_conv_options {
    int out, kernel, stride, pad, groups; /* stride, groups: 0 means 1 */
    bool bias;
} eex_conv_options;

/* Each adds a node that reads value `in` and puts its id into *out. Names must be unique and not
 * empty. Wrong shapes, ids and names give EEX_EINVAL with the node's name in the message. Both
 * operands of an add have one shape, those of a concatenation one height and width; `factors` is of
 * (1, 1, channels of `in`). */
int eex_graph_add_conv(eex_graph *g, int *out, int in, const char *name, const eex_conv_options *o);
int eex_graph_add_batch_norm(eex_graph *g, int *out, int in, const char *name);
int eex_graph_add_act(eex_graph *g, int *out, int in, const char *name, eex_act act);
int eex_graph_add_add(eex_graph *g, int *out, int a, int b, const char *name);
int eex_graph_add_scale(eex_graph *g, int *out, int in, int factors, const char *name);
int eex_graph_add_concat(eex_graph *g, int *out, int a, int b, const char *name);
/* Image (h, w, 4 c) to (2 h, 2 w, c), as device/op.h has it: a convolution of kernel 1 in front of
 * it is a transposed one of kernel and stride 2. */
int eex_graph_add_depth_to_space(eex_graph *g, int *out, int in, const char *name);
/* Rounds to 2^bits levels, 1 to 8 bits, between the two values of its parameter "range", which does
 * not learn; device/quantise.h says how. Its gradient is that of the identity. */
int eex_graph_add_quantise(eex_graph *g, int *out, int in, const char *name, int bits);
int eex_graph_add_max_pool(eex_graph *g, int *out, int in, const char *name, int kernel, int stride,
                           int pad);
int eex_graph_add_global_pool(eex_graph *g, int *out, int in, const char *name, bool functional);
int eex_graph_add_flatten(eex_graph *g, int *out, int in, const char *name, bool functional);
int eex_graph_add_dropout(eex_graph *g, int *out, int in, const char *name, float p);
int eex_graph_add_linear(eex_graph *g, int *out, int in, const char *name, int features, bool bias);

/* How a linear node's weights start: see eex_node.init_std. */
int eex_graph_init_std(eex_graph *g, int node, float std);

/* The scales of a batch norm start at 0 instead of 1: the last one of a residual block, which is
 * then the identity at first (Goyal et al. 2017, "Accurate, Large Minibatch SGD", section 5.1). */
int eex_graph_zero_start(eex_graph *g, int node);

/* What the node does is a call of a function in the original: see eex_node.functional. */
int eex_graph_functional(eex_graph *g, int node);

/* Nodes added from now on carry this block name (copied). */
int eex_graph_block(eex_graph *g, const char *block);

/* Checks the graph, makes `logits` its end and freezes it. Every node must reach the end. */
int eex_graph_finish(eex_graph *g, int logits);

/* ---- gates ---- */

/* What a gate of k blocks on C channels is made of, in front of its FC layer to the backbone's
 * classes. Those without a global pool have an FC layer on all pixels.
 * EEX_GATE_BLOCKS: k x [Conv3x3-BN-Act] and a global pool (NASEREX II-D-2).
 * EEX_GATE_EEC: 1x1 convolution to 6 C, batch norm, h-swish, mean, 1x1 convolution to 8 C, h-swish:
 * the end of MobileNetV3 in small (EDANAS's early exit classifier). It has one block, no act
 * but its own and is not nested.
 * EEX_GATE_POOLED: k x [Conv3x3 with bias to `channels`, Act] and a 2x2 max pool: with one block of
 * 128 channels the exits that EDANAS V-B gives AlexNet, VGG-13 and ResNet-18 (Scardapane et al.
 * 2020), with 64 those of AlexNet in Dong et al. V-A.
 * EEX_GATE_STRIDED: [Conv3x3-BN-Act] to C with stride 2, then k - 1 to C / 2: VGG16-BN's there.
 * EEX_GATE_RESIDUAL: k basic residual blocks and a 2x2 max pool: ResNet44's there.
 * EEX_GATE_LINEAR: k x [linear layer to `channels`, Act] on all pixels: with one of 1024 the exit
 * of the CNN in EDANAS V-B. */
typedef enum eex_gate_family {
    EEX_GATE_BLOCKS,
    EEX_GATE_EEC,
    EEX_GATE_POOLED,
    EEX_GATE_STRIDED,
    EEX_GATE_RESIDUAL,
    EEX_GATE_LINEAR,
    EEX_GATE_FAMILIES
} eex_gate_family;

const eex_names *eex_gate_family_names(void); /* "blocks", "eec", ... */
const char *eex_gate_family_name(eex_gate_family family);

enum { EEX_GATE_CHANNELS = 128 };

typedef struct eex_gate {
    int point;      /* node id in the backbone */
    int blocks;     /* k of the family, >= 0 */
    bool nested;    /* also a classifier after each j in `heads`: exits that share blocks, for the
                     * shared evaluator; exits appear in order of j */
    uint64_t heads; /* bit j set: a classifier after j blocks (j = 0: on the point itself) */
    eex_gate_family family;
    int channels; /* of the blocks of EEX_GATE_POOLED and EEX_GATE_LINEAR; 0: EEX_GATE_CHANNELS */
} eex_gate;

/* A new finished graph: the backbone with gates put on it (gates sorted by point; nodes named
 * "exits.<point name>.block<j>.conv" / ".bn" / ".act" / ".fc<j>"; the act is `act`). Gates on an
 * elastic backbone have the channels that their points have. The backbone stays the caller's and
 * unchanged. */
int eex_graph_with_gates(eex_graph **out, const eex_graph *backbone, const eex_gate *gates,
                         int count, eex_act act);

/* A new finished graph cut after exit k: what pruning deploys. Exits 0..k stay what they were, so
 * the last one is a gate with its blocks, not the end of the backbone. */
int eex_graph_cut(eex_graph **out, const eex_graph *graph, int exit);

/* A new finished graph with these exits alone (ascending numbers), and what they need: the last of
 * them ends it. Blocks that an exit shared with one that is left out stay. */
int eex_graph_select(eex_graph **out, const eex_graph *graph, const int *exits, int count);

/* Whether a gate may read the node's value: a feature map of the trunk in front of the global pool,
 * flatten and linear layers, and not the input. */
bool eex_graph_gateable(const eex_graph *g, int id);

/* ---- looking ---- all borrowed from the graph */

/* "conv", "batch_norm", ...; "?" */
const eex_names *eex_node_kind_names(void);
const char *eex_node_kind_name(eex_node_kind kind);

const char *eex_graph_name(const eex_graph *g);
int eex_graph_nodes(const eex_graph *g);
const eex_node *eex_graph_node(const eex_graph *g, int id);
int eex_graph_find(const eex_graph *g, const char *name); /* node id or -1 */
int eex_graph_classes(const eex_graph *g);
int eex_graph_exits(const eex_graph *g); /* at least 1: the end */
const eex_exit *eex_graph_exit(const eex_graph *g, int k);
int eex_graph_params(const eex_graph *g);
const eex_param *eex_graph_param(const eex_graph *g, int i);
size_t eex_param_count(const eex_param *p);
int64_t eex_graph_param_total(const eex_graph *g); /* trainable elements */

/* Number of layers as the paper counts them: traced nodes less input and output (|N| = 175 for
 * ResNet50, 152 for MobileNetV2). */
int eex_graph_layers(const eex_graph *g);

#endif
