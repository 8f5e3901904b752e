#include "cpu/conv_axis.h"

#include "base/status.h"

#include <stdlib.h>

static int axis_alloc(eex_axis *axis, int positions, int kernel)
{
    *axis = (eex_axis){0};
    axis->class = calloc((size_t)positions, sizeof *axis->class);
    axis->order = calloc((size_t)kernel, sizeof *axis->order);
    axis->used = calloc((size_t)kernel, sizeof *axis->used);
    if (axis->class && axis->order && axis->used)
        return EEX_OK;
    eex__axis_free(axis);
    return eex_fail(EEX_ENOMEM, "convolution: no memory for an axis of %d positions", positions);
}

void eex__axis_free(eex_axis *axis)
{
    free(axis->class);
    free(axis->order);
    free(axis->used);
    *axis = (eex_axis){0};
}

/* Lengthens the last class by a position when it continues it, or starts a new one. */
static void axis_add(eex_axis *axis, int first, const eex_axis_class *c)
{
    if (axis->classes > first) {
        eex_axis_class *last = &axis->class[axis->classes - 1];
        if (last->taps == c->taps && last->tap == c->tap) {
            last->count++;
            return;
        }
    }
    axis->class[axis->classes++] = *c;
    for (int t = 0; t < c->taps; t++)
        axis->used[c->tap + t] = true;
}

int eex__axis_forward(eex_axis *axis, int in, int out, int kernel, int stride, int pad)
{
    EEX_TRY(axis_alloc(axis, out, kernel));
    for (int k = 0; k < kernel; k++)
        axis->order[k] = k;
    for (int o = 0; o < out; o++) {
        int corner = o * stride - pad;
        int low = corner < 0 ? -corner : 0;
        int high = kernel < in - corner ? kernel : in - corner;
        eex_axis_class c = {.out = o, .out_step = 1, .in_step = stride, .count = 1};
        if (high > low) {
            c.in = corner + low;
            c.taps = high - low;
            c.tap = low;
        }
        axis_add(axis, 0, &c);
    }
    return EEX_OK;
}

/* x position i meets the taps k with i + pad - k = stride * o: those of one residue, and the higher
 * the tap the lower o. So the packed order is by residue, then descending. */
int eex__axis_backward(eex_axis *axis, int in, int out, int kernel, int stride, int pad)
{
    EEX_TRY(axis_alloc(axis, in, kernel));
    int base = 0;
    for (int residue = 0; residue < stride; residue++) {
        int taps = residue < kernel ? (kernel - residue + stride - 1) / stride : 0;
        for (int t = 0; t < taps; t++)
            axis->order[base + taps - 1 - t] = residue + stride * t;
        int first = axis->classes;
        int start = ((residue - pad) % stride + stride) % stride;
        for (int i = start; i < in; i += stride) {
            int o = (i + pad) / stride;
            int low = o - out + 1 > 0 ? o - out + 1 : 0;
            int high = taps < o + 1 ? taps : o + 1;
            eex_axis_class c = {.out = i, .out_step = stride, .in_step = 1, .count = 1};
            if (high > low) {
                c.in = o - high + 1;
                c.taps = high - low;
                c.tap = base + taps - high;
            }
            axis_add(axis, first, &c);
        }
        base += taps;
    }
    return EEX_OK;
}

int eex__window_check(const eex_window *w, const char *name)
{
    if (w->cin < 1 || w->hin < 1 || w->win < 1 || w->cout < 1 || w->kernel < 1 || w->stride < 1 ||
        w->pad < 0)
        return eex_fail(EEX_EINVAL,
                        "convolution %s: sizes must be positive, got %d x %d x %d to %d channels, "
                        "kernel %d, stride %d, pad %d",
                        name, w->hin, w->win, w->cin, w->cout, w->kernel, w->stride, w->pad);
    int hout = (w->hin + 2 * w->pad - w->kernel) / w->stride + 1;
    int wout = (w->win + 2 * w->pad - w->kernel) / w->stride + 1;
    if (w->hin + 2 * w->pad < w->kernel || w->win + 2 * w->pad < w->kernel || hout != w->hout ||
        wout != w->wout)
        return eex_fail(EEX_EINVAL,
                        "convolution %s: kernel %d, stride %d, pad %d on %d x %d does not give "
                        "%d x %d",
                        name, w->kernel, w->stride, w->pad, w->hin, w->win, w->hout, w->wout);
    if (w->groups < 1 || w->cin % w->groups || w->cout % w->groups)
        return eex_fail(EEX_EINVAL, "convolution %s: %d groups do not divide %d to %d channels",
                        name, w->groups, w->cin, w->cout);
    return EEX_OK;
}
