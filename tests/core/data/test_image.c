#include "core/data/image.h"
#include "support/folder.h"
#include "support/pictures.h"

#include "base/fs.h"
#include "base/rng.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OK(call) cr_assert_eq((call), EEX_OK, "%s", eex_error())

static char folder[TEST_PATH_SIZE];

static void begin(void)
{
    test_folder_make(folder);
}

static void end(void)
{
    test_folder_remove(folder);
}

TestSuite(image, .init = begin, .fini = end);

static void refused(int code, const char *word)
{
    cr_assert_eq(code, EEX_EFORMAT, "%s: %s", eex_status_name(code), eex_error());
    cr_assert(strstr(eex_error(), word), "\"%s\" does not say \"%s\"", eex_error(), word);
}

static int off(uint8_t a, uint8_t b)
{
    return abs((int)a - (int)b);
}

/* Compares with the picture's own colours; grey images with their luma. `shown` columns count. */
static void check_pixels(const eex_image *image, int shown, int tolerance)
{
    for (int y = 0; y < image->height; y++)
        for (int x = 0; x < shown; x++) {
            uint8_t rgb[3];
            const uint8_t *got = image->pixels + (y * image->width + x) * image->channels;
            test_picture_pixel(rgb, x, y, image->width, image->height);
            double luma = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
            for (int c = 0; c < image->channels; c++) {
                uint8_t want = image->channels == 1 ? (uint8_t)(luma + 0.5) : rgb[c];
                cr_assert_leq(off(got[c], want), tolerance, "(%d, %d, %d): %d, not %d", x, y, c,
                              got[c], want);
            }
        }
}

Test(image, jpegs_of_every_colour_space)
{
    for (test_ink ink = TEST_GREY; ink <= TEST_CMYK_PLAIN; ink++)
        for (int progressive = 0; progressive < 2; progressive++) {
            eex_image image;
            const test_jpeg what = {37, 23, ink, progressive, 98};
            const char *path = test_path(folder, "a.jpg");
            test_write_jpeg(path, &what);
            OK(test_decode(&image, path, 0));
            cr_assert_eq(image.width, 37);
            cr_assert_eq(image.height, 23);
            cr_assert_eq(image.channels, ink == TEST_GREY ? 1 : 3);
            check_pixels(&image, 37, 8);
            eex_image_free(&image);
        }
}

Test(image, large_jpegs_are_decoded_smaller)
{
    eex_image image;
    const char *path = test_path(folder, "a.jpg");
    test_write_jpeg(path, &(test_jpeg){800, 600, TEST_COLOUR, false, 90});
    const struct {
        int enough, height;
    } cases[] = {{0, 600}, {301, 600}, {300, 300}, {151, 300}, {150, 150}, {75, 75}, {1, 75}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        OK(test_decode(&image, path, cases[i].enough));
        cr_assert_eq(image.height, cases[i].height);
        check_pixels(&image, image.width, 8);
        eex_image_free(&image);
    }
}

Test(image, pngs_of_every_kind)
{
    const int types[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_PALETTE,
                         PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB_ALPHA};
    const int depths[] = {1, 2, 4, 8, 16};
    for (int t = 0; t < 5; t++)
        for (int d = 0; d < 5; d++)
            for (int interlaced = 0; interlaced < 2; interlaced++) {
                const test_png what = {29, 17, types[t], depths[d], interlaced};
                bool palette = types[t] == PNG_COLOR_TYPE_PALETTE;
                if (depths[d] < 8 && types[t] != PNG_COLOR_TYPE_GRAY && !palette)
                    continue;
                if (depths[d] == 16 && palette)
                    continue;
                eex_image image;
                const char *path = test_path(folder, "a.png");
                test_write_png(path, &what);
                OK(test_decode(&image, path, 0));
                cr_assert_eq(image.width, 29);
                cr_assert_eq(image.height, 17);
                bool alpha = types[t] & PNG_COLOR_MASK_ALPHA;
                if (!palette) /* fewer bits, coarser steps */
                    check_pixels(&image, alpha ? 14 : 29, depths[d] >= 8 ? 1 : 256 >> depths[d]);
                for (int c = 0; alpha && c < image.channels; c++) /* transparent shows white */
                    cr_assert_eq(image.pixels[20 * image.channels + c], 255);
                eex_image_free(&image);
            }
}

