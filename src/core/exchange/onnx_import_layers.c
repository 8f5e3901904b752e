/* Operators with weights or windows. */
#include "core/exchange/onnx_import_impl.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>

/* ---- attributes ---- */

/* All of a list are the same number, `least` or more; otherwise it is refused. */
static int one_of(int *out, const eex__onnx_call *c, const char *name, int count, int least,
                  int otherwise)
{
    const eex__onnx_attribute *a;
    *out = otherwise;
    EEX_TRY(eex__onnx_attribute_as(&a, c, name, EEX__ATTRIBUTE_INTS));
    if (!a)
        return EEX_OK;
    for (int i = 0; i < a->count; i++) {
        if (a->ints[i] < least || a->ints[i] > 1 << 16)
            return eex__onnx_refuse(c, "%s of %lld: expected %d to %d", name, (long long)a->ints[i],
                                    least, 1 << 16);
        if (a->ints[i] != a->ints[0])
            return eex__onnx_refuse(c, "%s differ between the sides", name);
    }
    if (a->count != count)
        return eex__onnx_refuse(c, "%d %s instead of %d", a->count, name, count);
    *out = (int)a->ints[0];
    return EEX_OK;
}

typedef struct sides {
    int kernel, stride, pad;
} sides;

static int sides_of(sides *out, const eex__onnx_call *c, int kernel)
{
    int dilation;
    const eex__onnx_attribute *a;
    EEX_TRY(eex__onnx_attribute_as(&a, c, "auto_pad", EEX__ATTRIBUTE_STRING));
    EEX_TRY(one_of(&out->kernel, c, "kernel_shape", 2, 1, kernel));
    EEX_TRY(one_of(&out->stride, c, "strides", 2, 1, 1));
    EEX_TRY(one_of(&out->pad, c, "pads", 4, 0, 0));
    EEX_TRY(one_of(&dilation, c, "dilations", 2, 1, 1));
    if (dilation != 1)
        return eex__onnx_refuse(c, "dilations of %d", dilation);
    if (a && !eex__text_is(a->s, "NOTSET") && !eex__text_is(a->s, "VALID"))
        return eex__onnx_refuse(c, "auto_pad");
    return EEX_OK;
}

/* ---- convolution and batch norm ---- */

/* A bias of a node that has one, or weights. */
static int put_source(eex_onnx_network *n, const eex__onnx_call *c, int node, int which,
                      const eex__onnx_tensor *t, bool transposed)
{
    const eex_node *made = eex_graph_node(n->graph, node);
    const eex_param *p = eex_graph_param(n->graph, made->first_param + which);
    if (eex_param_count(p) != t->count)
        return eex__onnx_refuse(c, "%llu weights for %zu", (unsigned long long)t->count,
                                eex_param_count(p));
    EEX_TRY(eex__onnx_check_floats(t)); /* before room is made for what is not there */
    return eex__onnx_source_of(n, &(eex__onnx_source){.param = made->first_param + which,
                                                      .tensor = t,
                                                      .transposed = transposed});
}

static int check_conv(const eex_onnx_network *n, const eex__onnx_call *c, const eex__onnx_tensor *w,
                      int in, int64_t groups)
{
    const eex_node *x = eex_graph_node(n->graph, in);
    if (w->rank != 4 || w->shape[2] != w->shape[3] || w->shape[0] < 1 || w->shape[0] > 1 << 16)
        return eex__onnx_refuse(c, "its weights are no square kernels");
    if (groups < 1 || groups > x->c || x->c % groups != 0 || w->shape[1] != x->c / groups)
        return eex__onnx_refuse(c, "weights for %lld channels in %lld groups, of %d",
                                (long long)w->shape[1], (long long)groups, x->c);
    return EEX_OK;
}

static int add_conv(eex_onnx_network *n, const eex__onnx_call *c)
{
    const eex__onnx_tensor *w, *b = NULL;
    int64_t groups;
    char name[EEX_NAME_MAX];
    int in, node;
    sides s;
    EEX_TRY(eex__onnx_int_of(&groups, c, "group", 1));
    EEX_TRY(eex__onnx_tensor_of(&w, n, c, 1));
    if (eex__onnx_has(c, 2))
        EEX_TRY(eex__onnx_tensor_of(&b, n, c, 2));
    EEX_TRY(sides_of(&s, c, w->rank == 4 ? (int)w->shape[3] : 0));
    EEX_TRY(eex__onnx_padded_of(&in, &s.pad, n, c, 0));
    EEX_TRY(check_conv(n, c, w, in, groups));
    if (s.kernel != w->shape[3])
        return eex__onnx_refuse(c, "a kernel of %d and weights of %lld", s.kernel,
                                (long long)w->shape[3]);
    EEX_TRY(eex__onnx_node_name(name, n, c, w));
    const eex_conv_options o = {.out = (int)w->shape[0],
                                .kernel = s.kernel,
                                .stride = s.stride,
                                .pad = s.pad,
                                .groups = (int)groups,
                                .bias = b != NULL};
    EEX_TRY(eex_graph_add_conv(n->graph, &node, in, name, &o));
    EEX_TRY(put_source(n, c, node, 0, w, false));
    if (b)
        EEX_TRY(put_source(n, c, node, 1, b, false));
    return eex__onnx_is_node(n, c, node);
}

