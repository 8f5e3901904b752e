#include "base/range.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>

bool eex_range_has(const eex_range *r, double value)
{
    return (r->above ? value > r->min : value >= r->min) &&
           (r->below ? value < r->max : value <= r->max);
}

/* Compared as floats: GCC 12 at -O2 leaves two ends beside each other as they are where they are
 * rounded to floats and kept as doubles. */
bool eex_range_has_float(const eex_range *r, double value)
{
    const float is = (float)value, min = (float)r->min, max = (float)r->max;
    if (value != 0 && !(fabsf(is) >= FLT_MIN && fabsf(is) <= FLT_MAX))
        return false;
    return (r->above ? is > min : is >= min) && (r->below ? is < max : is <= max);
}

/* A bound that only the type sets goes without saying. */
static const char *integer_words(char out[EEX_RANGE_SIZE], const eex_range *r)
{
    if (r->max < INT32_MAX)
        snprintf(out, EEX_RANGE_SIZE, "an integer in %.0f..%.0f", r->min, r->max);
    else if (r->min == 1)
        snprintf(out, EEX_RANGE_SIZE, "a positive integer");
    else
        snprintf(out, EEX_RANGE_SIZE, "an integer of %.0f or more", r->min);
    return out;
}

const char *eex_range_words(char out[EEX_RANGE_SIZE], const eex_range *r, bool integer)
{
    if (integer)
        return integer_words(out, r);
    if (isinf(r->min) && isinf(r->max))
        snprintf(out, EEX_RANGE_SIZE, "a number");
    else if (isinf(r->max) && r->above && r->min == 0)
        snprintf(out, EEX_RANGE_SIZE, "a positive number");
    else if (isinf(r->max))
        snprintf(out, EEX_RANGE_SIZE, "a number %s %.6g", r->above ? "above" : "of at least",
                 r->min);
    else if (!r->above && !r->below)
        snprintf(out, EEX_RANGE_SIZE, "a number in %.6g..%.6g", r->min, r->max);
    else
        snprintf(out, EEX_RANGE_SIZE, "a number %s %.6g to %s%.6g", r->above ? "above" : "from",
                 r->min, r->below ? "below " : "", r->max);
    return out;
}

const char *eex_range_words_for(char out[EEX_RANGE_SIZE], const eex_range *r, bool integer,
                                double value)
{
    const double beyond = 0x1p63; /* INT64_MAX as a double */
    if (integer && value > r->max && r->max < beyond)
        snprintf(out, EEX_RANGE_SIZE, "an integer in %.0f..%.0f", r->min, r->max);
    else if (integer && value > r->max)
        snprintf(out, EEX_RANGE_SIZE, "an integer in %.0f..%lld", r->min, (long long)INT64_MAX);
    else if (!integer && !isfinite(value) && isinf(r->min) && isinf(r->max))
        snprintf(out, EEX_RANGE_SIZE, "a finite number");
    else if (!integer && !isfinite(value) && isinf(r->max) && r->below)
        snprintf(out, EEX_RANGE_SIZE, "a finite number %s %.6g", r->above ? "above" : "of at least",
                 r->min);
    else
        return eex_range_words(out, r, integer);
    return out;
}
