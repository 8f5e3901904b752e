/* Raw video: nothing but pixels. */
#include "core/frames/frames_bytes.h"
#include "core/frames/frames_impl.h"

#include "base/status.h"

#include <stdlib.h>

typedef struct rgb {
    eex_frames base;
    eex__bytes bytes;
    int width, height;
    size_t frame; /* bytes */
} rgb;

static int rgb_next(eex_frames *frames, eex_frame *frame, uint8_t *pixels)
{
    rgb *r = (rgb *)frames;
    const eex_frame_shape *s = &frames->shape;
    EEX_TRY(eex__bytes_want(&r->bytes, r->frame));
    const size_t there = eex__bytes_there(&r->bytes);
    if (there == 0) {
        frame->state = EEX_FRAME_END;
        return EEX_OK;
    }
    if (there < r->frame) {
        eex__bytes_take(&r->bytes, there);
        return eex_fail(EEX_EFORMAT, "%s: frame %llu is cut off: %zu of %zu bytes", r->bytes.name,
                        (unsigned long long)frame->number, there, r->frame);
    }
    const eex_image image = {r->width, r->height, 3, eex__bytes_at(&r->bytes)};
    const int code = eex_image_resize(pixels, s->width, s->height, s->channels, &image, s->fit);
    eex__bytes_take(&r->bytes, r->frame);
    return code;
}

static void rgb_close(eex_frames *frames)
{
    rgb *r = (rgb *)frames;
    eex__bytes_close(&r->bytes);
    free(r);
}

static const eex__frames_vtable rgb_vtable = {.next = rgb_next, .close = rgb_close};

static int rgb_new(rgb **out, const eex_frame_shape *shape, int width, int height)
{
    *out = NULL;
    if (width < 1 || height < 1 || width > EEX_IMAGE_MAX_SIDE || height > EEX_IMAGE_MAX_SIDE ||
        (int64_t)width * height > EEX_IMAGE_MAX_PIXELS)
        return eex_fail(EEX_EINVAL,
                        "raw frames of %dx%d pixels: 1 to %d a side and at most %d million in all "
                        "are read",
                        width, height, EEX_IMAGE_MAX_SIDE, EEX_IMAGE_MAX_PIXELS >> 20);
    *out = eex__frames_new(sizeof **out, &rgb_vtable, shape);
    if (!*out)
        return EEX_ENOMEM;
    (*out)->bytes.descriptor = -1;
    (*out)->width = width;
    (*out)->height = height;
    (*out)->frame = (size_t)width * (size_t)height * 3;
    return EEX_OK;
}

static int rgb_finish(eex_frames **out, rgb *r, int code)
{
    if (code < 0)
        rgb_close(&r->base);
    *out = code < 0 ? NULL : &r->base;
    return code;
}

int eex_frames_open_rgb(eex_frames **out, const eex_frame_shape *shape, const char *path, int width,
                        int height)
{
    rgb *r;
    EEX_TRY(eex__frames_check(out, shape));
    EEX_NEED(path, "path");
    EEX_TRY(rgb_new(&r, shape, width, height));
    return rgb_finish(out, r, eex__bytes_open(&r->bytes, path, &r->base.stopped));
}

int eex_frames_parse_rgb(eex_frames **out, const eex_frame_shape *shape, const void *data,
                         size_t size, int width, int height)
{
    rgb *r;
    EEX_TRY(eex__frames_check(out, shape));
    if (size)
        EEX_NEED(data, "data");
    EEX_TRY(rgb_new(&r, shape, width, height));
    return rgb_finish(out, r, eex__bytes_parse(&r->bytes, data, size, &r->base.stopped));
}
