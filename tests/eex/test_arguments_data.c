/* Calls that cannot be, of files, policies, traces, splits, images, text: see test_arguments.c. */
#include "core/data/image.h"
#include "core/data/split.h"
#include "cpu/cpu_register.h"
#include "eex/eex.h"
#include "support/folder.h"
#include "support/patches.h"
#include "support/refused.h"

#include "base/buffer.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression) cr_assert((expression) == EEX_OK, "%s", eex_error())

static char folder[TEST_PATH_SIZE], path[TEST_PATH_SIZE];
static eex_store_file *writing, *reading;
static const eex_store_shape four = {1, {4}};
static const float numbers[4] = {1, 2, 3, 4};
static const int wrong_ids[] = {INT_MIN, -1, 1 << 20, INT_MAX};
enum { WRONG = sizeof wrong_ids / sizeof *wrong_ids };

static void setup(void)
{
    test_folder_make(folder);
    snprintf(path, sizeof path, "%s", test_path(folder, "old.h5"));
    OK(eex_store_create(&writing, path, "trace", 1));
    OK(eex_store_write(writing, "array", EEX_STORE_F32, &four, numbers));
    OK(eex_store_write_string(writing, "text", "text"));
    OK(eex_store_set_int(writing, "array", "number", 7));
    OK(eex_store_commit(&writing));
    OK(eex_store_open(&reading, path, "trace", 1));
    OK(eex_store_create(&writing, test_path(folder, "new.h5"), "trace", 1));
}

static void teardown(void)
{
    eex_store_close(writing);
    eex_store_close(reading);
    test_folder_remove(folder);
}

TestSuite(arguments_data, .init = setup, .fini = teardown, .timeout = 120);

/* ---- files ---- */

static int fill(eex_store_file *file, const void *context)
{
    return EEX_OK;
}

static int use(eex_store_file *file, void *context)
{
    return EEX_OK;
}

Test(arguments_data, of_files)
{
    eex_store_file *f = NULL, *none = NULL;
    const char *name = "a.h5";
    char sum[EEX_STORE_SUM];
    REFUSED(eex_store_open(NULL, path, "trace", 1));
    REFUSED(eex_store_open(&f, NULL, "trace", 1));
    REFUSED(eex_store_create(NULL, path, "trace", 1));
    REFUSED(eex_store_create(&f, NULL, "trace", 1));
    REFUSED(eex_store_create(&f, path, NULL, 1));
    REFUSED(eex_store_commit(NULL));
    REFUSED(eex_store_commit(&none));
    REFUSED(eex_store_write_file(path, "trace", 1, NULL, NULL));
    REFUSED(eex_store_write_file(NULL, "trace", 1, fill, NULL));
    REFUSED(eex_store_read_file(path, "trace", 1, NULL, NULL));
    REFUSED(eex_store_read_file(NULL, "trace", 1, use, NULL));
    REFUSED(eex_store_refuse(NULL, "it cannot be"));
    cr_expect_null(f);
    cr_expect_str_eq(eex_store_path(NULL), "");
    cr_expect(eex_store_version(NULL) == 0 && !eex_store_same(NULL, reading) &&
              !eex_store_same(reading, NULL) && !eex_store_same(writing, reading));
    cr_expect(!eex_store_sum(NULL, reading, "") && !eex_store_sum(sum, NULL, "") &&
              !eex_store_sum(sum, reading, NULL) && !eex_store_sum(sum, writing, ""));
    REFUSED(eex_store_made_with(NULL, &name, 1));
    REFUSED(eex_store_made_with(writing, NULL, 1));
    REFUSED(eex_store_made_with(reading, &name, 1));
    cr_expect_str_eq(eex_store_type_name((eex_store_type)-1), "?");
    cr_expect_eq(eex_store_type_size(EEX_STORE_TYPES), 0);
    eex_store_close(NULL);
    eex_store_list_free(NULL);
}

