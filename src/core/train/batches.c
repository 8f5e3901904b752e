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
        .device = device,
        .image_bytes = (size_t)d->height * (size_t)d->width * (size_t)d->channels,
        .images = true,
    };
    return eex_loader_open(&out->loader, &own);
}

/* What the device has read may be written again. */
static int withdraw(const eex_batches *b, const uint8_t **images)
{
    const uint8_t *at = *images;
    *images = NULL;
    return at ? eex_device_withdraw(b->device, at) : EEX_OK;
}

void eex_batches_close(eex_batches *b)
{
    if (b->device) {
        (void)withdraw(b, &b->held);
        (void)withdraw(b, &b->next);
    }
    eex_loader_close(b->loader);
    memset(b, 0, sizeof *b);
}

int eex_batches_start(eex_batches *b, uint32_t epoch, uint32_t first)
{
    EEX_TRY(withdraw(b, &b->next)); /* it may be another one from now on */
    return eex_loader_start(b->loader, epoch, first);
}

/* Announces a batch's images; what was announced before stays. */
static int announce(const eex_batches *b, const uint8_t **place, const eex_batch *batch)
{
    if (!b->images)
        return EEX_OK;
    *place = batch->images;
    return eex_device_ahead(b->device, batch->images, (size_t)batch->count * b->image_bytes);
}

/* The batch in hand goes ahead too: of what the device still has to do in front of it. */
int eex_batches_next(const eex_batch **out, eex_batches *b)
{
    *out = NULL;
    EEX_TRY(withdraw(b, &b->held));
    EEX_TRY(eex_loader_next(out, b->loader));
    if (!*out)
        return EEX_OK;
    b->held = b->next;
    b->next = NULL;
    if (!b->held)
        EEX_TRY(announce(b, &b->held, *out));
    const eex_batch *next = eex_loader_peek(b->loader);
    return next ? announce(b, &b->next, next) : EEX_OK;
}
