#include "support/devices.h"
#include "support/reference_ops.h"
#include "support/tensor.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static eex_window window(int c, int size, int kernel, int stride, int pad)
{
    int out = (size + 2 * pad - kernel) / stride + 1;
    return (eex_window){.cin = c,
                        .hin = size,
                        .win = size + 1,
                        .cout = c,
                        .hout = out,
                        .wout = (size + 1 + 2 * pad - kernel) / stride + 1,
                        .kernel = kernel,
                        .stride = stride,
                        .pad = pad,
                        .groups = c};
}

static size_t in_size(const eex_window *w)
{
    return (size_t)w->hin * (size_t)w->win * (size_t)w->cin;
}

static size_t out_size(const eex_window *w)
{
    return (size_t)w->hout * (size_t)w->wout * (size_t)w->cin;
}

typedef struct pool_case {
    int batch;
    eex_window w;
} pool_case;

enum { CASES = 8 };

static pool_case pool_at(int i)
{
    const pool_case cases[CASES] = {{1, window(1, 4, 2, 2, 0)},    {3, window(3, 7, 3, 2, 1)},
                                    {129, window(3, 5, 3, 1, 1)},  {3, window(24, 8, 3, 2, 1)},
                                    {1, window(64, 9, 3, 2, 1)},   {2, window(1280, 3, 2, 1, 1)},
                                    {129, window(24, 6, 2, 2, 0)}, {1, window(96, 16, 3, 2, 1)}};
    return cases[i];
}

static tensor run_max(bench *b, tensor x, const eex_window *w, int batch)
{
    tensor y = tensor_poison(b, (size_t)batch * out_size(w));
    eex_op op = {.kind = EEX_OP_MAX_POOL, .name = "pool"};
    op.u.pool = (eex_op_pool){.window = *w, .x = x.dev, .y = y.dev};
    eex_step step = bench_step(batch);
    bench_run(b, &op, batch, &step);
    tensor_download(b, y);
    return y;
}

static void max_on(eex_device *dev)
{
    for (int i = 0; i < CASES; i++) {
        pool_case t = pool_at(i);
        bench b;
        bench_init(&b, dev);
        tensor x = tensor_random(&b, (size_t)t.batch * in_size(&t.w), 1, -3, -1);
        tensor y = run_max(&b, x, &t.w, t.batch);
        double *want = bench_doubles(&b, y.n);
        ref_max_pool(want, tensor_doubles(&b, x), t.batch, &t.w);
        expect_close("y", y.host, want, y.n, 0);
        bench_free(&b);
    }
}

Test(windows, max_pool_matches_the_reference)
{
    on_each_device(max_on);
}

static void nan_on(eex_device *dev)
{
    bench b;
    bench_init(&b, dev);
    eex_window w = window(24, 4, 2, 2, 0);
    tensor x = tensor_random(&b, in_size(&w), 1, -1, 1);
    x.host[3] = NAN;
    tensor_upload(&b, x);
    tensor y = run_max(&b, x, &w, 1);
    cr_assert(isnan(y.host[3]), "the maximum hid a NaN");
    cr_assert_not(isnan(y.host[4]));
    bench_free(&b);
}

Test(windows, max_pool_shows_nan)
{
    on_each_device(nan_on);
}

/* sum(dy * pool(x)). */
typedef struct objective {
    int batch;
    const eex_window *w; /* NULL: global pool of hw pixels of c channels */
    int hw, c;
    const double *dy;
    double *y;
    size_t n;
} objective;

static double objective_value(const double *x, void *ctx)
{
    objective *o = ctx;
    double sum = 0;
    if (o->w)
        ref_max_pool(o->y, x, o->batch, o->w);
    else
        ref_global_pool(o->y, x, o->batch, o->hw, o->c);
    for (size_t i = 0; i < o->n; i++)
        sum += o->dy[i] * o->y[i];
    return sum;
}

