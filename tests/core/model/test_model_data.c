/* A data set is the model's by its content: whatever else is called like it is refused, by every
 * way to its samples. */
#include "core/data/dataset_write.h"
#include "core/data/split.h"
#include "core/graph/graph.h"
#include "core/model/cut.h"
#include "core/model/model_data.h"
#include "core/policy/trace.h"
#include "cpu/cpu_register.h"
#include "support/backbones.h"
#include "support/folder.h"
#include "support/patches.h"
#include "support/stored_model.h"
#include "support/traces.h"

#include "base/buffer.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

enum { TRAIN = 40, TEST = 12, SIDE = 8, IMAGE = SIDE * SIDE * 3 };

static char folder[TEST_PATH_SIZE];
static eex_device *device;

/* ---- data sets of one name ---- */

typedef enum variant {
    AS_IT_WAS,
    MOVED,     /* the last image of a class becomes the first of the next */
    EXCHANGED, /* the labels of two images */
    RENAMED,   /* classes, in the same order */
    HELD_OUT,  /* other images for the test */
    BRIGHTER,  /* one pixel, by one */
    VARIANTS
} variant;

/* Images are numbered; their class goes up with the number, ten to a class. */
static void append(eex_dataset_writer *writer, variant v, int number, eex_part part)
{
    uint8_t image[IMAGE];
    int32_t label = number / 10 % PATCH_CLASSES;
    for (int i = 0; i < IMAGE; i++)
        image[i] = (uint8_t)(number * 7 + i * (number % 5 + 1));
    if (v == MOVED && number == 9)
        label = 1;
    if (v == EXCHANGED && (number == 3 || number == 33))
        label = 3 - label;
    if (v == BRIGHTER && number == 17)
        image[11] ^= 1;
    OK(eex_dataset_append(writer, part,
                          &(eex_samples){.count = 1, .images = image, .labels = &label}));
}

static void write_data(variant v, const char *file, const char *name)
{
    static const char *const usual[PATCH_CLASSES] = {"red", "green", "blue", "yellow"};
    static const char *const others[PATCH_CLASSES] = {"red", "green", "azure", "yellow"};
    const eex_dataset_spec spec = {.name = name,
                                   .height = SIDE,
                                   .width = SIDE,
                                   .channels = 3,
                                   .classes = v == RENAMED ? others : usual,
                                   .class_count = PATCH_CLASSES};
    eex_dataset_writer *writer;
    const int first = v == HELD_OUT ? 5 : 0;
    OK(eex_dataset_create(&writer, test_path(folder, file), &spec));
    for (int i = 0; i < TRAIN; i++)
        append(writer, v, (i + first) % (TRAIN + TEST), EEX_PART_TRAIN);
    for (int i = TRAIN; i < TRAIN + TEST; i++)
        append(writer, v, (i + first) % (TRAIN + TEST), EEX_PART_TEST);
    OK(eex_dataset_finish(&writer, "drawn by a test"));
}

static eex_dataset *open_data(variant v)
{
    eex_dataset *data;
    write_data(v, "patches.h5", "patches");
    OK(eex_dataset_open(&data, test_path(folder, "patches.h5")));
    return data;
}

/* ---- models and runs ---- */

/* What a model's file says nothing of in versions that knew no fingerprints. */
static void forget(const char *path)
{
    eex_model *m;
    eex_store_file *file;
    OK(eex_model_open(&m, path, EEX_MODEL_BEST, device));
    eex_identity_free(&m->input.made_of);
    OK(eex_store_create(&file, path, "weights", 1));
    OK(eex_model_write(file, m->graph, m->params, m->policy, NULL, &m->input, EEX_F32));
    OK(eex_store_commit(&file));
    eex_model_close(m);
}

typedef enum run_kind { NO_RUN, RUN, OLD_RUN, RUN_OF_OTHERS } run_kind;

/* run.h5 and split.h5 beside the model. */
static void write_run(run_kind kind, eex_dataset *data)
{
    eex_identity made_of;
    eex_buffer text = EEX_BUFFER_INIT;
    eex_store_file *file;
    eex_split split;
    if (kind == NO_RUN)
        return;
    OK(eex_identity_of(&made_of, data));
    if (kind == RUN_OF_OTHERS)
        memset(made_of.fingerprint, '0', 10);
    eex_buffer_puts(&text, "seed = 1\n");
    eex_identity_entry(&text, eex_dataset_facts(data));
    eex_buffer_puts(&text, "device = cpu\nthreads = 1\n");
    OK(eex_store_create(&file, test_path(folder, "run/run.h5"), "run", 1));
    if (kind != OLD_RUN)
        OK(eex_identity_save(&made_of, file, ""));
    OK(eex_store_write_string(file, "description", eex_buffer_text(&text)));
    OK(eex_store_commit(&file));
    OK(eex_split_make(&split, data, &(eex_split_spec){.calibration = 8, .validation = 8}));
    OK(eex_store_create(&file, test_path(folder, "run/split.h5"), "split", 1));
    OK(eex_split_write(&split, file, "split"));
    OK(eex_store_commit(&file));
    eex_split_free(&split);
    eex_identity_free(&made_of);
    eex_buffer_free(&text);
}

