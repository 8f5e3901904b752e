/* Structures of an elastic backbone: what a genome stands for, against networks that are derived
 * and given their gates by hand. */
#include "core/graph/cost.h"
#include "core/graph/node_set.h"
#include "core/plan/slice.h"
#include "core/run/structure_described.h"
#include "core/run/structure_elastic.h"
#include "core/run/structure_gates.h"
#include "support/backbones.h"
#include "support/devices.h"
#include "support/elastic.h"
#include "support/folder.h"

#include "base/status.h"
#include "base/xxh64.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { POINTS = 2, CHOICES = 2, GENES = ELASTIC_GENES + POINTS, VERSION = 1, DRAWS = 200 };

static eex_experiment *e;
static eex_structures *s;
static eex_rng rng;

static void use_points(const char *first, const char *second)
{
    e->points = (eex_points){
        POINTS, {eex_graph_find(e->backbone, first), eex_graph_find(e->backbone, second)}};
}

static void setup(void)
{
    e = eex_experiment_new();
    cr_assert_not_null(e);
    snprintf(e->name, sizeof e->name, "run");
    snprintf(e->data.name, sizeof e->data.name, "data");
    OK(eex_test_elastic(&e->backbone, 5));
    use_points("layer3.add", "last.act");
    OK(eex_structures_new(&s, e, &e->points));
    eex_rng_seed(&rng, 3, 1);
}

static void teardown(void)
{
    eex_structures_free(s);
    eex_experiment_free(e);
}

TestSuite(structure_elastic, .init = setup, .fini = teardown, .timeout = 120);

static void draw(int *genome, const eex_structures *of)
{
    eex_space_random(genome, &of->space, &rng);
    eex_space_canonicalise(genome, &of->space);
}

/* ---- the space ---- */

Test(structure_elastic, genes_of_the_network_come_before_those_of_exits)
{
    char summary[EEX_STRUCTURE_SUMMARY];
    cr_assert_eq(s->space.genes, GENES);
    for (int i = 0; i < ELASTIC_GENES; i++)
        cr_assert_eq(s->space.options[i], eex_graph_gene(e->backbone, i)->options);
    for (int p = 0; p < POINTS; p++)
        cr_assert_eq(s->space.options[ELASTIC_GENES + p], CHOICES + 1);
    eex_structures_summary(summary, s);
    cr_assert_str_eq(summary, "9 genes, 4 gates at 2 points");
    cr_assert_eq(s->base_macs, (double)eex_cost_total(e->backbone, EEX_MACS));
    cr_assert(isnan(s->base_ms));
}

static char *signature(const int *genome)
{
    eex_graph *graph = NULL;
    OK(eex_structures_graph(&graph, s, genome));
    char *text = elastic_signature(graph);
    cr_assert_not_null(text);
    eex_graph_free(graph);
    return text;
}

/* Changing genes that stand for nothing gives the same candidate, others another. */
Test(structure_elastic, canonical_genomes_are_equal_if_and_only_if_the_structures_are)
{
    for (int i = 0; i < DRAWS; i++) {
        int genome[GENES], other[GENES];
        draw(genome, s);
        memcpy(other, genome, sizeof other);
        eex_space_mutate(other, &s->space, &rng);
        eex_space_canonicalise(other, &s->space);
        char *a = signature(genome), *b = signature(other);
        cr_assert_eq(strcmp(a, b) == 0, memcmp(genome, other, sizeof other) == 0, "draw %d", i);
        free(a);
        free(b);
    }
}

Test(structure_elastic, genes_of_layers_that_are_not_there_do_not_count)
{
    int genome[GENES] = {0}; /* a depth of one layer */
    for (int i = 0; i < ELASTIC_GENES; i++)
        if (strcmp(eex_graph_gene(e->backbone, i)->name, "kernel3") == 0 ||
            strcmp(eex_graph_gene(e->backbone, i)->name, "expansion2") == 0)
            genome[i] = 1;
    eex_space_canonicalise(genome, &s->space);
    for (int i = 0; i < GENES; i++)
        cr_assert_eq(genome[i], 0);
}

