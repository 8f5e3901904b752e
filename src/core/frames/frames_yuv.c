/* The header of a YUV4MPEG2 stream, and its planes to pixels: the planes are resized first, each
 * for itself, so that only the few pixels that the network reads are converted. */
#include "core/frames/frames_y4m.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- header ---- */

static const struct {
    const char *name;
    int across, down;
} spaces[] = {{"420", 2, 2}, {"420jpeg", 2, 2}, {"420mpeg2", 2, 2}, {"420paldv", 2, 2},
              {"422", 2, 1}, {"444", 1, 1},     {"mono", 0, 0}};
enum { SPACES = sizeof spaces / sizeof *spaces };

static int set_space(eex__y4m_video *v, const char *space, const char *name)
{
    for (int i = 0; i < SPACES; i++)
        if (strcasecmp(spaces[i].name, space) == 0) {
            v->across = spaces[i].across;
            v->down = spaces[i].down;
            return EEX_OK;
        }
    return eex_fail(EEX_EUNSUPPORTED,
                    "%s: colour space C%.40s: C420, C420jpeg, C420mpeg2, C420paldv, C422, C444 and "
                    "Cmono at 8 bits are read (`ffmpeg ... -pix_fmt yuv420p` makes one of them)",
                    name, space);
}

static int set_side(int *out, const char *text, const char *what, const char *name)
{
    char *end;
    const long value = strtol(text, &end, 10);
    if (end == text || *end || value < 1 || value > EEX_IMAGE_MAX_SIDE)
        return eex_fail(EEX_EFORMAT, "%s: a %s of \"%.40s\": 1 to %d expected", name, what, text,
                        EEX_IMAGE_MAX_SIDE);
    *out = (int)value;
    return EEX_OK;
}

/* *hint becomes what mjpegtools' own parameter says of the colour space, for streams without C. */
static int set_parameter(eex__y4m_video *v, const char **hint, const char *word, const char *name)
{
    switch (word[0]) {
    case 'W':
        return set_side(&v->width, word + 1, "width", name);
    case 'H':
        return set_side(&v->height, word + 1, "height", name);
    case 'C':
        return set_space(v, word + 1, name);
    case 'X':
        if (strncmp(word, "XCOLORRANGE=", 12) == 0)
            v->full = strcmp(word + 12, "FULL") == 0;
        else if (strncmp(word, "XYSCSS=", 7) == 0)
            *hint = word + 7;
        return EEX_OK;
    default: /* frame rate, interlacing, aspect: no matter here */
        return EEX_OK;
    }
}

int eex__y4m_header(eex__y4m_video *out, char *parameters, const char *name)
{
    const char *hint = NULL;
    bool said = false;
    *out = (eex__y4m_video){.across = 2, .down = 2};
    for (char *rest = NULL, *word = strtok_r(parameters, " \r", &rest); word;
         word = strtok_r(NULL, " \r", &rest)) {
        EEX_TRY(set_parameter(out, &hint, word, name));
        said |= word[0] == 'C';
    }
    if (hint && !said)
        EEX_TRY(set_space(out, hint, name));
    if (out->width == 0 || out->height == 0)
        return eex_fail(EEX_EFORMAT, "%s: its header has no %s", name,
                        out->width ? "height (H)" : "width (W)");
    if ((int64_t)out->width * out->height > EEX_IMAGE_MAX_PIXELS)
        return eex_fail(EEX_EFORMAT, "%s: frames of %d x %d pixels: at most %d million are read",
                        name, out->width, out->height, EEX_IMAGE_MAX_PIXELS >> 20);
    return EEX_OK;
}

static int chroma_width(const eex__y4m_video *v)
{
    return v->across ? (v->width + v->across - 1) / v->across : 0;
}

static int chroma_height(const eex__y4m_video *v)
{
    return v->down ? (v->height + v->down - 1) / v->down : 0;
}

size_t eex__y4m_bytes(const eex__y4m_video *v)
{
    return (size_t)v->width * (size_t)v->height +
           2 * (size_t)chroma_width(v) * (size_t)chroma_height(v);
}

/* ---- planes ---- */

static uint8_t to_byte(float value)
{
    return (uint8_t)(value < 0 ? 0 : value > 254.5f ? 255 : value + 0.5f);
}

/* ITU-R BT.601: the inverse of Y = 0.299 R + 0.587 G + 0.114 B and the scaled differences to it. */
static void to_rgb(uint8_t *rgb, float y, float cb, float cr, bool full)
{
    y = full ? y : (y - 16) * (255.0f / 219);
    cb = (cb - 128) * (full ? 1 : 255.0f / 224);
    cr = (cr - 128) * (full ? 1 : 255.0f / 224);
    rgb[0] = to_byte(y + 1.402f * cr);
    rgb[1] = to_byte(y - 0.344136f * cb - 0.714136f * cr);
    rgb[2] = to_byte(y + 1.772f * cb);
}

/* The shape's part of each plane: the same part of the picture in all. */
static int shrink(uint8_t *shrunken, const eex_frame_shape *s, const eex__y4m_video *v,
                  uint8_t *planes)
{
    const size_t pixels = (size_t)s->width * (size_t)s->height;
    const eex_image_part y = eex_image_fit(v->width, v->height, s->width, s->height, s->fit);
    eex_image plane = {v->width, v->height, 1, planes};
    EEX_TRY(eex_image_resize_part(shrunken, s->width, s->height, 1, &plane, &y));
    if (!v->across || s->channels == 1) {
        memset(shrunken + pixels, 128, 2 * pixels);
        return EEX_OK;
    }
    const eex_image_part c = {y.x / v->across, y.y / v->down, y.width / v->across,
                              y.height / v->down};
    plane.pixels += (size_t)v->width * (size_t)v->height;
    plane.width = chroma_width(v);
    plane.height = chroma_height(v);
    for (size_t k = 1; k <= 2; k++) {
        EEX_TRY(eex_image_resize_part(shrunken + k * pixels, s->width, s->height, 1, &plane, &c));
        plane.pixels += (size_t)plane.width * (size_t)plane.height;
    }
    return EEX_OK;
}

int eex__y4m_convert(uint8_t *pixels, const eex_frame_shape *s, const eex__y4m_video *v,
                     uint8_t *planes, uint8_t *shrunken)
{
    const size_t count = (size_t)s->width * (size_t)s->height;
    EEX_TRY(shrink(shrunken, s, v, planes));
    for (size_t i = 0; i < count; i++) {
        uint8_t rgb[3];
        to_rgb(rgb, shrunken[i], shrunken[count + i], shrunken[2 * count + i], v->full);
        memcpy(pixels + i * (size_t)s->channels, rgb, (size_t)s->channels);
    }
    return EEX_OK;
}
