/* What an exit decides, and scores at the edges; scores of ordinary rows are in test_loss.c. */
#include "support/devices.h"
#include "support/reference_ops.h"
#include "support/tensor.h"

#include "base/rng.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ROWS = 130, MOST_CLASSES = 3000 };

typedef struct head_case {
    bench b;
    int batch, classes;
    float temperature;
    eex_measure measure;
    bool last;
    tensor logits, high, low, score[3];
    int32_t top[MOST_ROWS];
    uint8_t decision[MOST_ROWS + 8];
} head_case;

static head_case *case_new(eex_device *dev, int batch, int classes)
{
    head_case *t = calloc(1, sizeof *t);
    cr_assert_not_null(t);
    bench_init(&t->b, dev);
    t->batch = batch;
    t->classes = classes;
    t->temperature = 1.5f;
    t->logits = tensor_random(&t->b, (size_t)batch * (size_t)classes, 1, -8, 8);
    t->high = tensor_random(&t->b, (size_t)classes, 2, 0.3, 0.9);
    t->low = tensor_random(&t->b, (size_t)classes, 3, 0, 0.3);
    for (int i = 0; i < 3; i++)
        t->score[i] = tensor_poison(&t->b, (size_t)batch);
    return t;
}

static void case_free(head_case *t)
{
    bench_free(&t->b);
    free(t);
}

static void case_run(head_case *t)
{
    size_t n = (size_t)t->batch;
    const eex_device_vtable *v = t->b.dev->vtable;
    memset(t->decision, 0xee, sizeof t->decision);
    tensor_upload(&t->b, t->logits);
    int32_t *top = bench_bytes(&t->b, t->top, n * sizeof *t->top);
    uint8_t *decision = bench_bytes(&t->b, t->decision, n + 8);
    eex_op op = {.kind = EEX_OP_HEAD, .name = "head"};
    op.u.head = (eex_op_head){.classes = t->classes,
                              .logits = t->logits.dev,
                              .temperature = t->temperature,
                              .top = top,
                              .confidence = t->score[0].dev,
                              .margin = t->score[1].dev,
                              .entropy = t->score[2].dev,
                              .measure = t->measure,
                              .high = t->high.dev,
                              .low = t->low.dev,
                              .last = t->last,
                              .decision = decision};
    eex_step step = bench_step(t->batch);
    bench_run(&t->b, &op, t->batch, &step);
    cr_assert_eq(v->download(t->b.dev, t->top, top, n * sizeof *t->top), EEX_OK);
    cr_assert_eq(v->download(t->b.dev, t->decision, decision, n + 8), EEX_OK);
    for (int i = 0; i < 3; i++)
        tensor_download(&t->b, t->score[i]);
}

static eex_decision expected(const head_case *t, int i)
{
    float score =
        eex_measure_of(t->measure, t->score[0].host[i], t->score[1].host[i], t->score[2].host[i]);
    return eex_decide(score, t->high.host[t->top[i]], t->low.host[t->top[i]], t->last);
}

static void case_check(const head_case *t)
{
    for (int i = 0; i < t->batch; i++) {
        cr_assert(t->top[i] >= 0 && t->top[i] < t->classes, "row %d of %d classes: top is %d", i,
                  t->classes, t->top[i]);
        cr_assert_eq(t->decision[i], expected(t, i), "row %d of %d classes: decision %d", i,
                     t->classes, t->decision[i]);
    }
    for (int i = 0; i < 8; i++)
        cr_assert_eq(t->decision[t->batch + i], 0xee, "written past the last decision");
}

static const int class_counts[] = {1,   2,   3,   10,  16,   17,   31,   64,   65,
                                   100, 129, 257, 513, 1000, 1001, 1024, 1025, MOST_CLASSES};
enum { CLASS_COUNTS = sizeof class_counts / sizeof *class_counts };

static void decisions_on(eex_device *dev)
{
    for (int i = 0; i < CLASS_COUNTS * 2; i++) {
        head_case *t = case_new(dev, i % 2 ? 129 : 3, class_counts[i / 2]);
        t->measure = (eex_measure)(i % 3);
        t->last = i % 5 == 0;
        if (t->measure == EEX_MEASURE_ENTROPY)
            for (int c = 0; c < t->classes; c++) {
                t->high.host[c] -= 1;
                t->low.host[c] -= 1;
            }
        tensor_upload(&t->b, t->high);
        tensor_upload(&t->b, t->low);
        case_run(t);
        case_check(t);
        case_free(t);
    }
}

Test(head, decides_by_the_thresholds_of_the_class)
{
    on_each_device(decisions_on);
}

static void scores_on(eex_device *dev)
{
    for (int i = 0; i < CLASS_COUNTS; i++) {
        head_case *t = case_new(dev, 33, class_counts[i]);
        case_run(t);
        double *z = tensor_doubles(&t->b, t->logits);
        for (int row = 0; row < t->batch; row++) {
            double want[3];
            cr_assert_eq(t->top[row], ref_head(want, z + row * t->classes, t->classes, 1.5));
            for (int k = 0; k < 3; k++)
                expect_close("score", t->score[k].host + row, want + k, 1, 2e-6);
        }
        case_free(t);
    }
}

