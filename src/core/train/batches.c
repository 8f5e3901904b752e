#include "core/train/batches.h"

#include "base/status.h"

#include <string.h>

static int allocate(void *device, void **out, size_t bytes)
{
    return eex_device_host_allocate(device, out, bytes);
}

static void release(void *device, void *memory)
{
    eex_device_host_release(device, memory);
}

int eex_batches_open(eex_batches *out, eex_device *device, const eex_loader_options *options)
{
    const eex_dataset_info *d = eex_dataset_facts(options->data);
    eex_loader_options own = *options;
    own.memory = (eex_loader_memory){allocate, release, device};
    *out = (eex_batches){
        .image_bytes = (size_t)d->height * (size_t)d->width * (size_t)d->channels,
        .images = true,
        .announced = eex_announced_to(device),
    };
    return eex_loader_open(&out->loader, &own);
}

void eex_batches_close(eex_batches *b)
{
    eex_announced_end(&b->announced);
    eex_loader_close(b->loader);
    memset(b, 0, sizeof *b);
}

int eex_batches_start(eex_batches *b, uint32_t epoch, uint32_t first)
{
    EEX_TRY(eex_announced_revoke(&b->announced));
    return eex_loader_start(b->loader, epoch, first);
}

static size_t bytes_of(const eex_batches *b, const eex_batch *batch)
{
    return (size_t)batch->count * b->image_bytes;
}

int eex_batches_next(const eex_batch **out, eex_batches *b)
{
    *out = NULL;
    EEX_TRY(eex_announced_turn(&b->announced)); /* the loader may write there again */
    EEX_TRY(eex_loader_next(out, b->loader));
    if (!*out || !b->images)
        return EEX_OK;
    EEX_TRY(eex_announced_held(&b->announced, (*out)->images, bytes_of(b, *out)));
    const eex_batch *next = eex_loader_peek(b->loader);
    return next ? eex_announced_next(&b->announced, next->images, bytes_of(b, next)) : EEX_OK;
}
