/* Batch norm with the batch's statistics, residual and activation.
 *
 * Geometry: bn.cuh. Few rows: one launch, in which a block takes the statistics of its channels and
 * then applies them. Else two: blocks over chunks of rows leave mean and squared deviations of
 * their chunk in the scratch buffer, (chunks, 2, c), the last block of a group of channels merges
 * them in order and writes the statistics; the second launch applies them. Where the convolution in
 * front took the sums along, the first of the two only turns them into statistics.
 *
 * Values are taken relative to the first row, so that a float mean keeps its precision where they
 * lie far from zero; within a thread, four rows at a time are merged into the moments so far.
 *
 * Bytes: x twice, the residual and y once; the second reading starts where the first ended, in the
 * L2 cache. Roofline: memory; few rows: the latency of one launch. */
#include "cuda/bn_apply.cuh"
#include "cuda/moments.cuh"

/* ---- statistics ---- */

template <typename T, int V, int N>
static __device__ void add_rows(eex_moments<V> *m, const T *x, size_t stride,
                                const float (&shift)[V])
{
    eex_raw<T, V> raw[N];
#pragma unroll
    for (int i = 0; i < N; i++)
        raw[i].load(x + (size_t)i * stride);
    eex_moments_add<T, V, N>(m, raw, shift);
}

template <typename T, int V>
static __device__ eex_moments<V> moments_of_thread(const T *x, const eex_columns &g,
                                                   const eex_column &t)
{
    eex_moments<V> m = {};
    float shift[V];
    eex_get<T, V>(shift, x + t.first);
    eex_column_rows(g, t, [&](auto rows, size_t at, size_t stride) {
        add_rows<T, V, decltype(rows)::value>(&m, x + at, stride, shift);
    });
    return m;
}

/* What the block of chunk i left for the thread's channels; nothing behind the last chunk. */
template <int V>
static __device__ eex_moments<V> moments_of_chunk(const float *partials, const eex_columns &g,
                                                  const eex_column &t, unsigned i)
{
    eex_moments<V> m = {};
    if (i >= g.chunks)
        return m;
    const float *from = partials + (size_t)i * 2 * (size_t)g.c + t.first;
    size_t left = g.rows - (size_t)i * g.chunk;
    m.n = (float)(left < g.chunk ? left : g.chunk);
#pragma unroll
    for (int j = 0; j < V; j++) {
        m.mean[j] = eex_fresh(from + j);
        m.m2[j] = eex_fresh(from + g.c + j);
    }
    return m;
}

/* All chunks' moments, merged in the last block: each thread takes every ty-th chunk, some of them
 * on their way at a time. */
template <int V>
static __device__ eex_moments<V> moments_of_chunks(const float *partials, const eex_columns &g,
                                                   const eex_column &t)
{
    enum { N = V == 8 ? 2 : 4 };
    eex_moments<V> m = {};
    unsigned ty = (unsigned)g.ty;
    for (unsigned i = (unsigned)t.y; i < g.chunks && t.inside; i += N * ty) {
        eex_moments<V> part[N];
#pragma unroll
        for (unsigned k = 0; k < N; k++)
            part[k] = moments_of_chunk<V>(partials, g, t, i + k * ty);
#pragma unroll
        for (unsigned k = 0; k < N; k++)
            eex_moments_merge<V>(&m, part[k]);
    }
    return m;
}

/* Writes the saved and moves the running statistics of a channel. */
static __device__ void keep_statistics(const eex_op_bn &bn, int k, double mean, double var,
                                       double pixels)
{
    double unbias = pixels > 1 ? pixels / (pixels - 1) : 1.0, momentum = bn.momentum;
    bn.save_mean[k] = (float)mean;
    bn.save_invstd[k] = (float)(1.0 / sqrt(var + (double)bn.eps));
    bn.running_mean[k] = (float)((1 - momentum) * bn.running_mean[k] + momentum * mean);
    bn.running_var[k] = (float)((1 - momentum) * bn.running_var[k] + momentum * var * unbias);
}

/* From the moments of a block's channels in shared memory (moments.cuh), a thread a channel. */
template <typename T, int V>
static __device__ void keep_moments(const eex_op_bn &bn, const float *shared, const eex_columns &g)
{
    int threads = g.tx * g.ty;
    for (int i = (int)threadIdx.x; i < g.tx * V; i += threads) {
        int x = i / V, j = i % V, k = ((int)blockIdx.y * g.tx + x) * V + j;
        if (k >= g.c)
            continue;
        double mean = (double)eex_float(((const T *)bn.x)[k]) + (double)shared[j * threads + x];
        double var = (double)shared[(V + j) * threads + x] / (double)g.rows;
        keep_statistics(bn, k, mean, var, (double)g.rows);
    }
}