Test(structure_elastic, surplus_exits_are_taken_away)
{
    eex_structures *limited;
    e->gates.max_exits = 1;
    OK(eex_structures_new(&limited, e, &e->points));
    for (int i = 0; i < DRAWS; i++) {
        int genome[GENES], again[GENES];
        eex_structure_costs costs;
        draw(genome, limited);
        memcpy(again, genome, sizeof again);
        eex_space_canonicalise(again, &limited->space);
        cr_assert_arr_eq(genome, again, sizeof genome);
        OK(eex_structures_costs(&costs, limited, genome));
        cr_assert_leq(costs.exits, 2);
    }
    eex_structures_free(limited);
}

/* ---- networks and costs ---- */

/* The network of the genome's own genes, with its gates put where the points have come to. */
static eex_graph *by_hand(const int *genome)
{
    int value[4096], count = 0;
    eex_gate gates[POINTS];
    eex_graph *network = NULL, *gated = NULL;
    OK(eex_graph_derive(&network, value, e->backbone, genome));
    for (int p = 0; p < POINTS; p++)
        if (genome[ELASTIC_GENES + p] > 0)
            gates[count++] = (eex_gate){.point = value[e->points.nodes[p]],
                                        .blocks = e->gates.blocks[genome[ELASTIC_GENES + p] - 1]};
    OK(eex_graph_with_gates(&gated, network, gates, count, e->gates.act));
    eex_graph_free(network);
    return gated;
}

static void check(const int *genome)
{
    eex_graph *graph = NULL, *all = NULL, *hand = by_hand(genome);
    eex_structure_costs costs;
    int column[EEX_MAX_EXITS];
    int32_t position[EEX_MAX_EXITS];
    OK(eex_structures_graph(&graph, s, genome));
    OK(eex_structures_all(&all, s, genome));
    OK(eex_structures_costs(&costs, s, genome));
    OK(eex_structures_columns(column, s, genome));
    OK(eex_structures_positions(position, s, genome));
    cr_assert_eq(eex_graph_exits(all), POINTS * CHOICES + 1);
    cr_assert_eq(costs.exits, eex_graph_exits(graph));
    cr_assert_eq(costs.exits, eex_graph_exits(hand));
    cr_assert_eq(eex_graph_param_total(graph), eex_graph_param_total(hand));
    for (int k = 0; k < costs.exits; k++) {
        const eex_exit *own = eex_graph_exit(graph, k), *same = eex_graph_exit(all, column[k]);
        cr_assert_eq(costs.macs[k], (double)eex_cost_cumulative(graph, k, EEX_MACS));
        cr_assert_eq(costs.macs[k], (double)eex_cost_cumulative(hand, k, EEX_MACS));
        cr_assert(isnan(costs.ms[k]));
        cr_assert_eq(own->blocks, same->blocks);
        cr_assert_str_eq(eex_graph_node(graph, own->logits)->name,
                         eex_graph_node(all, same->logits)->name);
        cr_assert_eq(position[k], k + 1 == costs.exits ? POINTS + 1 : column[k] / CHOICES + 1);
    }
    eex_graph_free(graph);
    eex_graph_free(all);
    eex_graph_free(hand);
}

Test(structure_elastic, networks_and_costs_are_those_of_the_genome)
{
    int genome[GENES];
    for (int i = 0; i < DRAWS; i++) {
        draw(genome, s);
        check(genome);
    }
    memset(genome, 0, sizeof genome);
    check(genome);
    for (int g = 0; g < GENES; g++)
        genome[g] = s->space.options[g] - 1;
    check(genome);
    genome[ELASTIC_GENES] = CHOICES + 1;
    eex_structure_costs costs;
    cr_assert_eq(eex_structures_costs(&costs, s, genome), EEX_EINVAL);
}

