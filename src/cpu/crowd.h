/* Whether other processes want the processors that a pool's threads run on.
 *
 * The system counts for each thread how often it was put off its processor while it had work to do.
 * Where that happens, threads that wait for each other wait for time slices of milliseconds. So
 * after such a switch there is a pause, in which one thread does best alone; then the crowd is
 * looked at again. A pause that did not help is followed by one four times as long, up to half a
 * second; a single switch, as every system has now and then, costs two milliseconds. */
#ifndef EEX_CPU_CROWD_H
#define EEX_CPU_CROWD_H

#include <stdatomic.h>
#include <stdbool.h>

typedef struct eex_crowd {
    atomic_uint switches; /* of workers, since the caller looked last */
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

#endif
