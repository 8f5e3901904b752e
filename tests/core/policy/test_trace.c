#include "core/policy/trace.h"
#include "device/decide.h"
#include "support/traces.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static eex_trace *filled(int samples, int exits, int classes)
{
    eex_trace *t = NULL;
    cr_assert_eq(eex_trace_new(&t, samples, exits, classes), EEX_OK);
    test_trace_fill(t, 5);
    return t;
}

static void score(eex_trace *t, float first)
{
    float temperature[64];
    for (int k = 0; k < t->exits; k++)
        temperature[k] = first + (float)k;
    cr_assert_eq(eex_trace_score(t, test_head_device(), temperature), EEX_OK, "%s", eex_error());
}

static void assert_same(const eex_trace *a, const eex_trace *b)
{
    size_t n = (size_t)a->samples, all = n * (size_t)a->exits;
    cr_assert_eq(a->samples, b->samples);
    cr_assert_eq(a->exits, b->exits);
    cr_assert_eq(a->classes, b->classes);
    cr_assert_arr_eq(a->labels, b->labels, n * sizeof *a->labels);
    cr_assert_arr_eq(a->sample, b->sample, n * sizeof *a->sample);
    cr_assert_arr_eq(a->logits, b->logits, all * (size_t)a->classes * sizeof *a->logits);
    cr_assert_arr_eq(a->temperature, b->temperature, (size_t)a->exits * sizeof *a->temperature);
    cr_assert_arr_eq(a->top, b->top, all * sizeof *a->top);
    cr_assert_arr_eq(a->confidence, b->confidence, all * sizeof *a->confidence);
    cr_assert_arr_eq(a->margin, b->margin, all * sizeof *a->margin);
    cr_assert_arr_eq(a->entropy, b->entropy, all * sizeof *a->entropy);
}

Test(trace, shapes_are_checked)
{
    eex_trace *t = NULL;
    cr_assert_eq(eex_trace_new(&t, 0, 1, 1), EEX_EINVAL);
    cr_assert_eq(eex_trace_new(&t, 1, EEX_MAX_EXITS + 1, 1), EEX_EINVAL);
    cr_assert_eq(eex_trace_new(&t, 1, 1, -1), EEX_EINVAL);
    cr_assert_null(t);
    eex_trace_free(NULL);
}

Test(trace, scores_are_those_of_a_softmax_at_the_temperature)
{
    eex_trace *t = NULL;
    cr_assert_eq(eex_trace_new(&t, 2, 2, 3), EEX_OK);
    const float logits[] = {1, 3, 2, 0, 0, 0, -1, 5, 4, 2, 2, 9};
    memcpy(t->logits, logits, sizeof logits);
    score(t, 2); /* temperatures 2 and 3 */
    double a = exp(0.5), b = exp(1.5), c = exp(1), sum = a + b + c;
    cr_assert_eq(t->top[0], 1);
    cr_assert_float_eq(t->confidence[0], b / sum, 1e-6);
    cr_assert_float_eq(t->margin[0], (b - c) / sum, 1e-6);
    double entropy = -(a * log(a / sum) + b * log(b / sum) + c * log(c / sum)) / sum;
    cr_assert_float_eq(t->entropy[0], entropy, 1e-6);
    cr_assert_float_eq(t->confidence[1], 1.0 / 3, 1e-6);
    cr_assert_eq(t->top[3], 2);
    cr_assert_float_eq(t->confidence[3], 1 / (1 + 2 * exp(-7.0 / 3)), 1e-6);
    cr_assert_eq(t->temperature[1], 3.0f);
    eex_trace_free(t);
}

Test(trace, long_traces_are_scored_in_batches)
{
    eex_trace *t = filled(2500, 2, 3);
    score(t, 1);
    for (size_t at = 0; at < 5000; at++) {
        double sum = 0;
        for (int c = 0; c < 3; c++)
            sum += exp((t->logits[at * 3 + (size_t)c] - t->logits[at * 3 + (size_t)t->top[at]]) /
                       t->temperature[at / 2500]);
        cr_assert_float_eq(t->confidence[at], 1 / sum, 1e-5, "%zu", at);
    }
    eex_trace_free(t);
}

Test(trace, bad_values_are_named)
{
    const float one[] = {1, 1}, zero[] = {1, 0};
    eex_trace *t = filled(10, 2, 3);
    cr_assert_eq(eex_trace_score(t, test_head_device(), zero), EEX_EINVAL);
    t->logits[(10 + 4) * 3 + 1] = NAN;
    cr_assert_eq(eex_trace_score(t, test_head_device(), one), EEX_EDIVERGED);
    cr_assert(strstr(eex_error(), "exit 1") && strstr(eex_error(), "sample 31"), "%s", eex_error());
    t->logits[(10 + 4) * 3 + 1] = -INFINITY;
    cr_assert_eq(eex_trace_score(t, test_head_device(), one), EEX_EDIVERGED);
    t->logits[(10 + 4) * 3 + 1] = 0;
    t->labels[2] = 3;
    cr_assert_eq(eex_trace_score(t, test_head_device(), one), EEX_EINVAL);
    eex_trace_free(t);
}

