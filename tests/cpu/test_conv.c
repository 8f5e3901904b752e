#include "support/devices.h"
#include "support/reference_conv.h"
#include "support/reference_ops.h"
#include "support/tensor.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Outputs lie FRONT floats behind the start of their memory, so that writes in front show too. */
enum { FRONT = 16 };

typedef struct shape {
    int batch, size, cin, cout, kernel, stride, pad;
    int groups; /* 0: one, or as cout says */
} shape;

/* cout 0: depthwise. */
static const shape shapes[] = {
    {1, 1, 1, 1, 1, 1, 0, 0},     {3, 1, 320, 1280, 1, 1, 0, 0}, {129, 1, 40, 10, 1, 1, 0, 0},
    {1, 1, 1280, 10, 1, 1, 0, 0}, {3, 5, 16, 96, 1, 1, 0, 0},    {129, 2, 24, 33, 1, 1, 0, 0},
    {2, 7, 13, 17, 1, 2, 0, 0},   {3, 2, 512, 40, 1, 1, 0, 0},   {2, 4, 64, 24, 1, 2, 0, 0},
    {1, 8, 3, 32, 3, 1, 1, 0},    {3, 9, 3, 16, 3, 2, 1, 0},     {129, 2, 24, 24, 3, 1, 1, 0},
    {129, 1, 32, 40, 3, 1, 1, 0}, {2, 8, 24, 10, 3, 1, 1, 0},    {1, 17, 5, 7, 3, 2, 1, 0},
    {3, 6, 8, 48, 3, 2, 0, 0},    {2, 3, 600, 20, 3, 1, 1, 0},   {2, 11, 3, 20, 7, 2, 3, 0},
    {2, 6, 4, 34, 5, 1, 2, 0},    {1, 4, 6, 5, 5, 3, 4, 0},      {30, 4, 9, 36, 3, 1, 1, 0},
    {2, 5, 1, 1, 3, 1, 1, 0},     {1, 3, 2, 3, 2, 2, 1, 0},      {2, 3, 2, 3, 1, 1, 2, 0},
    {3, 1, 24, 0, 3, 1, 1, 0},    {129, 1, 40, 0, 3, 2, 1, 0},   {2, 8, 33, 0, 3, 1, 1, 0},
    {3, 9, 24, 0, 3, 2, 1, 0},    {1, 17, 5, 0, 5, 1, 2, 0},     {17, 4, 48, 0, 5, 2, 2, 0},
    {2, 10, 16, 0, 7, 2, 3, 0},   {129, 2, 19, 0, 3, 1, 1, 0},   {1, 2, 1280, 0, 3, 1, 1, 0},
    {2, 7, 2, 0, 7, 1, 3, 0},     {3, 5, 8, 0, 1, 1, 0, 0},      {2, 5, 8, 0, 2, 3, 1, 0},
    {3, 6, 8, 16, 3, 1, 1, 4},    {2, 7, 64, 32, 3, 2, 1, 2},    {129, 2, 12, 12, 1, 1, 0, 3},
    {2, 5, 6, 18, 5, 1, 2, 6},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static eex_window window_of(shape s)
{
    int out = (s.size + 2 * s.pad - s.kernel) / s.stride + 1;
    return (eex_window){
        .cin = s.cin,
        .hin = s.size,
        .win = s.size,
        .cout = s.cout ? s.cout : s.cin,
        .hout = out,
        .wout = out,
        .kernel = s.kernel,
        .stride = s.stride,
        .pad = s.pad,
        .groups = s.groups ? s.groups
                  : s.cout ? 1
                           : s.cin,
    };
}

typedef struct conv_case {
    bench b;
    eex_precision precision;
    int batch;
    eex_window w;
    size_t nx, ny, nw;
    tensor x, y, weights, bias, residual; /* y: dy where it is an operand */
} conv_case;

/* Numbers with bfloat16's 7 bits of mantissa: their products are exact in float32, so that both
 * precisions must come as near to the reference. */
static void round_tensor(bench *b, tensor t)
{
    for (size_t i = 0; i < t.n; i++) {
        uint32_t bits;
        memcpy(&bits, &t.host[i], sizeof bits);
        bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000;
        memcpy(&t.host[i], &bits, sizeof bits);
    }
    tensor_upload(b, t);
}

static void case_init(conv_case *c, eex_device *dev, eex_precision precision, int batch,
                      eex_window w)
{
    *c = (conv_case){.precision = precision, .batch = batch, .w = w};
    bench_init(&c->b, dev);
    c->nx = (size_t)batch * w.hin * w.win * w.cin;
    c->ny = (size_t)batch * w.hout * w.wout * w.cout;
    c->nw = ref_conv_weights(&w);
    double scale = 3.0 / sqrt((double)w.kernel * w.kernel * w.cin / w.groups);
    c->x = tensor_random(&c->b, c->nx, 1, -1, 1.5);
    c->y = tensor_random(&c->b, c->ny, 2, -1, 1.2);
    c->weights = tensor_random(&c->b, c->nw, 3, -scale, scale);
    c->bias = tensor_random(&c->b, w.cout, 4, -2, 6);
    /* Ops are prepared for a sample more, and a device that times them reads so much. */
    c->residual = tensor_random(&c->b, c->ny + c->ny / (size_t)batch, 5, -2, 3);
    if (precision == EEX_BF16_PRODUCTS) {
        round_tensor(&c->b, c->x);
        round_tensor(&c->b, c->y);
        round_tensor(&c->b, c->weights);
    }
}

static void case_free(conv_case *c)
{
    bench_free(&c->b);
}

static float *front(tensor out)
{
    return out.dev + FRONT;
}

static void check_front(const char *what, tensor out)
{
    for (int i = 0; i < FRONT; i++)
        cr_assert(isnan(out.host[i]), "%s: written %d in front", what, FRONT - i);
}

/* An output that holds NaN, or the values of `from` for an op to add to. */
static tensor output(bench *b, size_t n, const tensor *from)
{
    tensor out = tensor_poison(b, n + FRONT);
    if (!from)
        return out;
    memcpy(out.host + FRONT, from->host, n * sizeof *out.host);
    tensor_upload(b, out);
    return out;
}

static void check_output(conv_case *c, const char *what, tensor out, const double *want)
{
    char name[256];
    const eex_window *w = &c->w;
    snprintf(name, sizeof name, "%s on %s: batch %d, %dx%dx%d to %d, kernel %d, stride %d, pad %d",
             what, c->b.dev->name, c->batch, w->hin, w->win, w->cin, w->cout, w->kernel, w->stride,
             w->pad);
    tensor_download(&c->b, out);
    check_front(name, out);
    expect_close(name, out.host + FRONT, want, out.n - FRONT, 2e-5);
}

static eex_op conv_op(const conv_case *c, float *y)
{
    eex_op op = {.kind = EEX_OP_CONV, .precision = c->precision, .name = "conv"};
    op.u.conv = (eex_op_conv){.window = c->w, .x = c->x.dev, .w = c->weights.dev, .y = y};
    return op;
}

/* Which of bias, residual, static weights and statistics a forward run has, and its act. */
typedef struct epilogue {
    bool bias, residual, w_static, stats;
    eex_act act;
} epilogue;

static const epilogue epilogues[] = {
    {false, false, false, false, EEX_ACT_NONE}, {false, false, false, true, EEX_ACT_NONE},
    {true, false, true, false, EEX_ACT_RELU6},  {true, true, true, false, EEX_ACT_RELU},
    {false, true, false, true, EEX_ACT_RELU6},  {true, false, false, true, EEX_ACT_NONE},
};
enum { EPILOGUES = sizeof epilogues / sizeof *epilogues };

static void check_stats(conv_case *c, const double *got, const double *y)
{
    int n = c->w.cout;
    double *want = bench_doubles(&c->b, 2 * (size_t)n);
    for (size_t i = 0; i < c->ny; i++) {
        want[i % n] += y[i];
        want[n + i % n] += y[i] * y[i];
    }
    double pixels = (double)c->ny / n;
    for (int i = 0; i < 2 * n; i++)
        cr_assert(fabs(got[i] - want[i]) <= 2e-5 * (pixels + fabs(want[i])),
                  "statistics %d of %d channels on %s: %g, expected %g", i, n, c->b.dev->name,
                  got[i], want[i]);
}

static void forward_case(conv_case *c, epilogue e)
{
    tensor out = output(&c->b, c->ny, NULL);
    double *stats = bench_doubles(&c->b, 2 * (size_t)c->w.cout);
    for (int i = 0; i < 2 * c->w.cout; i++)
        stats[i] = NAN;
    eex_op op = conv_op(c, front(out));
    op.u.conv.bias = e.bias ? c->bias.dev : NULL;
    op.u.conv.residual = e.residual ? c->residual.dev : NULL;
    op.u.conv.act = e.act;
    op.u.conv.w_static = e.w_static;
    e.stats = e.stats && c->b.dev->conv_stats;
    op.u.conv.stats = e.stats ? stats : NULL;
    eex_step step = bench_step(c->batch);
    bench_run(&c->b, &op, c->batch + 1, &step);
    double *want = bench_doubles(&c->b, c->ny);
    ref_conv(want, tensor_doubles(&c->b, c->x), tensor_doubles(&c->b, c->weights),
             e.bias ? tensor_doubles(&c->b, c->bias) : NULL,
             e.residual ? tensor_doubles(&c->b, c->residual) : NULL, c->batch, &c->w, e.act);
    check_output(c, "forward", out, want);
    if (e.stats)
        check_stats(c, stats, want);
}

/* The test in hand, and what it is run with. */
static void (*test_in)(eex_device *dev, eex_precision precision);

static void float32_on(eex_device *dev)
{
    test_in(dev, EEX_F32);
}

static void bfloat16_products_on(eex_device *dev)
{
    test_in(dev, EEX_BF16_PRODUCTS);
}

static void in_float32(void (*test)(eex_device *dev, eex_precision precision))
{
    test_in = test;
    on_each_device(float32_on);
}

static void in_bfloat16_products(void (*test)(eex_device *dev, eex_precision precision))
{
    test_in = test;
    if (on_each_bf16_device(bfloat16_products_on) == 0)
        cr_skip_test("no unit of this processor multiplies in bfloat16");
}

static void forward_in(eex_device *dev, eex_precision precision)
{
    for (int s = 0; s < SHAPES; s++)
        for (int e = 0; e < EPILOGUES; e++) {
            conv_case c;
            case_init(&c, dev, precision, shapes[s].batch, window_of(shapes[s]));
            forward_case(&c, epilogues[e]);
            case_free(&c);
        }
}

Test(conv, forward_matches_reference)
{
    in_float32(forward_in);
}

Test(conv, forward_matches_reference_in_bfloat16_products)
{
    in_bfloat16_products(forward_in);
}

static void bwd_data_case(conv_case *c, bool accumulate)
{
    tensor out = output(&c->b, c->nx, accumulate ? &c->x : NULL);
    eex_op op = {.kind = EEX_OP_CONV_BWD_DATA, .precision = c->precision, .name = "conv"};
    op.u.conv_bwd_data = (eex_op_conv_bwd_data){
        .window = c->w,
        .dy = c->y.dev,
        .w = c->weights.dev,
        .dx = front(out),
        .accumulate = accumulate,
    };
    eex_step step = bench_step(c->batch);
    bench_run(&c->b, &op, c->batch, &step);
    double *want = accumulate ? tensor_doubles(&c->b, c->x) : bench_doubles(&c->b, c->nx);
    ref_conv_bwd_data(want, tensor_doubles(&c->b, c->y), tensor_doubles(&c->b, c->weights),
                      c->batch, &c->w);
    check_output(c, "gradient for the data", out, want);
}

static void bwd_weights_case(conv_case *c, bool accumulate, bool bias)
{
    tensor out = output(&c->b, c->nw, accumulate ? &c->weights : NULL);
    tensor out_bias = output(&c->b, c->w.cout, accumulate ? &c->bias : NULL);
    eex_op op = {.kind = EEX_OP_CONV_BWD_WEIGHTS, .precision = c->precision, .name = "conv"};
    op.u.conv_bwd_weights = (eex_op_conv_bwd_weights){
        .window = c->w,
        .x = c->x.dev,
        .dy = c->y.dev,
        .dw = front(out),
        .dbias = bias ? front(out_bias) : NULL,
        .accumulate = accumulate,
    };
    eex_step step = bench_step(c->batch);
    bench_run(&c->b, &op, c->batch, &step);
    double *want = accumulate ? tensor_doubles(&c->b, c->weights) : bench_doubles(&c->b, c->nw);
    double *want_bias =
        accumulate ? tensor_doubles(&c->b, c->bias) : bench_doubles(&c->b, c->w.cout);
    ref_conv_bwd_weights(want, want_bias, tensor_doubles(&c->b, c->x), tensor_doubles(&c->b, c->y),
                         c->batch, &c->w);
    check_output(c, "gradient for the weights", out, want);
    if (bias)
        check_output(c, "gradient for the bias", out_bias, want_bias);
}

static void backward_in(eex_device *dev, eex_precision precision)
{
    for (int s = 0; s < SHAPES; s++)
        for (int accumulate = 0; accumulate < 2; accumulate++) {
            conv_case c;
            case_init(&c, dev, precision, shapes[s].batch, window_of(shapes[s]));
            bwd_data_case(&c, accumulate);
            bwd_weights_case(&c, accumulate, s % 2 == accumulate);
            case_free(&c);
        }
}

Test(conv, gradients_match_reference)
{
    in_float32(backward_in);
}

Test(conv, gradients_match_reference_in_bfloat16_products)
{
    in_bfloat16_products(backward_in);
}

/* sum(dy * conv(x, w) + dy * bias) as a function of one of the three. */
typedef struct slope_ctx {
    conv_case *c;
    double *x, *w, *bias, *dy, *y;
} slope_ctx;

static double slope_value(const double *moved, void *arg)
{
    slope_ctx *s = arg;
    ref_conv(s->y, s->x, s->w, s->bias, NULL, s->c->batch, &s->c->w, EEX_ACT_NONE);
    double sum = 0;
    for (size_t i = 0; i < s->c->ny; i++)
        sum += s->dy[i] * s->y[i];
    return sum;
}

static void check_slopes(slope_ctx *s, double *moved, const float *got, size_t n, const char *what)
{
    for (size_t i = 0; i < n; i++) {
        double want = ref_slope(slope_value, s, moved, i);
        cr_assert(fabs(got[i] - want) <= 1e-4 * (1 + fabs(want)), "%s %zu: %g, slope %g", what, i,
                  (double)got[i], want);
    }
}

static void slopes_of(eex_device *dev, shape s)
{
    conv_case c;
    case_init(&c, dev, EEX_F32, s.batch, window_of(s));
    tensor dx = tensor_poison(&c.b, c.nx), dw = tensor_poison(&c.b, c.nw),
           dbias = tensor_poison(&c.b, c.w.cout);
    eex_step step = bench_step(c.batch);
    eex_op data = {.kind = EEX_OP_CONV_BWD_DATA, .name = "conv"};
    data.u.conv_bwd_data = (eex_op_conv_bwd_data){c.w, c.y.dev, c.weights.dev, dx.dev, false};
    bench_run(&c.b, &data, c.batch, &step);
    eex_op weights = {.kind = EEX_OP_CONV_BWD_WEIGHTS, .name = "conv"};
    weights.u.conv_bwd_weights =
        (eex_op_conv_bwd_weights){c.w, c.x.dev, c.y.dev, dw.dev, dbias.dev, false};
    bench_run(&c.b, &weights, c.batch, &step);
    tensor_download(&c.b, dx);
    tensor_download(&c.b, dw);
    tensor_download(&c.b, dbias);
    slope_ctx ctx = {&c,
                     tensor_doubles(&c.b, c.x),
                     tensor_doubles(&c.b, c.weights),
                     tensor_doubles(&c.b, c.bias),
                     tensor_doubles(&c.b, c.y),
                     bench_doubles(&c.b, c.ny)};
    check_slopes(&ctx, ctx.x, dx.host, c.nx, "dx");
    check_slopes(&ctx, ctx.w, dw.host, c.nw, "dw");
    check_slopes(&ctx, ctx.bias, dbias.host, (size_t)c.w.cout, "dbias");
    case_free(&c);
}

static void slopes_on(eex_device *dev)
{
    static const shape small[] = {{2, 4, 3, 5, 3, 1, 1, 0}, {1, 5, 2, 3, 3, 2, 1, 0},
                                  {3, 1, 6, 4, 1, 1, 0, 0}, {2, 3, 4, 3, 1, 2, 0, 0},
                                  {2, 5, 3, 0, 3, 2, 1, 0}, {1, 4, 5, 0, 5, 1, 2, 0},
                                  {2, 3, 4, 6, 3, 1, 1, 2}};
    for (size_t i = 0; i < sizeof small / sizeof *small; i++)
        slopes_of(dev, small[i]);
}

Test(conv, gradients_match_finite_differences)
{
    on_each_device(slopes_on);
}

/* The forward pass of samples [first, first + batch) of a case, one prepared op for all batches. */
static tensor forward_part(conv_case *c, const eex_op *op, void *state, tensor all, int first,
                           int batch)
{
    eex_op part = *op;
    size_t per_x = c->nx / (size_t)c->batch, per_y = c->ny / (size_t)c->batch;
    part.u.conv.x += (size_t)first * per_x;
    part.u.conv.residual += (size_t)first * per_y;
    part.u.conv.y = all.dev + (size_t)first * per_y;
    eex_step step = bench_step(batch);
    cr_assert_eq(c->b.dev->vtable->run(c->b.dev, &part, state, &step), EEX_OK, "%s", eex_error());
    return all;
}

static void batches_of(eex_device *dev, eex_precision precision, shape s, bool w_static)
{
    enum { BATCH = 37 };
    static const int cuts[] = {1, 2, 3, 12, 19};
    conv_case c;
    case_init(&c, dev, precision, BATCH, window_of(s));
    tensor whole = tensor_poison(&c.b, c.ny), parts = tensor_poison(&c.b, c.ny);
    eex_op op = conv_op(&c, whole.dev);
    op.u.conv.bias = c.bias.dev;
    op.u.conv.residual = c.residual.dev;
    op.u.conv.act = EEX_ACT_RELU6;
    op.u.conv.w_static = w_static;
    void *state;
    cr_assert_eq(dev->vtable->prepare(dev, &state, &op, BATCH), EEX_OK, "%s", eex_error());
    forward_part(&c, &op, state, whole, 0, BATCH);
    for (int i = 0, first = 0; i < 5; first += cuts[i++])
        forward_part(&c, &op, state, parts, first, cuts[i]);
    dev->vtable->finish(dev, &op, state);
    tensor_download(&c.b, whole);
    tensor_download(&c.b, parts);
    expect_repeated("a sample alone and in a batch", parts.host, whole.host, c.ny);

    eex_device *single = open_device_like(dev, 1);
    op.u.conv.y = parts.dev;
    op.u.conv.w_static = !w_static;
    c.b.dev = single;
    cr_assert_eq(single->vtable->prepare(single, &state, &op, BATCH), EEX_OK, "%s", eex_error());
    forward_part(&c, &op, state, parts, 0, BATCH);
    cr_assert_eq(single->vtable->sync(single), EEX_OK, "%s", eex_error());
    single->vtable->finish(single, &op, state);
    eex_device_close(single);
    c.b.dev = dev;
    tensor_download(&c.b, parts);
    expect_repeated("threads and packing ahead", parts.host, whole.host, c.ny);
    case_free(&c);
}

static void batches_in(eex_device *dev, eex_precision precision)
{
    static const shape some[] = {{0, 1, 320, 160, 1, 1, 0, 0}, {0, 4, 40, 24, 3, 1, 1, 0},
                                 {0, 9, 3, 32, 3, 2, 1, 0},    {0, 2, 512, 70, 3, 1, 1, 0},
                                 {0, 8, 33, 0, 3, 1, 1, 0},    {0, 1, 96, 0, 3, 2, 1, 0},
                                 {0, 5, 24, 12, 3, 1, 1, 3}};
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        batches_of(dev, precision, some[i], i % 2);
}

Test(conv, result_of_a_sample_depends_on_nothing_else)
{
    in_float32(batches_in);
}

Test(conv, result_of_a_sample_depends_on_nothing_else_in_bfloat16_products)
{
    in_bfloat16_products(batches_in);
}

/* What was packed is not read again, and where it is a lot the memory is given back: zeros. Nothing
 * else of the weights' neighbourhood goes with them. */
static void once_in(eex_device *dev, eex_precision precision)
{
    static const shape large[] = {
        {3, 3, 192, 256, 3, 1, 1, 0}, {3, 1, 512, 700, 1, 1, 0, 0}, {3, 1, 960, 640, 1, 1, 0, 2}};
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
        conv_case c;
        case_init(&c, dev, precision, large[i].batch, window_of(large[i]));
        tensor kept = tensor_poison(&c.b, c.ny), once = tensor_poison(&c.b, c.ny);
        eex_op op = conv_op(&c, kept.dev);
        eex_step step = bench_step(c.batch);
        op.u.conv.w_static = true;
        bench_run(&c.b, &op, c.batch, &step);
        op.u.conv.w_once = true;
        op.u.conv.y = once.dev;
        bench_run(&c.b, &op, c.batch, &step);
        tensor_download(&c.b, kept);
        tensor_download(&c.b, once);
        expect_repeated("weights that are read once", once.host, kept.host, c.ny);
        if (on_cpu())
            cr_expect_eq(c.weights.dev[c.nw / 2], 0, "the memory is kept on %s", dev->name);
        case_free(&c);
    }
}

