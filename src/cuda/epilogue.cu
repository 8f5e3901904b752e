/* What follows a matrix product: y = act(y + bias + residual) in place, y of (rows, c).
 *
 * Geometry: columns.cuh, 256 threads, about 8 rows a thread. Bytes: y once in and once out, the
 * residual once in. Roofline: memory. */
#include "cuda/columns.cuh"

struct epilogue_args {
    void *y;
    const float *bias;
    const void *residual;
    eex_act act;
};

template <typename T, int V, int N>
static __device__ void epilogue_rows(const epilogue_args &a, const float (&bias)[V], size_t at,
                                     size_t stride)
{
    T *y = (T *)a.y + at;
    eex_raw<T, V> raw[N], more[N];
#pragma unroll
    for (int i = 0; i < N; i++) {
        raw[i].load(y + (size_t)i * stride);
        if (a.residual)
            more[i].load((const T *)a.residual + at + (size_t)i * stride);
    }
#pragma unroll
    for (int i = 0; i < N; i++) {
        float value[V];
#pragma unroll
        for (int j = 0; j < V; j++) {
            value[j] = raw[i].at(j) + bias[j];
            value[j] = eex_act_apply(a.act, a.residual ? value[j] + more[i].at(j) : value[j]);
        }
        eex_put<T, V>(y + (size_t)i * stride, value);
    }
}

template <typename T, int V>
static __global__ void __launch_bounds__(256) epilogue(epilogue_args a, eex_columns g)
{
    eex_column t = eex_column_of<V>(g, blockIdx.x);
    float bias[V] = {};
    if (a.bias && t.inside)
        eex_channels<V>(bias, a.bias + t.first);
    eex_column_rows(g, t, [&](auto rows, size_t at, size_t stride) {
        epilogue_rows<T, V, decltype(rows)::value>(a, bias, at, stride);
    });
}

template <typename T, int V>
static int launch(eex_cuda *cuda, const epilogue_args &a, const eex_columns &g)
{
    EEX_LAUNCH((epilogue<T, V>), eex_columns_grid(g), eex_columns_threads(g), 0, cuda->stream, a,
               g);
    return eex__cuda_check(cuda, cudaGetLastError(), "bias and activation");
}

extern "C" int eex__cuda_epilogue(eex_cuda *cuda, eex_precision precision, void *y,
                                  const float *bias, const void *residual, eex_act act, size_t rows,
                                  int c)
{
    if (!bias && !residual && act == EEX_ACT_NONE)
        return EEX_OK;
    bool packed = eex_packed(precision, c, y) && eex_packed(precision, c, residual);
    eex_columns g = eex_columns_of(rows, c, eex_vector_length(precision, packed), 256, 32);
    epilogue_args a = {y, bias, residual, act};
    eex_columns_split(&g, 8, (size_t)cuda->processors * 32);
    return EEX_BY_VECTOR(precision, packed, launch, cuda, a, g);
}
