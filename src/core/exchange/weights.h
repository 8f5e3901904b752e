/* Other people's weights in a network of ours: which tensor of a safetensors file is which
 * parameter, by torchvision's names, timm's or pytorch-cifar's, and what is in front of all of them
 * ("module."). */
#ifndef EEX_CORE_EXCHANGE_WEIGHTS_H
#define EEX_CORE_EXCHANGE_WEIGHTS_H

#include "core/exchange/safetensors.h"

typedef struct eex_weights {
    const char *names;            /* whose names fit best: "torchvision" */
    char prefix[EEX_TENSOR_NAME]; /* in front of each: "module."; mostly "" */
    int params;                   /* of the network */
    int *tensor;                  /* (params) which is this parameter by its name; -1: none */
    bool *fits;                   /* (params) and by type and shape: it is taken */
    int taken;                    /* how many fit */
    int lost;   /* that do not and are not of the last layer, which other classes replace */
    int unused; /* tensors that no parameter takes, but for counters of batches */
} eex_weights;

/* Shapes fit too where a linear layer is stored as the convolution over a whole image that it is.
 * EEX_EINVAL: not one parameter fits. */
int eex_weights_match(eex_weights *out, const eex_safetensors *file, const eex_graph *graph);
void eex_weights_free(eex_weights *weights); /* leaves {0} */

/* Whether parameter i is of the network's last layer. */
bool eex_weights_at_end(const eex_graph *graph, int i);

/* Whether tensor i is one that no parameter takes, as counted in `unused`. */
bool eex_weights_unused(const eex_weights *weights, const eex_safetensors *file, int i);

/* Copies all that fit; the others stay. EEX_EFORMAT names a tensor with a value that cannot be. */
int eex_weights_load(eex_params *params, const eex_safetensors *file, const eex_weights *weights);

#endif
