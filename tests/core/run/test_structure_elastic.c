/* Structures of an elastic backbone: what a genome stands for, against networks that are derived
 * and given their gates by hand. */
#include "core/graph/cost.h"
#include "core/plan/slice.h"
#include "core/run/structure_described.h"
#include "core/run/structure_elastic.h"
#include "core/run/structure_gates.h"
#include "support/backbones.h"
#include "support/devices.h"
#include "support/elastic.h"
#include "support/folder.h"

#include "base/status.h"

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

Test(structure_elastic, latencies_are_refused)
{
    e->search.cost = EEX_COST_LATENCY;
    cr_assert_eq(eex_experiment_check(e), EEX_EUNSUPPORTED);
    refused("latencies of the networks of an elastic backbone, \"elastic\", are not measured");
    e->search.cost = EEX_COST_MACS;
    e->search.score = EEX_SCORE_EQUATION1;
    refused("are not measured");
    e->search.score = EEX_SCORE_ACCURACY;
    snprintf(e->search.latency_table, sizeof e->search.latency_table, "table.h5");
    refused("are not measured");
    *e->search.latency_table = '\0';
    e->search.limits.latency = 1;
    refused("search.limits.macs");
    cr_assert_eq(eex_structures_time(s, NULL, NULL, NULL), EEX_EUNSUPPORTED);
    cr_assert_eq(eex_structures_write_times(NULL, s), EEX_EUNSUPPORTED);
    cr_assert_eq(eex_structures_read_times(s, NULL), EEX_EUNSUPPORTED);
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
