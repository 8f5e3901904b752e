/* What the engine's files share. */
#ifndef EEX_CORE_ENGINE_ENGINE_IMPL_H
#define EEX_CORE_ENGINE_ENGINE_IMPL_H

#include "core/engine/engine.h"

#include <pthread.h>

/* Images go round in a ring of slots: image n, counted from the first one ever, has slot n % queue.
 * The four counters only grow: polled <= finished <= taken <= submitted <= polled + queue. */
typedef struct eex_queue {
    pthread_mutex_t lock;     /* of everything below but `batch` and `results` */
    pthread_cond_t arrived;   /* for the worker: there is something new to look at */
    pthread_cond_t completed; /* for callers: likewise */
    eex_engine_options options;
    bool open;  /* the memory is there */
    bool alive; /* the worker was started */
    bool stop;
    int hurried; /* callers that wait for everything to end */
    pthread_t worker;
    uint64_t submitted, taken, finished, polled;
    uint8_t *images;         /* (queue, H, W, C) */
    eex_engine_result *slot; /* (queue) */
    double *since;           /* (queue) seconds: when it was submitted */
    uint8_t *batch;          /* (batch, H, W, C) the worker's: one that goes round the ring's end */
    eex_result *results;     /* (batch) the worker's */
    int code;                /* why the worker ended, with its message */
    char message[2048];
} eex_queue;

struct eex_engine {
    eex_plan *plan;
    eex_device *device;
    bool leaves;                  /* there is a policy; without one only the end decides */
    const eex_graph *graph;       /* borrowed, and `familiar` */
    const eex_familiar *familiar; /* NULL: the policy rejects nobody by distance */
    double far[EEX_MAX_EXITS];    /* distances that it rejects beyond */
    float *values, *distance;     /* (rows, largest value), (rows): scratch of distances */
    uint8_t *decision;            /* (rows) */
    int batch, exits;
    int rows; /* images that pass the plan together, see eex_engine_rows */
    size_t image_bytes;
    double *ms; /* scratch of the measurements */
    int ms_count;
    eex_queue queue;
};

/* Between exit k's segment and leaving: what is too far from the familiar is rejected. */
int eex__engine_reject(eex_engine *engine, int k, int rows);

/* Rows of the engine's plan for batches of up to `batch` images. */
int eex__engine_rows(const eex_device *dev, const eex_graph *graph, int batch);

int eex__queue_init(eex_queue *queue);
/* Ends the worker after the batch that it is at. */
void eex__queue_close(eex_queue *queue);

#endif
