#include "core/data/dataset.h"
#include "core/data/dataset_write.h"
#include "core/data/sheet.h"
#include "core/data/split.h"
#include "core/data/synthetic.h"
#include "core/store/store.h"
#include "support/folder.h"
#include "support/pictures.h"

#include "base/fs.h"
#include "base/rng.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OK(call) cr_assert_eq((call), EEX_OK, "%s", eex_error())

static void refused(int code, int expected, const char *word)
{
    cr_assert_eq(code, expected, "%s instead of %s: %s", eex_status_name(code),
                 eex_status_name(expected), eex_error());
    cr_assert(strstr(eex_error(), word), "\"%s\" does not say \"%s\"", eex_error(), word);
}

/* A grey 2 x 3 data set: image n is filled with n, its label is n % 3. */
static void write_small(const char *path, int train, int test)
{
    static const char *const classes[] = {"a", "b", "c"};
    const eex_dataset_spec spec = {.name = "small",
                                   .height = 2,
                                   .width = 3,
                                   .channels = 1,
                                   .classes = classes,
                                   .class_count = 3};
    eex_dataset_writer *writer;
    OK(eex_dataset_create(&writer, path, &spec));
    for (int n = 0; n < train + test; n++) {
        uint8_t image[6];
        int32_t label = n % 3;
        memset(image, n, sizeof image);
        const eex_samples sample = {.count = 1, .images = image, .labels = &label};
        OK(eex_dataset_append(writer, n >= train ? EEX_PART_TEST : EEX_PART_TRAIN, &sample));
    }
    OK(eex_dataset_finish(&writer, "made up"));
    cr_assert_null(writer);
}

static eex_dataset *open_small(const char *folder, int train, int test)
{
    eex_dataset *data;
    write_small(test_path(folder, "small.h5"), train, test);
    OK(eex_dataset_open(&data, test_path(folder, "small.h5")));
    return data;
}

Test(dataset, tells_what_was_written)
{
    char folder[TEST_PATH_SIZE];
    test_folder_make(folder);
    eex_dataset *data = open_small(folder, 100, 20);
    const eex_dataset_info *info = eex_dataset_facts(data);
    cr_assert_str_eq(info->name, "small");
    cr_assert_str_eq(info->source, "made up");
    cr_assert_eq(info->height, 2);
    cr_assert_eq(info->width, 3);
    cr_assert_eq(info->channels, 1);
    cr_assert_eq(info->classes, 3);
    cr_assert_str_eq(info->class_names[2], "c");
    cr_assert_eq(info->train, 100);
    cr_assert_eq(info->test, 20);
    cr_assert_eq(info->samples, 120);
    /* Of 0 .. 99: mean 49.5, variance (100^2 - 1) / 12; the test images do not count. */
    cr_assert_float_eq(info->mean[0], 49.5 / 255, 1e-6);
    cr_assert_float_eq(info->std[0], sqrt(9999.0 / 12) / 255, 1e-6);
    for (int n = 0; n < 120; n++)
        cr_assert_eq(eex_dataset_labels(data)[n], n % 3);
    cr_assert_null(eex_dataset_difficulty(data));
    eex_dataset_close(data);
    test_folder_remove(folder);
}

Test(dataset, gathers_any_samples_in_any_order)
{
    char folder[TEST_PATH_SIZE];
    const uint32_t samples[] = {119, 0, 100, 99, 0};
    test_folder_make(folder);
    for (int resident = 0; resident < 2; resident++) { /* from memory and from the file */
        uint8_t images[5 * 6];
        eex_dataset *data = open_small(folder, 100, 20);
        eex_dataset_set_resident(data, resident ? 120 * 6 : 120 * 6 - 1);
        OK(eex_dataset_gather(images, data, samples, 5));
        for (int i = 0; i < 30; i++)
            cr_assert_eq(images[i], samples[i / 6]);
        refused(eex_dataset_gather(images, data, (const uint32_t[]){120}, 1), EEX_EINVAL,
                "sample 120");
        eex_dataset_close(data);
    }
    test_folder_remove(folder);
}

