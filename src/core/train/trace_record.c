#include "core/train/familiar.h"
#include "core/train/survey.h"
#include "core/train/train.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

typedef struct recorder {
    eex_trace *trace;
    const eex_familiar *familiar; /* or NULL */
    float *values;                /* (batch, largest value) for distances */
} recorder;

static int record_exit(void *context, const eex_survey_place *at, int k)
{
    recorder *r = context;
    eex_trace *trace = r->trace;
    const size_t from = (size_t)k * (size_t)trace->samples + at->first;
    float *logits = trace->logits + from * (size_t)trace->classes;
    EEX_TRY(eex_plan_logits(at->plan, k, logits, at->batch->count));
    if (!r->familiar)
        return EEX_OK;
    return eex_familiar_measure(trace->distance + from, r->familiar, at->plan, at->graph, k,
                                r->values, at->batch->count);
}

static int record_samples(void *context, const eex_survey_place *at)
{
    eex_trace *trace = ((recorder *)context)->trace;
    const eex_batch *b = at->batch;
    memcpy(trace->labels + at->first, b->labels, (size_t)b->count * sizeof *trace->labels);
    memcpy(trace->sample + at->first, b->samples, (size_t)b->count * sizeof *trace->sample);
    return EEX_OK;
}

static int make_room(recorder *r, const eex_graph *graph, int batch)
{
    if (!r->familiar)
        return EEX_OK;
    const size_t floats = eex_familiar_floats(r->familiar, graph);
    r->values = malloc((floats * (size_t)batch + 1) * sizeof *r->values);
    return r->values
               ? eex_trace_add_distance(r->trace)
               : eex_fail(EEX_ENOMEM, "trace: out of memory for the values of %d images", batch);
}

int eex_trace_record(eex_trace **out, const eex_graph *graph, eex_params *params, eex_dataset *data,
                     const uint32_t *samples, size_t count, const eex_inference *how)
{
    static const eex_visitor visitor = {record_exit, record_samples};
    const int exits = eex_graph_exits(graph);
    recorder r = {.familiar = how->familiar};
    float ones[EEX_MAX_EXITS];
    for (int k = 0; k < exits; k++)
        ones[k] = 1;
    *out = NULL;
    const eex_survey survey = {
        .title = "recording answers",
        .graph = graph,
        .params = params,
        .data = data,
        .samples = samples,
        .count = count,
        .how = how,
        .exits = exits,
        .visitor = &visitor,
        .context = &r,
    };
    int code = eex_trace_new(&r.trace, (int)count, exits, eex_graph_classes(graph));
    if (code == EEX_OK)
        code = make_room(&r, graph, how->batch);
    if (code == EEX_OK)
        code = eex_survey_run(&survey);
    if (code == EEX_OK)
        code = eex_trace_score(r.trace, params->device, ones);
    if (code == EEX_OK) {
        *out = r.trace;
        r.trace = NULL;
    }
    free(r.values);
    eex_trace_free(r.trace);
    return code;
}
