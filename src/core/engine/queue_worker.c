/* The thread of a queue: takes what is there, up to a batch, and runs it. */
#include "core/engine/queue_impl.h"

#include "base/clock.h"
#include "base/status.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

bool eex__queue_full(const eex_queue *q)
{
    return q->submitted - q->polled == (uint64_t)q->options.queue;
}

void eex__queue_await(eex_queue *q, pthread_cond_t *condition, double until)
{
    if (isinf(until)) {
        pthread_cond_wait(condition, &q->lock);
        return;
    }
    struct timespec at = {.tv_sec = (time_t)until};
    at.tv_nsec = (long)(1e9 * (until - (double)at.tv_sec));
    (void)pthread_cond_timedwait(condition, &q->lock, &at);
}

/* Waits for images and takes them: up to a batch of what is there. One that is not full waits for
 * more until its first image has lingered enough, no more fit in, or somebody wants it done. 0: the
 * end. */
static int take_batch(eex_queue *q)
{
    for (;;) {
        const uint64_t waiting = q->submitted - q->taken, most = (uint64_t)q->options.batch;
        double until = INFINITY;
        if (q->stop)
            return 0;
        if (waiting > 0)
            until = q->since[eex__turns_first(&q->turns)] + 1e-3 * q->options.linger_ms;
        if (waiting >= most ||
            (waiting > 0 && (q->hurried || eex__queue_full(q) || eex_clock_seconds() >= until))) {
            const int count = eex__turns_take(&q->turns, q->at, q->options.batch);
            q->taken += (uint64_t)count;
            return count;
        }
        eex__queue_await(q, &q->arrived, until);
    }
}

/* The batch's images one behind the other. Where they lie so they stay there while they are run:
 * their slots are not free before somebody has polled the results. */
static const uint8_t *gather(const eex_queue *q, int count)
{
    const size_t bytes = q->runner.image_bytes;
    int together = 1;
    while (together < count && q->at[together] == q->at[0] + together)
        together++;
    if (together == count)
        return q->images + (size_t)q->at[0] * bytes;
    for (int i = 0; i < count; i++)
        memcpy(q->batch + (size_t)i * bytes, q->images + (size_t)q->at[i] * bytes, bytes);
    return q->batch;
}

/* The batch behind the one that was taken, when it is known by now: a full one, which lies in one
 * block as it will be run. NULL: it is not. */
static const uint8_t *look_behind(const eex_queue *q)
{
    const int at = q->announced.device ? eex__turns_together(&q->turns, q->options.batch) : -1;
    return at < 0 ? NULL : q->images + (size_t)at * q->runner.image_bytes;
}

static int run_batch(eex_queue *q, const uint8_t *images, int count, const uint8_t *behind)
{
    if (behind)
        EEX_TRY(eex_announced_next(&q->announced, behind,
                                   (size_t)q->options.batch * q->runner.image_bytes));
    EEX_TRY(q->runner.run(q->runner.context, q->results, images, count));
    return eex_announced_turn(&q->announced); /* before callers may write there again */
}

static void complete(eex_queue *q, int count)
{
    const double now = eex_clock_seconds();
    for (int i = 0; i < count; i++) {
        const int32_t at = q->at[i];
        q->slot[at].result = q->results[i];
        q->slot[at].ms = 1e3 * (now - q->since[at]);
        q->done[(q->finished + (uint64_t)i) % (uint64_t)q->options.queue] = at;
    }
    q->finished += (uint64_t)count;
}

static void *work(void *argument)
{
    eex_queue *q = argument;
    pthread_mutex_lock(&q->lock);
    for (int count; q->code == EEX_OK && (count = take_batch(q)) > 0;) {
        const uint8_t *behind = look_behind(q);
        pthread_mutex_unlock(&q->lock);
        const int code = run_batch(q, gather(q, count), count, behind);
        pthread_mutex_lock(&q->lock);
        if (code == EEX_OK)
            complete(q, count);
        else
            snprintf(q->message, sizeof q->message, "%s", eex_error());
        q->code = code;
        pthread_cond_broadcast(&q->completed);
    }
    pthread_mutex_unlock(&q->lock);
    return NULL;
}

/* Signals are for the threads of the program. */
int eex__queue_start(eex_queue *q)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int error = pthread_create(&q->worker, NULL, work, q);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    q->alive = error == 0;
    return q->alive ? EEX_OK
                    : eex_fail(EEX_ENOMEM, "%s: the system refused a thread: %s", q->runner.name,
                               strerror(error));
}
