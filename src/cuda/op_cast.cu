/* float32 master weights to the bfloat16 that convolutions read, rounded to nearest even.
 *
 * Geometry: a thread an octet, blocks of 256. Bytes: 6 an element. Roofline: memory. */
#include "cuda/kernel.cuh"

enum { THREADS = 256, EACH = 8 };

static __global__ void __launch_bounds__(THREADS)
    cast(eex_bf16 *to, const float *from, size_t count, bool packed)
{
    size_t i = ((size_t)blockIdx.x * THREADS + threadIdx.x) * EACH;
    if (packed && i + EACH <= count) {
        float low[4], high[4], all[EACH];
        eex_load<float>(low, from + i);
        eex_load<float>(high, from + i + 4);
#pragma unroll
        for (int j = 0; j < 4; j++) {
            all[j] = low[j];
            all[j + 4] = high[j];
        }
        eex_save<eex_bf16>(to + i, all);
        return;
    }
    for (int j = 0; j < EACH && i + (size_t)j < count; j++)
        to[i + (size_t)j] = eex_to_bf16(from[i + (size_t)j]);
}

static int cast_run(eex_cuda *cuda, const eex_op *op, void *state, int batch)
{
    const eex_op_fill *fill = &op->u.fill;
    bool packed = eex_vector_ok<float>(EACH, fill->from) && eex_vector_ok<float>(EACH, fill->to);
    (void)state, (void)batch;
    if (fill->count > 0)
        EEX_LAUNCH(cast, eex_blocks(fill->count, THREADS * EACH, INT32_MAX), THREADS, 0,
                   cuda->stream, (eex_bf16 *)fill->to, fill->from, fill->count, packed);
    return eex__cuda_launched(cuda, op);
}

extern "C" const eex_cuda_op_class eex__cuda_cast = {nullptr, cast_run, nullptr};
