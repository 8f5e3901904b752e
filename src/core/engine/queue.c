/* Slots between the callers and one worker. */
#include "core/engine/queue.h"

#include "core/engine/turns.h"
#include "device/announced.h"

#include "base/clock.h"
#include "base/status.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BATCHES = 4 /* of room, unless the caller says otherwise */ };
static const double longest_linger = 60e3; /* milliseconds */

/* An image has a slot until its result was polled. The four counters only grow, but for what is
 * dropped: polled <= finished <= taken <= submitted <= polled + queue. */
struct eex_queue {
    eex_queue_runner runner;
    pid_t process;            /* whose thread works it off */
    pthread_mutex_t lock;     /* of everything below but `batch` and `results` */
    pthread_cond_t arrived;   /* for the worker: there is something new to look at */
    pthread_cond_t completed; /* for callers: likewise */
    eex_queue_options options;
    bool open;  /* the memory is there */
    bool alive; /* the worker was started */
    bool stop;
    int hurried; /* callers that wait for everything to end */
    pthread_t worker;
    uint64_t submitted, taken, finished, polled;
    eex__turns turns;       /* whose image is next, and which slots are free */
    uint8_t *images;        /* (queue, image_bytes) */
    eex_queue_result *slot; /* (queue) */
    double *since;          /* (queue) seconds: when it was submitted */
    int32_t *done;          /* (queue) a ring of slots: result n lies in slot done[n % queue] */
    int32_t *at;            /* (batch) the worker's: slots of the batch */
    uint8_t *batch;         /* (batch, image_bytes) the worker's: images that do not lie together */
    eex_result *results;    /* (batch) the worker's */
    eex_announced announced; /* the worker's, while there is one */
    int code;                /* why the worker ended, with its message */
    char message[2048];
};

/* A forked child has the queue, perhaps locked, and not its thread: it would wait for ever. */
static int check_process(const eex_queue *q)
{
    return q->process == getpid()
               ? EEX_OK
               : eex_fail(EEX_EDEVICE,
                          "%s: its queue belongs to process %ld, from which this one was forked: "
                          "its thread is not here; open what runs the images in this process",
                          q->runner.name, (long)q->process);
}

/* ---- waiting ---- */

/* Conditions go by the clock that never jumps, which eex_clock_seconds is too. */
static int make_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0)
        return EEX_ENOMEM;
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    const int error = pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
    return error == 0 ? EEX_OK : EEX_ENOMEM;
}

/* Until something happens or the clock says `until` seconds (infinite: whenever). */
static void await(eex_queue *q, pthread_cond_t *condition, double until)
{
    if (isinf(until)) {
        pthread_cond_wait(condition, &q->lock);
        return;
    }
    struct timespec at = {.tv_sec = (time_t)until};
    at.tv_nsec = (long)(1e9 * (until - (double)at.tv_sec));
    (void)pthread_cond_timedwait(condition, &q->lock, &at);
}

/* ---- the worker ---- */

static bool is_full(const eex_queue *q)
{
    return q->submitted - q->polled == (uint64_t)q->options.queue;
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
            (waiting > 0 && (q->hurried || is_full(q) || eex_clock_seconds() >= until))) {
            const int count = eex__turns_take(&q->turns, q->at, q->options.batch);
            q->taken += (uint64_t)count;
            return count;
        }
        await(q, &q->arrived, until);
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
static int start_worker(eex_queue *q)
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

/* ---- opening and closing ---- */

static int make_conditions(eex_queue *q)
{
    if (make_condition(&q->arrived) != EEX_OK)
        return EEX_ENOMEM;
    if (make_condition(&q->completed) == EEX_OK)
        return EEX_OK;
    pthread_cond_destroy(&q->arrived);
    return EEX_ENOMEM;
}

static int make_lock(eex_queue *q)
{
    if (pthread_mutex_init(&q->lock, NULL) != 0)
        return EEX_ENOMEM;
    if (make_conditions(q) == EEX_OK)
        return EEX_OK;
    pthread_mutex_destroy(&q->lock);
    return EEX_ENOMEM;
}

int eex_queue_new(eex_queue **out, const eex_queue_runner *runner)
{
    EEX_NEED(out, "place for the queue");
    *out = NULL;
    EEX_NEED(runner, "runner");
    EEX_NEED(runner->name, "name");
    if (!runner->run || runner->image_bytes == 0 || runner->batch < 1 ||
        runner->batch > EEX_QUEUE_MAX || runner->lanes < 0 || runner->lanes > EEX_QUEUE_MAX)
        return eex_fail(EEX_EINVAL, "%s: a queue in front of nothing that runs images",
                        runner->name);
    if (runner->device && runner->lanes > 1)
        return eex_fail(EEX_EINVAL,
                        "%s: a queue of %d lanes whose images go ahead to a device: "
                        "which are next is not known before their turn; expected one lane",
                        runner->name, runner->lanes);
    eex_queue *q = calloc(1, sizeof *q);
    if (!q || make_lock(q) != EEX_OK) {
        free(q);
        return eex_fail(EEX_ENOMEM, "%s: out of memory for a queue", runner->name);
    }
    q->runner = *runner;
    q->runner.lanes = runner->lanes > 1 ? runner->lanes : 1;
    q->announced = eex_announced_to(runner->device);
    q->process = getpid();
    *out = q;
    return EEX_OK;
}

