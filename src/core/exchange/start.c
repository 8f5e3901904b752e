#include "core/exchange/start.h"

#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MODEL_VERSION = 1 };

/* ---- what it reads ---- */

static int number_classes(eex_store_list *out, int count)
{
    out->item = calloc((size_t)count + 1, sizeof *out->item);
    for (; out->item && out->count < (size_t)count; out->count++) {
        char name[24];
        snprintf(name, sizeof name, "%zu", out->count);
        if (!(out->item[out->count] = strdup(name)))
            break;
    }
    return out->item && out->count == (size_t)count
               ? EEX_OK
               : eex_fail(EEX_ENOMEM, "out of memory for the names of %d classes", count);
}

/* Means and deviations of ImageNet, as torchvision and timm have them. */
static int unknown_input(eex_input *out, const eex_graph *graph, const char *dataset)
{
    const eex_node *n = eex_graph_node(graph, 0);
    *out = (eex_input){.height = n->h,
                       .width = n->w,
                       .channels = n->c,
                       .mean = {0.485f, 0.456f, 0.406f},
                       .std = {0.229f, 0.224f, 0.225f}};
    out->dataset = strdup(dataset);
    if (!out->dataset)
        return eex_fail(EEX_ENOMEM, "out of memory for a data set's name");
    return number_classes(&out->classes, eex_graph_classes(graph));
}

static int open_input(eex_input *out, bool *there, const eex_graph *graph, const char *dataset)
{
    eex_dataset *data = NULL;
    int code = eex_dataset_open(&data, dataset);
    *there = code == EEX_OK;
    if (code == EEX_ENOTFOUND)
        return unknown_input(out, graph, dataset);
    if (code == EEX_OK)
        code = eex_input_of_dataset(out, data);
    eex_dataset_close(data);
    return code;
}

static int check_input(const eex_input *in, const eex_graph *graph, const char *dataset)
{
    const eex_node *n = eex_graph_node(graph, 0);
    if (n->c != in->channels || n->c > 3)
        return eex_fail(EEX_EINVAL,
                        "backbone: reads images of %d channels, those of \"%s\" have %d: expected "
                        "as many, at most 3",
                        n->c, dataset, in->channels);
    if (in->classes.count != (size_t)eex_graph_classes(graph))
        return eex_fail(EEX_EINVAL, "backbone: has %d classes, \"%s\" has %zu",
                        eex_graph_classes(graph), dataset, in->classes.count);
    const int code = eex_plan_reads(graph, in->height, in->width);
    return code < 0 ? eex_fail_in(EEX_EINVAL, "backbone") : EEX_OK;
}

int eex_start_input(eex_input *out, bool *there, const eex_graph *graph, const char *dataset)
{
    EEX_NEED(out, "place for the input");
    *out = (eex_input){0};
    EEX_NEED(there, "place to say whether the data set is there");
    EEX_NEED(graph, "graph");
    EEX_NEED(dataset, "name of a data set");
    int code = open_input(out, there, graph, dataset);
    if (code == EEX_OK)
        code = check_input(out, graph, dataset);
    if (code < 0)
        eex_input_free(out);
    return code;
}

/* ---- writing ---- */

typedef struct content {
    const eex_params *params;
    const eex_input *input;
    eex_precision precision;
} content;

static int fill(eex_store_file *file, const void *context)
{
    const content *c = context;
    return eex_model_write(file, c->params->graph, c->params, NULL, NULL, c->input, c->precision);
}

int eex_start_write(const char *path, const eex_params *params, const eex_input *input,
                    eex_precision precision)
{
    EEX_NEED(path, "path");
    EEX_NEED(params, "parameters");
    EEX_NEED(input, "input");
    const content c = {params, input, precision};
    return eex_store_write_file(path, "weights", MODEL_VERSION, fill, &c);
}
