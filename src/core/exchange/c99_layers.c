/* Layers as calls of export/c99/kernels.h. */
#include "core/exchange/c99_impl.h"
#include "device/augment.h"

#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- numbers ---- */

void eex__c99_float(eex_buffer *out, float value)
{
    char text[32];
    if (isinf(value)) {
        eex_buffer_puts(out, value < 0 ? "-HUGE_VALF" : "HUGE_VALF");
        return;
    }
    snprintf(text, sizeof text, "%.9g", (double)value);
    eex_buffer_printf(out, "%s%sf", text, strpbrk(text, ".e") ? "" : ".0");
}

void eex__c99_floats(eex_buffer *out, const char *name, const float *values, size_t count)
{
    enum { A_LINE = 8 };
    eex_buffer_printf(out, "static const float %s[%zu] = {", name, count);
    for (size_t i = 0; i < count; i++) {
        eex_buffer_puts(out, i % A_LINE ? ", " : i ? ",\n    " : "\n    ");
        eex__c99_float(out, values[i]);
    }
    eex_buffer_puts(out, "};\n");
}

/* ---- weights ---- */

/* From PyTorch's order, (out, in, pixels), to (pixels, in, out). */
static void reorder(float *to, const float *from, size_t out, size_t in, size_t pixels)
{
    for (size_t o = 0; o < out; o++)
        for (size_t i = 0; i < in; i++)
            for (size_t p = 0; p < pixels; p++)
                to[(p * in + i) * out + o] = from[(o * in + i) * pixels + p];
}

/* How many pixels a layer's weights are for; a linear layer behind a flatten is for all of them. */
static size_t weight_pixels(const eex__layers *layers, const eex__layer *l)
{
    if (l->kind == EEX_NODE_CONV)
        return (size_t)l->window.kernel * (size_t)l->window.kernel;
    if (l->kind != EEX_NODE_LINEAR)
        return 1;
    const eex__layer *in = &layers->at[l->input[0]];
    while (in->kind == EEX_NODE_FLATTEN)
        in = &layers->at[in->input[0]];
    return (size_t)in->h * (size_t)in->w;
}

int eex__c99_weights(eex_buffer *out, const eex__layers *layers, int i, uint64_t *count)
{
    const eex__layer *l = &layers->at[i];
    const size_t channels = (size_t)l->c, pixels = weight_pixels(layers, l);
    char name[32];
    if (!l->weight)
        return EEX_OK;
    float *ordered = malloc(l->weights * sizeof *ordered);
    if (!ordered)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu weights", l->weights);
    reorder(ordered, l->weight, channels, l->weights / channels / pixels, pixels);
    eex_buffer_printf(out, "\n/* %s */\n", l->name);
    snprintf(name, sizeof name, "w%d", i);
    eex__c99_floats(out, name, ordered, l->weights);
    snprintf(name, sizeof name, "b%d", i);
    eex__c99_floats(out, name, l->bias, channels);
    free(ordered);
    *count += l->weights + channels;
    return eex_buffer_status(out);
}

/* ---- calls ---- */

static const char *act_name(eex_act act)
{
    static const char *const names[EEX_ACTS] = {[EEX_ACT_NONE] = "ACT_NONE",
                                                [EEX_ACT_RELU] = "ACT_RELU",
                                                [EEX_ACT_RELU6] = "ACT_RELU6",
                                                [EEX_ACT_H_SWISH] = "ACT_H_SWISH",
                                                [EEX_ACT_H_SIGMOID] = "ACT_H_SIGMOID",
                                                [EEX_ACT_SIGMOID] = "ACT_SIGMOID",
                                                [EEX_ACT_SILU] = "ACT_SILU"};
    return names[act];
}

typedef struct call {
    eex_buffer *out;
    const eex__layer *l;
    int i;
    size_t y, x, other; /* places of the value and of what it reads */
} call;

/* "    NAME(m + y, m + x": the beginning of every call. */
static void begin(const call *c, const char *name)
{
    eex_buffer_printf(c->out, "    %s(m + %zu, m + %zu, ", name, c->y, c->x);
}

