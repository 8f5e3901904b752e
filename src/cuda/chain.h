/* All segments of a network for one sample as one graph: each segment but the first is a
 * conditional node, which runs when the exit before it let the sample go on. The host launches once
 * and learns nothing on the way. */
#ifndef EEX_CUDA_CHAIN_H
#define EEX_CUDA_CHAIN_H

#include "cuda/cuda_device.h"

#ifdef __cplusplus
extern "C" {
#endif

/* As in eex_device_vtable. */
int eex__cuda_run_chain(eex_device *dev, void **recording, const eex_link *links, int count,
                        const eex_step *step, bool *done);
void eex__cuda_forget_chain(eex_device *dev, void *recording);

/* Whether toolkit and driver have conditional nodes. */
bool eex__cuda_has_chain(void);

/* Has the driver load that kernel: a capture is no time for it. condition.cu */
int eex__cuda_load_condition(const eex_cuda *cuda);

/* Launches the kernel that gives a conditional handle the value *count > 0. condition.cu */
int eex__cuda_set_condition(eex_cuda *cuda, unsigned long long handle, const int32_t *count);

#ifdef __cplusplus
}
#endif
#endif
