#include "core/exchange/layers.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct builder {
    eex__layers *out;
    const eex_graph *graph;
    bool fuse;
    int *
        readers; /* (nodes) how many read a node's value; what an exit looks at has more than one */
} builder;

/* ---- weights ---- */

static int fetch(float **out, const eex_params *params, int i)
{
    const size_t count = eex_param_count(eex_graph_param(params->graph, i));
    *out = malloc(count * sizeof **out);
    if (!*out)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu weights", count);
    return eex_params_get(params, i, *out);
}

static int fetch_weights(eex__layer *l, const eex_params *params, const eex_node *n)
{
    EEX_TRY(fetch(&l->weight, params, n->first_param));
    l->weights = eex_param_count(eex_graph_param(params->graph, n->first_param));
    if (n->bias)
        return fetch(&l->bias, params, n->first_param + 1);
    l->bias = calloc((size_t)n->c, sizeof *l->bias);
    return l->bias ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for %d biases", n->c);
}

/* y = x * scale + shift: scale = gamma / sqrt(var + eps), shift = beta - mean * scale; what is
 * calculated is what plan_fold.c calculates. */
static int fold(eex__layer *l, const eex_params *params, const eex_node *norm)
{
    float *bn[4] = {NULL};
    int code = EEX_OK;
    const size_t each = l->weights / (size_t)l->c;
    for (int i = 0; i < 4 && code == EEX_OK; i++)
        code = fetch(&bn[i], params, norm->first_param + i);
    for (int c = 0; c < l->c && code == EEX_OK; c++) {
        const float scale = (float)(bn[0][c] / sqrt((double)bn[3][c] + norm->bn_eps));
        l->bias[c] = bn[1][c] + (l->bias[c] - bn[2][c]) * scale;
        for (size_t i = 0; i < each; i++)
            l->weight[(size_t)c * each + i] *= scale;
    }
    for (int i = 0; i < 4; i++)
        free(bn[i]);
    return code;
}

/* A batch norm by itself: weights of 1, folded. */
static int norm_weights(eex__layer *l, const eex_params *params, const eex_node *n)
{
    l->weights = (size_t)n->c;
    l->weight = malloc((size_t)n->c * sizeof *l->weight);
    l->bias = calloc((size_t)n->c, sizeof *l->bias);
    if (!l->weight || !l->bias)
        return eex_fail(EEX_ENOMEM, "out of memory for %d channels", n->c);
    for (int c = 0; c < n->c; c++)
        l->weight[c] = 1;
    return fold(l, params, n);
}

/* ---- layers ---- */

static int add_layer(builder *b, int id)
{
    eex__layers *all = b->out;
    const eex_node *n = eex_graph_node(b->graph, id);
    eex__layer *l = &all->at[all->count];
    *l = (eex__layer){.kind = n->kind,
                      .name = n->name,
                      .h = n->h,
                      .w = n->w,
                      .c = n->c,
                      .window = n->window,
                      .act = n->kind == EEX_NODE_ACT ? n->act : EEX_ACT_NONE};
    for (int i = 0; i < 2; i++)
        l->input[i] = n->inputs[i] >= 0 ? all->of_node[n->inputs[i]] : -1;
    while (l->segment < eex_graph_exits(b->graph) - 1 &&
           eex_graph_exit(b->graph, l->segment)->logits < id)
        l->segment++;
    all->of_node[id] = all->count++;
    if (n->kind == EEX_NODE_CONV || n->kind == EEX_NODE_LINEAR)
        return fetch_weights(l, all->model->params, n);
    return n->kind == EEX_NODE_BATCH_NORM ? norm_weights(l, all->model->params, n) : EEX_OK;
}

/* The layer that a node alone reads, so that both may be one; NULL. */
static eex__layer *sole(const builder *b, const eex_node *n)
{
    const int in = n->inputs[0];
    if (in < 0 || b->readers[in] != 1 || eex_graph_node(b->graph, in)->kind == EEX_NODE_DROPOUT)
        return NULL;
    return &b->out->at[b->out->of_node[in]];
}

