/* Gradients of dense convolutions for their weights and biases.
 *
 * For each tap, dw (cin, cout) is the product of the transposed rows of x with the rows of dy, over
 * the pixels where the tap meets the image. Parts are pixels, whose sums are added in order, by
 * tiles of dw. The pixels' cuts are those of the shape, the tiles' those for the threads that there
 * are: so the bits do not depend on how many these are. */
#ifndef EEX_CPU_CONV_WEIGHTS_H
#define EEX_CPU_CONV_WEIGHTS_H

#include "cpu/cpu.h"

typedef struct eex_weights eex_weights;

int eex__weights_new(eex_weights **out, eex_cpu *cpu, const eex_window *window);
int eex__weights_run(eex_cpu *cpu, eex_weights *weights, const eex_op_conv_bwd_weights *op,
                     int batch);
/* dbias (+)= the sums of dy over all pixels; for depthwise convolutions too. */
void eex__bias_run(eex_cpu *cpu, const eex_op_conv_bwd_weights *op, int batch);
void eex__weights_free(eex_weights *weights);

#endif
