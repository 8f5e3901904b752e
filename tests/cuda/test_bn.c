/* Batch norm in both precisions, with packs of channels and without, in one launch and in two. */
#include "support/array.h"
#include "support/devices.h"

#include <math.h>
#include <string.h>

typedef struct shape {
    int batch, hw, c;
} shape;

/* From the sixth on there are too many rows for one block, with and without whole packs; in the
 * last two also more chunks of rows than a block has threads below each other to add them. */
static const shape shapes[] = {{1, 1, 8},     {3, 1, 1280},  {129, 16, 24}, {7, 9, 13},
                               {129, 1, 960}, {3, 2500, 24}, {5, 3000, 3},  {2, 4500, 1},
                               {9, 1024, 40}, {3, 1000, 65}, {1, 4200, 200}};
enum { SHAPES = sizeof shapes / sizeof *shapes };
static const eex_act acts[] = {EEX_ACT_NONE, EEX_ACT_RELU, EEX_ACT_RELU6};

typedef struct norm_case {
    bench b;
    shape s;
    array_layout layout;
    size_t n;
    array x, y, residual, dy, dx, dresidual;
    tensor gamma, beta, running_mean, running_var, save_mean, save_invstd, dgamma, dbeta;
    eex_op forward, backward;
} norm_case;

typedef struct norm_options {
    eex_act act;
    bool residual, running, accumulate;
} norm_options;

static void case_arrays(norm_case *t, bool accumulate)
{
    bench *b = &t->b;
    size_t n = t->n, c = (size_t)t->s.c;
    t->x = array_random(b, t->layout, n, 11, -2, 3);
    t->residual = array_random(b, t->layout, n, 12, -1, 2);
    t->dy = array_random(b, t->layout, n, 13, -1, 1);
    t->y = array_poison(b, t->layout, n);
    t->dx = array_poison(b, t->layout, n);
    t->dresidual = accumulate ? array_filled(b, t->layout, n, 0.5) : array_poison(b, t->layout, n);
    t->gamma = tensor_random(b, c, 14, 1, 3);
    t->beta = tensor_random(b, c, 15, 0, 3);
    t->running_mean = tensor_random(b, c, 16, -0.5, 1);
    t->running_var = tensor_random(b, c, 17, 1, 3);
    t->save_mean = tensor_poison(b, c);
    t->save_invstd = tensor_poison(b, c);
    t->dgamma = accumulate ? tensor_filled(b, c, 0.5f) : tensor_poison(b, c);
    t->dbeta = accumulate ? tensor_filled(b, c, 0.5f) : tensor_poison(b, c);
}

static void case_init(norm_case *t, eex_device *dev, shape s, array_layout layout, norm_options o)
{
    *t = (norm_case){.s = s, .layout = layout};
    t->n = (size_t)s.batch * (size_t)s.hw * (size_t)s.c;
    bench_init(&t->b, dev);
    case_arrays(t, o.accumulate);
    t->forward = (eex_op){.kind = o.running ? EEX_OP_BN_EVAL : EEX_OP_BN_TRAIN,
                          .precision = layout.precision,
                          .name = "bn"};
    t->forward.u.bn = (eex_op_bn){.c = s.c,
                                  .hw = s.hw,
                                  .x = t->x.dev,
                                  .residual = o.residual ? t->residual.dev : NULL,
                                  .y = t->y.dev,
                                  .gamma = t->gamma.dev,
                                  .beta = t->beta.dev,
                                  .running_mean = t->running_mean.dev,
                                  .running_var = t->running_var.dev,
                                  .save_mean = t->save_mean.dev,
                                  .save_invstd = t->save_invstd.dev,
                                  .momentum = 0.1f,
                                  .eps = 1e-5f,
                                  .act = o.act};
    t->backward =
        (eex_op){.kind = EEX_OP_BN_BWD, .precision = layout.precision, .name = "bn backward"};
    t->backward.u.bn_bwd = (eex_op_bn_bwd){.c = s.c,
                                           .hw = s.hw,
                                           .dy = t->dy.dev,
                                           .x = t->x.dev,
                                           .y = t->y.dev,
                                           .gamma = t->gamma.dev,
                                           .beta = t->beta.dev,
                                           .save_mean = t->save_mean.dev,
                                           .save_invstd = t->save_invstd.dev,
                                           .running_mean = t->running_mean.dev,
                                           .running_var = t->running_var.dev,
                                           .eps = 1e-5f,
                                           .batch_stats = !o.running,
                                           .act = o.act,
                                           .has_residual = o.residual,
                                           .dx = t->dx.dev,
                                           .dresidual = o.residual ? t->dresidual.dev : NULL,
                                           .dresidual_accumulate = o.accumulate,
                                           .dgamma = t->dgamma.dev,
                                           .dbeta = t->dbeta.dev,
                                           .accumulate = o.accumulate};
}

