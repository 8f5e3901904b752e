/* Batches of frames: what the source has, in its order, whichever device they go ahead to; and what
 * an upload brings is what they hold. */
#include "core/use/frame_batches.h"
#include "support/devices.h"
#include "support/frames.h"

#include "base/buffer.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { SIDE = 8, GOOD = 20, GARBAGE = 20 << 20, IMAGE = SIDE * SIDE * 3, MOST_BATCH = 32 };

static const eex_frame_shape shape = {SIDE, SIDE, 3, EEX_FIT_CROP};
static eex_device *dev;
static uint8_t *memory; /* (MOST_BATCH) on the device */

static void setup(void)
{
    dev = open_device(1);
    OK(dev->vtable->allocate(dev, (void **)&memory, MOST_BATCH * IMAGE));
}

static void teardown(void)
{
    dev->vtable->release(dev, memory);
    eex_device_close(dev);
}

TestSuite(frame_batches, .init = setup, .fini = teardown, .timeout = 120);

static void fill_image(uint8_t *image, int i)
{
    for (int k = 0; k < IMAGE; k++)
        image[k] = (uint8_t)(i * 41 + k * 7);
}

/* GOOD frames and a bad one behind them. */
static eex_frames *open_raw(void)
{
    uint8_t *raw = calloc(GOOD + 1, IMAGE);
    eex_frames *frames;
    cr_assert_not_null(raw);
    for (int i = 0; i < GOOD; i++)
        fill_image(raw + (size_t)i * IMAGE, i);
    OK(eex_frames_parse_rgb(&frames, &shape, raw, GOOD * IMAGE + 7, SIDE, SIDE));
    free(raw);
    return frames;
}

/* GOOD frames, and then no going on. */
static eex_frames *open_failing(void)
{
    const test_video video = {SIDE, SIDE, GOOD, "mono", true};
    eex_buffer y4m = EEX_BUFFER_INIT;
    eex_frames *frames;
    test_video_y4m(&y4m, &video);
    eex_buffer_fill(&y4m, 'x', GARBAGE);
    OK(eex_frames_parse_y4m(&frames, &shape, y4m.data, y4m.size));
    eex_buffer_free(&y4m);
    return frames;
}

static eex_frame_batches *open_batches(eex_frames *frames, int batch, uint64_t most)
{
    const eex_frame_batches_options how = {
        .frames = frames, .device = dev, .image_bytes = IMAGE, .batch = batch, .most = most};
    eex_frame_batches *batches;
    OK(eex_frame_batches_open(&batches, &how));
    return batches;
}

/* The images of a batch, by way of the device, are those from frame `first` on. */
static void expect_images(const eex_frame_batch *batch, int first)
{
    uint8_t image[IMAGE], *back = malloc(MOST_BATCH * IMAGE);
    const size_t bytes = (size_t)batch->good * IMAGE;
    OK(dev->vtable->upload(dev, memory, batch->pixels, bytes));
    OK(dev->vtable->download(dev, back, memory, bytes));
    for (int i = 0; i < batch->good; i++) {
        fill_image(image, first + i);
        cr_expect_eq(memcmp(back + (size_t)i * IMAGE, image, IMAGE), 0, "frame %d", first + i);
    }
    free(back);
}

/* Returns how many batches there were; *good and *bad frames in them. */
static int run_through(eex_frame_batches *batches, int *good, int *bad)
{
    eex_frame_batch *batch;
    int count = 0;
    *good = *bad = 0;
    for (;; count++) {
        OK(eex_frame_batches_next(&batch, batches));
        if (!batch)
            return count;
        expect_images(batch, *good);
        for (int i = 0; i < batch->all; i++)
            cr_expect_eq(batch->frame[i].number, (uint64_t)(*good + *bad + i));
        *good += batch->good;
        *bad += batch->all - batch->good;
    }
}

Test(frame_batches, are_what_the_source_has)
{
    static const int batches[] = {1, 3, 7, 20, 21, MOST_BATCH};
    int good, bad;
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
        eex_frames *frames = open_raw();
        eex_frame_batches *b = open_batches(frames, batches[i], 0);
        const int count = run_through(b, &good, &bad);
        cr_expect(good == GOOD && bad == 1, "%d good, %d bad", good, bad);
        cr_expect_eq(count, (GOOD + 1 + batches[i] - 1) / batches[i], "%d", count);
        eex_frame_batches_close(b);
        eex_frames_close(frames);
    }
}

/* What is not wanted is not taken from the source either. */
Test(frame_batches, no_more_than_are_wanted)
{
    static const int batches[] = {1, 3, 5, MOST_BATCH};
    uint8_t pixels[IMAGE];
    eex_frame frame;
    int good, bad;
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
        eex_frames *frames = open_raw();
        eex_frame_batches *b = open_batches(frames, batches[i], 10);
        run_through(b, &good, &bad);
        cr_expect(good == 10 && bad == 0);
        OK(eex_frames_next(frames, &frame, pixels));
        cr_expect_eq(frame.number, 10);
        eex_frame_batches_close(b);
        eex_frames_close(frames);
    }
}

/* One batch ahead where uploads run beside what is calculated; elsewhere nothing is read early. */
Test(frame_batches, only_a_device_that_copies_beside_is_ahead)
{
    eex_frames *frames = open_raw();
    eex_frame_batches *b = open_batches(frames, 3, 0);
    eex_frame_batch *batch;
    uint8_t pixels[IMAGE];
    eex_frame frame;
    OK(eex_frame_batches_next(&batch, b));
    cr_expect(batch->all == 3 && batch->frame[0].number == 0);
    OK(eex_frames_next(frames, &frame, pixels));
    cr_expect_eq(frame.number, dev->host_memory ? 3 : 6);
    eex_frame_batches_close(b);
    eex_frames_close(frames);
}

Test(frame_batches, a_source_that_fails_loses_no_frame)
{
    static const int batches[] = {1, 7, GOOD, MOST_BATCH};
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
        eex_frames *frames = open_failing();
        eex_frame_batches *b = open_batches(frames, batches[i], 0);
        eex_frame_batch *batch;
        int good = 0, code;
        while ((code = eex_frame_batches_next(&batch, b)) == EEX_OK && batch) {
            good += batch->good;
            eex_fail(EEX_EINVAL, "something else");
        }
        cr_expect(code == EEX_EIO && good == GOOD, "%d, %d frames", code, good);
        for (int again = 0; again < 2; again++) {
            cr_expect(strstr(eex_error(), "no YUV4MPEG2 any more"), "%s", eex_error());
            cr_expect_eq(eex_frame_batches_next(&batch, b), EEX_EIO);
        }
        eex_frame_batches_close(b);
        eex_frames_close(frames);
    }
}

/* A live batch is what is there; all of it comes. */
Test(frame_batches, by_a_queue_and_live)
{
    int good, bad;
    for (int live = 0; live < 2; live++) {
        eex_frames *frames;
        OK(eex_frames_open_ahead(&frames, open_raw(), &(eex_ahead){.queue = 5}));
        const eex_frame_batches_options how = {
            .frames = frames, .device = dev, .image_bytes = IMAGE, .batch = 4, .live = live};
        eex_frame_batches *b;
        OK(eex_frame_batches_open(&b, &how));
        run_through(b, &good, &bad);
        cr_expect(good == GOOD && bad == 1);
        eex_frame_batches_close(b);
        eex_frames_close(frames);
    }
}
