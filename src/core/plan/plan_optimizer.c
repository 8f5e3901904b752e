/* Lowering for training, last part: gradient clipping, the optimiser and the moving average. */
#include "core/plan/builder_impl.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

/* What the plan trains of the flat buffers, in steps of 16 elements. */
typedef struct trained {
    bool *step;
    size_t steps;
} trained;

/* Whether the backward half came by: a teacher without a loss of its own is needed, but learns
 * nothing. */
static bool has_gradient(const eex_builder *b, int node)
{
    bool norm = eex_graph_node(b->graph, node)->kind == EEX_NODE_BATCH_NORM;
    return b->grad[norm ? b->chain[node].end : node] >= 0;
}

static void mark(const eex_builder *b, const trained *t)
{
    for (int i = 0; i < eex_graph_nodes(b->graph); i++) {
        const eex_node *node = eex_graph_node(b->graph, i);
        bool trains = b->needed[i] && b->learns[i] && eex__plan_trains_node(b, node);
        if (!trains || !has_gradient(b, i))
            continue;
        for (int j = node->first_param; j < node->first_param + node->params; j++) {
            if (!eex_graph_param(b->graph, j)->trainable)
                continue;
            eex_stretch of = b->binding->stretch(b->binding, b->params, j);
            memset(t->step + of.first / 16, 1, of.count / 16);
        }
    }
}

/* The next stretch from *at on, all of it trained or none; false behind the last. */
static bool next(const trained *t, size_t *at, eex_stretch *out, bool *trains)
{
    const size_t first = *at;
    if (first == t->steps)
        return false;
    while (*at < t->steps && t->step[*at] == t->step[first])
        ++*at;
    *out = (eex_stretch){first * 16, (*at - first) * 16};
    *trains = t->step[first];
    return true;
}

/* What is outside this plan must not add to the norm of the gradient. */
static int lower_gaps(eex_builder *b, const trained *t)
{
    eex_stretch gap;
    bool trains;
    for (size_t at = 0; next(t, &at, &gap, &trains);) {
        eex_op *op;
        if (trains)
            continue;
        EEX_TRY(eex__plan_op(b, &op, EEX_OP_ZERO, "gradient of what rests"));
        op->u.fill =
            (eex_op_fill){.count = gap.count, .to = eex__bind_stretch(b->options->state, gap).g};
    }
    return EEX_OK;
}

static int lower_clamp(eex_builder *b, const trained *t)
{
    const eex_stretch all = {0, 16 * t->steps};
    eex_op *op;
    EEX_TRY(eex__plan_op(b, &op, EEX_OP_CLAMP, "gradient's elements"));
    op->u.optim.count = all.count;
    op->u.optim.g = eex__bind_stretch(b->options->state, all).g;
    op->u.optim.clip_value = b->options->optimizer.clip_value;
    return EEX_OK;
}

static int lower_clip(eex_builder *b, const trained *t)
{
    const eex_stretch all = {0, 16 * t->steps};
    EEX_TRY(lower_gaps(b, t));
    EEX_TRY(eex__plan_buffer(b, &b->clip, 0, sizeof(float), true));
    EEX_TRY(eex__plan_buffer(b, &b->plan->norm, 0, sizeof(double), true));
    eex_op *op;
    EEX_TRY(eex__plan_op(b, &op, EEX_OP_GRAD_NORM, "gradient norm"));
    op->u.optim.count = all.count;
    op->u.optim.g = eex__bind_stretch(b->options->state, all).g;
    op->u.optim.clip_norm = b->options->optimizer.clip;
    EEX_TRY(eex__plan_point(b, &op->u.optim.norm, b->plan->norm));
    return eex__plan_point(b, &op->u.optim.clip, b->clip);
}

static int lower_update(eex_builder *b, eex_stretch run)
{
    const eex_optimizer *o = &b->options->optimizer;
    eex_op *op;
    EEX_TRY(eex__plan_op(b, &op, o->kind == EEX_SGD ? EEX_OP_SGD : EEX_OP_ADAMW, "optimizer"));
    eex_op_optim *optim = &op->u.optim;
    *optim = eex__bind_stretch(b->options->state, run);
    optim->momentum = o->momentum;
    optim->beta1 = o->beta1;
    optim->beta2 = o->beta2;
    optim->eps = o->eps;
    optim->weight_decay = o->weight_decay;
    optim->nesterov = o->nesterov;
    return b->clip >= 0 ? eex__plan_point(b, &optim->clip, b->clip) : EEX_OK;
}

static int lower_ema(eex_builder *b, float *w, float *ema, size_t count)
{
    if (!ema || count == 0)
        return EEX_OK;
    eex_op *op;
    EEX_TRY(eex__plan_op(b, &op, EEX_OP_EMA, "moving average"));
    op->u.optim =
        (eex_op_optim){.count = count, .w = w, .ema = ema, .ema_decay = b->options->optimizer.ema};
    return EEX_OK;
}

static int lower_averages(eex_builder *b)
{
    const eex_optimizer_state *s = b->options->state;
    const eex_params *params = s->params;
    /* Passes that train one sub-model leave the average to the pass that trains the backbone. */
    if (b->options->mode == EEX_PLAN_TRAIN &&
        b->options->weight[eex_graph_exits(b->graph) - 1] <= 0)
        return EEX_OK;
    EEX_TRY(lower_ema(b, params->w, s->ema, params->count));
    return lower_ema(b, params->state, s->ema_state, params->state_count);
}

static int lower_updates(eex_builder *b, const trained *t)
{
    eex_stretch run;
    bool trains;
    if (b->options->optimizer.clip_value > 0)
        EEX_TRY(lower_clamp(b, t));
    if (b->options->optimizer.clip > 0)
        EEX_TRY(lower_clip(b, t));
    for (size_t at = 0; next(t, &at, &run, &trains);)
        if (trains)
            EEX_TRY(lower_update(b, run));
    return EEX_OK;
}

int eex__plan_lower_optimizer(eex_builder *b)
{
    trained t = {.steps = b->options->state->params->count / 16};
    t.step = calloc(t.steps + 1, sizeof *t.step);
    if (!t.step)
        return eex_fail(EEX_ENOMEM, "plan: out of memory for what the optimiser steps");
    mark(b, &t);
    int code = lower_updates(b, &t);
    free(t.step);
    return code == EEX_OK ? lower_averages(b) : code;
}
