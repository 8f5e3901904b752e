/* A queue in front of a source: a thread reads ahead, at a frame rate if one is given. */
#include "core/frames/frames_impl.h"

#include "base/clock.h"
#include "base/signals.h"
#include "base/status.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BAD_PLACES = 64 };

typedef struct slot {
    eex_frame frame;
    uint8_t *pixels;
} slot;

typedef struct queue {
    eex_frames base;
    eex_frames *source;
    eex_ahead how;
    size_t frame_bytes;
    uint8_t *memory;
    pthread_t thread;
    bool running;
    pid_t process; /* whose thread it is */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* by the monotonic clock */
    /* All below under the lock. Slots [head, head + ready) wait, in order. The slot behind them is
     * the thread's own, to be filled. */
    slot *slots; /* (how.queue + 1) */
    int head, ready;
    eex_frame bad[BAD_PLACES]; /* those from bad_head on wait to be told, in order */
    int bad_head, bad_ready;
    uint64_t dropped;
    bool over; /* the source has ended, or failed: */
    int code;
    char message[1024];
} queue;

/* Waits for a change or until `until` (eex_clock_seconds), at most a tenth of a second. */
static void wait_until(queue *q, double until)
{
    struct timespec t;
    const double now = eex_clock_seconds();
    double seconds = until - now;
    seconds = seconds < 0 ? 0 : seconds > 0.1 ? 0.1 : seconds;
    clock_gettime(CLOCK_MONOTONIC, &t);
    const int64_t ns = t.tv_nsec + (int64_t)(seconds * 1e9);
    t.tv_sec += (time_t)(ns / 1000000000);
    t.tv_nsec = (long)(ns % 1000000000);
    pthread_cond_timedwait(&q->changed, &q->lock, &t);
}

static bool given_up(const queue *q)
{
    return q->base.stopped || eex_interrupted();
}

/* ---- the thread ---- */

static slot *behind(queue *q)
{
    return &q->slots[(q->head + q->ready) % (q->how.queue + 1)];
}

/* Puts the filled slot into the queue, or drops a frame when that is full. */
static void enqueue(queue *q)
{
    while (q->ready == q->how.queue && q->how.drop == EEX_DROP_NONE && !given_up(q))
        wait_until(q, eex_clock_seconds() + 1);
    if (given_up(q))
        return;
    if (q->ready == q->how.queue) {
        q->dropped++;
        if (q->how.drop != EEX_DROP_OLDEST)
            return;
        q->head = (q->head + 1) % (q->how.queue + 1);
        q->ready--;
    }
    q->ready++;
    pthread_cond_broadcast(&q->changed);
}

/* Bad frames have places of their own: no good one goes for them, and each is told. */
static void enqueue_bad(queue *q, const eex_frame *frame)
{
    while (q->bad_ready == BAD_PLACES && !given_up(q))
        wait_until(q, eex_clock_seconds() + 1);
    if (given_up(q))
        return;
    q->bad[(q->bad_head + q->bad_ready) % BAD_PLACES] = *frame;
    q->bad_ready++;
    pthread_cond_broadcast(&q->changed);
}

static void fail_queue(queue *q, int code)
{
    q->code = code;
    snprintf(q->message, sizeof q->message, "%s", eex_error());
}

static void *read_ahead(void *argument)
{
    queue *q = argument;
    double began = 0; /* when the first frame was there: opening a source may take its time */
    pthread_mutex_lock(&q->lock);
    while (!q->over && !given_up(q)) {
        slot *to = behind(q);
        pthread_mutex_unlock(&q->lock);
        const int code = eex_frames_next(q->source, &to->frame, to->pixels);
        pthread_mutex_lock(&q->lock);
        began = began > 0 ? began : eex_clock_seconds();
        if (code < 0)
            fail_queue(q, code);
        q->over = code < 0 || to->frame.state == EEX_FRAME_END;
        const double due =
            q->how.fps > 0 ? began + (double)to->frame.number / q->how.fps : eex_clock_seconds();
        while (!q->over && eex_clock_seconds() < due && !given_up(q))
            wait_until(q, due);
        to->frame.arrived = eex_clock_seconds();
        if (!q->over && to->frame.state == EEX_FRAME_BAD)
            enqueue_bad(q, &to->frame);
        else if (!q->over)
            enqueue(q);
    }
    q->over = true;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
    return NULL;
}

/* ---- the consumer ---- */

/* A forked child has no thread that reads, and perhaps a lock that nobody will open. */
static bool is_here(const queue *q)
{
    return q->process == getpid();
}

static void pop(queue *q, eex_frame *frame, uint8_t *pixels)
{
    const slot *from = &q->slots[q->head];
    *frame = from->frame;
    memcpy(pixels, from->pixels, q->frame_bytes);
    q->head = (q->head + 1) % (q->how.queue + 1);
    q->ready--;
    pthread_cond_broadcast(&q->changed);
}

static void pop_bad(queue *q, eex_frame *frame)
{
    *frame = q->bad[q->bad_head];
    q->bad_head = (q->bad_head + 1) % BAD_PLACES;
    q->bad_ready--;
    pthread_cond_broadcast(&q->changed);
}

