/* Both ends of a network that is cut when memory runs out: each allocation fails in turn. And files
 * of settings by bandwidth. */
#include "net/offload.h"
#include "net/server.h"
#include "support/devices.h"
#include "support/folder.h"
#include "support/memory.h"
#include "support/patches.h"
#include "support/stored_model.h"
#include "support/traces.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

static char folder[TEST_PATH_SIZE], file[TEST_PATH_SIZE + 16], key[TEST_PATH_SIZE + 16];
static char settings[TEST_PATH_SIZE + 16];
static eex_device *device;
static eex_model *model;
static eex_engine *engine;
static uint8_t images[4 * 8 * 8 * 3];

/* Settings of an adapter whose trace is as good as any. */
static void fill_settings(eex_store_file *out, eex_adapter *adapter, const eex_parts *parts)
{
    static const eex_line line = {.device = 1e9, .server = INFINITY, .bits = 1e6};
    eex_adapt *adapt;
    eex_forecast forecast;
    OK(eex_adapt_fit(&adapt, adapter, eex_adapt_published, EEX_ADAPT_PUBLISHED, &line, 30));
    OK(eex_forecast_make(&forecast, adapt, adapter, parts, &line));
    OK(eex_adaptation_mark(out, model, NULL));
    OK(eex_store_set_int(out, "", "cut", 1));
    OK(eex_store_set_int(out, "", "bits", 32));
    OK(eex_store_set_double(out, "", "payload_bytes", parts->bytes));
    OK(eex_adapt_save(adapt, out, "adaptation"));
    OK(eex_forecast_save(&forecast, out, "forecast"));
    eex_adapt_free(adapt);
}

static void write_settings(void)
{
    static const eex_parts parts = {.exits = 2, .trunk = {1e6, 1e7}, .gate = {1e5}, .bytes = 2000};
    const int ends[2] = {0, eex_graph_exits(model->graph) - 1};
    eex_trace *trace;
    eex_policy *policy;
    eex_adapter *adapter;
    eex_store_file *out;
    OK(eex_trace_new(&trace, 60, 2, eex_graph_classes(model->graph)));
    test_trace_fill(trace, 3);
    OK(eex_policy_select(&policy, model->policy, ends, 2));
    OK(eex_trace_score(trace, device, policy->temperature));
    OK(eex_adapter_new(&adapter, trace, policy, &parts, NULL));
    OK(eex_adaptation_file(&out, settings, model->policy, model));
    fill_settings(out, adapter, &parts);
    OK(eex_store_commit(&out));
    eex_adapter_free(adapter);
    eex_policy_free(policy);
    eex_trace_free(trace);
}

