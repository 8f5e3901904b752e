#include "core/policy/calibrate.h"
#include "core/policy/calibration_scipy.h"
#include "core/policy/regressor.h"
#include "support/traces.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CASES = sizeof calibration_scipy / sizeof *calibration_scipy };

static eex_trace *scipy_trace(int i)
{
    eex_trace *t = NULL;
    cr_assert_eq(eex_trace_new(&t, SCIPY_SAMPLES, 1, SCIPY_CLASSES), EEX_OK);
    memcpy(t->logits, calibration_scipy[i].logits, sizeof calibration_scipy[i].logits);
    memcpy(t->labels, calibration_scipy[i].labels, sizeof calibration_scipy[i].labels);
    return t;
}

static eex_trace *synthetic(int samples, int exits, int classes)
{
    eex_trace *t = NULL;
    cr_assert_eq(eex_trace_new(&t, samples, exits, classes), EEX_OK);
    test_trace_fill(t, 11);
    return t;
}

static eex_policy *calibrated(eex_trace *t, const eex_calibration *how)
{
    eex_policy *p = NULL;
    cr_assert_eq(eex_calibrate(&p, t, test_head_device(), how, NULL), EEX_OK, "%s", eex_error());
    return p;
}

/* ---- regressors ---- */

Test(regressor, agrees_with_two_passes_far_from_zero)
{
    const double offsets[] = {0, 1, 1e4, -1e6, 1e8};
    for (int o = 0; o < 5; o++) {
        enum { N = 1000 };
        double values[N], mean = 0, m2 = 0;
        eex_regressor r = {0};
        for (int i = 0; i < N; i++) {
            values[i] = offsets[o] + sin(i * 1.7) + 0.3 * cos(i * 0.01);
            eex_regressor_add(&r, values[i]);
            mean += (values[i] - offsets[o]) / N;
        }
        for (int i = 0; i < N; i++)
            m2 += pow(values[i] - offsets[o] - mean, 2);
        double dev = sqrt(m2 / N), scale = fabs(offsets[o]) + 1;
        cr_assert_eq(r.count, N);
        cr_assert_float_eq(r.mean, offsets[o] + mean, 1e-14 * scale);
        cr_assert_float_eq(eex_regressor_dev(&r), dev, 1e-12 * scale, "offset %g", offsets[o]);
    }
}

Test(regressor, few_values)
{
    eex_regressor r = {0};
    cr_assert_eq(eex_regressor_dev(&r), 0);
    eex_regressor_add(&r, 4);
    cr_assert_eq(r.mean, 4);
    cr_assert_eq(eex_regressor_dev(&r), 0);
    eex_regressor_add(&r, 6);
    cr_assert_eq(r.mean, 5);
    cr_assert_eq(eex_regressor_dev(&r), 1);
}

/* ---- temperature and calibration error ---- */

Test(calibrate, temperature_agrees_with_scipy)
{
    for (int i = 0; i < CASES; i++) {
        eex_trace *t = scipy_trace(i);
        double fitted = eex_calibrate_temperature(t, 0);
        cr_assert_float_eq(fitted, calibration_scipy[i].temperature, 1e-5 * fitted, "%d: %.9g", i,
                           fitted);
        eex_trace_free(t);
    }
}

Test(calibrate, temperature_of_perfect_logits_is_the_coldest)
{
    eex_trace *t = NULL;
    cr_assert_eq(eex_trace_new(&t, 10, 1, 2), EEX_OK);
    for (int i = 0; i < 10; i++) {
        t->labels[i] = i % 2;
        t->logits[2 * i + i % 2] = 1e30f; /* far beyond what exp takes */
    }
    cr_assert_float_eq(eex_calibrate_temperature(t, 0), 0.05, 1e-6);
    for (int i = 0; i < 10; i++)
        t->logits[2 * i + i % 2] = 1;
    cr_assert_float_eq(eex_calibrate_temperature(t, 0), 0.05, 1e-6);
    eex_trace_free(t);
}

Test(calibrate, error_agrees_with_numpy)
{
    for (int i = 0; i < CASES; i++) {
        eex_trace *t = scipy_trace(i);
        cr_assert_float_eq(eex_calibrate_ece(t, 0, 1, SCIPY_BINS), calibration_scipy[i].ece_at_1,
                           1e-7);
        cr_assert_float_eq(eex_calibrate_ece(t, 0, 5, SCIPY_BINS), calibration_scipy[i].ece_at_5,
                           1e-7);
        eex_trace_free(t);
    }
}

