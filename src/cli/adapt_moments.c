#include "cli/adapt_moments.h"

#include "base/status.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

enum { POINTS = 5 };

static const double mega = 1e6, least_mbit = 1e-6, most_mbit = 1e6;

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

static int parse_range(double *from, double *to, const char *text)
{
    char first[64];
    const char *colon = strchr(text, ':');
    const size_t length = colon ? (size_t)(colon - text) : sizeof first;
    if (length >= sizeof first)
        return eex_fail(EEX_EINVAL,
                        "--bandwidths: FROM:TO in Mbit/s expected, such as 0.1:100, got \"%.80s\"",
                        text);
    memcpy(first, text, length);
    first[length] = 0;
    EEX_TRY(eex_text_parse_double(from, first, least_mbit, most_mbit, "--bandwidths, FROM"));
    EEX_TRY(eex_text_parse_double(to, colon + 1, least_mbit, most_mbit, "--bandwidths, TO"));
    return *to >= 1.01 * *from ? EEX_OK
                               : eex_fail(EEX_EINVAL,
                                          "--bandwidths: from %g to %g Mbit/s: TO has to be above "
                                          "FROM by a hundredth of it at least",
                                          *from, *to);
}

int eex_moments_range(eex_moments *out, const char *text)
{
    double from, to;
    *out = (eex_moments){.intervals = EEX_ADAPT_PUBLISHED};
    memcpy(out->interval, eex_adapt_published, sizeof eex_adapt_published);
    if (text) {
        EEX_TRY(parse_range(&from, &to, text));
        divide(out, mega * from, mega * to);
    }
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
    divide(out, fmax(out->least / spread, mega * least_mbit), out->most * spread);
    return EEX_OK;
}
