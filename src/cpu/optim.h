/* What the ops over the flat parameter buffer share. */
#ifndef EEX_CPU_OPTIM_H
#define EEX_CPU_OPTIM_H

#include "device/op.h"

/* EEX_EINVAL unless the number of parameters is a multiple of 16. */
int eex__optim_check(const eex_op *op);

/* The same, and that there is a mask of weight decay. */
int eex__optim_check_decay(const eex_op *op);

/* The factor of clipping: 1 where there is none. */
float eex__optim_clip(const eex_op_optim *op);

#endif
