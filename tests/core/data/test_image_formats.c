/* Every format gives the pixels that are to be seen, whichever way they are stored, and whatever
 * happens to its files. */
#include "core/data/image.h"
#include "support/folder.h"
#include "support/pictures.h"
#include "support/rgb_files.h"

#include "base/buffer.h"
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

Test(formats, images_are_shown_the_right_way_up)
{
    for (int f = 0; f < TEST_FORMATS; f++)
        for (int orientation = 1; orientation <= 8; orientation++) {
            eex_image image;
            const char *path = name_of((test_format)f);
            write_stored(path, (test_format)f, orientation);
            OK(test_decode(&image, path, 0));
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
            cr_assert(code == EEX_OK || code == EEX_EFORMAT || code == EEX_EUNSUPPORTED, "%d: %s",
                      code, eex_error());
            cr_assert_geq(eex_image_count(copy, size), 1);
            eex_image_free(&image);
            free(copy);
        }
        free(data);
    }
}

typedef struct samples {
    int kind, bits; /* of a TIFF */
    const char *says;
} samples;

/* Grey pages of 4 x 2 zeros. */
static void write_pages(const char *path, int pages, const samples *of)
{
    static uint8_t row[4 * 8];
    TIFF *file = TIFFOpen(path, "w");
    cr_assert(file);
    for (int page = 0; page < pages; page++) {
        TIFFSetField(file, TIFFTAG_IMAGEWIDTH, 4);
        TIFFSetField(file, TIFFTAG_IMAGELENGTH, 2);
        TIFFSetField(file, TIFFTAG_SAMPLESPERPIXEL, 1);
        TIFFSetField(file, TIFFTAG_BITSPERSAMPLE, of->bits);
        TIFFSetField(file, TIFFTAG_SAMPLEFORMAT, of->kind);
        TIFFSetField(file, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
        TIFFSetField(file, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
        for (uint32_t y = 0; y < 2; y++)
            cr_assert_eq(TIFFWriteScanline(file, row, y, 0), 1);
        cr_assert_eq(TIFFWriteDirectory(file), 1);
    }
    TIFFClose(file);
}

/* What is taken for unsigned and is not would be shown in other shades. */
Test(formats, samples_of_a_tiff_are_unsigned)
{
    static const samples kinds[] = {
        {SAMPLEFORMAT_UINT, 1, NULL},
        {SAMPLEFORMAT_UINT, 8, NULL},
        {SAMPLEFORMAT_UINT, 16, NULL},
        {SAMPLEFORMAT_VOID, 8, NULL},
        {SAMPLEFORMAT_INT, 8, "signed samples of 8 bits"},
        {SAMPLEFORMAT_INT, 16, "signed samples of 16 bits"},
        {SAMPLEFORMAT_UINT, 32, "unsigned samples of 32 bits"},
        {SAMPLEFORMAT_IEEEFP, 32, "floating-point samples of 32 bits"},
    };
    const char *path = test_path(folder, "a.tif");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        eex_image image;
        write_pages(path, 1, &kinds[i]);
        const int code = test_decode(&image, path, 0);
        cr_expect_eq(code, kinds[i].says ? EEX_EUNSUPPORTED : EEX_OK, "%zu: %s", i, eex_error());
        if (kinds[i].says) {
            cr_expect(strstr(eex_error(), kinds[i].says), "%s", eex_error());
            cr_expect(strstr(eex_error(), "convert it to unsigned ones"), "%s", eex_error());
        }
        eex_image_free(&image);
    }
}

static int count_of(const char *path)
{
    char *data;
    size_t size;
    eex_image image;
    OK(eex_fs_read(&data, &size, path, 1 << 24));
    OK(eex_image_decode(&image, data, size, 0, path));
    eex_image_free(&image);
    const int count = eex_image_count(data, size);
    free(data);
    return count;
}

/* Pieces of a file, one after the other. */
typedef struct piece {
    const void *data;
    size_t size;
} piece;

static void write_pieces(const char *path, const piece *pieces, int count)
{
    FILE *file = fopen(path, "wb");
    cr_assert(file);
    for (int i = 0; i < count; i++)
        cr_assert_eq(fwrite(pieces[i].data, 1, pieces[i].size, file), pieces[i].size);
    cr_assert_eq(fclose(file), 0);
}

Test(formats, one_image_is_not_several)
{
    for (int f = 0; f < TEST_FORMATS; f++) {
        write_stored(name_of((test_format)f), (test_format)f, 1);
        cr_expect_eq(count_of(name_of((test_format)f)), 1, "%s", test_format_ending[f]);
    }
    cr_expect_eq(eex_image_count("", 0), 1);
    cr_expect_eq(eex_image_count("\x89PNG\r\n\x1a\n", 8), 1);
}

Test(formats, pages_of_a_tiff_are_told_of)
{
    static const samples bytes = {SAMPLEFORMAT_UINT, 8, NULL};
    const char *path = test_path(folder, "a.tif");
    for (int pages = 1; pages < 4; pages++) {
        write_pages(path, pages, &bytes);
        cr_expect_eq(count_of(path), pages);
    }
}

/* ---- directories of TIFF files, one after the other ---- */

typedef struct directory {
    int tag, type, value; /* of its only entry */
} directory;

static void put_number(eex_buffer *out, uint64_t value, int bytes, bool big)
{
    for (int i = 0; i < bytes; i++)
        eex_buffer_putc(out, (char)(value >> 8 * (big ? bytes - 1 - i : i)));
}

/* `last`: where the last one says that another is; 0: nowhere. */
static void put_directories(eex_buffer *out, const directory *d, size_t count, bool big, bool wide,
                            size_t last)
{
    const int word = wide ? 8 : 4;
    eex_buffer_puts(out, big ? "MM" : "II");
    put_number(out, wide ? 43 : 42, 2, big);
    if (wide)
        put_number(out, 8, 4, big);
    put_number(out, wide ? 16 : 8, word, big);
    for (size_t i = 0; i < count; i++) {
        const size_t next = out->size + (wide ? 8 + 20 + 8 : 2 + 12 + 4);
        put_number(out, 1, wide ? 8 : 2, big);
        put_number(out, (uint64_t)d[i].tag, 2, big);
        put_number(out, (uint64_t)d[i].type, 2, big);
        put_number(out, 1, word, big);
        put_number(out, (uint64_t)d[i].value, d[i].type == 3 ? 2 : 4, big);
        eex_buffer_fill(out, '\0', (size_t)(word - (d[i].type == 3 ? 2 : 4)));
        put_number(out, i + 1 < count ? next : last, word, big);
    }
}

static int count_directories(const directory *d, size_t count, bool big, bool wide, size_t last)
{
    eex_buffer file = EEX_BUFFER_INIT;
    put_directories(&file, d, count, big, wide, last);
    OK(eex_buffer_status(&file));
    char *exact = malloc(file.size); /* so that a byte too far is found */
    memcpy(exact, file.data, file.size);
    const int pages = eex_image_count(exact, file.size);
    free(exact);
    eex_buffer_free(&file);
    return pages;
}

/* Thumbnails and masks are of a page, and none themselves; what is first is shown and counts. */
Test(formats, thumbnails_and_masks_of_a_tiff_are_no_pages)
{
    static const directory page = {256, 4, 1}, part = {254, 4, 2}, thumbnail = {254, 4, 1},
                           short_thumbnail = {254, 3, 1}, small_page = {254, 4, 3},
                           mask = {254, 4, 4}, old_page = {255, 3, 3}, old_thumbnail = {255, 3, 2};
    const directory beside[] = {page, thumbnail, short_thumbnail, small_page, old_thumbnail, mask},
                    behind[] = {thumbnail, page}, pages[] = {part, mask, part, old_page};
    for (int kind = 0; kind < 4; kind++) {
        const bool big = kind & 1, wide = kind & 2;
        cr_expect_eq(count_directories(beside, 6, big, wide, 0), 1, "%d", kind);
        cr_expect_eq(count_directories(behind, 2, big, wide, 0), 2, "%d", kind);
        cr_expect_eq(count_directories(pages, 4, big, wide, 0), 3, "%d", kind);
        cr_expect_eq(count_directories(&page, 1, big, wide, 0), 1, "%d", kind);
    }
}

/* A chain that comes back, leads out of the file, or has no end. */
Test(formats, pages_of_a_hostile_tiff_are_counted_in_no_time)
{
    enum { MANY = 3000000 };
    const directory page = {256, 4, 1}, pages[] = {page, page, page};
    for (int kind = 0; kind < 4; kind++) {
        const bool big = kind & 1, wide = kind & 2;
        const size_t first = wide ? 16 : 8, second = first + (wide ? 36 : 18);
        cr_expect_eq(count_directories(&page, 1, big, wide, first), 1, "%d", kind);
        cr_expect_eq(count_directories(pages, 3, big, wide, second), 3, "%d", kind);
        cr_expect_eq(count_directories(pages, 3, big, wide, 0x7fffffff), 3, "%d", kind);
        cr_expect_eq(count_directories(pages, 3, big, wide, second + 1), 3, "%d", kind);
    }
    directory *many = malloc(MANY * sizeof *many);
    for (int i = 0; i < MANY; i++)
        many[i] = page;
    cr_expect_eq(count_directories(many, MANY, false, false, 0), EEX_IMAGE_MAX_COUNTED);
    cr_expect_eq(count_directories(many, EEX_IMAGE_MAX_COUNTED - 1, true, true, 0),
                 EEX_IMAGE_MAX_COUNTED - 1);
    free(many);
}

/* However many thumbnails there are, a page behind them is found; a circle far behind ends too. */
Test(formats, pages_behind_many_thumbnails_count)
{
    enum { MANY = 1000000, FEW = 5000 };
    const directory page = {256, 4, 1}, thumbnail = {254, 4, 1};
    directory *many = malloc(MANY * sizeof *many);
    for (int i = 0; i < MANY; i++)
        many[i] = thumbnail;
    for (int kind = 0; kind < 4; kind++) {
        const bool big = kind & 1, wide = kind & 2;
        const size_t first = wide ? 16 : 8, far = first + 3000 * (wide ? 36 : 18);
        cr_expect_eq(count_directories(many, FEW, big, wide, 0), 1, "%d", kind);
        cr_expect_eq(count_directories(many, FEW, big, wide, first), 1, "%d", kind);
        cr_expect_eq(count_directories(many, FEW, big, wide, far), 1, "%d", kind);
        many[FEW - 1] = page;
        cr_expect_eq(count_directories(many, FEW, big, wide, 0), 2, "%d", kind);
        many[FEW - 1] = thumbnail;
    }
    many[MANY - 1] = page;
    cr_expect_eq(count_directories(many, MANY, false, false, 0), 2);
    free(many);
}

/* Directories that lie in one another, each as long as the file: looked through whole, they would
 * take as many times the file. */
Test(formats, no_more_is_read_for_pages_than_the_file_has)
{
    enum { ENTRIES = 65535, SIZE = 8 + 900 * 4 + 2 + 12 * ENTRIES + 4 };
    static uint8_t file[SIZE];
    memset(file, 0xff, sizeof file); /* 65,535 entries wherever one begins */
    memcpy(file, "II*\0\x08\0\0\0", 8);
    for (uint32_t i = 0; i < 900; i++) {
        const uint32_t at = 8 + 4 * i, next = at + 4;
        memcpy(file + at + 2 + 12 * ENTRIES, &next, 4);
    }
    cr_expect_eq(eex_image_count(file, sizeof file), 1);
}

Test(formats, frames_of_a_png_are_told_of)
{
    static const uint8_t two[20] = "\0\0\0\x08"
                                   "acTL\0\0\0\x02\0\0\0\0"
                                   "\xf3\x8d\x93\x70";
    const char *path = name_of(TEST_PNG);
    char *data;
    size_t size;
    write_stored(path, TEST_PNG, 1);
    OK(eex_fs_read(&data, &size, path, 1 << 24)); /* the chunk stands behind the header */
    const piece pieces[] = {{data, 33}, {two, sizeof two}, {data + 33, size - 33}};
    write_pieces(path, pieces, 3);
    cr_expect_eq(count_of(path), 2);
    free(data);
}

/* Two frames, each the picture's own chunk of a WebP of one. */
Test(formats, frames_of_a_webp_are_told_of)
{
    static const uint8_t head[32] = "VP8X\x0a\0\0\0\x02\0\0\0\x17\0\0\x0c\0\0"
                                    "ANIM\6\0\0\0\0\0\0\0\0\0";
    static const uint8_t frame[16] = "\0\0\0\0\0\0\x17\0\0\x0c\0\0\x64\0\0";
    const char *path = name_of(TEST_WEBP);
    char *data;
    size_t size;
    uint32_t length;
    write_stored(path, TEST_WEBP, 1);
    OK(eex_fs_read(&data, &size, path, 1 << 24));
    const char *picture = data + 12 + 18; /* behind RIFF and VP8X */
    memcpy(&length, picture + 4, 4);
    const size_t bytes = 8 + length + length % 2;
    const uint32_t one = (uint32_t)(sizeof frame + bytes);
    const uint32_t all = (uint32_t)(4 + sizeof head + 2 * (8 + one));
    const piece pieces[] = {{"RIFF", 4}, {&all, 4}, {"WEBP", 4},           {head, sizeof head},
                            {"ANMF", 4}, {&one, 4}, {frame, sizeof frame}, {picture, bytes},
                            {"ANMF", 4}, {&one, 4}, {frame, sizeof frame}, {picture, bytes}};
    write_pieces(path, pieces, 12);
    cr_expect_eq(count_of(path), 2);
    free(data);
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
        cr_expect_eq(test_decode(&image, path, 0), EEX_EINTERRUPTED, "%s: %s", path, eex_error());
        eex_image_free(&image);
    }
}
