/* Every convolution of MobileNetV2 and ResNet50 on 32x32 images: GFLOP/s of the forward pass and
 * both gradients, ours and oneDNN's side by side, and the machine's ceiling for such arithmetic.
 * GFLOP/s count multiply-adds on padding for both, as is usual.
 *
 * bench_conv [BATCH [THREADS [SECONDS [TEXT [ours]]]]]: only shapes whose line contains TEXT; with
 * "ours", or where oneDNN is not installed, without oneDNN. With one thread it counts processor
 * time (set OMP_NUM_THREADS=1 for oneDNN then), so that other load does not matter much. */
#include "cpu/cpu.h"
#include "cpu/device_cpu.h"
#include "cpu/kernels/gemm.h"
#include "onednn.h"
#include "timing.h"

#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct shape {
    int cin, cout, size, kernel, stride; /* cout 0: depthwise */
    int count;                           /* how often the network has it */
} shape;

static const shape mobilenet[] = {
    {3, 32, 32, 3, 2, 1},   {32, 0, 16, 3, 1, 1},    {32, 16, 16, 1, 1, 1},  {16, 96, 16, 1, 1, 1},
    {96, 0, 16, 3, 2, 1},   {96, 24, 8, 1, 1, 1},    {24, 144, 8, 1, 1, 2},  {144, 0, 8, 3, 1, 1},
    {144, 24, 8, 1, 1, 1},  {144, 0, 8, 3, 2, 1},    {144, 32, 4, 1, 1, 1},  {32, 192, 4, 1, 1, 3},
    {192, 0, 4, 3, 1, 2},   {192, 32, 4, 1, 1, 2},   {192, 0, 4, 3, 2, 1},   {192, 64, 2, 1, 1, 1},
    {64, 384, 2, 1, 1, 4},  {384, 0, 2, 3, 1, 4},    {384, 64, 2, 1, 1, 3},  {384, 96, 2, 1, 1, 1},
    {96, 576, 2, 1, 1, 3},  {576, 0, 2, 3, 1, 2},    {576, 96, 2, 1, 1, 2},  {576, 0, 2, 3, 2, 1},
    {576, 160, 1, 1, 1, 1}, {160, 960, 1, 1, 1, 3},  {960, 0, 1, 3, 1, 3},   {960, 160, 1, 1, 1, 2},
    {960, 320, 1, 1, 1, 1}, {320, 1280, 1, 1, 1, 1}, {1280, 10, 1, 1, 1, 1},
};

static const shape resnet[] = {
    {3, 64, 32, 7, 2, 1},    {64, 64, 8, 1, 1, 1},    {64, 64, 8, 3, 1, 3},
    {64, 256, 8, 1, 1, 4},   {256, 64, 8, 1, 1, 2},   {256, 128, 8, 1, 1, 1},
    {128, 128, 8, 3, 2, 1},  {128, 512, 4, 1, 1, 4},  {256, 512, 8, 1, 2, 1},
    {512, 128, 4, 1, 1, 3},  {128, 128, 4, 3, 1, 3},  {512, 256, 4, 1, 1, 1},
    {256, 256, 4, 3, 2, 1},  {256, 1024, 2, 1, 1, 6}, {512, 1024, 4, 1, 2, 1},
    {1024, 256, 2, 1, 1, 5}, {256, 256, 2, 3, 1, 5},  {1024, 512, 2, 1, 1, 1},
    {512, 512, 2, 3, 2, 1},  {512, 2048, 1, 1, 1, 3}, {1024, 2048, 2, 1, 2, 1},
    {2048, 512, 1, 1, 1, 2}, {512, 512, 1, 3, 1, 2},  {2048, 10, 1, 1, 1, 1},
};

static const shape large[] = {
    {3, 32, 32, 3, 1, 1},  {64, 64, 32, 3, 1, 1}, {128, 128, 16, 3, 1, 1},
    {3, 64, 224, 7, 2, 1}, {64, 64, 56, 3, 1, 1}, {128, 128, 28, 3, 1, 1},
    {96, 0, 112, 3, 2, 1}, {32, 0, 32, 5, 1, 1},  {240, 0, 8, 5, 2, 1},
};

enum { PASSES = 3, MOST = 64 };

typedef struct measured {
    eex_window window;
    double ours[PASSES], theirs[PASSES]; /* nanoseconds */
} measured;

typedef struct options {
    int batch, threads;
    double seconds;
    const char *text;
    bool ours_only;
} options;

