/* The loader: a thread that is always a batch ahead of who trains.
 *
 * Batches are uint8; augmentation and normalisation happen on the device. The order of an epoch is
 * a function of (seed, epoch) alone, so that a run resumes from any epoch and batch. Buffers are
 * allocated once, when the loader is opened. One thread consumes. */
#ifndef EEX_CORE_DATA_LOADER_H
#define EEX_CORE_DATA_LOADER_H

#include "core/data/dataset.h"

typedef struct eex_loader eex_loader;

/* Where the images of batches lie: for a device that copies from a certain kind of memory. Both are
 * called from the thread that opens and closes the loader; allocate returns EEX_OK or an error. */
typedef struct eex_loader_memory {
    int (*allocate)(void *context, void **out, size_t bytes);
    void (*release)(void *context, void *memory); /* accepts NULL */
    void *context;
} eex_loader_memory;

typedef struct eex_loader_options {
    eex_dataset *data;       /* must outlive the loader */
    const uint32_t *samples; /* (count) sample numbers; copied */
    size_t count;
    int batch;
    bool shuffle;   /* false: in the order of `samples` in every epoch */
    bool drop_last; /* leave out an incomplete last batch */
    uint64_t seed;
    eex_loader_memory memory; /* of malloc, without allocate */
} eex_loader_options;

typedef struct eex_batch {
    int count;               /* 1 .. options.batch */
    const uint8_t *images;   /* (count, H, W, C) */
    const int32_t *labels;   /* (count) */
    const uint32_t *samples; /* (count) */
    uint32_t epoch;
    uint32_t number; /* of the batch in its epoch, from 0 */
} eex_batch;

/* EEX_EINVAL when there is nothing to load: no samples, a batch below 1, or drop_last with fewer
 * samples than one batch. The thread starts at once with epoch 0. */
int eex_loader_open(eex_loader **out, const eex_loader_options *options);
void eex_loader_close(eex_loader *loader); /* accepts NULL; stops the thread */

uint32_t eex_loader_batches(const eex_loader *loader); /* of one epoch */

/* Makes batch `first` of `epoch` the next one. Free of charge when the thread has it ready, as it
 * has when epochs follow each other. EEX_EINVAL when first > eex_loader_batches. */
int eex_loader_start(eex_loader *loader, uint32_t epoch, uint32_t first);

/* The next batch of the epoch; *out is NULL when the epoch is over (call eex_loader_start for the
 * next). Borrowed until the next call for this loader. Whatever went wrong in the thread is
 * returned here, with its message; EEX_EINTERRUPTED after SIGINT or SIGTERM. */
int eex_loader_next(const eex_batch **out, eex_loader *loader);

/* The batch that eex_loader_next will hand over next, when it is there already: it never waits.
 * NULL: it is not, or the epoch is over. What it points to stays as it is until that batch is given
 * back, or eex_loader_start goes elsewhere. */
const eex_batch *eex_loader_peek(eex_loader *loader);

#endif
