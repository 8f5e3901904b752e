/* The rounds of a fuzzer: one that crashes or hangs is named on the standard error. */
#ifndef EEX_TESTS_SUPPORT_ROUNDS_H
#define EEX_TESTS_SUPPORT_ROUNDS_H

#include <stdint.h>
#include <time.h>

/* From now on; *round is the number of the one that is under way. */
void test_rounds_watch(const uint64_t *round);

/* Of the processor's time: on a crowded machine a round may take long without hanging. 0: none. */
void test_rounds_limit(time_t seconds);

#endif
