#include "cli/commands.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/status.h"
#include "base/table.h"
#include "base/text.h"
#include "cli/options.h"
#include "core/dataset.h"
#include "core/get.h"
#include "core/import.h"
#include "core/sheet.h"
#include "core/synthetic.h"

enum { MAX_NAME = 100, BROKEN_SHOWN = 20 };

#define DATA_OPTION                                                                      \
    {                                                                                    \
        .name = "data", .value = "DIR", .help = "the data folder, instead of $EEX_DATA", \
        .text = &data_folder                                                             \
    }

static const char *data_folder;

/* ---- shared ---- */

/* The data folder as the options have it, for this process and what it looks up later. */
static int use_folder(const char **out)
{
    if (data_folder && setenv("EEX_DATA", data_folder, 1) != 0)
        return eex_fail(EEX_ENOMEM, "out of memory");
    return eex_data_directory(out);
}

static int check_name(const char *name)
{
    size_t length = strlen(name);
    bool fine = length > 0 && length <= MAX_NAME && name[0] != '.' && name[0] != '-';
    for (size_t i = 0; i < length; i++)
        fine = fine && (isalnum((unsigned char)name[i]) || strchr("-_.", name[i]));
    if (!fine)
        return eex_fail(EEX_EINVAL,
                        "\"%s\" is no name for a data set: letters, digits, '-', '_' and "
                        "'.', at most %d",
                        name, MAX_NAME);
    return EEX_OK;
}

/* Makes the data folder and gives the path of a data set in it. */
static int out_path(char **out, const char *name)
{
    const char *folder;
    char file[MAX_NAME + 8];
    EEX_TRY(check_name(name));
    EEX_TRY(use_folder(&folder));
    EEX_TRY(eex_fs_make_folder(folder));
    snprintf(file, sizeof file, "%s.h5", name);
    return eex_path_join(out, folder, file);
}

static int say_what_it_is(const char *path)
{
    eex_dataset *data;
    EEX_TRY(eex_dataset_open(&data, path));
    const eex_dataset_info *info = eex_dataset_facts(data);
    printf("%s: %u training and %u test images of %d x %d in %d classes, in %s\n", info->name,
           info->train, info->test, info->width, info->height, info->classes, info->path);
    eex_dataset_close(data);
    return EEX_OK;
}

static void warn_of_broken(const eex_import_result *result)
{
    const char *at = eex_buffer_text(&result->broken_list);
    if (!result->broken)
        return;
    for (size_t i = 0; i < result->broken && i < BROKEN_SHOWN; i++) {
        int length = (int)strcspn(at, "\n");
        eex_log_warn("%.*s", length, at);
        at += length + (at[length] == '\n');
    }
    if (result->broken > BROKEN_SHOWN)
        eex_log_warn("and %zu more", result->broken - BROKEN_SHOWN);
    eex_log_warn("%zu of %zu files could not be read and were left out", result->broken,
                 result->broken + result->images);
}

/* ---- list ---- */

static bool has_suffix(const char *name, const char *suffix)
{
    size_t length = strlen(name), end = strlen(suffix);
    return length > end && strcmp(name + length - end, suffix) == 0;
}

static int list_one(eex_table *table, const char *folder, const char *file)
{
    char *path = NULL, text[EEX_TEXT_SIZE];
    eex_dataset *data = NULL;
    uint64_t bytes = 0;
    EEX_TRY(eex_path_join(&path, folder, file));
    if (eex_dataset_open(&data, path) < 0 || eex_fs_size(&bytes, path) < 0) {
        eex_log_warn("%s", eex_error());
    } else {
        const eex_dataset_info *info = eex_dataset_facts(data);
        eex_table_row(table);
        eex_table_cell(table, "%.*s", (int)strlen(file) - 3, file);
        eex_table_cell(table, "%u", info->train);
        eex_table_cell(table, "%u", info->test);
        eex_table_cell(table, "%d", info->classes);
        eex_table_cell(table, "%d x %d x %d", info->height, info->width, info->channels);
        eex_table_cell(table, "%s", eex_text_number(text, (double)bytes, "B"));
    }
    eex_dataset_close(data);
    free(path);
    return EEX_OK;
}

