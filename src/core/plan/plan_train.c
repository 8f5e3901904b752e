/* Lowering for training, forward half: every value that the backward half reads again is kept. */
#include "core/plan/builder_impl.h"

#include "base/status.h"

/* A gradient must reach a value when something that learns lies in front of it. */
static void mark_learning(eex_builder *b)
{
    for (int i = 0; i < eex_graph_nodes(b->graph); i++) {
        const eex_node *n = eex_graph_node(b->graph, i);
        b->learns[i] = n->params > 0 && eex__plan_trains_node(b, n);
        for (int j = 0; j < 2; j++)
            if (n->inputs[j] >= 0 && b->learns[n->inputs[j]])
                b->learns[i] = true;
    }
}

static void fuse_batch_norms(eex_builder *b)
{
    for (int i = 0; i < eex_graph_nodes(b->graph); i++) {
        const eex_node *node = eex_graph_node(b->graph, i);
        bool input = eex__plan_takes(b, node);
        if (!b->needed[i] || input || node->kind != EEX_NODE_BATCH_NORM)
            continue;
        eex_chain chain = eex__plan_chain(b, i);
        eex__plan_fuse(b, i, &chain);
    }
}

static int lower_conv(eex_builder *b, const eex_node *node, int id)
{
    eex_place at[EEX__NODE_PARAMS];
    int x, y;
    EEX_TRY(eex__plan_value(b, &x, node->inputs[0]));
    EEX_TRY(eex__plan_value(b, &y, id));
    int bn = eex__plan_sole_consumer(b, id, EEX_NODE_BATCH_NORM);
    bool sums =
        bn >= 0 && b->device->conv_stats && eex__plan_trains_node(b, eex_graph_node(b->graph, bn));
    if (sums)
        EEX_TRY(eex__plan_buffer(b, &b->stats[bn], 0, 2 * sizeof(double) * (size_t)node->c, false));
    EEX_TRY(eex__bind_values(b, at, node));
    eex_op *op;
    EEX_TRY(eex__plan_op(b, &op, EEX_OP_CONV, node->name));
    op->u.conv.window = node->window;
    EEX_TRY(eex__bind_point(b, &op->u.conv.w, &at[0]));
    EEX_TRY(eex__bind_point(b, &op->u.conv.bias, &at[1]));
    EEX_TRY(eex__plan_point(b, &op->u.conv.x, x));
    EEX_TRY(eex__plan_point(b, &op->u.conv.y, y));
    return sums ? eex__plan_point(b, &op->u.conv.stats, b->stats[bn]) : EEX_OK;
}

/* A value that comes from outside stays put for the whole plan. */
static int lower_cached(eex_builder *b, int id)
{
    int buffer;
    EEX_TRY(eex__plan_value(b, &buffer, id));
    b->plan->buffers[buffer].pinned = true;
    return EEX_OK;
}

static int lower_node(eex_builder *b, int id)
{
    const eex_node *node = eex_graph_node(b->graph, id);
    if (eex__plan_takes(b, node))
        return lower_cached(b, id);
    int start = b->start[id];
    if (eex_graph_node(b->graph, start)->kind == EEX_NODE_BATCH_NORM)
        return eex__plan_lower_bn(b, start);
    switch (node->kind) {
    case EEX_NODE_INPUT:
        return eex__plan_lower_input(b);
    case EEX_NODE_CONV:
    case EEX_NODE_LINEAR:
        return lower_conv(b, node, id);
    default:
        return eex__plan_lower_simple(b, node, id);
    }
}

static int lower_loss(eex_builder *b, int k, int teacher)
{
    const eex_plan_options *o = b->options;
    int node = eex_graph_exit(b->graph, k)->logits;
    int classes = eex_graph_classes(b->graph);
    bool last = k == eex_graph_exits(b->graph) - 1;
    bool taught = o->teacher || (teacher >= 0 && !last);
    int logits, dlogits = -1;
    EEX_TRY(eex__plan_value(b, &logits, node));
    if (o->weight[k] > 0 && b->learns[node]) {
        EEX_TRY(eex__plan_buffer(b, &dlogits, eex__plan_row(b, node), 0, false));
        b->grad[node] = dlogits;
    }
    eex_op *op;
    EEX_TRY(eex__plan_op(b, &op, EEX_OP_LOSS, eex_graph_node(b->graph, node)->name));
    op->u.loss = (eex_op_loss){.classes = classes,
                               .weight = o->weight[k],
                               .smoothing = o->smoothing,
                               .l1 = o->l1,
                               .distill = taught ? o->distill : 0,
                               .distill_t = o->distill_t,
                               .teacher = o->teacher,
                               .taught = o->teacher,
                               .binary = o->binary};
    EEX_TRY(eex__plan_point(b, &op->u.loss.logits, logits));
    EEX_TRY(eex__plan_point(b, &op->u.loss.labels, b->plan->labels));
    if (taught && !o->teacher)
        EEX_TRY(eex__plan_point(b, &op->u.loss.teacher, teacher));
    if (dlogits >= 0)
        EEX_TRY(eex__plan_point(b, &op->u.loss.dlogits, dlogits));
    b->plan->loss_op[k] = b->plan->op_count - 1;
    size_t at = 2 * sizeof(double) * (size_t)k;
    return eex__plan_point_at(b, &op->u.loss.totals, b->plan->totals, at);
}

static int lower_forward(eex_builder *b)
{
    EEX_TRY(b->binding->begin(b->binding, b));
    for (int i = 0; i < eex_graph_nodes(b->graph); i++)
        if (b->needed[i] && !eex__plan_absorbed(b, i))
            EEX_TRY(lower_node(b, i));
    return EEX_OK;
}

int eex__plan_lower_statistics(eex_builder *b)
{
    bool wanted[EEX_MAX_EXITS];
    for (int k = 0; k < eex_graph_exits(b->graph); k++)
        wanted[k] = true;
    EEX_TRY(eex__plan_mark(b, wanted));
    fuse_batch_norms(b);
    return lower_forward(b);
}

/* Whether the last exit teaches the others. */
static bool teaches(const eex_plan_options *o)
{
    return o->distill > 0 && !o->teacher;
}

int eex__plan_lower_train(eex_builder *b)
{
    int exits = eex_graph_exits(b->graph), teacher = -1;
    bool wanted[EEX_MAX_EXITS];
    for (int k = 0; k < exits; k++)
        wanted[k] = b->options->weight[k] > 0 || (teaches(b->options) && k == exits - 1);
    EEX_TRY(eex__plan_mark(b, wanted));
    mark_learning(b);
    fuse_batch_norms(b);
    EEX_TRY(eex__plan_buffer(b, &b->plan->labels, sizeof(int32_t), 0, true));
    EEX_TRY(eex__plan_buffer(b, &b->plan->totals, 0, 2 * sizeof(double) * EEX_MAX_EXITS, true));
    EEX_TRY(lower_forward(b));
    if (teaches(b->options))
        EEX_TRY(eex__plan_value(b, &teacher, eex_graph_exit(b->graph, exits - 1)->logits));
    for (int k = 0; k < exits; k++)
        if (wanted[k])
            EEX_TRY(lower_loss(b, k, teacher));
    if (b->options->keep_logits)
        b->plan->buffers[b->plan->value[eex_graph_exit(b->graph, exits - 1)->logits]].pinned = true;
    return EEX_OK;
}
