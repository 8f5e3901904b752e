/* A network as it is handed on: the layers that inference calculates, in their order. Batch norms
 * are folded into the convolutions in front of them, as the plan does it; dropout is gone. */
#ifndef EEX_CORE_EXCHANGE_LAYERS_H
#define EEX_CORE_EXCHANGE_LAYERS_H

#include "core/model/model.h"

typedef struct eex__layer {
    eex_node_kind kind; /* a BATCH_NORM that is left multiplies channels by `weight` and adds
                         * `bias`; never DROPOUT */
    const char *name;   /* of the node that it is made from first; borrowed from the graph */
    int input[2];       /* layers, -1: none */
    int h, w, c;        /* shape of its value */
    eex_window window;
    eex_act act;   /* of ACT; of others what is done to each value in the end */
    int segment;   /* the exit that wants it first */
    float *weight; /* as PyTorch has it: (O, I / g, K, K), (O, I); NULL: none */
    float *bias;   /* (O), of every layer with weights */
    size_t weights;
} eex__layer;

typedef struct eex__layers {
    const eex_model *model; /* borrowed */
    eex__layer *at;
    int count;
    int *of_node; /* which layer has the value of a node */

    /* The policy's thresholds, (exits, classes); NULL: there is none. They are lower by what
     * rounding may do, for images often score just what a threshold is: those that it was chosen
     * on, and all where an exit says the same of each. Sums that are added up in another order must
     * not miss it.
     */
    float *high, *low;
} eex__layers;

/* Of a model with weights. `fuse`: activations become the end of the layer that they alone read. */
int eex__layers_make(eex__layers *out, const eex_model *model, bool fuse);
void eex__layers_free(eex__layers *layers); /* leaves {0} */

/* The layer whose value exit k's gate reads, and the one with its logits. */
int eex__layers_point(const eex__layers *layers, int exit);
int eex__layers_logits(const eex__layers *layers, int exit);

#endif
