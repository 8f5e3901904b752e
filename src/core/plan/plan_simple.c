/* Lowering of what plans of every mode lower alike: the input, acts, adds, scales, pools, dropout.
 */
#include "core/plan/builder_impl.h"

#include "base/status.h"

/* To the size that the network reads. */
static int lower_resize(eex_builder *b, int x, int height, int width)
{
    const eex_node *node = eex_graph_node(b->graph, 0);
    int y;
    EEX_TRY(eex__plan_value(b, &y, 0));
    eex_op *op;
    EEX_TRY(eex__plan_op(b, &op, EEX_OP_RESIZE, node->name));
    op->u.resize = (eex_op_resize){
        .c = node->c, .hin = height, .win = width, .hout = node->h, .wout = node->w};
    EEX_TRY(eex__plan_point(b, &op->u.resize.x, x));
    return eex__plan_point(b, &op->u.resize.y, y);
}

static int lower_augment(eex_builder *b, int y, int height, int width)
{
    const eex_node *node = eex_graph_node(b->graph, 0);
    eex_op *op;
    EEX_TRY(eex__plan_op(b, &op, EEX_OP_AUGMENT, node->name));
    op->u.augment =
        (eex_op_augment){.c = node->c, .h = height, .w = width, .augment = b->options->augment};
    op->u.augment.augment.enabled = eex__plan_trains(b) && b->options->augment.enabled;
    EEX_TRY(eex__plan_point(b, &op->u.augment.images, b->plan->images));
    EEX_TRY(eex__plan_point(b, &op->u.augment.sample, b->plan->sample));
    return eex__plan_point(b, &op->u.augment.y, y);
}

int eex__plan_lower_input(eex_builder *b)
{
    const eex_node *node = eex_graph_node(b->graph, 0);
    const eex_augment *as = &b->options->augment;
    const int height = as->height ? as->height : node->h, width = as->width ? as->width : node->w;
    const size_t image = (size_t)height * (size_t)width * (size_t)node->c;
    const bool resizes = height != node->h || width != node->w;
    int y;
    EEX_TRY(eex__plan_buffer(b, &b->plan->images, image, 0, true));
    EEX_TRY(eex__plan_buffer(b, &b->plan->sample, sizeof(uint32_t), 0, true));
    if (!resizes)
        EEX_TRY(eex__plan_value(b, &y, 0));
    else
        EEX_TRY(
            eex__plan_buffer(b, &y, image * eex_precision_bytes(b->options->precision), 0, false));
    EEX_TRY(lower_augment(b, y, height, width));
    return resizes ? lower_resize(b, y, height, width) : EEX_OK;
}

static int lower_pool(eex_builder *b, const eex_node *node, int id)
{
    eex_op_kind kind = node->kind == EEX_NODE_MAX_POOL ? EEX_OP_MAX_POOL : EEX_OP_GLOBAL_POOL;
    const eex_node *in = eex_graph_node(b->graph, node->inputs[0]);
    int x, y;
    EEX_TRY(eex__plan_value(b, &x, node->inputs[0]));
    EEX_TRY(eex__plan_value(b, &y, id));
    eex_op *op;
    EEX_TRY(eex__plan_op(b, &op, kind, node->name));
    op->u.pool.window = node->window;
    if (kind == EEX_OP_GLOBAL_POOL)
        op->u.pool.window = (eex_window){
            .cin = in->c, .hin = in->h, .win = in->w, .cout = in->c, .hout = 1, .wout = 1};
    EEX_TRY(eex__plan_point(b, &op->u.pool.x, x));
    return eex__plan_point(b, &op->u.pool.y, y);
}

