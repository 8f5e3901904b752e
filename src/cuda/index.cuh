/* Taking a number of an element apart into coordinates. */
#ifndef EEX_CUDA_INDEX_CUH
#define EEX_CUDA_INDEX_CUH

#include "cuda/kernel.cuh"

/* Returns i / n and leaves i % n in *rest. Most tensors have fewer than 2^32 elements, and a
 * division of 64 bits takes several times as long. */
__device__ static inline size_t eex_digit(size_t i, unsigned n, unsigned *rest)
{
    if (i >> 32) {
        *rest = (unsigned)(i % n);
        return i / n;
    }
    unsigned low = (unsigned)i;
    *rest = low % n;
    return low / n;
}

#endif
