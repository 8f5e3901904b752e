/* Gradient of a depthwise convolution for its input. At stride 1 it is the convolution of dy with
 * the window turned around (depthwise.cu). At larger strides each element of dx gathers what it
 * contributed to: of the window only the taps whose distance is a multiple of the stride.
 *
 * Geometry: depthwise.cuh, a pixel of dx and a pack of channels a thread. Bytes: dy and dx once, dx
 * twice when it is added to. Roofline: memory, most of it what is written. */
#include "cuda/depthwise.cuh"

enum { THREADS = 256 };

struct gather_args {
    const void *dy, *w;
    void *dx;
    int hin, win, hout, wout, kernel, stride, pad;
    bool accumulate;
};

template <typename T, int V>
static __device__ inline void add_tap(float (&sum)[V], const T *dy, const T *w)
{
    float value[V], weight[V];
    eex_get<T, V>(value, dy);
    eex_get<T, V>(weight, w);
#pragma unroll
    for (int j = 0; j < V; j++)
        sum[j] = fmaf(value[j], weight[j], sum[j]);
}

/* The taps of one row of the window: tap k met the output at (x + pad - k) / stride. dy: the row of
 * the output, w: that of the window. */
template <typename T, int V, int K>
static __device__ inline void add_row(float (&sum)[V], const gather_args &a, const T *dy,
                                      const T *w, int x, int c)
{
    const int stride = K ? 2 : a.stride, kernel = K ? K : a.kernel;
    const int first = (x + a.pad) % stride, at = (x + a.pad) / stride;
    const int taps = (kernel - first + stride - 1) / stride;
#pragma unroll
    for (int i = 0; i < (K ? (K + 1) / 2 : taps); i++) {
        int ow = at - i;
        if (i < taps && ow >= 0 && ow < a.wout)
            add_tap<T, V>(sum, dy + (ptrdiff_t)ow * c, w + (ptrdiff_t)(first + i * stride) * c);
    }
}

/* K: 0 or the kernel, then the stride is 2. */
template <typename T, int V, int K>
static __global__ void __launch_bounds__(THREADS) gather(gather_args a, eex_patches p)
{
    eex_patch t = eex_patch_of<V>(p);
    if (!t.inside)
        return;
    const int stride = K ? 2 : a.stride, kernel = K ? K : a.kernel;
    int n = t.line / a.hin, y = t.line % a.hin;
    const T *image = (const T *)a.dy + (size_t)n * (size_t)a.hout * (size_t)a.wout * (size_t)p.c +
                     (size_t)t.channel;
    const T *w = (const T *)a.w + t.channel;
    float sum[V] = {};
    for (int k = (y + a.pad) % stride, oh = (y + a.pad) / stride; k < kernel; k += stride, oh--)
        if (oh >= 0 && oh < a.hout)
            add_row<T, V, K>(sum, a, image + (size_t)oh * (size_t)a.wout * (size_t)p.c,
                             w + (ptrdiff_t)k * kernel * p.c, t.pixel, p.c);
    T *to = (T *)a.dx + ((size_t)t.line * (size_t)a.win + (size_t)t.pixel) * (size_t)p.c +
            (size_t)t.channel;
    if (a.accumulate) {
        float old[V];
        eex_get<T, V>(old, to);
#pragma unroll
        for (int j = 0; j < V; j++)
            sum[j] += old[j];
    }
    eex_put<T, V>(to, sum);
}

template <typename T, int V, int K>
static void launch(eex_cuda *cuda, const gather_args &a, int batch, int c)
{
    eex_patches p = eex_patches_of(batch, a.hin, a.win, c, V, 1);
    EEX_LAUNCH((gather<T, V, K>), p.blocks, p.block, 0, cuda->stream, a, p);
}

template <typename T> static void launch_all(eex_cuda *cuda, const gather_args &a, int batch, int c)
{
    enum { V = eex_pack<T>::COUNT };
    if (!eex_vector_ok<T>(c, a.dy) || !eex_vector_ok<T>(c, a.w) || !eex_vector_ok<T>(c, a.dx))
        launch<T, 1, 0>(cuda, a, batch, c);
    else if (a.stride == 2 && a.kernel == 3)
        launch<T, V, 3>(cuda, a, batch, c);
    else if (a.stride == 2 && a.kernel == 5)
        launch<T, V, 5>(cuda, a, batch, c);
    else if (a.stride == 2 && a.kernel == 7)
        launch<T, V, 7>(cuda, a, batch, c);
    else
        launch<T, V, 0>(cuda, a, batch, c);
}

extern "C" int eex__cuda_depthwise_bwd_data(eex_cuda *cuda, const eex_op *op, int batch)
{
    const eex_op_conv_bwd_data *bwd = &op->u.conv_bwd_data;
    const eex_window *w = &bwd->window;
    if (w->stride == 1)
        return eex__cuda_depthwise_turned(cuda, op, batch);
    gather_args a = {bwd->dy, bwd->w,    bwd->dx,   w->hin, w->win,         w->hout,
                     w->wout, w->kernel, w->stride, w->pad, bwd->accumulate};
    EEX_BY_PRECISION(op->precision, launch_all, cuda, a, batch, w->cin);
    return eex__cuda_launched(cuda, op);
}
