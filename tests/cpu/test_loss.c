#include "support/devices.h"
#include "support/reference_ops.h"
#include "support/tensor.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

typedef struct loss_case {
    int batch, classes;
    float weight, smoothing, l1, distill, distill_t;
    bool taught, binary;
} loss_case;

static const loss_case cases[] = {{1, 10, 1, 0, 0, 0, 1, false, false},
                                  {129, 10, 1, 0, 0, 0, 1, false, false},
                                  {3, 10, 0.3f, 0.1f, 0, 0, 1, false, false},
                                  {5, 10, 1, 0, 0.05f, 0, 1, false, false},
                                  {7, 10, 2, 0.1f, 0.05f, 0, 1, false, false},
                                  {4, 10, 1, 0, 0, 0.7f, 4, false, false},
                                  {6, 10, 0.5f, 0.1f, 0.1f, 1, 2, false, false},
                                  {3, 1, 1, 0.1f, 0, 0, 1, false, false},
                                  {2, 3, 1, 0.2f, 0, 1, 3, false, false},
                                  {3, 1280, 1, 0.1f, 0.01f, 1, 5, false, false},
                                  {129, 101, 1, 0.1f, 0, 0, 1, false, false},
                                  {7, 10, 1, 0.1f, 0, 1, 1, true, false},
                                  {33, 100, 0.5f, 0, 0.1f, 0.7f, 4, true, false},
                                  {129, 2, 1, 0, 0, 0, 1, false, true},
                                  {5, 1, 2, 0, 0, 0, 1, false, true},
                                  {33, 31, 0.5f, 0, 0.1f, 0, 1, false, true}};
enum { CASES = sizeof cases / sizeof *cases };

typedef struct loss_run {
    bench b;
    loss_case t;
    tensor logits, teacher, dlogits;
    int32_t *labels; /* on the device */
    int32_t host_labels[129];
    double totals[2];
    eex_op op;
} loss_run;

/* Logits of different sizes, some large, none near 0, where |z| has its corner. */
static void run_init(loss_run *r, eex_device *dev, loss_case t)
{
    size_t n = (size_t)t.batch * (size_t)t.classes;
    *r = (loss_run){.t = t};
    bench_init(&r->b, dev);
    r->logits = tensor_random(&r->b, n, 1, -6, 9);
    for (size_t i = 0; i < n; i++)
        if (fabsf(r->logits.host[i]) < 0.01f)
            r->logits.host[i] = 0.5f;
    tensor_upload(&r->b, r->logits);
    r->teacher = tensor_random(&r->b, n, 2, -4, 4);
    r->dlogits = tensor_poison(&r->b, n);
    for (int i = 0; i < t.batch; i++)
        r->host_labels[i] = t.binary ? (int32_t)(2654435761U * (unsigned)i >> (32 - t.classes))
                                     : (i * 7 + 3) % t.classes;
    r->labels = bench_bytes(&r->b, r->host_labels, (size_t)t.batch * sizeof(int32_t));
    r->op = (eex_op){.kind = EEX_OP_LOSS, .name = "loss"};
    r->op.u.loss = (eex_op_loss){.classes = t.classes,
                                 .logits = r->logits.dev,
                                 .teacher = t.distill > 0 ? r->teacher.dev : NULL,
                                 .labels = r->labels,
                                 .dlogits = r->dlogits.dev,
                                 .weight = t.weight,
                                 .smoothing = t.smoothing,
                                 .l1 = t.l1,
                                 .distill = t.distill,
                                 .distill_t = t.distill_t,
                                 .taught = t.taught,
                                 .binary = t.binary};
}

static void run_loss(loss_run *r)
{
    const double before[2] = {10, 20}; /* totals are added to */
    double *totals = bench_bytes(&r->b, before, sizeof before);
    r->op.u.loss.totals = totals;
    eex_step step = bench_step(r->t.batch);
    bench_run(&r->b, &r->op, r->t.batch, &step);
    r->b.dev->vtable->download(r->b.dev, r->totals, totals, sizeof r->totals);
    r->totals[0] -= before[0];
    r->totals[1] -= before[1];
    tensor_download(&r->b, r->dlogits);
}

