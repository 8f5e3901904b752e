#include "support/patches.h"

#include "core/data/dataset_write.h"
#include "support/folder.h"

#include "base/rng.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { SIDE = 8, IMAGE = SIDE * SIDE * 3 };

static void draw(uint8_t *image, int label, double noise, eex_rng *rng)
{
    static const double colours[PATCH_CLASSES][3] = {
        {200, 90, 90}, {90, 200, 90}, {90, 90, 200}, {190, 190, 80}};
    int left = label % 2 * SIDE / 2, top = label / 2 * SIDE / 2;
    for (int i = 0; i < IMAGE; i++) {
        int x = i / 3 % SIDE, y = i / 3 / SIDE;
        bool inside = x >= left && x < left + SIDE / 2 && y >= top && y < top + SIDE / 2;
        double value = (inside ? colours[label][i % 3] : 128) + noise * eex_rng_normal(rng);
        image[i] = value < 0 ? 0 : value > 255 ? 255 : (uint8_t)value;
    }
}

static void append(eex_dataset_writer *writer, bool test, uint32_t count, double noise)
{
    eex_rng rng;
    eex_rng_seed(&rng, 21, test);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t image[IMAGE];
        int32_t label = (int32_t)(i % PATCH_CLASSES);
        draw(image, label, noise, &rng);
        OK(eex_dataset_append(writer, test ? EEX_PART_TEST : EEX_PART_TRAIN,
                              &(eex_samples){.count = 1, .images = image, .labels = &label}));
    }
}

eex_dataset *patches_open(const char *folder, uint32_t train, uint32_t test, double noise)
{
    static const char *const names[PATCH_CLASSES] = {"red", "green", "blue", "yellow"};
    const char *path = test_path(folder, "patches.h5");
    eex_dataset_spec spec = {.name = "patches",
                             .height = SIDE,
                             .width = SIDE,
                             .channels = 3,
                             .classes = names,
                             .class_count = PATCH_CLASSES};
    eex_dataset_writer *writer;
    eex_dataset *data;
    OK(eex_dataset_create(&writer, path, &spec));
    append(writer, false, train, noise);
    append(writer, true, test, noise);
    OK(eex_dataset_finish(&writer, "tests"));
    OK(eex_dataset_open(&data, path));
    return data;
}
