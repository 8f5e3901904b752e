#include "support/devices.h"
#include "support/reference_ops.h"
#include "support/tensor.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct shape {
    int batch, hw, c;
} shape;

static const shape shapes[] = {{3, 4, 1},  {1, 5, 3},     {129, 4, 3},  {3, 4, 24},
                               {1, 7, 24}, {129, 16, 24}, {2, 3, 1280}, {9, 2, 96}};
enum { SHAPES = sizeof shapes / sizeof *shapes };
static const eex_act acts[] = {EEX_ACT_NONE, EEX_ACT_RELU, EEX_ACT_RELU6};

static size_t count_of(shape s)
{
    return (size_t)s.batch * (size_t)s.hw * (size_t)s.c;
}

/* Everything a batch norm touches; values are spread so that both clamps of ReLU6 are met. */
typedef struct norm_case {
    bench b;
    shape s;
    eex_act act;
    tensor x, residual, gamma, beta, running_mean, running_var, y, save_mean, save_invstd;
    eex_op op;
} norm_case;

static void case_init(norm_case *t, eex_device *dev, shape s, eex_act act, bool residual)
{
    size_t n = count_of(s), c = (size_t)s.c;
    *t = (norm_case){.s = s, .act = act};
    bench_init(&t->b, dev);
    t->x = tensor_random(&t->b, n, 11, -2, 3);
    t->residual = tensor_random(&t->b, n, 12, -1, 2);
    t->gamma = tensor_random(&t->b, c, 13, 1, 3);
    t->beta = tensor_random(&t->b, c, 14, 0, 3);
    t->running_mean = tensor_random(&t->b, c, 15, -0.5, 1);
    t->running_var = tensor_random(&t->b, c, 16, 1, 3);
    t->y = tensor_poison(&t->b, n);
    t->save_mean = tensor_poison(&t->b, c);
    t->save_invstd = tensor_poison(&t->b, c);
    t->op = (eex_op){.kind = EEX_OP_BN_TRAIN, .name = "bn"};
    t->op.u.bn = (eex_op_bn){.c = s.c,
                             .hw = s.hw,
                             .x = t->x.dev,
                             .residual = residual ? t->residual.dev : NULL,
                             .y = t->y.dev,
                             .gamma = t->gamma.dev,
                             .beta = t->beta.dev,
                             .running_mean = t->running_mean.dev,
                             .running_var = t->running_var.dev,
                             .save_mean = t->save_mean.dev,
                             .save_invstd = t->save_invstd.dev,
                             .momentum = 0.1f,
                             .eps = 1e-5f,
                             .act = act};
}

static void case_run(norm_case *t)
{
    eex_step step = bench_step(t->s.batch);
    bench_run(&t->b, &t->op, t->s.batch, &step);
    tensor_download(&t->b, t->y);
}

/* What y must be with the statistics (mean, var). */
static double *expected(norm_case *t, const double *mean, const double *var)
{
    double *y = bench_doubles(&t->b, t->y.n);
    const double *residual = t->op.u.bn.residual ? tensor_doubles(&t->b, t->residual) : NULL;
    ref_bn(y, tensor_doubles(&t->b, t->x), residual, tensor_doubles(&t->b, t->gamma),
           tensor_doubles(&t->b, t->beta), mean, var, t->y.n / (size_t)t->s.c, t->s.c, 1e-5,
           t->act);
    return y;
}

/* The running statistics after a step from (mean, var). */
static void check_statistics(norm_case *t, const double *mean, const double *var)
{
    size_t c = (size_t)t->s.c;
    double pixels = (double)t->s.batch * t->s.hw;
    double unbias = pixels > 1 ? pixels / (pixels - 1) : 1;
    double *invstd = bench_doubles(&t->b, c);
    double *running_mean = tensor_doubles(&t->b, t->running_mean);
    double *running_var = tensor_doubles(&t->b, t->running_var);
    for (size_t j = 0; j < c; j++) {
        invstd[j] = 1 / sqrt(var[j] + 1e-5);
        running_mean[j] = 0.9 * running_mean[j] + 0.1 * mean[j];
        running_var[j] = 0.9 * running_var[j] + 0.1 * var[j] * unbias;
    }
    tensor_download(&t->b, t->save_mean);
    tensor_download(&t->b, t->save_invstd);
    tensor_download(&t->b, t->running_mean);
    tensor_download(&t->b, t->running_var);
    expect_close("saved mean", t->save_mean.host, mean, c, 1e-5);
    expect_close("saved 1/deviation", t->save_invstd.host, invstd, c, 1e-5);
    expect_close("running mean", t->running_mean.host, running_mean, c, 1e-5);
    expect_close("running variance", t->running_var.host, running_var, c, 1e-5);
}

