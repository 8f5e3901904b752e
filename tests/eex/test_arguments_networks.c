/* Calls that cannot be, of graphs, parameters, plans, and what is familiar: see test_arguments.c.
 */
#include "core/train/familiar.h"
#include "cpu/cpu_register.h"
#include "eex/eex.h"
#include "support/folder.h"
#include "support/patches.h"
#include "support/refused.h"
#include "support/stored_model.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { IMAGE = 8 * 8 * 3, BATCH = 4, FLOATS = BATCH * 8 * 8 * 64 };

static char folder[TEST_PATH_SIZE];
static eex_dataset *data;
static eex_device *device;
static eex_model *model;
static uint8_t images[BATCH * IMAGE];
static float floats[FLOATS];
static const int wrong_ids[] = {INT_MIN, -1, 1 << 20, INT_MAX};
enum { WRONG = sizeof wrong_ids / sizeof *wrong_ids };

static void setup(void)
{
    char path[TEST_PATH_SIZE];
    test_folder_make(folder);
    data = patches_open(folder, 20, 8, 40);
    OK(eex_cpu_register());
    OK(eex_device_open(&device, "cpu", &(eex_device_options){.threads = 1}));
    snprintf(path, sizeof path, "%s", test_path(folder, "model.h5"));
    stored_model_write(path, device, data);
    OK(eex_model_open(&model, path, EEX_MODEL_BEST, device));
}

static void teardown(void)
{
    eex_model_close(model);
    eex_device_close(device);
    eex_dataset_close(data);
    test_folder_remove(folder);
}

TestSuite(arguments_networks, .init = setup, .fini = teardown, .timeout = 120);

/* ---- graphs ---- */

