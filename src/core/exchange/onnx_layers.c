/* Layers as ONNX's operators. */
#include "core/exchange/onnx_impl.h"
#include "device/augment.h"
#include "device/resize.h"

#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>

/* "<begin>/<end>". */
static void join(eex__onnx_name out, const char *begin, const char *end)
{
    snprintf(out, EEX__ONNX_NAME, "%.*s/%s", EEX_NAME_MAX + 8, begin, end);
}

/* ---- the image ---- */

/* One axis of the resizing as a matrix (to, from). */
static int put_axis(eex__onnx *o, const char *name, int from, int to, bool transposed)
{
    const int64_t shape[2] = {transposed ? from : to, transposed ? to : from};
    float *m = calloc((size_t)from * (size_t)to, sizeof *m);
    if (!m)
        return eex_fail(EEX_ENOMEM, "out of memory for resizing %d to %d pixels", from, to);
    for (int t = 0; t < to; t++) {
        const eex_taps taps = eex_resize_taps(t, from, to);
        double sum = 0;
        for (int s = taps.first; s <= taps.last; s++)
            sum += eex_resize_weight(t, s, from, to);
        for (int s = taps.first; s <= taps.last; s++)
            m[transposed ? (size_t)s * (size_t)to + (size_t)t
                         : (size_t)t * (size_t)from + (size_t)s] =
                (float)(eex_resize_weight(t, s, from, to) / sum);
    }
    eex__onnx_floats(o, name, m, shape, 2);
    free(m);
    return EEX_OK;
}

static int resize(eex__onnx *o, const eex_input *in, const eex__layer *l)
{
    EEX_TRY(put_axis(o, "/image/rows", in->height, l->h, false));
    EEX_TRY(put_axis(o, "/image/columns", in->width, l->w, true));
    eex__onnx_node(o, "MatMul", "/image/lower", "/image/rows", "/image/normal", NULL);
    eex__onnx_node(o, "MatMul", "/image/resized", "/image/lower", "/image/columns", NULL);
    return EEX_OK;
}

static void normalise(eex__onnx *o, const eex_input *in)
{
    static const int64_t order[4] = {0, 3, 1, 2};
    const eex_inference how = eex_model_inference(o->layers->model, 1);
    const int64_t shape[4] = {1, in->channels, 1, 1};
    float scale[3], offset[3];
    for (int c = 0; c < in->channels; c++)
        eex_augment_scale(&scale[c], &offset[c], &how.normalise, c);
    eex__onnx_floats(o, "/image/scale", scale, shape, 4);
    eex__onnx_floats(o, "/image/offset", offset, shape, 4);
    size_t node = eex__onnx_open(o, "Cast", "/image/float", (const char *const[]){"image", NULL});
    eex__onnx_int(o, "to", EEX__ONNX_FLOAT);
    eex__onnx_close(o, node);
    node = eex__onnx_open(o, "Transpose", "/image/planes",
                          (const char *const[]){"/image/float", NULL});
    eex__onnx_ints(o, "perm", order, 4);
    eex__onnx_close(o, node);
    eex__onnx_node(o, "Mul", "/image/scaled", "/image/planes", "/image/scale", NULL);
    eex__onnx_node(o, "Add", "/image/normal", "/image/scaled", "/image/offset", NULL);
}

int eex__onnx_image(eex__onnx *o)
{
    const eex_input *in = &o->layers->model->input;
    const eex__layer *l = &o->layers->at[0];
    const bool same = in->height == l->h && in->width == l->w;
    normalise(o, in);
    snprintf(o->map[0], EEX__ONNX_NAME, "%s", same ? "/image/normal" : "/image/resized");
    return same ? EEX_OK : resize(o, in, l);
}

/* ---- shapes ---- */

const char *eex__onnx_as_map(eex__onnx *o, int layer)
{
    static const int64_t axes[2] = {2, 3};
    eex__onnx_name name;
    if (*o->map[layer])
        return o->map[layer];
    join(o->map[layer], o->flat[layer], "map");
    join(name, o->flat[layer], "axes");
    eex__onnx_int64s(o, name, axes, 2);
    eex__onnx_node(o, "Unsqueeze", o->map[layer], o->flat[layer], name, NULL);
    return o->map[layer];
}

