/* Rejection, refitting for a target, and what is said of the result. */
#include "core/policy/appraise.h"
#include "core/policy/reject.h"
#include "core/policy/replay.h"
#include "core/use/refit.h"
#include "support/backbones.h"
#include "support/folder.h"
#include "support/traces.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXITS = 3, SAMPLES = 600, CLASSES = 4 };

/* A model as eex_model_open leaves it without a device, and its traces. */
typedef struct fixture {
    eex_model model;
    eex_model_costs costs;
    eex_trace *calibration;
} fixture;

static eex_exit_costs macs_of(const fixture *f)
{
    return (eex_exit_costs){EXITS, f->costs.macs, f->costs.base_macs};
}

static fixture setup(eex_policy_kind kind)
{
    static char path[] = "toy/final.h5";
    fixture f = {.model.path = path,
                 .costs = {.exits = EXITS,
                           .macs = {40, 70, 130},
                           .base_macs = 100,
                           .timed = true,
                           .ms = {0.5, 0.8, 1.4},
                           .base_ms = 1.2}};
    eex_calibration how = eex_calibration_default();
    const eex_exit_costs costs = macs_of(&f);
    how.kind = kind;
    how.temperature = 2;
    how.tune = EEX_TUNE_ACCURACY;
    cr_assert_eq(eex_test_tiny_gated(&f.model.graph, CLASSES), EEX_OK);
    cr_assert_eq(eex_trace_new(&f.calibration, SAMPLES, EXITS, CLASSES), EEX_OK);
    test_trace_fill(f.calibration, 8);
    cr_assert_eq(eex_calibrate(&f.model.policy, f.calibration, test_head_device(), &how, &costs),
                 EEX_OK);
    return f;
}

static void teardown(fixture *f)
{
    eex_graph_free(f->model.graph);
    eex_policy_free(f->model.policy);
    eex_trace_free(f->calibration);
}

static eex_outcome replayed(const fixture *f, const eex_policy *p)
{
    const eex_exit_costs costs = macs_of(f);
    eex_outcome o;
    cr_assert_eq(eex_replay(&o, f->calibration, p, &costs, NULL, NULL), EEX_OK);
    return o;
}

/* ---- rejection ---- */

/* Samples below the lower threshold of any exit. */
static int below(const fixture *f, const eex_policy *p)
{
    const eex_trace *t = f->calibration;
    int count = 0;
    for (int i = 0; i < SAMPLES; i++)
        for (int k = 0; k < EXITS; k++) {
            int at = k * SAMPLES + i;
            float score =
                eex_policy_score(p->kind, t->confidence[at], t->margin[at], t->entropy[at]);
            if (score < p->low[k * CLASSES + t->top[at]]) {
                count++;
                break;
            }
        }
    return count;
}

Test(reject, keeps_to_the_rate_whatever_the_upper_thresholds)
{
    for (int kind = 0; kind < EEX_POLICY_KINDS; kind++) {
        fixture f = setup((eex_policy_kind)kind);
        eex_policy *p = f.model.policy;
        const eex_exit_costs costs = macs_of(&f);
        const double rates[] = {0.01, 0.05, 0.2};
        double last = 0;
        for (int r = 0; r < 3; r++) {
            cr_assert_eq(eex_policy_reject(p, f.calibration, &costs, rates[r], EEX_REJECT_BY_ANY),
                         EEX_OK);
            cr_assert_leq(below(&f, p), rates[r] * SAMPLES);
            cr_assert_geq(below(&f, p), 0.6 * rates[r] * SAMPLES, "the rate is used: %d of %g",
                          below(&f, p), rates[r] * SAMPLES);
            cr_assert_eq(p->low[(EXITS - 1) * CLASSES], -INFINITY, "the end rejects nobody");
            double now = replayed(&f, p).rejected;
            cr_assert(now <= rates[r] && now >= last, "%s at %g: %g after %g",
                      eex_policy_kind_name(p->kind), rates[r], now, last);
            last = now;
        }
        for (int k = 0; k + 1 < EXITS; k++) /* nobody is accepted early any more */
            p->a[k] = INFINITY;
        eex_policy_apply(p);
        cr_assert_leq(replayed(&f, p).rejected, 0.2);
        teardown(&f);
    }
}

