/* Every allocation of the store, data sets, splits, the loader and the importers fails once. */
#include "core/data/descriptor.h"
#include "core/data/import.h"
#include "core/data/loader.h"
#include "core/data/sheet.h"
#include "core/data/split.h"
#include "core/data/synthetic.h"
#include "support/cifar.h"
#include "support/folder.h"
#include "support/memory.h"
#include "support/pictures.h"

#include "base/fs.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>

static char folder[TEST_PATH_SIZE];

static void begin(void)
{
    test_folder_make(folder);
}

static void end(void)
{
    test_folder_remove(folder);
}

TestSuite(memory_data, .init = begin, .fini = end);

static int store(void)
{
    const char *path = test_path(folder, "a.h5"), *const names[] = {"a", "b"};
    const eex_store_shape shape = {1, {3}};
    eex_store_shape any = {1, {EEX_STORE_ANY}};
    eex_store_file *file = NULL;
    eex_store_list list = {0, NULL};
    void *data = NULL;
    char *text = NULL;
    int code = eex_store_create(&file, path, "trace", 1);
    if (code == EEX_OK)
        code = eex_store_write(file, "x/y", EEX_STORE_I32, &shape, (int32_t[]){1, 2, 3});
    if (code == EEX_OK)
        code = eex_store_write_strings(file, "names", names, 2);
    if (code == EEX_OK)
        code = eex_store_set_string(file, "x", "unit", "m");
    if (code == EEX_OK)
        code = eex_store_commit(&file);
    eex_store_close(file);
    file = NULL;
    if (code == EEX_OK)
        code = eex_store_open(&file, path, "trace", 1);
    if (code == EEX_OK)
        code = eex_store_read_new(&data, file, "x/y", EEX_STORE_I32, &any, 100);
    if (code == EEX_OK)
        code = eex_store_read_strings(&list, file, "names", 100);
    if (code == EEX_OK)
        code = eex_store_get_string(&text, file, "x", "unit");
    eex_store_list_free(&list);
    if (code == EEX_OK)
        code = eex_store_names(&list, file, "/");
    eex_store_list_free(&list);
    eex_store_close(file);
    free(data);
    free(text);
    return code;
}

Test(memory_data, store)
{
    cr_assert_gt(test_fail_each_allocation(store), 10);
}

static int splits_and_loading(void)
{
    eex_dataset *data = NULL;
    eex_split split = {{NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}};
    eex_loader *loader = NULL;
    uint8_t image[3072];
    int code = eex_synthetic_make(test_path(folder, "s.h5"), "s", 60, 10, 1);
    if (code == EEX_OK)
        code = eex_dataset_open(&data, test_path(folder, "s.h5"));
    if (code == EEX_OK)
        code = eex_dataset_gather(image, data, (const uint32_t[]){3}, 1);
    if (code == EEX_OK) /* a test part that got lost would show here */
        code = eex_split_make(&split, data,
                              &(eex_split_spec){.calibration = 5, .validation = 5, .test = 10});
    if (code == EEX_OK)
        code = eex_dataset_sheet(test_path(folder, "s.png"), data);
    const eex_loader_options options = {
        .data = data, .samples = split.train.at, .count = split.train.count, .batch = 8};
    if (code == EEX_OK)
        code = eex_loader_open(&loader, &options);
    eex_loader_close(loader);
    eex_split_free(&split);
    eex_dataset_close(data);
    return code;
}

Test(memory_data, splits_and_loading)
{
    cr_assert_gt(test_fail_each_allocation(splits_and_loading), 20);
}

static int cifar(void)
{
    return eex_import_cifar10(test_path(folder, "c.h5"), "c", folder);
}

Test(memory_data, cifar)
{
    test_cifar10_folder(folder, 2);
    cr_assert_gt(test_fail_each_allocation(cifar), 20);
    cr_assert(eex_fs_exists(test_path(folder, "c.h5")));
}

static int pictures(void)
{
    eex_import_result result;
    int code = eex_import_folder(&result, test_path(folder, "p.h5"), "p", test_path(folder, "in"),
                                 &(eex_import_folder_options){.size = 8});
    cr_assert_eq(result.broken, 0, "%s", eex_buffer_text(&result.broken_list));
    eex_import_result_free(&result);
    return code;
}

Test(memory_data, pictures)
{
    cr_assert_eq(eex_fs_make_folder(test_path(folder, "in/cat")), EEX_OK);
    test_write_jpeg(test_path(folder, "in/cat/a.jpg"), &(test_jpeg){20, 20, TEST_YCCK, false, 90});
    test_write_png(test_path(folder, "in/cat/b.png"),
                   &(test_png){20, 20, PNG_COLOR_TYPE_RGBA, 8, true});
    cr_assert_gt(test_fail_each_allocation(pictures), 20);
}

static int descriptors(void)
{
    eex_descriptor what;
    return eex_descriptor_find(&what, "cifar10");
}

Test(memory_data, descriptors)
{
    setenv("EEX_SHARE", EEX_SOURCE_DIR, 1);
    cr_assert_gt(test_fail_each_allocation(descriptors), 5);
}
