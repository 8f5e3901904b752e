#include "core/run/evaluate.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One kind of cost: MACs or milliseconds. */
typedef struct table {
    double *trunk, *gate; /* (points), (points, choices) */
    double base;
} table;

struct eex_evaluator {
    int points, choices;
    table macs, ms; /* ms without memory: not known */
    eex_evaluator_options options;
    eex_policy *policy; /* of all columns */
    eex_tuner *tuner;   /* NULL: thresholds are fixed */
    eex_replayer *replayer;
};

void eex_evaluator_free(eex_evaluator *e)
{
    if (!e)
        return;
    free(e->macs.trunk);
    free(e->macs.gate);
    free(e->ms.trunk);
    free(e->ms.gate);
    eex_policy_free(e->policy);
    eex_tuner_free(e->tuner);
    eex_replayer_free(e->replayer);
    free(e);
}

static int table_check(const double *values, int count, const char *what)
{
    for (int i = 0; i < count; i++)
        if (!(values[i] >= 0) || isinf(values[i]))
            return eex_fail(EEX_EINVAL,
                            "evaluator: %s %d costs %g: a number of at least 0 expected", what, i,
                            values[i]);
    return EEX_OK;
}

static int table_copy(table *to, const eex_cost_tables *shape, const double *trunk,
                      const double *gate, double base)
{
    int points = shape->points, gates = shape->points * shape->choices;
    EEX_TRY(table_check(trunk, points, "the trunk up to point"));
    EEX_TRY(table_check(gate, gates, "gate"));
    if (!(base > 0) || isinf(base))
        return eex_fail(EEX_EINVAL, "evaluator: the backbone costs %g: a positive number expected",
                        base);
    to->base = base;
    to->trunk = malloc((size_t)(points + 1) * sizeof *to->trunk);
    to->gate = malloc((size_t)(gates + 1) * sizeof *to->gate);
    if (!to->trunk || !to->gate)
        return eex_fail(EEX_ENOMEM, "evaluator: out of memory for %d gates", gates);
    memcpy(to->trunk, trunk, (size_t)points * sizeof *trunk);
    memcpy(to->gate, gate, (size_t)gates * sizeof *gate);
    return EEX_OK;
}

static int evaluator_check(const eex_trace *calibration, const eex_trace *validation,
                           const eex_cost_tables *t, const eex_evaluator_options *o)
{
    if (t->points < 0 || t->choices < 1 || t->points > (EEX_MAX_EXITS - 1) / t->choices)
        return eex_fail(EEX_EINVAL, "evaluator: %d points x %d choices: at most %d gates in all",
                        t->points, t->choices, EEX_MAX_EXITS - 1);
    int exits = t->points * t->choices + 1;
    if (calibration->exits != exits || validation->exits != exits ||
        calibration->classes != validation->classes)
        return eex_fail(EEX_EINVAL,
                        "evaluator: traces of %d and %d exits, %d and %d classes; %d points x %d "
                        "choices and the end make %d exits",
                        calibration->exits, validation->exits, calibration->classes,
                        validation->classes, t->points, t->choices, exits);
    bool timed = t->trunk_ms && t->gate_ms;
    if (!timed && (o->by_latency || o->score == EEX_SCORE_EQUATION1))
        return eex_fail(EEX_EINVAL, "evaluator: score and tuning by latency need measured "
                                    "latencies, there are none");
    if (o->score == EEX_SCORE_WEIGHTED && (isnan(o->weight) || isinf(o->weight)))
        return eex_fail(EEX_EINVAL, "search.weight: a number, got %g", o->weight);
    return EEX_OK;
}

static int evaluator_open(eex_evaluator *e, eex_trace *calibration, eex_trace *validation,
                          eex_device *device, const eex_cost_tables *t)
{
    eex_calibration untuned = e->options.policy;
    untuned.reject = 0; /* that is for one structure, not for all columns at once */
    untuned.tune = EEX_TUNE_NONE;
    EEX_TRY(table_copy(&e->macs, t, t->trunk_macs, t->gate_macs, t->base_macs));
    if (t->trunk_ms && t->gate_ms)
        EEX_TRY(table_copy(&e->ms, t, t->trunk_ms, t->gate_ms, t->base_ms));
    EEX_TRY(eex_calibrate(&e->policy, calibration, device, &untuned, NULL));
    EEX_TRY(eex_trace_score(validation, device, e->policy->temperature));
    if (e->options.policy.tune == EEX_TUNE_NONE)
        return eex_replayer_new(&e->replayer, validation, e->policy);
    EEX_TRY(eex_tuner_new(&e->tuner, calibration, e->policy, &e->options.tuner));
    return eex_replayer_new_tuned(&e->replayer, validation, e->policy, e->tuner);
}

