/* eex data import: files that are there become a data set. */
#include "cli/cmd_data.h"
#include "cli/commands.h"

#include "base/fs.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

static const char coarse_name[] = "cifar100-coarse"; /* cifar100 by its 20 superclasses */

typedef struct arguments {
    const char *data, *labels;
    bool force;
    eex__import_options import;
} arguments;

static const arguments defaults = {.labels = "fine", .import = EEX__IMPORT_DEFAULTS};

static const eex_option options[] = {
    EEX__IMPORT_OPTIONS(import),
    EEX_TEXT("labels", "KIND", labels,
             "cifar100: fine (default; both are kept) or coarse, as cifar100-coarse"),
    EEX__DATA_FORCE(force),
    EEX__DATA_FOLDER(data),
    {0},
};

static int import_folder(const char *path, const char *name, const char *from,
                         const eex_import_folder_options *how)
{
    eex_import_result result;
    int code = eex_import_folder(&result, path, name, from, how);
    eex__data_close_result(&result);
    return code;
}

static int import_any(const char *path, const arguments *a, const eex_words *words,
                      const eex_import_folder_options *how)
{
    static const char *const kinds[] = {"fine", "coarse"};
    const char *name = words->at[0], *from = words->at[1];
    int coarse;
    EEX_TRY(eex_options_choice(&coarse, "labels", a->labels, kinds, 2));
    if (coarse && strcmp(name, "cifar100") != 0)
        return eex_fail(EEX_EINVAL, "--labels coarse is for cifar100 alone");
    if (strcmp(name, "cifar10") == 0)
        return eex_import_cifar10(path, name, from);
    if (strcmp(name, "cifar100") == 0)
        return eex_import_cifar100(path, coarse ? coarse_name : name, from, coarse);
    return import_folder(path, name, from, how);
}

static int run(const void *given, const eex_words *words)
{
    const arguments *a = given;
    const char *name = words->at[0];
    const bool coarse = strcmp(name, "cifar100") == 0 && strcmp(a->labels, "coarse") == 0;
    eex_import_folder_options how;
    char *path = NULL;
    EEX_TRY(eex__data_import_options(&how, &a->import));
    EEX_TRY(eex__data_path(&path, a->data, coarse ? coarse_name : name, a->force));
    int code = eex_fs_try(path);
    if (code == EEX_OK)
        code = import_any(path, a, words, &how);
    if (code == EEX_OK)
        code = eex__data_say(path);
    free(path);
    return code;
}

const eex_cmd eex__data_import = {
    .name = "data import",
    .brief = "import CIFAR's binary files or a folder of images",
    .synopsis = "NAME PATH [options]",
    .summary = "Imports files that you have. NAME cifar10 or cifar100: the official binary files "
               "in PATH.\n"
               "Any other NAME: a folder of JPEG, PNG, WebP or TIFF images, one folder for each\n"
               "class.",
    .details =
        "PATH/train with PATH/val (or valid, dev) and PATH/test (or eval) keeps that split; other\n"
        "folders that look like parts are refused or told of. PATH/101_ObjectCategories and the\n"
        "like are found. Whatever is not in the data set is listed, with the reason. Names of\n"
        "classes are UTF-8; those that differ only in letter case, blanks or how accents are "
        "stored\n"
        "are classes of their own, with a warning. Of several pages or frames of a file the first "
        "is\n"
        "taken, and a warning counts such files.",
    .words = {2, 2},
    .takes = {sizeof(arguments), &defaults, options},
    .run = run,
};
