#include "core/data/dataset_write.h"
#include "core/data/loader.h"
#include "support/folder.h"

#include "base/fs.h"
#include "base/rng.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 500, SIDE = 4, BYTES = SIDE * SIDE };

#define OK(call) cr_assert_eq((call), EEX_OK, "%s", eex_error())

static char folder[TEST_PATH_SIZE];
static eex_dataset *data;
static uint32_t samples[IMAGES];

/* Image n is filled with n % 251, its label is n % 7. */
static void write_images(const char *path)
{
    static const char *const classes[] = {"0", "1", "2", "3", "4", "5", "6"};
    const eex_dataset_spec spec = {"numbers", SIDE, SIDE, 1, classes, 7, NULL, 0};
    eex_dataset_writer *writer;
    OK(eex_dataset_create(&writer, path, &spec));
    for (int n = 0; n < IMAGES; n++) {
        uint8_t image[BYTES];
        int32_t label = n % 7;
        memset(image, n % 251, sizeof image);
        const eex_samples sample = {.count = 1, .images = image, .labels = &label};
        OK(eex_dataset_append(writer, EEX_PART_TRAIN, &sample));
    }
    OK(eex_dataset_finish(&writer, ""));
}

static void begin(void)
{
    test_folder_make(folder);
    write_images(test_path(folder, "numbers.h5"));
    OK(eex_dataset_open(&data, test_path(folder, "numbers.h5")));
    for (uint32_t i = 0; i < IMAGES; i++)
        samples[i] = i;
}

static void end(void)
{
    eex_dataset_close(data);
    test_folder_remove(folder);
}

TestSuite(loader, .init = begin, .fini = end);

static eex_loader *open_loader(int batch, bool shuffle, bool drop_last)
{
    eex_loader *loader;
    const eex_loader_options options = {.data = data,
                                        .samples = samples,
                                        .count = IMAGES,
                                        .batch = batch,
                                        .shuffle = shuffle,
                                        .drop_last = drop_last,
                                        .seed = 11};
    OK(eex_loader_open(&loader, &options));
    return loader;
}

/* Runs one epoch from a batch on; order gets the sample numbers. Checks every image and label. */
static size_t run_epoch(uint32_t *order, eex_loader *loader, uint32_t epoch, uint32_t first)
{
    size_t total = 0;
    const eex_batch *batch;
    OK(eex_loader_start(loader, epoch, first));
    for (uint32_t number = first;; number++) {
        OK(eex_loader_next(&batch, loader));
        if (!batch)
            return total;
        cr_assert_eq(batch->epoch, epoch);
        cr_assert_eq(batch->number, number);
        for (int i = 0; i < batch->count; i++) {
            uint32_t n = batch->samples[i];
            cr_assert_eq(batch->labels[i], (int32_t)(n % 7));
            cr_assert_eq(batch->images[i * BYTES], n % 251);
            cr_assert_eq(batch->images[i * BYTES + BYTES - 1], n % 251);
            order[total++] = n;
        }
    }
}

Test(loader, sequential_epochs_give_everything_in_order)
{
    uint32_t order[IMAGES];
    eex_loader *loader = open_loader(64, false, false);
    cr_assert_eq(eex_loader_batches(loader), 8);
    for (uint32_t epoch = 0; epoch < 3; epoch++) {
        cr_assert_eq(run_epoch(order, loader, epoch, 0), IMAGES);
        cr_assert_eq(memcmp(order, samples, sizeof samples), 0);
    }
    eex_loader_close(loader);
}

static int ascending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

Test(loader, shuffled_epochs_are_permutations_of_seed_and_epoch)
{
    uint32_t first[IMAGES], second[IMAGES], again[IMAGES];
    eex_loader *loader = open_loader(33, true, false);
    run_epoch(first, loader, 0, 0);
    run_epoch(second, loader, 1, 0);
    cr_assert_neq(memcmp(first, second, sizeof first), 0);
    run_epoch(again, loader, 0, 0); /* back in time */
    cr_assert_eq(memcmp(first, again, sizeof first), 0);
    eex_loader_close(loader);
    loader = open_loader(33, true, false); /* straight into a later epoch, as after a restart */
    run_epoch(again, loader, 1, 0);
    cr_assert_eq(memcmp(second, again, sizeof second), 0);
    eex_loader_close(loader);
    qsort(first, IMAGES, sizeof *first, ascending);
    cr_assert_eq(memcmp(first, samples, sizeof samples), 0);
}

