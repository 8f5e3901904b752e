/* The space of structures of a run, and what a genome stands for. */
#include "core/graph/cost.h"
#include "core/run/run.h"

#include "base/rng.h"

/* Too many gates: those stay that come first in an order drawn from the genome itself, so that no
 * position is favoured and the same genome always means the same candidate. */
static void limit_gates(int *genome, const void *context)
{
    const eex_run *run = context;
    uint64_t key = 0;
    int gates = 0;
    for (int p = 0; p < run->points.count; p++) {
        key = eex_rng_hash(key, (uint64_t)genome[p], (uint64_t)p);
        gates += genome[p] > 0;
    }
    for (; gates > run->e->gates.max_exits; gates--) {
        int worst = -1;
        uint64_t largest = 0;
        for (int p = 0; p < run->points.count; p++) {
            uint64_t order = eex_rng_hash(key, 1, (uint64_t)p);
            if (genome[p] > 0 && (worst < 0 || order > largest)) {
                worst = p;
                largest = order;
            }
        }
        genome[worst] = 0;
    }
}

int eex__run_space(eex_space *out, const eex_run *run)
{
    int options[EEX_MAX_EXITS * 2];
    for (int p = 0; p < run->points.count; p++)
        options[p] = run->e->gates.choices + 1;
    int code = eex_space_init(out, options, run->points.count);
    if (run->e->gates.max_exits) {
        out->canonical = limit_gates;
        out->context = run;
    }
    return code;
}

int eex__run_graph(eex_graph **out, const eex_run *run, const int *genome)
{
    eex_gate gates[EEX_MAX_EXITS];
    int count = 0;
    for (int p = 0; p < run->points.count; p++)
        if (genome[p] > 0)
            gates[count++] = (eex_gate){.point = run->points.nodes[p],
                                        .blocks = run->e->gates.blocks[genome[p] - 1]};
    return eex_graph_with_gates(out, run->e->backbone, gates, count, run->e->gates.act);
}

int eex__run_shared_graph(eex_graph **out, const eex_run *run)
{
    const eex_experiment *e = run->e;
    eex_gate gates[EEX_MAX_EXITS];
    uint64_t heads = 0;
    for (int i = 0; i < e->gates.choices; i++)
        heads |= UINT64_C(1) << e->gates.blocks[i];
    for (int p = 0; p < run->points.count; p++)
        gates[p] = (eex_gate){.point = run->points.nodes[p],
                              .blocks = e->gates.blocks[e->gates.choices - 1],
                              .nested = true,
                              .heads = heads};
    return eex_graph_with_gates(out, e->backbone, gates, run->points.count, e->gates.act);
}

void eex__run_macs(double *cost, const eex_graph *graph)
{
    for (int k = 0; k < eex_graph_exits(graph); k++)
        cost[k] = (double)eex_cost_cumulative(graph, k, EEX_MACS);
}
