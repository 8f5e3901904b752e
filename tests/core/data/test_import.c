#include "core/data/dataset.h"
#include "core/data/import.h"
#include "core/store/store.h"
#include "support/cifar.h"
#include "support/folder.h"
#include "support/pictures.h"

#include "base/fs.h"
#include "base/rng.h"
#include "base/signals.h"
#include "base/spelling.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <png.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define OK(call) cr_assert_eq((call), EEX_OK, "%s", eex_error())

static char folder[TEST_PATH_SIZE];
static char out[TEST_PATH_SIZE + 32];

static void begin(void)
{
    test_folder_make(folder);
    snprintf(out, sizeof out, "%s/out.h5", folder);
}

static void end(void)
{
    test_folder_remove(folder);
}

TestSuite(cifar, .init = begin, .fini = end);
TestSuite(folder, .init = begin, .fini = end);

static void refused(int code, int expected, const char *word)
{
    cr_assert_eq(code, expected, "%s instead of %s: %s", eex_status_name(code),
                 eex_status_name(expected), eex_error());
    cr_assert(strstr(eex_error(), word), "\"%s\" does not say \"%s\"", eex_error(), word);
    cr_assert_not(eex_fs_exists(out));
}

/* ---- CIFAR ---- */

static void check_cifar_image(eex_dataset *data, uint32_t sample, int number)
{
    uint8_t image[TEST_CIFAR_IMAGE];
    OK(eex_dataset_gather(image, data, &sample, 1));
    for (int i = 0; i < TEST_CIFAR_IMAGE; i++)
        cr_assert_eq(image[i], test_cifar_pixel(number, i / 96, i / 3 % 32, i % 3));
}

Test(cifar, ten_classes_from_the_folder_or_its_parent)
{
    test_cifar10_folder(test_path(folder, "cifar-10-batches-bin"), 12);
    for (int inside = 0; inside < 2; inside++) {
        eex_dataset *data;
        OK(eex_import_cifar10(out, "cifar10",
                              inside ? test_path(folder, "cifar-10-batches-bin") : folder));
        OK(eex_dataset_open(&data, out));
        const eex_dataset_info *info = eex_dataset_facts(data);
        cr_assert_eq(info->train, 60);
        cr_assert_eq(info->test, 12);
        cr_assert_eq(info->classes, 10);
        cr_assert_str_eq(info->class_names[9], "class9");
        cr_assert(strstr(info->source, "test_batch.bin"));
        for (uint32_t n = 0; n < 72; n++) {
            cr_assert_eq(eex_dataset_labels(data)[n], (int32_t)n % 10);
            check_cifar_image(data, n, (int)n);
        }
        eex_dataset_close(data);
    }
}

Test(cifar, class_names_come_from_the_meta_file)
{
    eex_dataset *data;
    test_cifar10_folder(folder, 1);
    const char *meta = test_path(folder, "batches.meta.txt");
    OK(eex_fs_write(meta, "a\nb\nc\nd\ne\nf\r\ng\nh\ni\nj\n\n", 22));
    OK(eex_import_cifar10(out, "cifar10", folder));
    OK(eex_dataset_open(&data, out));
    cr_assert_str_eq(eex_dataset_facts(data)->class_names[5], "f");
    eex_dataset_close(data);
    unlink(out);
    OK(eex_fs_write(meta, "a\nb\n", 4));
    refused(eex_import_cifar10(out, "cifar10", folder), EEX_EFORMAT, "2 class names, expected 10");
    OK(eex_fs_write(meta, "a\nb\nc\nd\ne\nf\ng\nb\ni\nj\n", 20));
    refused(eex_import_cifar10(out, "cifar10", folder), EEX_EFORMAT,
            "batches.meta.txt: classes 1 and 7 are both called \"b\"");
    OK(eex_fs_write(meta, "a\nb\nc\nd\ne\ncaf\xe9\ng\nh\ni\nj\n", 23));
    refused(eex_import_cifar10(out, "cifar10", folder), EEX_EFORMAT,
            "the name of class 5, \"caf\\xe9\", is not UTF-8");
}

