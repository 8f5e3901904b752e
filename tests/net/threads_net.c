/* A server and two devices that come and go, all on one device that calculates: for the thread
 * sanitizer. */
#include "core/model/predictor.h"
#include "cpu/device_cpu.h"
#include "net/offload.h"
#include "net/server.h"

#include "base/signals.h"
#include "base/status.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SIDE = 16,
    IMAGE = SIDE * SIDE * 3,
    IMAGES = 40,
    CLASSES = 3,
    DEVICES = 2,
    VISITS = 3, /* of each */
    BATCH = 4
};

#define CHECK(condition)                                                                     \
    do {                                                                                     \
        if (!(condition)) {                                                                  \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #condition, eex_error()); \
            exit(1);                                                                         \
        }                                                                                    \
    } while (0)

static char path[] = "model";
static eex_model model = {.path = path,
                          .input = {.height = SIDE,
                                    .width = SIDE,
                                    .channels = 3,
                                    .mean = {0.5F, 0.5F, 0.5F},
                                    .std = {0.2F, 0.2F, 0.2F}}};
static eex_exit_predictor predictor = {.gates = 2, .gamma = {0.5F, 0.5F}};
static eex_device *device;
static uint8_t images[IMAGES][IMAGE];
static eex_result wanted[IMAGES];
static atomic_int told;

/* ---- the model ---- */

static void add_stage(eex_graph *g, int *x, const char *conv, const char *act)
{
    const eex_conv_options how = {.out = 8, .kernel = 3, .stride = 1, .pad = 1};
    CHECK(eex_graph_add_conv(g, x, *x, conv, &how) == EEX_OK);
    CHECK(eex_graph_add_act(g, x, *x, act, EEX_ACT_RELU) == EEX_OK);
}

static void build(void)
{
    eex_graph *g;
    eex_gate at[2] = {{.blocks = 1}, {.blocks = 1}};
    int x = 0;
    CHECK(eex_graph_new(&g, "three", SIDE, SIDE, 3) == EEX_OK);
    add_stage(g, &x, "c1", "a1");
    at[0].point = x;
    add_stage(g, &x, "c2", "a2");
    at[1].point = x;
    add_stage(g, &x, "c3", "a3");
    CHECK(eex_graph_add_global_pool(g, &x, x, "pool", false) == EEX_OK);
    CHECK(eex_graph_add_flatten(g, &x, x, "flat", false) == EEX_OK);
    CHECK(eex_graph_add_linear(g, &x, x, "fc", CLASSES, true) == EEX_OK);
    CHECK(eex_graph_finish(g, x) == EEX_OK);
    CHECK(eex_graph_with_gates(&model.graph, g, at, 2, EEX_ACT_RELU) == EEX_OK);
    CHECK(eex_params_new(&model.params, device, model.graph, 1) == EEX_OK);
    CHECK(eex_exit_predictor_graph(&predictor.graph, EEX_PREDICTOR_LINEAR, SIDE, SIDE, 3, 2) ==
          EEX_OK);
    CHECK(eex_params_new(&predictor.params, device, predictor.graph, 2) == EEX_OK);
    eex_graph_free(g);
}

static void classify(void)
{
    eex_engine *engine;
    CHECK(eex_engine_open(&engine, &model, IMAGES) == EEX_OK);
    CHECK(eex_engine_run(engine, wanted, images[0], IMAGES) == EEX_OK);
    eex_engine_close(engine);
}

/* A threshold in the middle of what each gate says: some leave there. */
static void choose_policy(void)
{
    CHECK(eex_policy_new(&model.policy, EEX_POLICY_CONFIDENCE, 3, CLASSES) == EEX_OK);
    for (int k = 0; k < 2; k++) {
        double middle = 0;
        model.policy->a[k] = 0;
        eex_policy_apply(model.policy);
        classify();
        int there = 0;
        for (int i = 0; i < IMAGES; i++) {
            middle += wanted[i].exit == k ? (double)wanted[i].confidence : 0;
            there += wanted[i].exit == k;
        }
        model.policy->a[k] = middle / there;
        eex_policy_apply(model.policy);
    }
    classify();
}

/* ---- both ends ---- */

typedef struct served {
    eex_engine *engine;
    eex_rest *rest;
    eex_server *server;
    char address[EEX_SERVER_ADDRESS];
} served;

