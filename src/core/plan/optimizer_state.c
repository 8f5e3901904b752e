/* Gradients, moments and moving averages beside the parameters. */
#include "core/plan/plan.h"

#include "base/status.h"

#include <stdlib.h>

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

static int optimizer_memory(eex_optimizer_state *s, const eex_optimizer *o)
{
    const eex_params *p = s->params;
    EEX_TRY(zeroed(p->device, &s->m, p->count));
    if (o->kind == EEX_ADAMW)
        EEX_TRY(zeroed(p->device, &s->v, p->count));
    if (o->ema <= 0)
        return EEX_OK;
    EEX_TRY(copied(p->device, &s->ema, p->w, p->count));
    return copied(p->device, &s->ema_state, p->state, p->state_count);
}

int eex_optimizer_state_new(eex_optimizer_state **out, eex_params *params, const eex_optimizer *o)
{
    EEX_NEED(out, "place for the state");
    EEX_NEED(params, "parameters");
    if (o && (unsigned)o->kind >= EEX_OPTIMIZERS)
        return eex_fail(EEX_EINVAL, "optimiser of %s: there is no kind %d",
                        eex_graph_name(params->graph), (int)o->kind);
    eex_device *dev = params->device;
    eex_optimizer_state *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s)
        return eex_fail(EEX_ENOMEM, "out of memory for the optimiser's state");
    s->params = params;
    int code = zeroed(dev, &s->g, params->count);
    if (code == EEX_OK && o)
        code = optimizer_memory(s, o);
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
