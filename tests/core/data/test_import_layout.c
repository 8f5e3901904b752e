/* Folders as people have them: nothing is lost without a word. */
#include "core/data/dataset.h"
#include "core/data/import.h"
#include "support/folder.h"
#include "support/rgb_files.h"

#include "base/fs.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OK(call) cr_assert_eq((call), EEX_OK, "%s", eex_error())

static char folder[TEST_PATH_SIZE], out[TEST_PATH_SIZE];
static int made; /* images so far: each is of another colour */

static void begin(void)
{
    test_folder_make(folder);
    snprintf(out, sizeof out, "%s", test_path(folder, "out.h5"));
}

static void end(void)
{
    test_folder_remove(folder);
}

TestSuite(layout, .init = begin, .fini = end);

/* Images "in/PATH/N.ENDING", in every format in turn. */
static void put(const char *path, int count)
{
    char file[TEST_PATH_SIZE * 2], inside[TEST_PATH_SIZE];
    snprintf(inside, sizeof inside, "in/%s", path);
    char *where = strdup(test_path(folder, inside));
    OK(eex_fs_make_folder(where));
    for (int i = 0; i < count; i++, made++) {
        uint8_t pixels[8 * 8 * 3];
        for (size_t k = 0; k < sizeof pixels; k++)
            pixels[k] = (uint8_t)(made * 37 + (int)k);
        const test_format format = (test_format)(made % TEST_FORMATS);
        snprintf(file, sizeof file, "%s/%d.%s", where, i, test_format_ending[format]);
        test_write_rgb(file, format, 8, 8, pixels, 1);
    }
    free(where);
}

typedef struct counts {
    int classes;
    uint32_t train, validation, test;
} counts;

/* Imports and compares; *said has what was passed over, for the caller to free. */
static void import(eex_import_result *result, counts want)
{
    const eex_import_folder_options options = {.size = 8};
    eex_dataset *data;
    OK(eex_import_folder(result, out, "it", test_path(folder, "in"), &options));
    OK(eex_dataset_open(&data, out));
    const eex_dataset_info *info = eex_dataset_facts(data);
    cr_expect(info->classes == want.classes && info->train == want.train &&
                  info->validation == want.validation && info->test == want.test,
              "%d classes, %u, %u, %u", info->classes, info->train, info->validation, info->test);
    cr_expect_eq(result->broken, 0, "%s", eex_buffer_text(&result->broken_list));
    eex_dataset_close(data);
}

static void says(const eex_import_result *result, const char *text)
{
    cr_expect(strstr(eex_buffer_text(&result->passed_list), text), "\"%s\" is not in:\n%s", text,
              eex_buffer_text(&result->passed_list));
}

Test(layout, a_class_may_be_called_train)
{
    eex_import_result result;
    put("bus", 5);
    put("plane", 5);
    put("train", 5);
    import(&result, (counts){3, 12, 0, 3});
    cr_expect_eq(result.passed, 0);
    put("train/steam", 5); /* and have folders inside */
    eex_import_result_free(&result);
    import(&result, (counts){3, 16, 0, 4});
    eex_import_result_free(&result);
}

Test(layout, folders_inside_a_class_belong_to_it)
{
    eex_import_result result;
    put("cat/siamese", 4);
    put("cat/persian/white", 4);
    put("dog", 4);
    put("dog/pug", 4);
    import(&result, (counts){2, 12, 0, 4});
    cr_expect_eq(result.passed, 0);
    eex_import_result_free(&result);
}

Test(layout, three_parts_are_kept)
{
    eex_import_result result;
    put("train/a", 4);
    put("train/b", 4);
    put("valid/a", 3);
    put("valid/b", 2);
    put("test/a", 1);
    put("test/b", 1);
    put("annotations", 1);
    import(&result, (counts){2, 8, 5, 2});
    cr_expect_eq(result.passed, 1);
    says(&result, "1 beside the parts");
    eex_import_result_free(&result);
}

