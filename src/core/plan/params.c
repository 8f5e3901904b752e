#include "core/plan/params.h"

#include "core/plan/params_impl.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGN = 16 }; /* elements */

/* More would not fit any machine this is for; it stops a mistyped width before memory does. */
#define MAX_ELEMENTS ((size_t)1 << 31)

/* ---- layout ---- */

/* What a linear layer's inputs were before a flatten; NULL when there is none. */
static const eex_node *flattened(const eex_graph *g, const eex_node *n)
{
    for (n = eex_graph_node(g, n->inputs[0]); n; n = eex_graph_node(g, n->inputs[0])) {
        if (n->kind == EEX_NODE_FLATTEN)
            return eex_graph_node(g, n->inputs[0]);
        if (n->kind == EEX_NODE_LINEAR || n->kind == EEX_NODE_CONV ||
            n->kind == EEX_NODE_GLOBAL_POOL)
            return NULL;
    }
    return NULL;
}

eex__weight_shape eex__param_weight_shape(const eex_graph *graph, int i)
{
    const eex_param *p = eex_graph_param(graph, i);
    const int *s = p->shape;
    if (p->rank == 4)
        return (eex__weight_shape){(size_t)s[0], (size_t)s[1], (size_t)s[2], (size_t)s[3]};
    if (p->rank == 2) {
        const eex_node *image = flattened(graph, eex__param_node(graph, i));
        if (image)
            return (eex__weight_shape){(size_t)s[0], (size_t)image->c, (size_t)image->h,
                                       (size_t)image->w};
        return (eex__weight_shape){(size_t)s[0], (size_t)s[1], 1, 1};
    }
    return (eex__weight_shape){1, 1, 1, eex_param_count(p)};
}

/* (out, in, rows, columns) to (rows, columns, in, out) or back. */
static void reorder(float *to, const float *from, const eex__weight_shape *s, bool to_device)
{
    size_t torch = 0;
    for (size_t o = 0; o < s->out; o++)
        for (size_t i = 0; i < s->in; i++)
            for (size_t pixel = 0; pixel < s->rows * s->columns; pixel++, torch++) {
                size_t device = (pixel * s->in + i) * s->out + o;
                if (to_device)
                    to[device] = from[torch];
                else
                    to[torch] = from[device];
            }
}

static int lay_out(eex_params *p)
{
    for (int i = 0; i < eex_graph_params(p->graph); i++) {
        const eex_param *param = eex_graph_param(p->graph, i);
        size_t *end = param->trainable ? &p->count : &p->state_count;
        if (!eex_params_has(p, i))
            continue;
        p->offset[i] = *end;
        *end += (eex_param_count(param) + ALIGN - 1) / ALIGN * ALIGN;
        if (*end > MAX_ELEMENTS)
            return eex_fail(EEX_EINVAL, "graph \"%s\" has more than %zu parameters",
                            eex_graph_name(p->graph), MAX_ELEMENTS);
    }
    return EEX_OK;
}

/* ---- memory ---- */

static int allocate(eex_params *p)
{
    const eex_device_vtable *v = p->device->vtable;
    void *w = NULL, *state = NULL, *decay = NULL;
    int code = v->allocate(p->device, &w, (p->count + ALIGN) * sizeof(float));
    if (code == EEX_OK)
        code = v->allocate(p->device, &state, (p->state_count + ALIGN) * sizeof(float));
    if (code == EEX_OK)
        code = v->allocate(p->device, &decay, p->count / ALIGN + 1);
    p->w = w;
    p->state = state;
    p->decay = decay;
    if (code == EEX_OK)
        code = v->zero(p->device, w, (p->count + ALIGN) * sizeof(float));
    if (code == EEX_OK)
        code = v->zero(p->device, state, (p->state_count + ALIGN) * sizeof(float));
    return code;
}

static int upload_decay(eex_params *p)
{
    uint8_t *flags = calloc(p->count / ALIGN + 1, 1);
    if (!flags)
        return eex_fail(EEX_ENOMEM, "parameters: out of memory");
    for (int i = 0; i < eex_graph_params(p->graph); i++) {
        const eex_param *param = eex_graph_param(p->graph, i);
        if (param->decay && eex_params_has(p, i))
            memset(flags + p->offset[i] / ALIGN, 1, (eex_param_count(param) + ALIGN - 1) / ALIGN);
    }
    int code = p->device->vtable->upload(p->device, p->decay, flags, p->count / ALIGN + 1);
    free(flags);
    return code;
}