static eex_model *open_model(bool knows, run_kind kind)
{
    eex_model *m;
    eex_dataset *data = open_data(AS_IT_WAS);
    const char *path = test_path(folder, "run/final.h5");
    OK(eex_fs_make_folder(test_path(folder, "run")));
    stored_model_write(path, device, data);
    if (!knows)
        forget(path);
    write_run(kind, data);
    OK(eex_model_open(&m, path, EEX_MODEL_BEST, device));
    eex_dataset_close(data);
    return m;
}

static void setup(void)
{
    test_folder_make(folder);
    setenv("EEX_DATA", folder, 1);
    eex_log_set_level(EEX_LOG_ERROR);
    OK(eex_cpu_register());
    OK(eex_device_open(&device, "cpu", &(eex_device_options){.threads = 1}));
}

static void teardown(void)
{
    eex_device_close(device);
    test_folder_remove(folder);
}

TestSuite(model_data, .init = setup, .fini = teardown, .timeout = 120);

static void refused(int code, const char *what)
{
    cr_expect_eq(code, EEX_EINVAL, "%s", what);
    cr_expect(strstr(eex_error(), "made from other data"), "%s: %s", what, eex_error());
}

/* Every way to the samples of a part. */
static void all_refuse(const eex_model *m, variant v)
{
    static const char *const parts[] = {"train", "calibration", "validation", "test"};
    eex_dataset *data = open_data(v), *own = data;
    eex_index index;
    char what[64];
    bool is_own, compared;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        snprintf(what, sizeof what, "variant %d, %s", v, parts[i]);
        refused(eex_model_data_part(&index, m, data, parts[i]), what);
        cr_expect_null(index.at);
    }
    refused(eex_model_data_check(&is_own, &compared, m, data), "check");
    refused(eex_model_data_open(&own, m, NULL), "open");
    cr_expect_null(own);
    refused(eex_model_data_own(&own, m, test_path(folder, "patches.h5")), "own");
    cr_expect_null(own);
    eex_dataset_close(data);
}

static void takes(const eex_model *m, const char *part, size_t count, bool known)
{
    eex_dataset *data;
    eex_index index;
    bool own, compared;
    OK(eex_model_data_open(&data, m, NULL));
    OK(eex_model_data_check(&own, &compared, m, data));
    cr_expect(own && compared == known);
    OK(eex_model_data_part(&index, m, data, part));
    cr_expect_eq(index.count, count, "%s: %zu", part, index.count);
    free(index.at);
    eex_dataset_close(data);
}

Test(model_data, a_changed_data_set_is_refused)
{
    const run_kind kinds[] = {NO_RUN, RUN};
    for (size_t k = 0; k < 2; k++) {
        eex_model *m = open_model(true, kinds[k]);
        for (int v = AS_IT_WAS + 1; v < VARIANTS; v++)
            all_refuse(m, (variant)v);
        write_data(AS_IT_WAS, "patches.h5", "patches");
        takes(m, "train", kinds[k] == RUN ? 24 : TRAIN, true);
        takes(m, "test", TEST, true);
        eex_model_close(m);
    }
}

