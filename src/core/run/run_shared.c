/* The shared network: the trunk with gates of every size at every point, trained once, traced once.
 */
#include "core/graph/cost.h"
#include "core/run/run.h"

#include "base/log.h"
#include "base/status.h"

#include <stdlib.h>

/* ---- training ---- */

static int train(eex_run *run, eex_params *params)
{
    const eex_recipe *recipe = &run->e->training;
    const eex__training training = {.title = "shared network",
                                    .checkpoint = "shared-checkpoint.h5",
                                    .recipe = recipe,
                                    .seed = eex__run_seed(run, EEX_STREAM_SHARED, 0),
                                    .samples = run->split.train.at,
                                    .count = run->split.train.count};
    eex__history history = {0};
    int code = EEX_OK;
    eex_log_info("training the shared network: %d gates at %d points, %s, %d epochs",
                 run->points.count * run->e->gates.choices, run->points.count,
                 eex_regime_name(recipe->regime), recipe->epochs);
    if (run->e->training_from_base || recipe->regime == EEX_REGIME_FROZEN) {
        EEX_TRY(eex__run_base_params(run));
        EEX_TRY(eex_params_copy(params, run->base, NULL));
    }
    code = eex__run_train(run, params, &training, &history);
    if (code == EEX_OK)
        code = eex__run_save_weights(run, "shared.h5", params, &history);
    eex__history_free(&history);
    return code < 0 ? eex_fail_in(code, "shared network") : EEX_OK;
}

/* ---- traces ---- */

static int record(const eex_run *run, const char *name, const eex_graph *graph, eex_params *params,
                  const eex_index *samples)
{
    eex_trace *trace = NULL;
    if (eex__run_has(run, name))
        return EEX_OK;
    eex_log_info("tracing %d exits on %zu images", eex_graph_exits(graph), samples->count);
    EEX_TRY(eex__run_trace(&trace, run, graph, params, NULL, samples));
    int code = eex__run_save_trace(run, name, trace);
    eex_trace_free(trace);
    return code;
}

static int work(eex_run *run, const eex_graph *graph, eex_params **params)
{
    if (eex__run_has(run, "shared.h5")) {
        EEX_TRY(eex__run_load_weights(params, run, "shared.h5", graph));
    } else {
        EEX_TRY(eex_params_new(params, run->device, graph, run->e->seed));
        EEX_TRY(train(run, *params));
    }
    EEX_TRY(eex__run_remove(run, "shared-checkpoint.h5"));
    EEX_TRY(eex__run_poll());
    EEX_TRY(record(run, "trace-calibration.h5", graph, *params, &run->split.calibration));
    EEX_TRY(eex__run_poll());
    return record(run, "trace-validation.h5", graph, *params, &run->split.validation);
}

int eex__run_shared(eex_run *run)
{
    if (eex__run_has(run, "trace-validation.h5"))
        return EEX_OK;
    eex_graph *graph = NULL;
    eex_params *params = NULL;
    EEX_TRY(eex__run_shared_graph(&graph, run));
    int code = work(run, graph, &params);
    eex_params_free(params);
    eex_graph_free(graph);
    return code;
}

/* ---- the evaluator ---- */

typedef struct tables {
    double trunk[EEX_MAX_EXITS], gate[EEX_MAX_EXITS];
    eex__latencies ms;
} tables;

static int fill_tables(tables *t, const eex_run *run)
{
    eex_graph *graph = NULL;
    EEX_TRY(eex__run_shared_graph(&graph, run));
    int choices = run->e->gates.choices;
    for (int p = 0; p < run->points.count; p++) {
        t->trunk[p] =
            (double)eex_cost_trunk(graph, eex_graph_exit(graph, p * choices)->point, EEX_MACS);
        for (int i = 0; i < choices; i++)
            t->gate[p * choices + i] = (double)eex_cost_gate(graph, p * choices + i, EEX_MACS);
    }
    eex_graph_free(graph);
    return eex__run_latencies(&t->ms, run);
}

static int open_evaluator(eex__shared *out, eex_run *run)
{
    tables t = {{0}, {0}, {{0}, {0}, 0}};
    EEX_TRY(fill_tables(&t, run));
    const eex_cost_tables costs = {.points = run->points.count,
                                   .choices = run->e->gates.choices,
                                   .trunk_macs = t.trunk,
                                   .gate_macs = t.gate,
                                   .base_macs = run->base_macs,
                                   .trunk_ms = t.ms.trunk,
                                   .gate_ms = t.ms.gate,
                                   .base_ms = t.ms.base};
    const eex_evaluator_options options = {.policy = run->e->policy,
                                           .score = run->e->search.score,
                                           .weight = run->e->search.weight,
                                           .by_latency = run->e->search.cost == EEX_COST_LATENCY};
    EEX_TRY(eex__run_load_trace(&out->calibration, run, "trace-calibration.h5"));
    EEX_TRY(eex__run_load_trace(&out->validation, run, "trace-validation.h5"));
    return eex_evaluator_new(&out->evaluator, out->calibration, out->validation, run->device,
                             &costs, &options);
}

int eex__shared_open(eex__shared *out, eex_run *run)
{
    *out = (eex__shared){0};
    int code = open_evaluator(out, run);
    if (code != EEX_OK)
        eex__shared_close(out);
    return code;
}

void eex__shared_close(eex__shared *shared)
{
    eex_evaluator_free(shared->evaluator);
    eex_trace_free(shared->calibration);
    eex_trace_free(shared->validation);
    *shared = (eex__shared){0};
}
