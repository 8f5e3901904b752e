#include "support/reference_conv.h"

#include "support/reference_ops.h"

size_t ref_conv_weights(const eex_window *w)
{
    return (size_t)w->kernel * w->kernel * (w->cin / w->groups) * w->cout;
}

/* One pair of pixels that a tap joins. */
typedef struct tap {
    const eex_window *window;
    size_t x, y; /* first channel of the pixel in each */
    size_t w;    /* first weight of the tap */
} tap;

typedef void tap_fn(const tap *t, void *ctx);

static void kernel_taps(const eex_window *w, int n, int oh, int ow, tap_fn *fn, void *ctx)
{
    for (int kh = 0; kh < w->kernel; kh++)
        for (int kw = 0; kw < w->kernel; kw++) {
            int ih = oh * w->stride - w->pad + kh, iw = ow * w->stride - w->pad + kw;
            if (ih < 0 || ih >= w->hin || iw < 0 || iw >= w->win)
                continue;
            tap t = {
                .window = w,
                .x = (((size_t)n * w->hin + ih) * w->win + iw) * w->cin,
                .y = (((size_t)n * w->hout + oh) * w->wout + ow) * w->cout,
                .w = ((size_t)kh * w->kernel + kw) * (w->cin / w->groups) * w->cout,
            };
            fn(&t, ctx);
        }
}

static void each_tap(const eex_window *w, int batch, tap_fn *fn, void *ctx)
{
    for (int n = 0; n < batch; n++)
        for (int oh = 0; oh < w->hout; oh++)
            for (int ow = 0; ow < w->wout; ow++)
                kernel_taps(w, n, oh, ow, fn, ctx);
}

typedef struct buffers {
    double *to;
    const double *left, *right;
} buffers;

/* Calls `join` in effect for every (input channel, output channel, weight) of a tap: to[i] +=
 * left[j] * right[k], where i, j and k are the places of the three in the order given by `which`:
 * 'y' for the forward pass, 'x' and 'w' for the gradients. */
static void join_channels(const tap *t, const buffers *b, char which)
{
    const eex_window *w = t->window;
    const int in = w->cin / w->groups, out = w->cout / w->groups;
    for (int ci = 0; ci < w->cin; ci++)
        for (int co = 0; co < w->cout; co++) {
            if (ci / in != co / out)
                continue;
            size_t x = t->x + ci, y = t->y + co;
            size_t k = t->w + (size_t)(ci % in) * w->cout + co;
            if (which == 'y')
                b->to[y] += b->left[x] * b->right[k];
            else if (which == 'x')
                b->to[x] += b->left[y] * b->right[k];
            else
                b->to[k] += b->left[x] * b->right[y];
        }
}

static void join_y(const tap *t, void *ctx)
{
    join_channels(t, ctx, 'y');
}

static void join_x(const tap *t, void *ctx)
{
    join_channels(t, ctx, 'x');
}

static void join_w(const tap *t, void *ctx)
{
    join_channels(t, ctx, 'w');
}

void ref_conv(double *y, const double *x, const double *w, const double *bias,
              const double *residual, int batch, const eex_window *window, eex_act act)
{
    size_t n = (size_t)batch * window->hout * window->wout * window->cout;
    for (size_t i = 0; i < n; i++)
        y[i] = 0;
    buffers b = {y, x, w};
    each_tap(window, batch, join_y, &b);
    for (size_t i = 0; i < n; i++) {
        y[i] += bias ? bias[i % window->cout] : 0;
        y[i] = ref_act(y[i] + (residual ? residual[i] : 0), act);
    }
}

void ref_conv_bwd_data(double *dx, const double *dy, const double *w, int batch,
                       const eex_window *window)
{
    buffers b = {dx, dy, w};
    each_tap(window, batch, join_x, &b);
}

void ref_conv_bwd_weights(double *dw, double *dbias, const double *x, const double *dy, int batch,
                          const eex_window *window)
{
    buffers b = {dw, x, dy};
    each_tap(window, batch, join_w, &b);
    size_t n = (size_t)batch * window->hout * window->wout * window->cout;
    for (size_t i = 0; dbias && i < n; i++)
        dbias[i % window->cout] += dy[i];
}
