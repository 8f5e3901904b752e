#include <string.h>

#include "base/status.h"
#include "core/loader.h"
#include "core/train.h"

static int record_batch(eex_trace *trace, eex_plan *plan, const eex_batch *batch, size_t at)
{
    size_t classes = (size_t)trace->classes;
    EEX_TRY(eex_plan_upload(plan, batch->images, NULL, batch->samples, batch->count));
    for (int k = 0; k < trace->exits; k++) {
        /* Read at once: a later segment may reuse the memory of these logits. */
        EEX_TRY(eex_plan_segments(plan, k, k, batch->count));
        float *row = trace->logits + ((size_t)k * (size_t)trace->samples + at) * classes;
        EEX_TRY(eex_plan_logits(plan, k, row, batch->count));
    }
    memcpy(trace->labels + at, batch->labels, (size_t)batch->count * sizeof *trace->labels);
    memcpy(trace->sample + at, batch->samples, (size_t)batch->count * sizeof *trace->sample);
    return EEX_OK;
}

static int record_all(eex_trace *trace, eex_plan *plan, eex_loader *loader)
{
    const eex_batch *batch;
    size_t at = 0;
    for (;;) {
        EEX_TRY(eex_loader_next(&batch, loader));
        if (!batch)
            return EEX_OK;
        EEX_TRY(record_batch(trace, plan, batch, at));
        at += (size_t)batch->count;
    }
}

int eex_trace_record(eex_trace **out, const eex_graph *graph, eex_params *params, eex_dataset *data,
                     const uint32_t *samples, size_t count, const eex_inference *how)
{
    int exits = eex_graph_exits(graph);
    eex_trace *trace = NULL;
    eex_plan *plan = NULL;
    eex_loader *loader = NULL;
    float ones[EEX_MAX_EXITS];
    for (int k = 0; k < exits; k++)
        ones[k] = 1;
    *out = NULL;
    const eex_plan_options options = eex_inference_plan(how);
    const eex_loader_options from = {
        .data = data, .samples = samples, .count = count, .batch = how->batch};
    int code = eex_trace_new(&trace, (int)count, exits, eex_graph_classes(graph));
    if (code == EEX_OK)
        code = eex_plan_new(&plan, &options, graph, params);
    if (code == EEX_OK)
        code = eex_loader_open(&loader, &from);
    if (code == EEX_OK)
        code = record_all(trace, plan, loader);
    if (code == EEX_OK)
        code = eex_trace_score(trace, params->device, ones);
    if (code == EEX_OK) {
        *out = trace;
        trace = NULL;
    }
    eex_loader_close(loader);
    eex_plan_free(plan);
    eex_trace_free(trace);
    return code;
}