/* More networks than are kept: what was forgotten is counted again. */
Test(structure_elastic, costs_do_not_depend_on_what_was_asked_before)
{
    int genome[DRAWS][GENES];
    eex_structure_costs first[DRAWS], again;
    for (int i = 0; i < DRAWS; i++) {
        draw(genome[i], s);
        OK(eex_structures_costs(&first[i], s, genome[i]));
    }
    for (int i = 0; i < DRAWS; i++) {
        OK(eex_structures_costs(&again, s, genome[i]));
        cr_assert_eq(again.exits, first[i].exits);
        for (int k = 0; k < again.exits; k++)
            cr_assert_eq(again.macs[k], first[i].macs[k]);
    }
}

/* ---- times ---- */

static const eex_inference how = {
    .batch = 1, .normalise = {.mean = {0.5f, 0.5f, 0.5f}, .std = {0.25f, 0.25f, 0.25f}}};

/* As if it had been measured: a number that the key alone says. */
static void put_entry(eex_latency_table *table, const char *key)
{
    OK(eex__latency_put(table, key, 1 + (double)(eex_xxh64_of(key, strlen(key)) % 997), 1));
}

static int add_operations(void *table, const eex_graph *graph, int number, int count)
{
    const eex_plan_options options = eex_inference_plan(&how);
    char key[EEX_LATENCY_KEY], extra[EEX__LATENCY_EXTRAS][EEX_LATENCY_KEY];
    eex_device *device = open_device(1);
    eex_params *params;
    eex_plan *plan;
    cr_assert(number < count && eex_graph_exits(graph) == POINTS * CHOICES + 1);
    OK(eex_params_new_empty(&params, device, graph));
    OK(eex_plan_new(&plan, &options, graph, params));
    for (int i = 0; i < eex_plan_ops(plan); i++) {
        OK(eex_latency_key(key, eex_plan_op(plan, i)));
        put_entry(table, key);
    }
    eex__latency_extra_keys(extra, plan);
    for (int i = 0; i < EEX__LATENCY_EXTRAS; i++)
        put_entry(table, extra[i]);
    eex_plan_free(plan);
    eex_params_free(params);
    eex_device_close(device);
    return EEX_OK;
}

/* Of what `node` needs, as the network itself says. */
static double needed(const eex_graph *g, const eex_plan *plan, const double *ms, int node,
                     bool trunk)
{
    eex_node_set above = {{0}};
    double sum = 0;
    eex_graph_ancestors(&above, g, node);
    for (int i = 0; i < eex_plan_ops(plan); i++) {
        const int at = eex_graph_find(g, eex_plan_op(plan, i)->name);
        const int of = at < 0 ? 0 : at;
        if (eex_node_set_has(&above, of) && (eex_graph_node(g, of)->exit == EEX_TRUNK) == trunk)
            sum += ms[i];
    }
    return sum;
}

/* What the genome's exits take by a plan of its network with all exits. */
static void check_times(const int *genome, const eex_latency_table *table, eex_device *device)
{
    const eex_plan_options options = eex_inference_plan(&how);
    eex_structure_costs costs;
    eex_latency_extras extra;
    eex_params *params;
    eex_graph *g;
    eex_plan *plan;
    int column[EEX_MAX_EXITS];
    double gates = 0;
    OK(eex_structures_costs(&costs, s, genome));
    OK(eex_structures_columns(column, s, genome));
    OK(eex_structures_all(&g, s, genome));
    OK(eex_params_new_empty(&params, device, g));
    OK(eex_plan_new(&plan, &options, g, params));
    double *ms = calloc((size_t)eex_plan_ops(plan), sizeof *ms);
    OK(eex_latency_ops(ms, table, plan));
    OK(eex_latency_extra(&extra, table, plan));
    for (int k = 0; k < costs.exits; k++) {
        const eex_exit *exit = eex_graph_exit(g, column[k]);
        const bool end = k + 1 == costs.exits;
        gates += extra.leave + (end ? 0 : needed(g, plan, ms, exit->logits, false));
        const double by_hand = extra.input + extra.results + gates +
                               needed(g, plan, ms, end ? exit->logits : exit->point, true);
        cr_assert_float_eq(costs.ms[k], by_hand, 1e-6, "exit %d: %g, by hand %g", k, costs.ms[k],
                           by_hand);
    }
    free(ms);
    eex_plan_free(plan);
    eex_params_free(params);
    eex_graph_free(g);
}

