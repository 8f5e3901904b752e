#include "cpu/crowd.h"

#include <criterion/criterion.h>
#include <time.h>

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* As if a worker had been put off its processor just behind the last pause; returns how long the
 * pause is that follows. */
static double pause_after_a_switch(eex_crowd *crowd)
{
    const double begin = seconds();
    atomic_fetch_add(&crowd->switches, 1);
    crowd->since = begin;
    for (int job = 0; job < 64; job++)
        (void)eex__crowd_pausing(crowd);
    cr_assert(eex__crowd_pausing(crowd));
    while (eex__crowd_pausing(crowd))
        continue;
    return seconds() - begin;
}

Test(crowd, pauses_grow_while_they_do_not_help)
{
    eex_crowd crowd = {0};
    cr_expect_not(eex__crowd_pausing(&crowd));
    cr_expect_geq(pause_after_a_switch(&crowd), 0.002);
    cr_expect_geq(pause_after_a_switch(&crowd), 0.008);
    cr_expect_geq(pause_after_a_switch(&crowd), 0.032);
}

Test(crowd, what_was_long_ago_is_forgotten)
{
    eex_crowd crowd = {.pause = 0.512, .since = seconds() - 10};
    atomic_fetch_add(&crowd.switches, 1);
    for (int job = 0; job < 64; job++)
        (void)eex__crowd_pausing(&crowd);
    cr_expect(crowd.pausing);
    cr_expect_lt(crowd.pause, 0.01);
}

Test(crowd, workers_ask_the_system_now_and_then)
{
    eex_crowd crowd = {0};
    int jobs = 0;
    for (int i = 0; i < 63; i++)
        eex__crowd_tell(&crowd, &jobs, false);
    cr_expect_eq(jobs, 63);
    eex__crowd_tell(&crowd, &jobs, false);
    cr_expect_eq(jobs, 0);
    jobs = 5;
    eex__crowd_tell(&crowd, &jobs, true);
    cr_expect_eq(jobs, 0);
}

Test(crowd, switches_count_where_they_come_close_together)
{
    eex_switches seen = {0};
    cr_expect_eq(eex__crowd_count(&seen, 1000, 1), 0); /* those before anybody asked */
    cr_expect_eq(eex__crowd_count(&seen, 1001, 1.001), 0);
    cr_expect_eq(eex__crowd_count(&seen, 1002, 1.3), 0);
    cr_expect_eq(eex__crowd_count(&seen, 1002, 1.301), 0);
    cr_expect_eq(eex__crowd_count(&seen, 1003, 1.306), 1);
    cr_expect_eq(eex__crowd_count(&seen, 1007, 1.336), 4);
    cr_expect_eq(eex__crowd_count(&seen, 1012, 9), 0); /* five in eight seconds */
}
