/* Reading and writing for other programs when memory runs out: each allocation fails in turn. */
#include "core/exchange/c99.h"
#include "core/exchange/onnx.h"
#include "core/exchange/onnx_import.h"
#include "core/exchange/start.h"
#include "core/exchange/weights.h"
#include "support/backbones.h"
#include "support/devices.h"
#include "support/folder.h"
#include "support/memory.h"

#include "base/fs.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

static char folder[TEST_PATH_SIZE], weights[TEST_PATH_SIZE], started[TEST_PATH_SIZE];
static eex_device *device;
static eex_graph *graph;
static eex_params *params;

static void setup(void)
{
    test_folder_make(folder);
    snprintf(weights, sizeof weights, "%s", test_path(folder, "x.safetensors"));
    snprintf(started, sizeof started, "%s", test_path(folder, "x.h5"));
    device = open_device(1);
    OK(eex_test_tiny_gated(&graph, 4));
    OK(eex_params_new(&params, device, graph, 1));
    eex_buffer b = EEX_BUFFER_INIT;
    OK(eex_safetensors_put(&b, params, "tiny"));
    OK(eex_fs_write(weights, b.data, b.size));
    eex_buffer_free(&b);
}

static void teardown(void)
{
    eex_params_free(params);
    eex_graph_free(graph);
    eex_device_close(device);
    test_folder_remove(folder);
}

TestSuite(memory_exchange, .init = setup, .fini = teardown);

static int put(void)
{
    eex_buffer b = EEX_BUFFER_INIT;
    int code = eex_safetensors_put(&b, params, "tiny");
    if (code == EEX_OK)
        code = eex_buffer_status(&b);
    eex_buffer_free(&b);
    return code;
}

/* The network as a model with exits that decide. */
static eex_model model_of(eex_policy *policy)
{
    static char path[] = "a model", set[] = "noise", *names[] = {set, set, set, set};
    return (eex_model){.path = path,
                       .graph = graph,
                       .params = params,
                       .policy = policy,
                       .input = {.dataset = set,
                                 .height = 16,
                                 .width = 16,
                                 .channels = 3,
                                 .std = {1, 1, 1},
                                 .classes = {4, names}}};
}

static int put_onnx(void)
{
    eex_buffer b = EEX_BUFFER_INIT;
    eex_policy *policy = NULL;
    int code = eex_policy_new(&policy, EEX_POLICY_MARGIN, eex_graph_exits(graph), 4);
    if (code == EEX_OK) {
        const eex_model m = model_of(policy);
        code = eex_onnx_put(&b, &m, EEX_ONNX_DECIDES);
    }
    eex_policy_free(policy);
    eex_buffer_free(&b);
    return code;
}

static int put_c99(void)
{
    eex_buffer header = EEX_BUFFER_INIT, source = EEX_BUFFER_INIT;
    eex_c99_needs needs;
    eex_policy *policy = NULL;
    int code = eex_policy_new(&policy, EEX_POLICY_MARGIN, eex_graph_exits(graph), 4);
    if (code == EEX_OK) {
        const eex_model m = model_of(policy);
        code = eex_c99_put(&header, &source, &needs, &m);
    }
    eex_policy_free(policy);
    eex_buffer_free(&header);
    eex_buffer_free(&source);
    return code;
}

static int take(void)
{
    eex_safetensors *f = NULL;
    eex_weights w = {.names = ""};
    int code = eex_safetensors_open(&f, weights);
    if (code == EEX_OK)
        code = eex_weights_match(&w, f, graph);
    if (code == EEX_OK)
        code = eex_weights_load(params, f, &w);
    eex_weights_free(&w);
    eex_safetensors_close(f);
    return code;
}

static int take_onnx(void)
{
    eex_onnx_network *net = NULL;
    eex_params *own = NULL;
    eex_buffer script = EEX_BUFFER_INIT;
    int code = eex_onnx_open(&net, EEX_FIXTURES "/network_odd.onnx", "odd", 0);
    if (code == EEX_OK)
        code = eex_params_new_empty(&own, device, eex_onnx_graph(net));
    if (code == EEX_OK)
        code = eex_onnx_load(own, net);
    if (code == EEX_OK)
        code = eex_start_script(&script, eex_onnx_graph(net), "set", "odd.onnx");
    eex_buffer_free(&script);
    eex_params_free(own);
    eex_onnx_close(net);
    return code;
}

static int start(void)
{
    eex_input input = {0};
    bool there;
    int code = eex_start_input(&input, &there, graph, "/nowhere/x.h5");
    if (code == EEX_OK)
        code = eex_start_write(started, params, &input, EEX_F32);
    eex_input_free(&input);
    return code;
}

Test(memory_exchange, writing_weights)
{
    cr_expect_gt(test_fail_each_allocation(put), 5);
}

Test(memory_exchange, writing_onnx)
{
    cr_expect_gt(test_fail_each_allocation(put_onnx), 20);
}

Test(memory_exchange, writing_c)
{
    cr_expect_gt(test_fail_each_allocation(put_c99), 20);
}

Test(memory_exchange, taking_weights)
{
    cr_expect_gt(test_fail_each_allocation(take), 10);
}

Test(memory_exchange, taking_onnx)
{
    cr_expect_gt(test_fail_each_allocation(take_onnx), 20);
}

Test(memory_exchange, starting)
{
    cr_expect_gt(test_fail_each_allocation(start), 10);
}
