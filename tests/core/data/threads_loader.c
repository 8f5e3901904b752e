/* The loader's thread beside a consumer that jumps about, another thread that gathers from the same
 * data set, and one that writes files through the store: for the thread sanitizer. */
#include "core/data/loader.h"
#include "core/data/synthetic.h"
#include "core/store/store.h"

#include "base/fs.h"
#include "base/rng.h"
#include "base/status.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { IMAGES = 400, ROUNDS = 60, BATCH = 32, IMAGE = 3072 };

#define CHECK(condition)                                                                     \
    do {                                                                                     \
        if (!(condition)) {                                                                  \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #condition, eex_error()); \
            exit(1);                                                                         \
        }                                                                                    \
    } while (0)

static char folder[] = "/tmp/eex-threads-XXXXXX";
static eex_dataset *data;
static atomic_bool over;

static void *gather(void *argument)
{
    static uint8_t images[8 * IMAGE], drawn[IMAGE];
    for (uint32_t round = 0; !over; round++) {
        uint32_t samples[8];
        for (uint32_t i = 0; i < 8; i++)
            samples[i] = (round * 13 + i * 7) % IMAGES;
        CHECK(eex_dataset_gather(images, data, samples, 8) == EEX_OK);
        eex_synthetic_draw(drawn, 1, false, samples[3]);
        CHECK(memcmp(images + 3 * IMAGE, drawn, IMAGE) == 0);
    }
    return NULL;
}

static void *write_files(void *argument)
{
    char path[100];
    const eex_store_shape shape = {1, {3}};
    snprintf(path, sizeof path, "%s/trial.h5", folder);
    while (!over) {
        eex_store_file *file;
        int32_t back[3];
        CHECK(eex_store_create(&file, path, "trial", 1) == EEX_OK);
        CHECK(eex_store_write(file, "x", EEX_STORE_I32, &shape, (int32_t[]){1, 2, 3}) == EEX_OK);
        CHECK(eex_store_commit(&file) == EEX_OK);
        CHECK(eex_store_open(&file, path, "trial", 1) == EEX_OK);
        CHECK(eex_store_read(back, file, "x", EEX_STORE_I32, &shape) == EEX_OK && back[2] == 3);
        eex_store_close(file);
    }
    return NULL;
}

static void consume(eex_loader *loader, uint32_t epoch, uint32_t first, uint64_t most)
{
    const eex_batch *batch;
    CHECK(eex_loader_start(loader, epoch, first) == EEX_OK);
    for (uint64_t i = 0; i < most; i++) {
        CHECK(eex_loader_next(&batch, loader) == EEX_OK);
        if (!batch)
            return;
        CHECK(batch->epoch == epoch && batch->number == first + i);
        for (int k = 0; k < batch->count; k++)
            CHECK(batch->labels[k] == (int32_t)(batch->samples[k] % 10));
        CHECK(batch->images[0] <= 255); /* touches what the thread wrote */
    }
}

static void jump_about(void)
{
    uint32_t samples[IMAGES];
    eex_loader *loader;
    eex_rng rng;
    eex_rng_seed(&rng, 2, 0);
    for (uint32_t i = 0; i < IMAGES; i++)
        samples[i] = i;
    const eex_loader_options options = {
        .data = data, .samples = samples, .count = IMAGES, .batch = BATCH, .shuffle = true};
    for (int round = 0; round < ROUNDS; round++) {
        CHECK(eex_loader_open(&loader, &options) == EEX_OK);
        for (uint64_t i = eex_rng_below(&rng, 6); i; i--)
            consume(loader, (uint32_t)eex_rng_below(&rng, 3), (uint32_t)eex_rng_below(&rng, 13),
                    eex_rng_below(&rng, 20));
        eex_loader_close(loader); /* in the middle of whatever the thread is doing */
    }
}

int main(void)
{
    pthread_t threads[2];
    char path[100];
    CHECK(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/synthetic.h5", folder);
    CHECK(eex_synthetic_make(path, "synthetic", IMAGES, 0, 1) == EEX_OK);
    CHECK(eex_dataset_open(&data, path) == EEX_OK);
    CHECK(pthread_create(&threads[0], NULL, gather, NULL) == 0);
    CHECK(pthread_create(&threads[1], NULL, write_files, NULL) == 0);
    jump_about();
    over = true;
    CHECK(pthread_join(threads[0], NULL) == 0 && pthread_join(threads[1], NULL) == 0);
    eex_dataset_close(data);
    CHECK(eex_fs_remove_tree(folder) == EEX_OK);
    return 0;
}
