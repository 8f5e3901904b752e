/* What a network reads. */
#include "core/model/model.h"

#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLASS_BYTES = 16 << 20 };

void eex_input_free(eex_input *input)
{
    if (!input)
        return;
    free(input->dataset);
    eex_store_list_free(&input->classes);
    eex_identity_free(&input->made_of);
    *input = (eex_input){0};
}

static int copy_classes(eex_store_list *out, const char *const *names, size_t count)
{
    out->item = calloc(count + 1, sizeof *out->item);
    for (; out->item && out->count < count; out->count++)
        if (!(out->item[out->count] = strdup(names[out->count])))
            break;
    return out->item && out->count == count
               ? EEX_OK
               : eex_fail(EEX_ENOMEM, "out of memory for the names of %zu classes", count);
}

/* What is not a number. */
static int copy_texts(eex_input *out, const char *dataset, const char *const *classes, size_t count)
{
    out->dataset = strdup(dataset);
    if (!out->dataset)
        return eex_fail(EEX_ENOMEM, "out of memory for a data set's name");
    return copy_classes(&out->classes, classes, count);
}

int eex_input_of_dataset(eex_input *out, eex_dataset *data)
{
    EEX_NEED(out, "place for the input");
    EEX_NEED(data, "data set");
    const eex_dataset_info *d = eex_dataset_facts(data);
    *out = (eex_input){.height = d->height, .width = d->width, .channels = d->channels};
    memcpy(out->mean, d->mean, sizeof out->mean);
    memcpy(out->std, d->std, sizeof out->std);
    int code = copy_texts(out, d->name, d->class_names, (size_t)d->classes);
    if (code == EEX_OK)
        code = eex_identity_of(&out->made_of, data);
    if (code < 0)
        eex_input_free(out);
    return code;
}

int eex_input_copy(eex_input *out, const eex_input *from)
{
    EEX_NEED(out, "place for the input");
    EEX_NEED(from, "input");
    *out = *from;
    out->dataset = NULL;
    out->classes = (eex_store_list){0};
    out->made_of = (eex_identity){.text = NULL};
    int code = copy_texts(out, from->dataset, (const char *const *)from->classes.item,
                          from->classes.count);
    if (code == EEX_OK)
        code = eex_identity_copy(&out->made_of, &from->made_of);
    if (code < 0)
        eex_input_free(out);
    return code;
}

int eex_input_save(const eex_input *input, eex_store_file *file, const char *group)
{
    EEX_NEED(input, "input");
    EEX_NEED(file, "file");
    EEX_NEED(group, "group");
    const double mean[3] = {(double)input->mean[0], (double)input->mean[1], (double)input->mean[2]};
    const double std[3] = {(double)input->std[0], (double)input->std[1], (double)input->std[2]};
    char path[256];
    EEX_TRY(eex_store_make_group(file, group));
    EEX_TRY(eex_store_set_string(file, group, "dataset", input->dataset));
    EEX_TRY(eex_store_set_int(file, group, "height", input->height));
    EEX_TRY(eex_store_set_int(file, group, "width", input->width));
    EEX_TRY(eex_store_set_int(file, group, "channels", input->channels));
    EEX_TRY(eex_store_set_doubles(file, group, "mean", mean, 3));
    EEX_TRY(eex_store_set_doubles(file, group, "std", std, 3));
    EEX_TRY(eex_identity_save(&input->made_of, file, group));
    if (snprintf(path, sizeof path, "%s/classes", group) >= (int)sizeof path)
        return eex_fail(EEX_EINVAL, "input: the group's name \"%.60s...\" is too long", group);
    return eex_store_write_strings(file, path, (const char *const *)input->classes.item,
                                   input->classes.count);
}

static int read_size(int *out, eex_store_file *file, const char *group, const char *name)
{
    int64_t value = 0;
    EEX_TRY(eex_store_get_int(&value, file, group, name));
    if (value < 1 || value > 1 << 16)
        return eex_store_refuse(file, "%s: a %s of %lld", group, name, (long long)value);
    *out = (int)value;
    return EEX_OK;
}

static int read_input(eex_input *in, eex_store_file *file, const char *group)
{
    double mean[3], std[3];
    char path[256];
    if (snprintf(path, sizeof path, "%s/classes", group) >= (int)sizeof path)
        return eex_fail(EEX_EINVAL, "input: the group's name \"%.60s...\" is too long", group);
    EEX_TRY(eex_store_get_string(&in->dataset, file, group, "dataset"));
    EEX_TRY(read_size(&in->height, file, group, "height"));
    EEX_TRY(read_size(&in->width, file, group, "width"));
    EEX_TRY(read_size(&in->channels, file, group, "channels"));
    EEX_TRY(eex_store_get_doubles(mean, file, group, "mean", 3));
    EEX_TRY(eex_store_get_doubles(std, file, group, "std", 3));
    EEX_TRY(eex_identity_load(&in->made_of, file, group));
    for (int c = 0; c < 3; c++) {
        in->mean[c] = (float)mean[c];
        in->std[c] = (float)std[c];
        if (!isfinite(in->mean[c]) || (c < in->channels && !(in->std[c] > 0)))
            return eex_store_refuse(file, "%s: channel %d has mean %g and deviation %g", group, c,
                                    mean[c], std[c]);
    }
    return eex_store_read_strings(&in->classes, file, path, CLASS_BYTES);
}

int eex_input_load(eex_input *out, eex_store_file *file, const char *group)
{
    EEX_NEED(out, "place for the input");
    EEX_NEED(file, "file");
    EEX_NEED(group, "group");
    eex_input input = {0};
    int code = read_input(&input, file, group);
    if (code < 0)
        eex_input_free(&input);
    *out = input;
    return code;
}