/* Whether the answer, or all of them, are those of the label. */
static bool is_right(const loss_run *r, const double *z, int32_t label)
{
    double unused[3];
    if (!r->t.binary)
        return ref_head(unused, z, r->t.classes, 1) == label;
    for (int j = 0; j < r->t.classes; j++)
        if ((z[j] >= 0) != (label >> j & 1))
            return false;
    return true;
}

static void value_on(eex_device *dev)
{
    for (int i = 0; i < CASES; i++) {
        loss_run r;
        run_init(&r, dev, cases[i]);
        run_loss(&r);
        double *z = tensor_doubles(&r.b, r.logits), sum = 0;
        double *teacher = cases[i].distill > 0 ? tensor_doubles(&r.b, r.teacher) : NULL;
        double *losses = bench_doubles(&r.b, 129);
        int correct = 0;
        ref_loss(losses, z, teacher, r.host_labels, r.t.batch, &r.op.u.loss);
        for (int n = 0; n < r.t.batch; n++) {
            sum += losses[n];
            correct += is_right(&r, z + n * r.t.classes, r.host_labels[n]);
        }
        cr_assert(fabs(r.totals[0] - sum) <= 2e-6 * (1 + fabs(sum)), "case %d: %.9g, expected %.9g",
                  i, r.totals[0], sum);
        cr_assert_eq(r.totals[1], correct);
        bench_free(&r.b);
    }
}

Test(loss, totals_match_the_reference)
{
    on_each_device(value_on);
}

typedef struct objective {
    const loss_run *r;
    const double *teacher;
} objective;

static double objective_value(const double *z, void *ctx)
{
    const objective *o = ctx;
    return ref_loss(NULL, z, o->teacher, o->r->host_labels, o->r->t.batch, &o->r->op.u.loss);
}

static void gradient_on(eex_device *dev)
{
    for (int i = 0; i < CASES; i++) {
        loss_run r;
        run_init(&r, dev, cases[i]);
        run_loss(&r);
        objective o = {&r, cases[i].distill > 0 ? tensor_doubles(&r.b, r.teacher) : NULL};
        double *z = tensor_doubles(&r.b, r.logits);
        for (size_t k = 0; k < r.dlogits.n; k += r.dlogits.n / 100 + 1) {
            double slope = ref_slope(objective_value, &o, z, k);
            cr_assert(fabs(r.dlogits.host[k] - slope) <= 1e-6 + 1e-5 * fabs(slope),
                      "case %d: dlogits[%zu] is %.7g, expected %.7g", i, k,
                      (double)r.dlogits.host[k], slope);
        }
        bench_free(&r.b);
    }
}

Test(loss, gradients_match_finite_differences)
{
    on_each_device(gradient_on);
}

static void without_gradient_on(eex_device *dev)
{
    loss_run r, s;
    run_init(&r, dev, cases[6]);
    run_init(&s, dev, cases[6]);
    s.op.u.loss.dlogits = NULL;
    run_loss(&r);
    run_loss(&s);
    cr_assert_eq(r.totals[0], s.totals[0]);
    cr_assert(isnan(s.dlogits.host[0]), "dlogits was written");
    bench_free(&r.b);
    bench_free(&s.b);
}

Test(loss, gradient_may_be_left_out)
{
    on_each_device(without_gradient_on);
}

/* Huge logits must not overflow; a NaN must reach the total. */
static void extremes_on(eex_device *dev)
{
    loss_run r;
    run_init(&r, dev, cases[4]);
    for (size_t i = 0; i < r.logits.n; i++)
        r.logits.host[i] *= 1e4f;
    tensor_upload(&r.b, r.logits);
    run_loss(&r);
    cr_assert(isfinite(r.totals[0]));
    for (size_t i = 0; i < r.dlogits.n; i++)
        cr_assert(isfinite(r.dlogits.host[i]));
    r.logits.host[12] = NAN;
    tensor_upload(&r.b, r.logits);
    run_loss(&r);
    cr_assert(isnan(r.totals[0]));
    bench_free(&r.b);
}

Test(loss, extreme_logits_are_finite_and_nan_is_seen)
{
    on_each_device(extremes_on);
}

