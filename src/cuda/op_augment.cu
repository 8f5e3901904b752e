/* Bytes to normalised values, with a random crop (of the image in a black frame), flip, colour
 * jitter (brightness, contrast, saturation, in this order) and cutout. What is drawn for a sample:
 * device/augment.h.
 *
 * Geometry: blockIdx.x is the sample, whose numbers the block's first threads draw; then a thread
 * an element of y at a time. Without jitter, large images are shared by several blocks (y). With
 * it, the contrast needs the mean grey of the whole image, which its one block takes first.
 *
 * Bytes: the image once (with jitter a second time, out of the caches), y once. Roofline: memory,
 * by writing y. */
#include "cuda/kernel.cuh"

extern "C" {
#include "device/augment.h" /* after what marks its functions for the device */
}

enum {
    SMALL_THREADS = 256,
    LARGE_THREADS = 1024,
    SMALL_IMAGE = 64 * 64 * 3, /* elements that 256 threads are enough for */
    EACH = 16                  /* elements of a thread where several blocks share an image */
};

/* value = byte * scale + offset, by channel. */
struct augment_scale {
    float scale[3], offset[3];
};

/* What was drawn for a sample. cut_*: the square that is blanked, empty when there is none. */
struct augment_drawn {
    int top, left, flip, cut_top, cut_left;
    float brightness, contrast, saturation;
};

/* One thread a number; those of what is off stay as they are. */
static __device__ void draw_one(augment_drawn *to, const eex_op_augment &a, eex_draw draw, double u)
{
    const eex_augment &how = a.augment;
    if (draw == EEX_DRAW_CROP_Y)
        to->top = eex_draw_crop(u, how.crop_pad);
    else if (draw == EEX_DRAW_CROP_X)
        to->left = eex_draw_crop(u, how.crop_pad);
    else if (draw == EEX_DRAW_FLIP)
        to->flip = how.flip && u < 0.5;
    else if (draw == EEX_DRAW_CUT_Y)
        to->cut_top = eex_draw_cut(u, a.h, how.cutout);
    else if (draw == EEX_DRAW_CUT_X)
        to->cut_left = eex_draw_cut(u, a.w, how.cutout);
    else if (draw == EEX_DRAW_BRIGHTNESS)
        to->brightness = eex_draw_factor(u, how.jitter);
    else if (draw == EEX_DRAW_CONTRAST)
        to->contrast = eex_draw_factor(u, how.jitter);
    else
        to->saturation = eex_draw_factor(u, how.jitter);
}

/* The image's pixel that comes to (row, column), or NULL where it is black. */
static __device__ const uint8_t *pixel_at(const eex_op_augment &a, const uint8_t *image,
                                          const augment_drawn &d, int row, int column)
{
    int y = row + d.top, x = (d.flip ? a.w - 1 - column : column) + d.left;
    if (y < 0 || y >= a.h || x < 0 || x >= a.w)
        return NULL;
    return image + ((size_t)y * (size_t)a.w + (size_t)x) * (size_t)a.c;
}

static __device__ float bound(float value)
{
    value = value < 0.0f ? 0.0f : value;
    return value > 255.0f ? 255.0f : value;
}

/* Of three channels; one or two count alike. */
static __device__ float grey_of(const float (&v)[3], int c)
{
    if (c == 3)
        return 0.299f * v[0] + 0.587f * v[1] + 0.114f * v[2];
    return c == 2 ? 0.5f * (v[0] + v[1]) : v[0];
}

/* A pixel's channels after the brightness. */
static __device__ void brighten(float (&v)[3], const uint8_t *pixel, const augment_drawn &d, int c)
{
#pragma unroll
    for (int j = 0; j < 3; j++)
        v[j] = pixel && j < c ? bound((float)pixel[j] * d.brightness) : 0.0f;
}

/* The sum over the block, in every thread. part: a number a warp. */
static __device__ float block_sum(float value, float *part)
{
    unsigned warps = blockDim.x / EEX_WARP;
    value = eex_warp_sum(value);
    if (threadIdx.x % EEX_WARP == 0)
        part[threadIdx.x / EEX_WARP] = value;
    __syncthreads();
    float sum = 0;
    for (unsigned i = 0; i < warps; i++)
        sum += part[i];
    return sum;
}

static __device__ float grey_mean(const eex_op_augment &a, const uint8_t *image,
                                  const augment_drawn &d, float *part)
{
    int pixels = a.h * a.w;
    float sum = 0;
    for (int i = (int)threadIdx.x; i < pixels; i += (int)blockDim.x) {
        float v[3];
        brighten(v, pixel_at(a, image, d, i / a.w, i % a.w), d, a.c);
        sum += grey_of(v, a.c);
    }
    return block_sum(sum, part) / (float)pixels;
}

