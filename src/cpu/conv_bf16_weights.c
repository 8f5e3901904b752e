/* For each tap, dw (cin, cout) is the transpose of the pixels of x that it meets times those of dy.
 * A block of dy's pixels is packed once, x's channels are transposed a tile of rows at a time. */
#include "cpu/conv_bf16.h"
#include "cpu/conv_parts.h"
#include "cpu/kernels/bf16/bf16.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>

enum {
    /* Packed elements of dy that stay in the second-level cache while all tiles pass. */
    BLOCK_ELEMENTS = 512 * 1024,
    LEAST_PIXELS = 128, /* of a block, and the most; multiples of the chunk */
    MOST_PIXELS = 1024,
    LINE = 64 / sizeof(eex_bf16),
    TILE_FLOATS = EEX_BF16_ROWS * EEX_BF16_COLUMNS
};

struct eex_bf16_weights {
    eex_window w;
    int row_tiles, panels; /* of one tap */
    int tiles;             /* taps * row_tiles, each with all its panels */
    int size;              /* floats of dw */
    int block;             /* pixels */
    ptrdiff_t lda;         /* of the transposed x */
    size_t thread_bytes;
    int most_parts;
    int threads;
};

static int whole(int n, int of)
{
    return (n + of - 1) / of * of;
}

int eex__bf16_weights_new(eex_bf16_weights **out, eex_cpu *cpu, const eex_window *window)
{
    *out = NULL;
    eex_bf16_weights *g = calloc(1, sizeof *g);
    if (!g)
        return eex_fail(EEX_ENOMEM, "gradient of convolution weights: no memory");
    const int columns = whole(window->cout, EEX_BF16_COLUMNS);
    g->w = *window;
    g->row_tiles = whole(window->cin, EEX_BF16_ROWS) / EEX_BF16_ROWS;
    g->panels = columns / EEX_BF16_COLUMNS;
    g->tiles = window->kernel * window->kernel * g->row_tiles;
    g->size = window->kernel * window->kernel * window->cin * window->cout;
    g->threads = eex_pool_threads(cpu->pool);
    g->most_parts = eex__parts_most(g->size);
    g->block = BLOCK_ELEMENTS / columns / EEX_BF16_CHUNK * EEX_BF16_CHUNK;
    g->block = g->block < LEAST_PIXELS ? LEAST_PIXELS : g->block;
    g->block = g->block > MOST_PIXELS ? MOST_PIXELS : g->block;
    g->lda = (g->block / LINE | 1) * LINE;
    g->thread_bytes =
        TILE_FLOATS * sizeof(float) +
        ((size_t)EEX_BF16_ROWS * g->lda + (size_t)g->block * columns) * sizeof(eex_bf16);
    size_t parts = eex__parts_floats(g->size, g->most_parts) * sizeof(float);
    int status = eex__cpu_reserve(cpu, g->threads * g->thread_bytes + parts);
    if (status < 0) {
        free(g);
        return status;
    }
    *out = g;
    return EEX_OK;
}

void eex__bf16_weights_free(eex_bf16_weights *g)
{
    free(g);
}

/* Cycles of one part: packing dy, transposing x, products and adding them to dw for each
 * block, and adding up partial sums. */
static double split_cost(const void *ctx, double pixels, eex_parts_split s)
{
    const eex_bf16_weights *g = ctx;
    double mine = ceil(pixels / s.pixels), tiles = ceil((double)g->tiles / s.tiles);
    double columns = (double)g->panels * EEX_BF16_COLUMNS;
    double blocks = ceil(mine / g->block);
    return mine * (columns / 8 + tiles * (columns / 12 + 8)) + blocks * tiles * g->panels * 200 +
           eex__parts_add_cost(g->size, s);
}

/* A part may be without pixels. */
static eex_parts_split choose_split(const eex_bf16_weights *g, int pixels, int threads)
{
    return eex__parts_split(split_cost, g, pixels, pixels, g->most_parts, g->tiles, threads);
}

