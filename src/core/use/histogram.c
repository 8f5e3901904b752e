#include "core/use/histogram.h"

#include <math.h>

enum { SIZE = EEX_HISTOGRAM_STEPS * EEX_HISTOGRAM_OCTAVES };

/* Each octave is cut into equal steps, so that a bucket is at most 1/128 of its values wide. */
static int bucket(double value)
{
    int exponent;
    const double fraction = frexp(value, &exponent); /* 0.5 <= fraction < 1 */
    const int octave = exponent - 1 + EEX_HISTOGRAM_OCTAVES / 2;
    if (!(value > 0) || octave < 0)
        return 0;
    if (octave >= EEX_HISTOGRAM_OCTAVES)
        return SIZE - 1;
    return octave * EEX_HISTOGRAM_STEPS + (int)((2 * fraction - 1) * EEX_HISTOGRAM_STEPS);
}

static double middle(int at)
{
    const double fraction = 1 + (at % EEX_HISTOGRAM_STEPS + 0.5) / EEX_HISTOGRAM_STEPS;
    return ldexp(fraction, at / EEX_HISTOGRAM_STEPS - EEX_HISTOGRAM_OCTAVES / 2);
}

void eex_histogram_add(eex_histogram *h, double value, uint64_t times)
{
    if (times == 0 || isnan(value))
        return;
    h->counts[bucket(value)] += times;
    h->least = h->count == 0 || value < h->least ? value : h->least;
    h->largest = h->count == 0 || value > h->largest ? value : h->largest;
    h->sum += value * (double)times;
    h->count += times;
}

double eex_histogram_mean(const eex_histogram *h)
{
    return h->count ? h->sum / (double)h->count : NAN;
}

double eex_histogram_quantile(const eex_histogram *h, double q)
{
    const double wanted = ceil(q * (double)h->count);
    uint64_t rank = wanted < 1 ? 1 : (uint64_t)wanted, seen = 0;
    if (h->count == 0)
        return NAN;
    rank = rank > h->count ? h->count : rank;
    int at = 0;
    while ((seen += h->counts[at]) < rank)
        at++;
    const double value = middle(at);
    return value < h->least ? h->least : value > h->largest ? h->largest : value;
}
