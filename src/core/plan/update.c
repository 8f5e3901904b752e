#include "core/plan/update.h"

#include "core/plan/binding.h"

#include "base/status.h"

#include <stdlib.h>

enum { OPS = 5, STEP_BATCH = 1 };

struct eex_update {
    eex_optimizer_state *state;
    eex_device *device;
    float *clip;  /* device memory, (1) */
    double *norm; /* (1) */
    eex_op op[OPS];
    void *prepared[OPS];
    int count;
};

static eex_op *append(eex_update *u, eex_op_kind kind, const char *name)
{
    eex_op *op = &u->op[u->count++];
    *op = (eex_op){.kind = kind, .name = name};
    return op;
}

static void add_clamp(eex_update *u, const eex_optimizer *o)
{
    if (o->clip_value > 0)
        append(u, EEX_OP_CLAMP, "gradient's elements")->u.optim = (eex_op_optim){
            .count = u->state->params->count, .g = u->state->g, .clip_value = o->clip_value};
}

static void add_clip(eex_update *u, const eex_optimizer *o)
{
    if (o->clip <= 0)
        return;
    append(u, EEX_OP_GRAD_NORM, "gradient norm")->u.optim =
        (eex_op_optim){.count = u->state->params->count,
                       .g = u->state->g,
                       .clip_norm = o->clip,
                       .norm = u->norm,
                       .clip = u->clip};
}

static void add_step(eex_update *u, const eex_optimizer *o)
{
    const eex_stretch all = {0, u->state->params->count};
    eex_op_optim *optim =
        &append(u, o->kind == EEX_SGD ? EEX_OP_SGD : EEX_OP_ADAMW, "optimizer")->u.optim;
    *optim = eex__bind_stretch(u->state, all);
    optim->momentum = o->momentum;
    optim->beta1 = o->beta1;
    optim->beta2 = o->beta2;
    optim->eps = o->eps;
    optim->weight_decay = o->weight_decay;
    optim->nesterov = o->nesterov;
    optim->clip = o->clip > 0 ? u->clip : NULL;
}

static void add_average(eex_update *u, const eex_optimizer *o, float *w, float *ema, size_t count)
{
    if (ema && count > 0)
        append(u, EEX_OP_EMA, "moving average")->u.optim =
            (eex_op_optim){.count = count, .w = w, .ema = ema, .ema_decay = o->ema};
}

static int allocate(eex_update *u)
{
    const eex_device_vtable *v = u->device->vtable;
    void *clip = NULL, *norm = NULL;
    int code = v->allocate(u->device, &clip, 64);
    if (code == EEX_OK)
        code = v->allocate(u->device, &norm, 64);
    u->clip = clip;
    u->norm = norm;
    return code == EEX_OK ? v->zero(u->device, norm, 64) : code;
}

static int prepare(eex_update *u)
{
    for (int i = 0; i < u->count; i++)
        EEX_TRY(u->device->vtable->prepare(u->device, &u->prepared[i], &u->op[i], STEP_BATCH));
    return EEX_OK;
}

int eex_update_new(eex_update **out, const eex_optimizer *o, eex_optimizer_state *state)
{
    eex_update *u = calloc(1, sizeof *u);
    *out = NULL;
    if (!u)
        return eex_fail(EEX_ENOMEM, "out of memory for an optimiser's step");
    u->state = state;
    u->device = state->params->device;
    int code = allocate(u);
    if (code == EEX_OK) {
        const eex_params *p = state->params;
        add_clamp(u, o);
        add_clip(u, o);
        add_step(u, o);
        add_average(u, o, p->w, state->ema, p->count);
        add_average(u, o, p->state, state->ema_state, p->state_count);
        code = prepare(u);
    }
    if (code < 0) {
        eex_update_free(u);
        return code;
    }
    *out = u;
    return EEX_OK;
}

void eex_update_free(eex_update *u)
{
    if (!u)
        return;
    const eex_device_vtable *v = u->device->vtable;
    for (int i = 0; i < u->count; i++)
        v->finish(u->device, &u->op[i], u->prepared[i]);
    v->release(u->device, u->clip);
    v->release(u->device, u->norm);
    free(u);
}

int eex_update_clear(eex_update *u)
{
    return u->device->vtable->zero(u->device, u->state->g,
                                   u->state->params->count * sizeof *u->state->g);
}

int eex_update_run(eex_update *u, const eex_step *step)
{
    for (int i = 0; i < u->count; i++)
        EEX_TRY(u->device->vtable->run(u->device, &u->op[i], u->prepared[i], step));
    return EEX_OK;
}

int eex_update_norm(eex_update *u, double *out)
{
    EEX_TRY(u->device->vtable->sync(u->device));
    return u->device->vtable->download(u->device, out, u->norm, sizeof *out);
}
