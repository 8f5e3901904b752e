#include "core/use/profile.h"

#include "core/engine/race.h"
#include "core/graph/cost.h"

#include "base/progress.h"
#include "base/signals.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>

static size_t image_bytes(const eex_profile_options *o)
{
    return (size_t)o->model->input.height * (size_t)o->model->input.width *
           (size_t)o->model->input.channels;
}

static int poll_signals(void)
{
    return eex_interrupted() ? eex_fail(EEX_EINTERRUPTED, "interrupted while measuring") : EEX_OK;
}

/* ---- layers ---- */

/* Other plans of a model have the same ops in the same order. */
static int name_ops(eex_profile *p, const eex_plan *plan)
{
    p->ops = eex_plan_ops(plan);
    p->op = calloc((size_t)p->ops + 1, sizeof *p->op);
    if (!p->op)
        return eex_fail(EEX_ENOMEM, "out of memory for a profile of %d ops", p->ops);
    for (int i = 0; i < p->ops; i++) {
        const eex_op *op = eex_plan_op(plan, i);
        p->op[i] = (eex_profile_op){.name = op->name,
                                    .kind = eex_profile_kind(op),
                                    .segment = eex_plan_op_segment(plan, i),
                                    .macs = eex_profile_macs(op)};
    }
    return EEX_OK;
}

static int time_ops(eex_profile *p, eex_plan *plan, const eex_profile_options *o, int b)
{
    const int batch = p->rows[b];
    double *ms = calloc((size_t)p->ops + 1, sizeof *ms);
    if (!ms)
        return eex_fail(EEX_ENOMEM, "out of memory for a profile of %d ops", p->ops);
    int code = eex_plan_upload(plan, o->images, NULL, NULL, batch);
    if (code == EEX_OK)
        code = eex_plan_time(plan, ms, o->rounds, batch);
    for (int i = 0; i < p->ops && code == EEX_OK; i++) {
        p->op[i].ms[b] = ms[i];
        p->op[i].bytes[b] = eex_profile_bytes(eex_plan_op(plan, i), batch);
    }
    free(ms);
    return code;
}

/* The engine decides how many of a batch go together. */
static int find_rows(eex_profile *p, const eex_profile_options *o, int b)
{
    eex_engine *engine = NULL;
    EEX_TRY(eex_engine_open(&engine, o->model, p->batch[b]));
    p->rows[b] = eex_engine_rows(engine);
    eex_engine_close(engine);
    return EEX_OK;
}

static int profile_batch(eex_profile *p, const eex_profile_options *o, int b)
{
    eex_plan *plan = NULL;
    EEX_TRY(find_rows(p, o, b));
    const eex_inference how = eex_model_inference(o->model, p->rows[b]);
    const eex_plan_options options = eex_inference_plan(&how);
    EEX_TRY(eex_plan_new(&plan, &options, o->model->graph, o->model->params));
    int code = p->op ? EEX_OK : name_ops(p, plan);
    if (code == EEX_OK)
        code = time_ops(p, plan, o, b);
    eex_plan_free(plan);
    return code;
}

static int profile_ops(eex_profile *p, const eex_profile_options *o)
{
    eex_device *device = o->model->params->device;
    for (int b = 0; b < p->batches; b++) {
        EEX_TRY(poll_signals());
        EEX_TRY(eex_device_lock(device));
        const int code = profile_batch(p, o, b);
        eex_device_unlock(device);
        EEX_TRY(code);
        eex_progress_update((uint64_t)b + 1, NULL);
    }
    return EEX_OK;
}

/* ---- exits ---- */

/* Where the images leave. */
static int run_images(eex_profile *p, const eex_profile_options *o, eex_engine *engine)
{
    double right[EEX_MAX_EXITS] = {0};
    eex_result r;
    for (int i = 0; i < o->count; i++) {
        EEX_TRY(eex_engine_run(engine, &r, o->images + (size_t)i * image_bytes(o), 1));
        p->share[r.exit]++;
        right[r.exit] += r.decision == EEX_ACCEPT && r.top == o->labels[i];
        if (i % 256 == 0)
            EEX_TRY(poll_signals());
    }
    p->images = o->count;
    for (int k = 0; k < p->exits; k++) {
        p->accuracy[k] = p->share[k] > 0 ? right[k] / p->share[k] : NAN;
        p->share[k] /= o->count;
    }
    return EEX_OK;
}

enum { TIMED = 32 }; /* images of which each goes to every exit */

static int time_exits(eex_profile *p, const eex_profile_options *o, eex_engine *engine,
                      eex_engine *base)
{
    eex_racer racer[EEX_MAX_EXITS + 1];
    eex_race how = {.images = o->images,
                    .image_bytes = image_bytes(o),
                    .count = o->count < TIMED ? o->count : TIMED,
                    .batch = 1,
                    .rounds = o->rounds,
                    .title = "latency by exit"};
    for (int k = 0; k < p->exits; k++)
        racer[k] = (eex_racer){.engine = engine, .forced = true, .exit = k};
    racer[p->exits] = (eex_racer){.engine = base};
    EEX_TRY(eex_race_run(racer, p->exits + (base != NULL), &how));
    p->disturbed = p->disturbed || how.disturbed;
    for (int k = 0; k < p->exits; k++)
        p->exit_ms[k] = racer[k].times.latency.mean;
    if (base)
        p->base_ms = racer[p->exits].times.latency.mean;
    return EEX_OK;
}

