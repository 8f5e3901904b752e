/* Samples of a TIFF beside its colours. */
#include "core/data/image.h"
#include "support/folder.h"
#include "support/pictures.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <string.h>
#include <tiffio.h>

static char folder[TEST_PATH_SIZE];

static void begin(void)
{
    test_folder_make(folder);
}

static void end(void)
{
    test_folder_remove(folder);
}

TestSuite(tiff, .init = begin, .fini = end);

typedef struct page {
    int colours, bits, samples, planar; /* colours: PHOTOMETRIC_... */
    int extra_count;                    /* -1: nothing is said about them */
    uint16_t extra[2];
    uint8_t pixels[3][6]; /* 16 bits: each twice, 0x2828 for 0x28 */
    uint8_t seen[3][3];
    const char *says; /* why it is not read, or NULL */
} page;

enum {
    RGB = PHOTOMETRIC_RGB,
    GREY = PHOTOMETRIC_MINISBLACK,
    WHITE_FIRST = PHOTOMETRIC_MINISWHITE,
    PALETTE = PHOTOMETRIC_PALETTE,
    INKS = PHOTOMETRIC_SEPARATED,
    OTHER = EXTRASAMPLE_UNSPECIFIED,
    TIMES = EXTRASAMPLE_ASSOCALPHA,
    ALPHA = EXTRASAMPLE_UNASSALPHA,
    CHUNKY = PLANARCONFIG_CONTIG,
    PLANES = PLANARCONFIG_SEPARATE
};

static void put_row(TIFF *file, const page *p, int plane)
{
    uint8_t row[3 * 6 * 2];
    const int from = plane < 0 ? 0 : plane, to = plane < 0 ? p->samples : plane + 1;
    int n = 0;
    for (int x = 0; x < 3; x++)
        for (int s = from; s < to; s++)
            for (int byte = 0; byte < p->bits / 8; byte++)
                row[n++] = p->pixels[x][s];
    cr_assert_eq(TIFFWriteScanline(file, row, 0, (uint16_t)from), 1);
}

static void write_page(const char *path, const page *p)
{
    static uint16_t map[256];
    TIFF *file = TIFFOpen(path, "w");
    cr_assert(file);
    for (int i = 0; i < 256; i++)
        map[i] = (uint16_t)(i * 257);
    TIFFSetField(file, TIFFTAG_IMAGEWIDTH, 3);
    TIFFSetField(file, TIFFTAG_IMAGELENGTH, 1);
    TIFFSetField(file, TIFFTAG_SAMPLESPERPIXEL, p->samples);
    TIFFSetField(file, TIFFTAG_BITSPERSAMPLE, p->bits);
    TIFFSetField(file, TIFFTAG_PHOTOMETRIC, p->colours);
    TIFFSetField(file, TIFFTAG_PLANARCONFIG, p->planar);
    if (p->extra_count >= 0)
        TIFFSetField(file, TIFFTAG_EXTRASAMPLES, p->extra_count, p->extra);
    if (p->colours == PALETTE)
        TIFFSetField(file, TIFFTAG_COLORMAP, map, map, map);
    for (int s = 0; p->planar == PLANES && s < p->samples; s++)
        put_row(file, p, s);
    if (p->planar == CHUNKY)
        put_row(file, p, -1);
    TIFFClose(file);
}

/* Seen on white: straight 40 with an alpha of 40 is (40 * 40 + 255 * 215) / 255 = 221.3, multiplied
 * 20 with 40 is 20 + 215, and what should have been multiplied and was not is white at most. */
#define TWO                  \
    {                        \
        {40, 40}, {20, 255}, \
        {                    \
            200, 0           \
        }                    \
    }
#define STRAIGHT                       \
    {                                  \
        {221, 221, 221}, {20, 20, 20}, \
        {                              \
            255, 255, 255              \
        }                              \
    }
#define GREYS                       \
    {                               \
        {40, 40, 40}, {20, 20, 20}, \
        {                           \
            200, 200, 200           \
        }                           \
    }
#define COLOURS                                       \
    {                                                 \
        {250, 100, 0, 60, 1}, {10, 200, 255, 255, 2}, \
        {                                             \
            20, 40, 0, 40, 3                          \
        }                                             \
    }
#define AS_THEY_ARE                    \
    {                                  \
        {250, 100, 0}, {10, 200, 255}, \
        {                              \
            20, 40, 0                  \
        }                              \
    }
#define MULTIPLIED                       \
    {                                    \
        {255, 255, 195}, {10, 200, 255}, \
        {                                \
            235, 255, 215                \
        }                                \
    }
