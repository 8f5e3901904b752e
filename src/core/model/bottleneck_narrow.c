/* What is left when fewer channels of a bottleneck are sent: channels of the smallest filters say
 * nothing, and the end is asked again. */
#include "core/model/bottleneck_impl.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 100 };

typedef struct narrowing {
    eex_bottleneck *b;
    eex_graph *graph; /* the network without early exits */
    eex_params *params;
    int channels;
    double *norm;          /* (channels) of the encoder's filters */
    float *scale, *offset; /* (channels) of the batch norm behind them */
} narrowing;

/* (O, I, K, K), as in files: a filter's elements lie together. */
static int find_norms(narrowing *n)
{
    const int at = eex__bottleneck_param(n->graph, "bottleneck.encoder.conv.weight");
    const size_t count = eex_param_count(eex_graph_param(n->graph, at));
    const size_t each = count / (size_t)n->channels;
    float *weights = malloc(count * sizeof *weights);
    if (!weights)
        return eex_fail(EEX_ENOMEM, "out of memory for filters");
    const int code = eex_params_get(n->params, at, weights);
    for (size_t i = 0; i < count && code == EEX_OK; i++)
        n->norm[i / each] += (double)weights[i] * (double)weights[i];
    free(weights);
    return code;
}

static int smallest(const narrowing *n)
{
    int found = -1;
    for (int c = 0; c < n->channels; c++)
        if (isfinite(n->norm[c]) && (found < 0 || n->norm[c] < n->norm[found]))
            found = c;
    return found;
}

/* Behind batch norm and ReLU they are 0, whose code is 0. */
static int silence_to(narrowing *n, int channels, int now)
{
    for (; now > channels; now--) {
        const int c = smallest(n);
        n->norm[c] = INFINITY;
        n->scale[c] = n->offset[c] = 0;
    }
    EEX_TRY(eex_params_set(
        n->params, eex__bottleneck_param(n->graph, "bottleneck.encoder.bn.weight"), n->scale));
    return eex_params_set(n->params, eex__bottleneck_param(n->graph, "bottleneck.encoder.bn.bias"),
                          n->offset);
}

static int ask(int32_t *top, const narrowing *n, const eex_index *images)
{
    eex_inference how = eex_model_inference(n->b->model, BATCH);
    eex_trace *trace = NULL;
    how.familiar = NULL; /* which is by exit of the whole network */
    EEX_TRY(
        eex_trace_record(&trace, n->graph, n->params, n->b->data, images->at, images->count, &how));
    memcpy(top, trace->top, images->count * sizeof *top);
    eex_trace_free(trace);
    return EEX_OK;
}

static int ask_all(narrowing *n, const eex_index *const images[2])
{
    eex_narrowed *out = &n->b->narrowed;
    for (int i = 0, now = n->channels; i < out->count; now = out->channels[i++]) {
        EEX_TRY(silence_to(n, out->channels[i], now));
        for (int part = 0; part < 2; part++)
            EEX_TRY(ask(out->top[part] + (size_t)i * images[part]->count, n, images[part]));
    }
    return EEX_OK;
}

/* Eighths of the channels, where these are different numbers. */
static int open_out(eex_narrowed *out, int channels, const eex_index *const images[2])
{
    *out = (eex_narrowed){.of = channels};
    for (int k = EEX_NARROWINGS, before = channels; k >= 1; k--) {
        const int some = channels * k / (EEX_NARROWINGS + 1);
        if (some >= 1 && some < before)
            before = out->channels[out->count++] = some;
    }
    for (int part = 0; part < 2; part++) {
        out->samples[part] = (int)images[part]->count;
        out->top[part] =
            malloc(((size_t)out->count * images[part]->count + 1) * sizeof *out->top[part]);
        if (!out->top[part])
            return eex_fail(EEX_ENOMEM, "out of memory for answers");
    }
    return EEX_OK;
}

static int work(narrowing *n, const eex_index *const images[2])
{
    const int end = eex_graph_exits(n->b->graph) - 1;
    const size_t channels = (size_t)n->channels;
    EEX_TRY(open_out(&n->b->narrowed, n->channels, images));
    EEX_TRY(eex_graph_select(&n->graph, n->b->graph, &end, 1));
    EEX_TRY(eex_params_new_empty(&n->params, n->b->params->device, n->graph));
    EEX_TRY(eex_params_copy(n->params, n->b->params, NULL));
    n->norm = calloc(channels, sizeof *n->norm);
    n->scale = malloc(channels * sizeof *n->scale);
    n->offset = malloc(channels * sizeof *n->offset);
    if (!n->norm || !n->scale || !n->offset)
        return eex_fail(EEX_ENOMEM, "out of memory for %d filters", n->channels);
    EEX_TRY(find_norms(n));
    EEX_TRY(eex_params_get(
        n->params, eex__bottleneck_param(n->graph, "bottleneck.encoder.bn.weight"), n->scale));
    EEX_TRY(eex_params_get(n->params, eex__bottleneck_param(n->graph, "bottleneck.encoder.bn.bias"),
                           n->offset));
    return ask_all(n, images);
}

int eex__bottleneck_narrow(eex_bottleneck *b, const eex_index *calibration,
                           const eex_index *validation)
{
    const eex_index *const images[2] = {calibration, validation};
    const int node = eex_graph_find(b->graph, "bottleneck.encoder.conv");
    narrowing n = {.b = b, .channels = eex_graph_node(b->graph, node)->c};
    const int code = work(&n, images);
    eex_params_free(n.params);
    eex_graph_free(n.graph);
    free(n.norm);
    free(n.scale);
    free(n.offset);
    return code;
}
