#include "core/data/image_impl.h"

#include "base/signals.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>
#include <webp/decode.h>
#include <webp/demux.h>

enum {
    MAX_PIXELS_A_BYTE = 1 << 16, /* one colour takes hardly any bytes */
    PIECE = 64 << 10             /* bytes that are decoded between two looks */
};

/* Bit by bit, so that an interrupt ends it. */
static int decode_pieces(WebPDecBuffer *pixels, const uint8_t *data, size_t size, const char *path)
{
    WebPIDecoder *decoder = WebPINewDecoder(pixels);
    VP8StatusCode status = VP8_STATUS_SUSPENDED;
    if (!decoder)
        return eex_fail(EEX_ENOMEM, "%s: out of memory", path);
    for (size_t at = 0; at < size && status == VP8_STATUS_SUSPENDED && !eex_interrupted();) {
        at = size - at < PIECE ? size : at + PIECE;
        status = WebPIUpdate(decoder, data, at);
    }
    WebPIDelete(decoder);
    if (status == VP8_STATUS_OK)
        return EEX_OK;
    return eex_interrupted() ? eex_fail(EEX_EINTERRUPTED, "%s: interrupted", path)
                             : eex_fail(EEX_EFORMAT, "%s: damaged or truncated WebP", path);
}

/* Decodes a picture's bytes, without container or animation. */
static int decode(eex_image *out, const uint8_t *data, size_t size, const char *path)
{
    WebPBitstreamFeatures facts;
    if (WebPGetFeatures(data, size, &facts) != VP8_STATUS_OK)
        return eex_fail(EEX_EFORMAT, "%s: damaged or truncated WebP", path);
    EEX_TRY(eex__image_check_claim((uint64_t)facts.width, (uint64_t)facts.height, size,
                                   MAX_PIXELS_A_BYTE, path));
    const int channels = facts.has_alpha ? 4 : 3;
    EEX_TRY(eex_image_new(out, facts.width, facts.height, channels, path));
    const size_t stride = (size_t)facts.width * (size_t)channels;
    const size_t bytes = stride * (size_t)facts.height;
    WebPDecBuffer pixels;
    if (!WebPInitDecBuffer(&pixels))
        return eex_fail(EEX_EUNSUPPORTED, "%s: another libwebp than that of the build", path);
    pixels.colorspace = facts.has_alpha ? MODE_RGBA : MODE_RGB;
    pixels.is_external_memory = 1;
    pixels.u.RGBA.rgba = out->pixels;
    pixels.u.RGBA.stride = (int)stride;
    pixels.u.RGBA.size = bytes;
    EEX_TRY(decode_pieces(&pixels, data, size, path));
    if (facts.has_alpha)
        eex__image_drop_alpha(out);
    return EEX_OK;
}

static int orientation_of(const WebPDemuxer *file)
{
    WebPChunkIterator chunk;
    int orientation = 1;
    if (WebPDemuxGetChunk(file, "EXIF", 1, &chunk)) {
        const uint8_t *bytes = chunk.chunk.bytes;
        size_t size = chunk.chunk.size;
        if (size > 6 && memcmp(bytes, "Exif\0\0", 6) == 0) { /* as some writers have it */
            bytes += 6;
            size -= 6;
        }
        orientation = eex__exif_orientation(bytes, size);
    }
    WebPDemuxReleaseChunkIterator(&chunk);
    return orientation;
}

int eex__webp_decode(eex_image *out, const uint8_t *data, size_t size, const char *path)
{
    const WebPData all = {data, size};
    WebPDemuxer *file = WebPDemux(&all);
    WebPIterator frame;
    if (!file)
        return eex_fail(EEX_EFORMAT, "%s: damaged or truncated WebP", path);
    int code = EEX_EFORMAT;
    memset(&frame, 0, sizeof frame);
    if (WebPDemuxGetFrame(file, 1, &frame))
        code = decode(out, frame.fragment.bytes, frame.fragment.size, path);
    else
        eex_fail(code, "%s: a WebP file without a picture", path);
    WebPDemuxReleaseIterator(&frame);
    if (code == EEX_OK)
        code = eex_image_orient(out, orientation_of(file));
    WebPDemuxDelete(file);
    if (code < 0)
        eex_image_free(out);
    return code;
}

int eex__webp_count(const uint8_t *data, size_t size)
{
    const WebPData all = {data, size};
    WebPDemuxer *file = WebPDemux(&all);
    const uint32_t count = file ? WebPDemuxGetI(file, WEBP_FF_FRAME_COUNT) : 1;
    WebPDemuxDelete(file);
    return eex__image_counted(count);
}
