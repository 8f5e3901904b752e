#include "cpu/conv_depthwise.h"

#include "cpu/conv_axis.h"
#include "cpu/conv_geometry.h"
#include "cpu/conv_grid.h"
#include "cpu/kernels/depthwise.h"
#include "cpu/kernels/gemm.h"
#include "cpu/touch.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* Operand floats of the samples that each class visits in turn. */
    BLOCK_FLOATS = 48 * 1024,
    /* Pixels whose statistics are summed in float before they go to double. */
    STATS_PIXELS = 128,
    /* With fewer samples for each thread than this, threads share out rows of pixels, as the
     * convolutions around do: so most of what a thread reads lies in its own cache. With fewer rows
     * than this for each they share out channels. */
    SAMPLES_PER_THREAD = 4,
    ROWS_PER_THREAD = 2,
    ROWS_PER_PART = 2,
    /* Samples, or where they are few rows, whose sums are taken together. */
    STATS_SAMPLES = 16,
    STATS_ROWS = 16,
    GRAD_SAMPLES = 16,
    CHANNEL_GRAIN = 16 /* one cache line */
};

/* The taps that a pair of classes meets, as offsets in floats. */
typedef struct tap_list {
    int taps;
    const ptrdiff_t *x, *w; /* (taps) */
} tap_list;

struct eex_depthwise {
    int channels, kernel;
    int in_h, in_w, out_h, out_w;
    eex_axis h, w;
    tap_list *lists;    /* (h.classes, w.classes) */
    ptrdiff_t *offsets; /* what the lists point into */
    double macs;        /* of one sample, without padding */
    size_t part_floats;
};

static void fill_list(eex_depthwise *d, tap_list *list, ptrdiff_t *offsets, int ch, int cw)
{
    const eex_axis_class *h = &d->h.class[ch], *w = &d->w.class[cw];
    int taps = h->taps * w->taps, n = 0;
    for (int i = 0; i < h->taps; i++)
        for (int j = 0; j < w->taps; j++, n++) {
            int tap = d->h.order[h->tap + i] * d->kernel + d->w.order[w->tap + j];
            offsets[n] = ((ptrdiff_t)i * d->in_w + j) * d->channels;
            offsets[taps + n] = (ptrdiff_t)tap * d->channels;
        }
    *list = (tap_list){.taps = taps, .x = offsets, .w = offsets + taps};
}

static int fill_lists(eex_depthwise *d)
{
    size_t pairs = (size_t)d->h.classes * d->w.classes;
    size_t most = 2 * (size_t)d->kernel * d->kernel;
    d->lists = calloc(pairs, sizeof *d->lists);
    d->offsets = calloc(pairs * most, sizeof *d->offsets);
    if (!d->lists || !d->offsets)
        return eex_fail(EEX_ENOMEM, "depthwise convolution: no memory for its taps");
    for (int ch = 0; ch < d->h.classes; ch++)
        for (int cw = 0; cw < d->w.classes; cw++) {
            size_t i = (size_t)ch * d->w.classes + cw;
            fill_list(d, &d->lists[i], d->offsets + i * most, ch, cw);
            d->macs += (double)d->lists[i].taps * d->h.class[ch].count * d->w.class[cw].count *
                       d->channels;
        }
    return EEX_OK;
}

static int set_geometry(eex_depthwise *d, const eex_window *w, bool backward)
{
    d->channels = w->cin;
    d->kernel = w->kernel;
    d->in_h = backward ? w->hout : w->hin;
    d->in_w = backward ? w->wout : w->win;
    d->out_h = backward ? w->hin : w->hout;
    d->out_w = backward ? w->win : w->wout;
    int (*axis)(eex_axis *, int, int, int, int, int) =
        backward ? eex__axis_backward : eex__axis_forward;
    EEX_TRY(axis(&d->h, w->hin, w->hout, w->kernel, w->stride, w->pad));
    EEX_TRY(axis(&d->w, w->win, w->wout, w->kernel, w->stride, w->pad));
    return fill_lists(d);
}

