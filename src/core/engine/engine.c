/* An engine is a plan, the walk through it, a policy, and a queue in front. */
#include "core/engine/distance.h"
#include "core/engine/engine_impl.h"
#include "core/engine/predict.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>

static int first_exit(const eex_engine *e)
{
    return e->part.side == EEX_PLAN_REST ? e->part.cut + 1 : 0;
}

int eex__engine_check_whole(const eex_engine *e, const char *who)
{
    if (e->part.side == EEX_PLAN_WHOLE)
        return EEX_OK;
    return eex_fail(EEX_EINVAL,
                    "%s: the engine has the %s's part of a network alone, cut behind exit %d", who,
                    e->part.side == EEX_PLAN_FRONT ? "device" : "server", e->part.cut + 1);
}

/* Thresholds to the device. Without a policy nobody is asked before the end, which accepts all. */
static int set_policy(eex_engine *e, const eex_policy *p, int classes)
{
    eex_plan *plan = e->walk.plan;
    e->walk.leaves = p != NULL;
    for (int k = first_exit(e); k <= e->walk.last && p; k++)
        EEX_TRY(eex_plan_temperature(plan, k, p->temperature[k]));
    if (p)
        return eex_plan_decide(plan, eex_policy_compares(p->kind), p->high, p->low);
    size_t all = (size_t)e->exits * (size_t)classes;
    float *never = malloc(all * sizeof *never);
    if (!never)
        return eex_fail(EEX_ENOMEM, "engine: out of memory for %zu thresholds", all);
    for (size_t i = 0; i < all; i++)
        never[i] = -INFINITY; /* as low: nobody is rejected; as high: all are accepted */
    int code = eex_plan_decide(plan, EEX_MEASURE_CONFIDENCE, never, never);
    free(never);
    return code;
}

/* Distances are measured where the policy asks for them. */
static int set_familiar(eex_engine *e, const eex_graph *graph, const eex_policy *p,
                        const eex_familiar *familiar)
{
    if (!p || !eex_policy_rejects_by_distance(p))
        return EEX_OK;
    if (!familiar || familiar->exits != e->exits)
        return eex_fail(EEX_EINVAL, "engine: the policy rejects by distance from what is familiar, "
                                    "and the network does not know what is");
    EEX_TRY(eex_distance_guest_new(&e->distances, graph, familiar, p->far, e->walk.batch));
    return eex_walk_invite(&e->walk, e->distances);
}

/* Gates are skipped where there is one, and somebody decides. */
static int set_predictor(eex_engine *e, const eex_exit_predictor *predictor,
                         const eex_inference *how)
{
    eex_walk *w = &e->walk;
    eex_inference own = *how;
    const size_t rows = (size_t)w->batch;
    if (!predictor)
        return EEX_OK;
    if (predictor->gates != e->exits - 1)
        return eex_fail(EEX_EINVAL, "engine: the predictor is for %d gates, the network has %d",
                        predictor->gates, e->exits - 1);
    own.batch = w->batch;
    own.part = (eex_plan_part){EEX_PLAN_WHOLE, 0}; /* of the predictor, which is never cut */
    w->input = malloc(rows * sizeof *w->input);
    w->ask = malloc(rows * sizeof *w->ask);
    if (!w->input || !w->ask)
        return eex_fail(EEX_ENOMEM, "engine: out of memory for a batch of %zu", rows);
    EEX_TRY(eex_predict_guest_new(&e->predictor, predictor, &own));
    return eex_walk_invite(w, e->predictor);
}

static int open_engine(eex_engine *e, const eex_graph *graph, eex_params *params,
                       const eex_policy *policy, const eex_inference *how,
                       const eex_exit_predictor *predictor)
{
    predictor = policy ? predictor : NULL;
    eex_walk *w = &e->walk;
    eex_plan_options options = eex_inference_plan(how);
    w->device = e->device;
    e->part = how->part;
    w->last = e->part.side == EEX_PLAN_FRONT ? e->part.cut : e->exits - 1;
    options.batch = w->batch = eex__engine_rows(e->device, graph, how);
    options.gates_apart = predictor;
    EEX_TRY(eex_plan_new(&w->plan, &options, graph, params));
    e->image_bytes = eex_plan_image_bytes(w->plan);
    EEX_TRY(set_predictor(e, predictor, how));
    EEX_TRY(set_familiar(e, graph, policy, how->familiar));
    return set_policy(e, policy, eex_graph_classes(graph));
}

int eex_engine_new(eex_engine **out, const eex_graph *graph, eex_params *params,
                   const eex_policy *policy, const eex_inference *how)
{
    return eex_engine_new_predicting(out, graph, params, policy, how, NULL);
}

