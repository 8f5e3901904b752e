/* Depthwise convolution, with bias, residual and activation in the same pass; at stride 1 also its
 * gradient for the data, which is the same with the window turned around.
 *
 * Geometry: depthwise.cuh. A thread makes a strip of two or four pixels of a row for one pack of
 * channels: it reads the rows of the window once, wide enough for the whole strip, and each weight
 * once; three by three that is 4.5 packs of the input a result instead of 9. Windows of 3, 5 and 7
 * at strides 1 and 2 are unrolled; all others, and channels that do not come in packs, take a pixel
 * at a time. Each result is summed up over the taps in their order, whatever the strip.
 * Bytes: input and output once (the window's overlap comes from the caches), residual once.
 * Roofline: memory; 7x7 in bfloat16 the multiplications. */
#include "cuda/depthwise.cuh"

enum { THREADS = 256 };

struct depthwise_args {
    const void *x, *w, *residual;
    const float *bias;
    void *y;
    int hin, win, hout, wout, kernel, stride, pad;
    int first, step; /* weights of tap t are at first + t * step */
    eex_act act;
};

/* The accumulated results of a strip go through bias, residual and activation to memory. */
template <typename T, int V, int STRIP>
static __device__ inline void finish(const depthwise_args &a, const eex_patches &p,
                                     const eex_patch &t, float (&sum)[STRIP][V])
{
    float bias[V] = {};
    if (a.bias)
        eex_channels<V>(bias, a.bias + t.channel);
    size_t at =
        ((size_t)t.line * (size_t)a.wout + (size_t)t.pixel) * (size_t)p.c + (size_t)t.channel;
#pragma unroll
    for (int i = 0; i < STRIP; i++, at += (size_t)p.c) {
        if (t.pixel + i >= a.wout)
            break;
        float residual[V] = {};
        if (a.residual)
            eex_get<T, V>(residual, (const T *)a.residual + at);
#pragma unroll
        for (int j = 0; j < V; j++)
            sum[i][j] = eex_act_apply(a.act, sum[i][j] + bias[j] + residual[j]);
        eex_put<T, V>((T *)a.y + at, sum[i]);
    }
}

/* K, S: kernel and stride; 0: those of the arguments, and strips of one pixel. */
template <typename T, int V, int K, int S, int STRIP>
static __device__ inline void add_row(float (&sum)[STRIP][V], const depthwise_args &a,
                                      const eex_patches &p, const T *row, const T *w, int left)
{
    if constexpr (K == 0) {
        for (int k = 0; k < a.kernel; k++) {
            float x[1][V], weight[V];
            eex_row_get<T, V, 1>(x, row, left + k, a.win, p.c);
            eex_get<T, V>(weight, w + k * a.step);
#pragma unroll
            for (int j = 0; j < V; j++)
                sum[0][j] = fmaf(x[0][j], weight[j], sum[0][j]);
        }
    } else {
        enum { N = (STRIP - 1) * S + K };
        eex_raw<T, V> x[N];
        eex_row_load<T, V, N>(x, row, left, a.win, p.c);
#pragma unroll
        for (int k = 0; k < K; k++) {
            float weight[V];
            eex_get<T, V>(weight, w + k * a.step);
#pragma unroll
            for (int i = 0; i < STRIP; i++)
#pragma unroll
                for (int j = 0; j < V; j++)
                    sum[i][j] = fmaf(x[i * S + k].at(j), weight[j], sum[i][j]);
        }
    }
}

template <typename T, int V, int K, int S, int STRIP>
static __global__ void __launch_bounds__(THREADS) depthwise(depthwise_args a, eex_patches p)
{
    eex_patch t = eex_patch_of<V>(p);
    if (!t.inside)
        return;
    const int kernel = K ? K : a.kernel, stride = K ? S : a.stride;
    int n = t.line / a.hout, oh = t.line % a.hout;
    int top = oh * stride - a.pad, left = t.pixel * stride - a.pad;
    const T *image = (const T *)a.x + (size_t)n * (size_t)a.hin * (size_t)a.win * (size_t)p.c +
                     (size_t)t.channel;
    const T *w = (const T *)a.w + a.first + t.channel;
    float sum[STRIP][V] = {};
#pragma unroll 1
    for (int k = 0; k < kernel; k++, w += kernel * a.step) {
        int row = top + k;
        if (row >= 0 && row < a.hin)
            add_row<T, V, K, S, STRIP>(sum, a, p, image + (size_t)row * (size_t)a.win * (size_t)p.c,
                                       w, left);
    }
    finish<T, V, STRIP>(a, p, t, sum);
}

