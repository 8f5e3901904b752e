#include "search/ranking.h"

#include "base/rng.h"
#include "base/status.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum { SAMPLES = 2000 };

typedef enum stream { BOOTSTRAP_JUDGE = 1, BOOTSTRAP_NULL, CEILING } stream;

typedef struct work {
    const eex_ranking_data *data;
    size_t n;
    uint64_t seed;
    double *mean;    /* (n) the truths */
    double *drawn;   /* (n) */
    double *other;   /* (n) */
    double *samples; /* (SAMPLES) */
    unsigned *times; /* (n) how often a candidate is in a bootstrap sample */
} work;

/* ---- truths and their noise ---- */

static int check(const eex_ranking_data *d)
{
    if (d->count < 2 || d->count > EEX_RANKING_MOST)
        return eex_fail(EEX_EINVAL, "ranking: 2 to %d candidates, got %zu", EEX_RANKING_MOST,
                        d->count);
    const double *truth = d->truth;
    for (size_t i = 0; i < d->count; i++) {
        if (d->trainings[i] == 0)
            return eex_fail(EEX_EINVAL, "ranking: candidate %zu was never trained", i);
        bool known = isfinite(d->guess[i]) && isfinite(d->cost[i]);
        for (size_t t = 0; t < d->trainings[i]; t++)
            known = known && isfinite(*truth++);
        if (!known)
            return eex_fail(EEX_EINVAL, "ranking: a figure of candidate %zu is not a number", i);
    }
    return EEX_OK;
}

/* Means of the trainings, and the deviation within candidates, pooled. */
static void summarise(eex_ranking *out, const work *w)
{
    const double *truth = w->data->truth;
    double squares = 0, low = INFINITY, high = -INFINITY;
    size_t freedom = 0;
    for (size_t i = 0; i < w->n; i++) {
        const size_t times = w->data->trainings[i];
        double sum = 0;
        for (size_t t = 0; t < times; t++)
            sum += truth[t];
        const double mean = sum / (double)times;
        for (size_t t = 0; t < times; t++)
            squares += (truth[t] - mean) * (truth[t] - mean);
        freedom += times - 1;
        out->repeated += times > 1;
        w->mean[i] = mean;
        low = fmin(low, mean);
        high = fmax(high, mean);
        truth += times;
    }
    out->spread = high - low;
    out->noise = freedom ? sqrt(squares / (double)freedom) : NAN;
}

/* ---- Kendall's tau-b over pairs ---- */

static int sign(double a, double b)
{
    return (a > b) - (a < b);
}

typedef struct tally {
    double difference, x, y; /* concordant less discordant, and pairs that are not tied in a row */
} tally;

static void count_pair(tally *t, int x, int y, double weight)
{
    t->difference += weight * x * y;
    t->x += weight * (x != 0);
    t->y += weight * (y != 0);
}

static double tau_of(const tally *t)
{
    const double scale = sqrt(t->x * t->y);
    return scale > 0 ? fmax(-1, fmin(1, t->difference / scale)) : NAN;
}

/* Candidate i counts `times[i]` times, never against itself; NULL: once each. */
static double kendall(const double *x, const double *y, size_t n, const unsigned *times)
{
    tally t = {0};
    for (size_t i = 0; i < n; i++)
        for (size_t j = times && !times[i] ? n : i + 1; j < n; j++)
            count_pair(&t, sign(x[i], x[j]), sign(y[i], y[j]),
                       times ? (double)times[i] * (double)times[j] : 1);
    return tau_of(&t);
}

static int ascending(const void *a, const void *b)
{
    return sign(*(const double *)a, *(const double *)b);
}

/* Of the samples that say something: a sample of one candidate alone does not. */
static void bootstrap(eex_ranking_tau *out, const work *w, const double *x, stream s)
{
    size_t known = 0;
    for (int k = 0; k < SAMPLES; k++) {
        eex_rng rng;
        eex_rng_seed(&rng, eex_rng_hash(w->seed, s, (uint64_t)k), 0);
        for (size_t i = 0; i < w->n; i++)
            w->times[i] = 0;
        for (size_t i = 0; i < w->n; i++)
            w->times[eex_rng_below(&rng, w->n)]++;
        const double tau = kendall(x, w->mean, w->n, w->times);
        if (!isnan(tau))
            w->samples[known++] = tau;
    }
    qsort(w->samples, known, sizeof *w->samples, ascending);
    out->low = known ? w->samples[(size_t)(0.025 * (double)(known - 1))] : NAN;
    out->high = known ? w->samples[(size_t)ceil(0.975 * (double)(known - 1))] : NAN;
}

