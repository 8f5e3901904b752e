/* Writes colour images in every format that is read, with an EXIF orientation. */
#ifndef EEX_TESTS_RGB_FILES_H
#define EEX_TESTS_RGB_FILES_H

#include <stdint.h>

typedef enum test_format { TEST_JPEG, TEST_PNG, TEST_WEBP, TEST_TIFF, TEST_FORMATS } test_format;

extern const char *const test_format_ending[TEST_FORMATS]; /* "jpg", ... */

/* pixels: (height, width, 3), as they are stored. Without loss but for JPEG. */
void test_write_rgb(const char *path, test_format format, int width, int height,
                    const uint8_t *pixels, int orientation);

#endif
