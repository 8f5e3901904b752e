#include "cpu/kernels/columns.h"

#include "cpu/kernels/act.h"
#include "cpu/kernels/kernels.h"

#include <string.h>

enum { BLOCK = 32 /* pixels summed before they are added to the total */ };

static int lanes_at(int j, int n)
{
    return n - j < V_WIDTH ? n - j : V_WIDTH;
}

V_INLINE void put(float *y, vec value, int lanes, bool accumulate)
{
    v_store_n(y, accumulate ? v_load_n(y, lanes) + value : value, lanes);
}

static void scale(float *y, const float *x, const float *s, int hw, int c, bool accumulate)
{
    for (int i = 0; i < hw; i++, y += c, x += c)
        for (int j = 0; j < c; j += V_WIDTH) {
            int lanes = lanes_at(j, c);
            put(y + j, v_load_n(x + j, lanes) * v_load_n(s + j, lanes), lanes, accumulate);
        }
}

static vec dots_strip(const float *dy, const float *x, int hw, int c, int lanes)
{
    vec total = v_zero();
    for (int r = 0; r < hw; r += BLOCK) {
        vec part = v_zero();
        int end = hw - r < BLOCK ? hw : r + BLOCK;
        for (int i = r; i < end; i++) {
            size_t at = (size_t)i * (size_t)c;
            part = v_fma(v_load_n(dy + at, lanes), v_load_n(x + at, lanes), part);
        }
        total += part;
    }
    return total;
}

static void dots(float *ds, const float *dy, const float *x, int hw, int c, bool accumulate)
{
    for (int j = 0; j < c; j += V_WIDTH) {
        int lanes = lanes_at(j, c);
        put(ds + j, dots_strip(dy + j, x + j, hw, c, lanes), lanes, accumulate);
    }
}

static void move(float *y, const float *x, size_t rows, int y_c, int x_c, int count,
                 bool accumulate)
{
    for (size_t i = 0; i < rows; i++, y += y_c, x += x_c) {
        if (!accumulate) {
            memcpy(y, x, (size_t)count * sizeof *y);
            continue;
        }
        for (int j = 0; j < count; j += V_WIDTH) {
            int lanes = lanes_at(j, count);
            v_store_n(y + j, v_load_n(y + j, lanes) + v_load_n(x + j, lanes), lanes);
        }
    }
}

extern const eex_columns_kernels EEX_KERNEL(eex__columns_kernels);
const eex_columns_kernels EEX_KERNEL(eex__columns_kernels) = {
    .scale = scale,
    .dots = dots,
    .move = move,
};
