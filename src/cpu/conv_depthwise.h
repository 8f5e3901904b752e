/* Depthwise convolutions, their gradients for the data and for the weights.
 *
 * As for dense ones, results come class by class (conv_axis.h), so padding costs nothing. Parts are
 * samples, rows when there are few samples, or channels when there are few rows. A result's bits
 * depend neither on the batch around it nor on the number of threads; weight gradients and
 * statistics, sums over parts whose cuts are those of the batch, not on the number of threads. */
#ifndef EEX_CPU_CONV_DEPTHWISE_H
#define EEX_CPU_CONV_DEPTHWISE_H

#include "cpu/conv_dense.h"

typedef struct eex_depthwise eex_depthwise;

/* backward: for eex__depthwise_run as the gradient for the data; else for the forward pass and for
 * eex__depthwise_weights. */
int eex__depthwise_new(eex_depthwise **out, eex_cpu *cpu, const eex_window *window, bool backward);
int eex__depthwise_run(eex_cpu *cpu, eex_depthwise *depthwise, const eex_dense_args *args);

/* dw (+)= the gradient for the weights (kernel, kernel, c) of `batch` samples. */
int eex__depthwise_weights(eex_cpu *cpu, eex_depthwise *depthwise, float *dw, const float *x,
                           const float *dy, int batch, bool accumulate);
void eex__depthwise_free(eex_depthwise *depthwise);

#endif