/* Scratch: (threads, 2, channels) doubles for statistics, then as often either float statistics or
 * a gradient of the weights. */
static int set_scratch(eex_depthwise *d, eex_cpu *cpu)
{
    size_t stats = 2 * (size_t)d->channels;
    size_t weights = (size_t)d->kernel * d->kernel * d->channels;
    d->part_floats = ((stats > weights ? stats : weights) + 31) / 16 * 16;
    return eex__cpu_reserve(
        cpu, EEX_CPU_SUMS * (stats * sizeof(double) + d->part_floats * sizeof(float)) + 64);
}

int eex__depthwise_new(eex_depthwise **out, eex_cpu *cpu, const eex_window *window, bool backward)
{
    *out = NULL;
    eex_depthwise *d = calloc(1, sizeof *d);
    if (!d)
        return eex_fail(EEX_ENOMEM, "depthwise convolution: no memory for its description");
    int status = set_geometry(d, window, backward);
    if (status == EEX_OK)
        status = set_scratch(d, cpu);
    if (status < 0) {
        eex__depthwise_free(d);
        return status;
    }
    *out = d;
    return EEX_OK;
}

void eex__depthwise_free(eex_depthwise *d)
{
    if (!d)
        return;
    eex__axis_free(&d->h);
    eex__axis_free(&d->w);
    free(d->lists);
    free(d->offsets);
    free(d);
}

/* How the result is cut into parts: pixels * channels of them. */
typedef struct cuts {
    int pixels; /* cuts of the samples, or of the rows of pixels */
    bool by_rows;
    int channels; /* cuts of the channels */
} cuts;

/* What all threads of one run share. `args` is of run, x to dw of the gradient for the weights. */
typedef struct depthwise_job {
    const eex_depthwise *d;
    const eex_kernels *kernels;
    const eex_dense_args *args;
    const float *x, *dy;
    int batch;
    cuts cuts;
    double *stats;  /* (pixel cuts, 2, channels) or NULL */
    float *scratch; /* (pixel cuts, part_floats) */
} depthwise_job;

/* A part: channels [channel, channel + channels) of samples [n, end). Of the first and the
 * last sample maybe not all rows: row is the first, and row_end behind the last, counted through
 * all samples. */
typedef struct region {
    int n, end, channel, channels;
    int row, row_end;
    int pixel_cut;
} region;

static region region_of(const depthwise_job *job, int index)
{
    const eex_depthwise *d = job->d;
    const cuts c = job->cuts;
    region p = {.pixel_cut = index / c.channels};
    int end;
    eex_pool_share(&p.channel, &end, d->channels, CHANNEL_GRAIN, index % c.channels, c.channels);
    p.channels = end - p.channel;
    if (c.by_rows) {
        eex_pool_share(&p.row, &p.row_end, job->batch * d->out_h, 1, p.pixel_cut, c.pixels);
        p.n = p.row / d->out_h;
        p.end = (p.row_end + d->out_h - 1) / d->out_h;
    } else {
        eex_pool_share(&p.n, &p.end, job->batch, 1, p.pixel_cut, c.pixels);
        p.row = p.n * d->out_h;
        p.row_end = p.end * d->out_h;
    }
    return p;
}

/* For `threads` threads and up to `each` parts for each. */
static cuts choose_cuts(const eex_depthwise *d, int batch, int threads, int each)
{
    const int most = threads * each, groups = (d->channels + CHANNEL_GRAIN - 1) / CHANNEL_GRAIN;
    if (batch >= threads * SAMPLES_PER_THREAD)
        return (cuts){most < batch ? most : batch / threads * threads, false, 1};
    const int all = batch * d->out_h;
    if (all >= threads * ROWS_PER_THREAD)
        return (cuts){most * ROWS_PER_PART <= all ? most : threads, true, 1};
    return (cuts){1, false, most < groups ? most : groups};
}

