/* The callers' side of a queue: submitting, polling, waiting. */
#include "core/engine/queue_impl.h"

#include "base/clock.h"
#include "base/status.h"

#include <math.h>
#include <string.h>

static int failed(const eex_queue *q)
{
    return q->code < 0 ? eex_fail(q->code, "%s", q->message) : EEX_OK;
}

static int submit(eex_queue *q, int lane, uint64_t id, const uint8_t *image)
{
    if (!q->open)
        EEX_TRY(eex__queue_open(q, NULL));
    if (!q->alive)
        EEX_TRY(eex__queue_start(q));
    EEX_TRY(failed(q));
    if (eex__queue_full(q))
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
    EEX_TRY(eex__queue_check(q));
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
    EEX_TRY(eex__queue_check(q));
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
        eex__queue_await(q, &q->completed, until);
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
    EEX_TRY(eex__queue_check(q));
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
        eex__queue_await(q, &q->completed, until);
    }
    return failed(q);
}

int eex_queue_wait(eex_queue *q, int timeout_ms)
{
    EEX_NEED(q, "queue");
    EEX_TRY(eex__queue_check(q));
    pthread_mutex_lock(&q->lock);
    q->hurried++;
    pthread_cond_signal(&q->arrived);
    const int code = await_all(q, timeout_ms);
    q->hurried--;
    pthread_mutex_unlock(&q->lock);
    return code;
}
