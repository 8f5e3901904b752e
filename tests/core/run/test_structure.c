/* Structures: what a genome stands for, against the graphs and costs of its own network. */
#include "core/graph/cost.h"
#include "core/run/structure_described.h"
#include "core/run/structure_gates.h"
#include "support/backbones.h"
#include "support/devices.h"
#include "support/folder.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { POINTS = 3, CHOICES = 2, GENOMES = 27, VERSION = 1 };

static eex_experiment *e;
static eex_structures *s;

static void setup(void)
{
    e = eex_experiment_new();
    cr_assert_not_null(e);
    OK(eex_test_tiny(&e->backbone, 10));
    OK(eex_saliency_residual_merges(&e->points, e->backbone));
    OK(eex_structures_gates(&s, e, &e->points));
    cr_assert_eq(e->points.count, POINTS);
}

static void teardown(void)
{
    eex_structures_free(s);
    eex_experiment_free(e);
}

TestSuite(structure, .init = setup, .fini = teardown, .timeout = 120);

Test(structure, the_space_is_of_the_experiment)
{
    cr_assert_eq(s->space.genes, POINTS);
    for (int p = 0; p < POINTS; p++)
        cr_assert_eq(s->space.options[p], CHOICES + 1);
    cr_assert_null(s->space.canonical);
    char summary[EEX_STRUCTURE_SUMMARY];
    eex_structures_summary(summary, s);
    cr_assert_str_eq(summary, "6 gates at 3 points");
}

Test(structure, surplus_gates_are_taken_away_in_one_way)
{
    eex_structures *limited;
    e->gates.max_exits = 1;
    OK(eex_structures_gates(&limited, e, &e->points));
    bool used[POINTS] = {false};
    for (uint64_t i = 0; i < GENOMES; i++) {
        int genome[POINTS], again[POINTS], gates = 0, before = 0;
        eex_space_genome(genome, &limited->space, i);
        for (int p = 0; p < POINTS; p++)
            before += genome[p] > 0;
        eex_space_canonicalise(genome, &limited->space);
        memcpy(again, genome, sizeof again);
        eex_space_canonicalise(again, &limited->space);
        cr_assert_arr_eq(genome, again, sizeof genome);
        for (int p = 0; p < POINTS; p++) {
            gates += genome[p] > 0;
            used[p] |= genome[p] > 0;
        }
        cr_assert_eq(gates, before > 0);
    }
    cr_assert(used[0] && used[1] && used[2]);
    eex_structures_free(limited);
}

/* Every genome: its network's exits, what they cost by the network itself, and where they are. */
static void check(const int *genome, const eex_graph *shared)
{
    eex_graph *graph;
    eex_structure_costs costs;
    int column[EEX_MAX_EXITS];
    int32_t position[EEX_MAX_EXITS];
    OK(eex_structures_graph(&graph, s, genome));
    OK(eex_structures_costs(&costs, s, genome));
    OK(eex_structures_columns(column, s, genome));
    OK(eex_structures_positions(position, s, genome));
    cr_assert_eq(costs.exits, eex_graph_exits(graph));
    cr_assert_eq(costs.params, (double)eex_graph_param_total(graph));
    for (int k = 0; k < costs.exits; k++) {
        const eex_exit *own = eex_graph_exit(graph, k), *all = eex_graph_exit(shared, column[k]);
        cr_assert_eq(costs.macs[k], (double)eex_cost_cumulative(graph, k, EEX_MACS));
        cr_assert(isnan(costs.ms[k]));
        cr_assert_eq(own->blocks, all->blocks);
        cr_assert_str_eq(eex_graph_node(graph, own->point)->name,
                         eex_graph_node(shared, all->point)->name);
        const bool end = k + 1 == costs.exits;
        cr_assert_eq(position[k], end ? POINTS + 1 : column[k] / CHOICES + 1);
        cr_assert(end || genome[position[k] - 1] > 0);
    }
    eex_graph_free(graph);
}

