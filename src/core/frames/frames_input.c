/* The standard input as a source: names of image files, or one image. */
#include "core/data/image_end.h"
#include "core/frames/frames_bytes.h"
#include "core/frames/frames_impl.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/status.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

typedef struct input {
    eex_frames base;
    eex__bytes bytes;
    bool image; /* one; else names */
    const char *const *classes;
    size_t class_count;
    char *names[EEX_FRAME_NAMES + 1];
    size_t at;
} input;

/* ---- what it is ---- */

/* How image files begin: as many bytes as no name of a file has. */
static const struct {
    const char *bytes;
    size_t size, from;
} beginnings[] = {{"\xff\xd8", 2, 0}, {"\x89PNG", 4, 0}, {"II*\0", 4, 0}, {"MM\0*", 4, 0},
                  {"II+\0", 4, 0},    {"MM\0+", 4, 0},   {"WEBP", 4, 8}};
enum { BEGINNINGS = sizeof beginnings / sizeof *beginnings };

/* 1: it is an image, 0: none, -1: more bytes would tell. */
static int begins_as_image(const uint8_t *data, size_t there)
{
    int said = 0;
    for (int i = 0; i < BEGINNINGS; i++) {
        const size_t from = beginnings[i].from, size = beginnings[i].size;
        const size_t front = from && there < 4 ? there : 4; /* of "RIFF" */
        if (from && memcmp(data, "RIFF", front) != 0)
            continue;
        const size_t seen = there < from ? 0 : there - from < size ? there - from : size;
        if (memcmp(data + (seen ? from : 0), beginnings[i].bytes, seen) != 0)
            continue;
        if (seen == size)
            return 1;
        said = -1;
    }
    return said;
}

/* Not a byte more is waited for than is needed: whoever writes names may wait for an answer. */
static int find_out(input *in)
{
    for (size_t there = 1;; there++) {
        EEX_TRY(eex__bytes_want(&in->bytes, there));
        there = eex__bytes_there(&in->bytes);
        const int said = there ? begins_as_image(eex__bytes_at(&in->bytes), there) : 0;
        in->image = said == 1;
        if (said >= 0 || in->bytes.ended)
            return EEX_OK;
    }
}

/* ---- one image ---- */

/* Images one behind the other, as `cat` makes them: the first is taken. */
static void tell_behind(input *in, size_t size)
{
    const uint8_t *data = eex__bytes_at(&in->bytes);
    const size_t end = eex_image_end(data, size);
    if (end && begins_as_image(data + end, size - end) == 1)
        eex_log_warn("%s: more than one image, of which the first is taken: give the others by "
                     "name, a line each",
                     in->bytes.name);
}

static int next_image(input *in, eex_frame *frame, uint8_t *pixels)
{
    eex_image image = {0, 0, 0, NULL};
    eex__bytes *b = &in->bytes;
    frame->name = b->name;
    EEX_TRY(eex__bytes_want(b, (size_t)EEX_IMAGE_MAX_BYTES + 1));
    const size_t size = eex__bytes_there(b);
    int code = size > EEX_IMAGE_MAX_BYTES
                   ? eex_fail(EEX_EFORMAT, "%s: an image of more than %d MiB", b->name,
                              EEX_IMAGE_MAX_BYTES >> 20)
                   : eex_image_decode(&image, eex__bytes_at(b), size,
                                      eex__frames_enough(&in->base.shape), b->name);
    if (code == EEX_OK) {
        eex__frames_tell_more(&in->base, eex__bytes_at(b), size, b->name);
        tell_behind(in, size);
    }
    eex__bytes_take(b, size);
    if (code == EEX_OK)
        code = eex__frames_resize(pixels, &in->base.shape, &image);
    eex_image_free(&image);
    return code;
}

/* ---- names ---- */

/* Looks for the end of the line: *length bytes of it are there; of those that are too long only a
 * part. *ended: the line is whole. */
static int take_line(input *in, size_t *length, bool *ended)
{
    eex__bytes *b = &in->bytes;
    for (size_t seen = 0;;) {
        const size_t there = eex__bytes_there(b);
        const uint8_t *end =
            there > seen ? memchr(eex__bytes_at(b) + seen, '\n', there - seen) : NULL;
        *length = end ? (size_t)(end - eex__bytes_at(b)) : there;
        *ended = end || b->ended;
        if (*ended || there > PATH_MAX)
            return EEX_OK;
        seen = there;
        EEX_TRY(eex__bytes_want(b, there + 1));
    }
}

