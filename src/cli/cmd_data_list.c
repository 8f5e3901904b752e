/* eex data list: what is in the data folder, and what is not. */
#include "cli/cmd_data.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "core/data/dataset.h"
#include "core/data/descriptor.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/status.h"
#include "base/table.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct arguments {
    const char *data;
} arguments;

static const eex_option options[] = {
    EEX__DATA_FOLDER(data),
    {0},
};

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
    char *path = NULL, file[EEX__DATA_NAME + 8];
    snprintf(file, sizeof file, "%.*s.h5", EEX__DATA_NAME, name);
    bool there = eex_path_join(&path, folder, file) == EEX_OK && eex_fs_exists(path);
    free(path);
    return there;
}

static int list_missing(const char *folder)
{
    eex_descriptor *known;
    int count;
    EEX_TRY(eex_descriptor_list(&known, &count));
    putchar('\n');
    eex__print_line("not in %s:", folder);
    if (!is_there(folder, "synthetic"))
        eex__print_line("  eex data make synthetic     the built-in set: drawn, no download");
    for (int i = 0; i < count; i++)
        if (!is_there(folder, known[i].name)) {
            char text[EEX_TEXT_SIZE];
            eex__print_line("  eex data get %-14s %s, %s", known[i].name, known[i].title,
                            eex_text_number(text, (double)known[i].size, "B"));
        }
    free(known);
    return EEX_OK;
}

static int run(const void *given, const eex_words *words)
{
    const arguments *a = given;
    eex_fs_names names = {NULL, 0};
    const char *folder;
    EEX_TRY(eex__data_use_folder(&folder, a->data));
    if (eex_fs_is_folder(folder))
        EEX_TRY(eex_fs_list(&names, folder));
    int code = list_table(folder, &names);
    eex_fs_names_free(&names);
    return code == EEX_OK ? list_missing(folder) : code;
}

const eex_cmd eex__data_list = {
    .name = "data list",
    .brief = "what is in the data folder, and what can be got",
    .synopsis = "[--data DIR]",
    .summary = "Lists the data sets in the data folder, and those that can be got.",
    .takes = {sizeof(arguments), NULL, options},
    .run = run,
};
