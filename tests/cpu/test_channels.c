/* Ops that know something about each channel of an image: scale and columns. */
#include "device/quantise.h"
#include "support/devices.h"
#include "support/reference_ops.h"
#include "support/tensor.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

typedef struct map {
    int batch, hw, c;
} map;

static const map maps[] = {{1, 1, 1},   {3, 5, 7},   {2, 64, 24},
                           {7, 1, 333}, {5, 49, 17}, {2, 300, 33}};
enum { MAPS = sizeof maps / sizeof *maps };

static void run(bench *b, eex_op *op, int batch)
{
    eex_step step = bench_step(batch);
    op->name = "channels";
    bench_run(b, op, batch, &step);
}

/* sum of dy * x * s, whose gradients SCALE_BWD gives. */
typedef struct product {
    map m;
    const double *x, *s, *dy;
    bool of_x; /* else s is what varies */
} product;

static double dot(const double *at, void *ctx)
{
    const product *p = ctx;
    const double *x = p->of_x ? at : p->x, *s = p->of_x ? p->s : at;
    double sum = 0;
    for (int i = 0; i < p->m.batch * p->m.hw * p->m.c; i++)
        sum += p->dy[i] * x[i] * s[i / (p->m.hw * p->m.c) * p->m.c + i % p->m.c];
    return sum;
}

static void check_scale(eex_device *dev, map m, bool more)
{
    bench b;
    bench_init(&b, dev);
    size_t rows = (size_t)(m.batch * m.c), n = rows * (size_t)m.hw;
    tensor x = tensor_random(&b, n, 1, -2, 2), s = tensor_random(&b, rows, 2, -1, 1);
    tensor dy = tensor_random(&b, n, 3, -1, 1), y = tensor_poison(&b, n);
    tensor dx = more ? tensor_filled(&b, n, 0.25f) : tensor_poison(&b, n);
    tensor ds = more ? tensor_filled(&b, rows, 0.5f) : tensor_poison(&b, rows);
    eex_op op = {.kind = EEX_OP_SCALE};
    op.u.scale = (eex_op_scale){.c = m.c, .hw = m.hw, .x = x.dev, .s = s.dev, .y = y.dev};
    run(&b, &op, m.batch);
    op = (eex_op){.kind = EEX_OP_SCALE_BWD};
    op.u.scale = (eex_op_scale){.c = m.c,
                                .hw = m.hw,
                                .x = x.dev,
                                .s = s.dev,
                                .dy = dy.dev,
                                .dx = dx.dev,
                                .ds = ds.dev,
                                .dx_accumulate = more,
                                .ds_accumulate = more};
    run(&b, &op, m.batch);
    double *want = bench_doubles(&b, n), *xs = tensor_doubles(&b, x), *ss = tensor_doubles(&b, s);
    ref_scale(want, xs, ss, m.batch, m.hw, m.c);
    tensor_download(&b, y);
    tensor_download(&b, dx);
    tensor_download(&b, ds);
    expect_close("y", y.host, want, n, 1e-6);
    product p = {m, xs, ss, tensor_doubles(&b, dy), true};
    for (size_t i = 0; i < n; i += 1 + n / 50)
        cr_expect_float_eq(dx.host[i], ref_slope(dot, &p, xs, i) + (more ? 0.25 : 0), 1e-4);
    p.of_x = false;
    for (size_t i = 0; i < rows; i += 1 + rows / 50)
        cr_expect_float_eq(ds.host[i], ref_slope(dot, &p, ss, i) + (more ? 0.5 : 0), 1e-4);
    bench_free(&b);
}

static void scale_on(eex_device *dev)
{
    for (int i = 0; i < 2 * MAPS; i++)
        check_scale(dev, maps[i / 2], i % 2);
}

Test(channels, scale_and_its_gradients)
{
    on_each_device(scale_on);
}

/* A value times itself: both gradients go to one place. */
static void square_on(eex_device *dev)
{
    bench b;
    bench_init(&b, dev);
    tensor x = tensor_random(&b, 4 * 9, 1, -2, 2), dy = tensor_random(&b, 4 * 9, 2, -1, 1);
    tensor dx = tensor_poison(&b, 4 * 9);
    eex_op op = {.kind = EEX_OP_SCALE_BWD};
    op.u.scale = (eex_op_scale){.c = 9,
                                .hw = 1,
                                .x = x.dev,
                                .s = x.dev,
                                .dy = dy.dev,
                                .dx = dx.dev,
                                .ds = dx.dev,
                                .ds_accumulate = true};
    run(&b, &op, 4);
    tensor_download(&b, dx);
    double *want = bench_doubles(&b, x.n);
    for (size_t i = 0; i < x.n; i++)
        want[i] = 2.0 * x.host[i] * dy.host[i];
    expect_close("dx", dx.host, want, x.n, 1e-6);
    bench_free(&b);
}

Test(channels, a_value_times_itself)
{
    on_each_device(square_on);
}