Test(dataset, is_found_by_name_and_missed_with_the_remedy)
{
    char folder[TEST_PATH_SIZE];
    eex_dataset *data;
    test_folder_make(folder);
    setenv("EEX_DATA", folder, 1);
    write_small(test_path(folder, "mine.h5"), 6, 0);
    OK(eex_dataset_open(&data, "mine"));
    cr_assert_eq(eex_dataset_facts(data)->test, 0);
    eex_dataset_close(data);
    refused(eex_dataset_open(&data, "cifar10"), EEX_ENOTFOUND,
            "get it: eex data get cifar10, or from files you have: eex data import cifar10 PATH");
    refused(eex_dataset_open(&data, "synthetic"), EEX_ENOTFOUND, "eex data make synthetic");
    refused(eex_dataset_open(&data, "yours"), EEX_ENOTFOUND, "eex data import yours FOLDER");
    refused(eex_dataset_open(&data, "no/yours.h5"), EEX_ENOTFOUND, "no/yours.h5");
    cr_assert_null(data);
    unsetenv("EEX_DATA");
    setenv("HOME", "/home/someone", 1);
    const char *where;
    OK(eex_data_directory(&where));
    cr_assert_str_eq(where, "/home/someone/.local/share/eex/data");
    test_folder_remove(folder);
}

Test(dataset, the_writer_checks)
{
    static const char *const classes[] = {"a", "b", "c"};
    char folder[TEST_PATH_SIZE];
    eex_dataset_spec spec = {"x", 2, 3, 2, classes, 3, NULL, 0};
    eex_dataset_writer *writer;
    uint8_t image[6] = {0};
    test_folder_make(folder);
    const char *path = test_path(folder, "x.h5");
    refused(eex_dataset_create(&writer, path, &spec), EEX_EINVAL, "2 channels");
    spec.channels = 1;
    spec.class_count = 0;
    refused(eex_dataset_create(&writer, path, &spec), EEX_EINVAL, "0 classes");
    spec.class_count = 3;
    OK(eex_dataset_create(&writer, path, &spec));
    for (int32_t wrong = -1; wrong <= 3; wrong += 4) {
        const eex_samples sample = {.count = 1, .images = image, .labels = &wrong};
        refused(eex_dataset_append(writer, EEX_PART_TRAIN, &sample), EEX_EINVAL, "expected 0 to 2");
    }
    refused(eex_dataset_finish(&writer, ""), EEX_EINVAL, "no training images");
    cr_assert_not(eex_fs_exists(path));
    test_folder_remove(folder);
}

/* Files that are well-formed HDF5, but not a data set. */
Test(dataset, contradictions_are_found)
{
    char folder[TEST_PATH_SIZE];
    eex_dataset *data;
    test_folder_make(folder);
    for (int fault = 0; fault < 7; fault++) {
        static const char *const says[] = {"no such object",
                                           "label of sample 1 is 9",
                                           "(2), expected (3)",
                                           "rank 2",
                                           "mean",
                                           "source",
                                           "classes"};
        const int32_t labels[] = {0, fault == 1 ? 9 : 1, 0};
        const double mean = fault == 4 ? NAN : 0.5, deviation = 0.1;
        const char *const names[] = {"a", "b"};
        eex_store_shape images = {fault == 3 ? 2 : 4, {3, 2, 2, 1}};
        eex_store_file *file;
        const char *path = test_path(folder, "x.h5");
        OK(eex_store_create(&file, path, "dataset", EEX_DATASET_VERSION));
        OK(eex_store_set_string(file, "/", "name", "x"));
        OK(eex_store_write_strings(file, "classes", names, fault == 6 ? 0 : 2));
        OK(eex_store_write(file, "train/images", EEX_STORE_U8, &images, (const uint8_t[12]){0}));
        OK(eex_store_set_doubles(file, "train/images", "mean", &mean, 1));
        OK(eex_store_set_doubles(file, "train/images", "std", &deviation, 1));
        if (fault != 0)
            OK(eex_store_write(file, "train/labels", EEX_STORE_I32,
                               &(eex_store_shape){1, {fault == 2 ? 2 : 3}}, labels));
        if (fault != 5)
            OK(eex_store_write_string(file, "source", ""));
        OK(eex_store_commit(&file));
        int code = eex_dataset_open(&data, path);
        cr_assert_null(data);
        refused(code, fault == 0 || fault == 5 ? EEX_ENOTFOUND : EEX_EFORMAT, says[fault]);
    }
    test_folder_remove(folder);
}

