/* Element-wise ops, pooling and augmentation in both precisions, at any alignment. */
#include "support/array.h"
#include "support/devices.h"
#include "support/reference_ops.h"

#include "base/rng.h"

#include <math.h>
#include <string.h>

static bool has(const eex_device *dev, array_layout layout)
{
    return dev->precisions & 1u << layout.precision;
}

static void run(bench *b, eex_op *op, array_layout layout, int batch)
{
    eex_step step = bench_step(batch);
    op->name = "op";
    op->precision = layout.precision;
    bench_run(b, op, batch, &step);
}

/* At the output of a clamp, the input of others. */
static double slope(eex_act act, double at)
{
    const double inside = at > -3 && at < 3, s = 1 / (1 + exp(-at));
    switch (act) {
    case EEX_ACT_NONE:
        return 1;
    case EEX_ACT_RELU:
        return at > 0;
    case EEX_ACT_RELU6:
        return at > 0 && at < 6;
    case EEX_ACT_H_SWISH:
        return inside > 0 ? at / 3 + 0.5 : at >= 3;
    case EEX_ACT_H_SIGMOID:
        return inside / 6;
    case EEX_ACT_SIGMOID:
        return s * (1 - s);
    case EEX_ACT_SILU:
        return s + at * s * (1 - s);
    }
    return NAN;
}

/* ---- element-wise ---- */

typedef struct shape {
    int batch, size;
} shape;

