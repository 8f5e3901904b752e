#include "core/plan/arena.h"

#include "base/status.h"

#include <stdlib.h>

int eex_arena_new(eex_arena **out, eex_device *device, size_t bytes)
{
    *out = NULL;
    eex_arena *arena = calloc(1, sizeof *arena);
    if (!arena)
        return eex_fail(EEX_ENOMEM, "out of memory for an arena");
    *arena = (eex_arena){.device = device, .bytes = bytes, .holders = 1};
    int code = device->vtable->allocate(device, (void **)&arena->base, bytes);
    if (code == EEX_OK)
        code = device->vtable->zero(device, arena->base, bytes);
    if (code < 0) {
        eex_arena_release(arena);
        return code;
    }
    *out = arena;
    return EEX_OK;
}

eex_arena *eex_arena_hold(eex_arena *arena)
{
    arena->holders++;
    return arena;
}

void eex_arena_release(eex_arena *arena)
{
    if (!arena || --arena->holders > 0)
        return;
    arena->device->vtable->release(arena->device, arena->base);
    free(arena);
}
