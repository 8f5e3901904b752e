/* Gradients for the weights in bfloat16 by a kernel of our own (conv_own_weights.cu) against
 * float64, element by element and within the bound that its head derives; and all ways that there
 * are side by side. */
#include "cuda/cuda_device.h"
#include "support/array.h"
#include "support/devices.h"
#include "support/reference_conv.h"

#ifdef EEX_CUDA_EMULATED
#include "cuda/fake_cuda.h"
#endif

#include <math.h>
#include <stdio.h>

typedef struct weights_case {
    int batch, size, cin, cout, kernel, stride, pad;
} weights_case;

/* Batches of 1, 7 and 64; one tile and several on either side; channels in packs of eight and not;
 * images of one pixel to 1024, windows that hang over the edge and that leave a rest. */
static const weights_case cases[] = {
    {1, 1, 8, 8, 3, 1, 1},    {1, 1, 3, 5, 1, 1, 0},   {64, 1, 24, 40, 1, 1, 0},
    {7, 5, 8, 16, 3, 1, 1},   {7, 5, 5, 7, 3, 1, 1},   {7, 9, 16, 72, 3, 2, 1},
    {64, 3, 13, 33, 3, 1, 1}, {1, 32, 3, 16, 3, 1, 1}, {7, 8, 24, 9, 3, 2, 0},
    {64, 4, 136, 8, 1, 1, 0}, {7, 7, 9, 65, 1, 2, 0},  {1, 17, 1, 1, 3, 2, 2},
    {64, 2, 16, 16, 3, 1, 1}, {7, 6, 40, 24, 3, 3, 1}, {1, 31, 8, 32, 3, 1, 0},
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

static eex_op weights_op(eex_window w)
{
    eex_op op = {.kind = EEX_OP_CONV_BWD_WEIGHTS, .precision = EEX_BF16, .name = "conv"};
    op.u.conv_bwd_weights.window = w;
    return op;
}

/* A gradient to calculate, and its double. */
typedef struct gradient {
    bench b;
    eex_op op;
    int batch;
    size_t n;
    tensor dw;
    double *want, *most; /* most: what the magnitudes of all products come to */
} gradient;

static double *magnitudes(gradient *g, const double *from, size_t n)
{
    double *to = bench_doubles(&g->b, n);
    for (size_t i = 0; i < n; i++)
        to[i] = fabs(from[i]);
    return to;
}

/* Activations between low and 1. */
static void gradient_open(gradient *g, eex_device *dev, weights_case k, array_layout layout,
                          bool accumulate, double low)
{
    bench_init(&g->b, dev);
    eex_window w = window_of(k);
    g->op = weights_op(w);
    g->batch = k.batch;
    g->n = ref_conv_weights(&w);
    size_t in = (size_t)(k.batch * k.size * k.size * k.cin);
    size_t out = (size_t)(k.batch * w.hout * w.wout * w.cout);
    array x = array_random(&g->b, layout, in, 1, low, 1);
    array dy = array_random(&g->b, layout, out, 2, low, 1);
    g->dw = accumulate ? tensor_random(&g->b, g->n, 3, -1, 1) : tensor_poison(&g->b, g->n);
    g->want = accumulate ? tensor_doubles(&g->b, g->dw) : bench_doubles(&g->b, g->n);
    g->most = magnitudes(g, g->want, g->n);
    ref_conv_bwd_weights(g->want, NULL, x.host, dy.host, k.batch, &w);
    ref_conv_bwd_weights(g->most, NULL, magnitudes(g, x.host, in), magnitudes(g, dy.host, out),
                         k.batch, &w);
    g->op.u.conv_bwd_weights.x = x.dev;
    g->op.u.conv_bwd_weights.dy = dy.dev;
    g->op.u.conv_bwd_weights.dw = g->dw.dev;
    g->op.u.conv_bwd_weights.accumulate = accumulate;
}

/* By one of the ways of EEX_CUDA_CONV, prepared for a larger batch. */
static void gradient_run(gradient *g, const char *way)
{
    setenv("EEX_CUDA_CONV", way, 1);
    eex_step step = bench_step(g->batch);
    bench_run(&g->b, &g->op, g->batch + 2, &step);
    tensor_download(&g->b, g->dw);
}

/* ---- each element ---- */

/* The factor of an element's magnitudes, with pixels and slices as they are divided. */
static double bound_of(const eex_cuda *cuda, const gradient *g)
{
    const eex_window *w = &g->op.u.conv_bwd_weights.window;
    double rows = (double)g->batch * w->hout * w->wout;
    double slices =
        (double)(eex__cuda_own_weights_scratch(cuda, &g->op, g->batch) / (g->n * sizeof(float)));
    double pixels = ceil(rows / slices) + 32;
    return (36 + pixels / 64 + slices / 16 + 5) * 0x1p-23;
}

static void check_case(eex_device *dev, weights_case k, array_layout layout, bool accumulate)
{
    gradient g;
    gradient_open(&g, dev, k, layout, accumulate, -1.2);
    cr_assert(eex__cuda_own_weights_applies(&g.op));
    gradient_run(&g, "own");
    const double bound = bound_of((const eex_cuda *)dev, &g);
    for (size_t i = 0; i < g.n; i++)
        cr_assert(fabs(g.dw.host[i] - g.want[i]) <= bound * g.most[i],
                  "batch %d, %dx%dx%d to %d, kernel %d, stride %d, pad %d: element %zu is %g, "
                  "expected %g within %g",
                  k.batch, k.size, k.size, k.cin, k.cout, k.kernel, k.stride, k.pad, i,
                  (double)g.dw.host[i], g.want[i], bound * g.most[i]);
    bench_free(&g.b);
}

/* Of bfloat16, at both alignments. */
static void shapes_on(eex_device *dev)
{
    if (!(dev->precisions & 1u << EEX_BF16))
        cr_skip_test("the chip has no bfloat16");
    for (int i = 0; i < CASES; i++)
        for (int l = 0; l < ARRAY_LAYOUTS; l++)
            if (array_layouts[l].precision == EEX_BF16)
                check_case(dev, cases[i], array_layouts[l], (i + l) % 2);
}

Test(own_weights, every_shape_is_within_its_bound)
{
    on_each_device(shapes_on);
}

/* Blocks and threads take their turns in another order the second time. */
static void twice_on(eex_device *dev)
{
    gradient g;
    if (!(dev->precisions & 1u << EEX_BF16))
        cr_skip_test("the chip has no bfloat16");
    gradient_open(&g, dev, (weights_case){20, 16, 8, 40, 3, 1, 1}, array_layouts[2], false, -1);
    gradient_run(&g, "own");
    float *first = (float *)bench_doubles(&g.b, g.n);
    memcpy(first, g.dw.host, g.n * sizeof *first);
    gradient_run(&g, "own");
    expect_equal_bits("the second time", g.dw.host, first, g.n);
    bench_free(&g.b);
}

Test(own_weights, the_same_bits_twice)
{
    on_each_device(twice_on);
}

/* ---- what is not its business ---- */

Test(own_weights, other_ops_are_refused)
{
    const eex_window right = window_of((weights_case){1, 32, 8, 8, 3, 1, 1});
    eex_op op = weights_op(right);
    cr_expect(eex__cuda_own_weights_applies(&op));
    op.u.conv_bwd_weights.window.groups = 2;
    cr_expect_not(eex__cuda_own_weights_applies(&op), "groups");
    op = weights_op(window_of((weights_case){1, 33, 8, 8, 3, 1, 1}));
    cr_expect_not(eex__cuda_own_weights_applies(&op), "a large image");
    op = weights_op(window_of((weights_case){1, 32, 8, 8, 5, 1, 2}));
    cr_expect_not(eex__cuda_own_weights_applies(&op), "5x5");
    op = weights_op(right);
    op.precision = EEX_TF32;
    cr_expect_not(eex__cuda_own_weights_applies(&op), "TF32");
    op = (eex_op){.kind = EEX_OP_CONV_BWD_DATA, .precision = EEX_BF16};
    op.u.conv_bwd_data.window = right;
    cr_expect_not(eex__cuda_own_weights_applies(&op), "another gradient");
}

/* ---- long sums ---- */

/* Where a slice would be longer than what may be summed up in one go, there are more of them. */
static void slices_on(eex_device *dev)
{
    eex_cuda *cuda = (eex_cuda *)dev;
    eex_op op = weights_op(window_of((weights_case){1, 32, 4608, 512, 1, 1, 0}));
    const size_t one = (size_t)4608 * 512 * sizeof(float);
    cr_expect_eq(eex__cuda_own_weights_scratch(cuda, &op, 128), one);
    cr_expect_eq(eex__cuda_own_weights_scratch(cuda, &op, 129), 2 * one);
    cuda->sum_rows = 1024;
    cr_expect_eq(eex__cuda_own_weights_scratch(cuda, &op, 128), 128 * one);
}

Test(own_weights, at_most_2_to_the_17_pixels_are_a_slice)
{
    on_each_device(slices_on);
}

/* ---- all ways ---- */

static double error_of(const gradient *g, const double *got)
{
    double error = 0, norm = 0;
    for (size_t i = 0; i < g->n; i++) {
        error += (got[i] - g->want[i]) * (got[i] - g->want[i]);
        norm += g->want[i] * g->want[i];
    }
    return sqrt(error / norm);
}

static double error_by(gradient *g, const char *way)
{
    gradient_run(g, way);
    return error_of(g, tensor_doubles(&g->b, g->dw));
}

/* The best that a gradient can be which is written in bfloat16: rounded once. */
static double error_in_bfloat16(gradient *g)
{
    array rounded = array_filled(&g->b, (array_layout){EEX_BF16, 0}, g->n, 0);
    memcpy(rounded.host, g->want, g->n * sizeof *g->want);
    array_upload(&g->b, rounded);
    return error_of(g, array_download(&g->b, rounded));
}

/* Emulated libraries add up in float32, one product after the other. */
static void as_bad_as_may_be(bool bad)
{
#ifdef EEX_CUDA_EMULATED
    eex_fake_cuda_narrow_sums(bad);
#else
    (void)bad;
#endif
}

/* What is promised of gradients is 1e-5 of their norm. Our own kernel must come nearer: sums that
 * stayed in the tensor cores for a whole slice, of 256 pixels here, would be off by more. */
static void check_ways(gradient *g, const char *what)
{
    static const char *const ways[] = {"patches", "library", "own"};
    for (int i = 0; i < 3; i++) {
        double error = error_by(g, ways[i]);
        fprintf(stderr, "%s by %s: %.2g\n", what, ways[i], error);
        cr_expect_leq(error, i == 2 ? 2e-7 : 1e-5, "%s by %s: %g", what, ways[i], error);
    }
    double error = error_in_bfloat16(g);
    fprintf(stderr, "%s, written in bfloat16: %.2g\n", what, error);
    cr_expect_geq(error, 1e-4, "%s: bfloat16 would do, %g", what, error);
}

/* A 1x1 is one product by cuBLAS for patches and library alike. Activations are of both signs, or
 * all of one, which is where a sum that is cut off shows. */
static void ways_on(eex_device *dev)
{
    static const weights_case shapes[] = {{32, 16, 8, 8, 3, 1, 1}, {32, 16, 8, 8, 1, 1, 0}};
    if (!(dev->precisions & 1u << EEX_BF16))
        cr_skip_test("the chip has no bfloat16");
    as_bad_as_may_be(true);
    for (int i = 0; i < 4; i++) {
        gradient g;
        char what[64];
        snprintf(what, sizeof what, "%dx%d, activations from %d to 1", shapes[i / 2].kernel,
                 shapes[i / 2].kernel, i % 2 - 1);
        gradient_open(&g, dev, shapes[i / 2], array_layouts[2], false, i % 2 - 1);
        check_ways(&g, what);
        bench_free(&g.b);
    }
    as_bad_as_may_be(false);
}

Test(own_weights, every_way_is_exact_enough)
{
    on_each_device(ways_on);
}
