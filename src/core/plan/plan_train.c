/* Lowering for training, forward half: every value that the backward half reads again is kept. */
#include "core/plan/plan_impl.h"

#include "base/status.h"

/* A gradient must reach a value when something that learns lies in front of it. */
static void mark_learning(eex_plan *p)
{
    for (int i = 0; i < eex_graph_nodes(p->graph); i++) {
        const eex_node *n = eex_graph_node(p->graph, i);
        p->learns[i] = n->params > 0 && eex__plan_trains_node(p, n);
        for (int j = 0; j < 2; j++)
            if (n->inputs[j] >= 0 && p->learns[n->inputs[j]])
                p->learns[i] = true;
    }
}

static void fuse_batch_norms(eex_plan *p)
{
    for (int i = 0; i < eex_graph_nodes(p->graph); i++) {
        const eex_node *node = eex_graph_node(p->graph, i);
        bool input = eex__plan_takes(p, node);
        if (!p->needed[i] || input || node->kind != EEX_NODE_BATCH_NORM)
            continue;
        eex_chain chain = eex__plan_chain(p, i);
        eex__plan_fuse(p, i, &chain);
    }
}

static int lower_conv(eex_plan *p, const eex_node *node, int id)
{
    int x, y;
    EEX_TRY(eex__plan_value(p, &x, node->inputs[0]));
    EEX_TRY(eex__plan_value(p, &y, id));
    int bn = eex__plan_sole_consumer(p, id, EEX_NODE_BATCH_NORM);
    int stats = -1;
    if (bn >= 0 && p->device->conv_stats && eex__plan_trains_node(p, eex_graph_node(p->graph, bn)))
        EEX_TRY(eex__plan_buffer(p, &stats, 0, 2 * sizeof(double) * (size_t)node->c, false));
    eex_op *op;
    EEX_TRY(eex__plan_op(p, &op, EEX_OP_CONV, node->name, 0));
    op->u.conv.window = node->window;
    EEX_TRY(eex__plan_weights(p, &op->u.conv.w, node));
    if (node->bias)
        op->u.conv.bias = eex_params_at(p->params, node->first_param + 1);
    EEX_TRY(eex__plan_point(p, &op->u.conv.x, x));
    EEX_TRY(eex__plan_point(p, &op->u.conv.y, y));
    if (stats >= 0) {
        EEX_TRY(eex__plan_point(p, &op->u.conv.stats, stats));
        p->stats[bn] = stats;
    }
    return EEX_OK;
}

static int lower_batch_norm(eex_plan *p, int id)
{
    const eex_node *node = eex_graph_node(p->graph, id);
    const eex_chain *chain = &p->chain[id];
    bool batch_stats = eex__plan_trains_node(p, node);
    int x, y, residual = -1, stats = p->stats[id], saved = -1;
    EEX_TRY(eex__plan_value(p, &x, node->inputs[0]));
    if (chain->residual >= 0)
        EEX_TRY(eex__plan_value(p, &residual, chain->residual));
    EEX_TRY(eex__plan_value(p, &y, chain->end));
    if (batch_stats) {
        EEX_TRY(eex__plan_buffer(p, &saved, 0, 2 * sizeof(float) * (size_t)node->c, true));
        p->saved[id] = saved;
    }
    eex_op *op;
    EEX_TRY(eex__plan_op(p, &op, batch_stats ? EEX_OP_BN_TRAIN : EEX_OP_BN_EVAL, node->name, 0));
    eex_op_bn *bn = &op->u.bn;
    *bn = (eex_op_bn){.c = node->c,
                      .hw = node->h * node->w,
                      .gamma = eex_params_at(p->params, node->first_param),
                      .beta = eex_params_at(p->params, node->first_param + 1),
                      .running_mean = eex_params_at(p->params, node->first_param + 2),
                      .running_var = eex_params_at(p->params, node->first_param + 3),
                      .momentum = node->bn_momentum,
                      .eps = node->bn_eps,
                      .act = chain->act};
    EEX_TRY(eex__plan_point(p, &bn->x, x));
    EEX_TRY(eex__plan_point(p, &bn->y, y));
    if (residual >= 0)
        EEX_TRY(eex__plan_point(p, &bn->residual, residual));
    if (stats >= 0)
        EEX_TRY(eex__plan_point(p, &bn->stats, stats));
    if (saved >= 0) {
        EEX_TRY(eex__plan_point(p, &bn->save_mean, saved));
        EEX_TRY(eex__plan_point_at(p, &bn->save_invstd, saved, sizeof(float) * (size_t)node->c));
    }
    return EEX_OK;
}

