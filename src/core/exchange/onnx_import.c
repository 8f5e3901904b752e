#include "core/exchange/onnx_import.h"

#include "core/exchange/onnx_import_impl.h"

#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what goes in ---- */

static bool is_constant(const eex__onnx_graph *f, eex__text name)
{
    for (int i = 0; i < f->tensors; i++)
        if (eex__text_same(f->tensor[i].name, name))
            return true;
    return false;
}

/* Old files list their weights as inputs too. */
static int find_input(const eex__onnx_port **out, const eex__onnx_graph *f)
{
    *out = NULL;
    for (int i = 0; i < f->ins && i < EEX__ONNX_LIST; i++) {
        if (is_constant(f, f->in[i].name))
            continue;
        if (*out)
            return eex_fail(EEX_EUNSUPPORTED, "it reads several inputs, expected one of images");
        *out = &f->in[i];
    }
    return *out ? EEX_OK : eex_fail(EEX_EUNSUPPORTED, "it reads no images");
}

static int side_of(int *out, const char *what, int64_t said, int size)
{
    *out = said > 0 ? (int)(said < 1 << 20 ? said : 1 << 20) : size;
    if (*out > 0)
        return EEX_OK;
    return eex_fail(EEX_EINVAL, "it does not say the %s of its images: --size N does", what);
}

static int begin_graph(eex_onnx_network *n, const char *name, int size)
{
    const eex__onnx_port *in;
    int height, width;
    EEX_TRY(find_input(&in, &n->file));
    if (in->rank != 4 || (in->shape[1] != 1 && in->shape[1] != 3))
        return eex_fail(EEX_EUNSUPPORTED,
                        "it reads tensors of %d dimensions and %lld channels: "
                        "expected (N, 1 or 3, height, width)",
                        in->rank, (long long)(in->rank > 1 ? in->shape[1] : 0));
    n->batch = in->shape[0] > 0 ? in->shape[0] : -1;
    EEX_TRY(side_of(&height, "height", in->shape[2], size));
    EEX_TRY(side_of(&width, "width", in->shape[3], size));
    EEX_TRY(eex_graph_new(&n->graph, name, height, width, (int)in->shape[1]));
    return eex__onnx_define(n,
                            &(eex__onnx_entry){.name = in->name, .is = EEX__IS_VALUE, .rank = 4});
}

/* ---- the nodes ---- */

static const eex__onnx_operator *find_operator(eex__text op)
{
    static const eex__onnx_operator *const tables[] = {eex__onnx_layers,          eex__onnx_acts,
                                                       eex__onnx_pairs,           eex__onnx_shapes,
                                                       eex__onnx_sizes_operators, eex__onnx_others};
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
        for (const eex__onnx_operator *o = tables[t]; o->name; o++)
            if (eex__text_is(op, o->name))
                return o;
    return NULL;
}

static int add_calls(eex_onnx_network *n)
{
    for (int i = 0; i < n->file.calls; i++) {
        const eex__onnx_call *c = &n->file.call[i];
        const eex__onnx_operator *o = find_operator(c->op);
        if (!o)
            return eex__onnx_refuse(c, "this operator is not known");
        EEX_TRY(o->add(n, c));
    }
    return EEX_OK;
}

static int define_tensors(eex_onnx_network *n)
{
    for (int i = 0; i < n->file.tensors; i++)
        EEX_TRY(eex__onnx_define(n, &(eex__onnx_entry){.name = n->file.tensor[i].name,
                                                       .is = EEX__IS_CONSTANT,
                                                       .node = -1,
                                                       .tensor = &n->file.tensor[i]}));
    return EEX_OK;
}

static int finish_graph(eex_onnx_network *n)
{
    const eex__onnx_call asked = {.op = {"Output", 6}, .name = n->end, .in = &n->end, .ins = 1};
    int end;
    EEX_TRY(eex__onnx_value_of(&end, n, &asked, 0));
    return eex_graph_finish(n->graph, end);
}

static int make_graph(eex_onnx_network *n, const char *name, int size)
{
    EEX_TRY(eex__onnx_collect(n));
    if (n->file.outs < 1)
        return eex_fail(EEX_EUNSUPPORTED, "it gives nothing");
    n->end = n->file.out[0].name;
    EEX_TRY(begin_graph(n, name, size));
    EEX_TRY(define_tensors(n));
    EEX_TRY(add_calls(n));
    return finish_graph(n);
}