/* For sums: pixels are cut in parts that have `samples` samples, else `rows` rows (0: else they are
 * not cut), and channels where that is not enough for the threads. */
static cuts cuts_of_sums(const eex_depthwise *d, int batch, int threads, int samples, int rows)
{
    const int groups = (d->channels + CHANNEL_GRAIN - 1) / CHANNEL_GRAIN;
    cuts c = {.pixels = eex__cpu_sums(batch, samples)};
    if (c.pixels == 1 && rows > 0) {
        c.by_rows = true;
        c.pixels = eex__cpu_sums((double)batch * d->out_h, rows);
    }
    c.channels = (threads + c.pixels - 1) / c.pixels;
    c.channels = c.channels < groups ? c.channels : groups;
    return c;
}

/* Does not depend on the part's channels: sums are taken block by block. */
static int block_samples(const eex_depthwise *d, const region *p)
{
    long long samples = BLOCK_FLOATS / ((long long)d->in_h * d->in_w * d->channels);
    return samples < 1 ? 1 : samples > p->end - p->n ? p->end - p->n : (int)samples;
}

/* The positions of a class that lie in [row, row_end). */
static eex_axis_class class_rows(const eex_axis_class *h, int row, int row_end)
{
    eex_axis_class c = *h;
    const int step = h->out_step;
    const int skip = row > h->out ? (row - h->out + step - 1) / step : 0;
    const int until = row_end > h->out ? (row_end - h->out + step - 1) / step : 0;
    c.count = (until < h->count ? until : h->count) - skip;
    c.in += skip * h->in_step;
    c.out += skip * step;
    return c;
}

/* The pixels of a pair of classes in `samples` samples: operand in a, result in b. */
static eex_grid class_grid(const eex_depthwise *d, const eex_axis_class *h, const eex_axis_class *w,
                           int samples)
{
    ptrdiff_t c = d->channels;
    return (eex_grid){
        .count = {samples, h->count, w->count},
        .a = {d->in_h * d->in_w * c, h->in_step * d->in_w * c, w->in_step * c},
        .b = {d->out_h * d->out_w * c, h->out_step * d->out_w * c, w->out_step * c},
    };
}

static ptrdiff_t class_in(const eex_depthwise *d, const eex_axis_class *h, const eex_axis_class *w,
                          const region *p, int n)
{
    ptrdiff_t row = (ptrdiff_t)n * d->in_h + h->in;
    return (row * d->in_w + w->in) * d->channels + p->channel;
}

static ptrdiff_t class_out(const eex_depthwise *d, const eex_axis_class *h, const eex_axis_class *w,
                           const region *p, int n)
{
    ptrdiff_t row = (ptrdiff_t)n * d->out_h + h->out;
    return (row * d->out_w + w->out) * d->channels + p->channel;
}

static ptrdiff_t in_floats(const eex_depthwise *d)
{
    return (ptrdiff_t)d->in_h * d->in_w * d->channels;
}

static ptrdiff_t out_floats(const eex_depthwise *d)
{
    return (ptrdiff_t)d->out_h * d->out_w * d->channels;
}

/* Reads through what a block uses, when a thread has all channels of it. */
static void touch_block(const depthwise_job *job, const region *p, const float *in,
                        const float *out, int n, int samples)
{
    const eex_depthwise *d = job->d;
    const bool whole = p->row <= n * d->out_h && p->row_end >= (n + samples) * d->out_h;
    if (!whole || p->channels < d->channels || in_floats(d) > BLOCK_FLOATS)
        return;
    eex__touch(in + n * in_floats(d), samples * in_floats(d));
    eex__touch(out + n * out_floats(d), samples * out_floats(d));
}

/* A part's statistics: in float for some pixels, then in double. Its channels of two rows that are
 * as wide as the tensor. */
typedef struct stats_buffer {
    float *sums; /* NULL: none are wanted */
    double *total;
    int channels, width, pixels;
} stats_buffer;

