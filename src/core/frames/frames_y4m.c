/* YUV4MPEG2: a line that says what the video is, then frames: a line that begins with "FRAME" and
 * the planes Y, Cb, Cr.
 *
 * A frame that lacks bytes has swallowed the beginning of the next one, and with it its line. So
 * the planes are looked through for such a line; when there is one and none where it should be,
 * the frame was cut off there. Frames are therefore never a frame late. */
#include "core/frames/frames_y4m.h"

#include "core/frames/frames_bytes.h"
#include "core/frames/frames_impl.h"
#include "core/frames/video.h"

#include "base/fs.h"
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char magic[] = "YUV4MPEG2", mark[] = "FRAME";
enum { MAGIC = sizeof magic - 1, MARK = sizeof mark - 1 };

typedef struct y4m {
    eex_frames base;
    eex__bytes bytes;
    eex__y4m_video video;
    size_t frame;      /* bytes of its planes */
    uint8_t *shrunken; /* (3, height, width) planes of the size that is wanted */
} y4m;

/* ---- finding frames ---- */

/* Whether a frame's line begins there, as far as `size` bytes can tell. */
static bool is_mark(const uint8_t *at, size_t size)
{
    return size > MARK && memcmp(at, mark, MARK) == 0 && (at[MARK] == '\n' || at[MARK] == ' ');
}

/* The first mark in the bytes, or NULL. */
static const uint8_t *find_mark(const uint8_t *at, size_t size)
{
    while (size > MARK) {
        const uint8_t *found = memmem(at, size - 1, mark, MARK);
        if (!found)
            return NULL;
        size -= (size_t)(found - at);
        if (is_mark(found, size))
            return found;
        at = found + 1;
        size--;
    }
    return NULL;
}

/* Leaves out what belongs to no frame. There has to be a next one within reach. */
static int resynchronise(y4m *v)
{
    const size_t reach = ((size_t)16 << 20) + 4 * v->frame;
    size_t left_out = 0;
    for (;;) {
        EEX_TRY(eex__bytes_want(&v->bytes, 2 * MARK));
        const size_t there = eex__bytes_there(&v->bytes);
        const uint8_t *at = eex__bytes_at(&v->bytes), *found = there ? find_mark(at, there) : NULL;
        const size_t skip = found ? (size_t)(found - at) : there > MARK ? there - MARK : there;
        eex__bytes_take(&v->bytes, skip);
        left_out += skip;
        if (found || there <= MARK)
            return eex_fail(EEX_EFORMAT, "%s: %zu bytes between frames belong to none",
                            v->bytes.name, left_out);
        if (left_out > reach)
            return eex_fail(EEX_EIO, "%s: no frame within %zu bytes: this is no YUV4MPEG2 any more",
                            v->bytes.name, left_out);
    }
}

/* The frame lacks bytes: leaves out what is there of it. */
static int cut_off(y4m *v, const eex_frame *frame, size_t there)
{
    eex__bytes_take(&v->bytes, there);
    return eex_fail(EEX_EFORMAT, "%s: frame %llu is cut off: %zu of %zu bytes", v->bytes.name,
                    (unsigned long long)frame->number, there, v->frame);
}

/* Waits for all planes of a frame. */
static int want_planes(y4m *v, const eex_frame *frame)
{
    EEX_TRY(eex__bytes_want(&v->bytes, v->frame));
    const size_t there = eex__bytes_there(&v->bytes);
    const size_t own = there < v->frame ? there : v->frame;
    const uint8_t *inside = own ? find_mark(eex__bytes_at(&v->bytes), own) : NULL;
    if (inside) { /* it may be so by chance: is there one behind the planes too? */
        const size_t before = (size_t)(inside - eex__bytes_at(&v->bytes));
        EEX_TRY(eex__bytes_want(&v->bytes, v->frame + MARK + 1));
        const size_t now = eex__bytes_there(&v->bytes);
        const bool fits =
            now == v->frame ||
            (now > v->frame && is_mark(eex__bytes_at(&v->bytes) + v->frame, now - v->frame));
        if (!fits)
            return cut_off(v, frame, before);
    }
    return own < v->frame ? cut_off(v, frame, own) : EEX_OK;
}

static int y4m_next(eex_frames *frames, eex_frame *frame, uint8_t *pixels)
{
    y4m *v = (y4m *)frames;
    size_t line = 0;
    EEX_TRY(eex__bytes_want(&v->bytes, MARK + 1));
    const size_t there = eex__bytes_there(&v->bytes);
    if (there == 0) {
        frame->state = EEX_FRAME_END;
        return EEX_OK;
    }
    if (!is_mark(eex__bytes_at(&v->bytes), there))
        return resynchronise(v);
    const int code = eex__bytes_line(&v->bytes, &line, EEX_FRAME_LINE);
    eex__bytes_take(&v->bytes, code < 0 ? MARK : line + 1);
    EEX_TRY(code);
    EEX_TRY(want_planes(v, frame));
    const int done =
        eex__y4m_convert(pixels, &frames->shape, &v->video, eex__bytes_at(&v->bytes), v->shrunken);
    eex__bytes_take(&v->bytes, v->frame);
    return done;
}