static int lower_pointwise(eex_builder *b, const eex_node *node, int id)
{
    eex_op_kind kind = node->kind == EEX_NODE_ACT   ? EEX_OP_ACT
                       : node->kind == EEX_NODE_ADD ? EEX_OP_ADD
                                                    : EEX_OP_DROPOUT;
    int x, x2 = -1, y;
    EEX_TRY(eex__plan_value(b, &x, node->inputs[0]));
    if (kind == EEX_OP_ADD)
        EEX_TRY(eex__plan_value(b, &x2, node->inputs[1]));
    EEX_TRY(eex__plan_value(b, &y, id));
    eex_op *op;
    EEX_TRY(eex__plan_op(b, &op, kind, node->name));
    op->u.pointwise = (eex_op_pointwise){.size = node->h * node->w * node->c,
                                         .act = node->act,
                                         .p = node->dropout,
                                         .salt = (uint64_t)id};
    EEX_TRY(eex__plan_point(b, &op->u.pointwise.x, x));
    if (x2 >= 0)
        EEX_TRY(eex__plan_point(b, &op->u.pointwise.x2, x2));
    return eex__plan_point(b, &op->u.pointwise.y, y);
}

static int lower_scale(eex_builder *b, const eex_node *node, int id)
{
    int x, s, y;
    EEX_TRY(eex__plan_value(b, &x, node->inputs[0]));
    EEX_TRY(eex__plan_value(b, &s, node->inputs[1]));
    EEX_TRY(eex__plan_value(b, &y, id));
    eex_op *op;
    EEX_TRY(eex__plan_op(b, &op, EEX_OP_SCALE, node->name));
    op->u.scale = (eex_op_scale){.c = node->c, .hw = node->h * node->w};
    EEX_TRY(eex__plan_point(b, &op->u.scale.x, x));
    EEX_TRY(eex__plan_point(b, &op->u.scale.s, s));
    return eex__plan_point(b, &op->u.scale.y, y);
}

/* One op an operand, each to its channels of the result. */
static int lower_concat(eex_builder *b, const eex_node *node, int id)
{
    int first = 0, y;
    EEX_TRY(eex__plan_value(b, &y, id));
    for (int j = 0; j < 2; j++) {
        const int c = eex_graph_node(b->graph, node->inputs[j])->c;
        int x;
        EEX_TRY(eex__plan_value(b, &x, node->inputs[j]));
        eex_op *op;
        EEX_TRY(eex__plan_op(b, &op, EEX_OP_COLUMNS, node->name));
        op->u.columns = (eex_op_columns){
            .hw = node->h * node->w, .x_c = c, .y_c = node->c, .y_first = first, .count = c};
        EEX_TRY(eex__plan_point(b, &op->u.columns.x, x));
        EEX_TRY(eex__plan_point(b, &op->u.columns.y, y));
        first += c;
    }
    return EEX_OK;
}

static int lower_depth_to_space(eex_builder *b, const eex_node *node, int id)
{
    int x, y;
    EEX_TRY(eex__plan_value(b, &x, node->inputs[0]));
    EEX_TRY(eex__plan_value(b, &y, id));
    eex_op *op;
    EEX_TRY(eex__plan_op(b, &op, EEX_OP_DEPTH_TO_SPACE, node->name));
    op->u.depth_to_space =
        (eex_op_depth_to_space){.h = node->h / 2, .w = node->w / 2, .c = node->c};
    EEX_TRY(eex__plan_point(b, &op->u.depth_to_space.x, x));
    return eex__plan_point(b, &op->u.depth_to_space.y, y);
}

static int lower_quantise(eex_builder *b, const eex_node *node, int id)
{
    eex_place at[EEX__NODE_PARAMS];
    int x, y;
    EEX_TRY(eex__plan_value(b, &x, node->inputs[0]));
    EEX_TRY(eex__plan_value(b, &y, id));
    EEX_TRY(eex__bind_values(b, at, node));
    eex_op *op;
    EEX_TRY(eex__plan_op(b, &op, EEX_OP_QUANTISE, node->name));
    op->u.quantise = (eex_op_quantise){.size = node->h * node->w * node->c, .bits = node->bits};
    EEX_TRY(eex__bind_point(b, &op->u.quantise.range, &at[0]));
    EEX_TRY(eex__plan_point(b, &op->u.quantise.x, x));
    return eex__plan_point(b, &op->u.quantise.y, y);
}

