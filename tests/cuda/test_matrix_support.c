/* What goes around a matrix product: epilogue, sums of columns, patches and their adjoint, orders
 * of weights. They are no ops, so they are called as conv*.c call them. */
#include "cuda/cuda_device.h"
#include "support/array.h"
#include "support/devices.h"
#include "support/reference_ops.h"

static bool has(const eex_device *dev, array_layout layout)
{
    return dev->precisions & 1u << layout.precision;
}

static const eex_act acts[] = {EEX_ACT_NONE, EEX_ACT_RELU, EEX_ACT_RELU6};

typedef struct matrix {
    size_t rows;
    int c;
} matrix;

static const matrix matrices[] = {{1, 1},    {3, 10},    {129, 1280}, {77, 13},
                                  {9999, 3}, {5000, 24}, {300, 3000}, {1, 40}};
enum { MATRICES = sizeof matrices / sizeof *matrices };

static void check_epilogue(eex_device *dev, matrix m, array_layout layout, int k)
{
    bench b;
    bench_init(&b, dev);
    size_t c = (size_t)m.c, n = m.rows * c;
    array y = array_random(&b, layout, n, 1, -3, 6), more = array_random(&b, layout, n, 2, -1, 1);
    tensor bias = tensor_random(&b, c, 3, -1, 1);
    eex_act act = acts[k % 3];
    const float *with_bias = k / 3 % 2 ? bias.dev : NULL, *residual = k / 6 ? more.dev : NULL;
    double *want = bench_doubles(&b, n);
    for (size_t i = 0; i < n; i++)
        want[i] = ref_act(
            y.host[i] + (with_bias ? bias.host[i % c] : 0) + (residual ? more.host[i] : 0), act);
    cr_assert_eq(eex__cuda_epilogue((eex_cuda *)dev, layout.precision, y.dev, with_bias, residual,
                                    act, m.rows, m.c),
                 EEX_OK, "%s", eex_error());
    expect_near("y", array_download(&b, y), want, n, array_tolerance(layout));
    bench_free(&b);
}

static void epilogue_on(eex_device *dev)
{
    for (int i = 0; i < MATRICES; i++)
        for (int l = 0; l < ARRAY_LAYOUTS; l++)
            for (int k = 0; k < 12; k++)
                if (has(dev, array_layouts[l]) && (k % 4 == i % 4 || matrices[i].rows < 100))
                    check_epilogue(dev, matrices[i], array_layouts[l], k);
}

Test(matrix_support, epilogue_matches_the_reference)
{
    on_each_device(epilogue_on);
}

static void check_sums(eex_device *dev, matrix m, array_layout layout, bool accumulate)
{
    bench b;
    bench_init(&b, dev);
    size_t c = (size_t)m.c;
    array dy = array_random(&b, layout, m.rows * c, 1, -1, 2);
    tensor sums = accumulate ? tensor_random(&b, c, 2, -1, 1) : tensor_poison(&b, c);
    double *want = bench_doubles(&b, c), *got = bench_doubles(&b, c);
    for (size_t j = 0; accumulate && j < c; j++)
        want[j] = sums.host[j];
    for (size_t i = 0; i < dy.n; i++)
        want[i % c] += dy.host[i];
    size_t scratch = eex__cuda_column_sums_scratch(m.rows, m.c);
    cr_assert_eq(eex__cuda_reserve((eex_cuda *)dev, scratch), EEX_OK, "%s", eex_error());
    cr_assert_eq(eex__cuda_column_sums((eex_cuda *)dev, layout.precision, sums.dev, dy.dev, m.rows,
                                       m.c, accumulate),
                 EEX_OK, "%s", eex_error());
    tensor_download(&b, sums);
    for (size_t j = 0; j < c; j++)
        got[j] = sums.host[j];
    expect_near("sums", got, want, c, 1e-5);
    bench_free(&b);
}