Test(trace, accuracy_of_one_exit)
{
    eex_trace *t = NULL;
    cr_assert_eq(eex_trace_new(&t, 4, 2, 3), EEX_OK);
    const int32_t labels[] = {0, 1, 2, 1}, top[] = {0, 0, 0, 0, 0, 1, 2, 0};
    memcpy(t->labels, labels, sizeof labels);
    memcpy(t->top, top, sizeof top);
    cr_assert_eq(eex_trace_accuracy(t, 0), 0.25);
    cr_assert_eq(eex_trace_accuracy(t, 1), 0.75);
    eex_trace_free(t);
}

Test(trace, selecting_copies_whole_columns)
{
    eex_trace *t = filled(20, 4, 3), *s = NULL, *back = NULL;
    const int pick[] = {2, 0}, all[] = {0, 1, 2, 3}, wrong[] = {0, 4};
    score(t, 1);
    cr_assert_eq(eex_trace_select(&s, t, pick, 2), EEX_OK);
    cr_assert_arr_eq(s->logits, t->logits + 2 * 60, 60 * sizeof(float));
    cr_assert_arr_eq(s->confidence + 20, t->confidence, 20 * sizeof(float));
    cr_assert_eq(s->temperature[0], 3.0f);
    eex_trace_free(s);
    cr_assert_eq(eex_trace_select(&back, t, all, 4), EEX_OK);
    assert_same(t, back);
    eex_trace_free(back);
    cr_assert_eq(eex_trace_select(&s, t, wrong, 2), EEX_EINVAL);
    cr_assert_null(s);
    eex_trace_free(t);
}

static void save(const eex_trace *t, const char *path, const char *group)
{
    eex_store_file *f = NULL;
    cr_assert_eq(eex_store_create(&f, path, "trace", 1), EEX_OK, "%s", eex_error());
    cr_assert_eq(eex_trace_save(t, f, group), EEX_OK, "%s", eex_error());
    cr_assert_eq(eex_store_commit(&f), EEX_OK, "%s", eex_error());
}

Test(trace, comes_back_from_a_file_bit_for_bit)
{
    char path[128];
    snprintf(path, sizeof path, "/tmp/eex-test-trace-%ld.h5", (long)getpid());
    const char *groups[] = {"", "validation"};
    for (int g = 0; g < 2; g++) {
        eex_trace *t = filled(333, 3, 4), *back = NULL;
        eex_store_file *f = NULL;
        score(t, 0.7f);
        save(t, path, groups[g]);
        cr_assert_eq(eex_store_open(&f, path, "trace", 1), EEX_OK, "%s", eex_error());
        cr_assert_eq(eex_trace_load(&back, f, groups[g]), EEX_OK, "%s", eex_error());
        assert_same(t, back);
        eex_store_close(f);
        eex_trace_free(t);
        eex_trace_free(back);
    }
    unlink(path);
}

/* A trace of 30 samples and 3 exits with one thing in it that cannot be. */
static void refused(void (*spoil)(eex_trace *t, float value), float value, const char *word)
{
    char path[128];
    snprintf(path, sizeof path, "/tmp/eex-test-hostile-%ld.h5", (long)getpid());
    eex_trace *t = filled(30, 3, 4), *back = NULL;
    eex_store_file *f = NULL;
    score(t, 1);
    spoil(t, value);
    save(t, path, "t");
    cr_assert_eq(eex_store_open(&f, path, "trace", 1), EEX_OK);
    cr_assert_eq(eex_trace_load(&back, f, "t"), EEX_EFORMAT, "%s %g", word, (double)value);
    cr_assert_null(back);
    cr_assert(strstr(eex_error(), path), "%s", eex_error());
    cr_assert(strstr(eex_error(), word), "%s", eex_error());
    cr_assert_lt(eex_trace_load(&back, f, "other"), 0);
    eex_store_close(f);
    eex_trace_free(t);
    unlink(path);
}

static void a_label(eex_trace *t, float value)
{
    t->labels[7] = (int32_t)value;
}

static void a_class(eex_trace *t, float value)
{
    t->top[40] = (int32_t)value;
}

static void a_logit(eex_trace *t, float value)
{
    t->logits[299] = value;
}

static void a_temperature(eex_trace *t, float value)
{
    t->temperature[2] = value;
}

static void a_confidence(eex_trace *t, float value)
{
    t->confidence[89] = value;
}

static void a_margin(eex_trace *t, float value)
{
    t->margin[0] = value;
}

static void an_entropy(eex_trace *t, float value)
{
    t->entropy[31] = value;
}

Test(trace, hostile_files_are_refused)
{
    const float no_numbers[] = {NAN, INFINITY, -INFINITY}, no_scores[] = {1e38F, 1.5F, -0.5F};
    refused(a_label, 4, "label");
    refused(a_label, -1, "label");
    refused(a_class, 4, "class");
    refused(a_class, -1, "class");
    refused(a_temperature, 0, "temperature");
    refused(a_temperature, -1, "temperature");
    for (int i = 0; i < 3; i++) {
        refused(a_logit, no_numbers[i], "logit");
        refused(a_temperature, no_numbers[i], "temperature");
        refused(a_confidence, no_numbers[i], "confidence");
        refused(a_confidence, no_scores[i], "confidence");
        refused(a_margin, no_numbers[i], "margin");
        refused(a_margin, no_scores[i], "margin");
        refused(an_entropy, no_numbers[i], "entropy");
        refused(an_entropy, i == 1 ? 1.6F : no_scores[i], "entropy"); /* of 4 classes: up to 1.39 */
    }
}