Test(image, a_palette_is_looked_up)
{
    eex_image image;
    const char *path = test_path(folder, "a.png");
    test_write_png(path, &(test_png){29, 17, PNG_COLOR_TYPE_PALETTE, 8, false});
    OK(test_decode(&image, path, 0));
    cr_assert_eq(image.channels, 3);
    for (int i = 0; i < 29 * 17; i++) {
        uint8_t rgb[3];
        test_picture_pixel(rgb, i % 29, i / 29, 29, 17);
        double luma = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
        for (int c = 0; c < 3; c++)
            cr_assert_leq(off(image.pixels[3 * i + c], (uint8_t)(luma + 0.5)), 1);
    }
    eex_image_free(&image);
}

Test(image, what_is_written_is_read_back)
{
    for (int channels = 1; channels <= 3; channels += 2) {
        eex_image image, back;
        const char *path = test_path(folder, "a.png");
        OK(eex_image_new(&image, 13, 7, channels, path));
        for (int i = 0; i < 13 * 7 * channels; i++)
            image.pixels[i] = (uint8_t)(i * 37);
        OK(eex_image_write_png(path, &image));
        OK(test_decode(&back, path, 0));
        cr_assert_eq(back.channels, channels);
        cr_assert_eq(memcmp(image.pixels, back.pixels, (size_t)(13 * 7 * channels)), 0);
        eex_image_free(&image);
        eex_image_free(&back);
    }
}

/* ---- damage ---- */

Test(image, other_formats_are_named)
{
    eex_image image;
    refused(eex_image_decode(&image, "", 0, 0, "a.jpg"), "a.jpg: the file is empty");
    refused(eex_image_decode(&image, "GIF89a..", 8, 0, "a.jpg"),
            "a.jpg: a GIF file, which is not read");
    cr_assert_null(image.pixels);
}

static void cut_at_every_length(const char *path)
{
    char *data;
    size_t size;
    eex_image image;
    OK(eex_fs_read(&data, &size, path, 1 << 20));
    for (size_t length = 0; length < size; length++) {
        char *copy =
            malloc(length ? length : 1); /* of the exact size: sanitizers see what is beyond */
        memcpy(copy, data, length);
        int code = eex_image_decode(&image, copy, length, 0, path);
        /* The last bytes only say that the end has come. */
        cr_assert(code == EEX_EFORMAT || (code == EEX_OK && size - length <= 12), "%zu of %zu: %d",
                  length, size, code);
        if (code < 0)
            cr_assert(strstr(eex_error(), path), "%s", eex_error());
        eex_image_free(&image);
        free(copy);
    }
    free(data);
}

/* Each scan goes over the whole image: a small file can keep a reader busy with nothing else. */
Test(image, more_scans_than_an_image_needs_are_refused)
{
    const char *path = test_path(folder, "a.jpg");
    const test_jpeg small = {24, 24, TEST_COLOUR, true, 90};
    const test_jpeg large = {2048, 2048, TEST_COLOUR, true, 1};
    eex_image image;
    test_write_jpeg_in_bands(path, &small, 30); /* 181 scans */
    OK(test_decode(&image, path, 0));
    eex_image_free(&image);
    test_write_jpeg_in_bands(path, &small, 40); /* 241 */
    refused(test_decode(&image, path, 0), "scans");
    test_write_jpeg_in_bands(path, &large, 33); /* 199, of 4 Mi pixels each */
    refused(test_decode(&image, path, 0), "scans");
}