int eex_engine_new_predicting(eex_engine **out, const eex_graph *graph, eex_params *params,
                              const eex_policy *policy, const eex_inference *how,
                              const eex_exit_predictor *predictor)
{
    EEX_NEED(out, "place for the engine");
    *out = NULL;
    EEX_NEED(graph, "graph");
    EEX_NEED(params, "params");
    EEX_NEED(how, "way to run it");
    int exits = eex_graph_exits(graph);
    if (policy && (policy->exits != exits || policy->classes != eex_graph_classes(graph)))
        return eex_fail(
            EEX_EINVAL, "engine: the policy is for %d exits and %d classes, %s has %d and %d",
            policy->exits, policy->classes, eex_graph_name(graph), exits, eex_graph_classes(graph));
    if (how->batch < 1 || how->batch > EEX_ENGINE_MAX_BATCH)
        return eex_fail(EEX_EINVAL, "engine: batch %d, expected 1 to %d", how->batch,
                        EEX_ENGINE_MAX_BATCH);
    eex_engine *e = calloc(1, sizeof *e);
    if (!e)
        return eex_fail(EEX_ENOMEM, "out of memory for an engine");
    e->device = params->device;
    e->params = params;
    e->batch = how->batch;
    e->exits = exits;
    int code = eex_device_lock(e->device);
    if (code == EEX_OK) {
        code = open_engine(e, graph, params, policy, how, predictor);
        eex_device_unlock(e->device);
    }
    if (code == EEX_OK)
        code = eex__engine_queue_new(e);
    if (code < 0) {
        eex_engine_close(e);
        return code;
    }
    *out = e;
    return EEX_OK;
}

int eex_engine_open(eex_engine **out, const eex_model *model, int batch)
{
    EEX_NEED(out, "place for the engine");
    *out = NULL;
    EEX_NEED(model, "model");
    const eex_inference how = eex_model_inference(model, batch);
    if (!model->params)
        return eex_fail(EEX_EINVAL, "engine: %s was opened without a device", model->path);
    int code = eex_device_calculates(model->params->device, how.precision);
    if (code < 0)
        return eex_fail_in(code, "%s", model->path);
    return eex_engine_new_predicting(out, model->graph, model->params, model->policy, &how,
                                     model->predictor);
}

void eex_engine_close(eex_engine *e)
{
    if (!e)
        return;
    eex_queue_free(e->queue);
    const bool locked = eex_device_lock(e->device) == EEX_OK;
    eex_plan_free(e->walk.plan);
    eex_predict_guest_free(e->predictor);
    if (locked)
        eex_device_unlock(e->device);
    eex_distance_guest_free(e->distances);
    free(e->walk.input);
    free(e->walk.ask);
    free(e);
}

int eex_engine_decide(eex_engine *e, const eex_policy *policy, const float *gamma)
{
    EEX_NEED(e, "engine");
    EEX_NEED(policy, "policy");
    const int classes = eex_graph_classes(e->params->graph);
    if (!e->walk.leaves)
        return eex_fail(EEX_EINVAL, "engine: it was opened without a policy, so nobody decides");
    if (policy->exits != e->exits || policy->classes != classes)
        return eex_fail(EEX_EINVAL,
                        "engine: a policy for %d exits and %d classes, the network has %d and %d",
                        policy->exits, policy->classes, e->exits, classes);
    EEX_TRY(eex_device_lock(e->device));
    const int code = set_policy(e, policy, classes);
    if (code == EEX_OK && e->predictor && gamma)
        eex_predict_guest_ask(e->predictor, gamma);
    eex_device_unlock(e->device);
    return code;
}

size_t eex_engine_image_bytes(const eex_engine *e)
{
    return e ? e->image_bytes : 0;
}

int eex_engine_rows(const eex_engine *e)
{
    return e ? e->walk.batch : 0;
}

eex_walk eex_engine_walk(const eex_engine *e)
{
    return e->walk;
}

int eex_engine_run(eex_engine *e, eex_result *results, const uint8_t *images, int count)
{
    EEX_NEED(e, "engine");
    EEX_NEED(results, "place for the results");
    EEX_NEED(images, "images");
    const int most = e->walk.batch;
    if (count < 1 || count > e->batch)
        return eex_fail(EEX_EINVAL, "engine: %d images, expected 1 to %d", count, e->batch);
    EEX_TRY(eex__engine_check_whole(e, __func__));
    EEX_TRY(eex_device_lock(e->device));
    int code = EEX_OK;
    for (int at = 0; at < count && code == EEX_OK; at += most) {
        const int rows = count - at < most ? count - at : most;
        code = eex_walk_run(&e->walk, results + at, images + (size_t)at * e->image_bytes, rows);
    }
    eex_device_unlock(e->device);
    return code;
}