Test(structure, networks_and_costs_are_those_of_the_genome)
{
    eex_graph *shared;
    OK(eex_structures_shared(&shared, s));
    cr_assert_eq(eex_graph_exits(shared), POINTS * CHOICES + 1);
    cr_assert_eq(s->base_macs, (double)eex_cost_total(e->backbone, EEX_MACS));
    for (uint64_t i = 0; i < GENOMES; i++) {
        int genome[POINTS];
        eex_space_genome(genome, &s->space, i);
        check(genome, shared);
    }
    eex_graph_free(shared);
    eex_structure_costs costs;
    cr_assert_eq(eex_structures_costs(&costs, s, (const int[]){0, 3, 0}), EEX_EINVAL);
}

static void same_parameter(const eex_params *own, int i, const eex_params *all)
{
    const eex_param *p = eex_graph_param(own->graph, i);
    float a[4096], b[4096];
    OK(eex_params_get(own, i, a));
    for (int j = 0; j < eex_graph_params(all->graph); j++)
        if (strcmp(eex_graph_param(all->graph, j)->name, p->name) == 0) {
            OK(eex_params_get(all, j, b));
            cr_assert_arr_eq(a, b, eex_param_count(p) * sizeof *a, "%s", p->name);
            return;
        }
    cr_assert_fail("%s", p->name);
}

Test(structure, weights_are_those_of_the_shared_network)
{
    const int genome[] = {2, 0, 1};
    eex_device *device = open_device(1);
    eex_graph *shared, *own;
    eex_params *from, *to;
    OK(eex_structures_shared(&shared, s));
    OK(eex_structures_graph(&own, s, genome));
    OK(eex_params_new(&from, device, shared, 1));
    OK(eex_params_new(&to, device, own, 2));
    OK(eex_structures_weights(to, s, genome, from));
    for (int i = 0; i < eex_graph_params(own); i++)
        same_parameter(to, i, from);
    eex_params_free(from);
    OK(eex_params_new(&from, device, e->backbone, 1)); /* which has no gates */
    cr_assert_eq(eex_structures_weights(to, s, genome, from), EEX_EFORMAT);
    eex_params_free(from);
    eex_params_free(to);
    eex_graph_free(own);
    eex_graph_free(shared);
    eex_device_close(device);
}

/* ---- times ---- */

static int fill_times(eex_store_file *file, const void *context)
{
    const eex_structures *from = context;
    return eex_structures_write_times(file, from);
}

static int use_times(eex_store_file *file, void *context)
{
    eex_structures *to = context;
    return eex_structures_read_times(to, file);
}

static int fill_wrong(eex_store_file *file, const void *context)
{
    const double trunk[POINTS] = {1, NAN, 1}, gate[POINTS][CHOICES] = {{1, 1}, {1, 1}, {1, 1}};
    const eex_store_shape points = {1, {POINTS}}, gates = {2, {POINTS, CHOICES}};
    OK(eex_store_write(file, "trunk_ms", EEX_STORE_F64, &points, trunk));
    OK(eex_store_write(file, "gate_ms", EEX_STORE_F64, &gates, gate));
    return eex_store_set_double(file, "", "base_ms", 1);
}

static void measure(void)
{
    const eex_inference how = {
        .batch = 1, .normalise = {.mean = {0.5f, 0.5f, 0.5f}, .std = {0.25f, 0.25f, 0.25f}}};
    eex_device *device = open_device(1);
    eex_graph *shared;
    eex_params *params;
    eex_latency_table *table;
    int added;
    OK(eex_structures_shared(&shared, s));
    OK(eex_params_new(&params, device, shared, 1));
    OK(eex_latency_table_new(&table, device));
    cr_assert_eq(eex_structures_time(s, table, device, &how), EEX_ENOTFOUND);
    cr_assert(isnan(s->base_ms));
    OK(eex_latency_table_add(table, &added, shared, params, &how));
    OK(eex_structures_time(s, table, device, &how));
    eex_latency_table_free(table);
    eex_params_free(params);
    eex_graph_free(shared);
    eex_device_close(device);
}