int eex__params_scratch(float **out, const eex_graph *graph)
{
    size_t most = 1;
    for (int i = 0; i < eex_graph_params(graph); i++) {
        size_t count = eex_param_count(eex_graph_param(graph, i));
        most = count > most ? count : most;
    }
    *out = malloc(most * sizeof **out);
    return *out ? EEX_OK : eex_fail(EEX_ENOMEM, "parameters: out of memory for %zu elements", most);
}

static int initialise(eex_params *p, uint64_t seed)
{
    float *values = NULL;
    int code = eex__params_scratch(&values, p->graph);
    for (int i = 0; i < eex_graph_params(p->graph) && code == EEX_OK; i++) {
        eex__param_init(values, p->graph, i, seed);
        code = eex_params_set(p, i, values);
    }
    free(values);
    return code;
}

/* held NULL: all of them. */
static int note_missing(eex_params *p, const bool *held)
{
    const int count = eex_graph_params(p->graph);
    if (!held)
        return EEX_OK;
    p->missing = calloc((size_t)count + 1, sizeof *p->missing);
    if (!p->missing)
        return eex_fail(EEX_ENOMEM, "parameters of \"%s\": out of memory",
                        eex_graph_name(p->graph));
    for (int i = 0; i < count; i++)
        p->missing[i] = !held[i];
    return EEX_OK;
}

static int new_empty(eex_params **out, eex_device *device, const eex_graph *graph, const bool *held)
{
    EEX_NEED(out, "place for the parameters");
    EEX_NEED(device, "device");
    EEX_NEED(graph, "graph");
    if (eex_graph_exits(graph) == 0)
        return eex_fail(EEX_EINVAL, "parameters of \"%s\": the graph is not finished",
                        eex_graph_name(graph));
    eex_params *p = calloc(1, sizeof *p);
    if (!p)
        return eex_fail(EEX_ENOMEM, "parameters of \"%s\": out of memory", eex_graph_name(graph));
    p->device = device;
    p->graph = graph;
    p->offset = calloc((size_t)eex_graph_params(graph) + 1, sizeof *p->offset);
    int code = EEX_OK;
    if (!p->offset)
        code = eex_fail(EEX_ENOMEM, "parameters of \"%s\": out of memory", eex_graph_name(graph));
    if (code == EEX_OK)
        code = note_missing(p, held);
    if (code == EEX_OK)
        code = lay_out(p);
    if (code == EEX_OK)
        code = allocate(p);
    if (code == EEX_OK)
        code = upload_decay(p);
    if (code < 0) {
        eex_params_free(p);
        return code;
    }
    *out = p;
    return EEX_OK;
}

int eex_params_new_empty(eex_params **out, eex_device *device, const eex_graph *graph)
{
    return new_empty(out, device, graph, NULL);
}

int eex_params_new_some(eex_params **out, eex_device *device, const eex_graph *graph,
                        const bool *held)
{
    EEX_NEED(held, "which parameters there are");
    return new_empty(out, device, graph, held);
}

int eex_params_new(eex_params **out, eex_device *device, const eex_graph *graph, uint64_t seed)
{
    eex_params *p;
    EEX_NEED(out, "place for the parameters");
    EEX_TRY(eex_params_new_empty(&p, device, graph));
    const int code = initialise(p, seed);
    if (code < 0) {
        eex_params_free(p);
        return code;
    }
    *out = p;
    return EEX_OK;
}

void eex_params_free(eex_params *p)
{
    if (!p)
        return;
    const eex_device_vtable *v = p->device->vtable;
    v->release(p->device, p->w);
    v->release(p->device, p->state);
    v->release(p->device, p->decay);
    free(p->offset);
    free(p->missing);
    free(p);
}

bool eex_params_has(const eex_params *p, int i)
{
    return p && eex_graph_param(p->graph, i) && !(p->missing && p->missing[i]);
}

