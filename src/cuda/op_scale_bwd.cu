/* dx = dy * s, then ds = the sum over each image of dy * x.
 *
 * dx: scale.cuh. ds, geometry: tx vectors of channels, in the order of memory, by ty threads that
 * share the pixels of each; ty grows with hw alone, so a sample is summed in the same order in any
 * batch. Bytes: dy and x once more. Roofline: memory. */
#include "cuda/scale.cuh"

template <typename T, int V>
static __device__ void sum_products(float (&sum)[V], const T *dy, const T *x, int begin, int hw,
                                    int step, int c)
{
    enum { BLOCK = 8 }; /* added up first: the error of a short sum */
    for (int r = begin; r < hw; r += BLOCK * step) {
        float part[V] = {};
#pragma unroll
        for (int i = 0; i < BLOCK; i++) {
            float a[V], b[V];
            if (r + i * step >= hw)
                break;
            size_t at = (size_t)(r + i * step) * (size_t)c;
            eex_get<T, V>(a, dy + at);
            eex_get<T, V>(b, x + at);
#pragma unroll
            for (int j = 0; j < V; j++)
                part[j] += a[j] * b[j];
        }
#pragma unroll
        for (int j = 0; j < V; j++)
            sum[j] += part[j];
    }
}

template <typename T> struct dots_args {
    T *ds;
    const T *dy, *x;
    int hw, c;
    bool accumulate;
};

/* g: one chunk of one row, width = batch * c / V. */
template <typename T, int V>
static __global__ void __launch_bounds__(EEX_POOL_THREADS) dots(dots_args<T> p, eex_columns g)
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
        size_t sample = eex_digit(i, (unsigned)(p.c / V), &vector);
        size_t at = sample * (size_t)p.hw * (size_t)p.c + vector * V;
        sum_products<T, V>(sum, p.dy + at, p.x + at, t.y, p.hw, g.ty, p.c);
    }
    eex_columns_sum<V>(sum, shared, g, t);
    if (t.y > 0 || !inside)
        return;
    float before[V] = {};
    if (p.accumulate)
        eex_get<T, V>(before, p.ds + i * V);
#pragma unroll
    for (int j = 0; j < V; j++)
        sum[j] = p.accumulate ? before[j] + sum[j] : sum[j];
    eex_put<T, V>(p.ds + i * V, sum);
}

template <typename T, int V> static int dots_launch(eex_cuda *cuda, const eex_op *op, int batch)
{
    const eex_op_scale *scale = &op->u.scale;
    int hw = scale->hw;
    dots_args<T> p = {(T *)scale->ds, (const T *)scale->dy, (const T *)scale->x, hw,
                      scale->c,       scale->ds_accumulate};
    eex_columns g = {};
    g.rows = (size_t)batch * (size_t)(scale->c / V); /* of sums, laid side by side */
    g.ty = hw <= 4 ? 1 : hw <= 16 ? 4 : hw <= 256 ? 8 : 32;
    g.tx = (hw <= 4 ? EEX_POOL_THREADS / 2 : EEX_POOL_THREADS) / g.ty;
    unsigned blocks = (unsigned)((g.rows + (size_t)g.tx - 1) / (size_t)g.tx);
    unsigned threads = eex_columns_threads(g);
    EEX_LAUNCH((dots<T, V>), blocks, threads, threads * V * sizeof(float), cuda->stream, p, g);
    return eex__cuda_launched(cuda, op);
}

static int scale_bwd_run(eex_cuda *cuda, const eex_op *op, void *state, int batch)
{
    const eex_op_scale *scale = &op->u.scale;
    (void)state;
    if (scale->dx) {
        int code = EEX_BY_VECTOR(op->precision, eex_scale_packed(op), eex_scale_launch, cuda, op,
                                 batch, scale->dx, scale->dy, scale->dx_accumulate);
        if (code < 0 || !scale->ds)
            return code;
    }
    return EEX_BY_VECTOR(op->precision, eex_scale_packed(op), dots_launch, cuda, op, batch);
}

extern "C" const eex_cuda_op_class eex__cuda_scale_bwd = {NULL, scale_bwd_run, NULL};
