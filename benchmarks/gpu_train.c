#include "gpu.h"
#include "networks.h"

#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>

enum { BATCHES = 8 };

typedef struct bench {
    network net;
    eex_optimizer_state *state;
    eex_plan *plan;
    uint8_t *images;  /* (BATCHES, batch, SIDE, SIDE, 3) */
    int32_t *labels;  /* (batch) */
    uint32_t *sample; /* (batch) */
    int batch;
    uint64_t step;
} bench;

static int open_plan(bench *b, eex_precision precision)
{
    eex_plan_options training = {
        .mode = EEX_PLAN_TRAIN,
        .batch = b->batch,
        .precision = precision,
        .augment = network_augment(),
        .optimizer = {.kind = EEX_SGD, .momentum = 0.9f, .weight_decay = 5e-4f}};
    for (int k = 0; k < eex_graph_exits(b->net.graph); k++)
        training.weight[k] = 1;
    EEX_TRY(eex_optimizer_state_new(&b->state, b->net.params, &training.optimizer));
    training.state = b->state;
    return eex_plan_new(&b->plan, &training, b->net.graph, b->net.params);
}

static int open_data(bench *b)
{
    b->images = network_images(BATCHES * b->batch, SIDE);
    b->labels = malloc((size_t)b->batch * sizeof *b->labels);
    b->sample = malloc((size_t)b->batch * sizeof *b->sample);
    if (!b->images || !b->labels || !b->sample)
        return eex_fail(EEX_ENOMEM, "out of memory for %d batches", BATCHES);
    for (int i = 0; i < b->batch; i++) {
        b->labels[i] = i % CLASSES;
        b->sample[i] = (uint32_t)i;
    }
    return EEX_OK;
}

static void close_bench(bench *b)
{
    free(b->sample);
    free(b->labels);
    free(b->images);
    eex_plan_free(b->plan);
    eex_optimizer_state_free(b->state);
    network_close(&b->net);
}

/* A step as training does it: bytes from the host, augmentation and all. */
static int submit_step(void *ctx)
{
    bench *b = ctx;
    size_t bytes = (size_t)b->batch * SIDE * SIDE * 3;
    const uint8_t *images = b->images + (b->step % BATCHES) * bytes;
    eex_step step = {.batch = b->batch, .lr = 1e-3f, .seed = 1, .step = ++b->step};
    EEX_TRY(eex_plan_upload(b->plan, images, b->labels, b->sample, b->batch));
    return eex_plan_step(b->plan, &step);
}

static int measure(const gpu_options *o, bench *b, const char *name)
{
    double seconds = gpu_time(o, b->net.dev, submit_step, b);
    if (seconds < 0)
        return EEX_EDEVICE;
    double rate = b->batch / seconds;
    printf("%-28s %12.1f images/s  %.2f TFLOP/s\n", name, rate, 1e-12 * rate * 3 * 2 * b->net.macs);
    fflush(stdout);
    return EEX_OK;
}

static int bench_one(const gpu_options *o, const char *title, int batch, eex_precision precision)
{
    char name[64];
    snprintf(name, sizeof name, "train/%s/%d/%s", title, batch,
             precision == EEX_BF16 ? "bf16" : "f32");
    if (!gpu_wanted(o, name))
        return EEX_OK;
    bench b = {.batch = batch};
    int code = network_open_on(&b.net, title, o->device, 0);
    if (code == EEX_OK && !(b.net.dev->precisions & 1u << precision)) {
        printf("# %s: the device does not have this precision\n", name);
        close_bench(&b);
        return EEX_OK;
    }
    if (code == EEX_OK)
        code = open_plan(&b, precision);
    if (code == EEX_OK)
        code = open_data(&b);
    if (code == EEX_OK)
        code = measure(o, &b, name);
    close_bench(&b);
    return code;
}

int gpu_bench_train(const gpu_options *o)
{
    static const char *const networks[] = {"mobilenetv2", "resnet50"};
    static const int batches[] = {128, 512};
    static const eex_precision precisions[] = {EEX_BF16, EEX_F32};
    for (int n = 0; n < 2; n++)
        for (int b = 0; b < 2; b++)
            for (int p = 0; p < 2; p++)
                EEX_TRY(bench_one(o, networks[n], batches[b], precisions[p]));
    return EEX_OK;
}