Test(arguments_networks, of_building)
{
    const eex_conv_options conv = {.out = 4, .kernel = 3, .pad = 1};
    eex_graph *g;
    int v = 0;
    REFUSED(eex_graph_new(NULL, "g", 8, 8, 3));
    REFUSED(eex_graph_new(&g, NULL, 8, 8, 3));
    REFUSED(eex_graph_new(&g, "g", INT_MAX, 8, 3));
    REFUSED(eex_graph_new(&g, "g", 8, INT_MIN, 3));
    REFUSED(eex_graph_new(&g, "g", 8, 8, INT_MAX));
    OK(eex_graph_new(&g, "g", 8, 8, 3));
    REFUSED(eex_graph_add_conv(NULL, &v, 0, "c", &conv));
    REFUSED(eex_graph_add_conv(g, NULL, 0, "c", &conv));
    REFUSED(eex_graph_add_conv(g, &v, 0, NULL, &conv));
    REFUSED(eex_graph_add_conv(g, &v, 0, "c", NULL));
    REFUSED(eex_graph_add_conv(g, &v, 0, "c", &(eex_conv_options){.out = INT_MIN, .kernel = 1}));
    REFUSED(eex_graph_add_conv(g, &v, 0, "c", &(eex_conv_options){.out = 4, .kernel = INT_MIN}));
    REFUSED(eex_graph_add_conv(g, &v, 0, "c",
                               &(eex_conv_options){.out = 4, .kernel = 3, .pad = INT_MIN}));
    REFUSED(eex_graph_add_conv(g, &v, 0, "c",
                               &(eex_conv_options){.out = 4, .kernel = 3, .groups = INT_MIN}));
    REFUSED(eex_graph_add_batch_norm(NULL, &v, 0, "b"));
    REFUSED(eex_graph_add_act(NULL, &v, 0, "a", EEX_ACT_RELU));
    REFUSED(eex_graph_functional(NULL, 0));
    REFUSED(eex_graph_add_act(g, &v, 0, "a", (eex_act)-1));
    REFUSED(eex_graph_add_act(g, &v, 0, "a", (eex_act)EEX_ACTS));
    REFUSED(eex_graph_add_add(NULL, &v, 0, 0, "a"));
    REFUSED(eex_graph_add_scale(NULL, &v, 0, 0, "s"));
    REFUSED(eex_graph_add_concat(NULL, &v, 0, 0, "c"));
    REFUSED(eex_graph_add_depth_to_space(NULL, &v, 0, "p"));
    REFUSED(eex_graph_add_depth_to_space(g, &v, 0, "p")); /* three channels */
    REFUSED(eex_graph_add_quantise(NULL, &v, 0, "q", 8));
    REFUSED(eex_graph_add_quantise(g, &v, 0, "q", 0));
    REFUSED(eex_graph_add_quantise(g, &v, 0, "q", INT_MAX));
    REFUSED(eex_graph_add_max_pool(NULL, &v, 0, "m", 2, 2, 0));
    REFUSED(eex_graph_add_max_pool(g, &v, 0, "m", INT_MIN, 0, INT_MIN));
    REFUSED(eex_graph_add_global_pool(NULL, &v, 0, "p", false));
    REFUSED(eex_graph_add_flatten(NULL, &v, 0, "f", false));
    REFUSED(eex_graph_add_dropout(NULL, &v, 0, "d", 0.5f));
    REFUSED(eex_graph_add_dropout(g, &v, 0, "d", NAN));
    REFUSED(eex_graph_add_linear(NULL, &v, 0, "l", 4, true));
    for (int i = 0; i < WRONG; i++) {
        const int id = wrong_ids[i];
        REFUSED(eex_graph_add_conv(g, &v, id, "c", &conv));
        REFUSED(eex_graph_add_batch_norm(g, &v, id, "b"));
        REFUSED(eex_graph_functional(g, id));
        REFUSED(eex_graph_add_act(g, &v, id, "a", EEX_ACT_RELU));
        REFUSED(eex_graph_add_add(g, &v, 0, id, "a"));
        REFUSED(eex_graph_add_scale(g, &v, 0, id, "s"));
        REFUSED(eex_graph_add_concat(g, &v, id, 0, "c"));
        REFUSED(eex_graph_add_depth_to_space(g, &v, id, "p"));
        REFUSED(eex_graph_add_quantise(g, &v, id, "q", 8));
        REFUSED(eex_graph_add_max_pool(g, &v, id, "m", 2, 2, 0));
        REFUSED(eex_graph_add_global_pool(g, &v, id, "p", false));
        REFUSED(eex_graph_add_flatten(g, &v, id, "f", false));
        REFUSED(eex_graph_add_dropout(g, &v, id, "d", 0.5f));
        REFUSED(eex_graph_add_linear(g, &v, id, "l", 4, true));
        REFUSED(eex_graph_init_std(g, id, 0.1f));
        REFUSED(eex_graph_zero_start(g, id));
        REFUSED(eex_graph_finish(g, id));
    }
    REFUSED(eex_graph_block(NULL, "b"));
    REFUSED(eex_graph_block(g, NULL));
    REFUSED(eex_graph_init_std(NULL, 1, 0.1f));
    REFUSED(eex_graph_zero_start(NULL, 1));
    REFUSED(eex_graph_finish(NULL, 1));
    cr_expect_eq(eex_graph_nodes(g), 1); /* nothing of all that was added */
    REFUSED(eex_graph_block((eex_graph *)model->graph, "late"));
    REFUSED(eex_graph_add_act((eex_graph *)model->graph, &v, 0, "late", EEX_ACT_RELU));
    eex_graph_free(g);
    eex_graph_free(NULL);
}

Test(arguments_networks, of_gates_and_exits)
{
    const eex_gate gate = {.point = 1, .blocks = 1};
    const int exits[] = {0, 1}, backwards[] = {1, 0};
    eex_graph *g = NULL, *open;
    OK(eex_graph_new(&open, "g", 8, 8, 3));
    REFUSED(eex_graph_with_gates(NULL, model->graph, &gate, 1, EEX_ACT_RELU));
    REFUSED(eex_graph_with_gates(&g, NULL, &gate, 1, EEX_ACT_RELU));
    REFUSED(eex_graph_with_gates(&g, model->graph, NULL, 1, EEX_ACT_RELU));
    REFUSED(eex_graph_with_gates(&g, model->graph, &gate, INT_MIN, EEX_ACT_RELU));
    REFUSED(eex_graph_with_gates(&g, model->graph, &gate, 1, (eex_act)-1));
    REFUSED(eex_graph_with_gates(&g, open, &gate, 1, EEX_ACT_RELU));
    REFUSED(eex_graph_cut(NULL, model->graph, 0));
    REFUSED(eex_graph_cut(&g, NULL, 0));
    REFUSED(eex_graph_cut(&g, open, 0));
    REFUSED(eex_graph_select(NULL, model->graph, exits, 2));
    REFUSED(eex_graph_select(&g, NULL, exits, 2));
    REFUSED(eex_graph_select(&g, model->graph, NULL, 2));
    REFUSED(eex_graph_select(&g, model->graph, backwards, 2));
    REFUSED(eex_graph_select(&g, model->graph, exits, INT_MAX));
    REFUSED(eex_graph_select(&g, model->graph, exits, INT_MIN));
    for (int i = 0; i < WRONG; i++) {
        REFUSED(eex_graph_cut(&g, model->graph, wrong_ids[i]));
        REFUSED(eex_graph_select(&g, model->graph, &wrong_ids[i], 1));
    }
    cr_expect_null(g);
    eex_graph_free(open);
}

