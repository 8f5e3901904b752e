#include "core/use/drift.h"

#include "core/use/chi_square.h"

#include "base/status.h"

#include <math.h>
#include <string.h>

/* Smallest count of a group that a window is expected to have; p-values by chi-square are right
 * from about five on. */
static const double least = 10, over_above = 0.05;
enum { SMALLEST_WINDOW = 20 };

static double expected(const eex_drift *d, double count)
{
    return count / d->samples * d->size;
}

/* The rare ways make one group. One that is still rare joins the smallest of the others. Depends on
 * the calibration samples alone: the windows have no say in how they are tested. */
static void make_groups(eex_drift *d)
{
    double rare = 0;
    int smallest = -1, rares = 0;
    d->groups = 0;
    for (int i = 0; i < d->ways; i++) {
        const bool common = expected(d, d->reference[i]) >= least;
        d->group[i] = common ? d->groups++ : -1;
        rare += common ? 0 : d->reference[i];
        rares += !common;
        if (common && (smallest < 0 || d->reference[i] < d->reference[smallest]))
            smallest = i;
    }
    const bool enough = expected(d, rare) >= least;
    const int join = enough || smallest < 0 ? d->groups : d->group[smallest];
    for (int i = 0; i < d->ways; i++)
        d->group[i] = d->group[i] < 0 ? join : d->group[i];
    d->groups += rares > 0 && join == d->groups;
}

int eex_drift_begin(eex_drift *out, const uint64_t *counts, int ways, int window, double alpha)
{
    *out = (eex_drift){.ways = ways, .size = window, .alpha = alpha};
    if (ways < 1 || ways > EEX_DRIFT_WAYS || window < SMALLEST_WINDOW || !(alpha > 0 && alpha < 1))
        return eex_fail(EEX_EINVAL, "drift: %d ways to leave, windows of %d, level %g", ways,
                        window, alpha);
    for (int i = 0; i < ways; i++) {
        out->reference[i] = (double)counts[i];
        out->samples += (double)counts[i];
    }
    if (out->samples == 0)
        return eex_fail(EEX_EINVAL, "drift: there are no calibration samples to compare with");
    make_groups(out);
    if (out->groups < 2)
        return eex_fail(EEX_EINVAL,
                        "drift: nearly all calibration samples leave in the same way, so that "
                        "windows of %d frames have nothing to compare",
                        window);
    return EEX_OK;
}

/* The way whose rate is farthest from calibration's, in standard deviations. */
static void find_way(eex_drift_window *w, const eex_drift *d)
{
    double farthest = -1;
    for (int i = 0; i < d->ways; i++) {
        const double a = (double)d->count[i], b = d->reference[i];
        const double rate = (a + b + 0.5) / (d->size + d->samples + 1);
        const double spread = sqrt(rate * (1 - rate) * (1.0 / d->size + 1 / d->samples));
        const double distance = fabs(a / d->size - b / d->samples) / spread;
        if (distance > farthest) {
            farthest = distance;
            w->way = i;
            w->observed = a / d->size;
            w->expected = b / d->samples;
        }
    }
}

static eex_drift_event end_window(eex_drift *d)
{
    double a[EEX_DRIFT_WAYS] = {0}, b[EEX_DRIFT_WAYS] = {0};
    for (int i = 0; i < d->ways; i++) {
        a[d->group[i]] += (double)d->count[i];
        b[d->group[i]] += d->reference[i];
    }
    const eex_g_test t = eex_g_test_rows(a, b, d->groups);
    const double n = (double)++d->windows;
    d->last = (eex_drift_window){
        .number = d->windows, .g = t.g, .p = t.p, .df = t.df, .level = d->alpha / (n * (n + 1))};
    find_way(&d->last, d);
    memset(d->count, 0, sizeof d->count);
    d->filled = 0;
    if (d->drifting && t.p > over_above) {
        d->drifting = false;
        return EEX_DRIFT_ENDS;
    }
    if (d->drifting || !(t.p < d->last.level))
        return EEX_DRIFT_NOTHING;
    d->drifting = true;
    d->last_alarm = d->last;
    if (d->alarms++ == 0)
        d->first_alarm = d->last;
    return EEX_DRIFT_BEGINS;
}

eex_drift_event eex_drift_add(eex_drift *d, int way)
{
    d->count[way]++;
    return ++d->filled < d->size ? EEX_DRIFT_NOTHING : end_window(d);
}
