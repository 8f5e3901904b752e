#include "core/data/image.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

void eex_image_free(eex_image *image)
{
    if (!image)
        return;
    free(image->pixels);
    *image = (eex_image){0, 0, 0, NULL};
}

int eex_image_new(eex_image *out, int width, int height, int channels, const char *path)
{
    *out = (eex_image){0, 0, 0, NULL};
    if (width < 1 || height < 1 || width > EEX_IMAGE_MAX_SIDE || height > EEX_IMAGE_MAX_SIDE ||
        (int64_t)width * height > EEX_IMAGE_MAX_PIXELS)
        return eex_fail(
            EEX_EFORMAT,
            "%s: an image of %d x %d pixels: at most %d a side and %d million in all are "
            "read",
            path, width, height, EEX_IMAGE_MAX_SIDE, EEX_IMAGE_MAX_PIXELS >> 20);
    uint8_t *pixels = malloc((size_t)width * (size_t)height * (size_t)channels);
    if (!pixels)
        return eex_fail(EEX_ENOMEM, "%s: out of memory for %d x %d pixels", path, width, height);
    *out = (eex_image){width, height, channels, pixels};
    return EEX_OK;
}

int eex_image_decode(eex_image *out, const void *data, size_t size, int enough, const char *path)
{
    static const uint8_t png[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    static const uint8_t jpeg[] = {0xff, 0xd8, 0xff};
    *out = (eex_image){0, 0, 0, NULL};
    if (size >= sizeof png && memcmp(data, png, sizeof png) == 0)
        return eex__png_decode(out, data, size, path);
    if (size >= sizeof jpeg && memcmp(data, jpeg, sizeof jpeg) == 0)
        return eex__jpeg_decode(out, data, size, enough, path);
    if (size == 0)
        return eex_fail(EEX_EFORMAT, "%s: the file is empty", path);
    return eex_fail(EEX_EFORMAT, "%s: neither JPEG nor PNG", path);
}