static int list_table(const char *folder, const eex_fs_names *names)
{
    eex_table *table;
    EEX_TRY(eex_table_new(&table));
    eex_table_column(table, "data set", EEX_ALIGN_LEFT, 9);
    eex_table_column(table, "train", EEX_ALIGN_RIGHT, 8);
    eex_table_column(table, "test", EEX_ALIGN_RIGHT, 7);
    eex_table_column(table, "classes", EEX_ALIGN_RIGHT, 6);
    eex_table_column(table, "size", EEX_ALIGN_RIGHT, 5);
    eex_table_column(table, "file", EEX_ALIGN_RIGHT, 4);
    int code = EEX_OK;
    for (size_t i = 0; i < names->count && code == EEX_OK; i++)
        if (names->names[i][0] != '.' && has_suffix(names->names[i], ".h5"))
            code = list_one(table, folder, names->names[i]);
    if (code == EEX_OK)
        code = eex_table_print(stdout, table);
    eex_table_free(table);
    return code;
}

static bool is_there(const char *folder, const char *name)
{
    char *path = NULL, file[MAX_NAME + 8];
    snprintf(file, sizeof file, "%.*s.h5", MAX_NAME, name);
    bool there = eex_path_join(&path, folder, file) == EEX_OK && eex_fs_exists(path);
    free(path);
    return there;
}

static int list_missing(const char *folder)
{
    eex_descriptor *known;
    int count;
    EEX_TRY(eex_descriptor_list(&known, &count));
    printf("\nnot in %s:\n", folder);
    if (!is_there(folder, "synthetic"))
        printf("  eex data make synthetic     the built-in set: drawn, no download\n");
    for (int i = 0; i < count; i++)
        if (!is_there(folder, known[i].name)) {
            char text[EEX_TEXT_SIZE];
            printf("  eex data get %-14s %s, %s\n", known[i].name, known[i].title,
                   eex_text_number(text, (double)known[i].size, "B"));
        }
    free(known);
    return EEX_OK;
}

static int data_list(int argc, char **argv)
{
    static const eex_option options[] = {DATA_OPTION, {.name = NULL}};
    static const eex_command command = {
        "data list",
        "[--data DIR]",
        "Lists the data sets in the data folder, and those that can be got.",
        NULL,
        options,
        0,
        0};
    eex_arguments args;
    eex_fs_names names = {NULL, 0};
    const char *folder;
    EEX_TRY(eex_options_parse(&args, argc, argv, &command));
    if (args.help)
        return EEX_OK;
    EEX_TRY(use_folder(&folder));
    if (eex_fs_is_folder(folder))
        EEX_TRY(eex_fs_list(&names, folder));
    int code = list_table(folder, &names);
    eex_fs_names_free(&names);
    return code == EEX_OK ? list_missing(folder) : code;
}

/* ---- import and get ---- */

static eex_import_folder_options folder_options;
static int64_t folder_size, folder_seed;
static const char *fit_name = "crop";

#define FOLDER_OPTIONS                                                                          \
    {.name = "size",                                                                            \
     .value = "N",                                                                              \
     .help = "side of the images in pixels (default 32)",                                       \
     .number = &folder_size,                                                                    \
     .min = 1,                                                                                  \
     .max = EEX_DATASET_MAX_SIDE},                                                              \
        {.name = "fit",                                                                         \
         .value = "HOW",                                                                        \
         .help = "crop (default: centred square) or squash",                                    \
         .text = &fit_name},                                                                    \
        {.name = "grey", .help = "one channel instead of three", .flag = &folder_options.grey}, \
        {.name = "background",                                                                  \
         .help = "keep the clutter class of the Caltech sets",                                  \
         .flag = &folder_options.background},                                                   \
        {.name = "test",                                                                        \
         .value = "SHARE",                                                                      \
         .help = "held out for testing when there is no test "                                  \
                 "folder (default 0.2)",                                                        \
         .real = &folder_options.test,                                                          \
         .low = 0.001,                                                                          \
         .high = 0.9},                                                                          \
    {                                                                                           \
        .name = "seed", .value = "N", .help = "draws what is held out (default 0)",             \
        .number = &folder_seed, .min = 0, .max = INT64_MAX                                      \
    }