static void sums_on(eex_device *dev)
{
    for (int i = 0; i < MATRICES; i++)
        for (int l = 0; l < ARRAY_LAYOUTS; l++)
            if (has(dev, array_layouts[l]))
                check_sums(dev, matrices[i], array_layouts[l], (i + l) % 2);
}

Test(matrix_support, column_sums_match_the_reference)
{
    on_each_device(sums_on);
}

/* ---- patches ---- */

static const eex_window windows[] = {
    {.cin = 24, .hin = 7, .win = 9, .cout = 5, .kernel = 3, .stride = 2, .pad = 1},
    {.cin = 3, .hin = 8, .win = 8, .cout = 5, .kernel = 7, .stride = 2, .pad = 3},
    {.cin = 1, .hin = 5, .win = 4, .cout = 5, .kernel = 3, .stride = 1, .pad = 1},
    {.cin = 40, .hin = 6, .win = 5, .cout = 5, .kernel = 1, .stride = 2},
    {.cin = 13, .hin = 5, .win = 6, .cout = 5, .kernel = 2, .stride = 3},
    {.cin = 1280, .hin = 1, .win = 1, .cout = 5, .kernel = 1, .stride = 1}};
enum { WINDOWS = sizeof windows / sizeof *windows };

static eex_window window_of(int i)
{
    eex_window w = windows[i];
    w.groups = 1;
    w.hout = (w.hin + 2 * w.pad - w.kernel) / w.stride + 1;
    w.wout = (w.win + 2 * w.pad - w.kernel) / w.stride + 1;
    return w;
}

/* Element of the image that element i of the patches is, or -1 in the padding. */
static long source_of(const eex_window *w, size_t i)
{
    int c = (int)(i % (size_t)w->cin);
    i /= (size_t)w->cin;
    int tap = (int)(i % (size_t)(w->kernel * w->kernel));
    i /= (size_t)(w->kernel * w->kernel);
    int ox = (int)(i % (size_t)w->wout), oy = (int)(i / (size_t)w->wout % (size_t)w->hout);
    long sample = (long)(i / (size_t)(w->wout * w->hout));
    int y = oy * w->stride - w->pad + tap / w->kernel, x = ox * w->stride - w->pad;
    x += tap % w->kernel;
    if (y < 0 || y >= w->hin || x < 0 || x >= w->win)
        return -1;
    return ((sample * w->hin + y) * w->win + x) * w->cin + c;
}

static void check_patches(eex_device *dev, eex_window w, int batch, array_layout layout,
                          bool accumulate)
{
    bench b;
    bench_init(&b, dev);
    size_t image = (size_t)(batch * w.hin * w.win * w.cin);
    size_t n = (size_t)(batch * w.hout * w.wout * w.kernel * w.kernel * w.cin);
    array x = array_random(&b, layout, image, 1, -1, 1), p = array_poison(&b, layout, n);
    array d = array_random(&b, layout, n, 2, -1, 1);
    array dx =
        accumulate ? array_random(&b, layout, image, 3, -1, 1) : array_poison(&b, layout, image);
    double *want = bench_doubles(&b, n), *want_dx = bench_doubles(&b, image);
    for (size_t i = 0; accumulate && i < image; i++)
        want_dx[i] = dx.host[i];
    for (size_t i = 0; i < n; i++) {
        long from = source_of(&w, i);
        want[i] = from < 0 ? 0 : x.host[from];
        if (from >= 0)
            want_dx[from] += d.host[i];
    }
    eex_cuda *cuda = (eex_cuda *)dev;
    cr_assert_eq(eex__cuda_im2col(cuda, layout.precision, p.dev, x.dev, &w, batch), EEX_OK);
    cr_assert_eq(eex__cuda_col2im(cuda, layout.precision, dx.dev, d.dev, &w, batch, accumulate),
                 EEX_OK);
    expect_near("patches", array_download(&b, p), want, n, 0);
    expect_near("dx", array_download(&b, dx), want_dx, image, array_tolerance(layout));
    bench_free(&b);
}

