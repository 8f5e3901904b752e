/* Device memory for the values of plans that never run at once.
 *
 * Each plan lays out its own values from the first byte on, so the arena is as large as the largest
 * of them needs, and what a plan leaves in it is gone when another one runs. Its size is settled
 * before any plan uses an address in it (ops, prepared states and recordings all hold addresses),
 * and it never moves. */
#ifndef EEX_CORE_PLAN_ARENA_H
#define EEX_CORE_PLAN_ARENA_H

#include "device/device.h"

typedef struct eex_arena {
    eex_device *device;  /* borrowed */
    unsigned char *base; /* device memory */
    size_t bytes;
    int holders;
} eex_arena;

/* Zeroed, and held by the caller. */
int eex_arena_new(eex_arena **out, eex_device *device, size_t bytes);

/* One holder more; returns the arena. */
eex_arena *eex_arena_hold(eex_arena *arena);

/* The last holder's frees it; accepts NULL. */
void eex_arena_release(eex_arena *arena);

#endif