/* Names that there cannot be, for everything that takes one, and no file. */
static void refuses(eex_store_file *w, eex_store_file *r, const char *name)
{
    const char *const items[] = {"a"};
    float out[4];
    void *new;
    char *text;
    eex_store_type type;
    eex_store_shape shape = four;
    eex_store_list list;
    REFUSED(eex_store_write(w, name, EEX_STORE_F32, &four, numbers));
    REFUSED(eex_store_write_packed(w, name, EEX_STORE_F32, &four, numbers));
    REFUSED(eex_store_write_string(w, name, "text"));
    REFUSED(eex_store_write_strings(w, name, items, 1));
    REFUSED(eex_store_make_group(w, name));
    REFUSED(eex_store_make_rows(w, name, EEX_STORE_F32, &four));
    REFUSED(eex_store_has(r, name));
    REFUSED(eex_store_describe(&type, &shape, r, name));
    REFUSED(eex_store_read(out, r, name, EEX_STORE_F32, &four));
    REFUSED(eex_store_read_new(&new, r, name, EEX_STORE_F32, &shape, 100));
    REFUSED(eex_store_read_rows(out, r, name, EEX_STORE_F32, &four, 0, 1));
    REFUSED(eex_store_read_string(&text, r, name, 100));
    REFUSED(eex_store_read_strings(&list, r, name, 100));
}

/* Calls on a file that is in the other state, or on none. */
static void refuses_all(eex_store_file *w, eex_store_file *r)
{
    const double values[2] = {1, 2};
    int64_t number;
    double value;
    char *text;
    eex_store_list list;
    refuses(w, r, "array");
    REFUSED(eex_store_append(w, "array", EEX_STORE_F32, 1, numbers));
    REFUSED(eex_store_set_int(w, "array", "x", 1));
    REFUSED(eex_store_set_double(w, "array", "x", 1));
    REFUSED(eex_store_set_doubles(w, "array", "x", values, 2));
    REFUSED(eex_store_set_string(w, "array", "x", "y"));
    REFUSED(eex_store_names(&list, r, ""));
    REFUSED(eex_store_has_attribute(r, "array", "number"));
    REFUSED(eex_store_get_int(&number, r, "array", "number"));
    REFUSED(eex_store_get_double(&value, r, "array", "number"));
    REFUSED(eex_store_get_doubles(&value, r, "array", "number", 1));
    REFUSED(eex_store_get_string(&text, r, "array", "number"));
}

Test(arguments_data, of_files_in_the_other_state)
{
    static const char *const wrong[] = {NULL, "", "/", "a//b", "/a", "a/", ".", "./a"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        refuses(writing, reading, wrong[i]);
    refuses_all(NULL, NULL);
    refuses_all(reading, writing);
}

Test(arguments_data, of_arrays)
{
    const eex_store_shape deep = {9, {1, 1}}, negative = {-1, {1}}, huge = {2, {UINT64_MAX, 3}};
    const eex_store_shape any = {1, {EEX_STORE_ANY}};
    eex_store_shape shape = four;
    eex_store_type type;
    float out[4];
    void *new;
    const eex_store_shape *const shapes[] = {NULL, &deep, &negative, &huge};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        REFUSED(eex_store_write(writing, "a", EEX_STORE_F32, shapes[i], numbers));
        REFUSED(eex_store_write_packed(writing, "a", EEX_STORE_F32, shapes[i], numbers));
        REFUSED(eex_store_make_rows(writing, "a", EEX_STORE_F32, shapes[i]));
    }
    for (int i = 0; i < WRONG; i++) {
        const eex_store_type t = (eex_store_type)wrong_ids[i];
        REFUSED(eex_store_write(writing, "a", t, &four, numbers));
        REFUSED(eex_store_write_packed(writing, "a", t, &four, numbers));
        REFUSED(eex_store_make_rows(writing, "a", t, &four));
        REFUSED(eex_store_read(out, reading, "array", t, &four));
        REFUSED(eex_store_read_new(&new, reading, "array", t, &shape, 100));
        REFUSED(eex_store_read_rows(out, reading, "array", t, &four, 0, 1));
    }
    REFUSED(eex_store_write(writing, "a", EEX_STORE_F32, &four, NULL));
    REFUSED(eex_store_write_packed(writing, "a", EEX_STORE_F32, &four, NULL));
    OK(eex_store_make_rows(writing, "rows", EEX_STORE_F32, &four));
    REFUSED(eex_store_append(writing, "rows", EEX_STORE_F32, 1, NULL));
    REFUSED(eex_store_append(writing, "rows", EEX_STORE_TYPES, 1, numbers));
    OK(eex_store_append(writing, "rows", EEX_STORE_F32, 1, numbers));
    REFUSED(eex_store_append(writing, "rows", EEX_STORE_F32, UINT64_MAX, numbers));
    REFUSED(eex_store_describe(NULL, &shape, reading, "array"));
    REFUSED(eex_store_describe(&type, NULL, reading, "array"));
    REFUSED(eex_store_read(NULL, reading, "array", EEX_STORE_F32, &four));
    REFUSED(eex_store_read(out, reading, "array", EEX_STORE_F32, NULL));
    REFUSED(eex_store_read(out, reading, "array", EEX_STORE_F32, &any));
    REFUSED(eex_store_read_new(NULL, reading, "array", EEX_STORE_F32, &shape, 100));
    REFUSED(eex_store_read_new(&new, reading, "array", EEX_STORE_F32, NULL, 100));
    REFUSED(eex_store_read_rows(NULL, reading, "array", EEX_STORE_F32, &four, 0, 1));
    REFUSED(eex_store_read_rows(out, reading, "array", EEX_STORE_F32, NULL, 0, 1));
    cr_expect_eq(eex_store_read_rows(out, reading, "array", EEX_STORE_F32, &four, UINT64_MAX, 2),
                 EEX_EFORMAT);
    cr_expect_eq(eex_store_read_rows(out, reading, "array", EEX_STORE_F32, &four, 1, UINT64_MAX),
                 EEX_EFORMAT);
}

