/* Dense convolutions and their gradients for the data: a sum over taps of matrix products.
 *
 * The result's rows are pixels, its columns channels. Rows are taken class by class (conv_axis.h),
 * so that all rows of a tile use the same taps; weights are packed into panels of columns, just
 * before a thread uses them or once for all when they never change. Parts are some
 * rows of some panels; how many of each is a matter of the shape and the number of threads alone.
 *
 * A result's bits depend neither on the batch around it nor on the number of threads, the sums that
 * go with it not on the latter: they are taken of rows that are cut for that, and added in order.
 */
#ifndef EEX_CPU_CONV_DENSE_H
#define EEX_CPU_CONV_DENSE_H

#include "cpu/cpu.h"

#include <stdbool.h>

typedef struct eex_dense eex_dense;

typedef struct eex_dense_args {
    const float *a; /* operand: x forward, dy backward */
    const float *w; /* HWIO */
    const float *bias, *residual;
    float *y; /* result: y forward, dx backward */
    eex_act act;
    double *stats; /* (2, columns) or NULL */
    int batch;
} eex_dense_args;

/* backward: the gradient for the data. Serves any batch. */
int eex__dense_new(eex_dense **out, eex_cpu *cpu, const eex_window *window, bool backward);
/* Packs weights that never change; later runs ignore args->w. */
int eex__dense_pack(eex_cpu *cpu, eex_dense *dense, const float *w);
int eex__dense_run(eex_cpu *cpu, eex_dense *dense, const eex_dense_args *args);
void eex__dense_free(eex_dense *dense);

#endif
