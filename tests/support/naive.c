#include "support/naive.h"

#include "support/reference_ops.h"
#include "support/tensor.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void *zeroed(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);
    cr_assert_not_null(memory);
    return memory;
}

static size_t row_of(const eex_node *node)
{
    return (size_t)node->h * (size_t)node->w * (size_t)node->c;
}

static double *copy_param(const eex_params *params, int i)
{
    size_t count = eex_param_count(eex_graph_param(params->graph, i));
    float *values = zeroed(count, sizeof *values);
    double *out = zeroed(count, sizeof *out);
    cr_assert_eq(params->device->vtable->download(params->device, values, eex_params_at(params, i),
                                                  count * sizeof *values),
                 EEX_OK);
    for (size_t j = 0; j < count; j++)
        out[j] = (double)values[j];
    free(values);
    return out;
}

naive *naive_open(const eex_params *params, int batch)
{
    naive *n = zeroed(1, sizeof *n);
    int nodes = eex_graph_nodes(params->graph), count = eex_graph_params(params->graph);
    n->graph = params->graph;
    n->batch = batch;
    n->param = zeroed((size_t)count, sizeof *n->param);
    n->value = zeroed((size_t)nodes, sizeof *n->value);
    n->mask = zeroed((size_t)nodes, sizeof *n->mask);
    for (int i = 0; i < count; i++)
        n->param[i] = copy_param(params, i);
    for (int i = 0; i < nodes; i++)
        n->value[i] = zeroed((size_t)batch * row_of(eex_graph_node(n->graph, i)), sizeof(double));
    return n;
}

void naive_close(naive *n)
{
    for (int i = 0; i < eex_graph_params(n->graph); i++)
        free(n->param[i]);
    for (int i = 0; i < eex_graph_nodes(n->graph); i++) {
        free(n->value[i]);
        free(n->mask[i]);
    }
    free(n->param);
    free(n->value);
    free(n->mask);
    free(n);
}

void naive_images(naive *n, const uint8_t *images, const eex_augment *normalise)
{
    const eex_node *input = eex_graph_node(n->graph, 0);
    for (size_t i = 0; i < (size_t)n->batch * row_of(input); i++) {
        size_t c = i % (size_t)input->c;
        n->value[0][i] = (images[i] / 255.0 - (double)normalise->mean[c]) / normalise->std[c];
    }
}

/* What the device makes of ones. */
void naive_dropout(naive *n, eex_device *dev, const eex_step *step)
{
    for (int i = 0; i < eex_graph_nodes(n->graph); i++) {
        const eex_node *node = eex_graph_node(n->graph, i);
        if (node->kind != EEX_NODE_DROPOUT)
            continue;
        size_t count = (size_t)n->batch * row_of(node);
        bench b;
        bench_init(&b, dev);
        tensor x = tensor_filled(&b, count, 1), y = tensor_poison(&b, count);
        eex_op op = {.kind = EEX_OP_DROPOUT, .name = node->name};
        op.u.pointwise = (eex_op_pointwise){.size = (int)row_of(node),
                                            .x = x.dev,
                                            .y = y.dev,
                                            .p = node->dropout,
                                            .salt = (uint64_t)i};
        bench_run(&b, &op, n->batch, step);
        tensor_download(&b, y);
        free(n->mask[i]);
        n->mask[i] = zeroed(count, sizeof(double));
        for (size_t j = 0; j < count; j++)
            n->mask[i][j] = (double)y.host[j];
        bench_free(&b);
    }
}

/* ---- nodes ---- */

static bool learning(const naive *n, const eex_node *node)
{
    return n->training && !(n->frozen_trunk && node->exit == EEX_TRUNK);
}

/* One tap: y (cout) += x (cin) times w (cin, cout), or channel by channel. */
static void add_tap(double *y, const double *x, const double *w, const eex_window *win)
{
    if (win->groups > 1) {
        for (int c = 0; c < win->cout; c++)
            y[c] += x[c] * w[c];
        return;
    }
    for (int i = 0; i < win->cin; i++)
        for (int o = 0; o < win->cout; o++)
            y[o] += x[i] * w[i * win->cout + o];
}

static void conv_pixel(double *y, const double *image, const double *w, const eex_window *win,
                       int oy, int ox)
{
    size_t tap = (size_t)(win->cin / win->groups) * (size_t)win->cout;
    for (int ky = 0; ky < win->kernel; ky++)
        for (int kx = 0; kx < win->kernel; kx++) {
            int iy = oy * win->stride - win->pad + ky, ix = ox * win->stride - win->pad + kx;
            if (iy >= 0 && iy < win->hin && ix >= 0 && ix < win->win)
                add_tap(y, image + (iy * win->win + ix) * win->cin,
                        w + (size_t)(ky * win->kernel + kx) * tap, win);
        }
}

