/* Tensors of `rows` pixels by `c` channels as grids of threads, for everything that knows something
 * about each channel: batch norm, biases, sums over pixels.
 *
 * A vector is a pack of 16 bytes where the channels come in whole packs, else one element; a row is
 * `width` vectors. A block has tx * ty threads in one dimension: tx vectors side by side, ty rows
 * below each other. blockIdx.y says which vectors of a row, blockIdx.x which chunk of the rows, of
 * which each thread takes every ty-th. So a thread sees the same channels all the time and keeps
 * what belongs to them in registers, and as tx divides the row evenly, the lanes of a warp read
 * memory without gaps also where a row is shorter than a warp. */
#ifndef EEX_CUDA_COLUMNS_CUH
#define EEX_CUDA_COLUMNS_CUH

#include "cuda/kernel.cuh"

struct eex_columns {
    size_t rows, chunk; /* of all, of one block */
    int c, width;
    int tx, ty, groups; /* groups: blocks beside each other */
    unsigned chunks;    /* blocks below each other */
};

/* One chunk. v: elements of a vector; widest: the most vectors of a row for one block. */
static inline eex_columns eex_columns_of(size_t rows, int c, int v, int threads, int widest)
{
    eex_columns g;
    g.rows = g.chunk = rows;
    g.c = c;
    g.width = c / v;
    g.groups = (g.width + widest - 1) / widest;
    g.tx = (g.width + g.groups - 1) / g.groups;
    g.ty = threads / g.tx;
    g.ty = (size_t)g.ty < rows ? g.ty : (int)rows;
    g.chunks = 1;
    return g;
}

/* Divides the rows so that a thread gets about `each` of them, or more when that would make more
 * than `most` chunks. */
static inline void eex_columns_split(eex_columns *g, size_t each, size_t most)
{
    size_t chunks = eex_blocks(g->rows, (size_t)g->ty * each, most);
    size_t lines = (g->rows + chunks * (size_t)g->ty - 1) / (chunks * (size_t)g->ty);
    g->chunk = lines * (size_t)g->ty;
    g->chunks = (unsigned)((g->rows + g->chunk - 1) / g->chunk);
}

static inline dim3 eex_columns_grid(const eex_columns &g)
{
    return dim3(g.chunks, (unsigned)g.groups);
}

static inline unsigned eex_columns_threads(const eex_columns &g)
{
    return (unsigned)(g.tx * g.ty);
}

/* Where a thread stands. It owns the channels first..first + V - 1 of the rows begin, begin + ty,
 * ... before end; none when it is beside the tensor. */
struct eex_column {
    int x, y, first;
    bool inside;
    size_t begin, end;
};

template <int V> __device__ static inline eex_column eex_column_of(const eex_columns &g, size_t at)
{
    eex_column t;
    t.x = (int)threadIdx.x % g.tx;
    t.y = (int)threadIdx.x / g.tx;
    int vector = (int)blockIdx.y * g.tx + t.x;
    t.inside = vector < g.width;
    t.first = t.inside ? vector * V : 0;
    t.begin = at * g.chunk + (size_t)t.y;
    t.end = (at + 1) * g.chunk < g.rows ? (at + 1) * g.chunk : g.rows;
    t.end = t.inside ? t.end : 0;
    return t;
}

/* Rows whose loads a thread issues before it uses the first: 16 bytes of each of these, and of each
 * of its threads, keep a processor's share of the memory busy. */
enum { EEX_ROWS = 4 };

/* How many rows a thread takes at once, for the compiler. */
template <int N> struct eex_row_count {
    enum { value = N };
};

/* A thread's rows from the first to the last: EEX_ROWS at once as long as there are so many, then
 * one by one. body(eex_row_count, at, stride): `at` is the first of the thread's elements of the
 * first row, the other rows are `stride` elements apart. */
template <typename Body>
__device__ static inline void eex_column_rows(const eex_columns &g, const eex_column &t,
                                              const Body &body)
{
    size_t c = (size_t)g.c, ty = (size_t)g.ty, r = t.begin;
    for (; r + (EEX_ROWS - 1) * ty < t.end; r += EEX_ROWS * ty)
        body(eex_row_count<EEX_ROWS>(), r * c + (size_t)t.first, ty * c);
    for (; r < t.end; r += ty)
        body(eex_row_count<1>(), r * c + (size_t)t.first, ty * c);
}

