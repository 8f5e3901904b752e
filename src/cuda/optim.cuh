/* What the ops over the flat parameter buffer share: one launch each for all parameters, in packs
 * of four floats, by blocks that walk over the buffer. What is the same for all elements and takes
 * doubles (a power of the step's number) is worked out by one thread a block. */
#ifndef EEX_CUDA_OPTIM_CUH
#define EEX_CUDA_OPTIM_CUH

#include "cuda/kernel.cuh"

enum { EEX_OPTIM_THREADS = 256, EEX_OPTIM_BLOCKS = 2048 };

static inline const char *eex_optim_name(const eex_op *op)
{
    return op->name ? op->name : "?";
}

/* EEX_EINVAL unless there is a multiple of 16 parameters and every buffer is aligned for packs. */
static inline int eex_optim_check(const eex_op *op)
{
    const eex_op_optim *o = &op->u.optim;
    const void *buffers[] = {o->w, o->g, o->m, o->v, o->ema};
    if (o->count % 16)
        return eex_fail(EEX_EINVAL, "optimiser \"%s\": %zu parameters, expected a multiple of 16",
                        eex_optim_name(op), o->count);
    for (const void *buffer : buffers)
        if ((uintptr_t)buffer % 16)
            return eex_fail(EEX_EINVAL, "optimiser \"%s\": a buffer is not aligned to 16 bytes",
                            eex_optim_name(op));
    return EEX_OK;
}

/* The same, and that there is a mask of weight decay. */
static inline int eex_optim_check_decay(const eex_op *op)
{
    if (!op->u.optim.decay)
        return eex_fail(EEX_EINVAL, "optimiser \"%s\": no mask that says where weights decay",
                        eex_optim_name(op));
    return eex_optim_check(op);
}

static inline unsigned eex_optim_blocks(size_t count)
{
    return eex_blocks(count / 4, EEX_OPTIM_THREADS, EEX_OPTIM_BLOCKS);
}

/* The first pack of a thread, and how far it is to its next. */
__device__ static inline size_t eex_optim_first()
{
    return ((size_t)blockIdx.x * EEX_OPTIM_THREADS + threadIdx.x) * 4;
}

__device__ static inline size_t eex_optim_stride()
{
    return (size_t)gridDim.x * EEX_OPTIM_THREADS * 4;
}

/* base to the power of n, by squaring: quicker than pow and the same everywhere. */
__host__ __device__ static inline double eex_power(double base, uint64_t n)
{
    double out = 1;
    for (; n; n >>= 1, base *= base)
        out *= n & 1 ? base : 1.0;
    return out;
}

#endif
