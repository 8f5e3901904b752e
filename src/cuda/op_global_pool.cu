/* Mean over each image, (N, hw, c) to (N, c).
 *
 * Geometry: tx vectors of outputs, in the order of memory, by ty threads that share the pixels of
 * each; ty grows with hw alone, so a sample is summed in the same order in any batch. Bytes: x
 * once, y once. Roofline: memory; for the last layers of a network the latency of the launch. */
#include "cuda/pool.cuh"

template <typename T, int V>
static __device__ void sum_pixels(float (&sum)[V], const T *x, int begin, int hw, int step, int c)
{
    enum { BLOCK = 8 }; /* added up first: the error of a short sum */
    for (int r = begin; r < hw; r += BLOCK * step) {
        float part[V] = {};
#pragma unroll
        for (int i = 0; i < BLOCK; i++) {
            float value[V];
            if (r + i * step >= hw)
                break;
            eex_get<T, V>(value, x + (size_t)(r + i * step) * (size_t)c);
#pragma unroll
            for (int j = 0; j < V; j++)
                part[j] += value[j];
        }
#pragma unroll
        for (int j = 0; j < V; j++)
            sum[j] += part[j];
    }
}

/* g: one chunk of one row, width = batch * c / V. */
template <typename T, int V>
static __global__ void __launch_bounds__(EEX_POOL_THREADS)
    global_pool(T *y, const T *x, int hw, int c, eex_columns g)
{
    EEX_DYNAMIC_SHARED(float, shared);
    eex_column t;
    t.x = (int)threadIdx.x % g.tx;
    t.y = (int)threadIdx.x / g.tx;
    size_t i = (size_t)blockIdx.x * (size_t)g.tx + (size_t)t.x;
    bool inside = i < g.rows;
    float sum[V] = {};
    if (inside) {
        unsigned vector;
        size_t sample = eex_digit(i, (unsigned)(c / V), &vector);
        sum_pixels<T, V>(sum, x + sample * (size_t)hw * (size_t)c + vector * V, t.y, hw, g.ty, c);
    }
    eex_columns_sum<V>(sum, shared, g, t);
    if (t.y > 0 || !inside)
        return;
#pragma unroll
    for (int j = 0; j < V; j++)
        sum[j] *= 1.0f / (float)hw;
    eex_put<T, V>(y + i * V, sum);
}

template <typename T, int V>
static int global_pool_launch(eex_cuda *cuda, const eex_op *op, int batch)
{
    const eex_op_pool *pool = &op->u.pool;
    int hw = pool->window.hin * pool->window.win, c = pool->window.cin;
    eex_columns g = {};
    g.rows = (size_t)batch * (size_t)(c / V); /* of outputs, laid side by side */
    g.ty = hw <= 4 ? 1 : hw <= 16 ? 4 : hw <= 256 ? 8 : 32;
    g.tx = (hw <= 4 ? EEX_POOL_THREADS / 2 : EEX_POOL_THREADS) / g.ty;
    unsigned blocks = (unsigned)((g.rows + (size_t)g.tx - 1) / (size_t)g.tx);
    unsigned threads = eex_columns_threads(g);
    EEX_LAUNCH((global_pool<T, V>), blocks, threads, threads * V * sizeof(float), cuda->stream,
               (T *)pool->y, (const T *)pool->x, hw, c, g);
    return eex__cuda_launched(cuda, op);
}

static int global_pool_run(eex_cuda *cuda, const eex_op *op, void *state, int batch)
{
    (void)state;
    return EEX_BY_VECTOR(op->precision, eex_pool_packed(op), global_pool_launch, cuda, op, batch);
}

extern "C" const eex_cuda_op_class eex__cuda_global_pool = {NULL, global_pool_run, NULL};
