/* Lowering for inference: batch norm folded into the convolution in front, bias, residual and act
 * fused behind it, ops cut into segments between exits, a head at each exit. */
#include "core/plan/builder_impl.h"

#include "base/status.h"

/* The first exit that is not in front of the node. */
static int segment_of(const eex_builder *b, int id)
{
    int k = 0;
    while (k < eex_graph_exits(b->graph) - 1 && eex_graph_exit(b->graph, k)->logits < id)
        k++;
    return k;
}

static void fuse_chains(eex_builder *b)
{
    for (int i = 0; i < eex_graph_nodes(b->graph); i++) {
        eex_node_kind kind = eex_graph_node(b->graph, i)->kind;
        bool starts = kind == EEX_NODE_CONV || kind == EEX_NODE_BATCH_NORM;
        /* The end of a chain (a batch norm without an act behind it) does not start another. */
        if (!b->needed[i] || !starts || eex__plan_absorbed(b, i) || b->start[i] != i)
            continue;
        int bn = kind == EEX_NODE_CONV ? eex__plan_sole_consumer(b, i, EEX_NODE_BATCH_NORM) : -1;
        eex_chain chain = eex__plan_chain(b, bn >= 0 ? bn : i);
        eex__plan_fuse(b, i, &chain);
    }
}

static int add_fold(eex_builder *b, int conv, int bn, int w, int bias)
{
    eex_plan *p = b->plan;
    EEX_TRY(eex__plan_grow((void **)&p->folds, p->fold_count, &b->fold_capacity, sizeof *p->folds));
    p->folds[p->fold_count++] = (eex_fold){.conv = conv, .bn = bn, .w = w, .bias = bias};
    return EEX_OK;
}

/* Its own copies of weights and bias, which folding fills. */
static int lower_folded(eex_builder *b, eex_op_conv *op, int conv, int bn)
{
    const eex_node *node = eex_graph_node(b->graph, conv);
    size_t count = eex_param_count(eex_graph_param(b->graph, node->first_param));
    int w, bias;
    EEX_TRY(eex__plan_buffer(b, &w, 0, count * sizeof(float), true));
    EEX_TRY(eex__plan_buffer(b, &bias, 0, (size_t)node->c * sizeof(float), true));
    EEX_TRY(eex__plan_point(b, &op->w, w));
    EEX_TRY(eex__plan_point(b, &op->bias, bias));
    op->w_once = true;
    return add_fold(b, conv, bn, w, bias);
}

/* A folded convolution reads its own copies of weights and bias; an unfolded one the parameters. */
static int lower_conv(eex_builder *b, int id)
{
    const eex_node *node = eex_graph_node(b->graph, id);
    eex_chain chain = {.end = id, .residual = -1, .act = EEX_ACT_NONE};
    eex_place at[EEX__NODE_PARAMS];
    int x, y, residual = -1, bn = -1;
    if (node->kind == EEX_NODE_CONV) {
        chain = b->chain[id];
        bn = eex__plan_sole_consumer(b, id, EEX_NODE_BATCH_NORM);
    }
    EEX_TRY(eex__plan_value(b, &x, node->inputs[0]));
    if (chain.residual >= 0)
        EEX_TRY(eex__plan_value(b, &residual, chain.residual));
    EEX_TRY(eex__plan_value(b, &y, chain.end));
    if (bn < 0)
        EEX_TRY(eex__bind_values(b, at, node));
    eex_op *op;
    EEX_TRY(eex__plan_op(b, &op, EEX_OP_CONV, node->name));
    op->u.conv.window = node->window;
    op->u.conv.act = chain.act;
    op->u.conv.w_static = bn >= 0 || at[0].buffer < 0; /* ops do not write them */
    EEX_TRY(eex__plan_point(b, &op->u.conv.x, x));
    EEX_TRY(eex__plan_point(b, &op->u.conv.y, y));
    if (residual >= 0)
        EEX_TRY(eex__plan_point(b, &op->u.conv.residual, residual));
    if (bn >= 0)
        return lower_folded(b, &op->u.conv, id, bn);
    EEX_TRY(eex__bind_point(b, &op->u.conv.w, &at[0]));
    return eex__bind_point(b, &op->u.conv.bias, &at[1]);
}