static void patches_on(eex_device *dev)
{
    for (int i = 0; i < WINDOWS; i++)
        for (int l = 0; l < ARRAY_LAYOUTS; l++)
            if (has(dev, array_layouts[l]))
                check_patches(dev, window_of(i), i == 2 ? 129 : 3, array_layouts[l], (i + l) % 2);
}

Test(matrix_support, patches_and_their_adjoint)
{
    on_each_device(patches_on);
}

/* ---- orders of weights ---- */

static void check_weights(eex_device *dev, eex_window w, array_layout layout, bool accumulate)
{
    bench b;
    bench_init(&b, dev);
    size_t inputs = (size_t)(w.kernel * w.kernel * w.cin), n = inputs * (size_t)w.cout;
    array hwio = array_random(&b, layout, n, 1, -1, 1), ohwi = array_poison(&b, layout, n);
    tensor dw = tensor_poison(&b, n),
           back = accumulate ? tensor_random(&b, n, 2, -1, 1) : tensor_poison(&b, n);
    double *want = bench_doubles(&b, n), *sum = bench_doubles(&b, n), *got = bench_doubles(&b, n);
    for (size_t i = 0; i < n; i++) {
        want[i % (size_t)w.cout * inputs + i / (size_t)w.cout] = hwio.host[i];
        sum[i] = hwio.host[i] + (accumulate ? back.host[i] : 0);
    }
    for (size_t i = 0; i < n; i++) /* the gradient is float32, in whatever precision all else is */
        dw.host[i] = (float)want[i];
    tensor_upload(&b, dw);
    eex_cuda *cuda = (eex_cuda *)dev;
    cr_assert_eq(eex__cuda_weights_to_ohwi(cuda, layout.precision, ohwi.dev, hwio.dev, &w), EEX_OK);
    cr_assert_eq(eex__cuda_gradient_to_hwio(cuda, back.dev, dw.dev, &w, accumulate), EEX_OK);
    expect_near("weights", array_download(&b, ohwi), want, n, 0);
    tensor_download(&b, back);
    for (size_t i = 0; i < n; i++)
        got[i] = back.host[i];
    expect_near("gradient", got, sum, n, 1e-6);
    bench_free(&b);
}

static void weights_on(eex_device *dev)
{
    static const eex_window all[] = {{.cin = 1, .cout = 1, .kernel = 1},
                                     {.cin = 3, .cout = 17, .kernel = 7},
                                     {.cin = 160, .cout = 64, .kernel = 3},
                                     {.cin = 33, .cout = 1280, .kernel = 1}};
    for (int i = 0; i < 4; i++) {
        eex_window w = all[i];
        w.groups = 1;
        for (int l = 0; l < ARRAY_LAYOUTS; l++)
            if (has(dev, array_layouts[l]))
                check_weights(dev, w, array_layouts[l], (i + l) % 2);
    }
}

Test(matrix_support, weights_there_and_gradients_back)
{
    on_each_device(weights_on);
}

/* ---- channels first ---- */

/* To (cout, cin, taps), and back to (cout, taps, cin). */
static void check_filter(eex_device *dev, eex_window w)
{
    bench b;
    bench_init(&b, dev);
    const size_t taps = (size_t)(w.kernel * w.kernel), n = taps * (size_t)w.cin * (size_t)w.cout;
    tensor ohwi = tensor_random(&b, n, 1, -1, 1), oihw = tensor_poison(&b, n),
           back = tensor_poison(&b, n);
    double *want = bench_doubles(&b, n), *same = bench_doubles(&b, n);
    for (size_t i = 0; i < n; i++) {
        const size_t input = i % (size_t)w.cin, tap = i / (size_t)w.cin % taps;
        want[(i / (size_t)w.cin / taps * (size_t)w.cin + input) * taps + tap] = ohwi.host[i];
        same[i] = ohwi.host[i];
    }
    cr_assert_eq(eex__cuda_filter_to_oihw((eex_cuda *)dev, oihw.dev, ohwi.dev, &w), EEX_OK);
    cr_assert_eq(eex__cuda_filter_to_ohwi((eex_cuda *)dev, back.dev, oihw.dev, &w), EEX_OK);
    tensor_download(&b, oihw);
    tensor_download(&b, back);
    expect_close("OIHW", oihw.host, want, n, 0);
    expect_close("OHWI", back.host, same, n, 0);
    bench_free(&b);
}

