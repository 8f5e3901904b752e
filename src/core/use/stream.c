#include "core/engine/walk.h"
#include "core/use/frame_batches.h"
#include "core/use/stream_impl.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/signals.h"
#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CHUNK = 64,          /* frames that two models see by turns, at least */
    WARM_UP_RUNS = 20,   /* before anything is timed: memory is touched, clocks go up */
    WARM_UP_IMAGES = 64, /* about as many in all: large batches need fewer runs */
    SKIPS_SHOWN = 10,    /* messages about frames that are not usable */
    NOTE = 96
};
static const double note_every = 0.25; /* seconds */

typedef struct runner {
    eex_stream *s;
    eex_frames *frames;
    eex_frame_batches *batches; /* of a chunk each */
    eex_engine *model, *base;
    const eex_stream_options *o;
    int chunk;                 /* frames */
    eex_frame *frame;          /* (chunk) of the batch in hand: good ones */
    const uint8_t *pixels;     /* (chunk, H, W, C) likewise */
    eex_result *results;       /* (chunk) */
    double *ms;                /* (chunk) */
    eex__stream_sample sample; /* with a base */
    uint64_t next;             /* number of the frame that is to come */
    double began, noted;
    bool swap;
} runner;

/* ---- warming up ---- */

static int warm_up_runs(int batch)
{
    const int runs = WARM_UP_IMAGES / batch;
    return runs < 1 ? 1 : runs > WARM_UP_RUNS ? WARM_UP_RUNS : runs;
}

static int run_noise(eex_engine *model, eex_engine *base, eex_result *results, uint8_t *pixels,
                     const eex_stream_options *o)
{
    const int runs = warm_up_runs(o->batch);
    for (size_t i = 0; i < (size_t)o->batch * o->image_bytes; i++)
        pixels[i] = (uint8_t)eex_rng_hash(0, 0, i);
    for (int i = 0; i < runs; i++) {
        if (eex_interrupted())
            return eex_fail(EEX_EINTERRUPTED, "interrupted after 0 frames");
        EEX_TRY(o->warm_up ? o->warm_up(o->context, results, pixels, o->batch)
                           : eex_engine_run(model, results, pixels, o->batch));
        if (base)
            EEX_TRY(eex_engine_run(base, results, pixels, o->batch));
        if (o->full)
            EEX_TRY(eex_engine_run(o->full, results, pixels, o->batch));
    }
    return EEX_OK;
}

int eex_stream_warm_up(eex_engine *model, eex_engine *base, const eex_stream_options *o)
{
    const size_t batch = (size_t)o->batch;
    eex_result *results = malloc(batch * sizeof *results);
    uint8_t *pixels = malloc(batch * o->image_bytes);
    const int code = results && pixels
                         ? run_noise(model, base, results, pixels, o)
                         : eex_fail(EEX_ENOMEM, "out of memory for %zu frames", batch);
    free(results);
    free(pixels);
    return code;
}

/* ---- telling ---- */

static int tell(const runner *r, const eex_stream_event *event)
{
    const eex_stream_listener *l = r->o->listener;
    return l ? l->tell(l->context, event) : EEX_OK;
}

static eex_stream_event unclassified(const runner *r, uint64_t number)
{
    return (eex_stream_event){.number = number,
                              .seconds = eex_clock_seconds() - r->began,
                              .ms = (double)NAN,
                              .delay_ms = (double)NAN};
}

/* Frames up to `number` have not come, and will not. */
static int tell_dropped(runner *r, uint64_t number)
{
    for (; r->next < number; r->next++) {
        const eex_stream_event event = unclassified(r, r->next);
        EEX_TRY(tell(r, &event));
    }
    return EEX_OK;
}

static int tell_taken(runner *r, const eex_frame *frame)
{
    if (!r->o->listener)
        return EEX_OK;
    EEX_TRY(tell_dropped(r, frame->number));
    r->next = frame->number + 1;
    if (frame->state != EEX_FRAME_BAD)
        return EEX_OK;
    eex_stream_event event = unclassified(r, frame->number);
    event.frame = frame;
    return tell(r, &event);
}

static int flush(const runner *r)
{
    const eex_stream_listener *l = r->o->listener;
    return l ? l->flush(l->context) : EEX_OK;
}

/* ---- taking frames ---- */

static void skip(runner *r, const eex_frame *frame)
{
    if (r->s->skipped++ < SKIPS_SHOWN && !r->o->quiet)
        eex_log_warn("%s%s", frame->problem,
                     r->s->skipped == SKIPS_SHOWN ? " (more of these are only counted)" : "");
}

/* The next chunk; those that cannot be used are told of, and leave it. *over: there is none. */
static int take_chunk(runner *r, int *count, bool *over)
{
    eex_frame_batch *batch;
    *count = 0;
    EEX_TRY(eex_frame_batches_next(&batch, r->batches));
    *over = !batch;
    if (*over)
        return EEX_OK;
    r->frame = batch->frame;
    r->pixels = batch->pixels;
    for (int i = 0; i < batch->all; i++) {
        const eex_frame *frame = &batch->frame[i];
        if (frame->state == EEX_FRAME_BAD)
            skip(r, frame);
        EEX_TRY(tell_taken(r, frame));
        if (frame->state == EEX_FRAME_GOOD)
            r->frame[(*count)++] = *frame;
    }
    return EEX_OK;
}

