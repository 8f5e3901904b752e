/* Pooling over windows and whole images, for tensors with the channels last. */
#ifndef EEX_CPU_KERNELS_WINDOW_H
#define EEX_CPU_KERNELS_WINDOW_H

#include "device/op.h"

struct eex_window_kernels {
    /* Rows row0 <= row < row1 of one sample's output. NaN wins over every number. */
    void (*max)(float *y, const float *x, const eex_window *window, int row0, int row1);

    /* One sample: dx += dy at the first maximum of each window, in the order of its rows. */
    void (*max_bwd)(float *dx, const float *dy, const float *x, const eex_window *window);

    void (*mean)(float *y, const float *x, int hw, int c); /* (hw, c) to (c) */

    /* dx = dy / hw, or dx += dy / hw, at each of the hw pixels. */
    void (*mean_bwd)(float *dx, const float *dy, int hw, int c, bool accumulate);
};

#endif
