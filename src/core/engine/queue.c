/* Opening and closing a queue between callers and one worker. */
#include "core/engine/queue_impl.h"

#include "base/status.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { BATCHES = 4 /* of room, unless the caller says otherwise */ };
static const double longest_linger = 60e3; /* milliseconds */

int eex__queue_check(const eex_queue *q)
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

int eex__queue_open(eex_queue *q, const eex_queue_options *options)
{
    static const eex_queue_options defaults;
    EEX_TRY(check_options(options ? options : &defaults, &q->runner));
    q->options = complete_options(options ? options : &defaults, q->runner.batch);
    return allocate(q);
}

int eex_queue_open(eex_queue *q, const eex_queue_options *options)
{
    EEX_NEED(q, "queue");
    EEX_TRY(eex__queue_check(q));
    pthread_mutex_lock(&q->lock);
    const int code = q->open ? eex_fail(EEX_EINVAL,
                                        "%s: it has its queue already; options go before the first "
                                        "image",
                                        q->runner.name)
                             : eex__queue_open(q, options);
    pthread_mutex_unlock(&q->lock);
    return code;
}
