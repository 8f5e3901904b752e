/* A fixed set of threads that run the parts of one job at a time, together.
 *
 * A job is cut into parts before it starts, and the cuts never depend on who runs what. Each thread
 * has a lane, a row of parts side by side; it takes them from the front, so that from job to job it
 * finds the same data in its caches, and when its lane is empty it takes from the ends of others'.
 * A thread that the system has not let run for a while so holds up nobody: the others run its
 * parts, and the job ends without it. Only a part that it is in the middle of is waited for.
 *
 * The calling thread takes part as thread 0. Workers wait for the next job in a brief spin, which
 * adapts to how often it paid, and then sleep; who sleeps is woken once. A job costs one to two
 * microseconds while the workers are awake.
 *
 * Where other processes want the same processors, threads are put off them against their will. The
 * pool sees that, and then its workers stay asleep but for long jobs: `eex_pool_width` says 1. It
 * looks again after some milliseconds, then after longer and longer. */
#ifndef EEX_CPU_POOL_H
#define EEX_CPU_POOL_H

typedef struct eex_pool eex_pool;

typedef struct eex_part {
    int index, count; /* this part of how many */
    int thread;       /* that runs it: 0..threads-1 of the pool, for scratch memory */
} eex_part;

typedef void (*eex_pool_fn)(void *ctx, const eex_part *part);

/* Starts threads - 1 workers (threads >= 1). The caller frees *out with eex_pool_free. */
int eex_pool_new(eex_pool **out, int threads);

/* Stops and joins the workers. Accepts NULL; no run may be in progress. */
void eex_pool_free(eex_pool *pool);

int eex_pool_threads(const eex_pool *pool);

/* From now on at most `threads` run jobs, the calling one among them; 0: all. Costs nothing. */
void eex_pool_limit(eex_pool *pool, int threads);

/* How many threads would share a job of `work` nanoseconds of one core now: all that may, or 1
 * where the processors are wanted by others and the job is too short to wait for them. */
int eex_pool_width(eex_pool *pool, double work);

/* Runs fn for each of `parts` parts (up to EEX_POOL_PARTS), spread over the threads, and returns
 * when all are done; what they wrote is visible to the caller. Not reentrant: one caller at a time,
 * and never from inside fn. */
enum { EEX_POOL_PARTS = 65535 };
void eex_pool_run(eex_pool *pool, int parts, eex_pool_fn fn, void *ctx);

/* The part [*begin, *end) of `total` items that is `index` of `count`: contiguous, in order, as
 * even as whole multiples of `grain` allow. */
void eex_pool_share(int *begin, int *end, int total, int grain, int index, int count);

#endif
