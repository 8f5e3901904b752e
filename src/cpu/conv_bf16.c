#include "cpu/conv_bf16.h"

#include "cpu/conv_geometry.h"
#include "cpu/conv_tile.h"
#include "cpu/kernels/bf16/bf16.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    LEAST_CHANNELS = 16,
    /* Bytes of gathered rows that stay in the second-level cache while all panels pass by. */
    BLOCK_BYTES = 512 * 1024,
    MOST_ROWS = 256, /* of a block; a multiple of EEX_BF16_ROWS */
    LEAST_ROWS = 64, /* of a part */
    LEAST_ROWS_SUMMED = 512,
    /* Results beyond the second-level cache are asked for before they are written. */
    EXPECT_FLOATS = 256 * 1024,
    LINE = 64 / sizeof(eex_bf16),
    TILE_FLOATS = EEX_BF16_ROWS * EEX_BF16_COLUMNS
};

struct eex_bf16_dense {
    eex_geometry g;
    int pitch; /* channels of one tap in rows and panels: in_c and zeros up to a whole chunk */
    eex_segments segments;
    ptrdiff_t lda;
    int block; /* rows that are gathered together */
    int panels;
    size_t panel_size; /* elements */
    eex_bf16 *packed;  /* weights that never change, or NULL */
    size_t thread_bytes;
    int threads;
};

bool eex__bf16_serves(const eex_cpu *cpu, eex_precision precision, const eex_window *w)
{
    return precision == EEX_BF16_PRODUCTS && cpu->bf16 && w->groups == 1 &&
           w->cin >= LEAST_CHANNELS && w->cout >= LEAST_CHANNELS;
}

