/* Simulated video: a data set's frames with irrelevant ones among them. */
#include "core/frames/frames_draw.h"
#include "core/frames/frames_impl.h"
#include "core/frames/frames_samples.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>

/* Purposes of random numbers: each has its own stream. */
enum { PLACES = 0x51, HALVES, ORDER, PICTURE };

static const uint64_t most_frames = 1ULL << 53; /* that are counted exactly */

typedef struct simulated {
    eex_frames base;
    eex__sampler from, foreign; /* foreign: without data when they are drawn */
    uint64_t seed;
    uint32_t *order; /* (from.count) of the relevant frames, for this pass */
    uint64_t relevant, irrelevant, irrelevant_left; /* so far, and to come */
} simulated;

/* Selection sampling: exactly as many as there have to be, every choice of places equally likely.
 */
static bool is_irrelevant(const simulated *s)
{
    const double u = eex_rng_hash_uniform(s->seed, PLACES, s->base.at);
    return u * (double)(s->base.total - s->base.at) < (double)s->irrelevant_left;
}

static void shuffle(simulated *s, uint64_t pass)
{
    eex_rng rng;
    eex_rng_seed(&rng, eex_rng_hash(s->seed, ORDER, pass), ORDER);
    for (uint32_t i = 0; i < s->from.count; i++)
        s->order[i] = i;
    eex_rng_shuffle(&rng, s->order, s->from.count);
}

static int relevant(simulated *s, eex_frame *frame, uint8_t *pixels)
{
    const uint64_t pass = s->relevant / s->from.count, place = s->relevant % s->from.count;
    if (place == 0)
        shuffle(s, pass);
    const uint32_t at = s->order[place];
    s->relevant++;
    frame->relevance = EEX_RELEVANT;
    frame->sample = s->from.samples[at];
    frame->label = eex_dataset_labels(s->from.data)[frame->sample];
    return eex__sampler_take(&s->from, pixels, &s->base.shape, at);
}

static int take_any(eex__sampler *from, uint8_t *pixels, const eex_frame_shape *shape, eex_rng *rng)
{
    return eex__sampler_take(from, pixels, shape, eex_rng_below(rng, from->count));
}

static int low_entropy(simulated *s, uint8_t *pixels, eex_rng *rng)
{
    const int kind = (int)eex_rng_below(rng, EEX__LOW_KINDS);
    if (eex__low_wants_sample(kind))
        EEX_TRY(take_any(&s->from, pixels, &s->base.shape, rng));
    return eex__draw_low(pixels, &s->base.shape, kind, rng);
}

static int foreign(simulated *s, uint8_t *pixels, eex_rng *rng)
{
    if (s->foreign.data)
        return take_any(&s->foreign, pixels, &s->base.shape, rng);
    const int kind = (int)eex_rng_below(rng, EEX__FOREIGN_KINDS);
    if (eex__foreign_wants_sample(kind))
        EEX_TRY(take_any(&s->from, pixels, &s->base.shape, rng));
    return eex__draw_foreign(pixels, &s->base.shape, kind, rng);
}

/* Of every two, one is of each kind. */
static int irrelevant(simulated *s, eex_frame *frame, uint8_t *pixels)
{
    eex_rng rng;
    const uint64_t pair = s->irrelevant / 2;
    const bool low = (s->irrelevant & 1) ^ (eex_rng_hash(s->seed, HALVES, pair) & 1);
    eex_rng_seed(&rng, eex_rng_hash(s->seed, PICTURE, s->base.at), PICTURE);
    s->irrelevant++;
    s->irrelevant_left--;
    frame->relevance = low ? EEX_LOW_ENTROPY : EEX_FOREIGN;
    return low ? low_entropy(s, pixels, &rng) : foreign(s, pixels, &rng);
}

static int simulated_next(eex_frames *frames, eex_frame *frame, uint8_t *pixels)
{
    simulated *s = (simulated *)frames;
    if (frames->at == frames->total) {
        frame->state = EEX_FRAME_END;
        return EEX_OK;
    }
    const int code = is_irrelevant(s) ? irrelevant(s, frame, pixels) : relevant(s, frame, pixels);
    return code < 0 && code != EEX_ENOMEM ? EEX_EIO : code;
}

static void simulated_close(eex_frames *frames)
{
    simulated *s = (simulated *)frames;
    eex__sampler_close(&s->from);
    eex__sampler_close(&s->foreign);
    free(s->order);
    free(s);
}

static const eex__frames_vtable simulated_vtable = {.next = simulated_next,
                                                    .close = simulated_close};

static int open_simulated(simulated *s, const eex_simulated *how)
{
    EEX_TRY(eex__sampler_open(&s->from, how->data, how->samples, how->count));
    if (how->foreign)
        EEX_TRY(
            eex__sampler_open(&s->foreign, how->foreign, how->foreign_samples, how->foreign_count));
    s->order = malloc(how->count * sizeof *s->order);
    if (!s->order)
        return eex_fail(EEX_ENOMEM, "out of memory for the order of %zu frames", how->count);
    s->seed = how->seed;
    s->base.total = how->frames ? how->frames : how->count;
    s->irrelevant_left = (uint64_t)llround(how->irrelevant * (double)s->base.total);
    return EEX_OK;
}

int eex_frames_open_simulated(eex_frames **out, const eex_frame_shape *shape,
                              const eex_simulated *how)
{
    EEX_TRY(eex__frames_check(out, shape));
    EEX_NEED(how, "description of the video");
    if (how->frames > most_frames)
        return eex_fail(EEX_EINVAL, "a simulated video of %llu frames: at most %llu are possible",
                        (unsigned long long)how->frames, (unsigned long long)most_frames);
    if (!(how->irrelevant >= 0 && how->irrelevant <= 1))
        return eex_fail(EEX_EINVAL, "a share of %g irrelevant frames: 0 to 1 expected",
                        how->irrelevant);
    simulated *s = eex__frames_new(sizeof *s, &simulated_vtable, shape);
    if (!s)
        return EEX_ENOMEM;
    const int code = open_simulated(s, how);
    if (code < 0) {
        simulated_close(&s->base);
        return code;
    }
    *out = &s->base;
    return EEX_OK;
}