static eex_window window_of(const shape *s)
{
    int pad = s->kernel / 2, out = (s->size + 2 * pad - s->kernel) / s->stride + 1;
    int cout = s->cout ? s->cout : s->cin;
    return (eex_window){s->cin, s->size,   s->size,   cout, out,
                        out,    s->kernel, s->stride, pad,  s->cout ? 1 : s->cin};
}

static double flops(const eex_window *w, int batch)
{
    return 2.0 * batch * w->hout * w->wout * w->cout * w->kernel * w->kernel * (w->cin / w->groups);
}

typedef struct op_run {
    eex_device *dev;
    eex_op op;
    void *state;
    eex_step step;
} op_run;

static int run_op(void *ctx)
{
    op_run *r = ctx;
    return r->dev->vtable->run(r->dev, &r->op, r->state, &r->step);
}

static float *values(eex_device *dev, size_t n)
{
    void *p;
    if (dev->vtable->allocate(dev, &p, n * sizeof(float)) < 0) {
        fprintf(stderr, "%s\n", eex_error());
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        ((float *)p)[i] = (float)(i * 37 % 101) / 101 - 0.5f;
    return p;
}

static double time_op(op_run *r, double seconds)
{
    if (r->dev->vtable->prepare(r->dev, &r->state, &r->op, r->step.batch) < 0) {
        fprintf(stderr, "%s\n", eex_error());
        return -1;
    }
    double best = best_ns(run_op, r, seconds);
    r->dev->vtable->finish(r->dev, &r->op, r->state);
    return best;
}

static int time_ours(measured *m, eex_device *dev, const options *o)
{
    const eex_window *w = &m->window;
    size_t nx = (size_t)o->batch * w->hin * w->win * w->cin;
    size_t ny = (size_t)o->batch * w->hout * w->wout * w->cout;
    size_t nw = (size_t)w->kernel * w->kernel * w->cin / w->groups * w->cout;
    float *x = values(dev, nx), *y = values(dev, ny), *k = values(dev, nw);
    double *stats = calloc(2 * (size_t)w->cout, sizeof *stats);
    if (!x || !y || !k || !stats)
        return -1;
    eex_op ops[PASSES] = {{.kind = EEX_OP_CONV, .name = "conv"},
                          {.kind = EEX_OP_CONV_BWD_DATA, .name = "conv"},
                          {.kind = EEX_OP_CONV_BWD_WEIGHTS, .name = "conv"}};
    bool inference = o->batch < 16; /* then weights never change, and nobody needs statistics */
    ops[0].u.conv = (eex_op_conv){.window = *w,
                                  .x = x,
                                  .w = k,
                                  .y = y,
                                  .w_static = inference,
                                  .stats = inference ? NULL : stats};
    ops[1].u.conv_bwd_data = (eex_op_conv_bwd_data){*w, y, k, x, false};
    ops[2].u.conv_bwd_weights = (eex_op_conv_bwd_weights){*w, x, y, k, NULL, false};
    for (int p = 0; p < PASSES; p++) {
        op_run r = {dev, ops[p], NULL, {.batch = o->batch}};
        m->ours[p] = time_op(&r, o->seconds);
    }
    dev->vtable->release(dev, x);
    dev->vtable->release(dev, y);
    dev->vtable->release(dev, k);
    free(stats);
    return 0;
}

static void describe(char *out, size_t size, const eex_window *w)
{
    snprintf(out, size, "%s %4d -> %4d  k%d s%d  %3dx%d", w->groups > 1 ? "dw   " : "dense", w->cin,
             w->cout, w->kernel, w->stride, w->hin, w->win);
}

static void print_row(const measured *m, const options *o)
{
    char name[64];
    describe(name, sizeof name, &m->window);
    printf("%-34s", name);
    for (int p = 0; p < PASSES; p++) {
        double f = flops(&m->window, o->batch);
        printf("  %7.1f %7.1f (%7.1f us)", f / m->ours[p], m->theirs[p] > 0 ? f / m->theirs[p] : 0,
               m->ours[p] / 1e3);
    }
    printf("\n");
}

/* Ours for all shapes before oneDNN for all, whose threads go on spinning for a while. */
static int bench_network(eex_device *dev, const char *name, const shape *shapes, int count,
                         const options *o)
{
    static measured rows[MOST];
    double ours[PASSES] = {0}, theirs[PASSES] = {0};
    char text[64];
    int n = 0, times[MOST];
    for (int i = 0; i < count; i++) {
        rows[n] = (measured){.window = window_of(&shapes[i])};
        describe(text, sizeof text, &rows[n].window);
        if (o->text && !strstr(text, o->text))
            continue;
        if (time_ours(&rows[n], dev, o) < 0)
            return -1;
        times[n++] = shapes[i].count;
    }
    for (int i = 0; i < n && !o->ours_only; i++)
        for (int p = 0; p < PASSES; p++)
            rows[i].theirs[p] =
                onednn_time(&rows[i].window, o->batch, (onednn_pass)p, o->seconds / 2);
    printf(
        "\n%s, batch %d: GFLOP/s of ours and of oneDNN (time of ours)\n%-34s  %-29s  %-29s  %s\n",
        name, o->batch, "", "forward", "gradient for data", "gradient for weights");
    for (int i = 0; i < n; i++) {
        print_row(&rows[i], o);
        for (int p = 0; p < PASSES; p++) {
            ours[p] += times[i] * rows[i].ours[p] / 1e6;
            theirs[p] += times[i] * rows[i].theirs[p] / 1e6;
        }
    }
    printf("%-34s", "all of the network, ms");
    for (int p = 0; p < PASSES; p++)
        printf("  %7.3f %7.3f             ", ours[p], theirs[p]);
    printf("\n");
    return 0;
}

/* The tile kernel on operands that stay in the first-level cache, on every thread at once. */
typedef struct ceiling {
    const eex_gemm_kernels *kernels;
    eex_pool *pool;
    float *memory; /* (threads, PER_THREAD) */
} ceiling;

enum { DEPTH = 128, CALLS = 2000, PER_THREAD = 16384 };

static void ceiling_part(void *ctx, const eex_part *part)
{
    const ceiling *c = ctx;
    const eex_gemm_kernels *k = c->kernels;
    float *a = c->memory + (size_t)part->index * PER_THREAD, *b = a + 16 * DEPTH,
          *y = b + 32 * DEPTH;
    const float *rows[16];
    ptrdiff_t out[16];
    for (int i = 0; i < k->mr; i++) {
        rows[i] = a + i * DEPTH;
        out[i] = i * k->nr;
    }
    eex_gemm_segment segment = {0, 0, DEPTH};
    eex_gemm_tile tile = {.rows = k->mr,
                          .columns = k->nr,
                          .segments = 1,
                          .segment = &segment,
                          .a = rows,
                          .b = b,
                          .out = out,
                          .y = y};
    for (int i = 0; i < CALLS; i++)
        k->tile(&tile);
}

static int ceiling_run(void *ctx)
{
    ceiling *c = ctx;
    eex_pool_run(c->pool, eex_pool_threads(c->pool), ceiling_part, c);
    return 0;
}

static int bench_ceiling(eex_device *dev, const options *o)
{
    eex_cpu *cpu = (eex_cpu *)dev;
    int threads = eex_pool_threads(cpu->pool);
    float *memory = values(dev, (size_t)threads * PER_THREAD);
    if (!memory)
        return -1;
    ceiling c = {cpu->kernels->gemm, cpu->pool, memory};
    double ns = best_ns(ceiling_run, &c, 4 * o->seconds);
    double work = 2.0 * c.kernels->mr * c.kernels->nr * DEPTH * CALLS * threads;
    printf("%s\nceiling of the tile kernel: %.1f GFLOP/s\n", dev->name, work / ns);
    dev->vtable->release(dev, memory);
    return 0;
}

int main(int argc, char **argv)
{
    options o = {.batch = argc > 1 ? atoi(argv[1]) : 128,
                 .threads = argc > 2 ? atoi(argv[2]) : 0,
                 .seconds = argc > 3 ? atof(argv[3]) : 0.1,
                 .text = argc > 4 ? argv[4] : NULL,
                 .ours_only = argc > 5 && strcmp(argv[5], "ours") == 0};
    eex_device *dev;
    if (o.batch < 1 || o.seconds <= 0) {
        fprintf(stderr, "usage: bench_conv [BATCH [THREADS [SECONDS [TEXT [ours]]]]]\n");
        return 2;
    }
    if (eex_cpu_open(&dev, &(eex_device_options){.threads = o.threads}) < 0) {
        fprintf(stderr, "%s\n", eex_error());
        return 1;
    }
    if (!onednn_there()) {
        printf("oneDNN is not installed: its columns are 0 (libdnnl-dev, then build again)\n");
        o.ours_only = true;
    }
    if (dev->threads == 1)
        timing_count_own_cpu();
    int failed =
        bench_ceiling(dev, &o) < 0 ||
        bench_network(dev, "MobileNetV2", mobilenet, sizeof mobilenet / sizeof *mobilenet, &o) ||
        bench_network(dev, "ResNet50", resnet, sizeof resnet / sizeof *resnet, &o) ||
        (o.batch <= 16 && bench_network(dev, "larger", large, sizeof large / sizeof *large, &o));
    eex_device_close(dev);
    return failed ? 1 : 0;
}
