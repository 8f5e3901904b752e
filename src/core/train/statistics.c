#include "core/train/statistics.h"

#include "core/train/batches.h"

#include "base/signals.h"
#include "base/status.h"

#include <stdlib.h>

void eex_statistics_choose(uint32_t *out, size_t count, const uint32_t *samples, size_t total,
                           int batch)
{
    const size_t step = (count + (size_t)batch - 1) / (size_t)batch; /* batches */
    size_t done = 0;
    for (size_t first = 0; first < step; first++)
        for (size_t i = first; i < count; i += step)
            out[done++] = samples[i * total / count];
}

typedef struct estimate {
    eex_params *params;
    eex_plan *plan;
    eex_batches source;
    float *batch; /* (state_count) what the last batch left */
    double *sum;  /* (state_count) weighed by samples */
    size_t samples;
} estimate;

static void estimate_free(estimate *e)
{
    eex_batches_close(&e->source);
    eex_plan_free(e->plan);
    free(e->batch);
    free(e->sum);
}

static int estimate_new(estimate *e, eex_dataset *data, const uint32_t *samples, size_t count,
                        const eex_inference *how)
{
    eex_plan_options options = eex_inference_plan(how);
    const eex_loader_options from = {
        .data = data, .samples = samples, .count = count, .batch = how->batch};
    options.mode = EEX_PLAN_STATISTICS;
    eex_augment_fit(&options.augment, data);
    e->batch = malloc((e->params->state_count + 1) * sizeof *e->batch);
    e->sum = calloc(e->params->state_count + 1, sizeof *e->sum);
    if (!e->batch || !e->sum)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu running statistics",
                        e->params->state_count);
    EEX_TRY(eex_plan_new(&e->plan, &options, e->params->graph, e->params));
    return eex_batches_open(&e->source, e->params->device, &from);
}

static int add_batch(estimate *e, const eex_batch *batch)
{
    eex_device *dev = e->params->device;
    const size_t count = e->params->state_count;
    const eex_step step = {.batch = batch->count, .step = 1};
    EEX_TRY(eex_plan_upload(e->plan, batch->images, NULL, batch->samples, batch->count));
    EEX_TRY(eex_plan_step(e->plan, &step));
    EEX_TRY(dev->vtable->sync(dev));
    EEX_TRY(dev->vtable->download(dev, e->batch, e->params->state, count * sizeof *e->batch));
    for (size_t i = 0; i < count; i++)
        e->sum[i] += (double)batch->count * (double)e->batch[i];
    e->samples += (size_t)batch->count;
    return EEX_OK;
}

static int add_all(estimate *e)
{
    const eex_batch *batch;
    for (;;) {
        EEX_TRY(eex_batches_next(&batch, &e->source));
        if (!batch)
            return EEX_OK;
        if (eex_interrupted())
            return eex_fail(EEX_EINTERRUPTED, "interrupted");
        EEX_TRY(add_batch(e, batch));
    }
}

static int store(const estimate *e)
{
    eex_device *dev = e->params->device;
    for (size_t i = 0; i < e->params->state_count; i++)
        e->batch[i] = (float)(e->sum[i] / (double)e->samples);
    return dev->vtable->upload(dev, e->params->state, e->batch,
                               e->params->state_count * sizeof *e->batch);
}

int eex_statistics_estimate(eex_params *params, eex_dataset *data, const uint32_t *samples,
                            size_t count, const eex_inference *how)
{
    estimate e = {.params = params};
    if (count == 0)
        return eex_fail(EEX_EINVAL, "statistics of %s: no samples", eex_graph_name(params->graph));
    int code = estimate_new(&e, data, samples, count, how);
    if (code == EEX_OK)
        code = add_all(&e);
    if (code == EEX_OK)
        code = store(&e);
    estimate_free(&e);
    return code;
}