static int lower_node(eex_builder *b, int id)
{
    int start = b->start[id];
    const eex_node *node = eex_graph_node(b->graph, start);
    b->segment = segment_of(b, id);
    switch (node->kind) {
    case EEX_NODE_INPUT:
        return eex__plan_lower_input(b);
    case EEX_NODE_CONV:
    case EEX_NODE_LINEAR:
        return lower_conv(b, start);
    case EEX_NODE_BATCH_NORM:
        return eex__plan_lower_bn(b, start);
    default:
        return eex__plan_lower_simple(b, node, id);
    }
}

/* ---- heads ---- */

enum { MOST_VALUES = 8192 }; /* a head keeps a sample's pooled features and logits on the chip */

/* The value that the classifier of exit k pools, when the device takes pool and classifier into the
 * head; else -1. The nodes between are then absorbed. */
static int fused_classifier(eex_builder *b, int k)
{
    int id = eex_graph_exit(b->graph, k)->logits;
    const eex_node *linear = eex_graph_node(b->graph, id);
    if (linear->kind != EEX_NODE_LINEAR || b->consumers[id] > 0 ||
        linear->window.cin + linear->c > MOST_VALUES ||
        (int64_t)linear->window.cin * linear->c > b->device->fused_head)
        return -1;
    int at = linear->inputs[0];
    const eex_node *n = eex_graph_node(b->graph, at);
    while ((n->kind == EEX_NODE_FLATTEN || n->kind == EEX_NODE_DROPOUT) && b->consumers[at] == 1) {
        at = n->inputs[0];
        n = eex_graph_node(b->graph, at);
    }
    if (n->kind != EEX_NODE_GLOBAL_POOL || b->consumers[at] != 1)
        return -1;
    for (int i = linear->inputs[0]; i != at; i = eex_graph_node(b->graph, i)->inputs[0])
        b->fused[i] = id;
    b->fused[at] = id;
    b->fused[id] = -1; /* nowhere: the head does it */
    return n->inputs[0];
}

static void fuse_heads(eex_builder *b)
{
    for (int k = 0; k < eex_graph_exits(b->graph); k++)
        b->head_input[k] = fused_classifier(b, k);
}

static int lower_classifier(eex_builder *b, eex_op_head *head, int k, const eex_place *at)
{
    const eex_node *in = eex_graph_node(b->graph, b->head_input[k]);
    int x;
    head->hw = in->h * in->w;
    head->features = in->c;
    EEX_TRY(eex__bind_point(b, &head->w, &at[0]));
    EEX_TRY(eex__bind_point(b, &head->bias, &at[1]));
    EEX_TRY(eex__plan_value(b, &x, b->head_input[k]));
    return eex__plan_point(b, &head->x, x);
}

/* What the exit's gate reads stays as it is until the exit has decided: who looks at it then
 * (eex_plan_download_value) must not find what a later op of the gate has left there. */
static void keep_point(eex_builder *b, int k)
{
    const eex_exit *exit = eex_graph_exit(b->graph, k);
    const int values[] = {exit->blocks >= 0 ? b->plan->value[exit->point] : -1,
                          b->plan->gathered[k]};
    for (int i = 0; i < 2; i++)
        if (values[i] >= 0 && b->plan->buffers[values[i]].last < b->plan->head_op[k])
            b->plan->buffers[values[i]].last = b->plan->head_op[k];
}

/* Scores of a batch lie in one buffer behind each other, classes in another: a sample's are never
 * moved, so they need no rows. */
