#include "core/run/run_scored.h"

#include "core/graph/cost.h"
#include "core/train/batches.h"

#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 100 };

/* ---- running ---- */

static int run_batches(eex__scored *s, eex_engine *engine, eex_batches *batches)
{
    const eex_batch *batch;
    for (size_t at = 0;; at += (size_t)batch->count) {
        EEX_TRY(eex__run_poll());
        EEX_TRY(eex_batches_next(&batch, batches));
        if (!batch)
            return EEX_OK;
        EEX_TRY(eex_engine_run(engine, s->results + at, batch->images, batch->count));
    }
}

/* While the device runs a batch the next one is read and goes up. */
static int run_all(eex__scored *s, const eex_run *run, eex_engine *engine)
{
    const eex_index *test = &run->split.test;
    const eex_loader_options from = {
        .data = run->data, .samples = test->at, .count = test->count, .batch = BATCH};
    eex_batches batches = {.loader = NULL};
    if (test->count == 0)
        return EEX_OK;
    int code = eex_batches_open(&batches, run->device, &from);
    if (code == EEX_OK)
        code = run_batches(s, engine, &batches);
    eex_batches_close(&batches);
    return code;
}

static eex_device_usage usage_of(eex_device *dev)
{
    eex_device_usage now = {.joules = NAN};
    if (!dev->vtable->usage || dev->vtable->usage(dev, &now) < 0)
        now.joules = NAN;
    return now;
}

static int run_engine(eex__scored *s, const eex_run *run)
{
    eex_inference how = eex__run_inference(run, BATCH);
    how.familiar = s->familiar;
    eex_engine *engine = NULL;
    double before = usage_of(run->device).joules;
    EEX_TRY(eex_engine_new(&engine, s->graph, s->params, s->policy, &how));
    int code = run_all(s, run, engine);
    s->joules = usage_of(run->device).joules - before;
    eex_engine_close(engine);
    return code;
}

int eex__score_test(eex__scored *s, const eex_run *run)
{
    const size_t test = run->split.test.count;
    s->results = calloc(test + 1, sizeof *s->results);
    return s->results ? run_engine(s, run)
                      : eex_fail(EEX_ENOMEM, "out of memory for the results of %zu images", test);
}

/* ---- figures ---- */

void eex__scored_count(eex__tally *t, const eex_run *run, const eex__scored *s)
{
    const eex_index *test = &run->split.test;
    const int32_t *labels = eex_dataset_labels(run->data);
    double n = test->count ? (double)test->count : 1, right[EEX_MAX_EXITS] = {0};
    *t = (eex__tally){0};
    for (size_t i = 0; i < test->count; i++) {
        const eex_result *one = &s->results[i];
        bool rejected = one->decision == EEX_REJECT;
        t->rejected += rejected / n;
        t->share[one->exit]++;
        right[one->exit] += !rejected && one->top == labels[test->at[i]];
    }
    double all = 0;
    for (int k = 0; k < eex_graph_exits(s->graph); k++) {
        all += right[k];
        t->exit_accuracy[k] = t->share[k] > 0 ? right[k] / t->share[k] : NAN;
        t->share[k] /= n;
    }
    t->accuracy = all / n;
}

int eex__score_alone(double *accuracy, const eex_run *run, const eex_graph *graph,
                     eex_params *params)
{
    eex_trace *trace = NULL;
    for (int k = 0; k < eex_graph_exits(graph); k++)
        accuracy[k] = NAN;
    if (run->split.test.count == 0)
        return EEX_OK;
    EEX_TRY(eex__run_trace(&trace, run, graph, params, NULL, &run->split.test));
    for (int k = 0; k < trace->exits; k++)
        accuracy[k] = eex_trace_accuracy(trace, k);
    eex_trace_free(trace);
    return EEX_OK;
}

/* ---- in a file ---- */

static int save_column(eex_store_file *file, const char *group, const char *name,
                       eex_store_type type, const void *values, size_t count, const char *unit)
{
    char path[64];
    const eex_store_shape shape = {1, {count}};
    snprintf(path, sizeof path, "%s/%s", group, name);
    EEX_TRY(eex_store_write_packed(file, path, type, &shape, values));
    return eex_store_set_string(file, path, "unit", unit);
}

int eex__alone_save(eex_store_file *file, const char *group, const double *accuracy, int exits)
{
    return save_column(file, group, "alone_accuracy", EEX_STORE_F64, accuracy, (size_t)exits,
                       "fraction of the test split, of this exit alone");
}

/* Decisions of every test image, in the order of split.h5. */
static int save_decisions(eex_store_file *file, const char *group, const eex__scored *s,
                          size_t count)
{
    int32_t *top = malloc((count + 1) * sizeof *top), *exit = malloc((count + 1) * sizeof *exit);
    uint8_t *rejected = malloc(count + 1);
    int code = top && exit && rejected ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory");
    for (size_t i = 0; code == EEX_OK && i < count; i++) {
        top[i] = s->results[i].top;
        exit[i] = s->results[i].exit;
        rejected[i] = s->results[i].decision == EEX_REJECT;
    }
    if (code == EEX_OK)
        code = save_column(file, group, "top", EEX_STORE_I32, top, count, "class");
    if (code == EEX_OK)
        code = save_column(file, group, "exit", EEX_STORE_I32, exit, count, "exit, from 0");
    if (code == EEX_OK)
        code = save_column(file, group, "rejected", EEX_STORE_U8, rejected, count, "1: rejected");
    free(top);
    free(exit);
    free(rejected);
    return code;
}

/* What the device itself can tell: energy an image, and the most memory of the process so far. */
static int save_usage(eex_store_file *file, const char *group, const eex_run *run,
                      const eex__scored *s)
{
    size_t images = run->split.test.count, peak = usage_of(run->device).peak_bytes;
    if (peak)
        EEX_TRY(eex_store_set_int(file, group, "device_peak_bytes", (int64_t)peak));
    if (isnan(s->joules) || images == 0)
        return EEX_OK;
    return eex_store_set_double(file, group, "energy_j", s->joules / (double)images);
}

int eex__scored_save(eex_store_file *file, const char *group, const eex_run *run,
                     const eex__scored *s)
{
    eex__tally t;
    eex__scored_count(&t, run, s);
    size_t exits = (size_t)eex_graph_exits(s->graph);
    EEX_TRY(save_decisions(file, group, s, run->split.test.count));
    EEX_TRY(eex_store_set_double(file, group, "accuracy", t.accuracy));
    EEX_TRY(eex_store_set_double(file, group, "rejected", t.rejected));
    EEX_TRY(eex_store_set_double(file, group, "macs",
                                 eex_cost_ada_cumulative(s->graph, t.share, EEX_MACS)));
    EEX_TRY(
        eex_store_set_double(file, group, "macs_taken", eex_cost_ada(s->graph, t.share, EEX_MACS)));
    EEX_TRY(save_column(file, group, "utilisation", EEX_STORE_F64, t.share, exits,
                        "fraction of the test split"));
    EEX_TRY(save_column(file, group, "exit_accuracy", EEX_STORE_F64, t.exit_accuracy, exits,
                        "fraction of those that leave there"));
    return save_usage(file, group, run, s);
}
