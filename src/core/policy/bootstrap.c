#include "core/policy/bootstrap.h"

#include "core/policy/binomial.h"

#include "base/rng.h"
#include "base/signals.h"
#include "base/status.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { USUAL_RESAMPLES = 2000, MAX_RESAMPLES = 1000000, STREAM = 0x626f6f74 };

/* Rows that are alike count as one kind: a draw then costs one increment, and a resample is summed
 * over the kinds, of which decisions have a few dozen. */
typedef struct draws {
    int samples, columns, kinds;
    const double **kind; /* (samples) the rows, sorted; the first `kinds` are different ones */
    int *of;             /* (samples) which kind a sample is */
    int *count;          /* (samples) how often a kind was drawn */
    double *means;       /* (columns, resamples) */
} draws;

static void draws_free(draws *d)
{
    free(d->kind);
    free(d->of);
    free(d->count);
    free(d->means);
}

static int draws_new(draws *d, int samples, int columns, int resamples)
{
    *d = (draws){.samples = samples, .columns = columns};
    d->kind = calloc((size_t)samples, sizeof *d->kind);
    d->of = calloc((size_t)samples, sizeof *d->of);
    d->count = calloc((size_t)samples, sizeof *d->count);
    d->means = calloc((size_t)columns * (size_t)resamples, sizeof *d->means);
    if (!d->kind || !d->of || !d->count || !d->means)
        return eex_fail(EEX_ENOMEM, "bootstrap: out of memory for %d samples and %d resamples",
                        samples, resamples);
    return EEX_OK;
}

/* ---- kinds of rows ---- */

static int compare_rows(const double *a, const double *b, int columns)
{
    for (int c = 0; c < columns; c++)
        if (a[c] != b[c])
            return a[c] < b[c] ? -1 : 1;
    return 0;
}

/* Heap sort: qsort has no room for the number of columns. */
static void sift(draws *d, int at, int end)
{
    for (int child; (child = 2 * at + 1) < end; at = child) {
        if (child + 1 < end && compare_rows(d->kind[child], d->kind[child + 1], d->columns) < 0)
            child++;
        if (compare_rows(d->kind[at], d->kind[child], d->columns) >= 0)
            return;
        const double *row = d->kind[at];
        d->kind[at] = d->kind[child];
        d->kind[child] = row;
    }
}

static void find_kinds(draws *d, const double *rows)
{
    for (int i = 0; i < d->samples; i++)
        d->kind[i] = rows + (size_t)i * (size_t)d->columns;
    for (int i = d->samples / 2 - 1; i >= 0; i--)
        sift(d, i, d->samples);
    for (int end = d->samples - 1; end > 0; end--) {
        const double *row = d->kind[0];
        d->kind[0] = d->kind[end];
        d->kind[end] = row;
        sift(d, 0, end);
    }
    for (int i = 0; i < d->samples; i++) {
        size_t sample = (size_t)(d->kind[i] - rows) / (size_t)d->columns;
        if (d->kinds == 0 || compare_rows(d->kind[d->kinds - 1], d->kind[i], d->columns) != 0)
            d->kind[d->kinds++] = d->kind[i];
        d->of[sample] = d->kinds - 1;
    }
}

/* ---- resamples ---- */

static void resample(draws *d, eex_rng *rng, double *sum)
{
    memset(d->count, 0, (size_t)d->kinds * sizeof *d->count);
    memset(sum, 0, (size_t)d->columns * sizeof *sum);
    for (int i = 0; i < d->samples; i++)
        d->count[d->of[eex_rng_below(rng, (uint64_t)d->samples)]]++;
    for (int k = 0; k < d->kinds; k++)
        for (int c = 0; c < d->columns; c++)
            sum[c] += d->count[k] * d->kind[k][c];
}

static int resample_all(draws *d, int resamples, uint64_t seed)
{
    double *sum = calloc((size_t)d->columns, sizeof *sum);
    eex_rng rng;
    if (!sum)
        return eex_fail(EEX_ENOMEM, "bootstrap: out of memory for %d figures", d->columns);
    eex_rng_seed(&rng, seed, STREAM);
    for (int b = 0; b < resamples && !eex_interrupted(); b++) {
        resample(d, &rng, sum);
        for (int c = 0; c < d->columns; c++)
            d->means[(size_t)c * (size_t)resamples + (size_t)b] = sum[c] / d->samples;
    }
    free(sum);
    return eex_interrupted() ? eex_fail(EEX_EINTERRUPTED, "interrupted") : EEX_OK;
}