/* ---- running them ---- */

static int run_batch(runner *r, eex_engine *engine, int at, int count)
{
    const uint8_t *images = r->pixels + (size_t)at * r->o->image_bytes;
    if (engine == r->model && r->o->classify)
        return r->o->classify(r->o->context, r->results + at, images, count);
    return eex_engine_run(engine, r->results + at, images, count);
}

static int run_chunk(runner *r, eex_engine *engine, int count)
{
    for (int at = 0; at < count; at += r->o->batch) {
        const int some = count - at < r->o->batch ? count - at : r->o->batch;
        const double began = eex_clock_seconds();
        EEX_TRY(run_batch(r, engine, at, some));
        const double ms = 1e3 * (eex_clock_seconds() - began);
        for (int i = at; i < at + some; i++)
            r->ms[i] = ms;
    }
    return EEX_OK;
}

static void tally_frame(eex_stream_tally *t, const eex_frame *frame, const eex_result *result)
{
    const bool rejected = result->decision == EEX_REJECT;
    t->frames++;
    t->left[result->exit]++;
    t->rejected_at[result->exit] += rejected;
    t->rejected += rejected;
    t->low_rejected += rejected && frame->relevance == EEX_LOW_ENTROPY;
    t->foreign_rejected += rejected && frame->relevance == EEX_FOREIGN;
    t->labelled += frame->label >= 0;
    t->right += frame->label >= 0 && !rejected && result->top == frame->label;
}

static void tally_chunk(const runner *r, eex_stream_tally *t, int count)
{
    for (int i = 0; i < count; i++) {
        tally_frame(t, &r->frame[i], &r->results[i]);
        eex_histogram_add(&t->latency, r->ms[i], 1);
    }
    for (int at = 0; at < count; at += r->o->batch) /* each batch once */
        t->seconds += 1e-3 * r->ms[at];
}

/* ---- drift ---- */

static void describe_way(char *out, size_t size, const eex_stream *s, int way)
{
    if (way == s->model.exits)
        snprintf(out, size, "rejections");
    else
        snprintf(out, size, "acceptances at exit %d of %d", way + 1, s->model.exits);
}

static void watch(runner *r, const eex_result *result)
{
    eex_drift *d = &r->s->drift;
    const int way = result->decision == EEX_REJECT ? r->s->model.exits : result->exit;
    const eex_drift_event event = eex_drift_add(d, way);
    const eex_drift_window *w = &d->last;
    const unsigned long long last = (unsigned long long)w->number * (unsigned)d->size;
    char what[64];
    if (event == EEX_DRIFT_NOTHING || r->o->quiet)
        return;
    describe_way(what, sizeof what, r->s, w->way);
    if (event == EEX_DRIFT_BEGINS)
        eex_log_warn("drift: frames %llu to %llu leave otherwise than the calibration samples: G = "
                     "%.1f, df = %d, p = %.1e; most changed: %s, %.1f %% instead of %.1f %%",
                     last - (unsigned)d->size + 1, last, w->g, w->df, w->p, what, 100 * w->observed,
                     100 * w->expected);
    else
        eex_log_info("drift: frames %llu to %llu leave as the calibration samples do again (p = "
                     "%.2f)",
                     last - (unsigned)d->size + 1, last, w->p);
}

/* ---- both together ---- */

static int tell_decided(const runner *r, int i, double now)
{
    const eex_frame *frame = &r->frame[i];
    const eex_stream_event event = {.number = frame->number,
                                    .frame = frame,
                                    .result = &r->results[i],
                                    .place = i % r->o->batch,
                                    .seconds = now - r->began,
                                    .ms = r->ms[i],
                                    .delay_ms = frame->arrived > 0 ? 1e3 * (now - frame->arrived)
                                                                   : (double)NAN};
    return tell(r, &event);
}

static int account(runner *r, int count)
{
    eex_stream *s = r->s;
    const double now = eex_clock_seconds();
    for (int i = 0; i < count; i++) {
        const eex_frame *frame = &r->frame[i];
        const eex_result *result = &r->results[i];
        s->frames++;
        s->relevant += frame->relevance == EEX_RELEVANT;
        s->low += frame->relevance == EEX_LOW_ENTROPY;
        s->foreign += frame->relevance == EEX_FOREIGN;
        eex_timeline_add(&s->timeline, result->exit, result->decision == EEX_REJECT, r->ms[i]);
        if (frame->arrived > 0)
            eex_histogram_add(&s->delay, 1e3 * (now - frame->arrived), 1);
        if (s->watched)
            watch(r, result);
        EEX_TRY(tell_decided(r, i, now));
    }
    return flush(r);
}

static int run_model(runner *r, int count)
{
    EEX_TRY(run_chunk(r, r->model, count));
    tally_chunk(r, &r->s->model, count);
    return account(r, count);
}

