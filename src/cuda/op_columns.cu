/* Channels from one tensor into another.
 *
 * Geometry: a thread a vector of the moved channels of a pixel, in the order of memory. Bytes: what
 * is moved once in each tensor (twice in y when it accumulates). Roofline: memory. */
#include "cuda/pool.cuh"

template <typename T> struct moving {
    T *y; /* at the first channel; likewise x */
    const T *x;
    int y_c, x_c, width; /* width: vectors of a pixel */
    bool accumulate;
    size_t count; /* vectors */
};

template <typename T, int V>
static __global__ void __launch_bounds__(EEX_POOL_THREADS) move_columns(moving<T> p)
{
    size_t step = (size_t)gridDim.x * blockDim.x;
    for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < p.count; i += step) {
        unsigned vector;
        size_t row = eex_digit(i, (unsigned)p.width, &vector);
        T *y = p.y + row * (size_t)p.y_c + vector * V;
        float value[V], before[V];
        eex_get<T, V>(value, p.x + row * (size_t)p.x_c + vector * V);
        if (p.accumulate)
            eex_get<T, V>(before, y);
#pragma unroll
        for (int j = 0; j < V; j++)
            value[j] = p.accumulate ? before[j] + value[j] : value[j];
        eex_put<T, V>(y, value);
    }
}

template <typename T, int V> static int columns_launch(eex_cuda *cuda, const eex_op *op, int batch)
{
    const eex_op_columns *c = &op->u.columns;
    moving<T> p;
    p.y = (T *)c->y + c->y_first;
    p.x = (const T *)c->x + c->x_first;
    p.y_c = c->y_c;
    p.x_c = c->x_c;
    p.width = c->count / V;
    p.accumulate = c->accumulate;
    p.count = (size_t)batch * (size_t)c->hw * (size_t)p.width;
    EEX_LAUNCH((move_columns<T, V>),
               eex_blocks(p.count, EEX_POOL_THREADS, (size_t)cuda->processors * 64),
               EEX_POOL_THREADS, 0, cuda->stream, p);
    return eex__cuda_launched(cuda, op);
}

/* In packs where rows, the first channel and their number are whole packs. */
static int columns_run(eex_cuda *cuda, const eex_op *op, void *state, int batch)
{
    const eex_op_columns *c = &op->u.columns;
    const int all[] = {c->x_c, c->y_c, c->x_first, c->y_first, c->count};
    bool packed = true;
    (void)state;
    for (int n : all)
        packed = packed && eex_packed(op->precision, n, c->x) && eex_packed(op->precision, n, c->y);
    return EEX_BY_VECTOR(op->precision, packed, columns_launch, cuda, op, batch);
}

extern "C" const eex_cuda_op_class eex__cuda_columns = {NULL, columns_run, NULL};
