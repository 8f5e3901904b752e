/* What trunk and gates take with one input at a time, from a latency table.
 *
 * Trunk and gates are sums of their ops. So the times are additive, as the costs of structures are,
 * and a hiccup of the machine does not fall on one gate alone. */
#include "core/graph/node_set.h"
#include "core/run/structure_gates.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>

/* What the ops of one plan take, by the node they came from. */
typedef struct timing {
    const eex_graph *graph;
    int ops;
    int *node;  /* (ops) */
    double *ms; /* (ops) */
    eex_latency_extras extra;
} timing;

static int look_up(timing *t, const eex_latency_table *table, const eex_plan *plan)
{
    t->ops = eex_plan_ops(plan);
    t->node = calloc((size_t)t->ops + 1, sizeof *t->node);
    t->ms = calloc((size_t)t->ops + 1, sizeof *t->ms);
    if (!t->node || !t->ms)
        return eex_fail(EEX_ENOMEM, "out of memory for the times of %d ops", t->ops);
    for (int i = 0; i < t->ops; i++) {
        int node = eex_graph_find(t->graph, eex_plan_op(plan, i)->name);
        t->node[i] = node < 0 ? 0 : node; /* what is not of a node prepares the input */
    }
    EEX_TRY(eex_latency_ops(t->ms, table, plan));
    return eex_latency_extra(&t->extra, table, plan);
}

/* The ops that `node` needs: those of the trunk, or those of gates. */
static double sum(const timing *t, int node, bool trunk)
{
    eex_node_set above = {{0}};
    double ms = 0;
    eex_graph_ancestors(&above, t->graph, node);
    for (int i = 0; i < t->ops; i++)
        if (eex_node_set_has(&above, t->node[i]) &&
            (eex_graph_node(t->graph, t->node[i])->exit == EEX_TRUNK) == trunk)
            ms += t->ms[i];
    return ms;
}

/* Whoever leaves has brought an image in and fetches results: part of every trunk. Asking whether
 * to leave is part of every gate, and of the end. */
static void fill(eex__gates *g, const timing *t)
{
    const double fixed = t->extra.input + t->extra.results;
    const int gates = g->points.count * g->exits.choices;
    for (int k = 0; k < gates; k++) {
        const eex_exit *exit = eex_graph_exit(t->graph, k);
        g->ms.trunk[k / g->exits.choices] = fixed + sum(t, exit->point, true);
        g->ms.gate[k] = t->extra.leave + sum(t, exit->logits, false);
    }
    g->ms.base = fixed + t->extra.leave + sum(t, eex_graph_exit(t->graph, gates)->logits, true);
    g->head.base_ms = g->ms.base;
}

static int time_network(eex__gates *g, const eex_latency_table *table, eex_params *params,
                        const eex_inference *how)
{
    const eex_plan_options options = eex_inference_plan(how);
    eex_plan *plan = NULL;
    timing t = {.graph = params->graph};
    EEX_TRY(eex_plan_new(&plan, &options, t.graph, params));
    int code = look_up(&t, table, plan);
    if (code == EEX_OK)
        fill(g, &t);
    free(t.node);
    free(t.ms);
    eex_plan_free(plan);
    return code;
}

int eex__gates_time(eex_structures *s, const eex_latency_table *table, eex_device *device,
                    const eex_inference *how)
{
    eex_graph *graph = NULL;
    eex_params *params = NULL;
    EEX_TRY(eex_structures_shared(&graph, s));
    int code = eex_params_new_empty(&params, device, graph);
    if (code == EEX_OK)
        code = time_network((eex__gates *)s, table, params, how);
    eex_params_free(params);
    eex_graph_free(graph);
    return code;
}

int eex__gates_networks(const eex_structures *s, eex_device *device, const eex_inference *how,
                        eex_structures_visit *visit, void *context)
{
    eex_graph *graph = NULL;
    EEX_TRY(eex_structures_shared(&graph, s));
    const int code = visit(context, graph, 0, 1);
    eex_graph_free(graph);
    return code;
}

/* ---- in files ---- */

int eex__gates_write_times(eex_store_file *file, const eex_structures *s)
{
    const eex__gates *g = (const eex__gates *)s;
    const eex_store_shape trunk = {1, {(uint64_t)g->points.count}};
    const eex_store_shape gate = {2, {(uint64_t)g->points.count, (uint64_t)g->exits.choices}};
    EEX_TRY(eex_store_write(file, "trunk_ms", EEX_STORE_F64, &trunk, g->ms.trunk));
    EEX_TRY(eex_store_write(file, "gate_ms", EEX_STORE_F64, &gate, g->ms.gate));
    EEX_TRY(eex_store_set_string(file, "gate_ms", "axes", "point, block count"));
    return eex_store_set_double(file, "", "base_ms", g->ms.base);
}

static int check(const eex_store_file *file, const char *name, const double *ms, int count)
{
    for (int i = 0; i < count; i++)
        if (!(ms[i] >= 0) || isinf(ms[i]))
            return eex_store_refuse(file, "%s: number %d is %g, expected at least 0", name, i,
                                    ms[i]);
    return EEX_OK;
}

int eex__gates_read_times(eex_structures *s, eex_store_file *file)
{
    eex__gates *g = (eex__gates *)s;
    const int gates = g->points.count * g->exits.choices;
    const eex_store_shape trunk = {1, {(uint64_t)g->points.count}};
    const eex_store_shape gate = {2, {(uint64_t)g->points.count, (uint64_t)g->exits.choices}};
    EEX_TRY(eex_store_read(g->ms.trunk, file, "trunk_ms", EEX_STORE_F64, &trunk));
    EEX_TRY(eex_store_read(g->ms.gate, file, "gate_ms", EEX_STORE_F64, &gate));
    EEX_TRY(eex_store_get_double(&g->ms.base, file, "", "base_ms"));
    EEX_TRY(check(file, "trunk_ms", g->ms.trunk, g->points.count));
    EEX_TRY(check(file, "gate_ms", g->ms.gate, gates));
    EEX_TRY(check(file, "base_ms", &g->ms.base, 1));
    s->base_ms = g->ms.base;
    return EEX_OK;
}
