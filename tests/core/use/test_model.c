/* Model files: what is written comes back, cut networks decide as the whole one does, and whatever
 * a file says is refused by name or is a network. */
#include "core/engine/engine.h"
#include "core/graph/cost.h"
#include "core/graph/graph_store.h"
#include "core/model/cut.h"
#include "core/model/model.h"
#include "core/model/model_data.h"
#include "core/policy/replay.h"
#include "core/use/prune.h"
#include "support/backbones.h"
#include "support/bed.h"
#include "support/devices.h"
#include "support/elastic.h"
#include "support/folder.h"

#include "base/fs.h"
#include "base/rng.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

static char folder[TEST_PATH_SIZE];

static void setup(void)
{
    test_folder_make(folder);
}

static void teardown(void)
{
    test_folder_remove(folder);
}

TestSuite(model, .init = setup, .fini = teardown, .timeout = 240);

static void refused(int code, int wanted, const char *text)
{
    cr_expect_eq(code, wanted, "%d instead of %d: %s", code, wanted, eex_error());
    cr_expect(strstr(eex_error(), text), "\"%s\" says nothing of \"%s\"", eex_error(), text);
}

/* ---- graphs ---- */

static void write_graph(const char *path, const eex_graph *graph)
{
    eex_store_file *file;
    OK(eex_store_create(&file, path, "weights", 1));
    OK(eex_graph_save(graph, file, "graph"));
    OK(eex_store_commit(&file));
}

static int read_graph(eex_graph **out, const char *path)
{
    eex_store_file *file;
    *out = NULL;
    EEX_TRY(eex_store_open(&file, path, "weights", 1));
    int code = eex_graph_load(out, file, "graph");
    eex_store_close(file);
    return code;
}

static void same_graph(const eex_graph *a, const eex_graph *b)
{
    cr_assert_str_eq(eex_graph_name(a), eex_graph_name(b));
    cr_assert_eq(eex_graph_nodes(a), eex_graph_nodes(b));
    cr_assert_eq(eex_graph_exits(a), eex_graph_exits(b));
    cr_assert_eq(eex_graph_params(a), eex_graph_params(b));
    cr_assert_eq(eex_graph_classes(a), eex_graph_classes(b));
    for (int i = 0; i < eex_graph_nodes(a); i++) {
        const eex_node *x = eex_graph_node(a, i), *y = eex_graph_node(b, i);
        cr_expect(strcmp(x->name, y->name) == 0 && strcmp(x->block, y->block) == 0);
        cr_expect(x->kind == y->kind && x->h == y->h && x->w == y->w && x->c == y->c);
        cr_expect(memcmp(&x->window, &y->window, sizeof x->window) == 0, "%s", x->name);
        cr_expect(x->exit == y->exit && x->act == y->act && x->bias == y->bias);
        cr_expect(x->functional == y->functional && x->dropout == y->dropout);
        cr_expect(x->bn_eps == y->bn_eps && x->bn_momentum == y->bn_momentum);
        cr_expect(x->init_std == y->init_std, "%s", x->name);
    }
    for (int k = 0; k < eex_graph_exits(a); k++)
        cr_expect(memcmp(eex_graph_exit(a, k), eex_graph_exit(b, k), sizeof(eex_exit)) == 0);
    for (int i = 0; i < eex_graph_params(a); i++)
        cr_expect(memcmp(eex_graph_param(a, i), eex_graph_param(b, i), sizeof(eex_param)) == 0);
}

/* Takes the graph over. */
static void comes_back(eex_graph *graph)
{
    const char *path = test_path(folder, "graph.h5");
    eex_graph *read = NULL;
    write_graph(path, graph);
    OK(read_graph(&read, path));
    same_graph(graph, read);
    eex_graph_free(read);
    eex_graph_free(graph);
}

static eex_graph *nested(void)
{
    eex_graph *tiny, *g = NULL;
    OK(eex_test_tiny(&tiny, 10));
    eex_gate gates[2] = {{.point = eex_graph_find(tiny, "blocks.0.relu2"),
                          .blocks = 3,
                          .nested = true,
                          .heads = 1 << 0 | 1 << 2},
                         {.point = eex_graph_find(tiny, "blocks.1.relu2"), .blocks = 0}};
    OK(eex_graph_with_gates(&g, tiny, gates, 2, EEX_ACT_RELU6));
    eex_graph_free(tiny);
    return g;
}

Test(model, graphs_come_back)
{
    eex_graph *g;
    OK(eex_test_tiny(&g, 10));
    comes_back(g);
    OK(net_squeezed(&g, 10));
    comes_back(g);
    OK(net_mobilenetv2(&g, 10));
    comes_back(g);
    OK(net_resnet50(&g, 10));
    comes_back(g);
    comes_back(nested());
}