static int lower_head(eex_builder *b, int k)
{
    int id = eex_graph_exit(b->graph, k)->logits, logits, top, score;
    const eex_node *node = eex_graph_node(b->graph, id);
    size_t row = sizeof(float) * (size_t)b->options->batch;
    eex_place at[EEX__NODE_PARAMS];
    b->segment = k;
    EEX_TRY(eex__plan_value(b, &logits, id));
    EEX_TRY(eex__plan_buffer(b, &top, 0, row, true));
    EEX_TRY(eex__plan_buffer(b, &score, 0, 3 * row, true));
    if (b->head_input[k] >= 0)
        EEX_TRY(eex__bind_values(b, at, node));
    eex_op *op;
    EEX_TRY(eex__plan_op(b, &op, EEX_OP_HEAD, node->name));
    b->plan->head_op[k] = b->plan->op_count - 1;
    keep_point(b, k);
    op->u.head.classes = eex_graph_classes(b->graph);
    op->u.head.temperature = 1;
    op->u.head.last = k == eex_graph_exits(b->graph) - 1;
    if (b->head_input[k] >= 0)
        EEX_TRY(lower_classifier(b, &op->u.head, k, at));
    EEX_TRY(eex__plan_point(b, &op->u.head.logits, logits));
    EEX_TRY(eex__plan_point(b, &op->u.head.top, top));
    EEX_TRY(eex__plan_point(b, &op->u.head.confidence, score));
    EEX_TRY(eex__plan_point_at(b, &op->u.head.margin, score, row));
    return eex__plan_point_at(b, &op->u.head.entropy, score, 2 * row);
}

/* Who is there, who stays, how the others left. */
static int lower_rows(eex_builder *b)
{
    size_t row = sizeof(int32_t);
    size_t thresholds = 2 * sizeof(float) * (size_t)eex_graph_classes(b->graph);
    EEX_TRY(eex__plan_buffer(b, &b->plan->index, row, row, true));
    EEX_TRY(eex__plan_buffer(b, &b->plan->rows, row, row, true));
    if (b->options->gates_apart)
        EEX_TRY(eex__plan_buffer(b, &b->plan->at, row, 0, true));
    EEX_TRY(eex__plan_buffer(b, &b->plan->decision, 1, 0, true));
    EEX_TRY(eex__plan_buffer(b, &b->plan->results, sizeof(eex_result), 0, true));
    return eex__plan_buffer(b, &b->plan->threshold, 0,
                            thresholds * (size_t)eex_graph_exits(b->graph), true);
}

int eex__plan_part_mark(eex_builder *b)
{
    bool wanted[EEX_MAX_EXITS];
    for (int k = 0; k < eex_graph_exits(b->graph); k++)
        wanted[k] = true;
    EEX_TRY(eex__plan_mark(b, wanted));
    fuse_chains(b);
    fuse_heads(b);
    return EEX_OK;
}

static void add_params(bool *reads, const eex_graph *graph, int node)
{
    const eex_node *n = eex_graph_node(graph, node);
    for (int i = 0; n && i < n->params; i++)
        reads[n->first_param + i] = true;
}

/* The parameters of an op are those of the nodes that it computes. */
void eex__plan_part_find(const eex_builder *b, eex_plan_part part, bool *reads)
{
    for (int i = 0; i < eex_graph_nodes(b->graph); i++) {
        if (!b->needed[i] || eex__plan_absorbed(b, i) || !eex__plan_in_part(part, segment_of(b, i)))
            continue;
        const int start = b->start[i];
        add_params(reads, b->graph, start);
        if (eex_graph_node(b->graph, start)->kind == EEX_NODE_CONV)
            add_params(reads, b->graph, eex__plan_sole_consumer(b, start, EEX_NODE_BATCH_NORM));
    }
    for (int k = 0; k < eex_graph_exits(b->graph); k++)
        if (b->head_input[k] >= 0 && eex__plan_in_part(part, k))
            add_params(reads, b->graph, eex_graph_exit(b->graph, k)->logits);
}

int eex__plan_lower_infer(eex_builder *b)
{
    const int exits = eex_graph_exits(b->graph);
    EEX_TRY(eex__plan_part_mark(b));
    EEX_TRY(lower_rows(b));
    EEX_TRY(b->binding->begin(b->binding, b));
    for (int i = 0, k = 0; i < eex_graph_nodes(b->graph); i++) {
        if (b->options->gates_apart)
            EEX_TRY(eex__plan_begin_gate(b, k, i));
        if (b->needed[i] && !eex__plan_absorbed(b, i))
            EEX_TRY(lower_node(b, i));
        for (; k < exits && eex_graph_exit(b->graph, k)->logits <= i; k++) {
            EEX_TRY(lower_head(b, k));
            eex__plan_end_gate(b);
        }
    }
    return EEX_OK;
}
