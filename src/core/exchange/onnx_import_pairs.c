/* Operators of two inputs. */
#include "core/exchange/onnx_import_impl.h"

#include "base/status.h"

static bool same_shape(const eex_node *a, const eex_node *b)
{
    return a->h == b->h && a->w == b->w && a->c == b->c;
}

int eex__onnx_check_ranks(eex_onnx_network *n, const eex__onnx_call *c, int a, int b)
{
    const eex__onnx_entry *x = eex__onnx_find(n, c->in[a]), *y = eex__onnx_find(n, c->in[b]);
    return x->rank == y->rank
               ? EEX_OK
               : eex__onnx_refuse(c, "of values of %d and %d dimensions: expected the same number",
                                  x->rank, y->rank);
}

/* A bias behind a product, on either side. */
static int add_bias(bool *done, eex_onnx_network *n, const eex__onnx_call *c)
{
    eex__onnx_entry *in[2];
    int node;
    for (int i = 0; i < 2; i++)
        EEX_TRY(eex__onnx_input_of(&in[i], n, c, i));
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
    if (eex__onnx_of_sizes(n, c))
        return eex__onnx_combine(n, c);
    EEX_TRY(add_bias(&done, n, c));
    if (done)
        return EEX_OK;
    EEX_TRY(eex__onnx_value_of(&a, n, c, 0));
    EEX_TRY(eex__onnx_value_of(&b, n, c, 1));
    EEX_TRY(eex__onnx_check_ranks(n, c, 0, 1));
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
        EEX_TRY(eex__onnx_input_of(&in[i], n, c, i));
    for (int i = 0; i < 2 && !*done; i++) {
        const bool sigmoid = in[i]->is == EEX__IS_SIGMOID;
        if ((in[i]->is != EEX__IS_H_SIGMOID && !sigmoid) || in[1 - i]->is != EEX__IS_VALUE ||
            in[i]->node != in[1 - i]->node)
            continue;
        *done = true;
        EEX_TRY(
            eex__onnx_add_act(&node, n, c, in[i]->node, sigmoid ? EEX_ACT_SILU : EEX_ACT_H_SWISH));
        EEX_TRY(eex__onnx_is_node(n, c, node));
    }
    return EEX_OK;
}

static int add_mul(eex_onnx_network *n, const eex__onnx_call *c)
{
    char name[EEX_NAME_MAX];
    bool done = false;
    int a, b, node;
    if (eex__onnx_of_sizes(n, c))
        return eex__onnx_combine(n, c);
    EEX_TRY(add_product_with_itself(&done, n, c));
    if (done)
        return EEX_OK;
    EEX_TRY(eex__onnx_value_of(&a, n, c, 0));
    EEX_TRY(eex__onnx_value_of(&b, n, c, 1));
    EEX_TRY(eex__onnx_check_ranks(n, c, 0, 1));
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

int eex__onnx_concat(eex_onnx_network *n, const eex__onnx_call *c)
{
    char name[EEX_NAME_MAX];
    int64_t axis;
    int node, next;
    EEX_TRY(eex__onnx_int_of(&axis, c, "axis", 0));
    EEX_TRY(eex__onnx_value_of(&node, n, c, 0));
    if (axis != 1 && axis != 1 - eex__onnx_find(n, c->in[0])->rank) /* from behind */
        return eex__onnx_refuse(c, "along another axis than the channels");
    for (int i = 1; i < c->ins; i++) {
        EEX_TRY(eex__onnx_value_of(&next, n, c, i));
        EEX_TRY(eex__onnx_check_ranks(n, c, 0, i));
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

const eex__onnx_operator eex__onnx_pairs[] = {{"Add", add_add}, {"Mul", add_mul}, {NULL, NULL}};