static void give_sums(norm_case *t)
{
    size_t c = (size_t)t->s.c;
    double *sums = bench_doubles(&t->b, 2 * c);
    for (size_t i = 0; i < t->x.n; i++) {
        double x = t->x.host[i];
        sums[i % c] += x;
        sums[c + i % c] += x * x;
    }
    t->op.u.bn.stats = bench_bytes(&t->b, sums, 2 * c * sizeof *sums);
}

static void check_training(eex_device *dev, shape s, eex_act act, bool residual, bool stats)
{
    norm_case t;
    case_init(&t, dev, s, act, residual);
    double *mean = bench_doubles(&t.b, (size_t)s.c), *var = bench_doubles(&t.b, (size_t)s.c);
    ref_moments(mean, var, tensor_doubles(&t.b, t.x), (size_t)s.batch * (size_t)s.hw, s.c);
    if (stats)
        give_sums(&t);
    case_run(&t);
    expect_close("y", t.y.host, expected(&t, mean, var), t.y.n, 2e-5);
    check_statistics(&t, mean, var);
    bench_free(&t.b);
}

static void training_on(eex_device *dev)
{
    for (int i = 0; i < SHAPES; i++)
        for (int k = 0; k < 12; k++)
            if (i % 2 == k % 2 || count_of(shapes[i]) < 2000)
                check_training(dev, shapes[i], acts[k % 3], k / 3 % 2, k / 6);
}

Test(bn, training_matches_the_reference)
{
    on_each_device(training_on);
}

static void evaluation_on(eex_device *dev)
{
    for (int i = 0; i < SHAPES; i++)
        for (int k = 0; k < 6; k++) {
            norm_case t;
            case_init(&t, dev, shapes[i], acts[k % 3], k / 3);
            t.op.kind = EEX_OP_BN_EVAL;
            case_run(&t);
            double *y = expected(&t, tensor_doubles(&t.b, t.running_mean),
                                 tensor_doubles(&t.b, t.running_var));
            expect_close("y", t.y.host, y, t.y.n, 2e-5);
            bench_free(&t.b);
        }
}

Test(bn, evaluation_matches_the_reference)
{
    on_each_device(evaluation_on);
}

/* A sample's result must not depend on the batch it came in, nor on the threads. */
Test(bn, evaluation_of_a_sample_is_the_same_in_any_batch)
{
    const shape s = {129, 16, 24};
    norm_case all, one;
    eex_device *dev = open_device(3), *single = open_device(1);
    case_init(&all, dev, s, EEX_ACT_RELU6, true);
    all.op.kind = EEX_OP_BN_EVAL;
    case_run(&all);
    size_t row = (size_t)s.hw * (size_t)s.c;
    for (size_t i = 0; i < (size_t)s.batch; i += 16) {
        case_init(&one, single, (shape){1, s.hw, s.c}, EEX_ACT_RELU6, true);
        one.op.kind = EEX_OP_BN_EVAL;
        memcpy(one.x.host, all.x.host + i * row, row * sizeof(float));
        memcpy(one.residual.host, all.residual.host + i * row, row * sizeof(float));
        tensor_upload(&one.b, one.x);
        tensor_upload(&one.b, one.residual);
        case_run(&one);
        expect_equal_bits("y", one.y.host, all.y.host + i * row, row);
        bench_free(&one.b);
    }
    bench_free(&all.b);
    eex_device_close(dev);
    eex_device_close(single);
}

/* Values far from zero: sums of squares in single precision would lose the variance. */
static void far_from_zero_on(eex_device *dev)
{
    norm_case t;
    case_init(&t, dev, (shape){64, 16, 24}, EEX_ACT_NONE, false);
    for (size_t i = 0; i < t.x.n; i++)
        t.x.host[i] = 4000 + t.x.host[i];
    tensor_upload(&t.b, t.x);
    double *mean = bench_doubles(&t.b, 24), *var = bench_doubles(&t.b, 24);
    ref_moments(mean, var, tensor_doubles(&t.b, t.x), 64 * 16, 24);
    case_run(&t);
    check_statistics(&t, mean, var);
    expect_close("y", t.y.host, expected(&t, mean, var), t.y.n, 2e-3);
    bench_free(&t.b);
}

