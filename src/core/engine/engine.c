/* How a batch shrinks: at the end of each segment the head scores every sample that is still there
 * and decides by the policy's thresholds; those that leave get their result, the others move up to
 * the front (compaction), and the next segment runs on fewer rows. All of that happens on the
 * device; what comes to the host at an exit is the number of rows that stay, and what they read
 * where the policy rejects by distance from what is familiar. */
#include "core/engine/engine_impl.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Thresholds to the device. Without a policy nobody is asked before the end, which accepts all. */
static int set_policy(eex_engine *e, const eex_policy *p, int classes)
{
    e->leaves = p != NULL;
    for (int k = 0; k < e->exits && p; k++)
        EEX_TRY(eex_plan_temperature(e->plan, k, p->temperature[k]));
    if (p)
        return eex_plan_decide(e->plan, eex_policy_compares(p->kind), p->high, p->low);
    size_t all = (size_t)e->exits * (size_t)classes;
    float *never = malloc(all * sizeof *never);
    if (!never)
        return eex_fail(EEX_ENOMEM, "engine: out of memory for %zu thresholds", all);
    for (size_t i = 0; i < all; i++)
        never[i] = -INFINITY; /* as low: nobody is rejected; as high: all are accepted */
    int code = eex_plan_decide(e->plan, EEX_MEASURE_CONFIDENCE, never, never);
    free(never);
    return code;
}

/* Room for distances, where the policy asks for them. */
static int set_familiar(eex_engine *e, const eex_graph *graph, const eex_policy *p,
                        const eex_inference *how)
{
    if (!p || !eex_policy_rejects_by_distance(p))
        return EEX_OK;
    if (!how->familiar || how->familiar->exits != e->exits)
        return eex_fail(EEX_EINVAL, "engine: the policy rejects by distance from what is familiar, "
                                    "and the network does not know what is");
    const size_t rows = (size_t)e->rows;
    memcpy(e->far, p->far, (size_t)e->exits * sizeof *e->far);
    e->graph = graph;
    e->familiar = how->familiar;
    e->values = malloc((eex_familiar_floats(e->familiar, graph) * rows + 1) * sizeof *e->values);
    e->distance = malloc(rows * sizeof *e->distance);
    e->decision = malloc(rows);
    return e->values && e->distance && e->decision
               ? EEX_OK
               : eex_fail(EEX_ENOMEM, "engine: out of memory for the distances of %zu images",
                          rows);
}

static int open_engine(eex_engine *e, const eex_graph *graph, eex_params *params,
                       const eex_policy *policy, const eex_inference *how)
{
    const eex_node *input = eex_graph_node(graph, 0);
    e->image_bytes = (size_t)input->h * (size_t)input->w * (size_t)input->c;
    e->rows = eex__engine_rows(e->device, graph, e->batch);
    eex_plan_options options = eex_inference_plan(how);
    options.batch = e->rows;
    EEX_TRY(eex_plan_new(&e->plan, &options, graph, params));
    EEX_TRY(set_familiar(e, graph, policy, how));
    return set_policy(e, policy, eex_graph_classes(graph));
}

int eex_engine_new(eex_engine **out, const eex_graph *graph, eex_params *params,
                   const eex_policy *policy, const eex_inference *how)
{
    *out = NULL;
    int exits = eex_graph_exits(graph);
    if (policy && (policy->exits != exits || policy->classes != eex_graph_classes(graph)))
        return eex_fail(
            EEX_EINVAL, "engine: the policy is for %d exits and %d classes, %s has %d and %d",
            policy->exits, policy->classes, eex_graph_name(graph), exits, eex_graph_classes(graph));
    if (how->batch < 1)
        return eex_fail(EEX_EINVAL, "engine: batch %d, expected at least 1", how->batch);
    eex_engine *e = calloc(1, sizeof *e);
    if (!e)
        return eex_fail(EEX_ENOMEM, "out of memory for an engine");
    e->device = params->device;
    e->batch = how->batch;
    e->exits = exits;
    int code = eex__queue_init(&e->queue);
    if (code < 0) {
        free(e);
        return code;
    }
    code = eex_device_lock(e->device);
    if (code == EEX_OK) {
        code = open_engine(e, graph, params, policy, how);
        eex_device_unlock(e->device);
    }
    if (code < 0) {
        eex_engine_close(e);
        return code;
    }
    *out = e;
    return EEX_OK;
}

