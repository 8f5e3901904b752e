#include "core/data/jpeg_bytes.h"

#include "base/signals.h"
#include "base/status.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

enum { MOST_QUALITY = 100 };

/* libjpeg's structs and what its errors need; on the heap, so that no local variable is live across
 * setjmp. */
typedef struct encoder {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    jmp_buf escape;
    char message[JMSG_LENGTH_MAX];
    unsigned char *memory; /* of the JPEG, libjpeg's */
    unsigned long size;
    uint8_t *image;
    int height, width, channels, quality;
} encoder;

static void on_error(j_common_ptr common)
{
    encoder *e = common->client_data;
    common->err->format_message(common, e->message);
    longjmp(e->escape, 1);
}

/* The only function that libjpeg's errors can come back to. */
static int encode(encoder *e)
{
    struct jpeg_compress_struct *jpeg = &e->jpeg;
    if (setjmp(e->escape))
        return eex_fail(EEX_EINVAL, "cannot encode a JPEG of %dx%d: %s", e->height, e->width,
                        e->message);
    jpeg_mem_dest(jpeg, &e->memory, &e->size);
    jpeg->image_width = (JDIMENSION)e->width;
    jpeg->image_height = (JDIMENSION)e->height;
    jpeg->input_components = e->channels;
    jpeg->in_color_space = e->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(jpeg);
    jpeg_set_quality(jpeg, e->quality, TRUE);
    jpeg_start_compress(jpeg, TRUE);
    while (jpeg->next_scanline < jpeg->image_height) {
        JSAMPROW row = e->image + (size_t)jpeg->next_scanline * (size_t)(e->width * e->channels);
        jpeg_write_scanlines(jpeg, &row, 1);
    }
    jpeg_finish_compress(jpeg);
    return EEX_OK;
}

static int encode_all(double *out, encoder *e, eex_dataset *data, const uint32_t *samples,
                      size_t count)
{
    double bytes = 0;
    for (size_t i = 0; i < count; i++) {
        if (eex_interrupted())
            return eex_fail(EEX_EINTERRUPTED, "interrupted while encoding images");
        EEX_TRY(eex_dataset_gather(e->image, data, &samples[i], 1));
        const int code = encode(e);
        bytes += (double)e->size;
        free(e->memory);
        e->memory = NULL;
        e->size = 0;
        EEX_TRY(code);
    }
    *out = bytes / (double)count;
    return EEX_OK;
}

int eex_jpeg_bytes(double *out, eex_dataset *data, const uint32_t *samples, size_t count,
                   int quality)
{
    const eex_dataset_info *info = eex_dataset_facts(data);
    if (quality < 1 || quality > MOST_QUALITY)
        return eex_fail(EEX_EINVAL, "a JPEG of quality %d: 1 to 100 expected", quality);
    if (count == 0 || (info->channels != 1 && info->channels != 3))
        return eex_fail(EEX_EINVAL,
                        "data set \"%s\": %zu images of %d channels cannot be encoded as JPEG: "
                        "some of 1 or 3 channels expected",
                        info->name, count, info->channels);
    encoder *e = calloc(1, sizeof *e);
    uint8_t *image = malloc((size_t)info->height * (size_t)info->width * (size_t)info->channels);
    int code = e && image ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for a JPEG");
    if (code == EEX_OK) {
        *e = (encoder){.image = image,
                       .height = info->height,
                       .width = info->width,
                       .channels = info->channels,
                       .quality = quality};
        e->jpeg.err = jpeg_std_error(&e->errors);
        e->jpeg.client_data = e;
        e->errors.error_exit = on_error;
        jpeg_create_compress(&e->jpeg);
        code = encode_all(out, e, data, samples, count);
        jpeg_destroy_compress(&e->jpeg);
    }
    free(image);
    free(e);
    return code;
}
