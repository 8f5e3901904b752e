/* A population of samples whose risks can be counted, and what is drawn from it. */
#ifndef EEX_TESTS_SUPPORT_POPULATION_H
#define EEX_TESTS_SUPPORT_POPULATION_H

#include "core/policy/calibrate.h"
#include "core/policy/trace.h"

enum { TEST_POPULATION = 6000, TEST_POPULATION_EXITS = 3, TEST_POPULATION_CLASSES = 4 };

extern const eex_exit_costs test_population_costs;

/* All of it. */
eex_trace *test_population(void);

/* So many of it, at most all, with replacement. */
eex_trace *test_population_draw(const eex_trace *from, int samples, uint64_t seed);

/* Calibration as it is by default, but for these. */
eex_calibration test_at_temperature_two(eex_policy_kind kind);

#endif