static int tell(void *context, const eex_server_figures *figures)
{
    told += figures->rows > 0;
    return EEX_OK;
}

static void *serve(void *argument)
{
    const served *s = argument;
    const eex_server_listener listener = {.tell = tell, .every = 1e-3};
    CHECK(eex_server_run(s->server, &listener) == EEX_OK);
    return NULL;
}

static void open_server(served *s, int cut)
{
    eex_server_options how = {
        .address = "127.0.0.1", .sessions = 4, .batch = 3, .patience = 20, .idle = 20};
    CHECK(eex_engine_open(&s->engine, &model, 3) == EEX_OK);
    CHECK(eex_rest_new(&s->rest, s->engine, cut, 0) == EEX_OK);
    CHECK(eex_offload_hello(&how.hello, &model, eex_rest_payload(s->rest)) == EEX_OK);
    CHECK(eex_server_open(&s->server, &how, s->rest) == EEX_OK);
    snprintf(s->address, sizeof s->address, "%s", eex_server_name(s->server));
}

static void close_server(served *s)
{
    eex_server_close(s->server);
    eex_rest_free(s->rest);
    eex_engine_close(s->engine);
}

static bool as_wanted(const eex_result *got, const eex_result *want)
{
    return got->top == want->top && got->exit == want->exit && got->decision == want->decision &&
           memcmp(&got->confidence, &want->confidence, sizeof got->confidence) == 0;
}

typedef struct visitor {
    const char *address;
    int cut;
    uint64_t served;
} visitor;

static void visit(visitor *v)
{
    const eex_remote_options remote = {.address = v->address, .timeout = 30};
    eex_offload_figures figures;
    eex_engine *engine;
    eex_offload *offload;
    eex_result results[BATCH];
    CHECK(eex_engine_open(&engine, &model, BATCH) == EEX_OK);
    CHECK(eex_offload_open(&offload, &model, engine, BATCH, v->cut, 0, &remote) == EEX_OK);
    for (int first = 0; first < IMAGES; first += BATCH) {
        CHECK(eex_offload_run(offload, results, NULL, images[first], BATCH) == EEX_OK);
        for (int i = 0; i < BATCH; i++)
            CHECK(as_wanted(&results[i], &wanted[first + i]));
    }
    eex_offload_look(&figures, offload);
    CHECK(figures.by[EEX_BY_FALLBACK] == 0);
    v->served += figures.by[EEX_BY_SERVER];
    eex_offload_close(offload);
    eex_engine_close(engine);
}

static void *visit_often(void *argument)
{
    for (int i = 0; i < VISITS; i++)
        visit(argument);
    return NULL;
}

/* One server, cut behind an exit, until both devices have gone. */
static void run(int cut)
{
    visitor v[DEVICES];
    served s;
    pthread_t server, visitors[DEVICES];
    open_server(&s, cut);
    CHECK(pthread_create(&server, NULL, serve, &s) == 0);
    for (int i = 0; i < DEVICES; i++) {
        v[i] = (visitor){.address = s.address, .cut = cut};
        CHECK(pthread_create(&visitors[i], NULL, visit_often, &v[i]) == 0);
    }
    for (int i = 0; i < DEVICES; i++) {
        pthread_join(visitors[i], NULL);
        CHECK(v[i].served > 0);
    }
    raise(SIGTERM);
    pthread_join(server, NULL);
    eex_signals_clear();
    close_server(&s);
}

int main(void)
{
    const eex_device_options two = {.threads = 2};
    CHECK(eex_signals_install() == EEX_OK);
    CHECK(eex_cpu_open(&device, &two) == EEX_OK);
    for (int i = 0; i < IMAGES * IMAGE; i++)
        images[i / IMAGE][i % IMAGE] = (uint8_t)((unsigned)i * 2654435761u >> 13);
    build();
    choose_policy();
    run(1);
    model.predictor = &predictor;
    classify();
    run(0);
    CHECK(told > 0);
    eex_params_free(predictor.params);
    eex_graph_free(predictor.graph);
    eex_policy_free(model.policy);
    eex_params_free(model.params);
    eex_graph_free(model.graph);
    eex_device_close(device);
    return 0;
}