/* Ours divide by the root of the variance plus 1e-5, whatever theirs add. */
static int add_batch_norm(eex_onnx_network *n, const eex__onnx_call *c)
{
    const eex__onnx_tensor *t[4];
    char name[EEX_NAME_MAX];
    int64_t training;
    float epsilon;
    int in, node;
    EEX_TRY(eex__onnx_value_of(&in, n, c, 0));
    for (int i = 0; i < 4; i++)
        EEX_TRY(eex__onnx_tensor_of(&t[i], n, c, i + 1));
    EEX_TRY(eex__onnx_int_of(&training, c, "training_mode", 0));
    EEX_TRY(eex__onnx_float_of(&epsilon, c, "epsilon", 1e-5f));
    if (training)
        return eex__onnx_refuse(c, "training_mode");
    if (!(epsilon >= 0) || !isfinite(epsilon))
        return eex__onnx_refuse(c, "epsilon of %g: expected a number not below 0", (double)epsilon);
    EEX_TRY(eex__onnx_node_name(name, n, c, t[0]));
    EEX_TRY(eex_graph_add_batch_norm(n->graph, &node, in, name));
    for (int i = 0; i < 4; i++)
        EEX_TRY(put_source(n, c, node, i, t[i], false));
    n->source[n->sources - 1].eps = eex_graph_node(n->graph, node)->bn_eps;
    n->source[n->sources - 1].plus = epsilon - eex_graph_node(n->graph, node)->bn_eps;
    return eex__onnx_is_node(n, c, node);
}

/* ---- linear layers ---- */

int eex__onnx_linear(int *out, eex_onnx_network *n, const eex__onnx_call *c, int in,
                     const eex__onnx_tensor *w, const eex__onnx_tensor *bias, bool transposed)
{
    const eex_node *x = eex_graph_node(n->graph, in);
    const int64_t features = (int64_t)x->h * x->w * x->c;
    char name[EEX_NAME_MAX];
    if (w->rank != 2 || w->shape[transposed ? 0 : 1] != features ||
        w->shape[transposed ? 1 : 0] < 1 || w->shape[transposed ? 1 : 0] > 1 << 16)
        return eex__onnx_refuse(c, "its weights are no matrix for %lld numbers",
                                (long long)features);
    EEX_TRY(eex__onnx_node_name(name, n, c, w));
    EEX_TRY(eex_graph_add_linear(n->graph, out, in, name, (int)w->shape[transposed ? 1 : 0],
                                 bias != NULL));
    EEX_TRY(put_source(n, c, *out, 0, w, transposed));
    return bias ? put_source(n, c, *out, 1, bias, false) : EEX_OK;
}

/* Of more dimensions the columns would be multiplied, and not the numbers of an image. */
static int check_row(const eex_onnx_network *n, const eex__onnx_call *c)
{
    const int rank = eex__onnx_find(n, c->in[0])->rank;
    return rank == 2 ? EEX_OK
                     : eex__onnx_refuse(c,
                                        "of a value of %d dimensions: expected 2, a row of "
                                        "numbers an image (Flatten)",
                                        rank);
}

static int add_gemm(eex_onnx_network *n, const eex__onnx_call *c)
{
    const eex__onnx_tensor *w, *b = NULL;
    int64_t trans_a, trans_b;
    float alpha, beta;
    int in, node;
    EEX_TRY(eex__onnx_value_of(&in, n, c, 0));
    EEX_TRY(eex__onnx_tensor_of(&w, n, c, 1));
    if (eex__onnx_has(c, 2))
        EEX_TRY(eex__onnx_tensor_of(&b, n, c, 2));
    EEX_TRY(eex__onnx_int_of(&trans_a, c, "transA", 0));
    EEX_TRY(eex__onnx_int_of(&trans_b, c, "transB", 0));
    EEX_TRY(eex__onnx_float_of(&alpha, c, "alpha", 1));
    EEX_TRY(eex__onnx_float_of(&beta, c, "beta", 1));
    if (trans_a || alpha != 1 || beta != 1)
        return eex__onnx_refuse(c, "transA, alpha or beta");
    EEX_TRY(check_row(n, c));
    EEX_TRY(eex__onnx_linear(&node, n, c, in, w, b, !trans_b));
    return eex__onnx_is_node_of(n, c, node, 2);
}

/* A bias may come with the next node. */
static int add_matmul(eex_onnx_network *n, const eex__onnx_call *c)
{
    const eex__onnx_tensor *w;
    int in;
    EEX_TRY(eex__onnx_value_of(&in, n, c, 0));
    EEX_TRY(check_row(n, c));
    EEX_TRY(eex__onnx_tensor_of(&w, n, c, 1));
    return eex__onnx_is_entry(
        n, c, (eex__onnx_entry){.is = EEX__IS_PRODUCT, .node = in, .rank = 2, .tensor = w});
}

/* ---- pools ---- */