Test(cifar, a_hundred_classes_fine_and_coarse)
{
    eex_dataset *data;
    eex_store_file *file;
    int32_t coarse[150];
    OK(eex_fs_make_folder(test_path(folder, "cifar-100-binary")));
    test_cifar_file(test_path(folder, "cifar-100-binary/train.bin"), 0, 150, 100, 20);
    test_cifar_file(test_path(folder, "cifar-100-binary/test.bin"), 150, 30, 100, 20);
    OK(eex_import_cifar100(out, "cifar100", folder, false));
    OK(eex_dataset_open(&data, out));
    cr_assert_eq(eex_dataset_facts(data)->classes, 100);
    cr_assert_eq(eex_dataset_labels(data)[149], 49);
    check_cifar_image(data, 179, 179);
    eex_dataset_close(data);
    OK(eex_store_open(&file, out, "dataset", 1));
    OK(eex_store_read(coarse, file, "train/coarse_labels", EEX_STORE_I32,
                      &(eex_store_shape){1, {150}}));
    cr_assert_eq(coarse[149], 9);
    eex_store_close(file);
    OK(eex_import_cifar100(out, "cifar100-coarse", folder, true));
    OK(eex_dataset_open(&data, out));
    cr_assert_eq(eex_dataset_facts(data)->classes, 20);
    cr_assert_eq(eex_dataset_labels(data)[149], 9);
    eex_dataset_close(data);
}

Test(cifar, missing_and_damaged_files_are_named)
{
    refused(eex_import_cifar10(out, "cifar10", folder), EEX_ENOTFOUND, "data_batch_1.bin");
    refused(eex_import_cifar10(out, "cifar10", "/no/such/folder"), EEX_ENOTFOUND,
            "/no/such/folder");
    test_cifar10_folder(folder, 4);
    unlink(test_path(folder, "data_batch_4.bin"));
    refused(eex_import_cifar10(out, "cifar10", folder), EEX_ENOTFOUND, "data_batch_4.bin");
    test_cifar_file(test_path(folder, "data_batch_4.bin"), 0, 4, 200, 0);
    OK(eex_import_cifar10(out, "cifar10", folder));
    unlink(out);
    FILE *file = fopen(test_path(folder, "data_batch_4.bin"), "r+b");
    fseek(file, 2 * 3073, SEEK_SET);
    fputc(10, file);
    fclose(file);
    refused(eex_import_cifar10(out, "cifar10", folder), EEX_EFORMAT,
            "data_batch_4.bin: byte 6146 is 10, expected a label from 0 to 9");
}

Test(cifar, a_file_cut_at_any_length_is_refused)
{
    char *data;
    size_t size;
    eex_rng rng;
    eex_rng_seed(&rng, 3, 0);
    test_cifar10_folder(folder, 2);
    const char *path = test_path(folder, "data_batch_2.bin");
    OK(eex_fs_read(&data, &size, path, 1 << 20));
    for (int round = 0; round < 120; round++) {
        size_t length = round < 40 ? (size_t)round : eex_rng_below(&rng, size);
        char says[64];
        if (length && length % 3073 == 0)
            continue; /* whole images are all that a shorter file has */
        FILE *file = fopen(path, "wb");
        cr_assert_eq(fwrite(data, 1, length, file), length);
        fclose(file);
        snprintf(says, sizeof says, "data_batch_2.bin: %zu bytes", length);
        refused(eex_import_cifar10(out, "cifar10", folder), EEX_EFORMAT, says);
    }
    free(data);
}

Test(cifar, a_full_disk_leaves_nothing)
{
    struct rlimit limit;
    eex_fs_names names;
    test_cifar10_folder(folder, 100);
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = 700000;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    refused(eex_import_cifar10(out, "cifar10", folder), EEX_EIO, "File too large");
    OK(eex_fs_list(&names, folder));
    cr_assert_eq(names.count, 6);
    eex_fs_names_free(&names);
}

