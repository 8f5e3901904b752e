#include "core/exchange/weights.h"

#include "core/exchange/dialects.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_PREFIXES = 16 };

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* ---- one parameter ---- */

/* The same shape, or both a matrix with as many rows whose columns are in the same order. */
static bool shape_fits(const eex_tensor *t, const eex_param *p)
{
    bool same = t->rank == p->rank;
    for (int d = 0; d < p->rank && same; d++)
        same = t->shape[d] == (uint64_t)p->shape[d];
    const bool matrices = (t->rank == 4 && p->rank == 2) || (t->rank == 2 && p->rank == 4);
    return same ||
           (matrices && t->shape[0] == (uint64_t)p->shape[0] && t->count == eex_param_count(p));
}

static int find_tensor(const eex_safetensors *file, const eex__dialect *dialect, const char *prefix,
                       const char *param)
{
    char name[EEX_TENSOR_NAME], whole[EEX_TENSOR_NAME];
    if (!dialect->translate(name, param) || strlen(prefix) + strlen(name) >= sizeof whole)
        return -1;
    strcpy(whole, prefix);
    strcat(whole, name);
    return eex_safetensors_find(file, whole);
}

bool eex_weights_at_end(const eex_graph *graph, int i)
{
    const int exits = eex_graph_exits(graph);
    const eex_node *end = eex_graph_node(graph, eex_graph_exit(graph, exits - 1)->logits);
    return i >= end->first_param && i < end->first_param + end->params;
}

/* ---- all, by one dialect and prefix ---- */

static void match_all(eex_weights *w, const eex_safetensors *file, const eex_graph *graph,
                      const eex__dialect *dialect, const char *prefix)
{
    w->names = dialect->name;
    strcpy(w->prefix, prefix);
    w->taken = w->lost = 0;
    for (int i = 0; i < w->params; i++) {
        const eex_param *p = eex_graph_param(graph, i);
        const int found = find_tensor(file, dialect, prefix, p->name);
        const eex_tensor *t = eex_safetensors_at(file, found);
        w->tensor[i] = found;
        w->fits[i] = t && t->reads && shape_fits(t, p);
        w->taken += w->fits[i];
        w->lost += !w->fits[i] && !eex_weights_at_end(graph, i);
    }
}

static int allocate(eex_weights *w, const eex_graph *graph)
{
    *w = (eex_weights){.names = "", .params = eex_graph_params(graph)};
    w->tensor = calloc((size_t)w->params + 1, sizeof *w->tensor);
    w->fits = calloc((size_t)w->params + 1, sizeof *w->fits);
    if (w->tensor && w->fits)
        return EEX_OK;
    eex_weights_free(w);
    return eex_fail(EEX_ENOMEM, "out of memory for %d parameters", eex_graph_params(graph));
}

static void keep_better(eex_weights *best, eex_weights *other)
{
    if (other->taken <= best->taken)
        return;
    const eex_weights kept = *best;
    *best = *other;
    *other = kept;
}

/* ---- which prefix ---- */

typedef struct search {
    const eex_safetensors *file;
    const eex_graph *graph;
    eex_weights *best, other;
    char tried[MAX_PREFIXES][EEX_TENSOR_NAME]; /* by the dialect at hand */
    int tries;
} search;

static void try_prefix(search *s, const eex__dialect *dialect, const char *name, size_t length)
{
    char prefix[EEX_TENSOR_NAME];
    memcpy(prefix, name, length);
    prefix[length] = '\0';
    for (int i = 0; i < s->tries; i++)
        if (strcmp(s->tried[i], prefix) == 0)
            return;
    if (s->tries == MAX_PREFIXES)
        return;
    strcpy(s->tried[s->tries++], prefix);
    match_all(&s->other, s->file, s->graph, dialect, prefix);
    keep_better(s->best, &s->other);
}

