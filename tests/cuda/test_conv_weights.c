/* Gradients for the weights in bfloat16: float32, as exact as if only the activations had been
 * rounded, whichever way they are calculated and in however many pieces. */
#include "cuda/cuda_device.h"
#include "support/array.h"
#include "support/devices.h"
#include "support/reference_conv.h"

typedef struct weights_case {
    int batch, size, cin, cout, kernel, stride, pad;
} weights_case;

static const weights_case cases[] = {
    {5, 9, 8, 16, 3, 1, 1}, {7, 8, 3, 5, 3, 2, 1},   {3, 6, 24, 8, 1, 1, 0},
    {4, 7, 5, 7, 1, 2, 0},  {6, 1, 40, 10, 1, 1, 0}, {11, 5, 1, 3, 3, 1, 1},
};
enum { CASES = sizeof cases / sizeof *cases };

static eex_window window_of(weights_case k)
{
    int out = (k.size + 2 * k.pad - k.kernel) / k.stride + 1;
    return (eex_window){.cin = k.cin,
                        .hin = k.size,
                        .win = k.size,
                        .cout = k.cout,
                        .hout = out,
                        .wout = out,
                        .kernel = k.kernel,
                        .stride = k.stride,
                        .pad = k.pad,
                        .groups = 1};
}

/* Everything but dw in place. */
static eex_op weights_op(eex_window w, array x, array dy)
{
    eex_op op = {.kind = EEX_OP_CONV_BWD_WEIGHTS, .name = "conv"};
    op.precision = x.layout.precision;
    op.u.conv_bwd_weights.window = w;
    op.u.conv_bwd_weights.x = x.dev;
    op.u.conv_bwd_weights.dy = dy.dev;
    return op;
}

static void check_case(eex_device *dev, weights_case k, array_layout layout, bool accumulate)
{
    bench b;
    bench_init(&b, dev);
    eex_window w = window_of(k);
    size_t n = ref_conv_weights(&w), out = (size_t)(k.batch * w.hout * w.wout * w.cout);
    array x = array_random(&b, layout, (size_t)(k.batch * k.size * k.size * k.cin), 1, -1, 1.5);
    array dy = array_random(&b, layout, out, 2, -1, 1.2);
    tensor dw = accumulate ? tensor_random(&b, n, 3, -1, 1) : tensor_poison(&b, n);
    double *want = bench_doubles(&b, n), *got = bench_doubles(&b, n);
    for (size_t i = 0; accumulate && i < n; i++)
        want[i] = dw.host[i];
    ref_conv_bwd_weights(want, NULL, x.host, dy.host, k.batch, &w);
    eex_op op = weights_op(w, x, dy);
    op.u.conv_bwd_weights.dw = dw.dev;
    op.u.conv_bwd_weights.accumulate = accumulate;
    eex_step step = bench_step(k.batch);
    bench_run(&b, &op, k.batch + 2, &step);
    tensor_download(&b, dw);
    for (size_t i = 0; i < n; i++)
        got[i] = dw.host[i];
    expect_near("dw", got, want, n, 1e-5);
    bench_free(&b);
}

/* Pieces of 2^17 pixels, of two samples of the first case or so, and of one sample. */
static void weights_on(eex_device *dev)
{
    static const size_t rows[] = {EEX_CUDA_SUM_ROWS, 200, 1};
    for (int r = 0; r < 3; r++) {
        ((eex_cuda *)dev)->sum_rows = rows[r];
        for (int i = 0; i < CASES; i++)
            for (int l = 0; l < ARRAY_LAYOUTS; l++)
                if (dev->precisions & 1u << array_layouts[l].precision)
                    check_case(dev, cases[i], array_layouts[l], (i + l + r) % 2);
    }
}

Test(conv_weights, by_cudnn)
{
    setenv("EEX_CUDA_CONV", "library", 1);
    on_each_device(weights_on);
}

Test(conv_weights, by_cudnn_with_channels_first)
{
    setenv("EEX_CUDA_CONV", "first", 1);
    on_each_device(weights_on);
}

Test(conv_weights, by_patches)
{
    setenv("EEX_CUDA_CONV", "patches", 1);
    on_each_device(weights_on);
}

Test(conv_weights, by_our_own_kernel)
{
    setenv("EEX_CUDA_CONV", "own", 1);
    on_each_device(weights_on);
}

/* A plan is refused before; this is the device itself. */
Test(conv_weights, a_precision_that_there_is_not_is_refused)
{
    eex_device *dev = open_device(1);
    void *state = NULL;
    eex_op op = {.kind = EEX_OP_CONV, .name = "conv", .precision = EEX_BF16_PRODUCTS};
    cr_expect_eq(dev->vtable->prepare(dev, &state, &op, 1), EEX_EUNSUPPORTED);
    cr_expect_not_null(strstr(eex_error(), "precision"), "%s", eex_error());
    cr_expect_null(state);
    eex_device_close(dev);
}
