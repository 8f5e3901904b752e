/* JPEG files of several images, and where an image file ends. */
#include "core/data/image.h"
#include "core/data/image_end.h"
#include "support/folder.h"
#include "support/pictures.h"

#include "base/buffer.h"
#include "base/fs.h"
#include "base/rng.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

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

TestSuite(several, .init = begin, .fini = end);

typedef struct bytes {
    char *data;
    size_t size;
} bytes;

static bytes read_bytes(const char *name)
{
    bytes b;
    OK(eex_fs_read(&b.data, &b.size, test_path(folder, name), 1 << 24));
    return b;
}

static bytes jpeg(int width, test_ink ink)
{
    const test_jpeg how = {.width = width, .height = 8, .ink = ink};
    test_write_jpeg(test_path(folder, "a.jpg"), &how);
    return read_bytes("a.jpg");
}

/* ---- files that list their images ---- */

static void put(eex_buffer *out, uint32_t value, int size, bool big)
{
    for (int i = 0; i < size; i++)
        eex_buffer_putc(out, (char)(value >> 8 * (big ? size - 1 - i : i)));
}

enum { LISTED = 4, SEGMENT = 2 + 4 + 8 + 2 + 12 + 4 + 16 * LISTED, BASE = 2 + 4 + 4 };

static void put_entry(eex_buffer *out, uint32_t kind, size_t size, size_t offset, bool big)
{
    put(out, kind, 4, big);
    put(out, (uint32_t)size, 4, big);
    put(out, (uint32_t)offset, 4, big);
    put(out, 0, 4, big);
}

/* Four images one behind the other, of these kinds, the list in the header of the first. */
static bytes make_mpo(const bytes image[LISTED], const uint32_t kind[LISTED], bool big)
{
    eex_buffer out = EEX_BUFFER_INIT;
    size_t at = image[0].size + 2 + SEGMENT;
    eex_buffer_puts(&out, "\xff\xd8\xff\xe2");
    put(&out, SEGMENT, 2, true);
    put(&out, 0x4d504600, 4, true); /* "MPF" */
    put(&out, big ? 0x4d4d002a : 0x49492a00, 4, true);
    put(&out, 8, 4, big);
    put(&out, 1, 2, big);
    put(&out, 0xb002, 2, big);
    put(&out, 7, 2, big);
    put(&out, 16 * LISTED, 4, big);
    put(&out, 8 + 2 + 12 + 4, 4, big);
    put(&out, 0, 4, big);
    for (int i = 0; i < LISTED; i++) {
        put_entry(&out, kind[i], image[i].size, i ? at - BASE : 0, big);
        at += i ? image[i].size : 0;
    }
    for (int i = 0; i < LISTED; i++)
        for (size_t k = i ? 0 : 2; k < image[i].size; k++)
            eex_buffer_putc(&out, image[i].data[k]);
    OK(eex_buffer_status(&out));
    return (bytes){out.data, out.size};
}

static int count(const bytes *file)
{
    eex_image image;
    char *exact = malloc(file->size); /* so that a byte too far is found */
    memcpy(exact, file->data, file->size);
    OK(eex_image_decode(&image, exact, file->size, 0, "file"));
    const int images = eex_image_count(exact, file->size);
    cr_expect_eq(eex_image_end((const uint8_t *)exact, file->size), 0, "it ends with its last");
    eex_image_free(&image);
    free(exact);
    return images;
}

