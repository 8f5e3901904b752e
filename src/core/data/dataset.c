#include "core/data/dataset.h"

#include "core/data/fingerprint.h"
#include "core/store/store.h"

#include "base/fs.h"
#include "base/progress.h"
#include "base/signals.h"
#include "base/status.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_NAMES_BYTES = 16 << 20,
    MAX_SAMPLES = 1 << 30,
    SUMMED = 64 /* images that are hashed at once */
};

struct eex_dataset {
    eex_dataset_info info;
    eex_store_file *file;
    char *name, *path, *source;
    eex_store_list classes;
    int32_t *labels;
    uint8_t *difficulty;
    size_t image_bytes, resident_limit;
    pthread_mutex_t lock;              /* around making `resident` and `fingerprint` */
    char fingerprint[EEX_FINGERPRINT]; /* "": not known yet */
    uint8_t *resident;                 /* (samples, H, W, C), or NULL */
};

const char *eex_part_name(eex_part part)
{
    static const char *const names[] = {"train", "validation", "test"};
    _Static_assert(sizeof names / sizeof *names == EEX_PARTS, "a name for each part");
    return (unsigned)part < EEX_PARTS ? names[part] : "?";
}

/* ---- where data sets are ---- */

int eex_data_directory(const char **out)
{
    EEX_NEED(out, "place for the folder");
    static _Thread_local char folder[4096];
    const char *chosen = getenv("EEX_DATA"), *home = getenv("HOME");
    if (chosen && *chosen) {
        if (eex_fs_exists(chosen) && !eex_fs_is_folder(chosen))
            return eex_fail(
                EEX_EINVAL,
                "the data folder (EEX_DATA, or --data) is %s, which is a file: name the "
                "folder that data sets are in",
                chosen);
        *out = chosen;
        return EEX_OK;
    }
    if (!home || !*home)
        return eex_fail(EEX_ENOTFOUND, "no data folder: set EEX_DATA to one");
    if (snprintf(folder, sizeof folder, "%s/.local/share/eex/data", home) >= (int)sizeof folder)
        return eex_fail(EEX_EINVAL, "HOME is longer than a path can be: set EEX_DATA");
    *out = folder;
    return EEX_OK;
}

bool eex_dataset_is_path(const char *name)
{
    const size_t length = name ? strlen(name) : 0;
    if (length == 0)
        return false;
    return strchr(name, '/') || (length > 3 && strcmp(name + length - 3, ".h5") == 0);
}

static int missing(const char *name, const char *folder)
{
    static const char *const known[] = {"cifar10", "cifar100", "caltech101", "caltech256",
                                        "imagenette"};
    if (strcmp(name, "synthetic") == 0)
        return eex_fail(EEX_ENOTFOUND,
                        "data set \"synthetic\" is not in %s; make it: eex data make "
                        "synthetic",
                        folder);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(name, known[i]) == 0)
            return eex_fail(
                EEX_ENOTFOUND,
                "data set \"%s\" is not in %s; get it: eex data get %s, or from files you "
                "have: eex data import %s PATH",
                name, folder, name, name);
    return eex_fail(
        EEX_ENOTFOUND,
        "data set \"%s\" is not in %s; import it from a folder with one folder of images "
        "for each class: eex data import %s FOLDER",
        name, folder, name);
}

static int resolve(char **out, const char *name)
{
    const char *folder;
    char file[300];
    if (eex_dataset_is_path(name)) {
        *out = strdup(name);
        if (!*out)
            return eex_fail(EEX_ENOMEM, "%s: out of memory", name);
        return eex_fs_exists(name) ? EEX_OK : eex_fail(EEX_ENOTFOUND, "no data set at %s", name);
    }
    EEX_TRY(eex_data_directory(&folder));
    if (!*name || snprintf(file, sizeof file, "%s.h5", name) >= (int)sizeof file)
        return eex_fail(EEX_EINVAL, "\"%s\" is no name for a data set", name);
    EEX_TRY(eex_path_join(out, folder, file));
    return eex_fs_exists(*out) ? EEX_OK : missing(name, folder);
}

/* ---- opening ---- */

void eex_dataset_part(uint32_t *first, uint32_t *count, const eex_dataset *data, eex_part part)
{
    *first = *count = 0;
    if (!data || (unsigned)part >= EEX_PARTS)
        return;
    const uint32_t counts[] = {data->info.train, data->info.validation, data->info.test};
    for (int p = 0; p < (int)part; p++)
        *first += counts[p];
    *count = counts[part];
}

