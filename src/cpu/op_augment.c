/* Bytes to normalised floats, with a random crop (of the image in a black frame, as torchvision's
 * RandomCrop), flip, colour jitter (brightness, contrast, saturation, in this order) and cutout.
 * What is drawn for a sample: device/augment.h. */
#include "cpu/cpu.h"
#include "cpu/kernels/image.h"
#include "device/augment.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

typedef struct augment_job {
    const eex_image_kernels *kernels;
    const eex_op_augment *op;
    const eex_step *step;
    const float *scale, *offset; /* (h, w, c) */
    uint8_t *images;             /* (threads, image_stride) */
    size_t image_stride;
} augment_job;

typedef struct keys {
    uint64_t seed;
    uint32_t epoch, sample;
} keys;

static size_t pixels_of(const eex_op_augment *op)
{
    return (size_t)op->h * (size_t)op->w;
}

static double uniform(keys k, eex_draw draw)
{
    return eex_draw_uniform(k.seed, k.epoch, k.sample, draw);
}

static float factor(keys k, eex_draw draw, float jitter)
{
    return eex_draw_factor(uniform(k, draw), jitter);
}

static void copy_flipped(uint8_t *to, const uint8_t *from, int pixels, int c)
{
    for (int i = 0; i < pixels; i++)
        for (int j = 0; j < c; j++)
            to[i * c + j] = from[(pixels - 1 - i) * c + j];
}

/* Row `row` of the window that begins at (top, left) of the image; black outside. */
static void crop_row(uint8_t *to, const eex_op_augment *op, const uint8_t *image, int row, int left,
                     bool flip)
{
    int begin = left < 0 ? -left : 0;          /* first column on the image */
    int end = left > 0 ? op->w - left : op->w; /* behind the last */
    int count = end > begin ? end - begin : 0, c = op->c;
    memset(to, 0, (size_t)op->w * (size_t)c);
    if (row < 0 || row >= op->h || count == 0)
        return;
    const uint8_t *from =
        image + ((size_t)row * (size_t)op->w + (size_t)(begin + left)) * (size_t)c;
    if (flip)
        copy_flipped(to + (op->w - end) * c, from, count, c);
    else
        memcpy(to + begin * c, from, (size_t)count * (size_t)c);
}

static void crop(uint8_t *to, const eex_op_augment *op, const uint8_t *image, keys k)
{
    int pad = op->augment.crop_pad;
    int top = eex_draw_crop(uniform(k, EEX_DRAW_CROP_Y), pad);
    int left = eex_draw_crop(uniform(k, EEX_DRAW_CROP_X), pad);
    bool flip = op->augment.flip && uniform(k, EEX_DRAW_FLIP) < 0.5;
    for (int y = 0; y < op->h; y++)
        crop_row(to + (size_t)y * (size_t)op->w * (size_t)op->c, op, image, top + y, left, flip);
}

/* A square around a uniformly drawn pixel, clipped to the image. */
static void cut_out(float *y, const eex_op_augment *op, keys k)
{
    int side = op->augment.cutout;
    int top = eex_draw_cut(uniform(k, EEX_DRAW_CUT_Y), op->h, side);
    int left = eex_draw_cut(uniform(k, EEX_DRAW_CUT_X), op->w, side);
    int bottom = top + side < op->h ? top + side : op->h;
    int right = left + side < op->w ? left + side : op->w;
    top = top < 0 ? 0 : top;
    left = left < 0 ? 0 : left;
    for (int row = top; row < bottom && left < right; row++) /* 0 is the mean */
        memset(y + ((size_t)row * (size_t)op->w + (size_t)left) * (size_t)op->c, 0,
               (size_t)(right - left) * (size_t)op->c * sizeof *y);
}

/* Leaves values in 0..255. Without three channels there is no saturation, and a pixel is its grey.
 */
static void jitter(const eex_image_kernels *kernels, float *y, const uint8_t *x,
                   const eex_op_augment *op, keys k)
{
    float amount = op->augment.jitter;
    int pixels = (int)pixels_of(op), n = pixels * op->c;
    double sum = 0;
    kernels->brightness(y, x, factor(k, EEX_DRAW_BRIGHTNESS, amount), n);
    if (op->c == 3)
        sum = kernels->grey_sum(y, pixels);
    else
        for (int i = 0; i < n; i++)
            sum += (double)y[i] / op->c;
    kernels->contrast(y, factor(k, EEX_DRAW_CONTRAST, amount), (float)(sum / pixels), n);
    if (op->c == 3)
        kernels->saturation(y, factor(k, EEX_DRAW_SATURATION, amount), pixels);
}

static void augment_sample(const augment_job *job, int i, uint8_t *cropped)
{
    const eex_op_augment *op = job->op;
    const eex_augment *how = &op->augment;
    size_t n = pixels_of(op) * (size_t)op->c;
    const uint8_t *image = op->images + (size_t)i * n;
    float *y = op->y + (size_t)i * n;
    if (!how->enabled) {
        job->kernels->normalise(y, image, job->scale, job->offset, (int)n);
        return;
    }
    keys k = {job->step->seed, job->step->epoch, op->sample[i]};
    if (how->crop_pad > 0 || how->flip) {
        crop(cropped, op, image, k);
        image = cropped;
    }
    if (how->jitter > 0) {
        jitter(job->kernels, y, image, op, k);
        job->kernels->normalise_float(y, job->scale, job->offset, (int)n);
    } else {
        job->kernels->normalise(y, image, job->scale, job->offset, (int)n);
    }
    if (how->cutout > 0)
        cut_out(y, op, k);
}

static void augment_share(void *ctx, const eex_part *part)
{
    const augment_job *job = ctx;
    int begin, end;
    eex_pool_share(&begin, &end, job->step->batch, 1, part->index, part->count);
    for (int i = begin; i < end; i++)
        augment_sample(job, i, job->images + (size_t)part->thread * job->image_stride);
}

/* The state: coefficients of one image, then room for one cropped image a thread. */
static size_t stride_of(const eex_op_augment *op)
{
    return (pixels_of(op) * (size_t)op->c + 63) / 64 * 64;
}

static int augment_prepare(eex_cpu *cpu, void **state, const eex_op *op, int max_batch)
{
    const eex_op_augment *a = &op->u.augment;
    EEX_TRY(eex_augment_check(op));
    size_t stride = stride_of(a);
    void *memory = NULL;
    EEX_TRY(eex__cpu_alloc(&memory, stride * (2 * sizeof(float) + (size_t)cpu->base.threads),
                           "augmentation"));
    float *scale = memory, *offset = scale + stride;
    for (size_t i = 0; i < pixels_of(a) * (size_t)a->c; i++)
        eex_augment_scale(&scale[i], &offset[i], &a->augment, (int)(i % (size_t)a->c));
    *state = memory;
    return EEX_OK;
}

static int augment_run(eex_cpu *cpu, const eex_op *op, void *state, const eex_step *step)
{
    const eex_op_augment *a = &op->u.augment;
    size_t stride = stride_of(a);
    float *scale = state;
    augment_job job = {.kernels = cpu->kernels->image, .op = a, .step = step};
    job.scale = scale;
    job.offset = scale + stride;
    job.images = (uint8_t *)(scale + 2 * stride);
    job.image_stride = stride;
    eex__cpu_parallel(cpu, 0.5 * step->batch * (double)stride, augment_share, &job);
    return EEX_OK;
}

static void augment_finish(eex_cpu *cpu, const eex_op *op, void *state)
{
    free(state);
}

const eex_cpu_op_class eex__cpu_augment = {
    .prepare = augment_prepare, .run = augment_run, .finish = augment_finish};
