/* The node kinds: how each is added, which parameters it has and what it costs. A new kind is a
 * section here, a row in the table below and a name in graph.h. */
#include "core/graph/graph_impl.h"
#include "device/quantise.h"

#include "base/status.h"

#include <stdio.h>
#include <string.h>

static int64_t elements(const eex_node *n)
{
    return (int64_t)n->h * n->w * n->c;
}

/* Begins a node of `kind` that reads `in`, with the same shape until its kind says otherwise. */
static int begin(eex_node *n, const eex_graph *g, eex_node_kind kind, int in, const char *name)
{
    if (!g || !name)
        return eex_fail(EEX_EINVAL, "a %s node without a %s (NULL)", eex_node_kind_name(kind),
                        g ? "name" : "graph");
    *n = (eex_node){.kind = kind,
                    .inputs = {in, -1},
                    .exit = g->exit,
                    .out_choice = -1,
                    .kernel_choice = -1,
                    .gene = g->gene,
                    .from = g->from};
    EEX_TRY(eex__graph_name_copy(n->name, name, "node"));
    memcpy(n->block, g->block, sizeof n->block);
    if (in < 0 || in >= g->node_count)
        return eex_fail(EEX_EINVAL, "%s \"%s\": graph \"%s\" has no value %d",
                        eex_node_kind_name(kind), name, g->name, in);
    n->h = g->nodes[in].h;
    n->w = g->nodes[in].w;
    n->c = g->nodes[in].c;
    return EEX_OK;
}

static int check_range(const eex_node *n, const char *what, int value, int min, int max)
{
    if (value >= min && value <= max)
        return EEX_OK;
    return eex_fail(EEX_EINVAL, "%s \"%s\": %s must be within %d..%d, not %d",
                    eex_node_kind_name(n->kind), n->name, what, min, max, value);
}

/* Checks a window on the node's input and gives the node its output's shape. */
static int set_window(eex_node *n, int out, int kernel, int stride, int pad, int groups)
{
    EEX_TRY(check_range(n, "out", out, 1, EEX__MAX_CHANNELS));
    EEX_TRY(check_range(n, "kernel", kernel, 1, EEX__MAX_WINDOW));
    EEX_TRY(check_range(n, "stride", stride, 1, EEX__MAX_WINDOW));
    EEX_TRY(check_range(n, "pad", pad, 0, kernel - 1));
    if (n->h + 2 * pad < kernel || n->w + 2 * pad < kernel)
        return eex_fail(EEX_EINVAL,
                        "%s \"%s\": a window of %d with pad %d does not fit an image of %d x %d",
                        eex_node_kind_name(n->kind), n->name, kernel, pad, n->h, n->w);
    n->window = (eex_window){.cin = n->c,
                             .hin = n->h,
                             .win = n->w,
                             .cout = out,
                             .hout = (n->h + 2 * pad - kernel) / stride + 1,
                             .wout = (n->w + 2 * pad - kernel) / stride + 1,
                             .kernel = kernel,
                             .stride = stride,
                             .pad = pad,
                             .groups = groups};
    n->h = n->window.hout;
    n->w = n->window.wout;
    n->c = out;
    return EEX_OK;
}

/* ---- convolution ---- */

static int check_groups(const eex_node *n, int out, int groups)
{
    EEX_TRY(check_range(n, "groups", groups, 1, n->c));
    if (n->c % groups || out % groups)
        return eex_fail(EEX_EINVAL, "conv \"%s\": %d groups do not divide %d to %d channels",
                        n->name, groups, n->c, out);
    return EEX_OK;
}

int eex_graph_add_conv(eex_graph *g, int *out, int in, const char *name, const eex_conv_options *o)
{
    eex_node n;
    EEX_NEED(o, "options");
    EEX_TRY(begin(&n, g, EEX_NODE_CONV, in, name));
    int groups = o->groups ? o->groups : 1;
    EEX_TRY(check_groups(&n, o->out, groups));
    EEX_TRY(set_window(&n, o->out, o->kernel, o->stride ? o->stride : 1, o->pad, groups));
    n.bias = o->bias;
    return eex__graph_append(g, out, &n);
}

