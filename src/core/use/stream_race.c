#include "core/engine/race.h"
#include "core/use/stream_impl.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

enum { FRAMES = 1024, BYTES = 32 << 20, ROUNDS = 11, SECONDS = 10 };

int eex__stream_sample_begin(eex__stream_sample *out, const eex_stream_options *o)
{
    const size_t bytes = (size_t)o->batch * o->image_bytes;
    const size_t fit = BYTES / bytes, some = (size_t)(FRAMES / o->batch);
    const size_t room = fit < some ? fit : some;
    *out = (eex__stream_sample){.image_bytes = o->image_bytes, .batch = o->batch};
    out->room = room > 0 ? (int)room : 1;
    eex_rng_seed(&out->rng, 0, 0);
    out->pixels = malloc((size_t)out->room * bytes);
    return out->pixels ? EEX_OK
                       : eex_fail(EEX_ENOMEM, "out of memory for %d frames to compare networks on",
                                  out->room * o->batch);
}

void eex__stream_sample_end(eex__stream_sample *s)
{
    free(s->pixels);
    *s = (eex__stream_sample){.pixels = NULL};
}

static void keep(eex__stream_sample *s, uint64_t place, const uint8_t *pixels, int count)
{
    memcpy(s->pixels + place * (uint64_t)s->batch * s->image_bytes, pixels,
           (size_t)count * s->image_bytes);
}

void eex__stream_sample_add(eex__stream_sample *s, const uint8_t *pixels, int count)
{
    if (count < s->batch) {
        if (s->kept == 0) {
            keep(s, 0, pixels, count);
            s->partial = count;
        }
        return;
    }
    const uint64_t place =
        s->kept < s->room ? (uint64_t)s->kept++ : eex_rng_below(&s->rng, s->seen + 1);
    s->seen++;
    if (place < (uint64_t)s->room)
        keep(s, place, pixels, count);
}

int eex__stream_race(eex_stream *s, const eex__stream_sample *sample, eex_engine *model,
                     eex_engine *base)
{
    const int batch = sample->kept ? sample->batch : sample->partial;
    eex_racer racer[] = {{.engine = base}, {.engine = model}};
    eex_race how = {.images = sample->pixels,
                    .image_bytes = sample->image_bytes,
                    .count = sample->kept ? sample->kept * batch : batch,
                    .batch = batch,
                    .rounds = ROUNDS,
                    .seconds = SECONDS,
                    .title = "comparing"};
    EEX_TRY(eex_race_run(racer, 2, &how));
    s->speedup = eex_race_speedup(&racer[0], &racer[1]);
    s->raced = how.count;
    s->rounds = how.ran;
    return EEX_OK;
}