static int fill_times(eex_store_file *file, const void *context)
{
    return eex_structures_write_times(file, context);
}

static int use_times(eex_store_file *file, void *context)
{
    return eex_structures_read_times(context, file);
}

static int fill_wrong(eex_store_file *file, const void *context)
{
    const int nodes = eex_graph_nodes(((const eex__elastic *)s)->all);
    const eex_store_shape shape = {2, {(uint64_t)nodes, EEX__LOCAL_GENES}};
    int32_t *gene = calloc((size_t)nodes * EEX__LOCAL_GENES, sizeof *gene);
    gene[0] = ELASTIC_GENES; /* one more than there are */
    const int code = eex_store_write(file, "gene", EEX_STORE_I32, &shape, gene);
    free(gene);
    return code;
}

static void check_file(const char *folder)
{
    const char *path = test_path(folder, "latency.h5");
    eex_structures *again;
    OK(eex_structures_new(&again, e, &e->points));
    OK(eex_store_write_file(path, "latency", VERSION, fill_times, s));
    OK(eex_store_read_file(path, "latency", VERSION, use_times, again));
    cr_assert_eq(again->base_ms, s->base_ms);
    for (int i = 0; i < DRAWS; i++) {
        int genome[GENES];
        eex_structure_costs a, b;
        draw(genome, s);
        OK(eex_structures_costs(&a, s, genome));
        OK(eex_structures_costs(&b, again, genome));
        cr_assert_arr_eq(a.ms, b.ms, (size_t)a.exits * sizeof *a.ms);
    }
    OK(eex_store_write_file(path, "latency", VERSION, fill_wrong, NULL));
    cr_assert_eq(eex_store_read_file(path, "latency", VERSION, use_times, again), EEX_EFORMAT);
    cr_assert(strstr(eex_error(), "node 0 has gene 9"), "%s", eex_error());
    eex_structures_free(again);
}

/* Networks that are fewer than a hundredth of the space have every operation of it, and what each
 * node takes follows from its own genes. */
Test(structure_elastic, times_are_sums_of_a_table_and_go_through_a_file)
{
    char folder[TEST_PATH_SIZE];
    eex_device *device = open_device(1);
    eex_latency_table *table;
    int genome[GENES] = {0};
    eex_structure_costs before;
    OK(eex_latency_table_new(&table, device));
    cr_assert_eq(eex_structures_time(s, table, device, &how), EEX_ENOTFOUND);
    cr_assert(strstr(eex_error(), "has no \""), "%s", eex_error());
    OK(eex_structures_costs(&before, s, genome));
    cr_assert(isnan(s->base_ms) && isnan(before.ms[0]));
    OK(eex_structures_networks(s, device, &how, add_operations, table));
    OK(eex_structures_time(s, table, device, &how));
    check_times(genome, table, device);
    for (int g = 0; g < GENES; g++)
        genome[g] = s->space.options[g] - 1;
    check_times(genome, table, device);
    for (int i = 0; i < DRAWS; i++) {
        draw(genome, s);
        check_times(genome, table, device);
    }
    test_folder_make(folder);
    check_file(folder);
    test_folder_remove(folder);
    eex_latency_table_free(table);
    eex_device_close(device);
}

/* ---- weights ---- */

static void same_as_gathered(const eex_params *own, const eex_params *from)
{
    eex_slices *slices;
    eex_params *hand;
    float a[65536], b[65536];
    OK(eex_params_new(&hand, own->device, own->graph, 9));
    OK(eex_slices_new(&slices, from->graph, own->graph));
    OK(eex_slices_gather(slices, hand, from));
    for (int i = 0; i < eex_graph_params(own->graph); i++) {
        const eex_param *p = eex_graph_param(own->graph, i);
        cr_assert_leq(eex_param_count(p), sizeof a / sizeof *a);
        OK(eex_params_get(own, i, a));
        OK(eex_params_get(hand, i, b));
        cr_assert_arr_eq(a, b, eex_param_count(p) * sizeof *a, "%s", p->name);
    }
    eex_slices_free(slices);
    eex_params_free(hand);
}