static void rank_by(eex_ranking_tau *out, const work *w, const double *x, stream s)
{
    out->tau = kendall(x, w->mean, w->n, NULL);
    bootstrap(out, w, x, s);
}

/* The cost may go with the truth or against it; who only knows the cost is given the better. */
static void rank_null(eex_ranking_tau *out, const work *w)
{
    rank_by(out, w, w->data->cost, BOOTSTRAP_NULL);
    if (out->tau < 0)
        *out = (eex_ranking_tau){-out->tau, -out->high, -out->low};
}

/* ---- noise ---- */

static void rank_clear(eex_ranking *out, const work *w)
{
    tally t = {0};
    out->pairs = w->n * (w->n - 1) / 2;
    for (size_t i = 0; i < w->n; i++)
        for (size_t j = i + 1; j < w->n; j++) {
            const double both =
                1.0 / (double)w->data->trainings[i] + 1.0 / (double)w->data->trainings[j];
            if (fabs(w->mean[i] - w->mean[j]) < 2 * out->noise * sqrt(both))
                continue;
            out->clear_pairs++;
            count_pair(&t, sign(w->data->guess[i], w->data->guess[j]), sign(w->mean[i], w->mean[j]),
                       1);
        }
    out->clear = tau_of(&t);
}

/* What of the observed differences is no noise: the truths drawn towards their mean so that noise
 * on top gives the variance that was seen. */
static void shrink(const work *w, double noise)
{
    double mean = 0, seen = 0, from_noise = 0;
    for (size_t i = 0; i < w->n; i++)
        mean += w->mean[i] / (double)w->n;
    for (size_t i = 0; i < w->n; i++) {
        seen += (w->mean[i] - mean) * (w->mean[i] - mean) / (double)(w->n - 1);
        from_noise += noise * noise / (double)w->data->trainings[i] / (double)w->n;
    }
    const double keep = seen > from_noise ? sqrt(1 - from_noise / seen) : 0;
    for (size_t i = 0; i < w->n; i++)
        w->drawn[i] = mean + keep * (w->mean[i] - mean);
}

static void find_ceiling(eex_ranking *out, const work *w)
{
    double sum = 0;
    int known = 0;
    shrink(w, out->noise);
    for (int k = 0; k < SAMPLES; k++) {
        eex_rng rng;
        eex_rng_seed(&rng, eex_rng_hash(w->seed, CEILING, (uint64_t)k), 0);
        for (size_t i = 0; i < w->n; i++)
            w->other[i] = w->drawn[i] +
                          out->noise / sqrt((double)w->data->trainings[i]) * eex_rng_normal(&rng);
        const double tau = kendall(w->drawn, w->other, w->n, NULL);
        sum += isnan(tau) ? 0 : tau;
        known += !isnan(tau);
    }
    out->ceiling = known ? sum / known : 0; /* nothing but noise: no order to be found */
}

/* ---- all of it ---- */

static void choose(eex_ranking *out, const work *w)
{
    for (size_t i = 1; i < w->n; i++) {
        if (w->mean[i] > w->mean[out->best])
            out->best = i;
        if (w->data->guess[i] > w->data->guess[out->chosen])
            out->chosen = i;
    }
    out->regret = w->mean[out->best] - w->mean[out->chosen];
}

static void work_free(work *w)
{
    free(w->mean);
    free(w->drawn);
    free(w->other);
    free(w->samples);
    free(w->times);
}

static int work_new(work *w, const eex_ranking_data *data, uint64_t seed)
{
    const size_t n = data->count;
    *w = (work){.data = data, .n = n, .seed = seed};
    w->mean = calloc(n, sizeof *w->mean);
    w->drawn = calloc(n, sizeof *w->drawn);
    w->other = calloc(n, sizeof *w->other);
    w->samples = calloc(SAMPLES, sizeof *w->samples);
    w->times = calloc(n, sizeof *w->times);
    if (w->mean && w->drawn && w->other && w->samples && w->times)
        return EEX_OK;
    work_free(w);
    return eex_fail(EEX_ENOMEM, "out of memory: cannot rank %zu candidates", n);
}

int eex_ranking_of(eex_ranking *out, const eex_ranking_data *data, uint64_t seed)
{
    work w;
    *out = (eex_ranking){.count = data->count, .clear = NAN, .ceiling = NAN};
    EEX_TRY(check(data));
    EEX_TRY(work_new(&w, data, seed));
    summarise(out, &w);
    rank_by(&out->judge, &w, data->guess, BOOTSTRAP_JUDGE);
    rank_null(&out->null, &w);
    if (!isnan(out->noise)) {
        rank_clear(out, &w);
        find_ceiling(out, &w);
    }
    choose(out, &w);
    work_free(&w);
    return EEX_OK;
}
