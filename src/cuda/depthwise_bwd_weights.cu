/* Gradient of a depthwise convolution for its weights: for each tap and channel the sum of x times
 * dy over all pixels of all samples.
 *
 * Geometry: a thread keeps one row of the window for one pack of channels in registers and walks
 * over strips of pixels; a block is (packs, rows of the window, workers), so what the window's rows
 * read of the same place comes from the cache. Workers of a block add up in shared memory; each
 * slice of the pixels leaves one sum in the scratch buffer, (slices, taps, channels), and a second
 * launch adds the slices. How pixels are divided follows from the op and the batch alone, so the
 * order of every sum does. Other windows than 3, 5 and 7, and channels that do not come in packs,
 * take a tap and a channel a thread. Bytes: x and dy once, besides the caches, and the slices.
 * Roofline: memory for 3x3; the multiplications for larger windows in bfloat16. */
#include "cuda/depthwise.cuh"
#include "cuda/slices.cuh"

enum { THREADS = 256, MOST_WORKERS = 64, BLOCKS = 1024, EACH = 4 };

struct weights_args {
    const void *x, *dy;
    float *parts; /* (slices, kernel * kernel, c) */
    int hin, win, hout, wout, kernel, stride, pad, c;
};

/* How the work is divided: items are strips of rows, numbered through the batch. */
struct weights_layout {
    int width, groups;   /* vectors, blocks along them */
    int strips;          /* of a row */
    unsigned items, per; /* of all, of one slice */
    unsigned slices;
    dim3 block;
};

static weights_layout layout_of(const eex_window *w, int batch, int v, int rows, int strip)
{
    weights_layout l;
    l.width = w->cin / v;
    int x = v > 1 ? eex_patch_vectors(l.width) : l.width < EEX_WARP ? l.width : (int)EEX_WARP;
    int workers = THREADS / (x * rows) < MOST_WORKERS ? THREADS / (x * rows) : (int)MOST_WORKERS;
    l.groups = (l.width + x - 1) / x;
    l.strips = (w->wout + strip - 1) / strip;
    l.items = (unsigned)batch * (unsigned)w->hout * (unsigned)l.strips;
    l.slices = eex_blocks(l.items, (size_t)(workers * EACH),
                          l.groups < BLOCKS ? (size_t)(BLOCKS / l.groups) : 1);
    l.per = (l.items + l.slices - 1) / l.slices;
    l.block = dim3((unsigned)x, (unsigned)rows, (unsigned)workers);
    return l;
}

/* Where item i begins: the pixel (of its row) and the row, counted through the batch. */
struct weights_item {
    int n, oh, pixel;
};

static __device__ inline weights_item item_at(const weights_args &a, const weights_layout &l,
                                              unsigned i, int strip)
{
    unsigned line = i / (unsigned)l.strips;
    weights_item t;
    t.pixel = (int)(i - line * (unsigned)l.strips) * strip;
    t.n = (int)(line / (unsigned)a.hout);
    t.oh = (int)(line - (unsigned)t.n * (unsigned)a.hout);
    return t;
}

/* Adds value over the workers of a block; the sums are with worker 0. shared: V * THREADS floats.
 */
template <int V> static __device__ inline void workers_sum(float (&value)[V], float *shared)
{
    int place = (int)(threadIdx.y * blockDim.x + threadIdx.x);
    int layer = (int)(blockDim.x * blockDim.y), own = (int)threadIdx.z * layer + place;
    __syncthreads();
#pragma unroll
    for (int j = 0; j < V; j++)
        shared[j * THREADS + own] = value[j];
    __syncthreads();
    for (int z = 1; threadIdx.z == 0 && z < (int)blockDim.z; z++)
#pragma unroll
        for (int j = 0; j < V; j++)
            value[j] += shared[j * THREADS + z * layer + place];
}

template <typename T, int V, int K, int S, int STRIP>
static __device__ inline void add_strip(float (&sum)[K][V], const T *x, const T *dy, int left,
                                        int pixel, const weights_args &a)
{
    enum { N = (STRIP - 1) * S + K };
    eex_raw<T, V> in[N], out[STRIP];
    eex_row_load<T, V, N>(in, x, left, a.win, a.c);
    eex_row_load<T, V, STRIP>(out, dy, pixel, a.wout, a.c);
#pragma unroll
    for (int at = 0; at < N; at++)
#pragma unroll
        for (int i = 0; i < STRIP; i++) {
            const int k = at - i * S;
            if (k < 0 || k >= K)
                continue;
#pragma unroll
            for (int j = 0; j < V; j++)
                sum[k][j] = fmaf(in[at].at(j), out[i].at(j), sum[k][j]);
        }
}