float *eex_params_at(const eex_params *p, int i)
{
    const eex_param *param = eex_params_has(p, i) ? eex_graph_param(p->graph, i) : NULL;
    return param ? (param->trainable ? p->w : p->state) + p->offset[i] : NULL;
}

/* ---- values ---- */

static bool same_order(const eex__weight_shape *s)
{
    return s->out == 1 && s->in == 1;
}

static int check_index(const eex_params *p, int i)
{
    const eex_param *param = eex_graph_param(p->graph, i);
    if (eex_params_has(p, i))
        return EEX_OK;
    if (param)
        return eex_fail(EEX_EINVAL,
                        "parameter \"%s\" of \"%s\" is not there: only a part of the network is",
                        param->name, eex_graph_name(p->graph));
    return eex_fail(EEX_EINVAL, "graph \"%s\" has parameters 0 to %d, no %d",
                    eex_graph_name(p->graph), eex_graph_params(p->graph) - 1, i);
}

int eex_params_get(const eex_params *p, int i, float *values)
{
    EEX_NEED(p, "parameters");
    EEX_NEED(values, "place for values");
    EEX_TRY(check_index(p, i));
    size_t bytes = eex_param_count(eex_graph_param(p->graph, i)) * sizeof(float);
    eex__weight_shape shape = eex__param_weight_shape(p->graph, i);
    const float *from = eex_params_at(p, i);
    EEX_TRY(p->device->vtable->sync(p->device));
    if (same_order(&shape))
        return p->device->vtable->download(p->device, values, from, bytes);
    float *raw = malloc(bytes);
    if (!raw)
        return eex_fail(EEX_ENOMEM, "parameters: out of memory for %zu bytes", bytes);
    int code = p->device->vtable->download(p->device, raw, from, bytes);
    if (code == EEX_OK)
        reorder(values, raw, &shape, false);
    free(raw);
    return code;
}

int eex_params_set(eex_params *p, int i, const float *values)
{
    EEX_NEED(p, "parameters");
    EEX_NEED(values, "values");
    EEX_TRY(check_index(p, i));
    size_t bytes = eex_param_count(eex_graph_param(p->graph, i)) * sizeof(float);
    eex__weight_shape shape = eex__param_weight_shape(p->graph, i);
    float *to = eex_params_at(p, i);
    EEX_TRY(p->device->vtable->sync(p->device));
    if (same_order(&shape))
        return p->device->vtable->upload(p->device, to, values, bytes);
    float *raw = malloc(bytes);
    if (!raw)
        return eex_fail(EEX_ENOMEM, "parameters: out of memory for %zu bytes", bytes);
    reorder(raw, values, &shape, true);
    int code = p->device->vtable->upload(p->device, to, raw, bytes);
    free(raw);
    return code;
}

static bool same_param(const eex_param *a, const eex_param *b)
{
    return strcmp(a->name, b->name) == 0 && a->rank == b->rank &&
           memcmp(a->shape, b->shape, (size_t)a->rank * sizeof *a->shape) == 0;
}

/* The parameter of `graph` that is like `wanted`, looked for from `hint` on; -1: none. */
static int find_param(const eex_graph *graph, const eex_param *wanted, int hint)
{
    int count = eex_graph_params(graph);
    for (int i = 0; i < count; i++)
        if (same_param(eex_graph_param(graph, (hint + i) % count), wanted))
            return (hint + i) % count;
    return -1;
}

int eex_params_copy(eex_params *to, const eex_params *from, int *copied)
{
    EEX_NEED(to, "parameters to copy to");
    EEX_NEED(from, "parameters to copy");
    float *values = NULL;
    int next = 0, count = 0;
    int code = eex__params_scratch(&values, to->graph);
    for (int i = 0; i < eex_graph_params(to->graph) && code == EEX_OK; i++) {
        int j = find_param(from->graph, eex_graph_param(to->graph, i), next);
        if (j < 0)
            continue;
        code = eex_params_get(from, j, values);
        if (code == EEX_OK)
            code = eex_params_set(to, i, values);
        next = j + 1;
        count++;
    }
    free(values);
    if (code == EEX_OK && copied)
        *copied = count;
    return code;
}
