/* Maximum over windows; padding never wins.
 *
 * Geometry: a thread a vector of channels of an output pixel, in the order of memory. Bytes: x
 * about once (overlaps come from the caches), y once. Roofline: memory. */
#include "cuda/pool.cuh"

template <typename T, int V>
static __device__ void window_max(float (&best)[V], const T *x, const eex_window &w,
                                  const eex_patch &p)
{
#pragma unroll
    for (int j = 0; j < V; j++)
        best[j] = -INFINITY;
    for (int y = p.y0; y < p.y1; y++)
        for (int at = p.x0; at < p.x1; at++) {
            float value[V];
            eex_get<T, V>(value, x + eex_pixel(w, 0, y, at));
#pragma unroll
            for (int j = 0; j < V; j++)
                best[j] = eex_beats(value[j], best[j]) ? value[j] : best[j];
        }
}

template <typename T, int V>
static __global__ void __launch_bounds__(EEX_POOL_THREADS)
    max_pool(eex_window w, T *y, const T *x, size_t count)
{
    size_t step = (size_t)gridDim.x * blockDim.x;
    for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += step) {
        unsigned vector, ox, oy;
        size_t sample = eex_digit(i, (unsigned)(w.cin / V), &vector);
        sample = eex_digit(sample, (unsigned)w.wout, &ox);
        sample = eex_digit(sample, (unsigned)w.hout, &oy);
        float best[V];
        window_max<T, V>(best, x + eex_pixel(w, sample, 0, 0) + vector * V, w,
                         eex_patch_of(w, (int)oy, (int)ox));
        eex_put<T, V>(y + i * V, best);
    }
}

template <typename T, int V> static int max_pool_launch(eex_cuda *cuda, const eex_op *op, int batch)
{
    const eex_op_pool *pool = &op->u.pool;
    const eex_window *w = &pool->window;
    size_t count = (size_t)batch * (size_t)w->hout * (size_t)w->wout * (size_t)(w->cin / V);
    EEX_LAUNCH((max_pool<T, V>), eex_blocks(count, EEX_POOL_THREADS, (size_t)cuda->processors * 64),
               EEX_POOL_THREADS, 0, cuda->stream, *w, (T *)pool->y, (const T *)pool->x, count);
    return eex__cuda_launched(cuda, op);
}

static int max_pool_run(eex_cuda *cuda, const eex_op *op, void *state, int batch)
{
    (void)state;
    return EEX_BY_VECTOR(op->precision, eex_pool_packed(op), max_pool_launch, cuda, op, batch);
}

extern "C" const eex_cuda_op_class eex__cuda_max_pool = {NULL, max_pool_run, NULL};
