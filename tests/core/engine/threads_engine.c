/* Engines on one device: queues fed from several threads, others that come, run directly and go
 * meanwhile: for the thread sanitizer. */
#include "core/engine/engine.h"
#include "cpu/device_cpu.h"

#include "base/status.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 16, IMAGE = SIDE * SIDE * 3, IMAGES = 24, CLASSES = 3, FEEDERS = 2, EACH = 120 };

#define CHECK(condition)                                                                     \
    do {                                                                                     \
        if (!(condition)) {                                                                  \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #condition, eex_error()); \
            exit(1);                                                                         \
        }                                                                                    \
    } while (0)

static const eex_inference *how_for(int batch)
{
    static _Thread_local eex_inference how = {
        .normalise = {.mean = {0.5f, 0.5f, 0.5f}, .std = {0.2f, 0.2f, 0.2f}}};
    how.batch = batch;
    return &how;
}

static eex_device *device;
static eex_graph *graph;
static eex_params *params;
static eex_policy *policy;
static uint8_t images[IMAGES][IMAGE];
static eex_result wanted[IMAGES];
static atomic_bool over;

/* Two convolutions and a gate between them, large enough for the pool of threads. */
static void build(void)
{
    const eex_conv_options conv = {.out = 32, .kernel = 3, .stride = 1, .pad = 1};
    eex_graph *g;
    int x;
    CHECK(eex_graph_new(&g, "two", SIDE, SIDE, 3) == EEX_OK);
    CHECK(eex_graph_add_conv(g, &x, 0, "c1", &conv) == EEX_OK);
    CHECK(eex_graph_add_act(g, &x, x, "a1", EEX_ACT_RELU) == EEX_OK);
    const eex_gate at = {.point = x, .blocks = 1};
    CHECK(eex_graph_add_conv(g, &x, x, "c2", &conv) == EEX_OK);
    CHECK(eex_graph_add_act(g, &x, x, "a2", EEX_ACT_RELU) == EEX_OK);
    CHECK(eex_graph_add_global_pool(g, &x, x, "pool", false) == EEX_OK);
    CHECK(eex_graph_add_flatten(g, &x, x, "flat", false) == EEX_OK);
    CHECK(eex_graph_add_linear(g, &x, x, "fc", CLASSES, true) == EEX_OK);
    CHECK(eex_graph_finish(g, x) == EEX_OK);
    CHECK(eex_graph_with_gates(&graph, g, &at, 1, EEX_ACT_RELU) == EEX_OK);
    eex_graph_free(g);
}

/* A threshold in the middle of what the first exit says: some leave there. */
static void choose_policy(void)
{
    float middle = 0;
    eex_engine *engine;
    CHECK(eex_policy_new(&policy, EEX_POLICY_CONFIDENCE, 2, CLASSES) == EEX_OK);
    policy->a[0] = 0;
    eex_policy_apply(policy);
    CHECK(eex_engine_new(&engine, graph, params, policy, how_for(IMAGES)) == EEX_OK);
    CHECK(eex_engine_run(engine, wanted, images[0], IMAGES) == EEX_OK);
    for (int i = 0; i < IMAGES; i++)
        middle += wanted[i].confidence / IMAGES;
    eex_engine_close(engine);
    policy->a[0] = (double)middle;
    eex_policy_apply(policy);
    CHECK(eex_engine_new(&engine, graph, params, policy, how_for(IMAGES)) == EEX_OK);
    CHECK(eex_engine_run(engine, wanted, images[0], IMAGES) == EEX_OK);
    eex_engine_close(engine);
    int early = 0;
    for (int i = 0; i < IMAGES; i++)
        early += wanted[i].exit == 0;
    CHECK(early > 0 && early < IMAGES);
}

static bool as_wanted(const eex_result *got, int image)
{
    const eex_result *want = &wanted[image];
    return got->top == want->top && got->exit == want->exit && got->decision == want->decision &&
           memcmp(&got->confidence, &want->confidence, sizeof got->confidence) == 0;
}

/* ---- one engine with a queue: feeders and a poller ---- */

static void *feed(void *argument)
{
    eex_engine *engine = argument;
    for (uint64_t i = 0; i < EACH; i++) {
        int code;
        while ((code = eex_engine_submit(engine, i, images[i % IMAGES])) == EEX_EBUSY)
            sched_yield();
        CHECK(code == EEX_OK);
    }
    return NULL;
}

static void *use_queue(void *argument)
{
    const eex_engine_options *options = argument;
    pthread_t feeder[FEEDERS];
    eex_engine *engine;
    eex_engine_result done[9];
    CHECK(eex_engine_new(&engine, graph, params, policy, how_for(8)) == EEX_OK);
    CHECK(eex_engine_queue(engine, options) == EEX_OK);
    for (int i = 0; i < FEEDERS; i++)
        CHECK(pthread_create(&feeder[i], NULL, feed, engine) == 0);
    for (int total = 0, count; total < FEEDERS * EACH; total += count) {
        CHECK(eex_engine_poll(engine, done, 9, 20000, &count) == EEX_OK && count > 0);
        for (int i = 0; i < count; i++)
            CHECK(as_wanted(&done[i].result, (int)(done[i].id % IMAGES)));
    }
    for (int i = 0; i < FEEDERS; i++)
        pthread_join(feeder[i], NULL);
    CHECK(eex_engine_submit(engine, 0, images[0]) == EEX_OK); /* under way when it is closed */
    eex_engine_close(engine);
    return NULL;
}

/* ---- others on the same device ---- */

static void *run_directly(void *argument)
{
    eex_result results[5];
    while (!over) {
        eex_engine *engine;
        CHECK(eex_engine_new(&engine, graph, params, policy, how_for(5)) == EEX_OK);
        for (int first = 0; first + 5 <= IMAGES; first += 5) {
            CHECK(eex_engine_run(engine, results, images[first], 5) == EEX_OK);
            for (int i = 0; i < 5; i++)
                CHECK(as_wanted(&results[i], first + i));
        }
        eex_engine_close(engine);
    }
    return NULL;
}

int main(void)
{
    static eex_engine_options options[2] = {{.batch = 3, .queue = 7}, {.linger_ms = 0.2}};
    const eex_device_options two = {.threads = 2};
    pthread_t queue[2], direct;
    CHECK(eex_cpu_open(&device, &two) == EEX_OK);
    build();
    CHECK(eex_params_new(&params, device, graph, 1) == EEX_OK);
    for (int i = 0; i < IMAGES * IMAGE; i++)
        images[i / IMAGE][i % IMAGE] = (uint8_t)((unsigned)i * 2654435761u >> 13);
    choose_policy();
    CHECK(pthread_create(&direct, NULL, run_directly, NULL) == 0);
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&queue[i], NULL, use_queue, &options[i]) == 0);
    for (int i = 0; i < 2; i++)
        pthread_join(queue[i], NULL);
    over = true;
    pthread_join(direct, NULL);
    eex_policy_free(policy);
    eex_params_free(params);
    eex_graph_free(graph);
    eex_device_close(device);
    return 0;
}
