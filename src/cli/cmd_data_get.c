/* eex data get: a known data set from its server. */
#include "cli/cmd_data.h"
#include "cli/commands.h"
#include "core/data/get.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

typedef struct arguments {
    const char *data;
    bool force;
    eex__import_options import;
} arguments;

static const arguments defaults = {.import = EEX__IMPORT_DEFAULTS};

static const eex_option options[] = {
    EEX__IMPORT_OPTIONS(import),
    EEX_FLAG("force", force, "also when it is there already"),
    EEX__DATA_FOLDER(data),
    {0},
};

static int fetch(const eex_descriptor *what, const arguments *a,
                 const eex_import_folder_options *how)
{
    const char *folder;
    eex_import_result result;
    EEX_TRY(eex__data_use_folder(&folder, a->data));
    int code = eex_data_get(&result, what, folder, how);
    eex__data_close_result(&result);
    return code;
}

static int get_one(const eex_descriptor *what, const arguments *a,
                   const eex_import_folder_options *how)
{
    char *path = NULL;
    EEX_TRY(eex__data_path(&path, a->data, what->name, true));
    int code = EEX_OK;
    if (!a->force && eex_fs_exists(path))
        eex_log_info("it is there already; --force makes it again");
    else
        code = fetch(what, a, how);
    if (code == EEX_OK)
        code = eex__data_say(path);
    free(path);
    return code;
}

static int run(const void *given, const eex_words *words)
{
    const arguments *a = given;
    eex_import_folder_options how;
    eex_descriptor what;
    EEX_TRY(eex__data_import_options(&how, &a->import));
    if (strcmp(words->at[0], "synthetic") == 0)
        return eex_fail(EEX_EINVAL, "\"synthetic\" is made, not got: eex data make synthetic");
    int code = eex_descriptor_find(&what, words->at[0]);
    if (code == EEX_OK && strcmp(what.layout, "folder") != 0)
        EEX_TRY(eex__data_refuse_options(&a->import, what.name));
    return code == EEX_OK ? get_one(&what, a, &how) : code == EEX_ENOTFOUND ? EEX_EINVAL : code;
}

const eex_cmd eex__data_get = {
    .name = "data get",
    .brief = "download, check and import a known data set",
    .synopsis = "NAME [options]",
    .summary = "Downloads a known data set (cifar10, cifar100, caltech101, caltech256, "
               "imagenette), checks\n"
               "and imports it. An interrupted download goes on where it stopped.",
    .details =
        "Without a network: put the archive into DIR/downloads by hand and run the same command.",
    .words = {1, 1},
    .takes = {sizeof(arguments), &defaults, options},
    .run = run,
};