Test(arguments_networks, of_looking_at_graphs)
{
    for (int i = 0; i < WRONG; i++) {
        const int id = wrong_ids[i];
        cr_expect(!eex_graph_gateable(model->graph, id) && !eex_graph_node(model->graph, id) &&
                  !eex_graph_exit(model->graph, id) && !eex_graph_param(model->graph, id));
    }
    cr_expect(!eex_graph_gateable(NULL, 1) && !eex_graph_node(NULL, 0) &&
              !eex_graph_exit(NULL, 0) && !eex_graph_param(NULL, 0));
    cr_expect(eex_graph_nodes(NULL) == 0 && eex_graph_exits(NULL) == 0 &&
              eex_graph_classes(NULL) == 0 && eex_graph_params(NULL) == 0 &&
              eex_graph_layers(NULL) == 0 && eex_graph_param_total(NULL) == 0 &&
              eex_graph_bytes(NULL) == 0 && eex_param_count(NULL) == 0);
    cr_expect_str_eq(eex_graph_name(NULL), "");
    cr_expect(eex_graph_find(NULL, "x") == -1 && eex_graph_find(model->graph, NULL) == -1);
    cr_expect_str_eq(eex_gate_family_name((eex_gate_family)-1), "?");
    cr_expect_str_eq(eex_node_kind_name(EEX_NODE_KINDS), "?");
    cr_expect(eex_gate_family_names() && eex_node_kind_names());
    cr_expect(eex_model_bytes(NULL) == 0 && eex_model_bytes(model) > eex_graph_bytes(model->graph));
}

/* ---- parameters ---- */

Test(arguments_networks, of_parameters)
{
    eex_params *p = NULL;
    eex_store_file *file;
    eex_graph *open;
    int copied;
    OK(eex_graph_new(&open, "g", 8, 8, 3));
    OK(eex_store_create(&file, test_path(folder, "new.h5"), "weights", 1));
    REFUSED(eex_params_new(NULL, device, model->graph, 1));
    REFUSED(eex_params_new(&p, NULL, model->graph, 1));
    REFUSED(eex_params_new(&p, device, NULL, 1));
    REFUSED(eex_params_new(&p, device, open, 1));
    REFUSED(eex_params_new_some(NULL, device, model->graph, (bool[]){true}));
    REFUSED(eex_params_new_some(&p, device, model->graph, NULL));
    cr_expect(!eex_params_has(NULL, 0) && !eex_params_has(model->params, -1));
    cr_expect(eex_params_has(model->params, 0) && !eex_params_has(model->params, 1 << 20));
    REFUSED(eex_plan_part_reads(NULL, model->graph, device, (eex_plan_part){EEX_PLAN_REST, 0}));
    REFUSED(eex_plan_part_reads((bool[]){0}, NULL, device, (eex_plan_part){EEX_PLAN_REST, 0}));
    REFUSED(
        eex_plan_part_reads((bool[]){0}, model->graph, NULL, (eex_plan_part){EEX_PLAN_REST, 0}));
    REFUSED(eex_params_new_empty(NULL, device, model->graph));
    REFUSED(eex_params_new_empty(&p, NULL, model->graph));
    REFUSED(eex_params_new_empty(&p, device, NULL));
    REFUSED(eex_params_new_empty(&p, device, open));
    cr_expect_null(p);
    for (int i = 0; i < WRONG; i++) {
        REFUSED(eex_params_get(model->params, wrong_ids[i], floats));
        REFUSED(eex_params_set(model->params, wrong_ids[i], floats));
        cr_expect_null(eex_params_at(model->params, wrong_ids[i]));
    }
    REFUSED(eex_params_get(NULL, 0, floats));
    REFUSED(eex_params_get(model->params, 0, NULL));
    REFUSED(eex_params_set(NULL, 0, floats));
    REFUSED(eex_params_set(model->params, 0, NULL));
    cr_expect_null(eex_params_at(NULL, 0));
    REFUSED(eex_params_copy(NULL, model->params, &copied));
    REFUSED(eex_params_copy(model->params, NULL, &copied));
    REFUSED(eex_params_save(NULL, file, "p"));
    REFUSED(eex_params_save(model->params, NULL, "p"));
    REFUSED(eex_params_save(model->params, file, NULL));
    REFUSED(eex_params_load(NULL, file, "p"));
    REFUSED(eex_params_load(model->params, NULL, "p"));
    REFUSED(eex_params_load(model->params, file, NULL));
    REFUSED(eex_params_load(model->params, file, "p")); /* which is being written */
    eex_store_close(file);
    eex_params_free(NULL);
    eex_graph_free(open);
}

