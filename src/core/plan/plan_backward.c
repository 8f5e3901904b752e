/* Lowering for training, backward half: nodes in reverse, one gradient buffer a value. The first
 * to reach a gradient writes it, later ones add to it. */
#include "core/plan/builder_impl.h"

#include "base/status.h"

/* Buffer of the gradient of a node's value; *written says whether something is in it already. */
static int gradient(eex_builder *b, int *buffer, bool *written, int node)
{
    *written = b->grad[node] >= 0;
    if (!*written) {
        EEX_TRY(eex__plan_buffer(b, &b->grad[node], eex__plan_row(b, node), 0, false));
    }
    *buffer = b->grad[node];
    return EEX_OK;
}

static int back_weights(eex_builder *b, const eex_node *node, int x, int dy)
{
    eex_place at[EEX__NODE_PARAMS];
    EEX_TRY(eex__bind_grads(b, at, node));
    eex_op *op;
    EEX_TRY(eex__plan_op(b, &op, EEX_OP_CONV_BWD_WEIGHTS, node->name));
    eex_op_conv_bwd_weights *c = &op->u.conv_bwd_weights;
    c->window = node->window;
    EEX_TRY(eex__bind_point(b, &c->dw, &at[0]));
    EEX_TRY(eex__bind_point(b, &c->dbias, &at[1]));
    EEX_TRY(eex__plan_point(b, &c->x, x));
    EEX_TRY(eex__plan_point(b, &c->dy, dy));
    return eex__bind_wrote_grads(b, node);
}

static int back_data(eex_builder *b, const eex_node *node, int dy)
{
    eex_place at[EEX__NODE_PARAMS];
    int dx;
    bool written;
    EEX_TRY(gradient(b, &dx, &written, node->inputs[0]));
    EEX_TRY(eex__bind_values(b, at, node));
    eex_op *op;
    EEX_TRY(eex__plan_op(b, &op, EEX_OP_CONV_BWD_DATA, node->name));
    eex_op_conv_bwd_data *c = &op->u.conv_bwd_data;
    c->window = node->window;
    c->accumulate = written;
    EEX_TRY(eex__bind_point(b, &c->w, &at[0]));
    EEX_TRY(eex__plan_point(b, &c->dy, dy));
    return eex__plan_point(b, &c->dx, dx);
}

static int back_conv(eex_builder *b, const eex_node *node, int id)
{
    int x, dy = b->grad[id];
    EEX_TRY(eex__plan_value(b, &x, node->inputs[0]));
    if (eex__plan_trains_node(b, node))
        EEX_TRY(back_weights(b, node, x, dy));
    return b->learns[node->inputs[0]] ? back_data(b, node, dy) : EEX_OK;
}

static int add_to(eex_builder *b, int from, int node, const char *name)
{
    int to;
    bool written;
    EEX_TRY(gradient(b, &to, &written, node));
    const eex_node *n = eex_graph_node(b->graph, node);
    eex_op *op;
    EEX_TRY(eex__plan_op(b, &op, EEX_OP_ACCUMULATE, name));
    op->u.pointwise = (eex_op_pointwise){.size = n->h * n->w * n->c, .accumulate = written};
    EEX_TRY(eex__plan_point(b, &op->u.pointwise.x, from));
    return eex__plan_point(b, &op->u.pointwise.y, to);
}

/* Hands the gradient `from`, which nobody reads after this, to a node: the buffer itself when the
 * node has none yet, which saves a copy. */
static int pass_on(eex_builder *b, int from, int node, const char *name)
{
    if (b->grad[node] >= 0)
        return add_to(b, from, node, name);
    b->grad[node] = from;
    return EEX_OK;
}

/* The gradient with respect to the residual is that of the chain's end, masked by the act. Without
 * an act it is the same buffer; the batch norm has read it by the time anybody adds to it. */
