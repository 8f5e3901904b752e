/* What the depthwise convolutions share: taking a block's number apart, and rows of a window. */
#ifndef EEX_CUDA_DEPTHWISE_CUH
#define EEX_CUDA_DEPTHWISE_CUH

#include "cuda/columns.cuh"

/* Gradient for the data at stride 1, in depthwise.cu. */
extern "C" int eex__cuda_depthwise_turned(eex_cuda *cuda, const eex_op *op, int batch);

/* How an image, or a batch of them, is divided among threads. A thread takes one vector of channels
 * of a strip of pixels that follow each other in a row; blockDim.x counts vectors, blockDim.y
 * strips of a row, blockDim.z lines, which are rows of the images counted through the batch. So a
 * block is a patch of an image (of several, when they are tiny), whose neighbouring rows it reads
 * once from memory and then from its cache. */
struct eex_patches {
    int c, width;        /* channels, vectors */
    int strip;           /* pixels of one */
    int strips, lines;   /* of a row; rows of the batch */
    int groups, columns; /* blocks along the channels, along a row */
    dim3 block;
    unsigned blocks;
};

/* The most vectors up to 16 that divide the width evenly, or 8 when that would be few. */
static inline int eex_patch_vectors(int width)
{
    for (int n = 16; n >= 4; n--)
        if (width % n == 0)
            return n;
    return width < 8 ? width : 8;
}

static inline eex_patches eex_patches_of(int batch, int height, int row, int c, int v, int strip)
{
    enum { THREADS = 256, MOST_STRIPS = 8, MOST_LINES = 64 };
    eex_patches p;
    p.c = c;
    p.width = c / v;
    p.strip = strip;
    p.strips = (row + strip - 1) / strip;
    p.lines = batch * height;
    int x = v > 1 ? eex_patch_vectors(p.width) : p.width < EEX_WARP ? p.width : (int)EEX_WARP;
    int y = p.strips < MOST_STRIPS ? p.strips : (int)MOST_STRIPS;
    int z = THREADS / (x * y);
    z = z < 1 ? 1 : z < MOST_LINES ? z : (int)MOST_LINES;
    z = z < p.lines ? z : p.lines;
    p.block = dim3((unsigned)x, (unsigned)y, (unsigned)z);
    p.groups = (p.width + x - 1) / x;
    p.columns = (p.strips + y - 1) / y;
    p.blocks = (unsigned)((size_t)p.groups * (size_t)p.columns * (size_t)((p.lines + z - 1) / z));
    return p;
}

/* Where a thread stands; outside when it has nothing to do. */
struct eex_patch {
    int channel, line, pixel; /* the first of its vector and of its strip */
    bool inside;
};

template <int V> __device__ static inline eex_patch eex_patch_of(const eex_patches &p)
{
    unsigned block = blockIdx.x;
    int group = (int)(block % (unsigned)p.groups);
    block /= (unsigned)p.groups;
    int column = (int)(block % (unsigned)p.columns);
    block /= (unsigned)p.columns;
    int vector = group * (int)blockDim.x + (int)threadIdx.x;
    int strip = column * (int)blockDim.y + (int)threadIdx.y;
    eex_patch t;
    t.channel = vector * V;
    t.pixel = strip * p.strip;
    t.line = (int)(block * blockDim.z + threadIdx.z);
    t.inside = vector < p.width && strip < p.strips && t.line < p.lines;
    return t;
}

/* N vectors of a row of `width` pixels of c channels from pixel `first` on, zeros outside: as they
 * lie in memory, which in bfloat16 is half the registers. */
template <typename T, int V, int N>
__device__ static inline void eex_row_load(eex_raw<T, V> (&to)[N], const T *row, int first,
                                           int width, int c)
{
#pragma unroll
    for (int i = 0; i < N; i++) {
        int at = first + i;
        if (at >= 0 && at < width)
            to[i].load(row + (ptrdiff_t)at * c);
        else
            to[i].clear();
    }
}

/* The same as floats. */
template <typename T, int V, int N>
__device__ static inline void eex_row_get(float (&to)[N][V], const T *row, int first, int width,
                                          int c)
{
#pragma unroll
    for (int i = 0; i < N; i++) {
        int at = first + i;
        if (at >= 0 && at < width) {
            eex_get<T, V>(to[i], row + (ptrdiff_t)at * c);
        } else {
#pragma unroll
            for (int j = 0; j < V; j++)
                to[i][j] = 0;
        }
    }
}

#endif