static void setup(void)
{
    static const char digits[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    test_folder_make(folder);
    snprintf(file, sizeof file, "%s/model.h5", folder);
    snprintf(key, sizeof key, "%s/key", folder);
    device = open_device(1);
    eex_dataset *data = patches_open(folder, 20, 20, 30);
    stored_model_write(file, device, data);
    eex_dataset_close(data);
    OK(eex_model_open(&model, file, EEX_MODEL_BEST, device));
    OK(eex_engine_open(&engine, model, 4));
    FILE *out = fopen(key, "w");
    cr_assert_not_null(out);
    fputs(digits, out);
    fclose(out);
    cr_assert_eq(chmod(key, S_IRUSR | S_IWUSR), 0);
    snprintf(settings, sizeof settings, "%s/adapt.h5", folder);
    write_settings();
    for (size_t i = 0; i < sizeof images; i++)
        images[i] = (uint8_t)(37 * i);
}

static void teardown(void)
{
    eex_engine_close(engine);
    eex_model_close(model);
    eex_device_close(device);
    test_folder_remove(folder);
}

TestSuite(memory_net, .init = setup, .fini = teardown, .timeout = 240);

static int scenario_server(void)
{
    eex_server_options how = {
        .address = "127.0.0.1", .key = key, .sessions = 3, .batch = 4, .patience = 1, .idle = 1};
    eex_rest *rest = NULL;
    eex_server *server = NULL;
    int code = eex_rest_new(&rest, engine, 0, 8);
    if (code == EEX_OK)
        code = eex_offload_hello(&how.hello, model, eex_rest_payload(rest));
    if (code == EEX_OK)
        code = eex_server_open(&server, &how, rest);
    eex_server_close(server);
    eex_rest_free(rest);
    return code;
}

/* Nobody listens there: every image has an answer of the device all the same. */
static int scenario_device(void)
{
    const eex_remote_options remote = {.address = "127.0.0.1:1", .key = key, .timeout = 5};
    eex_offload *offload;
    eex_result results[4];
    eex_answerer by[4];
    int code = eex_offload_open(&offload, model, engine, 4, 0, 0, &remote);
    if (code == EEX_OK)
        code = eex_offload_run(offload, results, by, images, 4);
    for (int i = 0; i < 4 && code == EEX_OK; i++)
        cr_expect(by[i] != EEX_BY_SERVER && results[i].exit == 0);
    eex_offload_close(offload);
    return code;
}

/* The same with thresholds that follow the bandwidth. */
static int scenario_follower(void)
{
    const eex_remote_options remote = {.address = "127.0.0.1:1", .timeout = 5};
    eex_offload *offload = NULL;
    eex_adaptation *adaptation = NULL;
    eex_bandwidths trace = {.count = 0};
    eex_result results[4];
    int code = eex_bandwidths_parse(&trace, "0,1\n1,2\n", "trace");
    if (code == EEX_OK)
        code = eex_adaptation_open(&adaptation, settings, model);
    if (code == EEX_OK)
        code = eex_offload_open(&offload, model, engine, 4, 0, 0, &remote);
    if (code < 0) {
        eex_adaptation_close(adaptation);
        eex_bandwidths_free(&trace);
        return code;
    }
    code = eex_offload_follow(offload, adaptation, trace);
    if (code == EEX_OK)
        code = eex_offload_run(offload, results, NULL, images, 4);
    eex_offload_close(offload);
    return code;
}

Test(memory_net, of_a_server)
{
    cr_expect_gt(test_fail_each_allocation(scenario_server), 5);
}

Test(memory_net, of_a_device)
{
    cr_expect_gt(test_fail_each_allocation(scenario_device), 5);
}

Test(memory_net, of_a_device_that_follows)
{
    cr_expect_gt(test_fail_each_allocation(scenario_follower), 5);
}

/* A file of settings is of its model, and of nothing that was damaged. */
Test(memory_net, settings_are_of_their_model)
{
    eex_adaptation *adaptation;
    eex_policy *own = model->policy;
    cr_expect_eq(eex_adaptation_open(NULL, settings, model), EEX_EINVAL);
    cr_expect_eq(eex_adaptation_open(&adaptation, NULL, model), EEX_EINVAL);
    cr_expect_eq(eex_adaptation_open(&adaptation, settings, NULL), EEX_EINVAL);
    cr_expect_eq(eex_adaptation_mark(NULL, model, NULL), EEX_EINVAL);
    cr_expect_eq(eex_adaptation_set(NULL, 1e6), EEX_EINVAL);
    OK(eex_adaptation_open(&adaptation, settings, model));
    OK(eex_adaptation_set(adaptation, 1e6));
    cr_expect_eq(eex_adaptation_set(adaptation, 0), EEX_EINVAL);
    for (int k = 1; k < own->exits; k++) /* behind the cut nothing has changed */
        cr_expect_eq(adaptation->policy->a[k], own->a[k]);
    eex_adaptation_close(adaptation);
    model->policy = NULL;
    cr_expect_eq(eex_adaptation_open(&adaptation, settings, model), EEX_EINVAL);
    model->policy = own;
    model->input.mean[0] += 1;
    cr_expect_eq(eex_adaptation_open(&adaptation, settings, model), EEX_EINVAL);
    cr_expect(strstr(eex_error(), "its settings are for model"), "%s", eex_error());
    model->input.mean[0] -= 1;
    cr_expect_eq(eex_adaptation_open(&adaptation, file, model), EEX_EFORMAT);
}
