/* Operators with nothing to do. */
#include "core/exchange/onnx_import_impl.h"

#include "base/status.h"

static int add_identity(eex_onnx_network *n, const eex__onnx_call *c)
{
    eex__onnx_entry *e;
    EEX_TRY(eex__onnx_input_of(&e, n, c, 0));
    if (e->is != EEX__IS_CONSTANT && e->is != EEX__IS_SHAPE)
        EEX_TRY(eex__onnx_value_of(&e->node, n, c, 0));
    return eex__onnx_is_entry(n, c, *e);
}

static int add_constant(eex_onnx_network *n, const eex__onnx_call *c)
{
    const eex__onnx_attribute *value;
    EEX_TRY(eex__onnx_attribute_as(&value, c, "value", EEX__ATTRIBUTE_TENSOR));
    if (!value || !value->tensor)
        return eex__onnx_refuse(c, "no tensor");
    return eex__onnx_is_entry(
        n, c, (eex__onnx_entry){.is = EEX__IS_CONSTANT, .node = -1, .tensor = value->tensor});
}

/* The end only: scores are what it reads. Over the classes: over the batch it is none of them. */
static int add_softmax(eex_onnx_network *n, const eex__onnx_call *c)
{
    int64_t axis;
    EEX_TRY(eex__onnx_int_of(&axis, c, "axis", -1));
    if (axis != -1 && axis != 1)
        return eex__onnx_refuse(c, "along axis %lld: expected the classes, 1 or -1",
                                (long long)axis);
    if (c->outs < 1 || !eex__text_same(c->out[0], n->end))
        return eex__onnx_refuse(c, "in the middle of the network");
    return add_identity(n, c);
}

const eex__onnx_operator eex__onnx_others[] = {
    {"Identity", add_identity}, {"Dropout", add_identity},   {"Constant", add_constant},
    {"Softmax", add_softmax},   {"LogSoftmax", add_softmax}, {NULL, NULL}};