static void y4m_close(eex_frames *frames)
{
    y4m *v = (y4m *)frames;
    eex__bytes_close(&v->bytes);
    free(v->shrunken);
    free(v);
}

/* ---- opening ---- */

static const eex__frames_vtable y4m_vtable = {.next = y4m_next, .close = y4m_close};

static bool begins_as_video(eex__bytes *b)
{
    return eex__bytes_there(b) >= MAGIC && memcmp(eex__bytes_at(b), magic, MAGIC) == 0;
}

/* Says what it is when it is a video of another kind. */
static int refuse_beginning(eex__bytes *bytes)
{
    const bool in = !bytes->owned && bytes->descriptor >= 0;
    const char *kind = eex_video_kind(eex__bytes_at(bytes), eex__bytes_there(bytes), NULL);
    if (kind)
        return eex_video_refuse(in ? "-" : bytes->name, kind, "RUN");
    return eex_fail(EEX_EFORMAT, "%s: it does not begin with \"%s\"%s", bytes->name, magic,
                    eex__bytes_there(bytes) ? "" : ": it is empty");
}

static int read_header(y4m *v)
{
    char line[EEX_FRAME_LINE];
    size_t length = 0;
    EEX_TRY(eex__bytes_want(&v->bytes, MAGIC));
    if (!begins_as_video(&v->bytes))
        return refuse_beginning(&v->bytes);
    EEX_TRY(eex__bytes_line(&v->bytes, &length, sizeof line - 1));
    memcpy(line, eex__bytes_at(&v->bytes), length);
    line[length] = '\0';
    eex__bytes_take(&v->bytes, length + 1);
    EEX_TRY(eex__y4m_header(&v->video, line + MAGIC, v->bytes.name));
    v->frame = eex__y4m_bytes(&v->video);
    return EEX_OK;
}

static int y4m_finish(eex_frames **out, y4m *v, int code)
{
    const size_t pixels = (size_t)v->base.shape.height * (size_t)v->base.shape.width;
    if (code == EEX_OK)
        code = read_header(v);
    if (code == EEX_OK && !(v->shrunken = malloc(3 * pixels)))
        code = eex_fail(EEX_ENOMEM, "out of memory for the planes of a frame");
    if (code < 0)
        y4m_close(&v->base);
    *out = code < 0 ? NULL : &v->base;
    return code;
}

int eex__frames_open_y4m_bytes(eex_frames **out, const eex_frame_shape *shape, eex__bytes *bytes)
{
    y4m *v = eex__frames_new(sizeof *v, &y4m_vtable, shape);
    *out = NULL;
    if (!v) {
        eex__bytes_close(bytes);
        return EEX_ENOMEM;
    }
    v->bytes = *bytes;
    v->bytes.stopped = &v->base.stopped;
    return y4m_finish(out, v, EEX_OK);
}

int eex_frames_open_y4m(eex_frames **out, const eex_frame_shape *shape, const char *path)
{
    eex__bytes bytes;
    EEX_TRY(eex__frames_check(out, shape));
    EEX_NEED(path, "path");
    EEX_TRY(eex__bytes_open(&bytes, path, NULL));
    return eex__frames_open_y4m_bytes(out, shape, &bytes);
}

int eex_frames_parse_y4m(eex_frames **out, const eex_frame_shape *shape, const void *data,
                         size_t size)
{
    eex__bytes bytes;
    EEX_TRY(eex__frames_check(out, shape));
    if (size)
        EEX_NEED(data, "data");
    EEX_TRY(eex__bytes_parse(&bytes, data, size, NULL));
    return eex__frames_open_y4m_bytes(out, shape, &bytes);
}

/* ---- by what a path is ---- */

int eex_frames_open_path(eex_frames **out, const eex_frame_shape *shape, const char *path,
                         const char *const *classes, size_t class_count)
{
    eex__bytes bytes;
    EEX_TRY(eex__frames_check(out, shape));
    EEX_NEED(path, "path");
    const bool in = strcmp(path, "-") == 0;
    if (!in && eex_fs_is_folder(path))
        return eex_frames_open_files(out, shape, &path, 1, classes, class_count);
    EEX_TRY(eex__bytes_open(&bytes, path, NULL));
    const int code = eex__bytes_want(&bytes, MAGIC);
    const bool video = code == EEX_OK && (in || begins_as_video(&bytes));
    if (video)
        return eex__frames_open_y4m_bytes(out, shape, &bytes);
    eex__bytes_close(&bytes);
    return code < 0 ? code : eex_frames_open_files(out, shape, &path, 1, classes, class_count);
}
