#include "core/run/evaluate.h"
#include "support/traces.h"

#include "base/rng.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { POINTS = 3, CHOICES = 2, COLUMNS = POINTS * CHOICES + 1 };

/* Of three points with two gates each: what the trunk up to a point takes, and a gate alone. */
static const double trunk_macs[POINTS] = {20, 45, 70}, trunk_ms[POINTS] = {0.3, 0.5, 0.8};
static const double gate_macs[POINTS * CHOICES] = {1, 5, 2, 6, 3, 7};
static const double gate_ms[POINTS * CHOICES] = {0.01, 0.05, 0.02, 0.06, 0.03, 0.07};

/* Columns and costs of a genome: a gene a point. */
typedef struct structure {
    int column[POINTS + 1];
    eex_structure_costs costs;
} structure;

static structure structure_of(const int *genome)
{
    structure s = {.costs.params = NAN};
    double macs = 0, ms = 0;
    for (int p = 0; p < POINTS; p++)
        if (genome[p] > 0) {
            int gate = p * CHOICES + genome[p] - 1, k = s.costs.exits++;
            s.column[k] = gate;
            s.costs.macs[k] = trunk_macs[p] + (macs += gate_macs[gate]);
            s.costs.ms[k] = trunk_ms[p] + (ms += gate_ms[gate]);
        }
    s.column[s.costs.exits] = COLUMNS - 1;
    s.costs.macs[s.costs.exits] = 100 + macs;
    s.costs.ms[s.costs.exits++] = 1 + ms;
    return s;
}

static int score_at(eex_evaluator *e, eex_candidate *out, const int *genome, const double *a)
{
    const structure s = structure_of(genome);
    return eex_evaluator_score_at(e, out, s.column, &s.costs, a);
}