int eex_engine_open(eex_engine **out, const eex_model *model, int batch)
{
    const eex_inference how = eex_model_inference(model, batch);
    *out = NULL;
    if (!model->params)
        return eex_fail(EEX_EINVAL, "engine: %s was opened without a device", model->path);
    int code = eex_device_calculates(model->params->device, how.precision);
    if (code < 0)
        return eex_fail_in(code, "%s", model->path);
    return eex_engine_new(out, model->graph, model->params, model->policy, &how);
}

void eex_engine_close(eex_engine *e)
{
    if (!e)
        return;
    eex__queue_close(&e->queue);
    const bool locked = eex_device_lock(e->device) == EEX_OK;
    eex_plan_free(e->plan);
    if (locked)
        eex_device_unlock(e->device);
    free(e->ms);
    free(e->values);
    free(e->distance);
    free(e->decision);
    free(e);
}

size_t eex_engine_image_bytes(const eex_engine *e)
{
    return e->image_bytes;
}

int eex_engine_rows(const eex_engine *e)
{
    return e->rows;
}

eex_plan *eex_engine_plan(const eex_engine *e)
{
    return e->plan;
}

/* ---- running ---- */

/* The rows a segment is run with when `count` are there. A CPU runs exactly those; a GPU replays
 * recordings, of which there should be few: up to 8 exact, then four sizes for each doubling, at
 * most a quarter too many. */
static int rows_to_run(const eex_engine *e, int count)
{
    int step = 1;
    if (e->device->host_memory)
        return count;
    while (8 * step < count)
        step *= 2;
    int rows = (count + step - 1) / step * step;
    return rows < e->rows ? rows : e->rows;
}

/* What is too far from the familiar at exit k leaves as rejected, whatever its score decided. */
int eex__engine_reject(eex_engine *e, int k, int rows)
{
    if (!e->familiar || !(e->far[k] < (double)INFINITY))
        return EEX_OK;
    EEX_TRY(eex_familiar_measure(e->distance, e->familiar, e->plan, e->graph, k, e->values, rows));
    EEX_TRY(eex_plan_decisions(e->plan, e->decision, rows));
    for (int i = 0; i < rows; i++)
        if (eex_too_far(e->far[k], e->distance[i]))
            e->decision[i] = EEX_REJECT;
    return eex_plan_set_decisions(e->plan, e->decision, rows);
}

static int run(eex_engine *e, eex_result *results, const uint8_t *images, int count)
{
    int there = count, last = e->exits - 1;
    EEX_TRY(eex_plan_upload(e->plan, images, NULL, NULL, count));
    EEX_TRY(eex_plan_gather(e->plan, count));
    bool done = false;
    if (count == 1 && e->leaves && !e->familiar)
        EEX_TRY(eex_plan_run_single(e->plan, &done));
    for (int k = 0; k <= last && there > 0 && !done; k++) {
        int rows = rows_to_run(e, there), to = e->leaves ? k : last;
        EEX_TRY(eex_plan_segments(e->plan, k, to, rows));
        k = to;
        EEX_TRY(eex__engine_reject(e, k, there));
        EEX_TRY(eex_plan_leave(e->plan, k, rows, &there));
    }
    return eex_plan_results(e->plan, results, count);
}

int eex_engine_run(eex_engine *e, eex_result *results, const uint8_t *images, int count)
{
    if (count < 1 || count > e->batch)
        return eex_fail(EEX_EINVAL, "engine: %d images, expected 1 to %d", count, e->batch);
    EEX_TRY(eex_device_lock(e->device));
    int code = EEX_OK;
    for (int at = 0; at < count && code == EEX_OK; at += e->rows) {
        const int rows = count - at < e->rows ? count - at : e->rows;
        code = run(e, results + at, images + (size_t)at * e->image_bytes, rows);
    }
    eex_device_unlock(e->device);
    return code;
}