static void run(norm_case *t, const eex_op *op)
{
    eex_step step = bench_step(t->s.batch);
    bench_run(&t->b, op, t->s.batch, &step);
}

/* ---- the reference ---- */

typedef struct reference {
    double *y, *dx, *dz, *mean, *invstd, *var, *dgamma, *dbeta;
} reference;

static void ref_statistics(norm_case *t, reference *r, const double *x, bool running)
{
    size_t c = (size_t)t->s.c, rows = t->n / c;
    for (size_t j = 0; j < c; j++) {
        double mean = 0, var = 0;
        for (size_t i = 0; i < rows; i++)
            mean += x[i * c + j] / (double)rows;
        for (size_t i = 0; i < rows; i++)
            var += (x[i * c + j] - mean) * (x[i * c + j] - mean) / (double)rows;
        r->mean[j] = running ? t->running_mean.host[j] : mean;
        r->var[j] = running ? t->running_var.host[j] : var;
        r->invstd[j] = 1 / sqrt(r->var[j] + 1e-5);
    }
}

static double slope(eex_act act, double y)
{
    return act == EEX_ACT_NONE || (y > 0 && !(act == EEX_ACT_RELU6 && y >= 6));
}

static double clamp(eex_act act, double z)
{
    z = act != EEX_ACT_NONE && z < 0 ? 0 : z;
    return act == EEX_ACT_RELU6 && z > 6 ? 6 : z;
}

/* The slopes are those at `y`, what the device has: near the corners precisions may disagree. */
static void ref_backward(norm_case *t, reference *r, const double *y, bool running)
{
    size_t c = (size_t)t->s.c, rows = t->n / c;
    for (size_t i = 0; i < t->n; i++) {
        double d = t->x.host[i] - r->mean[i % c];
        r->dz[i] = t->dy.host[i] * slope(t->forward.u.bn.act, y[i]);
        r->dbeta[i % c] += r->dz[i];
        r->dgamma[i % c] += r->dz[i] * d * r->invstd[i % c];
    }
    for (size_t i = 0; i < t->n; i++) {
        size_t j = i % c;
        double xhat = (t->x.host[i] - r->mean[j]) * r->invstd[j];
        double rest = running ? 0 : (r->dbeta[j] + xhat * r->dgamma[j]) / (double)rows;
        r->dx[i] = t->gamma.host[j] * r->invstd[j] * (r->dz[i] - rest);
    }
}

static reference ref_new(norm_case *t)
{
    bench *b = &t->b;
    size_t n = t->n, c = (size_t)t->s.c;
    return (reference){bench_doubles(b, n), bench_doubles(b, n), bench_doubles(b, n),
                       bench_doubles(b, c), bench_doubles(b, c), bench_doubles(b, c),
                       bench_doubles(b, c), bench_doubles(b, c)};
}

static void ref_forward(norm_case *t, reference *r, bool running)
{
    size_t c = (size_t)t->s.c;
    const eex_op_bn *bn = &t->forward.u.bn;
    ref_statistics(t, r, t->x.host, running);
    for (size_t i = 0; i < t->n; i++) {
        size_t j = i % c;
        double z = t->gamma.host[j] * (t->x.host[i] - r->mean[j]) * r->invstd[j] + t->beta.host[j];
        r->y[i] = clamp(bn->act, z + (bn->residual ? t->residual.host[i] : 0));
    }
}

/* ---- tests ---- */

static void check_channels(norm_case *t, const char *what, tensor got, const double *want,
                           double before, double tolerance)
{
    size_t c = got.n;
    double *value = bench_doubles(&t->b, c), *sum = bench_doubles(&t->b, c);
    tensor_download(&t->b, got);
    for (size_t j = 0; j < c; j++) {
        value[j] = got.host[j];
        sum[j] = want[j] + before;
    }
    expect_near(what, value, sum, c, tolerance);
}

