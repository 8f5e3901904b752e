#include "core/data/dataset_write.h"
#include "core/data/import.h"
#include "core/data/import_layout.h"

#include "base/fs.h"
#include "base/progress.h"
#include "base/sha256.h"
#include "base/signals.h"
#include "base/status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SIDE = 32,
    PIXELS = SIDE * SIDE,
    IMAGE = 3 * PIXELS,
    BLOCK = 1000, /* images read at once */
    MAX_CLASSES = 100
};

/* What tells the two CIFARs apart. */
typedef struct layout {
    const char *subfolder;
    const char *files[7]; /* NULL after the last */
    const char *test_file;
    const char *names_file, *coarse_file;
    int label_bytes; /* in front of each image; the last one is the label */
    int classes, coarse_classes;
} layout;

static const layout cifar10 = {
    .subfolder = "cifar-10-batches-bin",
    .files = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
              "data_batch_5.bin", "test_batch.bin", NULL},
    .test_file = "test_batch.bin",
    .names_file = "batches.meta.txt",
    .label_bytes = 1,
    .classes = 10,
};

static const layout cifar100 = {
    .subfolder = "cifar-100-binary",
    .files = {"train.bin", "test.bin", NULL},
    .test_file = "test.bin",
    .names_file = "fine_label_names.txt",
    .coarse_file = "coarse_label_names.txt",
    .label_bytes = 2,
    .classes = 100,
    .coarse_classes = 20,
};

typedef struct job {
    const layout *layout;
    bool coarse; /* the coarse label is the one that counts */
    char *folder;
    char *names[MAX_CLASSES], *coarse_names[MAX_CLASSES];
    eex_dataset_writer *writer;
    uint8_t *records, *images;
    int32_t labels[BLOCK], coarse_labels[BLOCK];
    eex_sha256 sha;
    eex_buffer source;
    uint64_t done;
} job;

/* ---- class names ---- */

static int default_names(char **names, int count, const char *stem)
{
    char text[32];
    for (int i = 0; i < count; i++) {
        snprintf(text, sizeof text, "%s%d", stem, i);
        names[i] = strdup(text);
        if (!names[i])
            return eex_fail(EEX_ENOMEM, "out of memory");
    }
    return EEX_OK;
}

/* Two classes of one name could not be told apart by any command. */
static int check_name(char *const *names, int at, const char *path)
{
    for (int i = 0; i < at; i++)
        if (strcmp(names[i], names[at]) == 0)
            return eex_fail(EEX_EFORMAT,
                            "%s: classes %d and %d are both called \"%s\": expected names that "
                            "differ",
                            path, i, at, names[at]);
    return EEX_OK;
}

/* One name a line; empty lines at the end are fine. */
static int split_names(char **names, int count, char *text, const char *path)
{
    int found = 0;
    char *rest = NULL;
    for (char *line = strtok_r(text, "\r\n", &rest); line; line = strtok_r(NULL, "\r\n", &rest)) {
        if (found == count)
            return eex_fail(EEX_EFORMAT, "%s: more than %d class names", path, count);
        names[found] = strdup(line);
        if (!names[found])
            return eex_fail(EEX_ENOMEM, "out of memory");
        EEX_TRY(check_name(names, found++, path));
    }
    if (found < count)
        return eex_fail(EEX_EFORMAT, "%s: %d class names, expected %d", path, found, count);
    return EEX_OK;
}

static int read_names(char **names, int count, const char *folder, const char *file,
                      const char *stem)
{
    char *path = NULL, *text = NULL;
    EEX_TRY(eex_path_join(&path, folder, file));
    int code;
    if (!eex_fs_exists(path)) {
        code = default_names(names, count, stem);
    } else {
        code = eex_fs_read(&text, NULL, path, 1 << 16);
        if (code == EEX_OK)
            code = split_names(names, count, text, path);
    }
    free(text);
    free(path);
    return code;
}

/* ---- one file ---- */

