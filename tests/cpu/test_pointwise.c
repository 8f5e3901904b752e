#include "support/devices.h"
#include "support/reference_ops.h"
#include "support/tensor.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

typedef struct shape {
    int batch, size;
} shape;

static const shape shapes[] = {{1, 1}, {3, 5}, {1, 1280}, {129, 24 * 16}, {7, 333}};
enum { SHAPES = sizeof shapes / sizeof *shapes };
/* Sides of the corners too: nothing may be special about a value that is far out. */
static const float far_out[] = {-1e30f, -200, -89, -6, -3, 0, 3, 6, 89, 200, 1e18f};
enum { FAR_OUT = sizeof far_out / sizeof *far_out };

static void run(bench *b, eex_op_kind kind, eex_op_pointwise fields, int batch)
{
    eex_op op = {.kind = kind, .name = "pointwise"};
    op.u.pointwise = fields;
    eex_step step = bench_step(batch);
    bench_run(b, &op, batch, &step);
}

static void check_forward(eex_device *dev, shape s, eex_act act)
{
    bench b;
    bench_init(&b, dev);
    size_t n = (size_t)s.batch * (size_t)s.size;
    tensor x = tensor_random(&b, n, 1, -4, 8), x2 = tensor_random(&b, n, 2, -4, 4);
    tensor y = tensor_poison(&b, n), sum = tensor_poison(&b, n);
    run(&b, EEX_OP_ACT, (eex_op_pointwise){.size = s.size, .x = x.dev, .y = y.dev, .act = act},
        s.batch);
    run(&b, EEX_OP_ADD,
        (eex_op_pointwise){.size = s.size, .x = x.dev, .x2 = x2.dev, .y = sum.dev, .act = act},
        s.batch);
    double *want = bench_doubles(&b, n), *want_sum = bench_doubles(&b, n);
    for (size_t i = 0; i < n; i++) {
        want[i] = ref_act(x.host[i], act);
        want_sum[i] = ref_act((double)x.host[i] + x2.host[i], act);
    }
    tensor_download(&b, y);
    tensor_download(&b, sum);
    expect_close("act", y.host, want, n, 1e-7);
    expect_close("add", sum.host, want_sum, n, 1e-6);
    bench_free(&b);
}

static void forward_on(eex_device *dev)
{
    for (int i = 0; i < SHAPES; i++)
        for (int a = 0; a < EEX_ACTS; a++)
            check_forward(dev, shapes[i], (eex_act)a);
}

Test(pointwise, act_and_add_match_the_reference)
{
    on_each_device(forward_on);
}

static void far_out_on(eex_device *dev)
{
    for (int a = 0; a < EEX_ACTS; a++) {
        bench b;
        bench_init(&b, dev);
        tensor x = tensor_poison(&b, FAR_OUT + 1), y = tensor_poison(&b, FAR_OUT + 1);
        memcpy(x.host, far_out, sizeof far_out);
        x.host[FAR_OUT] = NAN;
        tensor_upload(&b, x);
        run(&b, EEX_OP_ACT,
            (eex_op_pointwise){.size = FAR_OUT + 1, .x = x.dev, .y = y.dev, .act = (eex_act)a}, 1);
        tensor_download(&b, y);
        for (int i = 0; i < FAR_OUT; i++) {
            double want = ref_act((double)far_out[i], (eex_act)a);
            cr_expect(fabs((double)y.host[i] - want) <= 1e-6 * fabs(want) + 1e-30,
                      "%s: %s of %g is %g", dev->name, eex_act_name((eex_act)a), (double)far_out[i],
                      (double)y.host[i]);
        }
        cr_expect(isnan(y.host[FAR_OUT]), "%s: %s of NaN is %g", dev->name,
                  eex_act_name((eex_act)a), (double)y.host[FAR_OUT]);
        bench_free(&b);
    }
}

Test(pointwise, acts_of_large_values_and_nan)
{
    on_each_device(far_out_on);
}

/* Finite differences need room around the corners of the activations. */
static void leave_corners(bench *b, tensor x)
{
    static const float corners[] = {-3, 0, 3, 6};
    for (size_t i = 0; i < x.n; i++)
        for (int j = 0; j < 4; j++)
            if (fabsf(x.host[i] - corners[j]) < 1e-3f)
                x.host[i] += 0.01f;
    tensor_upload(b, x);
}

static double act_value(const double *x, void *ctx)
{
    return ref_act(*x, *(const eex_act *)ctx);
}