/* Channel j of a pixel after all of the jitter, 0..255. Without three channels there is no
 * saturation. */
static __device__ float jittered(const uint8_t *pixel, const augment_drawn &d, float grey, int c,
                                 int j)
{
    float v[3], rest = (1.0f - d.contrast) * grey;
    brighten(v, pixel, d, c);
#pragma unroll
    for (int k = 0; k < 3; k++)
        v[k] = bound(v[k] * d.contrast + rest);
    float own = j == 0 ? v[0] : j == 1 ? v[1] : v[2];
    return c == 3 ? bound(own * d.saturation + (1.0f - d.saturation) * grey_of(v, 3)) : own;
}

static __device__ bool inside_cut(const eex_op_augment &a, const augment_drawn &d, int row,
                                  int column)
{
    int side = a.augment.cutout, y = row - d.cut_top, x = column - d.cut_left;
    return y >= 0 && y < side && x >= 0 && x < side;
}

template <typename T>
static __device__ void augment_elements(const eex_op_augment &a, const augment_scale &s,
                                        const uint8_t *image, T *y, const augment_drawn &d,
                                        float grey)
{
    bool on = a.augment.enabled, jitter = on && a.augment.jitter > 0;
    int n = a.h * a.w * a.c, step = (int)(gridDim.y * blockDim.x);
    for (int i = (int)(blockIdx.y * blockDim.x + threadIdx.x); i < n; i += step) {
        int at = i / a.c, j = i % a.c, row = at / a.w, column = at % a.w;
        const uint8_t *pixel = pixel_at(a, image, d, row, column);
        float value = jitter ? jittered(pixel, d, grey, a.c, j) : pixel ? (float)pixel[j] : 0.0f;
        value = value * s.scale[j] + s.offset[j];
        y[i] = eex_cast<T>(on && inside_cut(a, d, row, column) ? 0.0f : value); /* the mean */
    }
}

template <typename T>
static __global__ void __launch_bounds__(LARGE_THREADS)
    augment(eex_op_augment a, augment_scale s, const eex_step *step)
{
    __shared__ augment_drawn drawn;
    __shared__ float part[LARGE_THREADS / EEX_WARP];
    size_t n = (size_t)a.h * (size_t)a.w * (size_t)a.c;
    const uint8_t *image = a.images + blockIdx.x * n;
    augment_drawn d = {};
    float grey = 0;
    if (a.augment.enabled) {
        if (threadIdx.x < EEX_DRAWS) {
            eex_draw draw = (eex_draw)threadIdx.x;
            draw_one(&drawn, a, draw,
                     eex_draw_uniform(step->seed, step->epoch, a.sample[blockIdx.x], draw));
        }
        __syncthreads();
        d = drawn;
        if (a.augment.jitter > 0)
            grey = grey_mean(a, image, d, part);
    }
    augment_elements<T>(a, s, image, (T *)a.y + blockIdx.x * n, d, grey);
}

/* ---- the op ---- */

static int augment_prepare(eex_cuda *cuda, void **state, const eex_op *op, int max_batch)
{
    (void)cuda, (void)state, (void)max_batch;
    return eex_augment_check(op);
}

static augment_scale scale_of(const eex_op_augment *a)
{
    augment_scale s = {};
    for (int j = 0; j < a->c; j++) {
        eex_augment_scale(&s.scale[j], &s.offset[j], &a->augment, j);
    }
    return s;
}

template <typename T> static int augment_launch(eex_cuda *cuda, const eex_op *op, int batch)
{
    const eex_op_augment *a = &op->u.augment;
    size_t n = (size_t)a->h * (size_t)a->w * (size_t)a->c;
    bool whole = a->augment.enabled && a->augment.jitter > 0;
    unsigned threads = whole && n > SMALL_IMAGE ? LARGE_THREADS : SMALL_THREADS;
    unsigned parts = whole ? 1 : eex_blocks(n, (size_t)threads * EACH, 1024);
    EEX_LAUNCH(augment<T>, dim3((unsigned)batch, parts), threads, 0, cuda->stream, *a, scale_of(a),
               cuda->step);
    return eex__cuda_launched(cuda, op);
}

static int augment_run(eex_cuda *cuda, const eex_op *op, void *state, int batch)
{
    (void)state;
    return EEX_BY_PRECISION(op->precision, augment_launch, cuda, op, batch);
}

extern "C" const eex_cuda_op_class eex__cuda_augment = {augment_prepare, augment_run, NULL};
