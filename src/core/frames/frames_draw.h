/* The irrelevant frames of a simulated video. Private to frames_*.c. */
#ifndef EEX_CORE_FRAMES_FRAMES_DRAW_H
#define EEX_CORE_FRAMES_FRAMES_DRAW_H

#include "core/frames/frames.h"

#include "base/rng.h"

enum {
    EEX__LOW_KINDS = 5,    /* black, one colour, gradient, blurred, out of focus */
    EEX__FOREIGN_KINDS = 4 /* texture, noise, shuffled patches, shapes */
};

/* Whether a kind is made of a sample, which `pixels` then holds beforehand. */
bool eex__low_wants_sample(int kind);
bool eex__foreign_wants_sample(int kind);

/* Draw over pixels, (height, width, channels). */
int eex__draw_low(uint8_t *pixels, const eex_frame_shape *shape, int kind, eex_rng *rng);
int eex__draw_foreign(uint8_t *pixels, const eex_frame_shape *shape, int kind, eex_rng *rng);

#endif
