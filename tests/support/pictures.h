/* Makes JPEG and PNG files of every kind, with libjpeg and libpng directly, and decodes files. */
#ifndef EEX_TESTS_PICTURES_H
#define EEX_TESTS_PICTURES_H

#include "core/data/image.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum test_ink {
    TEST_GREY,
    TEST_COLOUR,
    TEST_CMYK, /* Adobe's inverted ink */
    TEST_YCCK,
    TEST_CMYK_PLAIN /* the same without Adobe's marker */
} test_ink;

typedef struct test_jpeg {
    int width, height;
    test_ink ink;
    bool progressive;
    int quality; /* 0: 95 */
} test_jpeg;

typedef struct test_png {
    int width, height;
    int type;  /* PNG_COLOR_TYPE_... */
    int depth; /* 1, 2, 4, 8, 16 */
    bool interlaced;
} test_png;

/* The colour of a picture at a place: a gradient from red to green along x and to blue along y. For
 * grey pictures its luma. */
void test_picture_pixel(uint8_t rgb[3], int x, int y, int width, int height);

void test_write_jpeg(const char *path, const test_jpeg *what);
/* A progressive one of colour with so many bands, up to 63, each in six scans of its own. */
void test_write_jpeg_in_bands(const char *path, const test_jpeg *what, int bands);
void test_write_png(const char *path, const test_png *what);

/* The image in a file of at most 16 MiB, `enough` and what is returned as in eex_image_decode; the
 * caller frees *out. */
int test_decode(eex_image *out, const char *path, int enough);

#endif