Test(arguments_data, of_text_and_attributes)
{
    const char *const items[] = {"a", NULL};
    const double values[1] = {1};
    int64_t number;
    double value;
    char *text;
    OK(eex_store_make_group(writing, "g"));
    REFUSED(eex_store_write_string(writing, "t", NULL));
    REFUSED(eex_store_write_strings(writing, "t", NULL, 1));
    REFUSED(eex_store_write_strings(writing, "t", items, 2));
    REFUSED(eex_store_set_int(writing, "g", NULL, 1));
    REFUSED(eex_store_set_int(writing, "g", "", 1));
    REFUSED(eex_store_set_double(writing, "g", NULL, 1));
    REFUSED(eex_store_set_doubles(writing, "g", NULL, values, 1));
    REFUSED(eex_store_set_doubles(writing, "g", "x", NULL, 1));
    REFUSED(eex_store_set_doubles(writing, "g", "x", values, 0));
    REFUSED(eex_store_set_doubles(writing, "g", "x", values, SIZE_MAX));
    REFUSED(eex_store_set_string(writing, "g", NULL, "x"));
    REFUSED(eex_store_set_string(writing, "g", "x", NULL));
    REFUSED(eex_store_names(NULL, reading, ""));
    REFUSED(eex_store_read_string(NULL, reading, "text", 100));
    REFUSED(eex_store_read_strings(NULL, reading, "text", 100));
    REFUSED(eex_store_has_attribute(reading, "array", NULL));
    REFUSED(eex_store_get_int(NULL, reading, "array", "number"));
    REFUSED(eex_store_get_int(&number, reading, "array", NULL));
    REFUSED(eex_store_get_double(NULL, reading, "array", "number"));
    REFUSED(eex_store_get_double(&value, reading, "array", NULL));
    REFUSED(eex_store_get_doubles(NULL, reading, "array", "number", 1));
    REFUSED(eex_store_get_string(NULL, reading, "array", "number"));
    REFUSED(eex_store_get_string(&text, reading, "array", NULL));
    OK(eex_store_commit(&writing)); /* and nothing is broken */
}

/* ---- policies, traces ---- */

