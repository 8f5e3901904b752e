/* Gathers the rows that stay to the front, in place or from elsewhere.
 *
 * A thread owns a column of 16 or 4 bytes and moves rows from the front to the back, ROWS of them
 * loaded before any is stored. As index[i] >= i, a row is overwritten only after the thread has
 * loaded it, and no other thread touches its column. Rows that stand where they belong are left
 * alone where they are moved in place.
 *
 * Geometry: as many threads as a row has columns, in blocks of 128; columns of 4 bytes where those
 * of 16 would leave processors idle. The number of rows is read on the device. Bytes: the rows that
 * move, read and written once. Roofline: memory where rows are long; else latency, a round trip for
 * each ROWS rows. */
#include "cuda/kernel.cuh"

enum { THREADS = 128, ROWS = 16, TILE = 1024, MANY_COLUMNS = 16384 };

/* Rows begin + 0..rows - 1 of the result, at most ROWS. */
template <typename U>
static __device__ inline void move_rows(U *column, const U *from, size_t stride, const int *index,
                                        int begin, int rows)
{
    U value[ROWS];
#pragma unroll
    for (int k = 0; k < ROWS; k++)
        if (k < rows && (from != column || index[k] != begin + k))
            value[k] = from[(size_t)index[k] * stride];
#pragma unroll
    for (int k = 0; k < ROWS; k++)
        if (k < rows && (from != column || index[k] != begin + k))
            column[(size_t)(begin + k) * stride] = value[k];
}

template <typename U>
static __global__ void __launch_bounds__(THREADS)
    compact_rows(U *data, const U *from, size_t columns, const int32_t *index, const int32_t *count)
{
    __shared__ int tile[TILE];
    size_t column = (size_t)blockIdx.x * THREADS + threadIdx.x;
    int all = *count;
    for (int begin = 0; begin < all; begin += TILE) {
        int rows = all - begin < TILE ? all - begin : (int)TILE;
        __syncthreads(); /* the tile before has been used */
        for (int i = (int)threadIdx.x; i < rows; i += THREADS)
            tile[i] = index[begin + i];
        __syncthreads();
        for (int i = 0; i < rows && column < columns; i += ROWS)
            move_rows(data + column, from + column, columns, tile + i, begin + i, rows - i);
    }
}

template <typename U> static void launch(eex_cuda *cuda, const eex_op_compact *compact)
{
    size_t columns = compact->row_bytes / sizeof(U);
    const void *from = compact->from ? compact->from : compact->data;
    EEX_LAUNCH(compact_rows<U>, eex_blocks(columns, THREADS, INT32_MAX), THREADS, 0, cuda->stream,
               (U *)compact->data, (const U *)from, columns, compact->index, compact->count);
}

static int compact_run(eex_cuda *cuda, const eex_op *op, void *state, int batch)
{
    const eex_op_compact *compact = &op->u.compact;
    const size_t wide = sizeof(eex_bits16);
    (void)state, (void)batch;
    if (compact->row_bytes % wide == 0 && (uintptr_t)compact->data % wide == 0 &&
        (uintptr_t)compact->from % wide == 0 && compact->row_bytes / wide >= MANY_COLUMNS)
        launch<eex_bits16>(cuda, compact);
    else
        launch<uint32_t>(cuda, compact);
    return eex__cuda_launched(cuda, op);
}

extern "C" const eex_cuda_op_class eex__cuda_compact = {nullptr, compact_run, nullptr};
