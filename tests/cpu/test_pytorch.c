/* Our ops against PyTorch's numbers: tests/fixtures/make_ops.py made them and has the constants. */
#include "support/devices.h"
#include "support/fixture.h"
#include "support/tensor.h"

#include <criterion/criterion.h>
#include <math.h>

typedef struct context {
    bench b;
    fixture *f;
} context;

static context context_open(eex_device *dev)
{
    context c = {.f = fixture_open(EEX_FIXTURES "/ops.bin")};
    bench_init(&c.b, dev);
    return c;
}

static void context_close(context *c)
{
    bench_free(&c->b);
    fixture_close(c->f);
}

static tensor load(context *c, const char *group, const char *name)
{
    size_t n;
    const float *values = fixture_find(c->f, &n, "f32", "%s.%s", group, name);
    cr_assert_not_null(values, "the fixture has no %s.%s", group, name);
    return tensor_from(&c->b, values, n);
}

static void expect(context *c, const char *group, const char *name, tensor got)
{
    size_t n;
    const double *want = fixture_find(c->f, &n, "f64", "%s.%s", group, name);
    cr_assert_not_null(want, "the fixture has no %s.%s", group, name);
    cr_assert_eq(n, got.n, "%s.%s has %zu values, expected %zu", group, name, n, got.n);
    tensor_download(&c->b, got);
    expect_close(name, got.host, want, n, 1e-5);
}

static void run(context *c, eex_op *op, int batch, uint64_t number)
{
    eex_step step = bench_step(batch);
    step.step = number;
    op->name = "op";
    bench_run(&c->b, op, batch, &step);
}

/* ---- batch norm ---- */

static eex_op bn_forward(context *c, eex_op_kind kind)
{
    eex_op op = {.kind = kind};
    op.u.bn = (eex_op_bn){.c = 24,
                          .hw = 15,
                          .x = load(c, "bn", "x").dev,
                          .residual = load(c, "bn", "residual").dev,
                          .gamma = load(c, "bn", "gamma").dev,
                          .beta = load(c, "bn", "beta").dev,
                          .momentum = 0.1f,
                          .eps = 1e-5f,
                          .act = EEX_ACT_RELU6};
    return op;
}

static void bn_backward(context *c, const eex_op_bn *bn)
{
    tensor dx = tensor_poison(&c->b, 1440), dresidual = tensor_poison(&c->b, 1440);
    tensor dgamma = tensor_poison(&c->b, 24), dbeta = tensor_poison(&c->b, 24);
    eex_op op = {.kind = EEX_OP_BN_BWD};
    op.u.bn_bwd = (eex_op_bn_bwd){.c = 24,
                                  .hw = 15,
                                  .dy = load(c, "bn", "dy").dev,
                                  .x = bn->x,
                                  .y = bn->y,
                                  .gamma = bn->gamma,
                                  .beta = bn->beta,
                                  .save_mean = bn->save_mean,
                                  .save_invstd = bn->save_invstd,
                                  .eps = 1e-5f,
                                  .batch_stats = true,
                                  .act = EEX_ACT_RELU6,
                                  .has_residual = true,
                                  .dx = dx.dev,
                                  .dresidual = dresidual.dev,
                                  .dgamma = dgamma.dev,
                                  .dbeta = dbeta.dev};
    run(c, &op, 4, 1);
    expect(c, "bn", "dx", dx);
    expect(c, "bn", "dresidual", dresidual);
    expect(c, "bn", "dgamma", dgamma);
    expect(c, "bn", "dbeta", dbeta);
}

static void bn_on(eex_device *dev)
{
    context c = context_open(dev);
    tensor mean = load(&c, "bn", "running_mean"), var = load(&c, "bn", "running_var");
    tensor y = tensor_poison(&c.b, 1440), eval_y = tensor_poison(&c.b, 1440);
    eex_op eval = bn_forward(&c, EEX_OP_BN_EVAL), train = bn_forward(&c, EEX_OP_BN_TRAIN);
    eval.u.bn.running_mean = train.u.bn.running_mean = mean.dev;
    eval.u.bn.running_var = train.u.bn.running_var = var.dev;
    eval.u.bn.y = eval_y.dev;
    train.u.bn.y = y.dev;
    train.u.bn.save_mean = tensor_poison(&c.b, 24).dev;
    train.u.bn.save_invstd = tensor_poison(&c.b, 24).dev;
    run(&c, &eval, 4, 1);
    run(&c, &train, 4, 1);
    expect(&c, "bn", "eval_y", eval_y);
    expect(&c, "bn", "y", y);
    expect(&c, "bn", "new_mean", mean);
    expect(&c, "bn", "new_var", var);
    bn_backward(&c, &train.u.bn);
    context_close(&c);
}

