/* A data set is what its samples are: whatever is different about them shows in the fingerprint. */
#include "core/data/dataset.h"
#include "core/data/dataset_write.h"
#include "core/data/split.h"
#include "core/store/store.h"
#include "support/folder.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OK(call) cr_assert_eq((call), EEX_OK, "%s", eex_error())

enum { SAMPLES = 30 };

static char folder[TEST_PATH_SIZE], path[TEST_PATH_SIZE];

static void begin(void)
{
    test_folder_make(folder);
    snprintf(path, sizeof path, "%s", test_path(folder, "set.h5"));
}

static void end(void)
{
    test_folder_remove(folder);
}

TestSuite(fingerprint, .init = begin, .fini = end);

/* A small set of two classes, as it is to be written. */
typedef struct small {
    const char *name, *classes[2], *source;
    uint8_t pixels[SAMPLES][12]; /* 2 x 2 x 3, or flat */
    int32_t label[SAMPLES];
    eex_part part[SAMPLES];
    int height, width;
    size_t at_once; /* samples appended by a call */
} small;

static small plain(void)
{
    small s = {.name = "set",
               .classes = {"cat", "dog"},
               .source = "made up",
               .height = 2,
               .width = 2,
               .at_once = 1};
    for (int i = 0; i < SAMPLES; i++) {
        memset(s.pixels[i], 3 * i, sizeof s.pixels[i]);
        s.label[i] = i % 2;
        s.part[i] = i < 20 ? EEX_PART_TRAIN : i < 26 ? EEX_PART_VALIDATION : EEX_PART_TEST;
    }
    return s;
}

static void write_set(const small *s)
{
    const eex_dataset_spec spec = {.name = s->name,
                                   .height = s->height,
                                   .width = s->width,
                                   .channels = 3,
                                   .classes = s->classes,
                                   .class_count = 2};
    eex_dataset_writer *writer;
    OK(eex_dataset_create(&writer, path, &spec));
    for (size_t i = 0; i < SAMPLES;) {
        size_t n = 1;
        while (n < s->at_once && i + n < SAMPLES && s->part[i + n] == s->part[i])
            n++;
        const eex_samples some = {.count = n, .images = s->pixels[i], .labels = s->label + i};
        OK(eex_dataset_append(writer, s->part[i], &some));
        i += n;
    }
    OK(eex_dataset_finish(&writer, s->source));
}

static const char *of(const small *s)
{
    static char hex[4][EEX_FINGERPRINT];
    static int next;
    char *out = hex[next++ % 4];
    eex_dataset *data;
    write_set(s);
    OK(eex_dataset_open(&data, path));
    OK(eex_dataset_fingerprint(out, data));
    eex_dataset_close(data);
    return out;
}

Test(fingerprint, is_of_the_content_alone)
{
    small a = plain(), b = plain();
    b.name = "another";
    b.source = "elsewhere";
    b.at_once = 7;
    cr_expect_str_eq(of(&a), of(&b));
}

Test(fingerprint, differs_by_whatever_is_different)
{
    small s[7];
    const small a = plain();
    for (int i = 0; i < 7; i++)
        s[i] = plain();
    s[0].pixels[4][11] ^= 1;
    s[1].label[25] ^= 1;
    s[2].classes[1] = "wolf";
    memcpy(s[3].pixels[0], a.pixels[2], 12); /* two of a class change places */
    memcpy(s[3].pixels[2], a.pixels[0], 12);
    s[4].part[19] = EEX_PART_VALIDATION; /* the same images, split elsewhere */
    s[5].part[29] = EEX_PART_TRAIN;
    s[6].height = 1;
    s[6].width = 4;
    for (int i = 0; i < 7; i++)
        cr_expect_str_neq(of(&a), of(&s[i]), "%d", i);
}