Test(cifar, an_interruption_leaves_nothing)
{
    test_cifar10_folder(folder, 4);
    OK(eex_signals_install());
    raise(SIGINT);
    refused(eex_import_cifar10(out, "cifar10", folder), EEX_EINTERRUPTED, "interrupted");
}

/* ---- folders ---- */

/* COUNT pictures of a class in every format in turn. */
static void make_class(const char *where, const char *name, int count)
{
    char path[TEST_PATH_SIZE * 2], *inside;
    OK(eex_path_join(&inside, where, name));
    OK(eex_fs_make_folder(inside));
    for (int i = 0; i < count; i++) {
        int width = 20 + 13 * i % 50, height = 64 - width / 2;
        snprintf(path, sizeof path, "%s/image_%02d.%s", inside, i,
                 i % 2   ? "png"
                 : i % 4 ? "JPG"
                         : "jpeg");
        if (i % 2)
            test_write_png(path, &(test_png){width, height, PNG_COLOR_TYPE_RGB_ALPHA, 8, false});
        else
            test_write_jpeg(path, &(test_jpeg){width, height, (test_ink)(i / 2 % 5), false, 95});
    }
    free(inside);
}

static int import(eex_import_result *result, const eex_import_folder_options *options)
{
    return eex_import_folder(result, out, "pictures", test_path(folder, "in"), options);
}

static eex_dataset *import_fine(size_t images)
{
    static const eex_import_folder_options options = {.size = 0};
    eex_import_result result;
    eex_dataset *data;
    OK(import(&result, &options));
    cr_assert_eq(result.images, images);
    cr_assert_eq(result.broken, 0, "%s", eex_buffer_text(&result.broken_list));
    eex_import_result_free(&result);
    OK(eex_dataset_open(&data, out));
    return data;
}

Test(folder, classes_are_folders_and_a_fifth_is_held_out)
{
    make_class(test_path(folder, "in"), "cat", 10);
    make_class(test_path(folder, "in"), "dog", 15);
    make_class(test_path(folder, "in"), "single", 1);
    OK(eex_fs_make_folder(test_path(folder, "in/empty")));
    OK(eex_fs_make_folder(test_path(folder, "in/.hidden")));
    OK(eex_fs_write(test_path(folder, "in/cat/notes.txt"), "x", 1));
    OK(eex_fs_write(test_path(folder, "in/readme.txt"), "x", 1));
    eex_dataset *data = import_fine(26);
    const eex_dataset_info *info = eex_dataset_facts(data);
    cr_assert_eq(info->classes, 3);
    cr_assert_str_eq(info->class_names[0], "cat");
    cr_assert_str_eq(info->class_names[2], "single");
    cr_assert_eq(info->train, 8 + 12 + 1);
    cr_assert_eq(info->test, 2 + 3);
    cr_assert_eq(info->height, 32);
    cr_assert_eq(info->channels, 3);
    eex_dataset_close(data);
}

/* What is stored says of itself that it is UTF-8, however long the folder's name is. */
Test(folder, names_are_cut_between_characters)
{
    static const eex_import_folder_options options = {.size = 8};
    static const char *const fill[] = {"\u00e9", "\u732b", "\n\u00e9", "\xe9\u732b"};
    for (size_t i = 0; i < 3 * sizeof fill / sizeof *fill; i++) {
        char name[256] = "in/";
        eex_import_result result;
        eex_dataset *data;
        memset(name + 3, 'x', i % 3);
        for (size_t at = strlen(name); at + strlen(fill[i / 3]) < 240; at = strlen(name))
            snprintf(name + at, sizeof name - at, "%s", fill[i / 3]);
        OK(eex_fs_make_folder(test_path(folder, "in")));
        OK(eex_fs_make_folder(test_path(folder, name)));
        make_class(test_path(folder, name), "cat", 2);
        OK(eex_import_folder(&result, out, "pictures", test_path(folder, name), &options));
        eex_import_result_free(&result);
        OK(eex_dataset_open(&data, out));
        const char *source = eex_dataset_facts(data)->source;
        cr_expect(eex_spelling_is_utf8(source), "%zu: %s", i, source);
        cr_expect(strstr(source, ": 2 images"), "%zu: %s", i, source);
        eex_dataset_close(data);
        OK(eex_fs_remove_tree(test_path(folder, "in")));
        unlink(out);
    }
}

