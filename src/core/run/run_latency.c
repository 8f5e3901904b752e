/* latency.h5: what trunk and gates take with one input at a time, from a latency table: the one
 * that the experiment names, or one of the shared network that is measured once.
 *
 * Trunk and gates are sums of their ops. So the table is additive, as the costs of candidates are,
 * and a hiccup of the machine does not fall on one gate alone. */
#include "core/engine/latency_table.h"
#include "core/graph/node_set.h"
#include "core/run/run.h"

#include "base/log.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

bool eex__run_timed(const eex_run *run)
{
    return run->e->search.evaluator == EEX_EVALUATE_SHARED ||
           run->e->search.score == EEX_SCORE_EQUATION1 || run->e->search.cost == EEX_COST_LATENCY;
}

/* ---- measuring ---- */

/* Trained weights as far as there are any: numbers that no training has tamed take longer. */
static int make_params(eex_params **out, eex_run *run, const eex_graph *graph)
{
    if (run->e->search.evaluator == EEX_EVALUATE_SHARED)
        return eex__run_load_weights(out, run, "shared.h5", graph);
    EEX_TRY(eex__run_base_params(run));
    EEX_TRY(eex_params_new(out, run->device, graph, run->e->seed));
    return eex_params_copy(*out, run->base, NULL);
}

/* The table that the experiment names, or one of this network alone, measured now. */
static int get_table(eex_latency_table **out, eex_run *run, const eex_graph *graph,
                     eex_params *params)
{
    const eex_inference how = eex__run_inference(run, 1);
    const char *path = run->e->search.latency_table;
    int added = 0;
    *out = NULL;
    if (*path) {
        EEX_TRY(eex_latency_table_load(out, path));
        eex_log_info("latencies are those of %s, from %s", (*out)->device, path);
        return EEX_OK;
    }
    eex_log_info("measuring latencies");
    EEX_TRY(eex_latency_table_new(out, run->device));
    return eex_latency_table_add(*out, &added, graph, params, &how);
}

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
    return eex_latency_extra(&t->extra, table, t->graph);
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
static void fill(eex__latencies *out, const timing *t, const eex_run *run)
{
    const double fixed = t->extra.input + t->extra.results;
    int choices = run->e->gates.choices, gates = run->points.count * choices;
    for (int k = 0; k < gates; k++) {
        const eex_exit *exit = eex_graph_exit(t->graph, k);
        out->trunk[k / choices] = fixed + sum(t, exit->point, true);
        out->gate[k] = t->extra.leave + sum(t, exit->logits, false);
    }
    out->base = fixed + t->extra.leave + sum(t, eex_graph_exit(t->graph, gates)->logits, true);
}

static int fill_from(eex__latencies *out, const eex_run *run, const eex_graph *graph,
                     eex_params *params, const eex_latency_table *table)
{
    const eex_inference how = eex__run_inference(run, 1);
    const eex_plan_options options = eex_inference_plan(&how);
    eex_plan *plan = NULL;
    timing t = {.graph = graph};
    EEX_TRY(eex_plan_new(&plan, &options, graph, params));
    int code = look_up(&t, table, plan);
    if (code == EEX_OK)
        fill(out, &t, run);
    free(t.node);
    free(t.ms);
    eex_plan_free(plan);
    return code;
}

static int measure(eex__latencies *out, eex_run *run)
{
    eex_graph *graph = NULL;
    eex_params *params = NULL;
    eex_latency_table *table = NULL;
    EEX_TRY(eex__run_shared_graph(&graph, run));
    int code = make_params(&params, run, graph);
    if (code == EEX_OK)
        code = get_table(&table, run, graph, params);
    if (code == EEX_OK)
        code = fill_from(out, run, graph, params, table);
    if (code < 0 && *run->e->search.latency_table)
        code = eex_fail_in(code, "search.latency_table");
    eex_latency_table_free(table);
    eex_params_free(params);
    eex_graph_free(graph);
    return code;
}

/* ---- the file ---- */

typedef struct stored {
    const eex_run *run;
    eex__latencies *table;
} stored;

static int fill_file(eex_store_file *file, const void *context)
{
    const stored *s = context;
    const eex_run *run = s->run;
    const eex_store_shape trunk = {1, {(uint64_t)run->points.count}};
    const eex_store_shape gate = {2,
                                  {(uint64_t)run->points.count, (uint64_t)run->e->gates.choices}};
    EEX_TRY(eex_store_write(file, "trunk_ms", EEX_STORE_F64, &trunk, s->table->trunk));
    EEX_TRY(eex_store_write(file, "gate_ms", EEX_STORE_F64, &gate, s->table->gate));
    EEX_TRY(eex_store_set_string(file, "gate_ms", "axes", "point, block count"));
    return eex_store_set_double(file, "", "base_ms", s->table->base);
}

static int use_file(eex_store_file *file, void *context)
{
    const stored *s = context;
    const eex_run *run = s->run;
    const eex_store_shape trunk = {1, {(uint64_t)run->points.count}};
    const eex_store_shape gate = {2,
                                  {(uint64_t)run->points.count, (uint64_t)run->e->gates.choices}};
    EEX_TRY(eex_store_read(s->table->trunk, file, "trunk_ms", EEX_STORE_F64, &trunk));
    EEX_TRY(eex_store_read(s->table->gate, file, "gate_ms", EEX_STORE_F64, &gate));
    return eex_store_get_double(&s->table->base, file, "", "base_ms");
}

/* What a table lacks is said before anything is trained. Which points a probe will leave is not
 * known by then. */
static int look_up_untrained(const eex_run *run, const eex_latency_table *table)
{
    eex__latencies ignored;
    eex_graph *graph = NULL;
    eex_params *params = NULL;
    EEX_TRY(eex__run_shared_graph(&graph, run));
    int code = eex_params_new(&params, run->device, graph, 0);
    if (code == EEX_OK)
        code = fill_from(&ignored, run, graph, params, table);
    eex_params_free(params);
    eex_graph_free(graph);
    return code;
}

int eex__run_latency_known(const eex_run *run)
{
    eex_latency_table *table = NULL;
    const char *path = run->e->search.latency_table;
    if (!*path || !eex__run_timed(run) || eex__run_has(run, "latency.h5"))
        return EEX_OK;
    int code = eex_latency_table_load(&table, path);
    if (code == EEX_OK && !run->e->probe)
        code = look_up_untrained(run, table);
    eex_latency_table_free(table);
    return code < 0 ? eex_fail_in(code, "search.latency_table") : EEX_OK;
}

int eex__run_latency(eex_run *run)
{
    eex__latencies table = {{0}, {0}, 0};
    const stored s = {run, &table};
    if (eex__run_has(run, "latency.h5"))
        return EEX_OK;
    EEX_TRY(measure(&table, run));
    return eex__run_write(run, "latency.h5", fill_file, &s);
}

int eex__run_latencies(eex__latencies *out, const eex_run *run)
{
    stored s = {run, out};
    return eex__run_read(run, "latency.h5", use_file, &s);
}

int eex__run_ms(double *ms, const eex_run *run, const int *genome)
{
    eex__latencies table = {{0}, {0}, 0};
    double gates = 0;
    int k = 0, choices = run->e->gates.choices;
    EEX_TRY(eex__run_latencies(&table, run));
    for (int p = 0; p < run->points.count; p++)
        if (genome[p] > 0) {
            gates += table.gate[p * choices + genome[p] - 1];
            ms[k++] = table.trunk[p] + gates;
        }
    ms[k] = table.base + gates;
    return EEX_OK;
}
