#include "core/data/image_impl.h"

#include "base/status.h"

#include <string.h>
#include <strings.h>

bool eex_image_named(const char *name)
{
    static const char *const endings[] = {".jpg", ".jpeg", ".jpe", ".jfif",
                                          ".png", ".webp", ".tif", ".tiff"};
    const char *dot = name ? strrchr(name, '.') : NULL;
    if (!dot || name[0] == '.')
        return false;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (strcasecmp(dot, endings[i]) == 0)
            return true;
    return false;
}

/* Formats that people have and that are not read, so that the message says what the file is. */
static const char *known_as(const uint8_t *data, size_t size)
{
    static const struct {
        const char *name, *begin;
        size_t at, length;
    } known[] = {
        {"a GIF", "GIF8", 0, 4},         {"a BMP", "BM", 0, 2},
        {"an AVIF", "ftypavif", 4, 8},   {"a HEIC", "ftypheic", 4, 8},
        {"a JPEG XL", "\xff\x0a", 0, 2}, {"a JPEG 2000", "jP  ", 4, 4},
        {"a PDF", "%PDF", 0, 4},         {"an SVG or a page", "<", 0, 1},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (size >= known[i].at + known[i].length &&
            memcmp(data + known[i].at, known[i].begin, known[i].length) == 0)
            return known[i].name;
    return NULL;
}

static bool begins(const uint8_t *data, size_t size, const char *magic, size_t length)
{
    return size >= length && memcmp(data, magic, length) == 0;
}

typedef enum format { PNG, JPEG, WEBP, TIFF, OTHER } format;

static format format_of(const uint8_t *data, size_t size)
{
    if (begins(data, size, "\x89PNG\r\n\x1a\n", 8))
        return PNG;
    if (begins(data, size, "\xff\xd8\xff", 3))
        return JPEG;
    if (size >= 12 && memcmp(data, "RIFF", 4) == 0 && memcmp(data + 8, "WEBP", 4) == 0)
        return WEBP;
    if (begins(data, size, "II*\0", 4) || begins(data, size, "MM\0*", 4) ||
        begins(data, size, "II+\0", 4) || begins(data, size, "MM\0+", 4))
        return TIFF;
    return OTHER;
}

int eex__image_counted(uint32_t count)
{
    return count < 1 ? 1 : count < EEX_IMAGE_MAX_COUNTED ? (int)count : EEX_IMAGE_MAX_COUNTED;
}

int eex_image_count(const void *bytes, size_t size)
{
    const uint8_t *data = bytes;
    switch (data ? format_of(data, size) : OTHER) {
    case PNG:
        return eex__png_count(data, size);
    case JPEG:
        return eex__jpeg_count(data, size);
    case WEBP:
        return eex__webp_count(data, size);
    case TIFF:
        return eex__tiff_count(data, size);
    default:
        return 1;
    }
}

static int refuse(const uint8_t *data, size_t size, const char *path)
{
    const char *name = known_as(data, size);
    return name ? eex_fail(EEX_EFORMAT, "%s: %s file, which is not read: convert it to %s", path,
                           name, EEX_IMAGE_FORMATS)
                : eex_fail(EEX_EFORMAT, "%s: neither %s", path, "JPEG, PNG, WebP nor TIFF");
}

int eex_image_decode(eex_image *out, const void *bytes, size_t size, int enough, const char *path)
{
    EEX_NEED(out, "place for the image");
    EEX_NEED(bytes, "file");
    EEX_NEED(path, "name");
    const uint8_t *data = bytes;
    *out = (eex_image){0, 0, 0, NULL};
    if (size == 0)
        return eex_fail(EEX_EFORMAT, "%s: the file is empty", path);
    switch (format_of(data, size)) {
    case PNG:
        return eex__png_decode(out, data, size, path);
    case JPEG:
        return eex__jpeg_decode(out, data, size, enough, path);
    case WEBP:
        return eex__webp_decode(out, data, size, path);
    case TIFF:
        return eex__tiff_decode(out, data, size, path);
    default:
        return refuse(data, size, path);
    }
}
