/* Forward convolutions of 1x1 and 3x3 by a product that needs no patches and no pass behind it:
 * y = act(x * w + bias + residual), for images of at most 32 x 32, where the passes of the other
 * ways (patches, bias and activation) are most of the time.
 *
 * The product is (pixels, K) by (K, channels), K = kernel * kernel * cin: row i of the left matrix
 * is the patch of output pixel i, read from x where it lies; the right one is the weights, HWIO.
 *
 * Geometry: a block of 256 threads has a tile of 64 pixels by 64 channels, a thread 4 by 4 of them.
 * It goes through K in steps of 16: both slices, 64 x 16 and 16 x 64, go through shared memory as
 * float32, and the next ones are on their way in registers meanwhile. blockIdx.x counts tiles of
 * pixels, blockIdx.y of channels. Bytes: x once for each tile of channels and each place of the
 * window (from the cache but for the first), the weights once for each tile of pixels, y once.
 * Roofline: arithmetic, of the ordinary units: tensor cores are the libraries'.
 *
 * K is added up in its order by one thread, so a pixel's bits depend on nothing but its patch. */
#include "cuda/kernel.cuh"

enum { PIXELS = 64, CHANNELS = 64, STEP = 16, EACH = 4, THREADS = 256, MOST_PIXELS = 32 * 32 };

/* Rows of shared memory are padded, so that fewer threads that write a column meet in a bank. */
enum { PITCH = PIXELS + EACH };

struct own_args {
    const void *x, *w;
    const float *bias;
    const void *residual;
    void *y;
    eex_act act;
    eex_window window;
    int rows;                          /* pixels of the batch */
    bool packed_x, packed_w, packed_y; /* fours of channels may be read and written at once */
};

/* Four values that lie beside each other. */
template <typename T> struct alignas(EACH * sizeof(T)) four {
    T at[EACH];
};

/* `count` of four, the others 0. */
template <typename T>
static __device__ void load_four(float (&to)[EACH], const T *from, bool packed, int count)
{
    if (packed && count >= EACH) {
        const four<T> values = *reinterpret_cast<const four<T> *>(from);
#pragma unroll
        for (int i = 0; i < EACH; i++)
            to[i] = eex_float(values.at[i]);
        return;
    }
#pragma unroll
    for (int i = 0; i < EACH; i++)
        to[i] = i < count ? eex_float(from[i]) : 0.0f;
}

template <typename T>
static __device__ void save_four(T *to, const float (&from)[EACH], bool packed, int count)
{
    if (packed && count >= EACH) {
        four<T> values;
#pragma unroll
        for (int i = 0; i < EACH; i++)
            values.at[i] = eex_cast<T>(from[i]);
        *reinterpret_cast<four<T> *>(to) = values;
        return;
    }
#pragma unroll
    for (int i = 0; i < EACH; i++)
        if (i < count)
            to[i] = eex_cast<T>(from[i]);
}

/* The pixel whose patch a thread fetches: where its window begins in x. */
struct origin {
    size_t image; /* its first element */
    int h, w;
    bool inside; /* there is such a pixel */
};

static __device__ origin origin_of(const own_args &a, int pixel)
{
    const eex_window &w = a.window;
    origin o;
    const int column = pixel % w.wout, line = pixel / w.wout % w.hout;
    o.inside = pixel < a.rows;
    o.image = (size_t)(pixel / w.wout / w.hout) * (size_t)w.hin * (size_t)w.win * (size_t)w.cin;
    o.h = line * w.stride - w.pad;
    o.w = column * w.stride - w.pad;
    return o;
}

/* Element k of the patch, 0 outside of the image. */
template <typename T, int K>
static __device__ const T *patch_at(const own_args &a, const origin &o, int k, int *left)
{
    const eex_window &w = a.window;
    const int place = k / w.cin, channel = k - place * w.cin;
    const int h = o.h + place / K, v = o.w + place % K;
    const bool inside = o.inside && k < K * K * w.cin && h >= 0 && h < w.hin && v >= 0 && v < w.win;
    *left = inside ? w.cin - channel : 0;
    return (const T *)a.x + o.image + ((size_t)h * (size_t)w.win + (size_t)v) * (size_t)w.cin +
           channel;
}

/* Elements k .. k + 3 of the patch: beside each other where channels come in fours. */
template <typename T, int K>
static __device__ void load_patch(float (&to)[EACH], const own_args &a, const origin &o, int k)
{
    int left;
    if (a.packed_x) {
        const T *from = patch_at<T, K>(a, o, k, &left);
        load_four<T>(to, from, true, left < EACH ? left : EACH);
        return;
    }
#pragma unroll
    for (int i = 0; i < EACH; i++) {
        const T *from = patch_at<T, K>(a, o, k + i, &left);
        to[i] = left > 0 ? eex_float(*from) : 0.0f;
    }
}

/* Weights of four channels for element k. */
template <typename T, int K>
static __device__ void load_weights(float (&to)[EACH], const own_args &a, int k, int channel)
{
    const int left = k < K * K * a.window.cin ? a.window.cout - channel : 0;
    load_four<T>(to, (const T *)a.w + (size_t)k * (size_t)a.window.cout + channel, a.packed_w,
                 left);
}

