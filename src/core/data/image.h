/* Images from files: JPEG (grey, colour, CMYK, YCCK), PNG (every kind), WebP and TIFF, of
 * animations and of several pages the first one, and resizing.
 *
 * Files are taken for what their first bytes say, not for their name, and shown as their EXIF (not
 * XMP) orientation asks for. Whatever they hold, reading needs bounded memory and time, and ends
 * with pixels, with EEX_EFORMAT or EEX_EUNSUPPORTED naming the file, or with EEX_EINTERRUPTED. */
#ifndef EEX_CORE_DATA_IMAGE_H
#define EEX_CORE_DATA_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    EEX_IMAGE_MAX_PIXELS = 64 << 20,
    EEX_IMAGE_MAX_SIDE = 65500,
    EEX_IMAGE_MAX_CHANNELS = 4,
    EEX_IMAGE_MAX_BYTES = 256 << 20, /* of a file */
    EEX_IMAGE_MAX_COUNTED = 1000     /* pages or frames */
};

/* Zero it before use; free it with eex_image_free. */
typedef struct eex_image {
    int width, height;
    int channels;    /* 1: grey, 3: red, green, blue */
    uint8_t *pixels; /* (height, width, channels) */
} eex_image;

void eex_image_free(eex_image *image); /* accepts NULL; leaves {0} */

/* Allocates pixels after checking the size. `path` is for the message. */
int eex_image_new(eex_image *out, int width, int height, int channels, const char *path);

/* Decodes the bytes of a file. `enough`: an image whose shorter side has at least so many pixels is
 * enough (JPEG is then decoded at a half, a quarter or an eighth); 0: full size. A JPEG that is cut
 * off or damaged inside is an error, although libjpeg would make up the rest. Transparent pixels
 * show white; in a TIFF, samples beside the colours that are said to be no alpha make no
 * difference, and an alpha beside other colours than RGB and grey of 8 bits is EEX_EUNSUPPORTED.
 * CMYK is read as everyone else does, Adobe's way up, whether or not there is Adobe's marker. */
int eex_image_decode(eex_image *out, const void *data, size_t size, int enough, const char *path);

/* How many images the bytes, which could be decoded, hold beside and with the one that was: pages
 * of a TIFF, without thumbnails and masks of others, frames of an animated WebP or PNG, or images
 * of a JPEG file that lists several (MPO), without previews and what else is of another size.
 * EEX_IMAGE_MAX_COUNTED: so many or more. Takes a time and a memory that no file makes large. */
int eex_image_count(const void *data, size_t size);

/* Whether a file of this name is taken for an image where folders are looked through: by its
 * ending, in any case. */
bool eex_image_named(const char *name);
#define EEX_IMAGE_FORMATS "JPEG, PNG, WebP or TIFF" /* for messages */

/* Turns and mirrors an image, in place, from how it is stored to how it is to be seen:
 * `orientation` is EXIF's, 1 (as it is) to 8. EEX_ENOMEM. */
int eex_image_orient(eex_image *image, int orientation);

/* The bytes of a PNG, the caller's (free); `path` is for the message. */
int eex_image_encode_png(void **out, size_t *bytes, const eex_image *image, const char *path);

/* Writes a PNG atomically. */
int eex_image_write_png(const char *path, const eex_image *image);

typedef enum eex_fit {
    EEX_FIT_CROP,  /* the largest centred part of the target's aspect */
    EEX_FIT_SQUASH /* the whole image, whatever its aspect */
} eex_fit;

/* Resizes to (height, width, channels) at out. Shrinking averages all pixels that fall together
 * (separable triangle filter as wide as the scale asks for), enlarging interpolates linearly. Grey
 * becomes colour by copying, colour becomes grey by Rec. 601 luma. */
int eex_image_resize(uint8_t *out, int width, int height, int channels, const eex_image *image,
                     eex_fit fit);

/* A part of an image, in pixels and fractions of them. */
typedef struct eex_image_part {
    double x, y, width, height;
} eex_image_part;

/* What eex_image_resize shows of an image of width x height pixels. */
eex_image_part eex_image_fit(int width, int height, int to_width, int to_height, eex_fit fit);
/* The same for any part that lies inside the image. */
int eex_image_resize_part(uint8_t *out, int width, int height, int channels, const eex_image *image,
                          const eex_image_part *part);

#endif