/* Reads one column of all parts into new memory, one part behind the other. */
static int read_column(void *out, eex_dataset *data, const char *name, eex_store_type type)
{
    char *to = out, path[64];
    for (int p = 0; p < EEX_PARTS; p++) {
        uint32_t first, count;
        eex_dataset_part(&first, &count, data, (eex_part)p);
        if (count == 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", eex_part_name((eex_part)p), name);
        EEX_TRY(eex_store_read(to, data->file, path, type, &(eex_store_shape){1, {count}}));
        to += count * eex_store_type_size(type);
    }
    return EEX_OK;
}

/* Only the synthetic data sets have it. */
static int read_difficulty(eex_dataset *data)
{
    eex_store_type type;
    eex_store_shape shape;
    int code = eex_store_describe(&type, &shape, data->file, "train/difficulty");
    if (code < 0)
        return code == EEX_ENOTFOUND ? EEX_OK : code;
    data->difficulty = malloc(data->info.samples);
    if (!data->difficulty)
        return eex_fail(EEX_ENOMEM, "%s: out of memory", data->path);
    return read_column(data->difficulty, data, "difficulty", EEX_STORE_U8);
}

static int read_labels(eex_dataset *data)
{
    const eex_dataset_info *info = &data->info;
    data->labels = malloc(info->samples * sizeof *data->labels);
    if (!data->labels)
        return eex_fail(EEX_ENOMEM, "%s: out of memory for %u labels", data->path, info->samples);
    EEX_TRY(read_column(data->labels, data, "labels", EEX_STORE_I32));
    for (uint32_t i = 0; i < info->samples; i++)
        if (data->labels[i] < 0 || data->labels[i] >= info->classes)
            return eex_store_refuse(data->file, "the label of sample %u is %d, expected 0 to %d", i,
                                    data->labels[i], info->classes - 1);
    return EEX_OK;
}

/* Checks the images of a part and says how many there are. */
static int read_shape(uint32_t *count, eex_dataset *data, const char *name)
{
    eex_store_type type;
    eex_store_shape shape;
    EEX_TRY(eex_store_describe(&type, &shape, data->file, name));
    eex_dataset_info *info = &data->info;
    if (type != EEX_STORE_U8 || shape.rank != 4)
        return eex_store_refuse(data->file,
                                "/%s: rank %d of %s, expected uint8 images (N, H, W, C)", name,
                                shape.rank, eex_store_type_name(type));
    const uint64_t *e = shape.extent;
    bool same =
        info->height == 0 || (e[1] == (uint64_t)info->height && e[2] == (uint64_t)info->width &&
                              e[3] == (uint64_t)info->channels);
    if (e[0] < 1 || e[0] > MAX_SAMPLES || e[1] < 1 || e[1] > EEX_DATASET_MAX_SIDE || e[2] < 1 ||
        e[2] > EEX_DATASET_MAX_SIDE || (e[3] != 1 && e[3] != 3) || !same)
        return eex_store_refuse(
            data->file,
            "/%s: %llu images of %llu x %llu x %llu: expected 1 to %d of at most %d x "
            "%d x 3, the same in all parts",
            name, (unsigned long long)e[0], (unsigned long long)e[1], (unsigned long long)e[2],
            (unsigned long long)e[3], MAX_SAMPLES, EEX_DATASET_MAX_SIDE, EEX_DATASET_MAX_SIDE);
    *count = (uint32_t)e[0];
    info->height = (int)e[1];
    info->width = (int)e[2];
    info->channels = (int)e[3];
    return EEX_OK;
}

/* Of a part that need not be there. */
static int read_more(uint32_t *count, eex_dataset *data, const char *name)
{
    const int code = read_shape(count, data, name);
    return code == EEX_ENOTFOUND ? EEX_OK : code;
}

static int read_statistics(eex_dataset *data)
{
    double mean[3], deviation[3];
    size_t channels = (size_t)data->info.channels;
    EEX_TRY(eex_store_get_doubles(mean, data->file, "train/images", "mean", channels));
    EEX_TRY(eex_store_get_doubles(deviation, data->file, "train/images", "std", channels));
    for (size_t c = 0; c < channels; c++) {
        if (!(mean[c] >= 0 && mean[c] <= 1 && deviation[c] >= 0 && deviation[c] <= 1))
            return eex_store_refuse(data->file,
                                    "mean %g or std %g of channel %zu is not within 0..1", mean[c],
                                    deviation[c], c);
        data->info.mean[c] = (float)mean[c];
        /* A channel that says nothing becomes 0, and nothing is divided by it. */
        data->info.std[c] = deviation[c] > 0 ? (float)deviation[c] : 1;
        data->info.deviation[c] = (float)deviation[c];
    }
    return EEX_OK;
}

/* Files of older versions, and those that users make, have none. */
/* Where nothing vouches for the samples, somebody may have changed them since: what they are is
 * found out when it is wanted. */
static int read_fingerprint(eex_dataset *data)
{
    char *text = NULL, sum[EEX_STORE_SUM];
    if (!eex_store_sum(sum, data->file, "") ||
        !eex_store_has_attribute(data->file, "/", "fingerprint"))
        return EEX_OK;
    EEX_TRY(eex_store_get_string(&text, data->file, "/", "fingerprint"));
    const bool right = strspn(text, "0123456789abcdef") == EEX_FINGERPRINT - 1 &&
                       strlen(text) == EEX_FINGERPRINT - 1;
    if (right)
        memcpy(data->fingerprint, text, EEX_FINGERPRINT);
    free(text);
    return right ? EEX_OK : eex_store_refuse(data->file, "its fingerprint is no SHA-256");
}

static int read_facts(eex_dataset *data)
{
    eex_dataset_info *info = &data->info;
    EEX_TRY(eex_store_open(&data->file, data->path, "dataset", EEX_DATASET_VERSION));
    EEX_TRY(eex_store_get_string(&data->name, data->file, "/", "name"));
    EEX_TRY(eex_store_read_strings(&data->classes, data->file, "classes", MAX_NAMES_BYTES));
    EEX_TRY(eex_store_read_string(&data->source, data->file, "source", MAX_NAMES_BYTES));
    if (data->classes.count < 1 || data->classes.count > EEX_DATASET_MAX_CLASSES)
        return eex_store_refuse(data->file, "%zu classes, expected 1 to %d", data->classes.count,
                                EEX_DATASET_MAX_CLASSES);
    info->name = data->name;
    info->path = data->path;
    info->source = data->source;
    info->classes = (int)data->classes.count;
    info->class_names = (const char *const *)data->classes.item;
    EEX_TRY(read_shape(&info->train, data, "train/images"));
    EEX_TRY(read_more(&info->validation, data, "validation/images"));
    EEX_TRY(read_more(&info->test, data, "test/images"));
    if ((uint64_t)info->train + info->validation + info->test > MAX_SAMPLES)
        return eex_store_refuse(data->file, "more than %d images", MAX_SAMPLES);
    info->samples = info->train + info->validation + info->test;
    data->image_bytes = (size_t)info->height * (size_t)info->width * (size_t)info->channels;
    EEX_TRY(read_statistics(data));
    EEX_TRY(read_labels(data));
    EEX_TRY(read_fingerprint(data));
    return read_difficulty(data);
}

int eex_dataset_open(eex_dataset **out, const char *name_or_path)
{
    EEX_NEED(out, "place for the data set");
    *out = NULL;
    EEX_NEED(name_or_path, "name");
    eex_dataset *data = calloc(1, sizeof *data);
    if (!data)
        return eex_fail(EEX_ENOMEM, "%s: out of memory", name_or_path);
    pthread_mutex_init(&data->lock, NULL);
    data->resident_limit = EEX_DATASET_RESIDENT;
    int code = resolve(&data->path, name_or_path);
    if (code == EEX_OK)
        code = read_facts(data);
    if (code < 0) {
        eex_dataset_close(data);
        return code;
    }
    *out = data;
    return EEX_OK;
}

void eex_dataset_close(eex_dataset *data)
{
    if (!data)
        return;
    eex_store_close(data->file);
    eex_store_list_free(&data->classes);
    pthread_mutex_destroy(&data->lock);
    free(data->name);
    free(data->path);
    free(data->source);
    free(data->labels);
    free(data->difficulty);
    free(data->resident);
    free(data);
}

const eex_dataset_info *eex_dataset_facts(const eex_dataset *data)
{
    return data ? &data->info : NULL;
}

const int32_t *eex_dataset_labels(const eex_dataset *data)
{
    return data ? data->labels : NULL;
}

const uint8_t *eex_dataset_difficulty(const eex_dataset *data)
{
    return data ? data->difficulty : NULL;
}

/* ---- images ---- */

/* `count` images of one part, from its `first` on. */
static int read_images(uint8_t *out, eex_dataset *data, eex_part part, uint32_t first,
                       uint32_t count)
{
    const eex_dataset_info *info = &data->info;
    const eex_store_shape shape = {
        4, {0, (uint64_t)info->height, (uint64_t)info->width, (uint64_t)info->channels}};
    char name[32];
    snprintf(name, sizeof name, "%s/images", eex_part_name(part));
    return eex_store_read_rows(out, data->file, name, EEX_STORE_U8, &shape, first, count);
}

/* One image, wherever it is. */
static int read_image(uint8_t *out, eex_dataset *data, uint32_t sample)
{
    for (int p = EEX_PARTS - 1; p >= 0; p--) {
        uint32_t first, count;
        eex_dataset_part(&first, &count, data, (eex_part)p);
        if (sample >= first && count)
            return read_images(out, data, (eex_part)p, sample - first, 1);
    }
    return EEX_OK;
}

static int load(eex_dataset *data)
{
    const eex_dataset_info *info = &data->info;
    uint8_t *images = malloc(info->samples * data->image_bytes);
    if (!images)
        return eex_fail(EEX_ENOMEM, "%s: out of memory for %u images", data->path, info->samples);
    int code = EEX_OK;
    for (int p = 0; p < EEX_PARTS && code == EEX_OK; p++) {
        uint32_t first, count;
        eex_dataset_part(&first, &count, data, (eex_part)p);
        if (count)
            code = read_images(images + first * data->image_bytes, data, (eex_part)p, 0, count);
    }
    if (code < 0) {
        free(images);
        return code;
    }
    data->resident = images;
    return EEX_OK;
}

/* The resident images, or NULL when the data set is too big for that. */
static int resident_images(const uint8_t **out, eex_dataset *data)
{
    int code = EEX_OK;
    *out = NULL;
    if (data->info.samples > data->resident_limit / data->image_bytes)
        return EEX_OK;
    pthread_mutex_lock(&data->lock);
    if (!data->resident)
        code = load(data);
    *out = data->resident;
    pthread_mutex_unlock(&data->lock);
    return code;
}

void eex_dataset_set_resident(eex_dataset *data, size_t bytes)
{
    if (data)
        data->resident_limit = bytes;
}

int eex_dataset_gather(uint8_t *out, eex_dataset *data, const uint32_t *samples, size_t count)
{
    EEX_NEED(out, "place for the images");
    EEX_NEED(data, "data set");
    EEX_NEED(samples, "list of samples");
    const eex_dataset_info *info = &data->info;
    const uint8_t *images;
    size_t bytes = data->image_bytes;
    EEX_TRY(resident_images(&images, data));
    for (size_t i = 0; i < count; i++) {
        uint32_t n = samples[i];
        if (n >= info->samples)
            return eex_fail(EEX_EINVAL, "%s: sample %u, there are %u", data->path, n,
                            info->samples);
        if (images)
            memcpy(out + i * bytes, images + n * bytes, bytes);
        else
            EEX_TRY(read_image(out + i * bytes, data, n));
    }
    return EEX_OK;
}

/* ---- what it is ---- */

/* Sums up images as they come from the file, a few at a time. */
static int sum_part(eex_fingerprint *f, eex_dataset *data, eex_part part, uint8_t *some)
{
    uint32_t first, count;
    eex_dataset_part(&first, &count, data, part);
    for (uint32_t at = 0; at < count; at += SUMMED) {
        const uint32_t rows = count - at < SUMMED ? count - at : SUMMED;
        if (eex_interrupted())
            return eex_fail(EEX_EINTERRUPTED, "interrupted");
        EEX_TRY(read_images(some, data, part, at, rows));
        eex_fingerprint_add(f, part, some, rows * data->image_bytes, data->labels + first + at,
                            rows);
        eex_progress_update((uint64_t)first + at + rows, NULL);
    }
    return EEX_OK;
}

static int sum_up(char out[EEX_FINGERPRINT], eex_dataset *data)
{
    const eex_dataset_info *info = &data->info;
    eex_fingerprint f;
    uint8_t *some = malloc(SUMMED * data->image_bytes);
    if (!some)
        return eex_fail(EEX_ENOMEM, "%s: out of memory for %d images", data->path, SUMMED);
    int code = EEX_OK;
    eex_fingerprint_begin(&f);
    eex_progress_begin("looking at the data set", info->samples, "images");
    for (int p = 0; p < EEX_PARTS && code == EEX_OK; p++)
        code = sum_part(&f, data, (eex_part)p, some);
    eex_progress_end();
    free(some);
    return code == EEX_OK ? eex_fingerprint_end(out, &f, info->height, info->width, info->channels,
                                                info->class_names, (size_t)info->classes)
                          : code;
}

int eex_dataset_fingerprint(char out[EEX_FINGERPRINT], eex_dataset *data)
{
    EEX_NEED(out, "place for the fingerprint");
    EEX_NEED(data, "data set");
    int code = EEX_OK;
    pthread_mutex_lock(&data->lock);
    if (!data->fingerprint[0])
        code = sum_up(data->fingerprint, data);
    memcpy(out, data->fingerprint, sizeof data->fingerprint);
    pthread_mutex_unlock(&data->lock);
    return code;
}