static int check_label(const char *path, uint64_t offset, int label, int classes)
{
    if (label < classes)
        return EEX_OK;
    return eex_fail(EEX_EFORMAT,
                    "%s: byte %llu is %d, expected a label from 0 to %d: the file is "
                    "damaged or is not CIFAR-%d",
                    path, (unsigned long long)offset, label, classes - 1, classes == 10 ? 10 : 100);
}

/* Planes R, G, B to interleaved pixels. */
static void interleave(uint8_t *restrict to, const uint8_t *restrict planes)
{
    for (int i = 0; i < PIXELS; i++) {
        to[3 * i] = planes[i];
        to[3 * i + 1] = planes[PIXELS + i];
        to[3 * i + 2] = planes[2 * PIXELS + i];
    }
}

static int add_block(job *j, const char *path, bool test, size_t count, uint64_t first)
{
    const layout *l = j->layout;
    size_t record = (size_t)l->label_bytes + IMAGE;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *at = j->records + i * record;
        uint64_t offset = (first + i) * record;
        int fine = at[l->label_bytes - 1], coarse = at[0];
        if (l->coarse_classes)
            EEX_TRY(check_label(path, offset, coarse, l->coarse_classes));
        EEX_TRY(check_label(path, offset + (uint64_t)l->label_bytes - 1, fine, l->classes));
        j->labels[i] = j->coarse ? coarse : fine;
        j->coarse_labels[i] = coarse;
        interleave(j->images + i * IMAGE, at + l->label_bytes);
    }
    const eex_samples samples = {.count = count,
                                 .images = j->images,
                                 .labels = j->labels,
                                 .coarse =
                                     l->coarse_classes && !j->coarse ? j->coarse_labels : NULL};
    return eex_dataset_append(j->writer, test ? EEX_PART_TEST : EEX_PART_TRAIN, &samples);
}

static int read_blocks(job *j, FILE *file, const char *path, bool test, uint64_t images)
{
    size_t record = (size_t)j->layout->label_bytes + IMAGE;
    for (uint64_t first = 0; first < images; first += BLOCK) {
        size_t count = images - first < BLOCK ? (size_t)(images - first) : BLOCK;
        if (eex_interrupted())
            return eex_fail(EEX_EINTERRUPTED, "import interrupted");
        size_t got = fread(j->records, 1, count * record, file);
        if (got < count * record)
            return ferror(file) ? eex_fail(EEX_EIO, "cannot read %s: %s", path, strerror(errno))
                                : eex_fail(EEX_EFORMAT, "%s: ends at byte %llu, expected %llu",
                                           path, (unsigned long long)(first * record + got),
                                           (unsigned long long)(images * record));
        eex_sha256_update(&j->sha, j->records, got);
        EEX_TRY(add_block(j, path, test, count, first));
        j->done += count;
        eex_progress_update(j->done, NULL);
    }
    return EEX_OK;
}

static int count_images(uint64_t *out, const job *j, const char *path)
{
    uint64_t size, record = (uint64_t)j->layout->label_bytes + IMAGE;
    EEX_TRY(eex_fs_size(&size, path));
    if (size == 0 || size % record != 0)
        return eex_fail(EEX_EFORMAT,
                        "%s: %llu bytes, expected a multiple of %llu (%d label byte(s) and %d of "
                        "pixels): the file is truncated at byte %llu or is not CIFAR-%d",
                        path, (unsigned long long)size, (unsigned long long)record,
                        j->layout->label_bytes, IMAGE, (unsigned long long)size,
                        j->layout->classes);
    *out = size / record;
    return EEX_OK;
}

static int read_file(job *j, const char *name)
{
    char *path = NULL, hex[EEX_SHA256_HEX];
    FILE *file = NULL;
    uint64_t images = 0;
    EEX_TRY(eex_path_join(&path, j->folder, name));
    int code = count_images(&images, j, path);
    if (code == EEX_OK && !(file = fopen(path, "rbe")))
        code = eex_fail(EEX_EIO, "cannot open %s: %s", path, strerror(errno));
    if (code == EEX_OK) {
        eex_sha256_begin(&j->sha);
        code = read_blocks(j, file, path, strcmp(name, j->layout->test_file) == 0, images);
        eex_sha256_end_hex(&j->sha, hex);
        eex_buffer_printf(&j->source, "%s  %s\n", hex, name);
    }
    if (file)
        fclose(file);
    free(path);
    return code;
}

