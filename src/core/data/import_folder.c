#include "core/data/dataset_write.h"
#include "core/data/image.h"
#include "core/data/import_layout.h"

#include "base/fs.h"
#include "base/progress.h"
#include "base/rng.h"
#include "base/sha256.h"
#include "base/signals.h"
#include "base/spelling.h"
#include "base/status.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_SIZE = 32, HOLD_OUT_STREAM = 0x7e57, NAME_SHOWN = 201 };

/* The last image of a part that was read, not yet appended: what it is may still change. */
typedef struct last_read {
    uint8_t *image;
    bool there;
} last_read;

typedef struct job {
    eex_import_folder_options options;
    eex_import_result *result;
    eex_import_layout layout;
    eex_dataset_writer *writer;
    uint8_t *image; /* one, resized */
    eex_sha256 sha;
    bool held_out;                         /* test images were, of the others */
    last_read last[EEX_PARTS];             /* of a class of which some are held out */
    size_t done[EEX_PARTS], of[EEX_PARTS]; /* images in the data set, and those of this class */
} job;

void eex_import_result_free(eex_import_result *result)
{
    eex_buffer_free(&result->broken_list);
    eex_buffer_free(&result->passed_list);
    eex_buffer_free(&result->doubt);
    eex_buffer_free(&result->untrained_list);
    eex_buffer_free(&result->emptied_list);
    eex_buffer_free(&result->alike_list);
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
    j->layout.part_count[EEX_PART_TEST] += wanted;
    j->layout.part_count[EEX_PART_TRAIN] -= wanted;
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
    j->held_out = true;
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
    if (code == EEX_OK && eex_image_count(data, bytes) > 1)
        j->result->several++;
    if (code == EEX_OK)
        code = eex_image_resize(j->image, size, size, channels, &image, j->options.fit);
    eex_image_free(&image);
    free(data);
    return code;
}

/* ---- into the data set ---- */

static int append(job *j, eex_part part, int32_t label, const uint8_t *image)
{
    const eex_samples sample = {.count = 1, .images = image, .labels = &label};
    j->done[part]++;
    j->of[part]++;
    return eex_dataset_append(j->writer, part, &sample);
}

/* Appends a part's last image, if there is one: to that part, or to another. */
static int append_last(job *j, eex_part from, eex_part to, int32_t label)
{
    if (!j->last[from].there)
        return EEX_OK;
    j->last[from].there = false;
    return append(j, to, label, j->last[from].image);
}

/* Appends the image that was read, or where some are held out the one before it, so that the last
 * of each part can go where there is none. */
static int take_image(job *j, const eex_import_file *e)
{
    last_read *last = &j->last[e->part];
    if (!j->held_out)
        return append(j, e->part, e->label, j->image);
    EEX_TRY(append_last(j, e->part, e->part, e->label));
    uint8_t *before = last->image;
    *last = (last_read){j->image, true};
    j->image = before;
    return EEX_OK;
}

/* Which images are held out was drawn before it was known which can be read. One that can is for
 * training, two or more are in both parts. */
static int end_class(job *j, int32_t label)
{
    const bool train = j->last[EEX_PART_TRAIN].there, test = j->last[EEX_PART_TEST].there;
    const bool lacks_train = test && !train, lacks_test = train && !test && j->of[EEX_PART_TRAIN];
    EEX_TRY(append_last(j, EEX_PART_TRAIN, lacks_test ? EEX_PART_TEST : EEX_PART_TRAIN, label));
    EEX_TRY(append_last(j, EEX_PART_TEST, lacks_train ? EEX_PART_TRAIN : EEX_PART_TEST, label));
    if (j->of[EEX_PART_TRAIN] == 0) {
        eex_buffer_puts(&j->result->untrained_list, j->result->untrained++ ? ", " : "");
        eex_spelling_escape(&j->result->untrained_list, j->layout.classes[label]);
    }
    memset(j->of, 0, sizeof j->of);
    return EEX_OK;
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
    return take_image(j, e);
}

static int import_file(job *j, size_t i)
{
    const eex_import_layout *l = &j->layout;
    const eex_import_file *e = &l->files[i];
    if (eex_interrupted())
        return eex_fail(EEX_EINTERRUPTED, "import interrupted");
    EEX_TRY(import_entry(j, e));
    const bool ends = i + 1 == l->file_count || l->files[i + 1].label != e->label;
    return ends ? end_class(j, e->label) : EEX_OK;
}