static void release(eex_queue *q)
{
    eex__turns_close(&q->turns);
    eex_announced_release(&q->announced, q->images);
    free(q->slot);
    free(q->since);
    free(q->done);
    free(q->at);
    free(q->batch);
    free(q->results);
    q->images = q->batch = NULL;
    q->slot = NULL;
    q->since = NULL;
    q->done = q->at = NULL;
    q->results = NULL;
}

void eex_queue_free(eex_queue *q)
{
    if (!q || q->process != getpid()) /* what a forked child has is the parent's */
        return;
    pthread_mutex_lock(&q->lock);
    q->stop = true;
    pthread_cond_broadcast(&q->arrived);
    pthread_mutex_unlock(&q->lock);
    if (q->alive)
        pthread_join(q->worker, NULL);
    eex_announced_end(&q->announced);
    release(q);
    pthread_cond_destroy(&q->completed);
    pthread_cond_destroy(&q->arrived);
    pthread_mutex_destroy(&q->lock);
    free(q);
}

static int check_options(const eex_queue_options *o, const eex_queue_runner *r)
{
    if (o->batch < 0 || o->batch > r->batch)
        return eex_fail(EEX_EINVAL,
                        "%s: a queue with batches of %d, expected 1 to the %d that it was opened "
                        "for, or 0",
                        r->name, o->batch, r->batch);
    if (o->queue < 0 || o->queue > EEX_QUEUE_MAX)
        return eex_fail(EEX_EINVAL, "%s: a queue of %d images, expected 1 to %d, or 0", r->name,
                        o->queue, EEX_QUEUE_MAX);
    if (!(o->linger_ms >= 0 && o->linger_ms <= longest_linger))
        return eex_fail(EEX_EINVAL, "%s: lingering for %g ms, expected 0 to %g", r->name,
                        o->linger_ms, longest_linger);
    return EEX_OK;
}

/* Fills in what was left to us. */
static eex_queue_options complete_options(const eex_queue_options *given, int batch)
{
    eex_queue_options o = *given;
    if (o.batch == 0)
        o.batch = batch;
    if (o.queue == 0)
        o.queue = o.batch > EEX_QUEUE_MAX / BATCHES ? EEX_QUEUE_MAX : BATCHES * o.batch;
    if (o.batch > o.queue)
        o.batch = o.queue;
    return o;
}

static int allocate(eex_queue *q)
{
    const size_t image = q->runner.image_bytes;
    const size_t length = (size_t)q->options.queue, batch = (size_t)q->options.batch;
    void *images;
    const int code = eex_announced_allocate(&q->announced, &images, length * image);
    q->images = images;
    q->slot = calloc(length, sizeof *q->slot);
    q->since = calloc(length, sizeof *q->since);
    q->done = calloc(length, sizeof *q->done);
    q->at = calloc(batch, sizeof *q->at);
    q->batch = calloc(batch, image);
    q->results = calloc(batch, sizeof *q->results);
    q->open = q->images && q->slot && q->since && q->done && q->at && q->batch && q->results &&
              eex__turns_open(&q->turns, (int)length, q->runner.lanes) == EEX_OK;
    if (q->open)
        return EEX_OK;
    release(q);
    if (code < 0)
        return eex_fail_in(code, "%s: a queue of %zu images of %zu bytes", q->runner.name, length,
                           image);
    return eex_fail(EEX_ENOMEM, "%s: out of memory for a queue of %zu images of %zu bytes",
                    q->runner.name, length, image);
}

static int open_queue(eex_queue *q, const eex_queue_options *options)
{
    static const eex_queue_options defaults;
    EEX_TRY(check_options(options ? options : &defaults, &q->runner));
    q->options = complete_options(options ? options : &defaults, q->runner.batch);
    return allocate(q);
}

int eex_queue_open(eex_queue *q, const eex_queue_options *options)
{
    EEX_NEED(q, "queue");
    EEX_TRY(check_process(q));
    pthread_mutex_lock(&q->lock);
    const int code = q->open ? eex_fail(EEX_EINVAL,
                                        "%s: it has its queue already; options go before the first "
                                        "image",
                                        q->runner.name)
                             : open_queue(q, options);
    pthread_mutex_unlock(&q->lock);
    return code;
}

/* ---- the callers' side ---- */

static int failed(const eex_queue *q)
{
    return q->code < 0 ? eex_fail(q->code, "%s", q->message) : EEX_OK;
}

