#include "core/image.h"

#include <stdlib.h>
#include <string.h>

#include <png.h>

#include "base/fs.h"
#include "base/status.h"

/* Deflate makes at most about 1030 bytes from one. */
enum { MAX_INFLATION = 1100 };

static int begin(png_image *png, const uint8_t *data, size_t size, const char *path)
{
    png->version = PNG_IMAGE_VERSION;
    if (!png_image_begin_read_from_memory(png, data, size))
        return eex_fail(EEX_EFORMAT, "%s: damaged PNG: %s", path, png->message);
    uint64_t pixels = (uint64_t)png->width * png->height; /* at least an eighth of a byte each */
    if (pixels > EEX_IMAGE_MAX_PIXELS || pixels / 8 / MAX_INFLATION > size)
        return eex_fail(EEX_EFORMAT, "%s: claims %u x %u pixels in a file of %zu bytes", path,
                        png->width, png->height, size);
    /* 16-bit samples are taken to be encoded like 8-bit ones, as everyone else does. */
    png->flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
    png->format = png->format & PNG_FORMAT_FLAG_COLOR ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    return EEX_OK;
}

int eex__png_decode(eex_image *out, const uint8_t *data, size_t size, const char *path)
{
    const png_color white = {255, 255, 255};
    eex_image image = {0, 0, 0, NULL};
    png_image png;
    memset(&png, 0, sizeof png);
    int code = begin(&png, data, size, path);
    if (code == EEX_OK)
        code = eex_image_new(&image, (int)png.width, (int)png.height,
                             png.format == PNG_FORMAT_RGB ? 3 : 1, path);
    if (code == EEX_OK && !png_image_finish_read(&png, &white, image.pixels, 0, NULL))
        code = eex_fail(EEX_EFORMAT, "%s: damaged or truncated PNG: %s", path, png.message);
    png_image_free(&png);
    if (code < 0)
        eex_image_free(&image);
    else
        *out = image;
    return code;
}

int eex_image_write_png(const char *path, const eex_image *image)
{
    png_image png;
    png_alloc_size_t size = 0;
    void *data = NULL;
    memset(&png, 0, sizeof png);
    png.version = PNG_IMAGE_VERSION;
    png.width = (png_uint_32)image->width;
    png.height = (png_uint_32)image->height;
    png.format = image->channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    int code = EEX_OK;
    if (!png_image_write_to_memory(&png, NULL, &size, 0, image->pixels, 0, NULL))
        code = eex_fail(EEX_EIO, "cannot make %s: %s", path, png.message);
    else if (!(data = malloc(size)))
        code = eex_fail(EEX_ENOMEM, "%s: no memory for %zu bytes", path, (size_t)size);
    else if (!png_image_write_to_memory(&png, data, &size, 0, image->pixels, 0, NULL))
        code = eex_fail(EEX_EIO, "cannot make %s: %s", path, png.message);
    if (code == EEX_OK)
        code = eex_fs_write(path, data, size);
    png_image_free(&png);
    free(data);
    return code;
}