/* A vector as it lies in memory: half the registers of its floats when it is bfloat16. */
template <typename T, int V> struct eex_raw {
    eex_bits16 bits;

    __device__ void load(const T *from)
    {
        bits = *reinterpret_cast<const eex_bits16 *>(from);
    }
    __device__ void clear()
    {
        bits = {};
    }
    __device__ float at(int j) const
    {
        uint32_t word = sizeof(T) == 4 ? bits.word[j]
                        : j % 2        ? bits.word[j / 2] & 0xffff0000u
                                       : bits.word[j / 2] << 16;
        float value;
        memcpy(&value, &word, sizeof value);
        return value;
    }
};

template <typename T> struct eex_raw<T, 1> {
    T value;

    __device__ void load(const T *from)
    {
        value = *from;
    }
    __device__ void clear()
    {
        value = {};
    }
    __device__ float at(int) const
    {
        return eex_float(value);
    }
};

/* One vector as floats. */
template <typename T, int V> __device__ static inline void eex_get(float (&to)[V], const T *from)
{
    if constexpr (V == 1)
        to[0] = eex_float(*from);
    else
        eex_load<T>(to, from);
}

template <typename T, int V> __device__ static inline void eex_put(T *to, const float (&from)[V])
{
    if constexpr (V == 1)
        *to = eex_cast<T>(from[0]);
    else
        eex_save<T>(to, from);
}

/* V consecutive numbers that belong to channels; of any alignment. */
template <int V> __device__ static inline void eex_channels(float (&to)[V], const float *from)
{
#pragma unroll
    for (int j = 0; j < V; j++)
        to[j] = from[j];
}

/* Adds up sum[k] over the ty rows of a block, as a tree. The totals are where y is 0, and of value
 * k and place x in shared[k * threads + x]; shared has K * threads floats. */
template <int K>
__device__ static inline void eex_columns_sum(float (&sum)[K], float *shared, const eex_columns &g,
                                              const eex_column &t)
{
    int threads = g.tx * g.ty, own = t.y * g.tx + t.x;
    __syncthreads(); /* whoever still reads what was in there */
#pragma unroll
    for (int k = 0; k < K; k++)
        shared[k * threads + own] = sum[k];
    __syncthreads();
    for (int n = g.ty; n > 1;) {
        int half = (n + 1) / 2;
        if (t.y + half < n) {
#pragma unroll
            for (int k = 0; k < K; k++) {
                sum[k] += shared[k * threads + own + half * g.tx];
                shared[k * threads + own] = sum[k];
            }
        }
        __syncthreads();
        n = half;
    }
}

/* Whether this block is the last of `blocks` to come here: it then sees all that the others wrote
 * before. The counter starts at zero and is left at zero. Once a kernel. */
__device__ static inline bool eex_last_block(unsigned *counter, unsigned blocks)
{
    __shared__ unsigned ticket;
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0)
        ticket = atomicInc(counter, blocks - 1);
    __syncthreads();
    __threadfence();
    return ticket == blocks - 1;
}

/* What another block wrote in the same launch: not from a cache of this processor. */
__device__ static inline float eex_fresh(const float *from)
{
    return *(const volatile float *)from;
}

/* Calls `function<T, V>(arguments)` for the op's precision and for packs where `packed`. */
#define EEX_BY_VECTOR(precision, packed, function, ...)                                         \
    ((precision) == EEX_BF16                                                                    \
         ? ((packed) ? function<eex_bf16, 8>(__VA_ARGS__) : function<eex_bf16, 1>(__VA_ARGS__)) \
         : ((packed) ? function<float, 4>(__VA_ARGS__) : function<float, 1>(__VA_ARGS__)))

/* Whether rows of c elements of the op's precision can be read in packs at p. */
static inline bool eex_packed(eex_precision precision, int c, const void *p)
{
    return precision == EEX_BF16 ? eex_vector_ok<eex_bf16>(c, p) : eex_vector_ok<float>(c, p);
}

/* Elements of one vector. */
static inline int eex_vector_length(eex_precision precision, bool packed)
{
    return !packed ? 1 : precision == EEX_BF16 ? 8 : 4;
}

#endif
