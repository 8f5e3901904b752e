/* Announcing the images of batches one batch ahead (eex_device_ahead): which memory a device has
 * been told of, that of the batch in hand and that of the next one, so that nobody forgets to
 * withdraw it before it is written again. Of a device that has no way for uploads beside what runs
 * it asks nothing, and costs nothing. For one thread. Failures are the device's own, whose lock
 * they take; what was announced is then still withdrawn by eex_announced_end. */
#ifndef EEX_DEVICE_ANNOUNCED_H
#define EEX_DEVICE_ANNOUNCED_H

#include "device/device.h"

typedef struct eex_announced {
    eex_device *device; /* borrowed; NULL: there is none that wants to know */
    const void *held;   /* of the batch in hand; NULL: it was not announced */
    const void *next;   /* of the one behind it; likewise */
} eex_announced;

/* To a device, or, with NULL, to nobody. */
eex_announced eex_announced_to(eex_device *device);

/* The next batch, whose memory stays as it is until it was in hand and the turn came again. */
int eex_announced_next(eex_announced *a, const void *from, size_t bytes);

/* The batch in hand, where it was not announced in time: ahead of what the device still has to do
 * in front of it. */
int eex_announced_held(eex_announced *a, const void *from, size_t bytes);

/* Withdraws the batch in hand; the next one takes its place. */
int eex_announced_turn(eex_announced *a);

/* Withdraws the next one: another may come in its place. */
int eex_announced_revoke(eex_announced *a);

/* Withdraws both, whatever goes wrong. */
void eex_announced_end(eex_announced *a);

/* Memory for what is announced: of the device's kind, or of malloc where nothing is. *out belongs
 * to the caller, who gives it back before the device closes; release accepts NULL. */
int eex_announced_allocate(const eex_announced *a, void **out, size_t bytes);
void eex_announced_release(const eex_announced *a, void *memory);

#endif