Test(structure_elastic, weights_are_slices_of_the_shared_network)
{
    eex_device *device = open_device(1);
    eex_graph *shared, *own;
    eex_params *from, *base, *to;
    int genome[GENES] = {1, 1, 2, 0, 0, 1, 0, 0, 1, 2, 1};
    eex_space_canonicalise(genome, &s->space);
    OK(eex_structures_shared(&shared, s));
    cr_assert_eq(eex_graph_genes(shared), ELASTIC_GENES);
    OK(eex_structures_graph(&own, s, genome));
    OK(eex_params_new(&from, device, shared, 1));
    OK(eex_params_new(&to, device, own, 2));
    OK(eex_structures_weights(to, s, genome, from));
    same_as_gathered(to, from);
    OK(eex_params_new(&base, device, e->backbone, 1)); /* which has no gates */
    cr_assert_eq(eex_structures_weights(to, s, genome, base), EEX_EFORMAT);
    eex_params_free(to);
    eex_graph_free(own);
    genome[ELASTIC_GENES] = genome[ELASTIC_GENES + 1] = 0; /* neither has the genome now */
    OK(eex_structures_graph(&own, s, genome));
    OK(eex_params_new(&to, device, own, 2));
    OK(eex_structures_weights(to, s, genome, base));
    same_as_gathered(to, base);
    eex_params_free(from);
    eex_params_free(base);
    eex_params_free(to);
    eex_graph_free(own);
    eex_graph_free(shared);
    eex_device_close(device);
}

/* ---- thresholds ---- */

/* 0: none, then each choice with each threshold: of either kind of structures. */
static void check_thresholds(const eex_structures *of, int first, double sign)
{
    double a[EEX_MAX_EXITS];
    int column[EEX_MAX_EXITS], genome[EEX_MAX_GENES] = {0};
    cr_assert_eq(of->levels, 3);
    cr_assert_eq(of->space.options[first], 1 + CHOICES * 3);
    OK(eex_structures_thresholds(a, of, genome));
    cr_assert(isnan(a[0]));
    for (int gene = 1; gene <= CHOICES * 3; gene++) {
        genome[first] = gene;
        OK(eex_structures_thresholds(a, of, genome));
        OK(eex_structures_columns(column, of, genome));
        cr_assert_eq(a[0], sign * e->gates.level[(gene - 1) % 3]);
        cr_assert(isnan(a[1]));
        cr_assert_eq(column[0], (gene - 1) / 3);
    }
}

static void use_thresholds(void)
{
    e->gates.levels = 3;
    for (int i = 0; i < 3; i++)
        e->gates.level[i] = 0.1 * (i + 1);
}

Test(structure_elastic, thresholds_are_genes_where_they_are_named)
{
    eex_structures *of;
    double a[EEX_MAX_EXITS];
    int genome[GENES] = {[ELASTIC_GENES] = 1};
    OK(eex_structures_thresholds(a, s, genome));
    cr_assert(s->levels == 0 && isnan(a[0]) && isnan(a[1]));
    use_thresholds();
    OK(eex_structures_new(&of, e, &e->points));
    check_thresholds(of, ELASTIC_GENES, 1);
    eex_structures_free(of);
    e->policy.kind = EEX_POLICY_ENTROPY; /* which policies have negated */
    OK(eex_structures_gates(&of, e, &e->points));
    check_thresholds(of, 0, -1);
    eex_structures_free(of);
}

static void refused(const char *words)
{
    cr_assert_neq(eex_experiment_check(e), EEX_OK, "%s", words);
    cr_assert(strstr(eex_error(), words), "\"%s\" is not in \"%s\"", words, eex_error());
}

