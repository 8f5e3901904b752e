/* A queue in front of something that runs batches of images: an engine, or whatever else answers
 * for a batch. One thread a queue, started by the first image, takes what is there, up to a batch,
 * and runs it; results come in the order of submission. An image keeps its place in the queue until
 * its result was polled, so the queue bounds both. Nothing is allocated after the first image.
 * Where images come from many who are not to wait for one another there are lanes, which take turns
 * in each batch; results then come in the order of their lane alone.
 * Submit, poll and wait may be called from any threads, not from a process that was forked since:
 * there they fail with EEX_EDEVICE.
 *
 *     eex_queue_new(&queue, &runner);
 *     eex_queue_submit(queue, 7, image);                     // copies the image
 *     eex_queue_poll(queue, done, 64, 100, &count);          // done[i].id, done[i].result
 */
#ifndef EEX_CORE_ENGINE_QUEUE_H
#define EEX_CORE_ENGINE_QUEUE_H

#include "device/decide.h"
#include "device/device.h"

#include <stddef.h>
#include <stdint.h>

typedef struct eex_queue eex_queue;

enum { EEX_QUEUE_MAX = 1 << 20 };

/* What is behind a queue. */
typedef struct eex_queue_runner {
    const char *name;   /* what messages begin with; borrowed */
    size_t image_bytes; /* of one image */
    int batch;          /* images that it runs at once, 1 to EEX_QUEUE_MAX */
    /* Answers for count (1..batch) images, one behind the other; results in the same order. Called
     * by the queue's thread alone. A failure ends the queue. */
    int (*run)(void *context, eex_result *results, const uint8_t *images, int count);
    void *context; /* borrowed */
    int lanes;     /* that take turns, 1 to EEX_QUEUE_MAX; 0: one */
    /* To which `run` uploads the images as they are, borrowed; it outlives the queue. While a batch
     * runs the next one goes ahead, where it is full by then; of a device that has a way for that
     * the images lie in host memory of its own kind, for which eex_queue_open (or the first image)
     * waits its turn at the device. Not with lanes, where nobody knows yet whose images are next,
     * and nothing can be dropped. NULL: nothing goes ahead. */
    eex_device *device;
} eex_queue_runner;

typedef struct eex_queue_options {
    int batch;        /* images run at once, at most the runner's own batch; 0: that */
    int queue;        /* images that may be in the queue; 0: four batches */
    double linger_ms; /* how long a batch that is not full waits for more, counted from the image
                       * whose turn is first; 0: not at all, which is best for latency */
} eex_queue_options;

typedef struct eex_queue_result {
    uint64_t id;
    eex_result result;
    double ms; /* from submit until the result was there: waiting and running */
} eex_queue_result;

int eex_queue_new(eex_queue **out, const eex_queue_runner *runner);
/* Ends the thread after the batch that it is at. Images that are still in the queue and results
 * that nobody polled are lost. Accepts NULL. */
void eex_queue_free(eex_queue *queue);

/* Allocates what the queue needs, before the first image; without it every option is 0. NULL:
 * likewise. */
int eex_queue_open(eex_queue *queue, const eex_queue_options *options);

/* Puts a copy of an image into the queue; `id` is the caller's and comes back with the result.
 * Never waits: EEX_EBUSY when the queue is full, the caller then polls and tries again, or drops
 * the image. After a failure of the runner: its code. */
int eex_queue_submit(eex_queue *queue, uint64_t id, const uint8_t *image);

/* The same for a lane, from 0; eex_queue_submit is for the first. As long as a lane has an image
 * waiting it has one in each batch that fits so many lanes, however much others have. EEX_EINVAL:
 * there is no such lane. */
int eex_queue_submit_in(eex_queue *queue, int lane, uint64_t id, const uint8_t *image);

/* Forgets what a lane has waiting, for which nobody would take results; what runs already has its
 * results all the same. EEX_EINVAL: there is no such lane, or the runner has a device, to which
 * images may be on their way. */
int eex_queue_drop(eex_queue *queue, int lane);

/* Hands over at most `max` results in the order of submission; *count says how many. When there is
 * none yet it waits for the first one, at most timeout_ms, also when that image has yet to be
 * submitted; a negative timeout_ms waits as long as something is in the queue, so that
 *
 *     while (eex_queue_poll(queue, done, 64, -1, &count) == EEX_OK && count > 0) ...
 *
 * empties it. When the runner has failed, the results before that come first, then its code, from
 * then on; *count is 0. The queue is then of no more use. */
int eex_queue_poll(eex_queue *queue, eex_queue_result *results, int max, int timeout_ms,
                   int *count);

/* Waits, at most timeout_ms (negative: as long as it takes), until every image that was submitted
 * has a result to be polled; batches do not linger meanwhile. EEX_EBUSY: not within that time. */
int eex_queue_wait(eex_queue *queue, int timeout_ms);

#endif
