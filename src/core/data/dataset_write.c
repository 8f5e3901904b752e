#include "core/data/dataset_write.h"

#include "core/data/fingerprint.h"
#include "core/store/store.h"

#include "base/buffer.h"
#include "base/spelling.h"
#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is kept in memory of a part until the file is finished: 9 bytes an image at most. */
typedef struct part {
    const char *name;
    eex_buffer labels, coarse, difficulty;
    uint64_t count;
} part;

struct eex_dataset_writer {
    eex_store_file *file;
    eex_store_shape shape; /* of the images, without their number */
    size_t class_count, coarse_count;
    part parts[EEX_PARTS];
    eex_fingerprint fingerprint;
    const char **classes;       /* (class_count) copies, for the fingerprint; in one block */
    uint64_t sum[3], square[3]; /* exact, of the training images' bytes */
};

/* Text in the file says of itself that it is UTF-8, and readers fail where it is not. */
static int check_name(const char *path, const char *name, size_t number)
{
    if (!name || eex_spelling_is_utf8(name))
        return EEX_OK; /* a name that is missing is refused where it is written */
    eex_buffer text = EEX_BUFFER_INIT;
    eex_spelling_escape(&text, name);
    eex_fail(EEX_EFORMAT,
             "%s: the name of class %zu, \"%s\", is not UTF-8, as names are stored: change it "
             "where it comes from",
             path, number, eex_buffer_text(&text));
    eex_buffer_free(&text);
    return EEX_EFORMAT;
}

static int check_spec(const char *path, const eex_dataset_spec *spec)
{
    int h = spec->height, w = spec->width, c = spec->channels;
    if (h < 1 || w < 1 || h > EEX_DATASET_MAX_SIDE || w > EEX_DATASET_MAX_SIDE ||
        (c != 1 && c != 3))
        return eex_fail(
            EEX_EINVAL,
            "%s: images of %d x %d pixels and %d channels: 1 to %d pixels a side and 1 or "
            "3 channels are possible",
            path, h, w, c, EEX_DATASET_MAX_SIDE);
    if (spec->class_count < 1 || spec->class_count > EEX_DATASET_MAX_CLASSES)
        return eex_fail(EEX_EINVAL, "%s: %zu classes: 1 to %d are possible", path,
                        spec->class_count, EEX_DATASET_MAX_CLASSES);
    for (size_t i = 0; i < spec->class_count; i++)
        EEX_TRY(check_name(path, spec->classes[i], i));
    for (size_t i = 0; i < spec->coarse_count; i++)
        EEX_TRY(check_name(path, spec->coarse_classes[i], i));
    return EEX_OK;
}

static int write_head(eex_store_file *file, const eex_dataset_spec *spec,
                      const eex_store_shape *shape)
{
    EEX_TRY(eex_store_set_string(file, "/", "name", spec->name));
    EEX_TRY(eex_store_write_strings(file, "classes", spec->classes, spec->class_count));
    if (spec->coarse_count)
        EEX_TRY(eex_store_write_strings(file, "coarse_classes", spec->coarse_classes,
                                        spec->coarse_count));
    EEX_TRY(eex_store_make_rows(file, "train/images", EEX_STORE_U8, shape));
    return eex_store_set_string(file, "train/images", "layout",
                                "sample, row, column, channel (grey, or red, green, blue); 0..255");
}

static int copy_names(eex_dataset_writer *writer, const eex_dataset_spec *spec)
{
    size_t bytes = 0;
    for (size_t c = 0; c < spec->class_count; c++)
        bytes += strlen(spec->classes[c]) + 1;
    writer->classes = malloc(spec->class_count * sizeof *writer->classes + bytes);
    if (!writer->classes)
        return eex_fail(EEX_ENOMEM, "out of memory for the names of %zu classes",
                        spec->class_count);
    char *to = (char *)(writer->classes + spec->class_count);
    for (size_t c = 0; c < spec->class_count; c++) {
        const size_t size = strlen(spec->classes[c]) + 1;
        writer->classes[c] = memcpy(to, spec->classes[c], size);
        to += size;
    }
    return EEX_OK;
}

int eex_dataset_create(eex_dataset_writer **out, const char *path, const eex_dataset_spec *spec)
{
    *out = NULL;
    EEX_TRY(check_spec(path, spec));
    eex_dataset_writer *writer = calloc(1, sizeof *writer);
    if (!writer)
        return eex_fail(EEX_ENOMEM, "%s: out of memory", path);
    writer->shape = (eex_store_shape){
        4, {0, (uint64_t)spec->height, (uint64_t)spec->width, (uint64_t)spec->channels}};
    writer->class_count = spec->class_count;
    writer->coarse_count = spec->coarse_count;
    for (int p = 0; p < EEX_PARTS; p++)
        writer->parts[p].name = eex_part_name((eex_part)p);
    eex_fingerprint_begin(&writer->fingerprint);
    int code = copy_names(writer, spec);
    if (code == EEX_OK)
        code = eex_store_create(&writer->file, path, "dataset", EEX_DATASET_VERSION);
    if (code == EEX_OK)
        code = write_head(writer->file, spec, &writer->shape);
    if (code < 0) {
        eex_dataset_abandon(writer);
        return code;
    }
    *out = writer;
    return EEX_OK;
}

/* Exact: 64 bits hold the squares of 2^48 bytes. */
static void count_pixels(eex_dataset_writer *writer, const uint8_t *images, size_t pixels)
{
    size_t channels = writer->shape.extent[3];
    for (size_t c = 0; c < channels; c++) {
        uint64_t sum = 0, square = 0;
        for (size_t i = c; i < pixels * channels; i += channels) {
            sum += images[i];
            square += (uint64_t)images[i] * images[i];
        }
        writer->sum[c] += sum;
        writer->square[c] += square;
    }
}

