/* Activations. */
#include "core/exchange/onnx_import_impl.h"

#include "base/status.h"

#include <math.h>

int eex__onnx_add_act(int *out, eex_onnx_network *n, const eex__onnx_call *c, int in, eex_act act)
{
    char name[EEX_NAME_MAX];
    EEX_TRY(eex__onnx_node_name(name, n, c, NULL));
    return eex_graph_add_act(n->graph, out, in, name, act);
}

static int act_node(eex_onnx_network *n, const eex__onnx_call *c, eex_act act)
{
    int in, node;
    EEX_TRY(eex__onnx_value_of(&in, n, c, 0));
    EEX_TRY(eex__onnx_add_act(&node, n, c, in, act));
    return eex__onnx_is_node(n, c, node);
}

static int add_relu(eex_onnx_network *n, const eex__onnx_call *c)
{
    return act_node(n, c, EEX_ACT_RELU);
}

static int add_sigmoid(eex_onnx_network *n, const eex__onnx_call *c)
{
    int in;
    EEX_TRY(eex__onnx_value_of(&in, n, c, 0));
    return eex__onnx_is_entry(n, c, (eex__onnx_entry){.is = EEX__IS_SIGMOID, .node = in});
}

static int add_silu(eex_onnx_network *n, const eex__onnx_call *c)
{
    return act_node(n, c, EEX_ACT_SILU);
}

static int add_h_swish(eex_onnx_network *n, const eex__onnx_call *c)
{
    return act_node(n, c, EEX_ACT_H_SWISH);
}

static int add_clip(eex_onnx_network *n, const eex__onnx_call *c)
{
    float low, high;
    EEX_TRY(eex__onnx_number_of(&low, n, c, "min", 1, -INFINITY));
    EEX_TRY(eex__onnx_number_of(&high, n, c, "max", 2, INFINITY));
    if (low != 0 || (high != 6 && !(high >= 1e30f)))
        return eex__onnx_refuse(c, "to %g..%g: expected 0..6", (double)low, (double)high);
    return act_node(n, c, high == 6 ? EEX_ACT_RELU6 : EEX_ACT_RELU);
}

static int add_h_sigmoid(eex_onnx_network *n, const eex__onnx_call *c)
{
    float alpha, beta;
    int in;
    EEX_TRY(eex__onnx_float_of(&alpha, c, "alpha", 0.2f));
    EEX_TRY(eex__onnx_float_of(&beta, c, "beta", 0.5f));
    EEX_TRY(eex__onnx_value_of(&in, n, c, 0));
    if (!(fabsf(alpha - 1.0f / 6) <= 1e-4f) || beta != 0.5f)
        return eex__onnx_refuse(c, "alpha %g and beta %g: expected 1/6 and 1/2", (double)alpha,
                                (double)beta);
    return eex__onnx_is_entry(n, c, (eex__onnx_entry){.is = EEX__IS_H_SIGMOID, .node = in});
}

const eex__onnx_operator eex__onnx_acts[] = {{"Relu", add_relu},
                                             {"Clip", add_clip},
                                             {"Sigmoid", add_sigmoid},
                                             {"HardSwish", add_h_swish},
                                             {"Silu", add_silu},
                                             {"Swish", add_silu},
                                             {"HardSigmoid", add_h_sigmoid},
                                             {NULL, NULL}};