Test(pytorch, batch_norm)
{
    on_each_device(bn_on);
}

/* ---- loss ---- */

static void check_loss(context *c, const char *name, const char *grad, bool distill)
{
    const double zero[2] = {0};
    double totals[2];
    tensor dlogits = tensor_poison(&c->b, 80);
    double *on_device = bench_bytes(&c->b, zero, sizeof zero);
    const int32_t *labels = fixture_find(c->f, NULL, "i32", "loss.labels");
    const double *value = fixture_find(c->f, NULL, "f64", "loss.%s", name);
    eex_op op = {.kind = EEX_OP_LOSS};
    op.u.loss = (eex_op_loss){.classes = 10,
                              .logits = load(c, "loss", "logits").dev,
                              .teacher = distill ? load(c, "loss", "teacher").dev : NULL,
                              .labels = bench_bytes(&c->b, labels, 8 * sizeof *labels),
                              .dlogits = dlogits.dev,
                              .totals = on_device,
                              .weight = 0.3f,
                              .smoothing = 0.1f,
                              .l1 = 0.05f,
                              .distill = 0.7f,
                              .distill_t = 4};
    run(c, &op, 8, 1);
    c->b.dev->vtable->download(c->b.dev, totals, on_device, sizeof totals);
    cr_assert_float_eq(totals[0] / 8, *value, 1e-5 * *value);
    expect(c, "loss", grad, dlogits);
}

static void loss_on(eex_device *dev)
{
    context c = context_open(dev);
    check_loss(&c, "plain", "plain_grad", false);
    check_loss(&c, "distill", "distill_grad", true);
    context_close(&c);
}

Test(pytorch, loss)
{
    on_each_device(loss_on);
}

/* ---- optimisers ---- */

/* Five steps, each clipped to a norm of 5. */
static void check_optimiser(eex_device *dev, eex_op_kind kind, const char *group)
{
    static const uint8_t decay[4] = {1, 1, 0, 0};
    static const char *const gradients[] = {"g0", "g1", "g2", "g3", "g4"};
    static const char *const results[] = {"w0", "w1", "w2", "w3", "w4"};
    context c = context_open(dev);
    double norm = 0, *on_device = bench_bytes(&c.b, &norm, sizeof norm);
    tensor w = load(&c, group, "w");
    eex_op op = {.kind = kind};
    op.u.optim = (eex_op_optim){.count = 64,
                                .w = w.dev,
                                .m = tensor_filled(&c.b, 64, 0).dev,
                                .v = tensor_filled(&c.b, 64, 0).dev,
                                .decay = bench_bytes(&c.b, decay, sizeof decay),
                                .clip = tensor_poison(&c.b, 1).dev,
                                .clip_norm = 5,
                                .norm = on_device,
                                .momentum = 0.9f,
                                .beta1 = 0.9f,
                                .beta2 = 0.999f,
                                .eps = 1e-8f,
                                .weight_decay = 0.05f,
                                .nesterov = true};
    for (int i = 0; i < 5; i++) {
        op.u.optim.g = load(&c, group, gradients[i]).dev;
        eex_op first = op;
        first.kind = EEX_OP_GRAD_NORM;
        run(&c, &first, 1, (uint64_t)i + 1);
        run(&c, &op, 1, (uint64_t)i + 1);
        const double *want = fixture_find(c.f, NULL, "f64", "%s.norm%d", group, i);
        dev->vtable->download(dev, &norm, on_device, sizeof norm);
        cr_assert_float_eq(norm, *want, 1e-5 * *want);
        expect(&c, group, results[i], w);
    }
    context_close(&c);
}

static void optimisers_on(eex_device *dev)
{
    check_optimiser(dev, EEX_OP_SGD, "sgd");
    check_optimiser(dev, EEX_OP_ADAMW, "adamw");
}

Test(pytorch, optimisers)
{
    on_each_device(optimisers_on);
}

/* ---- windows and convolutions, of (2 or 3, 7, 6, c) images ---- */

