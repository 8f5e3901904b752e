/* What the parameters' files share. */
#ifndef EEX_CORE_PLAN_PARAMS_IMPL_H
#define EEX_CORE_PLAN_PARAMS_IMPL_H

#include "core/plan/params.h"

/* The node that parameter i belongs to. */
const eex_node *eex__param_node(const eex_graph *graph, int i);

/* A weight as PyTorch orders it: (out, in, rows, columns). On the device it is (rows, columns, in,
 * out). A linear layer behind a flatten is a convolution over the whole flattened image, because
 * PyTorch flattens (C, H, W) and eex (H, W, C). Vectors are (1, 1, 1, n). */
typedef struct eex__weight_shape {
    size_t out, in, rows, columns;
} eex__weight_shape;

eex__weight_shape eex__param_weight_shape(const eex_graph *graph, int i);

/* Initial values of parameter i in PyTorch's order. */
void eex__param_init(float *values, const eex_graph *graph, int i, uint64_t seed);

/* Host memory for the largest parameter; *out belongs to the caller (free). */
int eex__params_scratch(float **out, const eex_graph *graph);

#endif