/* A value that comes from outside stays put for the whole plan. */
static int lower_cached(eex_plan *p, int id)
{
    int buffer;
    EEX_TRY(eex__plan_value(p, &buffer, id));
    p->buffers[buffer].pinned = true;
    return EEX_OK;
}

static int lower_node(eex_plan *p, int id)
{
    const eex_node *node = eex_graph_node(p->graph, id);
    if (eex__plan_takes(p, node))
        return lower_cached(p, id);
    int start = p->start[id];
    if (eex_graph_node(p->graph, start)->kind == EEX_NODE_BATCH_NORM)
        return lower_batch_norm(p, start);
    switch (node->kind) {
    case EEX_NODE_INPUT:
        return eex__plan_lower_input(p);
    case EEX_NODE_CONV:
    case EEX_NODE_LINEAR:
        return lower_conv(p, node, id);
    default:
        return eex__plan_lower_simple(p, node, id, 0);
    }
}

static int lower_loss(eex_plan *p, int k, int teacher)
{
    const eex_plan_options *o = &p->options;
    int node = eex_graph_exit(p->graph, k)->logits;
    int classes = eex_graph_classes(p->graph);
    bool last = k == eex_graph_exits(p->graph) - 1;
    bool taught = teacher >= 0 && !last;
    int logits, dlogits = -1;
    EEX_TRY(eex__plan_value(p, &logits, node));
    if (o->weight[k] > 0 && p->learns[node]) {
        EEX_TRY(eex__plan_buffer(p, &dlogits, eex__plan_row(p, node), 0, false));
        p->grad[node] = dlogits;
    }
    eex_op *op;
    EEX_TRY(eex__plan_op(p, &op, EEX_OP_LOSS, eex_graph_node(p->graph, node)->name, 0));
    op->u.loss = (eex_op_loss){.classes = classes,
                               .weight = o->weight[k],
                               .smoothing = o->smoothing,
                               .l1 = o->l1,
                               .distill = taught ? o->distill : 0,
                               .distill_t = o->distill_t};
    EEX_TRY(eex__plan_point(p, &op->u.loss.logits, logits));
    EEX_TRY(eex__plan_point(p, &op->u.loss.labels, p->labels));
    if (taught)
        EEX_TRY(eex__plan_point(p, &op->u.loss.teacher, teacher));
    if (dlogits >= 0)
        EEX_TRY(eex__plan_point(p, &op->u.loss.dlogits, dlogits));
    p->loss_op[k] = p->op_count - 1;
    size_t at = 2 * sizeof(double) * (size_t)k;
    return eex__plan_point_at(p, &op->u.loss.totals, p->totals, at);
}

/* The weights as convolutions of a bfloat16 plan read them: cast once a step, all in one launch. */
static int lower_shadow(eex_plan *p)
{
    eex_op *op;
    if (p->options.precision != EEX_BF16)
        return EEX_OK;
    size_t bytes = p->params->count * eex_precision_bytes(EEX_BF16);
    EEX_TRY(eex__plan_buffer(p, &p->shadow, 0, bytes, true));
    EEX_TRY(eex__plan_op(p, &op, EEX_OP_CAST, "weights", 0));
    op->u.fill = (eex_op_fill){.count = p->params->count, .from = p->params->w};
    return eex__plan_point(p, &op->u.fill.to, p->shadow);
}

int eex__plan_lower_train(eex_plan *p)
{
    int exits = eex_graph_exits(p->graph), teacher = -1;
    bool wanted[EEX_MAX_EXITS];
    for (int k = 0; k < exits; k++)
        wanted[k] = p->options.weight[k] > 0 || (p->options.distill > 0 && k == exits - 1);
    EEX_TRY(eex__plan_mark(p, wanted));
    mark_learning(p);
    fuse_batch_norms(p);
    EEX_TRY(eex__plan_buffer(p, &p->labels, sizeof(int32_t), 0, true));
    EEX_TRY(eex__plan_buffer(p, &p->totals, 0, 2 * sizeof(double) * EEX_MAX_EXITS, true));
    EEX_TRY(lower_shadow(p));
    for (int i = 0; i < eex_graph_nodes(p->graph); i++)
        if (p->needed[i] && !eex__plan_absorbed(p, i))
            EEX_TRY(lower_node(p, i));
    if (p->options.distill > 0)
        EEX_TRY(eex__plan_value(p, &teacher, eex_graph_exit(p->graph, exits - 1)->logits));
    for (int k = 0; k < exits; k++)
        if (wanted[k])
            EEX_TRY(lower_loss(p, k, teacher));
    return EEX_OK;
}