Test(image, cut_files_are_refused_at_every_length)
{
    for (int progressive = 0; progressive < 2; progressive++) {
        test_write_jpeg(test_path(folder, "a.jpg"),
                        &(test_jpeg){24, 24, TEST_COLOUR, progressive, 50});
        cut_at_every_length(test_path(folder, "a.jpg"));
    }
    test_write_jpeg(test_path(folder, "a.jpg"), &(test_jpeg){20, 16, TEST_YCCK, false, 50});
    cut_at_every_length(test_path(folder, "a.jpg"));
    test_write_png(test_path(folder, "a.png"), &(test_png){24, 24, PNG_COLOR_TYPE_RGB, 8, false});
    cut_at_every_length(test_path(folder, "a.png"));
    test_write_png(test_path(folder, "a.png"),
                   &(test_png){24, 24, PNG_COLOR_TYPE_PALETTE, 4, true});
    cut_at_every_length(test_path(folder, "a.png"));
}

/* Any bytes at all end in pixels or in an error that names the file. */
static void spoil(const char *path, int rounds, uint64_t seed)
{
    char *data;
    size_t size;
    int failed = 0;
    eex_rng rng;
    eex_rng_seed(&rng, seed, 0);
    OK(eex_fs_read(&data, &size, path, 1 << 20));
    for (int round = 0; round < rounds; round++) {
        eex_image image;
        char *copy = malloc(size);
        memcpy(copy, data, size);
        for (uint64_t hits = 1 + eex_rng_below(&rng, 6); hits; hits--)
            copy[eex_rng_below(&rng, round % 2 ? size : size / 8)] = (char)eex_rng_next(&rng);
        int code = eex_image_decode(&image, copy, size, (int)eex_rng_below(&rng, 20), path);
        if (code < 0)
            cr_assert(strstr(eex_error(), path), "%d: %s", code, eex_error());
        else
            cr_assert(image.pixels && image.width > 0 && image.height > 0);
        failed += code < 0;
        eex_image_free(&image);
        free(copy);
    }
    cr_assert_gt(failed, rounds / 10);
    free(data);
}

Test(image, damaged_files_never_crash)
{
    for (test_ink ink = TEST_GREY; ink <= TEST_CMYK_PLAIN; ink++) {
        test_write_jpeg(test_path(folder, "a.jpg"), &(test_jpeg){40, 30, ink, ink % 2, 80});
        spoil(test_path(folder, "a.jpg"), 300, (uint64_t)ink);
    }
    test_write_png(test_path(folder, "a.png"),
                   &(test_png){40, 30, PNG_COLOR_TYPE_RGB_ALPHA, 16, true});
    spoil(test_path(folder, "a.png"), 300, 100);
    test_write_png(test_path(folder, "a.png"),
                   &(test_png){40, 30, PNG_COLOR_TYPE_PALETTE, 8, false});
    spoil(test_path(folder, "a.png"), 300, 101);
}

/* Finds the frame header of a JPEG and makes it claim another size. */
static void claim(uint8_t *jpeg, size_t size, int width, int height)
{
    for (size_t i = 2; i + 8 < size; i++)
        if (jpeg[i] == 0xff && jpeg[i + 1] == 0xc0) {
            jpeg[i + 5] = (uint8_t)(height >> 8);
            jpeg[i + 6] = (uint8_t)height;
            jpeg[i + 7] = (uint8_t)(width >> 8);
            jpeg[i + 8] = (uint8_t)width;
            return;
        }
    cr_assert(false, "no frame header");
}

Test(image, headers_that_claim_to_be_huge)
{
    eex_image image;
    char *data;
    size_t size;
    const char *path = test_path(folder, "a.jpg");
    test_write_jpeg(path, &(test_jpeg){16, 16, TEST_COLOUR, false, 90});
    OK(eex_fs_read(&data, &size, path, 1 << 20));
    claim((uint8_t *)data, size, 60000, 60000);
    refused(eex_image_decode(&image, data, size, 0, path), "claims 60000 x 60000");
    claim((uint8_t *)data, size, 4000, 4000);
    refused(eex_image_decode(&image, data, size, 0, path), "claims 4000 x 4000");
    free(data);
    refused(eex_image_new(&image, 65501, 1, 1, "b"), "65501 x 1");
    refused(eex_image_new(&image, 1, 0, 1, "b"), "1 x 0");
    refused(eex_image_new(&image, 10000, 10000, 1, "b"), "10000 x 10000");
}

/* ---- resizing ---- */

