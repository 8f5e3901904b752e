/* eex data info: what a data set holds. */
#include "cli/cmd_data.h"
#include "cli/commands.h"
#include "cli/out_file.h"
#include "cli/print.h"
#include "core/data/dataset.h"
#include "core/data/sheet.h"

#include "base/buffer.h"
#include "base/json.h"
#include "base/status.h"
#include "base/table.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct arguments {
    const char *data, *sheet;
    bool json, force;
} arguments;

static const eex_option options[] = {
    EEX_FLAG("json", json, "print JSON"),
    EEX_WRITES("sheet", "FILE.png", sheet, "also write a picture of some of its images"),
    EEX_FLAG("force", force, "replace a picture that is there"),
    EEX__DATA_FOLDER(data),
    {0},
};

/* Images of each class in each part: (parts, classes). */
static void count_classes(uint32_t *counts, const eex_dataset *data)
{
    const eex_dataset_info *info = eex_dataset_facts(data);
    const int32_t *labels = eex_dataset_labels(data);
    for (int p = 0; p < EEX_PARTS; p++) {
        uint32_t first, count;
        eex_dataset_part(&first, &count, data, (eex_part)p);
        for (uint32_t i = first; i < first + count; i++)
            counts[p * info->classes + labels[i]]++;
    }
}

static int info_json(const eex_dataset_info *info, const uint32_t *counts)
{
    eex_buffer text = EEX_BUFFER_INIT;
    eex_json json = EEX_JSON_INIT(&text);
    eex_json_object(&json, NULL);
    eex_json_string(&json, "name", info->name);
    eex_json_string(&json, "path", info->path);
    eex_json_uint(&json, "train", info->train);
    eex_json_uint(&json, "validation", info->validation);
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
        eex_json_double(&json, NULL, info->deviation[c]);
    eex_json_end(&json);
    eex_json_array(&json, "classes");
    for (int c = 0; c < info->classes; c++) {
        eex_json_object(&json, NULL);
        eex_json_string(&json, "name", info->class_names[c]);
        for (int p = 0; p < EEX_PARTS; p++)
            eex_json_uint(&json, eex_part_name((eex_part)p), counts[p * info->classes + c]);
        eex_json_end(&json);
    }
    eex_json_end(&json);
    eex_json_string(&json, "source", info->source);
    eex_json_end(&json);
    eex_buffer_putc(&text, '\n');
    return eex__print_text(&text, EEX_OK);
}

static void put_channels(eex_buffer *out, const char *what, const float *values, int channels)
{
    eex_buffer_printf(out, "%-8s", what);
    for (int c = 0; c < channels; c++)
        eex_buffer_printf(out, " %.4f", (double)values[c]);
    eex_buffer_putc(out, '\n');
}

static int print_sizes(const eex_dataset_info *info)
{
    eex_buffer out = EEX_BUFFER_INIT;
    eex_buffer_printf(&out, "images   %u training, ", info->train);
    if (info->validation)
        eex_buffer_printf(&out, "%u validation, ", info->validation);
    eex_buffer_printf(&out, "%u test, %d x %d pixels, %s\n", info->test, info->width, info->height,
                      info->channels == 3 ? "colour" : "grey");
    put_channels(&out, "mean", info->mean, info->channels);
    put_channels(&out, "std", info->deviation, info->channels);
    return eex__print_report(&out, EEX_OK);
}

/* Of several lines. */
static int print_source(const eex_dataset_info *info)
{
    eex_buffer out = EEX_BUFFER_INIT;
    eex_buffer_printf(&out, "source   %s\n", info->source);
    return eex__print_report(&out, EEX_OK);
}

static int info_text(const eex_dataset_info *info, const uint32_t *counts)
{
    eex_table *table;
    eex__print_line("%s, %s", info->name, info->path);
    EEX_TRY(print_sizes(info));
    EEX_TRY(print_source(info));
    EEX_TRY(eex_table_new(&table));
    eex_table_column(table, "class", EEX_ALIGN_RIGHT, 3);
    eex_table_column(table, "name", EEX_ALIGN_LEFT, 3);
    eex_table_column(table, "train", EEX_ALIGN_RIGHT, 2);
    if (info->validation)
        eex_table_column(table, "validation", EEX_ALIGN_RIGHT, 1);
    eex_table_column(table, "test", EEX_ALIGN_RIGHT, 1);
    for (int c = 0; c < info->classes; c++) {
        eex_table_row(table);
        eex_table_cell(table, "%d", c);
        eex_table_cell(table, "%s", info->class_names[c]);
        for (int p = 0; p < EEX_PARTS; p++)
            if (p != EEX_PART_VALIDATION || info->validation)
                eex_table_cell(table, "%u", counts[p * info->classes + c]);
    }
    return eex__print_table(table);
}

static int info_of(eex_dataset *data, const arguments *a)
{
    const eex_dataset_info *info = eex_dataset_facts(data);
    uint32_t *counts = calloc((size_t)info->classes * EEX_PARTS, sizeof *counts);
    if (!counts)
        return eex_fail(EEX_ENOMEM, "out of memory for %d classes", info->classes);
    count_classes(counts, data);
    int code = a->json ? info_json(info, counts) : info_text(info, counts);
    free(counts);
    return code == EEX_OK && a->sheet ? eex_dataset_sheet(a->sheet, data) : code;
}

static int run(const void *given, const eex_words *words)
{
    const arguments *a = given;
    eex_dataset *data;
    const char *folder;
    EEX_TRY(eex__data_use_folder(&folder, a->data));
    EEX_TRY(eex_dataset_open(&data, words->at[0]));
    int code = eex_check_out(a->sheet, a->force, NULL, NULL);
    if (code == EEX_OK)
        code = info_of(data, a);
    eex_dataset_close(data);
    return code;
}

const eex_cmd eex__data_info = {
    .name = "data info",
    .brief = "sizes, classes, mean and deviation; --sheet FILE.png: a picture",
    .synopsis = "NAME [options]",
    .summary = "Shows what a data set holds. NAME may also be a file.",
    .words = {1, 1},
    .takes = {sizeof(arguments), NULL, options},
    .run = run,
};
