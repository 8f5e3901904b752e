/* The engine's queue gives what eex_engine_run and the replay give, however the images come in, and
 * says what is wrong when something is. */
#include "core/engine/engine.h"
#include "core/policy/replay.h"
#include "support/bed.h"
#include "support/devices.h"
#include "support/folder.h"

#include "base/clock.h"
#include "base/rng.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

static char folder[TEST_PATH_SIZE];
static bed b;
static uint8_t *images; /* (SAMPLES) */
static eex_policy *policy;
static expected want;

static void setup(void)
{
    const eex_calibration how = {
        .kind = EEX_POLICY_CONFIDENCE, .temperature = 1, .a = 0.6, .b = 0.3};
    eex_outcome outcome;
    test_folder_make(folder);
    b = bed_of_patches(folder);
    images = malloc(SAMPLES * b.image);
    cr_assert_not_null(images);
    OK(eex_dataset_gather(images, b.data, b.samples, SAMPLES));
    OK(eex_calibrate(&policy, b.trace, b.net.dev, &how, NULL));
    OK(eex_replay(&outcome, b.trace, policy, NULL, want.exit, want.decision));
    for (int k = 0; k < b.trace->exits; k++)
        cr_assert_gt(outcome.share[k], 0.1);
    cr_assert(outcome.rejected > 0.1 && outcome.rejected < 0.5);
}

static void teardown(void)
{
    eex_policy_free(policy);
    free(images);
    bed_close(&b);
    test_folder_remove(folder);
}

TestSuite(queue, .init = setup, .fini = teardown, .timeout = 240);

static eex_engine *open_engine(int batch)
{
    const eex_inference how = bed_inference(&b, batch);
    eex_engine *engine;
    OK(eex_engine_new(&engine, b.net.graph, b.net.params, policy, &how));
    cr_assert_eq(eex_engine_image_bytes(engine), b.image);
    return engine;
}

static const uint8_t *image_of(uint32_t sample)
{
    return images + sample * b.image;
}

/* ---- the same decisions ---- */

typedef struct submitter {
    eex_engine *engine;
    const uint32_t *order;
    int first, step; /* submits order[first], order[first + step], ... */
} submitter;

/* The id says the place in the order: who drops nothing tries again. */
static void *submit_share(void *argument)
{
    const submitter *s = argument;
    for (int i = s->first; i < SAMPLES; i += s->step) {
        int code;
        while ((code = eex_engine_submit(s->engine, (uint64_t)i, image_of(s->order[i]))) ==
               EEX_EBUSY)
            sched_yield();
        OK(code);
    }
    return NULL;
}

/* Everything comes once, with the right decision, and what one thread submitted in its order. */
static void collect(eex_engine *engine, const uint32_t *order, int threads)
{
    eex_engine_result done[7];
    bool seen[SAMPLES] = {false};
    int last[3] = {-1, -1, -1};
    for (int total = 0, count; total < SAMPLES; total += count) {
        OK(eex_engine_poll(engine, done, 7, 10000, &count));
        cr_assert(count > 0 && count <= 7, "%d results after %d", count, total);
        for (int i = 0; i < count; i++) {
            const int id = (int)done[i].id;
            cr_assert(id >= 0 && id < SAMPLES && !seen[id], "id %d", id);
            cr_assert(id > last[id % threads], "%d came after %d", id, last[id % threads]);
            cr_assert(done[i].ms >= 0 && done[i].ms < 60e3);
            seen[id] = true;
            last[id % threads] = id;
            bed_compare(&b, policy, &want, &done[i].result, order[id]);
        }
    }
}

static void pass_through(const eex_engine_options *options, int threads, const uint32_t *order)
{
    pthread_t thread[3];
    submitter share[3];
    eex_engine *engine = open_engine(16);
    int count;
    eex_engine_result none;
    OK(eex_engine_queue(engine, options));
    for (int i = 0; i < threads; i++) {
        share[i] = (submitter){engine, order, i, threads};
        cr_assert_eq(pthread_create(&thread[i], NULL, submit_share, &share[i]), 0);
    }
    collect(engine, order, threads);
    for (int i = 0; i < threads; i++)
        pthread_join(thread[i], NULL);
    OK(eex_engine_poll(engine, &none, 1, -1, &count));
    cr_expect_eq(count, 0);
    eex_engine_close(engine);
}

