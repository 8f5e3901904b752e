/* Lowering of what plans of every mode lower alike: the input, acts, adds, pools, dropout. */
#include "core/plan/plan_impl.h"

#include "base/status.h"

int eex__plan_lower_input(eex_plan *p)
{
    const eex_node *node = eex_graph_node(p->graph, 0);
    size_t image = (size_t)node->h * (size_t)node->w * (size_t)node->c;
    int y;
    EEX_TRY(eex__plan_buffer(p, &p->images, image, 0, true));
    EEX_TRY(eex__plan_buffer(p, &p->sample, sizeof(uint32_t), 0, true));
    EEX_TRY(eex__plan_value(p, &y, 0));
    eex_op *op;
    EEX_TRY(eex__plan_op(p, &op, EEX_OP_AUGMENT, node->name, 0));
    op->u.augment =
        (eex_op_augment){.c = node->c, .h = node->h, .w = node->w, .augment = p->options.augment};
    op->u.augment.augment.enabled = eex__plan_trains(p) && p->options.augment.enabled;
    EEX_TRY(eex__plan_point(p, &op->u.augment.images, p->images));
    EEX_TRY(eex__plan_point(p, &op->u.augment.sample, p->sample));
    return eex__plan_point(p, &op->u.augment.y, y);
}

static int lower_pool(eex_plan *p, const eex_node *node, int id, int segment)
{
    eex_op_kind kind = node->kind == EEX_NODE_MAX_POOL ? EEX_OP_MAX_POOL : EEX_OP_GLOBAL_POOL;
    const eex_node *in = eex_graph_node(p->graph, node->inputs[0]);
    int x, y;
    EEX_TRY(eex__plan_value(p, &x, node->inputs[0]));
    EEX_TRY(eex__plan_value(p, &y, id));
    eex_op *op;
    EEX_TRY(eex__plan_op(p, &op, kind, node->name, segment));
    op->u.pool.window = node->window;
    if (kind == EEX_OP_GLOBAL_POOL)
        op->u.pool.window = (eex_window){
            .cin = in->c, .hin = in->h, .win = in->w, .cout = in->c, .hout = 1, .wout = 1};
    EEX_TRY(eex__plan_point(p, &op->u.pool.x, x));
    return eex__plan_point(p, &op->u.pool.y, y);
}

static int lower_pointwise(eex_plan *p, const eex_node *node, int id, int segment)
{
    eex_op_kind kind = node->kind == EEX_NODE_ACT   ? EEX_OP_ACT
                       : node->kind == EEX_NODE_ADD ? EEX_OP_ADD
                                                    : EEX_OP_DROPOUT;
    int x, x2 = -1, y;
    EEX_TRY(eex__plan_value(p, &x, node->inputs[0]));
    if (kind == EEX_OP_ADD)
        EEX_TRY(eex__plan_value(p, &x2, node->inputs[1]));
    EEX_TRY(eex__plan_value(p, &y, id));
    eex_op *op;
    EEX_TRY(eex__plan_op(p, &op, kind, node->name, segment));
    op->u.pointwise = (eex_op_pointwise){.size = node->h * node->w * node->c,
                                         .act = node->act,
                                         .p = node->dropout,
                                         .salt = (uint64_t)id};
    EEX_TRY(eex__plan_point(p, &op->u.pointwise.x, x));
    if (x2 >= 0)
        EEX_TRY(eex__plan_point(p, &op->u.pointwise.x2, x2));
    return eex__plan_point(p, &op->u.pointwise.y, y);
}

int eex__plan_lower_simple(eex_plan *p, const eex_node *node, int id, int segment)
{
    switch (node->kind) {
    case EEX_NODE_MAX_POOL:
    case EEX_NODE_GLOBAL_POOL:
        return lower_pool(p, node, id, segment);
    case EEX_NODE_DROPOUT:
        if (eex__plan_trains(p) && p->learns[id] && node->dropout > 0)
            return lower_pointwise(p, node, id, segment);
        return eex__plan_value(p, &p->value[id], node->inputs[0]);
    case EEX_NODE_FLATTEN:
        return eex__plan_value(p, &p->value[id], node->inputs[0]);
    case EEX_NODE_ACT:
    case EEX_NODE_ADD:
        return lower_pointwise(p, node, id, segment);
    default:
        return eex_fail(EEX_EUNSUPPORTED, "plan: node %s of kind %d cannot be lowered", node->name,
                        (int)node->kind);
    }
}
