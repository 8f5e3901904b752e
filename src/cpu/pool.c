#include "cpu/pool.h"

#include "cpu/crowd.h"

#include "base/status.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Waiting spins for at most this many turns before it sleeps; some tens of microseconds. A wait
 * that had to sleep halves the waiter's budget and one that did not doubles it, so that threads on
 * a crowded machine, or between two distant runs, soon stop burning their core. But waking up takes
 * so long that by then the other side may have gone to sleep too, and two threads with small
 * budgets would put each other to sleep for ever: so now and then a wait spins as long as it may.
 */
enum { SPIN_MAX = 4096, SPIN_MIN = 64, SLEEPS_IN_A_ROW = 16 };

/* While others want the processors, jobs of less work than this are not worth waking anybody. */
static const double worth_waking_ns = 200e3;

typedef struct eex_spin {
    int budget;
    int sleeps; /* at the smallest budget */
} eex_spin;

/* Where a thread sleeps. */
typedef struct eex_bed {
    atomic_bool asleep; /* or about to be; who turns it off rings the bell */
    sem_t bell;
} eex_bed;

/* A thread's parts that nobody has taken yet: [begin, end) of job number `job`, in one word. The
 * number is there so that a thread which slept between looking and taking cannot take a part of
 * another job by mistake. */
enum { BEGIN_SHIFT = 16, JOB_SHIFT = 32 };
typedef atomic_ullong lane;

typedef struct eex_worker {
    _Alignas(128) lane parts; /* a line of its own, and the one that is fetched with it */
    _Alignas(128) eex_bed bed;
    struct eex_pool *pool;
    int index;
    pthread_t thread;
    int jobs; /* see eex__crowd_tell */
} eex_worker;

struct eex_pool {
    int threads;
    int beds; /* that exist; and threads: fewer than `threads` only while starting failed */
    int started;
    atomic_int limit; /* threads that may run jobs; written by the caller alone */
    eex_pool_fn fn;   /* what follows is of the job in hand, and read after taking a part of it */
    void *ctx;
    int parts;
    eex_spin spin; /* of the caller */
    eex_crowd crowd;
    atomic_bool stop;
    _Alignas(128) atomic_uint job; /* one more for each; workers wait for it to change */
    _Alignas(128) atomic_int left; /* parts that are not done */
    eex_worker *worker;            /* (threads); the first is the caller */
};

static inline void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

static void adapt(eex_spin *spin, bool slept)
{
    if (!slept) {
        spin->budget = spin->budget < SPIN_MAX ? spin->budget * 2 : SPIN_MAX;
    } else if (spin->budget > SPIN_MIN) {
        spin->budget /= 2;
    } else if (++spin->sleeps == SLEEPS_IN_A_ROW) {
        *spin = (eex_spin){.budget = SPIN_MAX};
    }
}

/* A sleeper lies down before it looks once more, and a waker changes what is looked at before it
 * looks at the bed; both in the one order of sequential consistency, so one sees the other. */
static void wake(eex_bed *bed)
{
    if (atomic_load(&bed->asleep) && atomic_exchange(&bed->asleep, false))
        sem_post(&bed->bell);
}

/* Behind lying down: sleeps until somebody wakes the bed, unless it may get up at once. */
static void sleep_unless(eex_bed *bed, bool up)
{
    if (up && atomic_exchange(&bed->asleep, false))
        return;
    while (sem_wait(&bed->bell) != 0)
        continue; /* a signal */
}

/* ---- parts ---- */

static void set_lane(lane *to, unsigned job, int begin, int end)
{
    const unsigned long long word = (unsigned long long)job << JOB_SHIFT |
                                    (unsigned long long)begin << BEGIN_SHIFT |
                                    (unsigned long long)end;
    atomic_store_explicit(to, word, memory_order_release);
}

/* Takes a part from the front of a thread's own lane, or from the end of another's; -1 when it is
 * empty. A thread that the limit keeps out may still look for parts of the job before: so the limit
 * is asked behind each look. */