Test(bn, values_far_from_zero_keep_their_variance)
{
    on_each_device(far_from_zero_on);
}

static void nan_on(eex_device *dev)
{
    norm_case t;
    case_init(&t, dev, (shape){4, 4, 24}, EEX_ACT_RELU6, false);
    t.x.host[5] = NAN;
    tensor_upload(&t.b, t.x);
    case_run(&t);
    cr_assert(isnan(t.y.host[5]) && isnan(t.y.host[24 + 5]), "ReLU6 hid a NaN");
    cr_assert_not(isnan(t.y.host[6]));
    bench_free(&t.b);
}

Test(bn, nan_is_not_hidden_by_the_activation)
{
    on_each_device(nan_on);
}

/* ---- backward ---- */

/* The scalar sum(dy * y) as a function of one of its inputs, for finite differences. */
typedef struct objective {
    norm_case *t;
    const double *dy, *mean, *var; /* mean NULL: of the batch */
    const double *x, *residual, *gamma, *beta;
    const double **varied; /* which of the four changes */
} objective;

static double objective_value(const double *values, void *ctx)
{
    objective *o = ctx;
    norm_case *t = o->t;
    size_t pixels = t->y.n / (size_t)t->s.c;
    double mean[1280], var[1280], sum = 0;
    *o->varied = values;
    if (!o->mean)
        ref_moments(mean, var, o->x, pixels, t->s.c);
    double *y = malloc(t->y.n * sizeof *y);
    cr_assert_not_null(y);
    ref_bn(y, o->x, o->residual, o->gamma, o->beta, o->mean ? o->mean : mean,
           o->mean ? o->var : var, pixels, t->s.c, 1e-5, t->act);
    for (size_t i = 0; i < t->y.n; i++)
        sum += o->dy[i] * y[i];
    free(y);
    return sum;
}

/* Compares up to 40 elements of `got` with the slopes; `before` was there if it accumulates. */
static void check_slopes(const char *what, objective *o, const double **varied, tensor got,
                         float before)
{
    double *values = bench_doubles(&o->t->b, got.n);
    memcpy(values, *varied, got.n * sizeof *values);
    o->varied = varied;
    tensor_download(&o->t->b, got);
    for (size_t i = 0; i < got.n; i += got.n / 40 + 1) {
        double slope = ref_slope(objective_value, o, values, i) + before;
        cr_assert(fabs(got.host[i] - slope) <= 2e-4 * (1 + fabs(slope)),
                  "%s of (%d, %d, %d), act %d: element %zu is %.7g, expected %.7g", what,
                  o->t->s.batch, o->t->s.hw, o->t->s.c, (int)o->t->act, i, (double)got.host[i],
                  slope);
    }
    *varied = values;
}

typedef struct backward_options {
    bool residual, accumulate, batch_stats, freeze, no_dx;
} backward_options;

typedef struct outputs {
    tensor dy, dx, dresidual, dgamma, dbeta;
} outputs;

static outputs run_backward(norm_case *t, backward_options o)
{
    size_t n = t->y.n, c = (size_t)t->s.c;
    outputs g = {.dy = tensor_random(&t->b, n, 21, -1, 1), .dx = tensor_poison(&t->b, n)};
    g.dresidual = o.accumulate ? tensor_filled(&t->b, n, 0.5f) : tensor_poison(&t->b, n);
    g.dgamma = o.accumulate ? tensor_filled(&t->b, c, 0.5f) : tensor_poison(&t->b, c);
    g.dbeta = o.accumulate ? tensor_filled(&t->b, c, 0.5f) : tensor_poison(&t->b, c);
    eex_op op = {.kind = EEX_OP_BN_BWD, .name = "bn"};
    op.u.bn_bwd = (eex_op_bn_bwd){.c = t->s.c,
                                  .hw = t->s.hw,
                                  .dy = g.dy.dev,
                                  .x = t->x.dev,
                                  .y = t->y.dev,
                                  .gamma = t->gamma.dev,
                                  .beta = t->beta.dev,
                                  .save_mean = o.batch_stats ? t->save_mean.dev : NULL,
                                  .save_invstd = o.batch_stats ? t->save_invstd.dev : NULL,
                                  .running_mean = t->running_mean.dev,
                                  .running_var = t->running_var.dev,
                                  .eps = 1e-5f,
                                  .batch_stats = o.batch_stats,
                                  .act = t->act,
                                  .has_residual = o.residual,
                                  .dx = o.no_dx ? NULL : g.dx.dev,
                                  .dresidual = o.residual ? g.dresidual.dev : NULL,
                                  .dresidual_accumulate = o.accumulate,
                                  .dgamma = o.freeze ? NULL : g.dgamma.dev,
                                  .dbeta = o.freeze ? NULL : g.dbeta.dev,
                                  .accumulate = o.accumulate};
    eex_step step = bench_step(t->s.batch);
    bench_run(&t->b, &op, t->s.batch, &step);
    return g;
}

