/* Depthwise convolutions and both gradients in all layouts; float32 at aligned addresses is in
 * tests/cpu/test_conv.c, too. */
#include "support/array.h"
#include "support/devices.h"
#include "support/reference_conv.h"
#include "support/reference_ops.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct shape {
    int batch, h, w, c, kernel, stride, pad;
} shape;

static const shape shapes[] = {
    {1, 1, 1, 1, 3, 1, 1},     {3, 1, 1, 1280, 3, 1, 1}, {129, 2, 2, 24, 3, 2, 1},
    {2, 33, 33, 8, 3, 1, 1},   {1, 33, 32, 16, 3, 2, 1}, {3, 7, 9, 48, 5, 1, 2},
    {2, 9, 7, 40, 5, 2, 2},    {2, 8, 8, 32, 7, 1, 3},   {1, 13, 12, 24, 7, 2, 3},
    {2, 5, 6, 16, 4, 1, 1},    {2, 6, 5, 8, 4, 3, 2},    {3, 10, 11, 24, 3, 3, 1},
    {2, 4, 4, 17, 3, 1, 1},    {2, 5, 5, 3, 5, 2, 2},    {1, 6, 6, 1, 7, 1, 3},
    {2, 7, 7, 56, 3, 2, 0},    {1, 3, 50, 136, 3, 1, 1}, {4, 2, 3, 8, 5, 2, 4},
    {2, 9, 9, 24, 3, 4, 0},    {1, 4, 4, 64, 1, 1, 0},   {2, 1, 5, 24, 3, 1, 3},
    {1, 224, 224, 4, 3, 2, 1},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static eex_window window_of(shape s)
{
    eex_window w = {.cin = s.c,
                    .hin = s.h,
                    .win = s.w,
                    .cout = s.c,
                    .kernel = s.kernel,
                    .stride = s.stride,
                    .pad = s.pad,
                    .groups = s.c};
    w.hout = (s.h + 2 * s.pad - s.kernel) / s.stride + 1;
    w.wout = (s.w + 2 * s.pad - s.kernel) / s.stride + 1;
    return w;
}

typedef struct conv_case {
    bench b;
    eex_window w;
    int batch;
    array_layout layout;
    size_t nx, ny, nw;
    array x, y, weights, residual;
    tensor bias;
    char name[160];
} conv_case;

static void case_init(conv_case *t, eex_device *dev, shape s, array_layout layout)
{
    *t = (conv_case){.w = window_of(s), .batch = s.batch, .layout = layout};
    bench_init(&t->b, dev);
    t->nx = (size_t)s.batch * (size_t)(s.h * s.w * s.c);
    t->ny = (size_t)s.batch * (size_t)(t->w.hout * t->w.wout * s.c);
    t->nw = (size_t)(s.kernel * s.kernel * s.c);
    t->x = array_random(&t->b, layout, t->nx, 1, -1, 1.5);
    t->y = array_random(&t->b, layout, t->ny, 2, -1, 1.2);
    t->weights = array_random(&t->b, layout, t->nw, 3, -1, 1);
    t->residual = array_random(&t->b, layout, t->ny, 4, -2, 3);
    t->bias = tensor_random(&t->b, (size_t)s.c, 5, -2, 4);
    snprintf(t->name, sizeof t->name,
             "batch %d, %dx%dx%d, kernel %d, stride %d, pad %d, precision %d, offset %d", s.batch,
             s.h, s.w, s.c, s.kernel, s.stride, s.pad, (int)layout.precision, layout.offset);
}

static void run(conv_case *t, eex_op *op)
{
    eex_step step = bench_step(t->batch);
    op->name = "depthwise";
    op->precision = t->layout.precision;
    bench_run(&t->b, op, t->batch + 1, &step);
}

static void check_forward(conv_case *t, bool more, eex_act act)
{
    array y = array_poison(&t->b, t->layout, t->ny);
    double *bias = tensor_doubles(&t->b, t->bias), *want = bench_doubles(&t->b, t->ny);
    eex_op op = {.kind = EEX_OP_CONV};
    op.u.conv =
        (eex_op_conv){.window = t->w, .x = t->x.dev, .w = t->weights.dev, .y = y.dev, .act = act};
    if (more) {
        op.u.conv.bias = t->bias.dev;
        op.u.conv.residual = t->residual.dev;
    }
    run(t, &op);
    ref_conv(want, t->x.host, t->weights.host, more ? bias : NULL, more ? t->residual.host : NULL,
             t->batch, &t->w, act);
    expect_near(t->name, array_download(&t->b, y), want, t->ny, array_tolerance(t->layout));
}

static void check_data(conv_case *t, bool accumulate)
{
    array dx = accumulate ? array_random(&t->b, t->layout, t->nx, 6, -1, 1)
                          : array_poison(&t->b, t->layout, t->nx);
    double *want = bench_doubles(&t->b, t->nx);
    if (accumulate)
        memcpy(want, dx.host, t->nx * sizeof *want);
    eex_op op = {.kind = EEX_OP_CONV_BWD_DATA};
    op.u.conv_bwd_data = (eex_op_conv_bwd_data){.window = t->w,
                                                .dy = t->y.dev,
                                                .w = t->weights.dev,
                                                .dx = dx.dev,
                                                .accumulate = accumulate};
    run(t, &op);
    ref_conv_bwd_data(want, t->y.host, t->weights.host, t->batch, &t->w);
    expect_near(t->name, array_download(&t->b, dx), want, t->nx, array_tolerance(t->layout));
}

static double *float_download(conv_case *t, tensor from)
{
    tensor_download(&t->b, from);
    return tensor_doubles(&t->b, from);
}

static void check_weights(conv_case *t, bool accumulate)
{
    size_t c = (size_t)t->w.cin;
    tensor dw = accumulate ? tensor_random(&t->b, t->nw, 7, -1, 1) : tensor_poison(&t->b, t->nw);
    tensor dbias = accumulate ? tensor_random(&t->b, c, 8, -1, 1) : tensor_poison(&t->b, c);
    double *want = bench_doubles(&t->b, t->nw), *bias = bench_doubles(&t->b, c);
    for (size_t i = 0; i < t->nw && accumulate; i++)
        want[i] = dw.host[i];
    for (size_t i = 0; i < c && accumulate; i++)
        bias[i] = dbias.host[i];
    eex_op op = {.kind = EEX_OP_CONV_BWD_WEIGHTS};
    op.u.conv_bwd_weights = (eex_op_conv_bwd_weights){.window = t->w,
                                                      .x = t->x.dev,
                                                      .dy = t->y.dev,
                                                      .dw = dw.dev,
                                                      .dbias = dbias.dev,
                                                      .accumulate = accumulate};
    run(t, &op);
    ref_conv_bwd_weights(want, bias, t->x.host, t->y.host, t->batch, &t->w);
    /* One channel is a dense convolution, whose gradient a library may round to bfloat16. */
    expect_near(t->name, float_download(t, dw), want, t->nw,
                c == 1 ? array_tolerance(t->layout) : 1e-5);
    expect_near(t->name, float_download(t, dbias), bias, c, 1e-5);
}

static void depthwise_on(eex_device *dev)
{
    for (int i = 0; i < SHAPES * ARRAY_LAYOUTS; i++) {
        conv_case t;
        array_layout layout = array_layouts[i % ARRAY_LAYOUTS];
        if (!(dev->precisions & 1u << layout.precision))
            continue;
        case_init(&t, dev, shapes[i / ARRAY_LAYOUTS], layout);
        check_forward(&t, false, EEX_ACT_NONE);
        check_forward(&t, true, i % 3 ? EEX_ACT_RELU6 : EEX_ACT_RELU);
        check_data(&t, false);
        check_data(&t, true);
        check_weights(&t, false);
        check_weights(&t, true);
        bench_free(&t.b);
    }
}

Test(depthwise, all_layouts_match_the_reference)
{
    on_each_device(depthwise_on);
}
