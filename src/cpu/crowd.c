#include "cpu/crowd.h"

#include "base/clock.h"

#include <math.h>
#include <sys/resource.h>

enum { JOBS_BETWEEN_LOOKS = 64, JOBS_BETWEEN_CLOCKS = 16 };

static const double shortest = 0.002, longest = 0.512; /* pauses, in seconds */
/* So long without a switch that counts, and what was before is forgotten. Where somebody wants a
 * processor, it takes a few slices of some milliseconds each to be seen again. */
static const double calm = 0.025;
/* Seconds from one switch to the next of a thread that shares its processor; a few slices. */
static const double apart = 0.02;

unsigned eex__crowd_count(eex_switches *seen, long total, double now)
{
    const long found = total - seen->total;
    const bool close = now - seen->at < apart * (double)found;
    const bool first = !seen->asked;
    if (found == 0 && !first)
        return 0;
    *seen = (eex_switches){.asked = true, .total = total, .at = first ? -INFINITY : now};
    return close && !first ? (unsigned)found : 0;
}

/* The calling thread's switches that count, since it asked last. */
static unsigned own_switches(void)
{
    static _Thread_local eex_switches seen;
    struct rusage usage;
    if (getrusage(RUSAGE_THREAD, &usage) != 0)
        return 0;
    return eex__crowd_count(&seen, usage.ru_nivcsw, eex_clock_seconds());
}

void eex__crowd_tell(eex_crowd *crowd, int *jobs, bool at_once)
{
    if (++*jobs < JOBS_BETWEEN_LOOKS && !at_once)
        return;
    const unsigned found = own_switches();
    *jobs = 0;
    if (found > 0)
        atomic_fetch_add_explicit(&crowd->switches, found, memory_order_relaxed);
}

/* How many switches there were since the last call. */
static unsigned look(eex_crowd *crowd)
{
    crowd->jobs = 0;
    return own_switches() + atomic_exchange_explicit(&crowd->switches, 0, memory_order_relaxed);
}

static void pause_now(eex_crowd *crowd)
{
    const double now = eex_clock_seconds();
    const bool again = crowd->pause > 0 && now - crowd->since < calm;
    crowd->pause = again ? 4 * crowd->pause : shortest;
    crowd->pause = crowd->pause < longest ? crowd->pause : longest;
    crowd->until = now + crowd->pause;
    crowd->pausing = true;
}

/* Whether the pause has ended; what happened meanwhile does not count. */
static bool pause_ends(eex_crowd *crowd)
{
    const double now = eex_clock_seconds();
    if (now < crowd->until)
        return false;
    (void)look(crowd);
    crowd->since = now;
    crowd->pausing = false;
    return true;
}

bool eex__crowd_pausing(eex_crowd *crowd)
{
    crowd->jobs++;
    if (crowd->pausing) {
        if (crowd->jobs < JOBS_BETWEEN_CLOCKS)
            return true;
        crowd->jobs = 0;
        return !pause_ends(crowd);
    }
    if (crowd->jobs >= JOBS_BETWEEN_LOOKS && look(crowd) > 0)
        pause_now(crowd);
    return crowd->pausing;
}
