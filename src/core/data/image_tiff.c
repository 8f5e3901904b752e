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

static uint8_t at_most_white(unsigned value)
{
    return (uint8_t)(value < 255 ? value : 255);
}

/* libtiff's pixels, premultiplied, on white paper. It takes a fourth sample of unknown meaning for
 * such an alpha, and then colours may be brighter than that allows. */
static void put_on_paper(uint8_t *to, const uint32_t *from, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const unsigned paper = 255 - TIFFGetA(from[i]);
        *to++ = at_most_white(TIFFGetR(from[i]) + paper);
        *to++ = at_most_white(TIFFGetG(from[i]) + paper);
        *to++ = at_most_white(TIFFGetB(from[i]) + paper);
    }
}

/* The rows as they are stored: libtiff can mirror, but not turn. */
static int read_rows(eex_image *out, TIFF *file, const memory *m, int orientation, const char *path)
{
    const size_t count = (size_t)out->width * (size_t)out->height;
    uint32_t *pixels = malloc(count * sizeof *pixels);
    if (!pixels)
        return eex_fail(EEX_ENOMEM, "%s: out of memory for %zu pixels", path, count);
    const bool read = TIFFReadRGBAImageOriented(file, (uint32_t)out->width, (uint32_t)out->height,
                                                pixels, orientation, 1) == 1;
    if (read)
        put_on_paper(out->pixels, pixels, count);
    free(pixels);
    if (eex_interrupted())
        return eex_fail(EEX_EINTERRUPTED, "%s: interrupted", path);
    return read ? EEX_OK : eex_fail(EEX_EFORMAT, "%s: damaged TIFF: %s", path, m->message);
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
    TIFFGetField(file, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(file, TIFFTAG_IMAGELENGTH, &height);
    TIFFGetFieldDefaulted(file, TIFFTAG_ORIENTATION, &orientation);
    if (orientation < 1 || orientation > 8)
        orientation = ORIENTATION_TOPLEFT;
    EEX_TRY(check_samples(file, path));
    EEX_TRY(eex__image_check_claim(width, height, m->size, MAX_PIXELS_A_BYTE, path));
    EEX_TRY(eex_image_new(out, (int)width, (int)height, 3, path));
    EEX_TRY(read_rows(out, file, m, orientation, path));
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