int eex__onnx_source_of(eex_onnx_network *n, const eex__onnx_source *source)
{
    if (n->sources == n->source_capacity) {
        const int capacity = n->source_capacity ? 2 * n->source_capacity : 64;
        eex__onnx_source *grown = realloc(n->source, (size_t)capacity * sizeof *grown);
        if (!grown)
            return eex_fail(EEX_ENOMEM, "out of memory for %d parameters", capacity);
        n->source = grown;
        n->source_capacity = capacity;
    }
    n->source[n->sources++] = *source;
    return EEX_OK;
}

int eex_onnx_open(eex_onnx_network **out, const char *path, const char *name, int size)
{
    EEX_NEED(out, "place for the network");
    *out = NULL;
    EEX_NEED(path, "path");
    EEX_NEED(name, "name");
    eex_onnx_network *n = calloc(1, sizeof *n);
    if (!n)
        return eex_fail(EEX_ENOMEM, "%s: out of memory", path);
    int code = eex__onnx_read(&n->file, path);
    if (code == EEX_OK) {
        n->path = eex_arena_strdup(&n->file.arena, path);
        code = n->path ? make_graph(n, name, size) : EEX_ENOMEM;
        if (code < 0)
            eex_fail_in(code, "%s", path);
    }
    if (code < 0) {
        eex_onnx_close(n);
        return code;
    }
    *out = n;
    return EEX_OK;
}

void eex_onnx_close(eex_onnx_network *n)
{
    if (!n)
        return;
    eex_graph_free(n->graph);
    eex__onnx_free(&n->file);
    free(n->entry);
    free(n->source);
    free(n);
}

const eex_graph *eex_onnx_graph(const eex_onnx_network *n)
{
    return n ? n->graph : NULL;
}

/* ---- weights ---- */

static void transpose(float *to, const float *from, size_t out, size_t in)
{
    for (size_t o = 0; o < out; o++)
        for (size_t i = 0; i < in; i++)
            to[o * in + i] = from[i * out + o];
}

/* A variance is not below 0, nor is it 0 with what our layer adds: it divides by the root of that.
 */
static int check_variances(const eex__onnx_source *s, const float *values, size_t count)
{
    char name[EEX__SHOWN];
    for (size_t i = 0; i < count; i++) {
        const float sum = values[i] + s->plus + s->eps;
        if (values[i] >= 0 && sum > 0 && isfinite(sum))
            continue;
        return eex_fail(EEX_EFORMAT,
                        "tensor \"%s\": element %zu, a variance, is %g, and %g with epsilon: "
                        "expected 0 or more, and more than 0",
                        eex__text_show(name, s->tensor->name), i, (double)values[i], (double)sum);
    }
    return EEX_OK;
}

static int load_one(eex_params *params, const eex__onnx_source *s)
{
    const size_t count = s->tensor ? (size_t)s->tensor->count
                                   : eex_param_count(eex_graph_param(params->graph, s->param));
    float *values = malloc(2 * count * sizeof *values + 1);
    if (!values)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu weights", count);
    float *ordered = values;
    int code = s->tensor ? eex__onnx_floats_of(values, s->tensor) : EEX_OK;
    for (size_t i = 0; i < count && !s->tensor; i++)
        values[i] = 0;
    if (code == EEX_OK && s->eps > 0)
        code = check_variances(s, values, count);
    if (code == EEX_OK && s->transposed) {
        ordered = values + count;
        transpose(ordered, values, (size_t)s->tensor->shape[1], (size_t)s->tensor->shape[0]);
    }
    for (size_t i = 0; i < count && code == EEX_OK; i++)
        ordered[i] += s->plus;
    if (code == EEX_OK)
        code = eex_params_set(params, s->param, ordered);
    free(values);
    return code;
}

int eex_onnx_load(eex_params *params, const eex_onnx_network *n)
{
    EEX_NEED(params, "parameters");
    EEX_NEED(n, "network");
    for (int i = 0; i < n->sources; i++) {
        const int code = load_one(params, &n->source[i]);
        if (code < 0)
            return eex_fail_in(code, "%s", n->path);
    }
    return EEX_OK;
}
