/* Which way up a PNG is to be seen, wherever it says so. */
#include "core/data/image.h"

#include "base/buffer.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define OK(call) cr_assert_eq((call), EEX_OK, "%s", eex_error())

static void put_number(eex_buffer *out, uint64_t value, int bytes, bool big)
{
    for (int i = 0; i < bytes; i++)
        eex_buffer_putc(out, (char)(value >> 8 * (big ? bytes - 1 - i : i)));
}

static void put_chunk(eex_buffer *out, const char *type, const void *data, size_t size)
{
    const size_t at = out->size + 4;
    put_number(out, size, 4, true);
    eex_buffer_puts(out, type);
    eex_buffer_append(out, data, size);
    put_number(out, crc32(0, (const Bytef *)out->data + at, (uInt)(size + 4)), 4, true);
}

/* Two grey pixels beside each other, 10 and 20. */
static void put_head(eex_buffer *out)
{
    static const char head[] = "\0\0\0\2\0\0\0\1\x8\0\0\0\0";
    eex_buffer_append(out, "\x89PNG\r\n\x1a\n", 8);
    put_chunk(out, "IHDR", head, 13);
}

static void put_pixels(eex_buffer *out)
{
    Bytef packed[64];
    uLongf size = sizeof packed;
    cr_assert_eq(compress(packed, &size, (const Bytef *)"\0\x0a\x14", 3), Z_OK);
    put_chunk(out, "IDAT", packed, size);
}

/* EXIF data that ask for an orientation, in a number of the type. */
static void put_exif(eex_buffer *out, int orientation, int type, bool big, bool exif)
{
    if (exif)
        eex_buffer_append(out, "Exif\0\0", 6);
    eex_buffer_append(out, big ? "MM\0*" : "II*\0", 4);
    put_number(out, 8, 4, big);
    put_number(out, 1, 2, big);
    put_number(out, 0x112, 2, big);
    put_number(out, (uint64_t)type, 2, big);
    put_number(out, 1, 4, big);
    put_number(out, (uint64_t)orientation, type == 4 ? 4 : 2, big);
    put_number(out, 0, type == 4 ? 4 : 6, big);
}

typedef enum place { EXIF_CHUNK, PACKED_TEXT, PLAIN_TEXT } place;

/* As ImageMagick writes it: behind its name and length, in lines of 36 bytes. */
static void put_profile(eex_buffer *out, place where, const eex_buffer *exif)
{
    eex_buffer text = EEX_BUFFER_INIT, chunk = EEX_BUFFER_INIT;
    if (where == EXIF_CHUNK) {
        put_chunk(out, "eXIf", exif->data, exif->size);
        return;
    }
    eex_buffer_printf(&text, "\nexif\n%8zu\n", exif->size);
    for (size_t i = 0; i < exif->size; i++)
        eex_buffer_printf(&text, "%s%02x", i && i % 36 == 0 ? "\n" : "",
                          (unsigned char)exif->data[i]);
    eex_buffer_puts(&text, "\n");
    eex_buffer_append(&chunk, "Raw profile type exif", 22);
    if (where == PACKED_TEXT) {
        Bytef packed[4096];
        uLongf size = sizeof packed;
        cr_assert_eq(compress(packed, &size, (const Bytef *)text.data, text.size), Z_OK);
        eex_buffer_putc(&chunk, '\0');
        eex_buffer_append(&chunk, packed, size);
    } else {
        eex_buffer_append(&chunk, text.data, text.size);
    }
    put_chunk(out, where == PACKED_TEXT ? "zTXt" : "tEXt", chunk.data, chunk.size);
    eex_buffer_free(&text);
    eex_buffer_free(&chunk);
}

/* 1: as it is stored, 2: mirrored, 6: turned. */
static int shown(const eex_buffer *file)
{
    eex_image image;
    OK(eex_buffer_status(file));
    uint8_t *exact = malloc(file->size); /* so that a byte too far is found */
    memcpy(exact, file->data, file->size);
    OK(eex_image_decode(&image, exact, file->size, 0, "a.png"));
    const int way = image.height == 2 ? 6 : image.pixels[0] == 10 ? 1 : 2;
    cr_assert_eq(image.pixels[0] + image.pixels[1], 30);
    eex_image_free(&image);
    free(exact);
    return way;
}

