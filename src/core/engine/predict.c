#include "core/engine/predict.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

typedef struct predicting {
    eex_guest guest;
    int gates;
    float gamma[EEX_MAX_EXITS]; /* (gates) */
    eex_plan *plan;             /* of the predictor */
    float *logits;              /* (batch, outputs) */
    int outputs;
} predicting;

static int look(eex_guest *guest, const uint8_t *images, int count)
{
    predicting *p = (predicting *)guest;
    EEX_TRY(eex_plan_upload(p->plan, images, NULL, NULL, count));
    EEX_TRY(eex_plan_segments(p->plan, 0, 0, count));
    return eex_plan_logits(p->plan, 0, p->logits, count);
}

static int choose(eex_guest *guest, eex_plan *plan, int k, const int32_t *input, bool *ask,
                  int rows)
{
    const predicting *p = (const predicting *)guest;
    for (int i = 0; i < rows; i++)
        ask[i] = ask[i] &&
                 eex_skip_asks(
                     eex_skip_score(p->logits[(size_t)input[i] * (size_t)p->outputs + (size_t)k]),
                     p->gamma[k]);
    return EEX_OK;
}

int eex_predict_guest_new(eex_guest **out, const eex_exit_predictor *predictor,
                          const eex_inference *how)
{
    const eex_plan_options options = eex_inference_plan(how);
    *out = NULL;
    if (!predictor->params)
        return eex_fail(EEX_EINVAL, "engine: the predictor was opened without a device");
    predicting *p = calloc(1, sizeof *p);
    if (!p)
        return eex_fail(EEX_ENOMEM, "out of memory for a predictor");
    p->guest.begin = look;
    p->guest.before = choose;
    p->gates = predictor->gates;
    eex_predict_guest_ask(&p->guest, predictor->gamma);
    p->outputs = eex_graph_classes(predictor->graph);
    p->logits = malloc((size_t)how->batch * (size_t)p->outputs * sizeof *p->logits);
    int code = p->logits
                   ? EEX_OK
                   : eex_fail(EEX_ENOMEM, "out of memory for the scores of %d images", how->batch);
    if (code == EEX_OK)
        code = eex_plan_new(&p->plan, &options, predictor->graph, predictor->params);
    if (code < 0) {
        eex_predict_guest_free(&p->guest);
        return code;
    }
    *out = &p->guest;
    return EEX_OK;
}

void eex_predict_guest_ask(eex_guest *guest, const float *gamma)
{
    predicting *p = (predicting *)guest;
    memcpy(p->gamma, gamma, (size_t)p->gates * sizeof *gamma);
}

void eex_predict_guest_free(eex_guest *guest)
{
    predicting *p = (predicting *)guest;
    if (!p)
        return;
    eex_plan_free(p->plan);
    free(p->logits);
    free(p);
}
