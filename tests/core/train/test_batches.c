/* Batches that go ahead to the device: what an upload brings is what the loader has, whatever was
 * announced, and wherever somebody jumps. */
#include "core/train/batches.h"
#include "support/devices.h"
#include "support/folder.h"
#include "support/patches.h"

#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { TRAIN = 50, BATCH = 8, LAST = 7 }; /* the last batch has two images */

typedef struct bed {
    char folder[TEST_PATH_SIZE];
    eex_dataset *data;
    eex_device *dev;
    eex_loader *plain; /* the same batches, which go nowhere */
    eex_batches batches;
    uint8_t *memory, *back; /* (BATCH) images on the device and from there */
} bed;

static void bed_open(bed *b)
{
    uint32_t samples[TRAIN];
    test_folder_make(b->folder);
    b->data = patches_open(b->folder, TRAIN, 8, 12);
    b->dev = open_device(1);
    for (uint32_t i = 0; i < TRAIN; i++)
        samples[i] = i;
    const eex_loader_options from = {.data = b->data,
                                     .samples = samples,
                                     .count = TRAIN,
                                     .batch = BATCH,
                                     .shuffle = true,
                                     .seed = 3};
    OK(eex_loader_open(&b->plain, &from));
    OK(eex_batches_open(&b->batches, b->dev, &from));
    b->back = malloc(BATCH * b->batches.image_bytes);
    OK(b->dev->vtable->allocate(b->dev, (void **)&b->memory, BATCH * b->batches.image_bytes));
}

static void bed_close(bed *b)
{
    eex_batches_close(&b->batches);
    eex_loader_close(b->plain);
    b->dev->vtable->release(b->dev, b->memory);
    eex_device_close(b->dev);
    eex_dataset_close(b->data);
    free(b->back);
    test_folder_remove(b->folder);
}

/* The next batch of both; false when the epoch is over. */
static bool expect_next(bed *b)
{
    const eex_batch *want, *got;
    OK(eex_loader_next(&want, b->plain));
    OK(eex_batches_next(&got, &b->batches));
    cr_assert_eq(!want, !got);
    if (!got)
        return false;
    const size_t n = (size_t)got->count, bytes = n * b->batches.image_bytes;
    cr_assert_eq(got->count, want->count);
    cr_assert_eq(memcmp(got->samples, want->samples, n * sizeof *got->samples), 0);
    for (int again = 0; again < 2; again++) { /* as the passes of a step do */
        OK(b->dev->vtable->upload(b->dev, b->memory, got->images, bytes));
        OK(b->dev->vtable->download(b->dev, b->back, b->memory, bytes));
        cr_expect_eq(memcmp(b->back, want->images, bytes), 0, "epoch %u, batch %u", got->epoch,
                     got->number);
    }
    return true;
}

static int count_epoch(bed *b, uint32_t epoch, uint32_t first, int most)
{
    int count = 0;
    OK(eex_loader_start(b->plain, epoch, first));
    OK(eex_batches_start(&b->batches, epoch, first));
    while (count < most && expect_next(b))
        count++;
    return count;
}

Test(batches, they_are_those_of_the_loader, .timeout = 120)
{
    bed b;
    bed_open(&b);
    for (uint32_t epoch = 0; epoch < 3; epoch++)
        cr_expect_eq(count_epoch(&b, epoch, 0, 100), LAST);
    bed_close(&b);
}

/* Out of the middle of an epoch, with one in hand and the next announced. */
Test(batches, a_jump_brings_what_is_wanted, .timeout = 120)
{
    static const uint32_t jumps[][2] = {{0, 0}, {0, 4}, {5, 1}, {5, 1}, {1, LAST}, {2, LAST - 1}};
    bed b;
    bed_open(&b);
    for (size_t i = 0; i < sizeof jumps / sizeof *jumps; i++) {
        const int left = LAST - (int)jumps[i][1];
        cr_expect_eq(count_epoch(&b, jumps[i][0], jumps[i][1], 2), left < 2 ? left : 2);
    }
    bed_close(&b);
}

/* Where features come in place of images none go ahead; uploads bring them all the same. */
Test(batches, without_images_nothing_goes_ahead, .timeout = 120)
{
    bed b;
    bed_open(&b);
    b.batches.images = false;
    cr_expect_eq(count_epoch(&b, 0, 0, 100), LAST);
    cr_expect(!b.batches.announced.held && !b.batches.announced.next);
    bed_close(&b);
}
