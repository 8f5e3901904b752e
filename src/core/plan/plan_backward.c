/* Lowering for training, backward half: nodes in reverse, one gradient buffer a value. The first
 * to reach a gradient writes it, later ones add to it. */
#include "core/plan/plan_impl.h"

#include "base/status.h"

/* Buffer of the gradient of a node's value; *written says whether something is in it already. */
static int gradient(eex_plan *p, int *buffer, bool *written, int node)
{
    *written = p->grad[node] >= 0;
    if (!*written) {
        EEX_TRY(eex__plan_buffer(p, &p->grad[node], eex__plan_row(p, node), 0, false));
    }
    *buffer = p->grad[node];
    return EEX_OK;
}

static float *weight_gradient(const eex_plan *p, int param)
{
    return p->options.state->g + p->params->offset[param];
}

static int back_weights(eex_plan *p, const eex_node *node, int x, int dy)
{
    eex_op *op;
    EEX_TRY(eex__plan_op(p, &op, EEX_OP_CONV_BWD_WEIGHTS, node->name, 0));
    eex_op_conv_bwd_weights *c = &op->u.conv_bwd_weights;
    c->window = node->window;
    c->dw = weight_gradient(p, node->first_param);
    c->dbias = node->bias ? weight_gradient(p, node->first_param + 1) : NULL;
    EEX_TRY(eex__plan_point(p, &c->x, x));
    return eex__plan_point(p, &c->dy, dy);
}

static int back_conv(eex_plan *p, const eex_node *node, int id)
{
    int x, dy = p->grad[id], dx;
    bool written;
    EEX_TRY(eex__plan_value(p, &x, node->inputs[0]));
    if (eex__plan_trains_node(p, node))
        EEX_TRY(back_weights(p, node, x, dy));
    if (!p->learns[node->inputs[0]])
        return EEX_OK;
    EEX_TRY(gradient(p, &dx, &written, node->inputs[0]));
    eex_op *op;
    EEX_TRY(eex__plan_op(p, &op, EEX_OP_CONV_BWD_DATA, node->name, 0));
    eex_op_conv_bwd_data *c = &op->u.conv_bwd_data;
    c->window = node->window;
    c->accumulate = written;
    EEX_TRY(eex__plan_weights(p, &c->w, node));
    EEX_TRY(eex__plan_point(p, &c->dy, dy));
    return eex__plan_point(p, &c->dx, dx);
}

static int add_to(eex_plan *p, int from, int node, const char *name)
{
    int to;
    bool written;
    EEX_TRY(gradient(p, &to, &written, node));
    const eex_node *n = eex_graph_node(p->graph, node);
    eex_op *op;
    EEX_TRY(eex__plan_op(p, &op, EEX_OP_ACCUMULATE, name, 0));
    op->u.pointwise = (eex_op_pointwise){.size = n->h * n->w * n->c, .accumulate = written};
    EEX_TRY(eex__plan_point(p, &op->u.pointwise.x, from));
    return eex__plan_point(p, &op->u.pointwise.y, to);
}

/* Hands the gradient `from`, which nobody reads after this, to a node: the buffer itself when the
 * node has none yet, which saves a copy. */
static int pass_on(eex_plan *p, int from, int node, const char *name)
{
    if (p->grad[node] >= 0)
        return add_to(p, from, node, name);
    p->grad[node] = from;
    return EEX_OK;
}

/* The gradient with respect to the residual is that of the chain's end, masked by the act. Without
 * an act it is the same buffer; the batch norm has read it by the time anybody adds to it. */
static int back_residual(eex_plan *p, eex_op_bn_bwd *bn, const eex_chain *chain)
{
    if (chain->residual < 0 || !p->learns[chain->residual] || chain->act == EEX_ACT_NONE)
        return EEX_OK;
    int buffer;
    bool written;
    EEX_TRY(gradient(p, &buffer, &written, chain->residual));
    bn->dresidual_accumulate = written;
    return eex__plan_point(p, &bn->dresidual, buffer);
}

static void back_bn_params(const eex_plan *p, eex_op_bn_bwd *bn, const eex_node *node)
{
    int first = node->first_param;
    bn->gamma = eex_params_at(p->params, first);
    bn->beta = eex_params_at(p->params, first + 1);
    bn->running_mean = eex_params_at(p->params, first + 2);
    bn->running_var = eex_params_at(p->params, first + 3);
    bn->batch_stats = eex__plan_trains_node(p, node);
    if (bn->batch_stats) {
        bn->dgamma = weight_gradient(p, first);
        bn->dbeta = weight_gradient(p, first + 1);
    }
}

