#include "cpu/conv_dense.h"

#include "cpu/conv_geometry.h"
#include "cpu/conv_tile.h"
#include "cpu/kernels/gemm.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* Packed panels that a thread keeps in its second-level cache while its rows pass by. */
    GROUP_FLOATS = 64 * 1024,
    /* Operand floats of a block of rows, which each class visits in turn. */
    BLOCK_FLOATS = 64 * 1024,
    /* Rows of one tile, in cache lines, that may fall on one set of the first-level cache (64 sets
     * of 64 bytes in every x86 of today) before it is worth copying them apart. */
    LINES_PER_SET = 5,
    /* Rows of a part: enough for its tiles, and where it packs panels, for those. */
    LEAST_TILES = 2,
    LEAST_ROWS_PACKED = 256,
    LEAST_ROWS_SUMMED = 512,
    MAX_ROWS = 16 /* largest mr of any instruction set, rounded up */
};

struct eex_dense {
    eex_geometry g;
    eex_segments segments;
    int depth; /* rows of a packed panel: kernel * kernel * in_c */
    int mr, nr;
    int panels;
    size_t panel_floats;
    float *packed;
    size_t thread_floats; /* scratch of one thread: panels, copied rows */
    size_t group;         /* panels that are packed together */
    int threads;
};

static size_t copied_stride(const eex_dense *d)
{
    size_t lines = ((size_t)d->segments.longest + 15) / 16;
    return (lines | 1) * 16; /* an odd number of lines: rows spread over all sets */
}

/* Of the scratch buffer, in front of the threads' parts: partial sums, and which panels each thread
 * has packed. */
static size_t head_bytes(const eex_dense *d)
{
    const size_t stats = (size_t)EEX_CPU_SUMS * 2 * d->g.out_c * sizeof(double);
    return (stats + d->threads * sizeof(int) + 63) / 64 * 64;
}

static int set_scratch(eex_dense *d, eex_cpu *cpu)
{
    d->depth = d->g.kernel * d->g.kernel * d->g.in_c;
    d->mr = cpu->kernels->gemm->mr;
    d->nr = cpu->kernels->gemm->nr;
    d->panels = (d->g.out_c + d->nr - 1) / d->nr;
    d->panel_floats = (size_t)d->depth * d->nr;
    d->group = GROUP_FLOATS / d->panel_floats;
    if (d->group < 1)
        d->group = 1;
    if (d->group > (size_t)d->panels)
        d->group = (size_t)d->panels;
    d->thread_floats = (d->group * d->panel_floats + d->mr * copied_stride(d) + 15) / 16 * 16;
    d->threads = eex_pool_threads(cpu->pool);
    return eex__cpu_reserve(cpu, head_bytes(d) + d->threads * d->thread_floats * sizeof(float));
}

int eex__dense_new(eex_dense **out, eex_cpu *cpu, const eex_window *window, bool backward)
{
    *out = NULL;
    eex_dense *d = calloc(1, sizeof *d);
    if (!d)
        return eex_fail(EEX_ENOMEM, "convolution: no memory for its description");
    int status = eex__geometry_set(&d->g, window, backward);
    if (status == EEX_OK)
        status =
            eex__segments_new(&d->segments, &d->g, d->g.in_c, (ptrdiff_t)d->g.in_w * d->g.in_c);
    if (status == EEX_OK)
        status = set_scratch(d, cpu);
    if (status < 0) {
        eex__dense_free(d);
        return status;
    }
    *out = d;
    return EEX_OK;
}

void eex__dense_free(eex_dense *d)
{
    if (!d)
        return;
    eex__geometry_free(&d->g);
    eex__segments_free(&d->segments);
    eex__slab_give(d->packed);
    free(d);
}

static int panel_columns(const eex_dense *d, int panel)
{
    int left = d->g.out_c - panel * d->nr;
    return left < d->nr ? left : d->nr;
}

/* The panel's part of every tap that some class uses. */
static void pack_panel(const eex_dense *d, const eex_gemm_kernels *kernels, float *to,
                       const float *w, int panel)
{
    int columns = panel_columns(d, panel), first = panel * d->nr;
    int width = columns > d->nr / 2 ? d->nr : d->nr / 2;
    for (int ph = 0; ph < d->g.kernel; ph++)
        for (int pw = 0; pw < d->g.kernel; pw++) {
            if (!d->g.h.used[ph] || !d->g.w.used[pw])
                continue;
            float *rows = to + (ptrdiff_t)(ph * d->g.kernel + pw) * d->g.in_c * width;
            const float *tap = eex__geometry_tap(&d->g, w, ph, pw);
            if (d->g.backward)
                kernels->pack_transposed(rows, tap + (ptrdiff_t)first * d->g.in_c, d->g.in_c,
                                         d->g.in_c, columns);
            else
                kernels->pack(rows, tap + first, d->g.out_c, d->g.in_c, columns);
        }
}

