/* The rounds of a fuzzer: what it is told, where it is, and which one crashes or hangs. */
#ifndef EEX_TESTS_SUPPORT_ROUNDS_H
#define EEX_TESTS_SUPPORT_ROUNDS_H

#include "base/rng.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* A round is a stream of random numbers of a seed: processes and hours with other seeds do other
 * rounds, however many. */
typedef struct test_rounds {
    uint64_t seed, round; /* the one that is under way */
    uint64_t first, most; /* from round `first` on; 0: 20,000 */
    uint64_t seconds;     /* as long as that instead */
    time_t begin;
} test_rounds;

/* Takes argv[*i] where it is --seed N, --round N (to begin with), --rounds N or --seconds N. */
bool test_rounds_take(test_rounds *rounds, int argc, char **argv, int *i);

/* Whether there is another one; *rng is its. From the first call on a crash or a hang is named. */
bool test_rounds_next(test_rounds *rounds, eex_rng *rng);

uint64_t test_rounds_done(const test_rounds *rounds); /* when there is no other one */

/* Of the processor's time: on a crowded machine a round may take long without hanging. 0: none. */
void test_rounds_limit(time_t seconds);

#endif