static int back_batch_norm(eex_plan *p, int id)
{
    const eex_node *node = eex_graph_node(p->graph, id);
    const eex_chain *chain = &p->chain[id];
    int x, y, dy = p->grad[chain->end], dx;
    bool written;
    EEX_TRY(eex__plan_value(p, &x, node->inputs[0]));
    EEX_TRY(eex__plan_value(p, &y, chain->end));
    /* The convolution in front is read by this node alone, or its gradient is summed by hand. */
    bool sole = p->consumers[node->inputs[0]] == 1;
    if (sole)
        EEX_TRY(gradient(p, &dx, &written, node->inputs[0]));
    else
        EEX_TRY(eex__plan_buffer(p, &dx, eex__plan_row(p, node->inputs[0]), 0, false));
    eex_op *op;
    EEX_TRY(eex__plan_op(p, &op, EEX_OP_BN_BWD, node->name, 0));
    eex_op_bn_bwd *bn = &op->u.bn_bwd;
    *bn = (eex_op_bn_bwd){.c = node->c,
                          .hw = node->h * node->w,
                          .eps = node->bn_eps,
                          .act = chain->act,
                          .has_residual = chain->residual >= 0};
    back_bn_params(p, bn, node);
    EEX_TRY(eex__plan_point(p, &bn->dy, dy));
    EEX_TRY(eex__plan_point(p, &bn->x, x));
    EEX_TRY(eex__plan_point(p, &bn->y, y));
    EEX_TRY(eex__plan_point(p, &bn->dx, dx));
    if (bn->batch_stats) {
        size_t mean = sizeof(float) * (size_t)node->c;
        EEX_TRY(eex__plan_point(p, &bn->save_mean, p->saved[id]));
        EEX_TRY(eex__plan_point_at(p, &bn->save_invstd, p->saved[id], mean));
    }
    EEX_TRY(back_residual(p, bn, chain));
    if (!sole)
        EEX_TRY(pass_on(p, dx, node->inputs[0], node->name));
    if (chain->residual >= 0 && p->learns[chain->residual] && chain->act == EEX_ACT_NONE)
        return pass_on(p, dy, chain->residual, node->name);
    return EEX_OK;
}

static int back_pool(eex_plan *p, const eex_node *node, int id)
{
    bool max = node->kind == EEX_NODE_MAX_POOL, written;
    const eex_node *in = eex_graph_node(p->graph, node->inputs[0]);
    int x, y, dx;
    EEX_TRY(eex__plan_value(p, &x, node->inputs[0]));
    EEX_TRY(eex__plan_value(p, &y, id));
    EEX_TRY(gradient(p, &dx, &written, node->inputs[0]));
    eex_op *op;
    EEX_TRY(
        eex__plan_op(p, &op, max ? EEX_OP_MAX_POOL_BWD : EEX_OP_GLOBAL_POOL_BWD, node->name, 0));
    op->u.pool.accumulate = written;
    op->u.pool.window =
        max ? node->window
            : (eex_window){
                  .cin = in->c, .hin = in->h, .win = in->w, .cout = in->c, .hout = 1, .wout = 1};
    if (max) {
        EEX_TRY(eex__plan_point(p, &op->u.pool.x, x));
        EEX_TRY(eex__plan_point(p, &op->u.pool.y, y));
    }
    EEX_TRY(eex__plan_point(p, &op->u.pool.dy, p->grad[id]));
    return eex__plan_point(p, &op->u.pool.dx, dx);
}

static int back_pointwise(eex_plan *p, const eex_node *node, int id)
{
    bool act = node->kind == EEX_NODE_ACT, written;
    int y, dx;
    EEX_TRY(eex__plan_value(p, &y, id));
    EEX_TRY(gradient(p, &dx, &written, node->inputs[0]));
    eex_op *op;
    EEX_TRY(eex__plan_op(p, &op, act ? EEX_OP_ACT_BWD : EEX_OP_DROPOUT, node->name, 0));
    op->u.pointwise = (eex_op_pointwise){.size = node->h * node->w * node->c,
                                         .act = node->act,
                                         .p = node->dropout,
                                         .salt = (uint64_t)id,
                                         .accumulate = written};
    EEX_TRY(eex__plan_point(p, &op->u.pointwise.x, p->grad[id]));
    if (act)
        EEX_TRY(eex__plan_point(p, &op->u.pointwise.ref, y));
    return eex__plan_point(p, &op->u.pointwise.y, dx);
}

/* The first operand gets a copy (or a sum), the second may take over the buffer. */
static int back_add(eex_plan *p, const eex_node *node, int id)
{
    int a = node->inputs[0], b = node->inputs[1];
    if (p->learns[a])
        EEX_TRY(add_to(p, p->grad[id], a, node->name));
    return p->learns[b] ? pass_on(p, p->grad[id], b, node->name) : EEX_OK;
}

static int back_node(eex_plan *p, int id)
{
    const eex_node *node = eex_graph_node(p->graph, id);
    int start = p->start[id];
    if (eex_graph_node(p->graph, start)->kind == EEX_NODE_BATCH_NORM)
        return back_batch_norm(p, start);
    switch (node->kind) {
    case EEX_NODE_CONV:
    case EEX_NODE_LINEAR:
        return back_conv(p, node, id);
    case EEX_NODE_MAX_POOL:
    case EEX_NODE_GLOBAL_POOL:
        return p->learns[node->inputs[0]] ? back_pool(p, node, id) : EEX_OK;
    case EEX_NODE_ACT:
        return p->learns[node->inputs[0]] ? back_pointwise(p, node, id) : EEX_OK;
    case EEX_NODE_DROPOUT:
        if (node->dropout > 0 && p->learns[node->inputs[0]])
            return back_pointwise(p, node, id);
        return p->learns[node->inputs[0]] ? pass_on(p, p->grad[id], node->inputs[0], node->name)
                                          : EEX_OK;
    case EEX_NODE_FLATTEN:
        return p->learns[node->inputs[0]] ? pass_on(p, p->grad[id], node->inputs[0], node->name)
                                          : EEX_OK;
    case EEX_NODE_ADD:
        return back_add(p, node, id);
    default:
        return EEX_OK;
    }
}

int eex__plan_lower_backward(eex_plan *p)
{
    for (int i = eex_graph_nodes(p->graph) - 1; i > 0; i--) {
        if (!p->needed[i] || eex__plan_absorbed(p, i) || p->grad[i] < 0 || !p->learns[i])
            continue;
        EEX_TRY(back_node(p, i));
    }
    return EEX_OK;
}