Test(loss, label_out_of_range_is_an_error)
{
    eex_device *dev = open_device(1);
    if (!dev->host_memory) { /* a GPU cannot stop in mid-step: see tests/cuda */
        eex_device_close(dev);
        return;
    }
    loss_run r;
    run_init(&r, dev, cases[2]);
    r.host_labels[1] = 10;
    dev->vtable->upload(dev, r.labels, r.host_labels, 3 * sizeof(int32_t));
    double totals[2] = {0};
    r.op.u.loss.totals = totals;
    eex_step step = bench_step(3);
    void *state = NULL;
    cr_assert_eq(dev->vtable->prepare(dev, &state, &r.op, 3), EEX_OK);
    cr_assert_eq(dev->vtable->run(dev, &r.op, state, &step), EEX_EINVAL);
    cr_assert_not_null(strstr(eex_error(), "label 10, expected 0 to 9"), "%s", eex_error());
    bench_free(&r.b);
    eex_device_close(dev);
}

/* ---- scores ---- */

typedef struct scores {
    int32_t top[129];
    tensor confidence, margin, entropy;
} scores;

static void run_head(scores *s, bench *b, tensor logits, int classes, float temperature)
{
    int batch = (int)(logits.n / (size_t)classes);
    size_t bytes = (size_t)batch * sizeof *s->top;
    memset(s->top, -1, sizeof s->top);
    int32_t *top = bench_bytes(b, s->top, bytes);
    s->confidence = tensor_poison(b, (size_t)batch);
    s->margin = tensor_poison(b, (size_t)batch);
    s->entropy = tensor_poison(b, (size_t)batch);
    eex_op op = {.kind = EEX_OP_HEAD, .name = "head"};
    op.u.head = (eex_op_head){.classes = classes,
                              .logits = logits.dev,
                              .temperature = temperature,
                              .top = top,
                              .confidence = s->confidence.dev,
                              .margin = s->margin.dev,
                              .entropy = s->entropy.dev};
    eex_step step = bench_step(batch);
    bench_run(b, &op, batch, &step);
    cr_assert_eq(b->dev->vtable->download(b->dev, s->top, top, bytes), EEX_OK);
    tensor_download(b, s->confidence);
    tensor_download(b, s->margin);
    tensor_download(b, s->entropy);
}

static void check_head(eex_device *dev, int batch, int classes, float temperature)
{
    bench b;
    scores s;
    bench_init(&b, dev);
    tensor logits = tensor_random(&b, (size_t)batch * (size_t)classes, 1, -8, 8);
    double *z = tensor_doubles(&b, logits);
    run_head(&s, &b, logits, classes, temperature);
    for (int i = 0; i < batch; i++) {
        double want[3];
        cr_assert_eq(s.top[i], ref_head(want, z + i * classes, classes, temperature));
        expect_close("confidence", s.confidence.host + i, want, 1, 2e-6);
        expect_close("margin", s.margin.host + i, want + 1, 1, 2e-6);
        expect_close("entropy", s.entropy.host + i, want + 2, 1, 2e-6);
    }
    bench_free(&b);
}

static void head_on(eex_device *dev)
{
    static const int batches[] = {1, 3, 129}, classes[] = {1, 2, 10, 101, 1280};
    for (int i = 0; i < 15; i++) {
        check_head(dev, batches[i / 5], classes[i % 5], 1);
        check_head(dev, batches[i / 5], classes[i % 5], 5);
    }
}

Test(head, scores_match_the_reference)
{
    on_each_device(head_on);
}

/* Replaying a trace and running the engine must decide alike: not one bit may depend on the batch
 * or on the number of threads. */
Test(head, scores_of_a_sample_are_the_same_in_any_batch)
{
    eex_device *dev = open_device(3), *single = open_device(1);
    bench b, c;
    scores all, one;
    bench_init(&b, dev);
    bench_init(&c, single);
    tensor logits = tensor_random(&b, 129 * 101, 1, -8, 8);
    run_head(&all, &b, logits, 101, 5);
    for (size_t i = 0; i < 129; i += 8) {
        run_head(&one, &c, tensor_from(&c, logits.host + i * 101, 101), 101, 5);
        cr_assert_eq(one.top[0], all.top[i]);
        expect_equal_bits("confidence", one.confidence.host, all.confidence.host + i, 1);
        expect_equal_bits("margin", one.margin.host, all.margin.host + i, 1);
        expect_equal_bits("entropy", one.entropy.host, all.entropy.host + i, 1);
    }
    bench_free(&b);
    bench_free(&c);
    eex_device_close(dev);
    eex_device_close(single);
}
