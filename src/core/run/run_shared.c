/* The shared network: the trunk with gates of every size at every point, trained once, and traced
 * once where the search's judge asks for it. */
#include "core/graph/elastic.h"
#include "core/run/judge.h"
#include "core/run/run.h"
#include "core/run/run_init.h"

#include "base/log.h"
#include "base/status.h"
#include "base/text.h"

#include <stdlib.h>

/* ---- training ---- */

void eex__run_shared_warn(const eex_run *run)
{
    const eex_regime regime = run->e->training.regime;
    if (eex_graph_genes(run->e->backbone) == 0 || !eex__judge_wants_shared(run) ||
        eex__run_has(run, "shared.h5") || regime == EEX_REGIME_SANDWICH)
        return;
    eex_log_warn("training.regime: \"%s\" trains the largest of the backbone's networks alone: the "
                 "others are judged by weights that were never trained for them",
                 eex_regime_name(regime));
}

static int train(eex_run *run, eex_params *params)
{
    const eex_recipe *recipe = &run->e->training;
    const eex__training training = {.title = "shared network",
                                    .checkpoint = "shared-checkpoint.h5",
                                    .recipe = recipe,
                                    .seed = eex__run_seed(run, EEX_STREAM_SHARED, 0),
                                    .samples = run->split.train.at,
                                    .count = run->split.train.count,
                                    .validation = &run->split.validation};
    eex__history history = {0};
    int code = EEX_OK;
    char summary[EEX_STRUCTURE_SUMMARY];
    eex_structures_summary(summary, run->structures);
    eex_log_info("training the shared network: %s, %s, %d epoch%s", summary,
                 eex_regime_name(recipe->regime), recipe->epochs, eex_plural(recipe->epochs));
    if (run->e->training_from_base || recipe->regime == EEX_REGIME_FROZEN) {
        EEX_TRY(eex__run_base_params(run));
        EEX_TRY(eex_params_copy(params, run->base, NULL));
    } else {
        EEX_TRY(eex__run_init(params, run));
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
    eex_log_info("tracing %d exit%s on %zu image%s", eex_graph_exits(graph),
                 eex_plural(eex_graph_exits(graph)), samples->count,
                 eex_plural((int64_t)samples->count));
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
    if (!eex__judge_of(run)->traced)
        return EEX_OK;
    EEX_TRY(eex__run_poll());
    EEX_TRY(record(run, "trace-calibration.h5", graph, *params, &run->split.calibration));
    EEX_TRY(eex__run_poll());
    return record(run, "trace-validation.h5", graph, *params, &run->split.validation);
}

static bool is_done(const eex_run *run)
{
    if (!eex__judge_of(run)->traced)
        return eex__run_has(run, "shared.h5") && !eex__run_has(run, "shared-checkpoint.h5");
    return eex__run_has(run, "trace-calibration.h5") && eex__run_has(run, "trace-validation.h5");
}

int eex__run_shared(eex_run *run)
{
    if (is_done(run))
        return EEX_OK;
    eex_graph *graph = NULL;
    eex_params *params = NULL;
    EEX_TRY(eex_structures_shared(&graph, run->structures));
    int code = work(run, graph, &params);
    eex_params_free(params);
    eex_graph_free(graph);
    return code;
}

int eex__run_shared_network(eex_graph **graph, eex_params **params, const eex_run *run)
{
    if (!*graph)
        EEX_TRY(eex_structures_shared(graph, run->structures));
    return eex__run_load_weights(params, run, "shared.h5", *graph);
}