static void put_window(const call *c)
{
    const eex_window *w = &c->l->window;
    eex_buffer_printf(c->out, "&(const window){%d, %d, %d, %d, %d, %d, %d, %d, %d}", w->hin, w->win,
                      w->cin, w->hout, w->wout, w->cout, w->kernel, w->stride, w->pad);
}

static void put_conv(const call *c)
{
    const eex_window *w = &c->l->window;
    const bool deep = eex_window_depthwise(w);
    const bool grouped = w->groups > 1 && !deep;
    begin(c, deep ? "depthwise" : grouped ? "grouped" : "conv");
    eex_buffer_printf(c->out, "w%d, b%d, ", c->i, c->i);
    put_window(c);
    if (grouped)
        eex_buffer_printf(c->out, ", %d", w->groups);
    eex_buffer_printf(c->out, ", %s);\n", act_name(c->l->act));
}

static void put_linear(const call *c)
{
    begin(c, "linear");
    eex_buffer_printf(c->out, "w%d, b%d, %zu, %d, %s);\n", c->i, c->i,
                      c->l->weights / (size_t)c->l->c, c->l->c, act_name(c->l->act));
}

static int put_call(const call *c, const eex__layers *layers)
{
    const eex__layer *l = c->l, *in = &layers->at[l->input[0]];
    const int pixels = l->h * l->w;
    switch (l->kind) {
    case EEX_NODE_CONV:
        put_conv(c);
        break;
    case EEX_NODE_LINEAR:
        put_linear(c);
        break;
    case EEX_NODE_BATCH_NORM:
        begin(c, "affine");
        eex_buffer_printf(c->out, "w%d, b%d, %d, %d, %s);\n", c->i, c->i, pixels, l->c,
                          act_name(l->act));
        break;
    case EEX_NODE_ACT:
        begin(c, "activate");
        eex_buffer_printf(c->out, "%d, %s);\n", pixels * l->c, act_name(l->act));
        break;
    case EEX_NODE_ADD:
        begin(c, "add");
        eex_buffer_printf(c->out, "m + %zu, %d, %s);\n", c->other, pixels * l->c, act_name(l->act));
        break;
    case EEX_NODE_SCALE:
        begin(c, "multiply");
        eex_buffer_printf(c->out, "m + %zu, %d, %d);\n", c->other, pixels, l->c);
        break;
    case EEX_NODE_CONCAT:
        begin(c, "concatenate");
        eex_buffer_printf(c->out, "%d, m + %zu, %d, %d);\n", in->c, c->other, l->c - in->c, pixels);
        break;
    case EEX_NODE_MAX_POOL:
        begin(c, "max_pool");
        put_window(c);
        eex_buffer_puts(c->out, ");\n");
        break;
    case EEX_NODE_GLOBAL_POOL:
        begin(c, "mean");
        eex_buffer_printf(c->out, "%d, %d);\n", in->h * in->w, l->c);
        break;
    case EEX_NODE_FLATTEN:
        break;
    default:
        return eex_fail(EEX_EUNSUPPORTED, "\"%s\": a %s is not written as C", l->name,
                        eex_node_kind_name(l->kind));
    }
    return EEX_OK;
}

int eex__c99_call(eex_buffer *out, const eex__layers *layers, const eex__c99_memory *memory, int i)
{
    const eex__layer *l = &layers->at[i];
    const call c = {.out = out,
                    .l = l,
                    .i = i,
                    .y = memory->at[i],
                    .x = memory->at[l->input[0]],
                    .other = l->input[1] >= 0 ? memory->at[l->input[1]] : 0};
    return put_call(&c, layers);
}

void eex__c99_image(eex_buffer *out, const eex__layers *layers, const eex__c99_memory *memory)
{
    const eex_input *in = &layers->model->input;
    const eex__layer *l = &layers->at[0];
    const bool resizes = eex__c99_resizes(layers);
    eex_buffer_printf(out, "    normalise(m + %zu, image, %d, %d, scale, offset);\n",
                      resizes ? memory->image : memory->at[0], in->height * in->width,
                      in->channels);
    if (resizes)
        eex_buffer_printf(out, "    resize(m + %zu, m + %zu, %d, %d, %d, %d, %d);\n", memory->at[0],
                          memory->image, in->height, in->width, l->h, l->w, l->c);
}