Test(reject, rejects_the_least_sure)
{
    fixture f = setup(EEX_POLICY_ENTROPY);
    eex_policy *p = f.model.policy;
    const eex_exit_costs costs = macs_of(&f);
    const eex_trace *t = f.calibration;
    int32_t exit_of[SAMPLES];
    eex_decision how[SAMPLES];
    eex_outcome o;
    cr_assert_eq(eex_policy_reject(p, t, &costs, 0.1, EEX_REJECT_BY_ANY), EEX_OK);
    cr_assert_eq(eex_replay(&o, t, p, NULL, exit_of, how), EEX_OK);
    float least = INFINITY,
          most = 0; /* entropy of the rejected, of the others, at the first exit */
    for (int i = 0; i < SAMPLES; i++)
        if (how[i] == EEX_REJECT && exit_of[i] == 0)
            least = fminf(least, t->entropy[i]);
        else
            most = fmaxf(most, t->entropy[i]);
    cr_assert(isfinite(least) && least > most, "%g, %g", (double)least, (double)most);
    teardown(&f);
}

/* Nothing is saved by rejecting where all leave anyway, but it was asked for. */
Test(reject, works_where_all_leave_at_once)
{
    fixture f = setup(EEX_POLICY_MARGIN);
    const eex_exit_costs costs = macs_of(&f);
    f.model.policy->a[0] = -INFINITY;
    eex_policy_apply(f.model.policy);
    cr_assert_eq(eex_policy_reject(f.model.policy, f.calibration, &costs, 0.1, EEX_REJECT_BY_ANY),
                 EEX_OK);
    cr_assert_geq(replayed(&f, f.model.policy).rejected, 0.08);
    teardown(&f);
}

/* As experiments ask for it: after tuning, so that a target of accuracy stays within reach. */
Test(reject, is_a_field_of_calibration)
{
    fixture f = setup(EEX_POLICY_CONFIDENCE);
    const eex_exit_costs costs = macs_of(&f);
    eex_calibration how = eex_calibration_default();
    eex_policy *p = NULL;
    how.tune = EEX_TUNE_ACCURACY;
    how.reject = 0.08;
    cr_assert_eq(eex_calibrate(&p, f.calibration, test_head_device(), &how, &costs), EEX_OK);
    eex_outcome o = replayed(&f, p);
    cr_assert(o.rejected > 0.02 && o.rejected <= 0.08, "%g", o.rejected);
    cr_assert_lt(o.cost, 100, "samples leave early all the same");
    eex_policy_free(p);
    cr_assert_eq(eex_calibrate(&p, f.calibration, test_head_device(), &how, NULL), EEX_EINVAL);
    how.reject = 1;
    cr_assert_eq(eex_calibrate(&p, f.calibration, test_head_device(), &how, &costs), EEX_EINVAL);
    teardown(&f);
}

Test(reject, nothing_and_nonsense)
{
    fixture f = setup(EEX_POLICY_CONFIDENCE);
    eex_policy *p = f.model.policy;
    const eex_exit_costs costs = macs_of(&f);
    cr_assert_eq(eex_policy_reject(p, f.calibration, &costs, 0.1, EEX_REJECT_BY_ANY), EEX_OK);
    cr_assert(eex_policy_rejects(p));
    cr_assert_eq(eex_policy_reject(p, f.calibration, &costs, 0, EEX_REJECT_BY_ANY), EEX_OK);
    cr_assert_not(eex_policy_rejects(p));
    cr_assert_eq(eex_policy_reject(p, f.calibration, &costs, 1, EEX_REJECT_BY_ANY), EEX_EINVAL);
    cr_assert_eq(eex_policy_reject(p, f.calibration, &costs, -0.1, EEX_REJECT_BY_ANY), EEX_EINVAL);
    cr_assert_eq(eex_policy_reject(p, f.calibration, &costs, NAN, EEX_REJECT_BY_ANY), EEX_EINVAL);
    p->temperature[1] = 9;
    cr_assert_eq(eex_policy_reject(p, f.calibration, &costs, 0.1, EEX_REJECT_BY_ANY), EEX_EINVAL,
                 "scored otherwise");
    teardown(&f);
}

/* ---- targets ---- */

static eex_wish for_target(eex_tune tune, double target)
{
    return (eex_wish){.tune = tune, .target = target, .reject = NAN};
}

static int refit(eex_policy **out, fixture *f, const eex_wish *wish)
{
    eex_refit facts;
    return eex_model_refit(out, &facts, &f->model, f->calibration, test_head_device(), &f->costs,
                           wish);
}

Test(refit, budgets_are_kept_and_more_buys_more)
{
    for (int kind = 0; kind < EEX_POLICY_KINDS; kind++) {
        fixture f = setup((eex_policy_kind)kind);
        double last = 0;
        for (double most = 45; most <= 115; most += 10) {
            const eex_wish w = for_target(EEX_TUNE_MACS, most);
            eex_policy *p = NULL;
            cr_assert_eq(refit(&p, &f, &w), EEX_OK, "%s", eex_error());
            eex_outcome o = replayed(&f, p);
            cr_assert_leq(o.cost, most);
            cr_assert_geq(o.accuracy, last - 0.005, "%g MACs: %g after %g", most, o.accuracy, last);
            last = fmax(last, o.accuracy);
            eex_policy_free(p);
        }
        teardown(&f);
    }
}

