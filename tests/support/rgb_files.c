#include "support/rgb_files.h"

#include <criterion/criterion.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>
#include <webp/encode.h>

#include <jpeglib.h>

const char *const test_format_ending[TEST_FORMATS] = {"jpg", "png", "webp", "tif"};

enum { EXIF_SIZE = 26 };

/* A TIFF header, a folder of one entry, the end of folders. */
static void make_exif(uint8_t exif[EXIF_SIZE], int orientation)
{
    static const uint8_t template[EXIF_SIZE] = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0,
                                                3,   0,   0, 0,  1, 0, 0, 0, 0, 0, 0, 0,    0};
    memcpy(exif, template, EXIF_SIZE);
    exif[19] = (uint8_t)orientation;
}

static void write_jpeg(FILE *file, int width, int height, const uint8_t *pixels,
                       const uint8_t *exif)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    uint8_t app1[6 + EXIF_SIZE] = "Exif\0";
    memcpy(app1 + 6, exif, EXIF_SIZE);
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_stdio_dest(&jpeg, file);
    jpeg.image_width = (JDIMENSION)width;
    jpeg.image_height = (JDIMENSION)height;
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 98, TRUE);
    for (int c = 0; c < 3; c++)
        jpeg.comp_info[c].h_samp_factor = jpeg.comp_info[c].v_samp_factor = 1;
    jpeg_start_compress(&jpeg, TRUE);
    jpeg_write_marker(&jpeg, JPEG_APP0 + 1, app1, sizeof app1);
    while (jpeg.next_scanline < jpeg.image_height) {
        uint8_t *row =
            (uint8_t *)(uintptr_t)pixels + (size_t)3 * jpeg.next_scanline * (size_t)width;
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
}

static void write_png(FILE *file, int width, int height, const uint8_t *pixels, uint8_t *exif)
{
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_init_io(png, file);
    png_set_IHDR(png, info, (png_uint_32)width, (png_uint_32)height, 8, PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_eXIf_1(png, info, EXIF_SIZE, exif);
    png_write_info(png, info);
    for (int y = 0; y < height; y++)
        png_write_row(png, pixels + (size_t)3 * (size_t)y * (size_t)width);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
}

static void put_chunk(FILE *file, const char *name, const uint8_t *data, size_t size)
{
    const uint8_t length[4] = {(uint8_t)size, (uint8_t)(size >> 8), (uint8_t)(size >> 16), 0};
    fwrite(name, 1, 4, file);
    fwrite(length, 1, 4, file);
    fwrite(data, 1, size, file);
    if (size % 2)
        fputc(0, file);
}

/* The extended container: what it holds, the picture's chunk as the encoder made it, EXIF. */
static void write_webp(FILE *file, int width, int height, const uint8_t *pixels,
                       const uint8_t *exif)
{
    uint8_t *plain = NULL;
    const size_t size = WebPEncodeLosslessRGB(pixels, width, height, 3 * width, &plain);
    const uint8_t head[10] = {8, 0, 0, 0, (uint8_t)(width - 1), 0, 0, (uint8_t)(height - 1), 0, 0};
    const size_t picture = size - 12, all = 4 + 18 + picture + 8 + EXIF_SIZE;
    const uint8_t length[4] = {(uint8_t)all, (uint8_t)(all >> 8), (uint8_t)(all >> 16), 0};
    cr_assert(size > 12 && width <= 256 && height <= 256);
    fwrite("RIFF", 1, 4, file);
    fwrite(length, 1, 4, file);
    fwrite("WEBP", 1, 4, file);
    put_chunk(file, "VP8X", head, sizeof head);
    fwrite(plain + 12, 1, picture, file);
    put_chunk(file, "EXIF", exif, EXIF_SIZE);
    WebPFree(plain);
}

static void write_tiff(const char *path, int width, int height, const uint8_t *pixels,
                       int orientation)
{
    TIFF *file = TIFFOpen(path, "w");
    cr_assert(file, "%s", path);
    TIFFSetField(file, TIFFTAG_IMAGEWIDTH, width);
    TIFFSetField(file, TIFFTAG_IMAGELENGTH, height);
    TIFFSetField(file, TIFFTAG_SAMPLESPERPIXEL, 3);
    TIFFSetField(file, TIFFTAG_BITSPERSAMPLE, 8);
    TIFFSetField(file, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_RGB);
    TIFFSetField(file, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFSetField(file, TIFFTAG_COMPRESSION, COMPRESSION_LZW);
    TIFFSetField(file, TIFFTAG_ROWSPERSTRIP, 4);
    TIFFSetField(file, TIFFTAG_ORIENTATION, orientation);
    uint8_t *row = malloc((size_t)width * 3);
    cr_assert(row);
    for (int y = 0; y < height; y++) {
        memcpy(row, pixels + (size_t)y * (size_t)width * 3, (size_t)width * 3);
        cr_assert_eq(TIFFWriteScanline(file, row, (uint32_t)y, 0), 1);
    }
    free(row);
    TIFFClose(file);
}

void test_write_rgb(const char *path, test_format format, int width, int height,
                    const uint8_t *pixels, int orientation)
{
    uint8_t exif[EXIF_SIZE];
    make_exif(exif, orientation);
    if (format == TEST_TIFF) {
        write_tiff(path, width, height, pixels, orientation);
        return;
    }
    FILE *file = fopen(path, "wb");
    cr_assert(file, "%s", path);
    if (format == TEST_JPEG)
        write_jpeg(file, width, height, pixels, exif);
    else if (format == TEST_PNG)
        write_png(file, width, height, pixels, exif);
    else
        write_webp(file, width, height, pixels, exif);
    cr_assert_eq(fclose(file), 0);
}