static eex_graph *read_back(const eex_graph *graph)
{
    const char *path = test_path(folder, "graph.h5");
    eex_graph *read = NULL;
    write_graph(path, graph);
    OK(read_graph(&read, path));
    return read;
}

Test(model, elastic_graphs_come_back)
{
    eex_graph *g = NULL, *cut = NULL;
    OK(eex_test_elastic(&g, 10));
    comes_back(g);
    OK(eex_test_elastic_gated(&g, 10));
    eex_graph *read = read_back(g);
    cr_assert_eq(eex_graph_genes(read), eex_graph_genes(g));
    cr_expect_eq(eex_graph_size_gene(read), eex_graph_size_gene(g));
    for (int i = 0; i < eex_graph_genes(g); i++)
        cr_expect_eq(memcmp(eex_graph_gene(read, i), eex_graph_gene(g, i), sizeof(eex_gene)), 0);
    const eex_choice *choice;
    int choices = 0;
    for (; (choice = eex_graph_choice(g, choices)); choices++)
        cr_expect_eq(memcmp(eex_graph_choice(read, choices), choice, sizeof *choice), 0);
    cr_expect_null(eex_graph_choice(read, choices));
    eex_graph_free(read);
    OK(eex_graph_select(&cut, g, (int[]){1}, 1)); /* some genes and choices have no use there */
    comes_back(cut);
    comes_back(g);
}

Test(model, cut_graphs_come_back)
{
    eex_graph *g = nested();
    for (int k = 0; k < eex_graph_exits(g); k++) {
        eex_graph *cut = NULL;
        OK(eex_graph_cut(&cut, g, k));
        comes_back(cut);
        OK(eex_graph_select(&cut, g, &k, 1));
        comes_back(cut);
    }
    eex_graph_free(g);
}

/* ---- hostile graphs ---- */

/* The rows of /graph as arrays, to be changed and written again. */
typedef struct table {
    const char *name;
    int columns;
    bool real;
    eex_store_shape shape;
    void *data; /* int32 or float32 */
} table;

enum { TABLES = 5 };

static void read_tables(table t[TABLES], eex_store_file *file)
{
    static const struct {
        const char *name;
        bool real;
    } names[TABLES] = {{"graph/nodes/inputs", false},
                       {"graph/nodes/shape", false},
                       {"graph/nodes/number", true},
                       {"graph/nodes/place", false},
                       {"graph/exits", false}};
    for (int i = 0; i < TABLES; i++) {
        t[i] = (table){.name = names[i].name,
                       .real = names[i].real,
                       .shape = {2, {EEX_STORE_ANY, EEX_STORE_ANY}}};
        OK(eex_store_read_new(&t[i].data, file, t[i].name,
                              t[i].real ? EEX_STORE_F32 : EEX_STORE_I32, &t[i].shape, 1 << 20));
    }
}

static void copy_strings(eex_store_file *to, eex_store_file *from, const char *name, eex_rng *rng)
{
    eex_store_list list = {0};
    OK(eex_store_read_strings(&list, from, name, 1 << 20));
    if (rng && eex_rng_below(rng, 4) == 0) { /* one becomes another */
        size_t i = (size_t)eex_rng_below(rng, list.count),
               j = (size_t)eex_rng_below(rng, list.count);
        char *copy = strdup(list.item[j]);
        cr_assert_not_null(copy);
        free(list.item[i]);
        list.item[i] = copy;
    }
    OK(eex_store_write_strings(to, name, (const char *const *)list.item, list.count));
    eex_store_list_free(&list);
}

static void copy_facts(eex_store_file *to, eex_store_file *from, eex_rng *rng)
{
    static const char *const sides[] = {"height", "width", "channels"};
    static const char *const texts[] = {"graph/nodes/name", "graph/nodes/block", "graph/nodes/kind",
                                        "graph/nodes/act"};
    char *name;
    OK(eex_store_make_group(to, "graph"));
    OK(eex_store_get_string(&name, from, "graph", "name"));
    OK(eex_store_set_string(to, "graph", "name", name));
    free(name);
    for (int i = 0; i < 3; i++) {
        int64_t value;
        OK(eex_store_get_int(&value, from, "graph", sides[i]));
        OK(eex_store_set_int(to, "graph", sides[i], value));
    }
    for (int i = 0; i < 4; i++)
        copy_strings(to, from, texts[i], rng);
}

/* Small changes are those that get furthest. */
static void change(table t[TABLES], eex_rng *rng)
{
    table *one = &t[eex_rng_below(rng, TABLES)];
    const uint64_t count = one->shape.extent[0] * one->shape.extent[1];
    const size_t at = (size_t)eex_rng_below(rng, count);
    static const int32_t odd[] = {INT32_MIN, -2, -1, 0, 1, 2, 3, 64, 1 << 16, 1 << 25, INT32_MAX};
    int32_t *values = one->data;
    if (one->real) {
        static const float odd_real[] = {-1, 0, 1e-30f, 0.5f, 2, 1e30f, NAN, INFINITY};
        ((float *)one->data)[at] = odd_real[eex_rng_below(rng, 8)];
    } else if (eex_rng_below(rng, 3) == 0) {
        values[at] = odd[eex_rng_below(rng, sizeof odd / sizeof odd[0])];
    } else if (eex_rng_below(rng, 2)) {
        values[at] += (int32_t)eex_rng_below(rng, 5) - 2;
    } else {
        values[at] = values[(size_t)eex_rng_below(rng, count)];
    }
}

