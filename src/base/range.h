/* Where a number may lie, and how messages say so. */
#ifndef EEX_BASE_RANGE_H
#define EEX_BASE_RANGE_H

#include <stdbool.h>

typedef struct eex_range {
    double min, max; /* INFINITY: as large as you like */
    bool above;      /* min itself is outside */
    bool below;      /* max itself is outside: of INFINITY, numbers have to be finite */
} eex_range;

/* NaN never is. */
bool eex_range_has(const eex_range *range, double value);

/* The same of a number that is calculated with as a float32: it has to be one there too, and no
 * other than zero may become zero (nor lose digits as one that is not normal), nor infinite. The
 * range's ends count as their nearest float32. */
bool eex_range_has_float(const eex_range *range, double value);

/* "a positive integer", "an integer of 0 or more", "an integer in 1..8"; "a positive number", "a
 * number of at least 0", "a number in 0..1", "a number from 0 to below 1". Returns `out`. */
enum { EEX_RANGE_SIZE = 80 };
const char *eex_range_words(char out[EEX_RANGE_SIZE], const eex_range *range, bool integer);

/* The same where `value` was found, which is outside: names the bound that it breaks also where it
 * goes without saying, as in "an integer in 1..2147483647". */
const char *eex_range_words_for(char out[EEX_RANGE_SIZE], const eex_range *range, bool integer,
                                double value);

#endif