static int weight_and_bias(eex_graph *g, const eex_node *n, int rank)
{
    const eex_window *w = &n->window;
    const int weight[4] = {w->cout, w->cin / w->groups, w->kernel, w->kernel}, bias[4] = {w->cout};
    EEX_TRY(eex__graph_add_param(g, n, "weight", rank, weight, true, true));
    return n->bias ? eex__graph_add_param(g, n, "bias", 1, bias, true, false) : EEX_OK;
}

int eex__graph_add_transforms(eex_graph *g, const eex_node *n)
{
    const int *kernel = n->transforms ? g->choices[n->kernel_choice].values : NULL;
    char name[32];
    for (int o = n->transforms; o > 0; o--) {
        const int pixels = kernel[o - 1] * kernel[o - 1], shape[4] = {pixels, pixels};
        snprintf(name, sizeof name, "%dto%d_matrix", kernel[o], kernel[o - 1]);
        EEX_TRY(eex__graph_add_param(g, n, name, 2, shape, true, false));
    }
    return EEX_OK;
}

static int conv_params(eex_graph *g, const eex_node *n)
{
    EEX_TRY(weight_and_bias(g, n, 4));
    return eex__graph_add_transforms(g, n);
}

/* Convolutions and linear layers, which are convolutions with a 1x1 window. */
static int64_t conv_cost(const eex_graph *g, const eex_node *n, eex_convention c)
{
    const eex_window *w = &n->window;
    int64_t macs = elements(n) * (w->cin / w->groups) * w->kernel * w->kernel;
    return c == EEX_PTFLOPS && n->bias ? macs + elements(n) : macs;
}

/* ---- linear ---- */

int eex_graph_add_linear(eex_graph *g, int *out, int in, const char *name, int features, bool bias)
{
    eex_node n;
    EEX_TRY(begin(&n, g, EEX_NODE_LINEAR, in, name));
    if (n.h != 1 || n.w != 1)
        return eex_fail(EEX_EINVAL,
                        "linear \"%s\" reads an image of %d x %d x %d: flatten or pool it first",
                        name, n.h, n.w, n.c);
    EEX_TRY(set_window(&n, features, 1, 1, 0, 1));
    n.bias = bias;
    return eex__graph_append(g, out, &n);
}

static int linear_params(eex_graph *g, const eex_node *n)
{
    return weight_and_bias(g, n, 2);
}

/* ---- batch norm ---- */

int eex_graph_add_batch_norm(eex_graph *g, int *out, int in, const char *name)
{
    eex_node n;
    EEX_TRY(begin(&n, g, EEX_NODE_BATCH_NORM, in, name));
    n.bn_eps = 1e-5f;
    n.bn_momentum = 0.1f;
    return eex__graph_append(g, out, &n);
}

static int batch_norm_params(eex_graph *g, const eex_node *n)
{
    const int shape[4] = {n->c};
    EEX_TRY(eex__graph_add_param(g, n, "weight", 1, shape, true, false));
    EEX_TRY(eex__graph_add_param(g, n, "bias", 1, shape, true, false));
    EEX_TRY(eex__graph_add_param(g, n, "running_mean", 1, shape, false, false));
    return eex__graph_add_param(g, n, "running_var", 1, shape, false, false);
}

static int64_t batch_norm_cost(const eex_graph *g, const eex_node *n, eex_convention c)
{
    return c == EEX_PTFLOPS || c == EEX_THOP ? 2 * elements(n) : 0;
}

/* ---- act ---- */

int eex_graph_add_act(eex_graph *g, int *out, int in, const char *name, eex_act act)
{
    eex_node n;
    EEX_TRY(begin(&n, g, EEX_NODE_ACT, in, name));
    EEX_TRY(check_range(&n, "act", (int)act, 0, EEX_ACTS - 1));
    n.act = act;
    return eex__graph_append(g, out, &n);
}

