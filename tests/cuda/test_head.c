/* The head in all layouts, and with the classifier in front. */
#include "support/array.h"
#include "support/devices.h"
#include "support/reference_ops.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ROWS = 40 };

typedef struct shape {
    int batch, hw, features, classes;
} shape;

/* hw 0: logits alone. */
static const shape shapes[] = {
    {1, 1, 1, 1},      {3, 49, 1280, 10}, {33, 16, 64, 3}, {2, 1, 640, 100}, {5, 4, 7, 31},
    {2, 64, 24, 1000}, {3, 9, 2000, 2},   {1, 3, 5, 1025}, {2, 256, 3, 16},  {3, 1, 8192, 8},
    {40, 0, 0, 10},    {3, 0, 0, 1},      {7, 0, 0, 2},    {5, 0, 0, 31},    {9, 0, 0, 100},
    {33, 0, 0, 1000},  {17, 0, 0, 1001},  {5, 0, 0, 2049}, {6, 5, 12, 65},   {4, 1, 32, 300},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

typedef struct head_case {
    bench b;
    shape s;
    array_layout layout;
    array x, w, logits;
    tensor bias, high, low, score[3];
    int32_t top[MOST_ROWS];
    uint8_t decision[MOST_ROWS];
    eex_op op;
} head_case;

static size_t logits_of(const head_case *t)
{
    return (size_t)t->s.batch * (size_t)t->s.classes;
}

static void case_init(head_case *t, eex_device *dev, shape s, array_layout layout)
{
    *t = (head_case){.s = s, .layout = layout};
    bench_init(&t->b, dev);
    size_t n = (size_t)s.batch * (size_t)s.hw * (size_t)s.features;
    double scale = s.features ? 8 / sqrt(s.features) : 1;
    t->x = array_random(&t->b, layout, n ? n : 1, 1, -2, 2);
    t->w = array_random(&t->b, layout, n ? (size_t)(s.features * s.classes) : 1, 2, -scale, scale);
    t->bias = tensor_random(&t->b, (size_t)s.classes, 3, -1, 1);
    t->high = tensor_random(&t->b, (size_t)s.classes, 4, 0.2, 0.8);
    t->low = tensor_random(&t->b, (size_t)s.classes, 5, 0.05, 0.2);
    t->logits = s.hw ? array_poison(&t->b, layout, logits_of(t))
                     : array_random(&t->b, layout, logits_of(t), 6, -8, 8);
    t->op = (eex_op){.kind = EEX_OP_HEAD, .name = "head", .precision = layout.precision};
    t->op.u.head = (eex_op_head){.classes = s.classes,
                                 .logits = t->logits.dev,
                                 .temperature = 1.5f,
                                 .measure = EEX_MEASURE_MARGIN,
                                 .high = t->high.dev,
                                 .low = t->low.dev,
                                 .x = s.hw ? t->x.dev : NULL,
                                 .hw = s.hw,
                                 .features = s.features,
                                 .w = t->w.dev,
                                 .bias = s.classes % 3 ? t->bias.dev : NULL};
}

static void case_run(head_case *t)
{
    size_t n = (size_t)t->s.batch;
    const eex_device_vtable *v = t->b.dev->vtable;
    eex_op_head *head = &t->op.u.head;
    for (int i = 0; i < 3; i++)
        t->score[i] = tensor_poison(&t->b, n);
    memset(t->top, 0xff, sizeof t->top);
    memset(t->decision, 0xff, sizeof t->decision);
    head->top = bench_bytes(&t->b, t->top, n * sizeof *t->top);
    head->decision = bench_bytes(&t->b, t->decision, n);
    head->confidence = t->score[0].dev;
    head->margin = t->score[1].dev;
    head->entropy = t->score[2].dev;
    eex_step step = bench_step(t->s.batch);
    bench_run(&t->b, &t->op, t->s.batch, &step);
    cr_assert_eq(v->download(t->b.dev, t->top, head->top, n * sizeof *t->top), EEX_OK);
    cr_assert_eq(v->download(t->b.dev, t->decision, head->decision, n), EEX_OK);
    for (int i = 0; i < 3; i++)
        tensor_download(&t->b, t->score[i]);
}

static void check_logits(head_case *t, const double *got)
{
    const shape *s = &t->s;
    double *want = bench_doubles(&t->b, logits_of(t));
    for (int n = 0; n < s->batch; n++)
        for (int f = 0; f < s->features; f++) {
            double mean = 0;
            for (int i = 0; i < s->hw; i++)
                mean += t->x.host[(n * s->hw + i) * s->features + f] / s->hw;
            for (int c = 0; c < s->classes; c++)
                want[n * s->classes + c] += mean * t->w.host[f * s->classes + c];
        }
    for (size_t i = 0; i < logits_of(t) && t->op.u.head.bias; i++)
        want[i] += t->bias.host[i % (size_t)s->classes];
    expect_near("logits", got, want, logits_of(t), array_tolerance(t->layout));
}

/* Scores and decisions as they follow from the logits that are there. */
static void check_scores(head_case *t, const double *logits)
{
    const shape *s = &t->s;
    for (int n = 0; n < s->batch; n++) {
        double want[3];
        int top = ref_head(want, logits + n * s->classes, s->classes, 1.5);
        cr_assert_eq(t->top[n], top, "row %d of %d classes: %d, expected %d", n, s->classes,
                     t->top[n], top);
        for (int k = 0; k < 3; k++)
            expect_close("score", t->score[k].host + n, want + k, 1, 2e-6);
        cr_assert_eq(t->decision[n],
                     eex_decide(t->score[1].host[n], t->high.host[top], t->low.host[top], false));
    }
}

/* The same logits without the classifier give the same bits. */
static void check_alone(head_case *t)
{
    head_case u = *t;
    u.op.u.head.x = NULL;
    case_run(&u);
    cr_assert_eq(memcmp(u.top, t->top, sizeof u.top), 0);
    cr_assert_eq(memcmp(u.decision, t->decision, sizeof u.decision), 0);
    for (int k = 0; k < 3; k++)
        expect_equal_bits("score", u.score[k].host, t->score[k].host, (size_t)t->s.batch);
    *t = u; /* owns more now */
}

static void head_on(eex_device *dev)
{
    for (int i = 0; i < SHAPES * ARRAY_LAYOUTS; i++) {
        head_case t;
        array_layout layout = array_layouts[i % ARRAY_LAYOUTS];
        if (!(dev->precisions & 1u << layout.precision))
            continue;
        case_init(&t, dev, shapes[i / ARRAY_LAYOUTS], layout);
        case_run(&t);
        double *logits = array_download(&t.b, t.logits);
        if (t.s.hw)
            check_logits(&t, logits);
        check_scores(&t, logits);
        if (t.s.hw)
            check_alone(&t);
        bench_free(&t.b);
    }
}

Test(head, all_layouts_with_and_without_the_classifier)
{
    on_each_device(head_on);
}

static void large_on(eex_device *dev)
{
    head_case t;
    void *state = NULL;
    case_init(&t, dev, (shape){1, 1, 1, 4}, array_layouts[0]);
    t.op.u.head.features = 20000;
    t.op.u.head.high = NULL;
    cr_assert_eq(dev->vtable->prepare(dev, &state, &t.op, 1), EEX_EUNSUPPORTED);
    cr_assert_not_null(strstr(eex_error(), "20000 features"), "%s", eex_error());
    bench_free(&t.b);
}

Test(head, a_classifier_too_large_for_a_block_is_refused)
{
    on_each_device(large_on);
}