template <typename T, int V, int K, int S, int STRIP>
static __global__ void __launch_bounds__(THREADS) weights_rows(weights_args a, weights_layout l)
{
    __shared__ float shared[V * THREADS];
    unsigned group = blockIdx.x % (unsigned)l.groups, slice = blockIdx.x / (unsigned)l.groups;
    int vector = (int)(group * blockDim.x + threadIdx.x), channel = vector * V;
    unsigned end = (slice + 1) * l.per < l.items ? (slice + 1) * l.per : l.items;
    float sum[K][V] = {};
    for (unsigned i = slice * l.per + threadIdx.z; i < end && vector < l.width; i += blockDim.z) {
        weights_item t = item_at(a, l, i, STRIP);
        int row = t.oh * S - a.pad + (int)threadIdx.y;
        if (row < 0 || row >= a.hin)
            continue;
        size_t in = ((size_t)t.n * (size_t)a.hin + (size_t)row) * (size_t)a.win;
        size_t out = ((size_t)t.n * (size_t)a.hout + (size_t)t.oh) * (size_t)a.wout;
        add_strip<T, V, K, S, STRIP>(sum, (const T *)a.x + in * (size_t)a.c + channel,
                                     (const T *)a.dy + out * (size_t)a.c + channel,
                                     t.pixel * S - a.pad, t.pixel, a);
    }
    float *to = a.parts + ((size_t)slice * K * K + threadIdx.y * K) * (size_t)a.c + channel;
#pragma unroll
    for (int k = 0; k < K; k++) {
        workers_sum<V>(sum[k], shared);
        if (threadIdx.z == 0 && vector < l.width)
#pragma unroll
            for (int j = 0; j < V; j++)
                to[(size_t)k * (size_t)a.c + j] = sum[k][j];
    }
}

/* Any window: blockIdx.y is the tap, an item a pixel. */
template <typename T>
static __global__ void __launch_bounds__(THREADS) weights_taps(weights_args a, weights_layout l)
{
    __shared__ float shared[THREADS];
    unsigned group = blockIdx.x % (unsigned)l.groups, slice = blockIdx.x / (unsigned)l.groups;
    int channel = (int)(group * blockDim.x + threadIdx.x), tap = (int)blockIdx.y;
    unsigned end = (slice + 1) * l.per < l.items ? (slice + 1) * l.per : l.items;
    float sum[1] = {0};
    for (unsigned i = slice * l.per + threadIdx.z; i < end && channel < a.c; i += blockDim.z) {
        weights_item t = item_at(a, l, i, 1);
        int y = t.oh * a.stride - a.pad + tap / a.kernel;
        int x = t.pixel * a.stride - a.pad + tap % a.kernel;
        if (y < 0 || y >= a.hin || x < 0 || x >= a.win)
            continue;
        size_t in = ((size_t)t.n * (size_t)a.hin + (size_t)y) * (size_t)a.win + (size_t)x;
        sum[0] =
            fmaf(eex_float(((const T *)a.x)[in * (size_t)a.c + (size_t)channel]),
                 eex_float(((const T *)a.dy)[(size_t)i * (size_t)a.c + (size_t)channel]), sum[0]);
    }
    workers_sum<1>(sum, shared);
    if (threadIdx.z == 0 && channel < a.c)
        a.parts[((size_t)slice * gridDim.y + (size_t)tap) * (size_t)a.c + (size_t)channel] = sum[0];
}

/* Calls `function<T, V, K, S, STRIP>(arguments)` as the window asks, V 1 for any window. */
#define BY_STRIDE(T, K, stride, function, ...)               \
    ((stride) == 1 ? function < T, eex_pack<T>::COUNT, K, 1, \
     eex_pack<T>::COUNT * K <= 28 ? 4 : 2 > (__VA_ARGS__)    \
                   : function<T, eex_pack<T>::COUNT, K, 2, 2>(__VA_ARGS__))

