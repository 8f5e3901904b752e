/* The graph of an ONNX file. */
#include "core/exchange/onnx_file.h"

#include "core/exchange/proto_read.h"

#include "base/fs.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

/* ---- lists ---- */

/* How many fields of this number a message has. */
static int count_fields(int *out, eex__text message, int number)
{
    eex__proto_field f;
    int code;
    *out = 0;
    while ((code = eex__proto_next(&f, &message)) == 1)
        *out += f.number == number;
    return code;
}

/* Room for that many things, which are at most `most`. */
static int make_list(void **out, int *count, eex__onnx_graph *g, eex__text message, int number,
                     size_t size, int most, const char *what)
{
    EEX_TRY(count_fields(count, message, number));
    if (*count > most)
        return eex_fail(EEX_EFORMAT, "%d %s, more than %d", *count, what, most);
    *out = eex_arena_array(&g->arena, (size_t)*count, size);
    return *out ? EEX_OK : EEX_ENOMEM;
}

/* ---- nodes ---- */

/* Who reads the list sees by its count that there are too many. */
static void add_int(eex__onnx_attribute *a, uint64_t value)
{
    if (a->count < EEX__ONNX_RANK)
        a->ints[a->count] = (int64_t)value;
    a->count++;
}

static int read_ints(eex__onnx_attribute *a, const eex__proto_field *f)
{
    eex__text packed = f->content;
    uint64_t value = 0;
    int code;
    if (!f->within)
        add_int(a, f->value);
    while ((code = eex__proto_varint(&value, &packed)) == 1)
        add_int(a, value);
    return code;
}

/* The type whose value a field of an attribute is. */
static int type_of_field(int field)
{
    static const uint8_t types[] = {[2] = EEX__ATTRIBUTE_FLOAT,  [3] = EEX__ATTRIBUTE_INT,
                                    [4] = EEX__ATTRIBUTE_STRING, [5] = EEX__ATTRIBUTE_TENSOR,
                                    [6] = 5 /* graph */,         [7] = 6 /* floats */,
                                    [8] = EEX__ATTRIBUTE_INTS,   [9] = 8 /* strings */};
    return field < (int)sizeof types ? types[field] : EEX__ATTRIBUTE_UNSAID;
}

static int read_attribute_field(eex__onnx_attribute *a, eex__onnx_graph *g,
                                const eex__proto_field *f)
{
    const uint32_t bits = (uint32_t)f->value;
    switch (f->number) {
    case 1:
        a->name = f->content;
        return EEX_OK;
    case 2:
        memcpy(&a->f, &bits, sizeof a->f);
        return EEX_OK;
    case 3:
        a->i = (int64_t)f->value;
        return EEX_OK;
    case 4:
        a->s = f->content;
        return EEX_OK;
    case 5:
        a->tensor = eex_arena_alloc(&g->arena, sizeof *a->tensor);
        return a->tensor ? eex__onnx_read_tensor(a->tensor, f->content) : EEX_ENOMEM;
    case 8:
        return read_ints(a, f);
    case 20:
        a->type = f->value < 1000 ? (int)f->value : EEX__ATTRIBUTE_UNSAID;
        return EEX_OK;
    default:
        return EEX_OK;
    }
}

/* Old files do not say the type. Where a value is there, but not of the type that is said, it is
 * that of the value, or what is said would read as 0. */
static int type_of_value(int said, uint32_t there)
{
    if (there == 0 || (said > 0 && said < 32 && there >> said & 1))
        return said;
    return __builtin_ctz(there);
}

static int read_attribute(eex__onnx_attribute *a, eex__onnx_graph *g, eex__text message)
{
    eex__proto_field f;
    uint32_t there = 0;
    int code;
    while ((code = eex__proto_next(&f, &message)) == 1) {
        const int type = type_of_field(f.number);
        if (f.within && (type == EEX__ATTRIBUTE_FLOAT || type == EEX__ATTRIBUTE_INT))
            return eex_fail(EEX_EFORMAT, "an attribute whose number is none");
        there |= type ? 1U << type : 0;
        EEX_TRY(read_attribute_field(a, g, &f));
    }
    a->type = type_of_value(a->type, there);
    return code;
}

static int make_call(eex__onnx_call *c, eex__onnx_graph *g, eex__text message)
{
    EEX_TRY(make_list((void **)&c->in, &c->ins, g, message, 1, sizeof *c->in, EEX__ONNX_LIST,
                      "inputs of a node"));
    EEX_TRY(make_list((void **)&c->out, &c->outs, g, message, 2, sizeof *c->out, EEX__ONNX_LIST,
                      "outputs of a node"));
    EEX_TRY(make_list((void **)&c->attribute, &c->attributes, g, message, 5, sizeof *c->attribute,
                      EEX__ONNX_LIST, "attributes of a node"));
    c->ins = c->outs = c->attributes = 0;
    return EEX_OK;
}

