#include "core/data/image_impl.h"

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

int eex__image_check(const eex_image *image)
{
    if (image->pixels && image->width > 0 && image->height > 0 && image->channels > 0)
        return EEX_OK;
    return eex_fail(EEX_EINVAL, "an image of %d x %d x %d%s", image->width, image->height,
                    image->channels, image->pixels ? "" : " without pixels");
}

int eex_image_new(eex_image *out, int width, int height, int channels, const char *path)
{
    EEX_NEED(out, "place for the image");
    EEX_NEED(path, "name");
    if (channels < 1 || channels > EEX_IMAGE_MAX_CHANNELS)
        return eex_fail(EEX_EINVAL, "%s: an image of %d channels, expected 1 to %d", path, channels,
                        EEX_IMAGE_MAX_CHANNELS);
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

int eex__image_check_claim(uint64_t width, uint64_t height, size_t size, unsigned ratio,
                           const char *path)
{
    if (width > EEX_IMAGE_MAX_SIDE || height > EEX_IMAGE_MAX_SIDE ||
        width * height > EEX_IMAGE_MAX_PIXELS || width * height / ratio > size)
        return eex_fail(EEX_EFORMAT, "%s: claims %llu x %llu pixels in a file of %zu bytes", path,
                        (unsigned long long)width, (unsigned long long)height, size);
    return EEX_OK;
}

void eex__image_drop_alpha(eex_image *image)
{
    int keep = image->channels - 1;
    size_t count = (size_t)image->width * (size_t)image->height;
    uint8_t *to = image->pixels;
    const uint8_t *from = image->pixels;
    for (size_t i = 0; i < count; i++, from += keep + 1) {
        unsigned alpha = from[keep];
        for (int c = 0; c < keep; c++)
            *to++ = (uint8_t)((from[c] * alpha + 255 * (255 - alpha) + 127) / 255);
    }
    image->channels = keep;
}

/* Where the pixel that is seen at (x, y) is stored. EXIF numbers the eight ways by the sides that
 * the first row and the first column of what is stored are seen at. */
static size_t stored_at(int orientation, int x, int y, int width, int height)
{
    const bool turned = orientation > 4;
    int row = turned ? x : y, column = turned ? y : x;
    switch (orientation) {
    case 2:
        column = width - 1 - column;
        break;
    case 3:
        row = height - 1 - row;
        column = width - 1 - column;
        break;
    case 4:
        row = height - 1 - row;
        break;
    case 6:
        row = height - 1 - row;
        break;
    case 7:
        row = height - 1 - row;
        column = width - 1 - column;
        break;
    case 8:
        column = width - 1 - column;
        break;
    default:
        break;
    }
    return (size_t)row * (size_t)width + (size_t)column;
}

int eex_image_orient(eex_image *image, int orientation)
{
    EEX_NEED(image, "image");
    EEX_TRY(eex__image_check(image));
    const int width = image->width, height = image->height;
    const size_t n = (size_t)image->channels;
    const int seen_width = orientation > 4 ? height : width;
    const int seen_height = orientation > 4 ? width : height;
    if (orientation < 2 || orientation > 8)
        return EEX_OK;
    uint8_t *pixels = malloc((size_t)width * (size_t)height * n), *to = pixels;
    if (!pixels)
        return eex_fail(EEX_ENOMEM, "out of memory for %d x %d pixels", width, height);
    for (int y = 0; y < seen_height; y++)
        for (int x = 0; x < seen_width; x++, to += n)
            memcpy(to, image->pixels + n * stored_at(orientation, x, y, width, height), n);
    free(image->pixels);
    *image = (eex_image){seen_width, seen_height, image->channels, pixels};
    return EEX_OK;
}