static int take(eex_pool *pool, int thread, int of)
{
    lane *from = &pool->worker[of].parts;
    const bool front = thread == of;
    unsigned long long word = atomic_load_explicit(from, memory_order_acquire);
    for (;;) {
        const int begin = (int)(word >> BEGIN_SHIFT & EEX_POOL_PARTS);
        const int end = (int)(word & EEX_POOL_PARTS);
        if (begin >= end || thread >= atomic_load(&pool->limit))
            return -1;
        const unsigned long long less = front ? word + (1ULL << BEGIN_SHIFT) : word - 1;
        if (atomic_compare_exchange_weak_explicit(from, &word, less, memory_order_acq_rel,
                                                  memory_order_acquire))
            return front ? begin : end - 1;
    }
}

static void run_lane(eex_pool *pool, int thread, int of)
{
    int done = 0, index;
    while ((index = take(pool, thread, of)) >= 0) {
        const eex_part part = {index, pool->parts, thread};
        pool->fn(pool->ctx, &part);
        done++;
    }
    if (done > 0 && atomic_fetch_sub(&pool->left, done) == done && thread > 0)
        wake(&pool->worker[0].bed);
}

/* Runs parts until none is left to be taken: the own ones, then those of the threads behind. */
static void run_parts(eex_pool *pool, int thread)
{
    for (int i = 0; i < pool->threads; i++) {
        const int of = thread + i < pool->threads ? thread + i : thread + i - pool->threads;
        run_lane(pool, thread, of);
    }
}

/* ---- workers ---- */

/* Whether there is something to do for a worker that has seen job `seen`. */
static bool called(const eex_worker *worker, unsigned seen)
{
    const eex_pool *pool = worker->pool;
    return atomic_load(&pool->stop) ||
           (worker->index < atomic_load(&pool->limit) && atomic_load(&pool->job) != seen);
}

static void wait_job(eex_worker *worker, unsigned seen, eex_spin *spin)
{
    eex_pool *pool = worker->pool;
    const bool may = worker->index < atomic_load(&pool->limit);
    for (int i = 0; may && i < spin->budget; i++) {
        if (atomic_load_explicit(&pool->job, memory_order_acquire) != seen) {
            adapt(spin, false);
            return;
        }
        pause_briefly();
    }
    adapt(spin, true);
    eex__crowd_tell(&pool->crowd, &worker->jobs, true);
    atomic_store(&worker->bed.asleep, true);
    sleep_unless(&worker->bed, called(worker, seen));
}

static void *worker_main(void *arg)
{
    eex_worker *worker = arg;
    eex_pool *pool = worker->pool;
    eex_spin spin = {.budget = SPIN_MAX};
    for (;;) {
        const unsigned seen = atomic_load(&pool->job);
        if (atomic_load(&pool->stop))
            return NULL;
        run_parts(pool, worker->index);
        eex__crowd_tell(&pool->crowd, &worker->jobs, false);
        wait_job(worker, seen, &spin);
    }
}

static int start_workers(eex_pool *pool)
{
    for (int i = 0; i < pool->threads; i++) {
        eex_worker *worker = &pool->worker[i];
        worker->pool = pool;
        worker->index = i;
        if (sem_init(&worker->bed.bell, 0, 0) != 0)
            return eex_fail(EEX_ENOMEM, "thread pool: the system refused a semaphore");
        pool->beds++;
    }
    for (int i = 1; i < pool->threads; i++) {
        if (pthread_create(&pool->worker[i].thread, NULL, worker_main, &pool->worker[i]) != 0)
            return eex_fail(EEX_ENOMEM,
                            "thread pool: the system refused thread %d of %d; ask for fewer", i + 1,
                            pool->threads);
        pool->started++;
    }
    return EEX_OK;
}

static void *zeroed_lines(size_t bytes)
{
    const size_t whole = (bytes + 127) / 128 * 128;
    void *memory = aligned_alloc(128, whole);
    return memory ? memset(memory, 0, whole) : NULL;
}

