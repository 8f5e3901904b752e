/* Traces without a network, and a device that can do nothing but score them. */
#ifndef EEX_TESTS_TRACES_H
#define EEX_TESTS_TRACES_H

#include "core/policy/trace.h"

/* A host device that runs EEX_OP_HEAD the naive way, in double precision. Static; closing it does
 * nothing. */
eex_device *test_head_device(void);

/* Fills an empty trace: samples of graded difficulty, exits that get better from first to last and
 * agree with one another more than by chance. */
void test_trace_fill(eex_trace *trace, uint64_t seed);

#endif
