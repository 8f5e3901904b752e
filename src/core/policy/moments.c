#include "core/policy/moments.h"

#include "base/status.h"

#include <math.h>
#include <string.h>

enum { POINTS = 5 };

static const double mega = 1e6;

/* ---- intervals ---- */

static void divide(eex_moments *m, double from, double to)
{
    const double decades = ceil(log10(to / from) - 1e-9);
    m->intervals = (int)fmin(fmax(decades, 1), EEX_ADAPT_INTERVALS);
    const int steps = m->intervals * (POINTS - 1);
    for (int i = 0; i < m->intervals; i++) {
        m->interval[i].count = POINTS;
        for (int j = 0; j < POINTS; j++) {
            const int step = i * (POINTS - 1) + j;
            m->interval[i].bits[j] =
                step == steps ? to : from * pow(to / from, (double)step / steps);
        }
    }
}

static void bound(eex_moments *m)
{
    m->least = m->most = m->bits[0];
    for (int i = 1; i < m->count; i++) {
        m->least = fmin(m->least, m->bits[i]);
        m->most = fmax(m->most, m->bits[i]);
    }
}

/* ---- a range ---- */

int eex_moments_range(eex_moments *out, double from, double to)
{
    *out = (eex_moments){.intervals = EEX_ADAPT_PUBLISHED};
    memcpy(out->interval, eex_adapt_published, sizeof eex_adapt_published);
    const bool published = from == 0 && to == 0;
    if (!published && !(from >= EEX_LEAST_MBIT && to >= 1.01 * from && to <= EEX_MOST_MBIT))
        return eex_fail(EEX_EINVAL,
                        "from %g to %g Mbit/s: expected at least %g, and TO above FROM by a "
                        "hundredth of it, up to %g",
                        from, to, EEX_LEAST_MBIT, EEX_MOST_MBIT);
    if (!published)
        divide(out, mega * from, mega * to);
    for (int i = 0; i < out->intervals; i++)
        for (int j = i > 0; j < out->interval[i].count; j++) /* neighbours share an end */
            out->bits[out->count++] = out->interval[i].bits[j];
    bound(out);
    return EEX_OK;
}

/* ---- a trace ---- */

static void sample(eex_moments *m, const eex_bandwidths *trace)
{
    const double first = trace->seconds[0], last = trace->seconds[trace->count - 1];
    m->count = trace->count == 1 ? 1 : EEX_MOMENTS;
    for (int i = 0; i < m->count; i++)
        m->bits[i] = eex_bandwidths_at(
            trace, i == EEX_MOMENTS - 1 ? last : first + (last - first) * i / (EEX_MOMENTS - 1));
    bound(m);
}

int eex_moments_trace(eex_moments *out, const char *path)
{
    eex_bandwidths trace;
    *out = (eex_moments){.played = true};
    EEX_TRY(eex_bandwidths_read(&trace, path));
    sample(out, &trace);
    eex_bandwidths_free(&trace);
    /* a steady link has a range, too */
    const double spread = fmax(1, sqrt(2 * out->least / out->most));
    divide(out, fmax(out->least / spread, mega * EEX_LEAST_MBIT), out->most * spread);
    return EEX_OK;
}