template <typename T, int V, int K, int S, int STRIP>
static void launch(eex_cuda *cuda, const depthwise_args &a, int batch, int c)
{
    eex_patches p = eex_patches_of(batch, a.hout, a.wout, c, V, STRIP);
    EEX_LAUNCH((depthwise<T, V, K, S, STRIP>), p.blocks, p.block, 0, cuda->stream, a, p);
}

template <typename T, int K, int S>
static void launch_strips(eex_cuda *cuda, const depthwise_args &a, int batch, int c)
{
    enum { V = eex_pack<T>::COUNT, STRIP = S > 1 || V * K > 28 ? 2 : 4 }; /* registers */
    if (a.wout > 2)
        launch<T, V, K, S, STRIP>(cuda, a, batch, c);
    else
        launch<T, V, K, S, 1>(cuda, a, batch, c);
}

template <typename T, int K>
static void launch_strides(eex_cuda *cuda, const depthwise_args &a, int batch, int c)
{
    if (a.stride == 1)
        launch_strips<T, K, 1>(cuda, a, batch, c);
    else
        launch_strips<T, K, 2>(cuda, a, batch, c);
}

template <typename T> static bool packed(const depthwise_args &a, int c)
{
    return eex_vector_ok<T>(c, a.x) && eex_vector_ok<T>(c, a.y) && eex_vector_ok<T>(c, a.w) &&
           eex_vector_ok<T>(c, a.residual);
}

template <typename T>
static void launch_all(eex_cuda *cuda, const depthwise_args &a, int batch, int c)
{
    bool unrolled = a.stride == 1 || a.stride == 2;
    if (!packed<T>(a, c))
        launch<T, 1, 0, 0, 1>(cuda, a, batch, c);
    else if (unrolled && a.kernel == 3)
        launch_strides<T, 3>(cuda, a, batch, c);
    else if (unrolled && a.kernel == 5)
        launch_strides<T, 5>(cuda, a, batch, c);
    else if (unrolled && a.kernel == 7)
        launch_strides<T, 7>(cuda, a, batch, c);
    else
        launch<T, eex_pack<T>::COUNT, 0, 0, 1>(cuda, a, batch, c);
}

extern "C" int eex__cuda_depthwise(eex_cuda *cuda, const eex_op *op, int batch)
{
    const eex_op_conv *conv = &op->u.conv;
    const eex_window *w = &conv->window;
    depthwise_args a = {conv->x, conv->w, conv->residual, conv->bias, conv->y,   w->hin,
                        w->win,  w->hout, w->wout,        w->kernel,  w->stride, w->pad,
                        0,       w->cin,  conv->act};
    EEX_BY_PRECISION(op->precision, launch_all, cuda, a, batch, w->cin);
    return eex__cuda_launched(cuda, op);
}

/* dx = the convolution of dy with the window turned around; += is the residual. */
extern "C" int eex__cuda_depthwise_turned(eex_cuda *cuda, const eex_op *op, int batch)
{
    const eex_op_conv_bwd_data *bwd = &op->u.conv_bwd_data;
    const eex_window *w = &bwd->window;
    const int taps = w->kernel * w->kernel;
    depthwise_args a = {bwd->dy,
                        bwd->w,
                        bwd->accumulate ? bwd->dx : nullptr,
                        nullptr,
                        bwd->dx,
                        w->hout,
                        w->wout,
                        w->hin,
                        w->win,
                        w->kernel,
                        1,
                        w->kernel - 1 - w->pad,
                        (taps - 1) * w->cin,
                        -w->cin,
                        EEX_ACT_NONE};
    EEX_BY_PRECISION(op->precision, launch_all, cuda, a, batch, w->cin);
    return eex__cuda_launched(cuda, op);
}