Test(refit, milliseconds_are_kept)
{
    fixture f = setup(EEX_POLICY_PER_CLASS);
    eex_wish w = for_target(EEX_TUNE_MACS, 0.7);
    eex_policy *p = NULL;
    w.by_latency = true;
    cr_assert_eq(refit(&p, &f, &w), EEX_OK, "%s", eex_error());
    const eex_exit_costs ms = {EXITS, f.costs.ms, f.costs.base_ms};
    eex_outcome o;
    cr_assert_eq(eex_replay(&o, f.calibration, p, &ms, NULL, NULL), EEX_OK);
    cr_assert(o.cost <= 0.7 && o.cost > 0.5, "%g", o.cost);
    eex_policy_free(p);
    f.costs.timed = false;
    cr_assert_eq(refit(&p, &f, &w), EEX_EINVAL);
    cr_assert_null(p);
    cr_assert(strstr(eex_error(), "--measure"), "%s", eex_error());
    teardown(&f);
}

Test(refit, accuracies_are_kept_and_less_costs_less)
{
    fixture f = setup(EEX_POLICY_MARGIN);
    double last = INFINITY, end = eex_trace_accuracy(f.calibration, EXITS - 1);
    for (double lost = 0; lost <= 0.09; lost += 0.03) {
        const eex_wish w = for_target(EEX_TUNE_ACCURACY, -lost);
        eex_policy *p = NULL;
        cr_assert_eq(refit(&p, &f, &w), EEX_OK, "%s", eex_error());
        eex_outcome o = replayed(&f, p);
        cr_assert_geq(o.accuracy, end - lost - 0.02, "%g lost of %g", end - o.accuracy, lost);
        cr_assert_leq(o.cost, last);
        last = o.cost;
        eex_policy_free(p);
    }
    teardown(&f);
}

/* Refused with the nearest that can be met, which then is met. */
Test(refit, names_the_nearest_that_can_be)
{
    fixture f = setup(EEX_POLICY_ENTROPY);
    eex_policy *p = NULL;
    eex_wish w = for_target(EEX_TUNE_ACCURACY, 0.999);
    cr_assert_eq(refit(&p, &f, &w), EEX_ENOTFOUND);
    const char *most = strstr(eex_error(), "on, ");
    cr_assert_not_null(most, "%s", eex_error());
    w.target = strtod(most + 4, NULL) - 1e-4;
    cr_assert_eq(refit(&p, &f, &w), EEX_OK, "%g: %s", w.target, eex_error());
    eex_policy_free(p);
    w = for_target(EEX_TUNE_MACS, 1);
    cr_assert_eq(refit(&p, &f, &w), EEX_ENOTFOUND);
    cr_assert(strstr(eex_error(), "take 40 "), "%s", eex_error());
    w.target = 40;
    cr_assert_eq(refit(&p, &f, &w), EEX_OK, "%s", eex_error());
    eex_policy_free(p);
    teardown(&f);
}

Test(refit, another_kind_with_rejection_within_a_budget)
{
    fixture f = setup(EEX_POLICY_PER_CLASS);
    eex_wish w = for_target(EEX_TUNE_MACS, 60);
    eex_policy *a = NULL, *b = NULL;
    w.refit = true;
    w.how = eex_calibration_default();
    w.how.kind = EEX_POLICY_ENTROPY;
    w.how.temperature = 0;
    w.reject = 0.05;
    cr_assert_eq(refit(&a, &f, &w), EEX_OK, "%s", eex_error());
    cr_assert_eq(a->kind, EEX_POLICY_ENTROPY);
    cr_assert(eex_policy_rejects(a));
    eex_outcome o = replayed(&f, a);
    cr_assert(o.cost <= 60 && o.rejected <= 0.05 && o.rejected > 0, "%g, %g", o.cost, o.rejected);
    cr_assert_eq(refit(&b, &f, &w), EEX_OK);
    cr_assert_eq(memcmp(a->high, b->high, EXITS * CLASSES * sizeof *a->high), 0);
    cr_assert_eq(memcmp(a->low, b->low, EXITS * CLASSES * sizeof *a->low), 0);
    eex_policy_free(a);
    eex_policy_free(b);
    teardown(&f);
}