/* ---- the whole ---- */

/* The folder itself, or the official folder inside it. */
static int find_folder(job *j, const char *folder)
{
    char *inside = NULL, *probe = NULL;
    EEX_TRY(eex__import_check_folder(folder, "CIFAR's binary files"));
    EEX_TRY(eex_path_join(&inside, folder, j->layout->subfolder));
    int code = eex_path_join(&probe, folder, j->layout->files[0]);
    if (code == EEX_OK && !eex_fs_exists(probe) && eex_fs_is_folder(inside)) {
        j->folder = inside;
        inside = NULL;
    } else if (code == EEX_OK && !eex_fs_exists(probe)) {
        code = eex_fail(EEX_ENOTFOUND, "%s: neither %s nor a folder %s is in it", folder,
                        j->layout->files[0], j->layout->subfolder);
    } else if (code == EEX_OK && !(j->folder = strdup(folder))) {
        code = eex_fail(EEX_ENOMEM, "out of memory");
    }
    free(inside);
    free(probe);
    return code;
}

static int begin(job *j, const char *out_path, const char *name)
{
    const layout *l = j->layout;
    EEX_TRY(read_names(j->names, l->classes, j->folder, l->names_file, "class"));
    if (l->coarse_classes)
        EEX_TRY(read_names(j->coarse_names, l->coarse_classes, j->folder, l->coarse_file,
                           "superclass"));
    j->records = malloc(BLOCK * ((size_t)l->label_bytes + IMAGE));
    j->images = malloc((size_t)BLOCK * IMAGE);
    if (!j->records || !j->images)
        return eex_fail(EEX_ENOMEM, "out of memory");
    char **names = j->coarse ? j->coarse_names : j->names;
    bool both = l->coarse_classes && !j->coarse;
    const eex_dataset_spec spec = {
        .name = name,
        .height = SIDE,
        .width = SIDE,
        .channels = 3,
        .classes = (const char *const *)names,
        .class_count = (size_t)(j->coarse ? l->coarse_classes : l->classes),
        .coarse_classes = both ? (const char *const *)j->coarse_names : NULL,
        .coarse_count = both ? (size_t)l->coarse_classes : 0,
    };
    return eex_dataset_create(&j->writer, out_path, &spec);
}

static void job_free(job *j)
{
    eex_dataset_abandon(j->writer);
    for (int i = 0; i < MAX_CLASSES; i++) {
        free(j->names[i]);
        free(j->coarse_names[i]);
    }
    free(j->folder);
    free(j->records);
    free(j->images);
    eex_buffer_free(&j->source);
    free(j);
}

static int import(const layout *l, const char *out_path, const char *name, const char *folder,
                  bool coarse)
{
    job *j = calloc(1, sizeof *j);
    if (!j)
        return eex_fail(EEX_ENOMEM, "out of memory");
    j->layout = l;
    j->coarse = coarse;
    eex_progress_begin("importing", 60000, "images");
    int code = find_folder(j, folder);
    if (code == EEX_OK)
        code = begin(j, out_path, name);
    eex_buffer_printf(&j->source, "CIFAR-%d, official binary layout; SHA-256:\n", l->classes);
    for (int i = 0; l->files[i] && code == EEX_OK; i++)
        code = read_file(j, l->files[i]);
    if (code == EEX_OK)
        code = eex_buffer_status(&j->source);
    if (code == EEX_OK)
        code = eex_dataset_finish(&j->writer, eex_buffer_text(&j->source));
    eex_progress_end();
    job_free(j);
    return code;
}

int eex_import_cifar10(const char *out_path, const char *name, const char *folder)
{
    return import(&cifar10, out_path, name, folder, false);
}

int eex_import_cifar100(const char *out_path, const char *name, const char *folder, bool coarse)
{
    return import(&cifar100, out_path, name, folder, coarse);
}