static int back_residual(eex_builder *b, eex_op_bn_bwd *bn, const eex_chain *chain)
{
    if (chain->residual < 0 || !b->learns[chain->residual] || chain->act == EEX_ACT_NONE)
        return EEX_OK;
    int buffer;
    bool written;
    EEX_TRY(gradient(b, &buffer, &written, chain->residual));
    bn->dresidual_accumulate = written;
    return eex__plan_point(b, &bn->dresidual, buffer);
}

/* `value`: gamma, beta, running mean and variance; `grad`: the gradients of the first two. */
static int back_bn_params(eex_builder *b, eex_op_bn_bwd *bn, int id, const eex_place *value,
                          const eex_place *grad)
{
    EEX_TRY(eex__bind_point(b, &bn->gamma, &value[0]));
    EEX_TRY(eex__bind_point(b, &bn->beta, &value[1]));
    EEX_TRY(eex__bind_point(b, &bn->running_mean, &value[2]));
    EEX_TRY(eex__bind_point(b, &bn->running_var, &value[3]));
    if (!bn->batch_stats)
        return EEX_OK;
    EEX_TRY(eex__bind_point(b, &bn->dgamma, &grad[0]));
    EEX_TRY(eex__bind_point(b, &bn->dbeta, &grad[1]));
    EEX_TRY(eex__plan_point(b, &bn->save_mean, b->saved[id]));
    return eex__plan_point_at(b, &bn->save_invstd, b->saved[id], sizeof(float) * (size_t)bn->c);
}

/* The op itself, from the gradient of the chain's end to that of the batch norm's input, dx. */
static int back_bn_op(eex_builder *b, int id, int dx)
{
    const eex_node *node = eex_graph_node(b->graph, id);
    const eex_chain *chain = &b->chain[id];
    eex_place value[EEX__NODE_PARAMS], grad[EEX__NODE_PARAMS];
    bool batch_stats = eex__plan_trains_node(b, node);
    int x, y;
    EEX_TRY(eex__plan_value(b, &x, node->inputs[0]));
    EEX_TRY(eex__plan_value(b, &y, chain->end));
    EEX_TRY(eex__bind_values(b, value, node));
    if (batch_stats)
        EEX_TRY(eex__bind_grads(b, grad, node));
    eex_op *op;
    EEX_TRY(eex__plan_op(b, &op, EEX_OP_BN_BWD, node->name));
    eex_op_bn_bwd *bn = &op->u.bn_bwd;
    *bn = (eex_op_bn_bwd){.c = node->c,
                          .hw = node->h * node->w,
                          .eps = node->bn_eps,
                          .batch_stats = batch_stats,
                          .act = chain->act,
                          .has_residual = chain->residual >= 0};
    EEX_TRY(back_bn_params(b, bn, id, value, grad));
    EEX_TRY(eex__plan_point(b, &bn->dy, b->grad[chain->end]));
    EEX_TRY(eex__plan_point(b, &bn->x, x));
    EEX_TRY(eex__plan_point(b, &bn->y, y));
    EEX_TRY(eex__plan_point(b, &bn->dx, dx));
    EEX_TRY(back_residual(b, bn, chain));
    return batch_stats ? eex__bind_wrote_grads(b, node) : EEX_OK;
}

static int back_batch_norm(eex_builder *b, int id)
{
    const eex_node *node = eex_graph_node(b->graph, id);
    const eex_chain *chain = &b->chain[id];
    int dy = b->grad[chain->end], dx;
    bool written;
    /* The convolution in front is read by this node alone, or its gradient is summed by hand. */
    bool sole = b->consumers[node->inputs[0]] == 1;
    if (sole)
        EEX_TRY(gradient(b, &dx, &written, node->inputs[0]));
    else
        EEX_TRY(eex__plan_buffer(b, &dx, eex__plan_row(b, node->inputs[0]), 0, false));
    EEX_TRY(back_bn_op(b, id, dx));
    if (!sole)
        EEX_TRY(pass_on(b, dx, node->inputs[0], node->name));
    if (chain->residual >= 0 && b->learns[chain->residual] && chain->act == EEX_ACT_NONE)
        return pass_on(b, dy, chain->residual, node->name);
    return EEX_OK;
}

