/* Tells a conditional node whether to run: whether anybody is left. One thread, 4 bytes; bounded by
 * the launch itself. */
#include "cuda/kernel.cuh"

#include "cuda/chain.h"
#include "cuda/features.h"

#if EEX_CUDA_CONDITIONAL
__global__ void set_condition(cudaGraphConditionalHandle handle, const int32_t *count)
{
    cudaGraphSetConditional(handle, *count > 0 ? 1 : 0);
}
#endif

int eex__cuda_load_condition(const eex_cuda *cuda)
{
#if EEX_CUDA_CONDITIONAL
    struct cudaFuncAttributes attributes;
    cudaError_t error = cudaFuncGetAttributes(&attributes, (const void *)set_condition);
    return eex__cuda_check(cuda, error, "condition");
#else
    return EEX_OK;
#endif
}

int eex__cuda_set_condition(eex_cuda *cuda, unsigned long long handle, const int32_t *count)
{
#if EEX_CUDA_CONDITIONAL
    EEX_LAUNCH(set_condition, 1, 1, 0, cuda->stream, (cudaGraphConditionalHandle)handle, count);
#endif
    return eex__cuda_check(cuda, cudaGetLastError(), "condition");
}
