#include "support/frames.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void test_frame_draw(uint8_t *rgb, int width, int height, int number)
{
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            const double u = (x + 0.5) / width, v = (y + 0.5) / height;
            *rgb++ = (uint8_t)(40 + 150 * u + number % 8 * 5);
            *rgb++ = (uint8_t)(60 + 130 * v);
            *rgb++ = (uint8_t)(200 - 70 * u - 60 * v);
        }
}

static void chroma_size(int *width, int *height, const test_video *v)
{
    const bool mono = strcmp(v->space, "mono") == 0;
    const int across = v->space[1] == '4' ? 1 : 2, down = strncmp(v->space, "420", 3) == 0 ? 2 : 1;
    *width = mono ? 0 : (v->width + across - 1) / across;
    *height = mono ? 0 : (v->height + down - 1) / down;
}

size_t test_video_frame_bytes(const test_video *v)
{
    int width, height;
    chroma_size(&width, &height, v);
    return (size_t)(v->width * v->height + 2 * width * height);
}

/* BT.601 forwards, from its definition. */
static void to_yuv(double yuv[3], const uint8_t *rgb, bool full)
{
    const double y = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
    const double cb = (rgb[2] - y) / 1.772, cr = (rgb[0] - y) / 1.402;
    yuv[0] = full ? y : 16 + y * 219 / 255;
    yuv[1] = 128 + cb * (full ? 1 : 224.0 / 255);
    yuv[2] = 128 + cr * (full ? 1 : 224.0 / 255);
}

/* One plane of width x height samples, each the mean of the pixels that share it. */
static void put_plane(eex_buffer *out, const test_video *v, const uint8_t *rgb, int plane,
                      int width, int height)
{
    const int across = width == v->width ? 1 : 2, down = height == v->height ? 1 : 2;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            double sum = 0, yuv[3];
            int count = 0;
            for (int j = y * down; j < (y + 1) * down && j < v->height; j++)
                for (int i = x * across; i < (x + 1) * across && i < v->width; i++, count++) {
                    to_yuv(yuv, rgb + 3 * (j * v->width + i), v->full);
                    sum += yuv[plane];
                }
            eex_buffer_putc(out, (char)(uint8_t)lround(sum / count));
        }
}

void test_video_y4m(eex_buffer *out, const test_video *v)
{
    uint8_t *rgb = malloc((size_t)(3 * v->width * v->height));
    int width, height;
    cr_assert_not_null(rgb);
    chroma_size(&width, &height, v);
    eex_buffer_printf(out, "YUV4MPEG2 W%d H%d F25:1 Ip A1:1 C%s XCOLORRANGE=%s\n", v->width,
                      v->height, v->space, v->full ? "FULL" : "LIMITED");
    for (int f = 0; f < v->frames; f++) {
        test_frame_draw(rgb, v->width, v->height, f);
        eex_buffer_puts(out, f % 3 == 2 ? "FRAME Ip\n" : "FRAME\n");
        put_plane(out, v, rgb, 0, v->width, v->height);
        for (int plane = 1; plane <= 2 && width > 0; plane++)
            put_plane(out, v, rgb, plane, width, height);
    }
    free(rgb);
    cr_assert_eq(eex_buffer_status(out), EEX_OK);
}

test_counts test_frames_count(eex_frames *frames, size_t frame_bytes, int most)
{
    test_counts counts = {0, 0};
    eex_frame frame;
    uint8_t *pixels = malloc(frame_bytes);
    cr_assert_not_null(pixels);
    for (;;) {
        const int code = eex_frames_next(frames, &frame, pixels);
        cr_assert(code == EEX_OK || code == EEX_EIO, "%s", eex_error());
        if (code < 0 || frame.state == EEX_FRAME_END)
            break;
        counts.good += frame.state == EEX_FRAME_GOOD;
        counts.bad += frame.state == EEX_FRAME_BAD;
        cr_assert(frame.state == EEX_FRAME_GOOD || frame.problem[0] != '\0');
        cr_assert_leq(counts.good + counts.bad, most, "there is no end to them");
    }
    free(pixels);
    return counts;
}