static int read_call(eex__onnx_call *c, eex__onnx_graph *g, eex__text message)
{
    eex__proto_field f;
    int code;
    EEX_TRY(make_call(c, g, message));
    while ((code = eex__proto_next(&f, &message)) == 1) {
        if (f.number <= 4)
            EEX_TRY(eex__onnx_check_name(f.content));
        if (f.number == 1)
            c->in[c->ins++] = f.content;
        else if (f.number == 2)
            c->out[c->outs++] = f.content;
        else if (f.number == 3)
            c->name = f.content;
        else if (f.number == 4)
            c->op = f.content;
        else if (f.number == 5)
            EEX_TRY(read_attribute(&c->attribute[c->attributes++], g, f.content));
    }
    return code;
}

const eex__onnx_attribute *eex__onnx_attribute_of(const eex__onnx_call *c, const char *name)
{
    for (int i = 0; i < c->attributes; i++)
        if (eex__text_is(c->attribute[i].name, name))
            return &c->attribute[i];
    return NULL;
}

/* ---- what goes in and out ---- */

/* The field of this number within a message; an empty text: there is none. */
static int find_field(eex__text *out, eex__text message, int number)
{
    eex__proto_field f;
    int code;
    *out = (eex__text){NULL, 0};
    while ((code = eex__proto_next(&f, &message)) == 1)
        if (f.number == number)
            *out = f.content;
    return code;
}

static int read_shape(eex__onnx_port *p, eex__text shape)
{
    eex__proto_field f, size;
    int code;
    while ((code = eex__proto_next(&f, &shape)) == 1) {
        int inner;
        eex__text dimension = f.content;
        if (f.number != 1)
            continue;
        if (p->rank == EEX__ONNX_RANK)
            return eex_fail(EEX_EFORMAT, "a shape of more than %d dimensions", EEX__ONNX_RANK);
        p->shape[p->rank] = -1;
        while ((inner = eex__proto_next(&size, &dimension)) == 1)
            if (size.number == 1)
                p->shape[p->rank] = (int64_t)size.value;
        EEX_TRY(inner);
        p->rank++;
    }
    return code;
}

static int read_port(eex__onnx_port *p, eex__text message)
{
    eex__text type, tensor, shape;
    EEX_TRY(find_field(&p->name, message, 1));
    EEX_TRY(eex__onnx_check_name(p->name));
    EEX_TRY(find_field(&type, message, 2));
    EEX_TRY(find_field(&tensor, type, 1));
    EEX_TRY(find_field(&shape, tensor, 2));
    return read_shape(p, shape);
}

/* ---- the graph ---- */

static int make_graph(eex__onnx_graph *g, eex__text message)
{
    EEX_TRY(make_list((void **)&g->call, &g->calls, g, message, 1, sizeof *g->call, EEX_ONNX_NODES,
                      "nodes"));
    EEX_TRY(make_list((void **)&g->tensor, &g->tensors, g, message, 5, sizeof *g->tensor,
                      EEX_ONNX_TENSORS, "weights"));
    EEX_TRY(make_list((void **)&g->in, &g->ins, g, message, 11, sizeof *g->in, EEX_ONNX_TENSORS,
                      "inputs"));
    EEX_TRY(make_list((void **)&g->out, &g->outs, g, message, 12, sizeof *g->out, EEX__ONNX_LIST,
                      "outputs"));
    g->calls = g->tensors = g->ins = g->outs = 0;
    return EEX_OK;
}

static int read_graph(eex__onnx_graph *g, eex__text message)
{
    eex__proto_field f;
    int code;
    EEX_TRY(make_graph(g, message));
    while ((code = eex__proto_next(&f, &message)) == 1)
        switch (f.number) {
        case 1:
            EEX_TRY(read_call(&g->call[g->calls++], g, f.content));
            break;
        case 2:
            g->name = f.content;
            break;
        case 5:
            EEX_TRY(eex__onnx_read_tensor(&g->tensor[g->tensors++], f.content));
            break;
        case 11:
            EEX_TRY(read_port(&g->in[g->ins++], f.content));
            break;
        case 12:
            EEX_TRY(read_port(&g->out[g->outs++], f.content));
            break;
        default:
            break;
        }
    return code;
}

static int read_model(eex__onnx_graph *g)
{
    eex__text graph;
    EEX_TRY(find_field(&graph, (eex__text){g->bytes, g->size}, 7));
    if (!graph.at)
        return eex_fail(EEX_EFORMAT, "there is no graph in it: no ONNX file");
    return read_graph(g, graph);
}

int eex__onnx_read(eex__onnx_graph *out, const char *path)
{
    *out = (eex__onnx_graph){.bytes = NULL};
    EEX_TRY(eex_fs_read(&out->bytes, &out->size, path, EEX_ONNX_BYTES));
    const int code = read_model(out);
    if (code == EEX_OK)
        return EEX_OK;
    eex__onnx_free(out);
    return eex_fail_in(code, "%s", path);
}

void eex__onnx_free(eex__onnx_graph *g)
{
    eex_arena_free(&g->arena);
    free(g->bytes);
    *g = (eex__onnx_graph){.bytes = NULL};
}