static int submit(eex_queue *q, int lane, uint64_t id, const uint8_t *image)
{
    if (!q->open)
        EEX_TRY(open_queue(q, NULL));
    if (!q->alive)
        EEX_TRY(start_worker(q));
    EEX_TRY(failed(q));
    if (is_full(q))
        return eex_fail(EEX_EBUSY,
                        "%s: its queue of %d is full: %llu images are under way, %llu results wait "
                        "to be polled",
                        q->runner.name, q->options.queue,
                        (unsigned long long)(q->submitted - q->finished),
                        (unsigned long long)(q->finished - q->polled));
    const int at = eex__turns_put(&q->turns, lane);
    memcpy(q->images + (size_t)at * q->runner.image_bytes, image, q->runner.image_bytes);
    q->slot[at].id = id;
    q->since[at] = eex_clock_seconds();
    q->submitted++;
    pthread_cond_signal(&q->arrived);
    return EEX_OK;
}

static int check_lane(const eex_queue *q, int lane)
{
    if (lane >= 0 && lane < q->runner.lanes)
        return EEX_OK;
    return eex_fail(EEX_EINVAL, "%s: lane %d, expected 0 to %d", q->runner.name, lane,
                    q->runner.lanes - 1);
}

int eex_queue_drop(eex_queue *q, int lane)
{
    EEX_NEED(q, "queue");
    EEX_TRY(check_lane(q, lane));
    EEX_TRY(check_process(q));
    if (q->runner.device)
        return eex_fail(EEX_EINVAL,
                        "%s: its images may be on their way to the device: none can be "
                        "dropped",
                        q->runner.name);
    pthread_mutex_lock(&q->lock);
    if (q->open)
        q->submitted -= (uint64_t)eex__turns_drop(&q->turns, lane);
    pthread_cond_broadcast(&q->completed); /* for who waits for what does not come any more */
    pthread_mutex_unlock(&q->lock);
    return EEX_OK;
}

int eex_queue_submit(eex_queue *q, uint64_t id, const uint8_t *image)
{
    return eex_queue_submit_in(q, 0, id, image);
}

int eex_queue_submit_in(eex_queue *q, int lane, uint64_t id, const uint8_t *image)
{
    EEX_NEED(q, "queue");
    EEX_NEED(image, "image");
    EEX_TRY(check_lane(q, lane));
    EEX_TRY(check_process(q));
    pthread_mutex_lock(&q->lock);
    const int code = submit(q, lane, id, image);
    pthread_mutex_unlock(&q->lock);
    return code;
}

static double deadline(int timeout_ms)
{
    return timeout_ms < 0 ? INFINITY : eex_clock_seconds() + 1e-3 * timeout_ms;
}

/* Until there is a result, none can come any more, or the time is over. */
static void await_result(eex_queue *q, int timeout_ms)
{
    const double until = deadline(timeout_ms);
    while (q->finished == q->polled && q->code == EEX_OK) {
        if (timeout_ms < 0 ? q->submitted == q->polled : eex_clock_seconds() >= until)
            return;
        await(q, &q->completed, until);
    }
}

int eex_queue_poll(eex_queue *q, eex_queue_result *results, int max, int timeout_ms, int *count)
{
    EEX_NEED(q, "queue");
    EEX_NEED(results, "place for the results");
    EEX_NEED(count, "place for the count");
    *count = 0;
    if (max < 1)
        return eex_fail(EEX_EINVAL, "%s: polling for %d results, expected room for at least 1",
                        q->runner.name, max);
    EEX_TRY(check_process(q));
    pthread_mutex_lock(&q->lock);
    await_result(q, timeout_ms);
    for (; *count < max && q->polled < q->finished; q->polled++) {
        const int32_t at = q->done[q->polled % (uint64_t)q->options.queue];
        results[(*count)++] = q->slot[at];
        eex__turns_free(&q->turns, at);
    }
    const int code = *count ? EEX_OK : failed(q);
    pthread_mutex_unlock(&q->lock);
    return code;
}

static int await_all(eex_queue *q, int timeout_ms)
{
    const double until = deadline(timeout_ms);
    const uint64_t last = q->submitted;
    while (q->finished < last && q->finished < q->submitted) {
        EEX_TRY(failed(q));
        if (eex_clock_seconds() >= until)
            return eex_fail(EEX_EBUSY, "%s: %llu images are still under way after %d ms",
                            q->runner.name, (unsigned long long)(last - q->finished), timeout_ms);
        await(q, &q->completed, until);
    }
    return failed(q);
}

int eex_queue_wait(eex_queue *q, int timeout_ms)
{
    EEX_NEED(q, "queue");
    EEX_TRY(check_process(q));
    pthread_mutex_lock(&q->lock);
    q->hurried++;
    pthread_cond_signal(&q->arrived);
    const int code = await_all(q, timeout_ms);
    q->hurried--;
    pthread_mutex_unlock(&q->lock);
    return code;
}