Test(image, resizing_keeps_flat_images_flat)
{
    uint8_t out[64 * 64 * 3];
    for (int width = 1; width < 200; width += 37)
        for (int height = 1; height < 200; height += 41) {
            eex_image image;
            OK(eex_image_new(&image, width, height, 3, "flat"));
            memset(image.pixels, 77, (size_t)(width * height * 3));
            for (int fit = 0; fit < 2; fit++) {
                OK(eex_image_resize(out, 64, 64, 3, &image, (eex_fit)fit));
                for (size_t i = 0; i < sizeof out; i++)
                    cr_assert_eq(out[i], 77);
            }
            eex_image_free(&image);
        }
}

Test(image, the_same_size_changes_nothing)
{
    uint8_t out[9 * 5 * 3];
    eex_image image;
    OK(eex_image_new(&image, 9, 5, 3, "same"));
    for (int i = 0; i < 9 * 5 * 3; i++)
        image.pixels[i] = (uint8_t)(i * 73);
    OK(eex_image_resize(out, 9, 5, 3, &image, EEX_FIT_SQUASH));
    cr_assert_eq(memcmp(out, image.pixels, sizeof out), 0);
    eex_image_free(&image);
}

/* Single-pixel stripes become their mean: nothing is skipped, as a nearest or plain linear filter
 * would. */
Test(image, shrinking_averages)
{
    uint8_t out[8 * 8];
    eex_image image;
    OK(eex_image_new(&image, 64, 64, 1, "stripes"));
    for (int i = 0; i < 64 * 64; i++)
        image.pixels[i] = i % 2 ? 255 : 0;
    OK(eex_image_resize(out, 8, 8, 1, &image, EEX_FIT_CROP));
    for (int i = 0; i < 64; i++)
        cr_assert_leq(abs(out[i] - 128), 1 + 4 * (i % 8 == 0 || i % 8 == 7));
    eex_image_free(&image);
}

/* Compares with the definition, computed in double for each pixel of its own. */
Test(image, resizing_agrees_with_its_definition)
{
    enum { W = 50, H = 31, OUT = 7 };
    uint8_t out[OUT * OUT];
    eex_image image;
    eex_rng rng;
    eex_rng_seed(&rng, 4, 0);
    OK(eex_image_new(&image, W, H, 1, "noise"));
    for (int i = 0; i < W * H; i++)
        image.pixels[i] = (uint8_t)eex_rng_next(&rng);
    OK(eex_image_resize(out, OUT, OUT, 1, &image, EEX_FIT_CROP)); /* the middle 31 x 31 */
    const double scale = 31.0 / OUT, left = (50 - 31) / 2.0;
    for (int i = 0; i < OUT * OUT; i++) {
        double cx = left + (i % OUT + 0.5) * scale, cy = (i / OUT + 0.5) * scale, sum = 0,
               total = 0;
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                double u = 1 - fabs(x + 0.5 - cx) / scale, v = 1 - fabs(y + 0.5 - cy) / scale;
                double weight = u > 0 && v > 0 ? u * v : 0;
                sum += weight * image.pixels[y * W + x];
                total += weight;
            }
        cr_assert_leq(fabs(out[i] - sum / total), 0.51, "%d: %d, not %g", i, out[i], sum / total);
    }
    eex_image_free(&image);
}

Test(image, crops_the_middle_and_changes_channels)
{
    uint8_t out[4 * 4 * 3], grey[4 * 4];
    eex_image image;
    OK(eex_image_new(&image, 12, 4, 3, "bands"));
    for (int i = 0; i < 12 * 4; i++) { /* red, green, blue bands of four columns */
        memset(image.pixels + 3 * i, 0, 3);
        image.pixels[3 * i + i % 12 / 4] = 200;
    }
    OK(eex_image_resize(out, 4, 4, 3, &image, EEX_FIT_CROP));
    OK(eex_image_resize(grey, 4, 4, 1, &image, EEX_FIT_CROP));
    for (int i = 0; i < 16; i++) {
        cr_assert_eq(out[3 * i + 1], 200);
        cr_assert_eq(out[3 * i], 0);
        cr_assert_eq(grey[i], 117); /* 0.587 * 200 */
    }
    eex_image_free(&image);
}