Test(loader, resumes_from_any_batch)
{
    uint32_t whole[IMAGES], rest[IMAGES];
    eex_loader *loader = open_loader(64, true, false);
    run_epoch(whole, loader, 5, 0);
    for (uint32_t first = 0; first <= 8; first++) {
        size_t count = run_epoch(rest, loader, 5, first), skipped = first * 64;
        cr_assert_eq(count, skipped < IMAGES ? IMAGES - skipped : 0);
        cr_assert_eq(memcmp(whole + IMAGES - count, rest, count * sizeof *rest), 0);
    }
    cr_assert_eq(eex_loader_start(loader, 5, 9), EEX_EINVAL);
    eex_loader_close(loader);
}

Test(loader, incomplete_batches_can_be_left_out)
{
    uint32_t order[IMAGES];
    eex_loader *loader = open_loader(64, true, true);
    cr_assert_eq(eex_loader_batches(loader), 7);
    cr_assert_eq(run_epoch(order, loader, 0, 0), 448);
    eex_loader_close(loader);
}

Test(loader, abandoned_epochs_leave_nothing_behind)
{
    uint32_t expected[IMAGES], order[IMAGES];
    const eex_batch *batch;
    eex_rng rng;
    eex_rng_seed(&rng, 1, 1);
    eex_loader *loader = open_loader(50, true, false);
    run_epoch(expected, loader, 3, 0);
    for (int round = 0; round < 50; round++) {
        uint32_t jumps = (uint32_t)eex_rng_below(&rng, 4);
        for (uint32_t j = 0; j <= jumps; j++) {
            OK(eex_loader_start(loader, (uint32_t)eex_rng_below(&rng, 6),
                                (uint32_t)eex_rng_below(&rng, 10)));
            for (uint64_t take = eex_rng_below(&rng, 4); take; take--)
                OK(eex_loader_next(&batch, loader));
        }
        cr_assert_eq(run_epoch(order, loader, 3, 0), IMAGES);
        cr_assert_eq(memcmp(order, expected, sizeof order), 0);
    }
    eex_loader_close(loader);
}

Test(loader, a_batch_may_be_larger_than_the_list)
{
    uint32_t order[IMAGES];
    eex_loader *loader = open_loader(10000, false, false);
    cr_assert_eq(eex_loader_batches(loader), 1);
    cr_assert_eq(run_epoch(order, loader, 0, 0), IMAGES);
    eex_loader_close(loader);
}

Test(loader, nothing_to_load_is_refused)
{
    eex_loader *loader;
    eex_loader_options options = {.data = data, .samples = samples, .count = 0, .batch = 8};
    cr_assert_eq(eex_loader_open(&loader, &options), EEX_EINVAL);
    options.count = 7;
    options.drop_last = true;
    cr_assert_eq(eex_loader_open(&loader, &options), EEX_EINVAL);
    options.batch = 0;
    cr_assert_eq(eex_loader_open(&loader, &options), EEX_EINVAL);
    options.batch = 1;
    samples[3] = IMAGES;
    cr_assert_eq(eex_loader_open(&loader, &options), EEX_EINVAL);
    cr_assert(strstr(eex_error(), "sample 500"), "%s", eex_error());
    cr_assert_null(loader);
}

/* The images of the file are overwritten after it was opened: the thread finds out. */
Test(loader, an_error_of_the_thread_reaches_the_consumer)
{
    const eex_batch *batch;
    eex_loader *loader;
    FILE *file = fopen(test_path(folder, "numbers.h5"), "r+b");
    cr_assert_not_null(file);
    eex_dataset_close(data);
    char *bytes;
    size_t size, at = 0;
    OK(eex_fs_read(&bytes, &size, test_path(folder, "numbers.h5"), 1 << 24));
    uint8_t image[BYTES]; /* the sixth image is found by its bytes, and spoilt in the file */
    memset(image, 5, sizeof image);
    while (at + BYTES <= size && memcmp(bytes + at, image, BYTES) != 0)
        at++;
    cr_assert_leq(at + BYTES, size);
    free(bytes);
    fseek(file, (long)at, SEEK_SET);
    fputc(99, file);
    cr_assert_eq(fclose(file), 0);
    OK(eex_dataset_open(&data, test_path(folder, "numbers.h5")));
    loader = open_loader(64, false, false);
    cr_assert_eq(eex_loader_next(&batch, loader), EEX_EFORMAT);
    cr_assert(strstr(eex_error(), "train/images"), "%s", eex_error());
    cr_assert_null(batch);
    cr_assert_eq(eex_loader_next(&batch, loader), EEX_EFORMAT); /* and stays so */
    eex_loader_close(loader);
}