/* The other ways read them each time. */
static void depthwise_in(eex_device *dev, eex_precision precision)
{
    conv_case c;
    case_init(&c, dev, precision, 2, window_of((shape){2, 1, 40000, 0, 3, 1, 1, 0}));
    tensor y = tensor_poison(&c.b, c.ny);
    eex_op op = conv_op(&c, y.dev);
    eex_step step = bench_step(c.batch);
    const float before = c.weights.dev[c.nw / 2];
    op.u.conv.w_static = op.u.conv.w_once = true;
    bench_run(&c.b, &op, c.batch, &step);
    cr_expect(before != 0 && c.weights.dev[c.nw / 2] == before);
    case_free(&c);
}

Test(conv, weights_that_are_read_once_take_no_memory)
{
    in_float32(once_in);
    if (on_cpu())
        in_float32(depthwise_in);
}

static void repeat_in(eex_device *dev, eex_precision precision)
{
    if (!device_is_deterministic())
        cr_skip_test("EEX_TESTS_FAST: gradients need not repeat");
    for (int s = 0; s < SHAPES; s++) {
        conv_case c;
        case_init(&c, dev, precision, shapes[s].batch, window_of(shapes[s]));
        tensor dw[2] = {tensor_poison(&c.b, c.nw), tensor_poison(&c.b, c.nw)};
        for (int i = 0; i < 2; i++) {
            eex_op op = {.kind = EEX_OP_CONV_BWD_WEIGHTS, .precision = precision, .name = "conv"};
            op.u.conv_bwd_weights =
                (eex_op_conv_bwd_weights){c.w, c.x.dev, c.y.dev, dw[i].dev, NULL, false};
            eex_step step = bench_step(c.batch);
            bench_run(&c.b, &op, c.batch, &step);
            tensor_download(&c.b, dw[i]);
        }
        expect_equal_bits("the same gradient twice", dw[1].host, dw[0].host, c.nw);
        case_free(&c);
    }
}

