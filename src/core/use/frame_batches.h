/* Batches of frames (core/frames/frames.h) for who classifies them. On a device that has a way for
 * uploads beside what runs (device/announced.h) the next batch is taken from the source before the
 * one in hand is run, as far as its frames are there without a wait; once it is complete its images
 * go up while the other one is calculated. Elsewhere, and where a queue may yet drop a frame for a
 * newer one, a batch is taken when it is asked for. What is in a batch is the same either way,
 * unless frames arrive by the clock. */
#ifndef EEX_CORE_USE_FRAME_BATCHES_H
#define EEX_CORE_USE_FRAME_BATCHES_H

#include "core/frames/frames.h"
#include "device/device.h"

typedef struct eex_frame_batches eex_frame_batches;

typedef struct eex_frame_batches_options {
    eex_frames *frames; /* borrowed */
    eex_device *device; /* borrowed: which the images are uploaded to as they lie; NULL: nothing
                         * goes ahead */
    size_t image_bytes;
    int batch;     /* frames, bad ones too */
    uint64_t most; /* good frames in all; 0: as many as come */
    bool live;     /* a batch is what is there, not what will come */
} eex_frame_batches_options;

/* Until the next one is asked for; what is in it is the caller's to change. */
typedef struct eex_frame_batch {
    eex_frame *frame; /* (all) as they came, bad ones too */
    uint8_t *pixels;  /* (good, H, W, C) of the good ones, in order */
    int all, good;
} eex_frame_batch;

/* EEX_ENOMEM; on a device that has a way for uploads beside what runs also as
 * eex_device_host_allocate. Closed before frames and device are. */
int eex_frame_batches_open(eex_frame_batches **out, const eex_frame_batches_options *options);
void eex_frame_batches_close(eex_frame_batches *batches); /* accepts NULL */

/* *out belongs to the batches, and is NULL at the end. When the source fails, what was taken before
 * comes first, then its code, from then on. */
int eex_frame_batches_next(eex_frame_batch **out, eex_frame_batches *batches);

#endif