#define BY_WINDOW(T, window, packed, function, ...)                                               \
    (!(packed) || (window)->stride > 2 ? function<T, 1, 0, 0, 1>(__VA_ARGS__)                     \
     : (window)->kernel == 3           ? BY_STRIDE(T, 3, (window)->stride, function, __VA_ARGS__) \
     : (window)->kernel == 5           ? BY_STRIDE(T, 5, (window)->stride, function, __VA_ARGS__) \
     : (window)->kernel == 7           ? BY_STRIDE(T, 7, (window)->stride, function, __VA_ARGS__) \
                                       : function<T, 1, 0, 0, 1>(__VA_ARGS__))

template <typename T, int V, int K, int S, int STRIP>
static size_t scratch_of(const eex_window *w, int batch)
{
    weights_layout l = layout_of(w, batch, V, K ? K : 1, STRIP);
    return (size_t)l.slices * (size_t)(w->kernel * w->kernel) * (size_t)w->cin * sizeof(float);
}

template <typename T> static bool packed(const eex_op_conv_bwd_weights *bwd)
{
    int c = bwd->window.cin;
    return eex_vector_ok<T>(c, bwd->x) && eex_vector_ok<T>(c, bwd->dy);
}

template <typename T> static size_t scratch_for(const eex_op_conv_bwd_weights *bwd, int batch)
{
    return BY_WINDOW(T, &bwd->window, packed<T>(bwd), scratch_of, &bwd->window, batch);
}

template <typename T, int V, int K, int S, int STRIP>
static void launch(eex_cuda *cuda, const eex_op_conv_bwd_weights *bwd, const weights_args &a,
                   int batch)
{
    weights_layout l = layout_of(&bwd->window, batch, V, K ? K : 1, STRIP);
    unsigned blocks = (unsigned)l.groups * l.slices;
    size_t count = (size_t)(a.kernel * a.kernel) * (size_t)a.c;
    if constexpr (K == 0)
        EEX_LAUNCH(weights_taps<T>, dim3(blocks, (unsigned)(a.kernel * a.kernel)), l.block, 0,
                   cuda->stream, a, l);
    else
        EEX_LAUNCH((weights_rows<T, V, K, S, STRIP>), blocks, l.block, 0, cuda->stream, a, l);
    eex_slices_launch(cuda, bwd->dw, a.parts, count, l.slices, bwd->accumulate);
}

template <typename T>
static void launch_all(eex_cuda *cuda, const eex_op_conv_bwd_weights *bwd, int batch)
{
    const eex_window *w = &bwd->window;
    weights_args a = {bwd->x,  bwd->dy,   (float *)cuda->scratch,
                      w->hin,  w->win,    w->hout,
                      w->wout, w->kernel, w->stride,
                      w->pad,  w->cin};
    BY_WINDOW(T, w, packed<T>(bwd), launch, cuda, bwd, a, batch);
}

static size_t pixels_of(const eex_window *w, int batch)
{
    return (size_t)batch * (size_t)w->hout * (size_t)w->wout;
}

extern "C" int eex__cuda_depthwise_bwd_weights_prepare(eex_cuda *cuda, const eex_op *op,
                                                       int max_batch)
{
    const eex_op_conv_bwd_weights *bwd = &op->u.conv_bwd_weights;
    const eex_window *w = &bwd->window;
    EEX_TRY(eex__cuda_reserve(cuda, EEX_BY_PRECISION(op->precision, scratch_for, bwd, max_batch)));
    return bwd->dbias ? eex__cuda_reserve(
                            cuda, eex__cuda_column_sums_scratch(pixels_of(w, max_batch), w->cout))
                      : EEX_OK;
}

extern "C" int eex__cuda_depthwise_bwd_weights(eex_cuda *cuda, const eex_op *op, int batch)
{
    const eex_op_conv_bwd_weights *bwd = &op->u.conv_bwd_weights;
    EEX_BY_PRECISION(op->precision, launch_all, cuda, bwd, batch);
    if (bwd->dbias)
        EEX_TRY(eex__cuda_column_sums(cuda, op->precision, bwd->dbias, bwd->dy,
                                      pixels_of(&bwd->window, batch), bwd->window.cout,
                                      bwd->accumulate));
    return eex__cuda_launched(cuda, op);
}