static int finish_folder_options(void)
{
    static const char *const fits[] = {"crop", "squash"};
    folder_options.size = (int)folder_size;
    folder_options.seed = (uint64_t)folder_seed;
    folder_options.fit = strcmp(fit_name, "squash") == 0 ? EEX_FIT_SQUASH : EEX_FIT_CROP;
    if (strcmp(fit_name, "crop") != 0 && strcmp(fit_name, "squash") != 0)
        return eex_options_unknown("fit", fit_name, fits, 2);
    return EEX_OK;
}

static const char *labels_name = "fine";

static int import_any(const char *path, const char *name, const char *from)
{
    static const char *const kinds[] = {"fine", "coarse"};
    eex_import_result result;
    bool coarse = strcmp(labels_name, "coarse") == 0;
    if (!coarse && strcmp(labels_name, "fine") != 0)
        return eex_options_unknown("labels", labels_name, kinds, 2);
    if (coarse && strcmp(name, "cifar100") != 0)
        return eex_fail(EEX_EINVAL, "--labels coarse is for cifar100 alone");
    if (strcmp(name, "cifar10") == 0)
        return eex_import_cifar10(path, name, from);
    if (strcmp(name, "cifar100") == 0)
        return eex_import_cifar100(path, coarse ? "cifar100-coarse" : name, from, coarse);
    int code = eex_import_folder(&result, path, name, from, &folder_options);
    warn_of_broken(&result);
    eex_buffer_free(&result.broken_list);
    return code;
}

static int data_import(int argc, char **argv)
{
    static const eex_option options[] = {
        FOLDER_OPTIONS,
        {.name = "labels",
         .value = "KIND",
         .text = &labels_name,
         .help = "cifar100: fine (default; both are kept) or coarse, as cifar100-coarse"},
        DATA_OPTION,
        {.name = NULL}};
    static const eex_command command = {
        "data import",
        "NAME PATH [options]",
        "Imports files that you have. NAME cifar10 or cifar100: the official binary files in "
        "PATH.\n"
        "Any other NAME: a folder of JPEG and PNG images, one folder for each class.",
        "PATH/train with PATH/val or PATH/test keeps that split; PATH/101_ObjectCategories and "
        "the\n"
        "like are found. Files that cannot be read are listed and left out.",
        options,
        2,
        2};
    eex_arguments args;
    char *path = NULL;
    EEX_TRY(eex_options_parse(&args, argc, argv, &command));
    if (args.help)
        return EEX_OK;
    const char *name = args.word[0];
    EEX_TRY(finish_folder_options());
    bool coarse = strcmp(name, "cifar100") == 0 && strcmp(labels_name, "coarse") == 0;
    EEX_TRY(out_path(&path, coarse ? "cifar100-coarse" : name));
    int code = import_any(path, name, args.word[1]);
    if (code == EEX_OK)
        code = say_what_it_is(path);
    free(path);
    return code;
}

static int get_one(const eex_descriptor *what, bool force)
{
    char *path = NULL;
    const char *folder;
    eex_import_result result;
    EEX_TRY(use_folder(&folder));
    EEX_TRY(out_path(&path, what->name));
    int code = EEX_OK;
    if (!force && eex_fs_exists(path)) {
        eex_log_info("it is there already; --force makes it again");
    } else {
        code = eex_data_get(&result, what, folder, &folder_options);
        warn_of_broken(&result);
        eex_buffer_free(&result.broken_list);
    }
    if (code == EEX_OK)
        code = say_what_it_is(path);
    free(path);
    return code;
}

static int data_get(int argc, char **argv)
{
    static bool force;
    static const eex_option options[] = {
        FOLDER_OPTIONS,
        {.name = "force", .help = "also when it is there already", .flag = &force},
        DATA_OPTION,
        {.name = NULL}};
    static const eex_command command = {
        "data get",
        "NAME [options]",
        "Downloads a known data set (cifar10, cifar100, caltech101, caltech256, imagenette), "
        "checks\n"
        "and imports it. An interrupted download goes on where it stopped.",
        "Without a network: put the archive into DIR/downloads by hand and run the same command.",
        options,
        1,
        1};
    eex_arguments args;
    eex_descriptor what;
    EEX_TRY(eex_options_parse(&args, argc, argv, &command));
    if (args.help)
        return EEX_OK;
    EEX_TRY(finish_folder_options());
    if (strcmp(args.word[0], "synthetic") == 0)
        return eex_fail(EEX_EINVAL, "\"synthetic\" is made, not got: eex data make synthetic");
    int code = eex_descriptor_find(&what, args.word[0]);
    return code == EEX_OK ? get_one(&what, force) : code == EEX_ENOTFOUND ? EEX_EINVAL : code;
}

