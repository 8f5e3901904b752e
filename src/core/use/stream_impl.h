/* Between the files of a stream: the comparison of two networks by the clock. */
#ifndef EEX_CORE_USE_STREAM_IMPL_H
#define EEX_CORE_USE_STREAM_IMPL_H

#include "core/use/stream.h"

#include "base/rng.h"

/* Batches from all over a stream, each as likely to be kept as any other (Vitter's algorithm R), in
 * constant memory. */
typedef struct eex__stream_sample {
    uint8_t *pixels; /* (room, batch, H, W, C) */
    size_t image_bytes;
    int batch, room, kept; /* kept: whole batches */
    int partial;           /* frames of the only batch, where no whole one came yet */
    uint64_t seen;
    eex_rng rng;
} eex__stream_sample;

int eex__stream_sample_begin(eex__stream_sample *out, const eex_stream_options *options);
void eex__stream_sample_end(eex__stream_sample *sample);

/* The next batch, of `count` frames. */
void eex__stream_sample_add(eex__stream_sample *sample, const uint8_t *pixels, int count);

/* Both run what was kept, in turns (race.h); s->speedup and what is beside it say what came of it.
 */
int eex__stream_race(eex_stream *s, const eex__stream_sample *sample, eex_engine *model,
                     eex_engine *base);

#endif
