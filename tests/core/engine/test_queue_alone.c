/* The queue in front of something that is no engine: it adds the bytes of an image. */
#include "core/engine/queue.h"
#include "core/engine/turns.h"
#include "support/devices.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { BYTES = 5, BATCH = 6, IMAGES = 500 };

typedef struct adder {
    pthread_mutex_t gate; /* whoever has it lets it wait */
    int runs, largest;    /* batches, images of the largest */
    int bad;              /* sum that it fails at; 0: none */
} adder;

static int sum_of(const uint8_t *image)
{
    int sum = 0;
    for (int i = 0; i < BYTES; i++)
        sum += image[i];
    return sum;
}

static int add(void *context, eex_result *results, const uint8_t *images, int count)
{
    adder *a = context;
    pthread_mutex_lock(&a->gate);
    a->runs++;
    a->largest = count > a->largest ? count : a->largest;
    pthread_mutex_unlock(&a->gate);
    for (int i = 0; i < count; i++) {
        results[i] = (eex_result){.top = sum_of(images + (size_t)i * BYTES)};
        if (a->bad && results[i].top == a->bad)
            return eex_fail(EEX_EIO, "a sum of %d", a->bad);
    }
    return EEX_OK;
}

static adder a = {.gate = PTHREAD_MUTEX_INITIALIZER};

static eex_queue *open_queue(void)
{
    const eex_queue_runner runner = {
        .name = "adder", .image_bytes = BYTES, .batch = BATCH, .run = add, .context = &a};
    eex_queue *queue;
    OK(eex_queue_new(&queue, &runner));
    return queue;
}

static void make_image(uint8_t image[BYTES], int i)
{
    for (int j = 0; j < BYTES; j++)
        image[j] = (uint8_t)(i * 7 + j * 31);
}

static int submit(eex_queue *queue, int i)
{
    uint8_t image[BYTES];
    make_image(image, i);
    return eex_queue_submit(queue, (uint64_t)i, image);
}

static int poll_and_check(eex_queue *queue, int next, int timeout_ms)
{
    eex_queue_result done[4];
    uint8_t image[BYTES];
    int count;
    OK(eex_queue_poll(queue, done, 4, timeout_ms, &count));
    for (int i = 0; i < count; i++) {
        make_image(image, next + i);
        cr_assert_eq(done[i].id, (uint64_t)(next + i));
        cr_assert_eq(done[i].result.top, sum_of(image));
    }
    return count;
}

Test(queue_alone, results_come_in_order)
{
    eex_queue *queue = open_queue();
    int polled = 0;
    OK(eex_queue_open(queue, &(eex_queue_options){.queue = 16}));
    for (int i = 0; i < IMAGES; i++) {
        int code;
        while ((code = submit(queue, i)) == EEX_EBUSY)
            polled += poll_and_check(queue, polled, -1);
        OK(code);
    }
    while (polled < IMAGES)
        polled += poll_and_check(queue, polled, -1);
    cr_expect(a.runs >= IMAGES / BATCH && a.largest <= BATCH, "%d runs", a.runs);
    cr_expect_eq(poll_and_check(queue, polled, -1), 0, "it is empty");
    eex_queue_free(queue);
}

/* Without options: four batches. */
Test(queue_alone, it_is_full_under_its_own_name)
{
    eex_queue *queue = open_queue();
    int count = 0;
    pthread_mutex_lock(&a.gate);
    while (submit(queue, count) == EEX_OK)
        cr_assert_leq(++count, 4 * BATCH);
    cr_expect_eq(count, 4 * BATCH);
    cr_expect(strstr(eex_error(), "adder: its queue of 24 is full"), "%s", eex_error());
    cr_expect_eq(eex_queue_wait(queue, 10), EEX_EBUSY);
    pthread_mutex_unlock(&a.gate);
    OK(eex_queue_wait(queue, -1));
    for (int polled = 0; polled < count;)
        polled += poll_and_check(queue, polled, 0);
    eex_queue_free(queue);
}

