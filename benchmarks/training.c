#include "training.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

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

static size_t batch_bytes(const training *t)
{
    return (size_t)t->batch * SIDE * SIDE * 3;
}

static const uint8_t *batch_at(const training *t, uint64_t step)
{
    return t->images + (step % BATCHES) * batch_bytes(t);
}

static int open_images(training *t)
{
    const size_t bytes = BATCHES * batch_bytes(t);
    uint8_t *noise = network_images(BATCHES * t->batch, SIDE);
    if (!noise)
        return eex_fail(EEX_ENOMEM, "out of memory for %d batches", BATCHES);
    int code = eex_device_host_allocate(t->net.dev, (void **)&t->images, bytes);
    if (code == EEX_OK)
        memcpy(t->images, noise, bytes);
    free(noise);
    return code;
}

static int open_data(training *t)
{
    EEX_TRY(open_images(t));
    t->labels = malloc((size_t)t->batch * sizeof *t->labels);
    t->sample = malloc((size_t)t->batch * sizeof *t->sample);
    if (!t->labels || !t->sample)
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
    for (uint64_t i = 0; t->images && i < BATCHES; i++)
        (void)eex_device_withdraw(t->net.dev, batch_at(t, i));
    eex_device_host_release(t->net.dev, t->images);
    eex_plan_free(t->plan);
    eex_optimizer_state_free(t->state);
    network_close(&t->net);
}

/* As core/train/batches.c does. */
static int announce(const training *t)
{
    if (t->plain)
        return EEX_OK;
    if (t->step > 0)
        EEX_TRY(eex_device_withdraw(t->net.dev, batch_at(t, t->step - 1)));
    return eex_device_ahead(t->net.dev, batch_at(t, t->step + 1), batch_bytes(t));
}

int training_step(void *ctx)
{
    training *t = ctx;
    const uint8_t *images = batch_at(t, t->step);
    EEX_TRY(announce(t));
    eex_step step = {.batch = t->batch, .lr = 1e-3f, .seed = 1, .step = ++t->step};
    EEX_TRY(eex_plan_upload(t->plan, images, t->labels, t->sample, t->batch));
    return eex_plan_step(t->plan, &step);
}
