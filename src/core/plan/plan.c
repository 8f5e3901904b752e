#include "core/plan/plan.h"

#include "core/plan/plan_impl.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

/* ---- optimiser state ---- */

static int zeroed(eex_device *dev, float **out, size_t count)
{
    size_t bytes = count * sizeof **out;
    EEX_TRY(dev->vtable->allocate(dev, (void **)out, bytes ? bytes : 64));
    return dev->vtable->zero(dev, *out, bytes);
}

/* An average starts as what it averages. */
static int copied(eex_device *dev, float **out, const float *from, size_t count)
{
    EEX_TRY(zeroed(dev, out, count));
    float *host = malloc(count * sizeof *host + 1);
    if (!host)
        return eex_fail(EEX_ENOMEM, "out of memory for a moving average of %zu elements", count);
    int code = dev->vtable->download(dev, host, from, count * sizeof *host);
    if (code == EEX_OK)
        code = dev->vtable->upload(dev, *out, host, count * sizeof *host);
    free(host);
    return code;
}

int eex_optimizer_state_new(eex_optimizer_state **out, eex_params *params, const eex_optimizer *o)
{
    eex_device *dev = params->device;
    eex_optimizer_state *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s)
        return eex_fail(EEX_ENOMEM, "out of memory for the optimiser's state");
    s->params = params;
    int code = zeroed(dev, &s->g, params->count);
    if (code == EEX_OK)
        code = zeroed(dev, &s->m, params->count);
    if (code == EEX_OK && o->kind == EEX_ADAMW)
        code = zeroed(dev, &s->v, params->count);
    if (code == EEX_OK && o->ema > 0)
        code = copied(dev, &s->ema, params->w, params->count);
    if (code == EEX_OK && o->ema > 0)
        code = copied(dev, &s->ema_state, params->state, params->state_count);
    if (code < 0) {
        eex_optimizer_state_free(s);
        return eex_fail_in(code, "optimiser of %s", eex_graph_name(params->graph));
    }
    *out = s;
    return EEX_OK;
}

void eex_optimizer_state_free(eex_optimizer_state *state)
{
    if (!state)
        return;
    eex_device *dev = state->params->device;
    float *all[] = {state->g, state->m, state->v, state->ema, state->ema_state};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        dev->vtable->release(dev, all[i]);
    free(state);
}

/* ---- plan ---- */

static int prepare(eex_plan *p, int i)
{
    int code = p->device->vtable->prepare(p->device, &p->states[i], &p->ops[i], p->options.batch);
    return code < 0
               ? eex_fail_in(code, "plan of %s, node %s", eex_graph_name(p->graph), p->ops[i].name)
               : EEX_OK;
}

static int build(eex_plan *p)
{
    if (p->options.train) {
        EEX_TRY(eex__plan_lower_train(p));
        EEX_TRY(eex__plan_lower_backward(p));
        EEX_TRY(eex__plan_lower_optimizer(p));
    } else {
        EEX_TRY(eex__plan_lower_infer(p));
    }
    EEX_TRY(eex__plan_layout(p));
    EEX_TRY(eex__plan_fold(p));
    if (!p->options.train) {
        EEX_TRY(eex__plan_find_passing(p));
        EEX_TRY(eex__plan_lower_leaving(p));
    }
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
    if (o->precision == EEX_BF16 && (!o->train || o->cached))
        return eex_fail(EEX_EUNSUPPORTED, "a plan for %s is float32: bfloat16 is for training",
                        o->train ? "cached features" : "inference");
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
