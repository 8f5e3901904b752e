/* Samples of a data set. */
#include "core/frames/frames_samples.h"

#include "core/frames/frames_impl.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

/* ---- one sample at a network's size ---- */

int eex__sampler_open(eex__sampler *s, eex_dataset *data, const uint32_t *samples, size_t count)
{
    *s = (eex__sampler){.data = data, .count = count};
    EEX_NEED(data, "data set");
    const eex_dataset_info *info = eex_dataset_facts(data);
    if (count == 0)
        return eex_fail(EEX_EINVAL, "%s: there are no samples to take", info->name);
    EEX_NEED(samples, "list of samples");
    if (count > UINT32_MAX)
        return eex_fail(EEX_EINVAL, "%s: a list of %zu samples, expected at most %u", info->name,
                        count, UINT32_MAX);
    for (size_t i = 0; i < count; i++)
        if (samples[i] >= info->samples)
            return eex_fail(EEX_EINVAL, "sample %u: data set \"%s\" has %u", samples[i], info->name,
                            info->samples);
    s->samples = malloc(count * sizeof *s->samples);
    s->image = (eex_image){info->width, info->height, info->channels, NULL};
    s->image.pixels = malloc((size_t)info->width * (size_t)info->height * (size_t)info->channels);
    if (!s->samples || !s->image.pixels) {
        eex__sampler_close(s);
        return eex_fail(EEX_ENOMEM, "out of memory for a list of %zu samples", count);
    }
    memcpy(s->samples, samples, count * sizeof *s->samples);
    return EEX_OK;
}

void eex__sampler_close(eex__sampler *s)
{
    free(s->samples);
    eex_image_free(&s->image);
    *s = (eex__sampler){.data = NULL};
}

int eex__sampler_take(eex__sampler *s, uint8_t *pixels, const eex_frame_shape *shape, size_t at)
{
    const eex_image *i = &s->image;
    if (i->width == shape->width && i->height == shape->height && i->channels == shape->channels)
        return eex_dataset_gather(pixels, s->data, &s->samples[at], 1);
    EEX_TRY(eex_dataset_gather(i->pixels, s->data, &s->samples[at], 1));
    return eex_image_resize(pixels, shape->width, shape->height, shape->channels, i, shape->fit);
}

/* ---- the source ---- */

typedef struct samples {
    eex_frames base;
    eex__sampler from;
} samples;

static int samples_next(eex_frames *frames, eex_frame *frame, uint8_t *pixels)
{
    samples *s = (samples *)frames;
    if (frames->at == s->from.count) {
        frame->state = EEX_FRAME_END;
        return EEX_OK;
    }
    frame->sample = s->from.samples[frames->at];
    frame->label = eex_dataset_labels(s->from.data)[frame->sample];
    frame->relevance = EEX_RELEVANT;
    /* A data set that cannot be read will not get better with the next sample. */
    const int code = eex__sampler_take(&s->from, pixels, &frames->shape, frames->at);
    return code < 0 && code != EEX_ENOMEM ? EEX_EIO : code;
}

static void samples_close(eex_frames *frames)
{
    samples *s = (samples *)frames;
    eex__sampler_close(&s->from);
    free(s);
}

static const eex__frames_vtable samples_vtable = {.next = samples_next, .close = samples_close};

int eex_frames_open_samples(eex_frames **out, const eex_frame_shape *shape, eex_dataset *data,
                            const uint32_t *list, size_t count)
{
    EEX_TRY(eex__frames_check(out, shape));
    samples *s = eex__frames_new(sizeof *s, &samples_vtable, shape);
    if (!s)
        return EEX_ENOMEM;
    const int code = eex__sampler_open(&s->from, data, list, count);
    if (code < 0) {
        samples_close(&s->base);
        return code;
    }
    s->base.total = count;
    *out = &s->base;
    return EEX_OK;
}
