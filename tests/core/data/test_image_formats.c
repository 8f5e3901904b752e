/* Every format gives the pixels that are to be seen, whichever way they are stored, and whatever
 * happens to its files. */
#include "core/data/image.h"
#include "support/folder.h"
#include "support/pictures.h"
#include "support/rgb_files.h"

#include "base/fs.h"
#include "base/rng.h"
#include "base/signals.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

#define OK(call) cr_assert_eq((call), EEX_OK, "%s", eex_error())

enum { WIDTH = 24, HEIGHT = 13 }; /* as it is seen */

static char folder[TEST_PATH_SIZE];

static void begin(void)
{
    test_folder_make(folder);
}

static void end(void)
{
    test_folder_remove(folder);
}

TestSuite(formats, .init = begin, .fini = end);

/* The sides at which the first row and the first column of what is stored are seen, as the EXIF
 * standard has them: top, bottom, left, right. */
static const char sides[9][2] = {"",         {'t', 'l'}, {'t', 'r'}, {'b', 'r'}, {'b', 'l'},
                                 {'l', 't'}, {'r', 't'}, {'r', 'b'}, {'l', 'b'}};

static void seen_at(int *x, int *y, int row, int column, int orientation)
{
    const int along[2] = {row, column};
    for (int i = 0; i < 2; i++)
        switch (sides[orientation][i]) {
        case 't':
            *y = along[i];
            break;
        case 'b':
            *y = HEIGHT - 1 - along[i];
            break;
        case 'l':
            *x = along[i];
            break;
        default:
            *x = WIDTH - 1 - along[i];
        }
}

static void write_stored(const char *path, test_format format, int orientation)
{
    const int width = orientation > 4 ? HEIGHT : WIDTH, height = orientation > 4 ? WIDTH : HEIGHT;
    uint8_t pixels[WIDTH * HEIGHT * 3];
    for (int row = 0; row < height; row++)
        for (int column = 0; column < width; column++) {
            int x = 0, y = 0;
            seen_at(&x, &y, row, column, orientation);
            test_picture_pixel(pixels + 3 * (row * width + column), x, y, WIDTH, HEIGHT);
        }
    test_write_rgb(path, format, width, height, pixels, orientation);
}

static const char *name_of(test_format format)
{
    static char name[32];
    snprintf(name, sizeof name, "a.%s", test_format_ending[format]);
    return test_path(folder, name);
}

static int decode(eex_image *image, const char *path)
{
    char *data;
    size_t size;
    OK(eex_fs_read(&data, &size, path, 1 << 24));
    const int code = eex_image_decode(image, data, size, 0, path);
    free(data);
    return code;
}

Test(formats, images_are_shown_the_right_way_up)
{
    for (int f = 0; f < TEST_FORMATS; f++)
        for (int orientation = 1; orientation <= 8; orientation++) {
            eex_image image;
            const char *path = name_of((test_format)f);
            write_stored(path, (test_format)f, orientation);
            OK(decode(&image, path));
            cr_assert(image.width == WIDTH && image.height == HEIGHT && image.channels == 3);
            for (int i = 0; i < WIDTH * HEIGHT * 3; i++) {
                uint8_t rgb[3];
                test_picture_pixel(rgb, i / 3 % WIDTH, i / 3 / WIDTH, WIDTH, HEIGHT);
                const int off = abs(image.pixels[i] - rgb[i % 3]);
                cr_assert_leq(off, f == TEST_JPEG ? 8 : 0, "%s, orientation %d, byte %d", path,
                              orientation, i);
            }
            eex_image_free(&image);
        }
}

Test(formats, names_are_those_of_images)
{
    const char *const yes[] = {"a.jpg", "a.JPEG", "a.jpe", "a.jfif",
                               "b.png", "b.WebP", "c.tif", "c.TIFF"};
    const char *const no[] = {"a.gif", "a", ".jpg", "a.jpg.txt", "jpg", ""};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        cr_expect(eex_image_named(yes[i]), "%s", yes[i]);
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        cr_expect_not(eex_image_named(no[i]), "%s", no[i]);
}

