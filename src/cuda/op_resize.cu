/* Images to another size: every pixel the weighted mean of pixels of the source (device/resize.h).
 *
 * Geometry: a thread a pixel of y with its channels, in the order of memory; weights are worked out
 * where they are used. Bytes: x once (a pixel's neighbours read it again, out of the caches), y
 * once. Roofline: memory, by writing y where images grow, by reading x where they shrink. */
#include "cuda/index.cuh"

extern "C" {
#include "device/resize.h" /* after what marks its functions for the device */
}

enum { THREADS = 256, CHANNELS = 3 };

/* The sum over the taps of one row, channel by channel; returns the sum of their weights. */
template <typename T>
static __device__ int mix_row(float (&sum)[CHANNELS], const eex_op_resize &r, const T *x,
                              int column, eex_taps taps)
{
    int weights = 0;
    for (int j = taps.first; j <= taps.last; j++) {
        int weight = eex_resize_weight(column, j, r.win, r.wout);
        weights += weight;
#pragma unroll
        for (int k = 0; k < CHANNELS; k++)
            if (k < r.c)
                sum[k] += (float)weight * eex_float(x[(size_t)j * (size_t)r.c + (size_t)k]);
    }
    return weights;
}

template <typename T>
static __device__ void resize_pixel(T *y, const eex_op_resize &r, const T *image, int row,
                                    int column)
{
    eex_taps rows = eex_resize_taps(row, r.hin, r.hout);
    eex_taps columns = eex_resize_taps(column, r.win, r.wout);
    float value[CHANNELS] = {}, total = 0;
    for (int i = rows.first; i <= rows.last; i++) {
        float mixed[CHANNELS] = {}, weight = (float)eex_resize_weight(row, i, r.hin, r.hout);
        const T *x = image + (size_t)i * (size_t)r.win * (size_t)r.c;
        total += weight * (float)mix_row(mixed, r, x, column, columns);
#pragma unroll
        for (int k = 0; k < CHANNELS; k++)
            value[k] += weight * mixed[k];
    }
#pragma unroll
    for (int k = 0; k < CHANNELS; k++)
        if (k < r.c)
            y[k] = eex_cast<T>(value[k] / total);
}

template <typename T>
static __global__ void __launch_bounds__(THREADS) resize(eex_op_resize r, size_t pixels)
{
    size_t step = (size_t)gridDim.x * blockDim.x;
    for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < pixels; i += step) {
        unsigned row, column;
        size_t sample = eex_digit(eex_digit(i, (unsigned)r.wout, &column), (unsigned)r.hout, &row);
        const T *image = (const T *)r.x + sample * (size_t)r.hin * (size_t)r.win * (size_t)r.c;
        resize_pixel((T *)r.y + i * (size_t)r.c, r, image, (int)row, (int)column);
    }
}

/* ---- the op ---- */

static int resize_prepare(eex_cuda *cuda, void **state, const eex_op *op, int max_batch)
{
    (void)cuda, (void)state, (void)max_batch;
    return eex_resize_check(op);
}

template <typename T> static int resize_launch(eex_cuda *cuda, const eex_op *op, int batch)
{
    const eex_op_resize *r = &op->u.resize;
    size_t pixels = (size_t)batch * (size_t)r->hout * (size_t)r->wout;
    EEX_LAUNCH(resize<T>, eex_blocks(pixels, THREADS, (size_t)cuda->processors * 64), THREADS, 0,
               cuda->stream, *r, pixels);
    return eex__cuda_launched(cuda, op);
}

static int resize_run(eex_cuda *cuda, const eex_op *op, void *state, int batch)
{
    (void)state;
    return EEX_BY_PRECISION(op->precision, resize_launch, cuda, op, batch);
}

extern "C" const eex_cuda_op_class eex__cuda_resize = {resize_prepare, resize_run, NULL};
