#include "cli/cmd_data.h"
#include "core/data/dataset.h"
#include "core/data/descriptor.h"
#include "core/data/sheet.h"

#include "base/buffer.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/status.h"
#include "base/table.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

int eex__data_list(int argc, char **argv)
{
    static const eex_option options[] = {EEX__DATA_OPTION, {.name = NULL}};
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
    EEX_TRY(eex__data_use_folder(&folder));
    if (eex_fs_is_folder(folder))
        EEX_TRY(eex_fs_list(&names, folder));
    int code = list_table(folder, &names);
    eex_fs_names_free(&names);
    return code == EEX_OK ? list_missing(folder) : code;
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

int eex__data_info(int argc, char **argv)
{
    static bool json;
    static const char *sheet;
    static const eex_option options[] = {{.name = "json", .help = "print JSON", .flag = &json},
                                         {.name = "sheet",
                                          .value = "FILE.png",
                                          .help = "also write a picture of some of its images",
                                          .text = &sheet},
                                         EEX__DATA_OPTION,
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
    EEX_TRY(eex__data_use_folder(&folder));
    EEX_TRY(eex_dataset_open(&data, args.word[0]));
    int code = info_of(data, json, sheet);
    eex_dataset_close(data);
    return code;
}
