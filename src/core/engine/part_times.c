#include "core/engine/part_times.h"

#include "core/train/inference.h"

#include "base/status.h"

#include <math.h>

/* Milliseconds until each exit of a network, one input. */
static int predict(double *ms, eex_latency_table *table, const eex_graph *graph, eex_params *params,
                   const eex_inference *how)
{
    eex_plan_options options = eex_inference_plan(how);
    eex_plan *plan = NULL;
    int added;
    EEX_TRY(eex_latency_table_add(table, &added, graph, params, how));
    EEX_TRY(eex_plan_new(&plan, &options, graph, params));
    const int code = eex_latency_predict(ms, table, graph, plan);
    eex_plan_free(plan);
    return code;
}

/* The network that has that exit alone. */
static int predict_alone(double *ms, eex_latency_table *table, const eex_model *model, int exit)
{
    const eex_inference how = eex_model_inference(model, 1);
    eex_graph *graph = NULL;
    eex_params *params = NULL;
    EEX_TRY(eex_graph_select(&graph, model->graph, &exit, 1));
    int code = eex_params_new(&params, model->params->device, graph, 0);
    if (code == EEX_OK)
        code = eex_params_copy(params, model->params, NULL);
    if (code == EEX_OK)
        code = predict(ms, table, graph, params, &how);
    eex_params_free(params);
    eex_graph_free(graph);
    return code;
}

/* until[k]: the trunk as far as exit k; gate[k]. What is behind a trunk and no gate is the same
 * with the gates in front and without. */
typedef struct times {
    double until[EEX_MAX_EXITS], gate[EEX_MAX_EXITS];
    double whole; /* without gates, to the end */
} times;

static int measure(times *t, eex_latency_table *table, const eex_model *model)
{
    const eex_inference how = eex_model_inference(model, 1);
    const int exits = eex_graph_exits(model->graph);
    double with[EEX_MAX_EXITS], alone[EEX_MAX_EXITS];
    EEX_TRY(predict(with, table, model->graph, model->params, &how));
    for (int k = 0; k < exits; k++)
        EEX_TRY(predict_alone(&alone[k], table, model, k));
    for (int k = 0; k < exits - 1; k++) {
        const double before = fmax(0, with[k] - alone[k]); /* gates in front of k */
        t->gate[k] = fmax(0, with[k + 1] - alone[k + 1] - before);
        t->until[k] = fmax(0, alone[k] - t->gate[k]);
    }
    t->whole = alone[exits - 1];
    return EEX_OK;
}

static void replace(eex_parts *parts, double speed, const times *t)
{
    const int last = parts->exits - 1; /* behind the cut */
    const double encoder = parts->trunk[last], server = parts->server;
    const double behind = fmax(0, t->whole - t->until[last - 1]);
    const double share = encoder + server > 0 ? encoder / (encoder + server) : 0;
    double before = 0;
    for (int k = 0; k < last; k++) {
        parts->trunk[k] = speed * fmax(0, t->until[k] - before) / 1e3;
        parts->gate[k] = speed * t->gate[k] / 1e3;
        before = t->until[k];
    }
    parts->trunk[last] = speed * behind * share / 1e3;
    parts->rest = speed * behind * (1 - share) / 1e3;
}

int eex_part_times(eex_parts *parts, double *speed, eex_latency_table *table,
                   const eex_model *model, const eex_exit_predictor *predictor)
{
    times t = {.whole = 0};
    double all = parts->server, ms;
    for (int k = 0; k < parts->exits; k++)
        all += parts->trunk[k];
    EEX_TRY(measure(&t, table, model));
    if (!(t.whole > 0))
        return eex_fail(EEX_EINVAL, "%s: its parts took no time at all", model->path);
    *speed = 1e3 * all / t.whole;
    replace(parts, *speed, &t);
    if (!predictor)
        return EEX_OK;
    const eex_inference how = eex_model_inference(model, 1);
    EEX_TRY(predict(&ms, table, predictor->graph, predictor->params, &how));
    parts->predictor = *speed * ms / 1e3;
    return EEX_OK;
}
