/* From options to plans that stand: lowering first, memory once every plan's needs are known. */
#include "core/plan/builder_impl.h"
#include "device/resize.h"

#include "base/status.h"

#include <stdlib.h>

enum { MOST_VALUES = 1 << 25 }; /* of an image that is resized, as of those that are not */

static eex_plan *empty_plan(const eex_plan_options *options, const eex_graph *graph,
                            eex_params *params, const eex_binding *binding)
{
    eex_plan *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->options = *options;
    p->graph = graph;
    p->params = params;
    p->device = params->device;
    p->binding = binding;
    p->images = p->labels = p->sample = p->totals = p->norm = -1;
    p->index = p->rows = p->at = p->decision = p->results = p->threshold = -1;
    for (int k = 0; k < EEX_MAX_EXITS; k++)
        p->loss_op[k] = p->head_op[k] = p->gathered[k] = p->gate[k] = -1;
    return p;
}

int eex__builder_new(eex_builder **out, const eex_plan_options *options, const eex_graph *graph,
                     eex_params *params, const eex_binding *binding)
{
    *out = NULL;
    eex_builder *b = calloc(1, sizeof *b);
    eex_plan *plan = b ? empty_plan(options, graph, params, binding) : NULL;
    if (!plan) {
        free(b);
        return eex_fail(EEX_ENOMEM, "out of memory for a plan");
    }
    *b = (eex_builder){.plan = plan,
                       .options = &plan->options,
                       .graph = graph,
                       .params = params,
                       .device = plan->device,
                       .binding = binding,
                       .apart_point = -1,
                       .apart = -1,
                       .shadow = -1,
                       .clip = -1};
    for (int k = 0; k < EEX_MAX_EXITS; k++)
        b->head_input[k] = -1;
    *out = b;
    return EEX_OK;
}

void eex__builder_free(eex_builder *b)
{
    if (!b)
        return;
    eex_plan_free(b->plan);
    void *all[] = {b->relocations, b->needed, b->grad,  b->consumers, b->fused,
                   b->start,       b->chain,  b->stats, b->saved,     b->learns};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    free(b);
}

int eex__builder_lower(eex_builder *b)
{
    if (b->options->mode == EEX_PLAN_STATISTICS) {
        EEX_TRY(eex__plan_lower_statistics(b));
    } else if (eex__plan_trains(b)) {
        EEX_TRY(eex__plan_lower_train(b));
        EEX_TRY(eex__plan_lower_backward(b));
        if (!b->options->gradient_only)
            EEX_TRY(eex__plan_lower_optimizer(b));
    } else {
        EEX_TRY(eex__plan_lower_infer(b));
        EEX_TRY(eex__plan_find_passing(b->plan));
        EEX_TRY(eex__plan_keep_part(b));
    }
    return eex__plan_layout(b);
}

int eex__builder_finish(eex_plan **out, eex_builder *b, eex_arena *arena)
{
    eex_plan *p = b->plan;
    p->shared = eex_arena_hold(arena);
    p->arena = arena->base;
    EEX_TRY(eex__plan_relocate(b));
    EEX_TRY(eex__plan_fold(p));
    if (!eex__plan_trains(b))
        EEX_TRY(eex__plan_lower_leaving(p));
    p->states = calloc((size_t)p->op_count, sizeof *p->states);
    if (!p->states)
        return eex_fail(EEX_ENOMEM, "plan: out of memory for %d ops", p->op_count);
    for (int i = 0; i < p->op_count; i++)
        EEX_TRY(eex__plan_prepare(p, i));
    *out = p;
    b->plan = NULL;
    return EEX_OK;
}

int eex_plan_reads(const eex_graph *graph, int height, int width)
{
    EEX_NEED(graph, "graph");
    const eex_node *in = eex_graph_node(graph, 0);
    if (!in)
        return eex_fail(EEX_EINVAL, "%s has no input yet", eex_graph_name(graph));
    if ((height == 0 && width == 0) || (height == in->h && width == in->w))
        return EEX_OK;
    if (height < 1 || width < 1 || height > EEX_RESIZE_MAX_SIDE || width > EEX_RESIZE_MAX_SIDE ||
        (int64_t)height * width * in->c > MOST_VALUES)
        return eex_fail(EEX_EINVAL,
                        "images of %dx%d: expected sides of 1 to %d and at most %d values", height,
                        width, EEX_RESIZE_MAX_SIDE, MOST_VALUES);
    if ((int64_t)height * in->w != (int64_t)width * in->h)
        return eex_fail(EEX_EINVAL,
                        "%s reads images of %dx%dx%d (height, width, channels), and those of %dx%d "
                        "would be stretched: only images of the same shape are resized",
                        eex_graph_name(graph), in->h, in->w, in->c, height, width);
    return EEX_OK;
}