static bool may_end_in_act(const eex__layer *l)
{
    return l->act == EEX_ACT_NONE && (l->kind == EEX_NODE_CONV || l->kind == EEX_NODE_LINEAR ||
                                      l->kind == EEX_NODE_ADD || l->kind == EEX_NODE_BATCH_NORM);
}

static int add_node(builder *b, int id)
{
    const eex_node *n = eex_graph_node(b->graph, id);
    eex__layer *before = sole(b, n);
    if (n->kind == EEX_NODE_DROPOUT) {
        b->out->of_node[id] = b->out->of_node[n->inputs[0]];
        return EEX_OK;
    }
    if (n->kind == EEX_NODE_BATCH_NORM && before && before->kind == EEX_NODE_CONV &&
        before->act == EEX_ACT_NONE) {
        b->out->of_node[id] = b->out->of_node[n->inputs[0]];
        return fold(before, b->out->model->params, n);
    }
    if (b->fuse && n->kind == EEX_NODE_ACT && before && may_end_in_act(before)) {
        b->out->of_node[id] = b->out->of_node[n->inputs[0]];
        before->act = n->act;
        return EEX_OK;
    }
    return add_layer(b, id);
}

/* Who looks at an exit's point or logits reads them too. */
static void count_readers(builder *b)
{
    const eex_graph *g = b->graph;
    for (int i = 1; i < eex_graph_nodes(g); i++)
        for (int j = 0; j < 2; j++)
            if (eex_graph_node(g, i)->inputs[j] >= 0)
                b->readers[eex_graph_node(g, i)->inputs[j]]++;
    for (int k = 0; k < eex_graph_exits(g); k++) {
        b->readers[eex_graph_exit(g, k)->point]++;
        b->readers[eex_graph_exit(g, k)->logits]++;
    }
}

/* ---- thresholds ---- */

static float lowered(float threshold)
{
    const float rounding = 3e-7f * fmaxf(fabsf(threshold), 0.1f);
    return isinf(threshold) ? threshold : threshold - rounding;
}

static int fetch_thresholds(eex__layers *out, const eex_policy *p)
{
    const size_t count = p ? (size_t)p->exits * (size_t)p->classes : 0;
    if (!p)
        return EEX_OK;
    out->high = malloc(count * sizeof *out->high);
    out->low = malloc(count * sizeof *out->low);
    if (!out->high || !out->low)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu thresholds", count);
    for (size_t i = 0; i < count; i++) {
        out->high[i] = lowered(p->high[i]);
        out->low[i] = lowered(p->low[i]);
    }
    return EEX_OK;
}

int eex__layers_make(eex__layers *out, const eex_model *model, bool fuse)
{
    const size_t nodes = (size_t)eex_graph_nodes(model->graph);
    *out = (eex__layers){.model = model};
    builder b = {out, model->graph, fuse, calloc(nodes, sizeof *b.readers)};
    out->at = calloc(nodes, sizeof *out->at);
    out->of_node = calloc(nodes, sizeof *out->of_node);
    int code = b.readers && out->at && out->of_node
                   ? EEX_OK
                   : eex_fail(EEX_ENOMEM, "out of memory for %zu layers", nodes);
    if (code == EEX_OK)
        count_readers(&b);
    for (int i = 0; i < (int)nodes && code == EEX_OK; i++)
        code = add_node(&b, i);
    free(b.readers);
    if (code == EEX_OK)
        code = fetch_thresholds(out, model->policy);
    if (code < 0)
        eex__layers_free(out);
    return code;
}

void eex__layers_free(eex__layers *layers)
{
    for (int i = 0; i < layers->count; i++) {
        free(layers->at[i].weight);
        free(layers->at[i].bias);
    }
    free(layers->at);
    free(layers->of_node);
    free(layers->high);
    free(layers->low);
    *layers = (eex__layers){.count = 0};
}

int eex__layers_point(const eex__layers *layers, int exit)
{
    return layers->of_node[eex_graph_exit(layers->model->graph, exit)->point];
}

int eex__layers_logits(const eex__layers *layers, int exit)
{
    return layers->of_node[eex_graph_exit(layers->model->graph, exit)->logits];
}
