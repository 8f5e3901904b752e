/* Images and what belongs to their channels, for tensors with the channels last. */
#ifndef EEX_CPU_KERNELS_COLUMNS_H
#define EEX_CPU_KERNELS_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

struct eex_columns_kernels {
    /* y = (or +=) x * s at each of the hw pixels, s of (c). y may be x. */
    void (*scale)(float *y, const float *x, const float *s, int hw, int c, bool accumulate);

    /* ds = (or +=) the sum over the hw pixels of dy * x, channel by channel. */
    void (*dots)(float *ds, const float *dy, const float *x, int hw, int c, bool accumulate);

    /* y = (or +=) x for the first `count` elements of each of `rows` rows, which begin x_c and y_c
     * elements behind each other. */
    void (*move)(float *y, const float *x, size_t rows, int y_c, int x_c, int count,
                 bool accumulate);
};

#endif
