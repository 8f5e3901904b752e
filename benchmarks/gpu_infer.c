/* Adaptive inference with MobileNetV2 and the three gates of this project's CIFAR-10 result. The
 * weights are random; the thresholds are set so that as many images leave at each exit as did
 * there, and what is compared is time with multiply-adds, not accuracy. */
#include "core/engine/engine.h"
#include "core/graph/cost.h"
#include "gpu.h"
#include "networks.h"

#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { IMAGES = 2048, BATCH = 256, EXITS = 4 };

/* How many leave at each exit (docs/results.md), the last few at the end. */
static const double shares[EXITS] = {0.80, 0.09, 0.08, 0.03};

static const size_t IMAGE = (size_t)SIDE * SIDE * 3;

typedef struct bench {
    network base, exits;
    eex_policy *policy;
    eex_augment normalise;
    uint8_t *images;     /* (IMAGES, SIDE, SIDE, 3) */
    eex_result *results; /* (IMAGES) */
    double share[EXITS]; /* that really leaves there */
    double macs;         /* speed-up in multiply-adds */
    eex_engine *engine;  /* that is measured now */
    int batch, next;
} bench;

static int by_confidence(const void *a, const void *b)
{
    float x = ((const eex_result *)a)->confidence, y = ((const eex_result *)b)->confidence;
    return (x < y) - (x > y);
}

static int classify_all(bench *b)
{
    const eex_inference how = {.batch = BATCH, .normalise = b->normalise};
    eex_engine *engine;
    EEX_TRY(eex_engine_new(&engine, b->exits.graph, b->exits.params, b->policy, &how));
    int code = EEX_OK;
    for (int i = 0; i < IMAGES && code == EEX_OK; i += BATCH)
        code = eex_engine_run(engine, b->results + i, b->images + (size_t)i * IMAGE, BATCH);
    eex_engine_close(engine);
    return code;
}

/* Threshold of exit k so that its share leaves, the thresholds in front of it being set: with none
 * of its own, whoever comes as far leaves there. */
static int set_threshold(bench *b, int k)
{
    int there = 0, leave = (int)(shares[k] * IMAGES);
    b->policy->a[k] = -INFINITY;
    eex_policy_apply(b->policy);
    EEX_TRY(classify_all(b));
    for (int i = 0; i < IMAGES; i++)
        if (b->results[i].exit == k)
            b->results[there++] = b->results[i];
    qsort(b->results, (size_t)there, sizeof *b->results, by_confidence);
    if (leave >= 1 && leave < there)
        b->policy->a[k] = b->results[leave - 1].confidence;
    return EEX_OK;
}

static int set_policy(bench *b)
{
    EEX_TRY(eex_policy_new(&b->policy, EEX_POLICY_CONFIDENCE, EXITS, CLASSES));
    for (int k = 0; k + 1 < EXITS; k++)
        EEX_TRY(set_threshold(b, k));
    eex_policy_apply(b->policy);
    EEX_TRY(classify_all(b));
    for (int i = 0; i < IMAGES; i++)
        b->share[b->results[i].exit] += 1.0 / IMAGES;
    b->macs = b->base.macs / eex_cost_ada_cumulative(b->exits.graph, b->share, EEX_MACS);
    return EEX_OK;
}

/* Noise of different strength, so that the network is not equally sure of all. */
static int make_images(bench *b)
{
    b->images = network_images(IMAGES, SIDE);
    b->results = malloc(IMAGES * sizeof *b->results);
    if (!b->images || !b->results)
        return eex_fail(EEX_ENOMEM, "out of memory for %d images", IMAGES);
    for (size_t i = 0; i < IMAGES * IMAGE; i++) {
        int strength = 32 + (int)(i / IMAGE * 37 % 224);
        b->images[i] = (uint8_t)(128 + (b->images[i] - 128) * strength / 256);
    }
    return EEX_OK;
}

static int submit_batch(void *ctx)
{
    bench *b = ctx;
    const uint8_t *images = b->images + (size_t)b->next * IMAGE;
    b->next = (b->next + b->batch) % IMAGES;
    return eex_engine_run(b->engine, b->results, images, b->batch);
}

/* Seconds of a batch through a network; negative when something fails. */
static double time_network(const gpu_options *o, bench *b, const network *net,
                           const eex_policy *policy, int batch)
{
    const eex_inference how = {.batch = batch, .normalise = b->normalise};
    b->batch = batch;
    b->next = 0;
    if (eex_engine_new(&b->engine, net->graph, net->params, policy, &how) < 0)
        return -1;
    double seconds = gpu_time(o, net->dev, submit_batch, b);
    eex_engine_close(b->engine);
    return seconds;
}

static int measure(const gpu_options *o, bench *b)
{
    double base = time_network(o, b, &b->base, NULL, BATCH);
    double exits = base < 0 ? -1 : time_network(o, b, &b->exits, b->policy, BATCH);
    double single_base = exits < 0 ? -1 : time_network(o, b, &b->base, NULL, 1);
    double single = single_base < 0 ? -1 : time_network(o, b, &b->exits, b->policy, 1);
    if (single < 0)
        return EEX_EDEVICE;
    printf("# of the images leave at each exit:");
    for (int k = 0; k < EXITS; k++)
        printf(" %.1f %%", 100 * b->share[k]);
    printf("\n%-28s %12.3f part  %.2fx in time (%.3f against %.3f ms), %.2fx in MACs\n",
           "adaptive/256", base / exits / b->macs, base / exits, 1e3 * exits, 1e3 * base, b->macs);
    printf("%-28s %12.4f ms  base %.4f ms\n", "single/mobilenetv2", 1e3 * single,
           1e3 * single_base);
    fflush(stdout);
    return EEX_OK;
}

int gpu_bench_infer(const gpu_options *o)
{
    bench b = {.normalise = network_augment()};
    if (!gpu_wanted(o, "adaptive/256") && !gpu_wanted(o, "single/mobilenetv2"))
        return EEX_OK;
    int code = network_open_on(&b.base, "mobilenetv2", o->device, 0);
    if (code == EEX_OK)
        code = network_open_on(&b.exits, "mobilenetv2+exits", o->device, 0);
    if (code == EEX_OK)
        code = make_images(&b);
    if (code == EEX_OK)
        code = set_policy(&b);
    if (code == EEX_OK)
        code = measure(o, &b);
    free(b.results);
    free(b.images);
    eex_policy_free(b.policy);
    network_close(&b.exits);
    network_close(&b.base);
    return code;
}