/* sums += the product of the two slices in shared memory. */
static __device__ void multiply_slices(float (&sums)[EACH][EACH], const float (*patches)[PITCH],
                                       const float (*weights)[PITCH], int row, int column)
{
#pragma unroll
    for (int k = 0; k < STEP; k++) {
        float left[EACH], right[EACH];
        eex_load<float>(left, &patches[k][row]);
        eex_load<float>(right, &weights[k][column]);
#pragma unroll
        for (int i = 0; i < EACH; i++)
#pragma unroll
            for (int j = 0; j < EACH; j++)
                sums[i][j] += left[i] * right[j];
    }
}

/* Four channels of one pixel. */
template <typename T>
static __device__ void finish_pixel(const own_args &a, const float (&sums)[EACH], int pixel,
                                    int channel)
{
    const int left = a.window.cout - channel;
    const size_t at = (size_t)pixel * (size_t)a.window.cout + (size_t)channel;
    float value[EACH], more[EACH] = {}, bias[EACH] = {};
    if (pixel >= a.rows || left <= 0)
        return;
    if (a.bias)
        load_four<float>(bias, a.bias + channel, false, left);
    if (a.residual)
        load_four<T>(more, (const T *)a.residual + at, a.packed_y, left);
#pragma unroll
    for (int j = 0; j < EACH; j++) {
        value[j] = sums[j] + bias[j];
        value[j] = eex_act_apply(a.act, a.residual ? value[j] + more[j] : value[j]);
    }
    save_four<T>((T *)a.y + at, value, a.packed_y, left);
}

template <typename T, int K> static __global__ void __launch_bounds__(THREADS) convolve(own_args a)
{
    alignas(16) __shared__ float patches[STEP][PITCH];
    alignas(16) __shared__ float weights[STEP][PITCH];
    const int t = (int)threadIdx.x, depth = K * K * a.window.cin;
    /* What the thread fetches: four elements of a patch, four channels of an element's weights. */
    const int pixel = t / (STEP / EACH), k_patch = t % (STEP / EACH) * EACH;
    const int k_weight = t / (CHANNELS / EACH), channel = t % (CHANNELS / EACH) * EACH;
    const int first = (int)blockIdx.y * CHANNELS;
    const origin o = origin_of(a, (int)blockIdx.x * PIXELS + pixel);
    /* What it calculates. */
    const int row = t / (CHANNELS / EACH) * EACH, column = channel;
    float sums[EACH][EACH] = {}, patch[EACH], weight[EACH];
    load_patch<T, K>(patch, a, o, k_patch);
    load_weights<T, K>(weight, a, k_weight, first + channel);
    for (int k = 0; k < depth; k += STEP) {
#pragma unroll
        for (int i = 0; i < EACH; i++)
            patches[k_patch + i][pixel] = patch[i];
        eex_save<float>(&weights[k_weight][channel], weight);
        __syncthreads();
        if (k + STEP < depth) {
            load_patch<T, K>(patch, a, o, k + STEP + k_patch);
            load_weights<T, K>(weight, a, k + STEP + k_weight, first + channel);
        }
        multiply_slices(sums, patches, weights, row, column);
        __syncthreads();
    }
#pragma unroll
    for (int i = 0; i < EACH; i++)
        finish_pixel<T>(a, sums[i], (int)blockIdx.x * PIXELS + row + i, first + column);
}

template <typename T> static bool fours(int channels, const void *at)
{
    return channels % EACH == 0 && (uintptr_t)at % sizeof(four<T>) == 0;
}

template <typename T> static void launch(eex_cuda *cuda, const eex_op_conv *c, int batch)
{
    const eex_window &w = c->window;
    own_args a = {c->x,
                  c->w,
                  c->bias,
                  c->residual,
                  c->y,
                  c->act,
                  w,
                  batch * w.hout * w.wout,
                  fours<T>(w.cin, c->x),
                  fours<T>(w.cout, c->w),
                  fours<T>(w.cout, c->y) && fours<T>(w.cout, c->residual)};
    const dim3 grid((unsigned)((a.rows + PIXELS - 1) / PIXELS),
                    (unsigned)((w.cout + CHANNELS - 1) / CHANNELS));
    if (w.kernel == 1)
        EEX_LAUNCH((convolve<T, 1>), grid, THREADS, 0, cuda->stream, a);
    else
        EEX_LAUNCH((convolve<T, 3>), grid, THREADS, 0, cuda->stream, a);
}

extern "C" bool eex__cuda_conv_own_applies(const eex_op *op)
{
    const eex_window *w = &op->u.conv.window;
    return op->kind == EEX_OP_CONV && w->groups == 1 && (w->kernel == 1 || w->kernel == 3) &&
           w->hout * w->wout <= MOST_PIXELS && (w->cout + CHANNELS - 1) / CHANNELS <= 65535;
}

extern "C" int eex__cuda_conv_own(eex_cuda *cuda, const eex_op *op, int batch)
{
    EEX_BY_PRECISION(op->precision, launch, cuda, &op->u.conv, batch);
    return eex__cuda_launched(cuda, op);
}