/* Whatever is in front of a tensor that ends as parameter i is called. */
static void try_prefixes_of(search *s, const eex__dialect *dialect, int i)
{
    char name[EEX_TENSOR_NAME], dotted[EEX_TENSOR_NAME + 1] = ".";
    if (!dialect->translate(name, eex_graph_param(s->graph, i)->name))
        return;
    strcat(dotted, name);
    for (int t = 0; t < eex_safetensors_count(s->file); t++) {
        const char *whole = eex_safetensors_at(s->file, t)->name;
        if (ends_with(whole, dotted))
            try_prefix(s, dialect, whole, strlen(whole) - strlen(name));
    }
}

static void search_all(search *s)
{
    const eex__dialect *dialect;
    for (int d = 0; (dialect = eex__dialect_at(d)); d++) {
        s->tries = 0;
        try_prefix(s, dialect, "", 0);
        try_prefixes_of(s, dialect, s->best->params / 2);
        try_prefixes_of(s, dialect, 0);
    }
}

/* ---- matching ---- */

bool eex_weights_unused(const eex_weights *w, const eex_safetensors *file, int i)
{
    for (int k = 0; k < w->params; k++)
        if (w->fits[k] && w->tensor[k] == i)
            return false;
    return !ends_with(eex_safetensors_at(file, i)->name, "num_batches_tracked");
}

static int none_fits(const eex_safetensors *file, const eex_graph *graph)
{
    const eex_tensor *t = eex_safetensors_at(file, 0);
    return eex_fail(EEX_EINVAL,
                    "%s: none of its %d tensors (%s%s) is a parameter of \"%s\" (%s, ...): names "
                    "as torchvision, timm or pytorch-cifar have them are known",
                    eex_safetensors_path(file), eex_safetensors_count(file), t ? t->name : "",
                    t ? ", ..." : "", eex_graph_name(graph), eex_graph_param(graph, 0)->name);
}

int eex_weights_match(eex_weights *out, const eex_safetensors *file, const eex_graph *graph)
{
    EEX_NEED(out, "place for the match");
    *out = (eex_weights){.names = ""};
    EEX_NEED(file, "file");
    EEX_NEED(graph, "graph");
    search *s = calloc(1, sizeof *s);
    if (!s)
        return eex_fail(EEX_ENOMEM, "out of memory for names");
    *s = (search){.file = file, .graph = graph, .best = out};
    int code = allocate(out, graph);
    if (code == EEX_OK)
        code = allocate(&s->other, graph);
    if (code == EEX_OK) {
        search_all(s);
        if (out->taken == 0)
            code = none_fits(file, graph);
    }
    eex_weights_free(&s->other);
    free(s);
    if (code < 0) {
        eex_weights_free(out);
        return code;
    }
    for (int i = 0; i < eex_safetensors_count(file); i++)
        out->unused += eex_weights_unused(out, file, i);
    return EEX_OK;
}

void eex_weights_free(eex_weights *w)
{
    if (!w)
        return;
    free(w->tensor);
    free(w->fits);
    *w = (eex_weights){.names = ""};
}

/* ---- loading ---- */

static int load_one(eex_params *params, int i, const eex_safetensors *file, int tensor)
{
    const eex_param *p = eex_graph_param(params->graph, i);
    const size_t count = eex_param_count(p);
    float *values = malloc(count * sizeof *values);
    if (!values)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu weights", count);
    int code = eex_safetensors_read(values, file, tensor);
    if (code == EEX_OK && ends_with(p->name, ".running_var"))
        for (size_t k = 0; k < count && code == EEX_OK; k++)
            if (values[k] < 0)
                code = eex_fail(EEX_EFORMAT, "%s: element %zu of \"%s\", a variance, is %g",
                                eex_safetensors_path(file), k,
                                eex_safetensors_at(file, tensor)->name, (double)values[k]);
    if (code == EEX_OK)
        code = eex_params_set(params, i, values);
    free(values);
    return code;
}

int eex_weights_load(eex_params *params, const eex_safetensors *file, const eex_weights *weights)
{
    EEX_NEED(params, "parameters");
    EEX_NEED(file, "file");
    EEX_NEED(weights, "match");
    for (int i = 0; i < weights->params; i++)
        if (weights->fits[i])
            EEX_TRY(load_one(params, i, file, weights->tensor[i]));
    return EEX_OK;
}
