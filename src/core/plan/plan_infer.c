/* Lowering for inference: batch norm folded into the convolution in front, bias, residual and act
 * fused behind it, ops cut into segments between exits, a head at each exit. */
#include "core/plan/plan_impl.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>

/* The first exit that is not in front of the node. */
static int segment_of(const eex_plan *p, int id)
{
    int k = 0;
    while (k < eex_graph_exits(p->graph) - 1 && eex_graph_exit(p->graph, k)->logits < id)
        k++;
    return k;
}

static void fuse_chains(eex_plan *p)
{
    for (int i = 0; i < eex_graph_nodes(p->graph); i++) {
        eex_node_kind kind = eex_graph_node(p->graph, i)->kind;
        bool starts = kind == EEX_NODE_CONV || kind == EEX_NODE_BATCH_NORM;
        /* The end of a chain (a batch norm without an act behind it) does not start another. */
        if (!p->needed[i] || !starts || eex__plan_absorbed(p, i) || p->start[i] != i)
            continue;
        int bn = kind == EEX_NODE_CONV ? eex__plan_sole_consumer(p, i, EEX_NODE_BATCH_NORM) : -1;
        eex_chain chain = eex__plan_chain(p, bn >= 0 ? bn : i);
        eex__plan_fuse(p, i, &chain);
    }
}

static int add_fold(eex_plan *p, int conv, int bn, int w, int bias)
{
    if (p->fold_count == p->fold_capacity) {
        int larger = p->fold_capacity ? 2 * p->fold_capacity : 64;
        eex_fold *moved = realloc(p->folds, (size_t)larger * sizeof *moved);
        if (!moved)
            return eex_fail(EEX_ENOMEM, "plan: out of memory for %d folded layers", larger);
        p->folds = moved;
        p->fold_capacity = larger;
    }
    p->folds[p->fold_count++] =
        (eex_fold){.op = p->op_count - 1, .conv = conv, .bn = bn, .w = w, .bias = bias};
    return EEX_OK;
}

/* A folded convolution reads its own copies of weights and bias; an unfolded one the parameters. */
static int lower_weights(eex_plan *p, eex_op_conv *op, const eex_node *node, int conv)
{
    int bn =
        node->kind == EEX_NODE_CONV ? eex__plan_sole_consumer(p, conv, EEX_NODE_BATCH_NORM) : -1;
    op->w_static = true;
    if (bn < 0) {
        op->w = eex_params_at(p->params, node->first_param);
        op->bias = node->bias ? eex_params_at(p->params, node->first_param + 1) : NULL;
        return EEX_OK;
    }
    size_t count = eex_param_count(eex_graph_param(p->graph, node->first_param));
    int w, bias;
    EEX_TRY(eex__plan_buffer(p, &w, 0, count * sizeof(float), true));
    EEX_TRY(eex__plan_buffer(p, &bias, 0, (size_t)node->c * sizeof(float), true));
    EEX_TRY(eex__plan_point(p, &op->w, w));
    EEX_TRY(eex__plan_point(p, &op->bias, bias));
    return add_fold(p, conv, bn, w, bias);
}

static int lower_conv(eex_plan *p, int id, int segment)
{
    const eex_node *node = eex_graph_node(p->graph, id);
    eex_chain chain = {.end = id, .residual = -1, .act = EEX_ACT_NONE};
    if (node->kind == EEX_NODE_CONV)
        chain = p->chain[id];
    int x, y, residual = -1;
    EEX_TRY(eex__plan_value(p, &x, node->inputs[0]));
    if (chain.residual >= 0)
        EEX_TRY(eex__plan_value(p, &residual, chain.residual));
    EEX_TRY(eex__plan_value(p, &y, chain.end));
    eex_op *op;
    EEX_TRY(eex__plan_op(p, &op, EEX_OP_CONV, node->name, segment));
    op->u.conv.window = node->window;
    op->u.conv.act = chain.act;
    EEX_TRY(eex__plan_point(p, &op->u.conv.x, x));
    EEX_TRY(eex__plan_point(p, &op->u.conv.y, y));
    if (residual >= 0)
        EEX_TRY(eex__plan_point(p, &op->u.conv.residual, residual));
    return lower_weights(p, &op->u.conv, node, id);
}

