#include "core/data/image_impl.h"

#include "base/signals.h"
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

enum {
    MAX_PIXELS_A_BYTE = 1 << 14, /* blank pages are packed that tightly */
    MAX_BLOCK = 512 << 20        /* bytes that libtiff may ask for at once */
};

/* A file in memory, as libtiff reads it, and the first thing it had to say. */
typedef struct memory {
    const uint8_t *data;
    size_t size, at;
    char message[256];
} memory;

/* ---- callbacks ---- */

static tmsize_t on_read(thandle_t handle, void *to, tmsize_t bytes)
{
    memory *m = handle;
    size_t count = bytes < 0 || m->at >= m->size ? 0 : (size_t)bytes;
    if (eex_interrupted())
        return 0;
    if (count > m->size - m->at)
        count = m->size - m->at;
    memcpy(to, m->data + (count ? m->at : 0), count);
    m->at += count;
    return (tmsize_t)count;
}

static tmsize_t on_write(thandle_t handle, void *from, tmsize_t bytes)
{
    return 0;
}

static toff_t on_seek(thandle_t handle, toff_t offset, int whence)
{
    memory *m = handle;
    const toff_t from = whence == SEEK_CUR ? m->at : whence == SEEK_END ? m->size : 0;
    m->at = offset > SIZE_MAX / 2 - from ? SIZE_MAX / 2 : (size_t)(from + offset);
    return m->at;
}

static int on_close(thandle_t handle)
{
    return 0;
}

static toff_t on_size(thandle_t handle)
{
    return ((memory *)handle)->size;
}

static int on_error(TIFF *file, void *data, const char *module, const char *format, va_list args)
{
    memory *m = data;
    if (!m->message[0])
        vsnprintf(m->message, sizeof m->message, format, args);
    return 1;
}

static int on_warning(TIFF *file, void *data, const char *module, const char *format, va_list args)
{
    return 1;
}

static TIFF *open_memory(memory *m)
{
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (!options)
        return NULL;
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, MAX_BLOCK);
    TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, m);
    TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, m);
    TIFF *file = TIFFClientOpenExt("", "rm", m, on_read, on_write, on_seek, on_close, on_size, NULL,
                                   NULL, options);
    TIFFOpenOptionsFree(options);
    return file;
}

/* ---- decoding ---- */

/* What libtiff's pixels are. */
typedef enum paper {
    PAPER_NONE,       /* colours; the fourth sample, if there is one, says nothing */
    PAPER_MULTIPLIED, /* colours times their alpha */
    PAPER_STRAIGHT,   /* colours and their alpha */
} paper;

/* On white paper. Colours that should have been multiplied with an alpha may be brighter than that
 * allows. */
static uint8_t on_paper(paper kind, unsigned value, unsigned alpha)
{
    if (kind == PAPER_NONE)
        return (uint8_t)value;
    if (kind == PAPER_STRAIGHT)
        return (uint8_t)((value * alpha + 255 * (255 - alpha) + 127) / 255);
    value += 255 - alpha;
    return (uint8_t)(value < 255 ? value : 255);
}

static void put_on_paper(uint8_t *to, const uint32_t *from, size_t count, paper kind)
{
    for (size_t i = 0; i < count; i++) {
        const unsigned alpha = TIFFGetA(from[i]);
        *to++ = on_paper(kind, TIFFGetR(from[i]), alpha);
        *to++ = on_paper(kind, TIFFGetG(from[i]), alpha);
        *to++ = on_paper(kind, TIFFGetB(from[i]), alpha);
    }
}

/* The rows as they are stored: libtiff can mirror, but not turn. */
static int read_rows(eex_image *out, TIFF *file, const memory *m, int orientation, paper kind,
                     const char *path)
{
    const size_t count = (size_t)out->width * (size_t)out->height;
    uint32_t *pixels = malloc(count * sizeof *pixels);
    if (!pixels)
        return eex_fail(EEX_ENOMEM, "%s: out of memory for %zu pixels", path, count);
    const bool read = TIFFReadRGBAImageOriented(file, (uint32_t)out->width, (uint32_t)out->height,
                                                pixels, orientation, 1) == 1;
    if (read)
        put_on_paper(out->pixels, pixels, count, kind);
    free(pixels);
    if (eex_interrupted())
        return eex_fail(EEX_EINTERRUPTED, "%s: interrupted", path);
    return read ? EEX_OK : eex_fail(EEX_EFORMAT, "%s: damaged TIFF: %s", path, m->message);
}

/* ---- samples beside the colours ---- */

/* What a pixel consists of. */
typedef struct layout {
    uint16_t colours; /* PHOTOMETRIC_... */
    uint16_t bits, samples, planar;
    uint16_t extra_count;
    const uint16_t *extra; /* EXTRASAMPLE_... of each one behind the colours */
} layout;

static layout layout_of(TIFF *file)
{
    layout l = {.bits = 1, .samples = 1, .planar = PLANARCONFIG_CONTIG};
    TIFFGetFieldDefaulted(file, TIFFTAG_BITSPERSAMPLE, &l.bits);
    TIFFGetFieldDefaulted(file, TIFFTAG_SAMPLESPERPIXEL, &l.samples);
    TIFFGetFieldDefaulted(file, TIFFTAG_PLANARCONFIG, &l.planar);
    TIFFGetFieldDefaulted(file, TIFFTAG_EXTRASAMPLES, &l.extra_count, &l.extra);
    if (!TIFFGetField(file, TIFFTAG_PHOTOMETRIC, &l.colours)) /* as libtiff takes it */
        l.colours = l.samples - l.extra_count == 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK;
    return l;
}

