/* Forward convolutions with what ends them, by every way that there is, in all precisions and at
 * all alignments: our own kernel at tiles that are not full, cuDNN with bias and activation in its
 * own pass where it has that, patches and a pass behind them. */
#include "cuda/cuda_device.h"
#include "support/array.h"
#include "support/devices.h"
#include "support/reference_conv.h"

typedef struct shape {
    int batch, size, cin, cout, kernel, stride, pad;
} shape;

static const shape shapes[] = {
    {1, 1, 3, 5, 1, 1, 0},   {5, 4, 20, 72, 1, 1, 0}, {2, 7, 24, 33, 1, 2, 0},
    {3, 9, 8, 16, 3, 1, 1},  {2, 8, 5, 68, 3, 2, 1},  {3, 6, 17, 8, 3, 1, 0},
    {1, 3, 40, 12, 3, 1, 1}, {2, 5, 4, 4, 5, 1, 2},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

typedef struct ending {
    bool bias, residual, w_static;
    eex_act act;
} ending;

static const ending endings[] = {
    {false, false, false, EEX_ACT_NONE}, {true, false, true, EEX_ACT_NONE},
    {true, false, true, EEX_ACT_RELU},   {true, true, true, EEX_ACT_RELU},
    {true, true, true, EEX_ACT_NONE},    {true, true, false, EEX_ACT_RELU6},
    {false, true, true, EEX_ACT_RELU},
};
enum { ENDINGS = sizeof endings / sizeof *endings };

static eex_window window_of(shape k)
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

static void check_case(eex_device *dev, shape k, ending e, array_layout layout)
{
    bench b;
    bench_init(&b, dev);
    const eex_window w = window_of(k);
    const size_t out = (size_t)(k.batch * w.hout * w.wout * w.cout);
    array x = array_random(&b, layout, (size_t)(k.batch * k.size * k.size * k.cin), 1, -1, 1.5);
    array weights = array_random(&b, layout, ref_conv_weights(&w), 2, -1, 1.2);
    array residual = array_random(&b, layout, out, 3, -2, 2), y = array_poison(&b, layout, out);
    tensor bias = tensor_random(&b, (size_t)k.cout, 4, -2, 2);
    double *want = bench_doubles(&b, out);
    ref_conv(want, x.host, weights.host, e.bias ? tensor_doubles(&b, bias) : NULL,
             e.residual ? residual.host : NULL, k.batch, &w, e.act);
    eex_op op = {.kind = EEX_OP_CONV, .precision = layout.precision, .name = "conv"};
    op.u.conv = (eex_op_conv){.window = w,
                              .x = x.dev,
                              .w = weights.dev,
                              .bias = e.bias ? bias.dev : NULL,
                              .residual = e.residual ? residual.dev : NULL,
                              .y = y.dev,
                              .act = e.act,
                              .w_static = e.w_static};
    eex_step step = bench_step(k.batch);
    bench_run(&b, &op, k.batch + 1, &step);
    expect_near("y", array_download(&b, y), want, out, array_tolerance(layout));
    bench_free(&b);
}

static void endings_on(eex_device *dev)
{
    for (int i = 0; i < SHAPES; i++)
        for (int e = 0; e < ENDINGS; e++)
            for (int l = 0; l < ARRAY_LAYOUTS; l++)
                if (dev->precisions & 1u << array_layouts[l].precision)
                    check_case(dev, shapes[i], endings[e], array_layouts[l]);
}

static void by(const char *way)
{
    setenv("EEX_CUDA_CONV", way, 1);
    on_each_device(endings_on);
}

Test(conv_epilogue, by_our_own_kernel)
{
    by("own");
}

Test(conv_epilogue, by_cudnn)
{
    by("library");
}

Test(conv_epilogue, by_patches)
{
    by("patches");
}
