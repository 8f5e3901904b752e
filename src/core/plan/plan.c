#include "core/plan/plan.h"

#include "core/plan/plan_impl.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

static int prepare(eex_plan *p, int i)
{
    int code = p->device->vtable->prepare(p->device, &p->states[i], &p->ops[i], p->options.batch);
    return code < 0
               ? eex_fail_in(code, "plan of %s, node %s", eex_graph_name(p->graph), p->ops[i].name)
               : EEX_OK;
}

static int build(eex_plan *p)
{
    if (eex__plan_trains(p)) {
        EEX_TRY(eex__plan_lower_train(p));
        EEX_TRY(eex__plan_lower_backward(p));
        EEX_TRY(eex__plan_lower_optimizer(p));
    } else {
        EEX_TRY(eex__plan_lower_infer(p));
    }
    EEX_TRY(eex__plan_layout(p));
    EEX_TRY(eex__plan_fold(p));
    if (!eex__plan_trains(p))
        EEX_TRY(eex__plan_lower_leaving(p));
    p->states = calloc((size_t)p->op_count, sizeof *p->states);
    if (!p->states)
        return eex_fail(EEX_ENOMEM, "plan: out of memory for %d ops", p->op_count);
    for (int i = 0; i < p->op_count; i++)
        EEX_TRY(prepare(p, i));
    return EEX_OK;
}

static int check_precision(const eex_plan_options *o, const eex_device *dev)
{
    EEX_TRY(eex_device_calculates(dev, o->precision));
    const bool infers = o->mode == EEX_PLAN_INFER;
    if (o->precision == EEX_BF16 && (infers || o->mode == EEX_PLAN_TRAIN_GATES_ON_FEATURES))
        return eex_fail(EEX_EUNSUPPORTED, "a plan for %s is float32: bfloat16 is for training",
                        infers ? "inference" : "cached features");
    return EEX_OK;
}

int eex_plan_new(eex_plan **out, const eex_plan_options *options, const eex_graph *graph,
                 eex_params *params)
{
    *out = NULL;
    if (options->batch < 1)
        return eex_fail(EEX_EINVAL, "plan of %s: batch %d, expected at least 1",
                        eex_graph_name(graph), options->batch);
    EEX_TRY(check_precision(options, params->device));
    eex_plan *p = calloc(1, sizeof *p);
    if (!p)
        return eex_fail(EEX_ENOMEM, "out of memory for a plan");
    p->options = *options;
    p->graph = graph;
    p->params = params;
    p->device = params->device;
    p->images = p->labels = p->sample = p->totals = p->clip = p->norm = p->shadow = -1;
    p->index = p->rows = p->decision = p->results = p->threshold = -1;
    for (int k = 0; k < EEX_MAX_EXITS; k++)
        p->head_input[k] = p->loss_op[k] = p->head_op[k] = p->head_top[k] = p->head_score[k] = -1;
    int code = build(p);
    if (code < 0) {
        eex_plan_free(p);
        return code;
    }
    *out = p;
    return EEX_OK;
}

void eex_plan_free(eex_plan *p)
{
    if (!p)
        return;
    eex__plan_forget(p);
    eex__plan_leaving_free(p);
    for (int i = 0; i < p->op_count && p->states; i++)
        p->device->vtable->finish(p->device, &p->ops[i], p->states[i]);
    p->device->vtable->release(p->device, p->arena);
    void *all[] = {p->states, p->segment, p->ops,   p->buffers, p->relocations, p->folds,
                   p->needed, p->value,   p->grad,  p->stats,   p->consumers,   p->fused,
                   p->start,  p->chain,   p->saved, p->learns,  p->runs,        p->gaps};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    free(p);
}

int eex_plan_refresh(eex_plan *p)
{
    eex__plan_forget(p);
    EEX_TRY(eex__plan_fold(p));
    for (int i = 0; i < p->op_count; i++) {
        if (p->ops[i].kind != EEX_OP_CONV || !p->ops[i].u.conv.w_static)
            continue;
        p->device->vtable->finish(p->device, &p->ops[i], p->states[i]);
        p->states[i] = NULL;
        EEX_TRY(prepare(p, i));
    }
    return EEX_OK;
}

int eex_plan_ops(const eex_plan *plan)
{
    return plan->op_count;
}

const eex_op *eex_plan_op(const eex_plan *plan, int i)
{
    return &plan->ops[i];
}

int eex_plan_op_segment(const eex_plan *plan, int i)
{
    return plan->segment[i];
}

size_t eex_plan_bytes(const eex_plan *plan)
{
    return plan->arena_bytes;
}