static int fail_unread(const job *j, size_t count, const char *kind)
{
    const char *list = eex_buffer_text(&j->result->broken_list);
    return eex_fail(EEX_EFORMAT, "none of the %zu %s could be read; the first: %.*s", count, kind,
                    (int)strcspn(list, "\n"), list);
}

/* Of each part that was there, something has to be left: to train with in any case. */
static int check_parts(job *j)
{
    static const char *const names[EEX_PARTS] = {[EEX_PART_TRAIN] = "training",
                                                 [EEX_PART_VALIDATION] = "validation",
                                                 [EEX_PART_TEST] = "test"};
    const size_t *count = j->layout.part_count;
    if (j->result->images == 0)
        return fail_unread(j, j->layout.file_count, "image files");
    if (j->done[EEX_PART_TRAIN] == 0)
        return fail_unread(j, count[EEX_PART_TRAIN], "training images");
    for (int p = 0; p < EEX_PARTS; p++)
        if (count[p] && j->done[p] == 0)
            eex_buffer_printf(&j->result->emptied_list,
                              "none of the %zu %s images could be read: the data set has none\n",
                              count[p], names[p]);
    return EEX_OK;
}

static int import_all(job *j)
{
    eex_progress_begin("importing", j->layout.file_count, "images");
    int code = EEX_OK;
    for (size_t i = 0; i < j->layout.file_count && code == EEX_OK; i++) {
        code = import_file(j, i);
        eex_progress_update(i + 1, j->result->broken ? "%zu broken" : NULL, j->result->broken);
    }
    eex_progress_end();
    return code == EEX_OK ? check_parts(j) : code;
}

/* What PATH is called, whatever slashes it ends with; as text, and in one line. */
static int name_of(char out[NAME_SHOWN], const char *folder)
{
    size_t end = strlen(folder);
    while (end > 1 && folder[end - 1] == '/')
        end--;
    size_t from = end;
    while (from > 0 && folder[from - 1] != '/')
        from--;
    from = from == end ? 0 : from; /* "/" */
    eex_buffer name = EEX_BUFFER_INIT, text = EEX_BUFFER_INIT;
    eex_buffer_append(&name, folder + from, end - from);
    int code = eex_buffer_status(&name);
    if (code == EEX_OK)
        eex_spelling_escape(&text, eex_buffer_text(&name));
    eex_text_clip(out, NAME_SHOWN, eex_buffer_text(&text));
    if (code == EEX_OK)
        code = eex_buffer_status(&text);
    eex_buffer_free(&name);
    eex_buffer_free(&text);
    return code;
}

static int finish(job *j, const char *folder)
{
    char source[600], hex[EEX_SHA256_HEX], name[NAME_SHOWN];
    EEX_TRY(name_of(name, folder));
    eex_sha256_end_hex(&j->sha, hex);
    snprintf(source, sizeof source,
             "image folder %s: %zu images, %zu broken files left out; %s to %d x %d; test images: "
             "%s\nSHA-256 of all files, one after the other: %s\n",
             name, j->result->images, j->result->broken,
             j->options.fit == EEX_FIT_CROP ? "centre cropped" : "squashed", j->options.size,
             j->options.size,
             j->done[EEX_PART_TEST] == 0 ? "none"
             : j->held_out               ? "held out"
                                         : "a folder of their own",
             hex);
    return eex_dataset_finish(&j->writer, source);
}

static int make_places(job *j)
{
    const size_t size = (size_t)j->options.size * (size_t)j->options.size * 3;
    j->image = eex_arena_alloc(&j->layout.arena, size);
    for (int p = 0; p < EEX_PARTS && j->image; p++)
        if (!(j->last[p].image = eex_arena_alloc(&j->layout.arena, size)))
            return EEX_ENOMEM;
    return j->image ? EEX_OK : EEX_ENOMEM;
}

static int run(job *j, const char *out_path, const char *name, const char *folder)
{
    const eex_import_layout *l = &j->layout;
    EEX_TRY(eex_import_layout_find(&j->layout, folder));
    eex_import_layout_say(j->result, l);
    EEX_TRY(eex__import_check_names(l));
    EEX_TRY(eex__import_tell_alike(j->result, &j->layout));
    EEX_TRY(hold_out(j));
    j->result->classes = l->class_count;
    EEX_TRY(make_places(j));
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
    EEX_TRY(eex_buffer_status(&j->result->doubt));
    EEX_TRY(eex_buffer_status(&j->result->untrained_list));
    EEX_TRY(eex_buffer_status(&j->result->emptied_list));
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