Test(queue, decides_as_the_replay_does_however_images_come)
{
    static const eex_engine_options options[] = {{0},
                                                 {.batch = 1, .queue = 1},
                                                 {.batch = 5, .queue = 12},
                                                 {.batch = 16, .queue = 17, .linger_ms = 2},
                                                 {.batch = 3, .queue = 200, .linger_ms = 0.5}};
    uint32_t order[SAMPLES];
    eex_rng rng;
    eex_rng_seed(&rng, 5, 6);
    memcpy(order, b.samples, sizeof order);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        for (int threads = 1; threads <= 3; threads += 2) {
            pass_through(&options[i], threads, order);
            eex_rng_shuffle(&rng, order, SAMPLES);
        }
}

/* A caller may run a batch of its own while the queue works. */
Test(queue, run_goes_in_between)
{
    eex_engine *engine = open_engine(8);
    eex_result results[8];
    pthread_t thread;
    submitter all = {engine, b.samples, 0, 1};
    OK(eex_engine_queue(engine, &(eex_engine_options){.queue = SAMPLES}));
    cr_assert_eq(pthread_create(&thread, NULL, submit_share, &all), 0);
    for (uint32_t first = 0; first + 8 <= SAMPLES; first += 8) {
        OK(eex_engine_run(engine, results, image_of(first), 8));
        for (uint32_t i = 0; i < 8; i++)
            bed_compare(&b, policy, &want, &results[i], first + i);
    }
    pthread_join(thread, NULL);
    collect(engine, b.samples, 1);
    eex_engine_close(engine);
}

/* ---- waiting, full, empty ---- */

/* While this thread has the device the worker stands still. */
static int fill(eex_engine *engine)
{
    int code, count = 0;
    while ((code = eex_engine_submit(engine, (uint64_t)count, image_of(0))) == EEX_OK)
        cr_assert(++count < 1000);
    cr_expect_eq(code, EEX_EBUSY);
    return count;
}

Test(queue, a_full_queue_is_busy_until_results_are_polled)
{
    eex_engine *engine = open_engine(4);
    eex_engine_result done[4];
    int count;
    OK(eex_engine_queue(engine, &(eex_engine_options){.queue = 10}));
    OK(eex_device_lock(b.net.dev));
    cr_expect_eq(fill(engine), 10);
    cr_expect(strstr(eex_error(), "queue of 10 is full"), "%s", eex_error());
    OK(eex_engine_poll(engine, done, 4, 0, &count));
    cr_expect_eq(count, 0);
    cr_expect_eq(eex_engine_wait(engine, 20), EEX_EBUSY);
    eex_device_unlock(b.net.dev);
    OK(eex_engine_wait(engine, -1));
    cr_expect_eq(eex_engine_submit(engine, 10, image_of(0)), EEX_EBUSY, "results hold their place");
    OK(eex_engine_poll(engine, done, 1, 0, &count));
    cr_assert_eq(count, 1);
    cr_expect_eq(done[0].id, 0);
    OK(eex_engine_submit(engine, 10, image_of(0)));
    for (uint64_t next = 1; next <= 10; next += (uint64_t)count) {
        OK(eex_engine_poll(engine, done, 4, -1, &count));
        cr_assert_gt(count, 0);
        for (int i = 0; i < count; i++)
            cr_expect_eq(done[i].id, next + (uint64_t)i);
    }
    eex_engine_close(engine);
}

Test(queue, polling_waits_as_long_as_it_was_told)
{
    eex_engine *engine = open_engine(4);
    eex_engine_result done;
    int count = 5;
    OK(eex_engine_poll(engine, &done, 1, -1, &count)); /* nothing was submitted */
    cr_expect_eq(count, 0);
    double begin = eex_clock_seconds();
    OK(eex_engine_poll(engine, &done, 1, 30, &count));
    cr_expect_eq(count, 0);
    cr_expect_geq(eex_clock_seconds() - begin, 0.03);
    OK(eex_engine_wait(engine, 0));
    eex_engine_close(engine);
}

Test(queue, a_batch_lingers_until_it_is_full_or_wanted)
{
    eex_engine *engine = open_engine(4);
    eex_engine_result done[8];
    int count;
    OK(eex_engine_queue(engine, &(eex_engine_options){.queue = 8, .linger_ms = 60e3}));
    for (uint64_t i = 0; i < 3; i++)
        OK(eex_engine_submit(engine, i, image_of(0)));
    OK(eex_engine_poll(engine, done, 8, 50, &count));
    cr_expect_eq(count, 0, "three of four do not go yet");
    OK(eex_engine_submit(engine, 3, image_of(0)));
    OK(eex_engine_poll(engine, done, 8, 20000, &count));
    cr_expect_eq(count, 4);
    OK(eex_engine_submit(engine, 4, image_of(0)));
    OK(eex_engine_wait(engine, 20000)); /* does not linger */
    OK(eex_engine_poll(engine, done, 8, 0, &count));
    cr_expect(count == 1 && done[0].id == 4);
    eex_engine_close(engine);
}

