/* For each tap, dw (cin, cout) is the transpose of the pixels of x that it meets times those of dy.
 * A block of dy's pixels is packed once, x's channels are transposed a tile of rows at a time. */
#include "cpu/conv_bf16.h"
#include "cpu/conv_weights.h"
#include "cpu/kernels/bf16/bf16.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ABOUT_THE_SAME 1.02

enum {
    CUTS_EACH = 4, /* most parts for a thread where there is one part of the pixels */
    /* Packed elements of dy that stay in the second-level cache while all tiles pass. */
    BLOCK_ELEMENTS = 512 * 1024,
    LEAST_PIXELS = 128, /* of a block, and the most; multiples of the chunk */
    MOST_PIXELS = 1024,
    LINE = 64 / sizeof(eex_bf16),
    TILE_FLOATS = EEX_BF16_ROWS * EEX_BF16_COLUMNS,
    /* Most floats of all partial sums together, and the fewest pixels of one: adding them up costs
     * one or two hundredths of the products then. */
    PARTS_FLOATS = 256 * 1024,
    PART_PIXELS = 2048
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
    g->most_parts = eex__cpu_sums(PARTS_FLOATS, g->size);
    g->block = BLOCK_ELEMENTS / columns / EEX_BF16_CHUNK * EEX_BF16_CHUNK;
    g->block = g->block < LEAST_PIXELS ? LEAST_PIXELS : g->block;
    g->block = g->block > MOST_PIXELS ? MOST_PIXELS : g->block;
    g->lda = (g->block / LINE | 1) * LINE;
    g->thread_bytes =
        TILE_FLOATS * sizeof(float) +
        ((size_t)EEX_BF16_ROWS * g->lda + (size_t)g->block * columns) * sizeof(eex_bf16);
    size_t parts = g->most_parts > 1 ? (size_t)g->most_parts * g->size * sizeof(float) : 0;
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

/* How many ways the pixels and the tiles of dw are divided: pixels * tiles parts. */
typedef struct split {
    int pixels, tiles;
} split;

/* Cycles of one part: packing dy, transposing x, products and adding them to dw for each
 * block, and adding up partial sums. */
static double split_cost(const eex_bf16_weights *g, double pixels, split s)
{
    double mine = ceil(pixels / s.pixels), tiles = ceil((double)g->tiles / s.tiles);
    double columns = (double)g->panels * EEX_BF16_COLUMNS;
    double blocks = ceil(mine / g->block);
    double parts = s.pixels > 1 ? (double)g->size / 16 * 6 : 0;
    return mine * (columns / 8 + tiles * (columns / 12 + 8)) + blocks * tiles * g->panels * 200 +
           parts;
}

/* Sums depend on the cuts of the pixels, which are those of the shape; the tiles are cut for
 * `threads`. Of cuts that cost about the same the finest: other threads may take over more. */
static split choose_split(const eex_bf16_weights *g, int pixels, int threads)
{
    int sums = eex__cpu_sums(pixels, PART_PIXELS);
    sums = sums < g->most_parts ? sums : g->most_parts;
    split best = {sums, 1};
    double least = INFINITY;
    int most = threads == 1 ? 1 : threads * CUTS_EACH;
    most = most < g->tiles ? most : g->tiles;
    for (int tiles = 1; tiles <= most && sums * tiles <= EEX_POOL_PARTS; tiles++) {
        const int turns = (sums * tiles + threads - 1) / threads;
        const double cost = turns * split_cost(g, pixels, (split){sums, tiles});
        if (cost > ABOUT_THE_SAME * least)
            continue;
        best.tiles = tiles;
        least = cost < least ? cost : least;
    }
    return best;
}

typedef struct weights_job {
    const eex_bf16_weights *g;
    const eex_bf16_kernels *kernels;
    const eex_op_conv_bwd_weights *op;
    int pixels; /* of the batch */
    split cuts;
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
    const split s = job->cuts;
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
    const split s = job.cuts = choose_split(g, job.pixels, width);
    eex__cpu_parts(cpu, width, s.pixels * s.tiles, weights_part, &job);
    if (s.pixels > 1)
        eex__parts_add(cpu, op->dw, job.parts, g->size, s.pixels, op->accumulate);
    return EEX_OK;
}
