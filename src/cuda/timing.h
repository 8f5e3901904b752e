/* What ops take on the device. */
#ifndef EEX_CUDA_TIMING_H
#define EEX_CUDA_TIMING_H

#include "cuda/cuda_device.h"

/* As in eex_device_vtable: ops are timed by events between them in one graph, so nothing waits for
 * the host; where no graph can be made, between launches. */
int eex__cuda_time_unit(eex_device *dev, double *ms, const eex_op *ops, void *const *states,
                        int count, const eex_step *step, int rounds);

/* Microseconds of work(context), which launches on the device's stream and nothing else: recorded
 * ten times in a graph and replayed, the least of three. *recorded = false: it could not be
 * recorded, and was launched one by one. */
int eex__cuda_time_work(eex_cuda *cuda, int (*work)(eex_cuda *cuda, void *context), void *context,
                        float *microseconds, bool *recorded);

#endif
