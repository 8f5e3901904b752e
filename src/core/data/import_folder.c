#include "core/data/dataset_write.h"
#include "core/data/import.h"

#include "base/arena.h"
#include "base/fs.h"
#include "base/progress.h"
#include "base/rng.h"
#include "base/sha256.h"
#include "base/signals.h"
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    DEFAULT_SIZE = 32,
    MAX_DEPTH = 3, /* folders that hold nothing but one folder */
    HOLD_OUT_STREAM = 0x7e57
};

typedef struct entry {
    const char *path;
    int32_t label;
    bool test;
} entry;

typedef struct job {
    eex_import_folder_options options;
    eex_import_result *result;
    eex_arena arena;                        /* of everything below */
    const char *train_folder, *test_folder; /* test_folder: NULL when there is none */
    const char **classes;
    size_t class_count;
    entry *entries; /* class by class, training before test */
    size_t entry_count, entry_capacity;
    eex_dataset_writer *writer;
    uint8_t *image; /* one, resized */
    eex_sha256 sha;
} job;

static const char *join(job *j, const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = eex_arena_alloc(&j->arena, size);
    if (path)
        snprintf(path, size, "%s/%s", folder, name);
    return path;
}

/* ---- which folders ---- */

static bool is_image_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    return name[0] != '.' && dot &&
           (strcasecmp(dot, ".jpg") == 0 || strcasecmp(dot, ".jpeg") == 0 ||
            strcasecmp(dot, ".png") == 0);
}

/* Folders that are no class: hidden ones, and the Caltech sets' clutter. */
static bool is_class_name(const job *j, const char *name)
{
    bool clutter = strcmp(name, "BACKGROUND_Google") == 0 || strcmp(name, "257.clutter") == 0;
    return name[0] != '.' && strcmp(name, "__MACOSX") != 0 && (!clutter || j->options.background);
}

/* What is in a folder, as far as it matters for telling layouts apart. */
typedef struct survey {
    const char *caltech;      /* 101_ObjectCategories or the like inside it */
    const char *train, *test; /* folders of these names */
    const char *only;         /* the only folder */
    size_t folders, images;
} survey;

static void note_folder(survey *s, const char *path, const char *name)
{
    static const char *const test_names[] = {"test", "val", "validation", "valid"};
    s->folders++;
    s->only = path;
    if (strcmp(name, "101_ObjectCategories") == 0 || strcmp(name, "256_ObjectCategories") == 0)
        s->caltech = path;
    if (strcmp(name, "train") == 0)
        s->train = path;
    for (size_t k = 0; k < sizeof test_names / sizeof *test_names; k++)
        if (strcmp(name, test_names[k]) == 0 && (!s->test || k == 0))
            s->test = path;
}

static int look_at(survey *s, job *j, const char *folder)
{
    eex_fs_names names;
    *s = (survey){NULL, NULL, NULL, NULL, 0, 0};
    EEX_TRY(eex_fs_list(&names, folder));
    int code = EEX_OK;
    for (size_t i = 0; i < names.count && code == EEX_OK; i++) {
        const char *name = names.names[i], *path = join(j, folder, name);
        if (!path)
            code = EEX_ENOMEM;
        else if (name[0] != '.' && eex_fs_is_folder(path))
            note_folder(s, path, name);
        else
            s->images += is_image_name(name);
    }
    eex_fs_names_free(&names);
    return code;
}

static int find_layout(job *j, const char *folder)
{
    survey s, inside;
    if (!eex_fs_is_folder(folder))
        return eex_fail(EEX_ENOTFOUND, "%s: there is no such folder", folder);
    for (int depth = 0;; depth++) {
        EEX_TRY(look_at(&s, j, folder));
        if (s.caltech || s.train || s.folders != 1 || s.images || depth == MAX_DEPTH)
            break;
        EEX_TRY(look_at(&inside, j, s.only));
        if (inside.folders == 0)
            break; /* the only folder is a class */
        folder = s.only;
    }
    j->train_folder = s.caltech ? s.caltech : s.train ? s.train : folder;
    j->test_folder = s.train && !s.caltech ? s.test : NULL;
    return EEX_OK;
}

/* ---- which files ---- */

static int add_entry(job *j, const char *path, size_t label, bool test)
{
    if (j->entry_count == j->entry_capacity) {
        size_t capacity = j->entry_capacity ? j->entry_capacity * 2 : 1024;
        entry *entries = realloc(j->entries, capacity * sizeof *entries);
        if (!entries)
            return eex_fail(EEX_ENOMEM, "out of memory, cannot list %zu images", capacity);
        j->entries = entries;
        j->entry_capacity = capacity;
    }
    j->entries[j->entry_count++] = (entry){path, (int32_t)label, test};
    return EEX_OK;
}

