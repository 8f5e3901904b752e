#include "core/run/evaluate.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct eex_evaluator {
    int exits; /* of the traces */
    eex_evaluator_options options;
    eex_policy *policy; /* of all columns */
    eex_tuner *tuner;   /* NULL: thresholds are fixed */
    eex_replayer *replayer;
    int levels;                       /* thresholds that candidates may have */
    double level[EEX_MAX_LEVELS + 1]; /* (levels) the first is NaN: the policy's */
};

void eex_evaluator_free(eex_evaluator *e)
{
    if (!e)
        return;
    eex_policy_free(e->policy);
    eex_tuner_free(e->tuner);
    eex_replayer_free(e->replayer);
    free(e);
}

static int evaluator_open(eex_evaluator *e, eex_trace *calibration, eex_trace *validation,
                          eex_device *device)
{
    eex_calibration untuned = e->options.policy;
    untuned.reject = 0; /* that is for one structure, not for all columns at once */
    untuned.tune = EEX_TUNE_NONE;
    EEX_TRY(eex_calibrate(&e->policy, calibration, device, &untuned, NULL));
    EEX_TRY(eex_trace_score(validation, device, e->policy->temperature));
    if (e->options.policy.tune == EEX_TUNE_NONE)
        return eex_replayer_new_levels(&e->replayer, validation, e->policy, e->level, e->levels);
    EEX_TRY(eex_tuner_new(&e->tuner, calibration, e->policy, &e->options.tuner));
    return eex_replayer_new_tuned(&e->replayer, validation, e->policy, e->tuner);
}

static void take_levels(eex_evaluator *e, const eex_evaluator_options *options)
{
    e->level[0] = NAN;
    for (int i = 0; i < options->levels; i++)
        e->level[i + 1] = options->level[i];
    e->levels = options->levels + 1;
}

int eex_evaluator_new(eex_evaluator **out, eex_trace *calibration, eex_trace *validation,
                      eex_device *device, const eex_evaluator_options *options)
{
    *out = NULL;
    EEX_TRY(eex_scoring_check(&options->scoring));
    if (calibration->exits != validation->exits || calibration->classes != validation->classes)
        return eex_fail(EEX_EINVAL, "evaluator: traces of %d and %d exits, %d and %d classes",
                        calibration->exits, validation->exits, calibration->classes,
                        validation->classes);
    eex_evaluator *e = calloc(1, sizeof *e);
    if (!e)
        return eex_fail(EEX_ENOMEM, "evaluator: out of memory");
    e->exits = calibration->exits;
    e->options = *options;
    take_levels(e, options);
    int status = evaluator_open(e, calibration, validation, device);
    if (status != EEX_OK) {
        eex_evaluator_free(e);
        return status;
    }
    *out = e;
    return EEX_OK;
}

static int check_columns(const eex_evaluator *e, const int *column, int exits)
{
    for (int k = 0; k < exits; k++)
        if (column[k] < 0 || column[k] >= e->exits || (k && column[k] <= column[k - 1]))
            return eex_fail(EEX_EINVAL, "evaluator: column %d is %d, expected ascending ones of %d",
                            k, column[k], e->exits);
    return exits > 0 && column[exits - 1] == e->exits - 1
               ? EEX_OK
               : eex_fail(EEX_EINVAL, "evaluator: a candidate has the last of %d columns",
                          e->exits);
}

/* Its number among those that there are; -1: none. */
static int find_level(const eex_evaluator *e, double a)
{
    for (int i = 0; i < e->levels; i++)
        if (e->level[i] == a || (isnan(a) && isnan(e->level[i])))
            return i;
    return -1;
}

/* Fixed thresholds as a point, so that every candidate tells its thresholds in the same way. */
static int candidate_fixed(const eex_evaluator *e, eex_candidate *c, const double *a)
{
    c->tuned = (eex_operating_point){
        .exits = c->costs.exits, .feasible = true, .accuracy = NAN, .cost = NAN};
    for (int k = 0; k < c->costs.exits; k++) {
        const int level = a ? find_level(e, a[k]) : 0;
        if (level < 0)
            return eex_fail(EEX_EINVAL, "evaluator: exit %d has threshold %g, which is none of %d",
                            k, a[k], e->levels - 1);
        c->tuned.level[k] = (uint8_t)level;
        c->tuned.a[k] = level ? e->level[level] : e->policy->a[c->column[k]];
    }
    eex_replayer_run_point(&c->outcome, e->replayer, c->column, &c->tuned, c->costs.macs);
    return EEX_OK;
}

static void candidate_tuned(eex_evaluator *e, eex_candidate *c, eex_effort effort)
{
    const eex_exit_costs costs = eex_scoring_costs(&e->options.scoring, &c->costs);
    const eex_goal goal = {e->options.policy.tune, e->options.policy.target, costs.base};
    eex_tuner_run(&c->tuned, e->tuner, c->column, costs.exits, costs.cost, &goal, effort);
    eex_replayer_run_point(&c->outcome, e->replayer, c->column, &c->tuned, c->costs.macs);
}

static int candidate_score(eex_evaluator *e, eex_candidate *c, const int *column,
                           const eex_structure_costs *costs, const double *a, eex_effort effort)
{
    EEX_TRY(check_columns(e, column, costs->exits));
    memcpy(c->column, column, (size_t)costs->exits * sizeof *column);
    c->costs = *costs;
    if (e->tuner)
        candidate_tuned(e, c, effort);
    else
        EEX_TRY(candidate_fixed(e, c, a));
    eex_scoring_judge(&c->trial, &e->options.scoring, &c->outcome, &c->costs);
    return EEX_OK;
}

int eex_evaluator_score(eex_evaluator *e, eex_candidate *out, const int *column,
                        const eex_structure_costs *costs)
{
    return candidate_score(e, out, column, costs, NULL, EEX_EFFORT_QUICK);
}

int eex_evaluator_score_at(eex_evaluator *e, eex_candidate *out, const int *column,
                           const eex_structure_costs *costs, const double *a)
{
    return candidate_score(e, out, column, costs, a, EEX_EFFORT_QUICK);
}

int eex_evaluator_refine(eex_evaluator *e, eex_candidate *out, const int *column,
                         const eex_structure_costs *costs)
{
    return candidate_score(e, out, column, costs, NULL, EEX_EFFORT_THOROUGH);
}

int eex_evaluator_policy(eex_policy **out, const eex_evaluator *e, const eex_candidate *candidate)
{
    EEX_TRY(eex_policy_select(out, e->policy, candidate->column, candidate->costs.exits));
    for (int k = 0; k < candidate->costs.exits; k++)
        (*out)->a[k] = candidate->tuned.a[k];
    eex_policy_apply(*out);
    return EEX_OK;
}

const eex_policy *eex_evaluator_base_policy(const eex_evaluator *e)
{
    return e->policy;
}
