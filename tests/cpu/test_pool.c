#include "cpu/pool.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST = 9 };

typedef struct visits {
    atomic_int part[64];
    atomic_int wrong; /* parts that were told nonsense */
    int parts, threads;
} visits;

static void visit(void *ctx, const eex_part *part)
{
    visits *v = ctx;
    atomic_fetch_add(&v->part[part->index], 1);
    if (part->count != v->parts || part->thread < 0 || part->thread >= v->threads)
        atomic_fetch_add(&v->wrong, 1);
}

static void check_visits(const visits *v, int rounds)
{
    for (int i = 0; i < 64; i++)
        cr_expect_eq(v->part[i], i < v->parts ? rounds : 0, "part %d of %d on %d threads", i,
                     v->parts, v->threads);
    cr_expect_eq(v->wrong, 0);
}

Test(pool, every_part_runs_once)
{
    for (int threads = 1; threads <= MOST; threads += 2)
        for (int parts = 1; parts <= 64; parts = 2 * parts + 1) {
            eex_pool *pool;
            visits v = {.parts = parts, .threads = threads};
            cr_assert_eq(eex_pool_new(&pool, threads), EEX_OK, "%s", eex_error());
            cr_assert_eq(eex_pool_threads(pool), threads);
            for (int round = 0; round < 100; round++)
                eex_pool_run(pool, parts, visit, &v);
            check_visits(&v, 100);
            eex_pool_free(pool);
        }
}

Test(pool, no_parts_are_no_work)
{
    eex_pool *pool;
    visits v = {.threads = 3};
    cr_assert_eq(eex_pool_new(&pool, 3), EEX_OK);
    eex_pool_run(pool, 0, visit, &v);
    check_visits(&v, 0);
    eex_pool_free(pool);
}

/* Each round reads what the round before wrote on another thread: lost writes would show. */
typedef struct relay {
    int round;
    long value[MOST];
} relay;

static void pass_on(void *ctx, const eex_part *part)
{
    relay *r = ctx;
    int i = part->index, n = part->count;
    if (r->round % n == i)
        r->value[i] = r->value[(i + n - 1) % n] + 1;
}

Test(pool, a_round_sees_all_writes_of_the_one_before)
{
    eex_pool *pool;
    relay r = {0};
    cr_assert_eq(eex_pool_new(&pool, 4), EEX_OK);
    for (; r.round < 2000; r.round++)
        eex_pool_run(pool, 4, pass_on, &r);
    cr_expect_eq(r.value[1999 % 4], 2000);
    eex_pool_free(pool);
}

static void rest(long nanoseconds)
{
    nanosleep(&(struct timespec){.tv_nsec = nanoseconds}, NULL);
}

Test(pool, wakes_after_a_sleep)
{
    eex_pool *pool;
    visits v = {.parts = 12, .threads = 3};
    cr_assert_eq(eex_pool_new(&pool, 3), EEX_OK);
    for (int round = 0; round < 8; round++) {
        rest(5000000); /* long enough to fall asleep */
        eex_pool_run(pool, 12, visit, &v);
    }
    check_visits(&v, 8);
    eex_pool_free(pool);
}

static void dawdle(void *ctx, const eex_part *part)
{
    atomic_int *done = ctx;
    if (part->thread > 0)
        rest(3000000);
    atomic_fetch_add(done, 1);
}

Test(pool, waits_for_slow_threads)
{
    eex_pool *pool;
    atomic_int done = 0;
    cr_assert_eq(eex_pool_new(&pool, 4), EEX_OK);
    for (int round = 1; round <= 5; round++) {
        eex_pool_run(pool, 4, dawdle, &done);
        cr_expect_eq(atomic_load(&done), 4 * round);
    }
    eex_pool_free(pool);
}

/* The first part does not end before all others have: those of the same lane too, which so have to
 * be run by another thread. */
typedef struct jam {
    atomic_int done;
    atomic_bool jammed;
} jam;

static void jam_first(void *ctx, const eex_part *part)
{
    jam *j = ctx;
    if (part->index == 0) {
        while (atomic_load(&j->done) < part->count - 1)
            rest(10000);
        atomic_store(&j->jammed, true);
    }
    atomic_fetch_add(&j->done, 1);
}

Test(pool, parts_of_a_thread_that_is_held_up_are_run_by_others)
{
    eex_pool *pool;
    cr_assert_eq(eex_pool_new(&pool, 2), EEX_OK);
    for (int round = 0; round < 50; round++) {
        jam j = {0};
        eex_pool_run(pool, 16, jam_first, &j);
        cr_assert_eq(j.done, 16);
        cr_assert(j.jammed);
    }
    eex_pool_free(pool);
}

static void note_thread(void *ctx, const eex_part *part)
{
    atomic_fetch_or((atomic_uint *)ctx, 1u << part->thread);
    rest(20000);
}

Test(pool, a_limit_keeps_threads_out)
{
    eex_pool *pool;
    cr_assert_eq(eex_pool_new(&pool, 4), EEX_OK);
    for (int round = 0; round < 40; round++) {
        const int limit = 1 + round % 4;
        atomic_uint seen = 0;
        eex_pool_limit(pool, limit);
        cr_expect_leq(eex_pool_width(pool, 1e9), limit);
        eex_pool_run(pool, 16, note_thread, &seen);
        cr_expect_eq(seen >> limit, 0, "limit %d: threads %x", limit, seen);
    }
    eex_pool_limit(pool, 0);
    cr_expect_eq(eex_pool_width(pool, 1e9), 4);
    eex_pool_free(pool);
}

/* Jobs whose memory goes away at once, on threads that are late at random. */
typedef struct job {
    uint32_t turn;
    atomic_int done;
    int parts;
} job;

static void run_late(void *ctx, const eex_part *part)
{
    job *j = ctx;
    const uint32_t random = (j->turn * 64 + (uint32_t)part->index) * 2654435761u;
    if (random >> 26 == 0)
        rest(100000);
    else if (random >> 29 == 1)
        sched_yield();
    cr_assert_eq(part->count, j->parts);
    atomic_fetch_add(&j->done, 1);
}

Test(pool, late_threads_find_no_job_that_has_ended)
{
    eex_pool *pool;
    cr_assert_eq(eex_pool_new(&pool, 5), EEX_OK);
    for (uint32_t turn = 0; turn < 3000; turn++) {
        job *j = malloc(sizeof *j);
        *j = (job){.turn = turn, .parts = 1 + (int)(turn % 23)};
        eex_pool_run(pool, j->parts, run_late, j);
        cr_assert_eq(j->done, j->parts);
        memset(j, 0xff, sizeof *j);
        free(j);
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