/* ---- intervals ---- */

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Between neighbours of a sorted row. */
static double quantile(const double *sorted, int n, double p)
{
    double at = p * (n - 1);
    int i = (int)floor(at);
    i = i < 0 ? 0 : i > n - 2 ? n - 2 : i;
    return sorted[i] + (at - i) * (sorted[i + 1] - sorted[i]);
}

/* The bias: how far the median of the resamples is from the value, in deviations. Ties count half.
 */
static double bias_of(const double *sorted, int n, double value)
{
    double below = 0;
    for (int i = 0; i < n; i++)
        below += sorted[i] < value ? 1 : sorted[i] == value ? 0.5 : 0;
    return eex_normal_quantile(fmin(fmax(below / n, 0.5 / n), 1 - 0.5 / n));
}

/* The acceleration, by the jackknife, which for a mean has this closed form. */
static double skew_of(const draws *d, const double *rows, int column, double mean)
{
    double m2 = 0, m3 = 0;
    for (int i = 0; i < d->samples; i++) {
        double by = rows[(size_t)i * (size_t)d->columns + (size_t)column] - mean;
        m2 += by * by;
        m3 += by * by * by;
    }
    return m2 > 0 ? m3 / (6 * pow(m2, 1.5)) : 0;
}

static eex_interval interval_of(const draws *d, const double *rows, int column, double *sorted,
                                int n, double confidence)
{
    double sum = 0, first = rows[column];
    bool same = true;
    for (int i = 0; i < d->samples; i++) {
        double x = rows[(size_t)i * (size_t)d->columns + (size_t)column];
        same = same && x == first;
        sum += x;
    }
    if (same)
        return (eex_interval){first, first, first};
    const double mean = sum / d->samples, z = eex_normal_quantile((1 + confidence) / 2);
    const double skew = skew_of(d, rows, column, mean);
    double end[2];
    qsort(sorted, (size_t)n, sizeof *sorted, compare_doubles);
    const double bias = bias_of(sorted, n, mean);
    for (int side = 0; side < 2; side++) {
        double by = bias + (side ? z : -z), room = 1 - skew * by;
        double p = room > 0 ? eex_normal_cdf(bias + by / room) : by > 0;
        end[side] = quantile(sorted, n, p);
    }
    return (eex_interval){mean, end[0], end[1]};
}

static int check(const double *rows, int samples, int columns, const eex_bootstrap_options *o)
{
    if (samples < 1 || columns < 1)
        return eex_fail(EEX_EINVAL, "bootstrap: %d samples of %d figures: at least 1 of each",
                        samples, columns);
    if (o->resamples < 10 || o->resamples > MAX_RESAMPLES || !(o->confidence > 0) ||
        !(o->confidence < 1))
        return eex_fail(EEX_EINVAL,
                        "bootstrap: %d resamples, confidence %g: expected 10 to %d and a number "
                        "between 0 and 1",
                        o->resamples, o->confidence, MAX_RESAMPLES);
    for (size_t i = 0; i < (size_t)samples * (size_t)columns; i++)
        if (!isfinite(rows[i]))
            return eex_fail(EEX_EINVAL, "bootstrap: figure %zu of sample %zu is not a number",
                            i % (size_t)columns, i / (size_t)columns);
    return EEX_OK;
}

int eex_bootstrap(eex_interval *out, const double *rows, int samples, int columns,
                  const eex_bootstrap_options *options)
{
    eex_bootstrap_options o = options ? *options : (eex_bootstrap_options){0};
    draws d;
    o.resamples = o.resamples ? o.resamples : USUAL_RESAMPLES;
    o.confidence = o.confidence != 0 ? o.confidence : 0.95;
    EEX_TRY(check(rows, samples, columns, &o));
    int code = draws_new(&d, samples, columns, o.resamples);
    if (code == EEX_OK) {
        find_kinds(&d, rows);
        code = resample_all(&d, o.resamples, o.seed);
    }
    for (int c = 0; c < columns && code == EEX_OK; c++)
        out[c] = interval_of(&d, rows, c, d.means + (size_t)c * (size_t)o.resamples, o.resamples,
                             o.confidence);
    draws_free(&d);
    return code;
}
