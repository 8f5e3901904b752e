/* A pixel's channels to 2 x 2 pixels, or back.
 *
 * Geometry: a thread a vector of a pair of pixels, which lie behind each other on both sides, in
 * the order of the small image. Bytes: what is moved once in each tensor (twice in y when it
 * accumulates). Roofline: memory. */
#include "cuda/pool.cuh"

template <typename T> struct blocks {
    T *y;
    const T *x;
    int w, width; /* of the small image; width: vectors of a pair */
    bool back, accumulate;
    size_t count; /* vectors */
};

template <typename T, int V>
static __global__ void __launch_bounds__(EEX_POOL_THREADS) move_blocks(blocks<T> p)
{
    size_t step = (size_t)gridDim.x * blockDim.x;
    for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < p.count; i += step) {
        unsigned vector, a, j;
        size_t pair = eex_digit(i, (unsigned)p.width, &vector);
        size_t row = eex_digit(eex_digit(pair, 2, &a), (unsigned)p.w, &j);
        size_t other = (((row * 2 + a) * (size_t)p.w + j) * (size_t)p.width + vector) * V;
        T *y = p.y + (p.back ? i * V : other);
        float value[V], before[V];
        eex_get<T, V>(value, p.x + (p.back ? other : i * V));
        if (p.accumulate)
            eex_get<T, V>(before, y);
#pragma unroll
        for (int k = 0; k < V; k++)
            value[k] = p.accumulate ? before[k] + value[k] : value[k];
        eex_put<T, V>(y, value);
    }
}

template <typename T, int V> static int blocks_launch(eex_cuda *cuda, const eex_op *op, int batch)
{
    const eex_op_depth_to_space *b = &op->u.depth_to_space;
    blocks<T> p;
    p.y = (T *)b->y;
    p.x = (const T *)b->x;
    p.w = b->w;
    p.width = 2 * b->c / V;
    p.back = b->back;
    p.accumulate = b->accumulate;
    p.count = (size_t)batch * 2 * (size_t)b->h * (size_t)b->w * (size_t)p.width;
    EEX_LAUNCH((move_blocks<T, V>),
               eex_blocks(p.count, EEX_POOL_THREADS, (size_t)cuda->processors * 64),
               EEX_POOL_THREADS, 0, cuda->stream, p);
    return eex__cuda_launched(cuda, op);
}

static int blocks_run(eex_cuda *cuda, const eex_op *op, void *state, int batch)
{
    const eex_op_depth_to_space *b = &op->u.depth_to_space;
    (void)state;
    bool packed =
        eex_packed(op->precision, 2 * b->c, b->x) && eex_packed(op->precision, 2 * b->c, b->y);
    return EEX_BY_VECTOR(op->precision, packed, blocks_launch, cuda, op, batch);
}

extern "C" const eex_cuda_op_class eex__cuda_depth_to_space = {NULL, blocks_run, NULL};