int eex__dense_pack(eex_cpu *cpu, eex_dense *d, const float *w)
{
    void *packed;
    EEX_TRY(eex__slab_take(&cpu->weights, &packed, d->panels * d->panel_floats * sizeof(float)));
    eex__slab_give(d->packed);
    d->packed = packed;
    for (int p = 0; p < d->panels; p++)
        pack_panel(d, cpu->kernels->gemm, d->packed + p * d->panel_floats, w, p);
    return EEX_OK;
}

/* Cycles of the busiest thread: arithmetic, packing or reading panels, reading rows. */
static double split_cost(const void *ctx, double rows, eex_split s)
{
    const eex_dense *d = ctx;
    double my_rows = ceil(rows / s.rows), my_panels = ceil((double)d->panels / s.panels);
    double per_panel_row = d->packed ? 4 : d->g.backward ? 24 : 8;
    return d->depth * (my_panels * (my_rows * 2 + per_panel_row) + my_rows * 0.25) +
           eex__split_exchange(rows, d->g.in_c, s);
}

typedef struct dense_job {
    const eex_dense *d;
    const eex_gemm_kernels *kernels;
    const eex_dense_args *args;
    int samples; /* batch * fold */
    eex_cuts cuts;
    float *scratch; /* (threads, thread_floats) */
    int *packed;    /* (threads): the first panel of the group that a thread has packed, or -1 */
    double *stats;  /* (cuts.rows, 2, out_c) partial sums, or NULL */
} dense_job;

/* One part of a job, in the hands of a thread. */
typedef struct worker {
    const dense_job *job;
    int row_cut;
    float *panels, *copied;
    int *packed;
    int first_panel, end_panel; /* of the group in hand */
    double *stats;
} worker;

/* Whether rows would push each other out of the first-level cache while a tile reads them. */
static bool rows_collide(const float *const *a, int rows)
{
    unsigned char lines[64] = {0};
    int most = 0;
    for (int i = 0; i < rows; i++) {
        int n = ++lines[(uintptr_t)a[i] / 64 % 64];
        most = n > most ? n : most;
    }
    return most > LINES_PER_SET;
}

/* Copies a tile's rows next to each other; the segments become one after the other. */
static void copy_rows(const worker *k, eex_gemm_tile *t, eex_gemm_segment *moved, const float **a)
{
    size_t stride = copied_stride(k->job->d);
    for (int i = 0; i < t->rows; i++) {
        float *to = k->copied + i * stride;
        ptrdiff_t at = 0;
        for (int s = 0; s < t->segments; s++) {
            memcpy(to + at, a[i] + t->segment[s].a, (size_t)t->segment[s].k * sizeof *to);
            at += t->segment[s].k;
        }
        a[i] = to;
    }
    ptrdiff_t at = 0;
    for (int s = 0; s < t->segments; s++) {
        moved[s] = (eex_gemm_segment){at, t->segment[s].b, t->segment[s].k};
        at += t->segment[s].k;
    }
    t->segment = moved;
}

static void run_panels(const worker *k, eex_gemm_tile *t)
{
    const eex_dense *d = k->job->d;
    const eex_dense_args *args = k->job->args;
    const float *panels = d->packed ? d->packed : k->panels - k->first_panel * d->panel_floats;
    for (int p = k->first_panel; p < k->end_panel; p++) {
        t->columns = panel_columns(d, p);
        t->b = panels + p * d->panel_floats;
        eex__tile_column(t, args, k->stats, d->g.out_c, p * d->nr);
        k->job->kernels->tile(t);
        t->ahead_step = 0;
    }
}

static void run_tile(const worker *k, int ch, int cw, long long row, int rows)
{
    const eex_dense *d = k->job->d;
    const float *a[MAX_ROWS];
    ptrdiff_t out[MAX_ROWS];
    eex_gemm_segment moved[MAX_ROWS];
    eex_rows c = eex__rows_at(&d->g, ch, cw, row);
    for (int i = 0; i < rows; i++, eex__rows_step(&c)) {
        a[i] = k->job->args->a + eex__rows_in(&c);
        out[i] = eex__rows_out(&c);
    }
    eex_gemm_tile t = {
        .rows = rows,
        .segments = eex__geometry_rows(&d->g, ch, cw),
        .segment = eex__segments_of(&d->segments, ch, cw),
        .a = a,
        .out = out,
        .ahead = k->job->args->a,
    };
    eex__tile_clamp(&t, k->job->args);
    if (d->depth == d->g.in_c) { /* 1x1: meanwhile, the rows after these */
        t.ahead = k->job->args->a + eex__rows_in(&c);
        t.ahead_step = 16;
    }
    bool worth = d->g.in_c >= 32 && k->end_panel - k->first_panel > 1 && t.segments <= MAX_ROWS;
    if (worth && rows_collide(a, rows))
        copy_rows(k, &t, moved, a);
    run_panels(k, &t);
}

/* Rows [begin, end) of a class in tiles of even height. */
static void run_rows(const worker *k, int ch, int cw, long long begin, long long end)
{
    int mr = k->job->d->mr;
    long long rows = end - begin, tiles = (rows + mr - 1) / mr;
    for (long long i = 0; i < tiles; i++) {
        long long first = begin + rows * i / tiles, next = begin + rows * (i + 1) / tiles;
        run_tile(k, ch, cw, first, (int)(next - first));
    }
}

