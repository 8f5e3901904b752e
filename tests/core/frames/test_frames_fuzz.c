/* Videos that were damaged at random: every one ends, with frames or with a message. Run under the
 * sanitizers this also finds reads that go too far. Deterministic: a failure names its round. */
#include "core/frames/frames.h"
#include "support/frames.h"

#include "base/rng.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 8, BYTES = SIDE * SIDE * 3, ROUNDS = 20000 };
static const eex_frame_shape shape = {SIDE, SIDE, 3, EEX_FIT_CROP};

/* One change: bytes flipped, words from such files put in, a piece taken out, doubled or cut off.
 */
static void mutate(eex_buffer *b, eex_rng *rng)
{
    static const char *const words[] = {"FRAME\n", "FRAME ",  "FRAME",    "YUV4MPEG2", "\n",
                                        " W1",     " W99999", " H0",      " C444",     " Cmono",
                                        " C422",   " W-1",    "\xff\xff", "\0\0"};
    const size_t at = eex_rng_below(rng, b->size + 1), left = b->size - at;
    const char *word = words[eex_rng_below(rng, sizeof words / sizeof *words)];
    const size_t length = strlen(word) ? strlen(word) : 2;
    const size_t piece = eex_rng_below(rng, (left < 200 ? left : 200) + 1);
    eex_buffer out = EEX_BUFFER_INIT;
    eex_buffer_append(&out, b->data, at);
    switch (eex_rng_below(rng, 6)) {
    case 0:
        eex_buffer_putc(&out, (char)eex_rng_next(rng));
        eex_buffer_append(&out, b->data + at + (left > 0), left - (left > 0));
        break;
    case 1:
        eex_buffer_append(&out, word, length);
        eex_buffer_append(&out, b->data + at, left);
        break;
    case 2:
        eex_buffer_append(&out, word, length);
        eex_buffer_append(&out, b->data + at + (length < left ? length : left),
                          left - (length < left ? length : left));
        break;
    case 3:
        eex_buffer_append(&out, b->data + at + piece, left - piece);
        break;
    case 4:
        eex_buffer_append(&out, b->data + at, piece);
        eex_buffer_append(&out, b->data + at, left);
        break;
    default: /* cut off */
        break;
    }
    cr_assert_eq(eex_buffer_status(&out), EEX_OK);
    eex_buffer_free(b);
    *b = out;
}

static void start(eex_buffer *out, eex_rng *rng)
{
    static const char *const spaces[] = {"420jpeg", "422", "444", "mono"};
    const test_video video = {.width = 1 + (int)eex_rng_below(rng, 12),
                              .height = 1 + (int)eex_rng_below(rng, 12),
                              .frames = (int)eex_rng_below(rng, 4),
                              .space = spaces[eex_rng_below(rng, 4)],
                              .full = eex_rng_below(rng, 2)};
    test_video_y4m(out, &video);
}

Test(frames_fuzz, damaged_videos_end, .timeout = 300)
{
    int opened = 0, good = 0, bad = 0;
    eex_rng rng;
    eex_rng_seed(&rng, 11, 4);
    for (int i = 0; i < ROUNDS; i++) {
        eex_buffer b = EEX_BUFFER_INIT;
        eex_frames *frames;
        start(&b, &rng);
        for (uint64_t k = 1 + eex_rng_below(&rng, 4); k > 0; k--)
            mutate(&b, &rng);
        const int code = eex_frames_parse_y4m(&frames, &shape, b.data, b.size);
        cr_assert(code == EEX_OK || code == EEX_EFORMAT || code == EEX_EUNSUPPORTED,
                  "round %d: %d, %s", i, code, eex_error());
        if (code == EEX_OK) {
            const test_counts c = test_frames_count(frames, BYTES, 5000);
            opened++;
            good += c.good;
            bad += c.bad;
        }
        eex_frames_close(frames);
        eex_buffer_free(&b);
    }
    /* The damage is neither always fatal nor never felt. */
    cr_expect(opened > ROUNDS / 3 && good > ROUNDS / 3 && bad > ROUNDS / 5,
              "%d opened, %d good frames, %d bad ones", opened, good, bad);
}

Test(frames_fuzz, raw_video_of_any_length_ends)
{
    eex_rng rng;
    uint8_t bytes[2000];
    eex_rng_seed(&rng, 12, 4);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)eex_rng_next(&rng);
    for (int i = 0; i < 2000; i++) {
        const int width = 1 + (int)eex_rng_below(&rng, 20),
                  height = 1 + (int)eex_rng_below(&rng, 20);
        const size_t size = eex_rng_below(&rng, sizeof bytes), frame = (size_t)(3 * width * height);
        eex_frames *frames;
        cr_assert_eq(eex_frames_parse_rgb(&frames, &shape, bytes, size, width, height), EEX_OK);
        const test_counts c = test_frames_count(frames, BYTES, 5000);
        cr_expect(c.good == (int)(size / frame) && c.bad == (size % frame != 0));
        eex_frames_close(frames);
    }
}
