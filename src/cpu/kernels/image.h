/* Images of bytes to normalised floats, and those to another size. */
#ifndef EEX_CPU_KERNELS_IMAGE_H
#define EEX_CPU_KERNELS_IMAGE_H

#include "device/resize.h"

#include <stdint.h>

struct eex_image_kernels {
    /* y[i] = x[i] * scale[i] + offset[i]. */
    void (*normalise)(float *y, const uint8_t *x, const float *scale, const float *offset, int n);

    /* The same from floats, in place: after colour jitter. */
    void (*normalise_float)(float *y, const float *scale, const float *offset, int n);

    /* y = min(x * factor, 255). */
    void (*brightness)(float *y, const uint8_t *x, float factor, int n);

    /* y = y * factor + (1 - factor) * grey, clamped to 0..255. */
    void (*contrast)(float *y, float factor, float grey, int n);

    /* The same with each pixel's own grey; 3 channels. */
    void (*saturation)(float *y, float factor, int pixels);

    double (*grey_sum)(const float *y, int pixels); /* 3 channels; ITU-R 601 weights */

    /* y[i] = the sum over k of weight[k] * x[k * n + i], in order. */
    void (*mix_rows)(float *y, const float *x, const float *weight, int count, int n);

    /* y (columns, c): pixel i is the sum over its taps, pixels of x (., c), in order, by the
     * weights at weight[i * most]. */
    void (*mix_columns)(float *y, const float *x, const eex_taps *taps, const float *weight,
                        int most, int columns, int c);
};

#endif