typedef struct weights_job {
    const eex_bf16_weights *g;
    const eex_bf16_kernels *kernels;
    const eex_op_conv_bwd_weights *op;
    int pixels; /* of the batch */
    eex_parts_split cuts;
    char *scratch; /* (threads, thread_bytes) */
    float *parts;  /* (pixel parts, size), unless all goes straight to dw */
} weights_job;

/* One part of a job, in the hands of a thread, and the block of pixels in hand. */
typedef struct worker {
    const weights_job *job;
    float *dw;
    float *c;
    eex_bf16 *x;  /* (ROWS, lda) */
    eex_bf16 *dy; /* (panels, block, COLUMNS) */
    int first, count;
    int padded; /* count, and up to a whole chunk: those pixels are zeros */
    bool add;   /* to what dw holds */
} worker;

static int panel_columns(const eex_bf16_weights *g, int panel)
{
    int left = g->w.cout - panel * EEX_BF16_COLUMNS;
    return left < EEX_BF16_COLUMNS ? left : EEX_BF16_COLUMNS;
}

static int panel_width(const eex_bf16_weights *g, int panel)
{
    return panel_columns(g, panel) > 16 ? 32 : 16;
}

/* The pixels of dy in hand; NULL behind their end. */
static void find_rows(const worker *k, const float **at)
{
    const int c = k->job->g->w.cout;
    const float *dy = k->job->op->dy + (ptrdiff_t)k->first * c;
    for (int p = 0; p < k->padded; p++)
        at[p] = p < k->count ? dy + (ptrdiff_t)p * c : NULL;
}

/* The chunk behind the one at p, or NULL. */
static const float *const *next_chunk(const worker *k, const float *const *at, int p)
{
    return p + EEX_BF16_CHUNK < k->padded ? at + p + EEX_BF16_CHUNK : NULL;
}

static void pack_dy(const worker *k)
{
    const eex_bf16_weights *g = k->job->g;
    const float *at[MOST_PIXELS];
    find_rows(k, at);
    for (int p = 0; p < k->padded; p += EEX_BF16_CHUNK)
        for (int panel = 0; panel < g->panels; panel++) {
            const int width = panel_width(g, panel);
            eex_bf16 *to = k->dy + (ptrdiff_t)panel * g->block * EEX_BF16_COLUMNS;
            k->job->kernels->pack(to + (ptrdiff_t)p * width, at + p, next_chunk(k, at, p),
                                  panel * EEX_BF16_COLUMNS, panel_columns(g, panel), width);
        }
}

/* The pixels of x that a tap meets at the block's pixels; NULL beside the image. */
static void find_pixels(const worker *k, const float **at, int tap)
{
    const eex_window *w = &k->job->g->w;
    const int kh = tap / w->kernel - w->pad, kw = tap % w->kernel - w->pad;
    int column = k->first % w->wout, row = k->first / w->wout % w->hout;
    const ptrdiff_t sample = (ptrdiff_t)w->hin * w->win * w->cin;
    const float *x = k->job->op->x + k->first / (w->wout * w->hout) * sample;
    for (int p = 0; p < k->padded; p++) {
        const int h = row * w->stride + kh, v = column * w->stride + kw;
        const bool there = p < k->count && h >= 0 && h < w->hin && v >= 0 && v < w->win;
        at[p] = there ? x + ((ptrdiff_t)h * w->win + v) * w->cin : NULL;
        if (++column < w->wout)
            continue;
        column = 0;
        if (++row < w->hout)
            continue;
        row = 0;
        x += sample;
    }
}

