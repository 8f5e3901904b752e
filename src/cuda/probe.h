/* Whether this build has kernels for a chip: the driver is asked. */
#ifndef EEX_CUDA_PROBE_H
#define EEX_CUDA_PROBE_H

#include "cuda/cuda_device.h"

#ifdef __cplusplus
extern "C" {
#endif

/* EEX_EUNSUPPORTED: it has none; says for which it has some. */
int eex__cuda_probe(const eex_cuda *cuda);

#ifdef __cplusplus
}
#endif
#endif