static void stats_flush(stats_buffer *s)
{
    for (int row = 0; s->sums && row < 2; row++)
        for (int i = row * s->width; i < row * s->width + s->channels; i++) {
            s->total[i] += s->sums[i];
            s->sums[i] = 0;
        }
    s->pixels = 0;
}

static stats_buffer stats_of(const depthwise_job *job, const region *p)
{
    const int width = job->d->channels;
    stats_buffer s = {.channels = p->channels, .width = width};
    if (!job->stats)
        return s;
    s.sums = job->scratch + p->pixel_cut * job->d->part_floats + p->channel;
    s.total = job->stats + (size_t)p->pixel_cut * 2 * width + p->channel;
    for (int row = 0; row < 2; row++)
        memset(s.sums + row * width, 0, (size_t)p->channels * sizeof *s.sums);
    return s;
}

/* What the part has of a pair of classes in samples [n, n + samples): one, or whole ones. */
static void run_class(const depthwise_job *job, const region *p, stats_buffer *stats, int ch,
                      int cw, int n, int samples)
{
    const eex_depthwise *d = job->d;
    const eex_dense_args *args = job->args;
    const tap_list *list = &d->lists[(size_t)ch * d->w.classes + cw];
    const int begin = p->row - n * d->out_h, end = p->row_end - n * d->out_h;
    const eex_axis_class h = class_rows(&d->h.class[ch], begin, end);
    const eex_axis_class *w = &d->w.class[cw];
    if (h.count <= 0)
        return;
    eex_grid g = class_grid(d, &h, w, samples);
    eex__grid_simplify(&g, 8);
    eex_depthwise_run run = {
        .channels = p->channels,
        .count = g.count[2],
        .taps = list->taps,
        .tap_x = list->x,
        .tap_w = list->w,
        .w = args->w + p->channel,
        .x_stride = g.a[2],
        .y_stride = g.b[2],
        .bias = args->bias ? args->bias + p->channel : NULL,
        .low = 0,
        .high = args->act == EEX_ACT_RELU6 ? 6.0f : INFINITY,
        .clamp = args->act != EEX_ACT_NONE,
        .sum = stats->sums,
        .sum2 = stats->sums ? stats->sums + d->channels : NULL,
    };
    for (int i = 0; i < g.count[0]; i++)
        for (int j = 0; j < g.count[1]; j++) {
            ptrdiff_t out = class_out(d, &h, w, p, n) + i * g.b[0] + j * g.b[1];
            run.x = args->a + class_in(d, &h, w, p, n) + i * g.a[0] + j * g.a[1];
            run.y = args->y + out;
            run.residual = args->residual ? args->residual + out : NULL;
            job->kernels->depthwise->run(&run);
            stats->pixels += run.count;
            if (stats->pixels >= STATS_PIXELS)
                stats_flush(stats);
        }
}

static void run_part(void *ctx, const eex_part *part)
{
    const depthwise_job *job = ctx;
    const eex_depthwise *d = job->d;
    const region p = region_of(job, part->index);
    stats_buffer stats = stats_of(job, &p);
    int step = job->cuts.by_rows ? 1 : block_samples(d, &p);
    for (int n = p.n; n < p.end; n += step) {
        int samples = p.end - n < step ? p.end - n : step;
        touch_block(job, &p, job->args->a, job->args->y, n, samples);
        for (int ch = 0; ch < d->h.classes; ch++)
            for (int cw = 0; cw < d->w.classes; cw++)
                run_class(job, &p, &stats, ch, cw, n, samples);
    }
    stats_flush(&stats);
}

/* Nanoseconds on one core: arithmetic, and the bytes of operand and result. */
static double work_of(const eex_depthwise *d, int batch)
{
    double floats = ((double)d->in_h * d->in_w + (double)d->out_h * d->out_w) * d->channels;
    return (d->macs / 16 + floats / 4) * batch;
}

