/* Operators without weights. */
#include "core/exchange/onnx_import_impl.h"

#include "base/status.h"

#include <math.h>
#include <stdio.h>

/* ---- activations ---- */

static int add_act(int *out, eex_onnx_network *n, const eex__onnx_call *c, int in, eex_act act)
{
    char name[EEX_NAME_MAX];
    EEX_TRY(eex__onnx_node_name(name, n, c, NULL));
    return eex_graph_add_act(n->graph, out, in, name, act);
}

static int act_node(eex_onnx_network *n, const eex__onnx_call *c, eex_act act)
{
    int in, node;
    EEX_TRY(eex__onnx_value_of(&in, n, c, 0));
    EEX_TRY(add_act(&node, n, c, in, act));
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

/* A bound of a Clip: an attribute, or an input, or neither. */
static int bound_of(float *out, eex_onnx_network *n, const eex__onnx_call *c, const char *name,
                    int input, float otherwise)
{
    const eex__onnx_attribute *a = eex__onnx_attribute_of(c, name);
    const eex__onnx_tensor *t;
    *out = a ? a->f : otherwise;
    if (!eex__onnx_has(c, input))
        return EEX_OK;
    EEX_TRY(eex__onnx_tensor_of(&t, n, c, input));
    if (t->count != 1)
        return eex__onnx_refuse(c, "a bound of %llu numbers", (unsigned long long)t->count);
    return eex__onnx_floats_of(out, t);
}

static int add_clip(eex_onnx_network *n, const eex__onnx_call *c)
{
    float low, high;
    EEX_TRY(bound_of(&low, n, c, "min", 1, -INFINITY));
    EEX_TRY(bound_of(&high, n, c, "max", 2, INFINITY));
    if (low != 0 || (high != 6 && high < 1e30f))
        return eex__onnx_refuse(c, "to %g..%g: expected 0..6", (double)low, (double)high);
    return act_node(n, c, high == 6 ? EEX_ACT_RELU6 : EEX_ACT_RELU);
}

static int add_h_sigmoid(eex_onnx_network *n, const eex__onnx_call *c)
{
    const eex__onnx_attribute *alpha = eex__onnx_attribute_of(c, "alpha");
    const eex__onnx_attribute *beta = eex__onnx_attribute_of(c, "beta");
    int in;
    EEX_TRY(eex__onnx_value_of(&in, n, c, 0));
    if (!alpha || fabsf(alpha->f - 1.0f / 6) > 1e-4f || (beta && beta->f != 0.5f))
        return eex__onnx_refuse(c, "alpha %g and beta %g: expected 1/6 and 1/2",
                                alpha ? (double)alpha->f : 0.2, beta ? (double)beta->f : 0.5);
    return eex__onnx_is_entry(n, c, (eex__onnx_entry){.is = EEX__IS_H_SIGMOID, .node = in});
}

/* ---- inputs that were put off ---- */

bool eex__onnx_has(const eex__onnx_call *c, int i)
{
    return i < c->ins && c->in[i].size > 0;
}

static int input_of(eex__onnx_entry **out, eex_onnx_network *n, const eex__onnx_call *c, int i)
{
    char name[EEX__SHOWN];
    if (!eex__onnx_has(c, i))
        return eex__onnx_refuse(c, "it has no input %d", i + 1);
    *out = eex__onnx_find(n, c->in[i]);
    if (*out)
        return EEX_OK;
    eex__onnx_refuse(c, "it reads \"%s\", which nothing in front of it makes",
                     eex__text_show(name, c->in[i]));
    return EEX_EFORMAT;
}

int eex__onnx_value_of(int *out, eex_onnx_network *n, const eex__onnx_call *c, int i)
{
    eex__onnx_entry *e;
    EEX_TRY(input_of(&e, n, c, i));
    if (e->is == EEX__IS_H_SIGMOID)
        EEX_TRY(add_act(&e->node, n, e->call, e->node, EEX_ACT_H_SIGMOID));
    else if (e->is == EEX__IS_SIGMOID)
        EEX_TRY(add_act(&e->node, n, e->call, e->node, EEX_ACT_SIGMOID));
    else if (e->is == EEX__IS_PADDED)
        return eex__onnx_refuse(e->call,
                                "in front of %.*s: only a convolution and a pool may be padded",
                                (int)c->op.size, c->op.at);
    else if (e->is == EEX__IS_PRODUCT)
        EEX_TRY(eex__onnx_linear(&e->node, n, e->call, e->node, e->tensor, NULL, true));
    else if (e->is != EEX__IS_VALUE)
        return eex__onnx_refuse(c, "input %d is a constant", i + 1);
    e->is = EEX__IS_VALUE;
    *out = e->node;
    return EEX_OK;
}

int eex__onnx_padded_of(int *out, int *pad, eex_onnx_network *n, const eex__onnx_call *c, int i)
{
    eex__onnx_entry *e;
    EEX_TRY(input_of(&e, n, c, i));
    if (e->is != EEX__IS_PADDED)
        return eex__onnx_value_of(out, n, c, i);
    *pad += e->pad;
    *out = e->node;
    return EEX_OK;
}

int eex__onnx_tensor_of(const eex__onnx_tensor **out, eex_onnx_network *n, const eex__onnx_call *c,
                        int i)
{
    eex__onnx_entry *e;
    EEX_TRY(input_of(&e, n, c, i));
    if (e->is != EEX__IS_CONSTANT)
        return eex__onnx_refuse(c, "input %d is no constant", i + 1);
    *out = e->tensor;
    return EEX_OK;
}

/* ---- two inputs ---- */

static bool same_shape(const eex_node *a, const eex_node *b)
{
    return a->h == b->h && a->w == b->w && a->c == b->c;
}

/* A bias behind a product, on either side. */
static int add_bias(bool *done, eex_onnx_network *n, const eex__onnx_call *c)
{
    eex__onnx_entry *in[2];
    int node;
    for (int i = 0; i < 2; i++)
        EEX_TRY(input_of(&in[i], n, c, i));
    for (int i = 0; i < 2 && !*done; i++) {
        if (in[i]->is != EEX__IS_PRODUCT || in[1 - i]->is != EEX__IS_CONSTANT)
            continue;
        *done = true;
        EEX_TRY(eex__onnx_linear(&node, n, in[i]->call, in[i]->node, in[i]->tensor,
                                 in[1 - i]->tensor, true));
        EEX_TRY(eex__onnx_is_node(n, c, node));
    }
    return EEX_OK;
}

static int add_add(eex_onnx_network *n, const eex__onnx_call *c)
{
    char name[EEX_NAME_MAX];
    bool done = false;
    int a, b, node;
    EEX_TRY(add_bias(&done, n, c));
    if (done)
        return EEX_OK;
    EEX_TRY(eex__onnx_value_of(&a, n, c, 0));
    EEX_TRY(eex__onnx_value_of(&b, n, c, 1));
    if (!same_shape(eex_graph_node(n->graph, a), eex_graph_node(n->graph, b)))
        return eex__onnx_refuse(c, "of two shapes");
    EEX_TRY(eex__onnx_node_name(name, n, c, NULL));
    EEX_TRY(eex_graph_add_add(n->graph, &node, a, b, name));
    return eex__onnx_is_node(n, c, node);
}

/* x times its own sigmoid or h-sigmoid, on either side. */
static int add_product_with_itself(bool *done, eex_onnx_network *n, const eex__onnx_call *c)
{
    eex__onnx_entry *in[2];
    int node;
    for (int i = 0; i < 2; i++)
        EEX_TRY(input_of(&in[i], n, c, i));
    for (int i = 0; i < 2 && !*done; i++) {
        const bool sigmoid = in[i]->is == EEX__IS_SIGMOID;
        if ((in[i]->is != EEX__IS_H_SIGMOID && !sigmoid) || in[1 - i]->is != EEX__IS_VALUE ||
            in[i]->node != in[1 - i]->node)
            continue;
        *done = true;
        EEX_TRY(add_act(&node, n, c, in[i]->node, sigmoid ? EEX_ACT_SILU : EEX_ACT_H_SWISH));
        EEX_TRY(eex__onnx_is_node(n, c, node));
    }
    return EEX_OK;
}

static int add_mul(eex_onnx_network *n, const eex__onnx_call *c)
{
    char name[EEX_NAME_MAX];
    bool done = false;
    int a, b, node;
    EEX_TRY(add_product_with_itself(&done, n, c));
    if (done)
        return EEX_OK;
    EEX_TRY(eex__onnx_value_of(&a, n, c, 0));
    EEX_TRY(eex__onnx_value_of(&b, n, c, 1));
    const eex_node *x = eex_graph_node(n->graph, a), *y = eex_graph_node(n->graph, b);
    const bool first = x->h * x->w == 1 && y->h * y->w > 1;
    if (x->c != y->c || (first ? x : y)->h * (first ? x : y)->w != 1)
        return eex__onnx_refuse(c, "of two feature maps: only a map times one number a channel");
    EEX_TRY(eex__onnx_node_name(name, n, c, NULL));
    EEX_TRY(eex_graph_add_scale(n->graph, &node, first ? b : a, first ? a : b, name));
    return eex__onnx_is_node(n, c, node);
}

/* The values of a block that grows are put together anew for each of its layers: what the one
 * before has put together is taken from there. */
static int find_concat(const eex_graph *g, int a, int b)
{
    for (int i = eex_graph_nodes(g) - 1; i > b; i--) {
        const eex_node *node = eex_graph_node(g, i);
        if (node->kind == EEX_NODE_CONCAT && node->inputs[0] == a && node->inputs[1] == b)
            return i;
    }
    return -1;
}

static int add_concat(eex_onnx_network *n, const eex__onnx_call *c)
{
    const eex__onnx_attribute *axis = eex__onnx_attribute_of(c, "axis");
    char name[EEX_NAME_MAX];
    int node, next;
    if (!axis || (axis->i != 1 && axis->i != -3)) /* from behind, of four */
        return eex__onnx_refuse(c, "along another axis than the channels");
    EEX_TRY(eex__onnx_value_of(&node, n, c, 0));
    for (int i = 1; i < c->ins; i++) {
        EEX_TRY(eex__onnx_value_of(&next, n, c, i));
        const int there = find_concat(n->graph, node, next);
        if (there >= 0) {
            node = there;
            continue;
        }
        EEX_TRY(eex__onnx_node_name(name, n, c, NULL));
        EEX_TRY(eex_graph_add_concat(n->graph, &node, node, next, name));
    }
    return eex__onnx_is_node(n, c, node);
}

/* ---- padding ---- */

enum { PAD_MAX = 64 };

/* The zeros in front of and behind each dimension, eight numbers: the same on all sides of images,
 * none elsewhere. */
static int check_pads(const eex__onnx_call *c, const int64_t *pads, int count)
{
    if (count < 0)
        return eex__onnx_refuse(c, "its pads are not eight numbers of int64");
    if (count != 8)
        return eex__onnx_refuse(c, "%d pads instead of 8", count);
    for (int i = 0; i < 8; i++) {
        if (pads[i] < 0 || pads[i] > PAD_MAX)
            return eex__onnx_refuse(c, "pads of %lld: expected 0 to %d", (long long)pads[i],
                                    PAD_MAX);
        if (i % 4 < 2 && pads[i] != 0)
            return eex__onnx_refuse(c, "pads of the batch or the channels");
        if (i % 4 >= 2 && pads[i] != pads[2])
            return eex__onnx_refuse(c, "pads differ between the sides");
    }
    return EEX_OK;
}

static int add_pad(eex_onnx_network *n, const eex__onnx_call *c)
{
    const eex__onnx_attribute *mode = eex__onnx_attribute_of(c, "mode");
    const eex__onnx_attribute *a = eex__onnx_attribute_of(c, "pads");
    const eex__onnx_tensor *t;
    int64_t pads[8] = {0};
    float value;
    int in, count = a ? a->count : 0, before = 0;
    if (c->ins > 3 && c->in[3].size > 0)
        return eex__onnx_refuse(c, "with axes: expected pads of all four dimensions");
    EEX_TRY(eex__onnx_padded_of(&in, &before, n, c, 0));
    for (int i = 0; a && i < count && i < 8; i++)
        pads[i] = a->ints[i];
    if (!a) {
        EEX_TRY(eex__onnx_tensor_of(&t, n, c, 1));
        count = eex__onnx_ints_of(pads, 8, t);
    }
    EEX_TRY(check_pads(c, pads, count));
    EEX_TRY(bound_of(&value, n, c, "value", 2, 0));
    if (value != 0 || (mode && mode->s.size > 0 && !eex__text_is(mode->s, "constant")))
        return eex__onnx_refuse(c, "of anything but zeros");
    const int pad = before + (int)pads[2];
    return eex__onnx_is_entry(
        n, c,
        (eex__onnx_entry){.is = pad ? EEX__IS_PADDED : EEX__IS_VALUE, .node = in, .pad = pad});
}

/* ---- shapes ---- */

/* One row of numbers an image. */
static int flatten(eex_onnx_network *n, const eex__onnx_call *c)
{
    char name[EEX_NAME_MAX];
    int in, node;
    EEX_TRY(eex__onnx_value_of(&in, n, c, 0));
    const eex_node *x = eex_graph_node(n->graph, in);
    if (x->h * x->w == 1)
        return eex__onnx_is_node(n, c, in);
    EEX_TRY(eex__onnx_node_name(name, n, c, NULL));
    EEX_TRY(eex_graph_add_flatten(n->graph, &node, in, name, false));
    return eex__onnx_is_node(n, c, node);
}

static int add_flatten(eex_onnx_network *n, const eex__onnx_call *c)
{
    const eex__onnx_attribute *axis = eex__onnx_attribute_of(c, "axis");
    return axis && axis->i != 1 ? eex__onnx_refuse(c, "along another axis than 1") : flatten(n, c);
}

/* To two dimensions, whether their sizes are constants or made from the shape of something. */
static int add_reshape(eex_onnx_network *n, const eex__onnx_call *c)
{
    eex__onnx_entry *shape;
    int64_t size[2];
    EEX_TRY(input_of(&shape, n, c, 1));
    if (shape->is == EEX__IS_SHAPE ||
        (shape->is == EEX__IS_CONSTANT && eex__onnx_ints_of(size, 2, shape->tensor) == 2))
        return flatten(n, c);
    return eex__onnx_refuse(c, "to another shape than a row of numbers an image");
}

/* Shapes are only good for reshaping. */
static int add_shape(eex_onnx_network *n, const eex__onnx_call *c)
{
    return eex__onnx_is_entry(n, c, (eex__onnx_entry){.is = EEX__IS_SHAPE, .node = -1});
}

/* What picks or puts together numbers of shapes and constants. */
static bool of_shape(const eex_onnx_network *n, const eex__onnx_call *c)
{
    for (int i = 0; i < c->ins; i++) {
        const eex__onnx_entry *e = eex__onnx_find(n, c->in[i]);
        if (!e || (e->is != EEX__IS_SHAPE && e->is != EEX__IS_CONSTANT))
            return false;
    }
    return true;
}

static int add_of_shape(eex_onnx_network *n, const eex__onnx_call *c)
{
    return of_shape(n, c) ? add_shape(n, c) : eex__onnx_refuse(c, "of something else than a shape");
}

/* Numbers are floats to us, whatever they are called. */
static int add_cast(eex_onnx_network *n, const eex__onnx_call *c)
{
    eex__onnx_entry *e;
    EEX_TRY(input_of(&e, n, c, 0));
    if (e->is != EEX__IS_CONSTANT)
        return add_of_shape(n, c);
    return eex__onnx_is_entry(
        n, c, (eex__onnx_entry){.is = EEX__IS_CONSTANT, .node = -1, .tensor = e->tensor});
}

static int add_concat_of_any(eex_onnx_network *n, const eex__onnx_call *c)
{
    return of_shape(n, c) ? add_shape(n, c) : add_concat(n, c);
}

static int add_squeeze(eex_onnx_network *n, const eex__onnx_call *c)
{
    int in;
    EEX_TRY(eex__onnx_value_of(&in, n, c, 0));
    const eex_node *x = eex_graph_node(n->graph, in);
    return x->h * x->w == 1 ? eex__onnx_is_node(n, c, in)
                            : eex__onnx_refuse(c, "of an image of %d x %d", x->h, x->w);
}

/* ---- nothing to do ---- */

static int add_identity(eex_onnx_network *n, const eex__onnx_call *c)
{
    eex__onnx_entry *e;
    EEX_TRY(input_of(&e, n, c, 0));
    if (e->is != EEX__IS_CONSTANT)
        EEX_TRY(eex__onnx_value_of(&e->node, n, c, 0));
    return eex__onnx_is_entry(n, c,
                              (eex__onnx_entry){.is = e->is, .node = e->node, .tensor = e->tensor});
}

static int add_constant(eex_onnx_network *n, const eex__onnx_call *c)
{
    const eex__onnx_attribute *value = eex__onnx_attribute_of(c, "value");
    if (!value || !value->tensor)
        return eex__onnx_refuse(c, "no tensor");
    return eex__onnx_is_entry(
        n, c, (eex__onnx_entry){.is = EEX__IS_CONSTANT, .node = -1, .tensor = value->tensor});
}

/* The end only: scores are what it reads. */
static int add_softmax(eex_onnx_network *n, const eex__onnx_call *c)
{
    if (c->outs < 1 || !eex__text_same(c->out[0], n->end))
        return eex__onnx_refuse(c, "in the middle of the network");
    return add_identity(n, c);
}

const eex__onnx_operator eex__onnx_others[] = {{"Relu", add_relu},
                                               {"Clip", add_clip},
                                               {"Sigmoid", add_sigmoid},
                                               {"HardSwish", add_h_swish},
                                               {"Silu", add_silu},
                                               {"Swish", add_silu},
                                               {"Pad", add_pad},
                                               {"HardSigmoid", add_h_sigmoid},
                                               {"Add", add_add},
                                               {"Mul", add_mul},
                                               {"Concat", add_concat_of_any},
                                               {"Flatten", add_flatten},
                                               {"Reshape", add_reshape},
                                               {"Squeeze", add_squeeze},
                                               {"Shape", add_shape},
                                               {"Gather", add_of_shape},
                                               {"Unsqueeze", add_of_shape},
                                               {"Slice", add_of_shape},
                                               {"Cast", add_cast},
                                               {"Identity", add_identity},
                                               {"Dropout", add_identity},
                                               {"Constant", add_constant},
                                               {"Softmax", add_softmax},
                                               {"LogSoftmax", add_softmax},
                                               {NULL, NULL}};
