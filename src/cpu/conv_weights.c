#include "cpu/conv_weights.h"

#include "base/status.h"
#include "cpu/conv_axis.h"
#include "cpu/conv_grid.h"
#include "cpu/kernels/gemm.h"
#include "cpu/prefetch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* Floats of x and dy that a thread keeps in its second-level cache while all tiles pass. */
    BLOCK_FLOATS = 96 * 1024,
    BIAS_GRAIN = 16 /* channels: one cache line */
};

struct eex_weights {
    eex_window w; /* with 1x1 kernels seen as one long row of pixels: see set_window */
    int fold;     /* pixels of a sample that are samples to us */
    int mr, nr;
    int row_tiles, panels; /* of one tap */
    int tiles;             /* panels * taps * row_tiles */
    int size;              /* floats of dw */
    int threads;
};

static void set_window(eex_weights *g, const eex_window *w)
{
    g->w = *w;
    g->fold = 1;
    if (w->kernel == 1 && w->stride == 1 && w->pad == 0) {
        g->fold = w->hin * w->win;
        g->w.hin = g->w.win = g->w.hout = g->w.wout = 1;
    }
}

int eex__weights_new(eex_weights **out, eex_cpu *cpu, const eex_window *window)
{
    *out = NULL;
    eex_weights *g = calloc(1, sizeof *g);
    if (!g)
        return eex_fail(EEX_ENOMEM, "gradient of convolution weights: no memory");
    set_window(g, window);
    g->mr = cpu->kernels->gemm->mr;
    g->nr = cpu->kernels->gemm->nr;
    g->row_tiles = (window->cin + g->mr - 1) / g->mr;
    g->panels = (window->cout + g->nr - 1) / g->nr;
    g->tiles = g->panels * window->kernel * window->kernel * g->row_tiles;
    g->size = window->kernel * window->kernel * window->cin * window->cout;
    g->threads = eex_pool_threads(cpu->pool);
    int status = eex__cpu_reserve(cpu, (size_t)g->threads * g->size * sizeof(float));
    if (status < 0) {
        free(g);
        return status;
    }
    *out = g;
    return EEX_OK;
}

void eex__weights_free(eex_weights *g)
{
    free(g);
}

/* How many ways the pixels and the tiles of dw are divided among threads. */
typedef struct split {
    int pixels, tiles;
} split;

/* Cycles of the busiest thread: arithmetic, reading x and dy, and adding up partial sums. */
static double split_cost(const eex_weights *g, double pixels, split s)
{
    double mine = ceil(pixels / s.pixels);
    double tiles = ceil((double)g->tiles / s.tiles);
    double parts = s.pixels > 1 ? (double)g->size / 16 * 6 : 0;
    return mine * tiles * g->mr * 2 + mine * (g->w.cin + g->w.cout) / 16 * 6 + parts;
}

static split choose_split(const eex_weights *g, int samples, int threads)
{
    double pixels = (double)samples * g->w.hout * g->w.wout;
    split best = {1, threads};
    double least = split_cost(g, pixels, best);
    for (int tiles = 1; tiles < threads; tiles++) {
        split s = {threads / tiles < samples ? threads / tiles : samples, tiles};
        double cost = split_cost(g, pixels, s);
        if (cost < least) {
            best = s;
            least = cost;
        }
    }
    return best;
}

typedef struct weights_job {
    const eex_weights *g;
    const eex_gemm_kernels *kernels;
    const float *x, *dy;
    float *dw;    /* where a single part goes */
    float *parts; /* (pixel parts, size), or NULL: straight to dw */
    bool accumulate;
    int samples; /* batch * fold */
} weights_job;

/* Output pixels in hand: rows [row, row_end) of samples [n, n_end). */
typedef struct block {
    int n, n_end, row, row_end;
} block;

/* The output positions [*begin, *end) of an axis, within [low, high), at which a tap meets the
 * input. */
static void tap_range(int *begin, int *end, const eex_window *w, int tap, int size, int low,
                      int high)
{
    int first = w->pad - tap;
    int last = size - 1 + w->pad - tap;
    *begin = first <= 0 ? 0 : (first + w->stride - 1) / w->stride;
    *end = last < 0 ? 0 : last / w->stride + 1;
    if (*begin < low)
        *begin = low;
    if (*end > high)
        *end = high;
}