/* The ones count layers of kinds that they know, the other what multiplies: h-swish by itself. */
static int64_t act_cost(const eex_graph *g, const eex_node *n, eex_convention c)
{
    const bool clamp = n->act == EEX_ACT_RELU || n->act == EEX_ACT_RELU6;
    if (c == EEX_TORCHPROFILE)
        return n->act == EEX_ACT_H_SWISH ? elements(n) : 0;
    return c == EEX_PTFLOPS && clamp && !n->functional ? elements(n) : 0;
}

/* ---- add ---- */

/* Begins a node of two inputs. */
static int begin_pair(eex_node *n, const eex_graph *g, eex_node_kind kind, int a, int b,
                      const char *name)
{
    EEX_TRY(begin(n, g, kind, a, name));
    if (b < 0 || b >= g->node_count)
        return eex_fail(EEX_EINVAL, "%s \"%s\": graph \"%s\" has no value %d",
                        eex_node_kind_name(kind), name, g->name, b);
    n->inputs[1] = b;
    return EEX_OK;
}

int eex_graph_add_add(eex_graph *g, int *out, int a, int b, const char *name)
{
    eex_node n;
    EEX_TRY(begin_pair(&n, g, EEX_NODE_ADD, a, b, name));
    const eex_node *other = &g->nodes[b];
    if (other->h != n.h || other->w != n.w || other->c != n.c)
        return eex_fail(EEX_EINVAL, "add \"%s\": \"%s\" has %d x %d x %d, \"%s\" has %d x %d x %d",
                        name, g->nodes[a].name, n.h, n.w, n.c, other->name, other->h, other->w,
                        other->c);
    return eex__graph_append(g, out, &n);
}

/* ---- scale, concat ---- */

int eex_graph_add_scale(eex_graph *g, int *out, int in, int factors, const char *name)
{
    eex_node n;
    EEX_TRY(begin_pair(&n, g, EEX_NODE_SCALE, in, factors, name));
    const eex_node *by = &g->nodes[factors];
    if (by->h != 1 || by->w != 1 || by->c != n.c)
        return eex_fail(EEX_EINVAL,
                        "scale \"%s\": \"%s\" has %d x %d x %d, one value is needed for each of "
                        "the %d channels of \"%s\" (1 x 1 x %d)",
                        name, by->name, by->h, by->w, by->c, n.c, g->nodes[in].name, n.c);
    return eex__graph_append(g, out, &n);
}

static int64_t scale_cost(const eex_graph *g, const eex_node *n, eex_convention c)
{
    return c == EEX_TORCHPROFILE ? elements(n) : 0;
}

int eex_graph_add_concat(eex_graph *g, int *out, int a, int b, const char *name)
{
    eex_node n;
    EEX_TRY(begin_pair(&n, g, EEX_NODE_CONCAT, a, b, name));
    const eex_node *other = &g->nodes[b];
    if (other->h != n.h || other->w != n.w)
        return eex_fail(EEX_EINVAL, "concat \"%s\": \"%s\" is %d x %d, \"%s\" is %d x %d", name,
                        g->nodes[a].name, n.h, n.w, other->name, other->h, other->w);
    n.c += other->c;
    return eex__graph_append(g, out, &n);
}

/* ---- what passes a bottleneck ---- */

int eex_graph_add_depth_to_space(eex_graph *g, int *out, int in, const char *name)
{
    eex_node n;
    EEX_TRY(begin(&n, g, EEX_NODE_DEPTH_TO_SPACE, in, name));
    if (n.c % 4)
        return eex_fail(EEX_EINVAL,
                        "depth_to_space \"%s\": %d channels are not those of 2 x 2 pixels", name,
                        n.c);
    n.h *= 2;
    n.w *= 2;
    n.c /= 4;
    return eex__graph_append(g, out, &n);
}