Test(fingerprint, of_files_without_one_is_made_from_their_images)
{
    const small s = plain();
    const char *want = of(&s);
    char got[EEX_FINGERPRINT];
    eex_store_file *from, *to;
    eex_dataset *data;
    /* The same file, as a version without fingerprints wrote it. */
    const char *copy = test_path(folder, "old.h5");
    OK(eex_store_open(&from, path, "dataset", 1));
    OK(eex_store_create(&to, copy, "dataset", 1));
    OK(eex_store_set_string(to, "/", "name", "set"));
    OK(eex_store_write_strings(to, "classes", s.classes, 2));
    OK(eex_store_write_string(to, "source", "made up"));
    for (int p = 0; p < EEX_PARTS; p++) {
        char name[32];
        void *rows;
        eex_store_shape images = {4, {EEX_STORE_ANY, 2, 2, 3}}, labels = {1, {EEX_STORE_ANY}};
        snprintf(name, sizeof name, "%s/images", eex_part_name((eex_part)p));
        OK(eex_store_read_new(&rows, from, name, EEX_STORE_U8, &images, 1 << 20));
        OK(eex_store_write(to, name, EEX_STORE_U8, &images, rows));
        free(rows);
        snprintf(name, sizeof name, "%s/labels", eex_part_name((eex_part)p));
        OK(eex_store_read_new(&rows, from, name, EEX_STORE_I32, &labels, 1 << 20));
        OK(eex_store_write(to, name, EEX_STORE_I32, &labels, rows));
        free(rows);
    }
    const double mean[3] = {0.5, 0.5, 0.5};
    OK(eex_store_set_doubles(to, "train/images", "mean", mean, 3));
    OK(eex_store_set_doubles(to, "train/images", "std", mean, 3));
    OK(eex_store_commit(&to));
    eex_store_close(from);
    OK(eex_dataset_open(&data, copy));
    OK(eex_dataset_fingerprint(got, data));
    cr_expect_str_eq(got, want);
    eex_dataset_close(data);
}

/* ---- what training needs of it ---- */

Test(fingerprint, a_constant_channel_can_be_normalised)
{
    small s = plain();
    eex_dataset *data;
    for (int i = 0; i < SAMPLES; i++)
        for (int k = 2; k < 12; k += 3)
            s.pixels[i][k] = 77;
    write_set(&s);
    OK(eex_dataset_open(&data, path));
    const eex_dataset_info *info = eex_dataset_facts(data);
    cr_expect_float_eq(info->mean[2], 77.0 / 255, 1e-6);
    cr_expect_eq(info->std[2], 1.0f);
    cr_expect_lt(info->std[0], 0.5f);
    eex_dataset_close(data);
}

/* ---- parts of a set's own ---- */

Test(fingerprint, parts_are_numbered_through)
{
    const small s = plain();
    eex_dataset *data;
    uint32_t first, count, some[] = {0, 20, 25, 26, 29};
    uint8_t images[5][12];
    write_set(&s);
    OK(eex_dataset_open(&data, path));
    for (int resident = 0; resident < 2; resident++) {
        eex_dataset_set_resident(data, resident ? EEX_DATASET_RESIDENT : 0);
        OK(eex_dataset_gather(images[0], data, some, 5));
        for (int i = 0; i < 5; i++)
            cr_expect_eq(images[i][7], (uint8_t)(3 * some[i]));
    }
    eex_dataset_part(&first, &count, data, EEX_PART_VALIDATION);
    cr_expect(first == 20 && count == 6);
    eex_dataset_part(&first, &count, data, EEX_PART_TEST);
    cr_expect(first == 26 && count == 4);
    cr_expect_eq(eex_dataset_labels(data)[21], 1);
    eex_dataset_close(data);
}

Test(fingerprint, validation_comes_from_the_sets_own_part)
{
    const small s = plain();
    eex_dataset *data;
    eex_split split;
    write_set(&s);
    OK(eex_dataset_open(&data, path));
    OK(eex_split_make(&split, data, &(eex_split_spec){.calibration = 4, .validation = 6}));
    cr_expect(split.train.count == 16 && split.calibration.count == 4);
    cr_expect(split.validation.count == 6 && split.validation.at[0] == 20);
    cr_expect(split.test.count == 4 && split.test.at[0] == 26);
    eex_split_free(&split);
    cr_expect_eq(eex_split_make(&split, data, &(eex_split_spec){.calibration = 4, .validation = 7}),
                 EEX_EINVAL);
    cr_expect(strstr(eex_error(), "validation part of its own, of 6"), "%s", eex_error());
    eex_dataset_close(data);
}
