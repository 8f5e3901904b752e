#include "core/policy/appraise.h"

#include "core/policy/replay.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Columns of the rows that are resampled; the exits' shares follow. */
enum { ACCURACY, GAIN, AGREEMENT, BAD, REJECTED, MACS, MS, MORE_RIGHT, MORE_MACS, SHARES };

void eex_departures_free(eex_departures *d)
{
    free(d->exit);
    free(d->how);
    *d = (eex_departures){0};
}

static void run_to_end(eex_departures *d, int exits)
{
    for (int i = 0; i < d->samples; i++) {
        d->exit[i] = exits - 1;
        d->how[i] = EEX_ACCEPT;
    }
}

int eex_departures_new(eex_departures *out, const eex_trace *trace, const eex_policy *policy)
{
    eex_outcome outcome;
    *out = (eex_departures){.samples = trace->samples};
    out->exit = calloc((size_t)trace->samples, sizeof *out->exit);
    out->how = calloc((size_t)trace->samples, sizeof *out->how);
    int code = EEX_OK;
    if (!out->exit || !out->how)
        code = eex_fail(EEX_ENOMEM, "out of memory for %d decisions", trace->samples);
    else if (policy)
        code = eex_replay(&outcome, trace, policy, NULL, out->exit, out->how);
    else
        run_to_end(out, trace->exits);
    const eex_measure measure = policy ? eex_policy_compares(policy->kind) : EEX_MEASURE_CONFIDENCE;
    for (int k = 0; code == EEX_OK && k < trace->exits; k++)
        code = eex_score_quality_of(&out->score[k], trace, k, measure);
    if (code < 0)
        eex_departures_free(out);
    return code;
}

static int top_of(const eex_trace *t, const eex_departures *d, int i)
{
    return t->top[(size_t)d->exit[i] * (size_t)t->samples + (size_t)i];
}

static bool right(const eex_trace *t, const eex_departures *d, int i)
{
    return d->how[i] == EEX_ACCEPT && top_of(t, d, i) == t->labels[i];
}

static void fill_row(double *row, const eex_trace *t, const eex_departures *d,
                     const eex_departures *before, const double *macs, const double *ms, int i)
{
    const int end = t->top[(size_t)(t->exits - 1) * (size_t)t->samples + (size_t)i];
    const bool here = right(t, d, i), there = end == t->labels[i];
    row[ACCURACY] = here;
    row[GAIN] = here - there;
    row[AGREEMENT] = d->how[i] == EEX_ACCEPT && top_of(t, d, i) == end;
    row[BAD] = there && !here;
    row[REJECTED] = d->how[i] == EEX_REJECT;
    row[MACS] = macs[d->exit[i]];
    row[MS] = ms ? ms[d->exit[i]] : 0;
    row[MORE_RIGHT] = before ? here - right(t, before, i) : 0;
    row[MORE_MACS] = before ? macs[d->exit[i]] - macs[before->exit[i]] : 0;
    for (int k = 0; k < t->exits; k++)
        row[SHARES + k] = d->exit[i] == k;
}

static void exit_accuracies(eex_appraisal *out, const eex_trace *t, const eex_departures *d)
{
    int left[EEX_MAX_EXITS] = {0}, good[EEX_MAX_EXITS] = {0};
    for (int i = 0; i < t->samples; i++) {
        left[d->exit[i]]++;
        good[d->exit[i]] += right(t, d, i);
    }
    for (int k = 0; k < t->exits; k++)
        out->exit_accuracy[k] = left[k] ? (double)good[k] / left[k] : NAN;
}

static void take(eex_appraisal *out, const eex_interval *of, bool timed, bool compared)
{
    const eex_interval unknown = {NAN, NAN, NAN};
    out->accuracy = of[ACCURACY];
    out->gain = of[GAIN];
    out->agreement = of[AGREEMENT];
    out->bad = of[BAD];
    out->rejected = of[REJECTED];
    out->macs = of[MACS];
    out->ms = timed ? of[MS] : unknown;
    out->accuracy_change = compared ? of[MORE_RIGHT] : unknown;
    out->macs_change = compared ? of[MORE_MACS] : unknown;
    for (int k = 0; k < out->exits; k++)
        out->share[k] = of[SHARES + k];
}

int eex_appraise(eex_appraisal *out, const eex_trace *trace, const eex_departures *after,
                 const eex_departures *before, const double *macs, const double *ms,
                 const eex_bootstrap_options *options)
{
    const int columns = SHARES + trace->exits;
    eex_interval of[SHARES + EEX_MAX_EXITS];
    if (after->samples != trace->samples || (before && before->samples != trace->samples))
        return eex_fail(EEX_EINVAL, "appraisal: decisions about %d samples, a trace of %d",
                        after->samples, trace->samples);
    double *rows = calloc((size_t)trace->samples * (size_t)columns, sizeof *rows);
    if (!rows)
        return eex_fail(EEX_ENOMEM, "appraisal: out of memory for %d samples", trace->samples);
    for (int i = 0; i < trace->samples; i++)
        fill_row(rows + (size_t)i * (size_t)columns, trace, after, before, macs, ms, i);
    int code = eex_bootstrap(of, rows, trace->samples, columns, options);
    free(rows);
    EEX_TRY(code);
    *out = (eex_appraisal){.samples = trace->samples, .exits = trace->exits};
    take(out, of, ms != NULL, before != NULL);
    exit_accuracies(out, trace, after);
    memcpy(out->score, after->score, sizeof out->score);
    return EEX_OK;
}
