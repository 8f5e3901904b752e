#include "core/policy/losses.h"

#include "core/policy/softmax.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>

EEX_NAMES(eex_loss, eex_loss, EEX_LOSSES, [EEX_LOSS_ACCURACY] = "accuracy",
          [EEX_LOSS_DISAGREEMENT] = "disagreement", [EEX_LOSS_BRIER] = "brier");

double eex_loss_most(eex_loss loss)
{
    return loss == EEX_LOSS_BRIER ? 2 : 1;
}

void eex__losses_free(eex__losses *l)
{
    free(l->accepted);
    free(l->rejected);
    *l = (eex__losses){0};
}

/* The Brier score of exit k's answer about sample i. */
static double brier(const eex_trace *t, int k, int i)
{
    const size_t classes = (size_t)t->classes, at = (size_t)k * (size_t)t->samples + (size_t)i;
    const float *logits = t->logits + at * classes;
    const double heat = (double)t->temperature[k];
    const double all = eex__log_sum_exp(logits, t->classes, heat);
    double sum = 0;
    for (int c = 0; c < t->classes; c++) {
        double p = exp((double)logits[c] / heat - all) - (c == t->labels[i]);
        sum += p * p;
    }
    return sum;
}

/* How bad an answer is by itself: what it loses is what the end's is less bad. */
static double badness(const eex_trace *t, eex_loss loss, int k, int i)
{
    const size_t n = (size_t)t->samples, end = (size_t)(t->exits - 1) * n + (size_t)i;
    const int top = t->top[(size_t)k * n + (size_t)i];
    if (loss == EEX_LOSS_BRIER)
        return brier(t, k, i);
    return loss == EEX_LOSS_ACCURACY ? top != t->labels[i] : top != t->top[end];
}

int eex__losses_new(eex__losses *out, const eex_trace *t, eex_loss loss)
{
    const size_t n = (size_t)t->samples;
    *out = (eex__losses){.samples = t->samples, .exits = t->exits};
    out->accepted = calloc((size_t)t->exits * n, sizeof *out->accepted);
    out->rejected = calloc(n, sizeof *out->rejected);
    if (!out->accepted || !out->rejected) {
        eex__losses_free(out);
        return eex_fail(EEX_ENOMEM, "losses: out of memory for %d samples x %d exits", t->samples,
                        t->exits);
    }
    for (int i = 0; i < t->samples; i++) {
        const double end = badness(t, loss, t->exits - 1, i);
        out->rejected[i] = eex_loss_most(loss) - end;
        for (int k = 0; k < t->exits - 1; k++)
            out->accepted[(size_t)k * n + (size_t)i] = fmax(badness(t, loss, k, i) - end, 0);
    }
    return EEX_OK;
}

static void tally(eex_loss_report *out, double *row, const eex__losses *l, const eex_departures *d)
{
    double sum[EEX_MAX_EXITS] = {0};
    *out = (eex_loss_report){.samples = l->samples, .exits = l->exits};
    for (int i = 0; i < l->samples; i++) {
        row[i] = eex__loss_of(l, i, d->exit[i], d->how[i]);
        out->left[d->exit[i]]++;
        sum[d->exit[i]] += row[i];
    }
    for (int k = 0; k < l->exits; k++)
        out->exit_mean[k] = out->left[k] ? sum[k] / out->left[k] : NAN;
}

int eex_loss_measure(eex_loss_report *out, const eex_trace *trace, const eex_departures *left,
                     eex_loss loss, const eex_bootstrap_options *options)
{
    eex__losses losses;
    if (left->samples != trace->samples)
        return eex_fail(EEX_EINVAL, "losses: decisions about %d samples, a trace of %d",
                        left->samples, trace->samples);
    EEX_TRY(eex__losses_new(&losses, trace, loss));
    double *row = calloc((size_t)trace->samples, sizeof *row);
    int code =
        row ? EEX_OK : eex_fail(EEX_ENOMEM, "losses: out of memory for %d samples", trace->samples);
    if (code == EEX_OK) {
        tally(out, row, &losses, left);
        code = eex_bootstrap(&out->mean, row, trace->samples, 1, options);
    }
    free(row);
    eex__losses_free(&losses);
    return code;
}
