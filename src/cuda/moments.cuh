/* Count, mean and sum of squared deviations of float32 values, for V channels at a time, merged in
 * a fixed order (Chan, Golub and LeVeque's update): no sum of squares, so no variance lost. */
#ifndef EEX_CUDA_MOMENTS_CUH
#define EEX_CUDA_MOMENTS_CUH

#include "cuda/columns.cuh"

template <int V> struct eex_moments {
    float n, mean[V], m2[V];
};

template <int V>
__device__ static inline void eex_moments_merge(eex_moments<V> *to, const eex_moments<V> &from)
{
    if (from.n == 0)
        return;
    float n = to->n + from.n, part = from.n / n, rest = to->n * part;
#pragma unroll
    for (int j = 0; j < V; j++) {
        float delta = from.mean[j] - to->mean[j];
        to->mean[j] += delta * part;
        to->m2[j] += from.m2[j] + delta * delta * rest;
    }
    to->n = n;
}

/* Merges N more values a channel, relative to `shift`. */
template <typename T, int V, int N>
__device__ static inline void eex_moments_add(eex_moments<V> *to, const eex_raw<T, V> (&raw)[N],
                                              const float (&shift)[V])
{
    float n = to->n + N, part = N / n, rest = to->n * part;
#pragma unroll
    for (int j = 0; j < V; j++) {
        float value[N], mean = 0, m2 = 0;
#pragma unroll
        for (int i = 0; i < N; i++) {
            value[i] = raw[i].at(j) - shift[j];
            mean += value[i] / N;
        }
#pragma unroll
        for (int i = 0; i < N; i++)
            m2 += (value[i] - mean) * (value[i] - mean);
        float delta = mean - to->mean[j];
        to->mean[j] += delta * part;
        to->m2[j] += m2 + delta * delta * rest;
    }
    to->n = n;
}

/* Floats of shared memory that a merge over a block needs. */
template <int V> static inline size_t eex_moments_shared(unsigned threads)
{
    return (size_t)threads * (2 * V + 1);
}

template <int V>
__device__ static inline void eex_moments_keep(float *shared, const eex_moments<V> &m, int at,
                                               int threads)
{
    shared[2 * V * threads + at] = m.n;
#pragma unroll
    for (int j = 0; j < V; j++) {
        shared[j * threads + at] = m.mean[j];
        shared[(V + j) * threads + at] = m.m2[j];
    }
}

template <int V>
__device__ static inline eex_moments<V> eex_moments_kept(const float *shared, int at, int threads)
{
    eex_moments<V> m;
    m.n = shared[2 * V * threads + at];
#pragma unroll
    for (int j = 0; j < V; j++) {
        m.mean[j] = shared[j * threads + at];
        m.m2[j] = shared[(V + j) * threads + at];
    }
    return m;
}

/* Merges over the ty rows of a block, as a tree; the result is where y is 0, and, of channel j of
 * place x, in shared[j * threads + x] (mean) and shared[(V + j) * threads + x] (m2). */
template <int V>
__device__ static inline void eex_moments_block(eex_moments<V> *m, float *shared,
                                                const eex_columns &g, const eex_column &t)
{
    int threads = g.tx * g.ty, own = t.y * g.tx + t.x;
    __syncthreads(); /* whoever still reads what was in there */
    eex_moments_keep<V>(shared, *m, own, threads);
    __syncthreads();
    for (int n = g.ty; n > 1;) {
        int half = (n + 1) / 2;
        if (t.y + half < n) {
            eex_moments_merge<V>(m, eex_moments_kept<V>(shared, own + half * g.tx, threads));
            eex_moments_keep<V>(shared, *m, own, threads);
        }
        __syncthreads();
        n = half;
    }
}

#endif
