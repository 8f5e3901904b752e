#include "core/data/dataset_write.h"
#include "core/data/image.h"
#include "core/data/import_layout.h"

#include "base/fs.h"
#include "base/progress.h"
#include "base/rng.h"
#include "base/sha256.h"
#include "base/signals.h"
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_SIZE = 32, HOLD_OUT_STREAM = 0x7e57 };

typedef struct job {
    eex_import_folder_options options;
    eex_import_result *result;
    eex_import_layout layout;
    eex_dataset_writer *writer;
    uint8_t *image; /* one, resized */
    eex_sha256 sha;
} job;

void eex_import_result_free(eex_import_result *result)
{
    eex_buffer_free(&result->broken_list);
    eex_buffer_free(&result->passed_list);
    eex_buffer_free(&result->untrained_list);
    *result = (eex_import_result){0};
}

/* ---- held out ---- */

/* Marks a seeded share of a class's images as test images. A class of two or more keeps at least
 * one in each part. */
static int hold_out_class(job *j, size_t first, size_t count, size_t label)
{
    double share = j->options.test > 0 ? j->options.test : 0.2;
    size_t wanted = (size_t)((double)count * share + 0.5);
    if (wanted == 0 && count > 1)
        wanted = 1;
    if (wanted >= count)
        wanted = count ? count - 1 : 0;
    uint32_t *order = malloc((count ? count : 1) * sizeof *order);
    if (!order)
        return eex_fail(EEX_ENOMEM, "out of memory, cannot hold out test images");
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)i;
    eex_rng rng;
    eex_rng_seed(&rng, eex_rng_hash(j->options.seed, HOLD_OUT_STREAM, label), HOLD_OUT_STREAM);
    eex_rng_shuffle(&rng, order, count);
    for (size_t i = 0; i < wanted; i++)
        j->layout.files[first + order[i]].part = EEX_PART_TEST;
    free(order);
    return EEX_OK;
}

/* Where there are no test images, some of the others become them. */
static int hold_out(job *j)
{
    const eex_import_layout *l = &j->layout;
    size_t first = 0;
    if (l->part_count[EEX_PART_TEST] || j->options.test < 0)
        return EEX_OK;
    for (size_t label = 0; label < l->class_count; label++) {
        size_t end = first;
        while (end < l->file_count && l->files[end].label == (int32_t)label)
            end++;
        EEX_TRY(hold_out_class(j, first, end - first, label));
        first = end;
    }
    return EEX_OK;
}

/* ---- reading ---- */

static int read_image(job *j, const eex_import_file *e)
{
    char *data = NULL;
    size_t bytes = 0;
    int size = j->options.size, channels = j->options.grey ? 1 : 3;
    eex_image image = {0, 0, 0, NULL};
    int code = eex_fs_read(&data, &bytes, e->path, EEX_IMAGE_MAX_BYTES);
    if (code == EEX_OK) {
        eex_sha256_update(&j->sha, data, bytes);
        code = eex_image_decode(&image, data, bytes, 4 * size, e->path);
    }
    if (code == EEX_OK)
        code = eex_image_resize(j->image, size, size, channels, &image, j->options.fit);
    eex_image_free(&image);
    free(data);
    return code;
}

/* A file that cannot be read is noted and left out; running out of memory is no fault of a file. */
static int import_entry(job *j, const eex_import_file *e)
{
    int code = read_image(j, e);
    if (code == EEX_ENOMEM || code == EEX_EINTERRUPTED)
        return code;
    if (code < 0) {
        j->result->broken++;
        eex_buffer_printf(&j->result->broken_list, "%s\n", eex_error());
        return EEX_OK;
    }
    j->result->images++;
    const eex_samples sample = {.count = 1, .images = j->image, .labels = &e->label};
    return eex_dataset_append(j->writer, e->part, &sample);
}

static int import_all(job *j)
{
    eex_progress_begin("importing", j->layout.file_count, "images");
    int code = EEX_OK;
    for (size_t i = 0; i < j->layout.file_count && code == EEX_OK; i++) {
        code = eex_interrupted() ? eex_fail(EEX_EINTERRUPTED, "import interrupted")
                                 : import_entry(j, &j->layout.files[i]);
        eex_progress_update(i + 1, j->result->broken ? "%zu broken" : NULL, j->result->broken);
    }
    eex_progress_end();
    if (code == EEX_OK && j->result->images == 0)
        code = eex_fail(EEX_EFORMAT, "none of the %zu image files could be read; the first: %.*s",
                        j->layout.file_count,
                        (int)strcspn(eex_buffer_text(&j->result->broken_list), "\n"),
                        eex_buffer_text(&j->result->broken_list));
    return code;
}

static int finish(job *j, const char *folder)
{
    char source[600], hex[EEX_SHA256_HEX];
    eex_sha256_end_hex(&j->sha, hex);
    snprintf(
        source, sizeof source,
        "image folder %.200s: %zu images, %zu broken files left out; %s to %d x %d; test images: "
        "%s\nSHA-256 of all files, one after the other: %s\n",
        eex_path_base(folder), j->result->images, j->result->broken,
        j->options.fit == EEX_FIT_CROP ? "centre cropped" : "squashed", j->options.size,
        j->options.size,
        j->layout.folder[EEX_PART_TEST] ? "a folder of their own"
        : j->options.test < 0           ? "none"
                                        : "held out",
        hex);
    return eex_dataset_finish(&j->writer, source);
}

static int run(job *j, const char *out_path, const char *name, const char *folder)
{
    const eex_import_layout *l = &j->layout;
    EEX_TRY(eex_import_layout_find(&j->layout, folder));
    eex_import_layout_say(j->result, l);
    EEX_TRY(hold_out(j));
    size_t side = (size_t)j->options.size;
    j->result->classes = l->class_count;
    j->image = eex_arena_alloc(&j->layout.arena, side * side * 3);
    if (!j->image)
        return EEX_ENOMEM;
    const eex_dataset_spec spec = {.name = name,
                                   .height = j->options.size,
                                   .width = j->options.size,
                                   .channels = j->options.grey ? 1 : 3,
                                   .classes = l->classes,
                                   .class_count = l->class_count};
    EEX_TRY(eex_dataset_create(&j->writer, out_path, &spec));
    eex_sha256_begin(&j->sha);
    EEX_TRY(import_all(j));
    EEX_TRY(finish(j, folder));
    EEX_TRY(eex_buffer_status(&j->result->broken_list));
    EEX_TRY(eex_buffer_status(&j->result->untrained_list));
    return eex_buffer_status(&j->result->passed_list);
}

int eex_import_folder(eex_import_result *result, const char *out_path, const char *name,
                      const char *folder, const eex_import_folder_options *options)
{
    job j = {.options = *options, .result = result, .layout.background = options->background};
    *result = (eex_import_result){0};
    if (j.options.size == 0)
        j.options.size = DEFAULT_SIZE;
    int code = run(&j, out_path, name, folder);
    eex_dataset_abandon(j.writer);
    eex_import_layout_free(&j.layout);
    return code;
}
