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

static int flatten(eex_onnx_network *n, const eex__onnx_call *c, int in)
{
    char name[EEX_NAME_MAX];
    int node;
    const eex_node *x = eex_graph_node(n->graph, in);
    if (x->h * x->w == 1)
        return eex__onnx_is_node_of(n, c, in, 2);
    EEX_TRY(eex__onnx_node_name(name, n, c, NULL));
    EEX_TRY(eex_graph_add_flatten(n->graph, &node, in, name, false));
    return eex__onnx_is_node_of(n, c, node, 2);
}

static int add_flatten(eex_onnx_network *n, const eex__onnx_call *c)
{
    int64_t axis;
    int in;
    EEX_TRY(eex__onnx_int_of(&axis, c, "axis", 1));
    EEX_TRY(eex__onnx_value_of(&in, n, c, 0));
    return axis != 1 ? eex__onnx_refuse(c, "along another axis than 1") : flatten(n, c, in);
}

/* What a Reshape of a value of shape `from` is told by `told`: 0 is the size that is there, -1 what
 * is left. count -1: no shape of as many numbers. */
static eex__onnx_sizes reshaped(const eex__onnx_sizes *from, const eex__onnx_sizes *told,
                                bool zero_is_zero)
{
    eex__onnx_sizes to = *told;
    const eex__onnx_sizes none = {.count = -1};
    eex__onnx_size left = {.number = 1};
    int open = -1;
    for (int i = 0; i < from->count; i++)
        if (!eex__onnx_multiply_sizes(&left, left, from->at[i]))
            return none;
    for (int i = 0; i < to.count; i++) {
        if (to.at[i].number == 0 && !zero_is_zero && i < from->count)
            to.at[i] = from->at[i];
        if (to.at[i].number == -1 && !to.at[i].of_batch && open < 0)
            open = i;
        else if (to.at[i].number < 1 || !eex__onnx_divide_sizes(&left, left, to.at[i]))
            return none;
    }
    if (open >= 0)
        to.at[open] = left;
    return open >= 0 || (left.number == 1 && !left.of_batch) ? to : none;
}

static bool same_sizes(const eex__onnx_sizes *a, const eex__onnx_sizes *b)
{
    for (int i = 0; i < a->count && a->count == b->count; i++)
        if (a->at[i].number != b->at[i].number || a->at[i].of_batch != b->at[i].of_batch)
            return false;
    return a->count == b->count;
}

static int refuse_reshape(const eex__onnx_call *c, const eex__onnx_sizes *told,
                          const eex__onnx_sizes *row, const eex__onnx_sizes *is)
{
    char text[3][EEX__SHOWN_SIZES];
    return eex__onnx_refuse(c, "to %s: expected %s, a row of numbers an image%s%s%s",
                            eex__onnx_show_sizes(text[0], told), eex__onnx_show_sizes(text[1], row),
                            is->count > 2 ? ", or " : "",
                            is->count > 2 ? eex__onnx_show_sizes(text[2], is) : "",
                            is->count > 2 ? " as it is" : "");
}

/* To the batch and all numbers of an image, or to what it is: of other sizes numbers of one image
 * would be those of several. */
static int add_reshape(eex_onnx_network *n, const eex__onnx_call *c)
{
    eex__onnx_entry *shape;
    int64_t all_zero;
    int in;
    EEX_TRY(eex__onnx_value_of(&in, n, c, 0));
    EEX_TRY(eex__onnx_input_of(&shape, n, c, 1));
    EEX_TRY(eex__onnx_int_of(&all_zero, c, "allowzero", 0));
    const eex_node *x = eex_graph_node(n->graph, in);
    const int rank = eex__onnx_find(n, c->in[0])->rank;
    const eex__onnx_sizes told = eex__onnx_sizes_of(shape);
    const eex__onnx_sizes from = eex__onnx_dimensions(n, in, rank);
    const eex__onnx_sizes map = eex__onnx_dimensions(n, in, 4);
    eex__onnx_sizes row = eex__onnx_dimensions(n, in, 2);
    row.at[1].number = (int64_t)x->c * x->h * x->w;
    const eex__onnx_sizes to = reshaped(&from, &told, all_zero != 0);
    if (to.count == 2 && same_sizes(&to, &row))
        return flatten(n, c, in);
    return same_sizes(&to, &from) || same_sizes(&to, &map)
               ? eex__onnx_is_node_of(n, c, in, to.count)
               : refuse_reshape(c, &told, &row, &from);
}

static int add_concat_of_any(eex_onnx_network *n, const eex__onnx_call *c)
{
    return eex__onnx_of_sizes(n, c) ? eex__onnx_concat_sizes(n, c) : eex__onnx_concat(n, c);
}

/* Rows and columns that there is one of; all there are where none are named. *left: dimensions. */
static int squeezed(int *left, eex_onnx_network *n, const eex__onnx_call *c, int rank)
{
    int64_t axes[4];
    int count;
    bool gone[4] = {false};
    EEX_TRY(eex__onnx_list_of(axes, &count, 4, n, c, "axes", 1));
    *left = count == 0 ? 2 : rank;
    for (int i = 0; i < count; i++) {
        const int64_t axis = axes[i] < 0 && axes[i] >= -rank ? axes[i] + rank : axes[i];
        if (axis < 2 || axis >= rank || gone[axis])
            return eex__onnx_refuse(c, "axis %lld of %d: expected rows and columns",
                                    (long long)axes[i], rank);
        gone[axis] = true;
        (*left)--;
    }
    return count < 0 ? eex__onnx_refuse(c, "its axes are not a few numbers of int64") : EEX_OK;
}

static int add_squeeze(eex_onnx_network *n, const eex__onnx_call *c)
{
    int in, left;
    if (eex__onnx_of_sizes(n, c))
        return eex__onnx_pass_sizes(n, c);
    EEX_TRY(eex__onnx_value_of(&in, n, c, 0));
    EEX_TRY(squeezed(&left, n, c, eex__onnx_find(n, c->in[0])->rank));
    const eex_node *x = eex_graph_node(n->graph, in);
    return x->h * x->w == 1 ? eex__onnx_is_node_of(n, c, in, left)
                            : eex__onnx_refuse(c, "of an image of %d x %d", x->h, x->w);
}

const eex__onnx_operator eex__onnx_shapes[] = {
    {"Pad", add_pad},         {"Concat", add_concat_of_any}, {"Flatten", add_flatten},
    {"Reshape", add_reshape}, {"Squeeze", add_squeeze},      {NULL, NULL}};