Test(arguments_networks, of_optimisers)
{
    const eex_optimizer sgd = {.kind = EEX_SGD}, none = {.kind = EEX_OPTIMIZERS};
    eex_optimizer_state *s = NULL;
    REFUSED(eex_optimizer_state_new(NULL, model->params, &sgd));
    REFUSED(eex_optimizer_state_new(&s, NULL, &sgd));
    REFUSED(eex_optimizer_state_new(&s, model->params, &none));
    cr_expect_null(s);
    eex_optimizer_state_free(NULL);
    cr_expect_str_eq(eex_optimizer_name((eex_optimizer_kind)-1), "?");
    cr_expect_not_null(eex_optimizer_names());
}

/* ---- plans ---- */

Test(arguments_networks, of_making_plans)
{
    const int batches[] = {INT_MIN, -1, 0, EEX_PLAN_MAX_BATCH + 1, INT_MAX};
    eex_plan_options o = {.batch = 1, .augment = {.std = {1, 1, 1}}};
    eex_plan *p = NULL, *whole;
    OK(eex_plan_new(&whole, &o, model->graph, model->params));
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
        o.batch = batches[i];
        REFUSED(eex_plan_new(&p, &o, model->graph, model->params));
        REFUSED(eex_plan_new_beside(&p, &o, model->graph, model->params, whole));
    }
    o.batch = 1;
    REFUSED(eex_plan_new(NULL, &o, model->graph, model->params));
    REFUSED(eex_plan_new(&p, NULL, model->graph, model->params));
    REFUSED(eex_plan_new(&p, &o, NULL, model->params));
    REFUSED(eex_plan_new(&p, &o, model->graph, NULL));
    REFUSED(eex_plans_new(NULL, &o, 1, model->graph, model->params));
    REFUSED(eex_plans_new(&p, NULL, 1, model->graph, model->params));
    REFUSED(eex_plans_new(&p, &o, INT_MIN, model->graph, model->params));
    REFUSED(eex_plan_new_beside(NULL, &o, model->graph, model->params, whole));
    REFUSED(eex_plan_new_beside(&p, NULL, model->graph, model->params, whole));
    REFUSED(eex_plan_new_beside(&p, &o, NULL, model->params, whole));
    REFUSED(eex_plan_new_beside(&p, &o, model->graph, NULL, whole));
    REFUSED(eex_plan_new_beside(&p, &o, model->graph, model->params, NULL));
    o.mode = EEX_PLAN_MODES;
    REFUSED(eex_plan_new(&p, &o, model->graph, model->params));
    o.mode = EEX_PLAN_TRAIN; /* without a state that learns */
    REFUSED(eex_plan_new(&p, &o, model->graph, model->params));
    cr_expect_null(p);
    cr_expect_eq(eex_inference_plan(NULL).batch, 0);
    eex_plan_free(whole);
    eex_plan_free(NULL);
}

