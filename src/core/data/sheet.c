#include "core/data/sheet.h"

#include "core/data/image.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 20, MAX_ROWS = 40, GAP = 2, BACKGROUND = 255 };

enum { LEVELS = 256 }; /* of difficulty, a byte */

/* Where the samples of each row have their places: by difficulty, where there is one, then in their
 * order. */
typedef struct order {
    size_t next[MAX_ROWS][LEVELS]; /* place of the next sample of that level */
    size_t count[MAX_ROWS];
} order;

static int level_of(const eex_dataset *data, uint32_t sample)
{
    const uint8_t *difficulty = eex_dataset_difficulty(data);
    return difficulty ? difficulty[sample] : 0;
}

static void find_order(order *o, const eex_dataset *data, int rows)
{
    const int32_t *labels = eex_dataset_labels(data);
    for (uint32_t i = 0; i < eex_dataset_facts(data)->train; i++)
        if (labels[i] < rows)
            o->next[labels[i]][level_of(data, i)]++;
    for (int row = 0; row < rows; row++)
        for (int l = 0; l < LEVELS; l++) {
            const size_t of_level = o->next[row][l];
            o->next[row][l] = o->count[row];
            o->count[row] += of_level;
        }
}

/* The column of the next sample of a row and level; -1: it is not shown. Those that are shown are
 * at even steps. */
static int column_of(order *o, int row, int level)
{
    const size_t at = o->next[row][level]++, count = o->count[row];
    const size_t shown = count < COLUMNS ? count : COLUMNS;
    const size_t column = (at * shown + count - 1) / count;
    return column < shown && column * count / shown == at ? (int)column : -1;
}

static void place(eex_image *sheet, const uint8_t *tile, const eex_dataset_info *info, int row,
                  int column)
{
    size_t bytes = (size_t)info->width * (size_t)info->channels;
    int x = GAP + column * (info->width + GAP), y = GAP + row * (info->height + GAP);
    for (int i = 0; i < info->height; i++)
        memcpy(sheet->pixels +
                   ((size_t)(y + i) * (size_t)sheet->width + (size_t)x) * (size_t)sheet->channels,
               tile + (size_t)i * bytes, bytes);
}

/* In the order of the file, so that what lies together is read once. */
static int fill(eex_image *sheet, order *o, uint8_t *tile, eex_dataset *data, int rows)
{
    const eex_dataset_info *info = eex_dataset_facts(data);
    const int32_t *labels = eex_dataset_labels(data);
    memset(sheet->pixels, BACKGROUND,
           (size_t)sheet->width * (size_t)sheet->height * (size_t)sheet->channels);
    find_order(o, data, rows);
    for (uint32_t i = 0; i < info->train; i++) {
        const int row = labels[i], column = row < rows ? column_of(o, row, level_of(data, i)) : -1;
        if (column < 0)
            continue;
        EEX_TRY(eex_dataset_gather(tile, data, &i, 1));
        place(sheet, tile, info, row, column);
    }
    return EEX_OK;
}

int eex_dataset_sheet(const char *path, eex_dataset *data)
{
    const eex_dataset_info *info = eex_dataset_facts(data);
    int rows = info->classes < MAX_ROWS ? info->classes : MAX_ROWS;
    eex_image sheet;
    EEX_TRY(eex_image_new(&sheet, COLUMNS * (info->width + GAP) + GAP,
                          rows * (info->height + GAP) + GAP, info->channels, path));
    order *o = calloc(1, sizeof *o);
    uint8_t *tile = malloc((size_t)info->width * (size_t)info->height * (size_t)info->channels);
    int code = o && tile ? fill(&sheet, o, tile, data, rows)
                         : eex_fail(EEX_ENOMEM, "%s: out of memory", path);
    if (code == EEX_OK)
        code = eex_image_write_png(path, &sheet);
    eex_image_free(&sheet);
    free(o);
    free(tile);
    return code;
}
