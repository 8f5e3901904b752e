/* Single samples of a data set at the size that a network reads. Private to frames_*.c. */
#ifndef EEX_CORE_FRAMES_FRAMES_SAMPLES_H
#define EEX_CORE_FRAMES_FRAMES_SAMPLES_H

#include "core/frames/frames.h"

typedef struct eex__sampler {
    eex_dataset *data; /* borrowed */
    uint32_t *samples; /* (count) */
    size_t count;
    eex_image image; /* one, of the data set's own size */
} eex__sampler;

int eex__sampler_open(eex__sampler *s, eex_dataset *data, const uint32_t *samples, size_t count);
void eex__sampler_close(eex__sampler *s); /* accepts {0}; leaves {0} */
int eex__sampler_take(eex__sampler *s, uint8_t *pixels, const eex_frame_shape *shape, size_t at);

#endif