Test(arguments_data, of_policies)
{
    const int exits[] = {0, 1};
    eex_policy *p, *q = NULL;
    eex_policy_kind kind;
    REFUSED(eex_policy_new(NULL, EEX_POLICY_MARGIN, 2, 3));
    REFUSED(eex_policy_new(&q, EEX_POLICY_KINDS, 2, 3));
    REFUSED(eex_policy_new(&q, (eex_policy_kind)-1, 2, 3));
    OK(eex_policy_new(&p, EEX_POLICY_PER_CLASS, 2, 3));
    for (int i = 0; i < WRONG; i++) {
        REFUSED(eex_policy_new(&q, EEX_POLICY_MARGIN, wrong_ids[i], 3));
        REFUSED(eex_policy_select(&q, p, &wrong_ids[i], 1));
        cr_expect(isnan(eex_policy_high(p, wrong_ids[i], 0, 1)) &&
                  isnan(eex_policy_low(p, 0, wrong_ids[i], 1)));
    }
    REFUSED(eex_policy_new(&q, EEX_POLICY_MARGIN, 2, INT_MIN));
    REFUSED(eex_policy_select(NULL, p, exits, 2));
    REFUSED(eex_policy_select(&q, NULL, exits, 2));
    REFUSED(eex_policy_select(&q, p, NULL, 2));
    REFUSED(eex_policy_select(&q, p, exits, 0));
    REFUSED(eex_policy_select(&q, p, exits, INT_MIN));
    cr_expect_null(q);
    cr_expect(isnan(eex_policy_high(NULL, 0, 0, 1)) && isnan(eex_policy_low(NULL, 0, 0, 1)));
    REFUSED(eex_policy_kind_parse(NULL, "margin"));
    REFUSED(eex_policy_kind_parse(&kind, NULL));
    REFUSED(eex_policy_unknown(NULL));
    cr_expect(!eex_policy_is_file(NULL) && !eex_policy_rejects_by_distance(NULL));
    cr_expect_str_eq(eex_policy_kind_name((eex_policy_kind)-1), "?");
    cr_expect_str_eq(eex_policy_words(NULL, EEX_POLICY_MARGIN, true), "");
    cr_expect_str_eq(eex_policy_by_name((eex_policy_by)-1), "?");
    cr_expect(!eex_policy_fitted_by((eex_policy_kind)-1, true) && eex_policy_by_names());
    cr_expect(eex_policy_kind_names() && eex_policy_bytes(NULL) == 0 &&
              eex_policy_bytes(p) > sizeof *p);
    REFUSED(eex_policy_check_trace(NULL, NULL));
    REFUSED(eex_policy_check_trace(p, NULL));
    REFUSED(eex_policy_save(NULL, writing, "p"));
    REFUSED(eex_policy_save(p, NULL, "p"));
    REFUSED(eex_policy_save(p, writing, NULL));
    REFUSED(eex_policy_load(NULL, reading, "p"));
    REFUSED(eex_policy_load(&q, NULL, "p"));
    REFUSED(eex_policy_load(&q, reading, NULL));
    eex_policy_apply(NULL);
    eex_policy_free(p);
    eex_policy_free(NULL);
}

Test(arguments_data, of_traces)
{
    const int exits[] = {0, 1};
    const uint32_t rows[] = {0, 1}, far[] = {0, 3};
    const float cold[2] = {1, 0}, warm[2] = {1, 1};
    eex_trace *t, *u = NULL;
    eex_device *device;
    size_t bytes;
    OK(eex_cpu_register());
    OK(eex_device_open(&device, "cpu", &(eex_device_options){.threads = 1}));
    OK(eex_trace_new(&t, 3, 2, 4));
    REFUSED(eex_trace_new(NULL, 3, 2, 4));
    REFUSED(eex_trace_new(&u, INT_MIN, 2, 4));
    REFUSED(eex_trace_new(&u, 3, INT_MAX, 4));
    REFUSED(eex_trace_new(&u, 3, 2, 0));
    REFUSED(eex_trace_add_distance(NULL));
    REFUSED(eex_trace_check(NULL));
    REFUSED(eex_trace_score(NULL, device, warm));
    REFUSED(eex_trace_score(t, NULL, warm));
    REFUSED(eex_trace_score(t, device, NULL));
    REFUSED(eex_trace_score(t, device, cold));
    REFUSED(eex_trace_select(NULL, t, exits, 2));
    REFUSED(eex_trace_select(&u, NULL, exits, 2));
    REFUSED(eex_trace_select(&u, t, NULL, 2));
    REFUSED(eex_trace_select(&u, t, exits, 0));
    REFUSED(eex_trace_select(&u, t, exits, INT_MIN));
    REFUSED(eex_trace_take(NULL, t, rows, 2));
    REFUSED(eex_trace_take(&u, NULL, rows, 2));
    REFUSED(eex_trace_take(&u, t, NULL, 2));
    REFUSED(eex_trace_take(&u, t, far, 2));
    REFUSED(eex_trace_take(&u, t, rows, 0));
    REFUSED(eex_trace_take(&u, t, rows, INT_MIN));
    for (int i = 0; i < WRONG; i++) {
        REFUSED(eex_trace_select(&u, t, &wrong_ids[i], 1));
        cr_expect(isnan(eex_trace_accuracy(t, wrong_ids[i])));
    }
    cr_expect(isnan(eex_trace_accuracy(NULL, 0)));
    REFUSED(eex_trace_save(NULL, writing, "t"));
    REFUSED(eex_trace_save(t, NULL, "t"));
    REFUSED(eex_trace_save(t, writing, NULL));
    REFUSED(eex_trace_load(NULL, reading, "t"));
    REFUSED(eex_trace_load(&u, NULL, "t"));
    REFUSED(eex_trace_load(&u, reading, NULL));
    REFUSED(eex_trace_size(NULL, reading, "t"));
    REFUSED(eex_trace_size(&bytes, NULL, "t"));
    REFUSED(eex_trace_size(&bytes, reading, NULL));
    cr_expect_null(u);
    eex_trace_free(t);
    eex_trace_free(NULL);
    eex_device_close(device);
}

