#include "cpu/kernels/depthwise.h"

#include "cpu/kernels/vec.h"

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

/* Pixels that share a load of the weights, and taps that share one of dy. */
enum { PIXELS = 8, TAPS = 9 };

const eex_depthwise_kernels EEX_KERNEL(eex__depthwise_kernels);

INLINE vec load_part(const float *p, int n)
{
    return n == V_WIDTH ? v_load(p) : v_load_n(p, n);
}

INLINE void store_part(float *p, vec v, int n)
{
    if (n == V_WIDTH)
        v_store(p, v);
    else
        v_store_n(p, v, n);
}

/* `pixels` results from pixel `first` on, in the n channels from c on. */
INLINE void run_vector(const eex_depthwise_run *r, int first, int c, const int pixels, const int n)
{
    vec acc[PIXELS];
    const float *x = r->x + first * r->x_stride + c;
    ptrdiff_t xs = r->x_stride;
    UNROLL
    for (int i = 0; i < pixels; i++)
        acc[i] = v_zero();
    for (int t = 0; t < r->taps; t++) {
        vec w = load_part(r->w + r->tap_w[t] + c, n);
        const float *from = x + r->tap_x[t];
        UNROLL
        for (int i = 0; i < pixels; i++)
            acc[i] = v_fma(load_part(from + i * xs, n), w, acc[i]);
    }
    if (r->bias) {
        vec bias = load_part(r->bias + c, n);
        UNROLL
        for (int i = 0; i < pixels; i++)
            acc[i] += bias;
    }
    ptrdiff_t at = first * r->y_stride + c;
    if (r->residual) {
        UNROLL
        for (int i = 0; i < pixels; i++)
            acc[i] += load_part(r->residual + at + i * r->y_stride, n);
    }
    if (r->clamp) {
        vec low = v_set(r->low), high = v_set(r->high);
        UNROLL
        for (int i = 0; i < pixels; i++)
            acc[i] = v_min(v_max(acc[i], low), high);
    }
    UNROLL
    for (int i = 0; i < pixels; i++)
        store_part(r->y + at + i * r->y_stride, acc[i], n);
    if (!r->sum)
        return;
    vec sum = load_part(r->sum + c, n), sum2 = load_part(r->sum2 + c, n);
    UNROLL
    for (int i = 0; i < pixels; i++) {
        sum += acc[i];
        sum2 = v_fma(acc[i], acc[i], sum2);
    }
    store_part(r->sum + c, sum, n);
    store_part(r->sum2 + c, sum2, n);
}

INLINE void run_pixels(const eex_depthwise_run *r, int first, const int pixels)
{
    int c = 0;
    for (; c + V_WIDTH <= r->channels; c += V_WIDTH)
        run_vector(r, first, c, pixels, V_WIDTH);
    if (c < r->channels)
        run_vector(r, first, c, pixels, r->channels - c);
}

/* `first` counts pixels; the last few are as many as there are, 1..7. */
static void run_rest(const eex_depthwise_run *r, int first)
{
    switch (r->count - first) {
    case 1:
        run_pixels(r, first, 1);
        break;
    case 2:
        run_pixels(r, first, 2);
        break;
    case 3:
        run_pixels(r, first, 3);
        break;
    case 4:
        run_pixels(r, first, 4);
        break;
    case 5:
        run_pixels(r, first, 5);
        break;
    case 6:
        run_pixels(r, first, 6);
        break;
    case 7:
        run_pixels(r, first, 7);
        break;
    default:
        break;
    }
}

static void run(const eex_depthwise_run *r)
{
    int i = 0;
    for (; i + PIXELS <= r->count; i += PIXELS)
        run_pixels(r, i, PIXELS);
    run_rest(r, i);
}

/* The n channels from c on of `taps` taps from tap `first` on. */
INLINE void grad_vector(const eex_depthwise_grad *g, int first, int c, const int taps, const int n)
{
    vec acc[TAPS];
    ptrdiff_t at[TAPS];
    UNROLL
    for (int t = 0; t < taps; t++) {
        acc[t] = v_zero();
        at[t] = g->tap_x[first + t];
    }
    ptrdiff_t xs = g->x_stride[2], ys = g->dy_stride[2];
    for (int i0 = 0; i0 < g->count[0]; i0++)
        for (int i1 = 0; i1 < g->count[1]; i1++) {
            const float *x = g->x + c + i0 * g->x_stride[0] + i1 * g->x_stride[1];
            const float *dy = g->dy + c + i0 * g->dy_stride[0] + i1 * g->dy_stride[1];
            for (int i2 = 0; i2 < g->count[2]; i2++, x += xs, dy += ys) {
                vec d = load_part(dy, n);
                UNROLL
                for (int t = 0; t < taps; t++)
                    acc[t] = v_fma(load_part(x + at[t], n), d, acc[t]);
            }
        }
    UNROLL
    for (int t = 0; t < taps; t++) {
        float *w = g->dw + g->tap_w[first + t] + c;
        store_part(w, load_part(w, n) + acc[t], n);
    }
}

INLINE void grad_taps(const eex_depthwise_grad *g, int first, const int taps)
{
    int c = 0;
    for (; c + V_WIDTH <= g->channels; c += V_WIDTH)
        grad_vector(g, first, c, taps, V_WIDTH);
    if (c < g->channels)
        grad_vector(g, first, c, taps, g->channels - c);
}

static void grad(const eex_depthwise_grad *g)
{
    int t = 0;
    for (; t + 9 <= g->taps; t += 9)
        grad_taps(g, t, 9);
    if (t + 6 <= g->taps) {
        grad_taps(g, t, 6);
        t += 6;
    }
    if (t + 4 <= g->taps) {
        grad_taps(g, t, 4);
        t += 4;
    }
    if (t + 3 <= g->taps) {
        grad_taps(g, t, 3);
        t += 3;
    }
    if (t + 2 <= g->taps) {
        grad_taps(g, t, 2);
        t += 2;
    }
    if (t < g->taps)
        grad_taps(g, t, 1);
}

const eex_depthwise_kernels EEX_KERNEL(eex__depthwise_kernels) = {
    .run = run,
    .grad = grad,
};
