#include "core/frames/frames_impl.h"

#include "base/log.h"
#include "base/signals.h"
#include "base/status.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>

enum { SEVERAL_SHOWN = 10 }; /* warnings about files of several pages or frames */

int eex__frames_check(eex_frames **out, const eex_frame_shape *shape)
{
    EEX_NEED(out, "place for the frames");
    *out = NULL;
    EEX_NEED(shape, "shape");
    const eex_frame_shape *s = shape;
    if (s->height < 1 || s->width < 1 || s->height > EEX_IMAGE_MAX_SIDE ||
        s->width > EEX_IMAGE_MAX_SIDE || (int64_t)s->height * s->width > EEX_IMAGE_MAX_PIXELS ||
        (s->channels != 1 && s->channels != 3))
        return eex_fail(EEX_EINVAL,
                        "frames of %dx%dx%d: 1 to %d pixels a side, at most %d million in all, and "
                        "1 or 3 channels are possible",
                        s->height, s->width, s->channels, EEX_IMAGE_MAX_SIDE,
                        EEX_IMAGE_MAX_PIXELS >> 20);
    if (s->fit != EEX_FIT_CROP && s->fit != EEX_FIT_SQUASH)
        return eex_fail(EEX_EINVAL, "frames: there is no fit %d", (int)s->fit);
    return EEX_OK;
}

void *eex__frames_new(size_t size, const eex__frames_vtable *vtable, const eex_frame_shape *shape)
{
    eex_frames *frames = calloc(1, size);
    if (!frames) {
        eex_fail(EEX_ENOMEM, "out of memory for a source of frames");
        return NULL;
    }
    frames->vtable = vtable;
    frames->shape = *shape;
    return frames;
}

static void set_bad(eex_frame *frame)
{
    frame->state = EEX_FRAME_BAD;
    snprintf(frame->problem, sizeof frame->problem, "%s", eex_error());
}

int eex_frames_next(eex_frames *frames, eex_frame *frame, uint8_t *pixels)
{
    EEX_NEED(frames, "frames");
    EEX_NEED(frame, "frame");
    EEX_NEED(pixels, "pixels");
    *frame = (eex_frame){.state = EEX_FRAME_GOOD, .sample = -1, .label = -1};
    frame->number = frames->at;
    if (eex_interrupted())
        return eex_fail(EEX_EINTERRUPTED, "interrupted");
    if (frames->ended) {
        frame->state = EEX_FRAME_END;
        return EEX_OK;
    }
    const int code = frames->vtable->next(frames, frame, pixels);
    if (code == EEX_ENOMEM || code == EEX_EINTERRUPTED || code == EEX_EIO)
        return code;
    if (code < 0)
        set_bad(frame);
    frames->ended = frame->state == EEX_FRAME_END;
    frames->at += !frames->ended;
    return EEX_OK;
}

/* ---- files with more than one image ---- */

void eex__frames_tell_more(eex_frames *frames, const void *data, size_t size, const char *name)
{
    const int count = eex_image_count(data, size);
    if (count > 1 && frames->several++ < SEVERAL_SHOWN)
        eex_log_warn("%s: %s%d pages or frames, of which the first is taken%s", name,
                     count == EEX_IMAGE_MAX_COUNTED ? "at least " : "", count,
                     frames->several == SEVERAL_SHOWN ? " (more of these are only counted)" : "");
}

static void tell_others(const eex_frames *frames)
{
    const unsigned long long more = frames->several - SEVERAL_SHOWN;
    if (frames->several > SEVERAL_SHOWN)
        eex_log_warn("%llu more file%s of several pages or frames, of which the first was taken",
                     more, eex_plural((int64_t)more));
}

void eex_frames_close(eex_frames *frames)
{
    if (!frames)
        return;
    tell_others(frames);
    frames->vtable->close(frames);
}

uint64_t eex_frames_total(const eex_frames *frames)
{
    return frames ? frames->total : 0;
}

uint64_t eex_frames_dropped(eex_frames *frames)
{
    return frames && frames->vtable->dropped ? frames->vtable->dropped(frames) : 0;
}

bool eex_frames_ready(eex_frames *frames)
{
    return frames && (!frames->vtable->ready || frames->vtable->ready(frames));
}

bool eex_frames_drops(const eex_frames *frames)
{
    return frames && frames->drops;
}

bool eex_frames_reads(const eex_frames *frames, const char *path)
{
    return frames && path && frames->vtable->reads && frames->vtable->reads(frames, path);
}

size_t eex_frames_widest_name(const eex_frames *frames)
{
    return frames ? frames->widest : 0;
}

void eex__frames_stop(eex_frames *frames)
{
    frames->stopped = true;
    if (frames->vtable->stop)
        frames->vtable->stop(frames);
}
