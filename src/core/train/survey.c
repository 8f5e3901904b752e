#include "core/train/survey.h"

#include "core/train/batches.h"

#include "base/progress.h"
#include "base/status.h"

static int visit_batch(const eex_survey *s, const eex_survey_place *at)
{
    const eex_batch *batch = at->batch;
    EEX_TRY(eex_plan_upload(at->plan, batch->images, NULL, batch->samples, batch->count));
    for (int k = 0; k < s->exits; k++) {
        EEX_TRY(eex_plan_segments(at->plan, k, k, batch->count));
        EEX_TRY(s->visitor->segment(s->context, at, k));
    }
    return s->visitor->batch ? s->visitor->batch(s->context, at) : EEX_OK;
}

static int visit_all(const eex_survey *s, eex_plan *plan, eex_batches *batches)
{
    eex_survey_place at = {.plan = plan, .graph = s->graph};
    for (;;) {
        EEX_TRY(eex_batches_next(&at.batch, batches));
        if (!at.batch)
            return EEX_OK;
        EEX_TRY(visit_batch(s, &at));
        at.first += (size_t)at.batch->count;
        if (s->title)
            eex_progress_update(at.first, NULL);
    }
}

int eex_survey_run(const eex_survey *s)
{
    eex_plan *plan = NULL;
    eex_batches batches = {.loader = NULL};
    eex_plan_options options = eex_inference_plan(s->how);
    const eex_loader_options from = {
        .data = s->data, .samples = s->samples, .count = s->count, .batch = s->how->batch};
    eex_augment_fit(&options.augment, s->data);
    int code = eex_plan_new(&plan, &options, s->graph, s->params);
    if (code == EEX_OK)
        code = eex_batches_open(&batches, s->params->device, &from);
    if (code == EEX_OK) {
        if (s->title)
            eex_progress_begin(s->title, s->count, "images");
        code = visit_all(s, plan, &batches);
        if (s->title)
            eex_progress_end();
    }
    eex_batches_close(&batches);
    eex_plan_free(plan);
    return code;
}
