#include "timing.h"

#include <time.h>

static clockid_t clock_id = CLOCK_MONOTONIC;

void timing_count_own_cpu(void)
{
    clock_id = CLOCK_THREAD_CPUTIME_ID;
}

double seconds_now(bool cpu)
{
    struct timespec t;
    clock_gettime(cpu ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(clock_id, &t);
    return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

static double group_ns(int (*run)(void *ctx), void *ctx, int calls)
{
    double start = now_ns();
    for (int i = 0; i < calls; i++)
        if (run(ctx))
            return -1;
    return (now_ns() - start) / calls;
}

double best_ns(int (*run)(void *ctx), void *ctx, double seconds)
{
    double best = group_ns(run, ctx, 1);
    if (best < 0)
        return best;
    double end = now_ns() + seconds * 1e9;
    for (int group = 0; group < 5 || now_ns() < end; group++) {
        double calls = 1e5 / best; /* long enough for the clock, short enough to be undisturbed */
        double ns = group_ns(run, ctx, calls < 1 ? 1 : (int)calls);
        if (ns < 0)
            return ns;
        best = ns < best ? ns : best;
    }
    return best;
}