int eex_evaluator_new(eex_evaluator **out, eex_trace *calibration, eex_trace *validation,
                      eex_device *device, const eex_cost_tables *tables,
                      const eex_evaluator_options *options)
{
    *out = NULL;
    EEX_TRY(evaluator_check(calibration, validation, tables, options));
    eex_evaluator *e = calloc(1, sizeof *e);
    if (!e)
        return eex_fail(EEX_ENOMEM, "evaluator: out of memory");
    e->points = tables->points;
    e->choices = tables->choices;
    e->options = *options;
    int status = evaluator_open(e, calibration, validation, device, tables);
    if (status != EEX_OK) {
        eex_evaluator_free(e);
        return status;
    }
    *out = e;
    return EEX_OK;
}

/* What leaving at each exit of the genome costs. */
static void costs_of(const eex_evaluator *e, const table *t, const int *genome, double *cost)
{
    double gates = 0;
    int k = 0;
    for (int p = 0; p < e->points; p++)
        if (genome[p] > 0) {
            gates += t->gate[p * e->choices + genome[p] - 1];
            cost[k++] = t->trunk[p] + gates;
        }
    cost[k] = t->base + gates;
}

static int candidate_columns(const eex_evaluator *e, eex_candidate *c, const int *genome)
{
    for (int p = 0; p < e->points; p++) {
        if (genome[p] < 0 || genome[p] > e->choices)
            return eex_fail(EEX_EINVAL, "evaluator: gene %d is %d, expected 0 to %d", p, genome[p],
                            e->choices);
        if (genome[p] > 0)
            c->column[c->exits++] = p * e->choices + genome[p] - 1;
    }
    c->column[c->exits++] = e->points * e->choices;
    costs_of(e, &e->macs, genome, c->macs_at);
    if (e->ms.trunk)
        costs_of(e, &e->ms, genome, c->ms_at);
    else
        for (int k = 0; k < c->exits; k++)
            c->ms_at[k] = NAN;
    return EEX_OK;
}

static double expected(const eex_outcome *outcome, const double *cost, int exits)
{
    double sum = 0;
    for (int k = 0; k < exits; k++)
        sum += outcome->share[k] * cost[k];
    return sum;
}

static double score_of(const eex_evaluator *e, const eex_candidate *c)
{
    switch (e->options.score) {
    case EEX_SCORE_EQUATION1:
        return -(c->latency / e->ms.base + 1 - c->outcome.agreement);
    case EEX_SCORE_WEIGHTED:
        return c->accuracy - e->options.weight * (e->options.by_latency ? c->latency / e->ms.base
                                                                        : c->macs / e->macs.base);
    default:
        return c->accuracy;
    }
}

/* Fixed thresholds as a point, so that every candidate tells its thresholds in the same way. */
static void candidate_fixed(const eex_evaluator *e, eex_candidate *c)
{
    c->tuned =
        (eex_operating_point){.exits = c->exits, .feasible = true, .accuracy = NAN, .cost = NAN};
    for (int k = 0; k < c->exits; k++)
        c->tuned.a[k] = e->policy->a[c->column[k]];
    eex_replayer_run(&c->outcome, e->replayer, c->column, c->exits, c->macs_at);
}

static int candidate_score(eex_evaluator *e, eex_candidate *c, const int *genome, eex_effort effort)
{
    c->exits = 0;
    EEX_TRY(candidate_columns(e, c, genome));
    if (!e->tuner) {
        candidate_fixed(e, c);
    } else {
        bool ms = e->options.by_latency;
        const eex_goal goal = {e->options.policy.tune, e->options.policy.target,
                               ms ? e->ms.base : e->macs.base};
        eex_tuner_run(&c->tuned, e->tuner, c->column, c->exits, ms ? c->ms_at : c->macs_at, &goal,
                      effort);
        eex_replayer_run_point(&c->outcome, e->replayer, c->column, &c->tuned, c->macs_at);
    }
    c->accuracy = c->outcome.accuracy;
    c->macs = c->outcome.cost;
    c->latency = expected(&c->outcome, c->ms_at, c->exits);
    c->score = score_of(e, c);
    return EEX_OK;
}

int eex_evaluator_score(eex_evaluator *e, eex_candidate *out, const int *genome)
{
    return candidate_score(e, out, genome, EEX_EFFORT_QUICK);
}

int eex_evaluator_refine(eex_evaluator *e, eex_candidate *out, const int *genome)
{
    return candidate_score(e, out, genome, EEX_EFFORT_THOROUGH);
}

int eex_evaluator_policy(eex_policy **out, const eex_evaluator *e, const eex_candidate *candidate)
{
    EEX_TRY(eex_policy_select(out, e->policy, candidate->column, candidate->exits));
    for (int k = 0; k < candidate->exits; k++)
        (*out)->a[k] = candidate->tuned.a[k];
    eex_policy_apply(*out);
    return EEX_OK;
}

const eex_policy *eex_evaluator_base_policy(const eex_evaluator *e)
{
    return e->policy;
}
