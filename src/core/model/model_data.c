#include "core/model/model_data.h"

#include "base/buffer.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/names.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

enum { SPLIT_VERSION = 1, RUN_VERSION = 1, DESCRIPTION_BYTES = 16 << 20 };

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

bool eex_model_data_fits(const eex_model *model, const eex_dataset *data)
{
    if (!model || !data)
        return false;
    const eex_dataset_info *info = eex_dataset_facts(data);
    bool same = (size_t)info->classes == model->input.classes.count;
    for (int c = 0; c < info->classes && same; c++)
        same = strcmp(info->class_names[c], model->input.classes.item[c]) == 0;
    return same;
}

/* The first class that is called otherwise; only as many as both have are asked. */
static int first_other(const eex_model *model, const eex_dataset_info *info)
{
    int c = 0;
    while (c < info->classes - 1 && (size_t)c < model->input.classes.count - 1 &&
           strcmp(info->class_names[c], model->input.classes.item[c]) == 0)
        c++;
    return c;
}

int eex_model_data_classes(const eex_model *model, const eex_dataset *data)
{
    EEX_NEED(model, "model");
    EEX_NEED(data, "data set");
    const eex_dataset_info *info = eex_dataset_facts(data);
    if (eex_model_data_fits(model, data))
        return EEX_OK;
    if ((size_t)info->classes != model->input.classes.count)
        return eex_fail(EEX_EINVAL,
                        "%s has other classes than the model: %d of them, the model %zu",
                        info->name, info->classes, model->input.classes.count);
    const int c = first_other(model, info);
    return eex_fail(
        EEX_EINVAL,
        "%s has other classes than the model: class %d is \"%.80s\" there, and \"%.80s\" "
        "in the model",
        info->name, c + 1, info->class_names[c], model->input.classes.item[c]);
}

/* A file of the model's run; NULL in *out where there is none: the model lies elsewhere, or the run
 * has not come that far. */
static int find_beside(char **out, const eex_model *model, const char *name)
{
    char *folder = NULL;
    *out = NULL;
    EEX_TRY(eex_path_folder(&folder, model->path));
    int code = eex_path_join(out, folder, name);
    if (code == EEX_OK && !eex_fs_exists(*out)) {
        free(*out);
        *out = NULL;
    }
    free(folder);
    return code;
}

/* ---- whether a data set is the model's ---- */

static const char remedy[] =
    "put back the data that it was made from, or run the experiment again on these; a data set of "
    "its own name can be named with --data";

/* What a run says of its data. */
typedef struct run_data {
    eex_identity made_of;
    char *description;
} run_data;

static int read_run(eex_store_file *file, void *context)
{
    run_data *run = context;
    EEX_TRY(eex_identity_load(&run->made_of, file, ""));
    return eex_store_read_string(&run->description, file, "description", DESCRIPTION_BYTES);
}

/* Runs of an earlier eex have no more than an entry of their description. */
static int compare_entries(bool *compared, const run_data *run, const eex_dataset_info *d,
                           const char *path)
{
    eex_buffer now = EEX_BUFFER_INIT;
    const char *was = strstr(run->description, "\ndata = ");
    const char *end = was ? strstr(was, "\ndevice = ") : NULL;
    if (!end)
        return EEX_OK;
    was++;
    const size_t length = (size_t)(end + 1 - was);
    eex_identity_entry(&now, d);
    int code = eex_buffer_status(&now);
    *compared = code == EEX_OK;
    if (code == EEX_OK && (now.size != length || memcmp(now.data, was, length) != 0))
        code = eex_fail(EEX_EINVAL,
                        "%s was made from other data than data set \"%s\" has now: there "
                        "\"%.*s\", in %s \"%.*s\"; %s",
                        path, d->name, (int)strcspn(was, "\n"), was, d->path,
                        (int)strcspn(now.data, "\n"), now.data, remedy);
    eex_buffer_free(&now);
    return code;
}

static int check_run(bool *compared, const char *path, eex_dataset *data)
{
    run_data run = {.description = NULL};
    int code = eex_store_read_file(path, "run", RUN_VERSION, read_run, &run);
    if (code == EEX_OK && eex_identity_known(&run.made_of)) {
        *compared = true;
        code = eex_identity_check(&run.made_of, data, path, remedy);
    } else if (code == EEX_OK) {
        code = compare_entries(compared, &run, eex_dataset_facts(data), path);
    }
    eex_identity_free(&run.made_of);
    free(run.description);
    return code;
}

