/* Convolution as a matrix product: the patches of an image, and the sums of patches that cover
 * each element, its adjoint. A pixel's patch has group after group of channels, and of each the
 * taps in order, so that each group is a matrix between its neighbours'.
 *
 * Geometry: a thread a vector (16 bytes of channels, or one element) of the result, in the order of
 * memory. The adjoint gathers: for an element it visits the taps in order and adds those patches
 * that hold it, so nobody writes to the same place and the order is fixed. Bytes: patches once,
 * image about once (its overlaps come from the caches). Roofline: memory, writing the patches. */
#include "cuda/columns.cuh"
#include "cuda/index.cuh"

enum { THREADS = 256 };

struct patches_args {
    void *patches, *image;
    eex_window w;
    size_t count; /* vectors of the result */
    bool accumulate;
};

static __host__ __device__ inline int group_channels(const eex_window &w)
{
    return w.groups > 1 ? w.cin / w.groups : w.cin;
}

static __device__ inline size_t image_at(const eex_window &w, size_t sample, int y, int x)
{
    return ((sample * (size_t)w.hin + (size_t)y) * (size_t)w.win + (size_t)x) * (size_t)w.cin;
}

template <typename T, int V>
static __global__ void __launch_bounds__(THREADS) im2col(patches_args a)
{
    const eex_window &w = a.w;
    size_t step = (size_t)gridDim.x * blockDim.x;
    for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < a.count; i += step) {
        unsigned vector, kx, ky, group = 0, ox, oy;
        size_t sample = eex_digit(i, (unsigned)(group_channels(w) / V), &vector);
        sample = eex_digit(sample, (unsigned)w.kernel, &kx);
        sample = eex_digit(sample, (unsigned)w.kernel, &ky);
        if (w.groups > 1)
            sample = eex_digit(sample, (unsigned)w.groups, &group);
        sample = eex_digit(sample, (unsigned)w.wout, &ox);
        sample = eex_digit(sample, (unsigned)w.hout, &oy);
        int y = (int)oy * w.stride - w.pad + (int)ky, x = (int)ox * w.stride - w.pad + (int)kx;
        float value[V] = {};
        if (y >= 0 && y < w.hin && x >= 0 && x < w.win)
            eex_get<T, V>(value, (const T *)a.image + image_at(w, sample, y, x) +
                                     group * (unsigned)group_channels(w) + vector * V);
        eex_put<T, V>((T *)a.patches + i * V, value);
    }
}

/* The output row (or column) whose window has tap k on input i, or -1. */
static __device__ inline int output_of(int i, int k, int pad, int stride, int count)
{
    int at = i + pad - k;
    return at >= 0 && at % stride == 0 && at / stride < count ? at / stride : -1;
}

template <typename T, int V>
static __device__ void add_taps(float (&sum)[V], const T *patches, const eex_window &w,
                                size_t sample, int y, int x)
{
    size_t taps = (size_t)w.kernel * (size_t)w.kernel, each = (size_t)group_channels(w);
    for (int ky = 0; ky < w.kernel; ky++) {
        int oy = output_of(y, ky, w.pad, w.stride, w.hout);
        for (int kx = 0; oy >= 0 && kx < w.kernel; kx++) {
            int ox = output_of(x, kx, w.pad, w.stride, w.wout);
            if (ox < 0)
                continue;
            size_t pixel = (sample * (size_t)w.hout + (size_t)oy) * (size_t)w.wout + (size_t)ox;
            float value[V];
            eex_get<T, V>(value, patches + pixel * taps * (size_t)w.cin +
                                     (size_t)(ky * w.kernel + kx) * each);
#pragma unroll
            for (int j = 0; j < V; j++)
                sum[j] += value[j];
        }
    }
}

template <typename T, int V>
static __global__ void __launch_bounds__(THREADS) col2im(patches_args a)
{
    size_t step = (size_t)gridDim.x * blockDim.x;
    for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < a.count; i += step) {
        unsigned vector, x, y;
        size_t sample = eex_digit(i, (unsigned)(a.w.cin / V), &vector);
        sample = eex_digit(sample, (unsigned)a.w.win, &x);
        sample = eex_digit(sample, (unsigned)a.w.hin, &y);
        T *to = (T *)a.image + i * V;
        float sum[V] = {};
        size_t first = vector * V; /* of the channels */
        if (a.w.groups > 1) {
            unsigned each = (unsigned)group_channels(a.w), group = vector * V / each;
            first += (size_t)group * each * (unsigned)(a.w.kernel * a.w.kernel - 1);
        }
        add_taps<T, V>(sum, (const T *)a.patches + first, a.w, sample, (int)y, (int)x);
        if (a.accumulate) {
            float before[V];
            eex_get<T, V>(before, to);
#pragma unroll
            for (int j = 0; j < V; j++)
                sum[j] += before[j];
        }
        eex_put<T, V>(to, sum);
    }
}

template <typename T, int V> static int launch_im2col(eex_cuda *cuda, const patches_args &a)
{
    unsigned blocks = eex_blocks(a.count, THREADS, (size_t)cuda->processors * 64);
    EEX_LAUNCH((im2col<T, V>), blocks, THREADS, 0, cuda->stream, a);
    return eex__cuda_check(cuda, cudaGetLastError(), "patches");
}

template <typename T, int V> static int launch_col2im(eex_cuda *cuda, const patches_args &a)
{
    unsigned blocks = eex_blocks(a.count, THREADS, (size_t)cuda->processors * 64);
    EEX_LAUNCH((col2im<T, V>), blocks, THREADS, 0, cuda->stream, a);
    return eex__cuda_check(cuda, cudaGetLastError(), "sums of patches");
}

static bool packed_of(eex_precision precision, const void *patches, const void *x,
                      const eex_window *w)
{
    const int channels = group_channels(*w);
    return eex_packed(precision, channels, patches) && eex_packed(precision, channels, x);
}

extern "C" int eex__cuda_im2col(eex_cuda *cuda, eex_precision precision, void *patches,
                                const void *x, const eex_window *window, int batch)
{
    bool packed = packed_of(precision, patches, x, window);
    int v = eex_vector_length(precision, packed);
    patches_args a = {patches, (void *)x, *window, 0, false};
    a.count = (size_t)batch * (size_t)window->hout * (size_t)window->wout * (size_t)window->kernel *
              (size_t)window->kernel * (size_t)(window->cin / v);
    return EEX_BY_VECTOR(precision, packed, launch_im2col, cuda, a);
}

extern "C" int eex__cuda_col2im(eex_cuda *cuda, eex_precision precision, void *dx,
                                const void *patches, const eex_window *window, int batch,
                                bool accumulate)
{
    bool packed = packed_of(precision, patches, dx, window);
    int v = eex_vector_length(precision, packed);
    patches_args a = {(void *)patches, dx, *window, 0, accumulate};
    a.count = (size_t)batch * (size_t)window->hin * (size_t)window->win * (size_t)(window->cin / v);
    return EEX_BY_VECTOR(precision, packed, launch_col2im, cuda, a);
}