static int lower_batch_norm(eex_plan *p, int id, int segment)
{
    const eex_node *node = eex_graph_node(p->graph, id);
    const eex_chain *chain = &p->chain[id];
    int x, y, residual = -1;
    EEX_TRY(eex__plan_value(p, &x, node->inputs[0]));
    if (chain->residual >= 0)
        EEX_TRY(eex__plan_value(p, &residual, chain->residual));
    EEX_TRY(eex__plan_value(p, &y, chain->end));
    eex_op *op;
    EEX_TRY(eex__plan_op(p, &op, EEX_OP_BN_EVAL, node->name, segment));
    int first = node->first_param;
    op->u.bn = (eex_op_bn){.c = node->c,
                           .hw = node->h * node->w,
                           .gamma = eex_params_at(p->params, first),
                           .beta = eex_params_at(p->params, first + 1),
                           .running_mean = eex_params_at(p->params, first + 2),
                           .running_var = eex_params_at(p->params, first + 3),
                           .eps = node->bn_eps,
                           .act = chain->act};
    EEX_TRY(eex__plan_point(p, &op->u.bn.x, x));
    EEX_TRY(eex__plan_point(p, &op->u.bn.y, y));
    return residual >= 0 ? eex__plan_point(p, &op->u.bn.residual, residual) : EEX_OK;
}

static int lower_node(eex_plan *p, int id)
{
    int segment = segment_of(p, id), start = p->start[id];
    const eex_node *node = eex_graph_node(p->graph, start);
    switch (node->kind) {
    case EEX_NODE_INPUT:
        return eex__plan_lower_input(p);
    case EEX_NODE_CONV:
    case EEX_NODE_LINEAR:
        return lower_conv(p, start, segment);
    case EEX_NODE_BATCH_NORM:
        return lower_batch_norm(p, start, segment);
    default:
        return eex__plan_lower_simple(p, node, id, segment);
    }
}

/* ---- heads ---- */

enum { MOST_VALUES = 8192 }; /* a head keeps a sample's pooled features and logits on the chip */

/* The value that the classifier of exit k pools, when the device takes pool and classifier into the
 * head; else -1. The nodes between are then absorbed. */
static int fused_classifier(eex_plan *p, int k)
{
    int id = eex_graph_exit(p->graph, k)->logits;
    const eex_node *linear = eex_graph_node(p->graph, id);
    if (linear->kind != EEX_NODE_LINEAR || p->consumers[id] > 0 ||
        linear->window.cin + linear->c > MOST_VALUES ||
        (int64_t)linear->window.cin * linear->c > p->device->fused_head)
        return -1;
    int at = linear->inputs[0];
    const eex_node *n = eex_graph_node(p->graph, at);
    while ((n->kind == EEX_NODE_FLATTEN || n->kind == EEX_NODE_DROPOUT) && p->consumers[at] == 1) {
        at = n->inputs[0];
        n = eex_graph_node(p->graph, at);
    }
    if (n->kind != EEX_NODE_GLOBAL_POOL || p->consumers[at] != 1)
        return -1;
    for (int i = linear->inputs[0]; i != at; i = eex_graph_node(p->graph, i)->inputs[0])
        p->fused[i] = id;
    p->fused[at] = id;
    p->fused[id] = -1; /* nowhere: the head does it */
    return n->inputs[0];
}

static void fuse_heads(eex_plan *p)
{
    for (int k = 0; k < eex_graph_exits(p->graph); k++)
        p->head_input[k] = fused_classifier(p, k);
}

