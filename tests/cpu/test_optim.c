#include "support/devices.h"
#include "support/tensor.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { LARGE = 16 * 5001 };
static const size_t sizes[] = {16, 48, LARGE};

typedef struct optim_case {
    bench b;
    size_t n;
    tensor w, g, m, v, clip;
    uint8_t decay[LARGE / 16];
    eex_op op;
} optim_case;

static void case_init(optim_case *t, eex_device *dev, eex_op_kind kind, size_t n)
{
    bench_init(&t->b, dev);
    t->n = n;
    t->w = tensor_random(&t->b, n, 1, -1, 1);
    t->g = tensor_random(&t->b, n, 2, -1, 1);
    t->m = tensor_random(&t->b, n, 3, -1, 1);
    t->v = tensor_random(&t->b, n, 4, 0, 1);
    t->clip = tensor_filled(&t->b, 1, 0.5f);
    for (size_t i = 0; i < n / 16; i++)
        t->decay[i] = i % 3 != 1;
    t->op = (eex_op){.kind = kind, .name = "optimiser"};
    t->op.u.optim = (eex_op_optim){.count = n,
                                   .w = t->w.dev,
                                   .g = t->g.dev,
                                   .m = t->m.dev,
                                   .v = t->v.dev,
                                   .decay = bench_bytes(&t->b, t->decay, n / 16),
                                   .momentum = 0.9f,
                                   .beta1 = 0.9f,
                                   .beta2 = 0.99f,
                                   .eps = 1e-3f,
                                   .weight_decay = 0.05f};
}

static void case_run(optim_case *t)
{
    eex_step step = bench_step(1);
    bench_run(&t->b, &t->op, 1, &step);
    tensor_download(&t->b, t->w);
    tensor_download(&t->b, t->m);
    tensor_download(&t->b, t->v);
}

static void check_sgd(optim_case *t, bool nesterov, bool momentum, double clip)
{
    double *w = tensor_doubles(&t->b, t->w), *m = tensor_doubles(&t->b, t->m);
    t->op.u.optim.nesterov = nesterov;
    if (!momentum) {
        t->op.u.optim.m = NULL;
        t->op.u.optim.momentum = 0;
    }
    case_run(t);
    for (size_t i = 0; i < t->n; i++) {
        double d = clip * t->g.host[i] + (t->decay[i / 16] ? 0.05 * w[i] : 0);
        double moved = 0.9 * m[i] + d;
        if (momentum) {
            m[i] = moved;
            d = nesterov ? d + 0.9 * moved : moved;
        }
        w[i] -= 0.1 * d;
    }
    expect_close("w", t->w.host, w, t->n, 1e-6);
    expect_close("m", t->m.host, m, t->n, 1e-6);
}

static void sgd_on(eex_device *dev)
{
    for (int i = 0; i < 12; i++) {
        optim_case t;
        bool clipped = i / 3 % 2;
        case_init(&t, dev, EEX_OP_SGD, sizes[i % 3]);
        t.op.u.optim.clip = clipped ? t.clip.dev : NULL;
        check_sgd(&t, i < 6, i != 3 && i != 8, clipped ? 0.5 : 1);
        bench_free(&t.b);
    }
}

Test(optim, sgd_matches_the_reference)
{
    on_each_device(sgd_on);
}

static void check_adamw(optim_case *t, double clip)
{
    double *w = tensor_doubles(&t->b, t->w), *m = tensor_doubles(&t->b, t->m);
    double *v = tensor_doubles(&t->b, t->v);
    case_run(t);
    for (size_t i = 0; i < t->n; i++) { /* the step is the third */
        double d = clip * t->g.host[i];
        m[i] = 0.9 * m[i] + 0.1 * d;
        v[i] = 0.99 * v[i] + 0.01 * d * d;
        w[i] *= t->decay[i / 16] ? 1 - 0.1 * 0.05 : 1;
        w[i] -= 0.1 * (m[i] / (1 - pow(0.9, 3))) / (sqrt(v[i] / (1 - pow(0.99, 3))) + 1e-3);
    }
    expect_close("w", t->w.host, w, t->n, 3e-6);
    expect_close("m", t->m.host, m, t->n, 1e-6);
    expect_close("v", t->v.host, v, t->n, 1e-6);
}

static void adamw_on(eex_device *dev)
{
    for (int i = 0; i < 6; i++) {
        optim_case t;
        case_init(&t, dev, EEX_OP_ADAMW, sizes[i % 3]);
        t.op.u.optim.clip = i / 3 ? t.clip.dev : NULL;
        check_adamw(&t, i / 3 ? 0.5 : 1);
        bench_free(&t.b);
    }
}

Test(optim, adamw_matches_the_reference)
{
    on_each_device(adamw_on);
}

