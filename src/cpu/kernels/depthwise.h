/* Inner loops of depthwise convolutions: every channel is a vector lane of its own.
 *
 * The weights are (taps, channels). Pixels come in runs of equal stride, so that a few of them
 * share each load of the weights. Every element of a result is one chain of multiply-adds in the
 * order of the taps: it does not depend on which pixels share its run. */
#ifndef EEX_CPU_KERNELS_DEPTHWISE_H
#define EEX_CPU_KERNELS_DEPTHWISE_H

#include "cpu/kernels/kernels.h"

#include <stdbool.h>
#include <stddef.h>

/* For i < count, c < channels, at y + i * y_stride + c (and the same place of residual):
 * y = act(sum over taps of x[i * x_stride + tap_x[t] + c] * w[tap_w[t] + c] + bias[c] + residual)
 */
typedef struct eex_depthwise_run {
    int channels, count, taps;
    const ptrdiff_t *tap_x, *tap_w; /* (taps) offsets in floats */
    const float *x, *w;
    ptrdiff_t x_stride, y_stride;
    float *y;
    const float *bias;     /* (channels) or NULL */
    const float *residual; /* or NULL; may be y itself */
    float low, high;       /* act: clamp to these, when clamp */
    bool clamp;
    float *sum, *sum2; /* (channels) each, added to: of y and of its square; or NULL */
} eex_depthwise_run;

/* For t < taps, c < channels: dw[tap_w[t] + c] += sum over a grid of pixels, count[0] x count[1] x
 * count[2] with the given strides and the last one innermost, of x[pixel + tap_x[t] + c] *
 * dy[pixel + c]. */
typedef struct eex_depthwise_grad {
    int channels, taps;
    int count[3];
    ptrdiff_t x_stride[3], dy_stride[3];
    const ptrdiff_t *tap_x, *tap_w; /* (taps) offsets in floats */
    const float *x, *dy;
    float *dw;
} eex_depthwise_grad;

struct eex_depthwise_kernels {
    void (*run)(const eex_depthwise_run *run);
    void (*grad)(const eex_depthwise_grad *grad);
};

#endif