static void check_act_bwd(eex_device *dev, shape s, eex_act act, bool accumulate)
{
    bench b;
    bench_init(&b, dev);
    size_t n = (size_t)s.batch * (size_t)s.size;
    tensor x = tensor_random(&b, n, 1, -4, 8), dy = tensor_random(&b, n, 2, -1, 1);
    tensor y = tensor_poison(&b, n);
    tensor dx = accumulate ? tensor_filled(&b, n, 0.25f) : tensor_poison(&b, n);
    leave_corners(&b, x);
    run(&b, EEX_OP_ACT, (eex_op_pointwise){.size = s.size, .x = x.dev, .y = y.dev, .act = act},
        s.batch);
    run(&b, EEX_OP_ACT_BWD,
        (eex_op_pointwise){.size = s.size,
                           .x = dy.dev,
                           .ref = eex_act_fuses(act) ? y.dev : x.dev,
                           .y = dx.dev,
                           .act = act,
                           .accumulate = accumulate},
        s.batch);
    double *want = bench_doubles(&b, n), *at = tensor_doubles(&b, x);
    for (size_t i = 0; i < n; i++)
        want[i] = dy.host[i] * ref_slope(act_value, &act, at + i, 0) + (accumulate ? 0.25 : 0);
    tensor_download(&b, dx);
    expect_close("dx", dx.host, want, n, 1e-6);
    bench_free(&b);
}

static void act_bwd_on(eex_device *dev)
{
    for (int i = 0; i < SHAPES; i++)
        for (int a = 0; a < 2 * EEX_ACTS; a++)
            check_act_bwd(dev, shapes[i], (eex_act)(a / 2), a % 2);
}

Test(pointwise, gradient_of_act_matches_finite_differences)
{
    on_each_device(act_bwd_on);
}

static void accumulate_on(eex_device *dev)
{
    for (int i = 0; i < 2 * SHAPES; i++) {
        shape s = shapes[i / 2];
        size_t n = (size_t)s.batch * (size_t)s.size;
        bench b;
        bench_init(&b, dev);
        tensor x = tensor_random(&b, n, 1, -4, 4);
        tensor y = i % 2 ? tensor_random(&b, n, 2, -4, 4) : tensor_poison(&b, n);
        double *want = bench_doubles(&b, n);
        for (size_t k = 0; k < n; k++)
            want[k] = (double)x.host[k] + (i % 2 ? y.host[k] : 0);
        run(&b, EEX_OP_ACCUMULATE,
            (eex_op_pointwise){.size = s.size, .x = x.dev, .y = y.dev, .accumulate = i % 2},
            s.batch);
        tensor_download(&b, y);
        expect_close("y", y.host, want, n, 1e-6);
        bench_free(&b);
    }
}

Test(pointwise, accumulate_adds_or_copies)
{
    on_each_device(accumulate_on);
}

/* ---- dropout ---- */

static tensor drop(bench *b, tensor x, float p, uint64_t salt, eex_step step, int size)
{
    tensor y = tensor_poison(b, x.n);
    eex_op op = {.kind = EEX_OP_DROPOUT, .name = "dropout"};
    op.u.pointwise = (eex_op_pointwise){.size = size, .x = x.dev, .y = y.dev, .p = p, .salt = salt};
    bench_run(b, &op, step.batch, &step);
    tensor_download(b, y);
    return y;
}

static int differences(tensor a, tensor b)
{
    int count = 0;
    for (size_t i = 0; i < a.n; i++)
        count += (a.host[i] != 0) != (b.host[i] != 0);
    return count;
}

static void dropout_on(eex_device *dev)
{
    bench b;
    bench_init(&b, dev);
    enum { BATCH = 129, SIZE = 333 };
    eex_step step = bench_step(BATCH), next = step;
    next.step++;
    tensor x = tensor_random(&b, BATCH * SIZE, 1, 1, 2);
    tensor y = drop(&b, x, 0.3f, 5, step, SIZE);
    int kept = 0;
    for (size_t i = 0; i < x.n; i++)
        if (y.host[i] != 0) {
            kept++;
            cr_assert_float_eq(y.host[i], x.host[i] / 0.7f, 1e-6);
        }
    cr_assert_float_eq((double)kept / (double)x.n, 0.7, 0.01);
    expect_equal_bits("the same step", drop(&b, x, 0.3f, 5, step, SIZE).host, y.host, x.n);
    cr_assert_gt(differences(drop(&b, x, 0.3f, 5, next, SIZE), y), 10000, "the next step");
    cr_assert_gt(differences(drop(&b, x, 0.3f, 6, step, SIZE), y), 10000, "another layer");
    expect_equal_bits("p = 0", drop(&b, x, 0, 5, step, SIZE).host, x.host, x.n);
    tensor none = drop(&b, x, 1, 5, step, SIZE);
    for (size_t i = 0; i < x.n; i++)
        cr_assert_eq(none.host[i], 0);
    bench_free(&b);
}