/* Block `block` of `blocks` of this part's rows of every class. */
static void run_block(const worker *k, int block, int blocks)
{
    const eex_dense *d = k->job->d;
    for (int ch = 0; ch < d->g.h.classes; ch++)
        for (int cw = 0; cw < d->g.w.classes; cw++) {
            const long long total =
                (long long)k->job->samples * d->g.h.class[ch].count * d->g.w.class[cw].count;
            long long begin, end;
            eex__cut_rows(&begin, &end, total, d->mr, k->row_cut, k->job->cuts.rows);
            const long long rows = end - begin;
            run_rows(k, ch, cw, begin + rows * block / blocks, begin + rows * (block + 1) / blocks);
        }
}

static int block_count(const worker *k)
{
    const eex_dense *d = k->job->d;
    const int cuts = k->job->cuts.rows;
    if (d->g.h.classes * d->g.w.classes == 1)
        return 1;
    double floats = (double)d->g.in_h * d->g.in_w * d->g.in_c * k->job->samples / cuts;
    double blocks = ceil(floats / BLOCK_FLOATS);
    double most = ceil((double)k->job->samples / cuts / d->mr);
    return (int)(blocks < most ? blocks : most);
}

/* Packs the group in hand, unless this thread has done that for the part before. */
static void pack_group(const worker *k)
{
    const eex_dense *d = k->job->d;
    const int key = k->first_panel * (d->panels + 1) + k->end_panel;
    if (d->packed || *k->packed == key)
        return;
    for (int q = k->first_panel; q < k->end_panel; q++)
        pack_panel(d, k->job->kernels, k->panels + (q - k->first_panel) * d->panel_floats,
                   k->job->args->w, q);
    *k->packed = key;
}

static void dense_part(void *ctx, const eex_part *part)
{
    const dense_job *job = ctx;
    const eex_dense *d = job->d;
    const eex_cut cut = eex__cut_at(job->cuts, part->index);
    worker k = {.job = job, .row_cut = cut.row, .packed = job->packed + part->thread};
    k.panels = job->scratch + part->thread * d->thread_floats;
    k.copied = k.panels + d->group * d->panel_floats;
    k.stats = job->stats ? job->stats + (size_t)cut.row * 2 * d->g.out_c : NULL;
    int begin, end, blocks = block_count(&k);
    eex_pool_share(&begin, &end, d->panels, 1, cut.panel, job->cuts.panels);
    for (int p = begin; p < end; p += (int)d->group) {
        k.first_panel = p;
        k.end_panel = p + (int)d->group < end ? p + (int)d->group : end;
        pack_group(&k);
        for (int block = 0; block < blocks; block++)
            run_block(&k, block, blocks);
    }
}

/* Nanoseconds on one core: arithmetic at a usual rate, and the bytes of weights. */
static double work_of(const eex_dense *d, int batch)
{
    return d->g.macs * batch / 40 + (double)d->depth * d->g.out_c / 6;
}

/* Results do not depend on the cuts; the sums that go with them are those of as many row cuts. */
static eex_cuts choose_cuts(eex_cpu *cpu, const eex_dense *d, const eex_dense_args *args, int width)
{
    const double work = work_of(d, args->batch);
    const double rows = (double)args->batch * d->g.fold * d->g.out_h * d->g.out_w;
    const int least = d->packed ? LEAST_TILES * d->mr : LEAST_ROWS_PACKED;
    if (args->stats)
        return eex__cuts_of_sums(split_cost, d, rows, d->panels,
                                 eex__cpu_sums(rows, LEAST_ROWS_SUMMED), width);
    const eex_split s = eex__split_choose(split_cost, d, rows, d->panels, width);
    return eex__cuts_of(s, eex__cpu_each(work, width), rows, least, d->panels);
}

int eex__dense_run(eex_cpu *cpu, eex_dense *d, const eex_dense_args *args)
{
    const size_t stats = 2 * (size_t)d->g.out_c;
    const int width = eex__cpu_width(cpu, work_of(d, args->batch));
    double *sums = cpu->scratch;
    dense_job job = {
        .d = d,
        .kernels = cpu->kernels->gemm,
        .args = args,
        .samples = args->batch * d->g.fold,
        .cuts = choose_cuts(cpu, d, args, width),
        .scratch = (float *)((char *)cpu->scratch + head_bytes(d)),
        .packed = (int *)(sums + EEX_CPU_SUMS * stats),
        .stats = args->stats ? sums : NULL,
    };
    for (int i = 0; i < d->threads; i++)
        job.packed[i] = -1;
    if (args->stats)
        memset(sums, 0, job.cuts.rows * stats * sizeof(double));
    eex__cpu_parts(cpu, width, job.cuts.rows * job.cuts.panels, dense_part, &job);
    if (args->stats)
        eex__stats_reduce(args->stats, sums, job.cuts.rows, stats);
    return EEX_OK;
}
