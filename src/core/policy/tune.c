#include "core/policy/tune.h"

#include "core/policy/tune_impl.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { USUAL_FOLDS = 10, MAX_FOLDS = 20 };

void eex_tuner_free(eex_tuner *tuner)
{
    if (!tuner)
        return;
    eex__levels_free(tuner->levels);
    free(tuner->cell);
    free(tuner->chain.now);
    free(tuner->chain.next);
    free(tuner->chain.counts);
    for (int i = 0; i < 3; i++)
        free(tuner->way[i]);
    free(tuner);
}

static int greatest_divisor(int a, int b)
{
    return b ? greatest_divisor(b, a % b) : a;
}

/* Samples of a trace may be sorted by class. Steps of about the golden section, coprime to their
 * number, visit all of them so that any stretch of the new order is spread over the whole of the
 * old. Each row has them twice, so that a stretch may run across the end. */
static int tuner_cells(eex_tuner *t)
{
    const eex__levels *l = t->levels;
    int n = l->samples, step = (int)(0.6180339887498949 * n) + 1;
    while (greatest_divisor(step, n) != 1)
        step++;
    t->row = 2 * n + EEX__LEVELS_BLOCK;
    t->cell = calloc((size_t)l->exits, (size_t)t->row);
    if (!t->cell)
        return eex_fail(EEX_ENOMEM, "tuner: out of memory for %d samples", n);
    for (int k = 0; k < l->exits; k++) {
        const uint8_t *from = l->cell + (size_t)k * (size_t)l->stride;
        uint8_t *to = t->cell + (size_t)k * (size_t)t->row;
        for (int i = 0; i < n; i++)
            to[i] = to[n + i] = from[(int64_t)i * step % n];
    }
    return EEX_OK;
}

static int tuner_chain(eex_tuner *t, int min_accepted)
{
    const eex__levels *l = t->levels;
    eex__chain *c = &t->chain;
    int usual = l->samples / 500 > 5 ? l->samples / 500 : 5;
    c->levels = l->count;
    c->rejects = l->rejects;
    c->least = min_accepted > 0 ? min_accepted : usual;
    c->now = calloc((size_t)l->stride, 1);
    c->next = calloc((size_t)l->stride, 1);
    c->counts = calloc((2 * (size_t)l->count + 3) * 2 * EEX_MAX_EXITS, sizeof *c->counts);
    if (!c->now || !c->next || !c->counts)
        return eex_fail(EEX_ENOMEM, "tuner: out of memory for %d samples", l->samples);
    return EEX_OK;
}

static int tuner_ways(eex_tuner *t)
{
    for (int i = 0; i < 3 && t->folds > 1; i++) {
        t->way[i] = calloc((size_t)eex__ways(&t->chain), sizeof *t->way[i]);
        if (!t->way[i])
            return eex_fail(EEX_ENOMEM, "tuner: out of memory for thresholds");
    }
    return EEX_OK;
}

static int tuner_open(eex_tuner *t, const eex_trace *trace, const eex_policy *policy,
                      const eex_tuner_options *o)
{
    if (o->min_accepted < 0 || o->folds < 0 || o->folds > MAX_FOLDS)
        return eex_fail(EEX_EINVAL, "tuner: %d samples at least, %d folds: at least 0, 0 to %d",
                        o->min_accepted, o->folds, MAX_FOLDS);
    EEX_TRY(eex__levels_new(&t->levels, trace, policy, o->levels ? o->levels : EEX__LEVELS_DEFAULT,
                            NULL));
    t->folds = o->folds ? o->folds : USUAL_FOLDS;
    if (t->folds > trace->samples)
        t->folds = 1;
    EEX_TRY(tuner_cells(t));
    EEX_TRY(tuner_chain(t, o->min_accepted));
    EEX_TRY(tuner_ways(t));
    for (int k = 0; k < policy->exits; k++)
        t->start[k] = (uint8_t)eex__levels_find(t->levels, k, policy->a[k]);
    return EEX_OK;
}

int eex_tuner_new(eex_tuner **out, const eex_trace *trace, const eex_policy *policy,
                  const eex_tuner_options *options)
{
    *out = NULL;
    const eex_tuner_options usual = {0};
    eex_tuner *t = calloc(1, sizeof *t);
    if (!t)
        return eex_fail(EEX_ENOMEM, "tuner: out of memory");
    int status = tuner_open(t, trace, policy, options ? options : &usual);
    if (status != EEX_OK) {
        eex_tuner_free(t);
        return status;
    }
    *out = t;
    return EEX_OK;
}

const eex__levels *eex__tuner_levels(const eex_tuner *tuner)
{
    return tuner->levels;
}

/* Samples that the end of the backbone alone gets right. */
static int right_at_end(const eex__chain *c)
{
    int right = 0;
    for (int i = 0; i < c->samples; i++)
        right += c->cell[c->count - 1][i] & 1;
    return right;
}

static eex__aim aim_of(const eex__chain *c, const eex_goal *goal)
{
    double n = c->samples, least = fmin(goal->target, 2) * n;
    switch (goal->tune) {
    case EEX_TUNE_ACCURACY:
        if (goal->target <= 0)
            least = right_at_end(c) + fmax(goal->target, -1) * n;
        return (eex__aim){.kind = EEX__AIM_RIGHT, .right = (int)ceil(least - 1e-9)};
    case EEX_TUNE_MACS:
        /* a mean that was told is met by what it is the mean of */
        return (eex__aim){.kind = EEX__AIM_COST, .cost = goal->target * n * (1 + 1e-12)};
    default:
        return (eex__aim){.kind = EEX__AIM_PRICE, .price = goal->target / goal->base};
    }
}

static void point_fill(eex_operating_point *out, const eex_tuner *t, const int *columns,
                       const eex__thresholds *best)
{
    const eex__levels *l = t->levels;
    out->exits = t->chain.count;
    out->accuracy = (double)best->right / l->samples;
    out->cost = best->cost / l->samples;
    for (int k = 0; k < out->exits; k++) {
        out->level[k] = k < out->exits - 1 ? best->t[k] : 0;
        out->a[k] = l->a[(size_t)columns[k] * (size_t)l->count + out->level[k]];
    }
}

void eex_tuner_run(eex_operating_point *out, eex_tuner *tuner, const int *columns, int count,
                   const double *cost, const eex_goal *goal, eex_effort effort)
{
    const int samples = tuner->levels->samples;
    eex__chain *c = &tuner->chain;
    eex__thresholds best, start = {0}, held = {.right = 0, .cost = 0};
    c->count = count;
    c->cost = cost;
    eex__tuner_window(tuner, columns, 0, samples);
    for (int k = 0; k < count; k++)
        start.t[k] = tuner->start[columns[k]];
    const eex__aim aim = aim_of(c, goal);
    const bool cross =
        aim.kind != EEX__AIM_PRICE && effort == EEX_EFFORT_THOROUGH && tuner->folds > 1;
    if (goal->tune == EEX_TUNE_NONE) {
        best = start;
        eex__chain_measure(c, &best);
    } else if (cross) {
        eex__tuner_cross_fit(tuner, columns, &aim, &best, &held);
    } else {
        eex__solve(c, &best, &start, &aim, effort);
    }
    const eex__thresholds met = {.right = cross ? held.right : best.right, .cost = best.cost};
    *out = (eex_operating_point){.feasible = eex__aim_met(&aim, &met),
                                 .held_accuracy = cross ? (double)held.right / samples : NAN,
                                 .held_cost = cross ? held.cost / samples : NAN};
    point_fill(out, tuner, columns, &best);
}
