#include "device/announced.h"

#include "base/status.h"

#include <stdlib.h>

eex_announced eex_announced_to(eex_device *device)
{
    return (eex_announced){.device = device && device->vtable->ahead ? device : NULL};
}

static int announce(const eex_announced *a, const void **place, const void *from, size_t bytes)
{
    if (!a->device || *place)
        return EEX_OK;
    *place = from; /* also where that fails: what was not announced may be withdrawn */
    return eex_device_ahead(a->device, from, bytes);
}

int eex_announced_next(eex_announced *a, const void *from, size_t bytes)
{
    return announce(a, &a->next, from, bytes);
}

int eex_announced_held(eex_announced *a, const void *from, size_t bytes)
{
    return announce(a, &a->held, from, bytes);
}

static int withdraw(const eex_announced *a, const void **place)
{
    const void *from = *place;
    *place = NULL;
    return from ? eex_device_withdraw(a->device, from) : EEX_OK;
}

int eex_announced_turn(eex_announced *a)
{
    EEX_TRY(withdraw(a, &a->held));
    a->held = a->next;
    a->next = NULL;
    return EEX_OK;
}

int eex_announced_revoke(eex_announced *a)
{
    return withdraw(a, &a->next);
}

void eex_announced_end(eex_announced *a)
{
    (void)withdraw(a, &a->held);
    (void)withdraw(a, &a->next);
}

int eex_announced_allocate(const eex_announced *a, void **out, size_t bytes)
{
    if (a->device)
        return eex_device_host_allocate(a->device, out, bytes);
    *out = malloc(bytes ? bytes : 1);
    return *out ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for %zu bytes", bytes);
}

void eex_announced_release(const eex_announced *a, void *memory)
{
    if (a->device)
        eex_device_host_release(a->device, memory);
    else
        free(memory);
}
