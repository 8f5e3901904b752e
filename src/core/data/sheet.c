#include "core/data/sheet.h"

#include "core/data/image.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 20, MAX_ROWS = 40, GAP = 2, BACKGROUND = 255 };

/* The training samples of a class, by difficulty where there is one. */
static size_t samples_of(uint32_t *out, const eex_dataset *data, int class)
{
    const eex_dataset_info *info = eex_dataset_facts(data);
    const int32_t *labels = eex_dataset_labels(data);
    const uint8_t *difficulty = eex_dataset_difficulty(data);
    size_t count = 0;
    for (int level = 0; level < (difficulty ? 256 : 1); level++)
        for (uint32_t i = 0; i < info->train; i++)
            if (labels[i] == class && (!difficulty || difficulty[i] == level))
                out[count++] = i;
    return count;
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

static int fill(eex_image *sheet, uint32_t *samples, uint8_t *tile, eex_dataset *data, int rows)
{
    const eex_dataset_info *info = eex_dataset_facts(data);
    memset(sheet->pixels, BACKGROUND,
           (size_t)sheet->width * (size_t)sheet->height * (size_t)sheet->channels);
    for (int row = 0; row < rows; row++) {
        size_t count = samples_of(samples, data, row);
        size_t shown = count < COLUMNS ? count : COLUMNS;
        for (size_t k = 0; k < shown; k++) {
            EEX_TRY(eex_dataset_gather(tile, data, &samples[k * count / shown], 1));
            place(sheet, tile, info, row, (int)k);
        }
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
    uint32_t *samples = malloc(info->train * sizeof *samples);
    uint8_t *tile = malloc((size_t)info->width * (size_t)info->height * (size_t)info->channels);
    int code = samples && tile ? fill(&sheet, samples, tile, data, rows)
                               : eex_fail(EEX_ENOMEM, "%s: out of memory", path);
    if (code == EEX_OK)
        code = eex_image_write_png(path, &sheet);
    eex_image_free(&sheet);
    free(samples);
    free(tile);
    return code;
}