Test(png, is_seen_the_right_way_up_wherever_that_is_said)
{
    for (int kind = 0; kind < 3 * 2 * 16; kind++) {
        eex_buffer exif = EEX_BUFFER_INIT, file = EEX_BUFFER_INIT;
        const place where = (place)(kind / 32);
        const bool behind = kind & 1, big = kind & 2, header = kind & 4;
        const int type = kind & 8 ? 4 : 3, orientation = kind & 16 ? 6 : 2;
        put_exif(&exif, orientation, type, big, header);
        put_head(&file);
        if (!behind)
            put_profile(&file, where, &exif);
        put_pixels(&file);
        if (behind)
            put_profile(&file, where, &exif);
        put_chunk(&file, "IEND", "", 0);
        cr_expect_eq(shown(&file), orientation, "%d", kind);
        eex_buffer_free(&exif);
        eex_buffer_free(&file);
    }
}

/* Other numbers, other types, and what is no profile. */
Test(png, is_seen_as_stored_where_nothing_is_asked_for)
{
    static const int asked[][2] = {{0, 3}, {9, 3}, {9, 4}, {0x10002, 4}, {2, 1}, {2, 5}};
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
        for (int where = 0; where < 3; where++) {
            eex_buffer exif = EEX_BUFFER_INIT, file = EEX_BUFFER_INIT;
            put_exif(&exif, asked[i][0], asked[i][1], false, false);
            put_head(&file);
            put_profile(&file, (place)where, &exif);
            put_pixels(&file);
            put_chunk(&file, "IEND", "", 0);
            cr_expect_eq(shown(&file), 1, "%zu, %d", i, where);
            eex_buffer_free(&exif);
            eex_buffer_free(&file);
        }
}

/* Cut anywhere, and with any byte another one, of which the sum is right. */
Test(png, a_profile_that_is_damaged_does_no_harm)
{
    for (int change = -1; change < 256; change += 51)
        for (size_t at = 0;; at++) {
            eex_buffer exif = EEX_BUFFER_INIT, profile = EEX_BUFFER_INIT, file = EEX_BUFFER_INIT;
            put_exif(&exif, 2, 3, false, true);
            put_profile(&profile, PACKED_TEXT, &exif);
            const size_t size = profile.size - 12; /* without its frame */
            if (change >= 0)
                profile.data[8 + (at < size ? at : 0)] = (char)change;
            put_head(&file);
            put_chunk(&file, "zTXt", profile.data + 8, change < 0 && at < size ? at : size);
            put_pixels(&file);
            put_chunk(&file, "IEND", "", 0);
            shown(&file);
            eex_buffer_free(&exif);
            eex_buffer_free(&profile);
            eex_buffer_free(&file);
            if (at >= size)
                break;
        }
}

/* Hundreds of texts of 64 MiB each, in 64 KiB. */
Test(png, texts_are_not_inflated_without_a_bound, .timeout = 20)
{
    enum { SIZE = 64 << 20 };
    static const char *const types[] = {"zTXt", "iCCP", "tEXt"};
    uLongf size = compressBound(SIZE);
    Bytef *zeros = calloc(1, SIZE), *packed = malloc(size);
    eex_buffer text = EEX_BUFFER_INIT, exif = EEX_BUFFER_INIT;
    cr_assert_eq(compress(packed, &size, zeros, SIZE), Z_OK);
    eex_buffer_append(&text, "Raw profile type exif\0", 23);
    eex_buffer_append(&text, packed, size);
    put_exif(&exif, 2, 3, false, false);
    for (int chunk = 0; chunk < 2; chunk++) {
        eex_buffer file = EEX_BUFFER_INIT;
        put_head(&file);
        if (chunk)
            put_profile(&file, EXIF_CHUNK, &exif);
        for (int i = 0; i < 500; i++)
            put_chunk(&file, types[i % 3], text.data, text.size);
        put_pixels(&file);
        put_chunk(&file, "IEND", "", 0);
        cr_expect_eq(shown(&file), chunk ? 2 : 1);
        eex_buffer_free(&file);
    }
    eex_buffer_free(&text);
    eex_buffer_free(&exif);
    free(zeros);
    free(packed);
}
