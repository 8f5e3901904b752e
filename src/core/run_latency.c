/* latency.h5: what trunk and gates take, measured once with one input at a time.
 *
 * The shared network runs from end to end many times and every op is timed where it stands; trunk
 * and gates are sums of the medians of their ops. So the table is additive, as the costs of
 * candidates are, and a hiccup of the machine does not fall on one gate alone. */
#include "core/graph_impl.h"
#include "core/run.h"

#include "base/log.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 51 };

bool eex__run_timed(const eex_run *run)
{
    return run->e->search.evaluator == EEX_EVALUATE_SHARED ||
           run->e->search.score == EEX_SCORE_EQUATION1 || run->e->search.cost == EEX_COST_LATENCY;
}

/* ---- measuring ---- */

/* What the ops of one plan take, by the node they came from. */
typedef struct timing {
    const eex_graph *graph;
    int ops;
    int *node;  /* (ops) */
    double *ms; /* (ops) */
} timing;

static void timing_free(timing *t)
{
    free(t->node);
    free(t->ms);
}

static int time_plan(timing *t, eex_plan *plan, const uint8_t *image)
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
    EEX_TRY(eex_plan_upload(plan, image, NULL, NULL, 1));
    return eex_plan_time(plan, t->ms, ROUNDS, 1);
}

/* Trained weights as far as there are any: numbers that no training has tamed take longer. */
static int make_params(eex_params **out, eex_run *run, const eex_graph *graph)
{
    if (run->e->search.evaluator == EEX_EVALUATE_SHARED)
        return eex__run_load_weights(out, run, "shared.h5", graph);
    EEX_TRY(eex__run_base_params(run));
    EEX_TRY(eex_params_new(out, run->device, graph, run->e->seed));
    return eex_params_copy(*out, run->base, NULL);
}

static int time_graph(timing *t, eex_run *run, const uint8_t *image)
{
    const eex_plan_options options = {.batch = 1, .augment = run->normalise};
    eex_params *params = NULL;
    eex_plan *plan = NULL;
    int code = make_params(&params, run, t->graph);
    if (code == EEX_OK)
        code = eex_plan_new(&plan, &options, t->graph, params);
    if (code == EEX_OK)
        code = time_plan(t, plan, image);
    eex_plan_free(plan);
    eex_params_free(params);
    return code;
}

/* The ops that `node` needs: those of the trunk, or those of gates. */
static double sum(const timing *t, int node, bool trunk)
{
    eex__set above = {{0}};
    double ms = 0;
    eex__graph_ancestors(&above, t->graph, node);
    for (int i = 0; i < t->ops; i++)
        if (eex__set_has(&above, t->node[i]) &&
            (eex_graph_node(t->graph, t->node[i])->exit == EEX_TRUNK) == trunk)
            ms += t->ms[i];
    return ms;
}

static void fill(eex__latencies *out, const timing *t, const eex_run *run)
{
    int choices = run->e->gates.choices, gates = run->points.count * choices;
    for (int k = 0; k < gates; k++) {
        const eex_exit *exit = eex_graph_exit(t->graph, k);
        out->trunk[k / choices] = sum(t, exit->point, true);
        out->gate[k] = sum(t, exit->logits, false);
    }
    out->base = sum(t, eex_graph_exit(t->graph, gates)->logits, true);
}

static int measure(eex__latencies *out, eex_run *run, const uint8_t *image)
{
    eex_graph *graph = NULL;
    EEX_TRY(eex__run_shared_graph(&graph, run));
    timing t = {.graph = graph};
    int code = time_graph(&t, run, image);
    if (code == EEX_OK)
        fill(out, &t, run);
    timing_free(&t);
    eex_graph_free(graph);
    return code;
}

/* ---- the file ---- */

static int save(const eex_run *run, const eex__latencies *l)
{
    const eex_store_shape trunk = {1, {(uint64_t)run->points.count}};
    const eex_store_shape gate = {2,
                                  {(uint64_t)run->points.count, (uint64_t)run->e->gates.choices}};
    eex_store_file *file = NULL;
    EEX_TRY(eex__run_create(&file, run, "latency.h5", "latency"));
    int code = eex_store_write(file, "trunk_ms", EEX_STORE_F64, &trunk, l->trunk);
    if (code == EEX_OK)
        code = eex_store_write(file, "gate_ms", EEX_STORE_F64, &gate, l->gate);
    if (code == EEX_OK)
        code = eex_store_set_string(file, "gate_ms", "axes", "point, block count");
    if (code == EEX_OK)
        code = eex_store_set_double(file, "", "base_ms", l->base);
    if (code == EEX_OK)
        code = eex__run_commit(run, &file);
    eex_store_close(file);
    return code;
}

int eex__run_latency(eex_run *run)
{
    eex__latencies table = {{0}, {0}, 0};
    if (!eex__run_timed(run) || eex__run_has(run, "latency.h5"))
        return EEX_OK;
    const eex_dataset_info *d = run->facts;
    uint8_t *image = malloc((size_t)d->height * (size_t)d->width * (size_t)d->channels);
    if (!image)
        return eex_fail(EEX_ENOMEM, "out of memory for an image");
    eex_log_info("measuring latencies");
    int code = eex_dataset_gather(image, run->data, run->split.validation.at, 1);
    if (code == EEX_OK)
        code = measure(&table, run, image);
    if (code == EEX_OK)
        code = save(run, &table);
    free(image);
    return code;
}

int eex__run_latencies(eex__latencies *out, const eex_run *run)
{
    const eex_store_shape trunk = {1, {(uint64_t)run->points.count}};
    const eex_store_shape gate = {2,
                                  {(uint64_t)run->points.count, (uint64_t)run->e->gates.choices}};
    eex_store_file *file = NULL;
    EEX_TRY(eex__run_open(&file, run, "latency.h5", "latency"));
    int code = eex_store_read(out->trunk, file, "trunk_ms", EEX_STORE_F64, &trunk);
    if (code == EEX_OK)
        code = eex_store_read(out->gate, file, "gate_ms", EEX_STORE_F64, &gate);
    if (code == EEX_OK)
        code = eex_store_get_double(&out->base, file, "", "base_ms");
    eex_store_close(file);
    return code;
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