static int back_pool(eex_builder *b, const eex_node *node, int id)
{
    bool max = node->kind == EEX_NODE_MAX_POOL, written;
    const eex_node *in = eex_graph_node(b->graph, node->inputs[0]);
    int x, y, dx;
    EEX_TRY(eex__plan_value(b, &x, node->inputs[0]));
    EEX_TRY(eex__plan_value(b, &y, id));
    EEX_TRY(gradient(b, &dx, &written, node->inputs[0]));
    eex_op *op;
    EEX_TRY(eex__plan_op(b, &op, max ? EEX_OP_MAX_POOL_BWD : EEX_OP_GLOBAL_POOL_BWD, node->name));
    op->u.pool.accumulate = written;
    op->u.pool.window =
        max ? node->window
            : (eex_window){
                  .cin = in->c, .hin = in->h, .win = in->w, .cout = in->c, .hout = 1, .wout = 1};
    if (max) {
        EEX_TRY(eex__plan_point(b, &op->u.pool.x, x));
        EEX_TRY(eex__plan_point(b, &op->u.pool.y, y));
    }
    EEX_TRY(eex__plan_point(b, &op->u.pool.dy, b->grad[id]));
    return eex__plan_point(b, &op->u.pool.dx, dx);
}

static int back_pointwise(eex_builder *b, const eex_node *node, int id)
{
    bool act = node->kind == EEX_NODE_ACT, written;
    int ref, dx;
    EEX_TRY(eex__plan_value(b, &ref, act && !eex_act_fuses(node->act) ? node->inputs[0] : id));
    EEX_TRY(gradient(b, &dx, &written, node->inputs[0]));
    eex_op *op;
    EEX_TRY(eex__plan_op(b, &op, act ? EEX_OP_ACT_BWD : EEX_OP_DROPOUT, node->name));
    op->u.pointwise = (eex_op_pointwise){.size = node->h * node->w * node->c,
                                         .act = node->act,
                                         .p = node->dropout,
                                         .salt = (uint64_t)id,
                                         .accumulate = written};
    EEX_TRY(eex__plan_point(b, &op->u.pointwise.x, b->grad[id]));
    if (act)
        EEX_TRY(eex__plan_point(b, &op->u.pointwise.ref, ref));
    return eex__plan_point(b, &op->u.pointwise.y, dx);
}

/* The first operand gets a copy (or a sum), the second may take over the buffer. */
static int back_add(eex_builder *b, const eex_node *node, int id)
{
    int first = node->inputs[0], second = node->inputs[1];
    if (b->learns[first])
        EEX_TRY(add_to(b, b->grad[id], first, node->name));
    return b->learns[second] ? pass_on(b, b->grad[id], second, node->name) : EEX_OK;
}

/* One op for both operands, which may be one value: dx comes before ds. */
static int back_scale(eex_builder *b, const eex_node *node, int id)
{
    const int in = node->inputs[0], by = node->inputs[1];
    int x, s, dx = -1, ds = -1;
    bool dx_written = false, ds_written = false;
    EEX_TRY(eex__plan_value(b, &x, in));
    EEX_TRY(eex__plan_value(b, &s, by));
    if (b->learns[in])
        EEX_TRY(gradient(b, &dx, &dx_written, in));
    if (b->learns[by])
        EEX_TRY(gradient(b, &ds, &ds_written, by));
    eex_op *op;
    EEX_TRY(eex__plan_op(b, &op, EEX_OP_SCALE_BWD, node->name));
    op->u.scale = (eex_op_scale){.c = node->c,
                                 .hw = node->h * node->w,
                                 .dx_accumulate = dx_written,
                                 .ds_accumulate = ds_written};
    EEX_TRY(eex__plan_point(b, &op->u.scale.x, x));
    EEX_TRY(eex__plan_point(b, &op->u.scale.s, s));
    EEX_TRY(eex__plan_point(b, &op->u.scale.dy, b->grad[id]));
    if (dx >= 0)
        EEX_TRY(eex__plan_point(b, &op->u.scale.dx, dx));
    return ds >= 0 ? eex__plan_point(b, &op->u.scale.ds, ds) : EEX_OK;
}