static int lower_classifier(eex_plan *p, eex_op_head *head, int k)
{
    const eex_node *linear = eex_graph_node(p->graph, eex_graph_exit(p->graph, k)->logits);
    const eex_node *in = eex_graph_node(p->graph, p->head_input[k]);
    int x;
    head->hw = in->h * in->w;
    head->features = in->c;
    head->w = eex_params_at(p->params, linear->first_param);
    head->bias = linear->bias ? eex_params_at(p->params, linear->first_param + 1) : NULL;
    EEX_TRY(eex__plan_value(p, &x, p->head_input[k]));
    return eex__plan_point(p, &head->x, x);
}

/* Class, confidence, margin and entropy of a batch lie in one buffer each, scores behind each
 * other: a sample's three are never moved, so they need no rows. */
/* What the exit's gate reads stays as it is until the exit has decided: who looks at it then
 * (eex_plan_download_value) must not find what a later op of the gate has left there. */
static void keep_point(eex_plan *p, int k)
{
    const eex_exit *exit = eex_graph_exit(p->graph, k);
    const int value = exit->blocks >= 0 ? p->value[exit->point] : -1;
    if (value >= 0 && p->buffers[value].last < p->head_op[k])
        p->buffers[value].last = p->head_op[k];
}

static int lower_head(eex_plan *p, int k)
{
    int node = eex_graph_exit(p->graph, k)->logits, logits;
    size_t row = sizeof(float) * (size_t)p->options.batch;
    EEX_TRY(eex__plan_value(p, &logits, node));
    EEX_TRY(eex__plan_buffer(p, &p->head_top[k], 0, row, true));
    EEX_TRY(eex__plan_buffer(p, &p->head_score[k], 0, 3 * row, true));
    eex_op *op;
    EEX_TRY(eex__plan_op(p, &op, EEX_OP_HEAD, eex_graph_node(p->graph, node)->name, k));
    p->head_op[k] = p->op_count - 1;
    keep_point(p, k);
    op->u.head.classes = eex_graph_classes(p->graph);
    op->u.head.temperature = 1;
    op->u.head.last = k == eex_graph_exits(p->graph) - 1;
    if (p->head_input[k] >= 0)
        EEX_TRY(lower_classifier(p, &op->u.head, k));
    EEX_TRY(eex__plan_point(p, &op->u.head.logits, logits));
    EEX_TRY(eex__plan_point(p, &op->u.head.top, p->head_top[k]));
    EEX_TRY(eex__plan_point(p, &op->u.head.confidence, p->head_score[k]));
    EEX_TRY(eex__plan_point_at(p, &op->u.head.margin, p->head_score[k], row));
    return eex__plan_point_at(p, &op->u.head.entropy, p->head_score[k], 2 * row);
}

/* Who is there, who stays, how the others left. */
static int lower_rows(eex_plan *p)
{
    size_t row = sizeof(int32_t);
    size_t thresholds = 2 * sizeof(float) * (size_t)eex_graph_classes(p->graph);
    EEX_TRY(eex__plan_buffer(p, &p->index, row, row, true));
    EEX_TRY(eex__plan_buffer(p, &p->rows, row, row, true));
    EEX_TRY(eex__plan_buffer(p, &p->decision, 1, 0, true));
    EEX_TRY(eex__plan_buffer(p, &p->results, sizeof(eex_result), 0, true));
    return eex__plan_buffer(p, &p->threshold, 0, thresholds * (size_t)eex_graph_exits(p->graph),
                            true);
}

int eex__plan_lower_infer(eex_plan *p)
{
    int exits = eex_graph_exits(p->graph);
    bool wanted[EEX_MAX_EXITS];
    for (int k = 0; k < exits; k++)
        wanted[k] = true;
    EEX_TRY(eex__plan_mark(p, wanted));
    fuse_chains(p);
    fuse_heads(p);
    EEX_TRY(lower_rows(p));
    for (int i = 0, k = 0; i < eex_graph_nodes(p->graph); i++) {
        if (p->needed[i] && !eex__plan_absorbed(p, i))
            EEX_TRY(lower_node(p, i));
        for (; k < exits && eex_graph_exit(p->graph, k)->logits <= i; k++)
            EEX_TRY(lower_head(p, k));
    }
    return EEX_OK;
}