static void check_slopes(bench *b, objective *o, tensor x, tensor dx, double before)
{
    double *at = tensor_doubles(b, x);
    tensor_download(b, dx);
    for (size_t i = 0; i < dx.n; i++)
        cr_assert(isfinite(dx.host[i]), "dx has %g at %zu", (double)dx.host[i], i);
    for (size_t i = 0; i < dx.n; i += dx.n / 15 + 1) {
        double slope = ref_slope(objective_value, o, at, i) + before;
        cr_assert(fabs(dx.host[i] - slope) <= 1e-4 * (1 + fabs(slope)),
                  "dx[%zu] is %.7g, expected %.7g", i, (double)dx.host[i], slope);
    }
}

static void max_bwd_on(eex_device *dev)
{
    for (int i = 0; i < 2 * CASES; i++) {
        pool_case t = pool_at(i / 2);
        bool accumulate = i % 2;
        bench b;
        bench_init(&b, dev);
        size_t n = (size_t)t.batch * in_size(&t.w), m = (size_t)t.batch * out_size(&t.w);
        tensor x = tensor_random(&b, n, 1, -3, 3), dy = tensor_random(&b, m, 2, -1, 1);
        tensor dx = accumulate ? tensor_filled(&b, n, 0.5f) : tensor_poison(&b, n);
        eex_op op = {.kind = EEX_OP_MAX_POOL_BWD, .name = "pool"};
        op.u.pool = (eex_op_pool){
            .window = t.w, .x = x.dev, .dy = dy.dev, .dx = dx.dev, .accumulate = accumulate};
        eex_step step = bench_step(t.batch);
        bench_run(&b, &op, t.batch, &step);
        objective o = {.batch = t.batch,
                       .w = &t.w,
                       .dy = tensor_doubles(&b, dy),
                       .y = bench_doubles(&b, m),
                       .n = m};
        check_slopes(&b, &o, x, dx, accumulate ? 0.5 : 0);
        bench_free(&b);
    }
}

Test(windows, gradient_of_max_pool_matches_finite_differences)
{
    on_each_device(max_bwd_on);
}

/* Equal values: one of them gets the gradient, the first, as in PyTorch. */
static void tie_on(eex_device *dev)
{
    bench b;
    bench_init(&b, dev);
    eex_window w = {.cin = 3,
                    .hin = 2,
                    .win = 2,
                    .cout = 3,
                    .hout = 1,
                    .wout = 1,
                    .kernel = 2,
                    .stride = 2,
                    .groups = 3};
    tensor x = tensor_filled(&b, 12, 1), dy = tensor_filled(&b, 3, 2), dx = tensor_poison(&b, 12);
    eex_op op = {.kind = EEX_OP_MAX_POOL_BWD, .name = "pool"};
    op.u.pool = (eex_op_pool){.window = w, .x = x.dev, .dy = dy.dev, .dx = dx.dev};
    eex_step step = bench_step(1);
    bench_run(&b, &op, 1, &step);
    tensor_download(&b, dx);
    for (int i = 0; i < 12; i++)
        cr_assert_eq(dx.host[i], i < 3 ? 2 : 0);
    bench_free(&b);
}

Test(windows, first_of_equal_maxima_gets_the_gradient)
{
    on_each_device(tie_on);
}

typedef struct image {
    int batch, h, w, c;
} image;

static const image images[] = {{1, 1, 1, 1},    {3, 4, 5, 3},    {129, 4, 4, 24}, {3, 2, 2, 1280},
                               {1, 16, 16, 96}, {129, 2, 3, 40}, {2, 50, 40, 3}};
enum { IMAGES = sizeof images / sizeof *images };

static eex_window whole(image t)
{
    return (eex_window){.cin = t.c,
                        .hin = t.h,
                        .win = t.w,
                        .cout = t.c,
                        .hout = 1,
                        .wout = 1,
                        .kernel = t.h,
                        .stride = 1,
                        .groups = t.c};
}

