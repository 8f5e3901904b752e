/* What a node says of itself, by the type that the operator gives it. */
#include "core/exchange/onnx_import_impl.h"

#include "base/status.h"

static const char *name_of(int type)
{
    static const char *const names[] = {"no known type", "float",  "int",  "string", "tensor",
                                        "graph",         "floats", "ints", "strings"};
    return names[type > 0 && type < (int)(sizeof names / sizeof *names) ? type : 0];
}

int eex__onnx_attribute_as(const eex__onnx_attribute **out, const eex__onnx_call *c,
                           const char *name, eex__attribute_type type)
{
    const eex__onnx_attribute *a = eex__onnx_attribute_of(c, name);
    *out = a;
    if (!a)
        return EEX_OK;
    if (a->type != (int)type)
        return eex__onnx_refuse(c, "attribute %s is of %s: expected %s", name, name_of(a->type),
                                name_of((int)type));
    if (a->count > EEX__ONNX_RANK)
        return eex__onnx_refuse(c, "attribute %s has %d numbers: expected %d at most", name,
                                a->count, EEX__ONNX_RANK);
    return EEX_OK;
}

int eex__onnx_int_of(int64_t *out, const eex__onnx_call *c, const char *name, int64_t otherwise)
{
    const eex__onnx_attribute *a;
    *out = otherwise;
    EEX_TRY(eex__onnx_attribute_as(&a, c, name, EEX__ATTRIBUTE_INT));
    *out = a ? a->i : otherwise;
    return EEX_OK;
}

int eex__onnx_float_of(float *out, const eex__onnx_call *c, const char *name, float otherwise)
{
    const eex__onnx_attribute *a;
    *out = otherwise;
    EEX_TRY(eex__onnx_attribute_as(&a, c, name, EEX__ATTRIBUTE_FLOAT));
    *out = a ? a->f : otherwise;
    return EEX_OK;
}
