#include "core/model/predictor_curve.h"

#include "base/status.h"

#include <math.h>

static const double thresholds[EEX_CURVE_POINTS] = {0.3, 0.5,  0.6, 0.7,  0.75,
                                                    0.8, 0.85, 0.9, 0.95, 0.99};

enum { FIND, SHOW, SIDES };

typedef struct work {
    eex_curve *out;
    const eex_model *model;
    const eex_exit_predictor *predictor;
    double more;
    eex_charges charges;
    eex_trace *trace[SIDES]; /* that gammas are chosen on; that is shown */
    const float *score[SIDES];
} work;

/* Scored at temperature 1, as published. */
static int open_side(work *w, int side, int part)
{
    static const char *const splits[] = {"calibration", "validation"};
    const eex_exit_predictor *p = w->predictor;
    float ones[EEX_MAX_EXITS];
    EEX_TRY(eex_model_trace(&w->trace[side], w->model, splits[part]));
    for (int k = 0; k < w->trace[side]->exits; k++)
        ones[k] = 1;
    EEX_TRY(eex_trace_score(w->trace[side], w->model->params->device, ones));
    if (!p)
        return EEX_OK;
    w->score[side] = p->score[part];
    return p->samples[part] == w->trace[side]->samples
               ? EEX_OK
               : eex_fail(EEX_EFORMAT,
                          "%s: its predictor has scores of %d %s images, its trace has %d",
                          w->model->path, p->samples[part], splits[part], w->trace[side]->samples);
}

static int predict(work *w, int i, const eex_policy *policy)
{
    float gamma[EEX_MAX_EXITS];
    eex_skips skips = {.gates = w->charges.exits - 1, .score = w->score[FIND]};
    EEX_TRY(eex_skip_choose(gamma, w->trace[FIND], policy, &w->charges, &skips, w->more));
    skips.score = w->score[SHOW];
    skips.gamma = gamma;
    return eex_replay_skips(&w->out->with[i], w->trace[SHOW], policy, &w->charges, &skips, NULL,
                            NULL);
}

static int find_point(work *w, int i)
{
    const int gates = w->charges.exits - 1;
    eex_policy *policy = NULL;
    EEX_TRY(eex_policy_new(&policy, EEX_POLICY_CONFIDENCE, w->charges.exits,
                           eex_graph_classes(w->model->graph)));
    for (int k = 0; k < gates; k++)
        policy->a[k] = thresholds[i];
    policy->a[gates] = -INFINITY;
    eex_policy_apply(policy);
    w->out->threshold[i] = thresholds[i];
    int code = eex_replay_skips(&w->out->without[i], w->trace[SHOW], policy, &w->charges, NULL,
                                NULL, NULL);
    if (code == EEX_OK && w->predictor)
        code = predict(w, i, policy);
    eex_policy_free(policy);
    return code;
}

static int find(work *w)
{
    const bool from_train = !w->predictor || w->predictor->recipe.images == EEX_PREDICTOR_TRAIN;
    EEX_TRY(open_side(w, FIND, from_train ? 0 : 1));
    EEX_TRY(open_side(w, SHOW, 1));
    eex_model_charges(&w->charges, w->model->graph, w->predictor ? w->predictor->graph : NULL);
    w->out->samples = w->trace[SHOW]->samples;
    w->out->exits = w->charges.exits;
    w->out->predicted = w->predictor != NULL;
    w->out->flattered = !from_train;
    for (int i = 0; i < EEX_CURVE_POINTS; i++)
        EEX_TRY(find_point(w, i));
    return EEX_OK;
}

int eex_curve_find(eex_curve *out, const eex_model *model, const eex_exit_predictor *predictor,
                   double more)
{
    EEX_NEED(out, "place for the curve");
    EEX_NEED(model, "model");
    *out = (eex_curve){.samples = 0};
    if (!model->params)
        return eex_fail(EEX_EINVAL, "%s was opened without a device", model->path);
    if (eex_graph_exits(model->graph) < 2)
        return eex_fail(EEX_EINVAL, "%s has no gates, and no thresholds", model->path);
    work w = {.out = out, .model = model, .predictor = predictor, .more = more};
    const int code = find(&w);
    eex_trace_free(w.trace[FIND]);
    eex_trace_free(w.trace[SHOW]);
    return code;
}
