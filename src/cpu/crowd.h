/* Whether other processes want the processors that a pool's threads run on.
 *
 * The system counts for each thread how often it was put off its processor while it had work to do.
 * Where that happens, threads that wait for each other wait for time slices of milliseconds. So
 * there is a pause then, in which one thread does best alone; then the crowd is looked at again. A
 * pause that did not help is followed by one four times as long, up to half a second.
 *
 * Every system puts every thread off a few times a second, for its own chores: many threads so are
 * put off all the time. So a switch counts only where the same thread had one just before. */
#ifndef EEX_CPU_CROWD_H
#define EEX_CPU_CROWD_H

#include <stdatomic.h>
#include <stdbool.h>

typedef struct eex_crowd {
    atomic_uint switches; /* of workers, that count, since the caller looked last */
    int jobs;             /* of the caller, since then */
    bool pausing;
    double pause;        /* seconds: the last or the present one */
    double until, since; /* when the present one ends, or when the last one ended */
} eex_crowd;

/* For the caller, before a job: whether this is a pause. Looks at the clock now and then only. */
bool eex__crowd_pausing(eex_crowd *crowd);

/* For workers, after a job or (at_once) before they sleep. *jobs: the worker's count of jobs since
 * it asked the system, 0 at first. */
void eex__crowd_tell(eex_crowd *crowd, int *jobs, bool at_once);

/* What a thread knows of its switches; zeroes before it asks for the first time. */
typedef struct eex_switches {
    bool asked;
    long total;
    double at; /* seconds: when it found some */
} eex_switches;

/* How many of a thread's switches since it asked last count; `total` is what the system counts, at
 * the time `now`. */
unsigned eex__crowd_count(eex_switches *seen, long total, double now);

#endif
