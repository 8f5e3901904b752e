#include "cpu/conv_geometry.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double count_macs(const eex_geometry *g)
{
    double macs = 0;
    for (int ch = 0; ch < g->h.classes; ch++)
        for (int cw = 0; cw < g->w.classes; cw++) {
            const eex_axis_class *h = &g->h.class[ch], *w = &g->w.class[cw];
            macs += (double)h->taps * w->taps * g->in_c * h->count * w->count * g->out_c * g->fold;
        }
    return macs;
}

int eex__geometry_set(eex_geometry *g, const eex_window *window, bool backward)
{
    eex_window v = *window;
    *g = (eex_geometry){.fold = 1, .kernel = v.kernel, .backward = backward};
    if (v.kernel == 1 && v.stride == 1 && v.pad == 0) {
        g->fold = v.hin * v.win;
        v.hin = v.win = v.hout = v.wout = 1;
    }
    g->in_h = backward ? v.hout : v.hin;
    g->in_w = backward ? v.wout : v.win;
    g->in_c = backward ? v.cout : v.cin;
    g->out_h = backward ? v.hin : v.hout;
    g->out_w = backward ? v.win : v.wout;
    g->out_c = backward ? v.cin : v.cout;
    int (*axis)(eex_axis *, int, int, int, int, int) =
        backward ? eex__axis_backward : eex__axis_forward;
    EEX_TRY(axis(&g->h, v.hin, v.hout, v.kernel, v.stride, v.pad));
    EEX_TRY(axis(&g->w, v.win, v.wout, v.kernel, v.stride, v.pad));
    g->macs = count_macs(g);
    return EEX_OK;
}

void eex__geometry_free(eex_geometry *g)
{
    eex__axis_free(&g->h);
    eex__axis_free(&g->w);
}

static void fill_class(eex_segments *out, const eex_geometry *g, int ch, int cw, int channels,
                       ptrdiff_t line)
{
    const eex_axis_class *h = &g->h.class[ch], *w = &g->w.class[cw];
    eex_gemm_segment *s = eex__segments_of(out, ch, cw);
    const int k = w->taps * channels;
    for (int t = 0; t < h->taps; t++)
        s[t] = (eex_gemm_segment){
            .a = t * (line ? line : k),
            .b = ((h->tap + t) * g->kernel + w->tap) * channels,
            .k = k,
        };
    if (h->taps * k > out->longest)
        out->longest = h->taps * k;
}

int eex__segments_new(eex_segments *out, const eex_geometry *g, int channels, ptrdiff_t line)
{
    *out = (eex_segments){.classes = g->w.classes, .kernel = g->kernel};
    out->of = calloc((size_t)g->h.classes * g->w.classes * g->kernel, sizeof *out->of);
    if (!out->of)
        return eex_fail(EEX_ENOMEM, "convolution: no memory for its segments");
    for (int ch = 0; ch < g->h.classes; ch++)
        for (int cw = 0; cw < g->w.classes; cw++)
            fill_class(out, g, ch, cw, channels, line);
    return EEX_OK;
}

void eex__segments_free(eex_segments *s)
{
    free(s->of);
    *s = (eex_segments){0};
}

eex_split eex__split_choose(eex_split_cost *cost, const void *ctx, double rows, int panels,
                            int threads)
{
    eex_split best = {threads, 1};
    double least = cost(ctx, rows, best);
    for (int p = 2; p <= threads && p <= panels; p++) {
        eex_split s = {threads / p, p};
        double c = cost(ctx, rows, s);
        if (c < least) {
            best = s;
            least = c;
        }
    }
    return best;
}

eex_cuts eex__cuts_of(eex_split split, int each, double rows, double least, int panels)
{
    const double bears = rows / split.rows / least;
    const int deep = bears < 1 ? 1 : bears < each ? (int)bears : each;
    int wide = each / deep, most = panels / split.panels;
    wide = wide < most ? wide : most;
    wide = wide < 1 ? 1 : wide;
    return (eex_cuts){split.rows * deep, split.panels * wide, deep, wide};
}

eex_cuts eex__cuts_of_sums(eex_split_cost *cost, const void *ctx, double rows, int panels, int sums,
                           int threads)
{
    int best = 1;
    double least = INFINITY;
    for (int p = 1; p <= threads && p <= panels; p++) {
        const int turns = (sums * p + threads - 1) / threads;
        const double c = turns * cost(ctx, rows, (eex_split){sums, p});
        if (c < least) {
            best = p;
            least = c;
        }
    }
    return (eex_cuts){sums, best, 1, 1};
}

void eex__stats_reduce(double *to, const double *parts, int count, size_t n)
{
    memcpy(to, parts, n * sizeof *to);
    for (int p = 1; p < count; p++)
        for (size_t i = 0; i < n; i++)
            to[i] += parts[p * n + i];
}