static int check_labels(const eex_dataset_writer *writer, const eex_samples *samples)
{
    for (size_t i = 0; i < samples->count; i++) {
        if (samples->labels[i] < 0 || (size_t)samples->labels[i] >= writer->class_count)
            return eex_fail(EEX_EINVAL, "%s: label %d, expected 0 to %zu",
                            eex_store_path(writer->file), samples->labels[i],
                            writer->class_count - 1);
        if (samples->coarse &&
            (samples->coarse[i] < 0 || (size_t)samples->coarse[i] >= writer->coarse_count))
            return eex_fail(EEX_EINVAL, "%s: coarse label %d, expected 0 to %zu",
                            eex_store_path(writer->file), samples->coarse[i],
                            writer->coarse_count - 1);
    }
    return EEX_OK;
}

int eex_dataset_append(eex_dataset_writer *writer, eex_part to, const eex_samples *samples)
{
    const size_t pixels = samples->count * writer->shape.extent[1] * writer->shape.extent[2];
    part *p = &writer->parts[to];
    char name[32];
    snprintf(name, sizeof name, "%s/images", p->name);
    EEX_TRY(check_labels(writer, samples));
    if (to != EEX_PART_TRAIN && p->count == 0)
        EEX_TRY(eex_store_make_rows(writer->file, name, EEX_STORE_U8, &writer->shape));
    EEX_TRY(eex_store_append(writer->file, name, EEX_STORE_U8, samples->count, samples->images));
    eex_buffer_append(&p->labels, samples->labels, samples->count * sizeof *samples->labels);
    if (samples->coarse)
        eex_buffer_append(&p->coarse, samples->coarse, samples->count * sizeof *samples->coarse);
    if (samples->difficulty)
        eex_buffer_append(&p->difficulty, samples->difficulty, samples->count);
    p->count += samples->count;
    eex_fingerprint_add(&writer->fingerprint, to, samples->images, pixels * writer->shape.extent[3],
                        samples->labels, samples->count);
    if (to == EEX_PART_TRAIN)
        count_pixels(writer, samples->images, pixels);
    return EEX_OK;
}

static int write_column(eex_store_file *file, const part *p, const char *name, eex_store_type type,
                        const eex_buffer *column)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%s", p->name, name);
    return eex_store_write_packed(file, path, type, &(eex_store_shape){1, {p->count}},
                                  column->data);
}

static int write_part(eex_store_file *file, const part *p)
{
    EEX_TRY(eex_buffer_status(&p->labels));
    EEX_TRY(eex_buffer_status(&p->coarse));
    EEX_TRY(eex_buffer_status(&p->difficulty));
    EEX_TRY(write_column(file, p, "labels", EEX_STORE_I32, &p->labels));
    if (p->coarse.size)
        EEX_TRY(write_column(file, p, "coarse_labels", EEX_STORE_I32, &p->coarse));
    if (p->difficulty.size)
        EEX_TRY(write_column(file, p, "difficulty", EEX_STORE_U8, &p->difficulty));
    return EEX_OK;
}

static int write_statistics(const eex_dataset_writer *writer)
{
    size_t channels = writer->shape.extent[3];
    double pixels = (double)writer->parts[0].count * (double)writer->shape.extent[1] *
                    (double)writer->shape.extent[2];
    double mean[3], deviation[3];
    for (size_t c = 0; c < channels; c++) {
        double m = (double)writer->sum[c] / pixels;
        double variance = (double)writer->square[c] / pixels - m * m;
        mean[c] = m / 255;
        deviation[c] = sqrt(variance > 0 ? variance : 0) / 255;
    }
    EEX_TRY(eex_store_set_doubles(writer->file, "train/images", "mean", mean, channels));
    EEX_TRY(eex_store_set_doubles(writer->file, "train/images", "std", deviation, channels));
    return eex_store_set_string(writer->file, "train/images", "mean_std_convention",
                                "per channel, of values divided by 255, over all training pixels; "
                                "std is the population's");
}

static int write_fingerprint(eex_dataset_writer *w)
{
    char hex[EEX_FINGERPRINT];
    const uint64_t *e = w->shape.extent;
    EEX_TRY(eex_fingerprint_end(hex, &w->fingerprint, (int)e[1], (int)e[2], (int)e[3], w->classes,
                                w->class_count));
    return eex_store_set_string(w->file, "/", "fingerprint", hex);
}

int eex_dataset_finish(eex_dataset_writer **writer, const char *source)
{
    eex_dataset_writer *w = *writer;
    *writer = NULL;
    int code = EEX_OK;
    if (w->parts[0].count == 0)
        code = eex_fail(EEX_EINVAL, "%s: no training images", eex_store_path(w->file));
    for (int i = 0; i < EEX_PARTS && code == EEX_OK; i++)
        if (w->parts[i].count)
            code = write_part(w->file, &w->parts[i]);
    if (code == EEX_OK)
        code = write_statistics(w);
    if (code == EEX_OK)
        code = write_fingerprint(w);
    if (code == EEX_OK)
        code = eex_store_write_string(w->file, "source", source);
    if (code == EEX_OK)
        code = eex_store_commit(&w->file);
    eex_dataset_abandon(w);
    return code;
}

void eex_dataset_abandon(eex_dataset_writer *writer)
{
    if (!writer)
        return;
    eex_store_close(writer->file);
    for (int i = 0; i < EEX_PARTS; i++) {
        eex_buffer_free(&writer->parts[i].labels);
        eex_buffer_free(&writer->parts[i].coarse);
        eex_buffer_free(&writer->parts[i].difficulty);
    }
    free(writer->classes);
    free(writer);
}
