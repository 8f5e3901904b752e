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

static const arguments defaults = {.import = EEX__IMPORT_DEFAULTS};

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

static bool is_named(const eex_words *words, const char *name)
{
    return strcmp(words->at[0], name) == 0;
}

/* What the files of that name leave open. */
static int check_options(bool *coarse, const arguments *a, const eex_words *words)
{
    static const char *const kinds[] = {"fine", "coarse"};
    int kind = 0;
    if (a->labels)
        EEX_TRY(eex_options_choice(&kind, "labels", a->labels, kinds, 2));
    *coarse = kind;
    if (a->labels && !is_named(words, "cifar100"))
        return eex_fail(EEX_EINVAL, "--labels %s is for cifar100 alone", a->labels);
    return is_named(words, "cifar10") || is_named(words, "cifar100")
               ? eex__data_refuse_options(&a->import, words->at[0])
               : EEX_OK;
}

static int import_any(const char *path, const eex_words *words, bool coarse,
                      const eex_import_folder_options *how)
{
    const char *name = words->at[0], *from = words->at[1];
    if (is_named(words, "cifar10"))
        return eex_import_cifar10(path, name, from);
    if (is_named(words, "cifar100"))
        return eex_import_cifar100(path, coarse ? coarse_name : name, from, coarse);
    return import_folder(path, name, from, how);
}

static int run(const void *given, const eex_words *words)
{
    const arguments *a = given;
    bool coarse;
    eex_import_folder_options how;
    char *path = NULL;
    EEX_TRY(eex__data_import_options(&how, &a->import));
    EEX_TRY(check_options(&coarse, a, words));
    EEX_TRY(eex__data_path(&path, a->data, coarse ? coarse_name : words->at[0], a->force));
    int code = eex_fs_try(path);
    if (code == EEX_OK)
        code = import_any(path, words, coarse, &how);
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
