/* Where the time of a plan goes: counts what each op takes, by standing between plan and device. */
#ifndef EEX_BENCHMARKS_PROFILE_H
#define EEX_BENCHMARKS_PROFILE_H

#include "core/plan/plan.h"

/* From now on every op that the device runs is timed, by the calling thread's processor time if
 * `cpu`; one device at a time. */
int profile_begin(eex_device *dev, const eex_plan *plan, bool cpu);

/* Puts the device back and prints time by kind of op and the `slowest` ops, for a step of `batch`.
 * An op's time is the median of its runs, at most the last PROFILE_RUNS: what the system did in
 * between does not count. */
enum { PROFILE_RUNS = 101 };
void profile_end(eex_device *dev, const eex_plan *plan, int batch, int slowest);

#endif
