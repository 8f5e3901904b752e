/* Sums of the columns of dy (rows, c) in float32: gradients of biases.
 *
 * Geometry: columns.cuh, 256 threads. Few rows (a batch of a linear layer) take one launch of one
 * chunk. Else every block leaves the sums of its chunk in the scratch buffer, (chunks, c), and a
 * second launch adds those, a thread a column, in the order of the chunks. Bytes: dy once.
 * Roofline: memory. */
#include "cuda/columns.cuh"

enum { THREADS = 256, WIDEST = 32, BLOCKS = 1024, FEW = 32 };

struct sums_args {
    float *sums; /* (c), or (chunks, c) when there are several */
    const void *dy;
    bool accumulate;
};

template <typename T, int V, int N>
static __device__ void add_rows(float (&sum)[V], const T *dy, size_t stride)
{
    eex_raw<T, V> raw[N];
#pragma unroll
    for (int i = 0; i < N; i++)
        raw[i].load(dy + (size_t)i * stride);
#pragma unroll
    for (int j = 0; j < V; j++) {
        float part = raw[0].at(j);
#pragma unroll
        for (int i = 1; i < N; i++)
            part += raw[i].at(j);
        sum[j] += part;
    }
}

template <typename T, int V>
static __global__ void __launch_bounds__(THREADS) column_sums(sums_args a, eex_columns g)
{
    EEX_DYNAMIC_SHARED(float, shared);
    eex_column t = eex_column_of<V>(g, blockIdx.x);
    float sum[V] = {};
    eex_column_rows(g, t, [&](auto rows, size_t at, size_t stride) {
        add_rows<T, V, decltype(rows)::value>(sum, (const T *)a.dy + at, stride);
    });
    eex_columns_sum<V>(sum, shared, g, t);
    if (t.y > 0 || !t.inside)
        return;
    float *to = a.sums + (size_t)blockIdx.x * (size_t)g.c + (size_t)t.first;
#pragma unroll
    for (int j = 0; j < V; j++)
        to[j] = a.accumulate ? to[j] + sum[j] : sum[j];
}

static __global__ void __launch_bounds__(THREADS)
    add_chunks(float *sums, const float *parts, unsigned chunks, int c, bool accumulate)
{
    int j = (int)(blockIdx.x * blockDim.x + threadIdx.x);
    if (j >= c)
        return;
    float sum = 0;
#pragma unroll 8
    for (unsigned i = 0; i < chunks; i++)
        sum += parts[(size_t)i * (size_t)c + (size_t)j];
    sums[j] = accumulate ? sums[j] + sum : sum;
}

static size_t most_chunks(int groups)
{
    return groups < BLOCKS ? (size_t)(BLOCKS / groups) : 1;
}

template <typename T, int V> static int launch(eex_cuda *cuda, sums_args a, const eex_columns &g)
{
    unsigned threads = eex_columns_threads(g);
    float *sums = a.sums;
    bool accumulate = a.accumulate;
    if (g.chunks > 1) {
        a.sums = (float *)cuda->scratch;
        a.accumulate = false;
    }
    EEX_LAUNCH((column_sums<T, V>), eex_columns_grid(g), threads, threads * V * sizeof(float),
               cuda->stream, a, g);
    if (g.chunks > 1)
        EEX_LAUNCH(add_chunks, eex_blocks((size_t)g.c, THREADS, g.c), THREADS, 0, cuda->stream,
                   sums, (const float *)cuda->scratch, g.chunks, g.c, accumulate);
    return eex__cuda_check(cuda, cudaGetLastError(), "sums of columns");
}

extern "C" int eex__cuda_column_sums(eex_cuda *cuda, eex_precision precision, float *sums,
                                     const void *dy, size_t rows, int c, bool accumulate)
{
    bool packed = eex_packed(precision, c, dy);
    eex_columns g = eex_columns_of(rows, c, eex_vector_length(precision, packed), THREADS, WIDEST);
    sums_args a = {sums, dy, accumulate};
    if (rows > (size_t)g.ty * FEW)
        eex_columns_split(&g, FEW, most_chunks(g.groups));
    return EEX_BY_VECTOR(precision, packed, launch, cuda, a, g);
}

/* Whatever the precision and the alignment: packs of 8 make the fewest groups, so the most chunks.
 */
extern "C" size_t eex__cuda_column_sums_scratch(size_t rows, int c)
{
    size_t chunks = most_chunks((c / 8 + WIDEST - 1) / WIDEST + (c < 8));
    return (rows < chunks ? rows : chunks) * (size_t)c * sizeof(float);
}