/* Each operand gets its channels of the gradient. */
static int back_concat(eex_builder *b, const eex_node *node, int id)
{
    for (int j = 0, first = 0; j < 2; j++) {
        const int in = node->inputs[j], c = eex_graph_node(b->graph, in)->c;
        int dx;
        bool written;
        if (b->learns[in]) {
            EEX_TRY(gradient(b, &dx, &written, in));
            eex_op *op;
            EEX_TRY(eex__plan_op(b, &op, EEX_OP_COLUMNS, node->name));
            op->u.columns = (eex_op_columns){.hw = node->h * node->w,
                                             .x_c = node->c,
                                             .y_c = c,
                                             .x_first = first,
                                             .count = c,
                                             .accumulate = written};
            EEX_TRY(eex__plan_point(b, &op->u.columns.x, b->grad[id]));
            EEX_TRY(eex__plan_point(b, &op->u.columns.y, dx));
        }
        first += c;
    }
    return EEX_OK;
}

static int back_depth_to_space(eex_builder *b, const eex_node *node, int id)
{
    int dx;
    bool written;
    EEX_TRY(gradient(b, &dx, &written, node->inputs[0]));
    eex_op *op;
    EEX_TRY(eex__plan_op(b, &op, EEX_OP_DEPTH_TO_SPACE, node->name));
    op->u.depth_to_space = (eex_op_depth_to_space){
        .h = node->h / 2, .w = node->w / 2, .c = node->c, .back = true, .accumulate = written};
    EEX_TRY(eex__plan_point(b, &op->u.depth_to_space.x, b->grad[id]));
    return eex__plan_point(b, &op->u.depth_to_space.y, dx);
}

_Static_assert(EEX_NODE_KINDS == 14, "a new kind of node needs its gradient here");

static int back_node(eex_builder *b, int id)
{
    const eex_node *node = eex_graph_node(b->graph, id);
    int start = b->start[id];
    if (eex_graph_node(b->graph, start)->kind == EEX_NODE_BATCH_NORM)
        return back_batch_norm(b, start);
    switch (node->kind) {
    case EEX_NODE_CONV:
    case EEX_NODE_LINEAR:
        return back_conv(b, node, id);
    case EEX_NODE_MAX_POOL:
    case EEX_NODE_GLOBAL_POOL:
        return b->learns[node->inputs[0]] ? back_pool(b, node, id) : EEX_OK;
    case EEX_NODE_ACT:
        return b->learns[node->inputs[0]] ? back_pointwise(b, node, id) : EEX_OK;
    case EEX_NODE_DROPOUT:
        if (eex__plan_drops(b, node) && b->learns[node->inputs[0]])
            return back_pointwise(b, node, id);
        return b->learns[node->inputs[0]] ? pass_on(b, b->grad[id], node->inputs[0], node->name)
                                          : EEX_OK;
    case EEX_NODE_FLATTEN:
    case EEX_NODE_QUANTISE: /* its levels are steps: straight through */
        return b->learns[node->inputs[0]] ? pass_on(b, b->grad[id], node->inputs[0], node->name)
                                          : EEX_OK;
    case EEX_NODE_ADD:
        return back_add(b, node, id);
    case EEX_NODE_SCALE:
        return back_scale(b, node, id);
    case EEX_NODE_CONCAT:
        return back_concat(b, node, id);
    case EEX_NODE_DEPTH_TO_SPACE:
        return b->learns[node->inputs[0]] ? back_depth_to_space(b, node, id) : EEX_OK;
    default:
        return EEX_OK;
    }
}

int eex__plan_lower_backward(eex_builder *b)
{
    for (int i = eex_graph_nodes(b->graph) - 1; i > 0; i--) {
        if (!b->needed[i] || eex__plan_absorbed(b, i) || b->grad[i] < 0 || !b->learns[i])
            continue;
        EEX_TRY(back_node(b, i));
    }
    return EEX_OK;
}