Test(queue, lingering_ends)
{
    eex_engine *engine = open_engine(4);
    eex_engine_result done;
    int count;
    OK(eex_engine_queue(engine, &(eex_engine_options){.linger_ms = 40}));
    OK(eex_engine_submit(engine, 0, image_of(0)));
    OK(eex_engine_poll(engine, &done, 1, -1, &count));
    cr_expect_eq(count, 1);
    cr_expect_geq(done.ms, 40);
    eex_engine_close(engine);
}

Test(queue, closing_with_images_under_way)
{
    for (int round = 0; round < 20; round++) {
        eex_engine *engine = open_engine(2);
        OK(eex_engine_queue(engine, &(eex_engine_options){.queue = 50}));
        OK(eex_device_lock(b.net.dev));
        cr_expect_eq(fill(engine), 50);
        eex_device_unlock(b.net.dev);
        eex_engine_close(engine);
    }
    eex_engine *engine = open_engine(2);
    OK(eex_engine_queue(engine, NULL)); /* set up and never used */
    eex_engine_close(engine);
}

/* ---- what is refused ---- */

Test(queue, nonsense_is_refused)
{
    eex_engine *engine = open_engine(4);
    eex_engine_result done;
    int count;
    static const eex_engine_options wrong[] = {
        {.batch = -1},          {.batch = 5},
        {.queue = -1},          {.queue = EEX_ENGINE_MAX_QUEUE + 1},
        {.linger_ms = -1},      {.linger_ms = NAN},
        {.linger_ms = INFINITY}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_expect_eq(eex_engine_queue(engine, &wrong[i]), EEX_EINVAL, "options %zu", i);
    cr_expect_eq(eex_engine_queue(NULL, NULL), EEX_EINVAL);
    cr_expect_eq(eex_engine_submit(NULL, 0, images), EEX_EINVAL);
    cr_expect_eq(eex_engine_submit(engine, 0, NULL), EEX_EINVAL);
    cr_expect_eq(eex_engine_poll(NULL, &done, 1, 0, &count), EEX_EINVAL);
    cr_expect_eq(eex_engine_poll(engine, NULL, 1, 0, &count), EEX_EINVAL);
    cr_expect_eq(eex_engine_poll(engine, &done, 0, 0, &count), EEX_EINVAL);
    cr_expect_eq(eex_engine_poll(engine, &done, 1, 0, NULL), EEX_EINVAL);
    cr_expect_eq(eex_engine_wait(NULL, 0), EEX_EINVAL);
    OK(eex_engine_queue(engine, &(eex_engine_options){.queue = 3}));
    cr_expect_eq(eex_engine_queue(engine, NULL), EEX_EINVAL, "a second time");
    cr_expect_eq(fill(engine) < 1000, true);
    eex_engine_close(engine);
}

/* ---- a device that fails ---- */

static eex_device_vtable failing;
static int (*upload)(eex_device *dev, void *to, const void *from, size_t bytes);
static atomic_bool broken;

static int break_off(eex_device *dev, void *to, const void *from, size_t bytes)
{
    return broken ? eex_fail(EEX_EDEVICE, "%s fell off the bus", dev->name)
                  : upload(dev, to, from, bytes);
}

Test(queue, what_went_wrong_comes_back_from_poll)
{
    eex_engine *engine = open_engine(4);
    eex_engine_result done[8];
    const eex_device_vtable *real = b.net.dev->vtable;
    int count;
    failing = *real;
    upload = real->upload;
    failing.upload = break_off;
    b.net.dev->vtable = &failing;
    for (uint64_t i = 0; i < 5; i++)
        OK(eex_engine_submit(engine, i, image_of((uint32_t)i)));
    OK(eex_engine_wait(engine, -1));
    broken = true;
    OK(eex_engine_submit(engine, 5, image_of(5)));
    cr_expect_eq(eex_engine_wait(engine, -1), EEX_EDEVICE);
    eex_fail(EEX_EINVAL, "another message");
    OK(eex_engine_poll(engine, done, 8, -1, &count));
    cr_expect_eq(count, 5, "what was right is handed over first");
    for (int attempt = 0; attempt < 2; attempt++) {
        cr_expect_eq(eex_engine_poll(engine, done, 8, -1, &count), EEX_EDEVICE);
        cr_expect(count == 0 && strstr(eex_error(), "fell off the bus"), "%s", eex_error());
    }
    cr_expect_eq(eex_engine_submit(engine, 6, image_of(6)), EEX_EDEVICE);
    broken = false;
    eex_engine_close(engine);
    b.net.dev->vtable = real;
}