static int run_base(runner *r, int count)
{
    if (!r->base)
        return EEX_OK;
    EEX_TRY(run_chunk(r, r->base, count));
    tally_chunk(r, &r->s->base, count);
    for (int at = 0; at < count; at += r->o->batch)
        eex__stream_sample_add(&r->sample, r->pixels + (size_t)at * r->o->image_bytes,
                               count - at < r->o->batch ? count - at : r->o->batch);
    return EEX_OK;
}

static int run_full(runner *r, int count)
{
    if (!r->o->full)
        return EEX_OK;
    EEX_TRY(run_chunk(r, r->o->full, count));
    tally_chunk(r, &r->s->full, count);
    return EEX_OK;
}

/* Who comes first alternates, so that nobody always finds the frames in the cache. */
static int run_all(runner *r, int count)
{
    r->swap = !r->swap;
    EEX_TRY(r->swap ? run_base(r, count) : run_full(r, count));
    EEX_TRY(run_model(r, count));
    return r->swap ? run_full(r, count) : run_base(r, count);
}

static void show_progress(runner *r)
{
    const eex_stream_tally *t = &r->s->model;
    const double now = eex_clock_seconds();
    char note[NOTE] = "";
    size_t used = 0;
    if (now - r->noted < note_every)
        return;
    r->noted = now;
    used += (size_t)snprintf(note, sizeof note, "p50 %.2f ms, p99 %.2f ms, exits",
                             eex_histogram_quantile(&t->latency, 0.5),
                             eex_histogram_quantile(&t->latency, 0.99));
    for (int k = 0; k < t->exits && used < sizeof note - 8; k++)
        used += (size_t)snprintf(note + used, sizeof note - used, " %.0f%%",
                                 100 * ((double)t->left[k] / (double)t->frames));
    eex_progress_update(r->s->frames, "%s", note);
}

/* Whatever a queue has dropped behind the last frame that came. */
static int tell_end(runner *r)
{
    if (!r->o->listener)
        return EEX_OK;
    EEX_TRY(tell_dropped(r, r->s->frames + r->s->skipped + r->s->dropped));
    return flush(r);
}

static bool enough(const runner *r)
{
    return r->o->frames && r->s->frames >= r->o->frames;
}

static int run_frames(runner *r)
{
    double began = r->began = eex_clock_seconds();
    while (!enough(r)) {
        int count;
        bool over;
        EEX_TRY(take_chunk(r, &count, &over));
        r->s->dropped = eex_frames_dropped(r->frames);
        if (over)
            return tell_end(r);
        const int ran = count > 0 ? run_all(r, count) : flush(r);
        r->s->seconds += eex_clock_seconds() - began;
        began = eex_clock_seconds();
        EEX_TRY(ran);
        if (count > 0)
            show_progress(r);
    }
    return EEX_OK;
}

/* Networks that are compared each bring their own images. */
static int open_batches(runner *r)
{
    const eex_stream_options *o = r->o;
    const eex_frame_batches_options how = {
        .frames = r->frames,
        .device = r->base ? NULL : eex_engine_walk(r->model).device,
        .image_bytes = o->image_bytes,
        .batch = r->chunk,
        .most = o->frames > r->s->frames ? o->frames - r->s->frames : 0,
        .live = o->live};
    return eex_frame_batches_open(&r->batches, &how);
}

static int allocate(runner *r)
{
    const size_t chunk = (size_t)r->chunk;
    r->results = malloc(chunk * sizeof *r->results);
    r->ms = malloc(chunk * sizeof *r->ms);
    if (!r->results || !r->ms)
        return eex_fail(EEX_ENOMEM, "out of memory for %zu frames", chunk);
    EEX_TRY(open_batches(r));
    return r->base ? eex__stream_sample_begin(&r->sample, r->o) : EEX_OK;
}

eex_stream *eex_stream_new(void)
{
    eex_stream *s = calloc(1, sizeof *s);
    if (s)
        s->speedup = EEX_SPEEDUP_UNKNOWN;
    else
        eex_fail(EEX_ENOMEM, "out of memory for the figures of a stream");
    return s;
}

int eex_stream_run(eex_stream *s, eex_frames *frames, eex_engine *model, eex_engine *base,
                   const eex_stream_options *o)
{
    runner r = {.s = s, .frames = frames, .model = model, .base = base, .o = o};
    const uint64_t total = eex_frames_total(frames);
    r.chunk = base && o->batch < CHUNK ? CHUNK / o->batch * o->batch : o->batch;
    s->model.exits = o->exits;
    s->base.exits = o->base_exits;
    s->full.exits = o->exits;
    int code = allocate(&r);
    eex_progress_begin("streaming", o->frames && (!total || o->frames < total) ? o->frames : total,
                       "frames");
    if (code == EEX_OK)
        code = run_frames(&r);
    eex_progress_update(s->frames, NULL);
    eex_progress_end();
    if (code == EEX_OK && (r.sample.kept || r.sample.partial))
        code = eex__stream_race(s, &r.sample, model, base);
    eex__stream_sample_end(&r.sample);
    eex_frame_batches_close(r.batches);
    free(r.results);
    free(r.ms);
    return code;
}