/* Of a plan for inference (or none), each with a batch or an exit that there is not. */
static void refuses_to_run(eex_plan *p, int batch, int exit)
{
    int stay;
    uint8_t decision[BATCH] = {0};
    eex_result results[BATCH];
    eex_scores scores;
    eex_span spans[256];
    const int32_t index[BATCH] = {0, 1, 2, 3};
    if (batch != 1) {
        REFUSED(eex_plan_upload(p, images, NULL, NULL, batch));
        REFUSED(eex_plan_upload_value(p, 1, floats, batch));
        REFUSED(eex_plan_download_value(p, 1, floats, batch));
        REFUSED(eex_plan_gather(p, batch));
        REFUSED(eex_plan_decisions(p, decision, batch));
        REFUSED(eex_plan_set_decisions(p, decision, batch));
        REFUSED(eex_plan_results(p, results, batch));
        REFUSED(eex_plan_time(p, (double *)floats, 1, batch));
    } else {
        REFUSED(eex_plan_scores(p, exit, &scores));
        REFUSED(eex_plan_temperature(p, exit, 1));
        REFUSED(eex_plan_segments(p, exit, 0, batch));
    }
    REFUSED(eex_plan_logits(p, exit, floats, batch));
    REFUSED(eex_plan_segments(p, 0, exit, batch));
    REFUSED(eex_plan_compact(p, exit, index, batch));
    REFUSED(eex_plan_leave(p, exit, batch, &stay));
    REFUSED(eex_plan_spans(p, spans, exit, batch));
}

Test(arguments_networks, of_running_plans)
{
    const eex_plan_options o = {.batch = BATCH, .augment = {.std = {1, 1, 1}}};
    eex_plan *p;
    eex_scores scores;
    eex_totals totals = {0};
    int stay;
    double norm;
    bool done;
    OK(eex_plan_new(&p, &o, model->graph, model->params));
    for (int i = 0; i < WRONG; i++) {
        refuses_to_run(p, wrong_ids[i], 0);
        refuses_to_run(p, 1, wrong_ids[i]);
        refuses_to_run(NULL, wrong_ids[i], 0);
        REFUSED(eex_plan_upload_value(p, wrong_ids[i], floats, 1));
        REFUSED(eex_plan_download_value(p, wrong_ids[i], floats, 1));
        cr_expect(!eex_plan_op(p, wrong_ids[i]) && eex_plan_op_segment(p, wrong_ids[i]) == -1);
    }
    refuses_to_run(p, 0, 0);
    REFUSED(eex_plan_upload_value(p, 1, NULL, 1));
    REFUSED(eex_plan_download_value(p, 1, NULL, 1));
    REFUSED(eex_plan_logits(p, 0, NULL, 1));
    REFUSED(eex_plan_scores(p, 0, NULL));
    REFUSED(eex_plan_scores(NULL, 0, &scores));
    REFUSED(eex_plan_temperature(p, 0, NAN));
    REFUSED(eex_plan_temperature(NULL, 0, 1));
    REFUSED(eex_plan_decide(p, EEX_MEASURE_MARGIN, NULL, floats));
    REFUSED(eex_plan_decide(p, EEX_MEASURE_MARGIN, floats, NULL));
    REFUSED(eex_plan_decide(NULL, EEX_MEASURE_MARGIN, floats, floats));
    REFUSED(eex_plan_leave(p, 0, 1, NULL));
    REFUSED(eex_plan_leave(NULL, 0, 1, &stay));
    REFUSED(eex_plan_decisions(p, NULL, 1));
    REFUSED(eex_plan_set_decisions(p, NULL, 1));
    REFUSED(eex_plan_results(p, NULL, 1));
    REFUSED(eex_plan_compact(p, 0, NULL, 1));
    REFUSED(eex_plan_run_single(p, true, NULL));
    REFUSED(eex_plan_run_single(NULL, true, &done));
    REFUSED(eex_plan_spans(p, NULL, 0, 1));
    REFUSED(eex_plan_time(p, NULL, 1, 1));
    REFUSED(eex_plan_time(p, (double *)floats, INT_MIN, 1));
    REFUSED(eex_plan_time(p, (double *)floats, 0, 1));
    REFUSED(eex_plan_refresh(NULL));
    /* what only training has */
    REFUSED(eex_plan_step(p, &(eex_step){.batch = 1}));
    REFUSED(eex_plan_totals(p, 0, &totals));
    REFUSED(eex_plan_totals_set(p, 0, &totals));
    REFUSED(eex_plan_totals_reset(p));
    REFUSED(eex_plan_grad_norm(p, &norm));
    cr_expect(eex_plan_ops(NULL) == 0 && eex_plan_bytes(NULL) == 0 && !eex_plan_op(NULL, 0) &&
              eex_plan_op_segment(NULL, 0) == -1 && !eex_plan_kept_logits(NULL));
    OK(eex_plan_upload(p, images, NULL, NULL, 1)); /* and nothing is broken */
    OK(eex_plan_segments(p, 0, eex_graph_exits(model->graph) - 1, 1));
    eex_plan_free(p);
}

