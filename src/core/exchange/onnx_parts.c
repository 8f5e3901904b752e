/* The messages that an ONNX file is made of. */
#include "core/exchange/onnx_impl.h"

#include <string.h>

/* NodeProto, AttributeProto, TensorProto, ValueInfoProto and what is in it. */
enum { NODE_INPUT = 1, NODE_OUTPUT = 2, NODE_NAME = 3, NODE_OP = 4, NODE_ATTRIBUTE = 5 };
enum {
    ATTRIBUTE_NAME = 1,
    ATTRIBUTE_F = 2,
    ATTRIBUTE_I = 3,
    ATTRIBUTE_INTS = 8,
    ATTRIBUTE_TYPE = 20
};
enum { TYPE_FLOAT = 1, TYPE_INT = 2, TYPE_INTS = 7 };
enum { TENSOR_DIMS = 1, TENSOR_TYPE = 2, TENSOR_NAME = 8, TENSOR_RAW = 9 };
enum { VALUE_NAME = 1, VALUE_TYPE = 2, TYPE_TENSOR = 1, ELEMENT = 1, SHAPE = 2, DIMENSION = 1 };
enum { DIMENSION_VALUE = 1, DIMENSION_NAME = 2 };

/* ---- nodes ---- */

size_t eex__onnx_open(eex__onnx *o, const char *op, const char *output, const char *const *inputs)
{
    const size_t opened = eex__proto_open(o->out, EEX__GRAPH_NODE);
    for (int i = 0; inputs && inputs[i]; i++)
        eex__proto_text(o->out, NODE_INPUT, inputs[i]);
    eex__proto_text(o->out, NODE_OUTPUT, output);
    eex__proto_text(o->out, NODE_NAME, output);
    eex__proto_text(o->out, NODE_OP, op);
    return opened;
}

void eex__onnx_output(eex__onnx *o, const char *name)
{
    eex__proto_text(o->out, NODE_OUTPUT, name);
}

void eex__onnx_close(eex__onnx *o, size_t opened)
{
    eex__proto_close(o->out, opened);
}

void eex__onnx_node(eex__onnx *o, const char *op, const char *output, const char *a, const char *b,
                    const char *c)
{
    const char *const inputs[EEX__ONNX_INPUTS + 1] = {a, b, c, NULL};
    eex__onnx_close(o, eex__onnx_open(o, op, output, inputs));
}

/* ---- attributes ---- */

static size_t open_attribute(eex__onnx *o, const char *name, int type)
{
    const size_t opened = eex__proto_open(o->out, NODE_ATTRIBUTE);
    eex__proto_text(o->out, ATTRIBUTE_NAME, name);
    eex__proto_int(o->out, ATTRIBUTE_TYPE, type);
    return opened;
}

void eex__onnx_int(eex__onnx *o, const char *name, int64_t value)
{
    const size_t opened = open_attribute(o, name, TYPE_INT);
    eex__proto_int(o->out, ATTRIBUTE_I, value);
    eex__proto_close(o->out, opened);
}

void eex__onnx_ints(eex__onnx *o, const char *name, const int64_t *values, int count)
{
    const size_t opened = open_attribute(o, name, TYPE_INTS);
    for (int i = 0; i < count; i++)
        eex__proto_int(o->out, ATTRIBUTE_INTS, values[i]);
    eex__proto_close(o->out, opened);
}

void eex__onnx_float(eex__onnx *o, const char *name, float value)
{
    const size_t opened = open_attribute(o, name, TYPE_FLOAT);
    eex__proto_float(o->out, ATTRIBUTE_F, value);
    eex__proto_close(o->out, opened);
}

/* ---- constants ---- */

/* Little-endian, as the processors are that this is built for. */
static void put_tensor(eex__onnx *o, const char *name, eex__onnx_type type, const int64_t *shape,
                       int rank, const void *data, size_t element)
{
    eex_buffer *out = &o->initializers;
    const size_t opened = eex__proto_open(out, EEX__GRAPH_INITIALIZER);
    size_t count = 1;
    for (int d = 0; d < rank; d++) {
        eex__proto_int(out, TENSOR_DIMS, shape[d]);
        count *= (size_t)shape[d];
    }
    eex__proto_int(out, TENSOR_TYPE, type);
    eex__proto_text(out, TENSOR_NAME, name);
    eex__proto_bytes(out, TENSOR_RAW, data, count * element);
    eex__proto_close(out, opened);
}

void eex__onnx_floats(eex__onnx *o, const char *name, const float *values, const int64_t *shape,
                      int rank)
{
    put_tensor(o, name, EEX__ONNX_FLOAT, shape, rank, values, sizeof *values);
}

void eex__onnx_int64s(eex__onnx *o, const char *name, const int64_t *values, int count)
{
    const int64_t shape[1] = {count};
    put_tensor(o, name, EEX__ONNX_INT64, shape, 1, values, sizeof *values);
}

const char *eex__onnx_shared(eex__onnx *o, eex__onnx_constant which)
{
    static const struct {
        const char *name;
        int count; /* 0: a scalar */
        float values[2];
        int64_t number; /* instead of values, where it is not 0 */
    } constants[EEX__ONNX_CONSTANTS] = {
        [EEX__ONNX_ZERO] = {"/zero", 0, {0}, 0},
        [EEX__ONNX_SIX] = {"/six", 0, {6}, 0},
        [EEX__ONNX_DIFFERENCE] = {"/difference", 2, {1, -1}, 0},
        [EEX__ONNX_AXIS] = {"/axis", 1, {0}, 1},
        [EEX__ONNX_PAIR] = {"/pair", 1, {0}, 2},
    };
    const char *name = constants[which].name;
    const int64_t shape[1] = {constants[which].count};
    if (o->made[which])
        return name;
    o->made[which] = true;
    if (constants[which].number)
        eex__onnx_int64s(o, name, &constants[which].number, 1);
    else
        eex__onnx_floats(o, name, constants[which].values, shape, constants[which].count > 0);
    return name;
}

/* ---- what goes in and out ---- */

void eex__onnx_value(eex__onnx *o, int field, const char *name, eex__onnx_type type,
                     const int64_t *shape, int rank)
{
    const size_t value = eex__proto_open(o->out, field);
    eex__proto_text(o->out, VALUE_NAME, name);
    const size_t kind = eex__proto_open(o->out, VALUE_TYPE);
    const size_t tensor = eex__proto_open(o->out, TYPE_TENSOR);
    eex__proto_int(o->out, ELEMENT, type);
    const size_t sizes = eex__proto_open(o->out, SHAPE);
    for (int d = 0; d < rank; d++) {
        const size_t dimension = eex__proto_open(o->out, DIMENSION);
        if (shape[d] < 0)
            eex__proto_text(o->out, DIMENSION_NAME, "batch");
        else
            eex__proto_int(o->out, DIMENSION_VALUE, shape[d]);
        eex__proto_close(o->out, dimension);
    }
    eex__proto_close(o->out, sizes);
    eex__proto_close(o->out, tensor);
    eex__proto_close(o->out, kind);
    eex__proto_close(o->out, value);
}
