#include "cpu/pool.h"

#include "base/status.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

/* Waiting spins for at most this many turns before it sleeps; some tens of microseconds. A wait
 * that had to sleep halves the waiter's budget and one that did not doubles it, so that threads on
 * a crowded machine, or between two distant runs, soon stop burning their core. But waking up takes
 * so long that by then the other side may have gone to sleep too, and two threads with small
 * budgets would put each other to sleep for ever: so now and then a wait spins as long as it may.
 */
enum { SPIN_MAX = 4096, SPIN_MIN = 64, SLEEPS_IN_A_ROW = 16 };

typedef struct eex_spin {
    int budget;
    int sleeps; /* at the smallest budget */
} eex_spin;

typedef struct eex_worker {
    struct eex_pool *pool;
    int index;
    pthread_t thread;
} eex_worker;

struct eex_pool {
    int threads;
    int started; /* workers that exist: fewer than threads - 1 only while starting failed */
    eex_pool_fn fn;
    void *ctx;
    bool stop;
    eex_spin spin;                  /* of the caller */
    _Alignas(64) atomic_uint round; /* one more for each run; workers wait for it to change */
    _Alignas(64) atomic_int busy;   /* workers that have not finished this round */
    _Alignas(64) atomic_int asleep; /* threads in a condition wait, or about to be */
    pthread_mutex_t mutex;
    pthread_cond_t wake; /* a new round, or the end of one */
    eex_worker *worker;  /* (threads - 1) */
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

/* A sleeper counts itself before it looks again, and a waker changes what is looked at before it
 * counts the sleepers; both in the one order of sequential consistency, so one sees the other. */
static void wake_sleepers(eex_pool *pool)
{
    if (atomic_load(&pool->asleep) == 0)
        return;
    pthread_mutex_lock(&pool->mutex);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);
}

static unsigned wait_round(eex_pool *pool, unsigned seen, eex_spin *spin)
{
    for (int i = 0; i < spin->budget; i++) {
        unsigned now = atomic_load_explicit(&pool->round, memory_order_acquire);
        if (now != seen) {
            adapt(spin, false);
            return now;
        }
        pause_briefly();
    }
    adapt(spin, true);
    pthread_mutex_lock(&pool->mutex);
    atomic_fetch_add(&pool->asleep, 1);
    unsigned now;
    while ((now = atomic_load(&pool->round)) == seen)
        pthread_cond_wait(&pool->wake, &pool->mutex);
    atomic_fetch_sub(&pool->asleep, 1);
    pthread_mutex_unlock(&pool->mutex);
    return now;
}

static void wait_workers(eex_pool *pool)
{
    for (int i = 0; i < pool->spin.budget; i++) {
        if (atomic_load_explicit(&pool->busy, memory_order_acquire) == 0) {
            adapt(&pool->spin, false);
            return;
        }
        pause_briefly();
    }
    adapt(&pool->spin, true);
    pthread_mutex_lock(&pool->mutex);
    atomic_fetch_add(&pool->asleep, 1);
    while (atomic_load(&pool->busy) > 0)
        pthread_cond_wait(&pool->wake, &pool->mutex);
    atomic_fetch_sub(&pool->asleep, 1);
    pthread_mutex_unlock(&pool->mutex);
}

static void *worker_main(void *arg)
{
    eex_worker *worker = arg;
    eex_pool *pool = worker->pool;
    eex_spin spin = {.budget = SPIN_MAX};
    unsigned seen = 0;
    for (;;) {
        seen = wait_round(pool, seen, &spin);
        if (pool->stop)
            return NULL;
        pool->fn(pool->ctx, worker->index, pool->threads);
        if (atomic_fetch_sub(&pool->busy, 1) == 1)
            wake_sleepers(pool);
    }
}

static void next_round(eex_pool *pool)
{
    atomic_store(&pool->busy, pool->started);
    atomic_fetch_add(&pool->round, 1);
    wake_sleepers(pool);
}

static int start_workers(eex_pool *pool)
{
    for (int i = 0; i < pool->threads - 1; i++) {
        pool->worker[i] = (eex_worker){.pool = pool, .index = i + 1};
        if (pthread_create(&pool->worker[i].thread, NULL, worker_main, &pool->worker[i]) != 0)
            return eex_fail(EEX_ENOMEM,
                            "thread pool: the system refused thread %d of %d; ask for fewer", i + 2,
                            pool->threads);
        pool->started++;
    }
    return EEX_OK;
}

int eex_pool_new(eex_pool **out, int threads)
{
    *out = NULL;
    if (threads < 1)
        return eex_fail(EEX_EINVAL, "thread pool: %d threads; at least 1 is needed", threads);
    eex_pool *pool = aligned_alloc(64, (sizeof *pool + 63) / 64 * 64);
    eex_worker *worker = calloc((size_t)threads, sizeof *worker);
    if (!pool || !worker) {
        free(pool);
        free(worker);
        return eex_fail(EEX_ENOMEM, "thread pool: no memory for %d threads", threads);
    }
    *pool = (eex_pool){.threads = threads, .spin = {.budget = SPIN_MAX}, .worker = worker};
    if (pthread_mutex_init(&pool->mutex, NULL) != 0 || pthread_cond_init(&pool->wake, NULL) != 0) {
        free(pool);
        free(worker);
        return eex_fail(EEX_ENOMEM, "thread pool: the system refused a mutex");
    }
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
    pool->stop = true;
    next_round(pool);
    for (int i = 0; i < pool->started; i++)
        pthread_join(pool->worker[i].thread, NULL);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->mutex);
    free(pool->worker);
    free(pool);
}

int eex_pool_threads(const eex_pool *pool)
{
    return pool->threads;
}

void eex_pool_run(eex_pool *pool, eex_pool_fn fn, void *ctx)
{
    if (pool->threads == 1) {
        fn(ctx, 0, 1);
        return;
    }
    pool->fn = fn;
    pool->ctx = ctx;
    next_round(pool);
    fn(ctx, 0, pool->threads);
    wait_workers(pool);
}

void eex_pool_share(int *begin, int *end, int total, int grain, int thread, int threads)
{
    long long units = ((long long)total + grain - 1) / grain;
    long long first = units * thread / threads * grain;
    long long last = units * (thread + 1) / threads * grain;
    *begin = first < total ? (int)first : total;
    *end = last < total ? (int)last : total;
}
