/* Loops over single elements. Outputs may be the same memory as inputs. */
#ifndef EEX_CPU_KERNELS_POINTWISE_H
#define EEX_CPU_KERNELS_POINTWISE_H

#include "device/op.h"

#include <stddef.h>

struct eex_pointwise_kernels {
    void (*act)(float *y, const float *x, size_t n, eex_act act); /* y = act(x) */
    void (*add)(float *y, const float *x, const float *x2, size_t n, eex_act act);
    void (*accumulate)(float *y, const float *x, size_t n); /* y += x */

    /* dx = (or +=) dy times act's slope at `ref`, as eex_op_pointwise has it. */
    void (*act_bwd)(float *dx, const float *dy, const float *ref, size_t n, eex_act act,
                    bool accumulate);

    /* y[i] = (or +=) x[i] * scale where the hash of (key, first + i) is at least `threshold` in
     * its upper 32 bits, else 0. */
    void (*dropout)(float *y, const float *x, size_t n, size_t first, uint64_t key,
                    uint64_t threshold, float scale, bool accumulate);
};

#endif