static eex_window window(int cin, int cout, int kernel, int stride, int pad, int groups)
{
    return (eex_window){.cin = cin,
                        .hin = 7,
                        .win = 6,
                        .cout = cout,
                        .hout = (7 + 2 * pad - kernel) / stride + 1,
                        .wout = (6 + 2 * pad - kernel) / stride + 1,
                        .kernel = kernel,
                        .stride = stride,
                        .pad = pad,
                        .groups = groups};
}

static void pool_on(eex_device *dev)
{
    context c = context_open(dev);
    tensor x = load(&c, "pool", "x"), dy = load(&c, "pool", "dy");
    tensor y = tensor_poison(&c.b, dy.n), dx = tensor_poison(&c.b, x.n);
    eex_op forward = {.kind = EEX_OP_MAX_POOL}, backward = {.kind = EEX_OP_MAX_POOL_BWD};
    forward.u.pool =
        (eex_op_pool){.window = window(24, 24, 3, 2, 1, 24), .x = x.dev, .dy = dy.dev, .y = y.dev};
    backward.u.pool = forward.u.pool;
    backward.u.pool.dx = dx.dev;
    run(&c, &forward, 2, 1);
    run(&c, &backward, 2, 1);
    expect(&c, "pool", "y", y);
    expect(&c, "pool", "dx", dx);
    context_close(&c);
}

Test(pytorch, max_pool)
{
    on_each_device(pool_on);
}

static void check_conv(eex_device *dev, const char *group, eex_window w)
{
    context c = context_open(dev);
    tensor x = load(&c, group, "x"), weights = load(&c, group, "w"), bias = load(&c, group, "bias");
    tensor dy = load(&c, group, "dy"), y = tensor_poison(&c.b, dy.n);
    tensor dx = tensor_poison(&c.b, x.n), dw = tensor_poison(&c.b, weights.n);
    tensor dbias = tensor_poison(&c.b, bias.n);
    eex_op forward = {.kind = EEX_OP_CONV}, data = {.kind = EEX_OP_CONV_BWD_DATA};
    eex_op gradient = {.kind = EEX_OP_CONV_BWD_WEIGHTS};
    forward.u.conv =
        (eex_op_conv){.window = w, .x = x.dev, .w = weights.dev, .bias = bias.dev, .y = y.dev};
    data.u.conv_bwd_data =
        (eex_op_conv_bwd_data){.window = w, .dy = dy.dev, .w = weights.dev, .dx = dx.dev};
    gradient.u.conv_bwd_weights = (eex_op_conv_bwd_weights){
        .window = w, .x = x.dev, .dy = dy.dev, .dw = dw.dev, .dbias = dbias.dev};
    run(&c, &forward, 3, 1);
    run(&c, &data, 3, 1);
    run(&c, &gradient, 3, 1);
    expect(&c, group, "y", y);
    expect(&c, group, "dx", dx);
    expect(&c, group, "dw", dw);
    expect(&c, group, "dbias", dbias);
    context_close(&c);
}

static void conv_on(eex_device *dev)
{
    check_conv(dev, "dense", window(5, 24, 3, 2, 1, 1));
    check_conv(dev, "point", window(24, 40, 1, 1, 0, 1));
    check_conv(dev, "depthwise", window(24, 24, 3, 1, 1, 24));
}

Test(pytorch, convolutions)
{
    on_each_device(conv_on);
}

/* ---- resizing ---- */

static void check_resize(eex_device *dev, const char *group, eex_op_resize r)
{
    context c = context_open(dev);
    tensor y = tensor_poison(&c.b, (size_t)(2 * r.hout * r.wout * r.c));
    eex_op op = {.kind = EEX_OP_RESIZE, .u.resize = r};
    op.u.resize.x = load(&c, group, "x").dev;
    op.u.resize.y = y.dev;
    run(&c, &op, 2, 1);
    expect(&c, group, "y", y);
    context_close(&c);
}

static void resize_on(eex_device *dev)
{
    check_resize(dev, "larger", (eex_op_resize){3, 4, 5, 10, 8, NULL, NULL});
    check_resize(dev, "double", (eex_op_resize){1, 4, 4, 8, 8, NULL, NULL});
    check_resize(dev, "smaller", (eex_op_resize){3, 13, 11, 5, 4, NULL, NULL});
    check_resize(dev, "both", (eex_op_resize){2, 6, 7, 9, 3, NULL, NULL});
}

Test(pytorch, resize)
{
    on_each_device(resize_on);
}