static int colours_of(const layout *l)
{
    switch (l->colours) {
    case PHOTOMETRIC_MINISBLACK:
    case PHOTOMETRIC_MINISWHITE:
    case PHOTOMETRIC_PALETTE:
        return 1;
    case PHOTOMETRIC_RGB:
        return 3;
    case PHOTOMETRIC_SEPARATED:
        return 4;
    default:
        return 0;
    }
}

static int refuse_extra(const layout *l, const char *what, const char *path)
{
    const char *of = l->colours == PHOTOMETRIC_RGB         ? "red, green and blue"
                     : l->colours == PHOTOMETRIC_PALETTE   ? "palette colours"
                     : l->colours == PHOTOMETRIC_SEPARATED ? "inks"
                     : colours_of(l) == 1                  ? "grey"
                                                           : "other colours";
    return eex_fail(EEX_EUNSUPPORTED,
                    "%s: a TIFF of %s in %u samples a pixel of %u bits, %s, which is not read: "
                    "convert it to RGB, or RGB with alpha, of 8 bits",
                    path, of, l->samples, l->bits, what);
}

/* Those that libtiff gives along: it multiplies red, green and blue with their alpha, but not grey,
 * and it leaves out that of everything else. */
static int find_alpha(paper *kind, const layout *l, const char *path)
{
    const bool white_first = l->colours == PHOTOMETRIC_MINISWHITE;
    const bool grey = white_first || l->colours == PHOTOMETRIC_MINISBLACK;
    const bool straight = l->extra[0] == EXTRASAMPLE_UNASSALPHA;
    if (l->colours == PHOTOMETRIC_RGB)
        *kind = PAPER_MULTIPLIED;
    else if (grey && l->bits == 8 && l->samples == 2 && (straight || !white_first))
        *kind = straight ? PAPER_STRAIGHT : PAPER_MULTIPLIED;
    else
        return refuse_extra(l, "one of them an alpha", path);
    return EEX_OK;
}

/* A sample of no stated meaning is none of the picture's. Where nothing is said of samples that are
 * no colours, libtiff adds that it is not. */
static int check_extra(paper *kind, TIFF *file, const char *path)
{
    const layout l = layout_of(file);
    const int colours = colours_of(&l);
    *kind = PAPER_NONE;
    if (l.extra_count == 0)
        return EEX_OK;
    if (l.samples != colours + l.extra_count)
        return refuse_extra(&l, "not all of them its colours", path);
    if (colours == 1 && l.planar == PLANARCONFIG_SEPARATE)
        return refuse_extra(&l, "each in a plane of its own", path);
    if (l.extra[0] != EXTRASAMPLE_UNSPECIFIED)
        return find_alpha(kind, &l, path);
    for (int i = 1; i < l.extra_count; i++)
        if (l.extra[i] != EXTRASAMPLE_UNSPECIFIED)
            return refuse_extra(&l, "its alpha behind another one", path);
    return EEX_OK;
}

/* libtiff takes signed samples for unsigned ones, so that black is white, and says of others what
 * is no damage. Samples of no stated meaning are unsigned to everyone. */
static int check_samples(TIFF *file, const char *path)
{
    static const char *const names[] = {
        "", "unsigned", "signed", "floating-point", "", "complex", "complex floating-point"};
    uint16_t kind = SAMPLEFORMAT_UINT, bits = 1, colours = PHOTOMETRIC_RGB;
    TIFFGetFieldDefaulted(file, TIFFTAG_SAMPLEFORMAT, &kind);
    TIFFGetFieldDefaulted(file, TIFFTAG_BITSPERSAMPLE, &bits);
    TIFFGetField(file, TIFFTAG_PHOTOMETRIC, &colours);
    if (colours == PHOTOMETRIC_LOGL || colours == PHOTOMETRIC_LOGLUV)
        return EEX_OK; /* libtiff makes bytes of these itself */
    if (kind == SAMPLEFORMAT_VOID || kind < 1 || kind > 6)
        kind = SAMPLEFORMAT_UINT;
    if (kind == SAMPLEFORMAT_UINT && (bits <= 2 || bits == 4 || bits == 8 || bits == 16))
        return EEX_OK;
    return eex_fail(EEX_EUNSUPPORTED,
                    "%s: a TIFF of %s samples of %u bits, which is not read: convert it to "
                    "unsigned ones of 8 or 16 bits",
                    path, names[kind], bits);
}

static int decode(eex_image *out, TIFF *file, const memory *m, const char *path)
{
    uint32_t width = 0, height = 0;
    uint16_t orientation = ORIENTATION_TOPLEFT;
    paper kind;
    TIFFGetField(file, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(file, TIFFTAG_IMAGELENGTH, &height);
    TIFFGetFieldDefaulted(file, TIFFTAG_ORIENTATION, &orientation);
    if (orientation < 1 || orientation > 8)
        orientation = ORIENTATION_TOPLEFT;
    EEX_TRY(check_samples(file, path));
    EEX_TRY(check_extra(&kind, file, path));
    EEX_TRY(eex__image_check_claim(width, height, m->size, MAX_PIXELS_A_BYTE, path));
    EEX_TRY(eex_image_new(out, (int)width, (int)height, 3, path));
    EEX_TRY(read_rows(out, file, m, orientation, kind, path));
    return eex_image_orient(out, orientation);
}

int eex__tiff_decode(eex_image *out, const uint8_t *data, size_t size, const char *path)
{
    memory m = {.data = data, .size = size};
    TIFF *file = open_memory(&m);
    if (!file && eex_interrupted())
        return eex_fail(EEX_EINTERRUPTED, "%s: interrupted", path);
    if (!file)
        return eex_fail(EEX_EFORMAT, "%s: damaged TIFF: %s", path, m.message);
    int code = decode(out, file, &m, path);
    TIFFClose(file);
    if (code < 0)
        eex_image_free(out);
    return code;
}