static void write_changed(const char *path, eex_store_file *from, eex_rng *rng)
{
    eex_store_file *file;
    table t[TABLES];
    read_tables(t, from);
    for (uint64_t changes = 1 + eex_rng_below(rng, 3); changes; changes--)
        change(t, rng);
    OK(eex_store_create(&file, path, "weights", 1));
    copy_facts(file, from, rng);
    for (int i = 0; i < TABLES; i++) {
        OK(eex_store_write_packed(file, t[i].name, t[i].real ? EEX_STORE_F32 : EEX_STORE_I32,
                                  &t[i].shape, t[i].data));
        free(t[i].data);
    }
    OK(eex_store_commit(&file));
}

/* What loads can be counted, cut and run. */
static void use(eex_graph *g, eex_device *device)
{
    uint8_t image[8 * 8 * 3] = {0};
    eex_result result;
    eex_params *params;
    eex_engine *engine = NULL;
    const eex_inference how = {.batch = 1, .normalise = {.std = {1, 1, 1}}};
    cr_expect_geq(eex_cost_total(g, EEX_MACS), 0);
    for (int k = 0; k < eex_graph_exits(g); k++) {
        eex_graph *cut = NULL;
        OK(eex_graph_cut(&cut, g, k));
        cr_expect_leq(eex_cost_total(cut, EEX_MACS), eex_cost_total(g, EEX_MACS));
        eex_graph_free(cut);
        OK(eex_graph_select(&cut, g, &k, 1));
        eex_graph_free(cut);
    }
    const eex_node *input = eex_graph_node(g, 0);
    if (eex_graph_param_total(g) > 1 << 18 || input->h * input->w * input->c > 8 * 8 * 3 ||
        eex_cost_total(g, EEX_MACS) > 1 << 24)
        return;
    OK(eex_params_new(&params, device, g, 0));
    OK(eex_engine_new(&engine, g, params, NULL, &how));
    OK(eex_engine_run(engine, &result, image, 1));
    cr_expect(result.top >= 0 && result.top < eex_graph_classes(g));
    eex_engine_close(engine);
    eex_params_free(params);
}

Test(model, any_rows_are_a_network_or_refused)
{
    enum { ROUNDS = 200 };
    const char *path = test_path(folder, "changed.h5");
    char whole[TEST_PATH_SIZE];
    eex_graph *g = nested();
    eex_device *device = open_device(1);
    eex_store_file *from;
    eex_rng rng;
    int loaded = 0;
    snprintf(whole, sizeof whole, "%s", test_path(folder, "whole.h5"));
    path = test_path(folder, "changed.h5");
    write_graph(whole, g);
    eex_graph_free(g);
    OK(eex_store_open(&from, whole, "weights", 1));
    eex_rng_seed(&rng, 3, 0);
    for (int round = 0; round < ROUNDS; round++) {
        write_changed(path, from, &rng);
        int code = read_graph(&g, path);
        if (code == EEX_OK)
            use(g, device);
        else
            cr_assert(code == EEX_EFORMAT && strstr(eex_error(), "changed.h5"), "round %d: %d %s",
                      round, code, eex_error());
        loaded += code == EEX_OK;
        eex_graph_free(g);
    }
    cr_expect(loaded > ROUNDS / 100 && loaded < ROUNDS / 2, "%d of %d loaded", loaded, ROUNDS);
    eex_store_close(from);
    eex_device_close(device);
}

/* ---- models ---- */

/* A trained network with a policy by which samples leave everywhere, in a file of its own beside
 * its trace, as a run has it. */
typedef struct stored {
    bed bed;
    eex_policy *policy;
    eex_input input;
    char path[TEST_PATH_SIZE];
} stored;

static eex_input input_of(const bed *b)
{
    const eex_dataset_info *d = eex_dataset_facts(b->data);
    eex_input in = {
        .dataset = strdup("patches"), .height = d->height, .width = d->width, .channels = 3};
    memcpy(in.mean, b->normalise.mean, sizeof in.mean);
    memcpy(in.std, b->normalise.std, sizeof in.std);
    in.classes.item = calloc(NET_CLASSES, sizeof *in.classes.item);
    cr_assert(in.dataset && in.classes.item);
    for (int c = 0; c < NET_CLASSES; c++, in.classes.count++) {
        char name[24];
        snprintf(name, sizeof name, "class %d", c);
        in.classes.item[c] = strdup(name);
        cr_assert_not_null(in.classes.item[c]);
    }
    return in;
}