Test(folder, options_size_grey_share_and_seed)
{
    eex_import_result result;
    eex_dataset *data;
    char *first, *second;
    size_t first_size, second_size;
    eex_import_folder_options options = {
        .size = 17, .fit = EEX_FIT_SQUASH, .grey = true, .test = 0.5};
    make_class(test_path(folder, "in"), "cat", 10);
    make_class(test_path(folder, "in"), "dog", 10);
    OK(import(&result, &options));
    OK(eex_dataset_open(&data, out));
    cr_assert_eq(eex_dataset_facts(data)->width, 17);
    cr_assert_eq(eex_dataset_facts(data)->channels, 1);
    cr_assert_eq(eex_dataset_facts(data)->test, 10);
    eex_dataset_close(data);
    OK(eex_fs_read(&first, &first_size, out, 1 << 20));
    OK(import(&result, &options)); /* the same again */
    OK(eex_fs_read(&second, &second_size, out, 1 << 20));
    cr_assert(first_size == second_size && memcmp(first, second, first_size) == 0);
    free(second);
    options.seed = 1;
    OK(import(&result, &options)); /* other images are held out */
    OK(eex_fs_read(&second, &second_size, out, 1 << 20));
    cr_assert(first_size != second_size || memcmp(first, second, first_size) != 0);
    free(first);
    free(second);
}

Test(folder, a_test_folder_keeps_its_split)
{
    make_class(test_path(folder, "in/set/train"), "cat", 4);
    make_class(test_path(folder, "in/set/train"), "dog", 5);
    make_class(test_path(folder, "in/set/val"), "dog", 3);
    eex_dataset *data = import_fine(12);
    cr_assert_eq(eex_dataset_facts(data)->train, 9);
    cr_assert_eq(eex_dataset_facts(data)->test, 3);
    cr_assert_eq(eex_dataset_labels(data)[9], 1);
    eex_dataset_close(data);
}

Test(folder, the_caltech_layout_without_its_clutter)
{
    eex_import_result result;
    make_class(test_path(folder, "in/caltech-101/101_ObjectCategories"), "ant", 5);
    make_class(test_path(folder, "in/caltech-101/101_ObjectCategories"), "BACKGROUND_Google", 5);
    eex_dataset *data = import_fine(5);
    cr_assert_eq(eex_dataset_facts(data)->classes, 1);
    eex_dataset_close(data);
    OK(import(&result, &(eex_import_folder_options){.background = true}));
    cr_assert_eq(result.classes, 2);
}

Test(folder, broken_files_are_listed_and_left_out)
{
    eex_import_result result;
    eex_dataset *data;
    make_class(test_path(folder, "in"), "cat", 10);
    OK(eex_fs_write(test_path(folder, "in/cat/a.jpg"), "no jpeg", 7));
    OK(eex_fs_write(test_path(folder, "in/cat/b.png"), "\x89PNG\r\n\x1a\n", 8));
    OK(eex_fs_write(test_path(folder, "in/cat/c.png"), "", 0));
    OK(import(&result, &(eex_import_folder_options){.size = 8}));
    cr_assert_eq(result.images, 10);
    cr_assert_eq(result.broken, 3);
    const char *list = eex_buffer_text(&result.broken_list);
    cr_assert(strstr(list, "cat/a.jpg: neither JPEG, PNG, WebP nor TIFF\n"), "%s", list);
    cr_assert(strstr(list, "cat/b.png: damaged"), "%s", list);
    cr_assert(strstr(list, "cat/c.png: the file is empty"), "%s", list);
    eex_import_result_free(&result);
    OK(eex_dataset_open(&data, out));
    cr_assert_eq(eex_dataset_facts(data)->samples, 10);
    eex_dataset_close(data);
}