Test(queue_alone, a_failure_comes_behind_what_was_right)
{
    eex_queue *queue = open_queue();
    eex_queue_result done;
    uint8_t image[BYTES];
    int count;
    for (int i = 0; i < 3; i++)
        OK(submit(queue, i));
    OK(eex_queue_wait(queue, -1));
    make_image(image, 3);
    a.bad = sum_of(image);
    OK(submit(queue, 3));
    cr_expect_eq(eex_queue_wait(queue, -1), EEX_EIO);
    cr_expect_eq(poll_and_check(queue, 0, -1), 3);
    cr_expect_eq(eex_queue_poll(queue, &done, 1, -1, &count), EEX_EIO);
    cr_expect(count == 0 && strstr(eex_error(), "a sum of"), "%s", eex_error());
    cr_expect_eq(submit(queue, 4), EEX_EIO);
    eex_queue_free(queue);
}

Test(queue_alone, it_goes_with_images_under_way)
{
    for (int round = 0; round < 50; round++) {
        eex_queue *queue = open_queue();
        for (int i = 0; i < 4 * BATCH; i++)
            OK(submit(queue, i));
        eex_queue_free(queue);
    }
    eex_queue_free(open_queue()); /* never used */
    eex_queue_free(NULL);
}

/* ---- lanes ---- */

enum { LANES = 4, WATCHED = 8 };

/* Holds each batch until it is let go, and notes whose images were in it. */
typedef struct watcher {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int begun, let_go;
    int of[WATCHED][LANES]; /* images of each lane in each batch */
} watcher;

static int watch(void *context, eex_result *results, const uint8_t *images, int count)
{
    watcher *w = context;
    pthread_mutex_lock(&w->lock);
    for (int i = 0; i < count; i++) {
        w->of[w->begun][images[i * BYTES]]++;
        results[i] = (eex_result){.top = images[i * BYTES + 1]};
    }
    w->begun++;
    pthread_cond_broadcast(&w->changed);
    while (w->let_go < w->begun)
        pthread_cond_wait(&w->changed, &w->lock);
    pthread_mutex_unlock(&w->lock);
    return EEX_OK;
}

static void await_begun(watcher *w, int batches)
{
    pthread_mutex_lock(&w->lock);
    while (w->begun < batches)
        pthread_cond_wait(&w->changed, &w->lock);
    pthread_mutex_unlock(&w->lock);
}

