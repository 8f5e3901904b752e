#include "base/laps.h"

#include "base/log.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIFTH = 5, AGREEING = 10 /* one round in so many may be off */ };
static const double far_off = 1.25;

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void sort(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, by_value);
}

double eex_laps_quartile(double *laps, int rounds)
{
    if (!laps || rounds < 1)
        return (double)NAN;
    sort(laps, rounds);
    return laps[rounds / 4];
}

/* The lap, counted from 0, that is taken for a slow but undisturbed one. */
static int slow_lap(int rounds)
{
    const int middle = (rounds + 1) / 2, at = middle < FIFTH - 1 ? FIFTH - 1 : middle;
    return at < rounds ? at : rounds - 1;
}

/* ---- rounds ---- */

static void sum_rounds(double *sums, const eex_laps *l)
{
    for (int r = 0; r < l->rounds; r++) {
        sums[r] = 0;
        for (int u = 0; u < l->units; u++)
            sums[r] += l->ms[(size_t)u * (size_t)l->rounds + (size_t)r];
    }
}

bool eex_laps_disagree(const double *times, int rounds, double told)
{
    int off = 0;
    for (int r = 0; times && r < rounds; r++)
        off += times[r] > far_off * told || far_off * times[r] < told;
    return rounds > 0 && AGREEING * off > rounds;
}

/* ---- units ---- */

/* The value that a share q of the sorted ones do not exceed. */
static double quantile(const double *sorted, int count, double q)
{
    int at = (int)ceil(q * count) - 1;
    return sorted[at < 0 ? 0 : at];
}

static eex_latency latency_of(const double *sorted, int units, double mean)
{
    const double max = sorted[units - 1];
    return (eex_latency){.mean = mean < max ? mean : max, /* a sum of equals may round to more */
                         .p50 = quantile(sorted, units, 0.5),
                         .p95 = quantile(sorted, units, 0.95),
                         .p99 = quantile(sorted, units, 0.99),
                         .max = max};
}

void eex_laps_reduce(eex_lap_times *out, double *unit_ms, const eex_laps *l)
{
    if (!out || !unit_ms || !l || !l->ms || l->units < 1 || l->rounds < 1)
        return;
    double *sums = l->ms + (size_t)l->units * (size_t)l->rounds, told = 0, fast = 0, slow = 0;
    const double inputs = (double)l->units * l->inputs;
    sum_rounds(sums, l);
    for (int u = 0; u < l->units; u++) {
        double *lap = l->ms + (size_t)u * (size_t)l->rounds;
        const double quartile = eex_laps_quartile(lap, l->rounds);
        told += quartile;
        fast += lap[0];
        slow += lap[slow_lap(l->rounds)];
        unit_ms[u] = quartile / l->inputs;
    }
    memcpy(l->ms, unit_ms, (size_t)l->units * sizeof *l->ms);
    sort(l->ms, l->units);
    out->disturbed = eex_laps_disagree(sums, l->rounds, told);
    out->latency = latency_of(l->ms, l->units, told / inputs);
    out->fast = fmin(fast / inputs, out->latency.mean); /* here, too */
    out->slow = fmax(slow / inputs, out->latency.mean);
}

/* ---- comparing ---- */

eex_speedup eex_speedup_of(const eex_lap_times *base, const eex_lap_times *own)
{
    if (!base || !own)
        return EEX_SPEEDUP_UNKNOWN;
    return (eex_speedup){.ratio = base->latency.mean / own->latency.mean,
                         .low = base->fast / own->slow,
                         .high = base->slow / own->fast,
                         .disturbed = base->disturbed || own->disturbed};
}

/* Three digits or so. */
static const char *times(char *out, size_t size, double value)
{
    snprintf(out, size, "%.*f", value < 10 ? 2 : value < 100 ? 1 : 0, value);
    return out;
}

const char *eex_speedup_text(char out[EEX_SPEEDUP_SIZE], const eex_speedup *s)
{
    const eex_speedup unknown = EEX_SPEEDUP_UNKNOWN;
    s = s ? s : &unknown;
    char ratio[20], low[20], high[20];
    times(ratio, sizeof ratio, s->ratio);
    if (isnan(s->ratio))
        snprintf(out, EEX_SPEEDUP_SIZE, "-");
    else if (isnan(s->low) || isnan(s->high))
        snprintf(out, EEX_SPEEDUP_SIZE, "%sx", ratio);
    else
        snprintf(out, EEX_SPEEDUP_SIZE, "%sx (%s to %s)", ratio, times(low, sizeof low, s->low),
                 times(high, sizeof high, s->high));
    return out;
}

void eex_laps_warn(const char *what, bool disturbed)
{
    if (disturbed && what)
        eex_log_warn("%s: rounds disagree by more than a quarter, so the machine was disturbed: "
                     "times and speed-ups are rough; measure again when nothing else runs",
                     what);
}