const char *eex__onnx_as_flat(eex__onnx *o, int layer)
{
    if (*o->flat[layer])
        return o->flat[layer];
    join(o->flat[layer], o->map[layer], "flat");
    eex__onnx_node(o, "Flatten", o->flat[layer], o->map[layer], NULL, NULL);
    return o->flat[layer];
}

/* ---- layers ---- */

typedef struct call {
    eex__onnx *o;
    const eex__layer *l;
    const char *y;     /* name of the value */
    const char *in[3]; /* names of what it reads, NULL behind */
    eex__onnx_name weight, bias;
} call;

static void put_weights(call *c, const int64_t *shape, int rank)
{
    const int64_t channels[1] = {c->l->c};
    join(c->weight, c->y, "weight");
    join(c->bias, c->y, "bias");
    eex__onnx_floats(c->o, c->weight, c->l->weight, shape, rank);
    eex__onnx_floats(c->o, c->bias, c->l->bias, channels, 1);
}

static void put_window(eex__onnx *o, const eex_window *w)
{
    const int64_t kernel[2] = {w->kernel, w->kernel}, strides[2] = {w->stride, w->stride};
    const int64_t pads[4] = {w->pad, w->pad, w->pad, w->pad};
    eex__onnx_ints(o, "kernel_shape", kernel, 2);
    eex__onnx_ints(o, "strides", strides, 2);
    eex__onnx_ints(o, "pads", pads, 4);
}

static void put_conv(call *c)
{
    const eex_window *w = &c->l->window;
    const int64_t shape[4] = {w->cout, w->cin / w->groups, w->kernel, w->kernel};
    put_weights(c, shape, 4);
    const char *const inputs[] = {c->in[0], c->weight, c->bias, NULL};
    const size_t node = eex__onnx_open(c->o, "Conv", c->y, inputs);
    put_window(c->o, w);
    eex__onnx_int(c->o, "group", w->groups);
    eex__onnx_close(c->o, node);
}

static void put_linear(call *c)
{
    const int64_t shape[2] = {c->l->c, (int64_t)(c->l->weights / (size_t)c->l->c)};
    put_weights(c, shape, 2);
    const char *const inputs[] = {c->in[0], c->weight, c->bias, NULL};
    const size_t node = eex__onnx_open(c->o, "Gemm", c->y, inputs);
    eex__onnx_int(c->o, "transB", 1);
    eex__onnx_close(c->o, node);
}

/* A batch norm that nothing took in. */
static void put_norm(call *c)
{
    const int64_t shape[3] = {c->l->c, 1, 1};
    eex__onnx_name scaled;
    join(c->weight, c->y, "weight");
    join(c->bias, c->y, "bias");
    join(scaled, c->y, "scaled");
    eex__onnx_floats(c->o, c->weight, c->l->weight, shape, 3);
    eex__onnx_floats(c->o, c->bias, c->l->bias, shape, 3);
    eex__onnx_node(c->o, "Mul", scaled, c->in[0], c->weight, NULL);
    eex__onnx_node(c->o, "Add", c->y, scaled, c->bias, NULL);
}

static void put_h_sigmoid(eex__onnx *o, const char *y, const char *x)
{
    const size_t node = eex__onnx_open(o, "HardSigmoid", y, (const char *const[]){x, NULL});
    eex__onnx_float(o, "alpha", 1.0f / 6);
    eex__onnx_float(o, "beta", 0.5f);
    eex__onnx_close(o, node);
}

