#include "core/run/evaluate.h"
#include "support/traces.h"

#include "base/rng.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { POINTS = 3, CHOICES = 2, COLUMNS = POINTS * CHOICES + 1 };

static const double trunk_macs[POINTS] = {20, 45, 70}, trunk_ms[POINTS] = {0.3, 0.5, 0.8};
static const double gate_macs[POINTS * CHOICES] = {1, 5, 2, 6, 3, 7};
static const double gate_ms[POINTS * CHOICES] = {0.01, 0.05, 0.02, 0.06, 0.03, 0.07};

static eex_cost_tables tables(void)
{
    return (eex_cost_tables){POINTS, CHOICES, trunk_macs, gate_macs, 100, trunk_ms, gate_ms, 1};
}

typedef struct fixture {
    eex_trace *calibration, *validation;
    eex_evaluator *evaluator;
} fixture;

static eex_trace *trace_of(int samples, uint64_t seed)
{
    eex_trace *t = NULL;
    cr_assert_eq(eex_trace_new(&t, samples, COLUMNS, 4), EEX_OK);
    test_trace_fill(t, seed);
    return t;
}

static fixture setup(eex_evaluator_options options, eex_cost_tables costs)
{
    fixture f = {trace_of(600, 1), trace_of(500, 2), NULL};
    cr_assert_eq(eex_evaluator_new(&f.evaluator, f.calibration, f.validation, test_head_device(),
                                   &costs, &options),
                 EEX_OK, "%s", eex_error());
    return f;
}

static void teardown(fixture *f)
{
    eex_evaluator_free(f->evaluator);
    eex_trace_free(f->calibration);
    eex_trace_free(f->validation);
}

static eex_evaluator_options options_of(eex_score_kind score, eex_tune tune, double target)
{
    eex_evaluator_options o = {.policy = eex_calibration_default(), .score = score};
    o.policy.temperature = 2;
    o.policy.tune = tune;
    o.policy.target = target;
    return o;
}

Test(evaluate, costs_are_trunk_and_every_gate_on_the_way)
{
    fixture f = setup(options_of(EEX_SCORE_ACCURACY, EEX_TUNE_NONE, 0), tables());
    const int genome[] = {2, 0, 1};
    eex_candidate c;
    cr_assert_eq(eex_evaluator_score(f.evaluator, &c, genome), EEX_OK);
    const int columns[] = {1, 4, 6};
    const double macs[] = {20 + 5, 70 + 5 + 3, 100 + 5 + 3};
    const double ms[] = {0.3 + 0.05, 0.8 + 0.05 + 0.03, 1 + 0.05 + 0.03};
    cr_assert_eq(c.exits, 3);
    cr_assert_arr_eq(c.column, columns, sizeof columns);
    for (int k = 0; k < 3; k++) {
        cr_assert_eq(c.macs_at[k], macs[k]);
        cr_assert_float_eq(c.ms_at[k], ms[k], 1e-12);
    }
    double expected_macs = 0, expected_ms = 0;
    for (int k = 0; k < 3; k++) {
        expected_macs += c.outcome.share[k] * macs[k];
        expected_ms += c.outcome.share[k] * ms[k];
    }
    cr_assert_float_eq(c.macs, expected_macs, 1e-9);
    cr_assert_float_eq(c.latency, expected_ms, 1e-9);
    teardown(&f);
}

Test(evaluate, no_gates_is_the_backbone)
{
    for (int tune = EEX_TUNE_NONE; tune <= EEX_TUNE_WEIGHTED; tune++) {
        fixture f = setup(options_of(EEX_SCORE_EQUATION1, (eex_tune)tune, 0.5), tables());
        const int genome[POINTS] = {0};
        eex_candidate c;
        cr_assert_eq(eex_evaluator_score(f.evaluator, &c, genome), EEX_OK);
        cr_assert_eq(c.exits, 1);
        cr_assert_eq(c.accuracy, eex_trace_accuracy(f.validation, COLUMNS - 1));
        cr_assert_eq(c.macs, 100);
        cr_assert_eq(c.latency, 1);
        cr_assert_eq(c.outcome.agreement, 1);
        cr_assert_eq(c.score, -1);
        teardown(&f);
    }
}

/* Every genome, every score, fixed and tuned thresholds: the same numbers as plainly replaying the
 * candidate's own policy on its own sub-trace. */
static void check_genome(fixture *f, const eex_evaluator_options *o, const int *genome)
{
    eex_candidate c;
    eex_policy *p = NULL;
    eex_trace *t = NULL;
    eex_outcome plain;
    cr_assert_eq(eex_evaluator_score(f->evaluator, &c, genome), EEX_OK);
    cr_assert_eq(eex_evaluator_policy(&p, f->evaluator, &c), EEX_OK, "%s", eex_error());
    cr_assert_eq(eex_trace_select(&t, f->validation, c.column, c.exits), EEX_OK);
    const eex_exit_costs costs = {c.exits, c.macs_at, 100};
    cr_assert_eq(eex_replay(&plain, t, p, &costs, NULL, NULL), EEX_OK, "%s", eex_error());
    cr_assert_eq(c.accuracy, plain.accuracy);
    cr_assert_eq(c.macs, plain.cost);
    double latency = 0, score = plain.accuracy;
    for (int k = 0; k < c.exits; k++)
        latency += plain.share[k] * c.ms_at[k];
    if (o->score == EEX_SCORE_EQUATION1)
        score = -(latency / 1 + (1 - plain.agreement));
    else if (o->score == EEX_SCORE_WEIGHTED)
        score -= o->weight * (o->by_latency ? latency / 1 : plain.cost / 100);
    cr_assert_float_eq(c.score, score, 1e-12);
    eex_policy_free(p);
    eex_trace_free(t);
}