static int refuse_long(input *in, eex_frame *frame, size_t length, bool ended)
{
    frame->name = in->bytes.name; /* its own is not kept */
    while (!ended) {
        eex__bytes_take(&in->bytes, length);
        EEX_TRY(take_line(in, &length, &ended));
    }
    eex__bytes_take(&in->bytes, length + (eex__bytes_there(&in->bytes) > length));
    return eex_fail(EEX_EFORMAT, "%s: name %llu has more than %d bytes", in->bytes.name,
                    (unsigned long long)frame->number + 1, PATH_MAX - 1);
}

/* Keeps the name for as long as the frame may be looked at. */
static int keep_name(input *in, eex_frame *frame, size_t length)
{
    char **place = &in->names[in->at];
    free(*place);
    *place = malloc(length + 1);
    if (!*place)
        return eex_fail(EEX_ENOMEM, "out of memory for the name of an image");
    memcpy(*place, eex__bytes_at(&in->bytes), length);
    (*place)[length] = '\0';
    in->at = (in->at + 1) % (EEX_FRAME_NAMES + 1);
    eex__bytes_take(&in->bytes, length + (eex__bytes_there(&in->bytes) > length));
    frame->name = *place;
    return EEX_OK;
}

static int set_label(const input *in, eex_frame *frame)
{
    char *folder;
    EEX_TRY(eex_path_folder(&folder, frame->name));
    frame->label = eex__frames_label(in->classes, in->class_count, folder);
    free(folder);
    return EEX_OK;
}

static int next_name(input *in, eex_frame *frame, uint8_t *pixels)
{
    size_t length;
    bool ended;
    EEX_TRY(take_line(in, &length, &ended));
    if (length >= PATH_MAX)
        return refuse_long(in, frame, length, ended);
    if (length == 0 && eex__bytes_there(&in->bytes) == 0) {
        frame->state = EEX_FRAME_END;
        return EEX_OK;
    }
    EEX_TRY(keep_name(in, frame, length));
    if (length == 0 || strlen(frame->name) != length)
        return eex_fail(EEX_EFORMAT, "%s: name %llu %s", in->bytes.name,
                        (unsigned long long)frame->number + 1,
                        length ? "holds a byte of 0" : "is empty");
    EEX_TRY(set_label(in, frame));
    const int code = eex__frames_read_file(&in->base, pixels, frame->name);
    if (code == EEX_ENOTFOUND || code == EEX_EIO || code == EEX_EFORMAT)
        return frame->name[length - 1] == '\r'
                   ? eex_fail(code, "%s; its line ends in CR LF: take the CR out (tr -d '\\r')",
                              eex_error())
                   : code;
    return code;
}

/* ---- the source ---- */

static int input_next(eex_frames *frames, eex_frame *frame, uint8_t *pixels)
{
    input *in = (input *)frames;
    if (frames->at == 0)
        EEX_TRY(find_out(in));
    if (!in->image)
        return next_name(in, frame, pixels);
    if (frames->at == 0)
        return next_image(in, frame, pixels);
    frame->state = EEX_FRAME_END;
    return EEX_OK;
}

/* An error comes again when the frame is asked for. */
static bool input_ready(eex_frames *frames)
{
    input *in = (input *)frames;
    eex__bytes *b = &in->bytes;
    for (size_t seen = 0; !in->image;) {
        bool more = true;
        const size_t there = eex__bytes_there(b);
        if (there > seen && memchr(eex__bytes_at(b) + seen, '\n', there - seen))
            return true;
        seen = there;
        if (there > PATH_MAX || b->ended || eex__bytes_ready(b, there + 1, &more) < 0)
            return true;
        if (!more)
            return false;
    }
    return true;
}

static void input_close(eex_frames *frames)
{
    input *in = (input *)frames;
    eex__bytes_close(&in->bytes);
    for (size_t i = 0; i <= EEX_FRAME_NAMES; i++)
        free(in->names[i]);
    free(in);
}

static const eex__frames_vtable input_vtable = {
    .next = input_next, .close = input_close, .ready = input_ready};

int eex_frames_open_input(eex_frames **out, const eex_frame_shape *shape,
                          const char *const *classes, size_t class_count)
{
    EEX_TRY(eex__frames_check(out, shape));
    if (class_count)
        EEX_NEED(classes, "names of classes");
    for (size_t c = 0; c < class_count; c++)
        EEX_NEED(classes[c], "name of a class");
    input *in = eex__frames_new(sizeof *in, &input_vtable, shape);
    if (!in)
        return EEX_ENOMEM;
    in->classes = classes;
    in->class_count = class_count;
    const int code = eex__bytes_open_text(&in->bytes, "-", &in->base.stopped);
    if (code < 0) {
        input_close(&in->base);
        return code;
    }
    *out = &in->base;
    return EEX_OK;
}
