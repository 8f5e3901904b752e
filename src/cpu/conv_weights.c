#include "cpu/conv_weights.h"

#include "cpu/conv_axis.h"
#include "cpu/conv_grid.h"
#include "cpu/conv_parts.h"
#include "cpu/kernels/gemm.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* Floats of x and dy that a thread keeps in its second-level cache while all tiles pass. */
    BLOCK_FLOATS = 96 * 1024,
    /* ... but at least so many pixels, for each tile of dw is read and written once a block. */
    BLOCK_PIXELS = 128,
    /* Pixels whose channels are a multiple of a large power of two fall on few sets of the caches.
     * A block of them is copied apart when enough tiles read the copy. (channels, readers) */
    COLLIDING = 512,
    COLLIDING_READERS = 4,
    SLIGHTLY_COLLIDING = 128,
    SLIGHTLY_COLLIDING_READERS = 32,
    BIAS_GRAIN = 16 /* channels: one cache line */
};

struct eex_weights {
    eex_window w;           /* as the arithmetic sees it: see set_window */
    int fold;               /* pixels of a sample that are samples to us */
    bool gather;            /* only every stride-th pixel of x is copied and seen */
    int x_h, x_w, x_stride; /* x as it is */
    int mr, nr;
    int row_tiles, panels;         /* of one tap */
    int tiles;                     /* panels * taps * row_tiles */
    int size;                      /* floats of dw */
    bool copy_x, copy_dy;          /* a block's pixels are copied into strips as wide as a tile */
    int block_samples, block_rows; /* a block is whole samples, or rows of one large sample */
    size_t x_copy, dy_copy;        /* floats of a thread's copies */
    int most_parts;
    int threads;
};

/* A 1x1 kernel sees one long row of pixels; with a stride, those pixels that it uses. */
static void set_window(eex_weights *g, const eex_window *w)
{
    g->w = *w;
    g->fold = 1;
    g->x_h = w->hin;
    g->x_w = w->win;
    g->x_stride = w->stride;
    if (w->kernel > 1 || w->pad > 0)
        return;
    g->gather = w->stride > 1;
    g->w.stride = 1;
    g->w.hin = w->hout;
    g->w.win = w->wout;
    if (!g->gather) {
        g->fold = w->hin * w->win;
        g->x_h = g->x_w = g->w.hin = g->w.win = g->w.hout = g->w.wout = 1;
    }
}

static void set_block(eex_weights *g)
{
    const eex_window *w = &g->w;
    double sample = (double)w->hin * w->win * w->cin + (double)w->hout * w->wout * w->cout;
    int rows = (int)(BLOCK_FLOATS / (sample / w->hout));
    int least = (BLOCK_PIXELS + w->hout * w->wout - 1) / (w->hout * w->wout);
    g->block_samples = sample < BLOCK_FLOATS ? (int)(BLOCK_FLOATS / sample) : 1;
    if (g->block_samples < least)
        g->block_samples = least;
    bool whole = g->gather || g->block_samples > 1 || sample < BLOCK_FLOATS || rows > w->hout;
    g->block_rows = whole ? w->hout : rows < 1 ? 1 : rows;
}

static bool worth_copying(int channels, int readers)
{
    return (channels % COLLIDING == 0 && readers >= COLLIDING_READERS) ||
           (channels % SLIGHTLY_COLLIDING == 0 && readers >= SLIGHTLY_COLLIDING_READERS);
}

/* Floats between the pixels of a strip that holds `channels` channels, as the kernels pack them. */
static int strip_width(const eex_weights *g, int channels)
{
    return channels > g->nr / 2 ? g->nr : g->nr / 2;
}

