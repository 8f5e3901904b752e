/* Frames that go ahead of who classifies them, streams and the engine's queue: how many do, that
 * what is decided is what plain uploads give, that it is only so because of the waits, and that who
 * is interrupted leaves nothing announced. */
#include "core/use/stream.h"
#include "cuda/fake_cuda.h"
#include "support/capture.h"
#include "support/devices.h"
#include "support/folder.h"
#include "support/net.h"
#include "support/patches.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { BATCH = 8, FRAMES = 30, BATCHES = 4 }; /* the last one has six frames */

static char folder[TEST_PATH_SIZE];
static net n;
static eex_dataset *data;
static eex_frame_shape shape;
static size_t image; /* bytes */
static eex_engine *engine;
static uint8_t *images;         /* (FRAMES) */
static eex_result want[FRAMES]; /* by plain uploads */

static void setup(void)
{
    uint32_t samples[FRAMES];
    eex_inference how = {.batch = BATCH};
    test_folder_make(folder);
    n = net_open(net_tiny, 1, 2);
    data = patches_open(folder, FRAMES, 4, 40);
    const eex_dataset_info *d = eex_dataset_facts(data);
    shape = (eex_frame_shape){d->height, d->width, d->channels, EEX_FIT_CROP};
    memcpy(how.normalise.mean, d->mean, sizeof d->mean);
    memcpy(how.normalise.std, d->std, sizeof d->std);
    OK(eex_engine_new(&engine, n.graph, n.params, NULL, &how));
    image = eex_engine_image_bytes(engine);
    images = malloc(FRAMES * image);
    cr_assert_not_null(images);
    for (uint32_t i = 0; i < FRAMES; i++)
        samples[i] = i;
    OK(eex_dataset_gather(images, data, samples, FRAMES));
    for (int at = 0; at < FRAMES; at += BATCH)
        OK(eex_engine_run(engine, want + at, images + (size_t)at * image,
                          FRAMES - at < BATCH ? FRAMES - at : BATCH));
}

static void teardown(void)
{
    free(images);
    eex_engine_close(engine);
    net_close(&n);
    eex_dataset_close(data);
    test_folder_remove(folder);
}

TestSuite(beside, .init = setup, .fini = teardown, .timeout = 240);

static bool same(const eex_result *x, const eex_result *y)
{
    return x->exit == y->exit && x->decision == y->decision && x->top == y->top &&
           memcmp(&x->confidence, &y->confidence, sizeof x->confidence) == 0;
}

static int count_wrong(const eex_result *got)
{
    int wrong = 0;
    for (int i = 0; i < FRAMES; i++)
        wrong += !same(&got[i], &want[i]);
    return wrong;
}

/* ---- streams ---- */

typedef struct ear {
    eex_result got[FRAMES];
    uint64_t stop; /* the frame at which it fails; FRAMES: never */
} ear;

static int hear(void *context, const eex_stream_event *event)
{
    ear *e = context;
    if (event->number == e->stop)
        return eex_fail(EEX_EINTERRUPTED, "nobody listens");
    e->got[event->frame->sample] = *event->result;
    return EEX_OK;
}

static int flush(void *context)
{
    (void)context;
    return EEX_OK;
}

static eex_frames *open_samples(bool reverse)
{
    uint32_t samples[FRAMES];
    eex_frames *frames;
    for (uint32_t i = 0; i < FRAMES; i++)
        samples[i] = reverse ? FRAMES - 1 - i : i;
    OK(eex_frames_open_samples(&frames, &shape, data, samples, FRAMES));
    return frames;
}

/* Uploads that found their images there. Closes the frames. */
static long run_stream(ear *e, eex_frames *frames, int code)
{
    const eex_stream_listener listener = {hear, flush, e};
    const eex_stream_options o = {.batch = BATCH,
                                  .exits = eex_graph_exits(n.graph),
                                  .image_bytes = image,
                                  .listener = &listener,
                                  .quiet = true};
    const long before = eex_fake_cuda_count().within;
    eex_stream *s = eex_stream_new();
    cr_assert_not_null(s);
    memset(e->got, 0, sizeof e->got);
    cr_assert_eq(eex_stream_run(s, frames, engine, NULL, &o), code, "%s", eex_error());
    free(s);
    eex_frames_close(frames);
    return eex_fake_cuda_count().within - before;
}

Test(beside, all_batches_of_a_stream_but_the_first_go_ahead)
{
    ear e = {.stop = FRAMES};
    for (int late = 0; late < 2; late++) {
        eex_fake_cuda_late(late);
        cr_expect_eq(run_stream(&e, open_samples(false), EEX_OK), BATCHES - 1);
        cr_expect_eq(count_wrong(e.got), 0, "late %d", late);
    }
}

/* What does not wait until its images have landed classifies others. */
Test(beside, without_its_waits_a_stream_is_wrong)
{
    ear e = {.stop = FRAMES};
    int noticed = 0;
    for (int nth = 1; nth <= 2 * (BATCHES - 1); nth++) {
        run_stream(&e, open_samples(true), EEX_OK); /* so that places have other images */
        eex_fake_cuda_lose("cudaStreamWaitEvent", nth);
        run_stream(&e, open_samples(false), EEX_OK);
        cr_expect(eex_fake_cuda_lost(), "there are not %d waits", nth);
        noticed += count_wrong(e.got) > 0;
    }
    eex_fake_cuda_heal();
    cr_expect_eq(noticed, BATCHES - 1);
}

