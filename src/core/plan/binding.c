#include "core/plan/binding.h"

#include "core/plan/builder_impl.h"

#include "base/status.h"

#include <string.h>

/* ---- flat ---- */

static int nothing(const eex_binding *self, eex_builder *b)
{
    return EEX_OK;
}

static int value_in_place(const eex_binding *self, eex_builder *b, eex_place *out, int i)
{
    *out = (eex_place){.buffer = -1, .at = eex_params_at(b->params, i)};
    return EEX_OK;
}

static int grad_in_place(const eex_binding *self, eex_builder *b, eex_place *out, int i)
{
    *out = (eex_place){.buffer = -1, .at = b->options->state->g + b->params->offset[i]};
    return EEX_OK;
}

static int wrote_in_place(const eex_binding *self, eex_builder *b, int i)
{
    return EEX_OK;
}

static eex_stretch whole(const eex_binding *self, const eex_params *params, int i)
{
    size_t count = eex_param_count(eex_graph_param(params->graph, i));
    return (eex_stretch){params->offset[i], (count + 15) / 16 * 16};
}

static int fetch(const eex_binding *self, const eex_params *params, float *values, int i)
{
    size_t bytes = eex_param_count(eex_graph_param(params->graph, i)) * sizeof *values;
    return params->device->vtable->download(params->device, values, eex_params_at(params, i),
                                            bytes);
}

const eex_binding eex__binding_flat = {
    .begin = nothing,
    .value = value_in_place,
    .grad = grad_in_place,
    .wrote = wrote_in_place,
    .stretch = whole,
    .fetch = fetch,
};

/* ---- bfloat16 shadow ---- */

static int cast_weights(const eex_binding *self, eex_builder *b)
{
    eex_op *op;
    size_t bytes = b->params->count * eex_precision_bytes(EEX_BF16);
    EEX_TRY(eex__plan_buffer(b, &b->shadow, 0, bytes, true));
    EEX_TRY(eex__plan_op(b, &op, EEX_OP_CAST, "weights"));
    op->u.fill = (eex_op_fill){.count = b->params->count, .from = b->params->w};
    return eex__plan_point(b, &op->u.fill.to, b->shadow);
}

/* Factors of products are matrices or kernels; biases and batch norms, vectors, stay float32. */
static int value_in_shadow(const eex_binding *self, eex_builder *b, eex_place *out, int i)
{
    if (eex_graph_param(b->graph, i)->rank < 2)
        return value_in_place(self, b, out, i);
    *out = (eex_place){.buffer = b->shadow,
                       .addend = b->params->offset[i] * eex_precision_bytes(EEX_BF16)};
    return EEX_OK;
}

const eex_binding eex__binding_shadow = {
    .begin = cast_weights,
    .value = value_in_shadow,
    .grad = grad_in_place,
    .wrote = wrote_in_place,
    .stretch = whole,
    .fetch = fetch,
};

const eex_binding *eex__binding_for(const eex_plan_options *options)
{
    return options->precision == EEX_BF16 ? &eex__binding_shadow : &eex__binding_flat;
}

/* ---- what lowering calls ---- */

static const eex_place nowhere = {.buffer = -1};

static bool trainable(const eex_builder *b, int i)
{
    return eex_graph_param(b->graph, i)->trainable;
}

int eex__bind_values(eex_builder *b, eex_place at[EEX__NODE_PARAMS], const eex_node *node)
{
    for (int i = 0; i < EEX__NODE_PARAMS; i++)
        at[i] = nowhere;
    for (int i = 0; i < node->params; i++)
        EEX_TRY(b->binding->value(b->binding, b, &at[i], node->first_param + i));
    return EEX_OK;
}

int eex__bind_grads(eex_builder *b, eex_place at[EEX__NODE_PARAMS], const eex_node *node)
{
    for (int i = 0; i < EEX__NODE_PARAMS; i++)
        at[i] = nowhere;
    for (int i = 0; i < node->params; i++)
        if (trainable(b, node->first_param + i))
            EEX_TRY(b->binding->grad(b->binding, b, &at[i], node->first_param + i));
    return EEX_OK;
}

static int wrote(eex_builder *b, const eex_node *node, bool gradients)
{
    for (int i = node->first_param; i < node->first_param + node->params; i++)
        if (trainable(b, i) == gradients)
            EEX_TRY(b->binding->wrote(b->binding, b, i));
    return EEX_OK;
}

int eex__bind_wrote_grads(eex_builder *b, const eex_node *node)
{
    return wrote(b, node, true);
}

int eex__bind_wrote_statistics(eex_builder *b, const eex_node *node)
{
    return wrote(b, node, false);
}

int eex__bind_point(eex_builder *b, void *field, const eex_place *place)
{
    if (place->buffer >= 0)
        return eex__plan_point_at(b, field, place->buffer, place->addend);
    memcpy(field, &place->at, sizeof place->at);
    return EEX_OK;
}

eex_op_optim eex__bind_stretch(const eex_optimizer_state *state, eex_stretch stretch)
{
    const eex_params *params = state->params;
    return (eex_op_optim){.count = stretch.count,
                          .w = params->w + stretch.first,
                          .g = state->g + stretch.first,
                          .m = state->m + stretch.first,
                          .v = state->v ? state->v + stretch.first : NULL,
                          .decay = params->decay + stretch.first / 16};
}