/* ---- make ---- */

static int data_make(int argc, char **argv)
{
    static int64_t train = EEX_SYNTHETIC_TRAIN, test = EEX_SYNTHETIC_TEST, seed;
    static const char *name;
    static const eex_option options[] = {{.name = "train",
                                          .value = "N",
                                          .help = "training images (default 20000)",
                                          .number = &train,
                                          .min = 1,
                                          .max = 100000000},
                                         {.name = "test",
                                          .value = "N",
                                          .help = "test images (default 4000)",
                                          .number = &test,
                                          .min = 0,
                                          .max = 100000000},
                                         {.name = "seed",
                                          .value = "N",
                                          .help = "another seed draws another set (default 0)",
                                          .number = &seed,
                                          .min = 0,
                                          .max = INT64_MAX},
                                         {.name = "name",
                                          .value = "NAME",
                                          .help = "what to call it (default synthetic)",
                                          .text = &name},
                                         DATA_OPTION,
                                         {.name = NULL}};
    static const eex_command command = {"data make",
                                        "synthetic [options]",
                                        "Draws the built-in data set: ten classes of shapes and "
                                        "textures in five levels of difficulty.",
                                        NULL,
                                        options,
                                        1,
                                        1};
    static const char *const known[] = {"synthetic"};
    eex_arguments args;
    char *path = NULL;
    EEX_TRY(eex_options_parse(&args, argc, argv, &command));
    if (args.help)
        return EEX_OK;
    if (strcmp(args.word[0], "synthetic") != 0)
        return eex_options_unknown("data set", args.word[0], known, 1);
    EEX_TRY(out_path(&path, name ? name : "synthetic"));
    int code = eex_synthetic_make(path, name ? name : "synthetic", (uint32_t)train, (uint32_t)test,
                                  (uint64_t)seed);
    if (code == EEX_OK)
        code = say_what_it_is(path);
    free(path);
    return code;
}

/* ---- info ---- */

static void count_classes(uint32_t *train, uint32_t *test, const eex_dataset *data)
{
    const eex_dataset_info *info = eex_dataset_facts(data);
    const int32_t *labels = eex_dataset_labels(data);
    for (uint32_t i = 0; i < info->samples; i++)
        (i < info->train ? train : test)[labels[i]]++;
}

static int info_json(const eex_dataset_info *info, const uint32_t *train, const uint32_t *test)
{
    eex_buffer text = EEX_BUFFER_INIT;
    eex_json json = EEX_JSON_INIT(&text);
    eex_json_object(&json, NULL);
    eex_json_string(&json, "name", info->name);
    eex_json_string(&json, "path", info->path);
    eex_json_uint(&json, "train", info->train);
    eex_json_uint(&json, "test", info->test);
    eex_json_int(&json, "height", info->height);
    eex_json_int(&json, "width", info->width);
    eex_json_int(&json, "channels", info->channels);
    eex_json_array(&json, "mean");
    for (int c = 0; c < info->channels; c++)
        eex_json_double(&json, NULL, info->mean[c]);
    eex_json_end(&json);
    eex_json_array(&json, "std");
    for (int c = 0; c < info->channels; c++)
        eex_json_double(&json, NULL, info->std[c]);
    eex_json_end(&json);
    eex_json_array(&json, "classes");
    for (int c = 0; c < info->classes; c++) {
        eex_json_object(&json, NULL);
        eex_json_string(&json, "name", info->class_names[c]);
        eex_json_uint(&json, "train", train[c]);
        eex_json_uint(&json, "test", test[c]);
        eex_json_end(&json);
    }
    eex_json_end(&json);
    eex_json_string(&json, "source", info->source);
    eex_json_end(&json);
    int code = eex_buffer_status(&text);
    if (code == EEX_OK)
        puts(eex_buffer_text(&text));
    eex_buffer_free(&text);
    return code;
}

static void print_channels(const char *what, const float *values, int channels)
{
    printf("%-8s", what);
    for (int c = 0; c < channels; c++)
        printf(" %.4f", (double)values[c]);
    printf("\n");
}