static void put_act(call *c)
{
    eex__onnx_name gate;
    switch (c->l->act) {
    case EEX_ACT_RELU:
        eex__onnx_node(c->o, "Relu", c->y, c->in[0], NULL, NULL);
        return;
    case EEX_ACT_RELU6:
        eex__onnx_node(c->o, "Clip", c->y, c->in[0], eex__onnx_shared(c->o, EEX__ONNX_ZERO),
                       eex__onnx_shared(c->o, EEX__ONNX_SIX));
        return;
    case EEX_ACT_H_SWISH:
        join(gate, c->y, "gate");
        put_h_sigmoid(c->o, gate, c->in[0]);
        eex__onnx_node(c->o, "Mul", c->y, c->in[0], gate, NULL);
        return;
    case EEX_ACT_H_SIGMOID:
        put_h_sigmoid(c->o, c->y, c->in[0]);
        return;
    case EEX_ACT_SIGMOID:
        eex__onnx_node(c->o, "Sigmoid", c->y, c->in[0], NULL, NULL);
        return;
    case EEX_ACT_SILU:
        join(gate, c->y, "gate");
        eex__onnx_node(c->o, "Sigmoid", gate, c->in[0], NULL, NULL);
        eex__onnx_node(c->o, "Mul", c->y, c->in[0], gate, NULL);
        return;
    default:
        eex__onnx_node(c->o, "Identity", c->y, c->in[0], NULL, NULL);
    }
}

static void put_pool(call *c)
{
    const size_t node = eex__onnx_open(c->o, "MaxPool", c->y, c->in);
    put_window(c->o, &c->l->window);
    eex__onnx_close(c->o, node);
}

static void put_concat(call *c)
{
    const size_t node = eex__onnx_open(c->o, "Concat", c->y, c->in);
    eex__onnx_int(c->o, "axis", 1);
    eex__onnx_close(c->o, node);
}

static int put_call(call *c)
{
    switch (c->l->kind) {
    case EEX_NODE_CONV:
        put_conv(c);
        break;
    case EEX_NODE_LINEAR:
        put_linear(c);
        break;
    case EEX_NODE_BATCH_NORM:
        put_norm(c);
        break;
    case EEX_NODE_ACT:
        put_act(c);
        break;
    case EEX_NODE_ADD:
        eex__onnx_node(c->o, "Add", c->y, c->in[0], c->in[1], NULL);
        break;
    case EEX_NODE_SCALE:
        eex__onnx_node(c->o, "Mul", c->y, c->in[0], c->in[1], NULL);
        break;
    case EEX_NODE_CONCAT:
        put_concat(c);
        break;
    case EEX_NODE_MAX_POOL:
        put_pool(c);
        break;
    case EEX_NODE_GLOBAL_POOL:
        eex__onnx_node(c->o, "GlobalAveragePool", c->y, c->in[0], NULL, NULL);
        break;
    default:
        return eex_fail(EEX_EUNSUPPORTED, "\"%s\": a %s is not written as ONNX", c->l->name,
                        eex_node_kind_name(c->l->kind));
    }
    return EEX_OK;
}

/* What a layer reads: linear ones (N, C), an act what is there, all others maps. Whether its own
 * value is flat. */
static bool find_inputs(call *c)
{
    const bool linear = c->l->kind == EEX_NODE_LINEAR, act = c->l->kind == EEX_NODE_ACT;
    bool flat = linear;
    for (int j = 0; j < 2 && c->l->input[j] >= 0; j++) {
        const int in = c->l->input[j];
        flat = linear || (act && *c->o->flat[in]);
        c->in[j] = flat ? eex__onnx_as_flat(c->o, in) : eex__onnx_as_map(c->o, in);
    }
    return flat;
}

static int put_layer(eex__onnx *o, int i)
{
    call c = {.o = o, .l = &o->layers->at[i]};
    if (c.l->kind == EEX_NODE_FLATTEN) {
        snprintf(o->flat[i], EEX__ONNX_NAME, "%s", eex__onnx_as_flat(o, c.l->input[0]));
        return EEX_OK;
    }
    char *name = find_inputs(&c) ? o->flat[i] : o->map[i];
    snprintf(name, EEX__ONNX_NAME, "/%s", c.l->name);
    c.y = name;
    return put_call(&c);
}

int eex__onnx_segment(eex__onnx *o, int segment)
{
    for (int i = 1; i < o->layers->count; i++)
        if (o->layers->at[i].segment == segment)
            EEX_TRY(put_layer(o, i));
    return EEX_OK;
}