/* By its own name or by that of its file, which is what it is opened by. */
static bool called_alike(const eex_model *model, const eex_dataset *data)
{
    const eex_dataset_info *d = eex_dataset_facts(data);
    const char *name = model->input.dataset, *file = eex_path_base(d->path);
    const size_t length = strlen(name);
    return strcmp(d->name, name) == 0 ||
           (strncmp(file, name, length) == 0 && strcmp(file + length, ".h5") == 0);
}

/* The images of large data sets may have to be read for it: only where it is possible at all. */
static bool may_be_own(const eex_model *model, const eex_dataset *data)
{
    const eex_dataset_info *d = eex_dataset_facts(data);
    const eex_input *in = &model->input;
    return eex_identity_known(&in->made_of) && d->height == in->height && d->width == in->width &&
           d->channels == in->channels && eex_model_data_fits(model, data);
}

static int is_own(bool *out, const eex_model *model, eex_dataset *data)
{
    eex_identity now = {.text = NULL};
    *out = called_alike(model, data);
    if (*out || !may_be_own(model, data))
        return EEX_OK;
    const int code = eex_identity_of(&now, data);
    *out = code == EEX_OK && eex_identity_same(&now, &model->input.made_of);
    eex_identity_free(&now);
    return code;
}

/* The run's word counts too: its sample numbers are what is taken. */
static int check_own(bool *compared, const eex_model *model, eex_dataset *data)
{
    char *run = NULL;
    *compared = eex_identity_known(&model->input.made_of);
    EEX_TRY(eex_identity_check(&model->input.made_of, data, model->path, remedy));
    EEX_TRY(find_beside(&run, model, "run.h5"));
    const int code = run ? check_run(compared, run, data) : EEX_OK;
    free(run);
    return code;
}

int eex_model_data_check(bool *own, bool *compared, const eex_model *model, eex_dataset *data)
{
    EEX_NEED(own, "place for the answer");
    EEX_NEED(compared, "place for whether it was compared");
    EEX_NEED(model, "model");
    EEX_NEED(data, "data set");
    *compared = true;
    EEX_TRY(is_own(own, model, data));
    return *own ? check_own(compared, model, data) : EEX_OK;
}

/* ---- opening ---- */

static int check_opened(const eex_model *model, eex_dataset *data)
{
    bool own = false, compared = true;
    EEX_TRY(eex_model_data_check(&own, &compared, model, data));
    if (!compared)
        eex_log_warn("%s: an earlier eex made it, and nothing says what its data were: whether "
                     "%s still has them cannot be compared",
                     model->path, eex_dataset_facts(data)->path);
    return EEX_OK;
}

int eex_model_data_open(eex_dataset **out, const eex_model *model, const char *name)
{
    EEX_NEED(out, "place for the data set");
    *out = NULL;
    EEX_NEED(model, "model");
    EEX_TRY(eex_dataset_open(out, name ? name : model->input.dataset));
    int code = check_opened(model, *out);
    if (code < 0) {
        eex_dataset_close(*out);
        *out = NULL;
    }
    return code;
}

int eex_model_data_own(eex_dataset **out, const eex_model *model, const char *name)
{
    EEX_NEED(out, "place for the data set");
    *out = NULL;
    EEX_NEED(model, "model");
    EEX_TRY(eex_model_data_open(out, model, name));
    int code = check_images(model, eex_dataset_facts(*out));
    if (code < 0) {
        eex_dataset_close(*out);
        *out = NULL;
    }
    return code;
}

/* ---- parts ---- */

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
                    const char *part, bool own)
{
    const eex_dataset_info *info = eex_dataset_facts(data);
    const eex_part which = strcmp(part, "train") == 0 ? EEX_PART_TRAIN : EEX_PART_TEST;
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

/* The split of the model's run counts where both files are there. */
static int find_split(char **out, const eex_model *model)
{
    char *run = NULL;
    *out = NULL;
    EEX_TRY(find_beside(&run, model, "run.h5"));
    const int code = run ? find_beside(out, model, "split.h5") : EEX_OK;
    free(run);
    return code;
}

int eex_model_data_part(eex_index *out, const eex_model *model, eex_dataset *data, const char *part)
{
    EEX_NEED(out, "place for the list");
    EEX_NEED(model, "model");
    EEX_NEED(data, "data set");
    EEX_NEED(part, "name of a part");
    char *path = NULL;
    bool own = false, compared = false;
    *out = (eex_index){NULL, 0};
    EEX_TRY(eex_model_data_check(&own, &compared, model, data));
    if (own)
        EEX_TRY(find_split(&path, model));
    const int code =
        path ? read_part(out, path, data, part) : own_part(out, model, data, part, own);
    free(path);
    return code;
}
