/* Lowering for training, last part: gradient clipping, the optimiser and the moving average. */
#include "core/plan/plan_impl.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

static size_t padded(const eex_param *param)
{
    return (eex_param_count(param) + 15) / 16 * 16;
}

/* Whether the backward half came by: a teacher without a loss of its own is needed, but learns
 * nothing. */
static bool has_gradient(const eex_plan *p, int node)
{
    bool norm = eex_graph_node(p->graph, node)->kind == EEX_NODE_BATCH_NORM;
    return p->grad[norm ? p->chain[node].end : node] >= 0;
}

/* Marks, in steps of 16 elements, what the plan trains. */
static void mark_trained(const eex_plan *p, bool *trained)
{
    for (int i = 0; i < eex_graph_nodes(p->graph); i++) {
        const eex_node *node = eex_graph_node(p->graph, i);
        bool trained_here = p->needed[i] && p->learns[i] && eex__plan_trains_node(p, node);
        if (!trained_here || !has_gradient(p, i))
            continue;
        for (int j = 0; j < node->params; j++) {
            const eex_param *param = eex_graph_param(p->graph, node->first_param + j);
            size_t first = p->params->offset[node->first_param + j] / 16;
            if (param->trainable)
                memset(trained + first, 1, padded(param) / 16);
        }
    }
}

/* Cuts 0..count into runs (trained) and gaps. */
static int cut(eex_plan *p, const bool *trained)
{
    size_t blocks = p->params->count / 16;
    p->runs = calloc(blocks + 1, sizeof *p->runs);
    p->gaps = calloc(blocks + 1, sizeof *p->gaps);
    if (!p->runs || !p->gaps)
        return eex_fail(EEX_ENOMEM, "plan: out of memory for the optimiser's ranges");
    for (size_t i = 0; i < blocks;) {
        size_t first = i;
        while (i < blocks && trained[i] == trained[first])
            i++;
        eex_stretch run = {first * 16, (i - first) * 16};
        if (trained[first])
            p->runs[p->run_count++] = run;
        else
            p->gaps[p->gap_count++] = run;
    }
    return EEX_OK;
}

/* Ranges outside this plan must not add to the norm of the gradient. */
static int lower_gaps(eex_plan *p)
{
    for (int i = 0; i < p->gap_count; i++) {
        eex_op *op;
        EEX_TRY(eex__plan_op(p, &op, EEX_OP_ZERO, "gradient of what rests", 0));
        op->u.fill =
            (eex_op_fill){.count = p->gaps[i].count, .to = p->options.state->g + p->gaps[i].first};
    }
    return EEX_OK;
}

static int lower_clip(eex_plan *p)
{
    EEX_TRY(lower_gaps(p));
    EEX_TRY(eex__plan_buffer(p, &p->clip, 0, sizeof(float), true));
    EEX_TRY(eex__plan_buffer(p, &p->norm, 0, sizeof(double), true));
    eex_op *op;
    EEX_TRY(eex__plan_op(p, &op, EEX_OP_GRAD_NORM, "gradient norm", 0));
    op->u.optim.count = p->params->count;
    op->u.optim.g = p->options.state->g;
    op->u.optim.clip_norm = p->options.optimizer.clip;
    EEX_TRY(eex__plan_point(p, &op->u.optim.norm, p->norm));
    return eex__plan_point(p, &op->u.optim.clip, p->clip);
}

static int lower_update(eex_plan *p, const eex_stretch *run)
{
    const eex_optimizer *o = &p->options.optimizer;
    const eex_optimizer_state *s = p->options.state;
    eex_op *op;
    EEX_TRY(eex__plan_op(p, &op, o->kind == EEX_SGD ? EEX_OP_SGD : EEX_OP_ADAMW, "optimizer", 0));
    op->u.optim = (eex_op_optim){.count = run->count,
                                 .w = p->params->w + run->first,
                                 .g = s->g + run->first,
                                 .m = s->m + run->first,
                                 .v = s->v ? s->v + run->first : NULL,
                                 .decay = p->params->decay + run->first / 16,
                                 .momentum = o->momentum,
                                 .beta1 = o->beta1,
                                 .beta2 = o->beta2,
                                 .eps = o->eps,
                                 .weight_decay = o->weight_decay,
                                 .nesterov = o->nesterov};
    return p->clip >= 0 ? eex__plan_point(p, &op->u.optim.clip, p->clip) : EEX_OK;
}

static int lower_ema(eex_plan *p, float *w, float *ema, size_t count)
{
    if (!ema || count == 0)
        return EEX_OK;
    eex_op *op;
    EEX_TRY(eex__plan_op(p, &op, EEX_OP_EMA, "moving average", 0));
    op->u.optim =
        (eex_op_optim){.count = count, .w = w, .ema = ema, .ema_decay = p->options.optimizer.ema};
    return EEX_OK;
}

int eex__plan_lower_optimizer(eex_plan *p)
{
    const eex_optimizer_state *s = p->options.state;
    bool *trained = calloc(p->params->count / 16 + 1, sizeof *trained);
    if (!trained)
        return eex_fail(EEX_ENOMEM, "plan: out of memory for the optimiser's ranges");
    mark_trained(p, trained);
    int code = cut(p, trained);
    free(trained);
    EEX_TRY(code);
    if (p->options.optimizer.clip > 0)
        EEX_TRY(lower_clip(p));
    for (int i = 0; i < p->run_count; i++)
        EEX_TRY(lower_update(p, &p->runs[i]));
    /* Passes that train one sub-model leave the average to the pass that trains the backbone. */
    if (p->options.mode == EEX_PLAN_TRAIN && p->options.weight[eex_graph_exits(p->graph) - 1] <= 0)
        return EEX_OK;
    EEX_TRY(lower_ema(p, p->params->w, s->ema, p->params->count));
    return lower_ema(p, p->params->state, s->ema_state, p->params->state_count);
}
