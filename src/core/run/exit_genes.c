#include "core/run/exit_genes.h"

#include "core/graph/cost.h"

#include "base/rng.h"
#include "base/status.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- what there is to choose ---- */

/* Scripts say entropies, policies compare their negatives. */
static void take_levels(eex__exit_genes *g, const eex_experiment *e)
{
    const double sign = e->policy.kind == EEX_POLICY_ENTROPY ? -1 : 1;
    g->levels = e->gates.levels;
    for (int i = 0; i < g->levels; i++)
        g->level[i] = sign * e->gates.level[i];
}

/* How many genes say the same gate. */
static int ways(const eex__exit_genes *g)
{
    return g->levels ? g->levels : 1;
}

int eex__exit_genes_of(eex__exit_genes *out, const eex_experiment *e, int points)
{
    const int choices = e->gates.points ? 1 : e->gates.choices;
    if (points * choices >= EEX_MAX_EXITS)
        return eex_fail(EEX_EINVAL, "%d points x %d block counts: at most %d gates in all", points,
                        choices, EEX_MAX_EXITS - 1);
    if (e->gates.points && e->gates.points != points)
        return eex_fail(EEX_EINVAL, "gates.each: %d block counts for %d points", e->gates.points,
                        points);
    *out = (eex__exit_genes){.points = points,
                             .choices = choices,
                             .fixed = e->gates.points > 0,
                             .family = e->gates.family,
                             .act = e->gates.act,
                             .channels = e->gates.channels,
                             .required = e->gates.required,
                             .max_exits = e->gates.max_exits};
    memcpy(out->blocks, e->gates.blocks, sizeof out->blocks);
    memcpy(out->each, e->gates.each, sizeof out->each);
    take_levels(out, e);
    return EEX_OK;
}

int eex__exit_genes_options(const eex__exit_genes *g)
{
    return !g->required + g->choices * ways(g);
}

/* Among the ways to have an exit, from 0; -1: none. */
static int way_of(const eex__exit_genes *g, int gene)
{
    return gene - !g->required;
}

int eex__exit_gene_choice(const eex__exit_genes *g, int gene)
{
    const int way = way_of(g, gene);
    return way >= 0 ? way / ways(g) : -1;
}

static bool has_exit(const eex__exit_genes *g, int gene)
{
    return eex__exit_gene_choice(g, gene) >= 0;
}

eex_gate eex__exit_gene_gate(const eex__exit_genes *g, const eex_points *points, int p, int choice)
{
    return (eex_gate){.point = points->nodes[p],
                      .blocks = g->fixed ? g->each[p] : g->blocks[choice],
                      .family = g->family,
                      .channels = g->channels};
}

int eex__exit_genes_count(const eex__exit_genes *g, const int *genes)
{
    int exits = 1;
    for (int p = 0; p < g->points; p++)
        exits += has_exit(g, genes[p]);
    return exits;
}

int eex__exit_genes_summary(char *out, size_t size, const eex__exit_genes *g)
{
    return snprintf(out, size, "%d gate%s at %d point%s", g->points * g->choices,
                    eex_plural(g->points * g->choices), g->points, eex_plural(g->points));
}

/* Those stay that come first in an order drawn from the genes, so that no position is favoured and
 * the same genome always means the same candidate. */
void eex__exit_genes_limit(int *genes, const eex__exit_genes *g)
{
    uint64_t key = 0;
    int gates = eex__exit_genes_count(g, genes) - 1;
    for (int p = 0; p < g->points; p++)
        key = eex_rng_hash(key, (uint64_t)genes[p], (uint64_t)p);
    for (; g->max_exits && !g->required && gates > g->max_exits; gates--) {
        int worst = -1;
        uint64_t largest = 0;
        for (int p = 0; p < g->points; p++) {
            uint64_t order = eex_rng_hash(key, 1, (uint64_t)p);
            if (has_exit(g, genes[p]) && (worst < 0 || order > largest)) {
                worst = p;
                largest = order;
            }
        }
        genes[worst] = 0;
    }
}