/* Sets the pixels of a block that tap (kh, kw) meets; false when there are none. */
static bool set_pixels(eex_gemm_outer *o, const weights_job *job, const block *b, int kh, int kw)
{
    const eex_window *w = &job->g->w;
    int h0, h1, w0, w1;
    tap_range(&h0, &h1, w, kh, w->hin, b->row, b->row_end);
    tap_range(&w0, &w1, w, kw, w->win, 0, w->wout);
    if (h1 <= h0 || w1 <= w0)
        return false;
    ptrdiff_t cin = w->cin, cout = w->cout;
    eex_grid g = {
        .count = {b->n_end - b->n, h1 - h0, w1 - w0},
        .a = {w->hin * w->win * cin, w->stride * w->win * cin, w->stride * cin},
        .b = {w->hout * w->wout * cout, w->wout * cout, cout},
    };
    ptrdiff_t row = (ptrdiff_t)b->n * w->hin + h0 * w->stride - w->pad + kh;
    o->x = job->x + (row * w->win + w0 * w->stride - w->pad + kw) * cin;
    o->dy = job->dy + (((ptrdiff_t)b->n * w->hout + h0) * w->wout + w0) * cout;
    eex__grid_simplify(&g, 8);
    memcpy(o->count, g.count, sizeof o->count);
    memcpy(o->x_stride, g.a, sizeof o->x_stride);
    memcpy(o->dy_stride, g.b, sizeof o->dy_stride);
    return true;
}

/* Tile `tile` of dw: row tiles innermost, then taps, then panels. */
typedef struct tile_place {
    int tap, row, rows, column, columns;
} tile_place;

static tile_place place_of(const eex_weights *g, int tile)
{
    int taps = g->w.kernel * g->w.kernel, row_tile = tile % g->row_tiles;
    tile_place p = {.tap = tile / g->row_tiles % taps};
    p.row = (int)((long long)g->w.cin * row_tile / g->row_tiles);
    p.rows = (int)((long long)g->w.cin * (row_tile + 1) / g->row_tiles) - p.row;
    p.column = tile / g->row_tiles / taps * g->nr;
    p.columns = g->w.cout - p.column < g->nr ? g->w.cout - p.column : g->nr;
    return p;
}

static void clear_tile(const eex_gemm_outer *o)
{
    for (int i = 0; i < o->rows; i++)
        memset(o->w + i * o->w_stride, 0, (size_t)o->columns * sizeof *o->w);
}

/* The part of one tile of dw that a block's pixels give: added, or set. */
static void run_tile(const weights_job *job, const block *b, float *dw, int tile, bool add)
{
    const eex_weights *g = job->g;
    tile_place p = place_of(g, tile);
    eex_gemm_outer o = {
        .rows = p.rows,
        .columns = p.columns,
        .w = dw + ((ptrdiff_t)p.tap * g->w.cin + p.row) * g->w.cout + p.column,
        .w_stride = g->w.cout,
        .add = add,
    };
    if (set_pixels(&o, job, b, p.tap / g->w.kernel, p.tap % g->w.kernel)) {
        o.x += p.row;
        o.dy += p.column;
        job->kernels->outer(&o);
    } else if (!add) {
        clear_tile(&o);
    }
}

/* What a block reads, unless its pixels lie apart. */
static void prefetch_block(const weights_job *job, const block *b)
{
    const eex_window *w = &job->g->w;
    ptrdiff_t x_row = (ptrdiff_t)w->win * w->cin, dy_row = (ptrdiff_t)w->wout * w->cout;
    ptrdiff_t samples = b->n_end - b->n, rows = b->row_end - b->row;
    if (rows == w->hout && w->kernel >= w->stride)
        eex__prefetch(job->x + b->n * w->hin * x_row, samples * w->hin * x_row);
    eex__prefetch(job->dy + ((ptrdiff_t)b->n * w->hout + b->row) * dy_row,
                  rows == w->hout ? samples * w->hout * dy_row : rows * dy_row);
}

/* Blocks are whole samples, or rows of one sample where a sample is large. */
typedef struct block_size {
    int samples, rows;
} block_size;