#define ON_WHITE                         \
    {                                    \
        {254, 219, 195}, {10, 200, 255}, \
        {                                \
            218, 221, 215                \
        }                                \
    }

Test(tiff, transparent_pixels_of_a_tiff_show_white)
{
    static const page pages[] = {
        {GREY, 8, 2, CHUNKY, 1, {ALPHA}, TWO, STRAIGHT, NULL},
        {GREY,
         8,
         2,
         CHUNKY,
         1,
         {TIMES},
         TWO,
         {{255, 255, 255}, {20, 20, 20}, {255, 255, 255}},
         NULL},
        {GREY, 8, 2, CHUNKY, 1, {OTHER}, TWO, GREYS, NULL},
        {GREY, 16, 2, CHUNKY, 1, {OTHER}, TWO, GREYS, NULL},
        {GREY, 8, 3, CHUNKY, 2, {ALPHA, OTHER}, TWO, {{0}}, "grey in 3 samples"},
        {WHITE_FIRST, 8, 2, CHUNKY, 1, {ALPHA}, {{215, 40}, {235, 255}, {55, 0}}, STRAIGHT, NULL},
        {PALETTE, 8, 2, CHUNKY, 1, {OTHER}, TWO, GREYS, NULL},
        {RGB, 8, 4, CHUNKY, 1, {OTHER}, COLOURS, AS_THEY_ARE, NULL},
        {RGB, 16, 4, CHUNKY, 1, {OTHER}, COLOURS, AS_THEY_ARE, NULL},
        {RGB, 8, 4, PLANES, 1, {OTHER}, COLOURS, AS_THEY_ARE, NULL},
        {RGB, 8, 5, CHUNKY, 2, {OTHER, OTHER}, COLOURS, AS_THEY_ARE, NULL},
        {RGB, 8, 4, CHUNKY, 1, {TIMES}, COLOURS, MULTIPLIED, NULL},
        {RGB, 16, 4, PLANES, 1, {TIMES}, COLOURS, MULTIPLIED, NULL},
        {RGB, 8, 4, CHUNKY, 1, {ALPHA}, COLOURS, ON_WHITE, NULL},
        {RGB, 16, 4, CHUNKY, 1, {ALPHA}, COLOURS, ON_WHITE, NULL},
        {RGB, 8, 4, PLANES, 1, {ALPHA}, COLOURS, ON_WHITE, NULL},
        {RGB, 8, 5, CHUNKY, 2, {ALPHA, OTHER}, COLOURS, ON_WHITE, NULL},
        {RGB, 8, 4, CHUNKY, -1, {0}, COLOURS, AS_THEY_ARE, NULL},
        {RGB, 8, 5, CHUNKY, 2, {OTHER, ALPHA}, COLOURS, {{0}}, "its alpha behind another one"},
        {PHOTOMETRIC_CIELAB,
         8,
         4,
         CHUNKY,
         1,
         {OTHER},
         COLOURS,
         {{0}},
         "not all of them its colours"},
        {GREY, 16, 2, CHUNKY, 1, {ALPHA}, TWO, {{0}}, "grey in 2 samples a pixel of 16 bits, one"},
        {GREY, 8, 2, PLANES, 1, {ALPHA}, TWO, {{0}}, "each in a plane of its own"},
        {WHITE_FIRST, 8, 2, CHUNKY, 1, {TIMES}, TWO, {{0}}, "one of them an alpha"},
        {PALETTE, 8, 2, CHUNKY, 1, {ALPHA}, TWO, {{0}}, "palette colours in 2 samples"},
        {INKS, 8, 5, CHUNKY, 1, {ALPHA}, COLOURS, {{0}}, "inks in 5 samples"},
    };
    const char *path = test_path(folder, "a.tif");
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        const page *p = &pages[i];
        eex_image image = {0, 0, 0, NULL};
        write_page(path, p);
        const int code = test_decode(&image, path, 0);
        cr_expect_eq(code, p->says ? EEX_EUNSUPPORTED : EEX_OK, "%zu: %s", i, eex_error());
        if (code == EEX_OK && !p->says)
            for (int k = 0; k < 9; k++)
                cr_expect_eq(image.pixels[k], p->seen[k / 3][k % 3], "%zu: pixel %d, %d is %d", i,
                             k / 3, k % 3, image.pixels[k]);
        if (p->says && code != EEX_OK) {
            cr_expect(strstr(eex_error(), p->says), "%zu: %s", i, eex_error());
            cr_expect(strstr(eex_error(), "convert it to RGB"), "%s", eex_error());
        }
        eex_image_free(&image);
    }
}
