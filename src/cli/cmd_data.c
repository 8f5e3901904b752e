#include "cli/cmd_data.h"

#include "cli/commands.h"
#include "core/data/dataset.h"
#include "core/data/get.h"
#include "core/data/import.h"
#include "core/data/synthetic.h"

#include "base/buffer.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/status.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BROKEN_SHOWN = 20 };

const char *eex__data_folder;

/* ---- shared ---- */

/* The data folder as the options have it, for this process and what it looks up later. */
int eex__data_use_folder(const char **out)
{
    if (eex__data_folder && setenv("EEX_DATA", eex__data_folder, 1) != 0)
        return eex_fail(EEX_ENOMEM, "out of memory");
    return eex_data_directory(out);
}

static int check_name(const char *name)
{
    size_t length = strlen(name);
    bool fine = length > 0 && length <= EEX__DATA_NAME && name[0] != '.' && name[0] != '-';
    for (size_t i = 0; i < length; i++)
        fine = fine && (isalnum((unsigned char)name[i]) || strchr("-_.", name[i]));
    if (!fine)
        return eex_fail(EEX_EINVAL,
                        "\"%s\" is no name for a data set: letters, digits, '-', '_' and "
                        "'.', at most %d",
                        name, EEX__DATA_NAME);
    return EEX_OK;
}

/* Makes the data folder and gives the path of a data set in it. */
static int out_path(char **out, const char *name)
{
    const char *folder;
    char file[EEX__DATA_NAME + 8];
    EEX_TRY(check_name(name));
    EEX_TRY(eex__data_use_folder(&folder));
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
        EEX__DATA_OPTION,
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
    EEX_TRY(eex__data_use_folder(&folder));
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
        EEX__DATA_OPTION,
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
                                         EEX__DATA_OPTION,
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
    } commands[] = {{"list", eex__data_list},
                    {"get", data_get},
                    {"import", data_import},
                    {"make", data_make},
                    {"info", eex__data_info}};
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
