/* Frames for tests: pictures whose colours are known, as raw video and as YUV4MPEG2. */
#ifndef EEX_TESTS_SUPPORT_FRAMES_H
#define EEX_TESTS_SUPPORT_FRAMES_H

#include "core/frames/frames.h"

#include "base/buffer.h"

/* Frame number `number` of a video: smooth, so that chroma that is shared by pixels says the same.
 * rgb: (height, width, 3). */
void test_frame_draw(uint8_t *rgb, int width, int height, int number);

typedef struct test_video {
    int width, height, frames;
    const char *space; /* "420jpeg", ... */
    bool full;
} test_video;

/* A whole YUV4MPEG2 stream of such frames. */
void test_video_y4m(eex_buffer *out, const test_video *video);
size_t test_video_frame_bytes(const test_video *video); /* of the planes */

/* How many of each state a source gives until it ends; it has to within `most` frames. */
typedef struct test_counts {
    int good, bad;
} test_counts;
test_counts test_frames_count(eex_frames *frames, size_t frame_bytes, int most);

#endif