/* Two bins: confidences 0.8 and 0.6 share one, one of two right; 0.5 is alone below, and right. */
Test(calibrate, error_by_hand)
{
    eex_trace *t = NULL;
    cr_assert_eq(eex_trace_new(&t, 3, 2, 2), EEX_OK);
    float *z = t->logits + 6; /* the second exit; the first stays empty */
    z[0] = (float)log(4);
    z[2] = (float)log(1.5);
    t->labels[1] = 1;
    cr_assert_float_eq(eex_calibrate_ece(t, 1, 1, 2), (fabs(1 - 1.4) + fabs(1 - 0.5)) / 3, 1e-7);
    cr_assert_float_eq(eex_calibrate_ece(t, 1, 1, 1), fabs(2 - 1.9) / 3, 1e-7);
    eex_trace_free(t);
}

Test(calibrate, fitting_the_temperature_makes_the_error_smaller)
{
    eex_trace *t = synthetic(4000, 2, 5);
    for (size_t i = 0; i < 4000 * 2 * 5; i++)
        t->logits[i] *= 3; /* overconfident */
    double fitted = eex_calibrate_temperature(t, 1);
    double before = eex_calibrate_ece(t, 1, 1, 15), after = eex_calibrate_ece(t, 1, fitted, 15);
    cr_assert_gt(fitted, 1.5);
    cr_assert_lt(after, before / 2, "%g then %g", before, after);
    eex_trace_free(t);
}

/* ---- whole policies ---- */

Test(calibrate, published_defaults)
{
    eex_calibration how = eex_calibration_default();
    cr_assert_eq(how.kind, EEX_POLICY_PER_CLASS);
    cr_assert_eq(how.temperature, 5);
    cr_assert_eq(how.a, 0.5);
    cr_assert_eq(how.b, INFINITY);
    cr_assert_eq(how.tune, EEX_TUNE_NONE);
}

/* Mean and deviation of exit k's confidence over samples of class c, in two passes. */
static int two_passes(const eex_trace *t, int k, int c, bool by_label, double *mean, double *dev)
{
    int n = 0;
    double sum = 0, squares = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < t->samples; i++) {
            int at = k * t->samples + i;
            if ((by_label ? t->labels[i] : t->top[at]) != c)
                continue;
            if (pass == 0)
                sum += t->confidence[at], n++;
            else
                squares += pow(t->confidence[at] - sum / n, 2);
        }
    *mean = n ? sum / n : 0;
    *dev = n ? sqrt(squares / n) : 0;
    return n;
}

Test(calibrate, thresholds_are_mean_plus_half_a_deviation)
{
    eex_calibration how = eex_calibration_default();
    how.b = 1.5;
    for (int by_label = 0; by_label < 2; by_label++) {
        eex_trace *t = synthetic(800, 3, 4);
        how.by_label = by_label;
        eex_policy *p = calibrated(t, &how);
        cr_assert_eq(p->by_label, by_label);
        for (int k = 0; k < 3; k++) {
            cr_assert_eq(t->temperature[k], 5.0f);
            cr_assert_eq(p->temperature[k], 5.0f);
            for (int c = 0; c < 4; c++) {
                double mean, dev;
                int at = k * 4 + c, n = two_passes(t, k, c, by_label, &mean, &dev);
                cr_assert_eq(p->count[at], n);
                cr_assert_float_eq(p->mean[at], mean, 1e-12);
                cr_assert_float_eq(p->dev[at], dev, 1e-12);
                cr_assert_float_eq(p->high[at], mean + 0.5 * dev, 1e-6);
                cr_assert_float_eq(p->low[at], mean - 1.5 * dev, 1e-6);
            }
        }
        eex_policy_free(p);
        eex_trace_free(t);
    }
}

Test(calibrate, label_and_prediction_differ_where_exits_err)
{
    eex_trace *t = synthetic(800, 2, 4);
    eex_calibration how = eex_calibration_default();
    how.by_label = true;
    eex_policy *a = calibrated(t, &how);
    how.by_label = false;
    eex_policy *b = calibrated(t, &how);
    cr_assert_neq(a->mean[0], b->mean[0]);
    cr_assert_neq(a->count[0], b->count[0]);
    eex_policy_free(a);
    eex_policy_free(b);
    eex_trace_free(t);
}

