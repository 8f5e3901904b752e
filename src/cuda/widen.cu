/* bfloat16 to float32, for filter gradients by cuDNN (conv_copies.c).
 *
 * Geometry: a thread an octet, blocks of 256. Bytes: 6 an element. Roofline: memory. */
#include "cuda/kernel.cuh"

enum { THREADS = 256, EACH = 8 };

static __global__ void __launch_bounds__(THREADS)
    widen(float *to, const eex_bf16 *from, size_t count, bool packed)
{
    size_t i = ((size_t)blockIdx.x * THREADS + threadIdx.x) * EACH;
    if (packed && i + EACH <= count) {
        float all[EACH], low[4], high[4];
        eex_load<eex_bf16>(all, from + i);
#pragma unroll
        for (int j = 0; j < 4; j++) {
            low[j] = all[j];
            high[j] = all[j + 4];
        }
        eex_save<float>(to + i, low);
        eex_save<float>(to + i + 4, high);
        return;
    }
    for (int j = 0; j < EACH && i + (size_t)j < count; j++)
        to[i + (size_t)j] = eex_float(from[i + (size_t)j]);
}

extern "C" int eex__cuda_widen(eex_cuda *cuda, float *to, const void *from, size_t count)
{
    bool packed = eex_vector_ok<eex_bf16>(EACH, from) && eex_vector_ok<float>(EACH, to);
    EEX_LAUNCH(widen, eex_blocks(count, THREADS * EACH, INT32_MAX), THREADS, 0, cuda->stream, to,
               (const eex_bf16 *)from, count, packed);
    return eex__cuda_check(cuda, cudaGetLastError(), "bfloat16 to float32");
}