static void let_go(watcher *w, int batches)
{
    pthread_mutex_lock(&w->lock);
    w->let_go = batches;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

static eex_queue *open_watched(watcher *w, int length)
{
    const eex_queue_runner runner = {.name = "watcher",
                                     .image_bytes = BYTES,
                                     .batch = BATCH,
                                     .run = watch,
                                     .context = w,
                                     .lanes = LANES};
    eex_queue *queue;
    OK(eex_queue_new(&queue, &runner));
    OK(eex_queue_open(queue, &(eex_queue_options){.queue = length}));
    return queue;
}

/* The n-th of a lane. */
static int submit_in(eex_queue *queue, int lane, int n)
{
    const uint8_t image[BYTES] = {(uint8_t)lane, (uint8_t)n};
    return eex_queue_submit_in(queue, lane, (uint64_t)(100 * lane + n), image);
}

/* Each lane's results come in its own order, each with the result of its image. */
static void drain(eex_queue *queue, int images)
{
    int next[LANES] = {0}, total = 0, count;
    eex_queue_result done[5];
    for (; total < images; total += count) {
        OK(eex_queue_poll(queue, done, 5, 10000, &count));
        cr_assert_gt(count, 0);
        for (int i = 0; i < count; i++) {
            const int lane = (int)done[i].id / 100;
            cr_expect_eq(done[i].id % 100, (uint64_t)next[lane], "lane %d", lane);
            cr_expect_eq(done[i].result.top, next[lane]);
            next[lane]++;
        }
    }
}

static watcher w = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* A flood has the queue full as far as it may: whoever comes then is in the next batch, not behind
 * the four that the flood would fill. */
Test(queue_alone, who_comes_is_in_the_next_batch_whatever_others_have_waiting)
{
    enum { FLOOD = 4 * BATCH, ALL = FLOOD + 3 };
    eex_queue *queue = open_watched(&w, ALL);
    OK(submit_in(queue, 0, 0));
    await_begun(&w, 1);
    for (int i = 1; i < FLOOD; i++)
        OK(submit_in(queue, 0, i));
    OK(submit_in(queue, 3, 0));
    OK(submit_in(queue, 2, 0));
    OK(submit_in(queue, 2, 1));
    cr_expect_eq(submit_in(queue, 1, 0), EEX_EBUSY, "it is full");
    let_go(&w, 1);
    await_begun(&w, 2);
    cr_expect_eq(w.of[1][3], 1);
    cr_expect_eq(w.of[1][2], 2);
    cr_expect_eq(w.of[1][0], BATCH - 3, "the batch is full all the same");
    let_go(&w, WATCHED);
    drain(queue, ALL);
    eex_queue_free(queue);
}

/* More lanes than a batch has places: who was left out is first the next time. */
Test(queue_alone, lanes_share_what_there_is)
{
    enum { EACH = 5 };
    eex_queue *queue = open_watched(&w, LANES * EACH + 1);
    OK(submit_in(queue, 0, 0));
    await_begun(&w, 1);
    for (int lane = 0; lane < LANES; lane++)
        for (int i = 0; i < EACH; i++)
            OK(submit_in(queue, lane, i + (lane == 0)));
    let_go(&w, WATCHED);
    drain(queue, LANES * EACH + 1);
    for (int lane = 0; lane < LANES; lane++) { /* six places, four lanes */
        cr_expect_eq(w.of[1][lane], lane < 2 ? 2 : 1, "lane %d: %d", lane, w.of[1][lane]);
        cr_expect_eq(w.of[2][lane], lane < 2 ? 1 : 2, "lane %d: %d", lane, w.of[2][lane]);
    }
    cr_expect_eq(submit_in(queue, LANES, 0), EEX_EINVAL);
    cr_expect(strstr(eex_error(), "lane 4, expected 0 to 3"), "%s", eex_error());
    cr_expect_eq(submit_in(queue, -1, 0), EEX_EINVAL);
    eex_queue_free(queue);
}

/* Whose user has gone leaves nothing behind but what runs, and takes nobody's turn. */
Test(queue_alone, what_a_lane_has_waiting_can_be_dropped)
{
    enum { ALL = 12 };
    for (int gone = 0; gone < 3; gone++) { /* first, middle and last in turn */
        w = (watcher){.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
        eex_queue *queue = open_watched(&w, ALL);
        OK(submit_in(queue, 3, 0));
        await_begun(&w, 1);
        for (int lane = 0; lane < 3; lane++)
            for (int i = 0; i < 3; i++)
                OK(submit_in(queue, lane, i));
        OK(eex_queue_drop(queue, gone));
        OK(eex_queue_drop(queue, gone));  /* which has nothing */
        OK(eex_queue_drop(queue, 3));     /* what runs goes on */
        for (int i = 1; i < ALL - 6; i++) /* there is room again */
            OK(submit_in(queue, 3, i));
        cr_expect_eq(submit_in(queue, 3, 9), EEX_EBUSY);
        let_go(&w, WATCHED);
        OK(eex_queue_wait(queue, 10000));
        drain(queue, ALL);
        for (int lane = 0; lane < 3; lane++)
            cr_expect_eq(w.of[1][lane], lane == gone ? 0 : 2, "lane %d", lane);
        cr_expect_eq(w.of[1][3], 2);
        cr_expect_eq(eex_queue_drop(queue, LANES), EEX_EINVAL);
        eex_queue_free(queue);
    }
}

/* Who waits for it does not wait for ever. */
Test(queue_alone, nobody_waits_for_what_was_dropped)
{
    eex_queue *queue = open_watched(&w, 8);
    eex_queue_result done;
    int count;
    OK(eex_queue_drop(queue, 0)); /* before anything */
    OK(submit_in(queue, 0, 0));
    await_begun(&w, 1);
    OK(submit_in(queue, 1, 0));
    OK(eex_queue_drop(queue, 1));
    let_go(&w, WATCHED);
    OK(eex_queue_wait(queue, -1));
    OK(eex_queue_poll(queue, &done, 1, -1, &count));
    cr_expect_eq(count, 1);
    OK(eex_queue_poll(queue, &done, 1, -1, &count));
    cr_expect_eq(count, 0);
    eex_queue_free(queue);
}

/* What goes ahead to a device is known before its turn, and stays where it is. */
Test(queue_alone, what_goes_ahead_has_one_lane_and_is_not_dropped)
{
    eex_device *device = open_device(1);
    eex_queue *queue;
    eex_queue_runner runner = {.name = "adder",
                               .image_bytes = BYTES,
                               .batch = BATCH,
                               .run = add,
                               .context = &a,
                               .lanes = 2,
                               .device = device};
    cr_expect_eq(eex_queue_new(&queue, &runner), EEX_EINVAL);
    cr_expect(strstr(eex_error(), "lanes"), "%s", eex_error());
    runner.lanes = 1;
    OK(eex_queue_new(&queue, &runner));
    cr_expect_eq(eex_queue_drop(queue, 0), EEX_EINVAL);
    cr_expect(strstr(eex_error(), "dropped"), "%s", eex_error());
    eex_queue_free(queue);
    eex_device_close(device);
}

/* The next ones of a lane, as long as they lie one behind the other. */
Test(queue_alone, who_lies_together_is_told)
{
    eex__turns t;
    int32_t taken[4];
    cr_assert_eq(eex__turns_open(&t, 4, 1), EEX_OK);
    cr_expect_eq(eex__turns_together(&t, 1), -1, "nothing waits");
    for (int i = 0; i < 3; i++)
        cr_expect_eq(eex__turns_put(&t, 0), i);
    cr_expect_eq(eex__turns_together(&t, 3), 0);
    cr_expect_eq(eex__turns_together(&t, 4), -1, "so many do not wait");
    cr_expect_eq(eex__turns_take(&t, taken, 2), 2);
    eex__turns_free(&t, 0);
    eex__turns_free(&t, 1);
    for (int i = 0; i < 3; i++) /* 2 waits still; 3, 0 and 1 come behind it */
        cr_expect_eq(eex__turns_put(&t, 0), (i + 3) % 4);
    cr_expect_eq(eex__turns_together(&t, 2), 2);
    cr_expect_eq(eex__turns_together(&t, 3), -1, "it goes round the end");
    eex__turns_close(&t);
}

Test(queue_alone, nonsense_is_refused)
{
    const eex_queue_runner wrong[] = {
        {.name = "w", .image_bytes = BYTES, .batch = BATCH},
        {.name = "w", .batch = BATCH, .run = add},
        {.name = "w", .image_bytes = BYTES, .run = add},
        {.name = "w", .image_bytes = BYTES, .batch = BATCH, .run = add, .lanes = -1}};
    eex_queue *queue;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cr_expect_eq(eex_queue_new(&queue, &wrong[i]), EEX_EINVAL, "%zu", i);
        cr_expect_null(queue);
    }
    queue = open_queue();
    cr_expect_eq(eex_queue_open(queue, &(eex_queue_options){.batch = BATCH + 1}), EEX_EINVAL);
    cr_expect(strstr(eex_error(), "adder: "), "%s", eex_error());
    cr_expect_eq(eex_queue_open(queue, &(eex_queue_options){.queue = EEX_QUEUE_MAX + 1}),
                 EEX_EINVAL);
    OK(eex_queue_open(queue, NULL));
    cr_expect_eq(eex_queue_open(queue, NULL), EEX_EINVAL, "a second time");
    eex_queue_free(queue);
}