static void check_running(norm_case *t, reference *r)
{
    size_t c = (size_t)t->s.c, rows = t->n / c;
    double *mean = bench_doubles(&t->b, c), *var = bench_doubles(&t->b, c);
    double unbias = rows > 1 ? (double)rows / ((double)rows - 1) : 1;
    for (size_t j = 0; j < c; j++) {
        mean[j] = 0.9 * t->running_mean.host[j] + 0.1 * r->mean[j];
        var[j] = 0.9 * t->running_var.host[j] + 0.1 * r->var[j] * unbias;
    }
    check_channels(t, "saved mean", t->save_mean, r->mean, 0, 1e-5);
    check_channels(t, "saved 1/deviation", t->save_invstd, r->invstd, 0, 1e-5);
    check_channels(t, "running mean", t->running_mean, mean, 0, 1e-5);
    check_channels(t, "running variance", t->running_var, var, 0, 1e-5);
}

static void check(eex_device *dev, shape s, array_layout layout, norm_options o)
{
    norm_case t;
    double tolerance = array_tolerance(layout), before = o.accumulate ? 0.5 : 0;
    case_init(&t, dev, s, layout, o);
    reference r = ref_new(&t);
    ref_forward(&t, &r, o.running);
    run(&t, &t.forward);
    double *y = array_download(&t.b, t.y);
    expect_near("y", y, r.y, t.n, 2 * tolerance);
    if (!o.running)
        check_running(&t, &r);
    ref_backward(&t, &r, y, o.running);
    run(&t, &t.backward);
    double scale = sqrt((double)(t.n / (size_t)s.c)); /* of what sums of random terms lose */
    check_channels(&t, "dgamma", t.dgamma, r.dgamma, before, 1e-5 + 1e-7 * scale);
    check_channels(&t, "dbeta", t.dbeta, r.dbeta, before, 1e-5 + 1e-7 * scale);
    if (t.n > (size_t)s.c) /* else it is zero but for rounding */
        expect_near("dx", array_download(&t.b, t.dx), r.dx, t.n, 2 * tolerance);
    for (size_t i = 0; i < t.n; i++)
        r.dz[i] += before;
    if (o.residual)
        expect_near("dresidual", array_download(&t.b, t.dresidual), r.dz, t.n, tolerance);
    bench_free(&t.b);
}

static void layouts_on(eex_device *dev)
{
    for (int i = 0; i < SHAPES; i++)
        for (int l = 0; l < ARRAY_LAYOUTS; l++)
            for (int k = 0; k < 3; k++) {
                int turn = i + l + k;
                norm_options o = {acts[k], turn % 2, turn % 5 == 4, turn / 2 % 2};
                if (dev->precisions & 1u << array_layouts[l].precision)
                    check(dev, shapes[i], array_layouts[l], o);
            }
}

Test(bn, all_layouts_match_the_reference)
{
    on_each_device(layouts_on);
}

/* With running statistics, whatever is wanted of the gradients. */
static void frozen_on(eex_device *dev)
{
    for (int l = 0; l < ARRAY_LAYOUTS; l++)
        for (int k = 0; k < 12; k++) {
            norm_options o = {acts[k % 3], k / 3 % 2, true, k / 6};
            if (dev->precisions & 1u << array_layouts[l].precision)
                check(dev, (shape){9, 5, 24}, array_layouts[l], o);
        }
}

Test(bn, running_statistics_in_all_layouts)
{
    on_each_device(frozen_on);
}

/* Means a thousand deviations from zero, and a first row that is far from all others. */
static void far_on(eex_device *dev)
{
    static const shape both[] = {{8, 64, 24}, {9, 600, 24}, {9, 1100, 3}};
    for (int k = 0; k < 6; k++) {
        norm_case t;
        case_init(&t, dev, both[k / 2], array_layouts[0], (norm_options){.act = EEX_ACT_NONE});
        size_t c = (size_t)t.s.c;
        float *x = (float *)(void *)bench_doubles(&t.b, t.n);
        for (size_t i = 0; i < t.n; i++)
            t.x.host[i] = x[i] = (float)(i < c && k % 2 ? 0 : 4000 + t.x.host[i]);
        t.forward.u.bn.x = bench_bytes(&t.b, x, t.n * sizeof *x);
        reference r = ref_new(&t);
        ref_forward(&t, &r, false);
        run(&t, &t.forward);
        check_running(&t, &r);
        expect_near("y", array_download(&t.b, t.y), r.y, t.n, 2e-4);
        bench_free(&t.b);
    }
}

