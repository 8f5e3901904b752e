/* Ops that treat each element alone: y = f(x, x2) or y += f(x, x2).
 *
 * Geometry: 256 threads a block, a thread a pack of 16 bytes at a time; at most as many blocks as
 * fill the chip some times over, each then goes on behind the last. Elements behind the last whole
 * pack, and all where a pointer is not aligned, go one by one. y may be x or x2. Roofline: memory;
 * below a megabyte, the latency of the launch. */
#ifndef EEX_CUDA_POINTWISE_CUH
#define EEX_CUDA_POINTWISE_CUH

#include "cuda/columns.cuh"

enum { EEX_POINTWISE_THREADS = 256 };

template <typename T> struct eex_pointwise {
    T *y;
    const T *x, *x2; /* x2 may be NULL: read as 0 */
    size_t n;
    bool accumulate, packed;
};

/* V elements from i on. F: float operator()(key, i, x, x2), with key what F::begin() gave. */
template <typename T, int V, typename F>
__device__ static inline void eex_pointwise_at(const eex_pointwise<T> &p, const F &f,
                                               typename F::key key, size_t i)
{
    float x[V], x2[V] = {}, y[V] = {};
    eex_get<T, V>(x, p.x + i);
    if (p.x2)
        eex_get<T, V>(x2, p.x2 + i);
    if (p.accumulate)
        eex_get<T, V>(y, p.y + i);
#pragma unroll
    for (int j = 0; j < V; j++) {
        float value = f(key, i + (size_t)j, x[j], x2[j]);
        y[j] = p.accumulate ? y[j] + value : value; /* not 0 + value: -0 stays */
    }
    eex_put<T, V>(p.y + i, y);
}

template <typename T, typename F>
static __global__ void __launch_bounds__(EEX_POINTWISE_THREADS)
    eex_pointwise_all(eex_pointwise<T> p, F f)
{
    enum { V = eex_pack<T>::COUNT };
    typename F::key key = f.begin();
    size_t first = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    size_t step = (size_t)gridDim.x * blockDim.x, packs = p.packed ? p.n / V : 0;
    for (size_t i = first; i < packs; i += step)
        eex_pointwise_at<T, V, F>(p, f, key, i * V);
    for (size_t i = packs * V + first; i < p.n; i += step)
        eex_pointwise_at<T, 1, F>(p, f, key, i);
}

template <typename T, typename F>
static int eex_pointwise_launch(eex_cuda *cuda, const eex_op *op, const void *x2, int batch,
                                const F &f)
{
    const eex_op_pointwise *from = &op->u.pointwise;
    eex_pointwise<T> p;
    p.y = (T *)from->y;
    p.x = (const T *)from->x;
    p.x2 = (const T *)x2;
    p.n = (size_t)batch * (size_t)from->size;
    p.accumulate = from->accumulate;
    p.packed = eex_vector_ok<T>(0, p.y) && eex_vector_ok<T>(0, p.x) && eex_vector_ok<T>(0, p.x2);
    unsigned blocks =
        eex_blocks(p.n, (size_t)EEX_POINTWISE_THREADS * (p.packed ? eex_pack<T>::COUNT : 1),
                   (size_t)cuda->processors * 32);
    EEX_LAUNCH((eex_pointwise_all<T, F>), blocks, EEX_POINTWISE_THREADS, 0, cuda->stream, p, f);
    return eex__cuda_launched(cuda, op);
}

/* For an F without a key. */
struct eex_no_key {};

#endif