static block_size choose_block(const eex_window *w)
{
    double sample = (double)w->hin * w->win * w->cin + (double)w->hout * w->wout * w->cout;
    int samples = sample < BLOCK_FLOATS ? (int)(BLOCK_FLOATS / sample) : 1;
    int rows = (int)(BLOCK_FLOATS / (sample / w->hout));
    rows = samples > 1 || rows > w->hout ? w->hout : rows < 1 ? 1 : rows;
    return (block_size){samples, rows};
}

/* The block after b among samples up to n_end; false when there is none. */
static bool block_next(block *b, const eex_window *w, block_size size, int n_end)
{
    bool within = b->row_end < w->hout;
    if (!within && b->n_end >= n_end)
        return false;
    if (!within) {
        b->n = b->n_end;
        b->n_end = n_end - b->n < size.samples ? n_end : b->n + size.samples;
    }
    b->row = within ? b->row_end : 0;
    b->row_end = w->hout - b->row < size.rows ? w->hout : b->row + size.rows;
    return true;
}

static void weights_thread(void *ctx, int thread, int threads)
{
    const weights_job *job = ctx;
    const eex_weights *g = job->g;
    split s = choose_split(g, job->samples, threads);
    if (thread >= s.pixels * s.tiles)
        return;
    int n, n_end, begin, end, share = thread / s.tiles;
    eex_pool_share(&n, &n_end, job->samples, 1, share, s.pixels);
    eex_pool_share(&begin, &end, g->tiles, 1, thread % s.tiles, s.tiles);
    bool direct = s.pixels == 1, add = direct && job->accumulate;
    float *dw = direct ? job->dw : job->parts + (size_t)share * g->size;
    block_size size = choose_block(&g->w);
    for (block b = {n, n, 0, g->w.hout}; block_next(&b, &g->w, size, n_end); add = true) {
        prefetch_block(job, &b);
        for (int tile = begin; tile < end; tile++)
            run_tile(job, &b, dw, tile, add);
    }
}

/* dw (+)= the sum of the pixel parts, spread over threads. */
typedef struct sum_job {
    const weights_job *weights;
    int parts;
} sum_job;

static void sum_thread(void *ctx, int thread, int threads)
{
    const sum_job *job = ctx;
    const weights_job *w = job->weights;
    int begin, end;
    eex_pool_share(&begin, &end, w->g->size, 16, thread, threads);
    w->kernels->add_parts(w->dw + begin, w->parts + begin, w->g->size, job->parts, end - begin,
                          w->accumulate);
}

typedef struct bias_job {
    const eex_gemm_kernels *kernels;
    const eex_op_conv_bwd_weights *op;
    int rows;
} bias_job;

static void bias_thread(void *ctx, int thread, int threads)
{
    const bias_job *job = ctx;
    const eex_op_conv_bwd_weights *op = job->op;
    int begin, end, c = op->window.cout;
    eex_pool_share(&begin, &end, c, BIAS_GRAIN, thread, threads);
    job->kernels->column_sums(op->dbias + begin, op->dy + begin, c, job->rows, end - begin,
                              op->accumulate);
}

void eex__bias_run(eex_cpu *cpu, const eex_op_conv_bwd_weights *op, int batch)
{
    bias_job job = {cpu->kernels->gemm, op, batch * op->window.hout * op->window.wout};
    eex__cpu_parallel(cpu, (double)job.rows * op->window.cout / 4, bias_thread, &job);
}

int eex__weights_run(eex_cpu *cpu, eex_weights *g, const eex_op_conv_bwd_weights *op, int batch)
{
    weights_job job = {
        .g = g,
        .kernels = cpu->kernels->gemm,
        .x = op->x,
        .dy = op->dy,
        .dw = op->dw,
        .parts = cpu->scratch,
        .accumulate = op->accumulate,
        .samples = batch * g->fold,
    };
    double pixels = (double)job.samples * g->w.hout * g->w.wout;
    int threads = eex__cpu_parallel(cpu, pixels * g->size / 40, weights_thread, &job);
    split s = choose_split(g, job.samples, threads);
    if (s.pixels > 1) {
        sum_job sum = {&job, s.pixels};
        eex__cpu_parallel(cpu, (double)g->size * s.pixels / 4, sum_thread, &sum);
    }
    if (op->dbias)
        eex__bias_run(cpu, op, batch);
    return EEX_OK;
}
