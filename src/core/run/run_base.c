/* The split, the base network and the probe that ranks exit points by what a linear layer can read
 * there. */
#include "core/run/run.h"
#include "core/run/run_init.h"

#include "base/log.h"
#include "base/status.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- split.h5 ---- */

static int split_fill(eex_store_file *file, const void *context)
{
    const eex_run *run = context;
    return eex_split_write(&run->split, file, "split");
}

static int split_use(eex_store_file *file, void *context)
{
    eex_run *run = context;
    return eex_split_read(&run->split, file, "split", run->facts->samples);
}

int eex__run_split(eex_run *run)
{
    const eex_split_spec spec = {.seed = eex__run_seed(run, EEX_STREAM_SPLIT, 0),
                                 .calibration = run->e->data.calibration,
                                 .validation = run->e->data.validation,
                                 .train = run->e->data.train};
    if (eex__run_has(run, "split.h5"))
        return eex__run_read(run, "split.h5", split_use, run);
    EEX_TRY(eex_split_make(&run->split, run->data, &spec));
    return eex__run_write(run, "split.h5", split_fill, run);
}

/* ---- base.h5 ---- */

/* There are no gates, and of an elastic backbone the largest network alone is trained: every regime
 * is the joint one. A warm-up that is longer than the base's own epochs ends with them. */
static eex_recipe base_recipe(const eex_experiment *e)
{
    eex_recipe recipe = e->training;
    recipe.regime = EEX_REGIME_JOINT;
    recipe.cache_features = false;
    if (e->base_epochs) {
        recipe.epochs = e->base_epochs;
        recipe.schedule.warmup = fmin(recipe.schedule.warmup, e->base_epochs);
    }
    return recipe;
}

static int base_train(eex_run *run, eex_params *params)
{
    const eex_recipe recipe = base_recipe(run->e);
    const eex__training training = {.title = "base",
                                    .checkpoint = "base-checkpoint.h5",
                                    .recipe = &recipe,
                                    .seed = eex__run_seed(run, EEX_STREAM_BASE, 0),
                                    .samples = run->split.train.at,
                                    .count = run->split.train.count,
                                    .validation = &run->split.validation};
    eex__history history = {0};
    eex_log_info("training the base: %s, %d epoch%s on %zu images",
                 eex_graph_name(run->e->backbone), recipe.epochs, eex_plural(recipe.epochs),
                 training.count);
    int code = eex__run_train(run, params, &training, &history);
    if (code == EEX_OK)
        code = eex__run_save_weights(run, "base.h5", params, &history);
    eex__history_free(&history);
    return code < 0 ? eex_fail_in(code, "base") : EEX_OK;
}

int eex__run_base(eex_run *run)
{
    if (eex__run_has(run, "base.h5"))
        return eex__run_remove(run, "base-checkpoint.h5");
    eex_params *params = NULL;
    EEX_TRY(eex_params_new(&params, run->device, run->e->backbone, run->e->seed));
    int code = eex__run_init(params, run);
    if (code == EEX_OK)
        code = base_train(run, params);
    if (code == EEX_OK)
        code = eex__run_remove(run, "base-checkpoint.h5");
    if (code == EEX_OK)
        run->base = params;
    else
        eex_params_free(params);
    return code;
}

int eex__run_base_params(eex_run *run)
{
    if (run->base)
        return EEX_OK;
    return eex__run_load_weights(&run->base, run, "base.h5", run->e->backbone);
}

/* ---- probe.h5 ---- */

/* As many probes as one network may carry are trained at once. */
enum { PROBES = 60, PROBE_EPOCHS = 3, PROBE_IMAGES = 10000 };

static eex_recipe probe_recipe(const eex_run *run)
{
    eex_recipe recipe = eex_recipe_default();
    recipe.regime = EEX_REGIME_FROZEN;
    recipe.epochs = PROBE_EPOCHS;
    recipe.batch = run->e->training.batch;
    recipe.schedule.warmup = 0;
    recipe.augment.enabled = false;
    return recipe;
}

/* Accuracy on the validation split of a linear layer on the pooled features of some points. */
static int probe_train(eex_run *run, const eex_graph *graph, double *accuracy, int first)
{
    const eex_recipe recipe = probe_recipe(run);
    size_t count = run->split.train.count;
    const eex__training training = {.title = "probe",
                                    .checkpoint = "probe-checkpoint.h5",
                                    .recipe = &recipe,
                                    .seed = eex__run_seed(run, EEX_STREAM_PROBE, (uint64_t)first),
                                    .subject = (uint64_t)first,
                                    .samples = run->split.train.at,
                                    .count = count < PROBE_IMAGES ? count : PROBE_IMAGES};
    eex_params *params = NULL;
    eex__history history = {0};
    eex_trace *trace = NULL;
    EEX_TRY(eex_params_new(&params, run->device, graph, run->e->seed));
    int code = eex_params_copy(params, run->base, NULL);
    if (code == EEX_OK)
        code = eex__run_train(run, params, &training, &history);
    if (code == EEX_OK)
        code = eex__run_trace(&trace, run, graph, params, NULL, &run->split.validation);
    for (int k = 0; code == EEX_OK && k + 1 < trace->exits; k++)
        accuracy[k] = eex_trace_accuracy(trace, k);
    eex_trace_free(trace);
    eex__history_free(&history);
    eex_params_free(params);
    return code;
}

static int probe_all(eex_run *run, double *accuracy)
{
    const eex_points *points = &run->e->points;
    for (int first = 0; first < points->count; first += PROBES) {
        eex_gate gates[PROBES] = {{0}};
        int count = points->count - first < PROBES ? points->count - first : PROBES;
        for (int i = 0; i < count; i++)
            gates[i].point = points->nodes[first + i];
        eex_graph *graph = NULL;
        EEX_TRY(eex_graph_with_gates(&graph, run->e->backbone, gates, count, run->e->gates.act));
        int code = probe_train(run, graph, accuracy + first, first);
        eex_graph_free(graph);
        EEX_TRY(code);
    }
    return EEX_OK;
}

typedef struct probe {
    uint64_t count;
    double accuracy[EEX_MAX_EXITS * 2]; /* (count) */
} probe;

static int probe_fill(eex_store_file *file, const void *context)
{
    const probe *p = context;
    const eex_store_shape shape = {1, {p->count}};
    EEX_TRY(eex_store_write(file, "accuracy", EEX_STORE_F64, &shape, p->accuracy));
    return eex_store_set_string(file, "accuracy", "unit", "fraction of the validation split");
}

static int probe_use(eex_store_file *file, void *context)
{
    probe *p = context;
    const eex_store_shape shape = {1, {p->count}};
    return eex_store_read(p->accuracy, file, "accuracy", EEX_STORE_F64, &shape);
}

int eex__run_probe(eex_run *run)
{
    probe p = {.count = (uint64_t)run->e->points.count};
    eex_points best;
    if (eex__run_has(run, "probe.h5")) {
        EEX_TRY(eex__run_read(run, "probe.h5", probe_use, &p));
    } else {
        eex_log_info("probing %d point%s", run->e->points.count, eex_plural(run->e->points.count));
        EEX_TRY(eex__run_base_params(run));
        EEX_TRY(probe_all(run, p.accuracy));
        EEX_TRY(eex__run_write(run, "probe.h5", probe_fill, &p));
    }
    EEX_TRY(eex__run_remove(run, "probe-checkpoint.h5"));
    EEX_TRY(eex_saliency_top(&best, run->e->backbone, &run->e->points, p.accuracy,
                             run->e->probe_count));
    return eex__run_space(run, &best);
}
