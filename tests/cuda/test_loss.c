/* The loss in all layouts, and labels that are no class. */
#include "support/array.h"
#include "support/devices.h"
#include "support/reference_ops.h"

#include <math.h>
#include <string.h>

enum { MOST_ROWS = 129 };

typedef struct loss_case {
    int batch, classes;
    float weight, smoothing, l1, distill, distill_t;
} loss_case;

static const loss_case cases[] = {{129, 10, 0.5f, 0.1f, 0.1f, 1, 2}, {3, 1, 1, 0.1f, 0, 0, 1},
                                  {5, 33, 2, 0, 0.05f, 0, 1},        {4, 1000, 1, 0, 0, 0.7f, 4},
                                  {2, 3, 1, 0.2f, 0, 1, 3},          {7, 1280, 1, 0.1f, 0, 0, 1}};
enum { CASES = sizeof cases / sizeof *cases };

typedef struct loss_run {
    bench b;
    loss_case t;
    array_layout layout;
    array logits, teacher, dlogits;
    int32_t labels[MOST_ROWS];
    double totals[2];
    eex_op op;
} loss_run;

static void run_init(loss_run *r, eex_device *dev, loss_case t, array_layout layout)
{
    size_t n = (size_t)t.batch * (size_t)t.classes;
    *r = (loss_run){.t = t, .layout = layout};
    bench_init(&r->b, dev);
    r->logits = array_random(&r->b, layout, n, 1, -6, 9);
    r->teacher = array_random(&r->b, layout, n, 2, -4, 4);
    r->dlogits = array_poison(&r->b, layout, n);
    for (int i = 0; i < t.batch; i++)
        r->labels[i] = (i * 7 + 3) % t.classes;
    r->op = (eex_op){.kind = EEX_OP_LOSS, .name = "loss", .precision = layout.precision};
    r->op.u.loss = (eex_op_loss){.classes = t.classes,
                                 .logits = r->logits.dev,
                                 .teacher = t.distill > 0 ? r->teacher.dev : NULL,
                                 .dlogits = r->dlogits.dev,
                                 .weight = t.weight,
                                 .smoothing = t.smoothing,
                                 .l1 = t.l1,
                                 .distill = t.distill,
                                 .distill_t = t.distill_t};
}

static void run_loss(loss_run *r)
{
    const double zero[2] = {0, 0};
    eex_op_loss *loss = &r->op.u.loss;
    eex_step step = bench_step(r->t.batch);
    loss->totals = bench_bytes(&r->b, zero, sizeof zero);
    loss->labels = bench_bytes(&r->b, r->labels, (size_t)r->t.batch * sizeof *r->labels);
    bench_run(&r->b, &r->op, r->t.batch, &step);
    cr_assert_eq(r->b.dev->vtable->download(r->b.dev, r->totals, loss->totals, sizeof r->totals),
                 EEX_OK);
}

typedef struct objective {
    const loss_run *r;
    const double *teacher;
} objective;

static double objective_value(const double *z, void *ctx)
{
    const objective *o = ctx;
    return ref_loss(NULL, z, o->teacher, o->r->labels, o->r->t.batch, &o->r->op.u.loss);
}

static void check(loss_run *r)
{
    enum { SOME = 200 };
    objective o = {r, r->t.distill > 0 ? r->teacher.host : NULL};
    double value = objective_value(r->logits.host, &o) / r->t.weight * r->t.batch;
    cr_assert(fabs(r->totals[0] - value) <= 2e-6 * (1 + value), "%g, expected %g", r->totals[0],
              value);
    double *d = array_download(&r->b, r->dlogits), got[SOME], want[SOME];
    size_t count = 0, each = r->dlogits.n / SOME + 1;
    for (size_t i = 0; i < r->dlogits.n; i += each, count++) {
        got[count] = d[i];
        want[count] = ref_slope(objective_value, &o, r->logits.host, i);
    }
    expect_near("dlogits", got, want, count,
                r->layout.precision == EEX_BF16 ? 1e-2 : 2e-5); /* differences are no better */
}

static void loss_on(eex_device *dev)
{
    for (int i = 0; i < CASES * ARRAY_LAYOUTS; i++) {
        loss_run r;
        array_layout layout = array_layouts[i % ARRAY_LAYOUTS];
        if (!(dev->precisions & 1u << layout.precision))
            continue;
        run_init(&r, dev, cases[i / ARRAY_LAYOUTS], layout);
        for (size_t k = 0; k < r.logits.n; k++) /* |z| has a corner at 0 */
            r.logits.host[k] = fabs(r.logits.host[k]) < 0.01 ? 0.5 : r.logits.host[k];
        array_upload(&r.b, r.logits);
        run_loss(&r);
        check(&r);
        bench_free(&r.b);
    }
}

Test(loss, all_layouts_match_the_reference)
{
    on_each_device(loss_on);
}

/* Where the host cannot look at labels, a wrong one is a NaN. */
static void label_on(eex_device *dev)
{
    static const int32_t wrong[] = {-1, 10, 1 << 30};
    for (int i = 0; i < 3 && !dev->host_memory; i++) {
        loss_run r;
        run_init(&r, dev, (loss_case){5, 10, 1, 0.1f, 0, 0, 1}, array_layouts[0]);
        r.labels[3] = wrong[i];
        run_loss(&r);
        double *d = array_download(&r.b, r.dlogits);
        cr_assert(isnan(r.totals[0]));
        for (int j = 0; j < 50; j++)
            cr_assert_eq(!!isnan(d[j]), j / 10 == 3);
        bench_free(&r.b);
    }
}

Test(loss, a_label_that_is_no_class_is_nan)
{
    on_each_device(label_on);
}