/* ---- data sets ---- */

Test(arguments_data, of_what_something_was_made_from)
{
    eex_dataset *data = patches_open(folder, 20, 8, 40);
    eex_identity was, copy;
    eex_buffer text = EEX_BUFFER_INIT;
    REFUSED(eex_identity_of(NULL, data));
    REFUSED(eex_identity_of(&was, NULL));
    OK(eex_identity_of(&was, data));
    REFUSED(eex_identity_copy(NULL, &was));
    REFUSED(eex_identity_copy(&copy, NULL));
    REFUSED(eex_identity_save(NULL, writing, ""));
    REFUSED(eex_identity_save(&was, NULL, ""));
    REFUSED(eex_identity_load(NULL, reading, ""));
    REFUSED(eex_identity_load(&copy, NULL, ""));
    REFUSED(eex_identity_check(NULL, data, "whose", "remedy"));
    REFUSED(eex_identity_check(&was, NULL, "whose", "remedy"));
    REFUSED(eex_identity_check(&was, data, NULL, "remedy"));
    REFUSED(eex_identity_check(&was, data, "whose", NULL));
    cr_expect(!eex_identity_known(NULL) && eex_identity_same(NULL, &was) &&
              eex_identity_same(&was, NULL));
    eex_identity_entry(NULL, eex_dataset_facts(data));
    eex_identity_entry(&text, NULL);
    cr_expect_str_eq(eex_buffer_text(&text), "");
    eex_identity_free(&was);
    eex_identity_free(NULL);
    eex_dataset_close(data);
}

Test(arguments_data, of_splits)
{
    const double wrong[] = {NAN, INFINITY, -INFINITY, -1, 1e300, 2.5};
    eex_dataset *data = patches_open(folder, 20, 8, 40);
    eex_split_spec spec = {.calibration = 4, .validation = 4};
    eex_split split;
    REFUSED(eex_split_make(NULL, data, &spec));
    REFUSED(eex_split_make(&split, NULL, &spec));
    REFUSED(eex_split_make(&split, data, NULL));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        spec.calibration = wrong[i];
        REFUSED(eex_split_make(&split, data, &spec));
        spec.calibration = 4;
        spec.validation = wrong[i];
        REFUSED(eex_split_make(&split, data, &spec));
        spec.validation = 4;
        spec.train = wrong[i];
        REFUSED(eex_split_make(&split, data, &spec));
        spec.train = 0;
    }
    split = (eex_split){.train = {NULL, 3}};
    REFUSED(eex_split_write(NULL, writing, "s"));
    REFUSED(eex_split_write(&split, NULL, "s"));
    REFUSED(eex_split_write(&split, writing, NULL));
    REFUSED(eex_split_write(&split, writing, "s")); /* three samples that are not there */
    REFUSED(eex_split_read(NULL, reading, "s", 20));
    REFUSED(eex_split_read(&split, NULL, "s", 20));
    REFUSED(eex_split_read(&split, reading, NULL, 20));
    eex_split_free(NULL);
    eex_dataset_close(data);
}

