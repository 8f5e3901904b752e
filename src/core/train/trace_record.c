#include "core/data/loader.h"
#include "core/train/familiar.h"
#include "core/train/train.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

/* What is recorded, and by what. */
typedef struct recorder {
    eex_trace *trace;
    eex_plan *plan;
    eex_loader *loader;
    const eex_graph *graph;
    const eex_familiar *familiar; /* or NULL */
    float *values;                /* (batch, largest value) for distances */
} recorder;

static int record_batch(recorder *r, const eex_batch *batch, size_t at)
{
    eex_trace *trace = r->trace;
    size_t classes = (size_t)trace->classes;
    EEX_TRY(eex_plan_upload(r->plan, batch->images, NULL, batch->samples, batch->count));
    for (int k = 0; k < trace->exits; k++) {
        /* Read at once: a later segment may reuse the memory of these logits. */
        EEX_TRY(eex_plan_segments(r->plan, k, k, batch->count));
        const size_t from = (size_t)k * (size_t)trace->samples + at;
        EEX_TRY(eex_plan_logits(r->plan, k, trace->logits + from * classes, batch->count));
        if (r->familiar)
            EEX_TRY(eex_familiar_measure(trace->distance + from, r->familiar, r->plan, r->graph, k,
                                         r->values, batch->count));
    }
    memcpy(trace->labels + at, batch->labels, (size_t)batch->count * sizeof *trace->labels);
    memcpy(trace->sample + at, batch->samples, (size_t)batch->count * sizeof *trace->sample);
    return EEX_OK;
}

static int record_all(recorder *r)
{
    const eex_batch *batch;
    size_t at = 0;
    for (;;) {
        EEX_TRY(eex_loader_next(&batch, r->loader));
        if (!batch)
            return EEX_OK;
        EEX_TRY(record_batch(r, batch, at));
        at += (size_t)batch->count;
    }
}

static int make_room(recorder *r, int batch)
{
    if (!r->familiar)
        return EEX_OK;
    const size_t floats = eex_familiar_floats(r->familiar, r->graph);
    r->values = malloc((floats * (size_t)batch + 1) * sizeof *r->values);
    return r->values
               ? eex_trace_add_distance(r->trace)
               : eex_fail(EEX_ENOMEM, "trace: out of memory for the values of %d images", batch);
}

int eex_trace_record(eex_trace **out, const eex_graph *graph, eex_params *params, eex_dataset *data,
                     const uint32_t *samples, size_t count, const eex_inference *how)
{
    int exits = eex_graph_exits(graph);
    recorder r = {.graph = graph, .familiar = how->familiar};
    float ones[EEX_MAX_EXITS];
    for (int k = 0; k < exits; k++)
        ones[k] = 1;
    *out = NULL;
    const eex_plan_options options = eex_inference_plan(how);
    const eex_loader_options from = {
        .data = data, .samples = samples, .count = count, .batch = how->batch};
    int code = eex_trace_new(&r.trace, (int)count, exits, eex_graph_classes(graph));
    if (code == EEX_OK)
        code = make_room(&r, how->batch);
    if (code == EEX_OK)
        code = eex_plan_new(&r.plan, &options, graph, params);
    if (code == EEX_OK)
        code = eex_loader_open(&r.loader, &from);
    if (code == EEX_OK)
        code = record_all(&r);
    if (code == EEX_OK)
        code = eex_trace_score(r.trace, params->device, ones);
    if (code == EEX_OK) {
        *out = r.trace;
        r.trace = NULL;
    }
    free(r.values);
    eex_loader_close(r.loader);
    eex_plan_free(r.plan);
    eex_trace_free(r.trace);
    return code;
}