Test(head, scores_match_the_reference_for_any_number_of_classes)
{
    on_each_device(scores_on);
}

/* Logits of few different values: the first of the largest is the top, its margin nothing. */
static void ties_on(eex_device *dev)
{
    for (int i = 0; i < CLASS_COUNTS; i++) {
        head_case *t = case_new(dev, 130, class_counts[i]);
        for (size_t k = 0; k < t->logits.n; k++)
            t->logits.host[k] = floorf(t->logits.host[k] / 4);
        case_run(t);
        for (int row = 0; row < t->batch; row++) {
            const float *z = t->logits.host + row * t->classes;
            int top = 0, ties = 0;
            for (int c = 0; c < t->classes; c++)
                top = z[c] > z[top] ? c : top;
            for (int c = 0; c < t->classes; c++)
                ties += z[c] == z[top];
            cr_assert_eq(t->top[row], top, "%d classes: %d, expected %d", t->classes, t->top[row],
                         top);
            cr_assert(ties == 1 || t->score[1].host[row] == 0);
        }
        case_check(t);
        case_free(t);
    }
}

Test(head, first_of_equals_is_the_top)
{
    on_each_device(ties_on);
}

static void nan_on(eex_device *dev)
{
    for (int i = 0; i < CLASS_COUNTS * 2; i++) {
        head_case *t = case_new(dev, 9, class_counts[i / 2]);
        t->last = i % 2;
        for (int c = 0; c < t->classes; c++) {
            t->logits.host[c] = NAN;
            t->logits.host[t->classes + c] = -INFINITY;
        }
        t->logits.host[2 * t->classes + t->classes / 2] = NAN;
        t->logits.host[4 * t->classes - 1] = INFINITY;
        case_run(t);
        case_check(t);
        for (int row = 0; row < 4; row++) {
            for (int k = 0; k < 3; k++)
                cr_assert(isnan(t->score[k].host[row]), "%d classes, row %d: score %d is %g",
                          t->classes, row, k, (double)t->score[k].host[row]);
            cr_assert_eq(t->decision[row], t->last ? EEX_ACCEPT : EEX_GO_ON);
        }
        cr_assert_eq(t->top[0], 0);
        cr_assert_eq(t->top[3], t->classes - 1);
        cr_assert(isfinite(t->score[0].host[4]) && isfinite(t->score[2].host[4]));
        case_free(t);
    }
}

Test(head, nan_and_infinity_are_undecided)
{
    on_each_device(nan_on);
}

/* What cannot happen counts nothing, and what is nearly certain keeps its digits. */
static void extremes_on(eex_device *dev)
{
    for (int i = 1; i < CLASS_COUNTS; i++) {
        head_case *t = case_new(dev, 2, class_counts[i]);
        t->temperature = 1;
        for (int c = 0; c < t->classes; c++) {
            t->logits.host[c] = c == 1 ? 5.0f : -INFINITY;
            t->logits.host[t->classes + c] = c == 1 ? 1e30f : -1e30f;
        }
        case_run(t);
        for (int row = 0; row < 2; row++) {
            cr_assert_eq(t->top[row], 1);
            cr_assert_eq(t->score[0].host[row], 1);
            cr_assert_eq(t->score[1].host[row], 1);
            cr_assert_eq(t->score[2].host[row], 0);
        }
        case_free(t);
    }
}

Test(head, certainty)
{
    on_each_device(extremes_on);
}

/* One row alone, and as one of many, is the same bit for bit. */
static void batch_on(eex_device *dev)
{
    for (int i = 0; i < CLASS_COUNTS; i++) {
        head_case *t = case_new(dev, 129, class_counts[i]);
        case_run(t);
        for (int row = 0; row < t->batch; row += 43) {
            head_case *u = case_new(dev, 1, class_counts[i]);
            memcpy(u->logits.host, t->logits.host + row * t->classes,
                   (size_t)t->classes * sizeof(float));
            case_run(u);
            for (int k = 0; k < 3; k++)
                expect_equal_bits("score", u->score[k].host, t->score[k].host + row, 1);
            case_free(u);
        }
        case_free(t);
    }
}

Test(head, bits_do_not_depend_on_the_batch)
{
    on_each_device(batch_on);
}

static void refused_on(eex_device *dev)
{
    head_case *t = case_new(dev, 1, 3);
    void *state = NULL;
    eex_op op = {.kind = EEX_OP_HEAD, .name = "head"};
    op.u.head = (eex_op_head){.classes = 3, .logits = t->logits.dev, .temperature = 0};
    cr_assert_eq(dev->vtable->prepare(dev, &state, &op, 1), EEX_EINVAL);
    op.u.head.temperature = 1;
    op.u.head.high = t->high.dev;
    cr_assert_eq(dev->vtable->prepare(dev, &state, &op, 1), EEX_EINVAL);
    case_free(t);
}

Test(head, half_a_decision_is_refused)
{
    on_each_device(refused_on);
}
