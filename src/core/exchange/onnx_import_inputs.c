/* What an operator reads: nodes that were put off are added when somebody reads them. */
#include "core/exchange/onnx_import_impl.h"

#include "base/status.h"

bool eex__onnx_has(const eex__onnx_call *c, int i)
{
    return i < c->ins && c->in[i].size > 0;
}

int eex__onnx_input_of(eex__onnx_entry **out, eex_onnx_network *n, const eex__onnx_call *c, int i)
{
    char name[EEX__SHOWN];
    if (!eex__onnx_has(c, i))
        return eex__onnx_refuse(c, "it has no input %d", i + 1);
    *out = eex__onnx_find(n, c->in[i]);
    if (*out)
        return EEX_OK;
    eex__onnx_refuse(c, "it reads \"%s\", which nothing in front of it makes",
                     eex__text_show(name, c->in[i]));
    return EEX_EFORMAT;
}

int eex__onnx_value_of(int *out, eex_onnx_network *n, const eex__onnx_call *c, int i)
{
    eex__onnx_entry *e;
    EEX_TRY(eex__onnx_input_of(&e, n, c, i));
    if (e->is == EEX__IS_H_SIGMOID)
        EEX_TRY(eex__onnx_add_act(&e->node, n, e->call, e->node, EEX_ACT_H_SIGMOID));
    else if (e->is == EEX__IS_SIGMOID)
        EEX_TRY(eex__onnx_add_act(&e->node, n, e->call, e->node, EEX_ACT_SIGMOID));
    else if (e->is == EEX__IS_PADDED)
        return eex__onnx_refuse(e->call,
                                "in front of %.*s: only a convolution and a pool may be padded",
                                (int)c->op.size, c->op.at);
    else if (e->is == EEX__IS_PRODUCT)
        EEX_TRY(eex__onnx_linear(&e->node, n, e->call, e->node, e->tensor, NULL, true));
    else if (e->is != EEX__IS_VALUE)
        return eex__onnx_refuse(c, "input %d is a constant", i + 1);
    e->is = EEX__IS_VALUE;
    *out = e->node;
    return EEX_OK;
}

int eex__onnx_padded_of(int *out, int *pad, eex_onnx_network *n, const eex__onnx_call *c, int i)
{
    eex__onnx_entry *e;
    EEX_TRY(eex__onnx_input_of(&e, n, c, i));
    if (e->is != EEX__IS_PADDED)
        return eex__onnx_value_of(out, n, c, i);
    *pad += e->pad;
    *out = e->node;
    return EEX_OK;
}

int eex__onnx_tensor_of(const eex__onnx_tensor **out, eex_onnx_network *n, const eex__onnx_call *c,
                        int i)
{
    eex__onnx_entry *e;
    EEX_TRY(eex__onnx_input_of(&e, n, c, i));
    if (e->is != EEX__IS_CONSTANT)
        return eex__onnx_refuse(c, "input %d is no constant", i + 1);
    *out = e->tensor;
    return EEX_OK;
}

int eex__onnx_list_of(int64_t *out, int *count, int most, eex_onnx_network *n,
                      const eex__onnx_call *c, const char *name, int input)
{
    const eex__onnx_attribute *a;
    const eex__onnx_tensor *t;
    *count = 0;
    EEX_TRY(eex__onnx_attribute_as(&a, c, name, EEX__ATTRIBUTE_INTS));
    if (a) {
        *count = a->count <= most ? a->count : -1;
        for (int i = 0; i < *count; i++)
            out[i] = a->ints[i];
        return EEX_OK;
    }
    if (!eex__onnx_has(c, input))
        return EEX_OK;
    EEX_TRY(eex__onnx_tensor_of(&t, n, c, input));
    *count = eex__onnx_ints_of(out, most, t);
    return EEX_OK;
}

int eex__onnx_number_of(float *out, eex_onnx_network *n, const eex__onnx_call *c, const char *name,
                        int input, float otherwise)
{
    const eex__onnx_tensor *t;
    EEX_TRY(eex__onnx_float_of(out, c, name, otherwise));
    if (!eex__onnx_has(c, input))
        return EEX_OK;
    EEX_TRY(eex__onnx_tensor_of(&t, n, c, input));
    if (t->count != 1)
        return eex__onnx_refuse(c, "%llu numbers for \"%s\": expected one",
                                (unsigned long long)t->count, name);
    return eex__onnx_floats_of(out, t);
}