/* ---- splits ---- */

static void count_part(int *seen, int classes[3], const eex_index *part, const eex_dataset *data)
{
    memset(classes, 0, 3 * sizeof *classes);
    for (size_t i = 0; i < part->count; i++) {
        cr_assert(i == 0 || part->at[i] > part->at[i - 1]);
        seen[part->at[i]]++;
        classes[eex_dataset_labels(data)[part->at[i]]]++;
    }
}

static void check_disjoint(const eex_split *s, const eex_dataset *data)
{
    int seen[256] = {0}, classes[3];
    const eex_index *parts[] = {&s->train, &s->calibration, &s->validation, &s->test};
    for (int p = 0; p < 4; p++) {
        count_part(seen, classes, parts[p], data);
        for (int c = 0; c < 3; c++) /* stratified: no class is more than one off its share */
            cr_assert_leq(abs(classes[c] * 3 - (int)parts[p]->count), 6);
    }
    for (int i = 0; i < 256; i++)
        cr_assert_leq(seen[i], 1);
}

Test(split, parts_are_disjoint_stratified_and_of_the_size_asked_for)
{
    char folder[TEST_PATH_SIZE];
    eex_split s;
    test_folder_make(folder);
    eex_dataset *data = open_small(folder, 150, 30);
    OK(eex_split_make(&s, data,
                      &(eex_split_spec){.seed = 1, .calibration = 0.1, .validation = 20}));
    cr_assert_eq(s.calibration.count, 15);
    cr_assert_eq(s.validation.count, 20);
    cr_assert_eq(s.train.count, 115);
    cr_assert_eq(s.test.count, 30);
    cr_assert_eq(s.test.at[0], 150);
    check_disjoint(&s, data);
    eex_split_free(&s);
    OK(eex_split_make(
        &s, data, &(eex_split_spec){.calibration = 1, .validation = 2, .train = 40, .test = 0.5}));
    cr_assert_eq(s.train.count, 40);
    cr_assert_eq(s.test.count, 15);
    check_disjoint(&s, data);
    eex_split_free(&s);
    eex_dataset_close(data);
    test_folder_remove(folder);
}

Test(split, holds_test_images_out_where_there_is_no_official_test)
{
    char folder[TEST_PATH_SIZE];
    eex_split s;
    test_folder_make(folder);
    eex_dataset *data = open_small(folder, 150, 0);
    OK(eex_split_make(&s, data, &(eex_split_spec){.calibration = 0.1, .validation = 0.1}));
    cr_assert_eq(s.test.count, 30);
    cr_assert_eq(s.train.count, 90);
    check_disjoint(&s, data);
    eex_split_free(&s);
    eex_dataset_close(data);
    test_folder_remove(folder);
}

static bool same_index(const eex_index *a, const eex_index *b)
{
    return a->count == b->count && memcmp(a->at, b->at, a->count * sizeof *a->at) == 0;
}

Test(split, depends_on_the_seed_alone)
{
    char folder[TEST_PATH_SIZE];
    eex_split a, b, c;
    eex_split_spec spec = {.seed = 5, .calibration = 0.2, .validation = 0.2};
    test_folder_make(folder);
    eex_dataset *data = open_small(folder, 150, 30);
    OK(eex_split_make(&a, data, &spec));
    OK(eex_split_make(&b, data, &spec));
    spec.seed = 6;
    OK(eex_split_make(&c, data, &spec));
    cr_assert(same_index(&a.train, &b.train) && same_index(&a.calibration, &b.calibration));
    cr_assert_not(same_index(&a.calibration, &c.calibration));
    eex_split_free(&a);
    eex_split_free(&b);
    eex_split_free(&c);
    eex_dataset_close(data);
    test_folder_remove(folder);
}

