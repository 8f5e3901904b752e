/* eex data: the group, and what its commands share. */
#include "cli/cmd_data.h"

#include "cli/commands.h"
#include "cli/out_file.h"
#include "cli/print.h"
#include "core/data/dataset.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/status.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINES_SHOWN = 20, ALIKE_SHOWN = 5 };

int eex__data_import_options(eex_import_folder_options *out, const eex__import_options *o)
{
    *out = (eex_import_folder_options){.size = (int)o->size,
                                       .grey = o->grey,
                                       .background = o->background,
                                       .test = o->test > 0    ? o->test
                                               : o->test == 0 ? EEX_IMPORT_NO_TEST
                                                              : 0,
                                       .seed = o->seed > 0 ? (uint64_t)o->seed : 0};
    return eex_parse_fit(&out->fit, o->fit);
}

int eex__data_refuse_options(const eex__import_options *o, const char *name)
{
    const struct {
        const char *name;
        bool given;
    } options[] = {{"--size", o->size > 0},    {"--fit", o->fit != NULL},
                   {"--grey", o->grey},        {"--background", o->background},
                   {"--test", o->test >= 0.0}, {"--seed", o->seed >= 0}};
    char list[80] = "";
    size_t length = 0;
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (options[i].given)
            length += (size_t)snprintf(list + length, sizeof list - length, "%s%s",
                                       length ? ", " : "", options[i].name);
    if (!length)
        return EEX_OK;
    return eex_fail(EEX_EINVAL,
                    "%s: %s cannot be followed: its files hold colour images of 32 x 32 and a test "
                    "part of their own, which are taken as they are",
                    name, list);
}

int eex__data_use_folder(const char **out, const char *data)
{
    if (data && setenv("EEX_DATA", data, 1) != 0)
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
    if (length > 3 && strcmp(name + length - 3, ".h5") == 0)
        return eex_fail(EEX_EINVAL,
                        "\"%s\" is no name for a data set: where one is named, what ends with .h5 "
                        "is taken for the path of a file: leave the ending out, \"%.*s\"",
                        name, (int)length - 3, name);
    return EEX_OK;
}

int eex__data_path(char **out, const char *data, const char *name, bool replace)
{
    const char *folder;
    char file[EEX__DATA_NAME + 8];
    EEX_TRY(check_name(name));
    EEX_TRY(eex__data_use_folder(&folder, data));
    EEX_TRY(eex_fs_make_folder(folder));
    snprintf(file, sizeof file, "%s.h5", name);
    EEX_TRY(eex_path_join(out, folder, file));
    int code = eex_check_kind(*out, "dataset", NULL);
    if (code == EEX_OK && !replace && eex_fs_exists(*out))
        code =
            eex_fail(EEX_EINVAL,
                     "data set \"%s\" is there already, in %s: --force replaces it, another name "
                     "keeps both",
                     name, *out);
    if (code < 0) {
        free(*out);
        *out = NULL;
    }
    return code;
}

int eex__data_say(const char *path)
{
    eex_dataset *data;
    EEX_TRY(eex_dataset_open(&data, path));
    const eex_dataset_info *info = eex_dataset_facts(data);
    char validation[40] = "";
    if (info->validation)
        snprintf(validation, sizeof validation, ", %u validation", info->validation);
    eex__print_line("%s: %u training%s and %u test images of %d x %d in %d classes, in %s",
                    info->name, info->train, validation, info->test, info->width, info->height,
                    info->classes, info->path);
    eex_dataset_close(data);
    return EEX_OK;
}

/* The first lines of a list, each a warning; `what` says what the others are. */
static void warn_of_first(const char *list, size_t count, size_t shown, const char *what)
{
    for (size_t i = 0; i < count && i < shown && *list; i++) {
        int length = (int)strcspn(list, "\n");
        eex_log_warn("%.*s", length, list);
        list += length + (list[length] == '\n');
    }
    if (count > shown)
        eex_log_warn("and %zu more%s", count - shown, what);
}

static void warn_of_each(const char *list, size_t count)
{
    warn_of_first(list, count, LINES_SHOWN, "");
}

static void warn_of_passed(const eex_import_result *result)
{
    const char *list = eex_buffer_text(&result->passed_list);
    size_t lines = 0;
    for (const char *at = list; *at; at++)
        lines += *at == '\n';
    eex_log_warn("%zu %s not in the data set:", result->passed,
                 result->passed == 1 ? "thing that is there is" : "things that are there are");
    warn_of_each(list, lines);
}

static void warn_of_broken(const eex_import_result *result)
{
    warn_of_each(eex_buffer_text(&result->broken_list), result->broken);
    eex_log_warn("%zu of %zu files could not be read and were left out", result->broken,
                 result->broken + result->images);
}

void eex__data_close_result(eex_import_result *result)
{
    if (result->doubt.size)
        eex_log_warn("%s", eex_buffer_text(&result->doubt));
    if (result->untrained)
        eex_log_warn("%zu of %zu classes have no training image: %s", result->untrained,
                     result->classes, eex_buffer_text(&result->untrained_list));
    warn_of_each(eex_buffer_text(&result->emptied_list), EEX_PARTS);
    if (result->alike)
        warn_of_first(eex_buffer_text(&result->alike_list), result->alike, ALIKE_SHOWN,
                      result->alike == ALIKE_SHOWN + 1 ? " such group" : " such groups");
    if (result->several)
        eex_log_warn("%zu of %zu images have several pages or frames: the first of each was taken",
                     result->several, result->images);
    if (result->passed)
        warn_of_passed(result);
    if (result->broken)
        warn_of_broken(result);
    eex_import_result_free(result);
}

static const eex_cmd *const commands[] = {
    &eex__data_list, &eex__data_get, &eex__data_import, &eex__data_make, &eex__data_info, NULL,
};

const eex_cmd eex_cmd_data = {
    .name = "data",
    .brief = "list, get, import, make and inspect data sets",
    .summary =
        "Data sets: images with labels, each in one HDF5 file in the data folder ($EEX_DATA, else\n"
        "~/.local/share/eex/data).",
    .commands = commands,
};