static void eval_conv(naive *n, const eex_node *node, double *y, const double *x)
{
    const eex_window *win = &node->window;
    const double *w = n->param[node->first_param];
    const double *bias = node->bias ? n->param[node->first_param + 1] : NULL;
    size_t image = (size_t)(win->hin * win->win * win->cin);
    for (int i = 0; i < n->batch; i++)
        for (int oy = 0; oy < win->hout; oy++)
            for (int ox = 0; ox < win->wout; ox++, y += win->cout) {
                for (int c = 0; c < win->cout; c++)
                    y[c] = bias ? bias[c] : 0;
                conv_pixel(y, x + (size_t)i * image, w, win, oy, ox);
            }
}

static void eval_batch_norm(naive *n, const eex_node *node, double *y, const double *x)
{
    size_t pixels = (size_t)n->batch * (size_t)node->h * (size_t)node->w;
    double *const *p = n->param + node->first_param;
    double *moments = zeroed(2 * (size_t)node->c, sizeof *moments);
    const double *mean = p[2], *var = p[3];
    if (learning(n, node)) {
        ref_moments(moments, moments + node->c, x, pixels, node->c);
        mean = moments;
        var = moments + node->c;
    }
    ref_bn(y, x, NULL, p[0], p[1], mean, var, pixels, node->c, (double)node->bn_eps, EEX_ACT_NONE);
    free(moments);
}

static void eval_pointwise(naive *n, int id, double *y, const double *x)
{
    const eex_node *node = eex_graph_node(n->graph, id);
    const double *other = node->kind == EEX_NODE_ADD ? n->value[node->inputs[1]] : NULL;
    const double *mask = learning(n, node) ? n->mask[id] : NULL;
    for (size_t i = 0; i < (size_t)n->batch * row_of(node); i++) {
        y[i] = ref_act(x[i], node->act);
        if (other)
            y[i] += other[i];
        if (mask)
            y[i] *= mask[i];
    }
}

static void eval_concat(naive *n, const eex_node *node, double *y)
{
    size_t rows = (size_t)n->batch * (size_t)node->h * (size_t)node->w;
    for (int j = 0; j < 2; j++) {
        const int c = eex_graph_node(n->graph, node->inputs[j])->c;
        ref_columns(y, n->value[node->inputs[j]], rows, node->c, c, c);
        y += c;
    }
}

static void eval_depth_to_space(naive *n, const eex_node *node, double *y, const double *x)
{
    const int c = node->c, w = node->w / 2;
    for (int row = 0; row < n->batch * node->h; row++)
        for (int column = 0; column < node->w; column++, y += c) {
            const int a = row % 2, b = column % 2;
            const double *pixel = x + ((row / 2) * w + column / 2) * 4 * c;
            memcpy(y, pixel + (2 * a + b) * c, (size_t)c * sizeof *y);
        }
}

static void eval_quantise(naive *n, const eex_node *node, double *y, const double *x)
{
    const double *range = n->param[node->first_param];
    const double step = (range[1] - range[0]) / ((1 << node->bits) - 1);
    for (size_t i = 0; i < (size_t)n->batch * row_of(node); i++)
        y[i] =
            fmin(fmax(range[0] + floor((x[i] - range[0]) / step + 0.5) * step, range[0]), range[1]);
}

static void eval(naive *n, int id)
{
    const eex_node *node = eex_graph_node(n->graph, id);
    const eex_node *in = eex_graph_node(n->graph, node->inputs[0]);
    double *y = n->value[id];
    const double *x = n->value[node->inputs[0]];
    switch (node->kind) {
    case EEX_NODE_CONV:
    case EEX_NODE_LINEAR:
        eval_conv(n, node, y, x);
        break;
    case EEX_NODE_BATCH_NORM:
        eval_batch_norm(n, node, y, x);
        break;
    case EEX_NODE_SCALE:
        ref_scale(y, x, n->value[node->inputs[1]], n->batch, node->h * node->w, node->c);
        break;
    case EEX_NODE_CONCAT:
        eval_concat(n, node, y);
        break;
    case EEX_NODE_DEPTH_TO_SPACE:
        eval_depth_to_space(n, node, y, x);
        break;
    case EEX_NODE_QUANTISE:
        eval_quantise(n, node, y, x);
        break;
    case EEX_NODE_MAX_POOL:
        ref_max_pool(y, x, n->batch, &node->window);
        break;
    case EEX_NODE_GLOBAL_POOL:
        ref_global_pool(y, x, n->batch, in->h * in->w, in->c);
        break;
    default:
        eval_pointwise(n, id, y, x);
    }
}

void naive_forward(naive *n, int first)
{
    for (int i = first > 1 ? first : 1; i < eex_graph_nodes(n->graph); i++)
        eval(n, i);
}