Test(calibrate, a_class_of_one_sample_borrows_its_exits_spread)
{
    eex_trace *t = synthetic(200, 2, 4);
    for (int i = 0; i < 200; i++)
        t->labels[i] = i == 0 ? 2 : i % 2; /* class 2 once, class 3 never */
    eex_calibration how = eex_calibration_default();
    eex_policy *p = calibrated(t, &how);
    for (int k = 0; k < 2; k++) {
        eex_regressor pooled = {0};
        for (int i = 0; i < 200; i++)
            eex_regressor_add(&pooled, t->confidence[k * 200 + i]);
        for (int c = 2; c < 4; c++) {
            cr_assert_eq(p->count[k * 4 + c], 3 - c);
            cr_assert_float_eq(p->mean[k * 4 + c], pooled.mean, 1e-12);
            cr_assert_float_eq(p->dev[k * 4 + c], eex_regressor_dev(&pooled), 1e-12);
        }
        cr_assert_neq(p->mean[k * 4], p->mean[k * 4 + 2]);
    }
    eex_policy_free(p);
    eex_trace_free(t);
}

Test(calibrate, a_class_without_spread_has_its_mean_as_threshold)
{
    eex_trace *t = NULL;
    cr_assert_eq(eex_trace_new(&t, 6, 1, 2), EEX_OK); /* all logits 0: confidence 0.5 everywhere */
    eex_calibration how = eex_calibration_default();
    how.b = 1;
    eex_policy *p = calibrated(t, &how);
    cr_assert_eq(p->dev[0], 0);
    cr_assert_eq(p->high[0], 0.5f);
    cr_assert_eq(p->low[0], 0.5f);
    cr_assert_eq(eex_policy_decide(p, 0, 0, 0.5f), EEX_ACCEPT);
    eex_policy_free(p);
    eex_trace_free(t);
}

Test(calibrate, other_kinds_have_one_threshold_for_all)
{
    eex_trace *t = synthetic(100, 2, 3);
    eex_calibration how = {.kind = EEX_POLICY_MARGIN, .temperature = 1, .a = 0.3, .b = INFINITY};
    eex_policy *p = calibrated(t, &how);
    for (int i = 0; i < 6; i++) {
        cr_assert_eq(p->high[i], 0.3f);
        cr_assert_eq(p->low[i], -INFINITY);
        cr_assert_eq(p->mean[i], 0);
    }
    eex_policy_free(p);
    eex_trace_free(t);
}

Test(calibrate, temperature_zero_fits_each_exit)
{
    eex_trace *t = synthetic(500, 3, 4);
    for (size_t i = 0; i < 500 * 4; i++)
        t->logits[i] *= 4;
    eex_calibration how = eex_calibration_default();
    how.temperature = 0;
    eex_policy *p = calibrated(t, &how);
    for (int k = 0; k < 3; k++) {
        cr_assert_eq(p->temperature[k], (float)eex_calibrate_temperature(t, k));
        cr_assert_eq(t->temperature[k], p->temperature[k]);
    }
    cr_assert_gt(p->temperature[0], 2 * p->temperature[1]);
    eex_policy_free(p);
    eex_trace_free(t);
}

Test(calibrate, what_cannot_be_is_refused)
{
    eex_trace *t = synthetic(50, 2, 3);
    eex_policy *p = NULL;
    eex_calibration how = eex_calibration_default();
    how.temperature = -1;
    cr_assert_eq(eex_calibrate(&p, t, test_head_device(), &how, NULL), EEX_EINVAL);
    how = eex_calibration_default();
    how.a = NAN;
    cr_assert_eq(eex_calibrate(&p, t, test_head_device(), &how, NULL), EEX_EINVAL);
    how = eex_calibration_default();
    how.tune = EEX_TUNE_ACCURACY;
    cr_assert_eq(eex_calibrate(&p, t, test_head_device(), &how, NULL), EEX_EINVAL);
    const double cost[] = {1, 2, 3};
    const eex_exit_costs costs = {t->exits, cost, 3};
    const struct {
        eex_tune tune;
        double target;
    } nothing[] = {{EEX_TUNE_ACCURACY, 99},   {EEX_TUNE_ACCURACY, -1},
                   {EEX_TUNE_MACS, 0},        {EEX_TUNE_MACS, -1},
                   {EEX_TUNE_MACS, INFINITY}, {EEX_TUNE_WEIGHTED, -INFINITY}};
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
        how.tune = nothing[i].tune;
        how.target = nothing[i].target;
        cr_assert_eq(eex_calibrate(&p, t, test_head_device(), &how, &costs), EEX_EINVAL, "%zu", i);
    }
    how = eex_calibration_default();
    t->logits[3] = NAN;
    cr_assert_eq(eex_calibrate(&p, t, test_head_device(), &how, NULL), EEX_EDIVERGED);
    how.temperature = 0;
    cr_assert_eq(eex_calibrate(&p, t, test_head_device(), &how, NULL), EEX_EDIVERGED);
    cr_assert_null(p);
    eex_trace_free(t);
}