Test(structure, times_come_from_a_table_and_go_through_a_file)
{
    const int genome[] = {1, 2, 1}, none[] = {0, 0, 0};
    char folder[TEST_PATH_SIZE];
    eex_structures *again;
    eex_structure_costs a, b, bare;
    measure();
    OK(eex_structures_costs(&a, s, genome));
    OK(eex_structures_costs(&bare, s, none));
    cr_assert_gt(s->base_ms, 0);
    cr_assert_eq(bare.ms[0], s->base_ms);
    cr_assert(a.ms[0] > 0 && a.ms[0] < a.ms[1] && a.ms[1] < a.ms[2] && a.ms[3] > s->base_ms);

    test_folder_make(folder);
    const char *path = test_path(folder, "latency.h5");
    OK(eex_store_write_file(path, "latency", VERSION, fill_times, s));
    OK(eex_structures_gates(&again, e, &e->points));
    OK(eex_store_read_file(path, "latency", VERSION, use_times, again));
    OK(eex_structures_costs(&b, again, genome));
    cr_assert_arr_eq(a.ms, b.ms, 4 * sizeof *a.ms);
    cr_assert_eq(again->base_ms, s->base_ms);
    OK(eex_store_write_file(path, "latency", VERSION, fill_wrong, NULL));
    cr_assert_eq(eex_store_read_file(path, "latency", VERSION, use_times, again), EEX_EFORMAT);
    cr_assert(strstr(eex_error(), "trunk_ms"), "%s", eex_error());
    eex_structures_free(again);
    test_folder_remove(folder);
}

/* ---- descriptions ---- */

static int fill_space(eex_store_file *file, const void *context)
{
    return eex_structures_describe(file, s);
}

static int use_space(eex_store_file *file, void *context)
{
    return eex_described_load(context, file);
}

Test(structure, a_description_tells_the_parts_of_a_genome)
{
    const int genome[] = {2, 0, 1};
    char folder[TEST_PATH_SIZE];
    eex_described *d;
    eex_structure_part part[POINTS];
    test_folder_make(folder);
    const char *path = test_path(folder, "space.h5");
    OK(eex_store_write_file(path, "search", VERSION, fill_space, NULL));
    OK(eex_store_read_file(path, "search", VERSION, use_space, &d));
    cr_assert_eq(eex_described_parts(part, POINTS, d, genome, POINTS), 2);
    cr_assert(part[0].position == 1 && part[0].size == 2);
    cr_assert(part[1].position == 3 && part[1].size == 1);
    cr_assert_str_eq(part[0].name, "blocks.0.relu2");
    cr_assert_str_eq(part[1].name, "blocks.2.relu2");
    cr_assert_eq(eex_described_parts(part, 1, d, genome, POINTS), 1);
    cr_assert_eq(eex_described_parts(part, POINTS, d, (const int[]){3, -1, 0}, POINTS), 0);
    eex_described_free(d);
    eex_described_free(NULL);
    test_folder_remove(folder);
}

/* ---- points that always have a gate ---- */

/* The genome of the ordinary space that stands for the same. */
static void ordinary(int *out, const int *genome)
{
    for (int p = 0; p < POINTS; p++)
        out[p] = genome[p] + 1;
}

static void same_as_ordinary(const eex_structures *required, const int *genome)
{
    int same[POINTS], columns[2][EEX_MAX_EXITS];
    int32_t positions[2][EEX_MAX_EXITS];
    eex_structure_costs costs[2];
    eex_graph *graph;
    ordinary(same, genome);
    OK(eex_structures_costs(&costs[0], required, genome));
    OK(eex_structures_costs(&costs[1], s, same));
    cr_assert_eq(costs[0].exits, POINTS + 1);
    cr_assert_arr_eq(costs[0].macs, costs[1].macs, (POINTS + 1) * sizeof(double));
    OK(eex_structures_columns(columns[0], required, genome));
    OK(eex_structures_columns(columns[1], s, same));
    cr_assert_arr_eq(columns[0], columns[1], (POINTS + 1) * sizeof(int));
    OK(eex_structures_positions(positions[0], required, genome));
    OK(eex_structures_positions(positions[1], s, same));
    cr_assert_arr_eq(positions[0], positions[1], (POINTS + 1) * sizeof(int32_t));
    OK(eex_structures_graph(&graph, required, genome));
    for (int p = 0; p < POINTS; p++)
        cr_assert_eq(eex_graph_exit(graph, p)->blocks, e->gates.blocks[genome[p]]);
    eex_graph_free(graph);
}