Test(model_data, both_are_described)
{
    eex_model *m = open_model(true, RUN);
    char now[EEX_FINGERPRINT], start[16];
    eex_dataset *data = open_data(RENAMED);
    bool own, compared;
    OK(eex_dataset_fingerprint(now, data));
    refused(eex_model_data_check(&own, &compared, m, data), "check");
    snprintf(start, sizeof start, "%.12s", now);
    const char *const parts[] = {"40 train + 12 test images of 8x8x3, 4 classes (red, green, blue",
                                 "(red, green, azure, yellow)",
                                 "drawn by a test",
                                 "patches.h5, written 20",
                                 start,
                                 "put back the data"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        cr_expect(strstr(eex_error(), parts[i]), "no \"%s\" in \"%s\"", parts[i], eex_error());
    snprintf(start, sizeof start, "%.12s", m->input.made_of.fingerprint);
    cr_expect(strstr(eex_error(), start), "%s", eex_error());
    eex_dataset_close(data);
    eex_model_close(m);
}

Test(model_data, a_file_of_an_earlier_version_is_compared_by_its_run)
{
    eex_model *m = open_model(false, RUN);
    for (int v = AS_IT_WAS + 1; v < VARIANTS; v++)
        all_refuse(m, (variant)v);
    write_data(AS_IT_WAS, "patches.h5", "patches");
    takes(m, "calibration", 8, true);
    eex_model_close(m);
}

/* Such a run says how many images there were, and from where. */
Test(model_data, a_run_of_an_earlier_version_is_compared_by_its_description)
{
    eex_model *m = open_model(false, OLD_RUN);
    takes(m, "calibration", 8, true);
    const eex_dataset_spec spec = {.name = "patches",
                                   .height = SIDE,
                                   .width = SIDE,
                                   .channels = 3,
                                   .classes =
                                       (const char *const[]){"red", "green", "blue", "yellow"},
                                   .class_count = PATCH_CLASSES};
    eex_dataset_writer *writer;
    OK(eex_dataset_create(&writer, test_path(folder, "patches.h5"), &spec));
    for (int i = 0; i < TRAIN + TEST; i++)
        append(writer, AS_IT_WAS, i, i < TRAIN ? EEX_PART_TRAIN : EEX_PART_TEST);
    OK(eex_dataset_finish(&writer, "drawn by another test"));
    eex_dataset *data;
    refused(eex_model_data_open(&data, m, NULL), "open");
    cr_expect(strstr(eex_error(), "drawn by a test") && strstr(eex_error(), "drawn by another"),
              "%s", eex_error());
    eex_model_close(m);
}

Test(model_data, what_nobody_knows_is_taken_with_a_warning)
{
    eex_model *m = open_model(false, NO_RUN);
    takes(m, "test", TEST, false);
    write_data(HELD_OUT, "patches.h5", "patches");
    takes(m, "test", TEST, false);
    eex_model_close(m);
}

/* A model that was put into the folder of a run on other data. */
Test(model_data, the_run_whose_numbers_are_taken_counts_too)
{
    eex_model *m = open_model(true, RUN_OF_OTHERS);
    eex_dataset *data;
    refused(eex_model_data_open(&data, m, NULL), "open");
    cr_expect(strstr(eex_error(), "run.h5"), "%s", eex_error());
    write_data(AS_IT_WAS, "alias.h5", "alias");
    refused(eex_model_data_open(&data, m, "alias"), "alias");
    eex_model_close(m);
}

Test(model_data, what_they_are_called_does_not_matter)
{
    eex_model *m = open_model(true, RUN);
    eex_dataset *data;
    eex_index index;
    bool own, compared;
    write_data(AS_IT_WAS, "alias.h5", "alias");
    OK(eex_model_data_open(&data, m, "alias"));
    OK(eex_model_data_check(&own, &compared, m, data));
    cr_expect(own && compared);
    OK(eex_model_data_part(&index, m, data, "calibration"));
    cr_expect_eq(index.count, 8);
    free(index.at);
    eex_dataset_close(data);
    write_data(HELD_OUT, "alias.h5", "alias"); /* another data set, with parts of its own */
    OK(eex_model_data_open(&data, m, "alias"));
    OK(eex_model_data_check(&own, &compared, m, data));
    cr_expect(!own && compared);
    cr_expect_eq(eex_model_data_part(&index, m, data, "calibration"), EEX_ENOTFOUND);
    OK(eex_model_data_part(&index, m, data, "test"));
    cr_expect_eq(index.count, TEST);
    free(index.at);
    eex_dataset_close(data);
    OK(unlink(test_path(folder, "patches.h5"))); /* another one where the model's was */
    OK(rename(test_path(folder, "alias.h5"), test_path(folder, "patches.h5")));
    refused(eex_model_data_open(&data, m, NULL), "alias as patches.h5");
    eex_model_close(m);
}

/* ---- what may be trained on ---- */

/* Traces of samples first, first + 3, ... */
static void put_trace(eex_store_file *file, const eex_model *m, const char *part, int first,
                      int count)
{
    eex_trace *trace;
    OK(eex_trace_new(&trace, count, eex_graph_exits(m->graph), PATCH_CLASSES));
    test_trace_fill(trace, 1);
    for (int i = 0; i < count; i++)
        trace->sample[i] = (uint32_t)(first + 3 * i);
    OK(eex_trace_score(trace, test_head_device(), m->policy->temperature));
    OK(eex_trace_save(trace, file, part));
    eex_trace_free(trace);
}

/* A file that is away from its run and keeps traces of these samples; 0: none of validation. */
static eex_model *write_traced(int calibration, int validation)
{
    eex_model *m = open_model(true, NO_RUN), *traced;
    const char *path = test_path(folder, "traced.h5");
    eex_store_file *file;
    OK(eex_store_create(&file, path, "weights", 1));
    OK(eex_model_write(file, m->graph, m->params, m->policy, NULL, &m->input, EEX_F32));
    put_trace(file, m, "calibration", 0, calibration);
    if (validation > 0)
        put_trace(file, m, "validation", 1, validation);
    OK(eex_store_commit(&file));
    OK(eex_model_open(&traced, path, EEX_MODEL_BEST, NULL));
    eex_model_close(m);
    return traced;
}

static bool has(const eex_index *index, uint32_t sample)
{
    for (size_t i = 0; i < index->count; i++)
        if (index->at[i] == sample)
            return true;
    return false;
}

static int train_of(eex_index *out, const eex_model *m)
{
    eex_dataset *data;
    OK(eex_model_data_open(&data, m, NULL));
    const int code = eex_model_data_train(out, m, data);
    eex_dataset_close(data);
    return code;
}

Test(model_data, what_was_held_back_is_not_trained_on)
{
    enum { CALIBRATION = 5, VALIDATION = 7 };
    eex_model *m = write_traced(CALIBRATION, VALIDATION);
    eex_index train;
    OK(train_of(&train, m));
    cr_expect_eq(train.count, TRAIN - CALIBRATION - VALIDATION, "%zu", train.count);
    for (uint32_t i = 0; i < TRAIN; i++) {
        const bool held = i % 3 == 0 ? i < 3 * CALIBRATION : i % 3 == 1 && i < 3 * VALIDATION;
        cr_expect_neq(has(&train, i), held, "sample %u", i);
    }
    free(train.at);
    eex_model_close(m);
}

Test(model_data, a_run_has_it_apart)
{
    eex_model *m = open_model(true, RUN);
    eex_index train;
    OK(train_of(&train, m));
    cr_expect_eq(train.count, TRAIN - 16);
    free(train.at);
    eex_model_close(m);
}

Test(model_data, nothing_is_trained_on_where_nobody_knows)
{
    eex_model *m = write_traced(4, 0);
    eex_index train;
    cr_expect_eq(train_of(&train, m), EEX_ENOTFOUND);
    cr_expect(strstr(eex_error(), "validation"), "%s", eex_error());
    cr_expect_null(train.at);
    eex_model_close(m);
}

/* ---- what is made of a model ---- */

Test(model_data, cut_models_keep_it)
{
    eex_model *m = open_model(true, NO_RUN), *cut_model, *read;
    const eex_cut cut = eex_cut_at(0, true);
    OK(eex_cut_make(&cut_model, m, &cut));
    OK(eex_cut_write(test_path(folder, "cut.h5"), cut_model, m, &cut));
    OK(eex_model_open(&read, test_path(folder, "cut.h5"), EEX_MODEL_BEST, NULL));
    cr_expect_str_eq(read->input.made_of.fingerprint, m->input.made_of.fingerprint);
    cr_expect_str_eq(read->input.made_of.text, m->input.made_of.text);
    all_refuse(read, MOVED);
    eex_model_close(read);
    eex_model_close(cut_model);
    eex_model_close(m);
}

Test(model_data, policies_keep_it_and_are_for_models_of_the_same_data)
{
    eex_model *m = open_model(true, NO_RUN);
    eex_store_file *file;
    char path[TEST_PATH_SIZE];
    snprintf(path, sizeof path, "%s", test_path(folder, "policy.h5"));
    OK(eex_policy_file(&file, path, m->policy, m));
    OK(eex_store_commit(&file));
    OK(eex_model_load_policy(m, path));
    m->input.made_of.fingerprint[0] ^= 1;
    cr_expect_eq(eex_model_load_policy(m, path), EEX_EINVAL);
    cr_expect(strstr(eex_error(), "made from other data"), "%s", eex_error());
    m->input.made_of.fingerprint[0] = '\0'; /* of an earlier version */
    OK(eex_model_load_policy(m, path));
    eex_model_close(m);
}

Test(model_data, a_fingerprint_that_is_none_is_refused)
{
    eex_store_file *file;
    eex_identity identity = {.text = NULL};
    OK(eex_store_create(&file, test_path(folder, "x.h5"), "weights", 1));
    OK(eex_store_set_string(file, "", "fingerprint", "0123"));
    OK(eex_store_commit(&file));
    OK(eex_store_open(&file, test_path(folder, "x.h5"), "weights", 1));
    cr_expect_eq(eex_identity_load(&identity, file, ""), EEX_EFORMAT);
    eex_store_close(file);
}
