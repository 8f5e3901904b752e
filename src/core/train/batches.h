/* Batches of a loader on their way to a device: while one is calculated, the next one's images go
 * up (eex_device_ahead), from memory that the device copies by itself. What a batch is and when it
 * comes is the loader's (data/loader.h); uploads are made as of any batch, and get what has gone
 * ahead. One thread consumes. */
#ifndef EEX_CORE_TRAIN_BATCHES_H
#define EEX_CORE_TRAIN_BATCHES_H

#include "core/data/loader.h"
#include "device/announced.h"

typedef struct eex_batches {
    eex_loader *loader;
    size_t image_bytes;
    bool images; /* somebody uploads them: false, and none go ahead */
    eex_announced announced;
} eex_batches;

/* As eex_loader_open; the memory of its images is the device's. */
int eex_batches_open(eex_batches *out, eex_device *device, const eex_loader_options *options);
void eex_batches_close(eex_batches *batches); /* zeroed memory has nothing to close */

/* As eex_loader_start and eex_loader_next; the batch before is given back when the device has read
 * it. */
int eex_batches_start(eex_batches *batches, uint32_t epoch, uint32_t first);
int eex_batches_next(const eex_batch **out, eex_batches *batches);

#endif