/* ---- what exits save ---- */

/* Whole batches leave images over: the theory is about those that ran. */
static int theory(double *out, eex_profile *p, const eex_profile_options *o, eex_engine *engine,
                  int batch)
{
    eex_result *results = calloc((size_t)batch, sizeof *results);
    double share[EEX_MAX_EXITS] = {0};
    const int ran = o->count / batch * batch;
    int code = results ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for %d results", batch);
    for (int at = 0; at < ran && code == EEX_OK; at += batch) {
        code = eex_engine_run(engine, results, o->images + (size_t)at * image_bytes(o), batch);
        for (int i = 0; i < batch && code == EEX_OK; i++)
            share[results[i].exit] += 1.0 / ran;
    }
    *out = p->base_macs / eex_cost_ada_cumulative(o->model->graph, share, EEX_MACS);
    free(results);
    return code;
}

static int race_base(eex_profile *p, const eex_profile_options *o, eex_engine *engine,
                     eex_engine *base, int b)
{
    eex_profile_speed *s = &p->speed[b];
    eex_racer racer[2] = {{.engine = base}, {.engine = engine}};
    eex_race how = {.images = o->images,
                    .image_bytes = image_bytes(o),
                    .count = o->count,
                    .batch = p->batch[b],
                    .rounds = o->rounds,
                    .title = p->batch[b] == 1 ? "base and exits, one image at a time"
                                              : "base and exits, in batches"};
    EEX_TRY(theory(&s->theoretical, p, o, engine, p->batch[b]));
    EEX_TRY(eex_race_run(racer, 2, &how));
    p->disturbed = p->disturbed || how.disturbed;
    s->batch = p->batch[b];
    s->images = o->count / s->batch * s->batch;
    s->base = racer[0].times.latency;
    s->own = racer[1].times.latency;
    s->realised = eex_race_speedup(&racer[0], &racer[1]);
    return EEX_OK;
}

static int with_engines(eex_profile *p, const eex_profile_options *o, int b, eex_engine *engine,
                        eex_engine *base)
{
    if (p->batch[b] == 1) {
        EEX_TRY(run_images(p, o, engine));
        EEX_TRY(time_exits(p, o, engine, base));
    }
    return base ? race_base(p, o, engine, base, b) : EEX_OK;
}

static int profile_exits(eex_profile *p, const eex_profile_options *o)
{
    for (int b = 0; b < p->batches; b++) {
        eex_engine *engine = NULL, *base = NULL;
        int code = eex_engine_open(&engine, o->model, p->batch[b]);
        if (code == EEX_OK && o->base)
            code = eex_engine_open(&base, o->base, p->batch[b]);
        if (code == EEX_OK)
            code = with_engines(p, o, b, engine, base);
        eex_engine_close(engine);
        eex_engine_close(base);
        EEX_TRY(code);
    }
    return EEX_OK;
}

/* ---- all of it ---- */

static int measure(eex_profile *p, const eex_profile_options *o)
{
    p->exits = eex_graph_exits(o->model->graph);
    p->batch[p->batches++] = 1;
    if (o->batch > 1)
        p->batch[p->batches++] = o->batch;
    p->rounds = o->rounds;
    p->base_ms = NAN;
    p->base_macs = o->base ? (double)eex_cost_total(o->base->graph, EEX_MACS) : NAN;
    for (int k = 0; k < p->exits; k++)
        p->exit_macs[k] = (double)eex_cost_cumulative(o->model->graph, k, EEX_MACS);
    eex_progress_begin("layers", (uint64_t)p->batches, NULL);
    int code = profile_ops(p, o);
    eex_progress_end();
    EEX_TRY(code);
    EEX_TRY(profile_exits(p, o));
    eex_laps_warn("profile", p->disturbed);
    return EEX_OK;
}

/* Both run on the very same images. */
static int check_base(const eex_profile_options *o)
{
    const eex_input *own = &o->model->input, *base = o->base ? &o->base->input : own;
    if (own->height == base->height && own->width == base->width && own->channels == base->channels)
        return EEX_OK;
    return eex_fail(EEX_EINVAL,
                    "profile: %s reads images of %dx%dx%d, the base %s of %dx%dx%d: both are timed "
                    "on the same images",
                    o->model->path, own->height, own->width, own->channels, o->base->path,
                    base->height, base->width, base->channels);
}

int eex_profile_new(eex_profile **out, const eex_profile_options *o)
{
    *out = NULL;
    if (o->count < 1 || o->batch < 1 || o->batch > o->count || o->rounds < EEX_LAPS_ROUNDS_MIN)
        return eex_fail(EEX_EINVAL,
                        "profile: %d images, batch %d, %d rounds: expected at least an image, as "
                        "many as the batch has, and %d rounds",
                        o->count, o->batch, o->rounds, EEX_LAPS_ROUNDS_MIN);
    EEX_TRY(check_base(o));
    eex_profile *p = calloc(1, sizeof *p);
    if (!p)
        return eex_fail(EEX_ENOMEM, "out of memory for a profile");
    int code = measure(p, o);
    if (code < 0)
        eex_profile_free(p);
    else
        *out = p;
    return code;
}

void eex_profile_free(eex_profile *p)
{
    if (p)
        free(p->op);
    free(p);
}
