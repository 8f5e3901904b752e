#include "cpu/pool.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

enum { MOST = 9 };

static void visit(void *ctx, int thread, int threads)
{
    int *seen = ctx; /* (MOST, 16): a cache line each */
    seen[thread * 16] += threads;
}

Test(pool, every_thread_runs_every_round_once)
{
    for (int threads = 1; threads <= MOST; threads += 2) {
        eex_pool *pool;
        int seen[MOST * 16] = {0};
        cr_assert_eq(eex_pool_new(&pool, threads), EEX_OK, "%s", eex_error());
        cr_assert_eq(eex_pool_threads(pool), threads);
        for (int round = 0; round < 300; round++)
            eex_pool_run(pool, visit, seen);
        for (int i = 0; i < MOST; i++)
            cr_expect_eq(seen[i * 16], i < threads ? 300 * threads : 0, "thread %d of %d", i,
                         threads);
        eex_pool_free(pool);
    }
}

/* Each round reads what the round before wrote on another thread: lost writes would show. */
typedef struct relay {
    int threads, round;
    long value[MOST];
} relay;

static void pass_on(void *ctx, int thread, int threads)
{
    relay *r = ctx;
    if (r->round % threads == thread)
        r->value[thread] = r->value[(thread + threads - 1) % threads] + 1;
}

Test(pool, a_round_sees_all_writes_of_the_one_before)
{
    eex_pool *pool;
    relay r = {.threads = 4};
    cr_assert_eq(eex_pool_new(&pool, 4), EEX_OK);
    for (; r.round < 2000; r.round++)
        eex_pool_run(pool, pass_on, &r);
    cr_expect_eq(r.value[1999 % 4], 2000);
    eex_pool_free(pool);
}

Test(pool, wakes_after_a_sleep)
{
    eex_pool *pool;
    int seen[MOST * 16] = {0};
    cr_assert_eq(eex_pool_new(&pool, 3), EEX_OK);
    for (int round = 0; round < 8; round++) {
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL); /* long enough to fall asleep */
        eex_pool_run(pool, visit, seen);
    }
    for (int i = 0; i < 3; i++)
        cr_expect_eq(seen[i * 16], 8 * 3);
    eex_pool_free(pool);
}

static void dawdle(void *ctx, int thread, int threads)
{
    atomic_int *done = ctx;
    if (thread > 0)
        nanosleep(&(struct timespec){.tv_nsec = 3000000}, NULL);
    atomic_fetch_add(done, 1);
}

Test(pool, waits_for_slow_threads)
{
    eex_pool *pool;
    atomic_int done = 0;
    cr_assert_eq(eex_pool_new(&pool, 4), EEX_OK);
    for (int round = 1; round <= 5; round++) {
        eex_pool_run(pool, dawdle, &done);
        cr_expect_eq(atomic_load(&done), 4 * round);
    }
    eex_pool_free(pool);
}

Test(pool, stops_without_ever_running)
{
    for (int i = 0; i < 50; i++) {
        eex_pool *pool;
        cr_assert_eq(eex_pool_new(&pool, 1 + i % 5), EEX_OK);
        eex_pool_free(pool);
    }
    eex_pool_free(NULL);
}

Test(pool, refuses_no_threads)
{
    eex_pool *pool = (eex_pool *)&pool;
    cr_assert_eq(eex_pool_new(&pool, 0), EEX_EINVAL);
    cr_assert_null(pool);
    cr_assert_not_null(strstr(eex_error(), "0 threads"));
}

Test(pool, shares_cover_everything_in_order)
{
    static const int totals[] = {0, 1, 15, 16, 17, 100, 1280, 2000000011};
    for (size_t i = 0; i < sizeof totals / sizeof *totals; i++)
        for (int threads = 1; threads <= MOST; threads++)
            for (int grain = 1; grain <= 16; grain *= 4) {
                int next = 0;
                for (int t = 0; t < threads; t++) {
                    int begin, end;
                    eex_pool_share(&begin, &end, totals[i], grain, t, threads);
                    cr_assert_eq(begin, next);
                    cr_assert(begin == totals[i] || begin % grain == 0);
                    cr_assert(end >= begin && end - begin <= totals[i] / threads + grain);
                    next = end;
                }
                cr_assert_eq(next, totals[i]);
            }
}
