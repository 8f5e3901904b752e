/* Laps: the same work timed again and again, in rounds, and what is to be said about it. Whoever
 * tells a time that he has measured takes it from here, so that times can be compared.
 *
 * What else a machine does only ever adds to a lap, and may add a lot: a mean of laps, or of a few,
 * says more about the neighbours than about the work. So a time is the *lower quartile* of its
 * rounds (the lap at a quarter of them, sorted), which stays where it is while fewer than three
 * quarters of the laps are disturbed. */
#ifndef EEX_BASE_LAPS_H
#define EEX_BASE_LAPS_H

#include <math.h>
#include <stdbool.h>

enum { EEX_LAPS_ROUNDS_MIN = 2 };

/* The lower quartile of `rounds` laps, which it sorts. */
double eex_laps_quartile(double *laps, int rounds);

/* Whether rounds disagree: more than one in ten of their times differs from the one that is `told`
 * by more than a quarter, either way. */
bool eex_laps_disagree(const double *times, int rounds, double told);

/* What is told of units (images, or batches of them) each of which has its lower quartile: mean and
 * percentiles are over units. p50 <= p95 <= p99 <= max, and mean <= max. */
typedef struct eex_latency {
    double mean, p50, p95, p99, max; /* milliseconds of one input */
} eex_latency;

/* The laps of one contestant. */
typedef struct eex_laps {
    int units, rounds; /* at least 1 and EEX_LAPS_ROUNDS_MIN */
    int inputs;        /* that a unit has */
    double *ms;        /* (units + 1, rounds) milliseconds; the last row is for reducing them */
} eex_laps;

typedef struct eex_lap_times {
    eex_latency latency;
    double fast, slow; /* means over units of their fastest lap, and of the first beyond the median:
                        * the fifth where that is more, the slowest where there are fewer;
                        * milliseconds of one input */
    bool disturbed;    /* eex_laps_disagree: the sums of rounds over all units, and of the lower
                        * quartiles */
} eex_lap_times;

/* unit_ms (units) gets the lower quartile of each unit, for one input. Spoils the laps. */
void eex_laps_reduce(eex_lap_times *out, double *unit_ms, const eex_laps *laps);

/* How many times as fast as `base` something is by the clock. */
typedef struct eex_speedup {
    double ratio;     /* of the means of lower quartiles */
    double low, high; /* see eex_speedup_of */
    bool disturbed;   /* either was */
} eex_speedup;

/* What is not known. */
#define EEX_SPEEDUP_UNKNOWN ((eex_speedup){NAN, NAN, NAN, false})

/* The interval is from `base` at its fast laps against `own` at its slow ones to the other way
 * round: it holds the ratio and says how far the rounds agree. From 5 rounds on it holds the
 * undisturbed ratio in 95 of 100 cases or more, whether laps or whole rounds of either were
 * disturbed, as long as a quarter of them were: that the first of n laps comes after the j-th of n
 * others by chance has the probability C(2n - j, n) / C(2n, n), which is where the fifth lap comes
 * from. With 2, 3 and 4 rounds, all undisturbed, it holds it in 66, 90 and 97 of 100. */
eex_speedup eex_speedup_of(const eex_lap_times *base, const eex_lap_times *own);

/* For people: "2.60x (2.41 to 2.78)" or "12.4x (9.97 to 14.0)", "2.60x" where the interval is not
 * known, "-" where nothing is. Returns `out`. */
enum { EEX_SPEEDUP_SIZE = 80 };
const char *eex_speedup_text(char out[EEX_SPEEDUP_SIZE], const eex_speedup *speedup);

/* Warns, once for what a command has measured, that rounds disagreed. */
void eex_laps_warn(const char *what, bool disturbed);

#endif