/* ---- images ---- */

Test(arguments_data, of_images)
{
    static uint8_t pixels[4 * 4 * 3], out[8 * 8 * 3];
    eex_image image = {4, 4, 3, pixels}, made, empty = {4, 4, 3, NULL}, flat = {0, 4, 3, pixels};
    REFUSED(eex_image_new(NULL, 4, 4, 3, "x"));
    cr_expect_eq(eex_image_count(NULL, 4), 1);
    cr_expect_eq(eex_image_count("x", 0), 1);
    REFUSED(eex_image_new(&made, 4, 4, 3, NULL));
    REFUSED(eex_image_new(&made, 4, 4, 0, "x"));
    REFUSED(eex_image_new(&made, 4, 4, INT_MAX, "x"));
    cr_expect_eq(eex_image_new(&made, INT_MAX, INT_MAX, 3, "x"), EEX_EFORMAT);
    REFUSED(eex_image_decode(NULL, pixels, 4, 0, "x"));
    REFUSED(eex_image_decode(&made, NULL, 4, 0, "x"));
    REFUSED(eex_image_decode(&made, pixels, 4, 0, NULL));
    cr_expect(!eex_image_named(NULL));
    REFUSED(eex_image_orient(NULL, 6));
    REFUSED(eex_image_orient(&empty, 6));
    REFUSED(eex_image_orient(&flat, 6));
    OK(eex_image_orient(&image, INT_MIN));
    void *bytes = NULL;
    size_t size = 0;
    REFUSED(eex_image_encode_png(NULL, &size, &image, "x"));
    REFUSED(eex_image_encode_png(&bytes, NULL, &image, "x"));
    REFUSED(eex_image_encode_png(&bytes, &size, NULL, "x"));
    REFUSED(eex_image_encode_png(&bytes, &size, &empty, "x"));
    REFUSED(eex_image_encode_png(&bytes, &size, &image, NULL));
    REFUSED(eex_image_write_png(NULL, &image));
    REFUSED(eex_image_write_png(path, NULL));
    REFUSED(eex_image_write_png(path, &empty));
    REFUSED(eex_image_write_png(path, &(eex_image){4, 4, 2, pixels}));
    REFUSED(eex_image_resize(NULL, 8, 8, 3, &image, EEX_FIT_CROP));
    REFUSED(eex_image_resize(out, 8, 8, 3, NULL, EEX_FIT_CROP));
    REFUSED(eex_image_resize(out, 8, 8, 3, &empty, EEX_FIT_CROP));
    REFUSED(eex_image_resize(out, 8, 8, 3, &flat, EEX_FIT_CROP));
    for (int i = 0; i < WRONG; i++) {
        REFUSED(eex_image_resize(out, wrong_ids[i], 8, 3, &image, EEX_FIT_SQUASH));
        REFUSED(eex_image_resize(out, 8, wrong_ids[i], 3, &image, EEX_FIT_SQUASH));
        REFUSED(eex_image_resize(out, 8, 8, wrong_ids[i], &image, EEX_FIT_SQUASH));
    }
    const eex_image_part wrong[] = {{-1, 0, 4, 4},       {0, 0, 5, 4},   {0, 1, 4, 4},
                                    {0, 0, 0, 4},        {0, 0, NAN, 4}, {NAN, 0, 1, 1},
                                    {0, 0, INFINITY, 4}, {0, 0, -1, 4},  {1e300, 0, 1, 1}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        REFUSED(eex_image_resize_part(out, 8, 8, 3, &image, &wrong[i]));
    REFUSED(eex_image_resize_part(out, 8, 8, 3, &image, NULL));
    (void)eex_image_fit(0, 0, 0, 0, EEX_FIT_CROP);
    (void)eex_image_fit(INT_MIN, INT_MAX, -1, 0, (eex_fit)9);
    eex_image_free(NULL);
}

/* ---- text, names, times ---- */

static void print_nothing(eex_buffer *b, const char *format, ...)
{
    static const char *const volatile none = NULL; /* that the compiler does not know of */
    va_list args;
    va_start(args, format);
    eex_buffer_vprintf(b, none, args);
    eex_buffer_vprintf(NULL, format, args);
    va_end(args);
}

Test(arguments_data, of_text)
{
    eex_buffer b = EEX_BUFFER_INIT;
    char *text;
    eex_buffer_append(NULL, "x", 1);
    eex_buffer_append(&b, NULL, 1);
    eex_buffer_puts(NULL, "x");
    eex_buffer_puts(&b, NULL);
    eex_buffer_putc(NULL, 'x');
    eex_buffer_fill(NULL, 'x', 3);
    eex_buffer_printf(NULL, "%d", 1);
    print_nothing(&b, "x");
    cr_expect_str_eq(eex_buffer_text(&b), "");
    cr_expect_str_eq(eex_buffer_text(NULL), "");
    eex_buffer_fill(&b, 'x', SIZE_MAX);
    cr_expect_eq(eex_buffer_status(&b), EEX_ENOMEM);
    REFUSED(eex_buffer_status(NULL));
    REFUSED(eex_buffer_take(NULL, &b));
    REFUSED(eex_buffer_take(&text, NULL));
    eex_buffer_clear(NULL);
    eex_buffer_free(&b);
    eex_buffer_free(NULL);
}

Test(arguments_data, of_names)
{
    char text[EEX_NAMES_SIZE];
    eex_act act;
    eex_precision precision;
    for (int i = 0; i < WRONG; i++) {
        cr_expect_str_eq(eex_act_name((eex_act)wrong_ids[i]), "?");
        cr_expect_str_eq(eex_op_kind_name((eex_op_kind)wrong_ids[i]), "?");
        cr_expect_str_eq(eex_precision_name((eex_precision)wrong_ids[i]), "?");
        cr_expect_str_eq(eex_name_of(eex_act_names(), wrong_ids[i]), "?");
        cr_expect(!eex_precision_infers((eex_precision)wrong_ids[i]));
    }
    REFUSED(eex_act_parse(NULL, "relu"));
    REFUSED(eex_act_parse(&act, NULL));
    REFUSED(eex_precision_parse(NULL, "float32"));
    REFUSED(eex_precision_parse(&precision, NULL));
    cr_expect(eex_op_kind_names() && eex_precision_names() && eex_precision_inferring_names());
    cr_expect_str_eq(eex_name_of(NULL, 0), "?");
    cr_expect(eex_name_find(NULL, "x") == -1 && eex_name_find(eex_act_names(), NULL) == -1);
    cr_expect(!eex_name_near(NULL, "x") && !eex_name_near(eex_act_names(), NULL));
    cr_expect_str_eq(eex_names_list(text, NULL, "", ", "), "");
    cr_expect_not_null(eex_names_hint(text, NULL, NULL));
}

Test(arguments_data, of_times)
{
    double laps[16] = {0}, units[4];
    char text[EEX_SPEEDUP_SIZE];
    eex_lap_times times;
    cr_expect(isnan(eex_laps_quartile(NULL, 4)) && isnan(eex_laps_quartile(laps, 0)) &&
              isnan(eex_laps_quartile(laps, INT_MIN)));
    cr_expect(!eex_laps_disagree(NULL, 4, 1) && !eex_laps_disagree(laps, INT_MIN, 1));
    eex_laps_reduce(NULL, units, &(eex_laps){2, 4, 1, laps});
    eex_laps_reduce(&times, NULL, &(eex_laps){2, 4, 1, laps});
    eex_laps_reduce(&times, units, NULL);
    eex_laps_reduce(&times, units, &(eex_laps){0, 4, 1, laps});
    eex_laps_reduce(&times, units, &(eex_laps){2, INT_MIN, 1, laps});
    eex_laps_reduce(&times, units, &(eex_laps){2, 4, 1, NULL});
    cr_expect(isnan(eex_speedup_of(NULL, NULL).ratio));
    cr_expect_str_eq(eex_speedup_text(text, NULL), "-");
    eex_laps_warn(NULL, true);
}
