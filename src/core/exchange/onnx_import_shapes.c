/* Padding, and what changes or looks at shapes. */
#include "core/exchange/onnx_import_impl.h"

#include "base/status.h"

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

/* To two dimensions, whether their sizes are constants or made from the shape of something. */
static int add_reshape(eex_onnx_network *n, const eex__onnx_call *c)
{
    eex__onnx_entry *shape;
    int64_t size[2];
    EEX_TRY(eex__onnx_input_of(&shape, n, c, 1));
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
    EEX_TRY(eex__onnx_input_of(&e, n, c, 0));
    if (e->is != EEX__IS_CONSTANT)
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
                                               {"Unsqueeze", add_of_shape},
                                               {"Slice", add_of_shape},
                                               {"Cast", add_cast},
                                               {NULL, NULL}};