static size_t whole_lines(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

static int set_rows(eex_bf16_dense *d)
{
    d->pitch = (d->g.in_c + EEX_BF16_CHUNK - 1) / EEX_BF16_CHUNK * EEX_BF16_CHUNK;
    EEX_TRY(eex__segments_new(&d->segments, &d->g, d->pitch, 0));
    /* An odd number of lines: the rows of a tile spread over all sets of the caches. */
    d->lda = (d->segments.longest / LINE | 1) * LINE;
    size_t rows = BLOCK_BYTES / (d->lda * sizeof(eex_bf16)) / EEX_BF16_ROWS * EEX_BF16_ROWS;
    d->block = rows < EEX_BF16_ROWS ? EEX_BF16_ROWS : rows > MOST_ROWS ? MOST_ROWS : (int)rows;
    return EEX_OK;
}

static size_t stats_bytes(const eex_bf16_dense *d)
{
    return whole_lines((size_t)EEX_CPU_SUMS * 2 * d->g.out_c * sizeof(double));
}

static size_t panels_bytes(const eex_bf16_dense *d)
{
    return d->packed ? 0 : whole_lines(d->panels * d->panel_size * sizeof(eex_bf16));
}

static int panel_columns(const eex_bf16_dense *d, int panel)
{
    int left = d->g.out_c - panel * EEX_BF16_COLUMNS;
    return left < EEX_BF16_COLUMNS ? left : EEX_BF16_COLUMNS;
}

static int panel_width(const eex_bf16_dense *d, int panel)
{
    return panel_columns(d, panel) > 16 ? 32 : 16;
}

/* A chunk of depth, from channel k on, of one tap of a panel. */
static void pack_chunk(const eex_bf16_dense *d, const eex_bf16_kernels *kernels, eex_bf16 *to,
                       const float *tap, int panel, int k)
{
    const float *rows[EEX_BF16_CHUNK] = {NULL};
    int columns = panel_columns(d, panel), first = panel * EEX_BF16_COLUMNS;
    int depth = d->g.in_c - k < EEX_BF16_CHUNK ? d->g.in_c - k : EEX_BF16_CHUNK;
    if (d->g.backward) {
        for (int c = 0; c < columns; c++)
            rows[c] = tap + (ptrdiff_t)(first + c) * d->g.in_c + k;
        kernels->pack_columns(to, rows, columns, panel_width(d, panel), depth);
        return;
    }
    for (int i = 0; i < depth; i++)
        rows[i] = tap + (ptrdiff_t)(k + i) * d->g.out_c;
    kernels->pack(to, rows, NULL, first, columns, panel_width(d, panel));
}

static void pack_panel(const eex_bf16_dense *d, const eex_bf16_kernels *kernels, eex_bf16 *to,
                       const float *w, int panel)
{
    const int width = panel_width(d, panel);
    for (int ph = 0; ph < d->g.kernel; ph++)
        for (int pw = 0; pw < d->g.kernel; pw++) {
            if (!d->g.h.used[ph] || !d->g.w.used[pw])
                continue;
            const float *tap = eex__geometry_tap(&d->g, w, ph, pw);
            eex_bf16 *rows = to + (ptrdiff_t)(ph * d->g.kernel + pw) * d->pitch * width;
            for (int k = 0; k < d->pitch; k += EEX_BF16_CHUNK)
                pack_chunk(d, kernels, rows + (ptrdiff_t)k * width, tap, panel, k);
        }
}

static int pack_static(eex_cpu *cpu, eex_bf16_dense *d, const float *w)
{
    void *packed;
    EEX_TRY(eex__slab_take(&cpu->weights, &packed, d->panels * d->panel_size * sizeof(eex_bf16)));
    d->packed = packed;
    for (int p = 0; p < d->panels; p++)
        pack_panel(d, cpu->bf16, d->packed + p * d->panel_size, w, p);
    return EEX_OK;
}

static int prepare(eex_bf16_dense *d, eex_cpu *cpu, const eex_window *window, bool backward,
                   const float *w)
{
    EEX_TRY(eex__geometry_set(&d->g, window, backward));
    EEX_TRY(set_rows(d));
    d->panels = (d->g.out_c + EEX_BF16_COLUMNS - 1) / EEX_BF16_COLUMNS;
    d->panel_size = (size_t)d->g.kernel * d->g.kernel * d->pitch * EEX_BF16_COLUMNS;
    d->threads = eex_pool_threads(cpu->pool);
    d->thread_bytes = TILE_FLOATS * sizeof(float) + (size_t)d->block * d->lda * sizeof(eex_bf16);
    if (w)
        EEX_TRY(pack_static(cpu, d, w));
    return eex__cpu_reserve(cpu, stats_bytes(d) + panels_bytes(d) + d->threads * d->thread_bytes);
}

int eex__bf16_dense_new(eex_bf16_dense **out, eex_cpu *cpu, const eex_window *window, bool backward,
                        const float *w)
{
    *out = NULL;
    eex_bf16_dense *d = calloc(1, sizeof *d);
    if (!d)
        return eex_fail(EEX_ENOMEM, "convolution: no memory for its description");
    int status = prepare(d, cpu, window, backward, w);
    if (status < 0) {
        eex__bf16_dense_free(d);
        return status;
    }
    *out = d;
    return EEX_OK;
}

void eex__bf16_dense_free(eex_bf16_dense *d)
{
    if (!d)
        return;
    eex__geometry_free(&d->g);
    eex__segments_free(&d->segments);
    eex__slab_give(d->packed);
    free(d);
}

/* ---- running ---- */

typedef struct bf16_job {
    const eex_bf16_dense *d;
    const eex_bf16_kernels *kernels;
    const eex_dense_args *args;
    eex_cuts cuts;
    double *stats;    /* (cuts.rows, 2, out_c) partial sums, or NULL */
    eex_bf16 *panels; /* (panels, panel_size) */
    char *scratch;    /* (threads, thread_bytes) */
    bool expect;      /* the result is larger than a cache */
} bf16_job;

static void pack_part(void *ctx, const eex_part *part)
{
    const bf16_job *job = ctx;
    int begin, end;
    eex_pool_share(&begin, &end, job->d->panels, 1, part->index, part->count);
    for (int p = begin; p < end; p++)
        pack_panel(job->d, job->kernels, job->panels + p * job->d->panel_size, job->args->w, p);
}

/* Cycles of the busiest thread: products, reading panels, gathering rows. */
static double split_cost(const void *ctx, double rows, eex_split s)
{
    const eex_bf16_dense *d = ctx;
    double my_rows = ceil(rows / s.rows), my_panels = ceil((double)d->panels / s.panels);
    double depth = (double)d->panel_size / EEX_BF16_COLUMNS;
    return depth * (my_panels * (ceil(my_rows / 16) + 4) + my_rows / 8) +
           eex__split_exchange(rows, d->g.in_c, s);
}

/* One part of a job, in the hands of a thread. */
typedef struct worker {
    const bf16_job *job;
    int row_cut, first_panel, end_panel;
    float *c;
    eex_bf16 *rows; /* (block, lda) */
    double *stats;
} worker;

/* One row of class (ch, cw): its taps one behind the other, rounded. */
static void gather_row(const bf16_job *job, eex_bf16 *to, const float *from, int taps_h, int taps_w)
{
    const eex_bf16_dense *d = job->d;
    const int c = d->g.in_c;
    for (int t = 0; t < taps_h; t++, from += (ptrdiff_t)d->g.in_w * c)
        if (c == d->pitch) {
            job->kernels->round(to, from, taps_w * c, taps_w * c);
            to += taps_w * c;
        } else {
            for (int i = 0; i < taps_w; i++, to += d->pitch)
                job->kernels->round(to, from + (ptrdiff_t)i * c, c, d->pitch);
        }
}

static void run_panel(const worker *k, eex_bf16_product *product, eex_gemm_tile *t, int panel,
                      int rows, const ptrdiff_t *out)
{
    const bf16_job *job = k->job;
    product->b = job->panels + panel * job->d->panel_size;
    product->width = panel_width(job->d, panel);
    t->columns = panel_columns(job->d, panel);
    eex__tile_column(t, job->args, k->stats, job->d->g.out_c, panel * EEX_BF16_COLUMNS);
    for (int i = 0; i < rows; i += EEX_BF16_ROWS) {
        product->rows = t->rows = rows - i < EEX_BF16_ROWS ? rows - i : EEX_BF16_ROWS;
        product->a = k->rows + i * product->lda;
        t->out = out + i;
        if (job->expect)
            job->kernels->expect(t);
        job->kernels->multiply(product);
        job->kernels->finish(t, k->c);
    }
}

/* Rows [row, row + rows) of a class, at most a block. */
static void run_block(const worker *k, int ch, int cw, long long row, int rows)
{
    const bf16_job *job = k->job;
    const eex_bf16_dense *d = job->d;
    const int taps_h = eex__geometry_rows(&d->g, ch, cw), taps_w = d->g.w.class[cw].taps;
    ptrdiff_t out[MOST_ROWS];
    eex_rows r = eex__rows_at(&d->g, ch, cw, row);
    for (int i = 0; i < rows; i++, eex__rows_step(&r)) {
        out[i] = eex__rows_out(&r);
        if (taps_h > 0)
            gather_row(job, k->rows + i * d->lda, job->args->a + eex__rows_in(&r), taps_h, taps_w);
    }
    eex_bf16_product product = {.segments = taps_h,
                                .segment = eex__segments_of(&d->segments, ch, cw),
                                .lda = d->lda,
                                .c = k->c};
    eex_gemm_tile t = {0};
    eex__tile_clamp(&t, job->args);
    for (int p = k->first_panel; p < k->end_panel; p++)
        run_panel(k, &product, &t, p, rows, out);
}

/* This part's rows of class (ch, cw). */
static void run_class(const worker *k, int ch, int cw)
{
    const eex_bf16_dense *d = k->job->d;
    long long samples = (long long)k->job->args->batch * d->g.fold;
    long long total = samples * d->g.h.class[ch].count * d->g.w.class[cw].count;
    long long begin, end;
    eex__cut_rows(&begin, &end, total, EEX_BF16_ROWS, k->row_cut, k->job->cuts.rows);
    for (; begin < end; begin += d->block)
        run_block(k, ch, cw, begin, end - begin < d->block ? (int)(end - begin) : d->block);
}

static void dense_part(void *ctx, const eex_part *part)
{
    const bf16_job *job = ctx;
    const eex_bf16_dense *d = job->d;
    const eex_cut cut = eex__cut_at(job->cuts, part->index);
    worker k = {.job = job, .row_cut = cut.row};
    k.c = (float *)(job->scratch + part->thread * d->thread_bytes);
    k.rows = (eex_bf16 *)(k.c + TILE_FLOATS);
    k.stats = job->stats ? job->stats + (size_t)cut.row * 2 * d->g.out_c : NULL;
    eex_pool_share(&k.first_panel, &k.end_panel, d->panels, 1, cut.panel, job->cuts.panels);
    job->kernels->begin();
    for (int ch = 0; ch < d->g.h.classes; ch++)
        for (int cw = 0; cw < d->g.w.classes; cw++)
            run_class(&k, ch, cw);
    job->kernels->end();
}

/* Nanoseconds on one core, as measured with AMX: gathering rows and finishing their tiles, which
 * takes longer than the products where channels are few; reading the weights. */
static double work_of(const eex_bf16_dense *d, int batch)
{
    const double rows = (double)batch * d->g.fold * d->g.out_h * d->g.out_w;
    const double weights = (double)d->panels * d->panel_size;
    return rows * (d->panels * 6 + d->g.in_c / 20.0 + 4) + d->g.macs * batch / 1000 + weights / 12;
}

/* Results do not depend on the cuts; the sums that go with them are those of as many row cuts. */
static eex_cuts choose_cuts(eex_cpu *cpu, const eex_bf16_dense *d, const eex_dense_args *args,
                            int width)
{
    const double work = work_of(d, args->batch);
    const double rows = (double)args->batch * d->g.fold * d->g.out_h * d->g.out_w;
    if (args->stats)
        return eex__cuts_of_sums(split_cost, d, rows, d->panels,
                                 eex__cpu_sums(rows, LEAST_ROWS_SUMMED), width);
    const eex_split s = eex__split_choose(split_cost, d, rows, d->panels, width);
    return eex__cuts_of(s, eex__cpu_each(work, width), rows, LEAST_ROWS, d->panels);
}

int eex__bf16_dense_run(eex_cpu *cpu, eex_bf16_dense *d, const eex_dense_args *args)
{
    const size_t stats = 2 * (size_t)d->g.out_c;
    const int width = eex__cpu_width(cpu, work_of(d, args->batch));
    double *sums = cpu->scratch;
    char *behind = (char *)cpu->scratch + stats_bytes(d);
    bf16_job job = {
        .d = d,
        .kernels = cpu->bf16,
        .args = args,
        .cuts = choose_cuts(cpu, d, args, width),
        .stats = args->stats ? sums : NULL,
        .panels = d->packed ? d->packed : (eex_bf16 *)behind,
        .scratch = behind + panels_bytes(d),
        .expect =
            (double)args->batch * d->g.fold * d->g.out_h * d->g.out_w * d->g.out_c > EXPECT_FLOATS,
    };
    if (args->stats)
        memset(sums, 0, job.cuts.rows * stats * sizeof(double));
    if (!d->packed)
        eex__cpu_parallel(cpu, (double)d->panels * d->panel_size / 4, pack_part, &job);
    eex__cpu_parts(cpu, width, job.cuts.rows * job.cuts.panels, dense_part, &job);
    if (args->stats)
        eex__stats_reduce(args->stats, sums, job.cuts.rows, stats);
    return EEX_OK;
}
