#include "cpu/choice.h"

#include <criterion/criterion.h>

/* A network that takes seconds[log2 threads], on a clock that counts nothing else. */
typedef struct world {
    const double *seconds;
    double now;
    int runs[16]; /* with so many threads */
} world;

static void run(eex_choice *c, world *w, int times)
{
    for (int i = 0; i < times; i++) {
        const int threads = eex__choice_threads(c);
        const double took = w->seconds[threads == 1 ? 0 : threads == 2 ? 1 : threads <= 4 ? 2 : 3];
        cr_assert(threads >= 1 && threads <= c->most);
        w->runs[threads]++;
        w->now += took;
        eex__choice_tell(c, took, w->now);
    }
}

Test(choice, the_fastest_is_found_in_few_runs)
{
    static const double seconds[] = {4e-3, 3e-3, 2e-3, 2.5e-3};
    world w = {.seconds = seconds};
    eex_choice c;
    eex__choice_init(&c, 8);
    run(&c, &w, 36);
    cr_expect_eq(c.trying, 0);
    cr_expect_eq(eex__choice_threads(&c), 4);
    cr_expect_eq(w.runs[1], 9);
    cr_expect_eq(w.runs[8], 9);
}

Test(choice, threads_that_hardly_gain_are_left_out)
{
    static const double seconds[] = {4e-3, 3.9e-3};
    world w = {.seconds = seconds};
    eex_choice c;
    eex__choice_init(&c, 2);
    run(&c, &w, 18);
    cr_expect_eq(c.trying, 0);
    cr_expect_eq(eex__choice_threads(&c), 1);
}

Test(choice, what_is_hopeless_is_not_tried_with_more)
{
    static const double seconds[] = {1e-3, 7e-3, 1e-3, 1e-3};
    world w = {.seconds = seconds};
    eex_choice c;
    eex__choice_init(&c, 8);
    run(&c, &w, 18);
    cr_expect_eq(c.trying, 0);
    cr_expect_eq(eex__choice_threads(&c), 1);
    cr_expect_eq(w.runs[4], 0);
}

Test(choice, a_neighbour_that_comes_and_goes_is_noticed)
{
    static const double alone[] = {3e-3, 2e-3}, beside[] = {3e-3, 14e-3};
    world w = {.seconds = alone};
    eex_choice c;
    eex__choice_init(&c, 2);
    run(&c, &w, 100);
    cr_expect_eq(c.chosen, 2);
    w.seconds = beside;
    run(&c, &w, 60);
    cr_expect_eq(c.chosen, 1);
    w.seconds = alone;
    run(&c, &w, 200);
    cr_expect_eq(c.chosen, 2);
}

Test(choice, it_is_asked_again_ever_more_rarely)
{
    static const double seconds[] = {3e-4, 14e-4};
    world w = {.seconds = seconds};
    eex_choice c;
    eex__choice_init(&c, 2);
    run(&c, &w, 100000); /* half a minute */
    cr_expect_lt(w.runs[2], 150);
    cr_expect_gt(w.runs[2], 50);
}

Test(choice, what_is_never_shared_out_is_tried_once)
{
    static const double seconds[] = {1e-6, 1e-6};
    world w = {.seconds = seconds};
    eex_choice c;
    eex__choice_init(&c, 2);
    run(&c, &w, 10000);
    cr_expect_eq(w.runs[1], 10000);
}

/* Of two threads' units too, which are shared out only while that pays. */
Test(choice, short_units_that_were_shared_out_are_asked_again)
{
    static const double alone[] = {5.5e-6, 4.5e-6}, beside[] = {5.5e-6, 5e-3};
    world w = {.seconds = alone};
    eex_choice c;
    eex__choice_init(&c, 2);
    run(&c, &w, 1000);
    cr_assert_eq(c.chosen, 2);
    w.seconds = beside;
    run(&c, &w, 1000);
    cr_expect_eq(c.chosen, 1);
}

/* Measuring with few threads takes far longer than what is found out then. */
Test(choice, long_runs_are_measured_rarely)
{
    static const double seconds[] = {0.8, 0.4, 0.2, 0.1};
    world w = {.seconds = seconds};
    eex_choice c;
    eex__choice_init(&c, 8);
    run(&c, &w, 36);
    const double measured = w.now;
    cr_assert_eq(c.chosen, 8);
    run(&c, &w, 10000);
    cr_expect_lt(w.now, 1.08 * (measured + 10000 * seconds[3]));
    cr_expect_gt(w.runs[1], 9);
}
