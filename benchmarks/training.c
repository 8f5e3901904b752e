#include "training.h"

#include "base/status.h"

#include <stdlib.h>

enum { BATCHES = 8 };

static int open_plan(training *t, eex_precision precision)
{
    eex_plan_options options = {
        .batch = t->batch,
        .augment = network_augment(),
        .mode = EEX_PLAN_TRAIN,
        .precision = precision,
        .optimizer = {.kind = EEX_SGD, .momentum = 0.9f, .weight_decay = 5e-4f}};
    for (int k = 0; k < eex_graph_exits(t->net.graph); k++)
        options.weight[k] = 1;
    EEX_TRY(eex_optimizer_state_new(&t->state, t->net.params, &options.optimizer));
    options.state = t->state;
    return eex_plan_new(&t->plan, &options, t->net.graph, t->net.params);
}

static int open_data(training *t)
{
    t->images = network_images(BATCHES * t->batch, SIDE);
    t->labels = malloc((size_t)t->batch * sizeof *t->labels);
    t->sample = malloc((size_t)t->batch * sizeof *t->sample);
    if (!t->images || !t->labels || !t->sample)
        return eex_fail(EEX_ENOMEM, "out of memory for %d batches", BATCHES);
    for (int i = 0; i < t->batch; i++) {
        t->labels[i] = i % CLASSES;
        t->sample[i] = (uint32_t)i;
    }
    return EEX_OK;
}

int training_open(training *t, int batch, eex_precision precision)
{
    t->batch = batch;
    EEX_TRY(open_plan(t, precision));
    return open_data(t);
}

void training_close(training *t)
{
    free(t->sample);
    free(t->labels);
    free(t->images);
    eex_plan_free(t->plan);
    eex_optimizer_state_free(t->state);
    network_close(&t->net);
}

int training_step(void *ctx)
{
    training *t = ctx;
    size_t bytes = (size_t)t->batch * SIDE * SIDE * 3;
    const uint8_t *images = t->images + (t->step % BATCHES) * bytes;
    eex_step step = {.batch = t->batch, .lr = 1e-3f, .seed = 1, .step = ++t->step};
    EEX_TRY(eex_plan_upload(t->plan, images, t->labels, t->sample, t->batch));
    return eex_plan_step(t->plan, &step);
}