/* Rounding up means nothing where windows end with the image. */
static int check_ceil(const eex_onnx_network *n, const eex__onnx_call *c, int in, const sides *s)
{
    const eex_node *x = eex_graph_node(n->graph, in);
    const bool whole = s->stride > 0 && (x->h + 2 * s->pad - s->kernel) % s->stride == 0 &&
                       (x->w + 2 * s->pad - s->kernel) % s->stride == 0;
    int64_t ceil_mode;
    EEX_TRY(eex__onnx_int_of(&ceil_mode, c, "ceil_mode", 0));
    return ceil_mode && !whole ? eex__onnx_refuse(c, "ceil_mode where windows go beyond the image")
                               : EEX_OK;
}

static int add_max_pool(eex_onnx_network *n, const eex__onnx_call *c)
{
    char name[EEX_NAME_MAX];
    int in, node;
    sides s;
    EEX_TRY(eex__onnx_value_of(&in, n, c, 0));
    EEX_TRY(sides_of(&s, c, 0));
    EEX_TRY(check_ceil(n, c, in, &s));
    EEX_TRY(eex__onnx_node_name(name, n, c, NULL));
    EEX_TRY(eex_graph_add_max_pool(n->graph, &node, in, name, s.kernel, s.stride, s.pad));
    return eex__onnx_is_node(n, c, node);
}

/* rank: 2 without the sides, 0 with them. */
static int global_pool(eex_onnx_network *n, const eex__onnx_call *c, int rank)
{
    char name[EEX_NAME_MAX];
    int in, node;
    EEX_TRY(eex__onnx_value_of(&in, n, c, 0));
    EEX_TRY(eex__onnx_node_name(name, n, c, NULL));
    EEX_TRY(eex_graph_add_global_pool(n->graph, &node, in, name, false));
    return eex__onnx_is_node_of(n, c, node, rank);
}

static int add_global_pool(eex_onnx_network *n, const eex__onnx_call *c)
{
    return global_pool(n, c, 0);
}

/* A depthwise convolution whose weights are what each pixel counts. Zeros outside count too. */
static int add_window_mean(eex_onnx_network *n, const eex__onnx_call *c, int in, const sides *s)
{
    const int channels = eex_graph_node(n->graph, in)->c;
    const eex_conv_options o = {.out = channels,
                                .kernel = s->kernel,
                                .stride = s->stride,
                                .pad = s->pad,
                                .groups = channels};
    char name[EEX_NAME_MAX];
    int64_t outside;
    int node;
    EEX_TRY(eex__onnx_int_of(&outside, c, "count_include_pad", 0));
    if (s->pad != 0 && !outside)
        return eex__onnx_refuse(c, "a mean of less pixels at the edges (count_include_pad = 0)");
    EEX_TRY(eex__onnx_node_name(name, n, c, NULL));
    EEX_TRY(eex_graph_add_conv(n->graph, &node, in, name, &o));
    EEX_TRY(eex__onnx_source_of(
        n, &(eex__onnx_source){.param = eex_graph_node(n->graph, node)->first_param,
                               .plus = 1.0f / (float)(s->kernel * s->kernel)}));
    return eex__onnx_is_node(n, c, node);
}

/* Over the whole image, or over single pixels, which changes nothing. */
static int add_average_pool(eex_onnx_network *n, const eex__onnx_call *c)
{
    int in;
    sides s;
    EEX_TRY(eex__onnx_value_of(&in, n, c, 0));
    EEX_TRY(sides_of(&s, c, 0));
    EEX_TRY(check_ceil(n, c, in, &s));
    const eex_node *x = eex_graph_node(n->graph, in);
    if (s.pad == 0 && s.kernel == 1 && s.stride == 1)
        return eex__onnx_is_node(n, c, in);
    if (s.pad == 0 && s.kernel == x->h && s.kernel == x->w)
        return add_global_pool(n, c);
    return add_window_mean(n, c, in, &s);
}

/* Over rows and columns, each said once, from the front or from behind. */
static int add_mean(eex_onnx_network *n, const eex__onnx_call *c)
{
    int64_t axes[2], keep;
    int count;
    bool over[2] = {false, false};
    EEX_TRY(eex__onnx_list_of(axes, &count, 2, n, c, "axes", 1));
    for (int i = 0; i < count; i++)
        for (int side = 0; side < 2; side++)
            over[side] |= axes[i] == 2 + side || axes[i] == side - 2;
    if (count != 2 || !over[0] || !over[1])
        return eex__onnx_refuse(c, "over other axes than rows and columns");
    EEX_TRY(eex__onnx_int_of(&keep, c, "keepdims", 1));
    return global_pool(n, c, keep ? 0 : 2);
}

const eex__onnx_operator eex__onnx_layers[] = {{"Conv", add_conv},
                                               {"BatchNormalization", add_batch_norm},
                                               {"Gemm", add_gemm},
                                               {"MatMul", add_matmul},
                                               {"MaxPool", add_max_pool},
                                               {"GlobalAveragePool", add_global_pool},
                                               {"AveragePool", add_average_pool},
                                               {"ReduceMean", add_mean},
                                               {NULL, NULL}};
