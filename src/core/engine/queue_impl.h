/* A queue from inside: what its opening, its worker and its callers share. */
#ifndef EEX_CORE_ENGINE_QUEUE_IMPL_H
#define EEX_CORE_ENGINE_QUEUE_IMPL_H

#include "core/engine/queue.h"
#include "core/engine/turns.h"
#include "device/announced.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

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

/* EEX_EDEVICE in a process that was forked since: it has the queue, perhaps locked, and not its
 * thread, and would wait for ever. */
int eex__queue_check(const eex_queue *queue);

/* ---- with the lock ---- */

/* Fills in what the options leave open, NULL: all, and allocates. */
int eex__queue_open(eex_queue *queue, const eex_queue_options *options);

/* The thread that runs batches, for a queue that is open. */
int eex__queue_start(eex_queue *queue);

bool eex__queue_full(const eex_queue *queue);

/* Until something happens or the clock says `until` seconds (infinite: whenever). */
void eex__queue_await(eex_queue *queue, pthread_cond_t *condition, double until);

#endif
