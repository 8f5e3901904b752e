/* Matrix products on rows that lie where they are.
 *
 * A convolution over channels-last images is a sum over taps of products of pixel rows (C floats
 * each) with the tap's weight matrix. Neighbouring taps of one kernel row are neighbours in memory
 * too, in the image and in the weights, so a kernel row is one segment of the inner dimension. The
 * left operand is thus a set of row pointers plus offsets common to all rows, and is never copied
 * or padded; the right operand is packed in panels of `nr` columns.
 *
 * Every element of a result is one chain of fused multiply-adds in the order of the segments, in a
 * vector lane of its own: it does not depend on which rows share its tile. */
#ifndef EEX_CPU_KERNELS_GEMM_H
#define EEX_CPU_KERNELS_GEMM_H

#include "cpu/kernels/kernels.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct eex_gemm_segment {
    ptrdiff_t a; /* first element, in floats from each row pointer */
    int b;       /* first row of the panel */
    int k;       /* length */
} eex_gemm_segment;

/* y[out[i] + c] = act(sum over segments a[i][...] * b[...][c] + bias[c] + residual[out[i] + c]) */
typedef struct eex_gemm_tile {
    int rows;    /* 1..mr */
    int columns; /* 1..nr */
    int segments;
    const eex_gemm_segment *segment;
    const float *const *a; /* (rows) */
    const float *b;        /* one panel: (k, nr), or (k, nr / 2) when columns <= nr / 2 */
    const ptrdiff_t *out;  /* (rows) offsets in floats */
    float *y;
    const float *bias;     /* (columns) or NULL */
    const float *residual; /* or NULL; may be y itself */
    float low, high;       /* act: clamp to these, when clamp */
    bool clamp;
    double *sum, *sum2; /* (columns) each, added to: of y and of its square; or NULL */
    const float
        *ahead;     /* what to fetch meanwhile: a cache line at each step of ahead_step floats */
    int ahead_step; /* 0: fetch nothing new */
} eex_gemm_tile;

/* w[i * w_stride + c] (+)= sum over m of x(m)[i] * dy(m)[c], where m runs over count[0] x count[1]
 * x count[2] pixels with the given strides in floats, the last one innermost. */
typedef struct eex_gemm_outer {
    int rows;    /* 1..mr */
    int columns; /* 1..nr */
    int count[3];
    ptrdiff_t x_stride[3], dy_stride[3];
    const float *x, *dy;
    float *w;
    ptrdiff_t w_stride;
    bool add;
    const float *ahead; /* as in eex_gemm_tile, two lines for each pixel */
    int ahead_step;     /* 32, or 0 */
} eex_gemm_outer;

struct eex_gemm_kernels {
    int mr, nr;
    void (*tile)(const eex_gemm_tile *tile);
    void (*outer)(const eex_gemm_outer *outer);

    /* Panel rows from a matrix with `columns` contiguous columns: to[k][c] = from[k * stride + c],
     * and from its transpose: to[k][c] = from[c * stride + k]. Missing columns become 0. */
    void (*pack)(float *to, const float *from, ptrdiff_t stride, int k, int columns);
    void (*pack_transposed)(float *to, const float *from, ptrdiff_t stride, int k, int columns);

    /* to[c] (+)= sum over rows of from[row * stride + c]. */
    void (*column_sums)(float *to, const float *from, ptrdiff_t stride, int rows, int columns,
                        bool add);
    /* to[i] (+)= sum over parts of from[part * stride + i], in the order of the parts. */
    void (*add_parts)(float *to, const float *from, ptrdiff_t stride, int parts, int count,
                      bool add);
};

#endif