static int score(eex_evaluator *e, eex_candidate *out, const int *genome)
{
    const structure s = structure_of(genome);
    return eex_evaluator_score(e, out, s.column, &s.costs);
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

static fixture setup(eex_evaluator_options options)
{
    fixture f = {trace_of(600, 1), trace_of(500, 2), NULL};
    cr_assert_eq(
        eex_evaluator_new(&f.evaluator, f.calibration, f.validation, test_head_device(), &options),
        EEX_OK, "%s", eex_error());
    return f;
}

static void teardown(fixture *f)
{
    eex_evaluator_free(f->evaluator);
    eex_trace_free(f->calibration);
    eex_trace_free(f->validation);
}

static eex_evaluator_options options_of(eex_score_kind kind, eex_tune tune, double target)
{
    eex_evaluator_options o = {.policy = eex_calibration_default(),
                               .scoring = {.score = kind, .base_macs = 100, .base_ms = 1}};
    o.policy.temperature = 2;
    o.policy.tune = tune;
    o.policy.target = target;
    return o;
}

Test(evaluate, costs_are_expected_ones)
{
    fixture f = setup(options_of(EEX_SCORE_ACCURACY, EEX_TUNE_NONE, 0));
    const int genome[] = {2, 0, 1}, columns[] = {1, 4, 6};
    const structure s = structure_of(genome);
    eex_candidate c;
    cr_assert_eq(score(f.evaluator, &c, genome), EEX_OK);
    cr_assert_eq(c.costs.exits, 3);
    cr_assert_arr_eq(c.column, columns, sizeof columns);
    double expected_macs = 0, expected_ms = 0;
    for (int k = 0; k < 3; k++) {
        expected_macs += c.outcome.share[k] * s.costs.macs[k];
        expected_ms += c.outcome.share[k] * s.costs.ms[k];
    }
    cr_assert_float_eq(c.trial.macs, expected_macs, 1e-9);
    cr_assert_float_eq(c.trial.latency, expected_ms, 1e-9);
    teardown(&f);
}

Test(evaluate, no_gates_is_the_backbone)
{
    for (int tune = EEX_TUNE_NONE; tune <= EEX_TUNE_WEIGHTED; tune++) {
        fixture f = setup(options_of(EEX_SCORE_EQUATION1, (eex_tune)tune, 0.5));
        const int genome[POINTS] = {0};
        eex_candidate c;
        cr_assert_eq(score(f.evaluator, &c, genome), EEX_OK);
        cr_assert_eq(c.costs.exits, 1);
        cr_assert_eq(c.trial.accuracy, eex_trace_accuracy(f.validation, COLUMNS - 1));
        cr_assert_eq(c.trial.macs, 100);
        cr_assert_eq(c.trial.latency, 1);
        cr_assert_eq(c.outcome.agreement, 1);
        cr_assert_eq(c.trial.score, -1);
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
    cr_assert_eq(score(f->evaluator, &c, genome), EEX_OK);
    cr_assert_eq(eex_evaluator_policy(&p, f->evaluator, &c), EEX_OK, "%s", eex_error());
    cr_assert_eq(eex_trace_select(&t, f->validation, c.column, c.costs.exits), EEX_OK);
    const eex_exit_costs costs = {c.costs.exits, c.costs.macs, 100};
    cr_assert_eq(eex_replay(&plain, t, p, &costs, NULL, NULL), EEX_OK, "%s", eex_error());
    cr_assert_eq(c.trial.accuracy, plain.accuracy);
    cr_assert_eq(c.trial.macs, plain.cost);
    double latency = 0, wanted = plain.accuracy;
    for (int k = 0; k < c.costs.exits; k++)
        latency += plain.share[k] * c.costs.ms[k];
    if (o->scoring.score == EEX_SCORE_EQUATION1)
        wanted = -(latency / 1 + (1 - plain.agreement));
    else if (o->scoring.score == EEX_SCORE_WEIGHTED)
        wanted -= o->scoring.weight * (o->scoring.by_latency ? latency / 1 : plain.cost / 100);
    cr_assert_float_eq(c.trial.score, wanted, 1e-12);
    eex_policy_free(p);
    eex_trace_free(t);
}

Test(evaluate, scores_are_those_of_plain_replay)
{
    for (int kind = EEX_SCORE_ACCURACY; kind <= EEX_SCORE_WEIGHTED; kind++)
        for (int tune = EEX_TUNE_NONE; tune <= EEX_TUNE_WEIGHTED; tune++)
            for (int by_latency = 0; by_latency < 2; by_latency++) {
                double unit = by_latency ? 1 : 100;
                eex_evaluator_options o = options_of((eex_score_kind)kind, (eex_tune)tune,
                                                     tune == EEX_TUNE_MACS ? 0.7 * unit : 0.2);
                o.scoring.weight = 0.3;
                o.scoring.by_latency = by_latency;
                fixture f = setup(o);
                for (int i = 0; i < 27; i++) {
                    const int genome[] = {i % 3, i / 3 % 3, i / 9};
                    check_genome(&f, &o, genome);
                }
                teardown(&f);
            }
}

/* Each exit at a level of its own, or at the policy's. */
static void check_levels(fixture *f, const double *level, int levels, int number)
{
    const int genome[] = {1 + number % 2, 2, number % 3};
    double a[EEX_MAX_EXITS];
    eex_candidate c;
    eex_policy *p = NULL;
    eex_trace *t = NULL;
    eex_outcome plain;
    const int exits = structure_of(genome).costs.exits;
    for (int k = 0; k < exits; k++) {
        const int which = (number >> 2 * k) % (levels + 1);
        a[k] = which < levels && k + 1 < exits ? level[which] : (double)NAN;
    }
    cr_assert_eq(score_at(f->evaluator, &c, genome, a), EEX_OK, "%s", eex_error());
    cr_assert_eq(eex_evaluator_policy(&p, f->evaluator, &c), EEX_OK, "%s", eex_error());
    cr_assert_eq(eex_trace_select(&t, f->validation, c.column, c.costs.exits), EEX_OK);
    for (int k = 0; k + 1 < exits; k++)
        cr_assert_eq(p->a[k], isnan(a[k]) ? 0.5 : a[k]);
    const eex_exit_costs costs = {c.costs.exits, c.costs.macs, 100};
    cr_assert_eq(eex_replay(&plain, t, p, &costs, NULL, NULL), EEX_OK, "%s", eex_error());
    cr_assert(c.trial.accuracy == plain.accuracy && c.trial.macs == plain.cost &&
              c.trial.agreement == plain.agreement);
    eex_policy_free(p);
    eex_trace_free(t);
}

Test(evaluate, thresholds_that_are_asked_for_are_those_of_plain_replay)
{
    static const double level[] = {-0.5, 2, 0.1};
    for (int levels = 1; levels <= 3; levels++) {
        eex_evaluator_options o = options_of(EEX_SCORE_ACCURACY, EEX_TUNE_NONE, 0);
        const int genome[] = {1, 0, 0};
        eex_candidate c;
        o.policy.a = 0.5;
        o.policy.b = 1; /* some are rejected, whatever the level */
        o.levels = levels;
        o.level = level;
        fixture f = setup(o);
        for (int i = 0; i < 64; i++)
            check_levels(&f, level, levels, i);
        cr_assert_eq(score_at(f.evaluator, &c, genome, (const double[]){7, NAN}), EEX_EINVAL);
        cr_assert(strstr(eex_error(), "threshold 7"));
        teardown(&f);
    }
}

/* Against the cuts of all columns, whichever of them the candidate has. */
Test(evaluate, scores_against_cuts_are_those_of_the_trace)
{
    double alone[COLUMNS];
    eex_cuts cuts;
    eex_trace *validation = trace_of(500, 2);
    for (int k = 0; k + 1 < COLUMNS; k++)
        alone[k] = trunk_macs[k / CHOICES] + gate_macs[k];
    alone[COLUMNS - 1] = 100;
    cr_assert_eq(eex_trace_score(validation, test_head_device(), validation->temperature), EEX_OK);
    eex_cuts_of_trace(&cuts, validation, alone);
    eex_trace_free(validation);
    for (int kind = EEX_SCORE_CUT_MACS; kind <= EEX_SCORE_CUT_ACCURACY; kind++) {
        eex_evaluator_options o = options_of((eex_score_kind)kind, EEX_TUNE_WEIGHTED, 0.2);
        o.scoring.cuts = &cuts;
        fixture f = setup(o);
        for (int i = 0; i < 27; i++) {
            const int genome[] = {i % 3, i / 3 % 3, i / 9};
            eex_candidate c;
            cr_assert_eq(score(f.evaluator, &c, genome), EEX_OK, "%s", eex_error());
            cr_expect_eq(c.trial.cut_saved, eex_cuts_saved(&cuts, c.trial.accuracy, c.trial.macs));
            cr_expect_eq(c.trial.score,
                         kind == EEX_SCORE_CUT_MACS
                             ? c.trial.cut_saved
                             : eex_cuts_gained(&cuts, c.trial.accuracy, c.trial.macs));
            if (i == 0) /* nobody leaves: the end's own cut */
                cr_expect_leq(c.trial.score, 0);
        }
        teardown(&f);
    }
}

Test(evaluate, thresholds_come_from_calibration_alone)
{
    eex_evaluator_options o = options_of(EEX_SCORE_ACCURACY, EEX_TUNE_WEIGHTED, 0.2);
    fixture f = setup(o), g = setup(o);
    const int genome[] = {1, 2, 1};
    eex_candidate a, b;
    eex_evaluator_free(g.evaluator);
    eex_trace_free(g.validation);
    g.validation = trace_of(300, 99);
    cr_assert_eq(
        eex_evaluator_new(&g.evaluator, g.calibration, g.validation, test_head_device(), &o),
        EEX_OK);
    cr_assert_eq(score(f.evaluator, &a, genome), EEX_OK);
    cr_assert_eq(score(g.evaluator, &b, genome), EEX_OK);
    cr_assert_arr_eq(a.tuned.a, b.tuned.a, 4 * sizeof *a.tuned.a);
    cr_assert_neq(a.trial.accuracy, b.trial.accuracy);
    teardown(&f);
    teardown(&g);
}

Test(evaluate, refining_is_at_least_as_good_on_calibration)
{
    eex_evaluator_options o = options_of(EEX_SCORE_WEIGHTED, EEX_TUNE_WEIGHTED, 0.25);
    fixture f = setup(o);
    for (int i = 1; i < 27; i++) {
        const int genome[] = {i % 3, i / 3 % 3, i / 9};
        eex_candidate quick, thorough;
        cr_assert_eq(score(f.evaluator, &quick, genome), EEX_OK);
        const structure s = structure_of(genome);
        cr_assert_eq(eex_evaluator_refine(f.evaluator, &thorough, s.column, &s.costs), EEX_OK);
        cr_assert_geq(thorough.tuned.accuracy - 0.25 * thorough.tuned.cost / 100,
                      quick.tuned.accuracy - 0.25 * quick.tuned.cost / 100 - 1e-12);
    }
    teardown(&f);
}

Test(evaluate, without_latencies_only_macs_count)
{
    eex_evaluator_options o = options_of(EEX_SCORE_ACCURACY, EEX_TUNE_NONE, 0);
    o.scoring.base_ms = NAN;
    fixture f = setup(o);
    const int genome[] = {1, 1, 1};
    structure s = structure_of(genome);
    for (int k = 0; k < s.costs.exits; k++)
        s.costs.ms[k] = NAN;
    eex_candidate c;
    cr_assert_eq(eex_evaluator_score(f.evaluator, &c, s.column, &s.costs), EEX_OK);
    cr_assert(isnan(c.trial.latency) && isfinite(c.trial.macs) && isfinite(c.trial.score));
    eex_evaluator *e = NULL;
    o.scoring.score = EEX_SCORE_EQUATION1;
    cr_assert_eq(eex_evaluator_new(&e, f.calibration, f.validation, test_head_device(), &o),
                 EEX_EINVAL);
    cr_assert_null(e);
    teardown(&f);
}

Test(evaluate, bad_arguments_are_named)
{
    const eex_evaluator_options o = options_of(EEX_SCORE_ACCURACY, EEX_TUNE_NONE, 0);
    fixture f = setup(o);
    eex_candidate c;
    const int columns[][2] = {{-1, 6}, {6, 6}, {1, 5}, {3, 7}};
    const eex_structure_costs costs = {.exits = 2}, none = {.exits = 0};
    for (int i = 0; i < 4; i++)
        cr_assert_eq(eex_evaluator_score(f.evaluator, &c, columns[i], &costs), EEX_EINVAL);
    cr_assert(strstr(eex_error(), "column 1 is 7"), "%s", eex_error());
    cr_assert_eq(eex_evaluator_score(f.evaluator, &c, columns[0], &none), EEX_EINVAL);
    eex_evaluator *e = NULL;
    eex_evaluator_options wrong[5] = {o, o, o, o, o};
    wrong[0].scoring.base_macs = 0;
    wrong[1].scoring.base_ms = -1;
    wrong[2].scoring.score = EEX_SCORE_WEIGHTED;
    wrong[2].scoring.weight = NAN;
    wrong[3].scoring.by_latency = true;
    wrong[3].scoring.base_ms = NAN;
    wrong[4].scoring.score = EEX_SCORE_CUT_MACS; /* without cuts */
    for (int i = 0; i < 5; i++)
        cr_assert_eq(
            eex_evaluator_new(&e, f.calibration, f.validation, test_head_device(), &wrong[i]),
            EEX_EINVAL, "%d", i);
    f.validation->logits[5] = NAN;
    cr_assert_eq(eex_evaluator_new(&e, f.calibration, f.validation, test_head_device(), &o),
                 EEX_EDIVERGED);
    cr_assert_null(e);
    teardown(&f);
    eex_evaluator_free(NULL);
}