static void set_copies(eex_weights *g)
{
    const eex_window *w = &g->w;
    int taps = w->kernel * w->kernel;
    bool whole = g->block_rows == w->hout;
    g->copy_x = g->gather || (whole && worth_copying(w->cin, taps * g->panels));
    g->copy_dy = whole && worth_copying(w->cout, taps * g->row_tiles);
    size_t x_pixels = (size_t)g->block_samples * w->hin * w->win;
    size_t dy_pixels = (size_t)g->block_samples * w->hout * w->wout;
    g->x_copy = g->copy_x ? x_pixels * g->row_tiles * strip_width(g, g->mr) : 0;
    g->dy_copy = g->copy_dy ? dy_pixels * g->panels * g->nr : 0;
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
    g->most_parts = eex__parts_most(g->size);
    set_block(g);
    set_copies(g);
    size_t floats =
        eex__parts_floats(g->size, g->most_parts) + g->threads * (g->x_copy + g->dy_copy);
    int status = eex__cpu_reserve(cpu, floats * sizeof(float));
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

/* Cycles of one part: arithmetic, reading x and dy, and adding up partial sums. */
static double split_cost(const void *ctx, double pixels, eex_parts_split s)
{
    const eex_weights *g = ctx;
    double mine = ceil(pixels / s.pixels);
    double tiles = ceil((double)g->tiles / s.tiles);
    return mine * tiles * g->mr * 2 + mine * (g->w.cin + g->w.cout) / 16 * 6 +
           eex__parts_add_cost(g->size, s);
}

static eex_parts_split choose_split(const eex_weights *g, int samples, int threads)
{
    const double pixels = (double)samples * g->w.hout * g->w.wout;
    return eex__parts_split(split_cost, g, pixels, samples, g->most_parts, g->tiles, threads);
}

typedef struct weights_job {
    const eex_weights *g;
    const eex_gemm_kernels *kernels;
    const float *x, *dy;
    float *dw; /* where a single part goes */
    eex_parts_split cuts;
    float *copies; /* (threads, x_copy + dy_copy) */
    float *parts;  /* (pixel parts, size), unless all goes straight to dw */
    bool accumulate;
    int samples; /* batch * fold */
} weights_job;

/* Where a block's pixels of x or dy lie: in the tensor, or copied, one strip for each tile. */
typedef struct side {
    const float *at; /* the first pixel */
    ptrdiff_t pixel; /* floats from one to the next, when not copied */
    ptrdiff_t strip; /* floats from one strip to the next; 0: not copied */
} side;

/* Memory that is still to be fetched for the next block. */
typedef struct ahead {
    const float *at, *end;
} ahead;

/* Output pixels in hand: rows [row, row_end) of samples [n, n_end). */
typedef struct block {
    int n, n_end, row, row_end;
    side x, dy;              /* from sample n on */
    ahead ahead_x, ahead_dy; /* what to fetch meanwhile */
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

/* Tile `tile` of dw: row tiles innermost, then taps, then panels. */
typedef struct tile_place {
    int kh, kw;
    int row_tile, row, rows;
    int panel, column, columns;
} tile_place;

static void set_rows(tile_place *p, const eex_weights *g, int row_tile)
{
    p->row_tile = row_tile;
    p->row = (int)((long long)g->w.cin * row_tile / g->row_tiles);
    p->rows = (int)((long long)g->w.cin * (row_tile + 1) / g->row_tiles) - p->row;
}

static void set_columns(tile_place *p, const eex_weights *g, int panel)
{
    p->panel = panel;
    p->column = panel * g->nr;
    p->columns = g->w.cout - p->column < g->nr ? g->w.cout - p->column : g->nr;
}

static tile_place place_of(const eex_weights *g, int tile)
{
    int kernel = g->w.kernel, tap = tile / g->row_tiles % (kernel * kernel);
    tile_place p = {.kh = tap / kernel, .kw = tap % kernel};
    set_rows(&p, g, tile % g->row_tiles);
    set_columns(&p, g, tile / g->row_tiles / (kernel * kernel));
    return p;
}

/* Sets what the kernel reads for a tile; false when its tap meets no pixel of the block. */
static bool set_pixels(eex_gemm_outer *o, const eex_weights *g, const block *b, const tile_place *p)
{
    const eex_window *w = &g->w;
    int h0, h1, w0, w1;
    tap_range(&h0, &h1, w, p->kh, w->hin, b->row, b->row_end);
    tap_range(&w0, &w1, w, p->kw, w->win, 0, w->wout);
    if (h1 <= h0 || w1 <= w0)
        return false;
    ptrdiff_t x = b->x.strip ? strip_width(g, p->rows) : b->x.pixel;
    ptrdiff_t dy = b->dy.strip ? strip_width(g, p->columns) : b->dy.pixel;
    eex_grid grid = {
        .count = {b->n_end - b->n, h1 - h0, w1 - w0},
        .a = {w->hin * w->win * x, w->stride * w->win * x, w->stride * x},
        .b = {w->hout * w->wout * dy, w->wout * dy, dy},
    };
    ptrdiff_t row = h0 * w->stride - w->pad + p->kh, column = w0 * w->stride - w->pad + p->kw;
    o->x = b->x.at + (row * w->win + column) * x;
    o->x += b->x.strip ? p->row_tile * b->x.strip : p->row;
    o->dy = b->dy.at + ((ptrdiff_t)h0 * w->wout + w0) * dy;
    o->dy += b->dy.strip ? p->panel * b->dy.strip : p->column;
    eex__grid_simplify(&grid, 8);
    memcpy(o->count, grid.count, sizeof o->count);
    memcpy(o->x_stride, grid.a, sizeof o->x_stride);
    memcpy(o->dy_stride, grid.b, sizeof o->dy_stride);
    return true;
}

static void clear_tile(const eex_gemm_outer *o)
{
    for (int i = 0; i < o->rows; i++)
        memset(o->w + i * o->w_stride, 0, (size_t)o->columns * sizeof *o->w);
}

/* What to fetch while a block is worked on: the next one's x and then its dy, unless its pixels lie
 * apart. */
static ahead next_x(const weights_job *job, const block *next)
{
    const eex_weights *g = job->g;
    ptrdiff_t sample = (ptrdiff_t)g->x_h * g->x_w * g->w.cin;
    const float *at = job->x + next->n * sample;
    bool apart = g->gather || next->row_end - next->row < g->w.hout;
    return (ahead){at, apart ? at : at + (next->n_end - next->n) * sample};
}

static ahead next_dy(const weights_job *job, const block *next)
{
    const eex_window *w = &job->g->w;
    ptrdiff_t row = (ptrdiff_t)w->wout * w->cout;
    const float *at = job->dy + ((ptrdiff_t)next->n * w->hout + next->row) * row;
    ptrdiff_t rows = (ptrdiff_t)(next->n_end - next->n - 1) * w->hout + next->row_end - next->row;
    return (ahead){at, at + rows * row};
}

/* Gives the kernel two lines for each of its pixels to fetch. */
static void set_ahead(eex_gemm_outer *o, block *b)
{
    ahead *from = b->ahead_x.at < b->ahead_x.end ? &b->ahead_x : &b->ahead_dy;
    o->ahead = from->at;
    if (from->at >= from->end)
        return;
    o->ahead_step = 32;
    from->at += (ptrdiff_t)o->count[0] * o->count[1] * o->count[2] * 32;
}

/* The part of one tile of dw that a block's pixels give: added, or set. */
static void run_tile(const weights_job *job, block *b, float *dw, int tile, bool add)
{
    const eex_weights *g = job->g;
    tile_place p = place_of(g, tile);
    eex_gemm_outer o = {
        .rows = p.rows,
        .columns = p.columns,
        .w =
            dw + ((ptrdiff_t)(p.kh * g->w.kernel + p.kw) * g->w.cin + p.row) * g->w.cout + p.column,
        .w_stride = g->w.cout,
        .add = add,
    };
    if (set_pixels(&o, g, b, &p)) {
        set_ahead(&o, b);
        job->kernels->outer(&o);
    } else if (!add)
        clear_tile(&o);
}

/* Channels [row, row + rows) of the pixels that are seen, into one strip. */
static void copy_strip(const weights_job *job, const block *b, const tile_place *p, float *to)
{
    const eex_weights *g = job->g;
    int pixels = g->w.win, width = strip_width(g, p->rows);
    ptrdiff_t line = (ptrdiff_t)g->x_w * g->w.cin, step = g->x_stride;
    const float *from = b->x.at + p->row;
    if (!g->gather) {
        job->kernels->pack(to, from, g->w.cin, (b->n_end - b->n) * g->x_h * g->x_w, p->rows);
        return;
    }
    for (int n = b->n; n < b->n_end; n++, from += g->x_h * line)
        for (int h = 0; h < g->w.hin; h++, to += (ptrdiff_t)pixels * width)
            job->kernels->pack(to, from + h * step * line, step * g->w.cin, pixels, p->rows);
}

static void copy_x(const weights_job *job, block *b, float *to)
{
    const eex_weights *g = job->g;
    int pixels = (b->n_end - b->n) * g->w.hin * g->w.win;
    ptrdiff_t strip = (ptrdiff_t)pixels * strip_width(g, g->mr);
    for (int i = 0; i < g->row_tiles; i++) {
        tile_place p;
        set_rows(&p, g, i);
        copy_strip(job, b, &p, to + i * strip);
    }
    b->x = (side){.at = to, .strip = strip};
}

static void copy_dy(const weights_job *job, block *b, float *to)
{
    const eex_weights *g = job->g;
    int pixels = (b->n_end - b->n) * g->w.hout * g->w.wout;
    ptrdiff_t strip = (ptrdiff_t)pixels * g->nr;
    for (int i = 0; i < g->panels; i++) {
        tile_place p;
        set_columns(&p, g, i);
        job->kernels->pack(to + i * strip, b->dy.at + p.column, g->w.cout, pixels, p.columns);
    }
    b->dy = (side){.at = to, .strip = strip};
}

static void open_block(const weights_job *job, block *b, int thread)
{
    const eex_weights *g = job->g;
    const eex_window *w = &g->w;
    float *copies = job->copies + thread * (g->x_copy + g->dy_copy);
    ptrdiff_t x = (ptrdiff_t)g->x_h * g->x_w * w->cin, dy = (ptrdiff_t)w->hout * w->wout * w->cout;
    b->x = (side){.at = job->x + b->n * x, .pixel = w->cin};
    b->dy = (side){.at = job->dy + b->n * dy, .pixel = w->cout};
    if (g->copy_x)
        copy_x(job, b, copies);
    if (g->copy_dy)
        copy_dy(job, b, copies + g->x_copy);
}

/* The block after b among samples up to n_end; false when there is none. */
static bool block_next(block *b, const eex_weights *g, int n_end)
{
    const eex_window *w = &g->w;
    bool within = b->row_end < w->hout;
    if (!within && b->n_end >= n_end)
        return false;
    if (!within) {
        b->n = b->n_end;
        b->n_end = n_end - b->n < g->block_samples ? n_end : b->n + g->block_samples;
    }
    b->row = within ? b->row_end : 0;
    b->row_end = w->hout - b->row < g->block_rows ? w->hout : b->row + g->block_rows;
    return true;
}

static void weights_part(void *ctx, const eex_part *part)
{
    const weights_job *job = ctx;
    const eex_weights *g = job->g;
    const eex_parts_split s = job->cuts;
    int n, n_end, begin, end, share = part->index / s.tiles;
    eex_pool_share(&n, &n_end, job->samples, 1, share, s.pixels);
    eex_pool_share(&begin, &end, g->tiles, 1, part->index % s.tiles, s.tiles);
    bool direct = s.pixels == 1, add = direct && job->accumulate;
    float *dw = direct ? job->dw : job->parts + (size_t)share * g->size;
    for (block b = {.n_end = n, .row_end = g->w.hout}; block_next(&b, g, n_end); add = true) {
        open_block(job, &b, part->thread);
        block next = b;
        bool more = block_next(&next, g, n_end);
        b.ahead_x = more ? next_x(job, &next) : (ahead){job->x, job->x};
        b.ahead_dy = more ? next_dy(job, &next) : (ahead){job->dy, job->dy};
        for (int tile = begin; tile < end; tile++)
            run_tile(job, &b, dw, tile, add);
    }
}

typedef struct bias_job {
    const eex_gemm_kernels *kernels;
    const eex_op_conv_bwd_weights *op;
    int rows;
} bias_job;

static void bias_part(void *ctx, const eex_part *part)
{
    const bias_job *job = ctx;
    const eex_op_conv_bwd_weights *op = job->op;
    int begin, end, c = op->window.cout;
    eex_pool_share(&begin, &end, c, BIAS_GRAIN, part->index, part->count);
    job->kernels->column_sums(op->dbias + begin, op->dy + begin, c, job->rows, end - begin,
                              op->accumulate);
}

void eex__bias_run(eex_cpu *cpu, const eex_op_conv_bwd_weights *op, int batch)
{
    bias_job job = {cpu->kernels->gemm, op, batch * op->window.hout * op->window.wout};
    eex__cpu_parallel(cpu, (double)job.rows * op->window.cout / 4, bias_part, &job);
}

int eex__weights_run(eex_cpu *cpu, eex_weights *g, const eex_op_conv_bwd_weights *op, int batch)
{
    weights_job job = {
        .g = g,
        .kernels = cpu->kernels->gemm,
        .x = op->x,
        .dy = op->dy,
        .dw = op->dw,
        .copies = cpu->scratch,
        .parts = (float *)cpu->scratch + g->threads * (g->x_copy + g->dy_copy),
        .accumulate = op->accumulate,
        .samples = batch * g->fold,
    };
    double pixels = (double)job.samples * g->w.hout * g->w.wout;
    const double work = pixels * g->size / 40;
    const int width = eex__cpu_width(cpu, work);
    const eex_parts_split s = job.cuts = choose_split(g, job.samples, width);
    eex__cpu_parts(cpu, width, s.pixels * s.tiles, weights_part, &job);
    if (s.pixels > 1)
        eex__parts_add(cpu, op->dw, job.parts, g->size, s.pixels, op->accumulate);
    return EEX_OK;
}
