/* How values are distributed, in constant memory: counts in 128 steps an octave. */
#ifndef EEX_CORE_USE_HISTOGRAM_H
#define EEX_CORE_USE_HISTOGRAM_H

#include <stdint.h>

enum { EEX_HISTOGRAM_STEPS = 128, EEX_HISTOGRAM_OCTAVES = 48 };

/* Start it with {0}. Values lie between 2^-24 and 2^24; what is smaller or larger is counted at
 * the ends. With milliseconds that is 60 ps to 4.6 hours. */
typedef struct eex_histogram {
    uint64_t counts[EEX_HISTOGRAM_STEPS * EEX_HISTOGRAM_OCTAVES];
    uint64_t count;
    double sum, least, largest; /* exact */
} eex_histogram;

void eex_histogram_add(eex_histogram *h, double value, uint64_t times);

double eex_histogram_mean(const eex_histogram *h); /* exact but for rounding; NaN when empty */

/* The value that is not exceeded by a fraction q of the values (nearest rank), within 0.4 %. NaN
 * when empty. */
double eex_histogram_quantile(const eex_histogram *h, double q);

#endif