static void write_trace(const char *name, const eex_trace *trace)
{
    eex_store_file *file;
    OK(eex_store_create(&file, test_path(folder, name), "trace", 1));
    OK(eex_trace_save(trace, file, "trace"));
    OK(eex_store_commit(&file));
}

static void write_model(const stored *s, const char *path)
{
    eex_store_file *file;
    OK(eex_store_create(&file, path, "weights", 1));
    OK(eex_model_write(file, s->bed.net.graph, s->bed.net.params, s->policy, NULL, &s->input,
                       s->bed.precision));
    OK(eex_store_commit(&file));
}

static stored store_bed(bed b)
{
    stored s = {.bed = b};
    eex_calibration how = eex_calibration_default();
    how.temperature = 1;
    how.a = 0;
    how.b = 2;
    OK(eex_calibrate(&s.policy, s.bed.trace, s.bed.net.dev, &how, NULL));
    s.input = input_of(&s.bed);
    snprintf(s.path, sizeof s.path, "%s", test_path(folder, "final.h5"));
    write_model(&s, s.path);
    write_trace("final-validation.h5", s.bed.trace);
    write_trace("final-calibration.h5", s.bed.trace);
    return s;
}

static stored store(void)
{
    return store_bed(bed_of_patches(folder));
}

static void close_stored(stored *s)
{
    eex_input_free(&s->input);
    eex_policy_free(s->policy);
    bed_close(&s->bed);
}

static void run_all(eex_result *results, const eex_model *model, const stored *s)
{
    eex_engine *engine;
    uint8_t *images = malloc(SAMPLES * s->bed.image);
    cr_assert_not_null(images);
    OK(eex_dataset_gather(images, s->bed.data, s->bed.samples, SAMPLES));
    OK(eex_engine_open(&engine, model, SAMPLES));
    OK(eex_engine_run(engine, results, images, SAMPLES));
    eex_engine_close(engine);
    free(images);
}

static bool same_result(const eex_result *a, const eex_result *b)
{
    return a->top == b->top && a->decision == b->decision &&
           memcmp(&a->confidence, &b->confidence, sizeof a->confidence) == 0;
}

/* Graph, input and decisions. */
static void network_comes_back(const stored *s)
{
    eex_model *m = NULL;
    eex_trace *trace = NULL;
    eex_result results[SAMPLES];
    int32_t exit[SAMPLES];
    OK(eex_model_open(&m, s->path, EEX_MODEL_BEST, s->bed.net.dev));
    same_graph(m->graph, s->bed.net.graph);
    cr_expect(m->input.classes.count == NET_CLASSES && m->input.height == 8);
    cr_expect_str_eq(m->input.classes.item[3], "class 3");
    OK(eex_model_trace(&trace, m, "validation"));
    cr_expect_eq(trace->samples, SAMPLES);
    eex_outcome outcome;
    OK(eex_replay(&outcome, trace, m->policy, NULL, exit, NULL));
    run_all(results, m, s);
    for (int i = 0; i < SAMPLES && device_repeats_bits(); i++)
        cr_expect_eq(results[i].exit, exit[i]);
    eex_trace_free(trace);
    eex_model_close(m);
}

Test(model, what_is_written_comes_back)
{
    stored s = store();
    eex_model *m = NULL;
    network_comes_back(&s);
    refused(eex_model_open(&m, s.path, EEX_MODEL_BASE, NULL), EEX_ENOTFOUND, "base is not in it");
    refused(eex_model_open(&m, test_path(folder, "no.h5"), EEX_MODEL_BEST, NULL), EEX_ENOTFOUND,
            "no such run");
    refused(eex_model_open(&m, folder, EEX_MODEL_BEST, NULL), EEX_ENOTFOUND, "no run");
    cr_expect_null(m);
    close_stored(&s);
}

Test(model, policies_of_other_networks_are_refused)
{
    stored s = store();
    eex_model *m;
    eex_policy *policy;
    OK(eex_model_open(&m, s.path, EEX_MODEL_BEST, NULL));
    OK(eex_policy_new(&policy, EEX_POLICY_MARGIN, 2, NET_CLASSES));
    refused(eex_model_set_policy(m, policy), EEX_EINVAL, "2 exits");
    refused(eex_model_threshold(m, EEX_POLICY_MARGIN, 1.5), EEX_EINVAL, "0 to 1");
    OK(eex_model_threshold(m, EEX_POLICY_MARGIN, 0.5));
    cr_expect_eq(m->policy->kind, EEX_POLICY_MARGIN);
    eex_engine *engine = NULL;
    refused(eex_engine_open(&engine, m, 1), EEX_EINVAL, "without a device");
    eex_model_close(m);
    close_stored(&s);
}

/* ---- cutting ---- */