int eex_graph_add_quantise(eex_graph *g, int *out, int in, const char *name, int bits)
{
    eex_node n;
    EEX_TRY(begin(&n, g, EEX_NODE_QUANTISE, in, name));
    EEX_TRY(check_range(&n, "bits", bits, EEX_QUANTISE_MIN_BITS, EEX_QUANTISE_MAX_BITS));
    n.bits = bits;
    return eex__graph_append(g, out, &n);
}

static int quantise_params(eex_graph *g, const eex_node *n)
{
    static const int shape[4] = {2};
    return eex__graph_add_param(g, n, "range", 1, shape, false, false);
}

/* ---- pools ---- */

static int64_t pool_input_cost(const eex_graph *g, const eex_node *n, eex_convention c)
{
    return c == EEX_PTFLOPS && !n->functional ? elements(&g->nodes[n->inputs[0]]) : 0;
}

int eex_graph_add_max_pool(eex_graph *g, int *out, int in, const char *name, int kernel, int stride,
                           int pad)
{
    eex_node n;
    EEX_TRY(begin(&n, g, EEX_NODE_MAX_POOL, in, name));
    EEX_TRY(set_window(&n, n.c, kernel, stride ? stride : kernel, pad, 1));
    EEX_TRY(check_range(&n, "pad", pad, 0, kernel / 2)); /* else a window may lie in the padding */
    return eex__graph_append(g, out, &n);
}

int eex_graph_add_global_pool(eex_graph *g, int *out, int in, const char *name, bool functional)
{
    eex_node n;
    EEX_TRY(begin(&n, g, EEX_NODE_GLOBAL_POOL, in, name));
    n.h = n.w = 1;
    n.functional = functional;
    return eex__graph_append(g, out, &n);
}

/* torchprofile counts what an averaging writes: a mean over W and then over H writes C * H and then
 * C values, an adaptive pool writes C at once. */
static int64_t global_pool_cost(const eex_graph *g, const eex_node *n, eex_convention c)
{
    const eex_node *in = &g->nodes[n->inputs[0]];
    if (c == EEX_TORCHPROFILE)
        return n->functional ? (int64_t)in->c * in->h + in->c : in->c;
    return pool_input_cost(g, n, c);
}

/* ---- flatten, dropout ---- */

int eex_graph_add_flatten(eex_graph *g, int *out, int in, const char *name, bool functional)
{
    eex_node n;
    EEX_TRY(begin(&n, g, EEX_NODE_FLATTEN, in, name));
    n.c *= n.h * n.w;
    n.h = n.w = 1;
    n.functional = functional;
    return eex__graph_append(g, out, &n);
}

int eex_graph_add_dropout(eex_graph *g, int *out, int in, const char *name, float p)
{
    eex_node n;
    EEX_TRY(begin(&n, g, EEX_NODE_DROPOUT, in, name));
    if (!(p >= 0 && p < 1))
        return eex_fail(EEX_EINVAL, "dropout \"%s\": the probability must be in [0, 1), not %g",
                        name, (double)p);
    n.dropout = p;
    return eex__graph_append(g, out, &n);
}

/* ---- like another ---- */

