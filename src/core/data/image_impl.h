/* One format each; for eex_image_decode. */
#ifndef EEX_CORE_DATA_IMAGE_IMPL_H
#define EEX_CORE_DATA_IMAGE_IMPL_H

#include "core/data/image.h"

int eex__jpeg_decode(eex_image *out, const uint8_t *data, size_t size, int enough,
                     const char *path);
int eex__png_decode(eex_image *out, const uint8_t *data, size_t size, const char *path);
int eex__webp_decode(eex_image *out, const uint8_t *data, size_t size, const char *path);
int eex__tiff_decode(eex_image *out, const uint8_t *data, size_t size, const char *path);

/* Likewise, for eex_image_count; and a count as that gives it. */
int eex__jpeg_count(const uint8_t *data, size_t size);
int eex__png_count(const uint8_t *data, size_t size);
int eex__webp_count(const uint8_t *data, size_t size);
int eex__tiff_count(const uint8_t *data, size_t size);
int eex__image_counted(uint32_t count);

/* For eex_image_end: where the last of a JPEG file's images begins, 0 where there is one; and where
 * the last byte of a TIFF is that its directories speak of. */
size_t eex__mpo_last(const uint8_t *data, size_t size);
size_t eex__tiff_end(const uint8_t *data, size_t size);

/* Puts an image with alpha on white paper and drops the alpha, in place. */
void eex__image_drop_alpha(eex_image *image);

/* The orientation that EXIF data (from its TIFF header on, "II" or "MM", or from "Exif" in front of
 * that) ask for, 1 to 8; 1 for data without one, and for data that are no EXIF. */
int eex__exif_orientation(const uint8_t *data, size_t size);

/* That of a PNG: of its eXIf chunk, or of the text that ImageMagick and others write instead.
 * EEX_ENOMEM. */
int eex__png_orientation(int *out, const uint8_t *data, size_t size, const char *path);

/* EEX_EINVAL for what is no image. */
int eex__image_check(const eex_image *image);

/* EEX_EFORMAT where a file claims more pixels than are read, or more than `ratio` a byte. */
int eex__image_check_claim(uint64_t width, uint64_t height, size_t size, unsigned ratio,
                           const char *path);

#endif
