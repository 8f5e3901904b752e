/* What an exit says about one row of logits, in one pass over values that lie in registers.
 *
 * With z the logits, T the temperature, e_j = exp((z_j - max z) / T) and R their sum without the
 * top one, whose e is 1: confidence = 1 / (1 + R), margin = (1 - second largest e) / (1 + R),
 * entropy = log(1 + R) - sum e_j (z_j - max z) / (T (1 + R)). Leaving the 1 out keeps all digits of
 * what a sure row is unsure about, in float. The top class is the first among equals; NaN is never
 * the top but makes all three scores NaN.
 *
 * LANES threads side by side in a warp share a row: value k of lane l is logit k * LANES + l, and
 * what is beyond the row is -infinity. The order of every sum follows from LANES alone, which
 * follows from the number of classes, so a row's bits are the same in every batch and whether its
 * logits come from memory or were made by the kernel itself. */
#ifndef EEX_CUDA_HEAD_CUH
#define EEX_CUDA_HEAD_CUH

#include "cuda/kernel.cuh"

#include <float.h>

struct eex_head_args {
    int classes;
    float scale, scale2; /* 1 / T, and that by the binary logarithm of e */
    int32_t *top;
    float *confidence, *margin, *entropy;
    const float *high, *low; /* high NULL: no decision */
    uint8_t *decision;
    eex_measure measure;
    bool last;
};

struct eex_head_peak {
    float first, second;
};

struct eex_head_sum {
    float rest, energy; /* sums of e and of e times (z - max z), where z is not the largest */
    int top, ties;      /* first class with the largest logit, how many have it */
};

__device__ static inline void eex_head_look(eex_head_peak &p, float z)
{
    p.second = fmaxf(p.second, fminf(p.first, z));
    p.first = fmaxf(p.first, z);
}

__device__ static inline void eex_head_join(eex_head_peak &p, const eex_head_peak &q)
{
    p.second = fmaxf(fminf(p.first, q.first), fmaxf(p.second, q.second));
    p.first = fmaxf(p.first, q.first);
}

__device__ static inline void eex_head_add(eex_head_sum &s, float z, int j, float first,
                                           float scale2)
{
    float below = z - first;
    float e = exp2f(below * scale2);
    if (z == first) {
        s.top = j < s.top ? j : s.top;
        s.ties++;
        e = 0;
    }
    s.rest += e;
    s.energy = fmaf(e, fmaxf(below, -FLT_MAX), s.energy); /* 0 times -infinity counts 0 */
}

__device__ static inline void eex_head_join(eex_head_sum &s, const eex_head_sum &t)
{
    s.rest += t.rest;
    s.energy += t.energy;
    s.top = t.top < s.top ? t.top : s.top;
    s.ties += t.ties;
}

/* Joins the lanes of each group of LANES: all of them get the same. */
template <int LANES> __device__ static inline void eex_head_lanes(eex_head_peak &p)
{
#pragma unroll
    for (int offset = LANES / 2; offset > 0; offset /= 2) {
        eex_head_peak q;
        q.first = __shfl_xor_sync(0xffffffffu, p.first, offset);
        q.second = __shfl_xor_sync(0xffffffffu, p.second, offset);
        eex_head_join(p, q);
    }
}

template <int LANES> __device__ static inline void eex_head_lanes(eex_head_sum &s)
{
#pragma unroll
    for (int offset = LANES / 2; offset > 0; offset /= 2) {
        eex_head_sum t;
        t.rest = __shfl_xor_sync(0xffffffffu, s.rest, offset);
        t.energy = __shfl_xor_sync(0xffffffffu, s.energy, offset);
        t.top = __shfl_xor_sync(0xffffffffu, s.top, offset);
        t.ties = __shfl_xor_sync(0xffffffffu, s.ties, offset);
        eex_head_join(s, t);
    }
}