Test(arguments_networks, of_training_plans)
{
    const eex_optimizer sgd = {.kind = EEX_SGD};
    eex_plan_options o = {
        .mode = EEX_PLAN_TRAIN, .batch = BATCH, .augment = {.std = {1, 1, 1}}, .weight = {1, 1, 1}};
    eex_plan *p;
    eex_totals totals = {0};
    double norm;
    bool done;
    OK(eex_optimizer_state_new(&o.state, model->params, NULL));
    REFUSED(eex_plan_new(&p, &o, model->graph, model->params));
    eex_optimizer_state_free(o.state);
    OK(eex_optimizer_state_new(&o.state, model->params, &sgd));
    OK(eex_plan_new(&p, &o, model->graph, model->params));
    REFUSED(eex_plan_reads(NULL, 8, 8));
    REFUSED(eex_plan_reads(model->graph, -1, 8));
    REFUSED(eex_plan_reads(model->graph, INT_MAX, INT_MAX));
    cr_expect_eq(eex_plan_image_bytes(NULL), 0);
    eex_augment_fit(NULL, NULL);
    eex_augment_fit(&o.augment, NULL);
    REFUSED(eex_plan_step(NULL, &(eex_step){.batch = 1}));
    REFUSED(eex_plan_step(p, NULL));
    REFUSED(eex_plan_step(p, &(eex_step){.batch = 0}));
    REFUSED(eex_plan_step(p, &(eex_step){.batch = BATCH + 1}));
    REFUSED(eex_plan_totals(NULL, 0, &totals));
    REFUSED(eex_plan_totals(p, 0, NULL));
    REFUSED(eex_plan_totals_set(NULL, 0, &totals));
    REFUSED(eex_plan_totals_set(p, 0, NULL));
    REFUSED(eex_plan_totals_reset(NULL));
    REFUSED(eex_plan_grad_norm(NULL, &norm));
    REFUSED(eex_plan_grad_norm(p, NULL));
    for (int i = 0; i < WRONG; i++) {
        REFUSED(eex_plan_totals(p, wrong_ids[i], &totals));
        REFUSED(eex_plan_totals_set(p, wrong_ids[i], &totals));
    }
    /* what only inference has */
    refuses_to_run(p, INT_MAX, 0);
    REFUSED(eex_plan_segments(p, 0, 0, 1));
    REFUSED(eex_plan_run_single(p, true, &done));
    REFUSED(eex_plan_gather(p, 1));
    REFUSED(eex_plan_trunk(p, 0, 1, NULL));
    REFUSED(eex_plan_ask(p, 0, NULL, 1, NULL));
    REFUSED(eex_plan_gate(p, 0, 1, NULL));
    REFUSED(eex_plan_inputs(p, NULL, 1));
    REFUSED(eex_plan_trunk(NULL, 0, 1, NULL));
    REFUSED(eex_plan_gate(NULL, 0, 1, NULL));
    REFUSED(eex_plan_inputs(NULL, NULL, 1));
    REFUSED(eex_engine_new_predicting(NULL, NULL, NULL, NULL, NULL, NULL));
    REFUSED(eex_plan_decide(p, EEX_MEASURE_MARGIN, floats, floats));
    eex_plan_free(p);
    eex_optimizer_state_free(o.state);
}

/* ---- what is familiar ---- */

