/* Model files, cuts and latency tables when memory runs out: each allocation fails in turn. */
#include "core/engine/latency_table.h"
#include "core/model/cut.h"
#include "core/model/model_data.h"
#include "core/report/report_model.h"
#include "core/use/prune.h"
#include "support/backbones.h"
#include "support/devices.h"
#include "support/folder.h"
#include "support/memory.h"
#include "support/patches.h"
#include "support/traces.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { CLASSES = 4, SAMPLES = 20 };

static char folder[TEST_PATH_SIZE], whole[TEST_PATH_SIZE], table[TEST_PATH_SIZE];
static eex_device *device;
static eex_identity made_of;
static eex_model *model, *unrun; /* the file opened, on the device and on none */

/* A model file with traces: the tiny network with two gates, cut behind its end. */
static void write_model(void)
{
    static char *names[CLASSES] = {"red", "green", "blue", "yellow"};
    eex_graph *graph;
    eex_params *params;
    eex_policy *policy;
    eex_trace *trace;
    eex_store_file *file;
    char set[] = "patches";
    const eex_input input = {.dataset = set,
                             .height = 8,
                             .width = 8,
                             .channels = 3,
                             .std = {1, 1, 1},
                             .classes = {CLASSES, names},
                             .made_of = made_of};
    OK(eex_test_tiny_gated(&graph, CLASSES));
    OK(eex_params_new(&params, device, graph, 1));
    OK(eex_policy_new(&policy, EEX_POLICY_CONFIDENCE, 3, CLASSES));
    OK(eex_trace_new(&trace, SAMPLES, 3, CLASSES));
    test_trace_fill(trace, 1);
    OK(eex_trace_score(trace, device, policy->temperature));
    OK(eex_store_create(&file, whole, "weights", 1));
    OK(eex_model_write(file, graph, params, policy, NULL, &input, EEX_F32));
    OK(eex_trace_save(trace, file, "validation"));
    OK(eex_trace_save(trace, file, "calibration"));
    OK(eex_store_commit(&file));
    eex_trace_free(trace);
    eex_policy_free(policy);
    eex_params_free(params);
    eex_graph_free(graph);
}

static void write_table(void)
{
    eex_latency_table *t;
    eex_store_file *file;
    OK(eex_latency_table_new(&t, device));
    OK(eex__latency_put(t, "leave", 1, 1));
    OK(eex_store_create(&file, table, "latency-table", 1));
    OK(eex_latency_table_save(t, file));
    OK(eex_store_commit(&file));
    eex_latency_table_free(t);
}

static void setup(void)
{
    test_folder_make(folder);
    snprintf(whole, sizeof whole, "%s", test_path(folder, "whole.h5"));
    snprintf(table, sizeof table, "%s", test_path(folder, "table.h5"));
    device = open_device(1);
    setenv("EEX_DATA", folder, 1);
    eex_dataset *data = patches_open(folder, 200, 4, 40);
    OK(eex_identity_of(&made_of, data));
    eex_dataset_close(data);
    write_model();
    write_table();
    OK(eex_model_open(&model, whole, EEX_MODEL_BEST, device));
    OK(eex_model_open(&unrun, whole, EEX_MODEL_BEST, NULL));
}

static void teardown(void)
{
    eex_model_close(unrun);
    eex_model_close(model);
    eex_identity_free(&made_of);
    eex_device_close(device);
    test_folder_remove(folder);
}

TestSuite(memory_model, .init = setup, .fini = teardown, .timeout = 240);

static int open_model(void)
{
    eex_model *m = NULL;
    int code = eex_model_open(&m, whole, EEX_MODEL_BEST, device);
    eex_model_close(m);
    return code;
}

/* Opening is a scenario of its own: the others begin with what is open. */
static int open_part(const char *name)
{
    eex_dataset *data = NULL;
    eex_index part = {NULL, 0};
    int code = eex_model_data_open(&data, unrun, name);
    if (code == EEX_OK)
        code = eex_model_data_part(&part, unrun, data, "validation");
    free(part.at);
    eex_dataset_close(data);
    return code;
}

