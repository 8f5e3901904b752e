/* What a dense convolution and its gradient for the data have in common: rows that gather.
 *
 * The result's rows are pixels, its columns channels. Rows are taken class by class (conv_axis.h),
 * so that all rows of a class use the same taps: one run of operand pixels a kernel row. */
#ifndef EEX_CPU_CONV_GEOMETRY_H
#define EEX_CPU_CONV_GEOMETRY_H

#include "cpu/conv_axis.h"
#include "cpu/kernels/gemm.h"

#include <stddef.h>

typedef struct eex_geometry {
    int fold; /* pixels of a sample that are samples to us: all of them when kernel is 1x1 */
    int in_h, in_w, in_c;    /* operand: x forward, dy backward */
    int out_h, out_w, out_c; /* result: y forward, dx backward */
    int kernel;
    bool backward;
    eex_axis h, w;
    double macs; /* of one sample, without padding */
} eex_geometry;

int eex__geometry_set(eex_geometry *g, const eex_window *window, bool backward);
void eex__geometry_free(eex_geometry *g);

/* Kernel rows, and taps in each, of class (ch, cw); both 0 when nothing meets it. */
static inline int eex__geometry_rows(const eex_geometry *g, int ch, int cw)
{
    return g->w.class[cw].taps > 0 ? g->h.class[ch].taps : 0;
}

/* The tap at the packed position (ph, pw) of HWIO weights: (cin, cout). */
static inline const float *eex__geometry_tap(const eex_geometry *g, const float *w, int ph, int pw)
{
    ptrdiff_t tap = (ptrdiff_t)g->h.order[ph] * g->kernel + g->w.order[pw];
    return w + tap * g->in_c * g->out_c;
}

/* The rows of one class: pixel (jh, jw) of sample n, samples outermost. */
typedef struct eex_rows {
    const eex_geometry *g;
    const eex_axis_class *h, *w;
    int n, jh, jw;
} eex_rows;

static inline eex_rows eex__rows_at(const eex_geometry *g, int ch, int cw, long long row)
{
    eex_rows r = {.g = g, .h = &g->h.class[ch], .w = &g->w.class[cw]};
    r.jw = (int)(row % r.w->count);
    row /= r.w->count;
    r.jh = (int)(row % r.h->count);
    r.n = (int)(row / r.h->count);
    return r;
}

static inline void eex__rows_step(eex_rows *r)
{
    if (++r->jw < r->w->count)
        return;
    r->jw = 0;
    if (++r->jh < r->h->count)
        return;
    r->jh = 0;
    r->n++;
}

/* Where in the operand the row's first tap is, and where its result goes, in elements. */
static inline ptrdiff_t eex__rows_in(const eex_rows *r)
{
    const eex_geometry *g = r->g;
    int h = r->h->in + r->jh * r->h->in_step, w = r->w->in + r->jw * r->w->in_step;
    return (((ptrdiff_t)r->n * g->in_h + h) * g->in_w + w) * g->in_c;
}

static inline ptrdiff_t eex__rows_out(const eex_rows *r)
{
    const eex_geometry *g = r->g;
    int h = r->h->out + r->jh * r->h->out_step, w = r->w->out + r->jw * r->w->out_step;
    return (((ptrdiff_t)r->n * g->out_h + h) * g->out_w + w) * g->out_c;
}

/* The products of each class, one a kernel row. */
typedef struct eex_segments {
    eex_gemm_segment *of; /* (h.classes, w.classes, kernel) */
    int classes, kernel;  /* along w; of each pair of classes */
    int longest;          /* most elements of a row that one pair of classes uses */
} eex_segments;

/* Segments for taps of `channels` elements. `line`: elements of the operand from one kernel row to
 * the next; 0: a row's segments lie one behind the other. */
int eex__segments_new(eex_segments *out, const eex_geometry *g, int channels, ptrdiff_t line);
void eex__segments_free(eex_segments *s);

static inline eex_gemm_segment *eex__segments_of(const eex_segments *s, int ch, int cw)
{
    return s->of + ((size_t)ch * s->classes + cw) * s->kernel;
}

/* How many ways rows and panels of columns are divided among threads. */
typedef struct eex_split {
    int rows, panels;
} eex_split;

/* What sharing out panels costs beside: every thread reads all operand rows, and most of them lie
 * in the caches of other cores, which wrote them. In cycles, for rows of `floats` numbers. */
static inline double eex__split_exchange(double rows, double floats, eex_split s)
{
    const double cycles_a_line = 40;
    return s.panels > 1 ? rows / s.rows * (1 - 1.0 / s.panels) * floats / 16 * cycles_a_line : 0;
}

/* The division with the least cost, which is that of the busiest thread, for `rows` rows. */
typedef double eex_split_cost(const void *ctx, double rows, eex_split split);
eex_split eex__split_choose(eex_split_cost *cost, const void *ctx, double rows, int panels,
                            int threads);

/* How rows and panels are cut into the parts of a job: rows * panels of them. A thread's share of
 * the split is `deep` row cuts by `wide` panel cuts of parts side by side, rows innermost, so that
 * panels which it has prepared serve several parts. */
typedef struct eex_cuts {
    int rows, panels; /* cuts of each */
    int deep, wide;   /* ... in one share */
} eex_cuts;

/* Cuts each share of a split in up to `each` parts: by rows as long as a part keeps `least` of
 * them, then by panels. */
eex_cuts eex__cuts_of(eex_split split, int each, double rows, double least, int panels);

/* The cuts of a job whose rows are summed up in `sums` parts, with the least cost for `threads`. */
eex_cuts eex__cuts_of_sums(eex_split_cost *cost, const void *ctx, double rows, int panels, int sums,
                           int threads);

typedef struct eex_cut {
    int row, panel;
} eex_cut;

static inline eex_cut eex__cut_at(eex_cuts c, int part)
{
    const int size = c.deep * c.wide, share = part / size, in = part % size;
    const int across = c.panels / c.wide;
    return (eex_cut){share / across * c.deep + in % c.deep, share % across * c.wide + in / c.deep};
}

/* Rows [*begin, *end) of `total` that are cut `cut` of `cuts`, in multiples of `grain`. */
static inline void eex__cut_rows(long long *begin, long long *end, long long total, int grain,
                                 int cut, int cuts)
{
    const long long units = (total + grain - 1) / grain;
    const long long first = units * cut / cuts * grain, last = units * (cut + 1) / cuts * grain;
    *begin = first < total ? first : total;
    *end = last < total ? last : total;
}

/* to[i] = the sum of parts[p * n + i] over the parts, in their order. */
void eex__stats_reduce(double *to, const double *parts, int count, size_t n);

#endif