Test(folder, nothing_but_broken_files_is_an_error)
{
    eex_import_result result;
    OK(eex_fs_make_folder(test_path(folder, "in/cat")));
    for (int i = 0; i < 5; i++) {
        char name[32];
        snprintf(name, sizeof name, "in/cat/%d.jpg", i);
        OK(eex_fs_write(test_path(folder, name), "x", 1));
    }
    refused(import(&result, &(eex_import_folder_options){.size = 8}), EEX_EFORMAT,
            "none of the 5 image files");
    cr_assert_eq(result.broken, 5);
    eex_import_result_free(&result);
}

Test(folder, nothing_to_import_is_an_error)
{
    eex_import_result result;
    const eex_import_folder_options options = {.size = 8};
    refused(import(&result, &options), EEX_ENOTFOUND, "no such folder");
    OK(eex_fs_make_folder(test_path(folder, "in")));
    refused(import(&result, &options), EEX_ENOTFOUND, "no JPEG, PNG, WebP or TIFF");
    OK(eex_fs_write(test_path(folder, "in/a.jpg"), "x", 1));
    refused(import(&result, &options), EEX_ENOTFOUND, "no JPEG, PNG, WebP or TIFF");
}

/* ---- real data ---- */

/* Where the project's shared test data are, or NULL with the test skipped. */
static const char *shared_data(void)
{
    const char *chosen = getenv("EEX_SHARED_DATA");
    const char *where = chosen && *chosen ? chosen : EEX_SOURCE_DIR "/../shared/data";
    if (eex_fs_exists(test_path(where, "caltech101-slice.tar")))
        return where;
    cr_skip_test("no real data: set EEX_SHARED_DATA to their folder");
    return NULL;
}

static void shell(const char *format, const char *a, const char *b)
{
    char command[TEST_PATH_SIZE * 3];
    snprintf(command, sizeof command, format, a, b);
    cr_assert_eq(system(command), 0, "%s", command);
}

Test(folder, real_photographs)
{
    const char *shared = shared_data();
    if (!shared)
        return;
    OK(eex_fs_make_folder(test_path(folder, "in")));
    shell("tar -xf '%s/caltech101-slice.tar' -C '%s'", shared, test_path(folder, "in"));
    eex_dataset *data = import_fine(400);
    const eex_dataset_info *info = eex_dataset_facts(data);
    cr_assert_eq(info->classes, 10);
    cr_assert_eq(info->train, 320);
    cr_assert_eq(info->test, 80);
    cr_assert(info->mean[0] > 0.3 && info->mean[0] < 0.7 && info->std[0] > 0.15);
    eex_dataset_close(data);
}

Test(cifar, real_images)
{
    const char *shared = shared_data();
    eex_dataset *data;
    if (!shared)
        return;
    shell("xz -dc '%s/cifar10/test_batch.bin.xz' > '%s/test_batch.bin'", shared, folder);
    for (int i = 1; i <= 5; i++) { /* one batch stands for all six: it is the format that counts */
        char name[32];
        snprintf(name, sizeof name, "data_batch_%d.bin", i);
        cr_assert_eq(symlink("test_batch.bin", test_path(folder, name)), 0);
    }
    OK(eex_import_cifar10(out, "cifar10", folder));
    OK(eex_dataset_open(&data, out));
    const eex_dataset_info *info = eex_dataset_facts(data);
    cr_assert_eq(info->train, 50000);
    cr_assert_eq(info->test, 10000);
    const float mean[] = {0.494f, 0.485f, 0.450f}; /* of the test images, as published */
    for (int c = 0; c < 3; c++)
        cr_assert_float_eq(info->mean[c], mean[c], 0.002);
    int count[10] = {0};
    for (uint32_t i = info->train; i < info->samples; i++)
        count[eex_dataset_labels(data)[i]]++;
    for (int c = 0; c < 10; c++)
        cr_assert_eq(count[c], 1000);
    eex_dataset_close(data);
}