static tensor run_mean(bench *b, tensor x, image t)
{
    tensor y = tensor_poison(b, (size_t)t.batch * (size_t)t.c);
    eex_op op = {.kind = EEX_OP_GLOBAL_POOL, .name = "mean"};
    op.u.pool = (eex_op_pool){.window = whole(t), .x = x.dev, .y = y.dev};
    eex_step step = bench_step(t.batch);
    bench_run(b, &op, t.batch, &step);
    tensor_download(b, y);
    return y;
}

static void mean_on(eex_device *dev)
{
    for (int i = 0; i < IMAGES; i++) {
        image t = images[i];
        bench b;
        bench_init(&b, dev);
        size_t n = (size_t)t.batch * (size_t)(t.h * t.w * t.c);
        tensor x = tensor_random(&b, n, 1, -1, 3), y = run_mean(&b, x, t);
        double *want = bench_doubles(&b, y.n);
        ref_global_pool(want, tensor_doubles(&b, x), t.batch, t.h * t.w, t.c);
        expect_close("y", y.host, want, y.n, 1e-6);
        bench_free(&b);
    }
}

Test(windows, global_pool_matches_the_reference)
{
    on_each_device(mean_on);
}

static void mean_bwd_on(eex_device *dev)
{
    for (int i = 0; i < 2 * IMAGES; i++) {
        image t = images[i / 2];
        bool accumulate = i % 2;
        bench b;
        bench_init(&b, dev);
        size_t m = (size_t)t.batch * (size_t)t.c, n = m * (size_t)(t.h * t.w);
        tensor x = tensor_random(&b, n, 1, -1, 3), dy = tensor_random(&b, m, 2, -1, 1);
        tensor dx = accumulate ? tensor_filled(&b, n, 0.5f) : tensor_poison(&b, n);
        eex_op op = {.kind = EEX_OP_GLOBAL_POOL_BWD, .name = "mean"};
        op.u.pool =
            (eex_op_pool){.window = whole(t), .dy = dy.dev, .dx = dx.dev, .accumulate = accumulate};
        eex_step step = bench_step(t.batch);
        bench_run(&b, &op, t.batch, &step);
        objective o = {.batch = t.batch,
                       .hw = t.h * t.w,
                       .c = t.c,
                       .dy = tensor_doubles(&b, dy),
                       .y = bench_doubles(&b, m),
                       .n = m};
        check_slopes(&b, &o, x, dx, accumulate ? 0.5 : 0);
        bench_free(&b);
    }
}

Test(windows, gradient_of_global_pool_matches_finite_differences)
{
    on_each_device(mean_bwd_on);
}

Test(windows, pools_of_a_sample_are_the_same_in_any_batch)
{
    eex_device *dev = open_device(3), *single = open_device(1);
    bench b, c;
    bench_init(&b, dev);
    bench_init(&c, single);
    image all = {129, 8, 8, 24}, one = {1, 8, 8, 24};
    eex_window w = window(24, 8, 3, 2, 1);
    size_t row = 8 * 8 * 24, wide = in_size(&w);
    tensor x = tensor_random(&b, 129 * row, 1, -1, 1), y = run_mean(&b, x, all);
    tensor x2 = tensor_random(&b, 129 * wide, 1, -1, 1), y2 = run_max(&b, x2, &w, 129);
    for (size_t i = 0; i < 129; i += 32) {
        tensor z = run_mean(&c, tensor_from(&c, x.host + i * row, row), one);
        tensor z2 = run_max(&c, tensor_from(&c, x2.host + i * wide, wide), &w, 1);
        expect_equal_bits("mean", z.host, y.host + i * 24, 24);
        expect_equal_bits("maximum", z2.host, y2.host + i * out_size(&w), out_size(&w));
    }
    bench_free(&b);
    bench_free(&c);
    eex_device_close(dev);
    eex_device_close(single);
}
