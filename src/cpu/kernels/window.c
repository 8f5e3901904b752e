#include "cpu/kernels/window.h"

#include <math.h>

#include "cpu/kernels/act.h"
#include "cpu/kernels/kernels.h"

enum {
    COLUMNS = 4 * V_WIDTH, /* channels of a mean that are summed at a time */
    BLOCK = 32             /* pixels summed before they are added to the total */
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
    return (~(value <= best)) & (best == best);
}

static int lanes_at(int j, int n)
{
    return n - j < V_WIDTH ? n - j : V_WIDTH;
}

V_INLINE vec max_vector(const float *x, const eex_window *w, patch p, int lanes)
{
    vec best = v_set(-INFINITY);
    for (int iy = p.y0; iy < p.y1; iy++)
        for (int ix = p.x0; ix < p.x1; ix++) {
            vec value = v_load_n(x + pixel(w, iy, ix), lanes);
            best = v_pick(beats(value, best), value, best);
        }
    return best;
}

static void max(float *y, const float *x, const eex_window *w, int row0, int row1)
{
    for (int oy = row0; oy < row1; oy++)
        for (int ox = 0; ox < w->wout; ox++) {
            float *to = y + ((size_t)oy * (size_t)w->wout + (size_t)ox) * (size_t)w->cin;
            patch p = patch_at(w, oy, ox);
            int j = 0;
            for (; j + V_WIDTH <= w->cin; j += V_WIDTH)
                v_store(to + j, max_vector(x + j, w, p, V_WIDTH));
            if (j < w->cin) {
                int lanes = lanes_at(j, w->cin);
                v_store_n(to + j, max_vector(x + j, w, p, lanes), lanes);
            }
        }
}

/* Finds the maximum's place by number, then passes over the window again. */
V_INLINE void max_bwd_vector(float *dx, vec dy, const float *x, const eex_window *w, patch p,
                             int lanes)
{
    vec best = v_set(-INFINITY);
    vec_int place = {0}, here = {0};
    for (int iy = p.y0; iy < p.y1; iy++)
        for (int ix = p.x0; ix < p.x1; ix++, here += 1) {
            vec value = v_load_n(x + pixel(w, iy, ix), lanes);
            vec_int wins = beats(value, best);
            best = v_pick(wins, value, best);
            place = (here & wins) | (place & ~wins);
        }
    here = (vec_int){0};
    for (int iy = p.y0; iy < p.y1; iy++)
        for (int ix = p.x0; ix < p.x1; ix++, here += 1) {
            float *to = dx + pixel(w, iy, ix);
            v_store_n(to, v_load_n(to, lanes) + v_and(dy, here == place), lanes);
        }
}

static void max_bwd(float *dx, const float *dy, const float *x, const eex_window *w)
{
    for (int oy = 0; oy < w->hout; oy++)
        for (int ox = 0; ox < w->wout; ox++, dy += w->cin) {
            patch p = patch_at(w, oy, ox);
            for (int j = 0; j < w->cin; j += V_WIDTH) {
                int lanes = lanes_at(j, w->cin);
                max_bwd_vector(dx + j, v_load_n(dy + j, lanes), x + j, w, p, lanes);
            }
        }
}

/* Means of `vectors` vectors of channels, kept in registers over a block of pixels. */
V_INLINE void mean_strip(float *y, const float *x, int hw, int c, float scale, const int vectors,
                         const int lanes)
{
    vec total[4] = {{0}};
    for (int r = 0; r < hw; r += BLOCK) {
        vec part[4] = {{0}};
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
        mean_strip(y + j, x + j, hw, c, scale, 4, V_WIDTH);
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