static int open_own_part(void)
{
    return open_part(NULL);
}

static int open_other_part(void) /* by content: it is called otherwise */
{
    return open_part("alias");
}

static int write_policy(void)
{
    eex_store_file *file = NULL;
    int code = eex_policy_file(&file, test_path(folder, "policy.h5"), unrun->policy, unrun);
    if (code == EEX_OK)
        code = eex_store_commit(&file);
    if (code == EEX_OK)
        code = eex_model_load_policy(unrun, test_path(folder, "policy.h5"));
    eex_store_close(file);
    return code;
}

static int show_model(void)
{
    eex_model_report *report = NULL;
    eex_buffer text = EEX_BUFFER_INIT;
    int code = eex_model_report_load(&report, unrun);
    if (code == EEX_OK)
        code = eex_model_report_table(&text, report, 80);
    if (code == EEX_OK)
        code = eex_model_report_json(&text, report);
    eex_buffer_free(&text);
    eex_model_report_free(report);
    return code;
}

static int cut_model(void)
{
    const eex_cut cut = eex_cut_at(1, false);
    eex_model *small = NULL;
    int code = eex_cut_make(&small, model, &cut);
    if (code == EEX_OK)
        code = eex_cut_write(test_path(folder, "cut.h5"), small, model, &cut);
    eex_model_close(small);
    return code;
}

static int choose_cut(void)
{
    const eex_wishes w = {.most_macs = 1e9, .most_ms = NAN, .accuracy = NAN};
    eex_prune_table *t = calloc(1, sizeof *t);
    char *why = NULL;
    int exit = 0;
    int code = t ? eex_prune_judge(t, unrun) : eex_fail(EEX_ENOMEM, "out of memory");
    if (code == EEX_OK)
        code = eex_prune_choose(&exit, &why, t, &w);
    free(why);
    free(t);
    return code;
}

static int load_table(void)
{
    eex_latency_table *t = NULL;
    int code = eex_latency_table_load(&t, table);
    eex_latency_table_free(t);
    return code;
}

/* One exit alone: the others would be more of the same. */
static int measure_table(void)
{
    const eex_inference how = {.batch = 1, .normalise = {.std = {1, 1, 1}}};
    const int first = 0;
    eex_graph *g = NULL;
    eex_params *params = NULL;
    eex_latency_table *t = NULL;
    int added, code = eex_graph_select(&g, unrun->graph, &first, 1);
    if (code == EEX_OK)
        code = eex_params_new(&params, device, g, 1);
    if (code == EEX_OK)
        code = eex_latency_table_new(&t, device);
    if (code == EEX_OK)
        code = eex_latency_table_add(t, &added, g, params, &how);
    eex_latency_table_free(t);
    eex_params_free(params);
    eex_graph_free(g);
    return code;
}

Test(memory_model, models)
{
    cr_expect_gt(test_fail_each_allocation(open_model), 20);
    cr_expect_gt(test_fail_each_allocation(show_model), 20);
}

Test(memory_model, data)
{
    OK(rename(test_path(folder, "patches.h5"), test_path(folder, "alias.h5")));
    cr_expect_gt(test_fail_each_allocation(open_other_part), 20);
    OK(rename(test_path(folder, "alias.h5"), test_path(folder, "patches.h5")));
    cr_expect_gt(test_fail_each_allocation(open_own_part), 20);
    cr_expect_gt(test_fail_each_allocation(write_policy), 20);
}

Test(memory_model, cuts)
{
    cr_expect_gt(test_fail_each_allocation(cut_model), 40);
    cr_expect_gt(test_fail_each_allocation(choose_cut), 40);
}

Test(memory_model, latency_tables)
{
    cr_expect_gt(test_fail_each_allocation(load_table), 3);
    cr_expect_gt(test_fail_each_allocation(measure_table), 40);
}
