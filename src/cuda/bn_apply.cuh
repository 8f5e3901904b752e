/* y = act(gamma (x - mean) invstd + beta + residual), the second half of BN_TRAIN and all of
 * BN_EVAL. y may be x or the residual. */
#ifndef EEX_CUDA_BN_APPLY_CUH
#define EEX_CUDA_BN_APPLY_CUH

#include "cuda/bn.cuh"

/* N rows, `stride` elements apart. */
template <typename T, int V, int N>
__device__ static inline void eex_bn_apply_rows(const eex_op_bn &bn, const eex_bn_affine<V> &a,
                                                size_t at, size_t stride)
{
    eex_raw<T, V> x[N], residual[N];
#pragma unroll
    for (int i = 0; i < N; i++) {
        x[i].load((const T *)bn.x + at + (size_t)i * stride);
        if (bn.residual)
            residual[i].load((const T *)bn.residual + at + (size_t)i * stride);
    }
#pragma unroll
    for (int i = 0; i < N; i++) {
        float y[V];
#pragma unroll
        for (int j = 0; j < V; j++) {
            float z = eex_bn_value<V>(a, x[i].at(j), j);
            y[j] = eex_act_apply(bn.act, bn.residual ? z + residual[i].at(j) : z);
        }
        eex_put<T, V>((T *)bn.y + at + (size_t)i * stride, y);
    }
}

template <typename T, int V>
__device__ static inline void eex_bn_apply(const eex_op_bn &bn, const eex_bn_affine<V> &a,
                                           const eex_columns &g, const eex_column &t)
{
    eex_column_rows(g, t, [&](auto rows, size_t at, size_t stride) {
        eex_bn_apply_rows<T, V, decltype(rows)::value>(bn, a, at, stride);
    });
}

/* Chunks from behind: after a pass over x the caches hold its end. */
template <typename T, int V>
static __global__ void __launch_bounds__(EEX_BN_WIDE)
    eex_bn_apply_all(eex_op_bn bn, bool running, eex_columns g)
{
    eex_column t = eex_column_of<V>(g, gridDim.x - 1 - blockIdx.x);
    eex_bn_affine<V> a;
    eex_bn_load<V>(&a, bn.gamma, bn.beta, running ? bn.running_mean : bn.save_mean,
                   running ? NULL : bn.save_invstd, bn.running_var, bn.eps, t.first);
    eex_bn_apply<T, V>(bn, a, g, t);
}

static inline bool eex_bn_packed(const eex_op *op)
{
    const eex_op_bn *bn = &op->u.bn;
    return eex_packed(op->precision, bn->c, bn->x) && eex_packed(op->precision, bn->c, bn->y) &&
           eex_packed(op->precision, bn->c, bn->residual);
}

template <typename T, int V>
static void eex_bn_launch_apply(eex_cuda *cuda, const eex_op_bn &bn, bool running, size_t rows)
{
    eex_columns g = eex_bn_elements(cuda, rows, bn.c, V);
    EEX_LAUNCH((eex_bn_apply_all<T, V>), eex_columns_grid(g), eex_columns_threads(g), 0,
               cuda->stream, bn, running, g);
}

#endif
