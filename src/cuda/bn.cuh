/* What the batch norm kernels share: the geometry of their launches, and z = gamma (x - mean) *
 * invstd + beta in one place, so that backward finds the very values of forward.
 *
 * x - mean comes before the product: where values lie far from zero, scale * x + offset would round
 * away what a float mean still tells.
 *
 * Two geometries (columns.cuh). Few rows: a block of 512 threads takes all rows of 32 bytes of
 * channels, so it has their statistics alone and goes on to what uses them, all in one launch; the
 * layers at the end of a network are of this kind, and there the launches are what costs. Else
 * blocks of 256 threads share the rows, the last of a group of channels finishes the sums of all,
 * and a second launch uses them. */
#ifndef EEX_CUDA_BN_CUH
#define EEX_CUDA_BN_CUH

#include "cuda/columns.cuh"

enum {
    EEX_BN_THREADS = 512, /* at most */
    EEX_BN_WIDE = 256,    /* threads of a block that shares the rows */
    EEX_BN_FEW = 16       /* rows a thread takes alone before more blocks are worth a launch */
};

/* Chunks of rows at most: as many blocks as run at the same time. */
static inline size_t eex_bn_chunks(const eex_cuda *cuda, const eex_columns &g)
{
    size_t chunks = 4 * (size_t)cuda->processors / (size_t)g.groups;
    return chunks < 1 ? 1 : chunks;
}

static inline eex_columns eex_bn_wide(size_t rows, int c, int v)
{
    return eex_columns_of(rows, c, v, EEX_BN_WIDE, EEX_WARP);
}

/* Whether one block has all rows of its channels. */
static inline bool eex_bn_whole(const eex_columns &g)
{
    return g.chunks == 1;
}

/* For sums over all rows: whole, or in chunks of rows that blocks of EEX_BN_WIDE threads take. */
static inline eex_columns eex_bn_columns(const eex_cuda *cuda, size_t rows, int c, int v)
{
    eex_columns g = eex_columns_of(rows, c, v, EEX_BN_THREADS, v == 1 ? 8 : 2);
    if (rows <= (size_t)g.ty * EEX_BN_FEW)
        return g;
    g = eex_bn_wide(rows, c, v);
    eex_columns_split(&g, EEX_BN_FEW / 2, eex_bn_chunks(cuda, g));
    return g;
}

/* For what each element needs alone. */
static inline eex_columns eex_bn_elements(const eex_cuda *cuda, size_t rows, int c, int v)
{
    eex_columns g = eex_bn_wide(rows, c, v);
    eex_columns_split(&g, EEX_BN_FEW / 2, (size_t)cuda->processors * 32);
    return g;
}

/* Bytes of the sums that blocks leave for the last one, two for each channel. */
static inline size_t eex_bn_partial_bytes(const eex_cuda *cuda, int c, int v)
{
    return eex_bn_chunks(cuda, eex_bn_wide(1, c, v)) * 2 * (size_t)c * sizeof(float);
}

/* The state of an op with sums: a counter a group of channels, for eex_last_block. */
static inline int eex_bn_counters(eex_cuda *cuda, void **state, int c)
{
    size_t bytes = (size_t)c * sizeof(unsigned);
    void *counters = NULL;
    EEX_TRY(eex__cuda_alloc(cuda, &counters, bytes, "counters of batch norm"));
    *state = counters;
    return eex__cuda_check(cuda, cudaMemsetAsync(counters, 0, bytes, cuda->stream),
                           "counters of batch norm");
}

static inline void eex_bn_finish(eex_cuda *cuda, const eex_op *op, void *state)
{
    (void)op;
    eex__cuda_free(cuda, state);
}

__device__ static inline float eex_bn_invstd(float var, float eps)
{
    return 1.0f / sqrtf(var + eps);
}

/* A thread's coefficients. */
template <int V> struct eex_bn_affine {
    float mean[V], scale[V], beta[V];
};

/* invstd NULL: from var. */
template <int V>
__device__ static inline void eex_bn_load(eex_bn_affine<V> *to, const float *gamma,
                                          const float *beta, const float *mean, const float *invstd,
                                          const float *var, float eps, int first)
{
#pragma unroll
    for (int j = 0; j < V; j++) {
        int k = first + j;
        to->mean[j] = mean[k];
        to->scale[j] = gamma[k] * (invstd ? invstd[k] : eex_bn_invstd(var[k], eps));
        to->beta[j] = beta[k];
    }
}

template <int V>
__device__ static inline float eex_bn_value(const eex_bn_affine<V> &a, float x, int j)
{
    return fmaf(x - a.mean[j], a.scale[j], a.beta[j]);
}

#endif