static int add_folder(size_t *found, job *j, const char *folder, size_t label, bool test)
{
    eex_fs_names names;
    *found = 0;
    EEX_TRY(eex_fs_list(&names, folder));
    int code = EEX_OK;
    for (size_t i = 0; i < names.count && code == EEX_OK; i++) {
        if (!is_image_name(names.names[i]))
            continue;
        const char *path = join(j, folder, names.names[i]);
        code = path ? add_entry(j, path, label, test) : EEX_ENOMEM;
        ++*found;
    }
    eex_fs_names_free(&names);
    return code;
}

/* Marks a seeded share of a class's images as test images. A class of two or more keeps at least
 * one in each part. */
static int hold_out(job *j, size_t first, size_t count, size_t label)
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
        j->entries[first + order[i]].test = true;
    free(order);
    return EEX_OK;
}

static int add_class(job *j, const char *name)
{
    size_t found, label = j->class_count, first = j->entry_count;
    const char *folder = join(j, j->train_folder, name);
    if (!folder)
        return EEX_ENOMEM;
    if (!eex_fs_is_folder(folder) || !is_class_name(j, name))
        return EEX_OK;
    EEX_TRY(add_folder(&found, j, folder, label, false));
    if (found == 0)
        return EEX_OK;
    j->classes[j->class_count] = eex_arena_strdup(&j->arena, name);
    if (!j->classes[j->class_count++])
        return EEX_ENOMEM;
    if (!j->test_folder)
        return hold_out(j, first, found, label);
    folder = join(j, j->test_folder, name);
    if (!folder)
        return EEX_ENOMEM;
    return eex_fs_is_folder(folder) ? add_folder(&found, j, folder, label, true) : EEX_OK;
}

static int list_files(job *j)
{
    eex_fs_names names;
    EEX_TRY(eex_fs_list(&names, j->train_folder));
    j->classes = eex_arena_array(&j->arena, names.count + 1, sizeof *j->classes);
    int code = j->classes ? EEX_OK : EEX_ENOMEM;
    for (size_t i = 0; i < names.count && code == EEX_OK; i++)
        code = add_class(j, names.names[i]);
    eex_fs_names_free(&names);
    if (code == EEX_OK && j->class_count == 0)
        code = eex_fail(
            EEX_ENOTFOUND,
            "%s: no JPEG or PNG files in its folders; one folder for each class is expected",
            j->train_folder);
    return code;
}

/* ---- reading ---- */

static int read_image(job *j, const entry *e)
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
static int import_entry(job *j, const entry *e)
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
    return eex_dataset_append(j->writer, e->test, &sample);
}

static int import_all(job *j)
{
    eex_progress_begin("importing", j->entry_count, "images");
    int code = EEX_OK;
    for (size_t i = 0; i < j->entry_count && code == EEX_OK; i++) {
        code = eex_interrupted() ? eex_fail(EEX_EINTERRUPTED, "import interrupted")
                                 : import_entry(j, &j->entries[i]);
        eex_progress_update(i + 1, j->result->broken ? "%zu broken" : NULL, j->result->broken);
    }
    eex_progress_end();
    if (code == EEX_OK && j->result->images == 0)
        code =
            eex_fail(EEX_EFORMAT, "none of the %zu image files could be read; the first: %.*s",
                     j->entry_count, (int)strcspn(eex_buffer_text(&j->result->broken_list), "\n"),
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
        j->options.size, j->test_folder ? "a folder of their own" : "held out", hex);
    return eex_dataset_finish(&j->writer, source);
}

static int run(job *j, const char *out_path, const char *name, const char *folder)
{
    EEX_TRY(find_layout(j, folder));
    EEX_TRY(list_files(j));
    size_t side = (size_t)j->options.size;
    j->result->classes = j->class_count;
    j->image = eex_arena_alloc(&j->arena, side * side * 3);
    if (!j->image)
        return EEX_ENOMEM;
    const eex_dataset_spec spec = {.name = name,
                                   .height = j->options.size,
                                   .width = j->options.size,
                                   .channels = j->options.grey ? 1 : 3,
                                   .classes = j->classes,
                                   .class_count = j->class_count};
    EEX_TRY(eex_dataset_create(&j->writer, out_path, &spec));
    eex_sha256_begin(&j->sha);
    EEX_TRY(import_all(j));
    return finish(j, folder);
}

int eex_import_folder(eex_import_result *result, const char *out_path, const char *name,
                      const char *folder, const eex_import_folder_options *options)
{
    job j = {.options = *options, .result = result};
    *result = (eex_import_result){0, 0, 0, EEX_BUFFER_INIT};
    if (j.options.size == 0)
        j.options.size = DEFAULT_SIZE;
    int code = run(&j, out_path, name, folder);
    eex_dataset_abandon(j.writer);
    free(j.entries);
    eex_arena_free(&j.arena);
    return code;
}
