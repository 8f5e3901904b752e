/* The best time of a function that is called again and again. */
#ifndef EEX_BENCHMARKS_TIMING_H
#define EEX_BENCHMARKS_TIMING_H

#include <stdbool.h>

/* Nanoseconds of one call, the least of five or more groups of calls that fill `seconds`; negative
 * when a call fails (returns other than 0). */
double best_ns(int (*run)(void *ctx), void *ctx, double seconds);

/* Seconds since some moment: that have passed, or of the program's processor time. */
double seconds_now(bool cpu);

/* From now on counts the calling thread's processor time instead of the time that passes: right for
 * work on this thread alone on a machine that does other things too. */
void timing_count_own_cpu(void);

#endif