Test(bn, values_far_from_zero_keep_their_variance)
{
    on_each_device(far_on);
}

/* Sums that the convolution took along. */
static void stats_on(eex_device *dev)
{
    for (int l = 0; l < ARRAY_LAYOUTS; l += 2) {
        norm_case t;
        if (!(dev->precisions & 1u << array_layouts[l].precision))
            continue;
        case_init(&t, dev, (shape){9, 7, 24}, array_layouts[l],
                  (norm_options){.act = EEX_ACT_RELU});
        double *sums = bench_doubles(&t.b, 48);
        for (size_t i = 0; i < t.n; i++) {
            sums[i % 24] += t.x.host[i];
            sums[24 + i % 24] += t.x.host[i] * t.x.host[i];
        }
        t.forward.u.bn.stats = bench_bytes(&t.b, sums, 48 * sizeof *sums);
        reference r = ref_new(&t);
        ref_forward(&t, &r, false);
        run(&t, &t.forward);
        check_running(&t, &r);
        expect_near("y", array_download(&t.b, t.y), r.y, t.n, array_tolerance(t.layout));
        bench_free(&t.b);
    }
}

Test(bn, sums_of_the_convolution_are_used)
{
    on_each_device(stats_on);
}

/* The op's state is as it was after a run: the same op again gives the same bits, also with another
 * batch between. */
static void repeated_on(eex_device *dev)
{
    norm_case t;
    void *state[2] = {NULL, NULL};
    double *first[2], *second[2];
    eex_step step = bench_step(9), less = bench_step(4);
    case_init(&t, dev, (shape){9, 1024, 24}, array_layouts[0],
              (norm_options){.act = EEX_ACT_RELU6});
    const eex_op *ops[2] = {&t.forward, &t.backward};
    for (int k = 0; k < 2; k++) {
        cr_assert_eq(dev->vtable->prepare(dev, &state[k], ops[k], 9), EEX_OK, "%s", eex_error());
        cr_assert_eq(dev->vtable->run(dev, ops[k], state[k], &step), EEX_OK, "%s", eex_error());
        first[k] = array_download(&t.b, k ? t.dx : t.y);
    }
    for (int k = 0; k < 2; k++)
        cr_assert_eq(dev->vtable->run(dev, ops[k], state[k], &less), EEX_OK, "%s", eex_error());
    for (int k = 0; k < 2; k++) {
        cr_assert_eq(dev->vtable->run(dev, ops[k], state[k], &step), EEX_OK, "%s", eex_error());
        second[k] = array_download(&t.b, k ? t.dx : t.y);
        cr_assert_eq(memcmp(first[k], second[k], t.n * sizeof(double)), 0, "run %d", k);
        dev->vtable->finish(dev, ops[k], state[k]);
    }
    bench_free(&t.b);
}

Test(bn, runs_again_with_the_same_bits)
{
    on_each_device(repeated_on);
}

/* Gradients in place: dx or dresidual may be dy. */
static void in_place_on(eex_device *dev)
{
    static const shape both[] = {{9, 16, 24}, {9, 1024, 24}};
    for (int k = 0; k < 4; k++) {
        norm_case t, same;
        norm_options o = {.act = EEX_ACT_RELU6, .residual = true};
        case_init(&t, dev, both[k / 2], array_layouts[0], o);
        case_init(&same, dev, both[k / 2], array_layouts[0], o);
        *(k % 2 ? &same.backward.u.bn_bwd.dx : &same.backward.u.bn_bwd.dresidual) = same.dy.dev;
        run(&t, &t.forward);
        run(&same, &same.forward);
        run(&t, &t.backward);
        run(&same, &same.backward);
        array dx = k % 2 ? same.dy : same.dx, dz = k % 2 ? same.dresidual : same.dy;
        cr_assert_eq(
            memcmp(array_download(&t.b, t.dx), array_download(&same.b, dx), t.n * sizeof(double)),
            0);
        cr_assert_eq(memcmp(array_download(&t.b, t.dresidual), array_download(&same.b, dz),
                            t.n * sizeof(double)),
                     0);
        bench_free(&t.b);
        bench_free(&same.b);
    }
}

Test(bn, gradients_may_take_the_place_of_dy)
{
    on_each_device(in_place_on);
}
