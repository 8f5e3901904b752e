#include "support/devices.h"
#include "support/tensor.h"

#include "base/rng.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { MOST = 129, SIDE = 32, PIXELS = SIDE * SIDE };

typedef struct augment_case {
    bench b;
    int batch;
    uint8_t images[MOST * PIXELS * 3];
    uint32_t sample[MOST];
    tensor y;
    eex_op op;
    eex_step step;
} augment_case;

static augment_case *case_new(eex_device *dev, int batch, int h, int w, int c, eex_augment how)
{
    augment_case *t = calloc(1, sizeof *t);
    cr_assert_not_null(t);
    eex_rng rng;
    eex_rng_seed(&rng, 5, 0);
    bench_init(&t->b, dev);
    t->batch = batch;
    size_t n = (size_t)batch * (size_t)(h * w * c);
    for (size_t i = 0; i < n; i++)
        t->images[i] = (uint8_t)(1 + eex_rng_below(&rng, 255));
    for (int i = 0; i < batch; i++)
        t->sample[i] = (uint32_t)(1000 + 17 * i);
    t->y = tensor_poison(&t->b, n);
    how.mean[0] = 0.5f, how.mean[1] = 0.4f, how.mean[2] = 0.3f;
    how.std[0] = 0.25f, how.std[1] = 0.2f, how.std[2] = 0.3f;
    t->op = (eex_op){.kind = EEX_OP_AUGMENT, .name = "input"};
    t->op.u.augment = (eex_op_augment){.c = c, .h = h, .w = w, .augment = how, .y = t->y.dev};
    t->step = bench_step(batch);
    return t;
}

static void case_run(augment_case *t)
{
    eex_op_augment *a = &t->op.u.augment;
    a->images = bench_bytes(&t->b, t->images, t->y.n);
    a->sample = bench_bytes(&t->b, t->sample, (size_t)t->batch * sizeof *t->sample);
    bench_run(&t->b, &t->op, t->batch, &t->step);
    tensor_download(&t->b, t->y);
}

static void case_free(augment_case *t)
{
    bench_free(&t->b);
    free(t);
}

/* ---- the reference: one pixel at a time, all in double ---- */

typedef struct drawn {
    int top, left, flip, cut_top, cut_left;
    double brightness, contrast, saturation;
} drawn;

static drawn draw(const augment_case *t, int i)
{
    const eex_op_augment *a = &t->op.u.augment;
    const eex_augment *how = &a->augment;
    uint64_t key = (uint64_t)t->step.epoch << 32 | t->sample[i];
    double u[8];
    for (uint64_t k = 0; k < 8; k++)
        u[k] = eex_rng_hash_uniform(t->step.seed, key, k);
    return (drawn){.top = (int)(u[0] * (2 * how->crop_pad + 1)) - how->crop_pad,
                   .left = (int)(u[1] * (2 * how->crop_pad + 1)) - how->crop_pad,
                   .flip = how->flip && u[2] < 0.5,
                   .cut_top = (int)(u[3] * a->h) - how->cutout / 2,
                   .cut_left = (int)(u[4] * a->w) - how->cutout / 2,
                   .brightness = fmax(0, 1 + how->jitter * (2 * u[5] - 1)),
                   .contrast = fmax(0, 1 + how->jitter * (2 * u[6] - 1)),
                   .saturation = fmax(0, 1 + how->jitter * (2 * u[7] - 1))};
}

/* The cropped and flipped image's byte at (row, column, channel); 0 outside. */
static int byte_at(const augment_case *t, int i, const drawn *d, int row, int column, int j)
{
    const eex_op_augment *a = &t->op.u.augment;
    int y = row + d->top, x = (d->flip ? a->w - 1 - column : column) + d->left;
    if (y < 0 || y >= a->h || x < 0 || x >= a->w)
        return 0;
    return t->images[((i * a->h + y) * a->w + x) * a->c + j];
}

static double bounded(double value)
{
    return fmin(fmax(value, 0), 255);
}

static double grey(const double *pixel, int c)
{
    if (c == 3)
        return 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2];
    return c == 1 ? pixel[0] : (pixel[0] + pixel[1]) / 2;
}

static void ref_jitter(double *y, const drawn *d, int pixels, int c)
{
    double mean = 0;
    for (int i = 0; i < pixels * c; i++)
        y[i] = bounded(y[i] * d->brightness);
    for (int i = 0; i < pixels; i++)
        mean += grey(y + i * c, c) / pixels;
    for (int i = 0; i < pixels * c; i++)
        y[i] = bounded(y[i] * d->contrast + (1 - d->contrast) * mean);
    for (int i = 0; c == 3 && i < pixels; i++) {
        double own = grey(y + i * 3, 3);
        for (int j = 0; j < 3; j++)
            y[i * 3 + j] = bounded(y[i * 3 + j] * d->saturation + (1 - d->saturation) * own);
    }
}

