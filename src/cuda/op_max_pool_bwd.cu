/* The gradient of a maximum goes to the first maximum of each window.
 *
 * Gathered rather than scattered, so that windows that overlap need no order of writing: a thread
 * a vector of channels of an input pixel visits the windows that hold it, in order, looks for the
 * maximum of each and adds the gradient where that is its own pixel.
 *
 * Geometry: 256 threads, in the order of memory. Bytes: dx once (twice when it accumulates), x and
 * dy about once; a window is read again for each of its pixels, out of the caches. Roofline: the
 * first-level cache, kernel^4 / stride^2 loads a pixel (20 for 3x3 with stride 2). */
#include "cuda/pool.cuh"

/* Where among the pixels of a window, counted in order, the first maximum of each channel is. */
template <typename T, int V>
static __device__ void window_places(int (&place)[V], const T *x, const eex_window &w,
                                     const eex_patch &p)
{
    float best[V];
#pragma unroll
    for (int j = 0; j < V; j++) {
        best[j] = -INFINITY;
        place[j] = 0;
    }
    int here = 0;
    for (int y = p.y0; y < p.y1; y++)
        for (int at = p.x0; at < p.x1; at++, here++) {
            float value[V];
            eex_get<T, V>(value, x + eex_pixel(w, 0, y, at));
#pragma unroll
            for (int j = 0; j < V; j++) {
                bool wins = eex_beats(value[j], best[j]);
                place[j] = wins ? here : place[j];
                best[j] = wins ? value[j] : best[j];
            }
        }
}

/* The first output row (or column) whose window holds input i, and in *end one behind the last. */
static __device__ int outputs_of(int i, const eex_window &w, int count, int *end)
{
    int low = i + w.pad - w.kernel + 1, last = (i + w.pad) / w.stride;
    *end = last + 1 < count ? last + 1 : count;
    return low > 0 ? (low + w.stride - 1) / w.stride : 0;
}

template <typename T, int V>
static __device__ void add_window(float (&sum)[V], const T *x, const T *dy, const eex_window &w,
                                  const eex_patch &p, int own)
{
    int place[V];
    float value[V];
    window_places<T, V>(place, x, w, p);
    eex_get<T, V>(value, dy);
#pragma unroll
    for (int j = 0; j < V; j++)
        sum[j] += place[j] == own ? value[j] : 0.0f;
}

/* x and dy of one sample, at the thread's channels. */
template <typename T, int V>
static __device__ void add_windows(float (&sum)[V], const T *x, const T *dy, const eex_window &w,
                                   int y, int at)
{
    int oy1, ox1, oy0 = outputs_of(y, w, w.hout, &oy1), ox0 = outputs_of(at, w, w.wout, &ox1);
    for (int oy = oy0; oy < oy1; oy++)
        for (int ox = ox0; ox < ox1; ox++) {
            eex_patch p = eex_patch_of(w, oy, ox);
            size_t from = ((size_t)oy * (size_t)w.wout + (size_t)ox) * (size_t)w.cin;
            add_window<T, V>(sum, x, dy + from, w, p, (y - p.y0) * (p.x1 - p.x0) + (at - p.x0));
        }
}

template <typename T, int V>
static __global__ void __launch_bounds__(EEX_POOL_THREADS)
    max_pool_bwd(eex_op_pool op, size_t count)
{
    const eex_window &w = op.window;
    size_t step = (size_t)gridDim.x * blockDim.x;
    size_t out = (size_t)w.hout * (size_t)w.wout * (size_t)w.cin;
    for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += step) {
        unsigned vector, x, y;
        size_t sample = eex_digit(i, (unsigned)(w.cin / V), &vector);
        sample = eex_digit(sample, (unsigned)w.win, &x);
        sample = eex_digit(sample, (unsigned)w.hin, &y);
        float sum[V] = {}, before[V];
        add_windows<T, V>(sum, (const T *)op.x + eex_pixel(w, sample, 0, 0) + vector * V,
                          (const T *)op.dy + sample * out + vector * V, w, (int)y, (int)x);
        if (op.accumulate) {
            eex_get<T, V>(before, (const T *)op.dx + i * V);
#pragma unroll
            for (int j = 0; j < V; j++)
                sum[j] += before[j];
        }
        eex_put<T, V>((T *)op.dx + i * V, sum);
    }
}

template <typename T, int V>
static int max_pool_bwd_launch(eex_cuda *cuda, const eex_op *op, int batch)
{
    const eex_window *w = &op->u.pool.window;
    size_t count = (size_t)batch * (size_t)w->hin * (size_t)w->win * (size_t)(w->cin / V);
    EEX_LAUNCH((max_pool_bwd<T, V>),
               eex_blocks(count, EEX_POOL_THREADS, (size_t)cuda->processors * 64), EEX_POOL_THREADS,
               0, cuda->stream, op->u.pool, count);
    return eex__cuda_launched(cuda, op);
}

static int max_pool_bwd_run(eex_cuda *cuda, const eex_op *op, void *state, int batch)
{
    (void)state;
    return EEX_BY_VECTOR(op->precision, eex_pool_packed(op), max_pool_bwd_launch, cuda, op, batch);
}

extern "C" const eex_cuda_op_class eex__cuda_max_pool_bwd = {NULL, max_pool_bwd_run, NULL};