Test(arguments_networks, of_what_is_familiar)
{
    const eex_inference how = {.batch = BATCH, .normalise = {.std = {1, 1, 1}}};
    const uint32_t samples[] = {0, 1, 2, 3}, far[] = {28};
    const int exits[] = {0, 1};
    eex_familiar *f, *g = NULL;
    eex_store_file *file;
    eex_plan *p;
    const eex_graph *graph = model->graph;
    REFUSED(eex_familiar_fit(NULL, graph, model->params, data, samples, 4, &how));
    REFUSED(eex_familiar_fit(&g, NULL, model->params, data, samples, 4, &how));
    REFUSED(eex_familiar_fit(&g, graph, NULL, data, samples, 4, &how));
    REFUSED(eex_familiar_fit(&g, graph, model->params, NULL, samples, 4, &how));
    REFUSED(eex_familiar_fit(&g, graph, model->params, data, NULL, 4, &how));
    REFUSED(eex_familiar_fit(&g, graph, model->params, data, samples, 0, &how));
    REFUSED(eex_familiar_fit(&g, graph, model->params, data, samples, 4, NULL));
    REFUSED(eex_familiar_fit(&g, graph, model->params, data, samples, 4, &(eex_inference){0}));
    REFUSED(eex_familiar_fit(&g, graph, model->params, data, far, 1, &how));
    OK(eex_familiar_fit(&f, graph, model->params, data, samples, 4, &how));
    REFUSED(eex_familiar_select(NULL, f, exits, 2));
    REFUSED(eex_familiar_select(&g, NULL, exits, 2));
    REFUSED(eex_familiar_select(&g, f, NULL, 2));
    REFUSED(eex_familiar_select(&g, f, exits, INT_MIN));
    REFUSED(eex_familiar_select(&g, f, exits, INT_MAX));
    const eex_plan_options infer = {.batch = BATCH, .augment = how.normalise};
    OK(eex_plan_new(&p, &infer, graph, model->params));
    REFUSED(eex_familiar_measure(NULL, f, p, graph, 0, floats, 1));
    REFUSED(eex_familiar_measure(floats, NULL, p, graph, 0, floats, 1));
    REFUSED(eex_familiar_measure(floats, f, NULL, graph, 0, floats, 1));
    REFUSED(eex_familiar_measure(floats, f, p, NULL, 0, floats, 1));
    REFUSED(eex_familiar_measure(floats, f, p, graph, 0, NULL, 1));
    REFUSED(eex_familiar_measure(floats, f, p, graph, 0, floats, INT_MIN));
    REFUSED(eex_familiar_measure(floats, f, p, graph, 0, floats, INT_MAX));
    for (int i = 0; i < WRONG; i++) {
        REFUSED(eex_familiar_select(&g, f, &wrong_ids[i], 1));
        REFUSED(eex_familiar_measure(floats, f, p, graph, wrong_ids[i], floats, 1));
        cr_expect(isnan(eex_familiar_distance(f, wrong_ids[i], floats, 4)));
    }
    cr_expect(isnan(eex_familiar_distance(NULL, 0, floats, 4)) &&
              isnan(eex_familiar_distance(f, 0, NULL, 4)) &&
              isnan(eex_familiar_distance(f, 0, floats, 0)));
    cr_expect(eex_familiar_floats(NULL, graph) == 0 && eex_familiar_floats(f, NULL) == 0);
    cr_expect(eex_familiar_bytes(NULL) == 0 && eex_familiar_bytes(f) > sizeof *f);
    OK(eex_store_create(&file, test_path(folder, "f.h5"), "weights", 1));
    REFUSED(eex_familiar_save(NULL, file, "f"));
    REFUSED(eex_familiar_save(f, NULL, "f"));
    REFUSED(eex_familiar_save(f, file, NULL));
    REFUSED(eex_familiar_load(NULL, file, "f", graph));
    REFUSED(eex_familiar_load(&g, NULL, "f", graph));
    REFUSED(eex_familiar_load(&g, file, NULL, graph));
    REFUSED(eex_familiar_load(&g, file, "f", NULL));
    cr_expect_null(g);
    eex_store_close(file);
    eex_plan_free(p);
    eex_familiar_free(f);
    eex_familiar_free(NULL);
}
