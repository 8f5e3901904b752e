#include "core/model/model_data.h"

#include "base/fs.h"
#include "base/names.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

enum { SPLIT_VERSION = 1 };

int eex_model_data_open(eex_dataset **out, const eex_model *model, const char *name)
{
    return eex_dataset_open(out, name ? name : model->input.dataset);
}

static int check_images(const eex_model *model, const eex_dataset_info *d)
{
    const eex_input *in = &model->input;
    if (d->height != in->height || d->width != in->width || d->channels != in->channels)
        return eex_fail(EEX_EINVAL,
                        "%s: its network takes images of %dx%dx%d, data set \"%s\" has %dx%dx%d",
                        model->path, in->height, in->width, in->channels, d->name, d->height,
                        d->width, d->channels);
    if ((size_t)d->classes != in->classes.count)
        return eex_fail(EEX_EINVAL, "%s: tells %zu classes apart, data set \"%s\" has %d",
                        model->path, in->classes.count, d->name, d->classes);
    return EEX_OK;
}

int eex_model_data_own(eex_dataset **out, const eex_model *model, const char *name)
{
    EEX_TRY(eex_model_data_open(out, model, name));
    int code = check_images(model, eex_dataset_facts(*out));
    if (code < 0) {
        eex_dataset_close(*out);
        *out = NULL;
    }
    return code;
}

bool eex_model_data_fits(const eex_model *model, const eex_dataset *data)
{
    const eex_dataset_info *info = eex_dataset_facts(data);
    bool same = (size_t)info->classes == model->input.classes.count;
    for (int c = 0; c < info->classes && same; c++)
        same = strcmp(info->class_names[c], model->input.classes.item[c]) == 0;
    return same;
}

/* Where the split of the model's run is; NULL in *out for a model that lies elsewhere. */
static int find_split(char **out, const eex_model *model)
{
    char *folder = NULL, *run = NULL, *path = NULL;
    *out = NULL;
    EEX_TRY(eex_path_folder(&folder, model->path));
    int code = eex_path_join(&run, folder, "run.h5");
    if (code == EEX_OK)
        code = eex_path_join(&path, folder, "split.h5");
    if (code == EEX_OK && eex_fs_exists(run) && eex_fs_exists(path)) {
        *out = path;
        path = NULL;
    }
    free(path);
    free(run);
    free(folder);
    return code;
}

static const char *const part_names[] = {"train", "calibration", "validation", "test"};
enum { PART_NAMES = sizeof part_names / sizeof *part_names };

static int unknown_part(const char *part)
{
    const eex_names names = {part_names, PART_NAMES};
    char hint[EEX_NAMES_SIZE];
    return eex_fail(EEX_EINVAL, "unknown split \"%s\": %s", part,
                    eex_names_hint(hint, &names, part));
}

static int take_part(eex_index *out, eex_split *split, const char *part)
{
    eex_index *const parts[] = {&split->train, &split->calibration, &split->validation,
                                &split->test};
    _Static_assert(sizeof parts / sizeof *parts == PART_NAMES, "a part a name");
    for (int i = 0; i < PART_NAMES; i++)
        if (strcmp(part, part_names[i]) == 0) {
            *out = *parts[i];
            *parts[i] = (eex_index){NULL, 0};
            return EEX_OK;
        }
    return unknown_part(part);
}

static int read_part(eex_index *out, const char *path, const eex_dataset *data, const char *part)
{
    eex_store_file *file = NULL;
    eex_split split = {{NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}};
    EEX_TRY(eex_store_open(&file, path, "split", SPLIT_VERSION));
    int code = eex_split_read(&split, file, "split", eex_dataset_facts(data)->samples);
    eex_store_close(file);
    if (code == EEX_OK)
        code = take_part(out, &split, part);
    eex_split_free(&split);
    return code;
}

/* The samples that a trace of the model is about. */
static int traced_part(eex_index *out, const eex_model *model, const eex_dataset *data,
                       const char *part)
{
    const eex_dataset_info *info = eex_dataset_facts(data);
    eex_trace *trace = NULL;
    EEX_TRY(eex_model_trace(&trace, model, part));
    const size_t count = (size_t)trace->samples;
    int code = EEX_OK;
    out->at = malloc(count * sizeof *out->at);
    if (!out->at)
        code = eex_fail(EEX_ENOMEM, "out of memory for a list of %zu samples", count);
    for (size_t i = 0; i < count && code == EEX_OK; i++) {
        out->at[i] = trace->sample[i];
        if (trace->sample[i] >= info->samples)
            code = eex_fail(EEX_EFORMAT, "%s: its %s trace has sample %u, data set \"%s\" has %u",
                            model->path, part, (unsigned)trace->sample[i], info->name,
                            (unsigned)info->samples);
    }
    out->count = count;
    eex_trace_free(trace);
    if (code < 0) {
        free(out->at);
        *out = (eex_index){NULL, 0};
    }
    return code;
}

/* The data set's own parts. */
static int own_part(eex_index *out, const eex_model *model, const eex_dataset *data,
                    const char *part)
{
    const eex_dataset_info *info = eex_dataset_facts(data);
    const eex_part which = strcmp(part, "train") == 0 ? EEX_PART_TRAIN : EEX_PART_TEST;
    const bool own = strcmp(info->name, model->input.dataset) == 0;
    if (strcmp(part, "calibration") == 0 || strcmp(part, "validation") == 0)
        return own ? traced_part(out, model, data, part)
                   : eex_fail(
                         EEX_ENOTFOUND,
                         "%s with %s: only a run on its own data set has a %s split; there are "
                         "train and test",
                         model->path, info->name, part);
    if (which == EEX_PART_TEST && strcmp(part, "test") != 0)
        return unknown_part(part);
    uint32_t first, count;
    eex_dataset_part(&first, &count, data, which);
    if (count == 0)
        return eex_fail(EEX_ENOTFOUND, "data set \"%s\" has no test images", info->name);
    out->at = malloc(count * sizeof *out->at);
    if (!out->at)
        return eex_fail(EEX_ENOMEM, "out of memory for a list of %u samples", count);
    for (uint32_t i = 0; i < count; i++)
        out->at[i] = first + i;
    out->count = count;
    return EEX_OK;
}

int eex_model_data_part(eex_index *out, const eex_model *model, const eex_dataset *data,
                        const char *part)
{
    char *path = NULL;
    *out = (eex_index){NULL, 0};
    if (strcmp(eex_dataset_facts(data)->name, model->input.dataset) == 0)
        EEX_TRY(find_split(&path, model));
    const int code = path ? read_part(out, path, data, part) : own_part(out, model, data, part);
    free(path);
    return code;
}
