/* A fixed set of threads that run one function at a time, together.
 *
 * The calling thread takes part as thread 0. Workers wait for the next call in a brief spin, which
 * adapts to how often it paid, and then sleep. A call costs one to two microseconds while the
 * workers are awake. */
#ifndef EEX_CPU_POOL_H
#define EEX_CPU_POOL_H

typedef struct eex_pool eex_pool;

/* One thread's share: thread is 0..threads-1; threads is that of the pool. */
typedef void (*eex_pool_fn)(void *ctx, int thread, int threads);

/* Starts threads - 1 workers (threads >= 1). The caller frees *out with eex_pool_free. */
int eex_pool_new(eex_pool **out, int threads);

/* Stops and joins the workers. Accepts NULL; no run may be in progress. */
void eex_pool_free(eex_pool *pool);

int eex_pool_threads(const eex_pool *pool);

/* Runs fn once on every thread and returns when all are done; what they wrote is visible to the
 * caller. Not reentrant: one caller at a time, and never from inside fn. */
void eex_pool_run(eex_pool *pool, eex_pool_fn fn, void *ctx);

/* The part [*begin, *end) of `total` items that belongs to `thread`: contiguous, in order of the
 * thread, as even as whole multiples of `grain` allow. */
void eex_pool_share(int *begin, int *end, int total, int grain, int thread, int threads);

#endif
