/* Weights and their gradients between HWIO and OHWI: with all but the output channels taken
 * together, transposes of a matrix. Inputs are those of a group of channels.
 *
 * Geometry: a tile of 32 x 32 a block, 256 threads, through shared memory, so that reads and
 * writes both go along rows of memory; its rows are 33 long against bank conflicts. Bytes: the
 * matrix once in and once out (once more in when it accumulates). Roofline: memory; these matrices
 * are small, the launch is what counts. */
#include "cuda/kernel.cuh"

enum { TILE = 32, LINES = 8 };

/* to (columns, rows) = or += the transpose of from (rows, columns). */
template <typename T>
static __global__ void __launch_bounds__(TILE *LINES)
    transpose(T *to, const T *from, size_t rows, size_t columns, bool accumulate)
{
    __shared__ float tile[TILE][TILE + 1];
    unsigned x = threadIdx.x % TILE, y = threadIdx.x / TILE;
    size_t row0 = (size_t)blockIdx.x * TILE, column0 = (size_t)blockIdx.y * TILE;
    for (unsigned i = y; i < TILE; i += LINES)
        if (row0 + i < rows && column0 + x < columns)
            tile[i][x] = eex_float(from[(row0 + i) * columns + column0 + x]);
    __syncthreads();
    for (unsigned i = y; i < TILE; i += LINES)
        if (column0 + i < columns && row0 + x < rows) {
            T *out = to + (column0 + i) * rows + row0 + x;
            *out = eex_cast<T>(accumulate ? eex_float(*out) + tile[x][i] : tile[x][i]);
        }
}

template <typename T>
static int launch(eex_cuda *cuda, void *to, const void *from, size_t rows, size_t columns,
                  bool accumulate)
{
    dim3 grid((unsigned)((rows + TILE - 1) / TILE), (unsigned)((columns + TILE - 1) / TILE));
    EEX_LAUNCH(transpose<T>, grid, TILE * LINES, 0, cuda->stream, (T *)to, (const T *)from, rows,
               columns, accumulate);
    return eex__cuda_check(cuda, cudaGetLastError(), "order of weights");
}

static size_t inputs_of(const eex_window *w)
{
    return (size_t)w->kernel * (size_t)w->kernel * (size_t)(w->cin / w->groups);
}

extern "C" int eex__cuda_weights_to_ohwi(eex_cuda *cuda, eex_precision precision, void *to,
                                         const void *from, const eex_window *window)
{
    size_t rows = inputs_of(window), columns = (size_t)window->cout;
    if (precision == EEX_BF16)
        return launch<eex_bf16>(cuda, to, from, rows, columns, false);
    return launch<float>(cuda, to, from, rows, columns, false);
}

extern "C" int eex__cuda_gradient_to_hwio(eex_cuda *cuda, float *to, const float *from,
                                          const eex_window *window, bool accumulate)
{
    return launch<float>(cuda, to, from, (size_t)window->cout, inputs_of(window), accumulate);
}
