/* A predictor's scores, its thresholds, and what they come to, by replay. */
#include "core/model/predictor_impl.h"
#include "core/train/survey.h"

#include "base/status.h"

#include <stdlib.h>

typedef eex__predictor_making making;

/* ---- scores ---- */

typedef struct reader {
    const eex_exit_predictor *p;
    float *score, *logits; /* (gates, samples), (EEX__PREDICTOR_BATCH, outputs) */
    size_t samples;
} reader;

static int read_logits(void *context, const eex_survey_place *at, int exit)
{
    reader *r = context;
    const int outputs = eex_graph_classes(at->graph);
    EEX_TRY(eex_plan_logits(at->plan, exit, r->logits, at->batch->count));
    for (int k = 0; k < r->p->gates; k++)
        for (int i = 0; i < at->batch->count; i++)
            r->score[(size_t)k * r->samples + at->first + (size_t)i] =
                eex_skip_score(r->logits[i * outputs + k]);
    return EEX_OK;
}

/* Of the samples of a trace, in its order. */
int eex__predictor_score(making *m, int part)
{
    static const eex_visitor visitor = {read_logits, NULL};
    const eex_trace *t = m->trace[part];
    const eex_inference how = eex_model_inference(m->model, EEX__PREDICTOR_BATCH);
    const size_t outputs = (size_t)eex_graph_classes(m->p->graph);
    reader r = {.p = m->p, .samples = (size_t)t->samples};
    eex_survey survey = {.title = "reading the predictor's scores",
                         .graph = m->p->graph,
                         .params = m->p->params,
                         .data = m->data,
                         .samples = t->sample,
                         .count = r.samples,
                         .how = &how,
                         .exits = 1,
                         .visitor = &visitor,
                         .context = &r};
    r.score = m->score[part] = malloc((size_t)m->p->gates * r.samples * sizeof *r.score);
    r.logits = malloc(EEX__PREDICTOR_BATCH * outputs * sizeof *r.logits);
    const int code =
        r.score && r.logits
            ? eex_survey_run(&survey)
            : eex_fail(EEX_ENOMEM, "out of memory for scores of %zu images", r.samples);
    free(r.logits);
    return code;
}

/* ---- thresholds and figures ---- */

static eex_skips skips_of(const making *m, int part)
{
    return (eex_skips){.gates = m->p->gates, .score = m->score[part], .gamma = m->p->gamma};
}

static int figures(eex_exit_predictor_figures *out, const making *m, int part,
                   const eex_policy *policy, const float *gamma)
{
    eex_skips skips = skips_of(m, part);
    skips.gamma = gamma;
    out->samples = m->trace[part]->samples;
    EEX_TRY(
        eex_replay_skips(&out->without, m->trace[part], policy, &m->p->charges, NULL, NULL, NULL));
    return eex_replay_skips(&out->with, m->trace[part], policy, &m->p->charges, &skips, NULL, NULL);
}

/* The way of Dong et al. (footnote 2): confidence thresholds by a grid on the test split,
 * and gamma there too, with the predictor that there is. */
static int choose_published(making *m)
{
    eex_policy *policy = NULL;
    float gamma[EEX_MAX_EXITS];
    eex_trace *test = m->trace[EEX__TEST];
    const eex_skips skips = skips_of(m, EEX__TEST);
    float ones[EEX_MAX_EXITS];
    for (int k = 0; k < test->exits; k++)
        ones[k] = 1;
    EEX_TRY(eex_trace_score(test, m->model->params->device, ones));
    int code = eex_skip_lambda(&policy, test, &m->p->charges);
    if (code == EEX_OK)
        code = eex_skip_choose(gamma, test, policy, &m->p->charges, &skips, m->recipe->more);
    if (code == EEX_OK)
        code = figures(&m->p->published, m, EEX__TEST, policy, gamma);
    eex_policy_free(policy);
    return code;
}

int eex__predictor_choose(making *m)
{
    eex_exit_predictor *p = m->p;
    const int held = m->recipe->images == EEX_PREDICTOR_TRAIN ? EEX__CALIBRATION : EEX__VALIDATION;
    const eex_skips skips = skips_of(m, held);
    EEX_TRY(
        eex_skip_choose(p->gamma, m->trace[held], p->policy, &p->charges, &skips, m->recipe->more));
    EEX_TRY(figures(&p->validation, m, EEX__VALIDATION, p->policy, p->gamma));
    EEX_TRY(figures(&p->test, m, EEX__TEST, p->policy, p->gamma));
    return m->recipe->published ? choose_published(m) : EEX_OK;
}
