/* Queues of frames, taken from and closed at every moment: for the thread sanitizer. */
#include "core/frames/frames.h"

#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIDE = 4, BYTES = SIDE * SIDE * 3, FRAMES = 200, ROUNDS = 60 };

#define CHECK(condition)                                                                     \
    do {                                                                                     \
        if (!(condition)) {                                                                  \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #condition, eex_error()); \
            exit(1);                                                                         \
        }                                                                                    \
    } while (0)

static const eex_frame_shape shape = {SIDE, SIDE, 3, EEX_FIT_CROP};
static uint8_t video[FRAMES * BYTES];

static void run(const eex_ahead *how, int take)
{
    eex_frames *frames;
    eex_frame frame;
    uint8_t pixels[BYTES];
    uint64_t next = 0;
    CHECK(eex_frames_parse_rgb(&frames, &shape, video, sizeof video, SIDE, SIDE) == EEX_OK);
    CHECK(eex_frames_open_ahead(&frames, frames, how) == EEX_OK);
    for (int i = 0; i < take; i++) {
        CHECK(eex_frames_next(frames, &frame, pixels) == EEX_OK);
        if (frame.state == EEX_FRAME_END)
            break;
        CHECK(frame.number >= next && pixels[0] == frame.number && pixels[BYTES - 1] == pixels[0]);
        next = frame.number + 1;
        if (i % 16 == 0)
            usleep(200); /* so that the queue fills */
        CHECK(eex_frames_dropped(frames) <= FRAMES);
        eex_frames_ready(frames);
    }
    eex_frames_close(frames);
}

int main(void)
{
    for (int i = 0; i < FRAMES; i++)
        memset(video + i * BYTES, i, BYTES);
    for (int i = 0; i < ROUNDS; i++) {
        const eex_ahead how = {
            .queue = 1 + i % 5, .drop = (eex_drop)(i % 3), .fps = i % 3 ? 5e4 : 0};
        run(&how, i % 7 == 0 ? 2 * FRAMES : i * 3);
    }
    return 0;
}
