/* Transposes of matrices, many behind one another: what is between the orders of weights and
 * activations that eex and cuDNN have.
 *
 *   HWIO to OHWI        one matrix, all but the output channels taken together
 *   HWIO to OIHW        that, then taps and inputs of each output channel
 *   NHWC to NCHW, back  pixels and channels of each sample
 *
 * Inputs of a filter are those of a group of channels.
 *
 * Geometry: a tile of 32 x 32 a block, 256 threads, through shared memory, so that reads and
 * writes both go along rows of memory; its rows are 33 long against bank conflicts. Matrices beyond
 * what a grid counts are the same block's next. Bytes: the matrices once in and once out (once more
 * in when they accumulate). Roofline: memory; those of weights are small, the launch is what
 * counts. */
#include "cuda/kernel.cuh"

enum { TILE = 32, LINES = 8 };
static const size_t most_matrices = 65535; /* that a grid counts */

struct transpose_args {
    size_t matrices, rows, columns; /* rows and columns of `from` */
    bool accumulate;
};

/* Each matrix of to (columns, rows) = or += the transpose of from's (rows, columns). */
template <typename T>
static __global__ void __launch_bounds__(TILE *LINES)
    transpose(T *to, const T *from, transpose_args a)
{
    __shared__ float tile[TILE][TILE + 1];
    const unsigned x = threadIdx.x % TILE, y = threadIdx.x / TILE;
    const unsigned across = (unsigned)((a.columns + TILE - 1) / TILE);
    const size_t row0 = (size_t)(blockIdx.x / across) * TILE;
    const size_t column0 = (size_t)(blockIdx.x % across) * TILE;
    for (size_t matrix = blockIdx.y; matrix < a.matrices; matrix += gridDim.y) {
        const size_t before = matrix * a.rows * a.columns;
        for (unsigned i = y; i < TILE; i += LINES)
            if (row0 + i < a.rows && column0 + x < a.columns)
                tile[i][x] = eex_float(from[before + (row0 + i) * a.columns + column0 + x]);
        __syncthreads();
        for (unsigned i = y; i < TILE; i += LINES)
            if (column0 + i < a.columns && row0 + x < a.rows) {
                T *out = to + before + (column0 + i) * a.rows + row0 + x;
                *out = eex_cast<T>(a.accumulate ? eex_float(*out) + tile[x][i] : tile[x][i]);
            }
        __syncthreads(); /* the next matrix takes the tile */
    }
}

template <typename T>
static int launch(eex_cuda *cuda, void *to, const void *from, const transpose_args &a)
{
    const size_t tiles = (a.rows + TILE - 1) / TILE * ((a.columns + TILE - 1) / TILE);
    dim3 grid((unsigned)tiles, (unsigned)(a.matrices < most_matrices ? a.matrices : most_matrices));
    EEX_LAUNCH(transpose<T>, grid, TILE * LINES, 0, cuda->stream, (T *)to, (const T *)from, a);
    return eex__cuda_check(cuda, cudaGetLastError(), "another order of a tensor");
}

static size_t taps_of(const eex_window *w)
{
    return (size_t)w->kernel * (size_t)w->kernel;
}

static size_t inputs_of(const eex_window *w)
{
    return (size_t)(w->cin / w->groups);
}

extern "C" int eex__cuda_weights_to_ohwi(eex_cuda *cuda, eex_precision precision, void *to,
                                         const void *from, const eex_window *window)
{
    const transpose_args a = {1, taps_of(window) * inputs_of(window), (size_t)window->cout, false};
    return precision == EEX_BF16 ? launch<eex_bf16>(cuda, to, from, a)
                                 : launch<float>(cuda, to, from, a);
}

extern "C" int eex__cuda_gradient_to_hwio(eex_cuda *cuda, float *to, const float *from,
                                          const eex_window *window, bool accumulate)
{
    const transpose_args a = {1, (size_t)window->cout, taps_of(window) * inputs_of(window),
                              accumulate};
    return launch<float>(cuda, to, from, a);
}

extern "C" int eex__cuda_filter_to_oihw(eex_cuda *cuda, float *to, const float *ohwi,
                                        const eex_window *window)
{
    const transpose_args a = {(size_t)window->cout, taps_of(window), inputs_of(window), false};
    return launch<float>(cuda, to, ohwi, a);
}

extern "C" int eex__cuda_filter_to_ohwi(eex_cuda *cuda, float *to, const float *oihw,
                                        const eex_window *window)
{
    const transpose_args a = {(size_t)window->cout, inputs_of(window), taps_of(window), false};
    return launch<float>(cuda, to, oihw, a);
}

extern "C" int eex__cuda_channels_first(eex_cuda *cuda, float *to, const float *from,
                                        size_t samples, size_t pixels, size_t channels)
{
    return launch<float>(cuda, to, from, {samples, pixels, channels, false});
}

extern "C" int eex__cuda_channels_last(eex_cuda *cuda, float *to, const float *from, size_t samples,
                                       size_t pixels, size_t channels, bool accumulate)
{
    return launch<float>(cuda, to, from, {samples, channels, pixels, accumulate});
}