int eex__exit_genes_all(eex_graph **out, const eex__exit_genes *g, const eex_graph *network,
                        const eex_points *points)
{
    eex_gate gates[EEX_MAX_EXITS];
    uint64_t heads = 0;
    for (int i = 0; i < g->choices; i++)
        heads |= UINT64_C(1) << g->blocks[i];
    for (int p = 0; p < g->points; p++) {
        gates[p] = eex__exit_gene_gate(g, points, p, g->choices - 1);
        gates[p].nested = true;
        gates[p].heads = g->fixed ? UINT64_C(1) << gates[p].blocks : heads;
    }
    return eex_graph_with_gates(out, network, gates, g->points, g->act);
}

/* ---- exit by exit ---- */

void eex__exit_genes_columns(int *out, const eex__exit_genes *g, const int *genes)
{
    int k = 0;
    for (int p = 0; p < g->points; p++)
        if (has_exit(g, genes[p]))
            out[k++] = p * g->choices + eex__exit_gene_choice(g, genes[p]);
    out[k] = g->points * g->choices;
}

void eex__exit_genes_positions(int32_t *out, const eex__exit_genes *g, const int *genes)
{
    int k = 0;
    for (int p = 0; p < g->points; p++)
        if (has_exit(g, genes[p]))
            out[k++] = p + 1;
    out[k] = g->points + 1;
}

void eex__exit_genes_thresholds(double *a, const eex__exit_genes *g, const int *genes)
{
    int k = 0;
    for (int p = 0; p < g->points; p++)
        if (has_exit(g, genes[p]))
            a[k++] = g->levels ? g->level[way_of(g, genes[p]) % g->levels] : (double)NAN;
    a[k] = NAN;
}

/* ---- costs ---- */

void eex__gate_costs_count(eex__gate_costs *out, const eex__exit_genes *g, const eex_graph *all)
{
    const int gates = g->points * g->choices;
    for (int k = 0; k < gates; k++) {
        out->trunk[k / g->choices] =
            (double)eex_cost_trunk(all, eex_graph_exit(all, k)->point, EEX_MACS);
        out->gate[k] = (double)eex_cost_gate(all, k, EEX_MACS);
    }
    out->base = (double)eex_cost_trunk(all, eex_graph_exit(all, gates)->point, EEX_MACS);
}

/* Of the network that has these exits alone. */
static int count_params(double *out, const eex_graph *all, const int *column, int exits)
{
    eex_graph *alone = NULL;
    EEX_TRY(eex_graph_select(&alone, all, column, exits));
    *out = (double)eex_graph_param_total(alone);
    eex_graph_free(alone);
    return EEX_OK;
}

int eex__gate_params_count(eex__gate_params *out, const eex__exit_genes *g, const eex_graph *all)
{
    const int gates = g->points * g->choices;
    EEX_TRY(count_params(&out->base, all, &gates, 1));
    for (int k = 0; k < gates; k++) {
        EEX_TRY(count_params(&out->gate[k], all, (const int[]){k, gates}, 2));
        out->gate[k] -= out->base;
    }
    return EEX_OK;
}

static void cumulate(double *cost, const eex__exit_genes *g, const eex__gate_costs *t,
                     const int *genes)
{
    double gates = 0;
    int k = 0;
    for (int p = 0; p < g->points; p++)
        if (has_exit(g, genes[p])) {
            gates += t->gate[p * g->choices + eex__exit_gene_choice(g, genes[p])];
            cost[k++] = t->trunk[p] + gates;
        }
    cost[k] = t->base + gates;
}

void eex__exit_genes_costs(eex_structure_costs *out, const eex__exit_genes *g, const int *genes,
                           const eex__gate_costs *macs, const eex__gate_costs *ms,
                           const eex__gate_params *params)
{
    out->exits = eex__exit_genes_count(g, genes);
    cumulate(out->macs, g, macs, genes);
    if (ms)
        cumulate(out->ms, g, ms, genes);
    else
        for (int k = 0; k < out->exits; k++)
            out->ms[k] = NAN;
    out->params = params->base;
    for (int p = 0; p < g->points; p++)
        if (has_exit(g, genes[p]))
            out->params += params->gate[p * g->choices + eex__exit_gene_choice(g, genes[p])];
}