static int add_kind(eex_graph *g, int *id, const eex_node *like)
{
    const eex_window *w = &like->window;
    const int *in = like->inputs;
    const char *name = like->name;
    const eex_conv_options conv = {.out = w->cout,
                                   .kernel = w->kernel,
                                   .stride = w->stride,
                                   .pad = w->pad,
                                   .groups = w->groups,
                                   .bias = like->bias};
    switch (like->kind) {
    case EEX_NODE_CONV:
        return eex_graph_add_conv(g, id, in[0], name, &conv);
    case EEX_NODE_BATCH_NORM:
        return eex_graph_add_batch_norm(g, id, in[0], name);
    case EEX_NODE_ACT:
        return eex_graph_add_act(g, id, in[0], name, like->act);
    case EEX_NODE_ADD:
        return eex_graph_add_add(g, id, in[0], in[1], name);
    case EEX_NODE_SCALE:
        return eex_graph_add_scale(g, id, in[0], in[1], name);
    case EEX_NODE_CONCAT:
        return eex_graph_add_concat(g, id, in[0], in[1], name);
    case EEX_NODE_DEPTH_TO_SPACE:
        return eex_graph_add_depth_to_space(g, id, in[0], name);
    case EEX_NODE_QUANTISE:
        return eex_graph_add_quantise(g, id, in[0], name, like->bits);
    case EEX_NODE_MAX_POOL:
        return eex_graph_add_max_pool(g, id, in[0], name, w->kernel, w->stride, w->pad);
    case EEX_NODE_GLOBAL_POOL:
        return eex_graph_add_global_pool(g, id, in[0], name, like->functional);
    case EEX_NODE_FLATTEN:
        return eex_graph_add_flatten(g, id, in[0], name, like->functional);
    case EEX_NODE_DROPOUT:
        return eex_graph_add_dropout(g, id, in[0], name, like->dropout);
    case EEX_NODE_LINEAR:
        EEX_TRY(eex_graph_add_linear(g, id, in[0], name, w->cout, like->bias));
        return eex_graph_init_std(g, *id, like->init_std);
    default:
        return eex_fail(EEX_EINVAL, "\"%s\" is a second input", name);
    }
}

int eex__graph_add_like(eex_graph *g, int *out, const eex_node *like)
{
    EEX_TRY(eex_graph_block(g, like->block));
    EEX_TRY(add_kind(g, out, like));
    eex_node *n = &g->nodes[*out];
    n->functional = like->functional;
    n->exit = like->exit;
    if (n->kind == EEX_NODE_BATCH_NORM) {
        n->bn_eps = like->bn_eps;
        n->bn_momentum = like->bn_momentum;
        n->zero_start = like->zero_start;
    }
    return EEX_OK;
}

/* ---- the table ---- */

EEX_NAMES(
    eex_node_kind, eex_node_kind, EEX_NODE_KINDS, [EEX_NODE_INPUT] = "input",
    [EEX_NODE_CONV] = "conv", [EEX_NODE_BATCH_NORM] = "batch_norm", [EEX_NODE_ACT] = "act",
    [EEX_NODE_ADD] = "add", [EEX_NODE_SCALE] = "scale", [EEX_NODE_CONCAT] = "concat",
    [EEX_NODE_DEPTH_TO_SPACE] = "depth_to_space", [EEX_NODE_QUANTISE] = "quantise",
    [EEX_NODE_MAX_POOL] = "max_pool", [EEX_NODE_GLOBAL_POOL] = "global_pool",
    [EEX_NODE_FLATTEN] = "flatten", [EEX_NODE_DROPOUT] = "dropout", [EEX_NODE_LINEAR] = "linear");

static const eex__kind kinds[] = {
    [EEX_NODE_INPUT] = {true, NULL, NULL},
    [EEX_NODE_CONV] = {true, conv_params, conv_cost},
    [EEX_NODE_BATCH_NORM] = {true, batch_norm_params, batch_norm_cost},
    [EEX_NODE_ACT] = {true, NULL, act_cost},
    [EEX_NODE_ADD] = {true, NULL, NULL},
    [EEX_NODE_SCALE] = {true, NULL, scale_cost},
    [EEX_NODE_CONCAT] = {true, NULL, NULL},
    [EEX_NODE_DEPTH_TO_SPACE] = {true, NULL, NULL},
    [EEX_NODE_QUANTISE] = {true, quantise_params, NULL},
    [EEX_NODE_MAX_POOL] = {true, NULL, pool_input_cost},
    [EEX_NODE_GLOBAL_POOL] = {false, NULL, global_pool_cost},
    [EEX_NODE_FLATTEN] = {false, NULL, NULL},
    [EEX_NODE_DROPOUT] = {true, NULL, NULL},
    [EEX_NODE_LINEAR] = {false, linear_params, conv_cost},
};
_Static_assert(sizeof kinds / sizeof *kinds == EEX_NODE_KINDS, "a row a kind of node");

const eex__kind *eex__kind_of(eex_node_kind kind)
{
    return &kinds[kind];
}
