#include "core/data/image.h"

#include "base/status.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

#include <jerror.h>

enum {
    MAX_SCANS = 200, /* of a progressive file: more are there to waste time */
    MAX_PIXELS_A_BYTE = 1024
};

/* libjpeg's structs, what its callbacks need, and all that decode must free. It is one object on
 * the heap, so that no local variable is live across setjmp. */
typedef struct decoder {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf escape;
    char message[JMSG_LENGTH_MAX];
    const char *path;
    const uint8_t *data;
    size_t size;
    int enough;
    bool lossy; /* a warning said that pixels are missing */
    uint8_t *row;
    eex_image image;
} decoder;

/* ---- callbacks ---- */

static void on_error(j_common_ptr common)
{
    decoder *d = common->client_data;
    common->err->format_message(common, d->message);
    longjmp(d->escape, 1);
}

/* Warnings that leave the pixels whole, like stray bytes between segments, are let pass. */
static bool loses_pixels(int code)
{
    return code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE ||
           code == JWRN_ARITH_BAD_CODE || code == JWRN_NOT_SEQUENTIAL ||
           code == JWRN_BOGUS_PROGRESSION || code == JWRN_MUST_RESYNC;
}

static void on_message(j_common_ptr common, int level)
{
    decoder *d = common->client_data;
    if (level >= 0)
        return;
    common->err->num_warnings++;
    if (!d->lossy && loses_pixels(common->err->msg_code)) {
        d->lossy = true;
        common->err->format_message(common, d->message);
    }
}

static void on_output(j_common_ptr common)
{
}

static void on_progress(j_common_ptr common)
{
    decoder *d = common->client_data;
    if (d->jpeg.input_scan_number > MAX_SCANS) {
        snprintf(d->message, sizeof d->message, "more than %d scans", MAX_SCANS);
        longjmp(d->escape, 1);
    }
}

/* ---- decoding ---- */

/* The smallest of 1, 1/2, 1/4, 1/8 that leaves enough pixels. */
static unsigned scale_of(const decoder *d)
{
    unsigned shorter =
        d->jpeg.image_width < d->jpeg.image_height ? d->jpeg.image_width : d->jpeg.image_height;
    unsigned scale = 1;
    while (d->enough > 0 && scale < 8 && shorter / (scale * 2) >= (unsigned)d->enough)
        scale *= 2;
    return scale;
}

/* A file of a few bytes may claim to be huge. */
static int check_size(const decoder *d)
{
    unsigned width = d->jpeg.image_width, height = d->jpeg.image_height;
    uint64_t pixels = (uint64_t)width * height;
    if (pixels > EEX_IMAGE_MAX_PIXELS || pixels / MAX_PIXELS_A_BYTE > d->size)
        return eex_fail(EEX_EFORMAT, "%s: claims %u x %u pixels in a file of %zu bytes", d->path,
                        width, height, d->size);
    return EEX_OK;
}

static int choose_output(decoder *d)
{
    switch (d->jpeg.jpeg_color_space) {
    case JCS_GRAYSCALE:
        d->jpeg.out_color_space = JCS_GRAYSCALE;
        return EEX_OK;
    case JCS_RGB:
    case JCS_YCbCr:
        d->jpeg.out_color_space = JCS_RGB;
        return EEX_OK;
    case JCS_CMYK:
    case JCS_YCCK:
        d->jpeg.out_color_space = JCS_CMYK;
        return EEX_OK;
    default:
        return eex_fail(EEX_EFORMAT,
                        "%s: a JPEG of %d components: grey, RGB, YCbCr, CMYK and YCCK are "
                        "read",
                        d->path, d->jpeg.num_components);
    }
}

/* Adobe stores ink upside down: 255 is none. */
static void ink_to_light(uint8_t *to, const uint8_t *from, int width, bool inverted)
{
    for (int x = 0; x < width; x++, to += 3, from += 4) {
        unsigned key = inverted ? from[3] : 255u - from[3];
        for (int c = 0; c < 3; c++) {
            unsigned paper = inverted ? from[c] : 255u - from[c];
            to[c] = (uint8_t)((paper * key + 127) / 255);
        }
    }
}

static int start(decoder *d)
{
    jpeg_mem_src(&d->jpeg, d->data, d->size);
    jpeg_read_header(&d->jpeg, TRUE);
    EEX_TRY(check_size(d));
    EEX_TRY(choose_output(d));
    d->jpeg.scale_num = 1;
    d->jpeg.scale_denom = scale_of(d);
    jpeg_start_decompress(&d->jpeg);
    int channels = d->jpeg.out_color_space == JCS_GRAYSCALE ? 1 : 3;
    EEX_TRY(eex_image_new(&d->image, (int)d->jpeg.output_width, (int)d->jpeg.output_height,
                          channels, d->path));
    d->row = malloc((size_t)d->jpeg.output_width * (size_t)d->jpeg.output_components);
    return d->row ? EEX_OK : eex_fail(EEX_ENOMEM, "%s: out of memory", d->path);
}

static void read_rows(decoder *d)
{
    size_t stride = (size_t)d->image.width * (size_t)d->image.channels;
    bool ink = d->jpeg.out_color_space == JCS_CMYK;
    while (d->jpeg.output_scanline < d->jpeg.output_height) {
        uint8_t *to = d->image.pixels + d->jpeg.output_scanline * stride;
        JSAMPROW row = ink ? d->row : to;
        jpeg_read_scanlines(&d->jpeg, &row, 1);
        if (ink)
            ink_to_light(to, d->row, d->image.width, d->jpeg.saw_Adobe_marker);
    }
}

/* The only function that libjpeg's errors can come back to. */
static int decode(decoder *d)
{
    if (setjmp(d->escape))
        return eex_fail(EEX_EFORMAT, "%s: damaged JPEG: %s", d->path, d->message);
    jpeg_create_decompress(&d->jpeg);
    d->jpeg.progress = &d->progress;
    EEX_TRY(start(d));
    read_rows(d);
    jpeg_finish_decompress(&d->jpeg);
    return EEX_OK;
}

int eex__jpeg_decode(eex_image *out, const uint8_t *data, size_t size, int enough, const char *path)
{
    decoder *d = calloc(1, sizeof *d);
    if (!d)
        return eex_fail(EEX_ENOMEM, "%s: out of memory", path);
    d->path = path;
    d->data = data;
    d->size = size;
    d->enough = enough;
    d->jpeg.err = jpeg_std_error(&d->errors);
    d->jpeg.client_data = d;
    d->errors.error_exit = on_error;
    d->errors.emit_message = on_message;
    d->errors.output_message = on_output;
    d->progress.progress_monitor = on_progress;
    int code = decode(d);
    jpeg_destroy_decompress(&d->jpeg);
    if (code == EEX_OK && d->lossy)
        code = eex_fail(EEX_EFORMAT, "%s: damaged or truncated JPEG: %s", path, d->message);
    free(d->row);
    if (code < 0)
        eex_image_free(&d->image);
    else
        *out = d->image;
    free(d);
    return code;
}