Test(layout, a_class_may_be_in_one_part_alone)
{
    eex_import_result result;
    put("train/a", 4);
    put("val/b", 4);
    put("val/zebra", 4);
    import(&result, (counts){3, 4, 0, 8});
    cr_expect_eq(result.untrained, 2);
    cr_expect_str_eq(eex_buffer_text(&result.untrained_list), "b, zebra");
    eex_import_result_free(&result);
}

Test(layout, a_test_part_without_classes_is_none)
{
    eex_import_result result;
    put("train/a", 5);
    put("train/b", 5);
    put("test", 3); /* without labels */
    import(&result, (counts){2, 8, 0, 2});
    says(&result, "3 images beside the classes' folders");
    eex_import_result_free(&result);
}

Test(layout, what_is_left_out_is_named_by_reason)
{
    eex_import_result result;
    put("a", 5);
    put("empty", 0);
    OK(eex_fs_write(test_path(folder, "in/a/x.gif"), "GIF89a", 6));
    OK(eex_fs_write(test_path(folder, "in/a/y.GIF"), "GIF89a", 6));
    OK(eex_fs_write(test_path(folder, "in/a/z.bmp"), "BM", 2));
    OK(eex_fs_write(test_path(folder, "in/a/.hidden.jpg"), "x", 1));
    OK(eex_fs_write(test_path(folder, "in/a/notes"), "x", 1));
    OK(eex_fs_write(test_path(folder, "in/readme.md"), "x", 1));
    cr_assert_eq(mkfifo(test_path(folder, "in/a/pipe.png"), 0600), 0);
    cr_assert_eq(symlink("..", test_path(folder, "in/a/round")), 0);
    import(&result, (counts){1, 4, 0, 1});
    says(&result, "2 named .gif");
    says(&result, "1 named .bmp");
    says(&result, "1 hidden");
    says(&result, "1 without an ending");
    says(&result, "1 named .md");
    says(&result, "1 no regular files");
    says(&result, "1 links to folders");
    says(&result, "1 folders without an image");
    cr_expect_eq(result.passed, 9);
    eex_import_result_free(&result);
}

Test(layout, there_are_never_too_many_reasons)
{
    eex_import_result result;
    char name[64];
    put("a", 5);
    for (int i = 0; i < 60; i++) {
        snprintf(name, sizeof name, "in/a/x.e%d", i);
        OK(eex_fs_write(test_path(folder, name), "x", 1));
    }
    import(&result, (counts){1, 4, 0, 1});
    cr_expect_eq(result.passed, 60);
    says(&result, "37 for other reasons");
    eex_import_result_free(&result);
}

Test(layout, nothing_may_be_held_out)
{
    eex_import_result result;
    const eex_import_folder_options options = {.size = 8, .test = EEX_IMPORT_NO_TEST};
    eex_dataset *data;
    put("a", 5);
    OK(eex_import_folder(&result, out, "it", test_path(folder, "in"), &options));
    OK(eex_dataset_open(&data, out));
    cr_expect_eq(eex_dataset_facts(data)->train, 5);
    cr_expect_eq(eex_dataset_facts(data)->test, 0);
    eex_dataset_close(data);
    eex_import_result_free(&result);
}

/* ---- parts ---- */