Test(split, impossible_parts_are_refused)
{
    char folder[TEST_PATH_SIZE];
    eex_split s;
    test_folder_make(folder);
    eex_dataset *data = open_small(folder, 150, 30);
    const struct {
        eex_split_spec spec;
        const char *says;
    } cases[] = {{{.calibration = 100, .validation = 100}, "only 50 are left"},
                 {{.calibration = 75, .validation = 75}, "left to train"},
                 {{.calibration = 0.001, .validation = 0.1}, "none at all"},
                 {{.calibration = -1, .validation = 0.1}, "calibration = -1"},
                 {{.calibration = 1.5, .validation = 0.1}, "whole number"},
                 {{.calibration = NAN, .validation = 0.1}, "calibration"},
                 {{.calibration = 10, .validation = 10, .train = 140}, "only 130"},
                 {{.calibration = 10, .validation = 10, .test = 31}, "of 30"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        refused(eex_split_make(&s, data, &cases[i].spec), EEX_EINVAL, cases[i].says);
        cr_assert_null(s.train.at);
    }
    eex_dataset_close(data);
    test_folder_remove(folder);
}

Test(split, is_stored_and_checked_when_read)
{
    char folder[TEST_PATH_SIZE];
    eex_split s, back;
    eex_store_file *file;
    test_folder_make(folder);
    eex_dataset *data = open_small(folder, 150, 30);
    const char *path = test_path(folder, "run.h5");
    OK(eex_split_make(&s, data, &(eex_split_spec){.calibration = 0.1, .validation = 0.1}));
    OK(eex_store_create(&file, path, "run", 1));
    OK(eex_split_write(&s, file, "split"));
    s.validation.at[0] = s.train.at[0]; /* in two parts now */
    OK(eex_split_write(&s, file, "wrong/split"));
    OK(eex_store_commit(&file));
    s.validation.at[0] = 0;
    OK(eex_store_open(&file, path, "run", 1));
    OK(eex_split_read(&back, file, "split", 180));
    cr_assert(same_index(&s.train, &back.train) && same_index(&s.test, &back.test));
    eex_split_free(&back);
    refused(eex_split_read(&back, file, "split", 179), EEX_EFORMAT, "sample 179");
    refused(eex_split_read(&back, file, "wrong/split", 180), EEX_EFORMAT, "two parts");
    refused(eex_split_read(&back, file, "other", 180), EEX_ENOTFOUND, "other");
    eex_store_close(file);
    eex_split_free(&s);
    eex_dataset_close(data);
    test_folder_remove(folder);
}

/* ---- the synthetic set ---- */

Test(synthetic, is_deterministic_and_differs_by_seed_part_and_number)
{
    uint8_t a[3072], b[3072];
    eex_synthetic_draw(a, 3, false, 77);
    eex_synthetic_draw(b, 3, false, 77);
    cr_assert_eq(memcmp(a, b, sizeof a), 0);
    eex_synthetic_draw(b, 4, false, 77);
    cr_assert_neq(memcmp(a, b, sizeof a), 0);
    eex_synthetic_draw(b, 3, true, 77);
    cr_assert_neq(memcmp(a, b, sizeof a), 0);
    eex_synthetic_draw(b, 3, false, 127);
    cr_assert_neq(memcmp(a, b, sizeof a), 0);
}

Test(synthetic, the_file_is_balanced_and_says_how_hard_each_image_is)
{
    char folder[TEST_PATH_SIZE];
    eex_dataset *data;
    int count[10][5] = {{0}};
    uint8_t image[3072], stored[3072];
    test_folder_make(folder);
    const char *path = test_path(folder, "s.h5");
    OK(eex_synthetic_make(path, "synthetic", 600, 100, 9));
    OK(eex_dataset_open(&data, path));
    for (int i = 0; i < 600; i++)
        count[eex_dataset_labels(data)[i]][eex_dataset_difficulty(data)[i]]++;
    for (int i = 0; i < 50; i++)
        cr_assert_eq(count[i / 5][i % 5], 12);
    eex_synthetic_draw(image, 9, true, 42);
    OK(eex_dataset_gather(stored, data, (const uint32_t[]){642}, 1));
    cr_assert_eq(memcmp(image, stored, sizeof image), 0);
    eex_dataset_close(data);
    test_folder_remove(folder);
}

/* The mean absolute difference of neighbouring pixels, in bytes. */
static double roughness(const uint8_t *image)
{
    double sum = 0;
    for (int i = 3; i < 3072; i++)
        if (i / 3 % 32)
            sum += abs(image[i] - image[i - 3]);
    return sum / (32 * 31 * 3);
}

Test(synthetic, harder_levels_are_rougher)
{
    double level[EEX_SYNTHETIC_LEVELS] = {0};
    uint8_t image[3072];
    for (uint32_t n = 0; n < 2000; n++) {
        eex_synthetic_draw(image, 0, false, n);
        level[n / 10 % 5] += roughness(image) / 400;
    }
    for (int i = 1; i < EEX_SYNTHETIC_LEVELS; i++)
        cr_assert_gt(level[i], level[i - 1] * 1.1, "level %d: %g after %g", i, level[i],
                     level[i - 1]);
}

/* Sample k of the 20 that are shown of a class: by difficulty, then in order, at even steps. */
static uint32_t shown(const eex_dataset *data, int class, size_t k)
{
    uint32_t of_class[1000];
    size_t count = 0;
    for (int level = 0; level < EEX_SYNTHETIC_LEVELS; level++)
        for (uint32_t i = 0; i < eex_dataset_facts(data)->train; i++)
            if (eex_dataset_labels(data)[i] == class && eex_dataset_difficulty(data)[i] == level)
                of_class[count++] = i;
    return of_class[k * count / 20];
}

static void expect_tile(const eex_image *sheet, eex_dataset *data, int row, int column)
{
    uint8_t tile[3072];
    const uint32_t sample = shown(data, row, (size_t)column);
    OK(eex_dataset_gather(tile, data, &sample, 1));
    for (int y = 0; y < 32; y++) {
        const int at = (y + 2 + 34 * row) * sheet->width + 2 + 34 * column;
        cr_assert_eq(memcmp(sheet->pixels + 3 * at, tile + y * 96, 96), 0, "row %d, column %d", row,
                     column);
    }
}

Test(synthetic, a_contact_sheet_shows_it)
{
    char folder[TEST_PATH_SIZE];
    eex_dataset *data;
    eex_image sheet = {0, 0, 0, NULL};
    test_folder_make(folder);
    const char *path = test_path(folder, "s.h5"), *png = test_path(folder, "s.png");
    OK(eex_synthetic_make(path, "synthetic", 1000, 0, 9));
    OK(eex_dataset_open(&data, path));
    OK(eex_dataset_sheet(png, data));
    OK(test_decode(&sheet, png, 0));
    cr_assert_eq(sheet.width, 20 * 34 + 2);
    cr_assert_eq(sheet.height, 10 * 34 + 2);
    for (int row = 0; row < 10; row++)
        for (int column = 0; column < 20; column++)
            expect_tile(&sheet, data, row, column);
    eex_image_free(&sheet);
    eex_dataset_close(data);
    test_folder_remove(folder);
}

/* In time that grows with the samples alone, however many classes and levels there are. */
Test(dataset, a_contact_sheet_of_millions, .timeout = 20)
{
    enum { CLASSES = 40, BLOCK = 1 << 16, SAMPLES = 64 * BLOCK };
    static uint8_t images[BLOCK], difficulty[BLOCK];
    static int32_t labels[BLOCK];
    static const char *classes[CLASSES];
    static char name[CLASSES][8];
    char folder[TEST_PATH_SIZE];
    eex_dataset_writer *writer;
    eex_dataset *data;
    for (int c = 0; c < CLASSES; c++) {
        snprintf(name[c], sizeof name[c], "c%d", c);
        classes[c] = name[c];
    }
    for (int i = 0; i < BLOCK; i++) {
        labels[i] = i % CLASSES;
        difficulty[i] = (uint8_t)(i / CLASSES);
    }
    const eex_dataset_spec spec = {.name = "many",
                                   .height = 1,
                                   .width = 1,
                                   .channels = 1,
                                   .classes = classes,
                                   .class_count = CLASSES};
    const eex_samples block = {
        .count = BLOCK, .images = images, .labels = labels, .difficulty = difficulty};
    test_folder_make(folder);
    OK(eex_dataset_create(&writer, test_path(folder, "many.h5"), &spec));
    for (int n = 0; n < SAMPLES; n += BLOCK)
        OK(eex_dataset_append(writer, EEX_PART_TRAIN, &block));
    OK(eex_dataset_finish(&writer, "made up"));
    OK(eex_dataset_open(&data, test_path(folder, "many.h5")));
    OK(eex_dataset_sheet(test_path(folder, "s.png"), data));
    eex_dataset_close(data);
    test_folder_remove(folder);
}