Test(conv, gradients_repeat_bit_for_bit)
{
    in_float32(repeat_in);
}

Test(conv, gradients_repeat_bit_for_bit_in_bfloat16_products)
{
    in_bfloat16_products(repeat_in);
}

Test(conv, refuses_what_it_cannot_do)
{
    eex_device *dev = open_device(1);
    eex_op op = {.kind = EEX_OP_CONV, .name = "stem"};
    void *state = NULL;
    op.u.conv.window = (eex_window){4, 5, 5, 8, 5, 5, 3, 1, 1, 2};
    if (!on_cpu()) { /* plans make no windows as below, and only the CPU looks for them */
        cr_assert_eq(dev->vtable->prepare(dev, &state, &op, 1 << 28), EEX_EUNSUPPORTED);
        cr_assert_not_null(strstr(eex_error(), "stem"), "%s", eex_error());
        eex_device_close(dev);
        return;
    }
    op.u.conv.window.groups = 3;
    cr_assert_eq(dev->vtable->prepare(dev, &state, &op, 1), EEX_EINVAL);
    cr_assert_not_null(strstr(eex_error(), "stem"), "%s", eex_error());
    op.u.conv.window = (eex_window){4, 5, 5, 8, 4, 5, 3, 1, 1, 1};
    cr_assert_eq(dev->vtable->prepare(dev, &state, &op, 1), EEX_EINVAL);
    cr_assert_not_null(strstr(eex_error(), "4 x 5"), "%s", eex_error());
    op.u.conv.window = (eex_window){4, 1, 1, 8, 1, 1, 3, 1, 0, 1};
    cr_assert_eq(dev->vtable->prepare(dev, &state, &op, 1), EEX_EINVAL);
    op.u.conv.window = (eex_window){4, 1, 1, 8, 1, 1, 3, 0, 1, 1};
    cr_assert_eq(dev->vtable->prepare(dev, &state, &op, 1), EEX_EINVAL);
    cr_assert_null(state);
    eex_device_close(dev);
}