int eex_pool_new(eex_pool **out, int threads)
{
    *out = NULL;
    if (threads < 1)
        return eex_fail(EEX_EINVAL, "thread pool: %d threads; at least 1 is needed", threads);
    eex_pool *pool = zeroed_lines(sizeof *pool);
    eex_worker *worker = zeroed_lines((size_t)threads * sizeof *worker);
    if (!pool || !worker) {
        free(pool);
        free(worker);
        return eex_fail(EEX_ENOMEM, "thread pool: no memory for %d threads", threads);
    }
    pool->threads = threads;
    pool->limit = threads;
    pool->spin.budget = SPIN_MAX;
    pool->worker = worker;
    int status = start_workers(pool);
    if (status < 0) {
        eex_pool_free(pool);
        return status;
    }
    *out = pool;
    return EEX_OK;
}

void eex_pool_free(eex_pool *pool)
{
    if (!pool)
        return;
    atomic_store(&pool->stop, true);
    atomic_fetch_add(&pool->job, 1);
    for (int i = 1; i <= pool->started; i++)
        wake(&pool->worker[i].bed);
    for (int i = 1; i <= pool->started; i++)
        pthread_join(pool->worker[i].thread, NULL);
    for (int i = 0; i < pool->beds; i++)
        sem_destroy(&pool->worker[i].bed.bell);
    free(pool->worker);
    free(pool);
}

/* ---- the caller ---- */

int eex_pool_threads(const eex_pool *pool)
{
    return pool->threads;
}

void eex_pool_limit(eex_pool *pool, int threads)
{
    const int limit = threads < 1 || threads > pool->threads ? pool->threads : threads;
    atomic_store(&pool->limit, limit);
}

int eex_pool_width(eex_pool *pool, double work)
{
    const int limit = atomic_load_explicit(&pool->limit, memory_order_relaxed);
    if (limit == 1)
        return 1;
    return eex__crowd_pausing(&pool->crowd) && work < worth_waking_ns ? 1 : limit;
}

/* Waits for parts that others are in the middle of. */
static void wait_parts(eex_pool *pool)
{
    eex_bed *bed = &pool->worker[0].bed;
    for (int i = 0; i < pool->spin.budget; i++) {
        if (atomic_load_explicit(&pool->left, memory_order_acquire) == 0) {
            adapt(&pool->spin, false);
            return;
        }
        pause_briefly();
    }
    adapt(&pool->spin, true);
    while (atomic_load(&pool->left) > 0) { /* a thread that was late may wake us too early */
        atomic_store(&bed->asleep, true);
        sleep_unless(bed, atomic_load(&pool->left) == 0);
    }
}

static void open_job(eex_pool *pool, int lanes)
{
    const unsigned job = atomic_load_explicit(&pool->job, memory_order_relaxed) + 1;
    const long long parts = pool->parts;
    atomic_store_explicit(&pool->left, pool->parts, memory_order_relaxed);
    for (int i = 0; i < lanes; i++)
        set_lane(&pool->worker[i].parts, job, (int)(parts * i / lanes),
                 (int)(parts * (i + 1) / lanes));
    atomic_store(&pool->job, job);
    for (int i = 1; i < lanes; i++)
        wake(&pool->worker[i].bed);
}

void eex_pool_run(eex_pool *pool, int parts, eex_pool_fn fn, void *ctx)
{
    const int limit = atomic_load_explicit(&pool->limit, memory_order_relaxed);
    const int lanes = parts < limit ? parts : limit;
    if (lanes <= 1) {
        for (int i = 0; i < parts; i++)
            fn(ctx, &(eex_part){i, parts, 0});
        return;
    }
    pool->fn = fn;
    pool->ctx = ctx;
    pool->parts = parts;
    open_job(pool, lanes);
    run_parts(pool, 0);
    wait_parts(pool);
}

void eex_pool_share(int *begin, int *end, int total, int grain, int index, int count)
{
    long long units = ((long long)total + grain - 1) / grain;
    long long first = units * index / count * grain;
    long long last = units * (index + 1) / count * grain;
    *begin = first < total ? (int)first : total;
    *end = last < total ? (int)last : total;
}