/* Samples that leave by exit k leave the cut network as they left the whole one; those that would
 * have gone on leave by exit k as it decides by itself. */
static void same_decisions(const stored *s, const eex_model *whole, const eex_model *cut_model,
                           const eex_cut *cut)
{
    eex_result all[SAMPLES], some[SAMPLES];
    int stayed = 0;
    run_all(all, whole, s);
    run_all(some, cut_model, s);
    for (int i = 0; i < SAMPLES; i++) {
        const size_t at = (size_t)cut->exit * SAMPLES + (size_t)i;
        const bool reaches = all[i].exit > cut->exit || cut->alone;
        if (!reaches || (cut->alone && all[i].exit == cut->exit)) {
            cr_expect(same_result(&all[i], &some[i]), "sample %d", i);
            cr_expect_eq(cut->exits[some[i].exit], all[i].exit);
            stayed++;
        } else {
            cr_expect_eq(some[i].exit, cut->count - 1);
            cr_expect_eq(some[i].top, s->bed.trace->top[at]);
        }
    }
    cr_expect_gt(stayed, 0, "nobody left by exit %d", cut->exit);
}

static void facts_hold(const eex_cut_facts *facts, const eex_model *cut_model, const stored *s)
{
    eex_result results[SAMPLES];
    double right = 0, rejected = 0, macs = 0;
    run_all(results, cut_model, s);
    for (int i = 0; i < SAMPLES; i++) {
        right += results[i].decision == EEX_ACCEPT && results[i].top == s->bed.trace->labels[i];
        rejected += results[i].decision == EEX_REJECT;
        macs += (double)eex_cost_cumulative(cut_model->graph, results[i].exit, EEX_MACS);
    }
    cr_expect_float_eq(facts->accuracy, right / SAMPLES, 1e-12);
    cr_expect_float_eq(facts->rejected, rejected / SAMPLES, 1e-12);
    cr_expect_float_eq(facts->macs, macs / SAMPLES, 1e-6 * facts->macs);
    cr_expect_eq(facts->most_macs, (double)eex_cost_total(cut_model->graph, EEX_MACS));
    cr_expect_eq(facts->params, eex_graph_param_total(cut_model->graph));
}

/* The file is the network, with the traces of its exits. */
static void file_holds(const stored *s, const eex_model *whole, const eex_model *cut_model,
                       const eex_cut *cut)
{
    char path[TEST_PATH_SIZE];
    eex_model *read;
    eex_trace *trace;
    eex_outcome outcome;
    eex_cut_facts facts;
    snprintf(path, sizeof path, "%s", test_path(folder, "cut.h5"));
    OK(eex_cut_write(path, cut_model, whole, cut));
    OK(eex_model_open(&read, path, EEX_MODEL_BEST, s->bed.net.dev));
    same_graph(read->graph, cut_model->graph);
    same_decisions(s, whole, read, cut);
    OK(eex_model_trace(&trace, read, "calibration"));
    eex_trace_free(trace);
    OK(eex_model_trace(&trace, read, "validation"));
    cr_expect(trace->exits == cut->count && trace->samples == SAMPLES);
    OK(eex_replay(&outcome, trace, read->policy, NULL, NULL, NULL));
    OK(eex_cut_judge(&facts, whole, s->bed.trace, cut));
    cr_expect_eq(outcome.accuracy, facts.accuracy);
    eex_index index;
    OK(eex_model_data_part(&index, read, s->bed.data, "validation"));
    cr_expect_eq(index.count, SAMPLES);
    free(index.at);
    eex_trace_free(trace);
    eex_model_close(read);
}

static void cuts_decide_alike(stored s)
{
    eex_model *whole;
    OK(eex_model_open(&whole, s.path, EEX_MODEL_BEST, s.bed.net.dev));
    for (int k = 0; k < eex_graph_exits(whole->graph) && device_repeats_bits(); k++)
        for (int alone = 0; alone < 2; alone++) {
            const eex_cut cut = eex_cut_at(k, alone);
            eex_model *cut_model;
            eex_cut_facts facts;
            OK(eex_cut_make(&cut_model, whole, &cut));
            OK(eex_cut_judge(&facts, whole, s.bed.trace, &cut));
            same_decisions(&s, whole, cut_model, &cut);
            facts_hold(&facts, cut_model, &s);
            file_holds(&s, whole, cut_model, &cut);
            eex_model_close(cut_model);
        }
    eex_model_close(whole);
    close_stored(&s);
}

Test(model, cut_networks_decide_as_the_whole_one)
{
    cuts_decide_alike(store());
}