/* WHOLE: a block has all rows of its channels. */
template <typename T, int V, bool WHOLE>
static __global__ void __launch_bounds__(WHOLE ? EEX_BN_THREADS : EEX_BN_WIDE)
    bn_train(eex_op_bn bn, eex_columns g, float *partials, unsigned *counters)
{
    EEX_DYNAMIC_SHARED(float, shared);
    eex_column t = eex_column_of<V>(g, blockIdx.x);
    eex_moments<V> m = moments_of_thread<T, V>((const T *)bn.x, g, t);
    eex_moments_block<V>(&m, shared, g, t);
    if (!WHOLE) {
        float *part = partials + (size_t)blockIdx.x * 2 * (size_t)g.c + t.first;
        for (int j = 0; j < V && t.y == 0 && t.inside; j++) {
            part[j] = m.mean[j];
            part[g.c + j] = m.m2[j];
        }
        if (!eex_last_block(counters + blockIdx.y, g.chunks))
            return;
        m = moments_of_chunks<V>(partials, g, t);
        eex_moments_block<V>(&m, shared, g, t);
    }
    keep_moments<T, V>(bn, shared, g);
    if (!WHOLE)
        return;
    __syncthreads(); /* the statistics are written */
    eex_bn_affine<V> a;
    eex_bn_load<V>(&a, bn.gamma, bn.beta, bn.save_mean, bn.save_invstd, NULL, 0, t.first);
    eex_bn_apply<T, V>(bn, a, g, t);
}

/* From sums of x and of its squares, a thread a channel. */
static __global__ void __launch_bounds__(256) statistics_of_sums(eex_op_bn bn, double pixels)
{
    int k = (int)(blockIdx.x * blockDim.x + threadIdx.x);
    if (k >= bn.c)
        return;
    double mean = bn.stats[k] / pixels, var = bn.stats[bn.c + k] / pixels - mean * mean;
    keep_statistics(bn, k, mean, var < 0 ? 0 : var, pixels);
}

/* ---- the op ---- */

template <typename T, int V, bool WHOLE>
static void launch_statistics(eex_cuda *cuda, const eex_op_bn *bn, void *state,
                              const eex_columns &g)
{
    unsigned threads = eex_columns_threads(g);
    EEX_LAUNCH((bn_train<T, V, WHOLE>), eex_columns_grid(g), threads,
               eex_moments_shared<V>(threads) * sizeof(float), cuda->stream, *bn, g,
               (float *)cuda->scratch, (unsigned *)state);
}

template <typename T, int V>
static int bn_train_launch(eex_cuda *cuda, const eex_op *op, void *state, size_t rows)
{
    const eex_op_bn *bn = &op->u.bn;
    eex_columns g = eex_bn_columns(cuda, rows, bn->c, V);
    if (bn->stats)
        EEX_LAUNCH(statistics_of_sums, eex_blocks((size_t)bn->c, 256, (size_t)bn->c), 256, 0,
                   cuda->stream, *bn, (double)rows);
    else if (eex_bn_whole(g))
        launch_statistics<T, V, true>(cuda, bn, state, g);
    else
        launch_statistics<T, V, false>(cuda, bn, state, g);
    if (bn->stats || !eex_bn_whole(g))
        eex_bn_launch_apply<T, V>(cuda, *bn, false, rows);
    return eex__cuda_launched(cuda, op);
}

static int bn_train_prepare(eex_cuda *cuda, void **state, const eex_op *op, int max_batch)
{
    (void)max_batch;
    int c = op->u.bn.c, v = eex_vector_length(op->precision, eex_bn_packed(op));
    EEX_TRY(eex__cuda_reserve(cuda, eex_bn_partial_bytes(cuda, c, v)));
    return eex_bn_counters(cuda, state, c);
}

static int bn_train_run(eex_cuda *cuda, const eex_op *op, void *state, int batch)
{
    size_t rows = (size_t)batch * (size_t)op->u.bn.hw;
    return EEX_BY_VECTOR(op->precision, eex_bn_packed(op), bn_train_launch, cuda, op, state, rows);
}

extern "C" const eex_cuda_op_class eex__cuda_bn_train = {bn_train_prepare, bn_train_run,
                                                         eex_bn_finish};