/* Whether the next one, by their order in the source, is a bad one. */
static bool bad_is_next(const queue *q)
{
    return q->bad_ready &&
           (!q->ready || q->bad[q->bad_head].number < q->slots[q->head].frame.number);
}

static int queue_next(eex_frames *frames, eex_frame *frame, uint8_t *pixels)
{
    queue *q = (queue *)frames;
    int code = EEX_OK;
    if (!is_here(q))
        return eex_fail(EEX_EIO,
                        "frames read ahead by process %ld, from which this one was forked: "
                        "its thread is not here; open the source in this process",
                        (long)q->process);
    pthread_mutex_lock(&q->lock);
    while (!q->ready && !q->bad_ready && !q->over && !given_up(q))
        wait_until(q, eex_clock_seconds() + 1);
    if (eex_interrupted())
        code = eex_fail(EEX_EINTERRUPTED, "interrupted");
    else if (bad_is_next(q))
        pop_bad(q, frame);
    else if (q->ready)
        pop(q, frame, pixels);
    else if (q->code < 0)
        code = eex_fail(q->code, "%s", q->message);
    else
        frame->state = EEX_FRAME_END;
    pthread_mutex_unlock(&q->lock);
    return code;
}

static bool queue_ready(eex_frames *frames)
{
    queue *q = (queue *)frames;
    if (!is_here(q))
        return true;
    pthread_mutex_lock(&q->lock);
    const bool ready = q->ready > 0 || q->bad_ready > 0;
    pthread_mutex_unlock(&q->lock);
    return ready;
}

static uint64_t queue_dropped(eex_frames *frames)
{
    queue *q = (queue *)frames;
    if (!is_here(q))
        return 0;
    pthread_mutex_lock(&q->lock);
    const uint64_t dropped = q->dropped;
    pthread_mutex_unlock(&q->lock);
    return dropped;
}

static void queue_stop(eex_frames *frames)
{
    queue *q = (queue *)frames;
    eex__frames_stop(q->source);
    pthread_mutex_lock(&q->lock);
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
}

static void queue_close(eex_frames *frames)
{
    queue *q = (queue *)frames;
    if (!is_here(q)) /* it is the parent's */
        return;
    if (q->running) {
        eex__frames_stop(frames);
        pthread_join(q->thread, NULL);
    }
    eex_frames_close(q->source);
    free(q->slots);
    free(q->memory);
    pthread_cond_destroy(&q->changed);
    pthread_mutex_destroy(&q->lock);
    free(q);
}

/* ---- opening ---- */

static const eex__frames_vtable queue_vtable = {.next = queue_next,
                                                .close = queue_close,
                                                .ready = queue_ready,
                                                .dropped = queue_dropped,
                                                .stop = queue_stop};

static void begin_waiting(queue *q)
{
    pthread_condattr_t attributes;
    pthread_mutex_init(&q->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&q->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

static int begin(queue *q)
{
    const size_t slots = (size_t)q->how.queue + 1;
    q->slots = calloc(slots, sizeof *q->slots);
    q->memory = slots <= SIZE_MAX / q->frame_bytes ? malloc(slots * q->frame_bytes) : NULL;
    if (!q->slots || !q->memory)
        return eex_fail(EEX_ENOMEM, "out of memory for a queue of %d frames", q->how.queue);
    for (size_t i = 0; i < slots; i++)
        q->slots[i].pixels = q->memory + i * q->frame_bytes;
    const int error = pthread_create(&q->thread, NULL, read_ahead, q);
    if (error)
        return eex_fail(EEX_ENOMEM, "cannot start the thread of a queue: %s", strerror(error));
    q->running = true;
    return EEX_OK;
}

static int check_ahead(eex_frames **out, const eex_frames *source, const eex_ahead *how)
{
    EEX_NEED(out, "place for the frames");
    *out = NULL;
    EEX_NEED(source, "source");
    EEX_NEED(how, "description of the queue");
    if (how->queue < 1 || how->queue > EEX_FRAMES_MAX_QUEUE || !(how->fps >= 0) || isinf(how->fps))
        return eex_fail(EEX_EINVAL,
                        "a queue of %d frames at %g a second: 1 to %d, at a rate of at least 0",
                        how->queue, how->fps, EEX_FRAMES_MAX_QUEUE);
    if ((unsigned)how->drop > EEX_DROP_OLDEST)
        return eex_fail(EEX_EINVAL, "a queue of frames: there is no way %d to drop some",
                        (int)how->drop);
    return EEX_OK;
}

int eex_frames_open_ahead(eex_frames **out, eex_frames *source, const eex_ahead *how)
{
    queue *q = NULL;
    int code = check_ahead(out, source, how);
    if (code == EEX_OK && !(q = eex__frames_new(sizeof *q, &queue_vtable, &source->shape)))
        code = EEX_ENOMEM;
    if (code < 0) {
        eex_frames_close(source);
        return code;
    }
    q->process = getpid();
    q->source = source;
    q->how = *how;
    q->base.total = source->total;
    q->base.widest = source->widest;
    q->base.drops = how->drop == EEX_DROP_OLDEST;
    q->frame_bytes = eex__frame_bytes(&source->shape);
    begin_waiting(q);
    code = begin(q);
    if (code < 0) {
        queue_close(&q->base);
        return code;
    }
    *out = &q->base;
    return EEX_OK;
}