/* Early steps move faster than ema_decay says; step 3 keeps 4/13 at most. */
static void ema_on(eex_device *dev)
{
    for (int i = 0; i < 6; i++) {
        optim_case t;
        float decay = i / 3 ? 0.999f : 0.2f;
        double keep = i / 3 ? 4.0 / 13 : 0.2;
        case_init(&t, dev, EEX_OP_EMA, sizes[i % 3]);
        double *want = tensor_doubles(&t.b, t.m);
        for (size_t k = 0; k < t.n; k++)
            want[k] = keep * want[k] + (1 - keep) * t.w.host[k];
        t.op.u.optim.ema = t.m.dev;
        t.op.u.optim.ema_decay = decay;
        case_run(&t);
        expect_close("average", t.m.host, want, t.n, 1e-6);
        bench_free(&t.b);
    }
}

Test(optim, ema_warms_up)
{
    on_each_device(ema_on);
}

static void clamp_on(eex_device *dev)
{
    for (int i = 0; i < 3; i++) {
        optim_case t;
        case_init(&t, dev, EEX_OP_CLAMP, sizes[i]);
        t.op.u.optim.clip_value = 0.3f;
        t.g.host[t.n / 2] = NAN;
        t.g.host[0] = -INFINITY;
        t.g.host[1] = 0.3f;
        tensor_upload(&t.b, t.g);
        float *before = malloc(t.n * sizeof *before);
        cr_assert_not_null(before);
        memcpy(before, t.g.host, t.n * sizeof *before);
        case_run(&t);
        tensor_download(&t.b, t.g);
        for (size_t k = 0; k < t.n; k++) {
            const float want = before[k] > 0.3f ? 0.3f : before[k] < -0.3f ? -0.3f : before[k];
            if (k == t.n / 2)
                cr_assert(isnan(t.g.host[k]), "clipping hid a NaN");
            else
                cr_assert_eq(t.g.host[k], want, "element %zu of %zu", k, t.n);
        }
        free(before);
        bench_free(&t.b);
    }
}

Test(optim, gradients_are_clamped_one_by_one)
{
    on_each_device(clamp_on);
}

static double run_norm(optim_case *t, float largest)
{
    double norm = -1, *on_device = bench_bytes(&t->b, &norm, sizeof norm);
    t->op.u.optim.norm = on_device;
    t->op.u.optim.clip = t->clip.dev;
    t->op.u.optim.clip_norm = largest;
    case_run(t);
    tensor_download(&t->b, t->clip);
    t->b.dev->vtable->download(t->b.dev, &norm, on_device, sizeof norm);
    return norm;
}

static void norm_on(eex_device *dev)
{
    for (int i = 0; i < 3; i++) {
        optim_case t;
        double squares = 0;
        case_init(&t, dev, EEX_OP_GRAD_NORM, sizes[i]);
        for (size_t k = 0; k < t.n; k++)
            squares += (double)t.g.host[k] * t.g.host[k];
        cr_assert_float_eq(run_norm(&t, 0.25f), sqrt(squares), 1e-6 * sqrt(squares));
        cr_assert_float_eq(t.clip.host[0], 0.25 / sqrt(squares), 1e-6);
        run_norm(&t, 1e6f);
        cr_assert_eq(t.clip.host[0], 1);
        t.g.host[t.n / 2] = NAN;
        tensor_upload(&t.b, t.g);
        cr_assert(isnan(run_norm(&t, 1e6f)));
        cr_assert(isnan(t.clip.host[0]), "clipping hid a NaN");
        bench_free(&t.b);
    }
}

Test(optim, gradient_norm_and_clipping_factor)
{
    on_each_device(norm_on);
}

Test(optim, gradient_norm_is_the_same_for_any_number_of_threads)
{
    double norms[2];
    for (int i = 0; i < 2; i++) {
        optim_case t;
        eex_device *dev = open_device(1 + 2 * i);
        case_init(&t, dev, EEX_OP_GRAD_NORM, LARGE);
        norms[i] = run_norm(&t, 1);
        bench_free(&t.b);
        eex_device_close(dev);
    }
    cr_assert_eq(norms[0], norms[1]);
}

Test(optim, wrong_buffers_are_refused)
{
    eex_device *dev = open_device(1);
    void *state;
    optim_case t;
    case_init(&t, dev, EEX_OP_SGD, 48);
    t.op.u.optim.count = 47;
    cr_assert_eq(dev->vtable->prepare(dev, &state, &t.op, 1), EEX_EINVAL);
    cr_assert_not_null(strstr(eex_error(), "47 parameters"));
    t.op.u.optim.count = 48;
    t.op.u.optim.m = NULL;
    cr_assert_eq(dev->vtable->prepare(dev, &state, &t.op, 1), EEX_EINVAL);
    t.op.kind = EEX_OP_ADAMW;
    cr_assert_eq(dev->vtable->prepare(dev, &state, &t.op, 1), EEX_EINVAL);
    bench_free(&t.b);
    eex_device_close(dev);
}