Test(pointwise, dropout_keeps_its_rate_and_its_mask)
{
    on_each_device(dropout_on);
}

/* y = x * factor, with the factor of the step: the gradient is dy * factor, added where asked. */
static void dropout_bwd_on(eex_device *dev)
{
    bench b;
    bench_init(&b, dev);
    eex_step step = bench_step(7);
    tensor ones = tensor_filled(&b, 7 * 333, 1), dy = tensor_random(&b, 7 * 333, 2, -1, 1);
    tensor factor = drop(&b, ones, 0.4f, 3, step, 333), dx = drop(&b, dy, 0.4f, 3, step, 333);
    tensor sum = tensor_filled(&b, dy.n, 0.5f);
    eex_op op = {.kind = EEX_OP_DROPOUT, .name = "dropout"};
    op.u.pointwise = (eex_op_pointwise){
        .size = 333, .x = dy.dev, .y = sum.dev, .p = 0.4f, .salt = 3, .accumulate = true};
    bench_run(&b, &op, 7, &step);
    tensor_download(&b, sum);
    double *want = bench_doubles(&b, dy.n), *want_sum = bench_doubles(&b, dy.n);
    for (size_t i = 0; i < dy.n; i++) {
        want[i] = (double)dy.host[i] * factor.host[i];
        want_sum[i] = want[i] + 0.5;
    }
    expect_close("dx", dx.host, want, dy.n, 1e-6);
    expect_close("0.5 + dx", sum.host, want_sum, dy.n, 1e-6);
    bench_free(&b);
}

Test(pointwise, gradient_of_dropout_has_the_same_mask)
{
    on_each_device(dropout_bwd_on);
}

/* One mask for all devices, instruction sets and thread counts: results must not change with the
 * machine. */
static void mask_on(eex_device *dev)
{
    bench b;
    bench_init(&b, dev);
    tensor x = tensor_random(&b, 64 * 1280, 1, 1, 2);
    tensor y = drop(&b, x, 0.2f, 9, bench_step(64), 1280);
    uint64_t mask = 0;
    for (size_t i = 0; i < y.n; i++)
        mask = mask * 31 + (y.host[i] != 0);
    cr_assert_eq(mask, 0x31e02a899620305f, "the mask is %llx", (unsigned long long)mask);
    bench_free(&b);
}

Test(pointwise, dropout_mask_is_the_same_everywhere)
{
    on_each_device(mask_on);
}

Test(pointwise, dropout_refuses_a_probability_that_is_none)
{
    eex_device *dev = open_device(1);
    eex_op op = {.kind = EEX_OP_DROPOUT, .name = "drop"};
    op.u.pointwise.p = 1.5f;
    void *state;
    cr_assert_eq(dev->vtable->prepare(dev, &state, &op, 1), EEX_EINVAL);
    cr_assert_not_null(strstr(eex_error(), "\"drop\""));
    eex_device_close(dev);
}

/* ---- compaction ---- */

static void compact_on(eex_device *dev)
{
    static const size_t widths[] = {4, 40, 4096, 98304};
    static const int32_t index[] = {0, 1, 3, 4, 8, 11, 12}, count = 7;
    for (size_t k = 0; k < sizeof widths / sizeof *widths; k++) {
        bench b;
        bench_init(&b, dev);
        size_t width = widths[k] / 4;
        tensor data = tensor_random(&b, 13 * width, 3, -1, 1);
        float *before = (float *)(void *)bench_doubles(&b, 13 * width);
        memcpy(before, data.host, 13 * width * sizeof *before);
        eex_op op = {.kind = EEX_OP_COMPACT, .name = "compact"};
        op.u.compact = (eex_op_compact){.row_bytes = widths[k],
                                        .data = data.dev,
                                        .index = bench_bytes(&b, index, sizeof index),
                                        .count = bench_bytes(&b, &count, sizeof count)};
        eex_step step = bench_step(13);
        bench_run(&b, &op, 13, &step);
        tensor_download(&b, data);
        for (size_t i = 0; i < 7; i++)
            expect_equal_bits("row", data.host + i * width, before + (size_t)index[i] * width,
                              width);
        expect_equal_bits("rows behind", data.host + 7 * width, before + 7 * width, 6 * width);
        bench_free(&b);
    }
}

Test(pointwise, compaction_gathers_rows_in_place)
{
    on_each_device(compact_on);
}