static void check_order(eex_device *dev, size_t samples, size_t pixels, size_t channels,
                        bool accumulate)
{
    bench b;
    bench_init(&b, dev);
    const size_t n = samples * pixels * channels;
    tensor last = tensor_random(&b, n, 1, -1, 1), first = tensor_poison(&b, n),
           back = accumulate ? tensor_random(&b, n, 2, -1, 1) : tensor_poison(&b, n);
    double *want = bench_doubles(&b, n), *sum = bench_doubles(&b, n);
    for (size_t i = 0; i < n; i++) {
        const size_t channel = i % channels, pixel = i / channels % pixels;
        want[(i / channels / pixels * channels + channel) * pixels + pixel] = last.host[i];
        sum[i] = (double)last.host[i] + (accumulate ? (double)back.host[i] : 0);
    }
    eex_cuda *cuda = (eex_cuda *)dev;
    cr_assert_eq(eex__cuda_channels_first(cuda, first.dev, last.dev, samples, pixels, channels),
                 EEX_OK);
    cr_assert_eq(
        eex__cuda_channels_last(cuda, back.dev, first.dev, samples, pixels, channels, accumulate),
        EEX_OK);
    tensor_download(&b, first);
    tensor_download(&b, back);
    expect_close("channels first", first.host, want, n, 0);
    expect_close("channels last", back.host, sum, n, 1e-6);
    bench_free(&b);
}

/* One shape has more samples than a grid counts blocks. */
static void orders_on(eex_device *dev)
{
    static const size_t shapes[][3] = {
        {1, 1, 1}, {3, 1024, 3}, {2, 49, 65}, {5, 1, 130}, {65537, 2, 3}};
    static const eex_window filters[] = {{.cin = 1, .cout = 1, .kernel = 1, .groups = 1},
                                         {.cin = 3, .cout = 17, .kernel = 7, .groups = 1},
                                         {.cin = 70, .cout = 33, .kernel = 3, .groups = 1}};
    for (int i = 0; i < 5; i++)
        for (int accumulate = 0; accumulate < (i < 4 ? 2 : 1); accumulate++)
            check_order(dev, shapes[i][0], shapes[i][1], shapes[i][2], accumulate);
    for (int i = 0; i < 3; i++)
        check_filter(dev, filters[i]);
}

Test(matrix_support, channels_first_and_last)
{
    on_each_device(orders_on);
}

/* ---- bfloat16 to float32 ---- */

static void widening_on(eex_device *dev)
{
    static const size_t counts[] = {1, 7, 8, 2049, 10000};
    for (int i = 0; i < 5; i++)
        for (int l = 0; l < ARRAY_LAYOUTS; l++) {
            if (array_layouts[l].precision != EEX_BF16 || !has(dev, array_layouts[l]))
                continue;
            bench b;
            bench_init(&b, dev);
            array from = array_random(&b, array_layouts[l], counts[i], 1, -1, 1);
            tensor to = tensor_poison(&b, counts[i]);
            double *got = bench_doubles(&b, counts[i]);
            cr_assert_eq(eex__cuda_widen((eex_cuda *)dev, to.dev, from.dev, counts[i]), EEX_OK);
            tensor_download(&b, to);
            for (size_t k = 0; k < counts[i]; k++)
                got[k] = to.host[k];
            expect_near("float32", got, from.host, counts[i], 0);
            bench_free(&b);
        }
}

Test(matrix_support, widened_numbers_are_the_same)
{
    on_each_device(widening_on);
}
