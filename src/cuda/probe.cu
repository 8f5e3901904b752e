/* Asks the driver for kernels without running any: whether this build has code for the chip, and to
 * load what a capture could not load. */
#include "cuda/kernel.cuh"

#include "cuda/chips.h"
#include "cuda/probe.h"

static __global__ void probe(int *out)
{
    *out = 1;
}

static bool is_about_chips(cudaError_t error)
{
    return error == cudaErrorNoKernelImageForDevice || error == cudaErrorInvalidDeviceFunction ||
           error == cudaErrorInvalidPtx || error == cudaErrorUnsupportedPtxVersion;
}

int eex__cuda_probe(const eex_cuda *cuda)
{
    struct cudaFuncAttributes attributes;
    char chips[128];
    cudaError_t error = cudaFuncGetAttributes(&attributes, (const void *)probe);
    if (!is_about_chips(error))
        return eex__cuda_check(cuda, error, "opening");
    (void)cudaGetLastError();
    eex_cuda_chips_text(eex_cuda_chips(), chips, sizeof chips);
    return eex_fail(EEX_EUNSUPPORTED,
                    "%s: this build has kernels for %s, and this is a chip of %d.%d (%s): build it "
                    "with -DEEX_CUDA_ARCHITECTURES=%d%d and a toolkit that knows the chip",
                    cuda->base.name, chips, cuda->major, cuda->minor, cudaGetErrorName(error),
                    cuda->major, cuda->minor);
}