/* More of them than there are places, each with a batch announced that nobody runs. */
Test(beside, an_interrupted_stream_leaves_nothing_announced)
{
    ear e = {.stop = BATCH + 1};
    for (int i = 0; i < 5; i++)
        cr_expect_eq(run_stream(&e, open_samples(false), EEX_EINTERRUPTED), 1);
    e.stop = FRAMES;
    cr_expect_eq(run_stream(&e, open_samples(false), EEX_OK), BATCHES - 1);
    cr_expect_eq(count_wrong(e.got), 0);
}

/* A frame that a newer one may yet replace is not taken before its time. */
Test(beside, what_may_be_dropped_stays_in_its_queue)
{
    ear e = {.stop = FRAMES};
    eex_frames *frames;
    const eex_ahead how = {.queue = FRAMES, .drop = EEX_DROP_OLDEST};
    OK(eex_frames_open_ahead(&frames, open_samples(false), &how));
    cr_expect_eq(run_stream(&e, frames, EEX_OK), 0);
    cr_expect_eq(count_wrong(e.got), 0);
}

static int count_of(const char *text, const char *what)
{
    int count = 0;
    for (const char *at = text; (at = strstr(at, what)); at++)
        count++;
    return count;
}

/* Said once, and slower; decided alike. */
Test(beside, without_memory_a_stream_goes_on)
{
    ear e = {.stop = FRAMES};
    test_capture capture;
    test_capture_file(&capture);
    for (int i = 0; i < 2; i++) {
        eex_fake_cuda_fail("cudaHostAlloc", 1, cudaErrorMemoryAllocation);
        cr_expect_eq(run_stream(&e, open_samples(false), EEX_OK), BATCHES - 1);
        cr_expect_eq(count_wrong(e.got), 0);
    }
    char *said = test_capture_end(&capture);
    cr_expect_eq(count_of(said, "pinned host memory"), 1, "%s", said);
    free(said);
}

/* Before there are any places, in a device that is full. */
Test(beside, without_places_a_stream_goes_on)
{
    ear e = {.stop = FRAMES};
    test_capture capture;
    test_capture_file(&capture);
    eex_device *dev = n.dev;
    dev->memory = dev->held + 3 * BATCH * image; /* host memory counts, and fits */
    for (int i = 0; i < 2; i++) {
        cr_expect_eq(run_stream(&e, open_samples(false), EEX_OK), 0);
        cr_expect_eq(count_wrong(e.got), 0);
    }
    dev->memory = 0;
    char *said = test_capture_end(&capture);
    cr_expect_eq(count_of(said, "going on without images ahead"), 1, "%s", said);
    free(said);
}

/* ---- the engine's queue ---- */

/* Submits all frames, in reverse order where asked, while the device is busy, so that what waits
 * behind the second batch is known; how many of them were decided otherwise. */
static int run_queue(bool reverse, int *left_over)
{
    eex_engine_result done[FRAMES];
    int count = 0, wrong = 0;
    OK(eex_device_lock(n.dev));
    for (int i = 0; i < FRAMES; i++) {
        const int at = reverse ? FRAMES - 1 - i : i;
        OK(eex_engine_submit(engine, (uint64_t)at, images + (size_t)at * image));
    }
    eex_device_unlock(n.dev);
    OK(eex_engine_wait(engine, -1));
    OK(eex_engine_poll(engine, done, FRAMES, 0, &count));
    *left_over = FRAMES - count;
    for (int i = 0; i < count; i++)
        wrong += !same(&done[i].result, &want[done[i].id]);
    return wrong;
}

/* The ring is written again and again, which nobody may do before its images were read. Of whole
 * batches each third and fourth are known in time; some lie around the ring's end. */
Test(beside, full_batches_of_a_queue_go_ahead)
{
    const long before = eex_fake_cuda_count().within;
    int left_over;
    OK(eex_engine_queue(engine, &(eex_engine_options){.queue = FRAMES + 2, .linger_ms = 1000}));
    for (int i = 0; i < 6; i++) {
        cr_expect_eq(run_queue(i % 2, &left_over), 0, "round %d", i);
        cr_expect_eq(left_over, 0);
    }
    const long within = eex_fake_cuda_count().within - before;
    cr_expect(within >= 4 && within <= 6 * (BATCHES - 1), "%ld", within);
}

Test(beside, without_its_waits_a_queue_is_wrong)
{
    int noticed = 0, left_over;
    OK(eex_engine_queue(engine, &(eex_engine_options){.queue = FRAMES + 2, .linger_ms = 1000}));
    for (int i = 0; i < 8; i++) {
        eex_fake_cuda_lose("cudaStreamWaitEvent", i % 4 + 1);
        noticed += run_queue(i % 2, &left_over) > 0;
    }
    eex_fake_cuda_heal();
    cr_expect_gt(noticed, 0);
}