static const shape shapes[] = {{1, 1}, {1, 7}, {3, 5}, {129, 8}, {7, 333}, {129, 1280}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* What y must be, from x, x2 and what was in y. */
typedef double pointwise_reference(const eex_op_pointwise *op, size_t i, double x, double x2,
                                   double before);

static double act_of(const eex_op_pointwise *op, size_t i, double x, double x2, double before)
{
    return ref_act(x, op->act);
}

static double add_of(const eex_op_pointwise *op, size_t i, double x, double x2, double before)
{
    return ref_act(x + x2, op->act);
}

static double act_bwd_of(const eex_op_pointwise *op, size_t i, double x, double x2, double before)
{
    return x * slope(op->act, x2) + before;
}

static double accumulate_of(const eex_op_pointwise *op, size_t i, double x, double x2,
                            double before)
{
    return x + before;
}

static double dropout_of(const eex_op_pointwise *op, size_t i, double x, double x2, double before)
{
    eex_step step = bench_step(1);
    uint64_t key = eex_rng_hash(step.seed, op->salt, step.step);
    uint64_t h = eex_rng_mix(key + UINT64_C(0x9e3779b97f4a7c15) * (i + 1));
    bool kept = (h >> 32) >= (uint64_t)((double)op->p * 0x1p32);
    return (kept ? x / (1 - (double)op->p) : 0) + before;
}

static void check_pointwise(eex_device *dev, eex_op_kind kind, pointwise_reference *reference,
                            shape s, array_layout layout, eex_op_pointwise fields)
{
    bench b;
    bench_init(&b, dev);
    size_t n = (size_t)s.batch * (size_t)s.size;
    array x = array_random(&b, layout, n, 1, -4, 8), x2 = array_random(&b, layout, n, 2, -4, 8);
    array y =
        fields.accumulate ? array_random(&b, layout, n, 3, -4, 4) : array_poison(&b, layout, n);
    eex_op op = {.kind = kind, .u.pointwise = fields};
    op.u.pointwise.size = s.size;
    op.u.pointwise.x = x.dev;
    op.u.pointwise.x2 = op.u.pointwise.ref = x2.dev;
    op.u.pointwise.y = y.dev;
    double *want = bench_doubles(&b, n);
    for (size_t i = 0; i < n; i++)
        want[i] =
            reference(&op.u.pointwise, i, x.host[i], x2.host[i], fields.accumulate ? y.host[i] : 0);
    run(&b, &op, layout, s.batch);
    expect_near("y", array_download(&b, y), want, n, array_tolerance(layout));
    bench_free(&b);
}

static void pointwise_on(eex_device *dev)
{
    for (int i = 0; i < SHAPES * ARRAY_LAYOUTS * EEX_ACTS; i++) {
        shape s = shapes[i / EEX_ACTS / ARRAY_LAYOUTS];
        array_layout layout = array_layouts[i / EEX_ACTS % ARRAY_LAYOUTS];
        const eex_act act = (eex_act)(i % EEX_ACTS);
        if (!has(dev, layout))
            continue;
        eex_op_pointwise plain = {.act = act}, more = {.act = act};
        eex_op_pointwise drop = {.p = 0.3f, .salt = 4, .accumulate = i % 2};
        more.accumulate = true;
        check_pointwise(dev, EEX_OP_ACT, act_of, s, layout, plain);
        check_pointwise(dev, EEX_OP_ADD, add_of, s, layout, plain);
        check_pointwise(dev, EEX_OP_ACT_BWD, act_bwd_of, s, layout, i % 2 ? more : plain);
        check_pointwise(dev, EEX_OP_ACCUMULATE, accumulate_of, s, layout, i % 2 ? more : plain);
        check_pointwise(dev, EEX_OP_DROPOUT, dropout_of, s, layout, drop);
    }
}

Test(pointwise, all_layouts_match_the_reference)
{
    on_each_device(pointwise_on);
}

static void in_place_on(eex_device *dev)
{
    for (int l = 0; l < ARRAY_LAYOUTS; l++) {
        bench b;
        bench_init(&b, dev);
        if (!has(dev, array_layouts[l]))
            continue;
        array x = array_random(&b, array_layouts[l], 7 * 333, 1, -4, 8);
        eex_op op = {.kind = EEX_OP_ACT};
        op.u.pointwise =
            (eex_op_pointwise){.size = 333, .x = x.dev, .y = x.dev, .act = EEX_ACT_RELU6};
        run(&b, &op, array_layouts[l], 7);
        double *got = array_download(&b, x);
        for (size_t i = 0; i < x.n; i++)
            cr_assert_eq(got[i], ref_act(x.host[i], EEX_ACT_RELU6));
        bench_free(&b);
    }
}

Test(pointwise, an_activation_in_place)
{
    on_each_device(in_place_on);
}

/* ---- channels ---- */

typedef struct map {
    int batch, hw, c;
} map;

static const map maps[] = {{1, 1, 1},    {3, 4, 24},   {5, 49, 13},
                           {2, 1024, 8}, {129, 1, 40}, {9, 16, 96}};
enum { MAPS = sizeof maps / sizeof *maps };

static void check_scale(eex_device *dev, map m, array_layout layout, bool more)
{
    bench b;
    bench_init(&b, dev);
    size_t rows = (size_t)(m.batch * m.c), n = rows * (size_t)m.hw;
    array x = array_random(&b, layout, n, 1, -2, 2), s = array_random(&b, layout, rows, 2, -2, 2);
    array dy = array_random(&b, layout, n, 3, -1, 1), y = array_poison(&b, layout, n);
    array dx = more ? array_random(&b, layout, n, 4, -1, 1) : array_poison(&b, layout, n);
    array ds = more ? array_random(&b, layout, rows, 5, -1, 1) : array_poison(&b, layout, rows);
    eex_op op = {.kind = EEX_OP_SCALE};
    op.u.scale = (eex_op_scale){.c = m.c, .hw = m.hw, .x = x.dev, .s = s.dev, .y = y.dev};
    run(&b, &op, layout, m.batch);
    op.kind = EEX_OP_SCALE_BWD;
    op.u.scale.dy = dy.dev;
    op.u.scale.dx = dx.dev;
    op.u.scale.ds = ds.dev;
    op.u.scale.dx_accumulate = op.u.scale.ds_accumulate = more;
    run(&b, &op, layout, m.batch);
    double *want = bench_doubles(&b, n), *want_dx = bench_doubles(&b, n);
    double *want_ds = bench_doubles(&b, rows);
    ref_scale(want, x.host, s.host, m.batch, m.hw, m.c);
    ref_scale(want_dx, dy.host, s.host, m.batch, m.hw, m.c);
    for (size_t i = 0; i < n; i++) {
        size_t at = i / (size_t)(m.hw * m.c) * (size_t)m.c + i % (size_t)m.c;
        want_dx[i] += more ? dx.host[i] : 0;
        want_ds[at] += dy.host[i] * x.host[i];
    }
    for (size_t i = 0; i < rows; i++)
        want_ds[i] += more ? ds.host[i] : 0;
    expect_near("y", array_download(&b, y), want, n, array_tolerance(layout));
    expect_near("dx", array_download(&b, dx), want_dx, n, array_tolerance(layout));
    expect_near("ds", array_download(&b, ds), want_ds, rows, array_tolerance(layout));
    bench_free(&b);
}

/* `count` channels from the x_first-th of x_c on to the y_first-th of y_c. */
static void check_columns(eex_device *dev, eex_op_columns how, array_layout layout, bool more)
{
    bench b;
    bench_init(&b, dev);
    const int batch = 5;
    size_t rows = (size_t)(batch * how.hw), nx = rows * (size_t)how.x_c;
    size_t ny = rows * (size_t)how.y_c;
    array x = array_random(&b, layout, nx, 1, -2, 2), y = array_random(&b, layout, ny, 2, -2, 2);
    double *want = bench_doubles(&b, ny), *moved = bench_doubles(&b, ny);
    memcpy(want, y.host, ny * sizeof *want);
    ref_columns(more ? moved + how.y_first : want + how.y_first, x.host + how.x_first, rows,
                how.y_c, how.x_c, how.count);
    for (size_t i = 0; i < ny; i++)
        want[i] += moved[i];
    eex_op op = {.kind = EEX_OP_COLUMNS, .u.columns = how};
    op.u.columns.x = x.dev;
    op.u.columns.y = y.dev;
    op.u.columns.accumulate = more;
    run(&b, &op, layout, batch);
    expect_near("y", array_download(&b, y), want, ny, more ? array_tolerance(layout) : 0);
    bench_free(&b);
}

static void channels_on(eex_device *dev)
{
    static const eex_op_columns moves[] = {
        {.hw = 1, .x_c = 1, .y_c = 1, .count = 1},
        {.hw = 4, .x_c = 8, .y_c = 24, .y_first = 8, .count = 8},
        {.hw = 4, .x_c = 24, .y_c = 8, .x_first = 16, .count = 8},
        {.hw = 9, .x_c = 5, .y_c = 12, .y_first = 3, .count = 5},
        {.hw = 49, .x_c = 40, .y_c = 16, .x_first = 2, .y_first = 1, .count = 13},
        {.hw = 64, .x_c = 96, .y_c = 200, .y_first = 104, .count = 96}};
    for (int l = 0; l < ARRAY_LAYOUTS; l++) {
        if (!has(dev, array_layouts[l]))
            continue;
        for (int i = 0; i < 2 * MAPS; i++)
            check_scale(dev, maps[i / 2], array_layouts[l], i % 2);
        for (int i = 0; i < 12; i++)
            check_columns(dev, moves[i / 2], array_layouts[l], i % 2);
    }
}

Test(channels, all_layouts_match_the_reference)
{
    on_each_device(channels_on);
}

/* ---- pooling ---- */

static const eex_window windows[] = {
    {.cin = 24, .hin = 7, .win = 9, .kernel = 3, .stride = 2, .pad = 1},
    {.cin = 3, .hin = 8, .win = 8, .kernel = 2, .stride = 2},
    {.cin = 1, .hin = 5, .win = 4, .kernel = 3, .stride = 1, .pad = 1},
    {.cin = 1280, .hin = 2, .win = 2, .kernel = 3, .stride = 2, .pad = 1},
    {.cin = 13, .hin = 5, .win = 6, .kernel = 2, .stride = 3},
    {.cin = 8, .hin = 1, .win = 1, .kernel = 1, .stride = 1}};
enum { WINDOWS = sizeof windows / sizeof *windows };

static eex_window window_of(int i)
{
    eex_window w = windows[i];
    w.cout = w.cin;
    w.hout = (w.hin + 2 * w.pad - w.kernel) / w.stride + 1;
    w.wout = (w.win + 2 * w.pad - w.kernel) / w.stride + 1;
    return w;
}

/* Adds dy at (oy, ox, channel) of a sample to the place of its window's first maximum. */
static void ref_max_bwd_at(double *dx, const double *x, const eex_window *w, int oy, int ox, int j,
                           double dy)
{
    int best = -1;
    for (int k = 0; k < w->kernel * w->kernel; k++) {
        int y = oy * w->stride - w->pad + k / w->kernel, at = ox * w->stride - w->pad;
        int i = (y * w->win + at + k % w->kernel) * w->cin + j;
        at += k % w->kernel;
        if (y < 0 || y >= w->hin || at < 0 || at >= w->win)
            continue;
        if (best < 0 || x[i] > x[best])
            best = i;
    }
    dx[best] += dy;
}

static void ref_max_bwd(double *dx, const double *x, const double *dy, const eex_window *w,
                        int batch)
{
    size_t in = (size_t)(w->hin * w->win * w->cin), out = (size_t)(w->hout * w->wout * w->cin);
    for (size_t i = 0; i < (size_t)batch * out; i++) {
        int at = (int)(i % out), pixel = at / w->cin;
        ref_max_bwd_at(dx + i / out * in, x + i / out * in, w, pixel / w->wout, pixel % w->wout,
                       at % w->cin, dy[i]);
    }
}

static void ref_mean_bwd(double *dx, const double *dy, int batch, int hw, int c)
{
    for (int i = 0; i < batch * hw * c; i++)
        dx[i] += dy[i / (hw * c) * c + i % c] / hw;
}

static void check_pool(eex_device *dev, eex_window w, bool max, int batch, array_layout layout,
                       bool accumulate)
{
    bench b;
    bench_init(&b, dev);
    if (!max)
        w.hout = w.wout = 1;
    size_t in = (size_t)(batch * w.hin * w.win * w.cin);
    size_t out = (size_t)(batch * w.hout * w.wout * w.cin);
    /* few values, so that there are equal maxima */
    array x = array_random(&b, layout, in, 1, -2, 2), dy = array_random(&b, layout, out, 2, -1, 1);
    for (size_t i = 0; i < in; i++)
        x.host[i] = max ? round(2 * x.host[i]) : x.host[i];
    array_upload(&b, x);
    array y = array_poison(&b, layout, out);
    array dx = accumulate ? array_random(&b, layout, in, 3, -1, 1) : array_poison(&b, layout, in);
    eex_op op = {.kind = max ? EEX_OP_MAX_POOL : EEX_OP_GLOBAL_POOL};
    op.u.pool = (eex_op_pool){.window = w, .x = x.dev, .y = y.dev};
    run(&b, &op, layout, batch);
    op.kind = max ? EEX_OP_MAX_POOL_BWD : EEX_OP_GLOBAL_POOL_BWD;
    op.u.pool = (eex_op_pool){
        .window = w, .x = x.dev, .y = y.dev, .dy = dy.dev, .dx = dx.dev, .accumulate = accumulate};
    run(&b, &op, layout, batch);
    double *want = bench_doubles(&b, out), *want_dx = bench_doubles(&b, in);
    for (size_t i = 0; accumulate && i < in; i++)
        want_dx[i] = dx.host[i];
    if (max) {
        ref_max_pool(want, x.host, batch, &w);
        ref_max_bwd(want_dx, x.host, dy.host, &w, batch);
    } else {
        ref_global_pool(want, x.host, batch, w.hin * w.win, w.cin);
        ref_mean_bwd(want_dx, dy.host, batch, w.hin * w.win, w.cin);
    }
    expect_near("y", array_download(&b, y), want, out, max ? 0 : array_tolerance(layout));
    expect_near("dx", array_download(&b, dx), want_dx, in, array_tolerance(layout));
    bench_free(&b);
}

static void pools_on(eex_device *dev)
{
    static const eex_window global[] = {{.cin = 1280, .hin = 1, .win = 1},
                                        {.cin = 24, .hin = 4, .win = 4},
                                        {.cin = 13, .hin = 7, .win = 7},
                                        {.cin = 3, .hin = 112, .win = 111},
                                        {.cin = 40, .hin = 2, .win = 2}};
    for (int l = 0; l < ARRAY_LAYOUTS; l++) {
        if (!has(dev, array_layouts[l]))
            continue;
        for (int i = 0; i < WINDOWS; i++)
            check_pool(dev, window_of(i), true, i == 1 ? 129 : 3, array_layouts[l], (i + l) % 2);
        for (int i = 0; i < 5; i++)
            check_pool(dev, global[i], false, i == 3 ? 1 : 9, array_layouts[l], (i + l) % 2);
    }
}

Test(pool, all_layouts_match_the_reference)
{
    on_each_device(pools_on);
}

/* ---- resizing ---- */

/* bfloat16 must be float32's result, rounded, wherever the image begins. */
static void check_resize(eex_device *dev, int batch, eex_op_resize r)
{
    bench b;
    bench_init(&b, dev);
    const size_t in = (size_t)(batch * r.hin * r.win * r.c);
    const size_t out = (size_t)(batch * r.hout * r.wout * r.c);
    double *want = NULL;
    for (int k = 0; k < ARRAY_LAYOUTS; k++) {
        if (!has(dev, array_layouts[k]))
            continue;
        array x = array_random(&b, array_layouts[k], in, 1, -2, 2);
        array y = array_poison(&b, array_layouts[k], out);
        eex_op op = {.kind = EEX_OP_RESIZE, .u.resize = r};
        op.u.resize.x = x.dev;
        op.u.resize.y = y.dev;
        run(&b, &op, array_layouts[k], batch);
        double *got = array_download(&b, y);
        want = want ? want : got;
        expect_near("y", got, want, out, array_tolerance(array_layouts[k]));
    }
    bench_free(&b);
}

static void resize_on(eex_device *dev)
{
    check_resize(dev, 3, (eex_op_resize){3, 32, 32, 40, 40, NULL, NULL});
    check_resize(dev, 2, (eex_op_resize){3, 50, 50, 16, 16, NULL, NULL});
    check_resize(dev, 5, (eex_op_resize){1, 7, 5, 21, 15, NULL, NULL});
}

Test(resize, all_layouts_are_alike)
{
    on_each_device(resize_on);
}

/* ---- augmentation ---- */

/* bfloat16 must be float32's result, rounded. */
static void check_augment(eex_device *dev, int batch, int side, int c, eex_augment how)
{
    bench b;
    bench_init(&b, dev);
    size_t n = (size_t)batch * (size_t)(side * side * c);
    uint8_t *images = (uint8_t *)bench_doubles(&b, n);
    uint32_t sample[16];
    for (size_t i = 0; i < n; i++)
        images[i] = (uint8_t)(eex_rng_hash(1, 2, i) >> 56);
    for (uint32_t i = 0; i < 16; i++)
        sample[i] = 1000 + 17 * i;
    for (int j = 0; j < 3; j++) {
        how.mean[j] = 0.5f - 0.1f * (float)j;
        how.std[j] = 0.2f + 0.05f * (float)j;
    }
    double *got[2];
    for (int k = 0; k < 2; k++) {
        array y = array_poison(&b, array_layouts[2 * k], n);
        eex_op op = {.kind = EEX_OP_AUGMENT};
        op.u.augment = (eex_op_augment){.c = c,
                                        .h = side,
                                        .w = side,
                                        .augment = how,
                                        .images = bench_bytes(&b, images, n),
                                        .sample = bench_bytes(&b, sample, sizeof sample),
                                        .y = y.dev};
        run(&b, &op, array_layouts[2 * k], batch);
        got[k] = array_download(&b, y);
    }
    expect_near("y", got[1], got[0], n, 4e-3);
    bench_free(&b);
}

static void augment_on(eex_device *dev)
{
    const eex_augment all = {
        .enabled = true, .crop_pad = 4, .flip = true, .cutout = 8, .jitter = 0.4f};
    eex_augment calm = all;
    calm.jitter = 0;
    if (!has(dev, array_layouts[2]))
        cr_skip_test("%s has no bfloat16", dev->name);
    check_augment(dev, 5, 32, 3, all);
    check_augment(dev, 5, 32, 3, calm);
    check_augment(dev, 3, 7, 1, all);
    check_augment(dev, 2, 100, 3, all); /* a large image: one block of many threads, or several */
    check_augment(dev, 2, 100, 3, calm);
    check_augment(dev, 1, 224, 3, (eex_augment){.enabled = false});
}

Test(augment, bfloat16_is_float32_rounded)
{
    on_each_device(augment_on);
}