int eex__depthwise_run(eex_cpu *cpu, eex_depthwise *d, const eex_dense_args *args)
{
    size_t n = 2 * (size_t)d->channels;
    double *stats = cpu->scratch;
    depthwise_job job = {
        .d = d,
        .kernels = cpu->kernels,
        .args = args,
        .batch = args->batch,
        .stats = args->stats ? stats : NULL,
        .scratch = (float *)(stats + EEX_CPU_SUMS * n),
    };
    const double work = work_of(d, args->batch);
    const int width = eex__cpu_width(cpu, work);
    job.cuts = args->stats ? cuts_of_sums(d, args->batch, width, STATS_SAMPLES, STATS_ROWS)
                           : choose_cuts(d, args->batch, width, eex__cpu_each(work, width));
    if (args->stats)
        memset(stats, 0, job.cuts.pixels * n * sizeof *stats);
    eex__cpu_parts(cpu, width, job.cuts.pixels * job.cuts.channels, run_part, &job);
    if (args->stats)
        eex__stats_reduce(args->stats, stats, job.cuts.pixels, n);
    return EEX_OK;
}

static void weights_class(const depthwise_job *job, const region *p, float *dw, int ch, int cw,
                          int n, int samples)
{
    const eex_depthwise *d = job->d;
    const tap_list *list = &d->lists[(size_t)ch * d->w.classes + cw];
    const eex_axis_class *h = &d->h.class[ch], *w = &d->w.class[cw];
    eex_grid g = class_grid(d, h, w, samples);
    eex__grid_simplify(&g, 4);
    eex_depthwise_grad grad = {
        .channels = p->channels,
        .taps = list->taps,
        .tap_x = list->x,
        .tap_w = list->w,
        .x = job->x + class_in(d, h, w, p, n),
        .dy = job->dy + class_out(d, h, w, p, n),
        .dw = dw + p->channel,
    };
    memcpy(grad.count, g.count, sizeof grad.count);
    memcpy(grad.x_stride, g.a, sizeof grad.x_stride);
    memcpy(grad.dy_stride, g.b, sizeof grad.dy_stride);
    job->kernels->depthwise->grad(&grad);
}

static void weights_part(void *ctx, const eex_part *part)
{
    const depthwise_job *job = ctx;
    const eex_depthwise *d = job->d;
    const region p = region_of(job, part->index);
    float *dw = job->scratch + p.pixel_cut * d->part_floats;
    for (int tap = 0; tap < d->kernel * d->kernel; tap++)
        memset(dw + (ptrdiff_t)tap * d->channels + p.channel, 0, (size_t)p.channels * sizeof *dw);
    int step = block_samples(d, &p);
    for (int n = p.n; n < p.end; n += step) {
        int samples = p.end - n < step ? p.end - n : step;
        touch_block(job, &p, job->x, job->dy, n, samples);
        for (int ch = 0; ch < d->h.classes; ch++)
            for (int cw = 0; cw < d->w.classes; cw++)
                weights_class(job, &p, dw, ch, cw, n, samples);
    }
}

int eex__depthwise_weights(eex_cpu *cpu, eex_depthwise *d, float *dw, const float *x,
                           const float *dy, int batch, bool accumulate)
{
    const int width = eex__cpu_width(cpu, work_of(d, batch));
    depthwise_job job = {
        .d = d,
        .kernels = cpu->kernels,
        .x = x,
        .dy = dy,
        .batch = batch,
        .cuts = cuts_of_sums(d, batch, width, GRAD_SAMPLES, 0),
        .scratch = cpu->scratch,
    };
    eex__cpu_parts(cpu, width, job.cuts.pixels * job.cuts.channels, weights_part, &job);
    cpu->kernels->gemm->add_parts(dw, job.scratch, (ptrdiff_t)d->part_floats, job.cuts.pixels,
                                  d->kernel * d->kernel * d->channels, accumulate);
    return EEX_OK;
}
