/* Uploads beside what runs: a stream of copies and a few places on the device.
 *
 * What is announced is copied to a place by the stream of copies, while the device's own stream
 * calculates; the upload that it was announced for is then a copy from there within the device's
 * memory, in that stream's order, for what runs has its addresses recorded. Two events order the
 * streams: nobody takes from a place before the copy to it has landed, and nothing is copied to a
 * place before the last who took from it has. */
#ifndef EEX_CUDA_AHEAD_H
#define EEX_CUDA_AHEAD_H

#include "cuda/cuda_device.h"

/* Stream and events; close accepts what open left behind, and waits. */
int eex__cuda_ahead_open(eex_cuda *cuda);
void eex__cuda_ahead_close(eex_cuda *cuda);

/* Of the device's vtable. */
int eex__cuda_ahead(eex_device *dev, const void *from, size_t bytes);
int eex__cuda_withdraw(eex_device *dev, const void *from);
int eex__cuda_host_allocate(eex_device *dev, void **out, size_t bytes);
void eex__cuda_host_release(eex_device *dev, void *memory);

/* Copies what was announced at `from` to `to`, in the order of the device's stream; *taken = false:
 * that is not there, and nothing was done. */
int eex__cuda_ahead_take(eex_cuda *cuda, void *to, const void *from, size_t bytes, bool *taken);

#endif