static void check_backward(eex_device *dev, shape s, eex_act act, backward_options o)
{
    norm_case t;
    float before = o.accumulate ? 0.5f : 0;
    case_init(&t, dev, s, act, o.residual);
    t.op.kind = o.batch_stats ? EEX_OP_BN_TRAIN : EEX_OP_BN_EVAL;
    double *mean = tensor_doubles(&t.b, t.running_mean), *var = tensor_doubles(&t.b, t.running_var);
    objective f = {.t = &t, .mean = o.batch_stats ? NULL : mean, .var = var};
    case_run(&t);
    outputs g = run_backward(&t, o);
    f.dy = tensor_doubles(&t.b, g.dy);
    f.x = tensor_doubles(&t.b, t.x);
    f.residual = o.residual ? tensor_doubles(&t.b, t.residual) : NULL;
    f.gamma = tensor_doubles(&t.b, t.gamma);
    f.beta = tensor_doubles(&t.b, t.beta);
    if (!o.no_dx)
        check_slopes("dx", &f, &f.x, g.dx, 0);
    if (o.residual)
        check_slopes("dresidual", &f, &f.residual, g.dresidual, before);
    if (!o.freeze) {
        check_slopes("dgamma", &f, &f.gamma, g.dgamma, before);
        check_slopes("dbeta", &f, &f.beta, g.dbeta, before);
    }
    bench_free(&t.b);
}

static void backward_on(eex_device *dev)
{
    static const shape small[] = {{3, 4, 1}, {5, 3, 3}, {3, 4, 24}, {2, 3, 40}};
    for (int k = 0; k < 4 * 3 * 8; k++) {
        backward_options o = {.residual = k & 1, .accumulate = k & 2, .batch_stats = !(k & 4)};
        check_backward(dev, small[k / 24], acts[k / 8 % 3], o);
    }
    check_backward(dev, (shape){129, 16, 24}, EEX_ACT_RELU6,
                   (backward_options){.batch_stats = true});
    check_backward(dev, (shape){3, 2, 1280}, EEX_ACT_RELU,
                   (backward_options){.batch_stats = true, .residual = true});
}

Test(bn, gradients_match_finite_differences)
{
    on_each_device(backward_on);
}

static void partial_on(eex_device *dev)
{
    for (int k = 0; k < 16; k++) {
        backward_options o = {
            .residual = k & 1, .no_dx = k & 2, .freeze = k & 4, .batch_stats = k & 8};
        check_backward(dev, (shape){3, 4, 24}, EEX_ACT_RELU6, o);
    }
}

Test(bn, gradients_that_nobody_needs_may_be_left_out)
{
    on_each_device(partial_on);
}

Test(bn, training_is_the_same_bit_for_bit_every_time)
{
    eex_device *dev = open_device(3);
    norm_case first, second;
    case_init(&first, dev, (shape){129, 16, 24}, EEX_ACT_RELU, true);
    case_init(&second, dev, (shape){129, 16, 24}, EEX_ACT_RELU, true);
    backward_options o = {.residual = true, .batch_stats = true};
    case_run(&first);
    case_run(&second);
    outputs g = run_backward(&first, o), h = run_backward(&second, o);
    tensor_download(&first.b, g.dx);
    tensor_download(&second.b, h.dx);
    tensor_download(&first.b, g.dgamma);
    tensor_download(&second.b, h.dgamma);
    expect_equal_bits("y", second.y.host, first.y.host, first.y.n);
    expect_equal_bits("dx", h.dx.host, g.dx.host, g.dx.n);
    expect_equal_bits("dgamma", h.dgamma.host, g.dgamma.host, g.dgamma.n);
    bench_free(&first.b);
    bench_free(&second.b);
    eex_device_close(dev);
}