static int check(const eex_plan_options *o, const eex_graph *graph, const eex_params *params)
{
    const eex_device *dev = params->device;
    const bool infers = o->mode == EEX_PLAN_INFER;
    if (o->batch < 1 || o->batch > EEX_PLAN_MAX_BATCH)
        return eex_fail(EEX_EINVAL, "plan of %s: batch %d, expected 1 to %d", eex_graph_name(graph),
                        o->batch, EEX_PLAN_MAX_BATCH);
    if (eex_graph_exits(graph) == 0)
        return eex_fail(EEX_EINVAL, "plan of %s: the graph is not finished", eex_graph_name(graph));
    if ((unsigned)o->mode >= EEX_PLAN_MODES)
        return eex_fail(EEX_EINVAL, "plan of %s: no mode %d", eex_graph_name(graph), (int)o->mode);
    if (eex_plan_reads(graph, o->augment.height, o->augment.width) < 0)
        return eex_fail_in(EEX_EINVAL, "plan");
    if (!infers && o->mode != EEX_PLAN_STATISTICS && !o->state)
        return eex_fail(EEX_EINVAL, "plan of %s: no optimiser's state (NULL) to learn with",
                        eex_graph_name(graph));
    if (o->state && !o->gradient_only && !o->state->m)
        return eex_fail(
            EEX_EINVAL,
            "plan of %s: the optimiser's state has a gradient alone, which is for plans "
            "that leave one (gradient_only)",
            eex_graph_name(graph));
    EEX_TRY(eex__plan_check_part(o, graph));
    if (params->missing && !infers)
        return eex_fail(EEX_EINVAL,
                        "plan of %s: only a part of the network's parameters is there, which is "
                        "for inference alone",
                        eex_graph_name(graph));
    if (o->gates_apart)
        EEX_TRY(eex__plan_check_apart(o, graph));
    if (o->binary && eex_graph_classes(graph) > EEX_LABEL_BITS)
        return eex_fail(EEX_EINVAL, "plan of %s: labels of %d bits, expected at most %d",
                        eex_graph_name(graph), eex_graph_classes(graph), EEX_LABEL_BITS);
    EEX_TRY(eex_device_calculates(dev, o->precision));
    if (o->precision == EEX_BF16 && (infers || o->mode == EEX_PLAN_TRAIN_GATES_ON_FEATURES))
        return eex_fail(EEX_EUNSUPPORTED, "a plan for %s is float32: bfloat16 is for training",
                        infers ? "inference" : "cached features");
    return EEX_OK;
}

/* ---- plans that share an arena ---- */

static int lower_all(eex_builder **builders, size_t *bytes, const eex_plan_options *options,
                     int count, const eex_graph *graph, eex_params *params)
{
    for (int i = 0; i < count; i++) {
        EEX_TRY(check(&options[i], graph, params));
        EEX_TRY(eex__builder_new(&builders[i], &options[i], graph, params,
                                 eex__binding_for(&options[i])));
        EEX_TRY(eex__builder_lower(builders[i]));
        size_t needed = builders[i]->plan->arena_bytes;
        *bytes = needed > *bytes ? needed : *bytes;
    }
    return EEX_OK;
}

static int finish_all(eex_plan **plans, eex_builder **builders, int count, size_t bytes)
{
    const eex_builder *first = builders[0];
    eex_arena *arena;
    int code = eex_arena_new(&arena, first->device, bytes);
    if (code < 0)
        return eex_fail_in(code, "plan of %s for batch %d (%zu MiB)", eex_graph_name(first->graph),
                           first->options->batch, bytes >> 20);
    for (int i = 0; i < count && code == EEX_OK; i++)
        code = eex__builder_finish(&plans[i], builders[i], arena);
    eex_arena_release(arena);
    return code;
}

int eex_plans_new(eex_plan **plans, const eex_plan_options *options, int count,
                  const eex_graph *graph, eex_params *params)
{
    EEX_NEED(plans, "place for plans");
    EEX_NEED(options, "options");
    EEX_NEED(graph, "graph");
    EEX_NEED(params, "parameters");
    if (count < 0)
        return eex_fail(EEX_EINVAL, "%d plans of %s", count, eex_graph_name(graph));
    size_t bytes = 0;
    for (int i = 0; i < count; i++)
        plans[i] = NULL;
    eex_builder **builders = calloc((size_t)count + 1, sizeof(eex_builder *));
    if (!builders)
        return eex_fail(EEX_ENOMEM, "out of memory for %d plans", count);
    int code = lower_all(builders, &bytes, options, count, graph, params);
    if (code == EEX_OK && count > 0)
        code = finish_all(plans, builders, count, bytes);
    for (int i = 0; i < count; i++) {
        eex__builder_free(builders[i]);
        if (code < 0) {
            eex_plan_free(plans[i]);
            plans[i] = NULL;
        }
    }
    free(builders);
    return code;
}

int eex_plan_new(eex_plan **out, const eex_plan_options *options, const eex_graph *graph,
                 eex_params *params)
{
    return eex_plans_new(out, options, 1, graph, params);
}

int eex_plan_new_beside(eex_plan **out, const eex_plan_options *options, const eex_graph *graph,
                        eex_params *params, const eex_plan *beside)
{
    EEX_NEED(out, "place for the plan");
    *out = NULL;
    EEX_NEED(options, "options");
    EEX_NEED(graph, "graph");
    EEX_NEED(params, "parameters");
    EEX_NEED(beside, "plan beside it");
    eex_builder *b = NULL;
    size_t bytes = 0;
    int code = lower_all(&b, &bytes, options, 1, graph, params);
    if (code == EEX_OK && bytes <= beside->shared->bytes)
        code = eex__builder_finish(out, b, beside->shared);
    else if (code == EEX_OK)
        code = finish_all(out, &b, 1, bytes);
    eex__builder_free(b);
    if (code < 0) {
        eex_plan_free(*out);
        *out = NULL;
    }
    return code;
}
