/* Units of ops as CUDA graphs: op by op the first time a unit runs with some batch, captured the
 * second time, replayed after.
 *
 * One launch of a graph costs about as much as one launch of a kernel, and these networks have
 * hundreds of kernels that take two microseconds each. */
#ifndef EEX_CUDA_GRAPH_H
#define EEX_CUDA_GRAPH_H

#include "cuda/cuda_device.h"

/* As in eex_device_vtable. */
int eex__cuda_run_unit(eex_device *dev, void **recording, const eex_op *ops, void *const *states,
                       int count, const eex_step *step);
void eex__cuda_forget(eex_device *dev, void *recording);

#endif
