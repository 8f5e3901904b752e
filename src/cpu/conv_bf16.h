/* Dense convolutions and their three products with factors rounded to bfloat16, sums float32.
 *
 * What is in memory stays float32: pixels are rounded when a block of rows is gathered for its
 * products, weights when they are packed. Networks' first layers and small classifiers, which have
 * under 16 channels on one side, stay float32 altogether: nothing would be gained, and there
 * rounding does most harm.
 *
 * As in conv_dense.h a result's bits depend neither on the batch around it nor on the number of
 * threads, those of the gradients of weights not on the latter. */
#ifndef EEX_CPU_CONV_BF16_H
#define EEX_CPU_CONV_BF16_H

#include "cpu/conv_dense.h"

/* Whether an op of this precision multiplies in bfloat16: the same answer at every time. */
bool eex__bf16_serves(const eex_cpu *cpu, eex_precision precision, const eex_window *window);

typedef struct eex_bf16_dense eex_bf16_dense;

/* backward: the gradient for the data. w: weights that never change, packed at once, or NULL:
 * each run reads args->w. */
int eex__bf16_dense_new(eex_bf16_dense **out, eex_cpu *cpu, const eex_window *window, bool backward,
                        const float *w);
int eex__bf16_dense_run(eex_cpu *cpu, eex_bf16_dense *dense, const eex_dense_args *args);
void eex__bf16_dense_free(eex_bf16_dense *dense);

typedef struct eex_bf16_weights eex_bf16_weights;

/* The gradient for the weights; not for the bias. */
int eex__bf16_weights_new(eex_bf16_weights **out, eex_cpu *cpu, const eex_window *window);
int eex__bf16_weights_run(eex_cpu *cpu, eex_bf16_weights *weights,
                          const eex_op_conv_bwd_weights *op, int batch);
void eex__bf16_weights_free(eex_bf16_weights *weights);

#endif