Test(evaluate, scores_are_those_of_plain_replay)
{
    for (int score = EEX_SCORE_ACCURACY; score <= EEX_SCORE_WEIGHTED; score++)
        for (int tune = EEX_TUNE_NONE; tune <= EEX_TUNE_WEIGHTED; tune++)
            for (int by_latency = 0; by_latency < 2; by_latency++) {
                double unit = by_latency ? 1 : 100;
                eex_evaluator_options o = options_of((eex_score_kind)score, (eex_tune)tune,
                                                     tune == EEX_TUNE_MACS ? 0.7 * unit : 0.2);
                o.weight = 0.3;
                o.by_latency = by_latency;
                fixture f = setup(o, tables());
                for (int i = 0; i < 27; i++) {
                    const int genome[] = {i % 3, i / 3 % 3, i / 9};
                    check_genome(&f, &o, genome);
                }
                teardown(&f);
            }
}

Test(evaluate, thresholds_come_from_calibration_alone)
{
    eex_evaluator_options o = options_of(EEX_SCORE_ACCURACY, EEX_TUNE_WEIGHTED, 0.2);
    fixture f = setup(o, tables()), g = setup(o, tables());
    const int genome[] = {1, 2, 1};
    eex_candidate a, b;
    eex_evaluator_free(g.evaluator);
    eex_trace_free(g.validation);
    g.validation = trace_of(300, 99);
    const eex_cost_tables costs = tables();
    cr_assert_eq(eex_evaluator_new(&g.evaluator, g.calibration, g.validation, test_head_device(),
                                   &costs, &o),
                 EEX_OK);
    cr_assert_eq(eex_evaluator_score(f.evaluator, &a, genome), EEX_OK);
    cr_assert_eq(eex_evaluator_score(g.evaluator, &b, genome), EEX_OK);
    cr_assert_arr_eq(a.tuned.a, b.tuned.a, 4 * sizeof *a.tuned.a);
    cr_assert_neq(a.accuracy, b.accuracy);
    teardown(&f);
    teardown(&g);
}

Test(evaluate, refining_is_at_least_as_good_on_calibration)
{
    eex_evaluator_options o = options_of(EEX_SCORE_WEIGHTED, EEX_TUNE_WEIGHTED, 0.25);
    fixture f = setup(o, tables());
    for (int i = 1; i < 27; i++) {
        const int genome[] = {i % 3, i / 3 % 3, i / 9};
        eex_candidate quick, thorough;
        cr_assert_eq(eex_evaluator_score(f.evaluator, &quick, genome), EEX_OK);
        cr_assert_eq(eex_evaluator_refine(f.evaluator, &thorough, genome), EEX_OK);
        cr_assert_geq(thorough.tuned.accuracy - 0.25 * thorough.tuned.cost / 100,
                      quick.tuned.accuracy - 0.25 * quick.tuned.cost / 100 - 1e-12);
    }
    teardown(&f);
}

Test(evaluate, without_latencies_only_macs_count)
{
    eex_cost_tables costs = tables();
    costs.trunk_ms = costs.gate_ms = NULL;
    fixture f = setup(options_of(EEX_SCORE_ACCURACY, EEX_TUNE_NONE, 0), costs);
    const int genome[] = {1, 1, 1};
    eex_candidate c;
    cr_assert_eq(eex_evaluator_score(f.evaluator, &c, genome), EEX_OK);
    cr_assert(isnan(c.latency) && isfinite(c.macs) && isfinite(c.score));
    eex_evaluator *e = NULL;
    eex_evaluator_options o = options_of(EEX_SCORE_EQUATION1, EEX_TUNE_NONE, 0);
    cr_assert_eq(eex_evaluator_new(&e, f.calibration, f.validation, test_head_device(), &costs, &o),
                 EEX_EINVAL);
    cr_assert_null(e);
    teardown(&f);
}

Test(evaluate, bad_arguments_are_named)
{
    eex_evaluator_options o = options_of(EEX_SCORE_ACCURACY, EEX_TUNE_NONE, 0);
    fixture f = setup(o, tables());
    eex_candidate c;
    const int genomes[][POINTS] = {{0, 3, 0}, {-1, 0, 0}};
    for (int i = 0; i < 2; i++)
        cr_assert_eq(eex_evaluator_score(f.evaluator, &c, genomes[i]), EEX_EINVAL);
    cr_assert(strstr(eex_error(), "gene 0 is -1"), "%s", eex_error());
    eex_evaluator *e = NULL;
    eex_cost_tables costs[4];
    const double negative[] = {20, -1, 70}, nan_gate[] = {1, 1, 1, NAN, 1, 1};
    for (int i = 0; i < 4; i++)
        costs[i] = tables();
    costs[0].points = 2;
    costs[1].trunk_macs = negative;
    costs[2].gate_ms = nan_gate;
    costs[3].base_macs = 0;
    for (int i = 0; i < 4; i++)
        cr_assert_eq(
            eex_evaluator_new(&e, f.calibration, f.validation, test_head_device(), &costs[i], &o),
            EEX_EINVAL, "%d", i);
    f.validation->logits[5] = NAN;
    const eex_cost_tables good = tables();
    cr_assert_eq(eex_evaluator_new(&e, f.calibration, f.validation, test_head_device(), &good, &o),
                 EEX_EDIVERGED);
    cr_assert_null(e);
    teardown(&f);
    eex_evaluator_free(NULL);
}
