#include "support/pictures.h"

#include "base/fs.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

void test_picture_pixel(uint8_t rgb[3], int x, int y, int width, int height)
{
    int u = width > 1 ? 255 * x / (width - 1) : 0, v = height > 1 ? 255 * y / (height - 1) : 0;
    rgb[0] = (uint8_t)(255 - u);
    rgb[1] = (uint8_t)u;
    rgb[2] = (uint8_t)v;
}

static uint8_t luma(const uint8_t rgb[3])
{
    return (uint8_t)(0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2] + 0.5);
}

/* ---- JPEG ---- */

/* Ink without black in it, upside down: what is left of the paper. */
static void put_ink(uint8_t *to, const uint8_t rgb[3])
{
    memcpy(to, rgb, 3);
    to[3] = 255;
}

static void jpeg_row(uint8_t *row, int y, const test_jpeg *what)
{
    for (int x = 0; x < what->width; x++) {
        uint8_t rgb[3];
        test_picture_pixel(rgb, x, y, what->width, what->height);
        if (what->ink == TEST_GREY)
            row[x] = luma(rgb);
        else if (what->ink == TEST_COLOUR)
            memcpy(row + 3 * x, rgb, 3);
        else
            put_ink(row + 4 * x, rgb);
    }
}

/* Each band of each component roughly, then to the last bit: most of the time goes into scans. */
static void jpeg_bands(struct jpeg_compress_struct *jpeg, int bands)
{
    static jpeg_scan_info scans[1 + 6 * 63];
    int count = 0;
    scans[count++] = (jpeg_scan_info){.comps_in_scan = 3, .component_index = {0, 1, 2}};
    for (int band = 1; band <= bands; band++)
        for (int i = 0; i < 6; i++)
            scans[count++] = (jpeg_scan_info){.comps_in_scan = 1,
                                              .component_index = {i % 3},
                                              .Ss = band,
                                              .Se = band,
                                              .Ah = i / 3,
                                              .Al = 1 - i / 3};
    jpeg->scan_info = scans;
    jpeg->num_scans = count;
}

static void jpeg_settings(struct jpeg_compress_struct *jpeg, const test_jpeg *what, int bands)
{
    jpeg->image_width = (JDIMENSION)what->width;
    jpeg->image_height = (JDIMENSION)what->height;
    jpeg->input_components = what->ink == TEST_GREY ? 1 : what->ink == TEST_COLOUR ? 3 : 4;
    jpeg->in_color_space = what->ink == TEST_GREY     ? JCS_GRAYSCALE
                           : what->ink == TEST_COLOUR ? JCS_RGB
                                                      : JCS_CMYK;
    jpeg_set_defaults(jpeg);
    if (what->ink >= TEST_CMYK)
        jpeg_set_colorspace(jpeg, what->ink == TEST_YCCK ? JCS_YCCK : JCS_CMYK);
    if (what->ink == TEST_CMYK_PLAIN)
        jpeg->write_Adobe_marker = FALSE;
    jpeg_set_quality(jpeg, what->quality ? what->quality : 95, TRUE);
    for (int c = 0; c < jpeg->num_components;
         c++) /* full colour resolution: tests compare pixels */
        jpeg->comp_info[c].h_samp_factor = jpeg->comp_info[c].v_samp_factor = 1;
    if (bands)
        jpeg_bands(jpeg, bands);
    else if (what->progressive)
        jpeg_simple_progression(jpeg);
}

void test_write_jpeg(const char *path, const test_jpeg *what)
{
    test_write_jpeg_in_bands(path, what, 0);
}

void test_write_jpeg_in_bands(const char *path, const test_jpeg *what, int bands)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    FILE *file = fopen(path, "wb");
    uint8_t *row = malloc((size_t)what->width * 4);
    cr_assert(file && row, "%s", path);
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_stdio_dest(&jpeg, file);
    jpeg_settings(&jpeg, what, bands);
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < jpeg.image_height) {
        jpeg_row(row, (int)jpeg.next_scanline, what);
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    free(row);
    cr_assert_eq(fclose(file), 0);
}

/* ---- PNG ---- */

/* One sample of `depth` bits at a place of a row. */
static void put_sample(uint8_t *row, int place, int depth, uint8_t value)
{
    if (depth == 16)
        row[2 * place] = row[2 * place + 1] = value;
    else if (depth == 8)
        row[place] = value;
    else
        row[place * depth / 8] |=
            (uint8_t)(value >> (8 - depth) << (8 - depth - place * depth % 8));
}

static void png_row(uint8_t *row, int y, const test_png *what)
{
    bool colour = what->type & PNG_COLOR_MASK_COLOR, palette = what->type & PNG_COLOR_MASK_PALETTE;
    bool alpha = what->type & PNG_COLOR_MASK_ALPHA;
    int channels = (colour && !palette ? 3 : 1) + alpha;
    memset(row, 0, (size_t)what->width * 8);
    for (int x = 0; x < what->width; x++) {
        uint8_t rgb[3];
        test_picture_pixel(rgb, x, y, what->width, what->height);
        if (colour && !palette)
            for (int c = 0; c < 3; c++)
                put_sample(row, x * channels + c, what->depth, rgb[c]);
        else /* a palette's entries are greys here */
            put_sample(row, x * channels, what->depth, luma(rgb));
        if (alpha) /* the right half is transparent */
            put_sample(row, x * channels + channels - 1, what->depth,
                       x < what->width / 2 ? 255 : 0);
    }
}

static void png_palette(png_structp png, png_infop info, int depth)
{
    png_color palette[256];
    int count = 1 << depth;
    for (int i = 0; i < count; i++)
        palette[i].red = palette[i].green = palette[i].blue = (png_byte)(255 * i / (count - 1));
    png_set_PLTE(png, info, palette, count);
}

void test_write_png(const char *path, const test_png *what)
{
    FILE *file = fopen(path, "wb");
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_bytep *rows = calloc((size_t)what->height, sizeof *rows);
    cr_assert(file && png && info && rows, "%s", path);
    png_init_io(png, file);
    png_set_IHDR(png, info, (png_uint_32)what->width, (png_uint_32)what->height, what->depth,
                 what->type, what->interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (what->type == PNG_COLOR_TYPE_PALETTE)
        png_palette(png, info, what->depth);
    for (int y = 0; y < what->height; y++) {
        rows[y] = malloc((size_t)what->width * 8);
        cr_assert_not_null(rows[y]);
        png_row(rows[y], y, what);
    }
    png_write_info(png, info);
    png_write_image(png, rows);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    for (int y = 0; y < what->height; y++)
        free(rows[y]);
    free(rows);
    cr_assert_eq(fclose(file), 0);
}

/* ---- any of them ---- */

int test_decode(eex_image *out, const char *path, int enough)
{
    char *data;
    size_t size;
    cr_assert_eq(eex_fs_read(&data, &size, path, 1 << 24), EEX_OK, "%s", eex_error());
    const int code = eex_image_decode(out, data, size, enough, path);
    free(data);
    return code;
}
