/* What a build knows about GPUs. Not for users of the library. */
#ifndef EEX_EEX_GPUS_H
#define EEX_EEX_GPUS_H

#include "cuda/inventory.h"

/* Lists GPUs and their libraries; NULL in a build without CUDA. */
extern void (*const eex_gpus)(eex_cuda_inventory *out);

#endif