Test(structure_elastic, thresholds_that_make_no_sense_are_refused)
{
    OK(eex_experiment_check(e));
    use_thresholds();
    OK(eex_experiment_check(e));
    e->policy.tune = EEX_TUNE_WEIGHTED;
    e->policy.target = 0.1;
    refused("policy.tune: \"none\" beside gates.thresholds");
    e->policy.tune = EEX_TUNE_NONE;
    e->gates.level[2] = e->gates.level[1];
    refused("gates.thresholds: each threshold once, in ascending order, got 0.2");
    e->gates.levels = EEX_MAX_LEVELS + 1;
    refused("gates.thresholds: a list of at most 16");
}

/* ---- what is refused ---- */

Test(structure_elastic, points_that_are_one_place_are_named)
{
    eex_structures *none = s;
    use_points("layer1.add", "layer3.add");
    refused("saliency: \"layer1.add\" and \"layer3.add\" are one place in the smallest network");
    cr_assert_eq(eex_structures_new(&none, e, &e->points), EEX_EINVAL);
    cr_assert_null(none);
    use_points("layer2.point.bn", "layer3.add");
    refused("are one place");
}

Test(structure_elastic, points_that_some_networks_lack_are_named)
{
    use_points("layer2.depth.act", "last.act");
    refused("saliency: \"layer2.depth.act\" is not in every network of \"elastic\"");
    use_points("layer3.expand.bn", "last.act");
    refused("\"layer3.expand.bn\"");
    use_points("layer1.depth.act", "layer2.point.bn"); /* as layer1.add where there is one layer */
    OK(eex_experiment_check(e));
}

Test(structure_elastic, exits_of_the_shared_network_need_its_training)
{
    e->candidate_exits = true;
    refused("candidate.exits: \"scratch\" unless candidate.from = \"shared\", got \"shared\"");
    e->candidate_from = EEX_START_SHARED;
    OK(eex_experiment_check(e));
}

/* ---- descriptions ---- */

static int fill_space(eex_store_file *file, const void *context)
{
    return eex_structures_describe(file, context);
}

static int use_space(eex_store_file *file, void *context)
{
    return eex_described_load(context, file);
}

static eex_described *described(const char *folder, const eex_structures *of)
{
    eex_described *d = NULL;
    const char *path = test_path(folder, "space.h5");
    OK(eex_store_write_file(path, "search", VERSION, fill_space, of));
    OK(eex_store_read_file(path, "search", VERSION, use_space, &d));
    return d;
}

Test(structure_elastic, a_description_tells_network_and_exits)
{
    const int genome[GENES] = {2, 1, 0, [ELASTIC_GENES - 1] = 1, [ELASTIC_GENES] = 0, 5};
    char folder[TEST_PATH_SIZE];
    eex_structure_part part[POINTS];
    eex_structures *of;
    test_folder_make(folder);
    use_thresholds();
    OK(eex_structures_new(&of, e, &e->points));
    eex_described *d = described(folder, of);
    cr_assert_eq(eex_described_genes(d), ELASTIC_GENES);
    const eex_structure_gene size = eex_described_gene(d, genome, 0);
    cr_assert_str_eq(size.name, "size");
    cr_assert_eq(size.value, 16);
    cr_assert_eq(eex_described_gene(d, genome, 1).value, 2);
    cr_assert_eq(eex_described_gene(d, genome, ELASTIC_GENES - 1).value, 0.75);
    cr_assert(isnan(eex_described_gene(d, (const int[]){3}, 0).value));
    cr_assert(isnan(eex_described_gene(d, (const int[]){-1}, 0).value));
    cr_assert_eq(eex_described_parts(part, POINTS, d, genome, GENES), 1);
    cr_assert(part[0].position == 2 && part[0].size == e->gates.blocks[1]);
    cr_assert_eq(part[0].threshold, 0.2);
    cr_assert_str_eq(part[0].name, "last.act");
    cr_assert_eq(eex_described_parts(part, POINTS, d, genome, ELASTIC_GENES), 0);
    eex_described_free(d);
    eex_structures_free(of);
    test_folder_remove(folder);
}
