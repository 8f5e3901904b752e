/* Convolutions of groups of channels, neither dense nor one a channel: each group's channels are
 * brought together, convolved densely (conv_dense.h, conv_weights.h), and put where they belong. So
 * what is true of those is true here: a result's bits depend neither on threads nor on the batch
 * around it. */
#ifndef EEX_CPU_CONV_GROUPED_H
#define EEX_CPU_CONV_GROUPED_H

#include "cpu/conv_dense.h"
#include "cpu/cpu.h"

typedef struct eex_grouped eex_grouped;

typedef enum eex_grouped_for {
    EEX_GROUPED_FORWARD,
    EEX_GROUPED_DATA,
    EEX_GROUPED_WEIGHTS
} eex_grouped_for;

/* w: weights that never change after this, or NULL. */
int eex__grouped_new(eex_grouped **out, eex_cpu *cpu, const eex_window *window,
                     eex_grouped_for what, const float *w, int max_batch);
void eex__grouped_free(eex_grouped *grouped);

/* As eex__dense_run and eex__weights_run. */
int eex__grouped_run(eex_cpu *cpu, eex_grouped *grouped, const eex_dense_args *args);
int eex__grouped_weights(eex_cpu *cpu, eex_grouped *grouped, const eex_op_conv_bwd_weights *op,
                         int batch);

#endif
