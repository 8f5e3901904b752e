#include "cpu/kernels/window.h"

#include "cpu/kernels/act.h"
#include "cpu/kernels/kernels.h"

#include <math.h>

enum {
    VECTORS = 4,                 /* of channels at a time, in registers */
    COLUMNS = VECTORS * V_WIDTH, /* the same in channels */
    BLOCK = 32                   /* pixels summed before they are added to the total */
};

/* The part of a window that lies on the image: rows y0..y1-1, columns x0..x1-1. */
typedef struct patch {
    int y0, y1, x0, x1;
} patch;

static int clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

static patch patch_at(const eex_window *w, int row, int column)
{
    int y = row * w->stride - w->pad, x = column * w->stride - w->pad;
    return (patch){clamp(y, 0, w->hin), clamp(y + w->kernel, 0, w->hin), clamp(x, 0, w->win),
                   clamp(x + w->kernel, 0, w->win)};
}

static size_t pixel(const eex_window *w, int y, int x)
{
    return ((size_t)y * (size_t)w->win + (size_t)x) * (size_t)w->cin;
}

/* -1 where `value` takes the maximum's place: it is larger, or the first NaN. */
V_INLINE vec_int beats(vec value, vec best)
{
    return (~(value <= best)) & (best == best); /* NOLINT(misc-redundant-expression): NaN */
}

static int lanes_at(int j, int n)
{
    return n - j < V_WIDTH ? n - j : V_WIDTH;
}

/* `vectors` vectors of channels at a time; more than one only where all are full. */
V_INLINE void max_strip(float *y, const float *x, const eex_window *w, patch p, const int vectors,
                        const int lanes)
{
    vec best[VECTORS];
    for (int v = 0; v < vectors; v++)
        best[v] = v_set(-INFINITY);
    for (int iy = p.y0; iy < p.y1; iy++) {
        const float *from = x + pixel(w, iy, p.x0);
        for (int ix = p.x0; ix < p.x1; ix++, from += w->cin)
            for (int v = 0; v < vectors; v++) {
                vec value = v_load_n(from + v * V_WIDTH, lanes);
                best[v] = v_pick(beats(value, best[v]), value, best[v]);
            }
    }
    for (int v = 0; v < vectors; v++)
        v_store_n(y + v * V_WIDTH, best[v], lanes);
}

static void max(float *y, const float *x, const eex_window *w, int row0, int row1)
{
    y += (size_t)row0 * (size_t)w->wout * (size_t)w->cin;
    for (int oy = row0; oy < row1; oy++)
        for (int ox = 0; ox < w->wout; ox++, y += w->cin) {
            patch p = patch_at(w, oy, ox);
            int j = 0;
            for (; j + COLUMNS <= w->cin; j += COLUMNS)
                max_strip(y + j, x + j, w, p, VECTORS, V_WIDTH);
            for (; j + V_WIDTH <= w->cin; j += V_WIDTH)
                max_strip(y + j, x + j, w, p, 1, V_WIDTH);
            if (j < w->cin)
                max_strip(y + j, x + j, w, p, 1, w->cin - j);
        }
}

/* Finds the maximum's place by number, then passes over the window again. */
V_INLINE void max_bwd_strip(float *dx, const float *dy, const float *x, const eex_window *w,
                            patch p, const int vectors, const int lanes)
{
    vec best[VECTORS], d[VECTORS];
    vec_int place[VECTORS], here = {0};
    for (int v = 0; v < vectors; v++) {
        best[v] = v_set(-INFINITY);
        place[v] = here;
        d[v] = v_load_n(dy + v * V_WIDTH, lanes);
    }
    for (int iy = p.y0; iy < p.y1; iy++) {
        const float *from = x + pixel(w, iy, p.x0);
        for (int ix = p.x0; ix < p.x1; ix++, from += w->cin, here += 1)
            for (int v = 0; v < vectors; v++) {
                vec value = v_load_n(from + v * V_WIDTH, lanes);
                vec_int wins = beats(value, best[v]);
                best[v] = v_pick(wins, value, best[v]);
                place[v] = (here & wins) | (place[v] & ~wins);
            }
    }
    here = (vec_int){0};
    for (int iy = p.y0; iy < p.y1; iy++) {
        float *to = dx + pixel(w, iy, p.x0);
        for (int ix = p.x0; ix < p.x1; ix++, to += w->cin, here += 1)
            for (int v = 0; v < vectors; v++) {
                vec sum = v_load_n(to + v * V_WIDTH, lanes) + v_and(d[v], here == place[v]);
                v_store_n(to + v * V_WIDTH, sum, lanes);
            }
    }
}

static void max_bwd(float *dx, const float *dy, const float *x, const eex_window *w)
{
    for (int oy = 0; oy < w->hout; oy++)
        for (int ox = 0; ox < w->wout; ox++, dy += w->cin) {
            patch p = patch_at(w, oy, ox);
            int j = 0;
            for (; j + COLUMNS <= w->cin; j += COLUMNS)
                max_bwd_strip(dx + j, dy + j, x + j, w, p, VECTORS, V_WIDTH);
            for (; j + V_WIDTH <= w->cin; j += V_WIDTH)
                max_bwd_strip(dx + j, dy + j, x + j, w, p, 1, V_WIDTH);
            if (j < w->cin)
                max_bwd_strip(dx + j, dy + j, x + j, w, p, 1, w->cin - j);
        }
}

/* Means of `vectors` vectors of channels, kept in registers over a block of pixels. */
V_INLINE void mean_strip(float *y, const float *x, int hw, int c, float scale, const int vectors,
                         const int lanes)
{
    vec total[VECTORS] = {{0}};
    for (int r = 0; r < hw; r += BLOCK) {
        vec part[VECTORS] = {{0}};
        int end = hw - r < BLOCK ? hw : r + BLOCK;
        for (int i = r; i < end; i++)
            for (int v = 0; v < vectors; v++)
                part[v] += v_load_n(x + (size_t)i * (size_t)c + v * V_WIDTH, lanes);
        for (int v = 0; v < vectors; v++)
            total[v] += part[v];
    }
    for (int v = 0; v < vectors; v++)
        v_store_n(y + v * V_WIDTH, total[v] * v_set(scale), lanes);
}

static void mean(float *y, const float *x, int hw, int c)
{
    float scale = 1.0f / (float)hw;
    int j = 0;
    for (; j + COLUMNS <= c; j += COLUMNS)
        mean_strip(y + j, x + j, hw, c, scale, VECTORS, V_WIDTH);
    for (; j + 2 * V_WIDTH <= c; j += 2 * V_WIDTH)
        mean_strip(y + j, x + j, hw, c, scale, 2, V_WIDTH);
    for (; j < c; j += V_WIDTH)
        mean_strip(y + j, x + j, hw, c, scale, 1, lanes_at(j, c));
}

static void mean_bwd(float *dx, const float *dy, int hw, int c, bool accumulate)
{
    vec scale = v_set(1.0f / (float)hw);
    for (int i = 0; i < hw; i++, dx += c)
        for (int j = 0; j < c; j += V_WIDTH) {
            int lanes = lanes_at(j, c);
            vec d = v_load_n(dy + j, lanes) * scale;
            v_store_n(dx + j, accumulate ? v_load_n(dx + j, lanes) + d : d, lanes);
        }
}

extern const eex_window_kernels EEX_KERNEL(eex__window_kernels);
const eex_window_kernels EEX_KERNEL(eex__window_kernels) = {
    .max = max,
    .max_bwd = max_bwd,
    .mean = mean,
    .mean_bwd = mean_bwd,
};