/* The statistics of the batch: where they are kept for the backward half, and where the convolution
 * in front has left its sums. */
static int point_batch_stats(eex_builder *b, eex_op_bn *bn, int id)
{
    EEX_TRY(eex__plan_point(b, &bn->save_mean, b->saved[id]));
    EEX_TRY(eex__plan_point_at(b, &bn->save_invstd, b->saved[id], sizeof(float) * (size_t)bn->c));
    return b->stats[id] >= 0 ? eex__plan_point(b, &bn->stats, b->stats[id]) : EEX_OK;
}

int eex__plan_lower_bn(eex_builder *b, int id)
{
    const eex_node *node = eex_graph_node(b->graph, id);
    const eex_chain *chain = &b->chain[id];
    bool batch_stats = eex__plan_trains_node(b, node);
    eex_place at[EEX__NODE_PARAMS];
    int x, y, residual = -1;
    EEX_TRY(eex__plan_value(b, &x, node->inputs[0]));
    if (chain->residual >= 0)
        EEX_TRY(eex__plan_value(b, &residual, chain->residual));
    EEX_TRY(eex__plan_value(b, &y, chain->end));
    if (batch_stats)
        EEX_TRY(eex__plan_buffer(b, &b->saved[id], 0, 2 * sizeof(float) * (size_t)node->c, true));
    EEX_TRY(eex__bind_values(b, at, node));
    eex_op *op;
    EEX_TRY(eex__plan_op(b, &op, batch_stats ? EEX_OP_BN_TRAIN : EEX_OP_BN_EVAL, node->name));
    eex_op_bn *bn = &op->u.bn;
    *bn = (eex_op_bn){.c = node->c,
                      .hw = node->h * node->w,
                      .momentum = b->options->mode == EEX_PLAN_STATISTICS ? 1 : node->bn_momentum,
                      .eps = node->bn_eps,
                      .act = chain->act};
    EEX_TRY(eex__bind_point(b, &bn->gamma, &at[0]));
    EEX_TRY(eex__bind_point(b, &bn->beta, &at[1]));
    EEX_TRY(eex__bind_point(b, &bn->running_mean, &at[2]));
    EEX_TRY(eex__bind_point(b, &bn->running_var, &at[3]));
    EEX_TRY(eex__plan_point(b, &bn->x, x));
    EEX_TRY(eex__plan_point(b, &bn->y, y));
    if (residual >= 0)
        EEX_TRY(eex__plan_point(b, &bn->residual, residual));
    if (!batch_stats)
        return EEX_OK;
    EEX_TRY(point_batch_stats(b, bn, id));
    return eex__bind_wrote_statistics(b, node);
}

int eex__plan_lower_simple(eex_builder *b, const eex_node *node, int id)
{
    switch (node->kind) {
    case EEX_NODE_MAX_POOL:
    case EEX_NODE_GLOBAL_POOL:
        return lower_pool(b, node, id);
    case EEX_NODE_DROPOUT:
        if (eex__plan_trains(b) && b->learns[id] && eex__plan_drops(b, node))
            return lower_pointwise(b, node, id);
        return eex__plan_value(b, &b->plan->value[id], node->inputs[0]);
    case EEX_NODE_FLATTEN:
        return eex__plan_value(b, &b->plan->value[id], node->inputs[0]);
    case EEX_NODE_ACT:
    case EEX_NODE_ADD:
        return lower_pointwise(b, node, id);
    case EEX_NODE_SCALE:
        return lower_scale(b, node, id);
    case EEX_NODE_CONCAT:
        return lower_concat(b, node, id);
    case EEX_NODE_DEPTH_TO_SPACE:
        return lower_depth_to_space(b, node, id);
    case EEX_NODE_QUANTISE:
        return lower_quantise(b, node, id);
    default:
        return eex_fail(EEX_EUNSUPPORTED, "plan: node %s of kind %d cannot be lowered", node->name,
                        (int)node->kind);
    }
}
