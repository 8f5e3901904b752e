/* What a bottleneck's codes stand for: 0 to the largest value that training images have there. */
#include "core/graph/bottleneck.h"
#include "core/model/bottleneck_impl.h"
#include "core/plan/passing.h"
#include "core/train/survey.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH = 100, RANGE_IMAGES = 1000 };

typedef eex_bottleneck bottling;

typedef struct largest {
    int exit;
    float *rows;
    size_t values;
    float most;
} largest;

static int look(void *context, const eex_survey_place *at, int exit)
{
    largest *l = context;
    if (exit != l->exit)
        return EEX_OK;
    EEX_TRY(eex_plan_passing_get(at->plan, exit, 0, l->rows, at->batch->count));
    for (size_t i = 0; i < l->values * (size_t)at->batch->count; i++)
        l->most = l->rows[i] > l->most ? l->rows[i] : l->most;
    return EEX_OK;
}

static int survey_range(largest *l, const bottling *b, eex_params *params)
{
    static const eex_visitor visitor = {look, NULL};
    const eex_inference how = eex_model_inference(b->model, BATCH);
    const size_t count = b->train.count < RANGE_IMAGES ? b->train.count : RANGE_IMAGES;
    uint32_t *some = malloc((count + 1) * sizeof *some);
    l->rows = malloc(l->values * BATCH * sizeof *l->rows);
    int code = some && l->rows ? EEX_OK : eex_fail(EEX_ENOMEM, "out of memory for what is sent");
    for (size_t i = 0; code == EEX_OK && i < count; i++)
        some[i] = b->train.at[i * b->train.count / count];
    const eex_survey survey = {.title = "finding the range of what is sent",
                               .graph = b->plain,
                               .params = params,
                               .data = b->data,
                               .samples = some,
                               .count = count,
                               .how = &how,
                               .exits = l->exit + 1,
                               .visitor = &visitor,
                               .context = l};
    if (code == EEX_OK)
        code = eex_survey_run(&survey);
    free(some);
    free(l->rows);
    return code;
}

int eex__bottleneck_param(const eex_graph *graph, const char *name)
{
    int i = 0;
    while (strcmp(eex_graph_param(graph, i)->name, name) != 0)
        i++;
    return i;
}

static int set_range(bottling *b, float most)
{
    const float range[2] = {0, most > 0 ? most : 1};
    b->out.range = (double)range[1];
    return eex_params_set(b->params, eex__bottleneck_param(b->graph, EEX_BOTTLENECK_RANGE), range);
}

int eex__bottleneck_range(bottling *b)
{
    eex_params *params = NULL;
    int copied;
    largest l = {.exit = eex_graph_exits(b->graph) - 2, .values = (size_t)b->out.values};
    EEX_TRY(eex_params_new_empty(&params, b->params->device, b->plain));
    int code = eex_params_copy(params, b->params, &copied);
    if (code == EEX_OK)
        code = survey_range(&l, b, params);
    if (code == EEX_OK)
        code = set_range(b, l.most);
    eex_params_free(params);
    return code;
}
