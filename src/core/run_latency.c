/* latency.h5: what trunk and gates take, measured once with one input at a time.
 *
 * Each gate is measured alone on the backbone. Leaving there takes trunk + gate, going on to the
 * end takes base + gate; the base is measured right before, so that a machine which slows down or
 * speeds up in the meantime shifts both. */
#include "core/run.h"

#include "base/log.h"
#include "base/progress.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 15 };

bool eex__run_timed(const eex_run *run)
{
    return run->e->search.evaluator == EEX_EVALUATE_SHARED ||
           run->e->search.score == EEX_SCORE_EQUATION1 || run->e->search.cost == EEX_COST_LATENCY;
}

/* Latencies of leaving at each exit of a network; its weights do not matter. */
static int measure(double *ms, const eex_run *run, const eex_graph *graph, const uint8_t *image)
{
    eex_params *params = NULL;
    eex_policy *policy = NULL;
    eex_engine *engine = NULL;
    int code = eex_params_new(&params, run->device, graph, run->e->seed);
    if (code == EEX_OK)
        code = eex_policy_new(&policy, run->e->policy.kind, eex_graph_exits(graph),
                              eex_graph_classes(graph));
    if (code == EEX_OK)
        code = eex_engine_open(&engine, graph, params, policy, &run->normalise, 1);
    if (code == EEX_OK)
        code = eex_engine_latency(engine, ms, image, ROUNDS);
    eex_engine_close(engine);
    eex_policy_free(policy);
    eex_params_free(params);
    return code;
}

/* One gate: *trunk and *gate in milliseconds, at least 0. */
static int measure_gate(double *trunk, double *gate, const eex_run *run, int point, int choice,
                        double base, const uint8_t *image)
{
    const eex_gate one = {.point = run->points.nodes[point],
                          .blocks = run->e->gates.blocks[choice]};
    eex_graph *graph = NULL;
    double ms[2] = {0};
    EEX_TRY(eex_graph_with_gates(&graph, run->e->backbone, &one, 1, run->e->gates.act));
    int code = measure(ms, run, graph, image);
    eex_graph_free(graph);
    *gate = fmax(0, fmin(ms[1] - base, ms[0]));
    *trunk = ms[0] - *gate;
    return code;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int measure_all(eex__latencies *out, const eex_run *run, eex_engine *base,
                       const uint8_t *image)
{
    int choices = run->e->gates.choices, points = run->points.count, n = 0;
    double bases[EEX_MAX_EXITS];
    EEX_TRY(eex_engine_latency(base, &bases[n++], image, ROUNDS));
    eex_progress_begin("measuring latencies", (uint64_t)(points * choices), "gates");
    int code = EEX_OK;
    for (int i = 0; i < points * choices && code == EEX_OK; i++) {
        int p = i / choices;
        double trunk = 0;
        code = eex__run_poll();
        if (code == EEX_OK)
            code = eex_engine_latency(base, &bases[n], image, ROUNDS);
        if (code == EEX_OK)
            code = measure_gate(&trunk, &out->gate[i], run, p, i % choices, bases[n], image);
        out->trunk[p] += trunk / choices;
        n++;
        eex_progress_update((uint64_t)i + 1, NULL);
    }
    eex_progress_end();
    qsort(bases, (size_t)n, sizeof bases[0], compare);
    out->base = bases[n / 2];
    return code;
}

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

static int measure_table(eex_run *run, const uint8_t *image)
{
    eex__latencies table = {{0}, {0}, 0};
    eex_engine *base = NULL;
    EEX_TRY(eex__run_base_params(run));
    EEX_TRY(eex_engine_open(&base, run->e->backbone, run->base, NULL, &run->normalise, 1));
    int code = measure_all(&table, run, base, image);
    eex_engine_close(base);
    return code == EEX_OK ? save(run, &table) : code;
}

int eex__run_latency(eex_run *run)
{
    if (!eex__run_timed(run) || eex__run_has(run, "latency.h5"))
        return EEX_OK;
    const eex_dataset_info *d = run->facts;
    uint8_t *image = malloc((size_t)d->height * (size_t)d->width * (size_t)d->channels);
    if (!image)
        return eex_fail(EEX_ENOMEM, "out of memory for an image");
    int code = eex_dataset_gather(image, run->data, run->split.validation.at, 1);
    if (code == EEX_OK)
        code = measure_table(run, image);
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
