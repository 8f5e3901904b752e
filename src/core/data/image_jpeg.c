#include "core/data/image_impl.h"

#include "base/signals.h"
#include "base/status.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

enum {
    MAX_SCANS = 200, /* of a progressive file: more are there to waste time */
    MAX_PIXELS_A_BYTE = 1024,
    EXIF = JPEG_APP0 + 1
};

/* Pixels that all scans of a file may touch together: each scan goes over the whole image. Twelve
 * scans are many. */
static const uint64_t MAX_WORK = (uint64_t)EEX_IMAGE_MAX_PIXELS * 12;

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
    bool interrupted;
    int orientation;
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
    const uint64_t scans = d->jpeg.input_scan_number < 0 ? 0 : (uint64_t)d->jpeg.input_scan_number;
    const uint64_t pixels = (uint64_t)d->jpeg.image_width * d->jpeg.image_height;
    if (eex_interrupted()) {
        d->interrupted = true;
        longjmp(d->escape, 1);
    }
    if (scans > MAX_SCANS || scans * pixels > MAX_WORK) {
        snprintf(d->message, sizeof d->message, "%d scans of %u x %u pixels", (int)scans,
                 d->jpeg.image_width, d->jpeg.image_height);
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

/* Ink is stored upside down: 255 is none. Adobe's programs began with that, and readers have come
 * to expect it of every file, marked as Adobe's or not. */
static void ink_to_light(uint8_t *to, const uint8_t *from, int width)
{
    for (int x = 0; x < width; x++, to += 3, from += 4)
        for (int c = 0; c < 3; c++)
            to[c] = (uint8_t)(((unsigned)from[c] * from[3] + 127) / 255);
}

/* As the first Exif segment has it. */
static int orientation_of(const decoder *d)
{
    for (jpeg_saved_marker_ptr m = d->jpeg.marker_list; m; m = m->next)
        if (m->marker == EXIF && m->data_length > 6 && memcmp(m->data, "Exif\0\0", 6) == 0)
            return eex__exif_orientation(m->data + 6, m->data_length - 6);
    return 1;
}

static int start(decoder *d)
{
    jpeg_mem_src(&d->jpeg, d->data, d->size);
    jpeg_save_markers(&d->jpeg, EXIF, 0xffff);
    jpeg_read_header(&d->jpeg, TRUE);
    EEX_TRY(eex__image_check_claim(d->jpeg.image_width, d->jpeg.image_height, d->size,
                                   MAX_PIXELS_A_BYTE, d->path));
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
            ink_to_light(to, d->row, d->image.width);
    }
}

/* The only function that libjpeg's errors can come back to. */
static int decode(decoder *d)
{
    if (setjmp(d->escape))
        return d->interrupted ? eex_fail(EEX_EINTERRUPTED, "%s: interrupted", d->path)
                              : eex_fail(EEX_EFORMAT, "%s: damaged JPEG: %s", d->path, d->message);
    jpeg_create_decompress(&d->jpeg);
    d->jpeg.progress = &d->progress;
    EEX_TRY(start(d));
    read_rows(d);
    d->orientation = orientation_of(d); /* which finishing forgets */
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
    if (code == EEX_OK)
        code = eex_image_orient(&d->image, d->orientation);
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