/* The bound must not lean on thresholds that have seen the samples which test it. */
Test(refit, bound_wants_rejection_to_be_fitted_anew)
{
    fixture f = setup(EEX_POLICY_CONFIDENCE);
    const eex_exit_costs costs = macs_of(&f);
    eex_policy *p = NULL;
    eex_wish w = for_target(EEX_TUNE_NONE, 0);
    w.epsilon = 0.1;
    w.delta = 0.05;
    cr_assert_eq(eex_policy_reject(f.model.policy, f.calibration, &costs, 0.1, EEX_REJECT_BY_ANY),
                 EEX_OK);
    cr_assert_eq(refit(&p, &f, &w), EEX_EINVAL);
    cr_assert(strstr(eex_error(), "--reject"), "%s", eex_error());
    w.reject = 0;
    cr_assert_eq(refit(&p, &f, &w), EEX_OK, "%s", eex_error());
    cr_assert_not(eex_policy_rejects(p));
    eex_policy_free(p);
    teardown(&f);
}

/* Thresholds that lose no more than was promised, by the model's own kind, within a budget of
 * images; what has seen them is not taken over. */
Test(refit, risk_is_a_target)
{
    for (int kind = 0; kind < EEX_POLICY_KINDS; kind++) {
        fixture f = setup((eex_policy_kind)kind);
        eex_wish w = for_target(EEX_TUNE_NONE, 0);
        const eex_exit_costs costs = macs_of(&f);
        eex_policy *p = NULL;
        eex_refit facts;
        w.risk = (eex_risk_options){.epsilon = 0.1, .delta = 0.1};
        cr_assert(eex_wish_guarantees(&w));
        cr_assert_eq(
            eex_model_refit(&p, &facts, &f.model, f.calibration, test_head_device(), &f.costs, &w),
            EEX_OK, "%s", eex_error());
        cr_assert_eq((int)p->kind, kind);
        cr_assert_eq(p->temperature[0], f.model.policy->temperature[0]);
        cr_assert(facts.risk.open && facts.risk.tested == SAMPLES / 2);
        cr_assert_leq(facts.risk.all.mean, 0.1);
        cr_assert(isnan(facts.point.held_accuracy));
        eex_policy_free(p);
        w.risk.epsilon = 0.001;
        cr_assert_eq(refit(&p, &f, &w), EEX_EINVAL);
        w.risk.epsilon = 0.1;
        cr_assert_eq(
            eex_policy_reject(f.model.policy, f.calibration, &costs, 0.1, EEX_REJECT_BY_ANY),
            EEX_OK);
        cr_assert_eq(refit(&p, &f, &w), EEX_EINVAL);
        cr_assert(strstr(eex_error(), "--reject"), "%s", eex_error());
        w.reject = 0;
        cr_assert_eq(refit(&p, &f, &w), EEX_OK, "%s", eex_error());
        cr_assert_not(eex_policy_rejects(p));
        eex_policy_free(p);
        teardown(&f);
    }
}

/* ---- by whose outputs means are fitted ---- */

/* Whatever is asked for, means are of what they were of before; fitted anew by a guarantee, they
 * are not those that labels would have made. */
Test(refit, goes_by_what_the_policy_was_fitted_by)
{
    const eex_wish wishes[] = {
        for_target(EEX_TUNE_ACCURACY, -0.05),
        for_target(EEX_TUNE_MACS, 90),
        {.reject = 0.05},
        {.epsilon = 0.4, .delta = 0.1, .reject = NAN},
        {.risk = {.epsilon = 0.4, .delta = 0.1}, .reject = NAN},
        {.risk = {.epsilon = 0.4, .delta = 0.1, .method = EEX_RISK_CRC}, .reject = NAN},
        {.risk = {.epsilon = 0.4, .delta = 0.1, .each_exit = true}, .reject = NAN}};
    fixture f = setup(EEX_POLICY_PER_CLASS);
    for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++) {
        eex_policy *by[2];
        for (int label = 0; label < 2; label++) {
            f.model.policy->by_label = label;
            cr_assert_eq(refit(&by[label], &f, &wishes[i]), EEX_OK, "%zu: %s", i, eex_error());
            cr_expect_eq(by[label]->by_label, label, "wish %zu", i);
        }
        const size_t bytes = (size_t)(EXITS * CLASSES) * sizeof(double);
        cr_expect_eq(memcmp(by[0]->mean, by[1]->mean, bytes) != 0, eex_wish_guarantees(&wishes[i]),
                     "wish %zu", i);
        eex_policy_free(by[0]);
        eex_policy_free(by[1]);
    }
    teardown(&f);
}

