/* How well a score tells right from wrong: by hand, and as SciPy sees it. */
#include "core/policy/appraise.h"
#include "core/policy/calibration_scipy.h"
#include "core/policy/score_quality.h"
#include "support/traces.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { CASES = sizeof calibration_scipy / sizeof *calibration_scipy };

/* One exit, whose score of sample i is confidence[i] and which is right where right[i]. */
static eex_trace *scored(const float *confidence, const int *right, int samples)
{
    eex_trace *t = NULL;
    cr_assert_eq(eex_trace_new(&t, samples, 1, 2), EEX_OK);
    for (int i = 0; i < samples; i++) {
        t->confidence[i] = confidence[i];
        t->margin[i] = -confidence[i];
        t->entropy[i] = -confidence[i];
        t->labels[i] = !right[i];
    }
    return t;
}

static eex_score_quality of(const eex_trace *t, eex_measure measure)
{
    eex_score_quality got;
    cr_assert_eq(eex_score_quality_of(&got, t, 0, measure), EEX_OK, "%s", eex_error());
    return got;
}

Test(score_quality, by_hand)
{
    const float c[] = {0.9f, 0.8f, 0.7f, 0.6f};
    const int right[] = {1, 0, 1, 0};
    eex_trace *t = scored(c, right, 4);
    eex_score_quality q = of(t, EEX_MEASURE_CONFIDENCE);
    cr_expect_float_eq(q.auroc, 3.0 / 4, 1e-12);
    cr_expect_float_eq(q.aurc, (0 + 1.0 / 2 + 1.0 / 3 + 2.0 / 4) / 4, 1e-12);
    q = of(t, EEX_MEASURE_MARGIN); /* the other way round */
    cr_expect_float_eq(q.auroc, 1.0 / 4, 1e-12);
    cr_expect_float_eq(of(t, EEX_MEASURE_ENTROPY).auroc, 3.0 / 4, 1e-12);
    eex_trace_free(t);
}

/* Equal scores in any order: the figures are those of all orders, averaged. */
Test(score_quality, equal_scores_are_in_random_order)
{
    const float c[] = {0.5f, 0.5f, 0.5f};
    const int order[3][3] = {{0, 1, 1}, {1, 0, 1}, {1, 1, 0}};
    for (int o = 0; o < 3; o++) {
        eex_trace *t = scored(c, order[o], 3);
        const eex_score_quality q = of(t, EEX_MEASURE_CONFIDENCE);
        cr_expect_float_eq(q.auroc, 0.5, 1e-12);
        cr_expect_float_eq(q.aurc, 1.0 / 3, 1e-12); /* each place has a third of the error */
        eex_trace_free(t);
    }
}

Test(score_quality, where_all_are_right_or_wrong_no_order_is_better)
{
    const float c[] = {0.9f, 0.5f};
    for (int right = 0; right < 2; right++) {
        eex_trace *t = scored(c, (int[]){right, right}, 2);
        const eex_score_quality q = of(t, EEX_MEASURE_CONFIDENCE);
        cr_expect(isnan(q.auroc));
        cr_expect_eq(q.aurc, 1 - right);
        eex_trace_free(t);
    }
}

Test(score_quality, agrees_with_scipy)
{
    for (int i = 0; i < CASES; i++) {
        eex_trace *t = NULL;
        cr_assert_eq(eex_trace_new(&t, SCIPY_SAMPLES, 1, SCIPY_CLASSES), EEX_OK);
        memcpy(t->logits, calibration_scipy[i].logits, sizeof calibration_scipy[i].logits);
        memcpy(t->labels, calibration_scipy[i].labels, sizeof calibration_scipy[i].labels);
        cr_assert_eq(eex_trace_score(t, test_head_device(), (const float[]){1}), EEX_OK);
        const eex_score_quality q = of(t, EEX_MEASURE_CONFIDENCE);
        cr_expect_float_eq(q.auroc, calibration_scipy[i].auroc, 1e-9, "%d: %.9g", i, q.auroc);
        cr_expect_float_eq(q.aurc, calibration_scipy[i].aurc, 1e-9, "%d: %.9g", i, q.aurc);
        eex_trace_free(t);
    }
}

Test(score_quality, an_exit_that_is_not_there_is_refused)
{
    eex_score_quality got;
    eex_trace *t = scored((const float[]){1}, (const int[]){1}, 1);
    cr_expect_eq(eex_score_quality_of(&got, t, 1, EEX_MEASURE_CONFIDENCE), EEX_EINVAL);
    cr_expect_eq(eex_score_quality_of(&got, t, -1, EEX_MEASURE_CONFIDENCE), EEX_EINVAL);
    eex_trace_free(t);
}

/* Decisions keep the score that was compared, though the trace is scored otherwise later. */
Test(score_quality, departures_have_that_of_their_policy)
{
    eex_trace *t = NULL;
    eex_policy *p = NULL;
    eex_departures d = {0};
    cr_assert_eq(eex_trace_new(&t, 300, 2, 4), EEX_OK);
    test_trace_fill(t, 5);
    const eex_calibration how = {
        .kind = EEX_POLICY_MARGIN, .temperature = 2, .a = 0.5, .b = INFINITY};
    cr_assert_eq(eex_calibrate(&p, t, test_head_device(), &how, NULL), EEX_OK, "%s", eex_error());
    cr_assert_eq(eex_departures_new(&d, t, p), EEX_OK);
    for (int k = 0; k < 2; k++) {
        eex_score_quality q;
        cr_assert_eq(eex_score_quality_of(&q, t, k, EEX_MEASURE_MARGIN), EEX_OK);
        cr_expect_eq(memcmp(&q, &d.score[k], sizeof q), 0);
        cr_expect_gt(q.auroc, 0);
    }
    eex_departures_free(&d);
    eex_policy_free(p);
    eex_trace_free(t);
}
