#include "core/train/features.h"

#include "core/train/survey.h"

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

/* The value of a point that several gates read is taken behind the first of them. */
static int record_point(void *context, const eex_survey_place *at, int k)
{
    eex_features *f = context;
    const int point = eex_graph_exit(at->graph, k)->point;
    if (k > 0 && eex_graph_exit(at->graph, k - 1)->point == point)
        return EEX_OK;
    int i = 0;
    while (f->node[i] != point)
        i++;
    return eex_plan_download_value(at->plan, point, f->rows[i] + at->first * f->row[i],
                                   at->batch->count);
}

static int record_places(void *context, const eex_survey_place *at)
{
    eex_features *f = context;
    for (int i = 0; i < at->batch->count; i++)
        f->place[at->batch->samples[i]] = (uint32_t)(at->first + (size_t)i);
    return EEX_OK;
}

int eex_features_record(eex_features **out, eex_params *params, eex_dataset *data,
                        const uint32_t *samples, size_t count, const eex_inference *how)
{
    static const eex_visitor visitor = {record_point, record_places};
    *out = NULL;
    eex_features *f = calloc(1, sizeof *f);
    if (!f)
        return eex_fail(EEX_ENOMEM, "out of memory for features");
    list_points(f, params->graph);
    const eex_survey survey = {
        .title = "recording features",
        .graph = params->graph,
        .params = params,
        .data = data,
        .samples = samples,
        .count = count,
        .how = how,
        .exits = eex_graph_exits(params->graph) - 1,
        .visitor = &visitor,
        .context = f,
    };
    int code = make_room(f, data, count, how->batch);
    if (code == EEX_OK)
        code = eex_survey_run(&survey);
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