/* The scores of a row and what is decided about it. One thread a row. */
__device__ static inline void eex_head_write(const eex_head_args &a, size_t row,
                                             const eex_head_peak &p, const eex_head_sum &s)
{
    int top = s.top < a.classes ? s.top : 0; /* nothing but NaN */
    /* An infinite logit is NaN, as infinity less itself is. */
    float rest = s.rest + (float)(s.ties - 1) + (p.first - p.first);
    float share = 1.0f / (1.0f + rest);
    float second = a.classes > 1 ? exp2f((p.second - p.first) * a.scale2) : 0.0f;
    float margin = (1.0f - second) * share;
    float entropy = fmaf(-(s.energy * a.scale), share, log1pf(rest));
    a.top[row] = top;
    a.confidence[row] = share;
    a.margin[row] = margin;
    a.entropy[row] = entropy;
    if (a.high) {
        float score = eex_measure_of(a.measure, share, margin, entropy);
        a.decision[row] = (uint8_t)eex_decide(score, a.high[top], a.low[top], a.last);
    }
}

/* Scores the row that each group of LANES holds; the lanes of a warp come together. */
template <int LANES, int EACH>
__device__ static inline void eex_head_score(const eex_head_args &a, size_t row, bool inside,
                                             const float (&z)[EACH])
{
    int lane = (int)threadIdx.x % LANES;
    eex_head_peak p = {-INFINITY, -INFINITY};
    eex_head_sum s = {0, 0, INT32_MAX, 0};
#pragma unroll
    for (int k = 0; k < EACH; k++)
        eex_head_look(p, z[k]);
    eex_head_lanes<LANES>(p);
#pragma unroll
    for (int k = 0; k < EACH; k++)
        eex_head_add(s, z[k], k * LANES + lane, p.first, a.scale2);
    eex_head_lanes<LANES>(s);
    if (inside && lane == 0)
        eex_head_write(a, row, p, s);
}

/* The same by a whole block of THREADS for rows that are longer than a warp can hold: two passes,
 * of which the second finds the row in the cache. */
template <int THREADS, typename T>
__device__ static inline void eex_head_score_block(const eex_head_args &a, size_t row, const T *z)
{
    enum { WARPS = THREADS / EEX_WARP };
    __shared__ eex_head_peak peaks[WARPS];
    __shared__ eex_head_sum sums[WARPS];
    int warp = (int)threadIdx.x / EEX_WARP;
    eex_head_peak p = {-INFINITY, -INFINITY};
    eex_head_sum s = {0, 0, INT32_MAX, 0};
    for (int j = (int)threadIdx.x; j < a.classes; j += THREADS)
        eex_head_look(p, eex_float(z[j]));
    eex_head_lanes<EEX_WARP>(p);
    if (threadIdx.x % EEX_WARP == 0)
        peaks[warp] = p;
    __syncthreads();
    p = peaks[0];
    for (int i = 1; i < WARPS; i++)
        eex_head_join(p, peaks[i]);
    for (int j = (int)threadIdx.x; j < a.classes; j += THREADS)
        eex_head_add(s, eex_float(z[j]), j, p.first, a.scale2);
    eex_head_lanes<EEX_WARP>(s);
    if (threadIdx.x % EEX_WARP == 0)
        sums[warp] = s;
    __syncthreads();
    if (threadIdx.x > 0)
        return;
    for (int i = 1; i < WARPS; i++)
        eex_head_join(s, sums[i]);
    eex_head_write(a, row, p, s);
}

/* Calls `function<T, LANES, EACH>(arguments)` with what fits the number of classes: at least half
 * of the values in use from 9 classes on, and short chains for few. LANES 0: a block.
 */
#define EEX_HEAD_BY_CLASSES(T, classes, function, ...)      \
    ((classes) <= 16     ? function<T, 4, 4>(__VA_ARGS__)   \
     : (classes) <= 32   ? function<T, 8, 4>(__VA_ARGS__)   \
     : (classes) <= 64   ? function<T, 8, 8>(__VA_ARGS__)   \
     : (classes) <= 128  ? function<T, 8, 16>(__VA_ARGS__)  \
     : (classes) <= 256  ? function<T, 32, 8>(__VA_ARGS__)  \
     : (classes) <= 512  ? function<T, 32, 16>(__VA_ARGS__) \
     : (classes) <= 1024 ? function<T, 32, 32>(__VA_ARGS__) \
                         : function<T, 0, 1>(__VA_ARGS__))

#endif