/* A tile of rows of one tap, all its panels. */
static void run_tile(const worker *k, const float *const *at, int tap, int row)
{
    const eex_bf16_weights *g = k->job->g;
    const eex_bf16_kernels *kernels = k->job->kernels;
    const int rows = g->w.cin - row < EEX_BF16_ROWS ? g->w.cin - row : EEX_BF16_ROWS;
    for (int p = 0; p < k->padded; p += EEX_BF16_CHUNK)
        kernels->transpose(k->x + p, g->lda, at + p, next_chunk(k, at, p), row, rows);
    const eex_gemm_segment whole_block = {.k = k->padded};
    float *dw = k->dw + ((ptrdiff_t)tap * g->w.cin + row) * g->w.cout;
    for (int panel = 0; panel < g->panels; panel++) {
        const eex_bf16_product product = {
            .rows = rows,
            .width = panel_width(g, panel),
            .segments = 1,
            .segment = &whole_block,
            .a = k->x,
            .lda = g->lda,
            .b = k->dy + (ptrdiff_t)panel * g->block * EEX_BF16_COLUMNS,
            .c = k->c,
        };
        kernels->multiply(&product);
        kernels->add(dw + panel * EEX_BF16_COLUMNS, g->w.cout, k->c, rows, panel_columns(g, panel),
                     k->add);
    }
}

/* Tiles [begin, end) for the pixels in hand. */
static void run_tiles(const worker *k, int begin, int end)
{
    const eex_bf16_weights *g = k->job->g;
    const float *at[MOST_PIXELS];
    int found = -1;
    for (int tile = begin; tile < end; tile++) {
        const int tap = tile / g->row_tiles;
        if (tap != found)
            find_pixels(k, at, tap);
        found = tap;
        run_tile(k, at, tap, tile % g->row_tiles * EEX_BF16_ROWS);
    }
}

static void weights_part(void *ctx, const eex_part *part)
{
    const weights_job *job = ctx;
    const eex_bf16_weights *g = job->g;
    const eex_parts_split s = job->cuts;
    const int share = part->index / s.tiles;
    int pixel, pixel_end, begin, end;
    eex_pool_share(&pixel, &pixel_end, job->pixels, EEX_BF16_CHUNK, share, s.pixels);
    eex_pool_share(&begin, &end, g->tiles, 1, part->index % s.tiles, s.tiles);
    const bool direct = s.pixels == 1;
    worker k = {.job = job, .add = direct && job->op->accumulate};
    k.dw = direct ? job->op->dw : job->parts + (size_t)share * g->size;
    k.c = (float *)(job->scratch + part->thread * g->thread_bytes);
    k.x = (eex_bf16 *)(k.c + TILE_FLOATS);
    k.dy = k.x + EEX_BF16_ROWS * g->lda;
    job->kernels->begin();
    /* At least one block, if only of zeros, so that every partial sum is written. */
    do {
        k.first = pixel;
        k.count = pixel_end - pixel < g->block ? pixel_end - pixel : g->block;
        k.padded = whole(k.count, EEX_BF16_CHUNK);
        pack_dy(&k);
        run_tiles(&k, begin, end);
        k.add = true;
        pixel += k.count;
    } while (pixel < pixel_end);
    job->kernels->end();
}

int eex__bf16_weights_run(eex_cpu *cpu, eex_bf16_weights *g, const eex_op_conv_bwd_weights *op,
                          int batch)
{
    weights_job job = {
        .g = g,
        .kernels = cpu->bf16,
        .op = op,
        .pixels = batch * g->w.hout * g->w.wout,
        .scratch = cpu->scratch,
        .parts = (float *)((char *)cpu->scratch + g->threads * g->thread_bytes),
    };
    const double work = (double)job.pixels * g->size / 200;
    const int width = eex__cpu_width(cpu, work);
    const eex_parts_split s = job.cuts = choose_split(g, job.pixels, width);
    eex__cpu_parts(cpu, width, s.pixels * s.tiles, weights_part, &job);
    if (s.pixels > 1)
        eex__parts_add(cpu, op->dw, job.parts, g->size, s.pixels, op->accumulate);
    return EEX_OK;
}