static void ref_augment(double *y, const augment_case *t, int i)
{
    const eex_op_augment *a = &t->op.u.augment;
    const eex_augment *how = &a->augment;
    drawn d = draw(t, i);
    if (!how->enabled)
        d = (drawn){0};
    for (int k = 0; k < a->h * a->w * a->c; k++)
        y[k] = byte_at(t, i, &d, k / a->c / a->w, k / a->c % a->w, k % a->c);
    if (how->enabled && how->jitter > 0)
        ref_jitter(y, &d, a->h * a->w, a->c);
    for (int k = 0; k < a->h * a->w * a->c; k++) {
        int row = k / a->c / a->w - d.cut_top, column = k / a->c % a->w - d.cut_left;
        bool cut = row >= 0 && row < how->cutout && column >= 0 && column < how->cutout;
        double value = (y[k] / 255 - how->mean[k % a->c]) / how->std[k % a->c];
        y[k] = how->enabled && cut ? 0 : value;
    }
}

static void check(eex_device *dev, int batch, int h, int w, int c, eex_augment how)
{
    augment_case *t = case_new(dev, batch, h, w, c, how);
    size_t n = (size_t)(h * w * c);
    double *want = bench_doubles(&t->b, n);
    case_run(t);
    for (int i = 0; i < batch; i++) {
        ref_augment(want, t, i);
        expect_close("y", t->y.host + (size_t)i * n, want, n, 2e-5);
    }
    case_free(t);
}

static void reference_on(eex_device *dev)
{
    static const eex_augment all[] = {
        {.enabled = false, .crop_pad = 4, .flip = true, .cutout = 8, .jitter = 0.4f},
        {.enabled = true},
        {.enabled = true, .crop_pad = 4},
        {.enabled = true, .flip = true},
        {.enabled = true, .crop_pad = 4, .flip = true, .cutout = 8},
        {.enabled = true, .jitter = 0.4f},
        {.enabled = true, .crop_pad = 40, .flip = true, .cutout = 5, .jitter = 1.2f}};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        check(dev, 1, SIDE, SIDE, 3, all[k]);
        check(dev, 3, 7, 9, 1, all[k]);
        check(dev, 5, 9, 7, 2, all[k]);
        check(dev, MOST, 10, 12, 3, all[k]);
    }
}

Test(augment, matches_the_reference)
{
    on_each_device(reference_on);
}

/* What a sample looks like depends on the seed, the epoch and its number, not on where it is. */
Test(augment, depends_on_the_sample_and_not_on_its_place)
{
    eex_device *dev = open_device(3), *single = open_device(1);
    const eex_augment how = {
        .enabled = true, .crop_pad = 4, .flip = true, .cutout = 8, .jitter = 0.4f};
    augment_case *all = case_new(dev, MOST, SIDE, SIDE, 3, how);
    augment_case *one = case_new(single, 1, SIDE, SIDE, 3, how);
    case_run(all);
    for (int i = 0; i < MOST; i += 32) {
        size_t n = PIXELS * 3, at = (size_t)i * n;
        memcpy(one->images, all->images + at, n);
        one->sample[0] = all->sample[i];
        case_run(one);
        expect_equal_bits("y", one->y.host, all->y.host + at, n);
        one->step.epoch++;
        case_run(one);
        cr_assert_neq(memcmp(one->y.host, all->y.host + at, n * sizeof(float)), 0, "next epoch");
        one->step.epoch--;
    }
    case_free(all);
    case_free(one);
    eex_device_close(dev);
    eex_device_close(single);
}

/* One white pixel in the middle shows where it went: every shift and both sides must occur, about
 * equally often. */
Test(augment, shifts_and_flips_are_uniform)
{
    enum { EPOCHS = 40, N = 8 };
    eex_device *dev = open_device(1);
    augment_case *t =
        case_new(dev, MOST, N, N, 1, (eex_augment){.enabled = true, .crop_pad = 1, .flip = true});
    int rows[N] = {0}, columns[N] = {0}, seen = 0;
    memset(t->images, 0, sizeof t->images);
    for (int i = 0; i < MOST; i++)
        t->images[i * N * N + 4 * N + 3] = 255;
    for (uint32_t epoch = 0; epoch < EPOCHS; epoch++) {
        bench_free(&t->b);
        t->y = tensor_poison(&t->b, MOST * N * N);
        t->op.u.augment.y = t->y.dev;
        t->step.epoch = epoch;
        case_run(t);
        for (int k = 0; k < MOST * N * N; k++)
            if (t->y.host[k] > 0) {
                rows[k / N % N]++;
                columns[k % N]++;
                seen++;
            }
    }
    cr_assert_eq(seen, MOST * EPOCHS);
    for (int k = 3; k <= 5; k++)
        cr_assert_float_eq((double)rows[k] / seen, 1 / 3.0, 0.03);
    for (int k = 2; k <= 5; k++) /* 3 +- 1, or 4 +- 1 when flipped */
        cr_assert_float_eq((double)columns[k] / seen, k == 2 || k == 5 ? 1 / 6.0 : 1 / 3.0, 0.03);
    case_free(t);
    eex_device_close(dev);
}

Test(augment, impossible_images_are_refused)
{
    eex_device *dev = open_device(1);
    void *state;
    eex_op op = {.kind = EEX_OP_AUGMENT, .name = "input"};
    op.u.augment = (eex_op_augment){.c = 4, .h = 8, .w = 8};
    cr_assert_eq(dev->vtable->prepare(dev, &state, &op, 1), EEX_EUNSUPPORTED);
    op.u.augment.c = 3;
    cr_assert_eq(dev->vtable->prepare(dev, &state, &op, 1), EEX_EINVAL);
    cr_assert_not_null(strstr(eex_error(), "deviation of channel 0"), "%s", eex_error());
    eex_device_close(dev);
}
