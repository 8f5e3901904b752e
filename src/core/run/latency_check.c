/* Prediction against measurement. */
#include "core/engine/race.h"
#include "core/run/latency_space.h"
#include "core/run/run.h"
#include "core/run/structure.h"
#include "search/rank.h"

#include "base/progress.h"
#include "base/rng.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>

enum { ROUNDS = 31, IMAGES = 4 };

/* ---- one structure ---- */

static int predict(double *ms, eex_latency_table *t, int *added, const eex_graph *graph,
                   eex_params *params, const eex_inference *how)
{
    const eex_plan_options options = eex_inference_plan(how);
    eex_plan *plan = NULL;
    int more = 0;
    EEX_TRY(eex_plan_new(&plan, &options, graph, params));
    int code = eex_latency_predict(ms, t, graph, plan);
    if (code == EEX_ENOTFOUND) {
        code = eex_latency_table_add(t, &more, graph, params, how);
        *added += more;
        if (code == EEX_OK)
            code = eex_latency_predict(ms, t, graph, plan);
    }
    eex_plan_free(plan);
    return code;
}

/* Every exit takes its turn with the others. */
static int race(double *ms, bool *disturbed, eex_engine *engine, const eex_graph *graph,
                const uint8_t *images)
{
    eex_racer racer[EEX_MAX_EXITS];
    const int exits = eex_graph_exits(graph);
    eex_race how = {.images = images,
                    .image_bytes = eex_engine_image_bytes(engine),
                    .count = IMAGES,
                    .batch = 1,
                    .rounds = ROUNDS};
    for (int k = 0; k < exits; k++)
        racer[k] = (eex_racer){.engine = engine, .forced = true, .exit = k};
    EEX_TRY(eex_race_run(racer, exits, &how));
    for (int k = 0; k < exits; k++)
        ms[k] = racer[k].times.latency.mean;
    *disturbed = *disturbed || how.disturbed;
    return EEX_OK;
}

static int make_images(uint8_t **out, size_t bytes)
{
    *out = malloc(bytes);
    if (!*out)
        return eex_fail(EEX_ENOMEM, "out of memory for %d images", IMAGES);
    for (size_t i = 0; i < bytes; i++)
        (*out)[i] = (uint8_t)eex_rng_hash(0, 1, i);
    return EEX_OK;
}

static int measure(double *ms, bool *disturbed, const eex_graph *graph, eex_params *params,
                   const eex_inference *how)
{
    eex_engine *engine = NULL;
    uint8_t *images = NULL;
    EEX_TRY(eex_engine_new(&engine, graph, params, NULL, how));
    int code = make_images(&images, IMAGES * eex_engine_image_bytes(engine));
    if (code == EEX_OK)
        code = race(ms, disturbed, engine, graph, images);
    eex_engine_close(engine);
    free(images);
    return code;
}

static int add_pairs(eex_latency_error *e, const double *predicted, const double *measured,
                     int exits)
{
    struct eex_latency_pair *more = realloc(e->pair, (e->pairs + (size_t)exits) * sizeof *more);
    if (!more)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu predictions", e->pairs);
    e->pair = more;
    for (int k = 0; k < exits; k++)
        e->pair[e->pairs++] = (struct eex_latency_pair){.structure = e->structures,
                                                        .exit = k,
                                                        .predicted = predicted[k],
                                                        .measured = measured[k]};
    e->structures++;
    return EEX_OK;
}

static int check_one(eex_latency_error *e, eex_latency_table *t, int *added, const eex_graph *graph,
                     eex_params *params, const eex_inference *how)
{
    double predicted[EEX_MAX_EXITS], measured[EEX_MAX_EXITS];
    EEX_TRY(predict(predicted, t, added, graph, params, how));
    EEX_TRY(measure(measured, &e->disturbed, graph, params, how));
    return add_pairs(e, predicted, measured, eex_graph_exits(graph));
}

typedef struct check {
    const eex_inference *how;
    eex_device *device;
    const eex_structures *structures;
} check;

static int check_genome(eex_latency_error *e, eex_latency_table *t, int *added, const check *c,
                        const int *genome)
{
    eex_graph *graph = NULL;
    eex_params *params = NULL;
    EEX_TRY(eex_structures_graph(&graph, c->structures, genome));
    int code = eex_params_new(&params, c->device, graph, 0);
    if (code == EEX_OK)
        code = check_one(e, t, added, graph, params, c->how);
    eex_params_free(params);
    eex_graph_free(graph);
    return code;
}

/* ---- all of them ---- */

/* Which points a probe would leave nobody knows: any as many will do. */
static void draw_points(eex_points *points, int count, eex_rng *rng)
{
    for (; points->count > count; points->count--) {
        int gone = (int)eex_rng_below(rng, (uint64_t)points->count);
        for (int p = gone; p + 1 < points->count; p++)
            points->nodes[p] = points->nodes[p + 1];
    }
}

