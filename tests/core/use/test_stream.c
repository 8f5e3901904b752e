/* Streams: what is counted, and that batches, queues and a second network change no decision. */
#include "core/policy/calibrate.h"
#include "core/train/train.h"
#include "core/use/stream_impl.h"
#include "support/devices.h"
#include "support/folder.h"
#include "support/frames.h"
#include "support/net.h"
#include "support/patches.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { SAMPLES = 150, FRAMES = 500 };

static char folder[TEST_PATH_SIZE];

static void setup(void)
{
    test_folder_make(folder);
}

static void teardown(void)
{
    test_folder_remove(folder);
}

TestSuite(stream, .init = setup, .fini = teardown, .timeout = 120);

typedef struct bed {
    net net;
    eex_dataset *data;
    eex_policy *policy;
    eex_augment normalise;
    eex_frame_shape shape;
    uint32_t samples[SAMPLES];
} bed;

static int by_value(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* The confidence of the first exit that so many samples stay below. */
static float confidence_above(const eex_trace *trace, int samples)
{
    float sorted[SAMPLES];
    memcpy(sorted, trace->confidence, sizeof sorted);
    qsort(sorted, SAMPLES, sizeof *sorted, by_value);
    return sorted[samples];
}

static bed open_bed(void)
{
    bed b = {.net = net_open(net_tiny, 1, 2), .data = patches_open(folder, SAMPLES, 4, 40)};
    const eex_dataset_info *facts = eex_dataset_facts(b.data);
    eex_trace *trace;
    memcpy(b.normalise.mean, facts->mean, sizeof facts->mean);
    memcpy(b.normalise.std, facts->std, sizeof facts->std);
    b.shape = (eex_frame_shape){facts->height, facts->width, facts->channels, EEX_FIT_CROP};
    for (uint32_t i = 0; i < SAMPLES; i++)
        b.samples[i] = i;
    OK(eex_trace_record(&trace, b.net.graph, b.net.params, b.data, b.samples, SAMPLES,
                        &(eex_inference){.batch = 50, .normalise = b.normalise}));
    /* Two thirds go on behind the first exit, a twentieth is rejected there. */
    const eex_calibration how = {.kind = EEX_POLICY_CONFIDENCE,
                                 .temperature = 1,
                                 .a = (double)confidence_above(trace, 2 * SAMPLES / 3),
                                 .b = (double)confidence_above(trace, SAMPLES / 20)};
    OK(eex_calibrate(&b.policy, trace, b.net.dev, &how, NULL));
    eex_trace_free(trace);
    return b;
}

static void close_bed(bed *b)
{
    eex_policy_free(b->policy);
    net_close(&b->net);
    eex_dataset_close(b->data);
}

static eex_frames *video(const bed *b)
{
    const eex_simulated how = {.data = b->data,
                               .samples = b->samples,
                               .count = SAMPLES,
                               .irrelevant = 0.4,
                               .frames = FRAMES,
                               .seed = 3};
    eex_frames *frames;
    OK(eex_frames_open_simulated(&frames, &b->shape, &how));
    return frames;
}

static eex_engine *engine(const bed *b, const eex_policy *policy, int batch)
{
    const eex_inference how = {.batch = batch, .normalise = b->normalise};
    eex_engine *e;
    OK(eex_engine_new(&e, b->net.graph, b->net.params, policy, &how));
    return e;
}

static eex_stream_options options(const bed *b, int batch)
{
    const int exits = eex_graph_exits(b->net.graph);
    return (eex_stream_options){.batch = batch,
                                .exits = exits,
                                .base_exits = exits,
                                .image_bytes = (size_t)b->shape.height * (size_t)b->shape.width *
                                               (size_t)b->shape.channels,
                                .quiet = true};
}

static eex_stream *run(const bed *b, eex_frames *frames, int batch, bool base, bool live)
{
    eex_stream *s = eex_stream_new();
    eex_engine *e = engine(b, b->policy, batch), *other = base ? engine(b, NULL, batch) : NULL;
    eex_stream_options o = options(b, batch);
    o.live = live;
    cr_assert_not_null(s);
    OK(eex_stream_run(s, frames, e, other, &o));
    eex_engine_close(e);
    eex_engine_close(other);
    eex_frames_close(frames);
    return s;
}

static void expect_same(const eex_stream *a, const eex_stream *b)
{
    cr_expect_eq(a->frames, b->frames);
    cr_expect(a->relevant == b->relevant && a->low == b->low && a->foreign == b->foreign);
    cr_expect_arr_eq(a->model.left, b->model.left, sizeof a->model.left);
    cr_expect_arr_eq(a->model.rejected_at, b->model.rejected_at, sizeof a->model.rejected_at);
    cr_expect_eq(a->model.right, b->model.right);
    cr_expect_eq(a->model.low_rejected, b->model.low_rejected);
    cr_expect_eq(a->model.foreign_rejected, b->model.foreign_rejected);
}

static void expect_consistent(const eex_stream *s, const eex_stream_tally *t)
{
    uint64_t left = 0, rejected = 0;
    for (int k = 0; k < t->exits; k++) {
        left += t->left[k];
        rejected += t->rejected_at[k];
    }
    cr_expect(left == t->frames && t->frames == s->frames && t->latency.count == t->frames);
    cr_expect_eq(rejected, t->rejected);
    cr_expect_eq(t->labelled, s->relevant);
    cr_expect_leq(t->right, t->labelled);
    cr_expect_geq(t->rejected, t->low_rejected + t->foreign_rejected);
    cr_expect_gt(t->seconds, 0);
}

/* ---- the comparison by the clock ---- */

Test(stream, speedups_come_from_a_race)
{
    bed b = open_bed();
    eex_stream *s = run(&b, video(&b), 1, true, false);
    cr_expect(s->raced == FRAMES && s->rounds > 1, "%d frames, %d rounds", s->raced, s->rounds);
    cr_expect(s->speedup.low > 0 && s->speedup.low <= s->speedup.ratio);
    cr_expect(s->speedup.ratio <= s->speedup.high && s->speedup.high < 1e6);
    free(s);
    s = run(&b, video(&b), 48, true, false); /* 20 frames are left over */
    cr_expect_eq(s->raced, FRAMES / 48 * 48);
    free(s);
    s = run(&b, video(&b), FRAMES + 1, true, false);
    cr_expect_eq(s->raced, FRAMES);
    free(s);
    s = run(&b, video(&b), 1, false, false);
    cr_expect(isnan(s->speedup.ratio) && isnan(s->speedup.low) && s->raced == 0);
    free(s);
    close_bed(&b);
}

/* What is kept of a stream of numbers. */
static eex__stream_sample sample_of(uint32_t frames, int batch)
{
    const eex_stream_options o = {.batch = batch, .image_bytes = sizeof(uint32_t)};
    eex__stream_sample sample;
    uint32_t next[64];
    OK(eex__stream_sample_begin(&sample, &o));
    for (uint32_t at = 0; at < frames; at += (uint32_t)batch) {
        const int count = frames - at < (uint32_t)batch ? (int)(frames - at) : batch;
        for (int i = 0; i < count; i++)
            next[i] = at + (uint32_t)i;
        eex__stream_sample_add(&sample, (const uint8_t *)next, count);
    }
    return sample;
}

Test(stream, a_sample_is_from_all_over_the_stream)
{
    static const int batches[] = {1, 3, 64};
    for (int i = 0; i < 3; i++) {
        enum { LONG = 1 << 20 };
        eex__stream_sample s = sample_of(LONG, batches[i]);
        const uint32_t *kept = (const uint32_t *)(const void *)s.pixels;
        double mean = 0;
        cr_assert(s.kept == s.room && s.kept == 1024 / batches[i]);
        for (int at = 0; at < s.kept * s.batch; at++) {
            cr_expect_eq(kept[at], kept[at / s.batch * s.batch] + (uint32_t)(at % s.batch));
            mean += (double)kept[at] / (s.kept * s.batch);
        }
        cr_expect_float_eq(mean / LONG, 0.5, 0.25);
        eex__stream_sample_end(&s);
    }
}

Test(stream, a_short_stream_is_kept_as_it_is)
{
    eex__stream_sample s = sample_of(7, 64);
    cr_expect(s.kept == 0 && s.partial == 7);
    eex__stream_sample_end(&s);
    s = sample_of(70, 64);
    cr_expect_eq(s.kept, 1);
    eex__stream_sample_end(&s);
    s = sample_of(0, 64);
    cr_expect(s.kept == 0 && s.partial == 0);
    eex__stream_sample_end(&s);
}

Test(stream, counts_everything_once)
{
    bed b = open_bed();
    eex_stream *s = run(&b, video(&b), 1, true, false);
    cr_expect(s->frames == FRAMES && s->relevant == 300 && s->low == 100 && s->foreign == 100);
    expect_consistent(s, &s->model);
    expect_consistent(s, &s->base);
    cr_expect_eq(s->base.left[s->base.exits - 1], FRAMES);
    cr_expect_eq(s->base.rejected, 0);
    cr_expect_gt(s->model.left[0], 0);
    cr_expect_gt(s->model.rejected, 0);
    /* At batch 1 the sum of the latencies is the time in the engine. */
    cr_expect_float_eq(1e-3 * s->model.latency.sum, s->model.seconds, 1e-9 + 1e-6);
    cr_expect_eq(s->delay.count, 0);
    free(s);
    close_bed(&b);
}

Test(stream, batches_queues_and_company_change_no_decision)
{
    bed b = open_bed();
    eex_stream *one = run(&b, video(&b), 1, false, false);
    static const int batches[] = {7, 64, 1000};
    for (size_t i = 0; i < 3; i++) {
        eex_stream *s = run(&b, video(&b), batches[i], i == 1, false);
        expect_same(one, s);
        expect_consistent(s, &s->model);
        free(s);
    }
    for (int live = 0; live < 2; live++) {
        eex_frames *ahead;
        OK(eex_frames_open_ahead(&ahead, video(&b), &(eex_ahead){.queue = 5}));
        eex_stream *s = run(&b, ahead, 16, false, live);
        expect_same(one, s);
        cr_expect_eq(s->delay.count, FRAMES);
        free(s);
    }
    free(one);
    close_bed(&b);
}

Test(stream, at_most_so_many_frames)
{
    bed b = open_bed();
    eex_engine *e = engine(&b, b.policy, 16);
    eex_stream_options o = options(&b, 16);
    eex_stream *s = eex_stream_new();
    eex_frames *frames = video(&b);
    o.frames = 37;
    OK(eex_stream_run(s, frames, e, NULL, &o));
    cr_expect_eq(s->frames, 37);
    eex_frames_close(frames);
    eex_engine_close(e);
    free(s);
    close_bed(&b);
}

Test(stream, skipped_frames_are_counted)
{
    bed b = open_bed();
    const size_t image = (size_t)b.shape.height * (size_t)b.shape.width * 3;
    uint8_t *raw = calloc(5, image);
    eex_frames *frames;
    cr_assert_not_null(raw);
    OK(eex_frames_parse_rgb(&frames, &b.shape, raw, 4 * image + 7, b.shape.width, b.shape.height));
    eex_stream *s = run(&b, frames, 3, false, false);
    cr_expect(s->frames == 4 && s->skipped == 1 && s->relevant == 0 && s->model.labelled == 0);
    free(s);
    free(raw);
    close_bed(&b);
}

/* Frames that were already taken when the source fails are classified, with the failure told. */
Test(stream, a_source_that_fails_loses_no_frame)
{
    enum { GOOD = 5, GARBAGE = 20 << 20 };
    bed b = open_bed();
    const test_video video = {8, 8, GOOD, "mono", true};
    const int batches[] = {1, 64};
    eex_buffer y4m = EEX_BUFFER_INIT;
    test_video_y4m(&y4m, &video);
    eex_buffer_fill(&y4m, 'x', GARBAGE);
    for (int i = 0; i < 4; i++) {
        const eex_stream_options o = options(&b, batches[i / 2]);
        eex_engine *e = engine(&b, b.policy, o.batch);
        eex_engine *base = i % 2 ? engine(&b, NULL, o.batch) : NULL;
        eex_stream *s = eex_stream_new();
        eex_frames *frames;
        OK(eex_frames_parse_y4m(&frames, &b.shape, y4m.data, y4m.size));
        cr_expect_eq(eex_stream_run(s, frames, e, base, &o), EEX_EIO);
        cr_expect(strstr(eex_error(), "no YUV4MPEG2 any more"), "%s", eex_error());
        cr_expect(s->frames == GOOD && s->model.frames == GOOD);
        cr_expect_eq(s->base.frames, base ? GOOD : 0);
        eex_frames_close(frames);
        eex_engine_close(e);
        eex_engine_close(base);
        free(s);
    }
    eex_buffer_free(&y4m);
    close_bed(&b);
}

/* The samples that the policy was made from raise no alarm; black frames do. */
Test(stream, drift_is_watched)
{
    bed b = open_bed();
    eex_engine *e = engine(&b, b.policy, 1);
    const eex_stream_options o = options(&b, 1);
    uint8_t *black = calloc(300, o.image_bytes);
    uint64_t counts[EEX_DRIFT_WAYS] = {0};
    eex_frames *frames;
    eex_stream *s = eex_stream_new();
    cr_assert_not_null(black);
    OK(eex_frames_open_samples(&frames, &b.shape, b.data, b.samples, SAMPLES));
    OK(eex_stream_run(s, frames, e, NULL, &o));
    eex_frames_close(frames);
    for (int k = 0; k < s->model.exits; k++)
        counts[k] = s->model.left[k] - s->model.rejected_at[k];
    counts[s->model.exits] = s->model.rejected;
    OK(eex_drift_begin(&s->drift, counts, s->model.exits + 1, 75, 0.01));
    s->watched = true;
    OK(eex_frames_open_samples(&frames, &b.shape, b.data, b.samples, SAMPLES));
    OK(eex_stream_run(s, frames, e, NULL, &o));
    eex_frames_close(frames);
    cr_expect(s->drift.windows == 2 && s->drift.alarms == 0);
    OK(eex_frames_parse_rgb(&frames, &b.shape, black, 300 * o.image_bytes, b.shape.width,
                            b.shape.height));
    OK(eex_stream_run(s, frames, e, NULL, &o));
    eex_frames_close(frames);
    cr_expect(s->drift.alarms == 1 && s->drift.drifting);
    eex_engine_close(e);
    free(black);
    free(s);
    close_bed(&b);
}