static void one_gradient_on(eex_device *dev)
{
    bench b;
    bench_init(&b, dev);
    tensor x = tensor_random(&b, 6, 1, -2, 2), s = tensor_random(&b, 3, 2, -1, 1);
    tensor dy = tensor_random(&b, 6, 3, -1, 1), dx = tensor_poison(&b, 6),
           ds = tensor_poison(&b, 3);
    eex_op op = {.kind = EEX_OP_SCALE_BWD};
    op.u.scale = (eex_op_scale){
        .c = 3, .hw = 2, .x = x.dev, .s = s.dev, .dy = dy.dev, .dx = dx.dev, .ds = NULL};
    run(&b, &op, 1);
    op.u.scale.dx = NULL;
    op.u.scale.ds = ds.dev;
    run(&b, &op, 1);
    tensor_download(&b, dx);
    tensor_download(&b, ds);
    for (int i = 0; i < 6; i++)
        cr_expect_float_eq(dx.host[i], dy.host[i] * s.host[i % 3], 1e-6);
    for (int i = 0; i < 3; i++)
        cr_expect_float_eq(ds.host[i], dy.host[i] * x.host[i] + dy.host[i + 3] * x.host[i + 3],
                           1e-6);
    bench_free(&b);
}

Test(channels, either_gradient_alone)
{
    on_each_device(one_gradient_on);
}

/* Images of 3 x 2 pixels of 20 channels from or to 6 x 4 of 5. */
static void blocks_on(eex_device *dev)
{
    enum { BATCH = 3, H = 3, W = 2, CHANNELS = 5, ALL = BATCH * H * W * 4 * CHANNELS };
    for (int i = 0; i < 4; i++) {
        const bool back = i & 1, more = i & 2;
        bench b;
        bench_init(&b, dev);
        tensor x = tensor_random(&b, ALL, 1, -2, 2), y = tensor_random(&b, ALL, 2, -2, 2);
        double *want = tensor_doubles(&b, y);
        for (int at = 0; at < ALL; at++) { /* of the large image */
            const int c = at % CHANNELS, column = at / CHANNELS % (2 * W);
            const int row = at / CHANNELS / (2 * W); /* of all images: they are of even heights */
            const int small =
                ((row / 2 * W + column / 2) * 4 + row % 2 * 2 + column % 2) * CHANNELS + c;
            const int to = back ? small : at, from = back ? at : small;
            want[to] = x.host[from] + (more ? want[to] : 0);
        }
        eex_op op = {.kind = EEX_OP_DEPTH_TO_SPACE};
        op.u.depth_to_space = (eex_op_depth_to_space){.h = H,
                                                      .w = W,
                                                      .c = CHANNELS,
                                                      .back = back,
                                                      .x = x.dev,
                                                      .y = y.dev,
                                                      .accumulate = more};
        run(&b, &op, BATCH);
        tensor_download(&b, y);
        expect_close("y", y.host, want, y.n, 1e-6);
        bench_free(&b);
    }
}

Test(channels, channels_become_pixels_and_the_other_way_round)
{
    on_each_device(blocks_on);
}

/* Every device gives the very levels that are packed for sending, NaN and what lies outside too. */
static void levels_on(eex_device *dev)
{
    enum { SIZE = 67, BATCH = 3 };
    for (int bits = 1; bits <= 8; bits++) {
        bench b;
        bench_init(&b, dev);
        tensor x = tensor_random(&b, SIZE * BATCH, 1, -1, 3),
               y = tensor_random(&b, SIZE * BATCH, 2, 0, 1);
        tensor range = tensor_random(&b, 2, 3, 0.5f, 2);
        range.host[0] = 0;
        x.host[5] = NAN;
        x.host[6] = INFINITY;
        tensor_upload(&b, x);
        tensor_upload(&b, range);
        eex_op op = {.kind = EEX_OP_QUANTISE};
        op.u.quantise = (eex_op_quantise){
            .size = SIZE, .bits = bits, .range = range.dev, .x = x.dev, .y = y.dev};
        run(&b, &op, BATCH);
        tensor_download(&b, y);
        for (int i = 0; i < SIZE * BATCH; i++) {
            const unsigned code = eex_quantise_code(x.host[i], bits, 0, range.host[1]);
            cr_expect_eq(y.host[i], eex_quantise_level(code, bits, 0, range.host[1]), "%d bits, %d",
                         bits, i);
        }
        bench_free(&b);
    }
}

Test(channels, values_become_levels)
{
    on_each_device(levels_on);
}

/* x (rows, 13) and y (rows, 40): seven channels from the third on to the twentieth on. */
static void columns_on(eex_device *dev)
{
    for (int more = 0; more < 2; more++) {
        bench b;
        bench_init(&b, dev);
        tensor x = tensor_random(&b, 6 * 5 * 13, 1, -2, 2);
        tensor y = tensor_random(&b, 6 * 5 * 40, 2, -2, 2);
        double *want = tensor_doubles(&b, y), *moved = bench_doubles(&b, y.n);
        ref_columns(moved + 20, tensor_doubles(&b, x) + 3, 30, 40, 13, 7);
        for (size_t i = 0; i < y.n; i++)
            if (i % 40 >= 20 && i % 40 < 27)
                want[i] = moved[i] + (more ? want[i] : 0);
        eex_op op = {.kind = EEX_OP_COLUMNS};
        op.u.columns = (eex_op_columns){.hw = 5,
                                        .x_c = 13,
                                        .y_c = 40,
                                        .x_first = 3,
                                        .y_first = 20,
                                        .count = 7,
                                        .x = x.dev,
                                        .y = y.dev,
                                        .accumulate = more};
        run(&b, &op, 6);
        tensor_download(&b, y);
        expect_close("y", y.host, want, y.n, 1e-6);
        bench_free(&b);
    }
}

Test(channels, columns_move_and_leave_the_others)
{
    on_each_device(columns_on);
}