static int check_random(eex_latency_error *out, eex_latency_table *t, int *added, const check *c,
                        eex_rng *rng, int structures)
{
    const eex_space *space = &c->structures->space;
    int genome[EEX_MAX_GENES];
    for (int i = 0; i < structures; i++) {
        eex_space_random(genome, space, rng);
        eex_space_canonicalise(genome, space);
        EEX_TRY(check_genome(out, t, added, c, genome));
        eex_progress_update((uint64_t)i + 1, NULL);
    }
    return EEX_OK;
}

static int check_all(eex_latency_error *out, eex_latency_table *t, int *added,
                     const eex_experiment *e, eex_device *device, const eex_model *chosen,
                     int structures)
{
    eex_inference how;
    eex_points points = e->points;
    eex_structures *s = NULL;
    eex_rng rng;
    EEX_TRY(eex__latency_inference(&how, e));
    eex_rng_seed(&rng, e->seed, EEX_STREAM_SEARCH);
    draw_points(&points, eex_experiment_points(e), &rng);
    EEX_TRY(eex_structures_new(&s, e, &points));
    const check c = {&how, device, s};
    int code = check_random(out, t, added, &c, &rng, structures);
    eex_structures_free(s);
    if (code != EEX_OK || !chosen)
        return code;
    how.normalise.height = chosen->input.height;
    how.normalise.width = chosen->input.width;
    return check_one(out, t, added, chosen->graph, chosen->params, &how);
}

/* Kendall's tau of all pairs, or of those at the end of their structure. */
static int rank(double *tau, const eex_latency_error *e, bool ends)
{
    double *x = calloc(2 * e->pairs + 1, sizeof *x), *y = x + e->pairs;
    size_t n = 0;
    if (!x)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu predictions", e->pairs);
    for (size_t i = 0; i < e->pairs; i++) {
        if (ends && i + 1 < e->pairs && e->pair[i + 1].structure == e->pair[i].structure)
            continue;
        x[n] = e->pair[i].predicted;
        y[n++] = e->pair[i].measured;
    }
    int code = eex_rank_kendall(tau, x, y, n);
    free(x);
    return code;
}

static int sum_up(eex_latency_error *e)
{
    e->mape = e->worst = 0;
    for (size_t i = 0; i < e->pairs; i++) {
        double error = fabs(e->pair[i].predicted - e->pair[i].measured) / e->pair[i].measured;
        e->mape += error / (double)e->pairs;
        e->worst = error > e->worst ? error : e->worst;
    }
    EEX_TRY(rank(&e->tau, e, false));
    return rank(&e->tau_ends, e, true);
}

int eex_latency_check(eex_latency_error *out, eex_latency_table *t, int *added,
                      const eex_experiment *e, eex_device *device, const eex_model *chosen,
                      int structures)
{
    *out = (eex_latency_error){.pair = NULL};
    *added = 0;
    EEX_TRY(eex_latency_table_is_of(t, device));
    if (structures < 1)
        return eex_fail(EEX_EINVAL, "%d structures to predict, expected at least 1", structures);
    eex_progress_begin("checking predictions", (uint64_t)structures, "structures");
    int code = check_all(out, t, added, e, device, chosen, structures);
    eex_progress_end();
    if (code == EEX_OK)
        code = sum_up(out);
    if (code < 0)
        eex_latency_error_free(out);
    return code;
}

void eex_latency_error_free(eex_latency_error *e)
{
    free(e->pair);
    *e = (eex_latency_error){.pair = NULL};
}

/* ---- the file ---- */

static int save_pairs(const eex_latency_error *e, eex_store_file *file)
{
    const eex_store_shape of = {2, {e->pairs, 2}}, ms = {2, {e->pairs, 2}};
    int32_t *where = calloc(2 * e->pairs + 1, sizeof *where);
    double *values = calloc(2 * e->pairs + 1, sizeof *values);
    int code = where && values ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory");
    for (size_t i = 0; i < e->pairs && code == EEX_OK; i++) {
        where[2 * i] = e->pair[i].structure;
        where[2 * i + 1] = e->pair[i].exit;
        values[2 * i] = e->pair[i].predicted;
        values[2 * i + 1] = e->pair[i].measured;
    }
    if (code == EEX_OK)
        code = eex_store_write(file, "error/pair", EEX_STORE_I32, &of, where);
    if (code == EEX_OK)
        code = eex_store_set_string(file, "error/pair", "columns", "structure, exit, from 0");
    if (code == EEX_OK)
        code = eex_store_write(file, "error/latency_ms", EEX_STORE_F64, &ms, values);
    if (code == EEX_OK)
        code = eex_store_set_string(file, "error/latency_ms", "columns", "predicted, measured");
    free(where);
    free(values);
    return code;
}

int eex_latency_error_save(const eex_latency_error *e, eex_store_file *file)
{
    EEX_TRY(eex_store_make_group(file, "error"));
    EEX_TRY(eex_store_set_int(file, "error", "structures", e->structures));
    EEX_TRY(eex_store_set_double(file, "error", "mape", e->mape));
    EEX_TRY(eex_store_set_double(file, "error", "worst", e->worst));
    EEX_TRY(eex_store_set_double(file, "error", "kendall_tau", e->tau));
    EEX_TRY(eex_store_set_double(file, "error", "kendall_tau_ends", e->tau_ends));
    return save_pairs(e, file);
}