/* A view has the first one's size; a preview says so, a map of brightness is smaller or grey. */
Test(several, views_of_a_jpeg_file_are_counted_and_previews_are_not)
{
    const bytes view = jpeg(16, TEST_COLOUR), small = jpeg(8, TEST_COLOUR),
                grey = jpeg(16, TEST_GREY);
    const struct {
        bytes image[LISTED];
        uint32_t kind[LISTED];
        int count;
    } cases[] = {
        {{view, view, view, view}, {0x20030000, 0, 0, 0}, 4},
        {{view, view, view, view}, {0x020002, 0x020002, 0x020002, 0x020002}, 4},
        {{view, small, small, view}, {0x030000, 0x010001, 0x010002, 0x010001}, 1},
        {{view, small, grey, view}, {0x030000, 0, 0, 0}, 2},
        {{view, small, grey, small}, {0x030000, 0x020001, 0, 0}, 2},
    };
    cr_expect_eq(count(&view), 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int big = 0; big < 2; big++) {
            bytes file = make_mpo(cases[i].image, cases[i].kind, big);
            cr_expect_eq(count(&file), cases[i].count, "case %zu", i);
            free(file.data);
        }
    free(view.data);
    free(small.data);
    free(grey.data);
}

/* ---- ends ---- */

static bytes tiff(const char *mode, int pages, int compression)
{
    static uint8_t row[64];
    TIFF *file = TIFFOpen(test_path(folder, "a.tif"), mode);
    cr_assert(file);
    for (int page = 0; page < pages; page++) {
        TIFFSetField(file, TIFFTAG_IMAGEWIDTH, 64);
        TIFFSetField(file, TIFFTAG_IMAGELENGTH, 9);
        TIFFSetField(file, TIFFTAG_ROWSPERSTRIP, 2);
        TIFFSetField(file, TIFFTAG_BITSPERSAMPLE, 8);
        TIFFSetField(file, TIFFTAG_SAMPLESPERPIXEL, 1);
        TIFFSetField(file, TIFFTAG_COMPRESSION, compression);
        TIFFSetField(file, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
        for (uint32_t y = 0; y < 9; y++)
            cr_assert_eq(TIFFWriteScanline(file, row, y, 0), 1);
        cr_assert_eq(TIFFWriteDirectory(file), 1);
    }
    TIFFClose(file);
    return read_bytes("a.tif");
}

static bytes png(void)
{
    const test_png how = {.width = 5, .height = 4, .type = 2, .depth = 8};
    test_write_png(test_path(folder, "a.png"), &how);
    return read_bytes("a.png");
}

/* Another image behind the first; and whatever is made of the bytes, reading ends within them. */
static void check_end(const char *name, bytes file, const bytes *other, eex_rng *rng)
{
    const size_t size = file.size + other->size;
    uint8_t *both = malloc(size);
    memcpy(both, file.data, file.size);
    cr_expect_eq(eex_image_end(both, file.size), 0, "%s", name);
    memcpy(both + file.size, other->data, other->size);
    cr_expect_eq(eex_image_end(both, size), file.size, "%s", name);
    for (int round = 0; round < 3000; round++) {
        const size_t left = 1 + (size_t)eex_rng_below(rng, size);
        uint8_t *copy = malloc(left);
        memcpy(copy, both, left);
        for (uint64_t n = eex_rng_below(rng, 5); n > 0; n--)
            copy[eex_rng_below(rng, left)] = (uint8_t)eex_rng_below(rng, 256);
        cr_assert_lt(eex_image_end(copy, left), left);
        cr_assert_geq(eex_image_count(copy, left), 1);
        free(copy);
    }
    free(both);
    free(file.data);
}

Test(several, files_end_where_another_may_begin)
{
    static const uint32_t kinds[LISTED] = {0x030000};
    const bytes view = jpeg(16, TEST_COLOUR), views[LISTED] = {view, view, view, view};
    const bytes other = png();
    eex_rng rng;
    eex_rng_seed(&rng, 3, 0);
    check_end("png", png(), &other, &rng);
    check_end("jpeg", jpeg(16, TEST_COLOUR), &other, &rng);
    check_end("mpo", make_mpo(views, kinds, true), &other, &rng);
    check_end("tiff", tiff("w", 1, COMPRESSION_NONE), &other, &rng);
    check_end("tiff of pages", tiff("wb", 3, COMPRESSION_LZW), &other, &rng);
    check_end("big tiff", tiff("w8", 2, COMPRESSION_NONE), &other, &rng);
    free(view.data);
    free(other.data);
}
