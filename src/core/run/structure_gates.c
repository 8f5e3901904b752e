#include "core/run/structure_gates.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const eex__gates *gates_of(const eex_structures *s)
{
    return (const eex__gates *)s;
}

static void canonical(int *genome, const void *context)
{
    const eex__gates *g = context;
    eex__exit_genes_limit(genome, &g->exits);
}

static int make_space(eex__gates *g)
{
    int options[EEX_MAX_EXITS];
    for (int p = 0; p < g->points.count; p++)
        options[p] = eex__exit_genes_options(&g->exits);
    EEX_TRY(eex_space_init(&g->head.space, options, g->points.count));
    if (g->exits.max_exits) {
        g->head.space.canonical = canonical;
        g->head.space.context = g;
    }
    return EEX_OK;
}

/* ---- networks ---- */

static int graph(eex_graph **out, const eex_structures *s, const int *genome)
{
    const eex__gates *g = gates_of(s);
    eex_gate gates[EEX_MAX_EXITS];
    int count = 0;
    for (int p = 0; p < g->points.count; p++) {
        const int choice = eex__exit_gene_choice(&g->exits, genome[p]);
        if (choice >= 0)
            gates[count++] = eex__exit_gene_gate(&g->exits, &g->points, p, choice);
    }
    return eex_graph_with_gates(out, g->backbone, gates, count, g->exits.act);
}

static int shared(eex_graph **out, const eex_structures *s)
{
    const eex__gates *g = gates_of(s);
    return eex__exit_genes_all(out, &g->exits, g->backbone, &g->points);
}

static int all(eex_graph **out, const eex_structures *s, const int *genome)
{
    return shared(out, s);
}

static void columns(int *out, const eex_structures *s, const int *genome)
{
    eex__exit_genes_columns(out, &gates_of(s)->exits, genome);
}

/* The parameters of a gate are named by its point and blocks, so a nested one has them too. */
static int weights(eex_params *out, const eex_structures *s, const int *genome,
                   const eex_params *from)
{
    int copied = 0, count = eex_graph_params(out->graph);
    EEX_TRY(eex_params_copy(out, from, &copied));
    return copied == count
               ? EEX_OK
               : eex_fail(EEX_EFORMAT, "has %d of the %d parameters of the network", copied, count);
}

static void positions(int32_t *out, const eex_structures *s, const int *genome)
{
    eex__exit_genes_positions(out, &gates_of(s)->exits, genome);
}

static void thresholds(double *a, const eex_structures *s, const int *genome)
{
    eex__exit_genes_thresholds(a, &gates_of(s)->exits, genome);
}

static void summary(char out[EEX_STRUCTURE_SUMMARY], const eex_structures *s)
{
    eex__exit_genes_summary(out, EEX_STRUCTURE_SUMMARY, &gates_of(s)->exits);
}

static int costs(eex_structure_costs *out, const eex_structures *s, const int *genome)
{
    const eex__gates *g = gates_of(s);
    eex__exit_genes_costs(out, &g->exits, genome, &g->macs, isnan(s->base_ms) ? NULL : &g->ms,
                          &g->params);
    return EEX_OK;
}

/* ---- making one ---- */

static void free_gates(eex_structures *s)
{
    free(s);
}

static const eex_structures_kind gates_kind = {
    .graph = graph,
    .shared = shared,
    .all = all,
    .columns = columns,
    .weights = weights,
    .costs = costs,
    .positions = positions,
    .thresholds = thresholds,
    .networks = eex__gates_networks,
    .time = eex__gates_time,
    .write_times = eex__gates_write_times,
    .read_times = eex__gates_read_times,
    .describe = eex__gates_describe,
    .summary = summary,
    .free = free_gates,
};

static int fill(eex__gates *g)
{
    eex_graph *network = NULL;
    EEX_TRY(make_space(g));
    EEX_TRY(shared(&network, &g->head));
    eex__gate_costs_count(&g->macs, &g->exits, network);
    const int code = eex__gate_params_count(&g->params, &g->exits, network);
    eex_graph_free(network);
    EEX_TRY(code);
    g->head.base_macs = g->macs.base;
    return EEX_OK;
}

int eex_structures_gates(eex_structures **out, const eex_experiment *e, const eex_points *points)
{
    eex__exit_genes exits;
    *out = NULL;
    EEX_TRY(eex__exit_genes_of(&exits, e, points->count));
    eex__gates *g = calloc(1, sizeof *g);
    if (!g)
        return eex_fail(EEX_ENOMEM, "out of memory for a space of structures");
    g->head.kind = &gates_kind;
    g->head.base_ms = NAN;
    g->backbone = e->backbone;
    g->points = *points;
    g->exits = exits;
    g->head.levels = g->exits.levels;
    memcpy(g->head.level, g->exits.level, sizeof g->head.level);
    const int code = fill(g);
    if (code != EEX_OK) {
        free(g);
        return code;
    }
    *out = &g->head;
    return EEX_OK;
}
