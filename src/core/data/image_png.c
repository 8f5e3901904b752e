#include "core/data/image_impl.h"

#include "base/fs.h"
#include "base/signals.h"
#include "base/status.h"

#include <png.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_INFLATION = 1100, /* deflate makes at most about 1030 bytes from one */
    MAX_CHUNK = 8 << 20   /* of anything but pixels */
};

/* libpng's structs and all that decode must free; on the heap, so that no local variable is live
 * across setjmp. (libpng's simplified interface gets interlaced 16-bit images wrong.) */
typedef struct decoder {
    png_structp png;
    png_infop info;
    jmp_buf escape;
    char message[200];
    const char *path;
    const uint8_t *data;
    size_t size, at;
    bool interrupted;
    eex_image image; /* 1 to 4 channels: grey or colour, with or without alpha */
    png_bytep *rows;
} decoder;

/* ---- callbacks ---- */

static void on_error(png_structp png, png_const_charp message)
{
    decoder *d = png_get_error_ptr(png);
    snprintf(d->message, sizeof d->message, "%s", message);
    longjmp(d->escape, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
}

static void on_read(png_structp png, png_bytep to, size_t size)
{
    decoder *d = png_get_io_ptr(png);
    if (size > d->size - d->at)
        png_error(png, "it ends too soon");
    memcpy(to, d->data + d->at, size);
    d->at += size;
}

static void on_row(png_structp png, png_uint_32 row, int pass)
{
    decoder *d = png_get_io_ptr(png);
    if (eex_interrupted()) {
        d->interrupted = true;
        png_error(png, "interrupted");
    }
}

/* ---- decoding ---- */

/* Everything becomes 8-bit grey or colour, with alpha where there is any. Gamma is left alone, as
 * everyone else does. */
static void ask_for_bytes(decoder *d)
{
    png_set_expand(d->png);
    png_set_scale_16(d->png);
    png_set_interlace_handling(d->png);
    png_read_update_info(d->png, d->info);
}

/* What is not asked for is not inflated: there may be a thousand of them. */
static const png_byte unread[] = "tEXt\0zTXt\0iTXt\0iCCP\0sPLT\0eXIf";

static int start(decoder *d)
{
    png_set_read_fn(d->png, d, on_read);
    png_set_read_status_fn(d->png, on_row);
    png_set_user_limits(d->png, EEX_IMAGE_MAX_SIDE, EEX_IMAGE_MAX_SIDE);
    png_set_chunk_malloc_max(d->png, MAX_CHUNK);
    png_set_keep_unknown_chunks(d->png, PNG_HANDLE_CHUNK_NEVER, unread, sizeof unread / 5);
    png_read_info(d->png, d->info);
    unsigned width = png_get_image_width(d->png, d->info);
    unsigned height = png_get_image_height(d->png, d->info);
    uint64_t bytes = (uint64_t)png_get_rowbytes(d->png, d->info) * height;
    if ((uint64_t)width * height > EEX_IMAGE_MAX_PIXELS || bytes / MAX_INFLATION > d->size)
        return eex_fail(EEX_EFORMAT, "%s: claims %u x %u pixels in a file of %zu bytes", d->path,
                        width, height, d->size);
    ask_for_bytes(d);
    EEX_TRY(eex_image_new(&d->image, (int)width, (int)height, png_get_channels(d->png, d->info),
                          d->path));
    d->rows = malloc(height * sizeof *d->rows);
    if (!d->rows)
        return eex_fail(EEX_ENOMEM, "%s: out of memory", d->path);
    for (unsigned y = 0; y < height; y++)
        d->rows[y] = d->image.pixels + (size_t)y * width * (size_t)d->image.channels;
    return EEX_OK;
}

/* The only function that libpng's errors can come back to. */
static int decode(decoder *d)
{
    if (setjmp(d->escape))
        return d->interrupted
                   ? eex_fail(EEX_EINTERRUPTED, "%s: interrupted", d->path)
                   : eex_fail(EEX_EFORMAT, "%s: damaged or truncated PNG: %s", d->path, d->message);
    d->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, d, on_error, on_warning);
    d->info = d->png ? png_create_info_struct(d->png) : NULL;
    if (!d->info)
        return eex_fail(EEX_ENOMEM, "%s: out of memory", d->path);
    EEX_TRY(start(d));
    png_read_image(d->png, d->rows);
    png_read_end(d->png, d->info);
    return EEX_OK;
}

int eex__png_decode(eex_image *out, const uint8_t *data, size_t size, const char *path)
{
    decoder *d = calloc(1, sizeof *d);
    if (!d)
        return eex_fail(EEX_ENOMEM, "%s: out of memory", path);
    d->path = path;
    d->data = data;
    d->size = size;
    int code = decode(d);
    int orientation = 1;
    if (code == EEX_OK)
        code = eex__png_orientation(&orientation, data, size, path);
    png_destroy_read_struct(&d->png, &d->info, NULL);
    free(d->rows);
    if (code == EEX_OK && d->image.channels % 2 == 0)
        eex__image_drop_alpha(&d->image);
    if (code == EEX_OK)
        code = eex_image_orient(&d->image, orientation);
    if (code < 0)
        eex_image_free(&d->image);
    *out = d->image;
    free(d);
    return code;
}

static int to_memory(void **out, size_t *bytes, png_image *png, const eex_image *image,
                     const char *path)
{
    png_alloc_size_t size = 0;
    void *data = NULL;
    if (!png_image_write_to_memory(png, NULL, &size, 0, image->pixels, 0, NULL))
        return eex_fail(EEX_EIO, "cannot make %s: %s", path, png->message);
    if (!(data = malloc(size)))
        return eex_fail(EEX_ENOMEM, "%s: out of memory for %zu bytes", path, (size_t)size);
    if (!png_image_write_to_memory(png, data, &size, 0, image->pixels, 0, NULL)) {
        free(data);
        return eex_fail(EEX_EIO, "cannot make %s: %s", path, png->message);
    }
    *out = data;
    *bytes = size;
    return EEX_OK;
}

int eex_image_encode_png(void **out, size_t *bytes, const eex_image *image, const char *path)
{
    EEX_NEED(out, "place for the bytes");
    EEX_NEED(bytes, "place for their number");
    EEX_NEED(image, "image");
    EEX_NEED(path, "path");
    EEX_TRY(eex__image_check(image));
    if (image->channels != 1 && image->channels != 3)
        return eex_fail(EEX_EINVAL, "%s: a PNG of %d channels, expected 1 or 3", path,
                        image->channels);
    png_image png;
    memset(&png, 0, sizeof png);
    png.version = PNG_IMAGE_VERSION;
    png.width = (png_uint_32)image->width;
    png.height = (png_uint_32)image->height;
    png.format = image->channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    const int code = to_memory(out, bytes, &png, image, path);
    png_image_free(&png);
    return code;
}

int eex_image_write_png(const char *path, const eex_image *image)
{
    void *data = NULL;
    size_t size = 0;
    EEX_NEED(path, "path");
    EEX_TRY(eex_image_encode_png(&data, &size, image, path));
    const int code = eex_fs_write(path, data, size);
    free(data);
    return code;
}
