/* y = (or +=) x * s, s one value a channel of each sample: forward, and the gradient of x.
 *
 * Geometry: a thread a vector of channels of a pixel, in the order of memory. Bytes: x and y once
 * (y twice when it accumulates), s out of the caches. Roofline: memory. */
#ifndef EEX_CUDA_SCALE_CUH
#define EEX_CUDA_SCALE_CUH

#include "cuda/pool.cuh"

template <typename T> struct eex_scaling {
    T *y;
    const T *x, *s;
    int hw, c;
    bool accumulate;
    size_t count; /* vectors */
};

template <typename T, int V>
static __global__ void __launch_bounds__(EEX_POOL_THREADS) eex_scale_all(eex_scaling<T> p)
{
    size_t step = (size_t)gridDim.x * blockDim.x;
    for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < p.count; i += step) {
        unsigned vector, pixel;
        size_t sample = eex_digit(i, (unsigned)(p.c / V), &vector);
        sample = eex_digit(sample, (unsigned)p.hw, &pixel);
        float value[V], s[V], before[V];
        eex_get<T, V>(value, p.x + i * V);
        eex_get<T, V>(s, p.s + sample * (size_t)p.c + vector * V);
        if (p.accumulate)
            eex_get<T, V>(before, p.y + i * V);
#pragma unroll
        for (int j = 0; j < V; j++)
            value[j] = p.accumulate ? before[j] + value[j] * s[j] : value[j] * s[j];
        eex_put<T, V>(p.y + i * V, value);
    }
}

template <typename T, int V>
static int eex_scale_launch(eex_cuda *cuda, const eex_op *op, int batch, float *y, const float *x,
                            bool accumulate)
{
    const eex_op_scale *scale = &op->u.scale;
    eex_scaling<T> p;
    p.y = (T *)y;
    p.x = (const T *)x;
    p.s = (const T *)scale->s;
    p.hw = scale->hw;
    p.c = scale->c;
    p.accumulate = accumulate;
    p.count = (size_t)batch * (size_t)scale->hw * (size_t)(scale->c / V);
    EEX_LAUNCH((eex_scale_all<T, V>),
               eex_blocks(p.count, EEX_POOL_THREADS, (size_t)cuda->processors * 64),
               EEX_POOL_THREADS, 0, cuda->stream, p);
    return eex__cuda_launched(cuda, op);
}

/* Whether every tensor of the op can be read in packs. */
static inline bool eex_scale_packed(const eex_op *op)
{
    const eex_op_scale *p = &op->u.scale;
    const void *all[] = {p->x, p->s, p->y, p->dy, p->dx, p->ds};
    for (const void *at : all)
        if (!eex_packed(op->precision, p->c, at))
            return false;
    return true;
}

#endif
