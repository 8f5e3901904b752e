/* Batch normalisation's inner loops.
 *
 * All see a tensor as n floats that repeat every `period`: a period is one or more pixels'
 * channels, padded by nothing, and a multiple of 16 floats, so that vectors never straddle two
 * coefficients' arrays whatever the number of channels. Coefficient arrays have `period` floats. n
 * need not be a multiple of the period. Outputs may be the same memory as inputs. */
#ifndef EEX_CPU_KERNELS_NORM_H
#define EEX_CPU_KERNELS_NORM_H

#include "device/op.h"

#include <stddef.h>

/* How the gradient of z = scale * x + offset + residual is had from that of y = act(z). */
typedef struct eex_norm_mask {
    eex_act act;
    const float *y;              /* (n) act's output; NULL: it is scale * x + offset again */
    const float *scale, *offset; /* (period) */
} eex_norm_mask;

struct eex_norm_kernels {
    /* sums[i] += x - shift[i], sums[period + i] += (x - shift[i])^2, over the whole tensor. */
    void (*sums)(double *sums, const float *x, const float *shift, size_t n, int period);

    /* y = act(scale * x + offset + residual); residual may be NULL. */
    void (*apply)(float *y, const float *x, const float *residual, const float *scale,
                  const float *offset, size_t n, int period, eex_act act);

    /* sums[i] += dz, sums[period + i] += dz * (x - mean[i]); dz goes to dz_out (or is added to it)
     * where that is not NULL. */
    void (*bwd_sums)(double *sums, float *dz_out, bool accumulate, const float *dy, const float *x,
                     const float *mean, const eex_norm_mask *mask, size_t n, int period);

    /* dx = a * dz + b * (x - mean) + c. */
    void (*bwd_apply)(float *dx, const float *dy, const float *x, const float *mean,
                      const eex_norm_mask *mask, const float *a, const float *b, const float *c,
                      size_t n, int period);
};

#endif
