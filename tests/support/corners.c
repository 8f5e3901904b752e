#include "support/corners.h"

#include "core/data/dataset_write.h"
#include "support/backbones.h"
#include "support/elastic.h"

#include "base/rng.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

enum { SIDE = 8, CLASSES = 3, TRAIN = 240, TEST = 60 };

static void draw(uint8_t *image, int label, uint64_t number)
{
    for (int i = 0; i < SIDE * SIDE * 3; i++) {
        int y = i / 3 / SIDE, x = i / 3 % SIDE;
        bool bright = (label & 1) == (x < SIDE / 2) && (label & 2) / 2 == (y < SIDE / 2);
        image[i] = (uint8_t)((bright ? 110 : 40) + eex_rng_hash(7, number, (uint64_t)i) % 120);
    }
}

static void append(eex_dataset_writer *writer, bool test, int count, bool exchanged)
{
    uint8_t *images = calloc((size_t)count, SIDE * SIDE * 3);
    int32_t *labels = calloc((size_t)count, sizeof *labels);
    cr_assert(images && labels);
    for (int i = 0; i < count; i++) {
        labels[i] = i % CLASSES;
        draw(images + (size_t)i * SIDE * SIDE * 3, labels[i],
             (uint64_t)(i + 10000 * (test != exchanged)));
    }
    const eex_samples samples = {.count = (size_t)count, .images = images, .labels = labels};
    cr_assert_eq(eex_dataset_append(writer, test ? EEX_PART_TEST : EEX_PART_TRAIN, &samples),
                 EEX_OK, "%s", eex_error());
    free(images);
    free(labels);
}

static void make(const char *folder, bool exchanged)
{
    static const char *const classes[] = {"left", "right", "top"};
    char path[512];
    const eex_dataset_spec spec = {.name = "corners",
                                   .height = SIDE,
                                   .width = SIDE,
                                   .channels = 3,
                                   .classes = classes,
                                   .class_count = CLASSES};
    eex_dataset_writer *writer = NULL;
    snprintf(path, sizeof path, "%s/corners.h5", folder);
    cr_assert_eq(eex_dataset_create(&writer, path, &spec), EEX_OK, "%s", eex_error());
    append(writer, false, TRAIN, exchanged);
    append(writer, true, TEST, exchanged);
    cr_assert_eq(eex_dataset_finish(&writer, "drawn by a test"), EEX_OK, "%s", eex_error());
}

void test_corners_make(const char *folder)
{
    make(folder, false);
}

void test_corners_exchange(const char *folder)
{
    make(folder, true);
}

eex_experiment *test_corners_experiment(eex_evaluator_kind evaluator)
{
    eex_experiment *e = eex_experiment_new();
    cr_assert_not_null(e);
    snprintf(e->name, sizeof e->name, "corners");
    snprintf(e->data.name, sizeof e->data.name, "corners");
    e->seed = 1;
    e->data.calibration = 45;
    e->data.validation = 45;
    cr_assert_eq(eex_test_tiny(&e->backbone, CLASSES), EEX_OK);
    cr_assert_eq(eex_saliency_residual_merges(&e->points, e->backbone), EEX_OK);
    e->gates.blocks[0] = 0;
    e->gates.blocks[1] = 1;
    e->training.epochs = 2;
    e->training.batch = 16;
    e->training.lr = 0.05;
    e->candidate = e->final = e->training;
    e->candidate.epochs = 1;
    e->final.epochs = 0;
    e->search.evaluator = evaluator;
    e->search.trials = evaluator == EEX_EVALUATE_SHARED ? 20 : 3;
    e->search.population = 6;
    e->search.sample = 2;
    return e;
}

eex_experiment *test_corners_elastic(eex_evaluator_kind evaluator)
{
    eex_experiment *e = test_corners_experiment(evaluator);
    eex_graph_free(e->backbone);
    e->backbone = NULL;
    cr_assert_eq(eex_test_elastic_small(&e->backbone, CLASSES), EEX_OK, "%s", eex_error());
    e->points = (eex_points){
        2, {eex_graph_find(e->backbone, "layer3.add"), eex_graph_find(e->backbone, "last.act")}};
    e->training.epochs = 1;
    e->search.statistics = 100;
    e->search.algorithm = EEX_RANDOM;
    e->search.trials = evaluator == EEX_EVALUATE_SHARED ? 6 : 3;
    return e;
}
