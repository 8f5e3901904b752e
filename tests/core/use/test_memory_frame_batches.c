/* Every allocation of batches of frames fails once. */
#include "core/use/frame_batches.h"
#include "support/memory.h"

#include "base/status.h"

#include <criterion/criterion.h>

enum { SIDE = 8, FRAMES = 5, IMAGE = SIDE * SIDE * 3 };

static int run_through(eex_frames *frames)
{
    const eex_frame_batches_options how = {.frames = frames, .image_bytes = IMAGE, .batch = 2};
    eex_frame_batches *batches;
    eex_frame_batch *batch = NULL;
    int good = 0;
    int code = eex_frame_batches_open(&batches, &how);
    cr_expect(code == EEX_OK || !batches);
    while (code == EEX_OK) {
        code = eex_frame_batches_next(&batch, batches);
        if (!batch)
            break;
        good += batch->good;
    }
    cr_expect(code < 0 || good == FRAMES);
    eex_frame_batches_close(batches);
    return code;
}

static int use(void)
{
    static const uint8_t raw[FRAMES * IMAGE];
    const eex_frame_shape shape = {SIDE, SIDE, 3, EEX_FIT_CROP};
    eex_frames *frames;
    int code = eex_frames_parse_rgb(&frames, &shape, raw, sizeof raw, SIDE, SIDE);
    if (code == EEX_OK)
        code = run_through(frames);
    eex_frames_close(frames);
    return code;
}

Test(memory_frame_batches, every_failure_is_reported)
{
    cr_assert_geq(test_fail_each_allocation(use), 4);
}