Test(layout, parts_have_other_names_too)
{
    static const struct {
        const char *parts[3];
        counts want;
    } cases[] = {
        {{"train", "dev"}, {2, 8, 0, 4}},
        {{"train", "dev", "test"}, {2, 8, 4, 4}},
        {{"Training", "eval"}, {2, 8, 0, 4}},
        {{"train", "eval", "test"}, {2, 8, 4, 4}},
        {{"train", "Evaluation", "val"}, {2, 8, 4, 4}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        eex_import_result result;
        char path[TEST_PATH_SIZE];
        for (int p = 0; p < 3 && cases[i].parts[p]; p++) {
            snprintf(path, sizeof path, "%s/ant", cases[i].parts[p]);
            put(path, p ? 2 : 4);
            snprintf(path, sizeof path, "%s/bee", cases[i].parts[p]);
            put(path, p ? 2 : 4);
        }
        import(&result, cases[i].want);
        cr_expect_eq(result.passed, 0);
        cr_expect_eq(result.doubt.size, 0);
        eex_import_result_free(&result);
        OK(eex_fs_remove_tree(test_path(folder, "in")));
    }
}

/* Each would be classes called like parts, with the images of all classes in them. */
Test(layout, parts_in_the_places_of_classes_are_refused)
{
    static const struct {
        const char *folders[4], *says;
    } cases[] = {
        {{"train/ant", "train/bee", "extra/ant", "extra/bee"},
         "\"extra\" and \"train\" hold a folder \"ant\" each"},
        {{"train/ant", "holdout/ant"}, "\"holdout\" and \"train\" hold a folder \"ant\""},
        {{"train/ant", "test_set/ant"}, "\"test_set\" and \"train\" hold a folder \"ant\""},
        {{"val/ant", "test/ant", "val/bee"}, "\"test\" and \"val\" hold a folder \"ant\""},
        {{"train2017/ant", "val2017/ant"}, "\"train2017\" and \"val2017\" hold a folder"},
        {{"ant/train", "ant/test", "bee/train", "bee/test"},
         "\"ant\" holds \"train\" and \"test\""},
        {{"ant/train", "bee/Train", "bee/dev"}, "\"bee\" holds \"Train\" and \"dev\""},
        {{"all/ant/train", "all/ant/testing", "all/bee"}, "\"ant\" holds \"train\" and"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        eex_import_result result;
        for (int f = 0; f < 4 && cases[i].folders[f]; f++)
            put(cases[i].folders[f], 4);
        cr_expect_eq(eex_import_folder(&result, out, "it", test_path(folder, "in"),
                                       &(eex_import_folder_options){.size = 8}),
                     EEX_EFORMAT);
        cr_expect(strstr(eex_error(), cases[i].says), "%s", eex_error());
        cr_expect(strstr(eex_error(), "parts are called train, val"), "%s", eex_error());
        cr_expect_not(eex_fs_exists(out));
        eex_import_result_free(&result);
        OK(eex_fs_remove_tree(test_path(folder, "in")));
    }
}

/* They may be what they are taken for. */
Test(layout, classes_like_parts_are_told_of)
{
    static const struct {
        const char *folders[4], *says; /* NULL: nothing is to be said */
        int classes;
    } cases[] = {
        {{"red/ant", "red/bee", "blue/ant", "blue/bee"},
         "\"blue\" and \"red\" are taken for classes, though they hold the same folders",
         2},
        {{"train", "test"}, "\"test\" and \"train\" are taken for classes", 2},
        {{"train/ant", "train/bee", "other/cat"}, "\"train\" and \"other\" are taken", 2},
        {{"bus/red", "plane/blue", "cat"}, NULL, 3},
        {{"bus", "plane", "train", "train/steam"}, NULL, 3},
        {{"bus", "bus/steam", "train", "train/steam"},
         "\"bus\" and \"train\" are taken for classes, though they hold the same folders",
         2},
        {{"bus", "bus/left", "tram", "tram/left"}, NULL, 2},
        {{"bus/left", "train", "plane/left"}, NULL, 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        eex_import_result result;
        const eex_import_folder_options all = {.size = 8, .test = EEX_IMPORT_NO_TEST};
        for (int f = 0; f < 4 && cases[i].folders[f]; f++)
            put(cases[i].folders[f], 2);
        OK(eex_import_folder(&result, out, "it", test_path(folder, "in"), &all));
        cr_expect_eq(result.classes, (size_t)cases[i].classes, "%zu", i);
        const char *doubt = eex_buffer_text(&result.doubt);
        cr_expect(cases[i].says ? strstr(doubt, cases[i].says) != NULL : !*doubt, "%zu: %s", i,
                  doubt);
        eex_import_result_free(&result);
        OK(eex_fs_remove_tree(test_path(folder, "in")));
    }
}

/* ---- whole folders ---- */

Test(layout, each_file_of_a_folder_that_is_passed_over_counts)
{
    eex_import_result result;
    put("train/a", 4);
    put("val/a", 1);
    put("valid/a", 3);
    put("valid/b/c", 1);
    put("Train/a", 5); /* where letter case counts, another one */
    put("notes/a", 2);
    put("empty", 0);
    put(".old/a", 3);
    put("train/.old/a", 2);
    put("train/a/.old", 2);
    OK(eex_fs_write(test_path(folder, "in/readme"), "x", 1));
    import(&result, (counts){1, 4, 0, 1});
    says(&result, "9 in another folder of a part that has one already");
    says(&result, "4 beside the parts");
    says(&result, "7 hidden");
    cr_expect_eq(result.passed, 20, "%s", eex_buffer_text(&result.passed_list));
    eex_import_result_free(&result);
}

Test(layout, links_that_lead_nowhere_are_called_so)
{
    eex_import_result result;
    put("a", 5);
    put("b", 5);
    cr_assert_eq(symlink("nowhere", test_path(folder, "in/c")), 0);
    cr_assert_eq(symlink("nowhere", test_path(folder, "in/a/d")), 0);
    cr_assert_eq(symlink("nowhere.png", test_path(folder, "in/a/d.png")), 0);
    import(&result, (counts){2, 8, 0, 2});
    says(&result, "3 links that lead nowhere");
    cr_expect_eq(result.passed, 3);
    eex_import_result_free(&result);
}

/* ---- stray images ---- */

Test(layout, a_stray_image_makes_no_class_of_a_part)
{
    eex_import_result result;
    put("train/a", 4);
    put("train/b", 4);
    put("val/a", 3);
    put("test/b", 2);
    put("train", 1);
    put("val", 1);
    put(".", 1);
    import(&result, (counts){2, 8, 3, 2});
    says(&result, "2 images beside the classes' folders, of no class");
    says(&result, "1 beside the parts");
    cr_expect_eq(result.passed, 3);
    eex_import_result_free(&result);
}

Test(layout, a_stray_image_makes_no_class_of_the_only_folder)
{
    eex_import_result result;
    put("images/a", 5);
    put("images/b", 5);
    put(".", 1);
    OK(eex_fs_write(test_path(folder, "in/readme.md"), "x", 1));
    import(&result, (counts){2, 8, 0, 2});
    says(&result, "1 images beside the classes' folders, of no class");
    says(&result, "1 named .md");
    cr_expect_eq(result.passed, 2);
    eex_import_result_free(&result);
}

Test(layout, a_train_folder_alone_may_have_images_beside_it)
{
    eex_import_result result;
    put("train/a", 5);
    put("train/b", 5);
    put(".", 1);
    import(&result, (counts){2, 8, 0, 2});
    cr_expect_eq(result.passed, 1);
    eex_import_result_free(&result);
}

/* ---- what cannot be read ---- */

static void put_broken(const char *path, int from, int count)
{
    char name[TEST_PATH_SIZE];
    snprintf(name, sizeof name, "in/%s", path);
    OK(eex_fs_make_folder(test_path(folder, name)));
    for (int i = from; i < from + count; i++) {
        snprintf(name, sizeof name, "in/%s/%d.png", path, i);
        OK(eex_fs_write(test_path(folder, name), "broken", 6));
    }
}

static void import_some(eex_import_result *result, const eex_import_folder_options *options,
                        counts want, const char *source)
{
    eex_dataset *data;
    OK(eex_import_folder(result, out, "it", test_path(folder, "in/"), options));
    OK(eex_dataset_open(&data, out));
    const eex_dataset_info *info = eex_dataset_facts(data);
    cr_expect(info->classes == want.classes && info->train == want.train &&
                  info->validation == want.validation && info->test == want.test,
              "%d classes, %u, %u, %u", info->classes, info->train, info->validation, info->test);
    cr_expect(strstr(info->source, source), "%s", info->source);
    eex_dataset_close(data);
}

static const eex_import_folder_options small = {.size = 8};

Test(layout, a_class_that_cannot_be_read_is_untrained)
{
    eex_import_result result;
    put("a", 5);
    put_broken("b", 0, 5);
    import_some(&result, &small, (counts){2, 4, 0, 1}, "test images: held out");
    cr_expect_str_eq(eex_buffer_text(&result.untrained_list), "b");
    cr_expect_eq(result.untrained, 1);
    eex_import_result_free(&result);
}

/* Whichever of its files are drawn for the test part. */
Test(layout, what_can_be_read_of_a_class_is_in_both_parts)
{
    put("a", 1);
    put_broken("a", 7, 1);
    put("b", 2);
    put_broken("b", 7, 3);
    put_broken("c", 0, 3);
    put("c/later", 2);
    for (uint64_t seed = 0; seed < 20; seed++) {
        eex_import_result result;
        const eex_import_folder_options options = {.size = 8, .seed = seed, .test = 0.5};
        import_some(&result, &options, (counts){3, 3, 0, 2}, "image folder in: 5 images");
        cr_expect_eq(result.untrained, 0);
        eex_import_result_free(&result);
    }
}

Test(layout, a_part_that_cannot_be_read_is_told_of)
{
    eex_import_result result;
    put("train/a", 4);
    put_broken("val/a", 0, 2);
    put_broken("test/a", 0, 3);
    import_some(&result, &small, (counts){1, 4, 0, 0}, "test images: none");
    cr_expect_str_eq(eex_buffer_text(&result.emptied_list),
                     "none of the 2 validation images could be read: the data set has none\n"
                     "none of the 3 test images could be read: the data set has none\n");
    eex_import_result_free(&result);
}

Test(layout, without_a_training_image_there_is_no_data_set)
{
    eex_import_result result;
    put_broken("train/a", 0, 2);
    put("test/a", 2);
    cr_expect_eq(eex_import_folder(&result, out, "it", test_path(folder, "in"), &small),
                 EEX_EFORMAT);
    cr_expect(strstr(eex_error(), "none of the 2 training images could be read; the first: "), "%s",
              eex_error());
    cr_expect_not(eex_fs_exists(out));
    eex_import_result_free(&result);
}

Test(layout, the_source_says_where_test_images_are_from)
{
    eex_import_result result;
    put("train/a", 5);
    put("test", 3); /* without labels */
    import_some(&result, &small, (counts){1, 4, 0, 1}, "test images: held out");
    eex_import_result_free(&result);
    put("test/a", 2);
    import_some(&result, &small, (counts){1, 5, 0, 2}, "test images: a folder of their own");
    eex_import_result_free(&result);
}

Test(layout, what_is_no_folder_is_told_by_what_it_is)
{
    char file[TEST_PATH_SIZE];
    eex_import_result result;
    snprintf(file, sizeof file, "%s", test_path(folder, "a.tar"));
    OK(eex_fs_write(file, "x", 1));
    cr_expect_eq(eex_import_folder(&result, out, "it", file, &small), EEX_EINVAL);
    cr_expect(strstr(eex_error(), "a.tar is a file: expected a folder of images"), "%s",
              eex_error());
    cr_expect_eq(eex_import_folder(&result, out, "it", "", &small), EEX_EINVAL);
    cr_expect(strstr(eex_error(), "the path is empty: expected a folder of images"), "%s",
              eex_error());
    cr_expect_eq(eex_import_cifar10(out, "cifar10", file), EEX_EINVAL);
    cr_expect(strstr(eex_error(), "is a file: expected a folder of CIFAR's"), "%s", eex_error());
    cr_expect_eq(eex_import_cifar100(out, "cifar100", "", false), EEX_EINVAL);
}