Test(formats, cut_files_are_refused)
{
    for (int f = TEST_WEBP; f < TEST_FORMATS; f++) {
        char *data;
        size_t size, whole = 0;
        const char *path = name_of((test_format)f);
        write_stored(path, (test_format)f, 1);
        OK(eex_fs_read(&data, &size, path, 1 << 24));
        for (size_t length = 0; length < size; length++) {
            eex_image image;
            char *copy = malloc(length ? length : 1);
            memcpy(copy, data, length);
            const int code = eex_image_decode(&image, copy, length, 0, path);
            cr_assert(code == EEX_OK || code == EEX_EFORMAT, "%s", eex_error());
            cr_assert(code == EEX_OK || strstr(eex_error(), path), "%s", eex_error());
            whole += code == EEX_OK;
            eex_image_free(&image);
            free(copy);
        }
        /* What is behind the pixels may be missing: the EXIF chunk of a WebP, a tag of a TIFF. */
        cr_assert_leq(whole, 64, "%s", path);
        free(data);
    }
}

Test(formats, damaged_files_never_crash, .timeout = 120)
{
    eex_rng rng;
    eex_rng_seed(&rng, 7, 0);
    for (int f = 0; f < TEST_FORMATS; f++) {
        char *data;
        size_t size;
        const char *path = name_of((test_format)f);
        write_stored(path, (test_format)f, 6);
        OK(eex_fs_read(&data, &size, path, 1 << 24));
        for (int round = 0; round < 2000; round++) {
            eex_image image;
            char *copy = malloc(size);
            memcpy(copy, data, size);
            for (uint64_t n = 1 + eex_rng_below(&rng, 4); n > 0; n--)
                copy[eex_rng_below(&rng, size)] = (char)eex_rng_below(&rng, 256);
            const int code = eex_image_decode(&image, copy, size, 0, path);
            cr_assert(code == EEX_OK || code == EEX_EFORMAT, "%d: %s", code, eex_error());
            eex_image_free(&image);
            free(copy);
        }
        free(data);
    }
}

/* A fourth sample of unknown meaning is taken for an alpha that colours are multiplied with. */
Test(formats, light_behind_a_tiffs_alpha_never_turns_dark)
{
    static uint8_t pixels[2][4] = {{250, 100, 0, 60}, {10, 200, 255, 255}};
    static const uint8_t seen[2][3] = {{255, 255, 195}, {10, 200, 255}};
    const uint16_t unknown = EXTRASAMPLE_UNSPECIFIED;
    const char *path = test_path(folder, "a.tif");
    eex_image image;
    TIFF *file = TIFFOpen(path, "w");
    cr_assert(file);
    TIFFSetField(file, TIFFTAG_IMAGEWIDTH, 2);
    TIFFSetField(file, TIFFTAG_IMAGELENGTH, 1);
    TIFFSetField(file, TIFFTAG_SAMPLESPERPIXEL, 4);
    TIFFSetField(file, TIFFTAG_EXTRASAMPLES, 1, &unknown);
    TIFFSetField(file, TIFFTAG_BITSPERSAMPLE, 8);
    TIFFSetField(file, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_RGB);
    TIFFSetField(file, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    cr_assert_eq(TIFFWriteScanline(file, pixels, 0, 0), 1);
    TIFFClose(file);
    OK(decode(&image, path));
    cr_assert(image.width == 2 && image.height == 1 && image.channels == 3);
    cr_expect_arr_eq(image.pixels, seen, sizeof seen);
    eex_image_free(&image);
}

Test(formats, a_signal_ends_decoding)
{
    const int polled[] = {TEST_JPEG, TEST_PNG, TEST_TIFF};
    OK(eex_signals_install());
    for (size_t i = 0; i < sizeof polled / sizeof *polled; i++)
        write_stored(name_of((test_format)polled[i]), (test_format)polled[i], 1);
    raise(SIGINT);
    for (size_t i = 0; i < sizeof polled / sizeof *polled; i++) {
        eex_image image;
        const char *path = name_of((test_format)polled[i]);
        cr_expect_eq(decode(&image, path), EEX_EINTERRUPTED, "%s: %s", path, eex_error());
        eex_image_free(&image);
    }
}
