#include "core/run/structure_gates.h"

#include "core/graph/cost.h"

#include "base/rng.h"
#include "base/status.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const eex__gates *gates_of(const eex_structures *s)
{
    return (const eex__gates *)s;
}

/* ---- the space ---- */

enum { NO_GATE = -1 };

static int options_of_point(const eex__gates *g)
{
    return g->choices + !g->required;
}

/* Which of the block counts a gene stands for, or NO_GATE. */
static int choice_of(const eex__gates *g, int gene)
{
    return gene - !g->required;
}

/* Too many gates: those stay that come first in an order drawn from the genome itself, so that no
 * position is favoured and the same genome always means the same candidate. */
static void limit_gates(int *genome, const void *context)
{
    const eex__gates *g = context;
    uint64_t key = 0;
    int gates = 0;
    for (int p = 0; p < g->points.count; p++) {
        key = eex_rng_hash(key, (uint64_t)genome[p], (uint64_t)p);
        gates += genome[p] > 0;
    }
    for (; gates > g->max_exits; gates--) {
        int worst = -1;
        uint64_t largest = 0;
        for (int p = 0; p < g->points.count; p++) {
            uint64_t order = eex_rng_hash(key, 1, (uint64_t)p);
            if (genome[p] > 0 && (worst < 0 || order > largest)) {
                worst = p;
                largest = order;
            }
        }
        genome[worst] = 0;
    }
}

static int make_space(eex__gates *g)
{
    int options[EEX_MAX_EXITS];
    for (int p = 0; p < g->points.count; p++)
        options[p] = options_of_point(g);
    EEX_TRY(eex_space_init(&g->head.space, options, g->points.count));
    if (g->max_exits && !g->required) {
        g->head.space.canonical = limit_gates;
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
    for (int p = 0; p < g->points.count; p++)
        if (choice_of(g, genome[p]) != NO_GATE)
            gates[count++] = (eex_gate){.point = g->points.nodes[p],
                                        .blocks = g->blocks[choice_of(g, genome[p])],
                                        .family = g->family,
                                        .channels = g->channels};
    return eex_graph_with_gates(out, g->backbone, gates, count, g->act);
}

static int shared(eex_graph **out, const eex_structures *s)
{
    const eex__gates *g = gates_of(s);
    eex_gate gates[EEX_MAX_EXITS];
    uint64_t heads = 0;
    for (int i = 0; i < g->choices; i++)
        heads |= UINT64_C(1) << g->blocks[i];
    for (int p = 0; p < g->points.count; p++)
        gates[p] = (eex_gate){.point = g->points.nodes[p],
                              .blocks = g->blocks[g->choices - 1],
                              .nested = true,
                              .heads = heads,
                              .family = g->family,
                              .channels = g->channels};
    return eex_graph_with_gates(out, g->backbone, gates, g->points.count, g->act);
}

static void columns(int *out, const eex_structures *s, const int *genome)
{
    const eex__gates *g = gates_of(s);
    int k = 0;
    for (int p = 0; p < g->points.count; p++)
        if (choice_of(g, genome[p]) != NO_GATE)
            out[k++] = p * g->choices + choice_of(g, genome[p]);
    out[k] = g->points.count * g->choices;
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
    const eex__gates *g = gates_of(s);
    int k = 0;
    for (int p = 0; p < g->points.count; p++)
        if (choice_of(g, genome[p]) != NO_GATE)
            out[k++] = p + 1;
    out[k] = g->points.count + 1;
}

static void summary(char out[EEX_STRUCTURE_SUMMARY], const eex_structures *s)
{
    const eex__gates *g = gates_of(s);
    snprintf(out, EEX_STRUCTURE_SUMMARY, "%d gate%s at %d point%s", g->points.count * g->choices,
             eex_plural(g->points.count * g->choices), g->points.count,
             eex_plural(g->points.count));
}

/* ---- costs ---- */

static int fill_macs(eex__gates *g)
{
    eex_graph *all = NULL;
    EEX_TRY(shared(&all, &g->head));
    for (int k = 0; k < g->points.count * g->choices; k++) {
        g->macs.trunk[k / g->choices] =
            (double)eex_cost_trunk(all, eex_graph_exit(all, k)->point, EEX_MACS);
        g->macs.gate[k] = (double)eex_cost_gate(all, k, EEX_MACS);
    }
    eex_graph_free(all);
    g->macs.base = (double)eex_cost_total(g->backbone, EEX_MACS);
    g->head.base_macs = g->macs.base;
    return EEX_OK;
}

static void cumulate(double *cost, const eex__gates *g, const eex_gate_costs *t, const int *genome)
{
    double gates = 0;
    int k = 0;
    for (int p = 0; p < g->points.count; p++)
        if (choice_of(g, genome[p]) != NO_GATE) {
            gates += t->gate[p * g->choices + choice_of(g, genome[p])];
            cost[k++] = t->trunk[p] + gates;
        }
    cost[k] = t->base + gates;
}

static void costs(eex_structure_costs *out, const eex_structures *s, const int *genome)
{
    const eex__gates *g = gates_of(s);
    out->exits = 1;
    for (int p = 0; p < g->points.count; p++)
        out->exits += choice_of(g, genome[p]) != NO_GATE;
    cumulate(out->macs, g, &g->macs, genome);
    if (!isnan(s->base_ms))
        cumulate(out->ms, g, &g->ms, genome);
    else
        for (int k = 0; k < out->exits; k++)
            out->ms[k] = NAN;
}

/* ---- making one ---- */

static void free_gates(eex_structures *s)
{
    free(s);
}

static const eex_structures_kind gates_kind = {
    .graph = graph,
    .shared = shared,
    .columns = columns,
    .weights = weights,
    .costs = costs,
    .positions = positions,
    .time = eex__gates_time,
    .write_times = eex__gates_write_times,
    .read_times = eex__gates_read_times,
    .describe = eex__gates_describe,
    .summary = summary,
    .free = free_gates,
};

int eex_structures_gates(eex_structures **out, const eex_experiment *e, const eex_points *points)
{
    *out = NULL;
    if (points->count * e->gates.choices >= EEX_MAX_EXITS)
        return eex_fail(EEX_EINVAL, "%d points x %d block counts: at most %d gates in all",
                        points->count, e->gates.choices, EEX_MAX_EXITS - 1);
    eex__gates *g = calloc(1, sizeof *g);
    if (!g)
        return eex_fail(EEX_ENOMEM, "out of memory for a space of structures");
    g->head.kind = &gates_kind;
    g->head.base_ms = NAN;
    g->backbone = e->backbone;
    g->points = *points;
    g->choices = e->gates.choices;
    memcpy(g->blocks, e->gates.blocks, sizeof g->blocks);
    g->act = e->gates.act;
    g->family = e->gates.family;
    g->channels = e->gates.channels;
    g->required = e->gates.required;
    g->max_exits = e->gates.max_exits;
    int code = make_space(g);
    if (code == EEX_OK)
        code = fill_macs(g);
    if (code != EEX_OK) {
        free(g);
        return code;
    }
    *out = &g->head;
    return EEX_OK;
}