Test(structure, required_gates_are_at_every_point)
{
    eex_structures *required;
    uint64_t size;
    e->gates.required = true;
    OK(eex_structures_gates(&required, e, &e->points));
    cr_assert(eex_space_size(&size, &required->space));
    cr_assert_eq(size, 8); /* 2^3 */
    for (uint64_t i = 0; i < size; i++) {
        int genome[POINTS];
        eex_space_genome(genome, &required->space, i);
        same_as_ordinary(required, genome);
    }
    eex_structures_free(required);
}

/* A limit that all gates keep to takes none of them away. */
Test(structure, one_choice_that_is_required_is_one_structure)
{
    eex_structures *one;
    uint64_t candidates;
    int genome[POINTS] = {0};
    eex_structure_costs costs;
    e->gates.required = true;
    e->gates.choices = 1;
    e->gates.max_exits = POINTS;
    OK(eex_structures_gates(&one, e, &e->points));
    cr_assert(eex_space_candidates(&candidates, &one->space));
    cr_assert_eq(candidates, 1);
    cr_assert_eq(eex_space_size_log2(&one->space), 0);
    eex_space_canonicalise(genome, &one->space);
    OK(eex_structures_costs(&costs, one, genome));
    cr_assert_eq(costs.exits, POINTS + 1);
    cr_assert_eq(eex_structures_costs(&costs, one, (const int[]){0, 1, 0}), EEX_EINVAL);
    eex_structures_free(one);
}

static int fill_given(eex_store_file *file, const void *context)
{
    return eex_structures_describe(file, context);
}

Test(structure, a_description_tells_that_gates_are_required)
{
    const int genome[] = {1, 0, 1};
    char folder[TEST_PATH_SIZE];
    eex_structures *required;
    eex_described *d;
    eex_structure_part part[POINTS];
    e->gates.required = true;
    OK(eex_structures_gates(&required, e, &e->points));
    test_folder_make(folder);
    const char *path = test_path(folder, "space.h5");
    OK(eex_store_write_file(path, "search", VERSION, fill_given, required));
    OK(eex_store_read_file(path, "search", VERSION, use_space, &d));
    cr_assert_eq(eex_described_parts(part, POINTS, d, genome, POINTS), POINTS);
    for (int p = 0; p < POINTS; p++) {
        cr_assert_eq(part[p].position, p + 1);
        cr_assert_eq(part[p].size, e->gates.blocks[genome[p]]);
    }
    cr_assert_eq(eex_described_parts(part, POINTS, d, (const int[]){2, -1, 0}, POINTS), 1);
    eex_described_free(d);
    eex_structures_free(required);
    test_folder_remove(folder);
}

Test(structure, gates_are_of_the_experiment_s_family)
{
    const int genome[] = {2, 0, 1};
    eex_structures *pooled;
    eex_graph *graph;
    e->gates.family = EEX_GATE_POOLED;
    e->gates.channels = 6;
    OK(eex_structures_gates(&pooled, e, &e->points));
    OK(eex_structures_graph(&graph, pooled, genome));
    for (int k = 0; k < 2; k++) {
        const eex_exit *exit = eex_graph_exit(graph, k);
        const eex_node *point = eex_graph_node(graph, exit->point);
        const eex_node *pixels =
            eex_graph_node(graph, eex_graph_node(graph, exit->logits)->inputs[0]);
        cr_assert_eq(pixels->c, 6 * (point->h / 2) * (point->w / 2));
    }
    eex_graph_free(graph);
    eex_structures_free(pooled);
}

Test(structure, too_many_gates_are_refused)
{
    eex_structures *many = s;
    eex_points points = e->points;
    points.count = EEX_MAX_EXITS / CHOICES;
    cr_assert_eq(eex_structures_gates(&many, e, &points), EEX_EINVAL);
    cr_assert_null(many);
    eex_structures_free(NULL);
}
