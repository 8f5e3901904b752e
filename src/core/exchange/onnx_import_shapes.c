/* Padding, and what changes or looks at shapes. */
#include "core/exchange/onnx_import_impl.h"

#include "base/status.h"

#include <stdio.h>

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
    const eex__onnx_attribute *mode;
    int64_t pads[8];
    float value;
    int in, count, before = 0;
    EEX_TRY(eex__onnx_attribute_as(&mode, c, "mode", EEX__ATTRIBUTE_STRING));
    if (c->ins > 3 && c->in[3].size > 0)
        return eex__onnx_refuse(c, "with axes: expected pads of all four dimensions");
    EEX_TRY(eex__onnx_padded_of(&in, &before, n, c, 0));
    EEX_TRY(eex__onnx_list_of(pads, &count, 8, n, c, "pads", 1));
    EEX_TRY(check_pads(c, pads, count));
    EEX_TRY(eex__onnx_number_of(&value, n, c, "value", 2, 0));
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
    int64_t axis;
    EEX_TRY(eex__onnx_int_of(&axis, c, "axis", 1));
    return axis != 1 ? eex__onnx_refuse(c, "along another axis than 1") : flatten(n, c);
}

/* A size that is calculated from a shape, and not known. */
enum { CALCULATED = -2 };

static const char *show_size(char out[24], int64_t size)
{
    snprintf(out, 24, "%lld", (long long)size);
    return size == CALCULATED ? "?" : out;
}

/* Below -1 there is no size. */
static int constant_sizes(int64_t *out, int most, const eex__onnx_tensor *t)
{
    const int count = eex__onnx_ints_of(out, most, t);
    for (int i = 0; i < count; i++)
        if (out[i] < -1)
            return -1;
    return count;
}

/* The sizes that a Concat puts together, from constants and what is calculated, one of each. */
static int sizes_of_concat(int64_t *out, int most, const eex_onnx_network *n,
                           const eex__onnx_call *c)
{
    int count = 0;
    for (int i = 0; i < c->ins && count >= 0; i++) {
        const eex__onnx_entry *e = eex__onnx_find(n, c->in[i]);
        if (count == most || !e)
            return -1;
        out[count] = CALCULATED;
        const int more = e->tensor ? constant_sizes(&out[count], most - count, e->tensor) : 1;
        count = more < 0 ? -1 : count + more;
    }
    return count;
}

/* The sizes that a Reshape is told, CALCULATED where they are; how many there are, -1: more than
 * `most`, or no sizes. */
static int sizes_of(int64_t *out, int most, const eex_onnx_network *n, const eex__onnx_entry *e)
{
    if (e->is == EEX__IS_CONSTANT)
        return constant_sizes(out, most, e->tensor);
    if (e->is != EEX__IS_SHAPE)
        return -1;
    while (e && e->call && eex__text_is(e->call->op, "Cast") && e->call->ins > 0)
        e = eex__onnx_find(n, e->call->in[0]);
    if (e && e->call && eex__text_is(e->call->op, "Concat"))
        return sizes_of_concat(out, most, n, e->call);
    for (int i = 0; i < most; i++)
        out[i] = CALCULATED;
    return most;
}

/* To the batch and all numbers of an image, or what comes to that: of other sizes numbers of one
 * image would be those of several. */
static int add_reshape(eex_onnx_network *n, const eex__onnx_call *c)
{
    eex__onnx_entry *shape;
    char text[2][24];
    int64_t size[2], all_zero;
    int in;
    EEX_TRY(eex__onnx_value_of(&in, n, c, 0));
    EEX_TRY(eex__onnx_input_of(&shape, n, c, 1));
    EEX_TRY(eex__onnx_int_of(&all_zero, c, "allowzero", 0));
    if (sizes_of(size, 2, n, shape) != 2)
        return eex__onnx_refuse(c, "to another shape than a row of numbers an image");
    const eex_node *x = eex_graph_node(n->graph, in);
    const int64_t numbers = (int64_t)x->h * x->w * x->c;
    const bool first = size[0] == -1 || size[0] == CALCULATED || (size[0] == 0 && !all_zero) ||
                       size[0] == n->batch;
    const bool second = size[1] == -1 || size[1] == CALCULATED || size[1] == numbers;
    if (!first || !second || (size[0] == -1 && size[1] == -1))
        return eex__onnx_refuse(c, "to %s x %s: expected the batch (or -1, 0), and %lld or -1",
                                show_size(text[0], size[0]), show_size(text[1], size[1]),
                                (long long)numbers);
    return flatten(n, c);
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
    EEX_TRY(eex__onnx_input_of(&e, n, c, 0));
    if (e->is != EEX__IS_CONSTANT)
        return add_of_shape(n, c);
    return eex__onnx_is_entry(
        n, c, (eex__onnx_entry){.is = EEX__IS_CONSTANT, .node = -1, .tensor = e->tensor});
}

/* One whole number is the same with a dimension more. */
static int add_unsqueeze(eex_onnx_network *n, const eex__onnx_call *c)
{
    eex__onnx_entry *e;
    int64_t number;
    EEX_TRY(eex__onnx_input_of(&e, n, c, 0));
    if (e->is != EEX__IS_CONSTANT || eex__onnx_ints_of(&number, 1, e->tensor) != 1)
        return add_of_shape(n, c);
    return eex__onnx_is_entry(
        n, c, (eex__onnx_entry){.is = EEX__IS_CONSTANT, .node = -1, .tensor = e->tensor});
}

static int add_concat_of_any(eex_onnx_network *n, const eex__onnx_call *c)
{
    return of_shape(n, c) ? add_shape(n, c) : eex__onnx_concat(n, c);
}

static int add_squeeze(eex_onnx_network *n, const eex__onnx_call *c)
{
    int in;
    EEX_TRY(eex__onnx_value_of(&in, n, c, 0));
    const eex_node *x = eex_graph_node(n->graph, in);
    return x->h * x->w == 1 ? eex__onnx_is_node(n, c, in)
                            : eex__onnx_refuse(c, "of an image of %d x %d", x->h, x->w);
}

const eex__onnx_operator eex__onnx_shapes[] = {{"Pad", add_pad},
                                               {"Concat", add_concat_of_any},
                                               {"Flatten", add_flatten},
                                               {"Reshape", add_reshape},
                                               {"Squeeze", add_squeeze},
                                               {"Shape", add_shape},
                                               {"Gather", add_of_shape},
                                               {"Unsqueeze", add_unsqueeze},
                                               {"Slice", add_of_shape},
                                               {"Cast", add_cast},
                                               {NULL, NULL}};