/* ---- what is said of it ---- */

Test(appraise, says_what_replay_says)
{
    fixture f = setup(EEX_POLICY_PER_CLASS);
    const eex_bootstrap_options few = {.resamples = 200};
    eex_departures end, now;
    eex_appraisal a;
    eex_outcome o = replayed(&f, f.model.policy);
    cr_assert_eq(eex_departures_new(&end, f.calibration, NULL), EEX_OK);
    cr_assert_eq(eex_departures_new(&now, f.calibration, f.model.policy), EEX_OK);
    cr_assert_eq(eex_appraise(&a, f.calibration, &now, &end, f.costs.macs, NULL, &few), EEX_OK);
    cr_assert_float_eq(a.accuracy.value, o.accuracy, 1e-12);
    cr_assert_float_eq(a.macs.value, o.cost, 1e-9);
    cr_assert_float_eq(a.agreement.value, o.agreement, 1e-12);
    cr_assert_float_eq(a.gain.value, o.accuracy - eex_trace_accuracy(f.calibration, 2), 1e-12);
    cr_assert_float_eq(a.accuracy_change.value, a.gain.value, 1e-12, "before was the end");
    cr_assert_float_eq(a.macs_change.value, o.cost - 130, 1e-9);
    cr_assert(a.bad.value >= -a.gain.value && a.accuracy.low < o.accuracy);
    cr_assert(isnan(a.ms.value) && a.accuracy.high > o.accuracy);
    double shares = 0;
    for (int k = 0; k < EXITS; k++) {
        cr_assert_float_eq(a.share[k].value, o.share[k], 1e-12);
        shares += a.share[k].value;
    }
    cr_assert_float_eq(shares, 1, 1e-12);
    eex_departures_free(&end);
    eex_departures_free(&now);
    teardown(&f);
}

/* ---- policy files ---- */

/* A model's file, of which nothing but its weights is looked at. */
static void write_weights(const char *path, float weight)
{
    const eex_store_shape one = {1, {1}};
    eex_store_file *file;
    cr_assert_eq(eex_store_create(&file, path, "weights", 1), EEX_OK);
    cr_assert_eq(eex_store_write(file, "params/w", EEX_STORE_F32, &one, &weight), EEX_OK);
    cr_assert_eq(eex_store_commit(&file), EEX_OK);
}

Test(policy_file, goes_to_its_network_and_to_no_other)
{
    char folder[TEST_PATH_SIZE];
    test_folder_make(folder);
    char path[TEST_PATH_SIZE + 16], weights[TEST_PATH_SIZE + 16];
    snprintf(path, sizeof path, "%s", test_path(folder, "policy.h5"));
    snprintf(weights, sizeof weights, "%s", test_path(folder, "final.h5"));
    fixture f = setup(EEX_POLICY_MARGIN);
    f.model.path = weights;
    write_weights(weights, 1);
    eex_store_file *file = NULL;
    eex_graph *other = NULL;
    const float high = f.model.policy->high[1];
    cr_assert_eq(eex_policy_file(&file, path, f.model.policy, &f.model), EEX_OK);
    cr_assert_eq(eex_store_commit(&file), EEX_OK);
    f.model.policy->high[1] = 77;
    cr_assert_eq(eex_model_load_policy(&f.model, path), EEX_OK, "%s", eex_error());
    cr_assert_eq(f.model.policy->high[1], high);
    write_weights(weights, 2);
    cr_assert_eq(eex_model_load_policy(&f.model, path), EEX_EINVAL, "a network trained otherwise");
    cr_assert(strstr(eex_error(), "policy.h5") && strstr(eex_error(), "other weights"), "%s",
              eex_error());
    write_weights(weights, 1);
    eex_graph_free(f.model.graph);
    cr_assert_eq(eex_test_tiny(&other, CLASSES), EEX_OK);
    const eex_gate gates[] = {{.point = eex_graph_find(other, "blocks.0.relu2"), .heads = 1},
                              {.point = eex_graph_find(other, "blocks.1.relu2"), .heads = 1}};
    cr_assert_eq(eex_graph_with_gates(&f.model.graph, other, gates, 2, EEX_ACT_RELU), EEX_OK, "%s",
                 eex_error());
    cr_assert_eq(eex_model_load_policy(&f.model, path), EEX_EINVAL, "gates of other sizes");
    cr_assert(strstr(eex_error(), "policy.h5") && strstr(eex_error(), "exit 1"), "%s", eex_error());
    cr_assert_eq(f.model.policy->high[1], high, "the policy stays");
    eex_graph_free(other);
    teardown(&f);
    test_folder_remove(folder);
}
