/* Sums over pixels that blocks have left in the scratch memory, (slices, count): each block has
 * added up one slice of the pixels. They are added in an order that follows from their number. */
#ifndef EEX_CUDA_SLICES_CUH
#define EEX_CUDA_SLICES_CUH

#include "cuda/kernel.cuh"

enum { EEX_SLICE_SHARES = 8 };

/* to (count) = or += the sum of the slices; 32 elements side by side, 8 shares of the slices. */
static __global__ void __launch_bounds__(EEX_WARP *EEX_SLICE_SHARES)
    eex_slices_sum(float *to, const float *parts, size_t count, unsigned slices, bool accumulate)
{
    __shared__ float shared[EEX_SLICE_SHARES][EEX_WARP];
    size_t i = (size_t)blockIdx.x * EEX_WARP + threadIdx.x;
    float sum = 0;
#pragma unroll 4
    for (unsigned s = threadIdx.y; s < slices; s += EEX_SLICE_SHARES)
        sum += i < count ? parts[(size_t)s * count + i] : 0.0f;
    shared[threadIdx.y][threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.y > 0 || i >= count)
        return;
    for (int y = 1; y < EEX_SLICE_SHARES; y++)
        sum += shared[y][threadIdx.x];
    to[i] = accumulate ? to[i] + sum : sum;
}

static inline void eex_slices_launch(eex_cuda *cuda, float *to, const float *parts, size_t count,
                                     unsigned slices, bool accumulate)
{
    EEX_LAUNCH(eex_slices_sum, eex_blocks(count, EEX_WARP, INT32_MAX),
               dim3(EEX_WARP, EEX_SLICE_SHARES), 0, cuda->stream, to, parts, count, slices,
               accumulate);
}

#endif
