/* Every pixel of an image gets an equal part of the mean's gradient.
 *
 * Geometry: a thread a vector of channels of a pixel, in the order of memory. Bytes: dx once (twice
 * when it accumulates), dy out of the caches. Roofline: memory. */
#include "cuda/pool.cuh"

template <typename T, int V>
static __global__ void __launch_bounds__(EEX_POOL_THREADS)
    global_pool_bwd(T *dx, const T *dy, int hw, int c, bool accumulate, size_t count)
{
    const float scale = 1.0f / (float)hw;
    size_t step = (size_t)gridDim.x * blockDim.x;
    for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += step) {
        unsigned vector, pixel;
        size_t sample = eex_digit(i, (unsigned)(c / V), &vector);
        sample = eex_digit(sample, (unsigned)hw, &pixel);
        float value[V], before[V];
        eex_get<T, V>(value, dy + sample * (size_t)c + vector * V);
        if (accumulate)
            eex_get<T, V>(before, dx + i * V);
#pragma unroll
        for (int j = 0; j < V; j++)
            value[j] = accumulate ? before[j] + value[j] * scale : value[j] * scale;
        eex_put<T, V>(dx + i * V, value);
    }
}

template <typename T, int V>
static int global_pool_bwd_launch(eex_cuda *cuda, const eex_op *op, int batch)
{
    const eex_op_pool *pool = &op->u.pool;
    int hw = pool->window.hin * pool->window.win, c = pool->window.cin;
    size_t count = (size_t)batch * (size_t)hw * (size_t)(c / V);
    EEX_LAUNCH((global_pool_bwd<T, V>),
               eex_blocks(count, EEX_POOL_THREADS, (size_t)cuda->processors * 64), EEX_POOL_THREADS,
               0, cuda->stream, (T *)pool->dx, (const T *)pool->dy, hw, c, pool->accumulate, count);
    return eex__cuda_launched(cuda, op);
}

static int global_pool_bwd_run(eex_cuda *cuda, const eex_op *op, void *state, int batch)
{
    (void)state;
    return EEX_BY_VECTOR(op->precision, eex_pool_packed(op), global_pool_bwd_launch, cuda, op,
                         batch);
}

extern "C" const eex_cuda_op_class eex__cuda_global_pool_bwd = {NULL, global_pool_bwd_run, NULL};