Test(model, exits_have_numbers_and_names)
{
    eex_graph *g;
    int k;
    OK(net_tiny(&g, 10));
    OK(eex_exit_parse(&k, g, "1"));
    cr_expect_eq(k, 0);
    OK(eex_exit_parse(&k, g, "end"));
    cr_expect_eq(k, 2);
    OK(eex_exit_parse(&k, g, "blocks.1.relu2"));
    cr_expect_eq(k, 1);
    static const char *const wrong[] = {"0", "4", "-1", "", "1x", "99999999999999999999", "stem"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        refused(eex_exit_parse(&k, g, wrong[i]), EEX_EINVAL, "1 to 3");
    eex_graph_free(g);
}

/* ---- choosing ---- */

static eex_prune_table table_of(const double *accuracy, const double *macs, int exits)
{
    eex_prune_table t = {.exits = exits, .validation = 100};
    t.base.accuracy = NAN;
    for (int k = 0; k < exits; k++) {
        t.kept[k] = (eex_prune_row){.cut = eex_cut_at(k, false), .ms = NAN, .most_ms = NAN};
        t.kept[k].facts =
            (eex_cut_facts){.accuracy = accuracy[k], .macs = macs[k] / 2, .most_macs = macs[k]};
        t.alone[k] = t.kept[k];
    }
    return t;
}

static void chooses(const eex_prune_table *t, eex_wishes w, int wanted)
{
    int exit = -1;
    char *why = NULL;
    OK(eex_prune_choose(&exit, &why, t, &w));
    cr_expect_eq(exit, wanted, "%s", why);
    free(why);
}

static void cannot_choose(const eex_prune_table *t, eex_wishes w, const char *text)
{
    int exit = -1;
    char *why = NULL;
    refused(eex_prune_choose(&exit, &why, t, &w), EEX_EINVAL, text);
    cr_expect_null(why);
}

Test(model, budgets_choose_the_cut)
{
    static const double accuracy[] = {0.7, 0.8, 0.85, 0.85}, macs[] = {1e6, 2e6, 3e6, 4e6};
    static eex_prune_table t;
    t = table_of(accuracy, macs, 4);
    const eex_wishes none = {.most_macs = NAN, .most_ms = NAN, .accuracy = NAN};
    eex_wishes w = none;
    w.most_macs = 2.5e6;
    chooses(&t, w, 1);
    w.most_macs = 1e9;
    chooses(&t, w, 2); /* the cheaper of equals */
    w.accuracy = 0.75;
    chooses(&t, w, 1); /* the cheapest that is right enough */
    w.most_macs = 1.5e6;
    cannot_choose(&t, w, "the nearest is exit 1, right about 70.00 % (exit 3: 85.00 %)");
    w = none;
    w.most_macs = 10;
    cannot_choose(&t, w, "exit 1 with 1.00 M MACs");
    w = none;
    w.accuracy = -0.05;
    cannot_choose(&t, w, "relative to the base");
    t.base.accuracy = 0.86;
    chooses(&t, w, 2);
    w.accuracy = 0;
    cannot_choose(&t, w, "right about 86.00 %");
    w = none;
    w.most_ms = 3;
    cannot_choose(&t, w, "not measured");
    t.timed = 1;
    for (int k = 0; k < 4; k++)
        t.kept[k].most_ms = k + 1;
    chooses(&t, w, 2);
    w.most_ms = 0.5;
    cannot_choose(&t, w, "exit 1 with 1 ms");
}

/* ---- precision ---- */

static eex_model *reopen(const char *path, eex_device *device)
{
    eex_model *m = NULL;
    OK(eex_model_open(&m, path, EEX_MODEL_BEST, device));
    return m;
}

Test(model, the_precision_of_its_scores_comes_back)
{
    stored s = store();
    s.bed.precision = EEX_BF16_PRODUCTS; /* as if its traces were */
    write_model(&s, s.path);
    eex_model *m = reopen(s.path, NULL);
    cr_expect(m->precision == EEX_BF16_PRODUCTS && m->runs_in == EEX_BF16_PRODUCTS);
    refused(eex_model_set_precision(m, EEX_BF16), EEX_EINVAL, "for training");
    OK(eex_model_set_precision(m, EEX_TF32));
    cr_expect(m->precision == EEX_BF16_PRODUCTS && m->runs_in == EEX_TF32);
    cr_expect_eq(eex_model_inference(m, 7).precision, EEX_TF32);
    eex_model_close(m);
    close_stored(&s);
}

/* What a network is run in for once is not what its thresholds are made from. */
Test(model, a_cut_network_inherits_the_precision)
{
    stored s = store();
    const eex_cut cut = eex_cut_at(1, false);
    eex_model *short_of;
    char path[TEST_PATH_SIZE];
    snprintf(path, sizeof path, "%s", test_path(folder, "cut-precision.h5"));
    s.bed.precision = EEX_BF16_PRODUCTS;
    write_model(&s, s.path);
    eex_model *m = reopen(s.path, s.bed.net.dev);
    OK(eex_model_set_precision(m, EEX_F32));
    OK(eex_cut_make(&short_of, m, &cut));
    cr_expect(short_of->precision == EEX_BF16_PRODUCTS && short_of->runs_in == EEX_F32);
    OK(eex_cut_write(path, short_of, m, &cut));
    eex_model_close(short_of);
    eex_model_close(m);
    m = reopen(path, NULL);
    cr_expect(m->precision == EEX_BF16_PRODUCTS && m->runs_in == EEX_BF16_PRODUCTS);
    eex_model_close(m);
    close_stored(&s);
}

Test(model, a_device_without_its_precision_is_named)
{
    stored s = store();
    eex_engine *engine = NULL;
    eex_device *dev = s.bed.net.dev;
    const unsigned had = dev->precisions;
    s.bed.precision = EEX_BF16_PRODUCTS;
    write_model(&s, s.path);
    dev->precisions = 1u << EEX_F32;
    eex_model *m = reopen(s.path, dev);
    refused(eex_engine_open(&engine, m, 1), EEX_EUNSUPPORTED, "calculate in bfloat16-products");
    cr_expect(strstr(eex_error(), s.path), "%s", eex_error());
    refused(eex_model_set_precision(m, EEX_TF32), EEX_EUNSUPPORTED, "calculate in tf32");
    cr_expect_eq(m->runs_in, EEX_BF16_PRODUCTS);
    OK(eex_model_set_precision(m, EEX_F32));
    OK(eex_engine_open(&engine, m, 1));
    eex_engine_close(engine);
    eex_model_close(m);
    dev->precisions = had;
    close_stored(&s);
}

/* ---- damaged files ---- */

typedef struct parts {
    const eex_graph *graph;
    const eex_params *params; /* NULL: none */
    const eex_policy *policy; /* likewise */
    const eex_input *input;
    const char *precision; /* NULL: of an earlier eex, which knew one alone */
} parts;

static void write_parts(const char *path, const parts *p)
{
    eex_store_file *file;
    OK(eex_store_create(&file, path, "weights", 1));
    OK(eex_graph_save(p->graph, file, "graph"));
    OK(eex_input_save(p->input, file, "input"));
    if (p->precision)
        OK(eex_store_set_string(file, "", "precision", p->precision));
    if (p->params)
        OK(eex_params_save(p->params, file, "params"));
    if (p->policy)
        OK(eex_policy_save(p->policy, file, "policy"));
    OK(eex_store_commit(&file));
}

static void open_refused(const char *path, eex_device *device, const char *text)
{
    eex_model *m = NULL;
    refused(eex_model_open(&m, path, EEX_MODEL_BEST, device), EEX_EFORMAT, text);
    cr_expect(strstr(eex_error(), eex_path_base(path)), "%s", eex_error());
    cr_expect_null(m);
}

Test(model, files_without_a_precision_are_of_float32)
{
    stored s = store();
    char path[TEST_PATH_SIZE];
    snprintf(path, sizeof path, "%s", test_path(folder, "earlier.h5"));
    parts p = {s.bed.net.graph, s.bed.net.params, s.policy, &s.input, NULL};
    write_parts(path, &p);
    eex_model *m = reopen(path, s.bed.net.dev);
    cr_expect(m->precision == EEX_F32 && m->runs_in == EEX_F32);
    eex_model_close(m);

    p.precision = "float8";
    write_parts(path, &p);
    open_refused(path, NULL, "\"float8\": expected float32, tf32 or bfloat16-products");
    p.precision = "bfloat16";
    write_parts(path, &p);
    open_refused(path, NULL, "\"bfloat16\" is for training");
    close_stored(&s);
}

Test(model, parts_that_do_not_fit_are_named)
{
    stored s = store();
    char path[TEST_PATH_SIZE];
    eex_policy *policy;
    eex_graph *cut = NULL;
    eex_device *dev = s.bed.net.dev;
    snprintf(path, sizeof path, "%s", test_path(folder, "wrong.h5"));
    const parts right = {s.bed.net.graph, s.bed.net.params, s.policy, &s.input, NULL};
    parts p = right;

    OK(eex_policy_new(&policy, EEX_POLICY_MARGIN, 2, NET_CLASSES));
    p.policy = policy;
    write_parts(path, &p);
    open_refused(path, dev, "2 exits and 10 classes, the network has 3 and 10");
    eex_policy_free(policy);

    p = right;
    p.params = NULL;
    write_parts(path, &p);
    open_refused(path, dev, "they are not there");

    OK(eex_graph_cut(&cut, right.graph, 1)); /* policy and weights are of the whole network */
    p = right;
    p.graph = cut;
    write_parts(path, &p);
    open_refused(path, dev, "3 exits and 10 classes, the network has 2 and 10");

    eex_params *short_of;
    OK(eex_params_new(&short_of, dev, cut, 0));
    p = right;
    p.policy = NULL;
    p.params = short_of; /* what is behind the cut has no weights */
    write_parts(path, &p);
    eex_model *m = NULL;
    cr_expect_eq(eex_model_open(&m, path, EEX_MODEL_BEST, dev), EEX_EFORMAT);
    cr_expect(strstr(eex_error(), "wrong.h5"), "%s", eex_error());
    eex_params_free(short_of);
    eex_graph_free(cut);

    p = right;
    s.input.height = 9;
    write_parts(path, &p);
    open_refused(path, dev, "8x8x3");
    s.input.height = 8;
    s.input.classes.count = 9;
    write_parts(path, &p);
    open_refused(path, dev, "9 names of classes");
    s.input.classes.count = 10;
    s.input.std[1] = 0;
    write_parts(path, &p);
    open_refused(path, dev, "deviation 0");
    close_stored(&s);
}

/* What it reads are the data's images, whatever size the network has. */
Test(model, a_network_of_another_size_comes_back)
{
    stored s = store_bed(bed_of_enlarged(folder));
    char path[TEST_PATH_SIZE];
    eex_model *m = reopen(s.path, s.bed.net.dev);
    cr_expect(m->input.height == 8 && eex_graph_node(m->graph, 0)->h == 12);
    eex_engine *engine;
    OK(eex_engine_open(&engine, m, 1));
    cr_expect_eq(eex_engine_image_bytes(engine), 8 * 8 * 3);
    eex_engine_close(engine);
    eex_model_close(m);
    network_comes_back(&s);
    snprintf(path, sizeof path, "%s", test_path(folder, "wrong.h5"));
    const int sizes[][3] = {{8, 9, 3}, {8, 8, 1}, {20000, 20000, 3}, {65536, 65536, 3}};
    for (int i = 0; i < 4; i++) {
        const parts p = {s.bed.net.graph, s.bed.net.params, s.policy, &s.input, NULL};
        s.input.height = sizes[i][0];
        s.input.width = sizes[i][1];
        s.input.channels = sizes[i][2];
        write_parts(path, &p);
        open_refused(path, s.bed.net.dev, i < 2 ? "12x12x3" : "expected sides of 1 to 16384");
    }
    s.input.height = s.input.width = 8;
    s.input.channels = 3;
    cuts_decide_alike(s);
}

/* A network of terabytes in a file of kilobytes. */
Test(model, weights_that_are_not_there_take_no_memory)
{
    stored s = store();
    char path[TEST_PATH_SIZE];
    eex_graph *g;
    int x;
    snprintf(path, sizeof path, "%s", test_path(folder, "vast.h5"));
    OK(eex_graph_new(&g, "vast", 8, 8, 3));
    OK(eex_graph_add_global_pool(g, &x, 0, "pool", false));
    OK(eex_graph_add_flatten(g, &x, x, "flatten", false));
    for (int i = 0; i < 100; i++) {
        char name[16];
        snprintf(name, sizeof name, "fc%d", i);
        OK(eex_graph_add_linear(g, &x, x, name, i < 99 ? 65536 : NET_CLASSES, true));
    }
    OK(eex_graph_finish(g, x));
    const parts p = {.graph = g, .input = &s.input};
    write_parts(path, &p);
    open_refused(path, s.bed.net.dev, "they are not there");
    eex_graph_free(g);
    close_stored(&s);
}

static void write_bytes(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(data, 1, size, file), size);
    cr_assert_eq(fclose(file), 0);
}