static int info_text(const eex_dataset_info *info, const uint32_t *train, const uint32_t *test)
{
    eex_table *table;
    printf("%s, %s\n", info->name, info->path);
    printf("images   %u training, %u test, %d x %d pixels, %s\n", info->train, info->test,
           info->width, info->height, info->channels == 3 ? "colour" : "grey");
    print_channels("mean", info->mean, info->channels);
    print_channels("std", info->std, info->channels);
    printf("source   %s\n", info->source);
    EEX_TRY(eex_table_new(&table));
    eex_table_column(table, "class", EEX_ALIGN_RIGHT, 3);
    eex_table_column(table, "name", EEX_ALIGN_LEFT, 3);
    eex_table_column(table, "train", EEX_ALIGN_RIGHT, 2);
    eex_table_column(table, "test", EEX_ALIGN_RIGHT, 1);
    for (int c = 0; c < info->classes; c++) {
        eex_table_row(table);
        eex_table_cell(table, "%d", c);
        eex_table_cell(table, "%s", info->class_names[c]);
        eex_table_cell(table, "%u", train[c]);
        eex_table_cell(table, "%u", test[c]);
    }
    int code = eex_table_print(stdout, table);
    eex_table_free(table);
    return code;
}

static int info_of(eex_dataset *data, bool json, const char *sheet)
{
    const eex_dataset_info *info = eex_dataset_facts(data);
    uint32_t *train = calloc((size_t)info->classes * 2, sizeof *train);
    if (!train)
        return eex_fail(EEX_ENOMEM, "out of memory");
    uint32_t *test = train + info->classes;
    count_classes(train, test, data);
    int code = json ? info_json(info, train, test) : info_text(info, train, test);
    free(train);
    if (code == EEX_OK && sheet)
        code = eex_dataset_sheet(sheet, data);
    return code;
}

static int data_info(int argc, char **argv)
{
    static bool json;
    static const char *sheet;
    static const eex_option options[] = {{.name = "json", .help = "print JSON", .flag = &json},
                                         {.name = "sheet",
                                          .value = "FILE.png",
                                          .help = "also write a picture of some of its images",
                                          .text = &sheet},
                                         DATA_OPTION,
                                         {.name = NULL}};
    static const eex_command command = {"data info",
                                        "NAME [--json] [--sheet FILE.png]",
                                        "Shows what a data set holds. NAME may also be a file.",
                                        NULL,
                                        options,
                                        1,
                                        1};
    eex_arguments args;
    eex_dataset *data;
    const char *folder;
    EEX_TRY(eex_options_parse(&args, argc, argv, &command));
    if (args.help)
        return EEX_OK;
    EEX_TRY(use_folder(&folder));
    EEX_TRY(eex_dataset_open(&data, args.word[0]));
    int code = info_of(data, json, sheet);
    eex_dataset_close(data);
    return code;
}

/* ---- eex data ---- */

static void help(void)
{
    printf(
        "usage: eex data COMMAND ...\n\n"
        "Data sets: images with labels, each in one HDF5 file in the data folder ($EEX_DATA, else\n"
        "~/.local/share/eex/data).\n\n"
        "  list                 what is in the data folder, and what can be got\n"
        "  get NAME             download, check and import a known data set\n"
        "  import NAME PATH     import CIFAR's binary files or a folder of images\n"
        "  make synthetic       draw the built-in data set\n"
        "  info NAME            sizes, classes, mean and deviation; --sheet FILE.png: a picture\n\n"
        "eex data COMMAND --help says more.\n");
}

int eex_cmd_data(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } commands[] = {{"list", data_list},
                    {"get", data_get},
                    {"import", data_import},
                    {"make", data_make},
                    {"info", data_info}};
    enum { COUNT = sizeof commands / sizeof *commands };
    const char *names[COUNT];
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
                     strcmp(argv[1], "help") == 0)) {
        help();
        return EEX_OK;
    }
    if (argc < 2)
        return eex_fail(EEX_EINVAL, "eex data needs a command: list, get, import, make or info");
    for (int i = 0; i < COUNT; i++) {
        names[i] = commands[i].name;
        if (strcmp(argv[1], names[i]) == 0)
            return commands[i].run(argc - 1, argv + 1);
    }
    return eex_options_unknown("command", argv[1], names, COUNT);
}
