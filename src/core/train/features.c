#include "core/train/features.h"

#include "core/data/loader.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

/* The distinct points of the gates, in order. */
static void list_points(eex_features *f, const eex_graph *graph)
{
    for (int k = 0; k < eex_graph_exits(graph) - 1; k++) {
        int point = eex_graph_exit(graph, k)->point;
        if (f->points && f->node[f->points - 1] == point)
            continue;
        const eex_node *n = eex_graph_node(graph, point);
        f->row[f->points] = (size_t)n->h * (size_t)n->w * (size_t)n->c;
        f->node[f->points++] = point;
    }
}

static int make_room(eex_features *f, const eex_dataset *data, size_t count, int batch)
{
    size_t widest = 1, bytes = 0;
    for (int i = 0; i < f->points; i++) {
        bytes += count * f->row[i] * sizeof(float);
        f->rows[i] = malloc(count * f->row[i] * sizeof(float));
        if (!f->rows[i])
            return eex_fail(EEX_ENOMEM,
                            "training.cache_features: %zu MiB of features do not fit; "
                            "set it to false to run the trunk instead",
                            bytes >> 20);
        widest = f->row[i] > widest ? f->row[i] : widest;
    }
    f->batch = malloc((size_t)batch * widest * sizeof *f->batch);
    f->place = calloc(eex_dataset_facts(data)->samples, sizeof *f->place);
    return f->batch && f->place ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for features");
}

/* A point's value stands right after the segment of the first exit that reads it. */
static int record_batch(eex_features *f, eex_plan *plan, const eex_graph *graph,
                        const eex_batch *batch, size_t at)
{
    EEX_TRY(eex_plan_upload(plan, batch->images, NULL, NULL, batch->count));
    for (int k = 0, i = 0; k < eex_graph_exits(graph) - 1; k++) {
        EEX_TRY(eex_plan_segments(plan, k, k, batch->count));
        if (i == f->points || eex_graph_exit(graph, k)->point != f->node[i])
            continue;
        EEX_TRY(
            eex_plan_download_value(plan, f->node[i], f->rows[i] + at * f->row[i], batch->count));
        i++;
    }
    for (int i = 0; i < batch->count; i++)
        f->place[batch->samples[i]] = (uint32_t)(at + (size_t)i);
    return EEX_OK;
}

static int record_all(eex_features *f, eex_plan *plan, const eex_graph *graph, eex_loader *loader)
{
    const eex_batch *batch;
    for (size_t at = 0;; at += (size_t)batch->count) {
        EEX_TRY(eex_loader_next(&batch, loader));
        if (!batch)
            return EEX_OK;
        EEX_TRY(record_batch(f, plan, graph, batch, at));
    }
}

int eex_features_record(eex_features **out, eex_params *params, eex_dataset *data,
                        const uint32_t *samples, size_t count, const eex_inference *how)
{
    eex_plan *plan = NULL;
    eex_loader *loader = NULL;
    *out = NULL;
    eex_features *f = calloc(1, sizeof *f);
    if (!f)
        return eex_fail(EEX_ENOMEM, "out of memory for features");
    list_points(f, params->graph);
    const eex_plan_options options = eex_inference_plan(how);
    const eex_loader_options from = {
        .data = data, .samples = samples, .count = count, .batch = how->batch};
    int code = make_room(f, data, count, how->batch);
    if (code == EEX_OK)
        code = eex_plan_new(&plan, &options, params->graph, params);
    if (code == EEX_OK)
        code = eex_loader_open(&loader, &from);
    if (code == EEX_OK)
        code = record_all(f, plan, params->graph, loader);
    eex_loader_close(loader);
    eex_plan_free(plan);
    if (code < 0) {
        eex_features_free(f);
        return code;
    }
    *out = f;
    return EEX_OK;
}

void eex_features_free(eex_features *f)
{
    if (!f)
        return;
    for (int i = 0; i < f->points; i++)
        free(f->rows[i]);
    free(f->batch);
    free(f->place);
    free(f);
}

int eex_features_feed(const eex_features *f, eex_plan *plan, const uint32_t *samples, int batch)
{
    for (int i = 0; i < f->points; i++) {
        for (int j = 0; j < batch; j++)
            memcpy(f->batch + (size_t)j * f->row[i],
                   f->rows[i] + (size_t)f->place[samples[j]] * f->row[i],
                   f->row[i] * sizeof *f->batch);
        EEX_TRY(eex_plan_upload_value(plan, f->node[i], f->batch, batch));
    }
    return EEX_OK;
}