Test(model, a_damaged_file_is_never_believed)
{
    enum { ROUNDS = 120 };
    stored s = store();
    char path[TEST_PATH_SIZE], *data;
    size_t size;
    eex_rng rng;
    int survived = 0;
    eex_rng_seed(&rng, 9, 0);
    snprintf(path, sizeof path, "%s", test_path(folder, "damaged.h5"));
    OK(eex_fs_read(&data, &size, s.path, 16 << 20));
    for (int round = 0; round < ROUNDS; round++) {
        eex_model *m = NULL;
        char *copy = malloc(size);
        cr_assert_not_null(copy);
        memcpy(copy, data, size);
        const size_t length = round % 3 ? size : (size_t)eex_rng_below(&rng, size);
        for (uint64_t hits = 1 + eex_rng_below(&rng, 4); hits; hits--)
            copy[eex_rng_below(&rng, round % 2 ? size : 8192)] ^=
                (char)(1 + eex_rng_below(&rng, 255));
        write_bytes(path, copy, length);
        int code = eex_model_open(&m, path, EEX_MODEL_BEST, s.bed.net.dev);
        if (code == EEX_OK) /* the hits are where nothing is */
            same_graph(m->graph, s.bed.net.graph);
        else
            cr_expect(code == EEX_EFORMAT && strstr(eex_error(), "damaged.h5"), "%d: %s", code,
                      eex_error());
        survived += code == EEX_OK;
        eex_model_close(m);
        free(copy);
    }
    cr_expect_lt(survived, ROUNDS / 2, "%d of %d survived", survived, ROUNDS);
    free(data);
    close_stored(&s);
}
