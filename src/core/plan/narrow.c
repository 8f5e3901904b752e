#include "core/plan/narrow.h"

#include "core/plan/params_impl.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

/* ---- norms ---- */

/* (O, I/g, K, K): a filter's elements lie together. */
static int add_norms(double *norm, const eex_params *params, int i)
{
    const eex_param *p = eex_graph_param(params->graph, i);
    const size_t count = eex_param_count(p), each = count / (size_t)p->shape[0];
    float *w = malloc(count * sizeof *w);
    if (!w)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu weights", count);
    const int code = eex_params_get(params, i, w);
    for (size_t j = 0; j < count && code == EEX_OK; j++)
        norm[j / each] += (double)w[j] * (double)w[j];
    free(w);
    return code;
}

static int find_norms(double *norm, const eex_filters *f, int group, const eex_params *params)
{
    for (int i = 0; i < eex_graph_nodes(params->graph); i++) {
        const eex_node *n = eex_graph_node(params->graph, i);
        if (n->kind == EEX_NODE_CONV && f->group[i] == group)
            EEX_TRY(add_norms(norm, params, n->first_param));
    }
    return EEX_OK;
}

int eex_filters_choose(eex_filters *f, const eex_params *params, double share)
{
    EEX_NEED(f, "filters");
    EEX_NEED(params, "parameters");
    for (int i = 0; i < f->count; i++) {
        double *norm = calloc((size_t)f->of[i].channels, sizeof *norm);
        if (!norm)
            return eex_fail(EEX_ENOMEM, "out of memory for %d norms", f->of[i].channels);
        int code = find_norms(norm, f, i, params);
        if (code == EEX_OK)
            code = eex_filters_prune(f, i, norm, share);
        free(norm);
        EEX_TRY(code);
    }
    return EEX_OK;
}

/* ---- what is kept of a parameter ---- */

/* Along the first axis, and along the second, each element of which is a block. */
typedef struct keeping {
    const eex_filter_group *rows, *columns; /* NULL: all */
    size_t height, width, block;            /* of the narrow one: rows, columns, elements */
    size_t whole;                           /* columns of the whole one */
} keeping;

static const eex_filter_group *group_of(const eex_filters *f, int node)
{
    return f->group[node] < 0 ? NULL : &f->of[f->group[node]];
}

static size_t at(const eex_filter_group *g, size_t i)
{
    return g ? (size_t)g->kept[i] : i;
}

static keeping keep(const eex_filters *f, const eex_params *to, const eex_params *from, int i)
{
    const eex_param *p = eex_graph_param(to->graph, i), *q = eex_graph_param(from->graph, i);
    const eex_node *n = eex__param_node(to->graph, i);
    const int id = (int)(n - eex_graph_node(to->graph, 0));
    keeping k = {
        .rows = group_of(f, id), .height = (size_t)p->shape[0], .width = 1, .block = 1, .whole = 1};
    if (p->rank < 2)
        return k;
    k.columns = p->shape[1] == q->shape[1] ? NULL : group_of(f, n->inputs[0]);
    k.block = eex_param_count(p) / k.height / (size_t)p->shape[1];
    k.width = (size_t)p->shape[1];
    k.whole = (size_t)q->shape[1];
    if (k.columns && p->rank == 2) { /* a linear layer on all pixels: (O, C, H, W) in fact */
        k.block = k.width / (size_t)k.columns->count;
        k.width = (size_t)k.columns->count;
        k.whole = (size_t)k.columns->channels;
    }
    return k;
}

static void copy_kept(float *to, const float *from, const keeping *k)
{
    for (size_t r = 0; r < k->height; r++)
        for (size_t c = 0; c < k->width; c++, to += k->block)
            memcpy(to, from + (at(k->rows, r) * k->whole + at(k->columns, c)) * k->block,
                   k->block * sizeof *to);
}

int eex_params_narrow(eex_params *to, const eex_params *from, const eex_filters *f)
{
    EEX_NEED(to, "parameters to fill");
    EEX_NEED(from, "parameters");
    EEX_NEED(f, "filters");
    const int count = eex_graph_params(to->graph);
    float *whole = NULL, *narrow = NULL;
    if (count != eex_graph_params(from->graph))
        return eex_fail(EEX_EINVAL, "\"%s\" has %d parameters, what it was made of %d",
                        eex_graph_name(to->graph), count, eex_graph_params(from->graph));
    int code = eex__params_scratch(&whole, from->graph);
    if (code == EEX_OK)
        code = eex__params_scratch(&narrow, to->graph);
    for (int i = 0; i < count && code == EEX_OK; i++) {
        const keeping k = keep(f, to, from, i);
        code = eex_params_get(from, i, whole);
        if (code == EEX_OK) {
            copy_kept(narrow, whole, &k);
            code = eex_params_set(to, i, narrow);
        }
    }
    free(whole);
    free(narrow);
    return code;
}
